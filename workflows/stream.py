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
        Bundle,
        BundleAnswers,
        BundleRequest,
        BundleResult,
        CarryOut,
        CarryOutResult,
        Envelope,
        Progress,
        WorkflowInput,
    )

Result = TypeVar("Result", CarryOutResult, BundleResult)

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
_FOR_GOOD = ("Malformed", "Invalid", "Defect")
"""Failures that no retry mends."""
TRIES = RetryPolicy(
    initial_interval=timedelta(milliseconds=200),
    maximum_interval=timedelta(seconds=2),
    maximum_attempts=MOST_TRIES,
    non_retryable_error_types=list(_FOR_GOOD),
)
GROUP_PATCH = "group-decisions-are-activities"
GROUP_TRY = timedelta(minutes=2)
GROUP_TRIES = timedelta(minutes=4)
"""The door is patient for longer (application/door.py)."""
HEARTBEAT = timedelta(seconds=20)
"""A worker that died is replaced after so long without a sign."""
LONG_HISTORY = 2_000
"""Events after which a run makes way for the next, unless its input says otherwise."""


class StreamWorkflow:
    """Carries out one stream's commands in turn and wakes for its deadlines.

    It holds nothing that cannot be read back from the log: lose it, and the next command or ``look`` starts it again.
    """

    @workflow.init  # an update may come before the first line of ``run``: all state is set here
    def __init__(self, workflow_input: WorkflowInput) -> None:
        self._stream = workflow_input.stream
        self._progress: Progress | None = workflow_input.progress
        self._workflow_input = workflow_input
        self._lock = asyncio.Lock()
        self._looks_done = 0
        self._looks_requested = 0

    @workflow.update(name="carry_out", description="一項命令 / one command")
    async def carry_out(self, envelope: Envelope) -> Answer:
        """Carry one command out. Fails with ``NotKnown`` where the outcome is not known: ask again, same id."""
        result = await self._carry_out(CarryOut(stream=self._stream, now=workflow.now(), envelope=envelope))
        if result.answer is None:
            message = "carry_out gave no answer"
            raise ApplicationError(message, type="Defect", non_retryable=True)
        return result.answer

    @carry_out.validator
    def _require_this_stream(self, envelope: Envelope) -> None:
        if envelope.subject != self._stream:
            message = f"{envelope.subject} is not {self._stream}"
            raise ApplicationError(message, type="Malformed", non_retryable=True)

    @workflow.update(name="carry_out_each", description="若干命令，依次 / several commands in turn")
    async def carry_out_each(self, bundle: Bundle) -> BundleAnswers:
        """Carry commands out in turn. Where there are fewer answers than commands, ask again for the rest."""
        request = BundleRequest(stream=self._stream, now=workflow.now(), envelopes=bundle.envelopes)
        result = await self._record(names.CARRY_OUT_EACH, request, BundleResult)
        return BundleAnswers(answers=result.answers)

    @carry_out_each.validator
    def _require_each_this_stream(self, bundle: Bundle) -> None:
        for envelope in bundle.envelopes:
            self._require_this_stream(envelope)

    @workflow.update(name="fall_due", description="手動時鐘走到此刻 / the manual clock reaches this instant")
    async def fall_due(self, request: CarryOut) -> Progress:
        """Apply what is due at that instant of a manual clock."""
        return (await self._carry_out(request)).progress

    @fall_due.validator
    def _require_this_clock(self, request: CarryOut) -> None:
        if request.stream != self._stream or request.envelope is not None or request.alarm:
            message = f"{request.stream}: not a deadline of {self._stream}"
            raise ApplicationError(message, type="Malformed", non_retryable=True)

    @workflow.update(name="settled", description="等候審批結果 / wait for an approval")
    async def settled(self, approval: str) -> str | None:
        """Of runs recorded before waiting left the update path (015): the verdict on that approval, or None."""
        if self._progress is None:
            self._looks_requested += 1
        await workflow.wait_condition(
            lambda: self._progress is not None and (self.is_leaving or approval in self._progress.decided)
        )
        return self._progress.decided.get(approval) if self._progress else None

    @settled.validator
    def _waits_elsewhere(self, approval: str) -> None:  # noqa: ARG002 - of the handler's form
        """Let nobody wait here any more, where every place that is taken is lacking to a command."""
        message = "to wait for an approval, read the log"
        raise ApplicationError(message, type="Malformed", non_retryable=True)

    @workflow.signal(name="look", description="重讀日誌 / read the log again")
    def look(self) -> None:
        """Something was appended from outside, or a deadline may have been missed: look at the log."""
        self._looks_requested += 1

    @workflow.query(name="progress")
    def progress(self) -> Progress | None:
        """How far the stream has come, for queries."""
        return self._progress

    async def stay_in(self, *stages: str) -> None:
        """Stay as long as the stream is in one of these stages: commands are carried out, deadlines fall due."""
        while not self.is_leaving and (self._progress is None or self._progress.stage in stages):
            await self.wait_for_change()

    async def end(self) -> None:
        """Let every caller have its answer, then end; or make way for a fresh run that knows the same."""
        await workflow.wait_condition(workflow.all_handlers_finished)
        if not self.is_over or self._is_look_due():
            workflow.continue_as_new(
                self._workflow_input.model_copy(update={"progress": self._progress}),
                initial_versioning_behavior=_next_build(),
            )

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes by itself: the next command or ``look`` starts a new run."""
        return self._progress is not None and (self._progress.final or self._progress.version == 0)

    @property
    def is_leaving(self) -> bool:
        """Whether this run ends: nothing more comes, or its history has grown long."""
        return self.is_over or self._is_to_continue_as_new()

    async def wait_for_change(self) -> None:
        """Wait for a command, a look, or the alarm; on the last two, see what is due."""
        before = self._progress
        alarm = before.due if before is not None else None
        wait = max(timedelta(0), alarm - workflow.now()) if alarm is not None else None
        try:
            await workflow.wait_condition(
                lambda: self._progress is not before or self._is_look_due() or self._is_to_continue_as_new(),
                timeout=wait,
                timeout_summary=before.alarm if before and alarm else None,
            )
        except TimeoutError:
            await self._apply_due()
            return
        if self._is_look_due():
            await self._apply_due()

    def _is_look_due(self) -> bool:
        return self._looks_requested > self._looks_done

    def _is_to_continue_as_new(self) -> bool:
        info = workflow.info()
        return (
            info.is_continue_as_new_suggested()
            or info.is_target_worker_deployment_version_changed()
            or info.get_current_history_length() > (self._workflow_input.long_history or LONG_HISTORY)
        )

    async def _apply_due(self) -> None:
        looks = self._looks_requested
        try:
            await self._carry_out(CarryOut(stream=self._stream, now=workflow.now(), alarm=True))
        except ApplicationError as failed:
            await self._pause(A_LONG_WHILE if failed.type in _FOR_GOOD else A_WHILE)
            return
        self._looks_done = looks

    async def _pause(self, wait: timedelta) -> None:
        """Leave it for a while, unless a command or a fresh ``look`` comes first."""
        before, looks = self._progress, self._looks_requested
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self._progress is not before or self._looks_requested > looks, timeout=wait
            )

    async def _carry_out(self, request: CarryOut) -> CarryOutResult:
        return await self._record(names.CARRY_OUT, request, CarryOutResult)

    async def _record(self, activity: str, request: CarryOut | BundleRequest, answers: type[Result]) -> Result:
        async with self._lock:
            try:
                if _is_group_decision(request) and workflow.patched(GROUP_PATCH):
                    result = await self._decide_group(activity, request, answers)
                else:
                    result = await workflow.execute_local_activity(
                        activity,
                        request,
                        result_type=answers,
                        summary=_summary(request),
                        start_to_close_timeout=ONE_TRY,
                        schedule_to_close_timeout=ALL_TRIES,
                        retry_policy=TRIES,
                    )
            except (ActivityError, ApplicationError) as failed:
                raise _not_known(failed, request) from failed
            self._adopt(result.progress)
        return result

    async def _decide_group(self, activity: str, request: CarryOut | BundleRequest, answers: type[Result]) -> Result:
        """An activity of its own, with a heartbeat: the workflow's tasks go on meanwhile, and other streams' too."""
        result: Result = await workflow.execute_activity(
            activity,
            request,
            result_type=answers,
            summary=_summary(request),
            start_to_close_timeout=GROUP_TRY,
            schedule_to_close_timeout=GROUP_TRIES,
            heartbeat_timeout=HEARTBEAT,
            retry_policy=TRIES,
        )
        return result

    def _adopt(self, progress: Progress) -> None:
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


def _is_group_decision(request: CarryOut | BundleRequest) -> bool:
    """Whether a command among these decides over many streams."""
    envelopes = request.envelopes if isinstance(request, BundleRequest) else (request.envelope,)
    return any(envelope is not None and envelope.command in names.GROUP_DECISIONS for envelope in envelopes)


def _summary(request: CarryOut | BundleRequest) -> str:
    """What is carried out, for Temporal's own pages."""
    if isinstance(request, BundleRequest):
        return " · ".join(envelope.command for envelope in request.envelopes[:MOST_NAMED])
    return request.envelope.command if request.envelope else "due"


def _next_build() -> workflow.ContinueAsNewVersioningBehavior | None:
    """A pinned run moves to the build that is current now; without versioning there is nothing to say."""
    if workflow.info().is_target_worker_deployment_version_changed():
        return workflow.ContinueAsNewVersioningBehavior.AUTO_UPGRADE
    return None


def _not_known(failed: ActivityError | ApplicationError, request: CarryOut | BundleRequest) -> ApplicationError:
    """A local activity that ran out of time is an ActivityError; one that failed by itself comes as what it raised.

    It names the command that it is about, or without one the stream: the door believes no failure given to another.
    """
    envelope = request.envelopes[0] if isinstance(request, BundleRequest) else request.envelope
    about = str(envelope.command_id) if envelope is not None else str(request.stream)
    cause = failed.cause if isinstance(failed, ActivityError) else failed
    if isinstance(cause, ApplicationError) and cause.type in _FOR_GOOD:
        return ApplicationError(cause.message, about, type=cause.type, non_retryable=True)
    if isinstance(cause, ApplicationError) and cause.type == "ClocksDisagree":
        return ApplicationError(cause.message, type="NotKnown", non_retryable=True)
    return ApplicationError("not known: ask again with the same id", type="NotKnown", non_retryable=True)
