"""Servers and a worker of a test's own, each of which may be stopped, killed and started again."""

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
from api.door import Door
from local.postgres import APPLICATION, AUDITOR
from store.migrate import migrate
from store.postgres import PostgresStore, open_pool
from tests.workflows.bureau import Bureau
from tests.workflows.processes import HOUSE, ended, worker
from tests.workflows.waiting import until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import AsyncIterator, Iterator, Mapping

    from temporalio.client import Client

    from bootstrap import Settings
    from local import Servers


@dataclass
class Frail:
    """A whole house on this machine, with nobody else in it."""

    settings: Settings
    servers: Servers
    client: Client
    store: PostgresStore
    door: Door
    program: Path = HOUSE / "worker.py"
    more: Mapping[str, str] = field(default_factory=dict)
    """What the worker's environment has besides."""
    process: subprocess.Popen[bytes] | None = None

    def bureau(self) -> Bureau:
        """A bureau in a realm of its own."""
        return Bureau(f"b-{uuid4().hex[:8]}", self.store, bootstrap.door_key(self.settings))

    def start_worker(self) -> None:
        """Start the worker process."""
        log = self.settings.home / "logs" / "worker.log"
        self.process = worker(self.settings, log, program=self.program, more=self.more)

    def kill_worker(self) -> None:
        """Kill -9 the worker process, and see it gone."""
        if self.process is not None:
            ended(self.process)

    def keep_worker(self) -> None:
        """Start the worker again if it has ended, as ``venture up`` does."""
        if self.process is None or self.process.poll() is not None:
            self.start_worker()

    def kill_postgres(self) -> None:
        """Kill -9 the postmaster; whoever keeps the servers starts it again."""
        _kill(self.servers.postgres.process)

    def kill_temporal(self) -> None:
        """Kill -9 the Temporal server; whoever keeps the servers starts it again."""
        _kill(self.servers.temporal.process)

    @contextmanager
    def postgres_stopped(self) -> Iterator[None]:
        """Postgres with all its processes stands still, its connections open."""
        with _stopped(self.servers.postgres.process):
            yield

    @contextmanager
    def temporal_stopped(self) -> Iterator[None]:
        """Temporal stands still, its connections open."""
        with _stopped(self.servers.temporal.process):
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

        await until(answering, within_s=30)


def _kill(process: subprocess.Popen[bytes] | None) -> None:
    assert process is not None
    if process.poll() is None:
        process.kill()


@contextmanager
def _stopped(process: subprocess.Popen[bytes] | None) -> Iterator[None]:
    assert process is not None
    family = _family(process.pid)
    for pid in family:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in family:
            with suppress(ProcessLookupError):  # killed meanwhile
                os.kill(pid, signal.SIGCONT)


def _family(root: int) -> list[int]:
    """A process that this test started, and all that it started."""
    found, ahead = [], [root]
    while ahead:
        found.append(ahead.pop())
        for tasks in Path(f"/proc/{found[-1]}/task").glob("*/children"):
            ahead += map(int, tasks.read_text(encoding="ascii").split())
    return found


@asynccontextmanager
async def frail(settings: Settings, *, program: Path = HOUSE / "worker.py", **more: str) -> AsyncIterator[Frail]:
    """The house, its worker running; all of it is gone when the block ends."""
    async with local.servers(settings) as servers:
        await migrate(servers.owner_url, app_role=APPLICATION, auditor_role=AUDITOR)
        pool = await open_pool(servers.postgres_url)
        store = PostgresStore(pool)
        client = await bootstrap.connect_temporal(servers.temporal_address)
        door = Door(client, store, bootstrap.door_key(settings), settings.task_queue)
        house = Frail(settings, servers, client, store, door, program, more)
        house.start_worker()
        try:
            yield house
        finally:
            house.kill_worker()
            await store.aclose()
            pool.terminate()
