"""How an event, a deadline and a whole file are told to people."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import BaseModel
from rich.panel import Panel
from rich.table import Table

from cli.terms import label
from domain.kernel.calendar import SHANGHAI
from domain.kernel.identity import Attachment
from domain.kernel.money import yuan

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic.fields import FieldInfo

    from api.reading import Chapter, File
    from cli.speaking import Voice
    from domain.kernel.message import Awaited, Event
    from domain.kernel.state import State


def local(at: datetime) -> str:
    """An instant as a clock in China shows it."""
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


def particulars(event: Event, voice: Voice) -> str:
    """What an event says, in a line."""
    told = []
    for name, field in type(event).model_fields.items():
        value = getattr(event, name)
        if value is None or value in ("", (), [], {}) or value == field.default:
            continue
        told.append(_labelled(name, value, field, voice))
    return ";".join(told) if voice.lang == "zh" else "; ".join(told)


def _labelled(name: str, value: object, field: FieldInfo, voice: Voice) -> str:
    return f"{label(name, voice.lang)} {_value(value, voice, money=_is_money(field.annotation, field.metadata))}"


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


def _value(value: Any, voice: Voice, *, money: bool) -> str:  # noqa: ANN401 - any particular
    match value:
        case bool():
            return voice.say("是" if value else "否", "yes" if value else "no")
        case int() if money:
            return yuan(value)
        case Enum():
            return str(getattr(value, "zh", value.value)) if voice.lang == "zh" else str(value.value)
        case int() | str() | Decimal():
            return str(value)
        case datetime():
            return local(value)
        case date():
            return value.isoformat()
        case dict():
            return ", ".join(f"{k} {_value(v, voice, money=money)}" for k, v in value.items())
        case tuple() | list() | frozenset() | set():
            if len(value) > 6:  # noqa: PLR2004 - a line holds no more
                return voice.say(f"{len(value)} 項", f"{len(value)} items")
            return ", ".join(_value(v, voice, money=money) for v in value)
        case Attachment():
            return f"{value.name}({value.sha256[:8]}…)"
        case BaseModel():
            inner = (
                _labelled(name, getattr(value, name), f, voice)
                for name, f in type(value).model_fields.items()
                if getattr(value, name) is not None and not isinstance(getattr(value, name), BaseModel)
            )
            return " ".join(list(inner)[:6])
        case _:
            return str(value)


def stage(state: State, voice: Voice) -> str:
    """A stage in the reader's language."""
    return stage_name(state.stream.kind, state.stage, voice)


def stage_name(kind: str, name: str, voice: Voice) -> str:
    """That stage of that kind of stream in the reader's language."""
    from domain.catalogue import stage_zh  # noqa: PLC0415 - the catalogue loads every room

    return f"{stage_zh(kind, name)}({name})" if voice.lang == "zh" else name


def awaited(one: Awaited, voice: Voice, now: datetime) -> str:
    """Who is awaited, for what and until when."""
    roles = "、".join(r.zh for r in one.roles) if voice.lang == "zh" else " / ".join(one.roles)
    text = f"{roles}({'/'.join(one.roles)}) {one.zh}" if voice.lang == "zh" else f"{roles}: {one.en}"
    if one.subject:
        text += f" [{one.subject}]"
    if one.until is not None:
        text += voice.say(f",至 {local(one.until)} 止", f", until {local(one.until)}")
        if one.until < now:
            text += voice.say(" 【已逾期】", " (OVERDUE)")
    return text


def page(file: File, voice: Voice, now: datetime, *, title: str = "") -> Iterable[Any]:
    """A project's page: where it stands, who is awaited until when, money, and the story so far."""
    summary = file.summary
    head = Table.grid(padding=(0, 2))
    head.add_column(style="bold")
    head.add_column()
    for zh, en, value in _facts(file, summary, voice, now):
        head.add_row(voice.say(zh, en), value)
    names = " · ".join(str(summary[k]) for k in ("project", "application") if summary.get(k)) or file.stream.name
    yield Panel(head, title=f"{names}  {summary.get('title') or title}", title_align="left", expand=False)
    yield _story(file.story, voice)


def _facts(file: File, summary: dict[str, Any], voice: Voice, now: datetime) -> Iterable[tuple[str, str, str]]:
    yield "階段", "stage", stage(file.state, voice)
    if summary.get("organisation"):
        yield "承接組織", "organisation", str(summary["organisation"])
    for one in file.awaiting() or ():
        yield "等候", "awaited", awaited(one, voice, now)
    due = file.due()
    if due is not None:
        zh, en = due.command.zh(), due.command.command_type
        yield "期限", "deadline", voice.say(f"{local(due.at)} 屆時自動:{zh}", f"{local(due.at)}, then by itself: {en}")
    for zh, en, key in (
        ("立項金額", "award", "award"),
        ("已撥付", "paid", "paid"),
        ("淨額", "net of returns", "net"),
    ):
        if isinstance(summary.get(key), int) and not isinstance(summary.get(key), bool):
            yield zh, en, yuan(summary[key])
    for tranche in summary.get("tranches") or ():
        status = tranche.get("status_zh", tranche["status"]) if voice.lang == "zh" else tranche["status"]
        yield f"  撥款 {tranche['tranche']}", f"  tranche {tranche['tranche']}", f"{yuan(tranche['planned'])}  {status}"
    yield "檔案", "file", f"{file.stream}  v{file.state.version}"


def _story(story: Iterable[Chapter], voice: Voice) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
    for zh, en in (("時間", "when"), ("事件", "what"), ("經辦", "by"), ("對象", "of"), ("內容", "particulars")):
        table.add_column(voice.say(zh, en), no_wrap=zh in ("時間", "經辦", "對象"))
    for chapter in story:
        event = chapter.occurrence.event
        table.add_row(
            local(chapter.at),
            voice.say(event.zh, event.event_type),
            chapter.occurrence.actor,
            chapter.stream.name,
            particulars(event, voice),
        )
    return table
