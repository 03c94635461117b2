"""Bars as a picture that the server draws: of each row two amounts, the smaller laid over the larger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

LABEL: Final = 190
"""Of what a row is called, in the picture's own units; it ends where the bars begin."""
LONGEST: Final = 300
"""Of a bar."""
HIGH: Final = 30
WIDTH: Final = 760


@dataclass(frozen=True)
class BarRow:
    """One bar: its label, and two amounts."""

    label: str
    whole: int
    part: int
    """Of the whole, or beside it where it is the smaller of two."""
    said: str
    """The amounts in words."""


@dataclass(frozen=True)
class Bar:
    """A row with where it lies."""

    row: BarRow
    y: int
    whole: int
    part: int


@dataclass(frozen=True)
class Bars:
    """The picture, ready to be drawn."""

    bars: tuple[Bar, ...]
    height: int
    width: int = WIDTH
    label: int = LABEL

    def words(self) -> str:
        """All of it, for whoever does not see it."""
        return "；".join(f"{bar.row.label} {bar.row.said}" for bar in self.bars)


def draw_bars(rows: Iterable[BarRow]) -> Bars:
    """The picture, on a scale by which the largest is as long as a bar may be; what there is any of is seen."""
    kept = tuple(rows)
    most = max((row.whole for row in kept), default=0) or 1
    bars = tuple(
        Bar(row, index * HIGH, _scale(row.whole, most), _scale(row.part, most)) for index, row in enumerate(kept)
    )
    return Bars(bars, max(len(kept), 1) * HIGH)


def _scale(amount: int, most: int) -> int:
    return max(round(LONGEST * amount / most), 2) if amount > 0 else 0
