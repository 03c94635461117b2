"""An event, a deadline and a whole file in words that people read."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import BaseModel
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from cli.cell import GLUE, Cell, make_visible
from domain.catalogue import stage_zh, value_words
from domain.kernel.calendar import SHANGHAI
from domain.kernel.identity import Attachment
from domain.kernel.money import yuan
from domain.kernel.scheme import Scheme
from domain.kernel.state import SchemeRef
from domain.kernel.words import Words, label

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic.fields import FieldInfo

    from application.queries import Chapter, File
    from cli.output import Printer
    from domain.kernel.message import Awaited, Event, Occurrence
    from domain.kernel.state import State


def local_time(at: datetime) -> str:
    """An instant as a clock in China shows it."""
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


def deadline_time(at: datetime, printer: Printer, *, provisional: bool) -> str:
    """A date of the future; one that counts days of an unpublished year says that a notice may still move it."""
    return local_time(at) + (printer.say("（暫定）", " (provisional)") if provisional else "")


def particulars(event: Event, printer: Printer) -> str:
    """What an event says, in a line: no bookkeeping of our own, and nothing that only says no."""
    return _particulars(event, printer).replace(GLUE, " ")


def _particulars(event: Event, printer: Printer) -> str:
    """The same with labels glued to their values."""
    parts = [
        _label_value(getattr(event, name), field, printer)
        for name, field in type(event).model_fields.items()
        if name not in _OURS and not _says_nothing(name, getattr(event, name), field)
    ]
    return printer.say("；", "; ").join(parts)


_OURS = frozenset({"places", "freed_places", "bound", "preview", "need_version", "bars", "charge", "undecided"})
"""Particulars that rules and guards need and no reader does."""
_EITHER_WAY = frozenset({"passed", "annual_report_filed", "own_accounts"})
"""Particulars of which a no is news as well."""


def _says_nothing(name: str, value: object, field: FieldInfo) -> bool:
    if isinstance(value, bool):
        return value == field.default or not (value or name in _EITHER_WAY)
    return value is None or value in (0, "", (), [], {}) or value == field.default


def _label_value(value: object, field: FieldInfo, printer: Printer) -> str:
    words = printer.say(*label(field))
    return f"{words}{GLUE}{_value(value, printer, money=_is_money(field.annotation, field.metadata))}"


def _is_money(annotation: Any, metadata: Iterable[Any]) -> bool:  # noqa: ANN401 - any annotation
    """Whether a field holds fen: its validator is the money's, on itself or on the values of its mapping."""
    if any(getattr(getattr(m, "func", None), "__module__", "") == "domain.kernel.money" for m in metadata):
        return True
    if get_origin(annotation) is dict:
        value = get_args(annotation)[1]
        return _is_money(value, getattr(value, "__metadata__", ()))
    return any(
        _is_money(inner, getattr(inner, "__metadata__", ()))
        for inner in get_args(annotation)
        if inner is not type(None)
    )


def _value(value: Any, printer: Printer, *, money: bool, inner: bool = False) -> str:  # noqa: ANN401 - any particular
    match value:
        case bool():
            return printer.say("是" if value else "否", "yes" if value else "no")
        case int() if money:
            return yuan(value)
        case Words():
            return printer.say(value.zh, value.en)
        case str():
            return _word(value, printer)
        case int() | Decimal():
            return str(value)
        case datetime():
            return local_time(value)
        case date():
            return value.isoformat()
        case dict():
            pairs = (
                f"{_value(k, printer, money=False)} {_value(v, printer, money=money, inner=True)}"
                for k, v in value.items()
            )
            return _join(list(pairs), printer, inner=inner)
        case tuple() | list() | frozenset() | set():
            several = sorted(value) if isinstance(value, frozenset | set) else value
            return _join([_value(v, printer, money=money, inner=True) for v in several], printer, inner=inner)
        case Attachment():
            return f"《{value.name}》" if printer.lang == "zh" else value.name
        case Scheme():
            return f"{value.title}（{value.ref}）"
        case SchemeRef():
            return str(value)
        case BaseModel():
            return " ".join(
                _label_value(getattr(value, name), f, printer)
                for name, f in type(value).model_fields.items()
                if not isinstance(getattr(value, name), BaseModel) and not _says_nothing(name, getattr(value, name), f)
            )
        case _:
            return str(value)


