"""Working days with make-up weekends (調休), and where a day begins and ends in Asia/Shanghai (D2)."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
"""China has kept one offset without summer time since 1991."""

_SATURDAY = 5
_DECEMBER = 12
FIXED_HOLIDAYS = frozenset({(1, 1), (5, 1), (10, 1), (10, 2), (10, 3)})
"""Month and day of the public holidays that fall on the same day every year; the others follow the moon."""


def local_day(instant: datetime) -> date:
    """The Shanghai day on which that instant lies."""
    return instant.astimezone(SHANGHAI).date()


def local_time(instant: datetime, *, to_the_second: bool = False) -> str:
    """The instant as a clock in China shows it."""
    local = instant.astimezone(SHANGHAI)
    return f"{local:%Y-%m-%d %H:%M:%S}" if to_the_second else f"{local:%Y-%m-%d %H:%M}"


def ended_day(instant: datetime) -> date | None:
    """The Shanghai day that a limit at that instant ends with, at its 24:00; None for a limit within a day.

    The alarm that closes a call rings a minute later; that minute belongs to the day as well.
    """
    local = instant.astimezone(SHANGHAI)
    return local.date() - timedelta(days=1) if local.hour == 0 and local.minute <= 1 else None


def closing_time(instant: datetime, *, to_the_second: bool = False) -> str:
    """Until when, as the office says it: what ends with a day ends at 24:00 of that day."""
    day = ended_day(instant)
    if day is None:
        return local_time(instant, to_the_second=to_the_second)
    return f"{day} 24:00:00" if to_the_second else f"{day} 24:00"


def months_after(day: date, months: int) -> date:
    """The same day so many months later; the last of the month where that has no such day."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def day_begins(day: date) -> datetime:
    """00:00 of that day in Shanghai, as UTC."""
    return datetime.combine(day, time(), SHANGHAI).astimezone(UTC)


def beginning_of_day(instant: datetime) -> datetime:
    """00:00 of the Shanghai day on which that instant lies, as UTC."""
    return day_begins(local_day(instant))


def day_ends(day: date) -> datetime:
    """24:00 of that day in Shanghai, as UTC: where a deadline by day lies."""
    return day_begins(day + timedelta(days=1))


@dataclass(frozen=True)
class Year:
    """One published year: the weekdays that are off, and the weekend days that are worked."""

    version: int
    off: frozenset[date]
    on: frozenset[date]


@dataclass(frozen=True)
class Calendar:
    """The newest published years. A day beyond them counts Monday to Friday, fixed holidays aside: *provisional*."""

    years: Mapping[int, Year] = field(default_factory=dict)
    since: datetime | None = None
    """When its newest notice was published, UTC: what it moves cannot fall before that."""
    version: int = 0
    """How many notices were published up to it: the version of its register."""
    _counted: dict[tuple[date, int], date] = field(init=False, default_factory=dict, compare=False, repr=False)
    """What ``after`` has come to: every command of a file counts the same few days again."""

    def is_working(self, day: date) -> bool:
        """Whether offices work on that day."""
        for year in self._notices_on(day):
            if day in year.off:
                return False
            if day in year.on:
                return True
        if self.is_provisional(day) and (day.month, day.day) in FIXED_HOLIDAYS:
            return False
        return day.weekday() < _SATURDAY

    def _notices_on(self, day: date) -> Iterator[Year]:
        """The notices that may speak of that day: of a day in December the next year's too, and before its own."""
        if day.month == _DECEMBER and day.year + 1 in self.years:
            yield self.years[day.year + 1]
        if day.year in self.years:
            yield self.years[day.year]

    def is_provisional(self, day: date) -> bool:
        """Whether that day's year has not been published yet."""
        return day.year not in self.years

    def may_be_guessed(self, instant: datetime) -> bool:
        """Whether an instant lies on a day, or at the end of one, whose year has not been published yet."""
        return self.is_provisional(local_day(instant - timedelta(microseconds=1)))

    def guesses(self) -> tuple[Calendar, Calendar]:
        """Two others that guess unpublished years otherwise: whatever counted a day of one differs in either."""
        return _Guess(self.years, self.since, self.version, 0), _Guess(self.years, self.since, self.version, 1)

    def after(self, day: date, working_days: int) -> date:
        """The n-th working day after ``day``; the first day is not counted."""
        counted = self._counted.get((day, working_days))
        if counted is None:
            counted, left = day, working_days
            while left > 0:
                counted += timedelta(days=1)
                left -= self.is_working(counted)
            self._counted[day, working_days] = counted
        return counted

    def before(self, day: date, working_days: int) -> date:
        """The last day from which that many working days pass until the end of ``day``."""
        left = working_days
        while left > 0:
            left -= self.is_working(day)
            day -= timedelta(days=1)
        return day

    def next_working(self, day: date) -> date:
        """The first working day after ``day``."""
        return self.after(day, 1)


@dataclass(frozen=True)
class _Guess(Calendar):
    """Every other day of unpublished years is off."""

    remainder: int = 0

    def is_working(self, day: date) -> bool:
        """As published; every other day of the years that are not."""
        return super().is_working(day) and not (self.is_provisional(day) and day.toordinal() % 2 == self.remainder)
