"""``venture do`` gives a command; ``why-not`` says what is missing for it; ``commands`` lists them all."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer
from pydantic import ValidationError

from application.dry_run import DryRun
from application.queries import NameUnknown, resolve_or_begin
from cli.adapter import Invocation, verb
from cli.help import Typer
from cli.options import Realm
from cli.output import ArgumentInvalid, Column, Printer
from domain.catalogue import AGGREGATES, event_class, find_command, list_commands, split_subject, stage_zh
from domain.kernel.calendar import SHANGHAI
from domain.kernel.identity import LIVE, Actor, StreamId
from domain.kernel.refusal import CommandRejected
from schemes.document import explain_error, parse_value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from application.door import Receipt
    from domain.kernel.message import Command
    from store.port import EventStore

Name = Annotated[
    str,
    typer.Argument(
        metavar="COMMAND", help="confirm-award、ConfirmAward、AwardConfirmed 或 立項批復", show_default=False
    ),
]
Subject = Annotated[str, typer.Argument(help="PJ-3、PJ-3/T1、AP-5、R-FZ-2023 …", show_default=False)]
Given = Annotated[
    list[str] | None, typer.Argument(help="key=value …；值可為 JSON / values may be JSON", show_default=False)
]
As = Annotated[str, typer.Option("--as", help="經辦人 who asks: ROLE#n，如 CAB-REG#1", show_default=False)]
At = Annotated[
    str | None,
    typer.Option(
        "--at", help="業務時間（只用於手動時鐘）business time, manual realms only: 2023-05-22T09:00", show_default=False
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
      venture do request-disbursement PJ-3/T1 --as CAB-REG#1 amount=3500000
      venture do start-project PJ-3 --as SO-PM#1 end=2023-11-30 --dry-run
    """
    order = _Order(name, subject, actor, given or [], realm, at)
    if dry_run:
        await _rehearse(order, invocation)
        return
    printer, moment = invocation.printer, _read_moment(at)
    async with invocation.open_runtime(working=True) as runtime:
        stream = await _find_stream(runtime.store, subject, realm)
        command, who = order.read(stream)
        if stream.realm != LIVE and moment is None:
            moment = await _manual_now(runtime.store, stream)
        receipt = await runtime.door.send(stream, command, who, command_id=command_id, at=moment)
    if not printer.for_people:
        printer.json(receipt_as_json(receipt))
        return
    again = printer.say("(此前已辦，原樣作答)", " (carried out before; the same answer)") if receipt.repeated else ""
    events = _event_words(receipt.events, printer)
    printer.tell(
        f"✓ 已辦理：{events}  {receipt.stream} v{receipt.version}{again}",
        f"✓ Carried out: {events}  {receipt.stream} v{receipt.version}{again}",
        "green",
    )


@app.command("why-not")
@verb
async def why_not_command(
    name: Name,
    subject: Subject,
    actor: Annotated[str | None, typer.Option("--as", help="經辦人 ROLE#n；不填則取有權者", show_default=False)] = None,
    given: Given = None,
    *,
    invocation: Invocation,
    realm: Realm = None,
    at: At = None,
) -> None:
    """為何辦不了：列出尚缺的每一項 / why not: every condition that is not met, and what would meet it.

    例 example:  venture why-not request-disbursement PJ-3/T2 amount=1500000
    """
    await _rehearse(_Order(name, subject, actor, given or [], realm, at), invocation)


@dataclass(frozen=True)
class _Order:
    """A command as it was typed."""

    name: str
    subject: str
    actor: str | None
    given: list[str]
    realm: str | None
    at: str | None

    def read(self, stream: StreamId) -> tuple[Command, Actor]:
        """The command to that stream, and whose it is: without a name, of a role that may give it."""
        command = _read_command(self.name, stream, self.subject, self.given)
        return command, read_actor(self.actor or f"{command.by[0]}#1")


async def _rehearse(order: _Order, invocation: Invocation) -> None:
    """Say what the command would lead to now. Raises CommandRejected."""
    printer, moment = invocation.printer, _read_moment(order.at)
    async with invocation.open_store() as store:
        stream = await _find_stream(store, order.subject, order.realm)
        step = await DryRun(store).step(stream, *order.read(stream), moment)
    if step.unmet:
        raise CommandRejected(step.unmet)
    names = [event.event_type for event in step.events]
    if not printer.for_people:
        printer.json({"stream": stream, "dry_run": True, "events": names})
        return
    events = _event_words(names, printer)
    printer.tell(
        f"✓ 可以辦理，將記錄：{events}（僅試算，未記錄）",
        f"✓ It would be carried out: {events} (nothing recorded)",
        "green",
    )


def _event_words(names: Iterable[str], printer: Printer) -> str:
    return printer.say("、", ", ").join(printer.say(f"{event_class(n).zh}（{n}）", n) for n in names)


async def _find_stream(store: EventStore, subject: str, realm: str | None) -> StreamId:
    """The stream that is meant; a new one if none bears the name yet."""
    try:
        return await resolve_or_begin(store, subject, realm)
    except NameUnknown as unknown:
        raise ArgumentInvalid(
            f"不認識對象 {_abridge(subject)}；以 PJ- AP- ND- R- RP- ORG- BASE- FS- 開頭",
            f"unknown subject {_abridge(subject)}; it begins with PJ- AP- ND- R- RP- ORG- BASE- FS-",
        ) from unknown


