"""The life of a round: from the approved budget to the published results."""

from __future__ import annotations

from temporalio import workflow

from workflows.stream import StreamWorkflow

with workflow.unsafe.imports_passed_through():
    from domain.kernel.envelope import WorkflowInput
    from domain.round.stage import RoundStage

PLANNING = (RoundStage.NONE, RoundStage.PLANNED)
SOLICITATION = (RoundStage.SOLICITING, RoundStage.COLLECTED, RoundStage.CATALOGUED)
CALL = (RoundStage.OPEN,)
SELECTION = (RoundStage.CLOSED, RoundStage.RESOLVED)


@workflow.defn(name="Round")
class RoundWorkflow(StreamWorkflow):
    """屆次: its windows open and close by the clock; its projects go their own ways afterwards."""

    @workflow.run
    async def run(self, _workflow_input: WorkflowInput) -> None:
        """Stay with the round until its results are published or it is called off."""
        while not self.is_leaving:
            await self.planning()
            await self.solicitation()
            await self.call()
            await self.selection()
        await self.end()

    async def planning(self) -> None:
        """計劃: the budget is approved, the rules are chosen."""
        await self.stay_in(*PLANNING)

    async def solicitation(self) -> None:
        """需求徵集: the window for needs, then the catalogue of those adopted."""
        await self.stay_in(*SOLICITATION)

    async def call(self) -> None:
        """公告: bids are taken until the deadline; the call closes a minute later, as of the deadline."""
        await self.stay_in(*CALL)

    async def selection(self) -> None:
        """評審與立項: panels report, the round is resolved, results are published."""
        await self.stay_in(*SELECTION)
