"""What a process of a bench is started in: none of this machine's settings, and bytecode kept, as ``./run`` does."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from local import postgres, processes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.postgres import Postgres


def surroundings(home: Path, **settings: str) -> dict[str, str]:
    """The environment of a process that lives in that folder; ``settings`` are named without ``VENTURE_``."""
    kept = [name for name in os.environ if not name.startswith("VENTURE_") and name != "PYTHONDONTWRITEBYTECODE"]
    return {
        **{name: os.environ[name] for name in kept},
        "PYTHONPYCACHEPREFIX": str(home / "bytecode"),
        "VENTURE_HOME": str(home),
        **{f"VENTURE_{name.upper()}": value for name, value in settings.items()},
    }


@contextmanager
def own_postgres() -> Iterator[Postgres]:
    """A Postgres that nobody else uses, in a folder that goes with it."""
    with tempfile.TemporaryDirectory(prefix="venture-bench-") as folder:
        home = Path(folder)
        (home / "logs").mkdir()
        server = postgres.start(home)
        try:
            asyncio.run(postgres.wait_until_ready(server, home))
            yield server
        finally:
            if server.process is not None:
                processes.stop(server.process, signal.SIGQUIT)


async def until_listening(port: int, *, within_s: float) -> None:
    """Come back once somebody listens there. Raises TimeoutError."""
    async with asyncio.timeout(within_s):
        while processes.is_free(port):  # noqa: ASYNC110 - what is waited for is another process
            await asyncio.sleep(0.1)
