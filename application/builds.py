"""The builds of the worker: which poll, which is current, and whose workflows wait for a build that is gone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest

if TYPE_CHECKING:
    from temporalio.client import Client

LONGEST_POLL = timedelta(seconds=75)
"""A worker that lives has polled within that time; Temporal goes on to name one for five minutes after its death."""


@dataclass(frozen=True)
class Poller:
    """A worker that has polled the task queue in the last five minutes."""

    identity: str
    build_id: str
    """Empty where its worker is not versioned."""
    last: datetime

    @property
    def is_fresh(self) -> bool:
        """Whether it has polled so lately that it can be alive."""
        return datetime.now(UTC) - self.last <= LONGEST_POLL


async def list_pollers(client: Client, task_queue: str) -> list[Poller]:
    """Who polls for workflows, of whichever build. Raises RPCError."""
    description = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=TaskQueue(name=task_queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
    )
    return [
        Poller(
            identity=poller.identity,
            build_id=poller.deployment_options.build_id,
            last=poller.last_access_time.ToDatetime(tzinfo=UTC),
        )
        for poller in description.pollers
    ]
