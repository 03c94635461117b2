"""``/v1/payments``: until a tranche is paid, waited for as one thing through all the approvals on its way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from application.access import may_see
from application.approvals import ApprovalFilter, list_approvals
from application.pages import PageRequest
from application.payment import Course, Payment, PaymentEnds, find_payment
from application.queries import NameUnknown
from domain.kernel.identifier import Role, StreamId
from domain.project.tranches import TrancheStatus
from web.guard import ByCaller, ByHouse, ByLanguage, GuardedRoute, Policy, allow
from web.problems import problem_responses
from web.sse import HEARTBEAT_S, EventStream, event, heartbeat
from web.v1.approvals import ApprovalAnswer
from web.v1.operations import Wait

if TYPE_CHECKING:
    from application.caller import Caller
    from web.house import House
    from web.language import Language

router = APIRouter(route_class=GuardedRoute, tags=["payments"])

Realm = Annotated[str | None, Query(max_length=64, description="Needed where several realms have that name.")]


class StepAnswer(BaseModel):
    """Who is awaited before it is paid."""

    command: str
    text: str
    roles: list[Role]
    until: datetime | None


class PaymentAnswer(BaseModel):
    """A tranche on its way to being paid. It is done when it is paid, or never will be."""

    stream: StreamId
    tranche: str
    done: bool
    course: Course
    text: str
    status: TrancheStatus | None
    """Of the tranche itself; null while no contract names it."""
    planned: int
    """Fen."""
    paid: int
    """Fen."""
    version: int
    """The version of the project at which it stood so."""
    awaiting: list[StepAnswer]
    approvals: list[ApprovalAnswer]
    """All that were asked for on its way, the oldest first."""


@router.get(
    "/v1/payments/{project}/{tranche}",
    response_model=PaymentAnswer,
    responses=problem_responses(401, 403, 404, 422, 429, 503),
)
@allow(Policy.READ)
async def get_payment(
    project: str,
    tranche: str,
    response: Response,
    house: ByHouse,
    caller: ByCaller,
    language: ByLanguage,
    realm: Realm = None,
    wait: Wait = 0,
) -> PaymentAnswer:
    """How a tranche stands; with ``wait``, as soon as it is paid or never will be, or after so many seconds."""
    answer = await _look(house, caller, language, f"{project}/{tranche}", realm)
    if not answer.done and wait:
        await _wait(house, answer, wait)
        answer = await _look(house, caller, language, f"{project}/{tranche}", realm)
    if not answer.done:
        response.headers["Retry-After"] = "0" if wait else "30"
    return answer


@router.get(
    "/v1/payments/{project}/{tranche}/stream",
    response_class=EventStream,
    response_description="Server-sent events.",
    responses=problem_responses(401, 403, 404, 422, 429, 503),
)
@allow(Policy.READ)
async def stream_payment(
    project: str, tranche: str, house: ByHouse, caller: ByCaller, language: ByLanguage, realm: Realm = None
) -> EventStream:
    """How a tranche stands, at once and when it is paid or never will be, as server-sent events; then it ends."""
    subject = f"{project}/{tranche}"
    first = await _look(house, caller, language, subject, realm)

    async def write_events() -> AsyncIterator[str]:
        yield event(str(first.version), "payment", first.model_dump_json())
        if first.done:
            return
        while await _wait(house, first, HEARTBEAT_S) is None:
            yield heartbeat()
        last = await _look(house, caller, language, subject, realm)
        yield event(str(last.version), "payment", last.model_dump_json())

    return EventStream(write_events())


async def _wait(house: House, answer: PaymentAnswer, patience_s: float) -> Payment | None:
    try:
        async with asyncio.timeout(patience_s):
            return await house.door.watch.ask(answer.stream, PaymentEnds(answer.tranche))
    except TimeoutError:
        return None


async def _look(house: House, caller: Caller, language: Language, subject: str, realm: str | None) -> PaymentAnswer:
    """As the log has it now. Raises NameUnknown where there is none that the caller may see."""
    payment, state, awaiting = await find_payment(house.store, subject, realm)
    if not await may_see(house.store, caller.grants, state):
        raise NameUnknown(subject)
    requests = await list_approvals(
        house.store,
        ApprovalFilter(stream=payment.stream, key=payment.tranche),
        PageRequest(limit=500, at_least=await house.store.last_position()),
    )
    approvals = {one.id: one for one in state.approvals}
    return PaymentAnswer(
        stream=payment.stream,
        tranche=payment.tranche,
        done=payment.course is not Course.WAITING,
        course=payment.course,
        text=language.say(payment.course.zh, payment.course.en),
        status=payment.status,
        planned=payment.planned,
        paid=payment.paid,
        version=payment.version,
        awaiting=[
            StepAnswer(command=one.command, text=language.say(one.zh, one.en), roles=list(one.roles), until=one.until)
            for one in awaiting
        ],
        approvals=[
            ApprovalAnswer.of(one.with_approval(approvals[one.approval.id]), language)
            for one in requests.rows
            if one.approval.id in approvals
        ],
    )
