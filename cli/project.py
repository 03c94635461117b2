"""``venture project show`` and ``watch``: the whole file of a project, as it is and as it grows."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from application.access import access_of, show_to
from application.event_text import describe_event
from application.folded_stream import Chapter
from application.outputs import read_outputs
from application.queries import File, load_file, now_in, read_organisation_name
from cli import rendering
from cli.adapter import Invocation, verb
from cli.help import Typer
from cli.name_resolution import resolve
from cli.options import Name, Reader, Realm, read_actor
from cli.output import Column, Form, Printer
from cli.sheet import Xlsx, write_collection
from deciding.fold import read_occurrence
from domain.kernel.canonical import plain
from domain.kernel.money import yuan
from domain.kernel.restriction import name_as_written

if TYPE_CHECKING:
    from application.access import Access
    from domain.kernel.identifier import StreamId
    from store.port import EventStore

app = Typer()


@app.command("show")
@verb
async def show_command(
    name: Name,
    *,
    invocation: Invocation,
    realm: Realm = None,
    recorded: Annotated[
        bool, typer.Option("--recorded", help="並列記錄時間 show too when each event was recorded")
    ] = False,
    xlsx: Xlsx = None,
    seat: Reader = None,
) -> None:
    """一個項目的全卷：現狀、等候、資金、經過 / a project's whole file: where it stands, money, the story so far.

    例 examples:
      venture project show PJ-3
      venture project show PJ-3 --lang en
      venture project show PJ-3 --recorded
      venture project show PJ-3 -o json --as CAB-FIN#1
      venture project show PJ-3 --xlsx story.xlsx
    """
    async with invocation.open_store() as store:
        whole = await load_file(store, await resolve(store, name, realm, invocation.printer))
        file = show_to(whole, read_actor(seat) if seat else None)
        organisation, now = await _organisation(store, file), await now_in(store, file.stream)
    if xlsx is not None:
        from papers.lists import STORY, list_story

        write_collection(xlsx, STORY, list_story(file, invocation.printer.say), invocation.printer, stream=file.stream)
        return
    show(file, invocation.printer, now, organisation, with_recorded=recorded)


@app.command("outputs")
@verb
async def outputs_command(name: Name, *, invocation: Invocation, realm: Realm = None) -> None:
    """一個項目的產出與指標，由記錄得出 / a project's outputs and indicators, derived from its records.

    例 examples:
      venture project outputs PJ-3
      venture project outputs PJ-3 -o json
    """
    printer = invocation.printer
    async with invocation.open_store() as store:
        sheet = read_outputs(await load_file(store, await resolve(store, name, realm, invocation.printer)))
    if not printer.is_for_people:
        printer.json(sheet.as_json())
        return
    rows = [
        {"what": printer.say(output.zh, output.en), "reached": str(count), "target": ""}
        for output, count in sheet.outputs.items()
    ]
    rows += [
        {"what": f"{one.title}（{one.output.zh}）", "reached": str(one.reached), "target": str(one.target)}
        for one in sheet.indicators
    ]
    note = printer.say("（不完全統計）", " (incomplete statistics)") if sheet.is_match_incomplete else ""
    matching = printer.say("社會配套資金", "matching funds") + note
    rows.append({"what": matching, "reached": yuan(sheet.match), "target": ""})
    columns = (
        Column("what", "項", "item"),
        Column("reached", "記錄所得", "from records", right=True),
        Column("target", "目標", "target", right=True),
    )
    printer.rows(rows, columns, ("沒有記錄", "no records"))


async def _organisation(store: EventStore, file: File) -> str:
    """What the project's organisation is called; nothing if it was never verified."""
    number = file.summary.get("organisation")
    if not number:
        return ""
    return await read_organisation_name(store, file.stream, str(number))


def show(file: File, printer: Printer, now: datetime, organisation: str = "", *, with_recorded: bool = False) -> None:
    """The page of a file, or its data."""
    if printer.is_for_people:
        for part in rendering.page(file, printer, now, organisation=organisation, with_recorded=with_recorded):
            printer.show(part)
    else:
        printer.json(as_json(file))


def as_json(file: File) -> dict[str, Any]:
    """The file as JSON: instants in UTC by ISO 8601; ``due`` is null without a deadline."""
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
        "documents": [
            {"stream": one.stream, **one.attachment.model_dump(), "is_here": one.is_here} for one in file.documents
        ],
    }


def _chapter(chapter: Chapter) -> dict[str, Any]:
    event = chapter.occurrence.event
    return {
        "at": chapter.at.isoformat(),
        "recorded_at": chapter.recorded_at.isoformat(),
        "position": chapter.position,
        "stream": chapter.stream,
        "event": event.event_type,
        "zh": event.zh,
        "actor": chapter.occurrence.actor,
        **({"persons": sorted(chapter.occurrence.persons)} if chapter.occurrence.persons else {}),
        **({"basis": chapter.occurrence.basis} if chapter.occurrence.basis else {}),
        "data": plain(event),
        **({"withheld": sorted(name_as_written(event, chapter.withheld))} if chapter.withheld else {}),
    }


@app.command("watch")
@verb
async def watch_command(name: Name, *, invocation: Invocation, realm: Realm = None, seat: Reader = None) -> None:
    """實時查看項目進展（Ctrl-C 結束）/ watch a project: each event as it happens (Ctrl-C ends).

    例 example:  venture project watch PJ-3
    """
    async with invocation.open_store() as store:
        stream = await resolve(store, name, realm, invocation.printer)
        version, access = 0, access_of(read_actor(seat) if seat else None)
        async for _ in store.pokes():
            version = await _show_new(store, stream, version, invocation.printer, access)


async def _show_new(store: EventStore, stream: StreamId, version: int, printer: Printer, access: Access) -> int:
    """Tell what has happened since; the version reached."""
    async for entry in store.read(stream, version):
        occurrence = read_occurrence(entry)
        chapter = access.show(Chapter(occurrence.at, entry.position, stream, occurrence, entry.recorded_at))
        if printer.is_for_people:
            event = chapter.occurrence.event
            what = printer.say(event.zh, event.en)
            particulars = describe_event(event, printer.say)
            who = rendering.who_acted(chapter.occurrence, printer)
            line = f"{rendering.format_time(chapter, chapter.at)}  {what}  {who}  {particulars}"
            printer.line(line)
        else:
            Printer(Form.JSONL, printer.lang).json(_chapter(chapter))
        version = entry.version
    return version
