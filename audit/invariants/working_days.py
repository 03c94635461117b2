"""Working days, walked day by day from the published notices (D2, 調休): the checker's own, on purpose."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from audit.invariants.recorded_events import to_date

if TYPE_CHECKING:
    from collections.abc import Callable

    from audit.invariants.recorded_events import RecordedEvent

_FRIDAY, _DECEMBER = 4, 12
_HOLIDAYS = ("01-01", "05-01", "10-01", "10-02", "10-03")
"""Holidays of every year, whether it is published or not."""
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)
_ONE = timedelta(days=1)


@dataclass
class Days:
    """The newest notice of each year."""

    off: dict[int, frozenset[date]] = field(default_factory=dict)
    worked: dict[int, frozenset[date]] = field(default_factory=dict)
    since: datetime = _BEFORE_ALL
    """When the newest of them was published."""

    def with_notice(self, event: RecordedEvent) -> Days:
        """The same with a year's notice taken in; a later one replaces it."""
        year = int(event.data["year"])
        off = frozenset(d for d in map(to_date, event.texts("off")) if d)
        worked = frozenset(d for d in map(to_date, event.texts("on")) if d)
        return Days({**self.off, year: off}, {**self.worked, year: worked}, event.at)

    def named(self, year: int) -> set[str]:
        """The days that the newest notice of that year names, as JSON writes them."""
        return {day.isoformat() for day in (*self.off.get(year, ()), *self.worked.get(year, ()))}

    def is_working(self, day: date) -> bool:
        """Whether offices work on that day; a year without notice counts Monday to Friday, fixed holidays aside."""
        for year in (day.year + 1, day.year) if day.month == _DECEMBER else (day.year,):
            if day in self.off.get(year, ()):
                return False
            if day in self.worked.get(year, ()):
                return True
        return day.weekday() <= _FRIDAY and (day.year in self.off or f"{day:%m-%d}" not in _HOLIDAYS)

    def nth_after(self, day: date, number: int) -> date:
        """The number-th working day after that day, which is not counted itself."""
        while number > 0:
            day += _ONE
            number -= self.is_working(day)
        return day

    def last_before(self, day: date, number: int) -> date:
        """The last day from which there are that many working days to the end of that day."""
        while number > 0:
            number -= self.is_working(day)
            day -= _ONE
        return day

    def nth_from(self, day: date, number: int, counts: Callable[[date], bool]) -> date:
        """The number-th working day from that day on, itself among them, of those days that count."""
        while True:
            number -= self.is_working(day) and counts(day)
            if number <= 0:
                return day
            day += _ONE
