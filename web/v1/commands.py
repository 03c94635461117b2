"""``/v1/commands``: the catalogue, each command asked once however often it is sent; tried; and what came of it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from activities.names import GROUP_DECISIONS
from application.access import find_access
from application.command_input import CommandUnknown, list_amounts, read_command, resolve_command
from application.command_outcome import CommandOutcome, find_outcome
from application.queries import NameUnknown, find_or_begin, find_to_act
from deciding.fold import load_state
from domain.catalogue import AGGREGATES, command_class, list_commands, split_subject
from domain.kernel.acting import PersonId
from domain.kernel.clock import Clock
from domain.kernel.explanation import InputFault, InputInvalid
from domain.kernel.failure import Failure, FailureKind
from domain.kernel.field_shape import Notation
from domain.kernel.identifier import Actor, Role, Sha256, StreamId
from domain.kernel.input import BusinessTime
from web.body import answer_with, describe_body, read_body, refer_to
from web.guard import ByCaller, ByHouse, ByLanguage, GuardedRoute, Policy, allow
from web.links import names
from web.problems import Refusal, Unsatisfied, problem_responses
from web.v1.operations import OperationAnswer, describe
from web.v1.receipt import ReceiptAnswer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from application.caller import Caller
    from application.operations import OperationProgress
    from domain.kernel.message import Command
    from web.house import House
    from web.language import Language

router = APIRouter(route_class=GuardedRoute, tags=["commands"])


class Written(StrEnum):
    """How the values that come in are written."""

    TYPED = Notation.TYPED
    DATA = Notation.DATA


class CommandBody(BaseModel):
    """A command: about what, on which seat, and its particulars."""

    model_config = ConfigDict(extra="forbid", populate_by_name=False)

    subject: Annotated[str, Field(min_length=1, max_length=200, examples=["PJ-3/T1"])]
    """A name, e.g. ``PJ-3`` or ``ND-101``; with its part, ``PJ-3/T1``; or a whole id, ``project/live/PJ-3``."""
    realm: Annotated[str | None, Field(max_length=64)] = None
    """In which realm that name is meant; needed where several have it. A new name begins in ``live``."""
    seat: Annotated[Actor | None, Field(alias="as", max_length=40, examples=["CAB-REG#1"])] = None
    """The seat that gives the command: one of the caller's. May be left out where exactly one of them may."""
    at: BusinessTime | None = None
    """The business time, in a realm on a manual clock only; left out, it is where that clock stands."""
    at_hand: Annotated[frozenset[Sha256], Field(max_length=50)] = frozenset()
    """To try a command only: documents, by digest, that would be brought before it is given."""
    particulars: Annotated[dict[str, Any], Field(max_length=100)] = {}
    """By the schema of the command. Money is fen, an integer."""
    written: Written = Written.DATA
    """``typed`` where the values are as people type them: all text, money in yuan, words of the office."""


class Amount(BaseModel):
    """An amount of money, told back as it was understood."""

    field: str
    fen: int
    yuan: str


class TrialAnswer(BaseModel):
    """What a command would come to now. Nothing is recorded."""

    stream: Annotated[StreamId, names()]
    """Which need not be there yet."""
    would_be: Annotated[str, Field(pattern="^(accepted|refused)$")]
    events: list[str] = []
    unmet: list[Unsatisfied] = []
    """Every condition that does not hold."""
    amounts: list[Amount] = []


class OutcomeAnswer(BaseModel):
    """What came of a command, as the log has it."""

    command_id: UUID
    stream: StreamId
    command: str
    seat: Actor
    ending: Annotated[str, Field(pattern="^(accepted|refused)$")]
    version: int
    position: Annotated[int, names("at_least")]
    events: tuple[str, ...]
    unmet: list[Unsatisfied]
    at: datetime
    recorded_at: datetime
    log: str


class CommandOfAnotherKind(Failure):
    """The command is not one of that kind of stream."""

    kind = FailureKind.USAGE

    def __init__(self, command: type[Command], stream: StreamId) -> None:
        zh, en = AGGREGATES[stream.kind].zh, AGGREGATES[stream.kind].en
        super().__init__(
            f"「{command.zh()}」不是{zh}的命令", f"{command.command_type} is no command of a {en}", stream=stream
        )


