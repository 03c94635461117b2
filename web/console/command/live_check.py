"""``/do/…/reckoning``: what a form tells while it is typed into, and keeps nothing of.

Amounts in capitals, sums of tables, what day a date is and when working days end, and which conditions would not be
met. Without scripts a form says as much when it is checked.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from fastapi import APIRouter, Request
from pydantic import BaseModel

from deciding.reader import Reader
from domain.kernel.calendar import local_day
from domain.kernel.explanation import InputInvalid
from domain.kernel.input import parse_amount, parse_day
from web.components.words import format_money, spell
from web.console.command.filling import begin, dry_run, is_proof_needed, read_filled
from web.console.command.form import show_fields
from web.console.command.meeting import fill_preview
from web.console.command.prefill import fill_in
from web.console.command.seal import is_sealed
from web.console.file.page import read_stream
from web.console.route import PageRoute, read_form
from web.guard import ByCaller, ByHouse, Policy, allow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from starlette.datastructures import FormData, UploadFile

    from domain.kernel.calendar import Calendar
    from web.console.command.filling import Filling
    from web.console.command.form import Tree
    from web.language import Language

router = APIRouter(route_class=PageRoute)

MOST_NOTES: Final = 1_000
"""Fields of one form that are told about."""
_MOST_DAYS: Final = 1_000
_WEEKDAYS: Final = (
    ("星期一", "Monday"),
    ("星期二", "Tuesday"),
    ("星期三", "Wednesday"),
    ("星期四", "Thursday"),
    ("星期五", "Friday"),
    ("星期六", "Saturday"),
    ("星期日", "Sunday"),
)


class LiveCheck(BaseModel):
    """What is told beside a form."""

    notes: dict[str, str]
    """By the id of a field or a table."""
    unmet: list[str]
    """What would refuse it, once every field can be read."""


@router.post("/do/{command}/{kind}/{realm}/{name}/reckoning", include_in_schema=False)
@allow(Policy.COMMAND)
async def check_live(
    request: Request, command: str, kind: str, realm: str, name: str, house: ByHouse, caller: ByCaller
) -> LiveCheck:
    """Reckon with what was typed so far."""
    form = await read_form(request)
    try:
        filling = await begin(request, house, caller, command, read_stream(kind, realm, name), form)
        filling, _ = await fill_in(filling, form, _leave)
        calendar = await Reader(house.store).calendar(filling.stream.realm)
        today = local_day(filling.asker.at or house.now())
        notes = {**dict(_describe_fields(form, calendar, today, filling.language)), **dict(_describe_sums(filling))}
    finally:
        await form.close()
    return LiveCheck(notes=notes, unmet=await _list_unmet(filling))


async def _leave(_upload: UploadFile) -> Tree:
    """A document comes with the form itself."""
    return {}


def _describe_fields(form: FormData, calendar: Calendar, today: date, language: Language) -> Iterator[tuple[str, str]]:
    """Of each field, named by the page as ``kind:id:what was typed``, what is to be known of it."""
    for text in form.getlist("tell")[:MOST_NOTES]:
        if isinstance(text, str):
            kind, field, typed = (*text.split(":", 2), "", "")[:3]
            with suppress(ValueError, OverflowError):  # what cannot be read yet is told when the form is checked
                yield field, _describe_value(kind, typed.strip(), calendar, today, language)


def _describe_value(kind: str, typed: str, calendar: Calendar, today: date, language: Language) -> str:
    """Raises ValueError or OverflowError for what cannot be read."""
    match kind:
        case "money":
            return spell(parse_amount(typed), language)
        case "date":
            return _describe_day(parse_day(typed), calendar, language)
        case "days" if 0 < int(typed) <= _MOST_DAYS:
            last = calendar.after(today, int(typed))
            zh, en = f"自今日起算，至 {last} 24:00", f"counted from today: until the end of {last}"
            return f"{language.say(zh, en)}{_describe_guess(last, calendar, language)}"
        case _:
            return ""


def _describe_day(day: date, calendar: Calendar, language: Language) -> str:
    kind = ("工作日", "a working day") if calendar.is_working(day) else ("非工作日", "not a working day")
    zh, en = _WEEKDAYS[day.weekday()]
    return f"{language.say(f'{zh}，{kind[0]}', f'{en}, {kind[1]}')}{_describe_guess(day, calendar, language)}"


def _describe_guess(day: date, calendar: Calendar, language: Language) -> str:
    if not calendar.is_provisional(day):
        return ""
    return language.say(f"（{day.year} 年放假安排尚未公佈）", f" (the holidays of {day.year} are not published yet)")


def _describe_sums(filling: Filling) -> Iterator[tuple[str, str]]:
    """Of each table with amounts, what each column of them comes to so far."""
    language = filling.language
    for table in show_fields(filling.command, filling.tree, ()):
        sums: dict[int, int] = {}
        for row in table.rows:
            for number, cell in enumerate(row):
                if cell.fen is not None:
                    sums[number] = sums.get(number, 0) + cell.fen
        if len(sums) == 1:
            (fen,) = sums.values()
            yield (
                table.id,
                language.say(f"合計 {_describe_sum(fen, language)}", f"In total {_describe_sum(fen, language)}"),
            )
        elif sums:
            columns = ((table.columns[number], _describe_sum(fen, language)) for number, fen in sums.items())
            texts = (language.say(f"{one.zh}合計 {text}", f"{one.en}: {text} in total") for one, text in columns)
            yield table.id, language.say("；", "; ").join(texts)


def _describe_sum(fen: int, language: Language) -> str:
    spelt = spell(fen, language)
    return f"{format_money(fen)}{f'（{spelt}）' if spelt else ''}"


async def _list_unmet(filling: Filling) -> list[str]:
    """What would refuse it now; nothing while it cannot be read, or by whom nothing may be tried."""
    if is_sealed(filling) or is_proof_needed(filling):
        return []
    try:
        command, at = read_filled(await fill_preview(filling))
    except InputInvalid:
        return []
    step = await dry_run(filling, command, at)
    return [filling.language.say(one.zh, one.en) for one in step.unmet]
