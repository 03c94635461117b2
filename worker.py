"""The worker process: ``venture-worker``, or ``python worker.py``."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from temporalio.service import RPCError

import bootstrap
from application.builds import UNVERSIONED, WorkerPlace, find_place
from application.namespace import require_own_namespace, seal_namespace
from runtime.health import Health, ServerAway, serve_health
from runtime.outbox import open_outbox
from runtime.runtime import is_polling, open_runtime
from runtime.worker import GRACE, run_worker
from store.port import StoreUnavailable

if TYPE_CHECKING:
    from bootstrap import Settings
    from runtime.runtime import Runtime

WATCHED_S = 20.0
"""From one look to the next whether the namespace still belongs to this log."""
READY_AGAIN_S = 0.2
"""From one look to the next whether Temporal has seen this worker poll."""

HELP = """\
執行工作流與活動，直到收到 SIGTERM 或 SIGINT。設置取自環境變量 VENTURE_…，見 docs/operations.md。
不設地址時，服務於本機已運行的內嵌 Postgres 與 Temporal（./run up 已為你起一個）。

runs workflows and activities until SIGTERM or SIGINT. It is set up by the environment, VENTURE_…: docs/operations.md.
Without addresses it serves the embedded Postgres and Temporal of this machine (./run up already keeps one running).

  venture-worker
  VENTURE_POSTGRES_URL_FILE=/etc/venture/secrets/postgres-url VENTURE_TEMPORAL_ADDRESS=temporal:7233 venture-worker"""

log = structlog.get_logger()


async def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Without addresses of its own it serves the embedded servers that run already.

    Raises Failure where it cannot serve, or may not any longer: the namespace belongs to another log.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with (
        open_runtime(settings, bootstrap.log_cleared, working=False, with_temporal=True, signing=False) as runtime,
        open_outbox(runtime.postgres_url) as outbox,
        run_worker(settings, runtime.client, runtime.store, outbox=outbox) as measures,
    ):
        await seal_namespace(runtime.client)
        readiness = Readiness(Health(runtime, measures))
        async with serve_health(settings, readiness.health):
            stopping = asyncio.create_task(stop.wait())
            while not stop.is_set() and not (await readiness.look() and await _is_serving(runtime)):
                await asyncio.wait({stopping}, timeout=READY_AGAIN_S)
            if not stop.is_set():
                log.info("worker.ready", task_queue=settings.task_queue)
            while not stop.is_set():
                await asyncio.wait({stopping}, timeout=WATCHED_S)
                await _require_own_log(runtime)
                await _see_to_build(runtime)
                await readiness.look()
        log.info("worker.stopping", grace_s=GRACE.total_seconds())


@dataclass
class Readiness:
    """What ``/readyz`` says, told to the log as well: once, when it changes."""

    health: Health
    trouble: str = ""
    """What was in the way when it was last looked at."""

    async def look(self) -> bool:
        """Whether a command would be carried out and answered."""
        before, self.trouble = self.trouble, ""
        try:
            await self.health.ready()
        except ServerAway as away:
            self.trouble = away.en
        if self.trouble and self.trouble != before:
            log.warning("worker.not_ready", why=self.trouble)
        return not self.trouble


async def _is_serving(runtime: Runtime) -> bool:
    """Whether Temporal has seen this very worker poll, and knows its build; not while it does not answer."""
    settings = runtime.settings
    with suppress(RPCError):
        if not await is_polling(runtime):
            return False
        place = await find_place(runtime.client, settings.task_queue, settings.build_id or UNVERSIONED)
        if place is WorkerPlace.BESIDE:
            mend = f"venture builds current {settings.build_id or 'none'} --as ADMIN#n --reason …"
            log.warning("build.not_current", build=settings.build_id, mend=mend)
        return place is not WorkerPlace.UNHEARD
    return False


async def _require_own_log(runtime: Runtime) -> None:
    """Raise where database and namespace no longer belong together; a server that does not answer is no reason."""
    with suppress(RPCError, StoreUnavailable):
        await require_own_namespace(runtime.client, runtime.store)


async def _see_to_build(runtime: Runtime) -> None:
    """Be the first build once more where Temporal has lost its data: nothing would be served until somebody said so."""
    with suppress(RPCError):
        await find_place(runtime.client, runtime.settings.task_queue, runtime.settings.build_id or UNVERSIONED)


def _log_refusal(**details: object) -> None:
    log.error("worker.refused", **details)


def main() -> None:
    """Run the worker with the settings of the environment."""
    bootstrap.run_service("venture-worker", HELP, run, _log_refusal)


if __name__ == "__main__":
    main()