def find_public_command(name: str) -> type[Command]:
    """The command of exactly that name, unless only the clock gives it. Raises Refusal."""
    try:
        command_type = command_class(name)
    except KeyError:
        command_type = None
    if command_type is None or command_type.by == (Role.SYS,):
        raise Refusal(
            HTTPStatus.NOT_FOUND,
            "not-found",
            "沒有此命令；全部見 /v1/openapi.json",
            "no such command: see /v1/openapi.json",
        )
    return command_type


class CommandAnswer(BaseModel):
    """One command of the catalogue."""

    command: str
    kind: str
    """Of what kind of stream."""
    event: str
    """The event that it leads to."""
    text: str
    """What the office calls that."""
    roles: list[str]
    stages: list[str]
    """None means any stage."""
    rule: str


class CommandList(BaseModel):
    """Commands, kind by kind."""

    commands: list[CommandAnswer]


@router.get("/v1/commands", response_model=CommandList, responses=problem_responses(401, 403, 422, 429, 503))
@allow(Policy.READ)
async def list_all_commands(
    language: ByLanguage,
    kind: Annotated[str | None, Query(max_length=40, description="Only those of this kind of stream.")] = None,
    name: Annotated[
        str | None,
        Query(max_length=80, description="Only that one, by any of its names: confirm-award, AwardConfirmed."),
    ] = None,
) -> CommandList:
    """Which commands there are: who may give each, in which stages, and what it leads to."""
    rows = [row for row in list_commands() if kind in (None, row.kind)]
    if name is not None:
        names = {entry.command_type for entry in _find_by_any_name(name, kind)}
        rows = [row for row in rows if row.command in names]
    return CommandList(
        commands=[
            CommandAnswer(
                command=row.command,
                kind=row.kind,
                event=row.event,
                text=language.say(row.zh, row.event),
                roles=list(row.roles),
                stages=list(row.stages),
                rule=row.rule,
            )
            for row in rows
        ]
    )


def _find_by_any_name(name: str, kind: str | None) -> Iterable[type[Command]]:
    for one in AGGREGATES if kind is None else (kind,):
        with suppress(CommandUnknown, KeyError):
            yield resolve_command(name, one)


@router.post(
    "/v1/commands/{command}",
    response_model=None,
    status_code=HTTPStatus.CREATED,
    responses={
        201: {"model": ReceiptAnswer, "description": "It is carried out and recorded, now or when it was first asked."},
        200: {"model": TrialAnswer, "description": "With dry_run: what it would come to."},
        202: {"model": OperationAnswer, "description": "It is being carried out; Location says where to look."},
        **problem_responses(400, 401, 403, 404, 408, 409, 412, 413, 415, 422, 429, 503),
    },
    openapi_extra=describe_body(refer_to(CommandBody)),
)
@allow(Policy.COMMAND)
async def give_command(
    command: str,
    request: Request,
    house: ByHouse,
    caller: ByCaller,
    language: ByLanguage,
    idempotency_key: Annotated[str | None, Header(max_length=64)] = None,
    if_match: Annotated[str | None, Header(max_length=200)] = None,
    prefer: Annotated[str | None, Header(max_length=200)] = None,
    dry_run: Annotated[  # noqa: FBT002 - a query
        bool, Query(description="Say what it would come to, and record nothing.")
    ] = False,
) -> Response:
    """Have a command carried out. The key is the command's id: asked again with it, the answer is the recorded one."""
    if dry_run:
        body = await read_body(request, CommandBody)
        order = await read_order(find_public_command(command), body, house, caller)
        return answer_with(await _dry_run(order, body.at_hand, house, language), HTTPStatus.OK)
    order = await read_order(find_public_command(command), await _read_body(request), house, caller)
    command_id = read_key(idempotency_key)
    await _require_unchanged(house, order.stream, if_match)
    is_async = "respond-async" in (prefer or "")
    if is_async or command in GROUP_DECISIONS:
        operation = await describe(house.store, await _begin(order, house, caller, command_id), language)
        headers = {"Location": f"/v1/operations/{command_id}"}
        if is_async:
            headers["Preference-Applied"] = "respond-async"
        return answer_with(operation, HTTPStatus.ACCEPTED, headers)
    receipt, headers = await send(order, house, caller, command_id)
    headers["Location"] = f"/v1/outcomes/{command_id}"
    return answer_with(receipt, HTTPStatus.CREATED, headers)


