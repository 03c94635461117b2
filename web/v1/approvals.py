"""``/v1/approvals``: which decisions are asked for, how each stands, waiting for one, asking for one, deciding one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from enum import StrEnum
from functools import lru_cache, partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from application.access import list_hidden_kinds, list_words, may_see, may_see_all
from application.approval_decision import Choice, build_decision, find_decision
from application.approvals import ApprovalFilter, NoSuchApproval, StreamApproval, find_approval, list_approvals
from application.command_input import read_command
from application.pages import wait_for_view
from application.queries import NameUnknown
from application.realms import require_realm
from deciding.fold import load_state
from domain.approval.request import ApprovalWithdrawn, OpenApproval, approval_stream, count
from domain.catalogue import command_class
from domain.kernel.approval import Approval, ApproverGroup, Ballot, Verdict, Vote
from domain.kernel.explanation import InputFault, InputInvalid
from domain.kernel.field_shape import Notation
from domain.kernel.identifier import LIVE, Actor, Role, StreamId
from domain.kernel.input import BusinessTime
from papers.lists import APPROVALS
from web.body import answer_with, describe_body, fill, read_body, refer_to
from web.guard import ByCaller, ByHouse, ByLanguage, GuardedRoute, Policy, allow
from web.links import names
from web.problems import AGAIN_S, Refusal, problem_responses
from web.sse import HEARTBEAT_S, EventStream, event, heartbeat
from web.v1.commands import address, read_key, send
from web.v1.operations import Wait
from web.v1.pages import ByPageRequest, FreshnessAnswer, shield
from web.v1.receipt import ReceiptAnswer
from web.v1.sheets import SHEET, BySheet, answer_pages
from web.v1.streams import require_stream

if TYPE_CHECKING:
    from application.caller import Caller
    from web.house import House
    from web.language import Language

router = APIRouter(route_class=GuardedRoute, tags=["approvals"])


class Bound(BaseModel):
    """One thing that is approved, in the reader's language."""

    name: str
    """Which: ``amount``, ``payee``, ``project``, ``tranche``…"""
    label: str
    value: str
    fen: int | None = None
    """Of an amount of money."""


class GroupAnswer(BaseModel):
    """Those of whom so many must consent: all (會簽), any one (或簽), or n of m."""

    title: str
    roles: list[Role]
    """Any seat of these roles."""
    seats: list[Actor]
    """These very seats."""
    acts_for: list[str]
    """Of those roles only seats that act for one of these; empty for any."""
    needed: int
    consented: int


class VoteAnswer(BaseModel):
    """What one person decided."""

    seat: Actor
    persons: list[str]
    """Who counts as having decided, by opaque numbers: whoever did, and the holder for whom they stood in."""
    stands_in: bool
    """Whether they sat on a seat that is not theirs."""
    ballot: Ballot
    text: str
    group: int
    """In which of the groups it counts, from 0; the number after the last is those above."""
    at: datetime
    reason: str


