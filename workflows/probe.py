"""A workflow that serves ``venture doctor`` only: how many updates the server lets in, and how its worker fares."""

from __future__ import annotations

from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities import names

LONGEST_TELLING = timedelta(seconds=5)


@workflow.defn(name="Probe")
class ProbeWorkflow:
    """Holds every update until it is let go, then ends."""

    @workflow.init
    def __init__(self) -> None:
        self._let_go = False

    @workflow.run
    async def run(self) -> None:
        """Run until it is let go."""
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

    @workflow.update(name="tell_clock")
    async def tell_clock(self) -> datetime:
        """What time it is on this worker's machine, which a workflow does not know: its own time is the server's."""
        moment: datetime = await workflow.execute_local_activity(
            names.TELL_CLOCK,
            result_type=datetime,
            start_to_close_timeout=LONGEST_TELLING,
            retry_policy=RetryPolicy(maximum_attempts=1),
        )
        return moment

    @workflow.signal(name="let_go")
    def let_go(self) -> None:
        """Release every update that is held, and end."""
        self._let_go = True
