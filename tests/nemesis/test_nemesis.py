"""Everything is broken in turn while people work: nothing is lost, nothing is done twice, and all comes to its end."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.nemesis.raging import Rage, run

if TYPE_CHECKING:
    from pathlib import Path

SEEDS = [int(seed) for seed in os.environ.get("NEMESIS_SEEDS", "2 3").split()]
"""Of the long rages of a full run."""


async def test_nothing_is_lost_or_done_twice_while_everything_is_broken(tmp_path: Path) -> None:
    outcome = await run(tmp_path, Rage(1, projects=3, seconds=9, every_s=(0.3, 0.5), lasting_s=1.5))
    assert not outcome.broken
    assert not outcome.spared, "every kind of blow falls"
    assert outcome.asked["mismatch"]


@pytest.mark.full
@pytest.mark.timeout(400)
@pytest.mark.parametrize("seed", SEEDS)
async def test_thirty_projects_come_to_their_end_through_a_long_rage(tmp_path: Path, seed: int) -> None:
    outcome = await run(tmp_path, Rage(seed, projects=30, seconds=60))
    assert not outcome.broken
