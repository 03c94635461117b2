"""A house with a fault of its own is found out, and by the invariant that the fault breaks; without it, it is sound."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.nemesis.faults import NO_UNIQUE_VERSION, ROWS_BESIDE_THE_TRANSACTION
from tests.nemesis.raging import Rage, run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.nemesis.raging import Outcome

LATE_S = 8.0
"""No longer need one wait to see that nothing comes."""


async def _calm(home: Path, affliction: str, fault: str = "") -> Outcome:
    """Nothing is broken but the house itself; every workflow makes way for new runs often."""
    rage = Rage(2, 3, 0, rolling=1, affliction=affliction, fault=fault, workers=1, healed_s=LATE_S)
    return await run(home, rage)


async def test_a_house_without_idempotency_is_found_out(tmp_path: Path) -> None:
    assert (await _calm(tmp_path, "key-per-attempt")).ids >= {"I2"}


async def test_a_house_that_acknowledges_before_it_commits_is_found_out(tmp_path: Path) -> None:
    assert (await _calm(tmp_path, "ack-before-commit")).ids >= {"I1"}


async def test_a_house_in_which_two_writers_append_at_one_version_is_found_out(tmp_path: Path) -> None:
    assert (await _calm(tmp_path, "none", NO_UNIQUE_VERSION)).ids >= {"I3"}


@pytest.mark.full
async def test_a_house_whose_rows_are_not_of_the_events_transaction_is_found_out(tmp_path: Path) -> None:
    assert (await _calm(tmp_path, "none", ROWS_BESIDE_THE_TRANSACTION)).ids >= {"I7"}


@pytest.mark.full
async def test_a_house_that_forgets_what_it_has_seen_when_a_run_makes_way_is_found_out(tmp_path: Path) -> None:
    assert (await _calm(tmp_path, "seen-of-this-run-only")).ids >= {"I4"}


@pytest.mark.full
async def test_a_house_whose_timers_are_not_set_again_and_that_nobody_watches_is_found_out(tmp_path: Path) -> None:
    assert (await _calm(tmp_path, "unarmed-and-unwatched")).ids >= {"I14"}


@pytest.mark.full
async def test_where_timers_are_not_set_again_the_follower_alone_mends_it(tmp_path: Path) -> None:
    assert not (await _calm(tmp_path, "unarmed")).broken


@pytest.mark.full
@pytest.mark.parametrize("affliction", ["none", "forgetful"])
async def test_the_same_house_without_a_fault_is_sound(tmp_path: Path, affliction: str) -> None:
    assert not (await _calm(tmp_path, affliction)).broken
