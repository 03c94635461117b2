"""``venture do`` gives a command; ``why-not`` says what is missing for it; ``commands`` lists them all."""

from __future__ import annotations

import shlex
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from application.command_input import (
    AttachedFiles,
    CommandUnknown,
    is_first_command,
    list_amounts,
    read_command,
    resolve_command,
)
from application.proposals import is_proposal
from cli.adapter import Invocation, verb
from cli.document import bring
from cli.help import Typer
from cli.name_resolution import resolve_or_begin, resolve_to_act
from cli.options import Realm, read_actor
from cli.output import ArgumentInvalid, Column, Printer
from domain.catalogue import AGGREGATES, command_class, event_class, list_commands, split_subject, stage_zh
from domain.kernel.example import write_example
from domain.kernel.explanation import show
from domain.kernel.field_shape import Kind, Notation, field_shapes
from domain.kernel.identifier import LIVE, Actor, StreamId
from domain.kernel.input import OPENING_HOUR, at_hour, parse_moment
from domain.kernel.money import yuan
from domain.kernel.refusal import CommandRejected
from runtime.persons import prepare_dry_run

if TYPE_CHECKING:
    from collections.abc import Iterable

    from application.door import Receipt
    from domain.catalogue import CommandRow
    from domain.kernel.field_shape import FieldShape
    from domain.kernel.message import Command
    from store.port import EventStore

Name = Annotated[
    str,
    typer.Argument(
        metavar="COMMAND", help="confirm-award、ConfirmAward、AwardConfirmed 或 立項審批", show_default=False
    ),
]
Subject = Annotated[str, typer.Argument(help="PJ-3、PJ-3/T1、AP-5、R-FZ-2023 …", show_default=False)]
Given = Annotated[
    list[str] | None,
    typer.Argument(
        help="key=value …；金額以元計 amounts in yuan：50000、50,000.00、5萬；文件 documents：@路徑 @path",
        show_default=False,
    ),
]
As = Annotated[str, typer.Option("--as", help="經辦人 who asks: ROLE#n，如 CAB-REG#1", show_default=False)]
At = Annotated[
    str | None,
    typer.Option(
        "--at",
        help="業務時間（只用於手動時鐘）business time, manual clocks only: 2023-05-22（09:00）、2023-05-22T14:30",
        show_default=False,
    ),
]


app = Typer()


@app.command("do")
@verb
async def do_command(
    name: Name,
    subject: Subject,
    actor: As,
    given: Given = None,
    *,
    invocation: Invocation,
    realm: Realm = None,
    at: At = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只試算，不記錄 / decide only, record nothing")] = False,
    command_id: Annotated[
        UUID | None, typer.Option("--id", help="命令編號；同號再問不會重辦 / asking again with the same id is safe")
    ] = None,
) -> None:
    """辦理一項命令 / carry one command out.

    例 examples:
      venture do confirm-award PJ-3 --as CAB-DEC#1
      venture do request-disbursement PJ-3/T1 --as CAB-REG#1 amount=35000
      venture do start-project PJ-3 --as SO-PM#1 end=2023-11-30 --dry-run
    """
    order = _Order(name, subject, actor, given or [], realm, at, acts=True)
    if dry_run:
        await _dry_run(order, invocation)
        return
    printer, moment = invocation.printer, read_business_time(at)
    async with invocation.open_runtime(working=True) as runtime:
        stream = await order.resolve(runtime.store, printer)
        files = AttachedFiles(Path())
        command, who = order.read(stream, files)
        await bring(files, invocation.settings, runtime.store)
        if stream.realm != LIVE and moment is None:
            moment = await manual_now(runtime.store, stream)
        receipt = await runtime.door.send(stream, command, who, command_id=command_id, at=moment)
    answer = partial(printer.answer, receipt_as_json(receipt) | {"amounts": _amounts(command)})
    if is_proposal(receipt):
        answer(
            f"✓ 已提出，須另一人確認：見 venture act show {subject}",
            f"✓ Proposed. Another person must confirm it: venture act show {subject}",
        )
        return
    again = printer.say("（此前已辦理，結果同上）", " (done before; the same answer)") if receipt.repeated else ""
    events = _event_words(receipt.events, printer) + _amount_words(command, printer)
    answer(
        f"✓ 已辦理：{events}  {receipt.stream} v{receipt.version}{again}",
        f"✓ Carried out: {events}  {receipt.stream} v{receipt.version}{again}",
    )


