"""The worker process: workflows, ``carry_out`` and the followers. ``venture-worker`` or ``python worker.py``."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import Worker, WorkerDeploymentConfig
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

import bootstrap
from activities.agenda import AgendaFollower
from activities.carrying_out import Registrar
from api.door import Door
from cli.health import answering
from cli.office import opened
from cli.speaking import Form, Voice
from workflows.need import NeedWorkflow
from workflows.probe import ProbeWorkflow
from workflows.project import ProjectWorkflow
from workflows.register import RegisterWorkflow
from workflows.round import RoundWorkflow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from temporalio.client import Client

    from bootstrap import Settings
    from store.port import EventStore

WORKFLOWS = [NeedWorkflow, RoundWorkflow, ProjectWorkflow, RegisterWorkflow, ProbeWorkflow]
PASSED_THROUGH = ("domain", "activities", "asyncpg", "pydantic", "pydantic_core", "structlog")
"""Modules that the workflow sandbox does not load again: pure rules, names, and what must never be loaded twice
(asyncpg crashes the process when it is: asyncpg#1292)."""
GRACE = timedelta(seconds=20)
"""How long a stopping worker lets its commands finish."""

log = structlog.get_logger()


@asynccontextmanager
async def serving(settings: Settings, client: Client, store: EventStore) -> AsyncIterator[Registrar]:
    """A worker that serves as long as the block runs, then lets its commands finish; who carries its commands out."""
    key = bootstrap.door_key(settings)
    registrar = Registrar(store, key)
    worker = Worker(
        client,
        task_queue=settings.task_queue,
        workflows=WORKFLOWS,
        activities=[registrar.carry_out],
        deployment_config=_deployment(settings),
        workflow_runner=SandboxedWorkflowRunner(
            restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
        ),
        max_cached_workflows=1000,
        max_concurrent_workflow_tasks=100,
        max_concurrent_local_activities=200,
        graceful_shutdown_timeout=GRACE,
    )
    follower = AgendaFollower(store, Door(client, store, key, settings.task_queue).look)
    async with worker:
        following = asyncio.create_task(follower.run())
        try:
            yield registrar
        finally:
            following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await following


def _deployment(settings: Settings) -> WorkerDeploymentConfig | None:
    """Pinned to its build where one is named: set here and not on the workflows, so that a worker may do without."""
    if settings.build_id is None:
        return None
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(deployment_name=settings.task_queue, build_id=settings.build_id),
        use_worker_versioning=True,
        default_versioning_behavior=VersioningBehavior.PINNED,
    )


async def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Without addresses of its own it serves the embedded servers that run already."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with (
        opened(settings, Voice.of(Form.TABLE, None), working=False) as office,
        serving(settings, office.client, office.store) as registrar,
        answering(settings.health_port, office, registrar.endings),
    ):
        log.info("worker.ready", task_queue=settings.task_queue)
        await stop.wait()
        log.info("worker.stopping", grace_s=GRACE.total_seconds())


def main() -> None:
    """Run the worker with the settings of the environment."""
    settings = bootstrap.settings()
    bootstrap.configure_logging(settings)
    asyncio.run(run(settings))


if __name__ == "__main__":
    main()
