"""Lists by pages: how one is asked for, and how old what it shows is."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Query, Response
from pydantic import BaseModel

from application.access import may_see_all
from application.pages import Freshness, PageRequest
from domain.kernel.scope import ScopeKind
from web.problems import Refusal

if TYPE_CHECKING:
    from application.caller import Caller

MOST = 500
"""Rows of a page."""


class FreshnessAnswer(BaseModel):
    """How old a list is."""

    position: int
    """Everything in the log up to there is in it."""
    behind: int
    """Entries of the log that are not in it yet; 0 if it is current."""
    reached_at: datetime | None
    """When the last entry that is in it was recorded."""

    @classmethod
    def of(cls, freshness: Freshness, response: Response) -> FreshnessAnswer:
        """As the page says; in the answer's headers too."""
        response.headers["Venture-Position"] = str(freshness.position)
        return cls(position=freshness.position, behind=freshness.behind, reached_at=freshness.reached_at)


def _read_page_request(
    limit: Annotated[int, Query(ge=1, le=MOST, description="Rows of a page.")] = 100,
    after: Annotated[
        str | None, Query(max_length=2_000, description="«next» of the page before; left out for the first.")
    ] = None,
    at_least: Annotated[
        int | None,
        Query(ge=0, le=2**53, description="The position of a receipt: the page waits for it, 2 s at most."),
    ] = None,
) -> PageRequest:
    return PageRequest(limit=limit, after=after, at_least=at_least)


ByPageRequest = Annotated[PageRequest, Depends(_read_page_request)]


def narrow(request: PageRequest, caller: Caller, organisation: str | None) -> PageRequest:
    """The same page, of what the caller's organisation may see; of everything for the house. Raises Refusal."""
    if may_see_all(caller.grants):
        return request
    scopes = [grant.scope for grant in caller.grants if grant.scope is not None]
    names = [name for scope in scopes if scope.kind is ScopeKind.ORGANISATION for name in scope.names]
    if organisation is not None:
        names = [name for name in names if name == organisation]
    if len(names) != 1:
        mine = "、".join(names)
        raise Refusal(
            HTTPStatus.FORBIDDEN,
            "forbidden",
            f"您的崗位不可讀全部；請以 organisation 指明您的一個組織（{mine or '無'}）",
            f"your seats may not read all: name one organisation of yours ({mine or 'none'})",
        )
    return request.model_copy(update={"organisation": names[0]})


def shield(request: PageRequest, caller: Caller) -> PageRequest:
    """The same page; for whoever acts for one organisation alone the database shows that one's rows and no other."""
    scopes = [grant.scope for grant in caller.grants]
    names = {name for scope in scopes if scope is not None for name in scope.names}
    is_one = len(names) == 1 and all(s is not None and s.kind is ScopeKind.ORGANISATION for s in scopes)
    if may_see_all(caller.grants) or not is_one:
        return request
    return request.model_copy(update={"organisation": min(names)})
