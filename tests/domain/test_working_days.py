"""The working days of 2023–2026 with their make-up weekends, counted by hand month by month (D2, 調休)."""

from __future__ import annotations

from calendar import monthrange
from datetime import date

import pytest

from audit.invariants.working_days import Days
from schemes.calendars import calendar_of_years, load_published
from tests.tables import every_row

CHINA = calendar_of_years(load_published(2023, 2026))
OURS = Days(
    {year.year: year.off for year in load_published(2023, 2026)},
    {year.year: year.on for year in load_published(2023, 2026)},
)
MONTHS = {
    2023: (18, 20, 23, 20, 21, 21, 21, 23, 20, 19, 22, 21),
    2024: (22, 18, 21, 22, 21, 19, 23, 22, 21, 19, 21, 22),
    2025: (19, 19, 21, 22, 19, 20, 23, 21, 23, 18, 20, 23),
    2026: (21, 16, 22, 21, 19, 21, 23, 21, 22, 18, 21, 23),
}
MADE_UP = {
    2023: ("01-28", "01-29", "04-23", "05-06", "06-25", "10-07", "10-08"),
    2024: ("02-04", "02-18", "04-07", "04-28", "05-11", "09-14", "09-29", "10-12"),
    2025: ("01-26", "02-08", "04-27", "09-28", "10-11"),
    2026: ("01-04", "02-14", "02-28", "05-09", "09-20", "10-10"),
}
ROWS = [(year, month, count) for year, months in MONTHS.items() for month, count in enumerate(months, 1)]


@every_row("year, month, count", ROWS)
def test_a_month_has_so_many_working_days(year: int, month: int, count: int) -> None:
    days = [date(year, month, n) for n in range(1, monthrange(year, month)[1] + 1)]
    assert sum(map(CHINA.is_working, days)) == count
    assert [CHINA.is_working(d) for d in days] == [OURS.is_working(d) for d in days], "the checker's own days agree"


@pytest.mark.parametrize(("year", "days"), [(2023, 249), (2024, 251), (2025, 248), (2026, 248)])
def test_a_year_has_so_many_working_days(year: int, days: int) -> None:
    assert sum(MONTHS[year]) == days


@pytest.mark.parametrize("year", MADE_UP)
def test_weekends_are_worked_on_the_make_up_days_and_no_others(year: int) -> None:
    saturday = 5
    days = [date.fromordinal(n) for n in range(date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal())]
    worked = [f"{d:%m-%d}" for d in days if d.weekday() >= saturday and CHINA.is_working(d)]
    assert tuple(worked) == MADE_UP[year]


def test_a_period_counts_make_up_days_and_passes_over_festivals() -> None:
    assert CHINA.after(date(2024, 9, 30), 5) == date(2024, 10, 12), "8–11 October, then the Saturday that is made up"
    assert CHINA.next_working(date(2026, 2, 14)) == date(2026, 2, 24)
    assert CHINA.is_provisional(date(2027, 1, 1))
