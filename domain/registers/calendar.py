"""工作日曆: the published days off and make-up days of each year (D2, 調休); a later version corrects an earlier."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Annotated, assert_never

from pydantic import Field

from domain.kernel.bounds import Date
from domain.kernel.calendar import Calendar, Year
from domain.kernel.decider import PROPOSALS, Aggregate, Decider
from domain.kernel.identifier import Role, StreamId
from domain.kernel.message import Command, Event, Occurrence, Order, Particulars
from domain.kernel.phrase import or_else
from domain.kernel.refusal import Checks
from domain.kernel.relation import BUREAU
from domain.kernel.state import NONE, SAME, Part, State, Transition
from domain.kernel.words import Words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.kernel.facts import Facts

CALENDAR_NAME = "cn"
"""The name of the one calendar of a realm: China has one."""

_DECEMBER = 12


class CalendarStage(Words):
    """Whether any year is published."""

    NONE = NONE, "尚未建立", "not started"
    PUBLISHED = "PUBLISHED", "已發布", "published"


class YearNotice(Particulars):
    """What the State Council's notice says of one year."""

    year: Annotated[int, Field(ge=1990, le=2200, title="年度 / year")]
    version: Annotated[int, Field(le=9999, ge=1, title="版本 / version")] = 1
    """1 as first published; a correction counts on."""
    off: Annotated[tuple[Date, ...], Field(max_length=366, title="休息日 / days off")]
    """Days off."""
    on: Annotated[tuple[Date, ...], Field(max_length=366, title="調休上班日 / make-up working days")] = ()
    """Weekend days that are worked (調休); a weekday may be named where work begins again after an extended holiday."""
    drops: Annotated[int | None, Field(ge=0, le=366, title="刪去日數 / days dropped")] = None
    """How many days of the version before a correction no longer names; a correction that drops any must say so."""


class CalendarPublished(YearNotice, Event):
    """The year's working days are known, or corrected."""

    zh = "工作日曆發布"
    moves = (
        Transition("CL01", (CalendarStage.NONE,), CalendarStage.PUBLISHED, (Role.CAB_REG,), "first year"),
        Transition("CL02", (CalendarStage.PUBLISHED,), SAME, (Role.CAB_REG,), "next version of its year"),
    )


class PublishCalendar(YearNotice, Command):
    """Publish or correct a year."""

    records = CalendarPublished
    acts_for = (BUREAU,)
    persons_needed = 2
    confirmed_by = (Role.CAB_REG, Role.CAB_DEC)


@dataclass(frozen=True)
class CalendarHistory(Part):
    """The newest version of each year, and what stood before each notice."""

    newest: Calendar = field(default_factory=Calendar)
    before: tuple[Calendar, ...] = ()
    """Earlier calendars, the oldest first."""

    @property
    def years(self) -> Mapping[int, Year]:
        """The newest version of each year."""
        return self.newest.years


def calendar_stream(realm: str) -> StreamId:
    """The stream of that realm's working days: ``calendar/live/cn``."""
    return StreamId.of("calendar", realm, CALENDAR_NAME)


def calendar_of(state: State) -> Calendar:
    """The working days as they stand in that state of the register."""
    return state.part(CalendarHistory).newest


def calendars_of(state: State) -> tuple[Calendar, ...]:
    """Every calendar that ever stood, the oldest first; the last is the newest."""
    published = state.part(CalendarHistory)
    return (*published.before, published.newest)


def decide(state: State, _facts: Facts, _order: Order, command: PublishCalendar) -> list[Event]:
    """What an order about the calendar makes happen. Raises CommandRejected."""
    check, former = Checks(), state.part(CalendarHistory).years.get(command.year)
    match command:
        case PublishCalendar(year=year, version=version, off=off, on=on):
            following = former.version + 1 if former else 1
            check(
                version == following,
                "CL02",
                "{year} 年的下一版本號須為 {following}，所交為 {version}",
                "the next version of {year} is {following}, not {version}",
                year=year,
                following=following,
                version=version,
            )
            strays = sorted({d.isoformat() for d in (*off, *on) if not _may_name(d, year)})
            check(
                not strays,
                "D2",
                "{strays} 不在 {year} 年，也不在上年 12 月",
                "{strays} lie neither in {year} nor in December before it",
                strays=strays,
                year=year,
            )
            _require_drops(check, former, command)
            contradictory = sorted(d.isoformat() for d in set(off) & set(on))
            check(
                not contradictory,
                "D2",
                "{contradictory} 同時列為放假與上班",
                "{contradictory} are given both as days off and as working days",
                contradictory=contradictory,
            )
            return check.grant(CalendarPublished.of(command, off=_sorted(off), on=_sorted(on)))
        case _:
            assert_never(command)


def _may_name(day: date, year: int) -> bool:
    """Whether a year's notice may name that day: the New Year's holiday often begins in the last days of December."""
    return day.year == year or (day.year, day.month) == (year - 1, _DECEMBER)


def _require_drops(check: Checks, before: Year | None, notice: PublishCalendar) -> None:
    """A correction replaces its year whole: what it no longer names is dropped on purpose, and counted."""
    dropped = sorted((before.off | before.on) - {*notice.off, *notice.on}) if before else []
    check(
        (notice.drops or 0) == len(dropped),
        "D2",
        "更正須列全年：上一版的 {days} 不在其中，請補上，或填 drops={dropped_count}，所填為 {drops}",
        "a correction names the whole year: it leaves out {days} of the version before; add them, or say "
        "drops={dropped_count} (it says {drops})",
        dropped_count=len(dropped),
        drops=notice.drops or 0,
        days=or_else([d.isoformat() for d in dropped], "任何日", "none"),
    )


def _sorted(days: tuple[date, ...]) -> tuple[date, ...]:
    return tuple(sorted(set(days)))


def evolve(state: State, of: Occurrence, event: CalendarPublished) -> State:
    """Keep the newest version of each year, and what stood before each notice."""
    published = state.part(CalendarHistory)
    match event:
        case CalendarPublished():
            year = Year(event.version, frozenset(event.off), frozenset(event.on))
            newest = Calendar({**published.years, event.year: year}, of.at, published.newest.version + 1)
            return state.with_parts(CalendarHistory(newest, (*published.before, published.newest)))
        case _:
            assert_never(event)


DECIDER = Decider(
    name="calendar",
    zh="工作日曆",
    commands=(PublishCalendar,),
    events=(CalendarPublished,),
    decide=decide,
    evolve=evolve,
)

CALENDAR = Aggregate(
    kind="calendar",
    zh="工作日曆",
    en="working calendar",
    en_many="working calendars",
    deciders=(DECIDER, PROPOSALS),
    final=frozenset(CalendarStage),
)
