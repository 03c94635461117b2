"""The workflow's own histories, if Temporal still keeps them: replayed on today's code, and held against the journal.

Replaying checks which commands a workflow issues, not what they carry; so every answer in a history, given to a caller
or handed over by ``carry_out``, is compared with the journal as well.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, assert_never

from pydantic import ValidationError
from temporalio.client import WorkflowHistory
from temporalio.converter import WorkflowSerializationContext
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Replayer

from audit.finding import NOTHING
from deciding.journal import read_answer
from deciding.manual_clock import may_be_unrecorded
from domain.kernel.envelope import Answer, Bundle, BundleAnswers, BundleResult, CarryOutResult, Ending, Envelope
from store.port import EntryKind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
    from uuid import UUID

    from temporalio.api.common.v1 import Payload
    from temporalio.api.history.v1 import HistoryEvent
    from temporalio.client import Client
    from temporalio.converter import DataConverter
    from temporalio.worker import WorkflowRunner

    from domain.kernel.identifier import StreamId
    from store.port import Entry, EventStore

_LOCAL_ACTIVITY: Final = "core_local_activity"
"""The marker by which the SDK keeps a local activity's result."""
_UPDATES: Final[Mapping[str, tuple[type[Envelope | Bundle], type[Answer | BundleAnswers]]]] = {
    "carry_out": (Envelope, Answer),
    "carry_out_each": (Bundle, BundleAnswers),
}
"""The updates by which commands come, with what they carry and what is answered."""
_FINAL: Final = (Ending.ACCEPTED, Ending.REFUSED)
"""Only outcomes are journalled."""


@dataclass(frozen=True)
class ReplaySettings:
    """How a worker runs workflows: replaying must do it the same way."""

    workflows: Sequence[type]
    runner: WorkflowRunner
    converter: DataConverter
    """How histories are read: those that were recorded in the clear, too."""


@dataclass(frozen=True)
class WorkflowRun:
    """One run of the workflow."""

    run_id: str
    events: int
    answers: int
    """Answers in it that were found in the journal with the same outcome."""
    unrecorded: int = 0
    """Refusals by the realm's clock, which are never journalled."""
    failure: str = ""
    """Why it does not replay; empty if it does."""
    differences: tuple[str, ...] = ()
    """Answers that are not in the journal, or otherwise there."""

    @property
    def ok(self) -> bool:
        """Whether it replays and agrees with the journal."""
        return not self.failure and not self.differences

    def as_json(self) -> dict[str, Any]:
        """As JSON; ``failure`` is empty where the history was replayed."""
        return {
            "run_id": self.run_id,
            "events": self.events,
            "answers": self.answers,
            "unrecorded": self.unrecorded,
            "failure": self.failure,
            "differences": list(self.differences),
        }


@dataclass(frozen=True)
class Histories:
    """All runs that the server still keeps, oldest first. It forgets closed ones: none kept is no difference."""

    temporal_answered: bool = True
    """Whether there was a server to ask."""
    runs: tuple[WorkflowRun, ...] = ()

    @property
    def has_runs(self) -> bool:
        """Whether there is anything to replay."""
        return bool(self.runs)

    @property
    def ok(self) -> bool:
        """Whether every run that is kept agrees."""
        return all(run.ok for run in self.runs)

    def as_json(self) -> dict[str, Any]:
        """As JSON; ``asked`` is false where Temporal did not answer."""
        return {
            "ok": self.ok,
            "asked": self.temporal_answered,
            "kept": self.has_runs,
            "runs": [run.as_json() for run in self.runs],
        }


async def replay_histories(
    store: EventStore, client: Client, stream: StreamId, replay_settings: ReplaySettings
) -> Histories:
    """Replay every run that is kept. Raises RPCError if Temporal does not answer."""
    journal = await JournalledAnswers.read(store, stream)
    replayer = Replayer(
        workflows=replay_settings.workflows,
        workflow_runner=replay_settings.runner,
        data_converter=replay_settings.converter,
        namespace=client.namespace,
    )
    runs = []
    async for history in _iterate_histories(client, stream):
        result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
        failure = "" if result.replay_failure is None else str(result.replay_failure)
        answers = await Answers.read(history, replay_settings.converter, client.namespace)
        differences = tuple(journal.differences(answers))
        unrecorded = sum(map(may_be_unrecorded, answers))
        agreed = sum(map(_is_recorded, answers)) - len(differences)
        runs.append(WorkflowRun(history.run_id, len(history.events), agreed, unrecorded, failure, differences))
    return Histories(runs=tuple(runs))


async def _iterate_histories(client: Client, stream: StreamId) -> AsyncIterator[WorkflowHistory]:
    """The histories of all runs, oldest first: the list lags behind, so the newest run is asked for by itself."""
    runs = {e.run_id: e.start_time async for e in client.list_workflows(f"WorkflowId = '{stream}'")}
    try:
        newest = await client.get_workflow_handle(stream).describe()
        runs[newest.run_id] = newest.start_time
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
    for run_id in sorted(runs, key=lambda run: runs[run]):
        try:
            yield await client.get_workflow_handle(stream, run_id=run_id).fetch_history()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:  # forgotten since it was listed
                raise


