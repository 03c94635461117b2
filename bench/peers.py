"""What a lifecycle is measured against: workflows that keep no record, and workflows that record as is usual.

Both do everything else that ours do: the same payloads, search attributes and timers, in the same sandbox.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy, SearchAttributeKey, SearchAttributeUpdate

with workflow.unsafe.imports_passed_through():
    from bench import script
    from domain.kernel.envelope import Answer, CarryOut, CarryOutResult, Envelope, Progress, WorkflowInput

STAGE = SearchAttributeKey.for_keyword("VentureStage")
DUE_AT = SearchAttributeKey.for_datetime("VentureDueAt")
TRY = timedelta(seconds=5)


class _Peer:
    """Takes commands, wakes for deadlines, ends when nothing more comes."""

    @workflow.init
    def __init__(self, opening: WorkflowInput) -> None:
        self._stream = opening.stream
        self._progress: Progress | None = None
        self._over = False

    async def live(self) -> None:
        """Wait for commands and deadlines until it is over."""
        while not self._over and await self._happens():
            pass
        await workflow.wait_condition(workflow.all_handlers_finished)

    async def _happens(self) -> bool:
        """Wait for a command; whether it came before the deadline."""
        before = self._progress
        due: datetime | None = before.due if before else None
        try:
            await workflow.wait_condition(
                lambda: self._progress is not before,
                timeout=max(timedelta(0), due - workflow.now()) if due else None,
                timeout_summary=f"{before.stage} {due:%Y-%m-%dT%H:%MZ}" if before and due else None,
            )
        except TimeoutError:
            return False
        return True

    @workflow.update(name="carry_out")
    async def carry_out(self, envelope: Envelope) -> Answer | None:
        """Carry out one command."""
        return (await self._carry_out(CarryOut(stream=self._stream, now=workflow.now(), envelope=envelope))).answer

    @workflow.update(name="fall_due")
    async def fall_due(self, order: CarryOut) -> Progress:
        """One deadline of a manual clock."""
        return (await self._carry_out(order)).progress

    async def _carry_out(self, order: CarryOut) -> CarryOutResult:
        outcome = await self._do(order)
        before, progress = self._progress, outcome.progress
        changed: list[SearchAttributeUpdate[Any]] = []
        if before is None or before.stage != progress.stage:
            changed.append(STAGE.value_set(progress.stage))
        if (before.due if before else None) != progress.due:
            changed.append(DUE_AT.value_set(progress.due) if progress.due else DUE_AT.value_unset())
        if changed:
            workflow.upsert_search_attributes(changed)
        self._progress = progress
        self._over = progress.final
        return outcome

    async def _do(self, order: CarryOut) -> CarryOutResult:
        raise NotImplementedError


@workflow.defn(name="Bare")
class BareWorkflow(_Peer):
    """Keeps no record: a local activity that does nothing for each command."""

    @workflow.run
    async def run(self, _workflow_input: WorkflowInput) -> None:
        """Run until the life is over."""
        await self.live()

    async def _do(self, order: CarryOut) -> CarryOutResult:
        done: CarryOutResult = await workflow.execute_local_activity(
            "do_nothing", order, result_type=CarryOutResult, start_to_close_timeout=TRY, retry_policy=RetryPolicy()
        )
        return done


@workflow.defn(name="Usual")
class UsualWorkflow(_Peer):
    """Records each event by a regular activity of its own, in the log."""

    recording = "append"

    @workflow.run
    async def run(self, _workflow_input: WorkflowInput) -> None:
        """Run until the life is over."""
        await self.live()

    async def _do(self, order: CarryOut) -> CarryOutResult:
        step = script.step_of(order)
        for event in step.events:
            await workflow.execute_activity(self.recording, [self._stream, *event], start_to_close_timeout=TRY)
        return step.carried


@workflow.defn(name="Plain")
class PlainWorkflow(UsualWorkflow):
    """The same, in a plain table."""

    recording = "insert"

    @workflow.run
    async def run(self, _workflow_input: WorkflowInput) -> None:
        """Run until the life is over."""
        await self.live()