async def send(
    order: CommandOrder, house: House, caller: Caller, command_id: UUID
) -> tuple[ReceiptAnswer, dict[str, str]]:
    """Have it carried out: the receipt, and the headers that go with it."""
    receipt = await house.door.send(
        order.stream,
        order.command,
        order.seat,
        command_id=command_id,
        at=order.at,
        person=order.person,
        session=caller.session,
    )
    headers = {"Venture-Position": str(receipt.position)}
    if receipt.repeated:
        headers["Idempotency-Replayed"] = "true"
    return await ReceiptAnswer.of(house.store, receipt), headers


@router.post(
    "/v1/why-not/{command}",
    response_model=TrialAnswer,
    responses=problem_responses(401, 403, 404, 408, 413, 415, 422, 429, 503),
    openapi_extra=describe_body(refer_to(CommandBody)),
)
@allow(Policy.COMMAND)
async def say_why_not(
    command: str, request: Request, house: ByHouse, caller: ByCaller, language: ByLanguage
) -> TrialAnswer:
    """Say whether a command would be carried out now, or every condition that is not met. Nothing is recorded."""
    body = await read_body(request, CommandBody)
    order = await read_order(find_public_command(command), body, house, caller, acts=False)
    return await _dry_run(order, body.at_hand, house, language)


@router.get(
    "/v1/outcomes/{command_id}",
    response_model=OutcomeAnswer,
    responses=problem_responses(401, 403, 404, 422, 429, 503),
)
@allow(Policy.READ)
async def get_outcome(command_id: UUID, house: ByHouse, caller: ByCaller, language: ByLanguage) -> OutcomeAnswer:
    """What came of a command, by its id, whenever it is asked; also while Temporal is away."""
    outcome = await find_outcome(house.store, command_id)
    if outcome is None or not await _may_see(house, caller, outcome):
        raise Refusal(
            HTTPStatus.NOT_FOUND,
            "not-found",
            "日誌中沒有此編號；可能尚未辦結，請稍後再查，或憑原編號查詢",
            "nothing is recorded under that id; it may not be done yet: look again, or ask again with the same id",
        )
    return OutcomeAnswer(
        command_id=outcome.command_id,
        stream=outcome.stream,
        command=outcome.command,
        seat=outcome.actor,
        ending="refused" if outcome.unmet else "accepted",
        version=outcome.version,
        position=outcome.position,
        events=outcome.events,
        unmet=[Unsatisfied(rule=one.rule, detail=language.say(one.zh, one.en)) for one in outcome.unmet],
        at=outcome.at,
        recorded_at=outcome.recorded_at,
        log=outcome.log,
    )


@dataclass(frozen=True)
class CommandOrder:
    """A command as it was read: by whom, about what, judged when."""

    command: Command
    stream: StreamId
    seat: Actor
    person: PersonId | None
    """None on a manual clock, where seats are bare."""
    at: datetime | None
    """None on the wall clock."""


async def _read_body(request: Request) -> CommandBody:
    """What is to be carried out. Raises InputInvalid where it counts on documents that nobody brings."""
    body = await read_body(request, CommandBody)
    if body.at_hand:
        fault = InputFault(("at_hand",), "只用於試算：辦理前須先送交文件", "for trials only: first bring the documents")
        raise InputInvalid([fault])
    return body


async def read_order(
    command_type: type[Command], body: CommandBody, house: House, caller: Caller, *, acts: bool = True
) -> CommandOrder:
    """That command, as the caller asks it. Raises whatever keeps it from being understood, or from being theirs.

    Who does not act but only asks about it may leave out the realm of a name that is a trial's.
    """
    seat = caller.choose_seat(command_type, body.seat, house.now())
    particulars = _read_particulars(command_type, body)
    stream = await _find_stream(house, command_type, body, acts=acts)
    if command_type not in AGGREGATES[stream.kind].commands:
        raise CommandOfAnotherKind(command_type, stream)
    return await address(particulars, stream, seat, body.at, house, caller)


