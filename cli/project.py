"""``venture project``: which projects there are, and the whole file of one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from application.queries import Chapter, File, list_streams, load_file, resolve_name
from cli import rendering
from cli.adapter import Invocation, noun, verb
from cli.output import ArgumentInvalid, Column, Form, Printer
from deciding.fold import fold, read_occurrence
from domain.catalogue import stage_zh
from domain.kernel.canonical import plain
from domain.kernel.money import yuan
from domain.kernel.state import NONE
from domain.project.stage import Stage
from domain.registers.organisation import Organisation

if TYPE_CHECKING:
    from application.queries import StreamRow
    from domain.kernel.identity import StreamId
    from store.port import EventStore

app = noun("項目：從申報到歸檔", "projects, from application to archive")

Realm = Annotated[
    str | None, typer.Option("--realm", help="時鐘域 realm(情景各有其域；實時為 live)", show_default=False)
]
Name = Annotated[str, typer.Argument(help="PJ-3 或 AP-5，或全稱 project/live/AP-5", show_default=False)]


@app.command("list")
@verb
async def list_command(
    *,
    invocation: Invocation,
    realm: Realm = None,
    stage: Annotated[str | None, typer.Option("--stage", help="只列此階段 only this stage：ACTIVE、實施中")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000)] = 100,
) -> None:
    """列出項目：階段、等候誰、至何時 / projects: stage, who is awaited, until when.

    例 examples:
      venture project list
      venture project list --stage ACTIVE -o json
    """
    printer, only = invocation.printer, _read_stage(stage)
    async with invocation.open_runtime() as runtime:
        projects = await list_streams(runtime.store, "project", realm=realm, stage=only, limit=limit)
    rows = [_row(one, printer) for one in projects if one.stage != NONE]
    columns = (
        Column("project", "項目", "project"),
        Column("application", "申報", "application"),
        Column("title", "名稱", "title"),
        Column("stage_text", "階段", "stage"),
        Column("award_text", "立項金額", "award", right=True),
        Column("awaited", "等候", "awaited"),
        Column("realm", "時鐘域", "realm"),
    )
    printer.rows(
        rows, columns, ("還沒有項目。試試 venture scenario list", "no projects yet; try venture scenario list")
    )


def _read_stage(text: str | None) -> str | None:
    """The stage that is meant by ``ACTIVE``, ``active`` or ``實施中``. Raises ArgumentInvalid."""
    stage = next((s for s in Stage if text is not None and text.upper() in (s.value, s.zh)), None)
    if text is not None and stage is None:
        zh, en = (" ".join(names) for names in ([s.zh for s in Stage], list(Stage)))
        raise ArgumentInvalid(f"沒有階段 {text}；有：{zh}", f"there is no stage {text}; there are: {en}")
    return stage


def _row(one: StreamRow, printer: Printer) -> dict[str, Any]:
    row: dict[str, Any] = {
        "stream": one.stream,
        "application": one.stream.name,
        "realm": one.stream.realm,
        "stage": one.stage,
        "version": one.version,
        "due": one.due.isoformat() if one.due else None,
        **one.summary.as_json(),
    }
    if printer.for_people:
        row["stage_text"] = printer.say(stage_zh("project", one.stage), one.stage)
        row["award_text"] = yuan(row["award"]) if row.get("award") else ""
        row["awaited"] = "; ".join(f"{'/'.join(a.roles)} {printer.say(a.zh, a.en)}" for a in one.summary.awaiting[:2])
    return row


@app.command("show")
@verb
async def show_command(name: Name, *, invocation: Invocation, realm: Realm = None) -> None:
    """一個項目的全卷：現狀、等候、資金、經過 / a project's whole file: where it stands, money, the story so far.

    例 examples:
      venture project show PJ-3
      venture project show PJ-3 --lang en
      venture project show PJ-3 -o json
    """
    async with invocation.open_runtime() as runtime:
        file = await load_file(runtime.store, await resolve_name(runtime.store, name, realm))
        organisation, now = await _organisation(runtime.store, file), await now_in(runtime.store, file.stream)
    show(file, invocation.printer, now, organisation)


async def now_in(store: EventStore, stream: StreamId) -> datetime:
    """What the clock says where that stream lives: the realm's own, or the wall's."""
    return (await store.realm(stream.realm)).now or datetime.now(UTC)


async def _organisation(store: EventStore, file: File) -> str:
    """What the project's organisation is called; nothing if it was never verified."""
    number = file.summary.get("organisation")
    if not number:
        return ""
    stream = file.stream.sibling("organisation", str(number))
    return fold(stream, [e async for e in store.read(stream)]).part(Organisation).name


def show(file: File, printer: Printer, now: datetime, organisation: str = "") -> None:
    """The page of a file, or its data."""
    if printer.for_people:
        for part in rendering.page(file, printer, now, organisation=organisation):
            printer.show(part)
    else:
        printer.json(as_json(file))


def as_json(file: File) -> dict[str, Any]:
    """A file for machines."""
    due = file.due()
    return {
        "stream": file.stream,
        "version": file.state.version,
        "stage": file.state.stage,
        "since": file.state.since.isoformat() if file.state.since else None,
        **file.summary,
        "due": {
            "at": due.at.isoformat(),
            "provisional": due.provisional,
            "command": due.command.command_type,
            "key": due.key,
        }
        if due
        else None,
        "awaiting": [
            {
                "roles": list(a.roles),
                "command": a.command,
                "subject": a.subject,
                "zh": a.zh,
                "en": a.en,
                "until": a.until.isoformat() if a.until else None,
                "provisional": a.provisional,
            }
            for a in file.awaiting()
        ],
        "story": [_chapter(chapter) for chapter in file.story],
    }


def _chapter(chapter: Chapter) -> dict[str, Any]:
    event = chapter.occurrence.event
    return {
        "at": chapter.at.isoformat(),
        "position": chapter.position,
        "stream": chapter.stream,
        "event": event.event_type,
        "zh": event.zh,
        "actor": chapter.occurrence.actor,
        "data": plain(event),
    }


@app.command("watch")
@verb
async def watch_command(name: Name, *, invocation: Invocation, realm: Realm = None) -> None:
    """守望一個項目：發生一件，顯示一件（Ctrl-C 結束）/ watch a project: each event as it happens (Ctrl-C ends).

    例 example:  venture project watch PJ-3
    """
    async with invocation.open_runtime() as runtime:
        stream = await resolve_name(runtime.store, name, realm)
        shown = 0
        async for _ in runtime.store.pokes():
            shown = await _show_new(runtime.store, stream, shown, invocation.printer)


async def _show_new(store: EventStore, stream: StreamId, shown: int, printer: Printer) -> int:
    """Tell what has happened since; the version reached."""
    async for entry in store.read(stream, shown):
        occurrence = read_occurrence(entry)
        if printer.for_people:
            event = occurrence.event
            what = printer.say(event.zh, event.event_type)
            particulars = rendering.particulars(event, printer)
            line = f"{rendering.local_time(occurrence.at)}  {what}  {occurrence.actor}  {particulars}"
            printer.line(line)
        else:
            chapter = Chapter(occurrence.at, entry.position, stream, occurrence)
            Printer(Form.JSONL, printer.lang).json(_chapter(chapter))
        shown = entry.version
    return shown
