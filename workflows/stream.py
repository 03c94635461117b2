"""What all workflows have in common: one stream, one command at a time, one alarm clock."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy, SearchAttributeKey, SearchAttributeUpdate
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities import names
    from domain.kernel.envelope import (
        Answer,
        AnsweredEach,
        Bundle,
        Carried,
        CarriedEach,
        CarryOut,
        CarryOutEach,
        Envelope,
        Opening,
        Progress,
    )

Outcome = TypeVar("Outcome", Carried, CarriedEach)

STAGE = SearchAttributeKey.for_keyword("VentureStage")
DUE_AT = SearchAttributeKey.for_datetime("VentureDueAt")

ONE_TRY = timedelta(seconds=5)
ALL_TRIES = timedelta(seconds=8)
"""A local activity holds its workflow task: it must end before the task's ten seconds do."""
MOST_TRIES = 6
"""Tries where each fails at once, five seconds together: ``ALL_TRIES`` ends only a try that is running."""
A_WHILE = timedelta(seconds=30)
"""Before another attempt at a deadline that could not be recorded."""
A_LONG_WHILE = timedelta(hours=1)
"""Before another attempt at a deadline that met a fault of ours: only another version of the rules mends it."""
MOST_NAMED = 3
"""Commands of a bundle that are named in its summary."""
_FOR_GOOD = ("Malformed", "Defect")
"""Failures that no retry mends."""
LONG_HISTORY = 2_000
"""Events after which a run makes way for the next, unless its opening says otherwise."""


