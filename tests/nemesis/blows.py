"""The nemesis: it breaks one thing after the other, in an order that its seed tells, and mends it again."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from tests.nemesis.links import Direction

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from tests.nemesis.links import Link
    from tests.nemesis.siege import Siege


class Nemesis:
    """Strikes a house; each kind of blow falls once before any falls again."""

    def __init__(self, house: Siege, dice: random.Random, every_s: tuple[float, float], lasting_s: float) -> None:
        """Strike after so many seconds each; what can be mended is, after ``lasting_s`` at most."""
        self._house = house.frail
        self._dice = dice
        self._every_s = every_s
        self._lasting_s = lasting_s
        self._blows = self._known(house.links)
        self.struck: Counter[str] = Counter()

    def _known(self, links: dict[str, Link]) -> dict[str, Callable[[], AbstractContextManager[None]]]:
        house = self._house
        blows: dict[str, Callable[[], AbstractContextManager[None]]] = {
            "kill worker": lambda: _once(lambda: house.kill_worker(self._worker())),
            "kill postgres": partial(_once, house.kill_postgres),
            "kill temporal": partial(_once, house.kill_temporal),
            "pause worker": lambda: house.worker_stopped(self._worker()),
            "pause postgres": house.postgres_stopped,
            "pause temporal": house.temporal_stopped,
        }
        for name, link in links.items():
            blows[f"cut {name}"] = partial(_cut, link, *Direction)
            blows[f"mute {name}"] = partial(_cut, link, Direction.BACK)
            blows[f"slow {name}"] = partial(_slow, link)
            blows[f"tear {name}"] = partial(_once, link.tear)
        return blows

    @property
    def spared(self) -> set[str]:
        """Kinds of blows that did not fall yet."""
        return self._blows.keys() - self.struck.keys()

    async def rage(self, seconds: float, *, all_kinds: bool) -> None:
        """Strike for that long, or until every kind has fallen; then nothing is stopped, cut or slow any more."""
        async with asyncio.TaskGroup() as blows:
            ahead: list[str] = []
            over = asyncio.get_running_loop().time() + seconds
            while asyncio.get_running_loop().time() < over or (all_kinds and self.spared):
                await asyncio.sleep(self._dice.uniform(*self._every_s))
                self._house.keep_workers()
                ahead = ahead or self._dice.sample(sorted(self._blows), len(self._blows))
                blows.create_task(self._strike(ahead.pop()))
        self._house.keep_workers()

    async def _strike(self, name: str) -> None:
        self.struck[name] += 1
        with self._blows[name]():
            await asyncio.sleep(self._dice.uniform(0, self._lasting_s))

    def _worker(self) -> int:
        return self._dice.choice(sorted(self._house.workers))


@contextmanager
def _once(blow: Callable[[], None]) -> Iterator[None]:
    blow()
    yield


@contextmanager
def _cut(link: Link, *ways: Direction) -> Iterator[None]:
    link.cut(*ways)
    try:
        yield
    finally:
        link.mend()


@contextmanager
def _slow(link: Link) -> Iterator[None]:
    link.slow_down()
    try:
        yield
    finally:
        link.mend()
