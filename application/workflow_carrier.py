"""To ``carry_out`` through the stream's workflow: update-with-start, asked again while the server is merely busy."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from datetime import timedelta
from itertools import repeat
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID, uuid4
from weakref import WeakValueDictionary

from pydantic import ValidationError
from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.names import GROUP_DECISIONS
from application.door import CommandDefect, CommandInvalid, NotKnown
from deciding import captions
from domain.kernel.envelope import Answer, Bundle, BundleAnswers, CarryOut, Envelope, Progress, WorkflowInput
from domain.kernel.identifier import derive_id
from payload_codec import PayloadRefused
from workflows.kinds import workflow_type

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic import BaseModel

    from domain.kernel.identifier import StreamId

Answered = TypeVar("Answered", Answer, BundleAnswers, Progress)

MOST_BYTES = 2**19
"""Bytes of particulars beyond which no further command is taken along; Temporal takes 2 MiB."""
AT_ONCE = 8
"""Updates that one door keeps in flight on one workflow; a courtesy to the server (design.md §4)."""
MOST_STREAMS = 2_000
"""Streams of which it is remembered whether their workflow stays."""
PATIENCE = timedelta(seconds=15)
"""How long an answer may take before it is said that it is not known."""
GROUP_PATIENCE = timedelta(minutes=5)
"""The same for a decision over many streams, as a round's resolution is."""


class WorkflowCarrier:
    """Asks the workflows on one task queue."""

    def __init__(self, client: Client, task_queue: str) -> None:
        self._client = client
        self._task_queue = task_queue
        self._places: WeakValueDictionary[StreamId, asyncio.Semaphore] = WeakValueDictionary()
        self._stays: OrderedDict[StreamId, bool] = OrderedDict()
        """Whether a stream's workflow was there after an answer: then an update need not bring a start along."""

    async def carry_out(self, envelope: Envelope) -> Answer:
        """The answer of the stream's workflow."""
        async with self._place(envelope.subject):
            return await self._update("carry_out", envelope.subject, envelope, envelope.command_id, Answer)

    async def carry_out_each(self, envelopes: Sequence[Envelope]) -> list[Answer]:
        """The answers to as many of them as one update takes."""
        first = envelopes[0]
        bundle = Bundle(envelopes=tuple(_take_fitting(envelopes)))
        async with self._place(first.subject):
            each = await self._update("carry_out_each", first.subject, bundle, first.command_id, BundleAnswers)
        return list(each.answers)

    def _place(self, stream: StreamId) -> asyncio.Semaphore:
        place = self._places.get(stream)
        if place is None:
            place = self._places[stream] = asyncio.Semaphore(AT_ONCE)
        return place

    async def fall_due(self, deadline: CarryOut) -> Progress:
        """Have the stream's workflow apply what is due."""
        return await self._update(
            "fall_due", deadline.stream, deadline, derive_id("fall_due", deadline.stream), Progress
        )

    async def look(self, stream: StreamId) -> None:
        """Have the stream's workflow read the log again, starting it if it is missing."""
        await self._client.start_workflow(
            workflow_type(stream.kind), WorkflowInput(stream=stream), **self._start_options(stream), start_signal="look"
        )

    async def _update(
        self, update: str, stream: StreamId, argument: BaseModel, command_id: UUID, answers: type[Answered]
    ) -> Answered:
        """Update-with-start. The update id is fresh each time: the journal, not Temporal, makes twice once."""
        commands = {e.command for e in argument.envelopes} if isinstance(argument, Bundle) else set()
        if isinstance(argument, Envelope):
            commands = {argument.command}
        about = str(stream) if isinstance(argument, CarryOut) else str(command_id)
        patience = PATIENCE if commands.isdisjoint(GROUP_DECISIONS) else GROUP_PATIENCE
        try:
            async with asyncio.timeout(patience.total_seconds()):
                for pause_s in _pauses_s():
                    try:
                        return await self._update_once(update, stream, argument, answers, f"{command_id}/{uuid4()}")
                    except WorkflowUpdateFailedError as failed:
                        _raise_unless_run_ended(failed, command_id, about)
                    except (PayloadRefused, ValidationError) as unread:
                        raise NotKnown(command_id, "what answered did not seal its answer by a key of ours") from unread
                    except WorkflowUpdateRPCTimeoutOrCancelledError as closed:
                        give_way_if_cancelled(closed)  # else it was the connection that ended
                    except RPCError as failed:
                        if failed.status not in _PASSING:
                            raise NotKnown(command_id, str(failed)) from failed
                    await asyncio.sleep(pause_s)
            raise AssertionError  # pauses go on for ever
        except TimeoutError as late:
            raise NotKnown(command_id, f"no answer within {patience.total_seconds():.0f} s") from late

    async def _update_once(
        self, update: str, stream: StreamId, argument: BaseModel, answers: type[Answered], update_id: str
    ) -> Answered:
        answer: Answered
        if self._stays.get(stream):
            try:
                answer = await self._client.get_workflow_handle(stream).execute_update(
                    update, argument, id=update_id, result_type=answers
                )
            except RPCError as gone:
                if gone.status is not RPCStatusCode.NOT_FOUND:
                    raise
                self._stays[stream] = False
            else:
                return answer
        answer = await self._update_with_start(update, stream, argument, answers, update_id)
        self._stays.setdefault(stream, True)
        if len(self._stays) > MOST_STREAMS:
            self._stays.popitem(last=False)
        return answer

    async def _update_with_start(
        self, update: str, stream: StreamId, argument: BaseModel, answers: type[Answered], update_id: str
    ) -> Answered:
        start = self._start(stream)
        start._workflow_handle.add_done_callback(_retrieve_exception)  # noqa: SLF001 - to await it instead would let others cancel it
        answer: Answered = await self._client.execute_update_with_start_workflow(
            update, argument, start_workflow_operation=start, id=update_id, result_type=answers
        )
        return answer

    def _start(self, stream: StreamId) -> WithStartWorkflowOperation[Any, None]:
        """The start that goes with every update: the first command begins the workflow, later ones find it."""
        return WithStartWorkflowOperation(
            workflow_type(stream.kind), WorkflowInput(stream=stream), **self._start_options(stream)
        )

    def _start_options(self, stream: StreamId) -> dict[str, Any]:
        """How a stream's workflow is started by whatever comes first, unless it runs already."""
        return {
            "id": stream,
            "task_queue": self._task_queue,
            "id_conflict_policy": WorkflowIDConflictPolicy.USE_EXISTING,
            "static_summary": captions.summary(stream),
            "static_details": captions.standing_orders(stream),
        }


