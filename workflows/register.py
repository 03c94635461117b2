"""Registers: organisations, funds, bases, panels, schemes, calendars. They wait for little or nothing."""

from __future__ import annotations

from temporalio import workflow

from workflows.stream import StreamWorkflow

with workflow.unsafe.imports_passed_through():
    from domain.kernel.envelope import WorkflowInput


@workflow.defn(name="Register")
class RegisterWorkflow(StreamWorkflow):
    """登記冊: open while somebody asks or a date of its own is running, e.g. a rating that expires."""

    @workflow.run
    async def run(self, _workflow_input: WorkflowInput) -> None:
        """Answer, and stay only while a deadline is running."""
        while not self.is_leaving:
            await self.wait_for_change()
        await self.end()

    @property
    def is_over(self) -> bool:
        """Whether no deadline is running."""
        progress = self.progress()
        return progress is not None and progress.due is None