class Status(StrEnum):
    """How it stands in the words of the AuthZEN profile for access requests and approvals; only one is a yes."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


_STATUS: Mapping[Verdict, tuple[Status, str | None]] = {
    Verdict.OPEN: (Status.PENDING, None),
    Verdict.GRANTED: (Status.APPROVED, None),
    Verdict.REFUSED: (Status.DENIED, None),
    Verdict.RETURNED: (Status.DENIED, "returned"),
    Verdict.EXPIRED: (Status.EXPIRED, None),
    Verdict.VOID: (Status.CANCELLED, "content_changed"),
}


class ApprovalAnswer(BaseModel):
    """A decision that is asked of somebody about bound content. An ended one never changes; none is the permission."""

    id: Annotated[UUID, names("approval_id")]
    stream: StreamId
    title: str
    gate: str
    """The command that would grant it."""
    text: str
    """What the office calls that."""
    key: str
    """What it is about within the stream, e.g. a tranche."""
    role: Role
    """Who may decide, or the first of those who may: ``groups`` says all."""
    groups: list[GroupAnswer]
    """Each of them must consent."""
    asked_at: datetime
    until: datetime | None
    """When it ends undecided, or is late."""
    remind_at: datetime | None
    """When those who have not decided are reminded."""
    escalate_at: datetime | None
    """When it goes to those above, if it is not decided by then."""
    escalate_to: list[Actor]
    escalated: bool
    summary: list[Bound]
    """What is bound, to be read: project, amount, payee…"""
    content_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    """Of what is to be approved: other content is another approval."""
    verdict: Verdict
    status: Status
    status_reason: str | None
    """``returned`` of a denied one that may be changed and asked anew; ``content_changed``, ``withdrawn``."""
    votes: list[VoteAnswer]
    decided_by: Actor | None
    decided_at: datetime | None
    reason: str
    """In the words of whoever decided."""
    ended_by: str
    """The event that ended it."""

    @classmethod
    def of(cls, one: StreamApproval, language: Language) -> ApprovalAnswer:
        """The approval as the interface tells it, in that language."""
        a = one.approval
        status, status_reason = _STATUS[a.verdict]
        if a.ended_by == ApprovalWithdrawn.event_type:
            status_reason = "withdrawn"
        return cls(
            id=a.id,
            stream=one.stream,
            title=one.title,
            gate=a.gate,
            text=language.say(command_class(a.gate).zh(), command_class(a.gate).en()),
            key=a.key,
            role=a.role,
            groups=[_group(a, number, group) for number, group in enumerate(a.approvers)],
            asked_at=a.asked_at,
            until=one.until,
            remind_at=a.remind_at,
            escalate_at=a.escalate_at,
            escalate_to=list(a.above),
            escalated=a.is_escalated,
            summary=[
                Bound(
                    name=d.name, label=language.say(d.zh, d.en), value=language.say(d.value_zh, d.value_en), fen=d.fen
                )
                for d in one.summary
            ],
            content_sha256=a.content,
            verdict=a.verdict,
            status=status,
            status_reason=status_reason,
            votes=[_vote(vote, language) for vote in a.votes],
            decided_by=a.decided_by,
            decided_at=a.decided_at,
            reason=a.reason,
            ended_by=a.ended_by,
        )


def _group(approval: Approval, number: int, group: ApproverGroup) -> GroupAnswer:
    return GroupAnswer(
        title=group.title,
        roles=list(group.roles),
        seats=list(group.seats),
        acts_for=list(group.names),
        needed=group.needed,
        consented=count(approval, number, Ballot.CONSENT),
    )


def _vote(vote: Vote, language: Language) -> VoteAnswer:
    return VoteAnswer(
        seat=vote.acting.seat,
        persons=sorted(vote.acting.persons),
        stands_in=vote.basis is not None,
        ballot=vote.ballot,
        text=language.say(vote.ballot.zh, vote.ballot.en),
        group=vote.group,
        at=vote.at,
        reason=vote.reason,
    )


class ApprovalPage(BaseModel):
    """Approvals: by stream, and within one the oldest first."""

    approvals: list[ApprovalAnswer]
    next: str | None
    """What the next page begins after; null at the end."""
    freshness: FreshnessAnswer


Word = Annotated[str | None, Query(min_length=1, max_length=200)]


@router.get(
    "/v1/approvals",
    response_model=ApprovalPage,
    responses={**SHEET, **problem_responses(401, 403, 404, 422, 429, 503)},
)
@allow(Policy.READ)
async def get_approvals(
    house: ByHouse,
    caller: ByCaller,
    language: ByLanguage,
    response: Response,
    page_request: ByPageRequest,
    as_sheet: BySheet,
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
    gate: Annotated[str | None, Query(max_length=80, description="The command that would grant it.")] = None,
    key: Annotated[str | None, Query(max_length=80, description="What it is about within the stream: T1.")] = None,
) -> ApprovalPage | Response:
    """Approvals that were ever asked for, open and ended; of what the caller may see."""
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
        gate=gate or None,
        key=key or None,
        readers=None if may_see_all(caller.grants) else list_words(caller.grants),
        hidden_kinds=list_hidden_kinds(caller.grants) if may_see_all(caller.grants) else (),
    )
    request = page_request if stream is not None else shield(page_request, caller)
    if as_sheet:
        read = partial(list_approvals, house.store, filters)
        conditions = filters.model_dump(exclude_none=True, exclude={"readers", "hidden_kinds"})
        return await answer_pages(APPROVALS, read, request, language, **conditions)
    approvals = await list_approvals(house.store, filters, request)
    return ApprovalPage(
        approvals=[ApprovalAnswer.of(one, language) for one in approvals.rows],
        next=approvals.next,
        freshness=FreshnessAnswer.of(approvals.freshness, response),
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
    request = await _require_approval(house, caller, approval_id)
    if request.approval.verdict is Verdict.OPEN and wait:
        verdict = await _wait(house, request, wait)
        request = (
            await _require_approval(house, caller, approval_id) if verdict is None else request.with_approval(verdict)
        )
    headers = {"Retry-After": "0" if wait else "30"} if request.approval.verdict is Verdict.OPEN else {}
    return Response(_write(request, language), headers=headers, media_type="application/json")


@lru_cache(maxsize=256)
def _write(request: StreamApproval, language: Language) -> str:
    """The answer's text: a thousand may wait for one approval, and are all told the same."""
    return ApprovalAnswer.of(request, language).model_dump_json()