@app.command("why-not")
@verb
async def why_not_command(
    name: Name,
    subject: Subject,
    actor: Annotated[
        str | None,
        typer.Option("--as", help="經辦人；不填則取有權者 who asks: ROLE#n; else a role that may", show_default=False),
    ] = None,
    given: Given = None,
    *,
    invocation: Invocation,
    realm: Realm = None,
    at: At = None,
) -> None:
    """為什麼不能辦理：列出尚未滿足的每一項條件 / why not: every condition that is not met, and what would meet it.

    例 example:  venture why-not request-disbursement PJ-3/T2 amount=15000
    """
    await _dry_run(_Order(name, subject, actor, given or [], realm, at), invocation)


@dataclass(frozen=True)
class _Order:
    """A command as it was typed."""

    name: str
    subject: str
    actor: str | None
    given: list[str]
    realm: str | None
    at: str | None
    acts: bool = False
    """Whether it is given, or tried as it would be given, and not only asked about."""

    async def resolve(self, store: EventStore, printer: Printer) -> StreamId:
        """The stream that it is about. Raises as ``resolve_or_begin``, and RealmUnsaid where it acts."""
        if not self.acts:
            return await resolve_or_begin(store, self.subject, self.realm, printer)
        begins = is_first_command(self.name, self.subject)
        return await resolve_to_act(store, self.subject, self.realm, printer, begins=begins)

    def read(self, stream: StreamId, files: AttachedFiles) -> tuple[Command, Actor]:
        """The command to that stream, and whose it is: without a name, of a role that may give it."""
        command = _read_command(self.name, stream, self.subject, self.given, files)
        return command, read_actor(self.actor or f"{command.by[0]}#1")


async def _dry_run(order: _Order, invocation: Invocation) -> None:
    """Say what the command would lead to now. Raises CommandRejected."""
    printer, moment = invocation.printer, read_business_time(order.at)
    async with invocation.open_store() as store:
        stream = await order.resolve(store, printer)
        files = AttachedFiles(Path())
        command, who = order.read(stream, files)
        step = await prepare_dry_run(invocation.settings, store, files.read).step(stream, command, who, moment)
    if step.unmet:
        raise CommandRejected(step.unmet)
    names = [event.event_type for event in step.events]
    if not printer.is_for_people:
        printer.json({"stream": stream, "dry_run": True, "events": names, "amounts": _amounts(command)})
        return
    events = _event_words(names, printer) + _amount_words(command, printer)
    printer.tell(
        f"✓ 可以辦理，將記錄：{events}（僅試算，未記錄）",
        f"✓ It would be carried out: {events} (nothing recorded)",
        "green",
    )


def _event_words(names: Iterable[str], printer: Printer) -> str:
    return printer.say("、", ", ").join(printer.say(f"{event_class(n).zh}（{n}）", n) for n in names)


def _amounts(command: Command) -> list[dict[str, object]]:
    """The money that was asked for, told back as it was understood."""
    return [amount.as_json() for amount in list_amounts(command)]


def _amount_words(command: Command, printer: Printer) -> str:
    return "".join(f"  {printer.say(a.zh, a.en)} {yuan(a.fen)}" for a in list_amounts(command))


def _read_command(name: str, stream: StreamId, subject: str, pairs: list[str], files: AttachedFiles) -> Command:
    """The command with its particulars. Raises CommandUnknown, or InputInvalid with everything that is wrong."""
    command_type = resolve_command(name, stream.kind)
    _, part = split_subject(subject)
    return read_command(command_type, part, read_particulars(pairs), Notation.TYPED, attach=files)


