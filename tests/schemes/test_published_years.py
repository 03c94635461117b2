"""The working days that come with the product, day by day beside another collection of the same notices."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import chinese_calendar  # type: ignore[import-untyped] # it brings no stubs
import pytest

from schemes.calendars import calendar_of_years, load_published

if TYPE_CHECKING:
    from collections.abc import Iterator

FIRST, LAST = 2012, 2026
CHINA = calendar_of_years(load_published(FIRST, LAST))


def days_of(year: int) -> Iterator[date]:
    """Every day of the year."""
    day = date(year, 1, 1)
    while day.year == year:
        yield day
        day += timedelta(days=1)


@pytest.mark.parametrize("year", range(FIRST, LAST + 1))
def test_every_day_is_worked_or_off_as_another_collection_of_the_notices_has_it(year: int) -> None:
    differing = [day for day in days_of(year) if CHINA.is_working(day) is not chinese_calendar.is_workday(day)]
    assert differing == []
