"""The worker process: ``venture-worker``, or ``python worker.py``."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING

import structlog

import bootstrap
from domain.kernel.failure import Failure
from runtime.health import serve_health
from runtime.runtime import open_runtime
from runtime.worker import GRACE, run_worker

if TYPE_CHECKING:
    from bootstrap import Settings

log = structlog.get_logger()


def _log_cleared(zh: str, en: str) -> None:
    log.info("servers.cleared", zh=zh, en=en)


async def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Without addresses of its own it serves the embedded servers that run already."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with (
        open_runtime(settings, _log_cleared, working=False, with_temporal=True, signing=False) as runtime,
        run_worker(settings, runtime.client, runtime.store) as measures,
        serve_health(runtime, measures),
    ):
        log.info("worker.ready", task_queue=settings.task_queue)
        await stop.wait()
        log.info("worker.stopping", grace_s=GRACE.total_seconds())


def main() -> None:
    """Run the worker with the settings of the environment."""
    try:
        settings = bootstrap.settings()
        bootstrap.configure_logging(settings)
        asyncio.run(run(settings))
    except Failure as failure:
        texts = (failure.zh, failure.remedy_zh, failure.en, failure.remedy_en)
        sys.stderr.write("".join(f"{text}\n" for text in texts if text))
        sys.exit(failure.kind)


if __name__ == "__main__":
    main()
