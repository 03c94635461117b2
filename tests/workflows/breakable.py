"""Servers and workers of a test's own, each of which may be stopped, killed and started again."""

from __future__ import annotations

import os
import signal
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import bootstrap
import local
import temporal_client
from application.documents import Console
from application.door import Door
from application.workflow_carrier import WorkflowCarrier
from local.postgres import APPLICATION, AUDITOR
from runtime.documents import open_documents
from store.migration import migrate
from store.postgres import PostgresStore, open_pool
from tests.keys import MINUTES, PAPER, publish
from tests.workflows.bureau import Bureau
from tests.workflows.processes import HOUSE, kill, start_worker
from tests.workflows.waiting import until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import AsyncIterator, Iterator, Mapping

    from temporalio.client import Client

    from bootstrap import Settings
    from local import Servers


@dataclass
class Breakable:
    """A whole house on this machine, with nobody else in it."""

    settings: Settings
    servers: Servers
    client: Client
    store: PostgresStore
    door: Door
    program: Path = HOUSE / "worker.py"
    more: Mapping[str, str] = field(default_factory=dict)
    """What the workers' environment has besides."""
    workers: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)
    """Most tests have one, number 0."""

    def bureau(self) -> Bureau:
        """A bureau in a realm of its own."""
        return Bureau(f"b-{uuid4().hex[:8]}", self.store, bootstrap.ensure_door_key(self.settings))

    def start_worker(self, number: int = 0) -> None:
        """Start a worker process."""
        log = self.settings.home / "logs" / f"worker-{number}.log"
        self.workers[number] = start_worker(self.settings, log, program=self.program, more=self.more)

    def kill_worker(self, number: int = 0) -> None:
        """Kill -9 the worker process, and see it gone."""
        if number in self.workers:
            kill(self.workers[number])

    def keep_workers(self) -> None:
        """Start each worker again that has ended, as ``venture up`` does."""
        for number, process in list(self.workers.items()):
            if process.poll() is not None:
                self.start_worker(number)

    def kill_postgres(self) -> None:
        """Kill -9 the postmaster; whoever keeps the servers starts it again."""
        _kill(self.servers.postgres.process)

    def kill_temporal(self) -> None:
        """Kill -9 the Temporal server; whoever keeps the servers starts it again."""
        _kill(self.servers.temporal.process)

    @contextmanager
    def worker_stopped(self, number: int = 0) -> Iterator[None]:
        """A worker stands still, its connections open; when the block ends, it goes on as if nothing had been."""
        with _stop(self.workers[number]):
            yield

    @contextmanager
    def postgres_stopped(self) -> Iterator[None]:
        """Postgres with all its processes stands still, its connections open."""
        with _stop(self.servers.postgres.process):
            yield

    @contextmanager
    def temporal_stopped(self) -> Iterator[None]:
        """Temporal stands still, its connections open."""
        with _stop(self.servers.temporal.process):
            yield

    async def well(self) -> None:
        """Wait until both servers answer again."""

        async def answering() -> bool:
            try:
                await self.store.last_position()
                await self.client.count_workflows()
            except Exception:  # noqa: BLE001 - however a server that is not there yet says so
                return False
            return True

        await until(answering)


def _kill(process: subprocess.Popen[bytes] | None) -> None:
    assert process is not None
    if process.poll() is None:
        process.kill()


@contextmanager
def _stop(process: subprocess.Popen[bytes] | None) -> Iterator[None]:
    assert process is not None
    family = _family(process.pid)
    _signal(family, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal(family, signal.SIGCONT)


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):  # killed meanwhile
            os.kill(pid, number)


def _family(root: int) -> list[int]:
    """A process that this test started, and all that it started."""
    processes, ahead = [], [root]
    while ahead:
        processes.append(ahead.pop())
        for tasks in Path(f"/proc/{processes[-1]}/task").glob("*/children"):
            ahead += map(int, tasks.read_text(encoding="ascii").split())
    return processes


@asynccontextmanager
async def breakable(
    settings: Settings, *, program: Path = HOUSE / "worker.py", workers: int = 1, **more: str
) -> AsyncIterator[Breakable]:
    """The house, its workers running; all of it is gone when the block ends."""
    async with local.servers(settings) as servers:
        await migrate(servers.owner_url, app_role=APPLICATION, auditor_role=AUDITOR)
        pool = await open_pool(servers.postgres_url)
        store = PostgresStore(pool)
        client = await temporal_client.connect_temporal(servers.temporal_address, settings)
        key = bootstrap.ensure_door_key(settings)
        await publish(store, key)
        paper = settings.home / MINUTES.name
        paper.write_bytes(PAPER)
        await open_documents(settings, store).take_file(paper, Console("person:P-1"), expected=MINUTES.sha256)
        door = Door(WorkflowCarrier(client, settings.task_queue), store, key)
        house = Breakable(settings, servers, client, store, door, program, more)
        for number in range(workers):
            house.start_worker(number)
        try:
            yield house
        finally:
            for process in house.workers.values():
                kill(process)
            await store.aclose()
            pool.terminate()