_DIGEST = re.compile(r"[0-9a-f]{64}")
_MOST = 8
"""A line holds no more entries than this."""


def _word(text: str, printer: Printer) -> str:
    """A text, a budget line or a gate in the reader's language; of a digest its beginning."""
    if _DIGEST.fullmatch(text):
        return f"{text[:8]}…"
    return printer.say(*value_words(text))


def _join(parts: list[str], printer: Printer, *, inner: bool) -> str:
    if len(parts) > _MOST:
        return printer.say(f"{len(parts)} 項", f"{len(parts)} items")
    return ("/" if inner else printer.say("、", ", ")).join(parts)


def stage(state: State, printer: Printer) -> str:
    """A stage in the reader's language."""
    return printer.say(f"{stage_zh(state.stream.kind, state.stage)}（{state.stage}）", state.stage)


def awaited(one: Awaited, printer: Printer, now: datetime) -> str:
    """Who is awaited, for what and until when."""
    roles = "、".join(r.zh for r in one.roles) if printer.lang == "zh" else " / ".join(one.roles)
    text = f"{roles}（{'/'.join(one.roles)}） {one.zh}" if printer.lang == "zh" else f"{roles}: {one.en}"
    if one.subject:
        text += f" [{one.subject}]"
    if one.until is not None:
        until = deadline_time(one.until, printer, provisional=one.provisional)
        text += printer.say(f"，至 {until} 止", f", until {until}")
        if one.until < now:
            text += printer.say(" 【已逾期】", " (OVERDUE)")
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
    if summary.get("organisation"):
        yield "承接組織", "organisation", f"{organisation} {summary['organisation']}".strip()
    for one in file.awaiting() or ():
        yield "等候", "awaited", awaited(one, printer, now)
    due = file.due()
    if due is not None:
        zh, en = due.command.zh(), due.command.command_type
        at = deadline_time(due.at, printer, provisional=due.provisional)
        yield (
            "期限",
            "deadline",
            printer.say(f"{at} 屆時自動：{zh}", f"{at}, then by itself: {en}"),
        )
    for zh, en, key in (
        ("立項金額", "award", "award"),
        ("已撥付", "paid", "paid"),
        ("淨額", "net of returns", "net"),
    ):
        if isinstance(summary.get(key), int) and not isinstance(summary.get(key), bool):
            yield zh, en, yuan(summary[key])
    for tranche in summary.get("tranches") or ():
        status = tranche.get("status_zh", tranche["status"]) if printer.lang == "zh" else tranche["status"]
        yield f"  撥款 {tranche['tranche']}", f"  tranche {tranche['tranche']}", f"{yuan(tranche['planned'])}  {status}"
    yield "檔案", "file", f"{file.stream}  v{file.state.version}"


def who_acted(occurrence: Occurrence, printer: Printer) -> str:
    """The seat, the persons who count as having acted, and whether it was another's seat: that is never left out."""
    persons = "、".join(sorted(occurrence.persons))
    known = f"（{persons}）" if persons else ""
    basis = occurrence.basis
    mark = printer.say(f" ⚠{basis.zh}", f" ⚠{basis.en}") if basis is not None else ""
    return f"{make_visible(occurrence.actor)}{known}{mark}"


def _story(story: Iterable[Chapter], printer: Printer, *, with_recorded: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
    for zh, en in (("時間", "when"), ("事件", "what"), ("經辦", "by"), ("對象", "of"), ("內容", "particulars")):
        table.add_column(printer.say(zh, en), no_wrap=zh in ("時間", "經辦", "對象"))
        if with_recorded and zh == "時間":
            table.add_column(printer.say("記錄時間", "recorded"), no_wrap=True)
    for chapter in story:
        event = chapter.occurrence.event
        table.add_row(
            local_time(chapter.at),
            *([local_time(chapter.recorded_at)] if with_recorded else []),
            printer.say(event.zh, event.event_type),
            who_acted(chapter.occurrence, printer),
            make_visible(chapter.stream.name),
            Cell(_particulars(event, printer)),
        )
    return table
