"""The life of a need: from what somebody asks for to what the office makes of it."""

from __future__ import annotations

from temporalio import workflow

from workflows.stream import StreamWorkflow

with workflow.unsafe.imports_passed_through():
    from domain.kernel.envelope import WorkflowInput
    from domain.round.stage import NeedStage

SOLICITATION = (NeedStage.NONE, NeedStage.SUBMITTED)


@workflow.defn(name="Need")
class NeedWorkflow(StreamWorkflow):
    """需求: submitted, endorsed, and then adopted into the catalogue, rejected, merged or split."""

    @workflow.run
    async def run(self, _workflow_input: WorkflowInput) -> None:
        """Stay with the need until it is decided."""
        while not self.is_leaving:
            await self.solicitation()
        await self.end()

    async def solicitation(self) -> None:
        """需求徵集: endorsements come in until the case officer decides."""
        await self.stay_in(*SOLICITATION)