def read_particulars(pairs: list[str]) -> dict[str, str]:
    """``key=value`` pairs, every value as it was typed."""
    particulars: dict[str, str] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key:
            raise ArgumentInvalid(f"{show(pair)}：寫作 key=value", f"{show(pair)}: write key=value")
        if key in particulars:
            raise ArgumentInvalid(f"{show(key)} 給了兩次", f"{show(key)} is given twice")
        particulars[key] = text
    return particulars


def read_business_time(at: str | None) -> datetime | None:
    """The business time that was given, UTC; of a day, when the office opens. Raises ArgumentInvalid."""
    if at is None:
        return None
    try:
        return at_hour(parse_moment(at), OPENING_HOUR).astimezone(UTC)
    except ValueError as invalid:
        zh = f"--at {show(at)}：寫作 2023-05-22 或 2023-05-22T09:00"
        en = f"--at {show(at)}: write 2023-05-22 or 2023-05-22T09:00"
        raise ArgumentInvalid(zh, en) from invalid


async def manual_now(store: EventStore, stream: StreamId) -> datetime | None:
    """Where a manual realm's clock stands: a command without a time of its own is given then."""
    return (await store.realm(stream.realm)).now


def receipt_as_json(receipt: Receipt) -> dict[str, Any]:
    """As JSON: ``repeated`` says that the same id was answered before."""
    return {
        "id": str(receipt.command_id),
        "stream": receipt.stream,
        "version": receipt.version,
        "position": receipt.position,
        "events": list(receipt.events),
        "repeated": receipt.repeated,
    }


@app.command("commands")
@verb
async def commands_command(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[KIND|COMMAND]", help="project、round … 或 confirm-award", show_default=False),
    ] = None,
    *,
    invocation: Invocation,
) -> None:
    """有哪些命令：誰可辦、何階段可辦 / which commands there are: who may give them, in which stages.

    寫出命令則列其每一項：名稱、形式、必填與否 / of one command, every field: words, form, whether it is required.

    例 examples:
      venture commands project
      venture commands confirm-award
      venture commands project -o json
    """
    printer = invocation.printer
    if name is None or name in AGGREGATES:
        _show_commands(name, printer)
    else:
        _show_fields(_find_command(name), printer)


def _show_commands(kind: str | None, printer: Printer) -> None:
    rows = [_command_row(row, printer) for row in list_commands() if kind in (None, row.kind)]
    columns = (
        Column("kind", "類別", "kind"),
        Column("command", "命令", "command"),
        Column("zh", "術語", "term"),
        Column("by", "經辦", "by"),
        Column("during", "階段", "stages"),
    )
    printer.rows(rows, columns, ("沒有命令", "no commands"))


def _command_row(row: CommandRow, printer: Printer) -> dict[str, Any]:
    say = printer.say if printer.is_for_people else lambda _zh, en: en
    return {
        "kind": row.kind,
        "command": row.command,
        "event": row.event,
        "zh": row.zh,
        "by": ", ".join(row.roles),
        "during": say("、".join(stage_zh(row.kind, s) for s in row.stages), ", ".join(row.stages)),
    }


def _find_command(name: str) -> CommandRow:
    """The command of that name, of whatever kind of stream. Raises ArgumentInvalid."""
    for kind in AGGREGATES:
        with suppress(CommandUnknown):
            command = resolve_command(name, kind).command_type
            return next(row for row in list_commands() if (row.kind, row.command) == (kind, command))
    kinds = " ".join(AGGREGATES)
    raise ArgumentInvalid(
        f"沒有類別或命令 {show(name)}；類別有：{kinds}", f"there is no kind or command {show(name)}; kinds: {kinds}"
    )


