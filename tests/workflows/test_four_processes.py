"""Many at once through several worker processes, in the log of the whole run: a namespace belongs to one log."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from itertools import cycle
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

import bootstrap
from application.door import Door
from application.workflow_carrier import WorkflowCarrier
from domain.kernel.refusal import CommandRejected
from tests.workflows.bureau import Bureau
from tests.workflows.processes import kill, start_worker
from tests.workflows.test_races import OFFICER, ONE, left, nearly_empty, proven, support
from tests.workflows.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from store.postgres import PostgresStore
    from tests.conftest import Desk


async def _deadlocks(store: PostgresStore) -> int:
    deadlocks: int = await store._pool.fetchval(
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    )
    return deadlocks


@pytest.mark.full
async def test_of_twelve_that_race_through_four_processes_one_has_the_last_yuan(desk: Desk, tmp_path: Path) -> None:
    of = desk.settings.model_copy(update={"task_queue": f"race-{uuid4().hex[:8]}"})
    bureau = Bureau(f"b-{uuid4().hex[:8]}", desk.store, bootstrap.ensure_door_key(of))
    await nearly_empty(bureau, ONE, bases=12)
    before = await _deadlocks(desk.store)
    logs = [tmp_path / f"worker-{n}.log" for n in range(4)]
    with ExitStack() as running:
        processes = [start_worker(of, log) for log in logs]
        for process in processes:
            running.callback(kill, process)

        async def ready() -> bool:
            assert all(process.poll() is None for process in processes)
            return all(b"worker.ready" in log.read_bytes() for log in logs)

        await until(ready)
        doors = cycle([Door(WorkflowCarrier(desk.client, of.task_queue), desk.store, bureau.key) for _ in range(3)])
        outcomes = await asyncio.gather(
            *(
                door.send(bureau.id("project", f"PJ-{n}"), support(bureau, n), OFFICER)
                for n, door in zip(range(12), doors, strict=False)
            ),
            return_exceptions=True,
        )
    lost = [f for f in outcomes if isinstance(f, CommandRejected)]
    assert len(lost) == 11, outcomes
    assert all("C2" in {u.rule for u in refused.unmet} for refused in lost)
    assert sum(b"command.carried_out" in log.read_bytes() for log in logs) > 1, "several processes took part"
    assert await left(desk.store, bureau.realm) == 0
    assert await _deadlocks(desk.store) == before
    await proven(desk.store, bureau.realm)
