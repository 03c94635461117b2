"""A command while it is being filled in: about what, by whom, under which id, and what was typed so far."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid4

from fastapi import Request

from application.access import may_know, may_see
from application.caller import NEEDS_PROOF, Caller, ProofStale
from application.command_input import read_command
from application.document_content import name_type
from application.possible_commands import list_possible_commands
from application.queries import NameUnknown
from deciding.fold import load_state, read_occurrence
from domain.approval.request import Binding, find_open
from domain.catalogue import AGGREGATES, command_class
from domain.kernel.explanation import InputFault, InputInvalid
from domain.kernel.field_shape import Kind, Notation, field_shapes
from domain.kernel.identifier import Actor, Role, StreamId
from domain.kernel.input import parse_instant, shape_at
from domain.kernel.message import Command
from domain.kernel.proposal import ConfirmAct, Proposals
from domain.kernel.state import NONE, State
from domain.project.opening import ConfirmOpening, Openings
from store.documents import CHUNK
from web.asker import Asker, find_asker
from web.components.words import format_moment, name_command
from web.console.command.form import ACCOUNT, Tree, find_doubled, list_hidden
from web.console.paths import command_path
from web.console.reader import read_seat
from web.guard import language_of
from web.house import House
from web.problems import Refusal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from starlette.datastructures import FormData, UploadFile

    from deciding.decision import Step
    from domain.kernel.message import Occurrence
    from web.language import Language


@dataclass(frozen=True)
class Filling:
    """A command while it is being filled in."""

    request: Request
    house: House
    caller: Caller
    command: type[Command]
    stream: StreamId
    state: State
    """As it stands; version 0 for one that this would begin."""
    seat: Actor
    asker: Asker
    command_id: UUID
    is_seen: bool
    """Whether the reader may see the file, so that its name may be shown."""
    tree: Tree = field(default_factory=dict)
    at_text: str = ""
    """In a realm on a manual clock, the business time as it was typed."""
    draft_id: UUID | None = None
    """Of the draft that it was begun with."""

    @property
    def language(self) -> Language:
        """In which the reader is answered."""
        return language_of(self.request)

    @property
    def path(self) -> str:
        """The path of the form."""
        return command_path(self.command.command_type, self.stream)

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """What sends all of it again."""
        own = [("id", str(self.command_id)), ("seat", self.seat)]
        at = [("at", self.at_text)] if self.asker.at is not None else []
        draft = [("draft", str(self.draft_id))] if self.draft_id is not None else []
        return [*own, *draft, *at, *list_hidden(self.command, self.tree)]


def find_offered(name: str) -> type[Command]:
    """The command of that name, unless only the clock gives it. Raises NameUnknown."""
    try:
        command = command_class(name)
    except KeyError:
        raise NameUnknown(name[:80]) from None
    if command.by == (Role.SYS,):
        raise NameUnknown(name)
    return command


async def keep_document(house: House, caller: Caller, upload: UploadFile) -> Tree:
    """Take the document in; what a command then says of it. Raises DocumentRefused, or DocumentsUnavailable."""
    name = name_file(upload)

    async def parts() -> AsyncIterator[bytes]:
        while part := await upload.read(CHUNK):
            yield part

    document = await house.documents.take(parts(), name_type(name), caller)
    return {"sha256": document.sha256, "media_type": document.media_type, "name": name}


def name_file(upload: UploadFile) -> str:
    """What the document is called where it came from, without the way there."""
    return (upload.filename or "").replace("\\", "/").rpartition("/")[2]


def prefill(command: type[Command], state: State, part: str) -> Tree:
    """What is known already: the part that it is about, and of a confirmation what it is bound to."""
    tree: Tree = command.about(part, {})
    if command is ConfirmAct:
        number = int(part) if part.isascii() and part.isdigit() and len(part) < len("1000000") else 0
        waiting = state.part(Proposals).of
        number = number or next((n for n, one in waiting.items() if one.status == "OPEN"), 0)
        if number in waiting:
            return {"proposal": str(number), "digest": waiting[number].digest}
    if command is ConfirmOpening and (entry := state.part(Openings).proposed) is not None:
        return {"digest": entry.digest}
    if issubclass(command, Binding) and (request := find_open(state)) is not None:
        return {"digest": request.content}
    return tree


async def begin(
    request: Request, house: House, caller: Caller, command: str, stream: StreamId, form: FormData | None = None
) -> Filling:
    """What is being filled in. Raises NameUnknown for what is not there, or none of the reader's business."""
    command_type = find_offered(command)
    if command_type not in AGGREGATES[stream.kind].commands:
        raise NameUnknown(stream)
    chosen = form.get("seat") if form is not None else None
    seat = _choose_seat(request, caller, command_type, chosen if isinstance(chosen, str) else None)
    state = await load_state(house.store, stream)
    asker = await find_asker(house, caller, stream.realm)
    is_new = state.version == 0
    is_seen = not is_new and await may_know(house.store, caller.grants, state)
    if is_new and NONE not in command_type.during:
        raise NameUnknown(stream)
    if not is_new and not await may_see(house.store, caller.grants, state):
        scope = caller.scope_of(seat)
        possible = await list_possible_commands(
            house.store, state, seat, asker.person, asker.at, scope=scope, only=command_type
        )
        if not any(one.is_open for one in possible):
            raise NameUnknown(stream)
    given_id = form.get("id") if form is not None else None
    at_text = str(form.get("at", "")) if form is not None else ""
    return Filling(
        request,
        house,
        caller,
        command_type,
        stream,
        state,
        seat,
        asker,
        _read_id(given_id if isinstance(given_id, str) else None),
        is_seen,
        at_text=at_text or (format_moment(asker.at) if asker.at is not None else ""),
        draft_id=read_draft_id(form.get("draft")) if form is not None else None,
    )


