"""The life of a project, from the first draft of its application to the archive, stage by stage."""

from __future__ import annotations

from temporalio import workflow

from workflows.stream import StreamWorkflow

with workflow.unsafe.imports_passed_through():
    from domain.kernel.envelope import WorkflowInput
    from domain.project.stage import Stage


APPLICATION = (Stage.NONE, Stage.DRAFTED, Stage.APPLIED, Stage.RETURNED, Stage.SHORTLISTED)
AWARD = (Stage.PROPOSED, Stage.IN_PUBLICITY, Stage.OBJECTION_HOLD, Stage.AWARDED)
IMPLEMENTATION = (Stage.CONTRACTED, Stage.ACTIVE, Stage.RECTIFYING, Stage.SUSPENDED)
SETTLEMENT = (Stage.FINAL_REVIEW, Stage.SETTLEMENT, Stage.TERMINATING)
AFTERWARDS = (Stage.CLOSED, Stage.TERMINATED, Stage.REVOKED)


@workflow.defn(name="Project")
class ProjectWorkflow(StreamWorkflow):
    """項目全程: what a project waits for, one phase after another; its rules and dates are in ``domain/project``."""

    @workflow.run
    async def run(self, _workflow_input: WorkflowInput) -> None:
        """Stay with the project until it is archived. An earlier phase may come again, so it is a loop."""
        while not self.is_leaving:
            await self.application()
            await self.award()
            await self.implementation()
            await self.settlement()
            await self.afterwards()
        await self.end()

    async def application(self) -> None:
        """申報、初審、評審: drafted, submitted, perhaps returned for completion, screened and scored."""
        await self.stay_in(*APPLICATION)

    async def award(self) -> None:
        """立項: proposed, posted for objection, confirmed, and the contract signed in time."""
        await self.stay_in(*AWARD)

    async def implementation(self) -> None:
        """實施: started, paid in tranches, supervised, evaluated midway; put right or suspended where need be."""
        await self.stay_in(*IMPLEMENTATION)

    async def settlement(self) -> None:
        """結項: final report, audit, final evaluation, last payment; or termination with its hearing."""
        await self.stay_in(*SETTLEMENT)

    async def afterwards(self) -> None:
        """歸檔: closed, terminated or revoked, until the file is complete and the money is back."""
        await self.stay_in(*AFTERWARDS)
