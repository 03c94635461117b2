"""Made-up years come out to the given sums, whatever the seed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from simulation.spread import MEAN_FEN, PERSON_TIMES, apportion, spread


def test_thirteen_years_come_to_the_figures_of_the_city() -> None:
    years = spread(2012, 2024, 8000, 7)
    awards = [award for year in years for award in year.awards]
    assert (len(years), len(awards)) == (13, 8000)
    assert sum(awards) == 8000 * MEAN_FEN == 44_600_000_000, "¥446 m"
    assert sum(sum(year.person_times) for year in years) == 8000 * PERSON_TIMES == 42_000_000
    assert [len(year.awards) for year in years] == sorted(len(year.awards) for year in years), "rounds grow"
    assert max(awards) > 5 * min(awards), "few are large and many small"


@given(st.integers(1, 400), st.integers(2012, 2024), st.integers(0, 5), st.integers(0, 2**32))
def test_every_project_and_every_fen_falls_to_a_year(projects: int, first: int, more: int, seed: int) -> None:
    years = spread(first, first + more, projects, seed)
    assert sum(len(year.awards) for year in years) == projects
    assert sum(sum(year.awards) for year in years) == projects * MEAN_FEN
    assert all(award > 0 for year in years for award in year.awards)
    assert spread(first, first + more, projects, seed) == years, "one seed, one spread"


@given(st.integers(0, 10_000), st.lists(st.floats(0.01, 100), min_size=1, max_size=40))
def test_whole_shares_add_up_and_miss_their_weight_by_less_than_one(total: int, weights: list[float]) -> None:
    shares = apportion(total, weights)
    assert sum(shares) == total
    assert all(abs(s - total * w / sum(weights)) < 1 for s, w in zip(shares, weights, strict=True))
