"""The published working days of China: which weekdays are off and which weekend days are worked (調休).

One file a year, as the General Office of the State Council announced it.
"""

from __future__ import annotations

from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from schemes.document import read

if TYPE_CHECKING:
    from collections.abc import Sequence


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


def load_published(first: int, last: int) -> Sequence[PublishedYear]:
    """The years in ``first``…``last`` that come with the product, in order.

    Raises DocumentInvalid if a file is wrong.
    """
    folder = Path(str(files("schemes.calendars")))
    paths = {int(path.stem): path for path in folder.glob("*.yaml")}
    return [read(paths[year]).parse(PublishedYear) for year in range(first, last + 1) if year in paths]
