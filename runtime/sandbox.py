"""The sandbox that workflows run and are replayed in, spared a question that it is asked for each payload.

The SDK asks the sandboxed workflow, by a line of source compiled anew each time, in which context the data converter is
to see a payload: a fifth of a worker's time (docs/benchmarks.md). Our converter is the same in every context, so the
answer is given outside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio.converter import StorageDriverStoreContext, WorkflowSerializationContext
from temporalio.worker import WorkflowInstance
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

if TYPE_CHECKING:
    from temporalio.bridge.proto.workflow_activation import WorkflowActivation
    from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
    from temporalio.converter import DataConverter
    from temporalio.worker import WorkflowInstanceDetails
    from temporalio.workflow import Info

PASSED_THROUGH = ("domain", "activities", "asyncpg", "pydantic", "pydantic_core", "structlog")
"""Modules that the workflow sandbox does not load again: pure rules, names, and what must never be loaded twice
(asyncpg crashes the process when it is: asyncpg#1292)."""


def sandbox(converter: DataConverter, *passed_through: str) -> SandboxedWorkflowRunner:
    """The sandbox for that converter, which lets those further modules through."""
    modules = (*PASSED_THROUGH, *passed_through)
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*modules)
    kind = SandboxedWorkflowRunner if minds_context(converter) else ContextFreeSandbox
    return kind(restrictions=restrictions)


def minds_context(converter: DataConverter) -> bool:
    """Whether the converter or a part of it treats a payload by where it belongs, or keeps it elsewhere."""
    somewhere = WorkflowSerializationContext(namespace="default", workflow_id="any")
    return converter.external_storage is not None or converter.with_context(somewhere) is not converter


class ContextFreeSandbox(SandboxedWorkflowRunner):
    """A sandbox whose workflows are not asked for a context."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """A workflow in its sandbox."""
        return _ContextFree(super().create_instance(det))


class _ContextFree(WorkflowInstance):
    def __init__(self, sandboxed: WorkflowInstance) -> None:
        self._sandboxed = sandboxed

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        return self._sandboxed.activate(act)

    def get_serialization_context(self, _command_info: object) -> None:
        """None: as it is."""

    def get_external_store_context(self, _command_info: object) -> StorageDriverStoreContext:
        return StorageDriverStoreContext(target=None)

    def get_info(self) -> Info:
        return self._sandboxed.get_info()

    def get_thread_id(self) -> int | None:
        return self._sandboxed.get_thread_id()