@router.get(
    "/v1/approvals/{approval_id}/stream",
    response_class=EventStream,
    response_description="Server-sent events.",
    responses=problem_responses(401, 403, 404, 422, 429, 503),
)
@allow(Policy.READ)
async def stream_approval(approval_id: UUID, house: ByHouse, caller: ByCaller, language: ByLanguage) -> EventStream:
    """How an approval stands, at once and when it is decided, as server-sent events; then the stream ends."""
    request = await _require_approval(house, caller, approval_id)

    async def write_events() -> AsyncIterator[str]:
        present = ApprovalAnswer.of(request, language)
        yield event(str(request.approval.verdict), "approval", present.model_dump_json())
        if request.approval.verdict is not Verdict.OPEN:
            return
        while (approval := await _wait(house, request, HEARTBEAT_S)) is None:
            yield heartbeat()
        answer = ApprovalAnswer.of(request.with_approval(approval), language)
        yield event(str(approval.verdict), "approval", answer.model_dump_json())

    return EventStream(write_events())


async def _wait(house: House, request: StreamApproval, patience_s: float) -> Approval | None:
    try:
        async with asyncio.timeout(patience_s):
            return await house.door.watch.wait(request.stream, request.approval.id)
    except TimeoutError:
        return None


async def _require_approval(house: House, caller: Caller, approval_id: UUID) -> StreamApproval:
    """The approval as the log has it. Raises NoSuchApproval where none may be seen, Refusal while nobody can tell."""
    try:
        request = await find_approval(house.store, approval_id)
    except NoSuchApproval:
        if await wait_for_view(house.store, "approvals", await house.store.last_position(), 0):
            raise
        raise Refusal(  # it may be there: who waits for it must not be told that it is not
            HTTPStatus.SERVICE_UNAVAILABLE,
            "unavailable",
            "審批列表尚未跟上日誌，請稍後再問",
            "the list of approvals has not caught up with the log: ask again",
            headers={"Retry-After": str(AGAIN_S)},
        ) from None
    state = await load_state(house.store, request.stream)
    approval = next((one for one in state.approvals if one.id == approval_id), None)
    if approval is None or not await may_see(house.store, caller.grants, state):
        raise NoSuchApproval(approval_id)
    return request.with_approval(approval)


# ---------------------------------------------------------------- asking for one, and deciding one


