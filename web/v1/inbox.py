"""``/v1/inbox``: what waits for the caller's seats, what has a time first, the earliest on top."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from application.inbox import WITHIN_WD, Urgency, list_waiting
from application.reading import may_see, sees_all
from deciding.fold import fold
from domain.kernel.identity import Role, StreamId
from web.guard import ByCaller, ByHouse, ByLanguage, GuardedRoute, Policy, allow
from web.problems import Refusal, problem_responses

router = APIRouter(route_class=GuardedRoute, tags=["inbox"])

MOST = 500
"""Rows of an answer."""


class WaitingAnswer(BaseModel):
    """One thing that waits for somebody."""

    stream: StreamId
    subject: str
    """As a command names it."""
    command: str
    text: str
    roles: list[Role]
    until: datetime | None
    provisional: bool
    """Whether a notice of working days may still move that."""
    urgency: Urgency


class InboxAnswer(BaseModel):
    """What waits, the most pressing first."""

    waiting: list[WaitingAnswer]
    total: int
    """How many there are, those beyond the limit included."""


@router.get("/v1/inbox", response_model=InboxAnswer, responses=problem_responses(401, 403, 404, 422, 429, 503))
@allow(Policy.READ)
async def get_inbox(
    house: ByHouse,
    caller: ByCaller,
    language: ByLanguage,
    seat: Annotated[
        str | None,
        Query(
            alias="as",
            max_length=40,
            description="One of the caller's seats; left out, all of them.",
            examples=["HOST#1"],
        ),
    ] = None,
    realm: Annotated[str | None, Query(max_length=64)] = None,
    within_wd: Annotated[int, Query(ge=0, le=60, description="Working days within which a day is soon.")] = WITHIN_WD,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
) -> InboxAnswer:
    """What waits for the caller."""
    seats = [one for one in caller.seats if seat in (None, one)]
    if not seats:
        raise Refusal(HTTPStatus.FORBIDDEN, "forbidden", "這不是你的崗位", "that is not a seat of yours", headers={})
    roles = {one.role for one in seats}
    rows = [
        row
        for row in await list_waiting(house.store, realm=realm, within_wd=within_wd, now=house.now())
        if not roles.isdisjoint(map(Role, row.roles))
    ]
    if not sees_all(caller.grants):
        streams = {row.stream for row in rows}
        seen = {
            stream
            for stream in streams
            if may_see(caller.grants, fold(stream, [e async for e in house.store.read(stream)]))
        }
        rows = [row for row in rows if row.stream in seen]
    return InboxAnswer(
        waiting=[
            WaitingAnswer(
                stream=row.stream,
                subject=f"{row.stream.name}/{row.subject}" if row.subject else row.stream.name,
                command=row.command,
                text=language.say(row.zh, row.en),
                roles=[Role(role) for role in row.roles],
                until=row.until,
                provisional=row.provisional,
                urgency=row.urgency,
            )
            for row in rows[:limit]
        ],
        total=len(rows),
    )
