"""Worker processes that a test starts, kills and starts again."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from local import processes

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping

    from bootstrap import Settings

HOUSE = Path(__file__).parents[2]


def start_worker(
    settings: Settings, log: Path, *, program: Path = HOUSE / "worker.py", more: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """A worker on that state folder and task queue; it dies with this process."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("VENTURE_") or name == "VENTURE_PG_BIN"
    }
    environment |= {
        "VENTURE_HOME": str(settings.home),
        "VENTURE_TASK_QUEUE": settings.task_queue,
        "PYTHONPATH": str(HOUSE),
        "PYTHONFAULTHANDLER": "1",
        **(more or {}),
    }
    return processes.spawn([sys.executable, str(program)], log=log, when_parent_dies=signal.SIGKILL, env=environment)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill it if it still runs, and wait until it is gone."""
    if process.poll() is None:
        process.kill()
    process.wait()