class StreamWorkflow:
    """Carries out one stream's commands in turn and wakes for its deadlines.

    It holds nothing that cannot be read back from the log: lose it, and the next command or ``look`` starts it again.
    """

    @workflow.init  # an update may come before the first line of ``run``: all state is set here
    def __init__(self, opening: Opening) -> None:
        """Know what the last run knew."""
        self._stream = opening.stream
        self._progress: Progress | None = opening.progress
        self._opening = opening
        self._turn = asyncio.Lock()
        self._looked = 0
        self._asked_to_look = 0

    @workflow.update(name="carry_out", description="一項命令 / one command")
    async def carry_out(self, envelope: Envelope) -> Answer:
        """Carry one command out. Fails with ``NotKnown`` where the outcome is not known: ask again, same id."""
        carried = await self._carry_out(CarryOut(stream=self._stream, now=workflow.now(), envelope=envelope))
        if carried.answer is None:
            message = "carry_out gave no answer"
            raise ApplicationError(message, type="Defect", non_retryable=True)
        return carried.answer

    @carry_out.validator
    def _is_for_this_stream(self, envelope: Envelope) -> None:
        if envelope.subject != self._stream:
            message = f"{envelope.subject} is not {self._stream}"
            raise ApplicationError(message, type="Malformed", non_retryable=True)

    @workflow.update(name="carry_out_each", description="若干命令，依次 / several commands in turn")
    async def carry_out_each(self, bundle: Bundle) -> AnsweredEach:
        """Carry commands out in turn. Where there are fewer answers than commands, ask again for the rest."""
        asked = CarryOutEach(stream=self._stream, now=workflow.now(), envelopes=bundle.envelopes)
        carried = await self._recorded(names.CARRY_OUT_EACH, asked, CarriedEach)
        return AnsweredEach(answers=carried.answers)

    @carry_out_each.validator
    def _are_for_this_stream(self, bundle: Bundle) -> None:
        for envelope in bundle.envelopes:
            self._is_for_this_stream(envelope)

    @workflow.update(name="fall_due", description="手動時鐘走到此刻 / the manual clock reaches this instant")
    async def fall_due(self, asked: CarryOut) -> Progress:
        """Apply what is due at that instant of a manual clock."""
        return (await self._carry_out(asked)).progress

    @fall_due.validator
    def _is_for_this_clock(self, asked: CarryOut) -> None:
        if asked.stream != self._stream or asked.envelope is not None or asked.alarm:
            message = f"{asked.stream}: not a deadline of {self._stream}"
            raise ApplicationError(message, type="Malformed", non_retryable=True)

    @workflow.update(name="settled", description="等候審批結果 / wait for an approval")
    async def settled(self, approval: str) -> str | None:
        """The verdict on that approval, once there is one; None if the run ends first: ask again."""
        if self._progress is None:
            self._asked_to_look += 1
        await workflow.wait_condition(
            lambda: self._progress is not None and (self.leaving or approval in self._progress.decided)
        )
        return self._progress.decided.get(approval) if self._progress else None

    @workflow.signal(name="look", description="重讀日誌 / read the log again")
    def look(self) -> None:
        """Something was appended from outside, or a deadline may have been missed: look at the log."""
        self._asked_to_look += 1

    @workflow.query(name="progress")
    def progress(self) -> Progress | None:
        """How the stream stands."""
        return self._progress

    async def while_in(self, *stages: str) -> None:
        """Stay as long as the stream is in one of these stages: commands are carried out, deadlines fall due."""
        while not self.leaving and (self._progress is None or self._progress.stage in stages):
            await self.something_happens()

    async def end(self) -> None:
        """Let every caller have its answer, then end; or make way for a fresh run that knows the same."""
        await workflow.wait_condition(workflow.all_handlers_finished)
        if not self.over or self._asked_to_look > self._looked:
            workflow.continue_as_new(
                self._opening.model_copy(update={"progress": self._progress}),
                initial_versioning_behavior=_next_build(),
            )

    @property
    def over(self) -> bool:
        """Whether nothing more comes by itself: the next command or ``look`` starts a new run."""
        return self._progress is not None and (self._progress.final or self._progress.version == 0)

    @property
    def leaving(self) -> bool:
        """Whether this run ends: nothing more comes, or its history has grown long."""
        return self.over or self._rolling()

    async def something_happens(self) -> None:
        """Wait for a command, a look, or the alarm; on the last two, see what is due."""
        before = self._progress
        alarm = before.due if before is not None else None
        wait = max(timedelta(0), alarm - workflow.now()) if alarm is not None else None
        try:
            await workflow.wait_condition(
                lambda: self._progress is not before or self._asked_to_look > self._looked or self._rolling(),
                timeout=wait,
                timeout_summary=before.alarm if before and alarm else None,
            )
        except TimeoutError:
            await self._see_what_is_due()
            return
        if self._asked_to_look > self._looked:
            await self._see_what_is_due()

    def _rolling(self) -> bool:
        info = workflow.info()
        return (
            info.is_continue_as_new_suggested()
            or info.is_target_worker_deployment_version_changed()
            or info.get_current_history_length() > (self._opening.long_history or LONG_HISTORY)
        )

    async def _see_what_is_due(self) -> None:
        looked = self._asked_to_look
        try:
            await self._carry_out(CarryOut(stream=self._stream, now=workflow.now(), alarm=True))
        except ApplicationError as failed:
            await self._pause(A_LONG_WHILE if failed.type in _FOR_GOOD else A_WHILE)
            return
        self._looked = looked

    async def _pause(self, wait: timedelta) -> None:
        """Leave it for a while, unless a command or a fresh ``look`` comes first."""
        before, asked = self._progress, self._asked_to_look
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self._progress is not before or self._asked_to_look > asked, timeout=wait
            )

    async def _carry_out(self, asked: CarryOut) -> Carried:
        return await self._recorded(names.CARRY_OUT, asked, Carried)

    async def _recorded(self, activity: str, asked: CarryOut | CarryOutEach, answers: type[Outcome]) -> Outcome:
        async with self._turn:
            try:
                carried: Outcome = await workflow.execute_local_activity(
                    activity,
                    asked,
                    result_type=answers,
                    summary=_in_words(asked),
                    start_to_close_timeout=ONE_TRY,
                    schedule_to_close_timeout=ALL_TRIES,
                    retry_policy=RetryPolicy(
                        initial_interval=timedelta(milliseconds=200),
                        maximum_interval=timedelta(seconds=2),
                        maximum_attempts=MOST_TRIES,
                        non_retryable_error_types=list(_FOR_GOOD),
                    ),
                )
            except (ActivityError, ApplicationError) as failed:
                raise _not_known(failed) from failed
            self._stand(carried.progress)
        return carried

    def _stand(self, progress: Progress) -> None:
        """Adopt what the log says, and show it."""
        before = self._progress
        self._progress = progress
        changed: list[SearchAttributeUpdate[Any]] = []
        if before is None or before.stage != progress.stage:
            changed.append(STAGE.value_set(progress.shown or progress.stage))
        if (before.due if before else None) != progress.due:
            changed.append(DUE_AT.value_set(progress.due) if progress.due else DUE_AT.value_unset())
        if changed:
            workflow.upsert_search_attributes(changed)
        workflow.set_current_details(progress.details)


def _in_words(asked: CarryOut | CarryOutEach) -> str:
    """What is carried out, for Temporal's own pages."""
    if isinstance(asked, CarryOutEach):
        return " · ".join(envelope.command for envelope in asked.envelopes[:MOST_NAMED])
    return asked.envelope.command if asked.envelope else "due"


def _next_build() -> workflow.ContinueAsNewVersioningBehavior | None:
    """A pinned run moves to the build that is current now; without versioning there is nothing to say."""
    if workflow.info().is_target_worker_deployment_version_changed():
        return workflow.ContinueAsNewVersioningBehavior.AUTO_UPGRADE
    return None


def _not_known(failed: ActivityError | ApplicationError) -> ApplicationError:
    """A local activity that ran out of time is an ActivityError; one that failed by itself comes as what it raised."""
    cause = failed.cause if isinstance(failed, ActivityError) else failed
    if isinstance(cause, ApplicationError) and cause.type in _FOR_GOOD:
        return ApplicationError(cause.message, type=cause.type, non_retryable=True)
    return ApplicationError("not known: ask again with the same id", type="NotKnown", non_retryable=True)
