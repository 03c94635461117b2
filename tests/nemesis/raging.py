"""One run: projects live while the house is being broken; it heals; then everything that must hold is asked."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import bootstrap
from application.approvals import NoSuchApproval
from application.door import CommandDefect, Mismatch
from deciding.decision import StreamParked
from tests.nemesis import stories
from tests.nemesis.blows import Nemesis
from tests.nemesis.callers import Broken, Callers, together
from tests.nemesis.faults import spoil
from tests.nemesis.hostile import Attackers
from tests.nemesis.invariants import Ledger, broken, note_roots, soon_none
from tests.nemesis.siege import WORKERS, remains, siege
from tests.workflows.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine
    from pathlib import Path

    from audit.verification import Root
    from tests.nemesis.siege import Siege

HEALED_S = 90.0
"""Within which all must have come to its end once nothing is broken any more (I14): a minute is what the house itself
lets pass before it looks at what nobody told it of."""
READY_S = 4.0
"""What preparing the run may take before the first alarm."""


@dataclass(frozen=True)
class Rage:
    """What a run is to be like; the same seed means the same blows, and nearly the same run."""

    seed: int
    projects: int
    seconds: float
    """0 for a house in which nothing is broken from outside."""
    all_kinds: bool = False
    """Whether it lasts at least until every kind of blow has fallen."""
    every_s: tuple[float, float] = (0.5, 3.0)
    lasting_s: float = 5.0
    rolling: float = 0.5
    """How many of all workflows make way for their next run often."""
    affliction: str = "forgetful"
    fault: str = ""
    """What is changed in the schema."""
    workers: int = WORKERS
    attacked: bool = False
    """Whether some wish the house ill all the while."""
    ready_s: float = READY_S
    healed_s: float = HEALED_S


@dataclass
class RageReport:
    """What a run came to."""

    broken: list[str] = field(default_factory=list)
    """Each invariant that did not hold, by its id."""
    struck: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    tried: Counter[str] = field(default_factory=Counter)
    """What those who wish it ill have tried, and how often."""
    entries: int = 0
    healed_s: float = 0.0
    """How long it took after the last blow until all had come to its end."""

    @property
    def ids(self) -> set[str]:
        """The ids of the invariants that did not hold."""
        return {text.split()[0] for text in self.broken}


async def run(home: Path, rage: Rage) -> RageReport:
    """Rage in a house of its own in that folder."""
    settings, outcome = bootstrap.settings(home=home), RageReport()
    async with siege(settings, rage.seed, affliction=rage.affliction, workers=rage.workers) as house:
        await _rage_over(house, rage, outcome)
    outcome.broken += [f"I13 {left}" for left in remains(settings, house)]
    return outcome


async def _rage_over(house: Siege, rage: Rage, outcome: RageReport) -> None:
    dice = random.Random(f"callers {rage.seed}")  # noqa: S311 - who does what when, no secret
    bureau = house.frail.bureau()
    callers = Callers(bureau, house.client, house.frail.settings.task_queue, house.store, house.doors, dice)
    now = datetime.now(UTC)
    await stories.establish(bureau, now, rage.projects)
    within = [rage.ready_s + dice.uniform(0, 0.9) * rage.seconds for _ in range(rage.projects)]
    alarms = [now + timedelta(seconds=s) for s in within]
    await callers.begin(stories.plan(bureau, rage.projects, now, alarms), rage.rolling)
    if rage.fault:
        await spoil(house.frail, rage.fault)
    roots: list[Root] = []
    attackers = Attackers(
        bureau,
        house.client,
        house.store,
        house.doors[1],
        [s.stream for s in callers.begun],
        random.Random(rage.seed),  # noqa: S311 - what is tried when
    )
    ledger = Ledger(house, callers, roots, rage.healed_s, attackers=attackers)
    attack = attackers.attack() if rage.attacked else asyncio.sleep(0)
    async with (
        meanwhile(note_roots(house.frail.store, roots)),
        meanwhile(_live(callers, rage)) as living,
        meanwhile(attack) as attacking,
    ):
        if rage.seconds:
            blows = random.Random(f"blows {rage.seed}")  # noqa: S311 - its own, lest callers change what falls when
            nemesis = Nemesis(house, blows, rage.every_s, rage.lasting_s)
            await nemesis.rage(rage.seconds, all_kinds=rage.all_kinds)
            outcome.struck = nemesis.struck
            await house.frail.well()
        began = asyncio.get_running_loop().time()
        async with meanwhile(_keep(house)):
            outcome.broken += await _late(ledger, living, max(alarms), rage.healed_s)
        if rage.attacked:
            await until(attackers.has_tried_all)
        attacking.cancel()
        await asyncio.wait([attacking])
        outcome.healed_s = asyncio.get_running_loop().time() - began
    outcome.broken += await broken(ledger)
    outcome.tried = attackers.tried
    outcome.asked, outcome.entries = callers.asked, await house.frail.store.last_position()


@asynccontextmanager
async def meanwhile(work: Coroutine[Any, Any, None]) -> AsyncIterator[asyncio.Task[None]]:
    """Have that done while the block runs, and no longer."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _live(callers: Callers, rage: Rage) -> None:
    """Every story, begun one after the other so that the last still has something to bear."""

    async def later(number: int) -> None:
        await asyncio.sleep(0.8 * rage.seconds * number / len(callers.begun))
        await callers.live(callers.begun[number])

    await together(*(later(number) for number in range(len(callers.begun))))


async def _keep(house: Siege) -> None:
    """A worker that could not start while the servers were away is started again."""
    while True:
        house.frail.keep_workers()
        await asyncio.sleep(0.5)


async def _late(ledger: Ledger, living: asyncio.Task[None], alarm: datetime, within_s: float) -> list[str]:
    """What has not come to its end in time: callers without an answer, streams whose deadline did not come."""
    within_s += max(0.0, (alarm - datetime.now(UTC)).total_seconds())
    try:
        async with asyncio.timeout(within_s):
            await living
    except TimeoutError:
        return ["I14 callers still wait"]
    except Broken as broken:
        return [str(broken)]
    except (CommandDefect, Mismatch, NoSuchApproval, StreamParked) as wrong:
        return [f"I1 a caller was told {wrong!r}"]

    async def unfinished() -> list[str]:
        await ledger.read()
        return [f"I14 {s.stream} has not come to its end" for s in ledger.callers.begun if ledger.is_short_of(s)]

    return await soon_none(unfinished, within_s)
