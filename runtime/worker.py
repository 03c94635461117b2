"""The worker, put together: workflows in their sandbox, ``carry_out`` and the followers."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import Worker, WorkerDeploymentConfig

from activities.carry_out import CommandActivities
from activities.clock import tell_clock
from activities.open_round import RoundActivities
from application.access import may_see
from application.annual_round import open_round
from application.door import Door
from application.mail import MailWriter, SeatRegister
from application.webhooks import Webhooks
from application.workflow_carrier import WorkflowCarrier
from bootstrap import Environment
from followers.agenda import AgendaFollower
from followers.outbox import OutboxFollower
from followers.schedules import RoundSchedules, ScheduleFollower
from followers.views import ViewFollower
from metrics import Metrics
from runtime.approval_service import make_approval_worker, open_endpoint
from runtime.outbox import find_address_rules, open_secret_box
from runtime.workflow_sandbox import sandbox
from workflows.annual_round import AnnualRoundWorkflow
from workflows.approval import ApprovalWorkflow
from workflows.need import NeedWorkflow
from workflows.probe import ProbeWorkflow
from workflows.project import ProjectWorkflow
from workflows.register import RegisterWorkflow
from workflows.round import RoundWorkflow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from temporalio.client import Client

    from bootstrap import Settings
    from store.outbox import OutboxStore
    from store.port import EventStore

WORKFLOWS = [
    NeedWorkflow,
    RoundWorkflow,
    ProjectWorkflow,
    ApprovalWorkflow,
    RegisterWorkflow,
    AnnualRoundWorkflow,
    ProbeWorkflow,
]
GRACE = timedelta(seconds=20)
"""How long a stopping worker lets its commands finish."""
MISSED = timedelta(seconds=2)
"""How long the server waits for the worker that knows a workflow before it asks another: after a death, callers do."""
TUNING: Mapping[str, Any] = {
    "max_cached_workflows": 1000,
    "sticky_queue_schedule_to_start_timeout": MISSED,
    "max_concurrent_workflow_tasks": 100,
    "max_concurrent_local_activities": 200,
}
"""How the worker is set, as measured (docs/benchmarks.md)."""


@asynccontextmanager
async def run_worker(
    settings: Settings, client: Client, store: EventStore, *, outbox: OutboxStore | None = None
) -> AsyncIterator[Metrics]:
    """A worker that serves as long as the block runs, then lets its commands finish; what it does, in figures.

    With an ``outbox`` it tells the outside, too.
    """
    measures = Metrics()
    commands, door = (
        CommandActivities(
            store,
            measures,
            checks_clocks=True,
            requires_office=settings.requires_office,
            requires_documents=True,
        ),
        Door(WorkflowCarrier(client, settings.task_queue), store, None),
    )
    rounds = RoundActivities(partial(open_round, door, store))
    worker = Worker(
        client,
        task_queue=settings.task_queue,
        workflows=WORKFLOWS,
        activities=[commands.carry_out, commands.carry_out_each, rounds.open_round, tell_clock],
        deployment_config=_deployment(settings),
        workflow_runner=sandbox(client.data_converter),
        graceful_shutdown_timeout=GRACE,
        **TUNING,
    )
    followers: list[Runner] = [
        AgendaFollower(store, door.look, measures),
        ScheduleFollower(store, RoundSchedules(client, settings.task_queue), measures),
        ViewFollower(store, measures),
    ]
    if outbox is not None:
        followers += _list_tellers(settings, store, outbox, measures)
    async with worker, _serve_approvals(settings, client, store, door):
        tasks = [asyncio.create_task(follower.run()) for follower in followers]
        try:
            yield measures
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


def _list_tellers(settings: Settings, store: EventStore, outbox: OutboxStore, measures: Metrics) -> list[Runner]:
    """What fills the outbox, and what empties it."""
    from followers.deliveries import Deliverer

    webhooks = Webhooks(outbox, open_secret_box(settings), find_address_rules(settings))

    async def name_log() -> str:
        return f"urn:venture:log:{(await store.genesis() or b'').hex()}"

    deliver = partial(
        Deliverer,
        outbox,
        webhooks.rules,
        webhooks.open_secrets,
        source=name_log,
        public_url=settings.public_url or "",
    )
    if settings.smtp_url is None or settings.smtp_from is None:
        return [OutboxFollower(store, outbox, may_see, measures), deliver()]
    from followers.mails import Mailer, MailServer

    writer = MailWriter(store, outbox, SeatRegister(store), may_see)
    server = MailServer(settings.smtp_url.get_secret_value(), settings.smtp_from)
    mailer = Mailer(outbox, server, writer.is_awaited, public_url=settings.public_url or "")
    filler = OutboxFollower(store, outbox, may_see, measures, list_mails=writer.list_mails)
    return [filler, deliver(notify_disabled=writer.notify_disabled), mailer]


class Runner(Protocol):
    """Whatever runs beside the worker until it is cancelled."""

    async def run(self) -> None:
        """Run until cancelled."""


@asynccontextmanager
async def _serve_approvals(settings: Settings, client: Client, store: EventStore, door: Door) -> AsyncIterator[None]:
    """Serve workflows of others that wait for approvals, where an endpoint for them is named."""
    if settings.nexus_endpoint is None:
        yield
        return
    if settings.env is not Environment.PRODUCTION:  # there an operator does, once
        await open_endpoint(client, settings.nexus_endpoint, settings.task_queue)
    async with make_approval_worker(client, store, door, settings.task_queue):
        yield


def _deployment(settings: Settings) -> WorkerDeploymentConfig | None:
    """Pinned to its build where one is named: set here and not on the workflows, so that a worker may do without."""
    if settings.build_id is None:
        return None
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(deployment_name=settings.task_queue, build_id=settings.build_id),
        use_worker_versioning=True,
        default_versioning_behavior=VersioningBehavior.PINNED,
    )
