"""How a city's projects and its money spread over the years: whole numbers that come out to the given sums."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MEAN_FEN = 5_575_000
"""What a project is awarded on average, fen: ¥446 m over 8,000 projects (HZ-4)."""
STEP_FEN = 10_000
"""Awards are multiples of a hundred yuan."""
PERSON_TIMES = 5_250
"""Person-times that a project serves on average: some 42 m over 8,000 projects (HZ-4)."""
GROWTH = 1.09
"""By how much a year's round is larger than the last one's."""


@dataclass(frozen=True)
class YearShare:
    """What of it falls to one year."""

    year: int
    awards: tuple[int, ...]
    """The award of each project, fen."""
    person_times: tuple[int, ...]
    """How many each serves."""


def spread(first: int, last: int, projects: int, seed: int) -> tuple[YearShare, ...]:
    """The years from first to last, with all projects, all money and all person-times shared out among them."""
    years = range(first, last + 1)
    counts = apportion(projects, [GROWTH**n for n in range(len(years))])
    return tuple(
        _share(year, count, Random(f"{seed}/{year}"))  # noqa: S311 - spreads figures, guards nothing
        for year, count in zip(years, counts, strict=True)
    )


def apportion(total: int, weights: Sequence[float]) -> list[int]:
    """Whole shares by weight that add up to the total: what rounding leaves goes to the largest remainders."""
    whole = sum(weights)
    exact = [total * weight / whole for weight in weights]
    shares = [int(share) for share in exact]
    by_remainder = sorted(range(len(shares)), key=lambda i: exact[i] - shares[i], reverse=True)
    for i in by_remainder[: total - sum(shares)]:
        shares[i] += 1
    return shares


def _share(year: int, projects: int, dice: Random) -> YearShare:
    """One year: awards as they are, few large and many small, from a third of the mean to five times of it."""
    sizes = [min(max(dice.lognormvariate(0, 0.6), 0.35), 5.0) for _ in range(projects)]
    reach = [dice.uniform(0.3, 1.0) * size for size in sizes]
    steps = apportion(projects * MEAN_FEN // STEP_FEN, sizes)
    odd = projects * MEAN_FEN % STEP_FEN
    awards = [step * STEP_FEN for step in steps]
    if awards:
        awards[-1] += odd
    return YearShare(year, tuple(awards), tuple(apportion(projects * PERSON_TIMES, reach)))
