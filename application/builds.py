"""The builds of the worker: which poll, which is current, and whose workflows wait for a build that is gone.

Temporal calls all builds of one task queue a worker deployment, and a workflow of such a build *pinned* to it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from temporalio.api.deployment.v1 import RoutingConfig
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeTaskQueueRequest,
    DescribeWorkerDeploymentRequest,
    SetWorkerDeploymentCurrentVersionRequest,
)
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError, RPCStatusCode

from domain.kernel.failure import Failure, FailureKind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from temporalio.client import Client, WorkflowExecution

LONGEST_POLL = timedelta(seconds=75)
"""A worker that lives has polled within that time; Temporal goes on to name one for five minutes after its death."""
UNVERSIONED = ""
"""The build of a worker that names none."""
NO_BUILD = "none"
"""How the unversioned build is asked for, and what the log calls it."""
STREAM_WORKFLOWS = ("Need", "Round", "Project", "Register")
"""The types of the workflows that stand for streams."""
_PINNED_TO = SearchAttributeKey.for_keyword("TemporalWorkerDeploymentVersion")
_NOT_YET = (RPCStatusCode.NOT_FOUND, RPCStatusCode.FAILED_PRECONDITION)
"""How Temporal answers of a build whose worker it has not heard of, or not of all its task queues."""


class BuildUnknown(Failure):
    """No worker of that build has ever polled this task queue."""

    kind = FailureKind.NOT_FOUND

    def __init__(self, build_id: str, why: str) -> None:
        super().__init__(
            f"Temporal 不能以 {build_id} 為現行版本：{why}", f"Temporal cannot make {build_id} current: {why}"
        )
        self.remedy_zh = f"先啟動一個 VENTURE_BUILD_ID={build_id} 的 worker；venture builds list 列出已知的版本"
        self.remedy_en = (
            f"Start a worker with VENTURE_BUILD_ID={build_id} first; venture builds list names what is known"
        )


@dataclass(frozen=True)
class Poller:
    """A worker that has polled the task queue in the last five minutes."""

    identity: str
    build_id: str
    last: datetime

    @property
    def is_fresh(self) -> bool:
        """Whether it has polled so lately that it can be alive."""
        return datetime.now(UTC) - self.last <= LONGEST_POLL


@dataclass(frozen=True)
class Build:
    """One build, with those who work for it and what waits for it."""

    build_id: str
    is_current: bool
    """Whether new runs begin on it."""
    polling: int
    silent: int
    """Workers that have polled, and not lately: they are dead, or Temporal does not hear them."""
    workflows: int
    """Open workflows that are pinned to it; of the unversioned build those that are pinned to none."""

    @property
    def is_stranded(self) -> bool:
        """Whether workflows wait for it and nobody works for it."""
        return self.workflows > 0 and not self.polling and self.build_id != UNVERSIONED

    @property
    def may_be_gone(self) -> bool:
        """Whether workflows wait for it, which is not current, and its workers may have stopped since they polled."""
        return self.workflows > 0 and self.polling > 0 and not self.is_current and self.build_id != UNVERSIONED

    def as_json(self) -> dict[str, Any]:
        """As JSON, counts as they are; ``build`` is null for workers without a build id."""
        return {
            "build": self.build_id or None,
            "current": self.is_current,
            "polling": self.polling,
            "silent": self.silent,
            "workflows": self.workflows,
            "stranded": self.is_stranded,
        }


async def list_pollers(client: Client, task_queue: str) -> list[Poller]:
    """Who polls for workflows, of whichever build. Raises RPCError."""
    description = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=TaskQueue(name=task_queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        ),
        retry=True,
    )
    return [
        Poller(
            identity=poller.identity,
            build_id=poller.deployment_options.build_id,
            last=poller.last_access_time.ToDatetime(tzinfo=UTC),
        )
        for poller in description.pollers
    ]


async def read_current(client: Client, task_queue: str) -> str:
    """The build that new runs begin on; ``UNVERSIONED`` where none is set. Raises RPCError."""
    return (await _read_routing(client, task_queue)).current_deployment_version.build_id


async def _read_routing(client: Client, task_queue: str) -> RoutingConfig:
    """Which build is current and since when; empty where Temporal has heard of no build yet. Raises RPCError."""
    request = DescribeWorkerDeploymentRequest(namespace=client.namespace, deployment_name=task_queue)
    try:
        deployment = await client.workflow_service.describe_worker_deployment(request, retry=True)
    except RPCError as unknown:
        if unknown.status is not RPCStatusCode.NOT_FOUND:
            raise
        return RoutingConfig()
    return deployment.worker_deployment_info.routing_config


async def set_current(client: Client, task_queue: str, build_id: str) -> None:
    """Have new runs begin on that build, and open ones move to it as they make way. Raises BuildUnknown, RPCError."""
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=client.namespace,
        deployment_name=task_queue,
        build_id=build_id,
        ignore_missing_task_queues=True,
        allow_no_pollers=build_id == UNVERSIONED,
    )
    try:
        await client.workflow_service.set_worker_deployment_current_version(request, retry=True)
    except RPCError as refused:
        if refused.status not in _NOT_YET:
            raise
        raise BuildUnknown(build_id or "-", refused.message) from refused


class WorkerPlace(Enum):
    """Where a worker that has just started stands among the builds."""

    SERVING = auto()
    """New runs begin on its build."""
    BESIDE = auto()
    """Another build is current: it serves what is pinned to its own, until it is made current."""
    UNHEARD = auto()
    """Temporal has not heard of its build yet."""


async def find_place(client: Client, task_queue: str, build_id: str) -> WorkerPlace:
    """Where that build stands. The first one of all makes itself current: without that nothing would ever be served.

    So it does again in a cluster that has lost its data; never where somebody has said that none is to be.
    Raises RPCError.
    """
    routing = await _read_routing(client, task_queue)
    current = routing.current_deployment_version.build_id
    if build_id != UNVERSIONED and not current and not routing.HasField("current_version_changed_time"):
        try:
            await set_current(client, task_queue, build_id)
        except BuildUnknown:
            return WorkerPlace.UNHEARD
        return WorkerPlace.SERVING
    return WorkerPlace.SERVING if current == build_id else WorkerPlace.BESIDE


async def iterate_open(client: Client) -> AsyncIterator[tuple[str, str]]:
    """Every open workflow that stands for a stream, with the build that it is pinned to. Raises RPCError."""
    async for workflow in client.list_workflows("ExecutionStatus = 'Running'"):
        if workflow.workflow_type in STREAM_WORKFLOWS:
            yield workflow.id, _read_build(workflow)


def _read_build(workflow: WorkflowExecution) -> str:
    """Of ``deployment:build`` the build; a workflow that no worker has seen yet is pinned to none."""
    return (workflow.typed_search_attributes.get(_PINNED_TO) or "").rpartition(":")[2]


async def list_builds(client: Client, task_queue: str) -> list[Build]:
    """Every build that polls, is current, or has workflows. Raises RPCError."""
    pollers, current = await list_pollers(client, task_queue), await read_current(client, task_queue)
    workflows = Counter([build_id async for _, build_id in iterate_open(client)])
    known = sorted({current, *workflows, *(poller.build_id for poller in pollers)})
    return [
        Build(
            build_id=build_id,
            is_current=build_id == current,
            polling=len({p.identity for p in pollers if p.build_id == build_id and p.is_fresh}),
            silent=len({p.identity for p in pollers if p.build_id == build_id and not p.is_fresh}),
            workflows=workflows[build_id],
        )
        for build_id in known
    ]


async def find_stranded(client: Client, task_queue: str, opened: Mapping[str, str]) -> frozenset[str]:
    """Of those open workflows, by id with their build, the ones that wait for a build that nobody works for."""
    served = {poller.build_id for poller in await list_pollers(client, task_queue) if poller.is_fresh}
    return frozenset(w for w, build_id in opened.items() if build_id != UNVERSIONED and build_id not in served)
