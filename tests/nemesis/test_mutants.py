"""A house with a fault of its own is found out, and by the invariant that the fault breaks; without it, it is sound."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.nemesis.faults import ANY_TIME, NO_UNIQUE_VERSION, ROWS_BESIDE_THE_TRANSACTION
from tests.nemesis.raging import Rage, run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.nemesis.raging import RageReport

LATE_S = 8.0
"""No longer need one wait to see that nothing comes."""
CALM = Rage(2, projects=3, seconds=0, rolling=1, affliction="none", workers=1)
"""Nothing is broken but the house itself; every workflow makes way for new runs often."""
FAR_S = 20.0
"""An alarm that far away comes when every workflow has long made way, on the slowest machine too."""


async def _mutant(home: Path, affliction: str, fault: str = "", ready_s: float = CALM.ready_s) -> RageReport:
    return await run(home, replace(CALM, affliction=affliction, fault=fault, healed_s=LATE_S, ready_s=ready_s))


@pytest.mark.full
async def test_a_house_without_idempotency_is_found_out(tmp_path: Path) -> None:
    assert (await _mutant(tmp_path, "key-per-attempt")).ids >= {"I2"}


@pytest.mark.full
async def test_a_house_that_acknowledges_before_it_commits_is_found_out(tmp_path: Path) -> None:
    ids = (await _mutant(tmp_path, "ack-before-commit")).ids
    assert ids & {"I8", "I14"}, "what was never recorded is missing"
    assert "I1" not in ids, "no caller heard of it: the door says only what it has read in the log"


@pytest.mark.full
async def test_a_house_in_which_two_writers_append_at_one_version_is_found_out(tmp_path: Path) -> None:
    assert (await _mutant(tmp_path, "hesitant", NO_UNIQUE_VERSION)).ids >= {"I3"}


@pytest.mark.full
async def test_a_house_whose_rows_are_not_of_the_events_transaction_is_found_out(tmp_path: Path) -> None:
    assert (await _mutant(tmp_path, "none", ROWS_BESIDE_THE_TRANSACTION)).ids >= {"I7"}


@pytest.mark.release
async def test_a_house_that_forgets_what_it_has_seen_when_a_run_makes_way_is_found_out(tmp_path: Path) -> None:
    assert (await _mutant(tmp_path, "seen-of-this-run-only")).ids >= {"I4"}


@pytest.mark.full
async def test_a_house_whose_timers_are_not_set_again_and_that_nobody_watches_is_found_out(tmp_path: Path) -> None:
    assert (await _mutant(tmp_path, "unarmed-and-unwatched", ready_s=FAR_S)).ids >= {"I14"}


@pytest.mark.release
async def test_where_timers_are_not_set_again_the_follower_alone_mends_it(tmp_path: Path) -> None:
    report = await run(tmp_path, replace(CALM, affliction="unarmed", ready_s=FAR_S))
    assert report.ids <= {"I8"}, report.broken
    assert all("NonDeterministicError" in text for text in report.broken), "but for the replay, which sees no timer set"


ATTACKED = replace(CALM, attacked=True, healed_s=30)
"""Nobody breaks anything, but some wish the house ill: they must have the time to try everything."""


@pytest.mark.release
@pytest.mark.parametrize(
    ("affliction", "fault", "invariant"),
    [
        ("takes-any-signature", "", "H1"),
        ("takes-any-id", "", "H1"),
        ("takes-the-doors-time", ANY_TIME, "H2"),
        ("falls-due-on-demand", ANY_TIME, "H2"),
    ],
)
async def test_a_house_that_believes_whoever_comes_is_found_out(
    tmp_path: Path, affliction: str, fault: str, invariant: str
) -> None:
    assert invariant in (await run(tmp_path, replace(ATTACKED, affliction=affliction, fault=fault))).ids


@pytest.mark.full
async def test_a_house_that_believes_nobody_is_sound_though_all_is_tried(tmp_path: Path) -> None:
    assert not (await run(tmp_path, ATTACKED)).broken


@pytest.mark.release
@pytest.mark.parametrize("affliction", ["none", "forgetful", "hesitant"])
async def test_the_same_house_without_a_fault_is_sound(tmp_path: Path, affliction: str) -> None:
    assert not (await run(tmp_path, replace(CALM, affliction=affliction))).broken
