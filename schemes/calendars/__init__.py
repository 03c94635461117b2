"""The published working days of China: which weekdays are off and which weekend days are worked (調休).

One file a year, as the General Office of the State Council announced it.
"""

from __future__ import annotations

from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from domain.kernel.calendar import Calendar, Year
from domain.registers.calendar import PublishCalendar
from schemes.document import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class PublishedYear(BaseModel):
    """One announced year."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    year: Annotated[int, Field(ge=2000, le=2200)]
    version: Annotated[int, Field(ge=1)] = 1
    source: str
    off: frozenset[date]
    """Weekdays without work."""
    on: frozenset[date]
    """Weekend days that are worked."""

    @property
    def notice(self) -> PublishCalendar:
        """The command by which a realm's register publishes it."""
        return PublishCalendar(
            year=self.year, version=self.version, off=tuple(sorted(self.off)), on=tuple(sorted(self.on))
        )


def load_published(first: int, last: int) -> Sequence[PublishedYear]:
    """The years in ``first``…``last`` that come with the product, in order.

    Raises DocumentInvalid if a file is wrong.
    """
    folder = Path(str(files("schemes.calendars")))
    paths = {int(path.stem): path for path in folder.glob("*.yaml")}
    return [read(paths[year]).parse(PublishedYear) for year in range(first, last + 1) if year in paths]


def calendar_of_years(years: Iterable[PublishedYear]) -> Calendar:
    """The working days of those years, as a register has them that published no others."""
    return Calendar({year.year: Year(year.version, year.off, year.on) for year in years})
