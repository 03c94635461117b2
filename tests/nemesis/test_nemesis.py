"""Processes are killed and the store lies while people work: nothing is lost, nothing is done twice, all end well."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import bootstrap
from api.door import Door
from audit.verifying import verify
from tests.nemesis.afflicted import MUTANTS
from tests.nemesis.lifecycles import Broken, Callers, hold_against_the_log, together
from tests.workflows.frail import Frail, frail

if TYPE_CHECKING:
    from collections.abc import Callable

AFFLICTED = Path(__file__).with_name("afflicted.py")
AT_ONCE = 4
"""Lives that are led side by side."""
HEALED_S = 90.0
"""Within which all lives must have come to their end once nothing is broken any more."""


class Nemesis:
    """Breaks one thing after the other, in an order that its seed tells."""

    def __init__(self, house: Frail, seed: int) -> None:
        self._dice = random.Random(seed)  # noqa: S311 - which faults happen, no secret
        self._house = house
        self._blows: dict[str, Callable[[], None]] = {
            "worker": house.kill_worker,
            "postgres": house.kill_postgres,
            "temporal": house.kill_temporal,
        }
        self.struck: list[str] = []

    async def rage(self, seconds: float, every_s: tuple[float, float]) -> None:
        """Strike for that long; each kind of blow falls once before any falls again."""
        ahead: list[str] = []
        try:
            async with asyncio.timeout(seconds):
                while True:
                    await asyncio.sleep(self._dice.uniform(*every_s))
                    self._house.keep_worker()
                    ahead = ahead or self._dice.sample(sorted(self._blows), len(self._blows))
                    self.struck.append(ahead.pop())
                    self._blows[self.struck[-1]]()
        except TimeoutError:
            self._house.keep_worker()


async def _lived(house: Frail, seed: int, calm: asyncio.Event) -> Callers:
    """Callers at two doors lead some lives at once, one after the other until it is calm."""
    bureau = house.bureau()
    await bureau.open_base()
    second = Door(house.client, house.store, bureau.key, house.settings.task_queue)
    callers = Callers(bureau, (house.door, second), random.Random(seed))  # noqa: S311 - who asks twice, no secret

    async def lead() -> None:
        await callers.live()
        while not calm.is_set():
            await callers.live()

    await together(*(lead() for _ in range(AT_ONCE)))
    return callers


async def _raged(home: Path, seed: int, *, seconds: float, every_s: tuple[float, float]) -> None:
    settings, calm = bootstrap.settings(home=home), asyncio.Event()
    async with frail(settings, program=AFFLICTED, AFFLICTION="forgetful", SEED=str(seed)) as house:
        nemesis = Nemesis(house, seed)
        living = asyncio.create_task(_lived(house, seed, calm))
        await nemesis.rage(seconds, every_s)
        calm.set()
        await house.well()
        keeping = asyncio.create_task(_keep(house))
        async with asyncio.timeout(HEALED_S):
            callers = await living
        keeping.cancel()
        await hold_against_the_log(callers, house.store)
        found = await verify(house.store)
        assert found.ok, found.as_json()
        assert set(nemesis.struck) == {"worker", "postgres", "temporal"}


async def _keep(house: Frail) -> None:
    """A worker that could not start while the servers were away is started again."""
    while True:
        house.keep_worker()
        await asyncio.sleep(0.5)


async def test_nothing_is_lost_or_done_twice_while_everything_is_killed(tmp_path: Path) -> None:
    await _raged(tmp_path, 1, seconds=5, every_s=(0.8, 1.6))


@pytest.mark.full
@pytest.mark.timeout(400)
@pytest.mark.parametrize("seed", [2, 3])
async def test_nothing_is_lost_or_done_twice_for_a_long_while(tmp_path: Path, seed: int) -> None:
    await _raged(tmp_path, seed, seconds=30, every_s=(0.5, 4.0))


def _calm() -> asyncio.Event:
    calm = asyncio.Event()
    calm.set()
    return calm


@pytest.mark.parametrize("mutant", [*MUTANTS, pytest.param("journal-lost", marks=pytest.mark.full)])
async def test_a_house_with_a_fault_of_its_own_is_found_out(tmp_path: Path, mutant: str) -> None:
    settings = bootstrap.settings(home=tmp_path)
    async with frail(settings, program=AFFLICTED, AFFLICTION=mutant, SEED="1") as house:
        with pytest.raises(Broken):
            async with asyncio.timeout(HEALED_S):
                await hold_against_the_log(await _lived(house, 1, _calm()), house.store)


@pytest.mark.full
async def test_a_house_that_only_forgets_is_sound(tmp_path: Path) -> None:
    settings = bootstrap.settings(home=tmp_path)
    async with frail(settings, program=AFFLICTED, AFFLICTION="forgetful", SEED="1") as house:
        callers = await _lived(house, 1, _calm())
        await hold_against_the_log(callers, house.store)
        assert (await verify(house.store)).ok
