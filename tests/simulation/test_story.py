"""A made-up year is recorded under every rule, ends archived, and holds up to the independent checker."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import TYPE_CHECKING

import pytest

from audit.invariants import check
from schemes.calendars import load_published
from schemes.scheme_file import load_shipped
from simulation.recorder import record_year
from simulation.spread import spread
from simulation.story import Chances, YearStory
from store.memory import MemoryStore
from tests.paper import open_paper_door

if TYPE_CHECKING:
    from simulation.recorder import YearTotals

OFTEN = Chances(
    left_out=0.4,
    failed_review=0.1,
    objection=0.4,
    upheld=0.1,
    declined=0.1,
    variation=0.5,
    rectification=0.5,
    termination=0.35,
    reduced_by_audit=0.5,
)
"""Troubles so frequent that a small year meets them all."""


def story(year: int, projects: int, seed: int = 7, chances: Chances = OFTEN) -> YearStory:
    """That year under Hangzhou's rules."""
    (share,) = spread(year, year, projects, seed)
    scheme = load_shipped("hangzhou").model_copy(update={"effective": date(year, 1, 1)})
    return YearStory(
        f"made-up-{year}", share, scheme, load_published(year, year + 1), seed, ordinal=year - 2011, chances=chances
    )


async def record(year_story: YearStory, store: MemoryStore) -> YearTotals:
    """Record it."""
    return await record_year(year_story, open_paper_door(store), store)


@pytest.mark.full
@pytest.mark.parametrize("year", [2024, 2012])
async def test_a_year_with_every_trouble_is_recorded_to_its_archive(year: int) -> None:
    store, year_story = MemoryStore(), story(year, 14)
    totals = await record(year_story, store)
    assert (totals.projects, totals.awarded_fen) == (14, sum(year_story.share.awards))
    assert {row.stage async for row in store.standings(kind="project")} == {"ARCHIVED"}
    assert (await check(store)).breaches == ()
    met = Counter(trait for bid in year_story.bids for trait in bid.traits) + Counter(
        bid.ending for bid in year_story.bids
    )
    troubles = [
        "objection",
        "variation",
        "rectification",
        "reduced",
        "match",
        "three",
        "terminated",
        "upheld",
        "declined",
    ]
    assert set(troubles) <= set(met), "the year is to meet every trouble"


async def test_a_year_that_was_cut_off_goes_on_and_nothing_is_recorded_twice() -> None:
    store, year_story = MemoryStore(), story(2019, 6)
    first = await record(year_story, store)
    before = await store.last_position()
    again = await record(story(2019, 6), store)
    assert again == first
    assert await store.last_position() == before


async def test_another_seed_is_another_story_with_the_same_sums() -> None:
    one, other = story(2019, 30, seed=1), story(2019, 30, seed=2)
    assert sum(one.share.awards) == sum(other.share.awards)
    assert one.share.awards != other.share.awards
