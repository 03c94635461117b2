"""Postgres and Temporal that a bench has to itself, migrated, and the product's own worker process on them."""

from __future__ import annotations

import asyncio
import signal
import sys
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import bootstrap
import local
from application.builds import list_pollers
from bench.surroundings import surroundings
from local import processes
from local.postgres import APPLICATION, AUDITOR
from store.migration import migrate

if TYPE_CHECKING:
    import subprocess
    from collections.abc import AsyncIterator

    from temporalio.client import Client

    from bootstrap import Settings
    from local import Servers

ROOT: Final = Path(__file__).resolve().parent.parent


@asynccontextmanager
async def own_servers(log_level: str) -> AsyncIterator[tuple[Settings, Servers]]:
    """Servers in a folder that goes with them, and its settings; this process logs at that level."""
    with tempfile.TemporaryDirectory(prefix="venture-bench-") as folder:
        settings = bootstrap.settings(home=Path(folder) / "home", log_level=log_level)
        bootstrap.configure_logging(settings)
        async with local.servers(settings) as servers:
            await migrate(servers.owner_url, app_role=APPLICATION, auditor_role=AUDITOR)
            yield settings, servers


def worker_log(home: Path) -> Path:
    """Where ``start_worker`` writes what the worker prints."""
    return home / "logs" / "worker.log"


def start_worker(home: Path, **settings: str) -> subprocess.Popen[bytes]:
    """The product's own worker process, on that folder's servers; ``settings`` are named without ``VENTURE_``."""
    return processes.spawn(
        [sys.executable, str(ROOT / "worker.py")],
        log=worker_log(home),
        when_parent_dies=signal.SIGKILL,
        env=surroundings(home, **settings),
    )


async def until_polled(client: Client, task_queue: str) -> None:
    """Come back once the worker asks for work: to be there takes it longer than an answer may, on a busy machine."""
    while not await list_pollers(client, task_queue):  # noqa: ASYNC110 - what is waited for is another process
        await asyncio.sleep(0.5)
