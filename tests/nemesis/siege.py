"""An installation under siege: two workers and the callers' doors, each behind links of its own to both servers."""

from __future__ import annotations

import os
import random
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import bootstrap
import temporal_client
from application.door import Door
from application.workflow_carrier import WorkflowCarrier
from local import processes
from local.postgres import APPLICATION, DATA
from local.servers import _try_lock
from store.postgres import PostgresStore, open_pool
from tests.nemesis.links import Link
from tests.workflows.breakable import Breakable, breakable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from temporalio.client import Client

    from bootstrap import Settings

AFFLICTED = Path(__file__).with_name("afflicted.py")
WORKERS = 2


@dataclass(frozen=True)
class Siege:
    """A frail house, the links in it, and how callers get in; ``frail`` itself sees everything as it is."""

    frail: Breakable
    links: dict[str, Link]
    client: Client
    """The callers', as are the next two."""
    store: PostgresStore
    doors: tuple[Door, Door]


@asynccontextmanager
async def siege(
    settings: Settings, seed: int, *, affliction: str = "forgetful", workers: int = WORKERS
) -> AsyncIterator[Siege]:
    """The house as long as the block runs; afterwards nothing of it may be left (``remains``)."""
    dice = random.Random(seed)  # noqa: S311 - how long a packet takes, no secret
    async with (
        breakable(settings, program=AFFLICTED, workers=0, AFFLICTION=affliction, SEED=str(seed)) as house,
        AsyncExitStack() as stack,
    ):
        pg, tl = house.servers.postgres, house.servers.temporal
        ports = {"postgres": pg.port, "temporal": tl.port}
        links = {
            f"{who}–{what}": await stack.enter_async_context(Link(port, dice).standing())
            for who in ("worker", "callers")
            for what, port in ports.items()
        }
        urls = {
            who: pg.url(APPLICATION).replace(f":{pg.port}/", f":{links[f'{who}–postgres'].port}/")
            for who in ("worker", "callers")
        }
        house.more = {
            **house.more,
            "VENTURE_POSTGRES_URL": urls["worker"],
            "VENTURE_TEMPORAL_ADDRESS": f"127.0.0.1:{links['worker–temporal'].port}",
        }
        for number in range(workers):
            house.start_worker(number)
        client = await temporal_client.connect_temporal(f"127.0.0.1:{links['callers–temporal'].port}", settings)
        pool = await open_pool(urls["callers"])
        stack.callback(pool.terminate)
        store = await stack.enter_async_context(aclosing(PostgresStore(pool)))
        key, queue = bootstrap.find_door_key(settings), settings.task_queue
        doors = Door(WorkflowCarrier(client, queue), store, key), Door(WorkflowCarrier(client, queue), store, key)
        yield Siege(house, links, client, store, doors)


def remains(settings: Settings, house: Siege) -> Iterator[str]:
    """I13: what is still there of a house that was closed: a process, a port, a lock, a file half written."""
    folders = {str(settings.home).encode(), str((settings.home / DATA).resolve()).encode()}
    for pid in (int(name) for name in os.listdir("/proc") if name.isdigit()):  # noqa: PTH208 - names, not paths
        if pid != os.getpid() and processes.is_alive(pid) and _belongs_to(pid, folders):
            yield f"process {pid}"
    servers = house.frail.servers
    for port in (servers.postgres.port, servers.temporal.port, *(link.port for link in house.links.values())):
        if not processes.is_free(port):
            yield f"port {port}"
    for name in ("servers.json", "servers.json.new", "pgdata.new", "pgdata/postmaster.pid", "temporal.db-journal"):
        if (settings.home / name).exists():
            yield name
    for name in ("lock", "guests"):
        lock = _try_lock(settings.home, name)
        if lock is None:
            yield name
        else:
            lock.close()


def _belongs_to(pid: int, folders: set[bytes]) -> bool:
    """Whether that process works for one of those folders, as far as we may look."""
    about = b""
    for what in ("cmdline", "environ"):
        with suppress(OSError):  # gone since, or another user's
            about += Path(f"/proc/{pid}/{what}").read_bytes()
    return any(folder in about for folder in folders)