def _show_fields(row: CommandRow, printer: Printer) -> None:
    """Every field of a command: for people a table and a line to begin with."""
    command_type = command_class(row.command)
    fields = [_field_row(one, command_type) for one in field_shapes(command_type).values()]
    needed = (f"{f['name']}={f['example']}" for f in fields if f["required"] and not f["in_subject"])
    part = "".join(f"/{f['example']}" for f in fields if f["in_subject"])
    words = (
        "venture",
        "do",
        row.command,
        _SUBJECTS.get(row.kind, row.kind) + part,
        "--as",
        f"{row.roles[0]}#1",
        *needed,
    )
    example = " ".join(map(shlex.quote, words))
    if not printer.is_for_people:
        printer.json({**_command_row(row, printer), "fields": fields, "example": example})
        return
    heading = _command_row(row, printer)
    printer.line(printer.say(f"{row.zh}（{row.command}）", row.command), "bold")
    printer.line(
        printer.say(f"經辦 {heading['by']}；階段 {heading['during']}", f"by {heading['by']}; in {heading['during']}")
    )
    rows = [
        {
            "name": field["name"],
            "words": printer.say(field["zh"], field["en"]),
            "required": printer.say("在對象中", "in the subject")
            if field["in_subject"]
            else printer.say("必填", "required")
            if field["required"]
            else "",
            "form": printer.say(field["form_zh"], field["form_en"]) + _describe_default(field, printer),
        }
        for field in fields
    ]
    columns = (
        Column("name", "項", "field"),
        Column("words", "名稱", "words"),
        Column("required", "", ""),
        Column("form", "形式", "form"),
    )
    printer.rows(rows, columns, ("不需任何項", "it takes no fields"))
    printer.line(printer.say(f"例 {example}", f"example: {example}"))


def _describe_default(field: dict[str, Any], printer: Printer) -> str:
    """What holds where the field is left out, with the number of days that each city's rules say."""
    if field["default"] is True:
        return printer.say("；默認 是", "; yes by default")
    if field["default"]:
        return printer.say(f"；默認 {field['default']}", f"; default {field['default']}")
    if not field["otherwise_en"]:
        return ""
    cities = printer.say("、", ", ").join(f"{name} {value}" for name, value in field["by_scheme"].items())
    zh, en = field["otherwise_zh"], field["otherwise_en"]
    parameter = field["parameter"]
    return printer.say(
        f"；不填為{zh}" + (f"（{parameter}：{cities}）" if parameter else ""),
        f"; if left out, {en}" + (f" ({parameter}: {cities})" if parameter else ""),
    )


def _read_parameter(parameter: str) -> dict[str, object]:
    """What the rules that come with the product say of it, by city."""
    if not parameter:
        return {}
    from schemes.scheme_file import list_shipped, load_shipped

    section, _, name = parameter.partition(".")
    return {city: getattr(getattr(load_shipped(city), section), name) for city in list_shipped()}


_SUBJECTS = {
    "project": "PJ-3",
    "need": "ND-1",
    "round": "R-FZ-2027",
    "panel": "RP-1",
    "organisation": "ORG-1",
    "base": "BASE-1",
    "fund": "FS-1",
    "scheme": "fuzhou",
    "calendar": "cn",
    "realm": "realm",
    "door": "DK-1",
    "person": "P-1",
    "seat": "CAB-REG#1",
    "office": "office",
    "maintenance": "maintenance",
}


def _field_row(field: FieldShape, command_type: type[Command]) -> dict[str, Any]:
    form_zh, form_en = field.shape.texts(Notation.TYPED)
    return {
        "name": field.name,
        "zh": field.zh,
        "en": field.en,
        "required": field.required,
        "default": _write_default(field.default),
        "kind": field.shape.kind,
        "unit": "yuan" if field.shape.kind is Kind.MONEY else None,
        "form_zh": form_zh,
        "form_en": form_en,
        "example": write_example(field),
        "otherwise_zh": field.otherwise.zh if field.otherwise else None,
        "otherwise_en": field.otherwise.en if field.otherwise else None,
        "parameter": field.otherwise.parameter if field.otherwise else "",
        "by_scheme": _read_parameter(field.otherwise.parameter if field.otherwise else ""),
        "in_subject": field.name == command_type.subject_field,
    }


def _write_default(default: object) -> str | int | bool | None:
    """A default as somebody would type it; None where there is none worth saying."""
    if default in (None, "", (), [], {}, frozenset()):
        return None
    return default if isinstance(default, str | int | bool) else str(default)
