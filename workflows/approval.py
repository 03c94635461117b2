"""The life of an approval that a service asked for: from the request to its one outcome."""

from __future__ import annotations

from temporalio import workflow

from workflows.stream import StreamWorkflow

with workflow.unsafe.imports_passed_through():
    from domain.approval.request import ApprovalStage
    from domain.kernel.envelope import WorkflowInput

DECISION = (ApprovalStage.NONE, ApprovalStage.OPEN)


@workflow.defn(name="Approval")
class ApprovalWorkflow(StreamWorkflow):
    """審批: votes come in; it is reminded of, escalated and expires by the clock."""

    @workflow.run
    async def run(self, _workflow_input: WorkflowInput) -> None:
        """Stay with it until it is decided, one way or the other."""
        while not self.is_leaving:
            await self.decision()
        await self.end()

    async def decision(self) -> None:
        """表決: those who were asked decide, each for themselves."""
        await self.stay_in(*DECISION)
