"""Workflows that were changed as nobody may change them: their histories no longer replay."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

from workflows.stream import StreamWorkflow

with workflow.unsafe.imports_passed_through():
    from domain.kernel.envelope import WorkflowInput


@workflow.defn(name="Need")
class Sleepy(StreamWorkflow):
    """Sleeps first."""

    @workflow.init
    def __init__(self, opening: WorkflowInput) -> None:
        super().__init__(opening)

    @workflow.run
    async def run(self, _workflow_input: WorkflowInput) -> None:
        await workflow.sleep(timedelta(minutes=1))
        await self.end()


@workflow.defn(name="Need")
class Deaf(StreamWorkflow):
    """Ends without carrying anything out."""

    @workflow.init
    def __init__(self, opening: WorkflowInput) -> None:
        super().__init__(opening)

    @workflow.run
    async def run(self, _workflow_input: WorkflowInput) -> None:
        return


@workflow.defn(name="Need")
class Secretive(StreamWorkflow):
    """Forgets to show how it stands."""

    @workflow.init
    def __init__(self, opening: WorkflowInput) -> None:
        super().__init__(opening)

    @workflow.run
    async def run(self, _workflow_input: WorkflowInput) -> None:
        while not self.is_leaving:
            await self.wait_for_change()
        await self.end()

    def _adopt(self, progress: object) -> None:
        self._progress = progress  # type: ignore[assignment] # a mutant
