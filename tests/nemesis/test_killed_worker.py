"""The worker is killed while a story is played: it comes out as told, the log the same as if nothing had been."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

import bootstrap
from cli.scenario import list_shipped, plan_scenario
from scenarios.play import SilentPlay, play
from tests.keys import bare_meta
from tests.workflows.breakable import breakable

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from scenarios.plan import Plan, PlannedCommand
    from store.port import EventStore
    from tests.conftest import Desk
    from tests.workflows.breakable import Breakable

S2 = next(path for path in list_shipped() if path.stem == "s2-fuzhou")


class Killer(SilentPlay):
    """Watches the play, and kills the worker when the command after one of these rows is on its way."""

    def __init__(self, house: Breakable, rows: Collection[int], dice: random.Random) -> None:
        self._house = house
        self._rows = rows
        self._dice = dice
        self._done = 0
        self.killed = 0

    def on_row(self, row: PlannedCommand) -> None:
        self._done += 1
        if self._done in self._rows:
            asyncio.get_running_loop().call_later(self._dice.uniform(0, 0.03), self._kill, row)

    def _kill(self, _row: PlannedCommand) -> None:
        self._house.kill_worker()
        self._house.start_worker()
        self.killed += 1


async def _log(store: EventStore, plan: Plan) -> list[tuple[object, ...]]:
    """Everything that is recorded in the play's realm, in order; without what no two runs have in common."""
    streams = [row.stream async for row in store.standings(realm=plan.realm)]
    entries = [entry for stream in streams for entry in [e async for e in store.read(stream, commands=True)]]
    return [
        (e.stream, e.version, e.kind, e.type, e.schema_version, e.command_id, e.occurred_at, bare_meta(e), e.data)
        for e in sorted(entries, key=lambda e: e.position)
    ]


async def _plays_as_undisturbed(desk: Desk, home: Path, rows: Collection[int], seed: int) -> None:
    (plan,) = plan_scenario([S2])
    undisturbed = await play(plan, desk.door, desk.store)
    dice = random.Random(seed)  # noqa: S311 - when the worker is killed, no secret
    async with breakable(bootstrap.settings(home=home)) as house:
        killer = Killer(house, rows, dice)
        disturbed = await play(plan, house.door, house.store, killer)
        assert killer.killed == len(rows)
        assert disturbed.ok, disturbed.as_json()
        assert disturbed.as_json() == undisturbed.as_json()
        assert await _log(house.store, plan) == await _log(desk.store, plan)


@pytest.mark.full
async def test_a_story_comes_out_the_same_though_the_worker_was_killed(desk: Desk, tmp_path: Path) -> None:
    await _plays_as_undisturbed(desk, tmp_path, {20}, 1)


@pytest.mark.full
@pytest.mark.timeout(300)
async def test_a_story_comes_out_the_same_though_the_worker_was_killed_again_and_again(
    desk: Desk, tmp_path: Path
) -> None:
    await _plays_as_undisturbed(desk, tmp_path, {4, 15, 26, 37}, 2)