_PASSING = (
    RPCStatusCode.UNAVAILABLE,
    RPCStatusCode.CANCELLED,  # the server closes every connection after some minutes, and this was under way on one
    RPCStatusCode.RESOURCE_EXHAUSTED,
    RPCStatusCode.NOT_FOUND,
    RPCStatusCode.ABORTED,
    RPCStatusCode.FAILED_PRECONDITION,  # the server gave a workflow task up, as on a busy machine; the next one may do
)
"""Answers of a server that is busy or of a run that has just ended: ask again while there is patience."""


def _pauses_s() -> Iterator[float]:
    """How long to wait before each further asking, in seconds: a run that keeps ending is not begun in a hot loop."""
    yield from (0.1, 0.1, 0.2, 0.5)
    yield from repeat(1.0)


def _take_fitting(envelopes: Sequence[Envelope]) -> Iterator[Envelope]:
    """As many as one update takes, and at least the first."""
    size = 0
    for envelope in envelopes:
        if size > MOST_BYTES:
            return
        size += len(envelope.particulars)
        yield envelope


def _retrieve_exception(started: asyncio.Future[Any]) -> None:
    """The update fails with the start's own error; not retrieved here, that error would be logged as nobody's."""
    if not started.cancelled():
        started.exception()


def give_way_if_cancelled(error: Exception) -> None:
    """Raise CancelledError if the caller is cancelled: Temporal's client hides that behind an error of its own."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError from error


def _raise_unless_run_ended(failed: WorkflowUpdateFailedError, command_id: UUID, about: str) -> None:
    """An update that lost its run is asked again, as is one whose failure is another's; the rest is for the caller."""
    cause = failed.cause
    is_ours = isinstance(cause, ApplicationError) and about in cause.details[:1]
    match getattr(cause, "type", None):
        case "NotKnown":
            raise NotKnown(command_id, str(cause)) from failed
        case "Invalid" if is_ours:
            raise CommandInvalid(str(cause)) from failed
        case "Malformed" | "Defect" if is_ours:
            raise CommandDefect(str(cause)) from failed
        case _:
            return
