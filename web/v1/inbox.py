"""``/v1/inbox``: what waits for the caller's seats, what has a time first, the earliest on top."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from application.access import list_words, may_see_all
from application.duties import list_duties
from application.inbox import WITHIN_WD, Urgency, WaitingFilter, list_waiting
from domain.kernel.identifier import LIVE, Actor, Role, StreamId
from papers.lists import WAITING
from web.body import fill
from web.guard import ByCaller, ByHouse, ByLanguage, GuardedRoute, Policy, allow
from web.problems import Refusal, problem_responses
from web.v1.pages import ByPageRequest, FreshnessAnswer, shield
from web.v1.sheets import SHEET, BySheet, answer_pages

if TYPE_CHECKING:
    from application.caller import Caller
    from application.inbox import Waiting
    from web.house import House
    from web.language import Language

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
    seats: list[Actor]
    """The caller's seats for which it waits."""
    stands_in: bool
    """Whether on all of these they stand in for somebody else."""


class InboxPage(BaseModel):
    """What waits, the most pressing first."""

    waiting: list[WaitingAnswer]
    next: str | None
    """What the next page begins after; null at the end."""
    freshness: FreshnessAnswer


@router.get(
    "/v1/inbox", response_model=InboxPage, responses={**SHEET, **problem_responses(401, 403, 404, 422, 429, 503)}
)
@allow(Policy.READ)
async def get_inbox(
    house: ByHouse,
    caller: ByCaller,
    language: ByLanguage,
    response: Response,
    page_request: ByPageRequest,
    as_sheet: BySheet,
    seat: Annotated[
        str | None,
        Query(alias="as", max_length=40, description="One of the caller's seats; left out, all of them."),
    ] = None,
    realm: Annotated[str | None, Query(min_length=1, max_length=64)] = None,
    organisation: Annotated[str | None, Query(min_length=1, max_length=64)] = None,
    overdue: Annotated[bool, Query(description="Only what is past its time.")] = False,  # noqa: FBT002 - a query
    within_wd: Annotated[int, Query(ge=0, le=250, description="Working days within which a day is soon.")] = WITHIN_WD,
) -> InboxPage | Response:
    """What waits for the caller's seats, of what they may see: their own, and those that they stand in for."""
    seats = tuple(one for one in caller.seats if seat in (None, one))
    if not seats:
        mine = "、".join(caller.seats)
        raise Refusal(
            HTTPStatus.FORBIDDEN,
            "forbidden",
            f"請以 as 指明您的一個崗位：{mine}",
            f"name one of your seats by «as»: {mine}",
        )
    filters = fill(
        WaitingFilter,
        seats=seats,
        realm=realm,
        organisation=organisation,
        overdue=overdue,
        within_wd=within_wd,
        readers=None if may_see_all(caller.grants) else list_words(caller.grants),
    )
    request = shield(page_request, caller)
    if as_sheet:
        read = partial(list_waiting, house.store, filters, now=house.now())
        conditions = filters.model_dump(exclude_none=True, exclude={"readers"})
        return await answer_pages(WAITING, read, request, language, **conditions)
    waiting = await list_waiting(house.store, filters, request, now=house.now())
    lent = await _list_lent(house, caller)
    return InboxPage(
        waiting=[_answer(row, [one for one in seats if row.is_for(one)], lent, language) for row in waiting.rows],
        next=waiting.next,
        freshness=FreshnessAnswer.of(waiting.freshness, response),
    )


def _answer(row: Waiting, seats: list[Actor], lent: frozenset[Actor], language: Language) -> WaitingAnswer:
    return WaitingAnswer(
        stream=row.stream,
        subject=f"{row.stream.name}/{row.subject}" if row.subject else row.stream.name,
        title=row.title,
        command=row.command,
        text=language.say(row.zh, row.en),
        roles=[Role(role) for role in row.roles],
        until=row.until,
        provisional=row.provisional,
        urgency=row.urgency,
        seats=seats,
        stands_in=bool(seats) and lent.issuperset(seats),
    )


async def _list_lent(house: House, caller: Caller) -> frozenset[Actor]:
    """The seats on which the caller stands in for somebody else now."""
    if caller.person is None:
        return frozenset()
    duties = await list_duties(house.store, LIVE, caller.person, house.now())
    own = {duty.seat for duty in duties if duty.basis is None}
    return frozenset(duty.seat for duty in duties if duty.basis is not None) - own