class OpenApprovalBody(BaseModel):
    """A decision that a service asks of people."""

    model_config = ConfigDict(extra="forbid", populate_by_name=False)

    seat: Annotated[Actor | None, Field(alias="as", max_length=40, examples=["CAB-REG#1"])] = None
    """The seat on which it is asked: one of the caller's. May be left out where exactly one of them may."""
    realm: Annotated[str, Field(max_length=64)] = LIVE
    at: BusinessTime | None = None
    """The business time, in a realm on a manual clock only."""
    request: Annotated[dict[str, Any], Field(max_length=40)]
    """By the schema of ``OpenApproval``: title, groups, amount in fen, payee, until…"""


class DecisionBody(BaseModel):
    """How an approval is decided, and by which seat."""

    model_config = ConfigDict(extra="forbid", populate_by_name=False)

    decision: Choice
    seat: Annotated[Actor | None, Field(alias="as", max_length=40, examples=["CAB-DEC#1"])] = None
    """One of the caller's. May be left out where exactly one of them may."""
    reason: Annotated[str | None, Field(max_length=2000)] = None
    at: BusinessTime | None = None
    """The business time, in a realm on a manual clock only."""
    particulars: Annotated[dict[str, Any], Field(max_length=100)] = {}
    """Whatever else the stage's own command takes."""


@router.post(
    "/v1/approvals",
    response_model=ReceiptAnswer,
    status_code=HTTPStatus.CREATED,
    responses=problem_responses(400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 503),
    openapi_extra=describe_body(refer_to(OpenApprovalBody)),
)
@allow(Policy.COMMAND)
async def open_approval(
    request: Request,
    house: ByHouse,
    caller: ByCaller,
    idempotency_key: Annotated[str | None, Header(max_length=64)] = None,
) -> Response:
    """Ask for a decision, once however often it is sent: Location says where to wait for it. It permits nothing."""
    body = await read_body(request, OpenApprovalBody)
    command_id = read_key(idempotency_key)
    seat = caller.choose_seat(OpenApproval, body.seat, house.now())
    try:
        command = read_command(OpenApproval, "", body.request, Notation.DATA)
        stream = approval_stream(body.realm, command_id)
    except InputInvalid as invalid:
        raise InputInvalid([InputFault(("request", *f.place), f.zh, f.en) for f in invalid.faults]) from invalid
    except ValueError:
        raise NameUnknown(body.realm) from None
    await require_realm(house.store, body.realm)
    order = await address(command, stream, seat, body.at, house, caller)
    receipt, headers = await send(order, house, caller, command_id)
    headers["Location"] = f"/v1/approvals/{receipt.approvals[0].id}"
    return answer_with(receipt, HTTPStatus.CREATED, headers)


@router.post(
    "/v1/approvals/{approval_id}/decision",
    response_model=ReceiptAnswer,
    status_code=HTTPStatus.CREATED,
    responses=problem_responses(400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 503),
    openapi_extra=describe_body(refer_to(DecisionBody)),
)
@allow(Policy.COMMAND)
async def decide_approval(
    approval_id: UUID,
    request: Request,
    house: ByHouse,
    caller: ByCaller,
    idempotency_key: Annotated[str | None, Header(max_length=64)] = None,
) -> Response:
    """Have the command carried out that decides it so, whatever stage asked for it; the rules judge it as ever."""
    body = await read_body(request, DecisionBody)
    command_id = read_key(idempotency_key)
    approval = await _require_approval(house, caller, approval_id)
    particulars = {**body.particulars, **({"reason": body.reason} if body.reason is not None else {})}
    seat = caller.choose_seat(find_decision(approval.approval.gate, body.decision), body.seat, house.now())
    try:
        command = await build_decision(house.store, approval, body.decision, particulars, Notation.DATA, command_id)
    except InputInvalid as invalid:
        raise InputInvalid([InputFault(("particulars", *f.place), f.zh, f.en) for f in invalid.faults]) from invalid
    order = await address(command, approval.stream, seat, body.at, house, caller)
    receipt, headers = await send(order, house, caller, command_id)
    headers["Location"] = f"/v1/approvals/{approval_id}"
    return answer_with(receipt, HTTPStatus.CREATED, headers)
