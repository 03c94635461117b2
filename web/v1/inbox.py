"""``/v1/inbox``: what waits for a seat of the caller's, what has a time first, the earliest on top."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from application.inbox import WITHIN_WD, Urgency, WaitingFilter, list_waiting
from application.reading import may_see, sees_all
from deciding.fold import fold
from domain.kernel.identity import Role, StreamId
from domain.kernel.scope import ScopeKind
from web.body import fill
from web.guard import ByCaller, ByHouse, ByLanguage, GuardedRoute, Policy, allow
from web.problems import Refusal, problem_responses
from web.v1.pages import ByPage, FreshnessAnswer, narrow

if TYPE_CHECKING:
    from application.caller import Caller
    from application.inbox import Waiting
    from web.house import House

router = APIRouter(route_class=GuardedRoute, tags=["inbox"])


class WaitingAnswer(BaseModel):
    """One thing that waits for somebody."""

    stream: StreamId
    subject: str
    """As a command names it."""
    title: str
    command: str
    text: str
    roles: list[Role]
    until: datetime | None
    provisional: bool
    """Whether a notice of working days may still move that."""
    urgency: Urgency


class InboxPage(BaseModel):
    """What waits, the most pressing first."""

    waiting: list[WaitingAnswer]
    next: str | None
    """What the next page begins after; null at the end."""
    freshness: FreshnessAnswer


@router.get("/v1/inbox", response_model=InboxPage, responses=problem_responses(401, 403, 404, 422, 429, 503))
@allow(Policy.READ)
async def get_inbox(
    house: ByHouse,
    caller: ByCaller,
    language: ByLanguage,
    response: Response,
    page: ByPage,
    seat: Annotated[
        str | None,
        Query(alias="as", max_length=40, description="One of the caller's seats; needed if they hold several roles."),
    ] = None,
    realm: Annotated[str | None, Query(min_length=1, max_length=64)] = None,
    organisation: Annotated[str | None, Query(min_length=1, max_length=64)] = None,
    overdue: Annotated[bool, Query(description="Only what is past its time.")] = False,  # noqa: FBT002 - a query
    within_wd: Annotated[int, Query(ge=0, le=250, description="Working days within which a day is soon.")] = WITHIN_WD,
) -> InboxPage:
    """What waits for a role of the caller's, of what they may see."""
    roles = {one.role for one in caller.seats if seat in (None, one)}
    if len(roles) != 1:
        mine = "、".join(caller.seats)
        raise Refusal(
            HTTPStatus.FORBIDDEN,
            "forbidden",
            f"請以 as 指明你的一個崗位：{mine}",
            f"name one of your seats by «as»: {mine}",
        )
    (role,) = roles
    is_organisation = any(g.scope is not None and g.scope.kind is ScopeKind.ORGANISATION for g in caller.grants)
    filters = fill(
        WaitingFilter, role=role, realm=realm, organisation=organisation, overdue=overdue, within_wd=within_wd
    )
    narrowed = narrow(page, caller, organisation) if is_organisation else page
    found = await list_waiting(house.store, filters, narrowed, now=house.now())
    rows = [row for row in found.rows if sees_all(caller.grants) or await _is_seen(house, caller, row)]
    return InboxPage(
        waiting=[
            WaitingAnswer(
                stream=row.stream,
                subject=f"{row.stream.name}/{row.subject}" if row.subject else row.stream.name,
                title=row.title,
                command=row.command,
                text=language.say(row.zh, row.en),
                roles=[Role(role) for role in row.roles],
                until=row.until,
                provisional=row.provisional,
                urgency=row.urgency,
            )
            for row in rows
        ],
        next=found.next,
        freshness=FreshnessAnswer.of(found.freshness, response),
    )


async def _is_seen(house: House, caller: Caller, row: Waiting) -> bool:
    return await may_see(house.store, caller.grants, fold(row.stream, [e async for e in house.store.read(row.stream)]))
