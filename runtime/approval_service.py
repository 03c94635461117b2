"""The Nexus service ``Approvals``: callers that are Temporal workflows wait for a decision as for an operation.

It has a task queue and a worker of its own, so that whoever waits takes no place that a command needs. What crosses is
an approval's number and its verdict, in the clear, since callers have no key of ours (035).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import nexusrpc
import nexusrpc.handler
from temporalio import nexus
from temporalio.api.nexus.v1 import EndpointSpec, EndpointTarget
from temporalio.api.operatorservice.v1 import CreateNexusEndpointRequest
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Worker

from activities.approval_wait import ApprovalActivities
from application.approvals import wait_for_decision
from domain.approval.wire import ApprovalAsked, ApprovalDecided
from runtime.workflow_sandbox import sandbox
from workflows.approval_wait import ApprovalWaitWorkflow

if TYPE_CHECKING:
    from temporalio.client import Client

    from application.door import Door
    from store.port import EventStore

QUEUE = "-approvals"
"""What the service's task queue has behind the worker's own."""
MOST_WAITING = 5_000
"""Approvals that one worker waits for at once; for each of them any number of callers."""


@nexusrpc.service(name="Approvals")
class Approvals:
    """The service, as callers know it (``client/venture_client/nexus.py``)."""

    wait: nexusrpc.Operation[ApprovalAsked, ApprovalDecided]


@nexusrpc.handler.service_handler(service=Approvals)
class ApprovalsHandler:
    """Each operation is a workflow; all who wait for one approval wait for the same one."""

    @nexus.workflow_run_operation
    async def wait(
        self, ctx: nexus.WorkflowRunOperationContext, question: ApprovalAsked
    ) -> nexus.WorkflowHandle[ApprovalDecided]:
        """Wait until it is decided, as long as it takes."""
        return await ctx.start_workflow(
            ApprovalWaitWorkflow.run,
            question,
            id=f"approval-wait/{question.approval}",
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )


async def _wait(store: EventStore, door: Door, question: ApprovalAsked) -> ApprovalDecided:
    approval = (await wait_for_decision(store, door, question.approval)).approval
    return ApprovalDecided(
        approval=approval.id,
        verdict=str(approval.verdict),
        decided_by=str(approval.decided_by) if approval.decided_by else None,
        decided_at=approval.decided_at.isoformat() if approval.decided_at else None,
    )


def make_approval_worker(client: Client, store: EventStore, door: Door, task_queue: str) -> Worker:
    """The worker that serves it, beside the one for commands."""
    plain = _in_the_clear(client)
    return Worker(
        plain,
        task_queue=task_queue + QUEUE,
        workflows=[ApprovalWaitWorkflow],
        activities=[ApprovalActivities(partial(_wait, store, door)).wait_for_approval],
        nexus_service_handlers=[ApprovalsHandler()],
        workflow_runner=sandbox(plain.data_converter),
        max_concurrent_activities=MOST_WAITING,
    )


def _in_the_clear(client: Client) -> Client:
    config = client.config()
    config["data_converter"] = pydantic_data_converter
    return type(client)(**config)


async def open_endpoint(client: Client, name: str, task_queue: str) -> None:
    """See that callers find the service under that name. Raises RPCError if this login may not; an operator may."""
    worker = EndpointTarget.Worker(namespace=client.namespace, task_queue=task_queue + QUEUE)
    spec = EndpointSpec(name=name, target=EndpointTarget(worker=worker))
    try:
        await client.operator_service.create_nexus_endpoint(CreateNexusEndpointRequest(spec=spec), retry=True)
    except RPCError as refusal:
        if refusal.status is not RPCStatusCode.ALREADY_EXISTS:
            raise
