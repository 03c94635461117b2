"""An event, a deadline and a whole file in words that people read."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from application.event_text import describe_glued
from cli.cell import TextCell, make_visible
from cli.times import deadline_time
from domain.catalogue import stage_words
from domain.kernel.calendar import local_day, local_time
from domain.kernel.identifier import UNNAMED
from domain.kernel.money import yuan
from domain.kernel.restriction import WITHHELD
from domain.project.opening import Openings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from application.course import Chapter
    from application.queries import File
    from cli.output import Printer
    from domain.kernel.message import Awaited, Occurrence
    from domain.kernel.state import State


def stage(state: State, printer: Printer) -> str:
    """A stage in the reader's language."""
    zh, en = stage_words(state.stream.kind, state.stage)
    return printer.say(f"{zh}（{state.stage}）", f"{en} ({state.stage})")


def awaited(one: Awaited, printer: Printer, now: datetime) -> str:
    """Who is awaited, for what and until when."""
    roles = printer.say("、", " / ").join(f"{printer.say(r.zh, r.en)}（{r}）" for r in one.roles)
    text = f"{roles}{printer.say('：', ': ')}{printer.say(one.zh, one.en)}"
    if one.subject:
        text += f" [{one.subject}]"
    if one.until is not None:
        until = deadline_time(one.until, printer, provisional=one.provisional)
        text += printer.say(f"，至 {until} 止", f", until {until}")
        if one.until < now:
            text += printer.say("（已逾期）", " (overdue)")
    return text


def page(
    file: File, printer: Printer, now: datetime, *, organisation: str = "", with_recorded: bool = False
) -> Iterable[Any]:
    """A project's page: where it stands, who is awaited until when, money, and the story so far.

    ``with_recorded`` shows beside when a thing was so when it was recorded.
    """
    summary = file.summary
    head = Table.grid(padding=(0, 2))
    head.add_column(style="bold")
    head.add_column()
    for zh, en, value in _facts(file, summary, printer, now, organisation):
        head.add_row(printer.say(zh, en), make_visible(value))
    names = " · ".join(str(summary[k]) for k in ("project", "application") if summary.get(k)) or file.stream.name
    yield Panel(
        head,
        title=Text(make_visible(f"{names}  {summary.get('title') or ''}".rstrip())),
        title_align="left",
        expand=False,
    )
    yield _story(file.story, printer, with_recorded=with_recorded)


def _facts(
    file: File, summary: dict[str, Any], printer: Printer, now: datetime, organisation: str
) -> Iterable[tuple[str, str, str]]:
    yield "階段", "stage", stage(file.state, printer)
    if summary.get("opened_on"):
        source = file.state.part(Openings).source
        name = f"{source.name}（{source.sha256[:8]}）" if source else ""
        yield (
            "期初登記",
            "taken over",
            printer.say(
                f"{summary['opened_on']} 依{name}接手，此前的辦理經過不在本系統",
                f"{summary['opened_on']} from {name}; what came before is not in this system",
            ),
        )
    if summary.get("organisation"):
        yield "實施單位", "organisation", f"{organisation} {summary['organisation']}".strip()
    for one in file.awaiting() or ():
        yield "等候", "awaited", awaited(one, printer, now)
    absent = sum(not one.is_here for one in file.documents)
    if absent:
        zh, en = (
            f"{len(file.documents)} 份附件，其中 {absent} 份原件不在此處",
            f"{len(file.documents)}, {absent} not here",
        )
        yield "原件", "documents", printer.say(zh, en)
    due = file.due()
    if due is not None:
        zh, en = due.command.zh(), due.command.en()
        at = deadline_time(due.at, printer, provisional=due.provisional)
        yield (
            "期限",
            "deadline",
            printer.say(f"{at} 到期自動辦理：{zh}", f"{at}, then by itself: {en}"),
        )
    for zh, en, key in (
        ("資助金額", "award", "award"),
        ("已撥付", "paid", "paid"),
        ("淨撥付額", "net paid (after returns)", "net"),
    ):
        if isinstance(summary.get(key), int) and not isinstance(summary.get(key), bool):
            yield zh, en, yuan(summary[key])
    for tranche in summary.get("tranches") or ():
        status = printer.say(tranche.get("status_zh", tranche["status"]), tranche["status"])
        yield f"  撥款 {tranche['tranche']}", f"  tranche {tranche['tranche']}", f"{yuan(tranche['planned'])}  {status}"
    yield "卷宗", "file", f"{file.stream}  v{file.state.version}"


def who_acted(occurrence: Occurrence, printer: Printer) -> str:
    """The seat, the persons who count as having acted, and whether it was another's seat: that is never left out."""
    if occurrence.actor == UNNAMED:
        return printer.say(*WITHHELD)
    persons = "、".join(sorted(occurrence.persons))
    known = f"（{persons}）" if persons else ""
    basis = occurrence.basis
    mark = printer.say(f" ⚠{basis.zh}", f" ⚠{basis.en}") if basis is not None else ""
    return f"{make_visible(occurrence.actor)}{known}{mark}"


def format_time(chapter: Chapter, instant: datetime) -> str:
    """A time of that chapter, as far as its reader is told."""
    return local_day(instant).isoformat() if chapter.by_day else local_time(instant)


def _story(story: Iterable[Chapter], printer: Printer, *, with_recorded: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
    for zh, en in (("時間", "when"), ("事件", "what"), ("經辦", "by"), ("對象", "of"), ("內容", "particulars")):
        table.add_column(printer.say(zh, en), no_wrap=zh in ("時間", "經辦", "對象"))
        if with_recorded and zh == "時間":
            table.add_column(printer.say("記錄時間", "recorded"), no_wrap=True)
    for chapter in story:
        event = chapter.occurrence.event
        table.add_row(
            format_time(chapter, chapter.at),
            *([format_time(chapter, chapter.recorded_at)] if with_recorded else []),
            printer.say(event.zh, event.en),
            who_acted(chapter.occurrence, printer),
            make_visible(chapter.stream.name),
            TextCell(describe_glued(event, printer.say)),
        )
    return table