def _choose_seat(request: Request, caller: Caller, command: type[Command], chosen: str | None) -> Actor:
    """The seat that gives it: on the form, the one that the reader is on, or else theirs that may. Raises Refusal."""
    fitting = [seat for seat in caller.seats if seat.role in command.by]
    with suppress(ValueError):
        if chosen is not None and Actor(chosen) in fitting:
            return Actor(chosen)
    current = read_seat(request, caller)
    if current in fitting and current is not None:
        return current
    if fitting:
        return fitting[0]
    zh, en = (
        "、".join(one.zh for one in command.by),
        " or ".join(one.en for one in command.by),
    )
    mine = current.role if current is not None else None
    raise Refusal(
        HTTPStatus.FORBIDDEN,
        "forbidden",
        f"「{command.zh()}」由{zh}辦理，您當前的身份是{mine.zh if mine else '—'}",
        f"{name_command(command.command_type)[1]} is for the {en}; you act as {mine.en if mine else '—'}",
    )


def _read_id(text: str | None) -> UUID:
    """The id on the form, or a fresh one. Raises Refusal for what is none."""
    if text is None:
        return uuid4()
    try:
        return UUID(text)
    except ValueError:
        raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", "表單編號有誤", "the form's id is wrong") from None


def read_draft_id(text: object) -> UUID | None:
    """The id of a draft; None for what is none."""
    with suppress(ValueError):
        return UUID(str(text)[:36])
    return None


def is_proof_needed(filling: Filling) -> bool:
    """Whether whoever gives it must have shown who they are within minutes, and has not."""
    if filling.command.command_type not in NEEDS_PROOF:
        return False
    try:
        filling.caller.choose_seat(filling.command, filling.seat, filling.house.now())
    except ProofStale:
        return True
    return False


def read_filled(filling: Filling) -> tuple[Command, datetime | None]:
    """The command and its business time. Raises InputInvalid with every fault."""
    faults = find_doubled(filling.tree)
    if isinstance(filling.tree.get(ACCOUNT), dict):
        zh, en = (
            "三項都要填寫，賬號只含數字；賬號請重新填寫",
            "fill in all three, the number in digits, and type it again",
        )
        faults.append(InputFault((ACCOUNT,), zh, en))
    at = filling.asker.at
    if at is not None and filling.at_text != format_moment(at):
        try:
            at = parse_instant(filling.at_text)
        except ValueError:
            faults.append(InputFault(("at",), "時間寫作 2026-12-09 17:00", "write the time as 2026-12-09 17:00"))
    if at is not None and at > filling.house.now():
        faults.append(InputFault(("at",), "補錄的時間不可晚於現在", "what is entered later cannot lie in the future"))
    shapes = field_shapes(filling.command).values()
    blank: Tree = {one.name: [] for one in shapes if one.required and one.shape.kind is Kind.LIST}
    try:  # a list that must be said may be an empty one, if its model lets it
        command = read_command(filling.command, "", blank | filling.tree, Notation.TYPED)
    except InputInvalid as invalid:
        places = {fault.place[:2] for fault in faults}  # of what is told already nothing else
        questions = [_ask_for(fault, filling) for fault in invalid.faults if fault.place[:2] not in places]
        raise InputInvalid([*faults, *questions]) from invalid
    if faults:
        raise InputInvalid(faults)
    return command, at


_NO_DOCUMENT: Final = ("請附文件", "attach the document")


def _ask_for(fault: InputFault, filling: Filling) -> InputFault:
    """Of a field that must be there and was left blank, that it is to be filled in; any other fault as it is.

    A document that a row lacks is asked for as well: what else could be sent for it is no business of a page.
    """
    shape = shape_at(filling.command, fault.place)
    if shape is not None and shape.kind is Kind.DOCUMENT:
        return replace(fault, zh=_NO_DOCUMENT[0], en=_NO_DOCUMENT[1])
    field = field_shapes(filling.command).get(str(fault.place[0])) if len(fault.place) == 1 else None
    if field is None or not field.required or field.name in filling.tree:
        return fault
    is_documents = field.shape.item is not None and field.shape.item.kind is Kind.DOCUMENT
    zh, en = _NO_DOCUMENT if is_documents else ("此項必填", "this is required")
    return replace(fault, zh=zh, en=en)


async def send(filling: Filling, command: Command, at: datetime | None) -> None:
    """Have it carried out, under the id on the form. Raises CommandRejected, NotKnown, as ``choose_seat`` does."""
    house, caller = filling.house, filling.caller
    seat = caller.choose_seat(filling.command, filling.seat, house.now())
    await house.door.send(
        filling.stream,
        command,
        seat,
        command_id=filling.command_id,
        at=at,
        person=filling.asker.person,
        session=caller.session,
    )


async def dry_run(filling: Filling, command: Command, at: datetime | None) -> Step:
    """What it would come to now. Nothing is recorded."""
    return await filling.house.prepare_dry_run().step(filling.stream, command, filling.seat, at, filling.asker.person)


async def find_last(filling: Filling) -> Occurrence | None:
    """What happened last there, if it may be seen: who comes second is told who was first."""
    entries = [entry async for entry in filling.house.store.read(filling.stream)] if filling.is_seen else []
    return read_occurrence(entries[-1]) if entries else None