@dataclass
class Answers:
    """What one history says was answered."""

    of_updates: list[tuple[UUID, Answer]] = field(default_factory=list)
    """What callers were answered, with the command's id, in order."""
    from_activities: list[Answer] = field(default_factory=list)
    """What ``carry_out`` and ``carry_out_each`` gave the workflow, in order."""

    def __iter__(self) -> Iterator[Answer]:
        """Every answer: those to callers first, then those of activities."""
        return chain((answer for _, answer in self.of_updates), self.from_activities)

    @classmethod
    async def read(cls, history: WorkflowHistory, converter: DataConverter, namespace: str) -> Answers:
        """Collect them. An update that has no outcome yet, or failed as not known, says nothing."""
        answers = cls()
        converter = converter.with_context(WorkflowSerializationContext(namespace, history.workflow_id))
        requests: dict[str, tuple[Envelope | Bundle, type[Answer | BundleAnswers]]] = {}
        for event in history.events:
            for name, update_id, payloads in _iterate_accepted_updates(event):
                if name in _UPDATES:
                    request_type, answer_type = _UPDATES[name]
                    requests[update_id] = ((await converter.decode(payloads, [request_type]))[0], answer_type)
            for update_id, payloads in _iterate_completed_updates(event):
                if update_id in requests:
                    request, answer_type = requests[update_id]
                    decoded = _list_answers((await converter.decode(payloads, [answer_type]))[0])
                    envelopes = request.envelopes if isinstance(request, Bundle) else (request,)
                    answers.of_updates.extend((e.command_id, a) for e, a in zip(envelopes, decoded, strict=False))
            for payloads in _iterate_activity_results(event):
                (result,) = await converter.decode(payloads, [CarryOutResult | BundleResult])  # type: ignore[list-item] # a union is a type to the converter
                answers.from_activities.extend(_list_answers(result))
        return answers


def _list_answers(result: Answer | BundleAnswers | CarryOutResult) -> tuple[Answer, ...]:
    """The answers in it; a bundle may have been answered in part."""
    match result:
        case Answer():
            return (result,)
        case BundleAnswers():
            return result.answers
        case CarryOutResult():
            return (result.answer,) if result.answer is not None else ()
        case _:
            assert_never(result)


def _iterate_accepted_updates(event: HistoryEvent) -> Iterator[tuple[str, str, Sequence[Payload]]]:
    if event.HasField("workflow_execution_update_accepted_event_attributes"):
        request = event.workflow_execution_update_accepted_event_attributes.accepted_request
        yield request.input.name, request.meta.update_id, request.input.args.payloads


def _iterate_completed_updates(event: HistoryEvent) -> Iterator[tuple[str, Sequence[Payload]]]:
    if event.HasField("workflow_execution_update_completed_event_attributes"):
        completed = event.workflow_execution_update_completed_event_attributes
        if completed.outcome.HasField("success"):
            yield completed.meta.update_id, completed.outcome.success.payloads


def _iterate_activity_results(event: HistoryEvent) -> Iterator[Sequence[Payload]]:
    if event.HasField("marker_recorded_event_attributes"):
        marker = event.marker_recorded_event_attributes
        if marker.marker_name == _LOCAL_ACTIVITY and "result" in marker.details:
            yield marker.details["result"].payloads


@dataclass(frozen=True)
class JournalledAnswers:
    """The stream's journal, by command id and by the position at which each command's entries end."""

    by_id: dict[UUID, Answer]
    by_end: dict[int, Answer]

    @classmethod
    async def read(cls, store: EventStore, stream: StreamId) -> JournalledAnswers:
        """Read the journal. An entry that cannot be read back counts as not there."""
        by_id: dict[UUID, Answer] = {}
        by_end: dict[int, Answer] = {}
        async for entry in store.read(stream, commands=True):
            answer = _read_answer(entry)
            if answer is not None:
                by_id[entry.command_id] = by_end[answer.position] = answer
        return cls(by_id, by_end)

    def differences(self, answers: Answers) -> Iterator[str]:
        """Every answer that the journal does not have, or has otherwise."""
        for command_id, answer in answers.of_updates:
            if _is_recorded(answer) and not _is_same(answer, self.by_id.get(command_id)):
                yield f"{command_id}: {_format(answer)} ≠ {_format(self.by_id.get(command_id))}"
        for answer in answers.from_activities:
            if _is_recorded(answer) and not _is_same(answer, self.by_end.get(answer.position)):
                yield f"@{answer.position}: {_format(answer)} ≠ {_format(self.by_end.get(answer.position))}"


def _read_answer(entry: Entry) -> Answer | None:
    if entry.kind is not EntryKind.COMMAND:
        return None
    try:
        return read_answer(entry)
    except (ValueError, KeyError, TypeError, ValidationError):  # what the verification reports as JOURNAL
        return None


def _is_recorded(answer: Answer) -> bool:
    """Whether the journal must have it."""
    return answer.ending in _FINAL and not may_be_unrecorded(answer)


def _is_same(answer: Answer, recorded: Answer | None) -> bool:
    """Whether both say the same, however often it was asked."""
    return recorded is not None and answer.model_copy(update={"repeated": True}) == recorded


def _format(answer: Answer | None) -> str:
    if answer is None:
        return NOTHING
    what = ", ".join(answer.events or sorted({u.rule for u in answer.unmet}))
    return f"{answer.ending} v{answer.version} @{answer.position} [{what}]"
