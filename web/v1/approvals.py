"""``/v1/approvals``: which decisions are asked for, how each stands, and waiting for one: long poll or stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from application.approvals import ApprovalFilter, NoSuchApproval, StreamApproval, find_approval, list_approvals
from application.pages import reach
from application.reading import may_see
from deciding.fold import fold
from domain.catalogue import command_class
from domain.kernel.identity import Actor, Role, StreamId
from domain.kernel.state import Approval, Verdict
from web.body import fill
from web.guard import ByCaller, ByHouse, ByLanguage, GuardedRoute, Policy, allow
from web.problems import AGAIN_S, Refusal, problem_responses
from web.sse import HEARTBEAT_S, SSE, event, heartbeat
from web.v1.operations import Wait
from web.v1.pages import ByPage, FreshnessAnswer, narrow
from web.v1.streams import require_stream

if TYPE_CHECKING:
    from application.caller import Caller
    from web.house import House
    from web.language import Language

router = APIRouter(route_class=GuardedRoute, tags=["approvals"])


class ApprovalAnswer(BaseModel):
    """A decision that is asked of somebody about bound content. An ended one never changes."""

    id: UUID
    stream: StreamId
    gate: str
    """The command that would grant it."""
    text: str
    """What the office calls that."""
    key: str
    """What it is about within the stream, e.g. a tranche."""
    role: Role
    """Who may decide."""
    asked_at: datetime
    until: datetime | None
    content_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    """Of what is to be approved: other content is another approval."""
    verdict: Verdict
    decided_by: Actor | None
    decided_at: datetime | None

    @classmethod
    def of(cls, stream: StreamId, approval: Approval, language: Language) -> ApprovalAnswer:
        """As it stands."""
        return cls(
            id=approval.id,
            stream=stream,
            gate=approval.gate,
            text=language.say(command_class(approval.gate).zh(), command_class(approval.gate).en()),
            key=approval.key,
            role=approval.role,
            asked_at=approval.asked_at,
            until=approval.until,
            content_sha256=approval.content,
            verdict=approval.verdict,
            decided_by=approval.decided_by,
            decided_at=approval.decided_at,
        )


class ApprovalPage(BaseModel):
    """Approvals: by stream, and within one the oldest first."""

    approvals: list[ApprovalAnswer]
    next: str | None
    """What the next page begins after; null at the end."""
    freshness: FreshnessAnswer


Word = Annotated[str | None, Query(min_length=1, max_length=200)]


@router.get("/v1/approvals", response_model=ApprovalPage, responses=problem_responses(401, 403, 404, 422, 429, 503))
@allow(Policy.READ)
async def get_approvals(
    house: ByHouse,
    caller: ByCaller,
    language: ByLanguage,
    response: Response,
    page: ByPage,
    stream: Annotated[
        str | None, Query(min_length=1, max_length=200, description="A whole id, as project/live/AP-5.")
    ] = None,
    realm: Word = None,
    approver: Annotated[
        str | None, Query(max_length=40, description="A role, or a seat of it, that may decide.")
    ] = None,
    decided_by: Annotated[str | None, Query(min_length=1, max_length=40, description="The seat that decided.")] = None,
    verdict: Annotated[Verdict | None, Query(description="Only those that stand so.")] = None,
    organisation: Word = None,
) -> ApprovalPage:
    """Approvals that were ever asked for, open and ended; an organisation's own people see its own."""
    if stream is not None:
        await require_stream(house, caller, stream)
    filters = fill(
        ApprovalFilter,
        stream=stream,
        realm=realm,
        role=approver,
        decided_by=decided_by,
        verdict=verdict,
        organisation=organisation,
    )
    request = page if stream is not None else narrow(page, caller, organisation)
    found = await list_approvals(house.store, filters, request)
    return ApprovalPage(
        approvals=[ApprovalAnswer.of(one.stream, one.approval, language) for one in found.rows],
        next=found.next,
        freshness=FreshnessAnswer.of(found.freshness, response),
    )


@router.get(
    "/v1/approvals/{approval_id}",
    response_model=ApprovalAnswer,
    responses=problem_responses(401, 403, 404, 422, 429, 503),
)
@allow(Policy.READ)
async def get_approval(
    approval_id: UUID, house: ByHouse, caller: ByCaller, language: ByLanguage, wait: Wait = 0
) -> Response:
    """How an approval stands; with ``wait``, as soon as it is decided, or after so many seconds as it then is.

    Whoever waits is woken by the log, and costs nothing when they leave. Ask again as often as it takes.
    """
    found = await _require_approval(house, caller, approval_id)
    if found.approval.verdict is Verdict.OPEN and wait:
        decided = await _wait(house, found, wait)
        found = found if decided is None else StreamApproval(found.stream, decided)
    headers = {"Retry-After": "0" if wait else "30"} if found.approval.verdict is Verdict.OPEN else {}
    return Response(_write(found.stream, found.approval, language), headers=headers, media_type="application/json")


@lru_cache(maxsize=256)
def _write(stream: StreamId, approval: Approval, language: Language) -> str:
    """The answer's text: a thousand may wait for one approval, and are all told the same."""
    return ApprovalAnswer.of(stream, approval, language).model_dump_json()


@router.get(
    "/v1/approvals/{approval_id}/stream",
    response_class=StreamingResponse,
    responses={
        200: {"content": {SSE: {"schema": {"type": "string"}}}, "description": "Server-sent events."},
        **problem_responses(401, 403, 404, 422, 429, 503),
    },
)
@allow(Policy.READ)
async def stream_approval(
    approval_id: UUID, house: ByHouse, caller: ByCaller, language: ByLanguage
) -> StreamingResponse:
    """How an approval stands, at once and when it is decided, as server-sent events; then the stream ends."""
    found = await _require_approval(house, caller, approval_id)

    async def tell() -> AsyncIterator[str]:
        shown = ApprovalAnswer.of(found.stream, found.approval, language)
        yield event(str(found.approval.verdict), "approval", shown.model_dump_json())
        if found.approval.verdict is not Verdict.OPEN:
            return
        while (decided := await _wait(house, found, HEARTBEAT_S)) is None:
            yield heartbeat()
        answer = ApprovalAnswer.of(found.stream, decided, language)
        yield event(str(decided.verdict), "approval", answer.model_dump_json())

    return StreamingResponse(tell(), media_type=SSE)


async def _wait(house: House, found: StreamApproval, patience_s: float) -> Approval | None:
    try:
        async with asyncio.timeout(patience_s):
            return await house.door.approvals.wait(found.stream, found.approval.id)
    except TimeoutError:
        return None


async def _require_approval(house: House, caller: Caller, approval_id: UUID) -> StreamApproval:
    """The approval as the log has it. Raises NoSuchApproval where none may be seen, Refusal while nobody can tell."""
    try:
        stream = (await find_approval(house.store, approval_id)).stream
    except NoSuchApproval:
        if await reach(house.store, "approvals", await house.store.last_position(), 0):
            raise
        raise Refusal(  # it may be there: who waits for it must not be told that it is not
            HTTPStatus.SERVICE_UNAVAILABLE,
            "unavailable",
            "審批列表尚未跟上日誌，請稍後再問",
            "the list of approvals has not caught up with the log: ask again",
            headers={"Retry-After": str(AGAIN_S)},
        ) from None
    state = fold(stream, [e async for e in house.store.read(stream)])
    approval = next((one for one in state.approvals if one.id == approval_id), None)
    if approval is None or not may_see(caller.grants, state):
        raise NoSuchApproval(approval_id)
    return StreamApproval(stream, approval)