async def address(
    command: Command, stream: StreamId, seat: Actor, at: datetime | None, house: House, caller: Caller
) -> CommandOrder:
    """That command on that seat of the caller's, with who asks and when it is judged by the realm's clock."""
    realm = await house.store.realm(stream.realm)
    if realm.clock is Clock.WALL:
        person = None if house.is_local else caller.person  # on one machine a seat's holder is taken to be there
        return CommandOrder(command, stream, seat, person, at)
    return CommandOrder(command, stream, seat, None, at or realm.now or house.now())


async def _dry_run(order: CommandOrder, at_hand: frozenset[str], house: House, language: Language) -> TrialAnswer:
    """What it would come to now, were the documents ``at_hand`` brought before."""
    step = await house.prepare_dry_run(at_hand).step(order.stream, order.command, order.seat, order.at, order.person)
    return TrialAnswer(
        stream=order.stream,
        would_be="refused" if step.unmet else "accepted",
        events=[] if step.unmet else [event.event_type for event in step.events],
        unmet=[Unsatisfied(rule=one.rule, detail=language.say(one.zh, one.en)) for one in step.unmet],
        amounts=[Amount.model_validate(one.as_json()) for one in list_amounts(order.command)],
    )


async def _begin(order: CommandOrder, house: House, caller: Caller, command_id: UUID) -> OperationProgress:
    """Have it carried out without waiting."""
    await house.operations.begin(
        caller.name,
        order.stream,
        order.command,
        order.seat,
        command_id,
        at=order.at,
        person=order.person,
        session=caller.session,
    )
    return await house.operations.look(caller.name, command_id)


async def _may_see(house: House, caller: Caller, outcome: CommandOutcome) -> bool:
    if outcome.actor in caller.seats:
        return True
    state = await load_state(house.store, outcome.stream)
    access = await find_access(house.store, caller.grants, state)
    return access is not None and access.is_whole and access.may_tell_who(command_class(outcome.command).records)


async def _find_stream(house: House, command_type: type[Command], body: CommandBody, *, acts: bool) -> StreamId:
    """The stream that is meant, or the new one that it begins.

    Raises NameUnknown, NameAmbiguous, NoSuchRealm, or RealmUnsaid where it acts.
    """
    find = find_to_act if acts else find_or_begin
    try:
        stream = (await find(house.store, body.subject, body.realm, begins=command_type.is_always_first())).stream
    except ValueError:
        raise NameUnknown(body.subject) from None
    if stream.kind not in AGGREGATES:
        raise NameUnknown(body.subject)
    return stream


def _read_particulars(command_type: type[Command], body: CommandBody) -> Command:
    """The command. Raises InputInvalid with every fault, each under /particulars."""
    _, part = split_subject(body.subject)
    try:
        return read_command(command_type, part, body.particulars, Notation(body.written))
    except InputInvalid as invalid:
        raise InputInvalid(
            [InputFault(("particulars", *fault.place), fault.zh, fault.en) for fault in invalid.faults]
        ) from invalid


async def _require_unchanged(house: House, stream: StreamId, if_match: str | None) -> None:
    """Raise Refusal if the file is no longer the one that the caller has seen."""
    if if_match is None or if_match.strip() == "*":
        return
    standing = await house.store.standing(stream)
    version = standing.version if standing else 0
    seen = {tag.strip().removeprefix("W/").strip('"').partition(".")[0] for tag in if_match.split(",")}
    if str(version) not in seen:
        raise Refusal(
            HTTPStatus.PRECONDITION_FAILED,
            "precondition",
            f"卷宗現為第 {version} 版，與所見不同，請重讀",
            f"the file is at version {version}, not the one that was seen: read it again",
        )


def read_key(key: str | None) -> UUID:
    """The command's id. Raises Refusal where there is none."""
    try:
        return UUID(key or "")
    except ValueError:
        raise Refusal(
            HTTPStatus.BAD_REQUEST,
            "invalid",
            "須帶 Idempotency-Key：一個 UUID（版本 4 或 7），即此命令的編號",
            "send an Idempotency-Key: a UUID of version 4 or 7, which is the command's id",
        ) from None