def _read_command(name: str, stream: StreamId, subject: str, given: list[str]) -> Command:
    """The command with its particulars. Raises ArgumentInvalid or DocumentInvalid with everything that is wrong."""
    try:
        command_type = find_command(name, stream.kind)
    except KeyError:
        near = _suggest(name, stream.kind)
        raise ArgumentInvalid(
            f"{AGGREGATES[stream.kind].zh}沒有命令 {_abridge(name)}。{near}全部見 venture commands {stream.kind}",
            f"{stream.kind} has no command {_abridge(name)}. {near}All: venture commands {stream.kind}",
        ) from None
    _, part = split_subject(subject)
    particulars = command_type.about(part, _read_particulars(given))
    try:
        return command_type.model_validate(particulars)
    except ValidationError as wrong:
        pairs = [(".".join(map(str, e["loc"])), explain_error(e)) for e in wrong.errors(include_url=False)]
        zh = "\n".join(f"  ✗ {where}:{texts[0]}" for where, texts in pairs)
        en = "\n".join(f"  ✗ {where}: {texts[1]}" for where, texts in pairs)
        raise ArgumentInvalid(
            f"「{command_type.zh()}」的內容有誤：\n{zh}",
            f"{command_type.command_type} cannot be read:\n{en}",
        ) from None


def _suggest(name: str, kind: str) -> str:
    """Commands that may have been meant."""
    rows = [row for row in list_commands() if row.kind == kind]
    names = {word: row.command for row in rows for word in (row.command, row.event, row.zh)}
    squeezed = {word.lower(): command for word, command in names.items()}
    near = get_close_matches(name.replace("-", "").lower(), squeezed, n=3, cutoff=0.5)
    return f"{' '.join(dict.fromkeys(squeezed[word] for word in near))}? " if near else ""


def _abridge(text: str) -> str:
    """What somebody wrote, short enough to be shown back."""
    return text if len(text) <= _LONGEST_ECHO else f"{text[:_LONGEST_ECHO]}…"


_LONGEST_ECHO = 60


def _read_particulars(given: list[str]) -> dict[str, Any]:
    """``key=value`` pairs; a value is read as YAML, so numbers, lists and mappings may be given."""
    particulars: dict[str, Any] = {}
    for pair in given:
        key, equals, text = pair.partition("=")
        if not equals or not key:
            raise ArgumentInvalid(f"{_abridge(pair)!r}：寫作 key=value", f"{_abridge(pair)!r}: write key=value")
        if key in particulars:
            raise ArgumentInvalid(f"{key} 給了兩次", f"{key} is given twice")
        particulars[key] = parse_value(text)
    return particulars


def read_actor(text: str) -> Actor:
    """Who is meant. Raises ArgumentInvalid."""
    try:
        return Actor(text)
    except ValueError as wrong:
        raise ArgumentInvalid(str(wrong), str(wrong)) from wrong


def _read_moment(at: str | None) -> datetime | None:
    if at is None:
        return None
    try:
        moment = datetime.fromisoformat(at)
    except ValueError as wrong:
        raise ArgumentInvalid(f"--at {at}:寫作 2023-05-22T09:00", f"--at {at}: write 2023-05-22T09:00") from wrong
    return (moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)).astimezone(UTC)


async def _manual_now(store: EventStore, stream: StreamId) -> datetime | None:
    """Where a manual realm's clock stands: a command without a time of its own is given then."""
    return (await store.realm(stream.realm)).now


def receipt_as_json(receipt: Receipt) -> dict[str, Any]:
    """For a machine."""
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
    kind: Annotated[str | None, typer.Argument(help="project、round、need …", show_default=False)] = None,
    *,
    invocation: Invocation,
) -> None:
    """有哪些命令：誰可辦、何階段可辦 / which commands there are: who may give them, in which stages.

    例 examples:
      venture commands project
      venture commands project -o json
    """
    printer = invocation.printer
    if kind is not None and kind not in AGGREGATES:
        kinds = " ".join(AGGREGATES)
        raise ArgumentInvalid(f"沒有類別 {kind}；有：{kinds}", f"there is no kind {kind}; there are: {kinds}")
    say = printer.say if printer.for_people else lambda _zh, en: en
    rows = [
        {
            "kind": row.kind,
            "command": row.command,
            "event": row.event,
            "zh": row.zh,
            "by": ", ".join(row.roles),
            "during": say("、".join(stage_zh(row.kind, s) for s in row.stages), ", ".join(row.stages)),
        }
        for row in list_commands()
        if kind in (None, row.kind)
    ]
    columns = (
        Column("kind", "類別", "kind"),
        Column("command", "命令", "command"),
        Column("zh", "術語", "term"),
        Column("by", "經辦", "by"),
        Column("during", "階段", "stages"),
    )
    printer.rows(json.loads(json.dumps(rows)), columns, ("沒有命令", "no commands"))
