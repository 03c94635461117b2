"""``venture project``: which projects there are, and the whole file of one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from application.queries import Chapter, File, list_streams, load_file, resolve_name
from cli import rendering
from cli.adapter import noun, read_settings, run_work
from cli.output import ArgumentInvalid, Column, Form, Language, Output, Printer, paper
from deciding.fold import fold, read_occurrence
from domain.catalogue import stage_zh
from domain.kernel.canonical import plain
from domain.kernel.money import yuan
from domain.kernel.state import NONE
from domain.project.stage import Stage
from domain.registers.organisation import Organisation
from runtime.runtime import open_runtime
from store.port import Clock

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
def list_command(
    output: Output = Form.TABLE,
    lang: Language = None,
    realm: Realm = None,
    stage: Annotated[str | None, typer.Option("--stage", help="只列此階段 only this stage：ACTIVE、實施中")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000)] = 100,
) -> None:
    """列出項目：階段、等候誰、至何時 / projects: stage, who is awaited, until when.

    例 examples:
      venture project list
      venture project list --stage ACTIVE -o json
    """
    voice = Printer.of(output, lang)
    settings = read_settings()

    async def work() -> list[StreamRow]:
        wanted = _stage(stage)
        async with open_runtime(settings, voice.tell, working=False) as office:
            return await list_streams(office.store, "project", realm=realm, stage=wanted, limit=limit)

    rows = [_line(one, voice) for one in run_work(voice, work()) if one.stage != NONE]
    columns = (
        Column("project", "項目", "project"),
        Column("application", "申報", "application"),
        Column("title", "名稱", "title"),
        Column("stage_text", "階段", "stage"),
        Column("award_text", "立項金額", "award", right=True),
        Column("awaited", "等候", "awaited"),
        Column("realm", "時鐘域", "realm"),
    )
    voice.rows(rows, columns, ("還沒有項目。試試 venture scenario list", "no projects yet; try venture scenario list"))


def _stage(text: str | None) -> str | None:
    """The stage that is meant by ``ACTIVE``, ``active`` or ``實施中``. Raises ArgumentInvalid."""
    found = next((s for s in Stage if text is not None and text.upper() in (s.value, s.zh)), None)
    if text is not None and found is None:
        zh, en = (" ".join(names) for names in ([s.zh for s in Stage], list(Stage)))
        raise ArgumentInvalid(f"沒有階段 {text}；有：{zh}", f"there is no stage {text}; there are: {en}")
    return found


def _line(one: StreamRow, voice: Printer) -> dict[str, Any]:
    row: dict[str, Any] = {
        "stream": one.stream,
        "application": one.stream.name,
        "realm": one.stream.realm,
        "stage": one.stage,
        "version": one.version,
        "due": one.due.isoformat() if one.due else None,
        **one.summary.as_json(),
    }
    if voice.for_people:
        row["stage_text"] = voice.say(stage_zh("project", one.stage), one.stage)
        row["award_text"] = yuan(row["award"]) if row.get("award") else ""
        row["awaited"] = "; ".join(f"{'/'.join(a.roles)} {voice.say(a.zh, a.en)}" for a in one.summary.awaiting[:2])
    return row


@app.command("show")
def show_command(name: Name, output: Output = Form.TABLE, lang: Language = None, realm: Realm = None) -> None:
    """一個項目的全卷：現狀、等候、資金、經過 / a project's whole file: where it stands, money, the story so far.

    例 examples:
      venture project show PJ-3
      venture project show PJ-3 --lang en
      venture project show PJ-3 -o json
    """
    voice = Printer.of(output, lang)
    settings = read_settings()

    async def work() -> tuple[File, str, datetime]:
        async with open_runtime(settings, voice.tell, working=False) as office:
            file = await load_file(office.store, await resolve_name(office.store, name, realm))
            return file, await _organisation(office.store, file), await now_in(office.store, file.stream)

    file, organisation, now = run_work(voice, work())
    show(file, voice, now, organisation)


async def now_in(store: EventStore, stream: StreamId) -> datetime:
    """What the clock says where that stream lives: the realm's own, or the wall's."""
    loaded = await store.load(stream, None)
    return loaded.now if loaded.clock is Clock.MANUAL and loaded.now else datetime.now(UTC)


async def _organisation(store: EventStore, file: File) -> str:
    """What the project's organisation is called; nothing if it was never verified."""
    number = file.summary.get("organisation")
    if not number:
        return ""
    stream = file.stream.sibling("organisation", str(number))
    return fold(stream, [e async for e in store.read(stream)]).part(Organisation).name


def show(file: File, voice: Printer, now: datetime, organisation: str = "") -> None:
    """The page of a file, or its data."""
    if voice.for_people:
        for part in rendering.page(file, voice, now, organisation=organisation):
            paper().print(part)
    else:
        voice.json(as_json(file))


def as_json(file: File) -> dict[str, Any]:
    """A file for machines."""
    due = file.due()
    return {
        "stream": file.stream,
        "version": file.state.version,
        "stage": file.state.stage,
        "since": file.state.since.isoformat() if file.state.since else None,
        **file.summary,
        "due": {"at": due.at.isoformat(), "command": due.command.command_type, "key": due.key} if due else None,
        "awaiting": [
            {
                "roles": list(a.roles),
                "command": a.command,
                "subject": a.subject,
                "zh": a.zh,
                "en": a.en,
                "until": a.until.isoformat() if a.until else None,
            }
            for a in file.awaiting()
        ],
        "story": [_told(chapter) for chapter in file.story],
    }


def _told(chapter: Chapter) -> dict[str, Any]:
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
def watch_command(name: Name, output: Output = Form.TABLE, lang: Language = None, realm: Realm = None) -> None:
    """守望一個項目：發生一件，顯示一件（Ctrl-C 結束）/ watch a project: each event as it happens (Ctrl-C ends).

    例 example:  venture project watch PJ-3
    """
    voice = Printer.of(output, lang)
    settings = read_settings()

    async def work() -> None:
        async with open_runtime(settings, voice.tell, working=False) as office:
            stream = await resolve_name(office.store, name, realm)
            seen = 0
            async for _ in office.store.poked():
                seen = await _show_new(office.store, stream, seen, voice)

    run_work(voice, work())


async def _show_new(store: EventStore, stream: StreamId, seen: int, voice: Printer) -> int:
    """Tell what has happened since; the version reached."""
    async for entry in store.read(stream, seen):
        of = read_occurrence(entry)
        told = _told(Chapter(of.at, entry.position, stream, of))
        if voice.for_people:
            what = voice.say(of.event.zh, of.event.event_type)
            line = f"{rendering.local(of.at)}  {what}  {of.actor}  {rendering.particulars(of.event, voice)}"
            paper().print(line, markup=False)
        else:
            Printer(Form.JSONL, voice.lang).json(told)
        seen = entry.version
    return seen
