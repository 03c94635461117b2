"""A mutant among workflows: the timer is not set again in the next run."""

from __future__ import annotations

from temporalio import workflow

from workflows.round import RoundWorkflow

with workflow.unsafe.imports_passed_through():
    from domain.kernel.envelope import WorkflowInput


@workflow.defn(name="Round")
class Unarmed(RoundWorkflow):
    """Takes everything along into its next run but its alarm."""

    @workflow.init
    def __init__(self, opening: WorkflowInput) -> None:
        known = opening.progress
        if known is not None:
            opening = opening.model_copy(update={"progress": known.model_copy(update={"due": None})})
        super().__init__(opening)

    @workflow.run
    async def run(self, opening: WorkflowInput) -> None:
        await super().run(opening)
