"""The sandbox that workflows run and are replayed in, spared a question that it is asked for each payload.

The SDK asks the sandboxed workflow, by a line of source compiled anew each time, in which context the data converter is
to see a payload: a fifth of a worker's time (docs/benchmarks.md). Ours treats all that belongs to a workflow alike, its
activities' payloads too, so the answer is given outside; only what goes to another workflow is asked about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio.api.enums.v1 import CommandType
from temporalio.converter import (
    ActivitySerializationContext,
    SerializationContext,
    StorageDriverStoreContext,
    WorkflowSerializationContext,
)
from temporalio.worker import WorkflowInstance
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

if TYPE_CHECKING:
    from temporalio.bridge.proto.workflow_activation import WorkflowActivation
    from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
    from temporalio.converter import DataConverter
    from temporalio.worker import WorkflowInstanceDetails
    from temporalio.worker._command_aware_visitor import CommandInfo
    from temporalio.workflow import Info

PASSED_THROUGH = ("domain", "activities", "asyncpg", "pydantic", "pydantic_core", "structlog")
"""Modules that the workflow sandbox does not load again: pure rules, names, and what must never be loaded twice
(asyncpg crashes the process when it is: asyncpg#1292)."""
_OF_THE_WORKFLOW_ITSELF = (
    CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
    CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
)


def sandbox(converter: DataConverter, *passed_through: str) -> SandboxedWorkflowRunner:
    """The sandbox for that converter, which lets those further modules through."""
    modules = (*PASSED_THROUGH, *passed_through)
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*modules)
    kind = OneContextSandbox if is_one_for_a_workflow(converter) else SandboxedWorkflowRunner
    return kind(restrictions=restrictions)


def is_one_for_a_workflow(converter: DataConverter) -> bool:
    """Whether the converter treats all that belongs to a workflow alike, and keeps none of it elsewhere."""
    workflow = WorkflowSerializationContext(namespace="default", workflow_id="any")
    of_activity = ActivitySerializationContext(
        namespace="default",
        workflow_id="any",
        workflow_type="Any",
        activity_id="1",
        activity_type="any",
        activity_task_queue="any",
        is_local=True,
    )
    alike = converter.with_context(workflow) is converter.with_context(of_activity)
    return alike and converter.external_storage is None


class OneContextSandbox(SandboxedWorkflowRunner):
    """A sandbox whose workflows are not asked for the context of what is their own."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """A workflow in its sandbox."""
        return _OneContext(super().create_instance(det), det.info)


class _OneContext(WorkflowInstance):
    def __init__(self, sandboxed: WorkflowInstance, info: Info) -> None:
        self._sandboxed = sandboxed
        self._context = WorkflowSerializationContext(namespace=info.namespace, workflow_id=info.workflow_id)

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        return self._sandboxed.activate(act)

    def get_serialization_context(self, command_info: CommandInfo | None) -> SerializationContext | None:
        if command_info is None or command_info.command_type in _OF_THE_WORKFLOW_ITSELF:
            return self._context
        return self._sandboxed.get_serialization_context(command_info)

    def get_external_store_context(self, _command_info: object) -> StorageDriverStoreContext:
        return StorageDriverStoreContext(target=None)

    def get_info(self) -> Info:
        return self._sandboxed.get_info()

    def get_thread_id(self) -> int | None:
        return self._sandboxed.get_thread_id()
