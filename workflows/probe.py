"""A workflow that serves ``venture doctor`` only: it holds updates, to see how many the server lets in at once."""

from __future__ import annotations

from temporalio import workflow


@workflow.defn(name="Probe")
class ProbeWorkflow:
    """Holds every update until it is let go, then ends."""

    @workflow.init
    def __init__(self) -> None:
        """Nothing is let go yet."""
        self._let_go = False

    @workflow.run
    async def run(self) -> None:
        """Wait to be let go."""
        await workflow.wait_condition(lambda: self._let_go)
        await workflow.wait_condition(workflow.all_handlers_finished)

    @workflow.update(name="hold")
    async def hold(self) -> None:
        """Stay in flight until let go."""
        await workflow.wait_condition(lambda: self._let_go)

    @workflow.update(name="repeat")
    async def repeat(self, word: str) -> str:
        """Say it again: whether this worker opens what a door sealed, and seals what the door opens."""
        return word

    @workflow.signal(name="let_go")
    def let_go(self) -> None:
        """Release every update that is held, and end."""
        self._let_go = True
