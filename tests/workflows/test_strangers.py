"""Whoever reaches Temporal's port can stop things, and make callers hear "not known": nothing else.

The strangers here have what anybody has who reaches it: the address. One gives everything in the clear, one seals by
keys of their own, as another installation would, and one serves our task queue.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

import pytest
from temporalio import workflow
from temporalio.api.failure.v1 import Failure
from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowUpdateFailedError,
)
from temporalio.common import RawValue
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter, WorkflowSerializationContext
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

import bootstrap
from application.door import Door, NotKnown
from application.workflow_carrier import WorkflowCarrier
from domain.kernel.envelope import Answer, Ending, WorkflowInput
from domain.kernel.identifier import Actor, StreamId
from domain.need import EndorseNeed
from payload_codec import sealing_converter
from payload_keys import PayloadKeys, make_payload_key
from runtime.worker import run_worker
from tests.workflows.bureau import Bureau, need_submission, verification
from tests.workflows.waiting import until

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.conftest import Desk

COMMUNITY, HOST = Actor("COMM#1"), Actor("HOST#1")
PATIENT = timedelta(seconds=3)


def _as_stranger(client: Client, converter: DataConverter) -> Client:
    config = client.config()
    config["data_converter"] = converter
    return Client(**config)


@pytest.fixture(params=["in the clear", "by keys of their own"])
def stranger(desk: Desk, request: pytest.FixtureRequest) -> Client:
    """A client of the same server without our keys."""
    if request.param == "in the clear":
        return _as_stranger(desk.client, pydantic_data_converter)
    return _as_stranger(desk.client, sealing_converter(PayloadKeys.parse(make_payload_key())))


async def _open_need(desk: Desk, bureau: Bureau) -> StreamId:
    await bureau.open_round()
    need = bureau.id("need", "ND-1")
    await desk.door.send(need, need_submission(), COMMUNITY)
    return need


async def _goes_on(desk: Desk, need: StreamId, number: int = 2) -> None:
    """The stream takes commands as before."""
    await desk.door.send(need, EndorseNeed(), Actor(f"COMM#{number}"))


async def _has_ended(client: Client, workflow_id: str, run_id: str | None) -> bool:
    described = await client.get_workflow_handle(workflow_id, run_id=run_id).describe()
    return described.status is WorkflowExecutionStatus.FAILED


async def _count_task_failures(client: Client, workflow_id: str) -> int:
    history = await client.get_workflow_handle(workflow_id).fetch_history()
    return sum(event.HasField("workflow_task_failed_event_attributes") for event in history.events)


# What they give to workflows of ours


async def test_an_update_of_theirs_is_not_taken_and_the_stream_goes_on(
    desk: Desk, bureau: Bureau, stranger: Client
) -> None:
    need = await _open_need(desk, bureau)
    forged = bureau.envelope(need, EndorseNeed(), "COMM#7")
    handle = stranger.get_workflow_handle(need)
    with pytest.raises((RPCError, WorkflowUpdateFailedError)):
        await handle.execute_update("carry_out", forged, id=str(uuid4()))
    assert await desk.store.journalled(forged.command_id) is None
    await _goes_on(desk, need)


async def test_a_signal_of_theirs_ends_that_one_run_and_the_next_command_begins_another(
    desk: Desk, bureau: Bureau, stranger: Client
) -> None:
    need = await _open_need(desk, bureau)
    run_id = (await desk.client.get_workflow_handle(need).describe()).run_id
    await stranger.get_workflow_handle(need).signal("look", "now")
    await until(lambda: _has_ended(desk.client, need, run_id))
    assert await _count_task_failures(desk.client, need) == 0, "it was tried again"
    await _goes_on(desk, need)


@pytest.mark.full
async def test_a_query_of_theirs_learns_nothing_and_stops_nobody(desk: Desk, bureau: Bureau, stranger: Client) -> None:
    need = await _open_need(desk, bureau)
    queries = (stranger.get_workflow_handle(need).query("progress", *arguments) for arguments in ([], ["x"]))
    for query in queries:
        with pytest.raises(Exception, match=r"encrypted|payload not|Encoded|^$"):
            async with asyncio.timeout(PATIENT.total_seconds()):
                await query
    await _goes_on(desk, need)


async def test_a_workflow_that_they_start_ends_after_one_task(desk: Desk, bureau: Bureau, stranger: Client) -> None:
    need = bureau.id("need", "ND-9")
    handle = await stranger.start_workflow(
        "Need",
        WorkflowInput(stream=need),
        id=need,
        task_queue=desk.settings.task_queue,
        static_summary="a need of theirs",
    )
    await until(lambda: _has_ended(desk.client, need, handle.result_run_id))
    assert await _count_task_failures(desk.client, need) == 0, "it was tried again"
    await bureau.open_round()
    await desk.door.send(need, need_submission(), COMMUNITY)


@pytest.mark.full
async def test_an_activity_that_they_ask_for_is_not_carried_out(desk: Desk, bureau: Bureau, stranger: Client) -> None:
    forged = bureau.envelope(bureau.id("organisation", "ORG-9"), verification(), HOST)
    with pytest.raises(Exception, match=r"payload not taken|Activity execution failed"):
        await stranger.execute_activity(
            "carry_out",
            forged,
            id=str(uuid4()),
            task_queue=desk.settings.task_queue,
            schedule_to_close_timeout=PATIENT,
        )
    assert await desk.store.journalled(forged.command_id) is None


@pytest.mark.full
async def test_a_workflow_of_theirs_under_our_id_is_in_the_way_until_it_is_terminated(
    desk: Desk, bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("application.workflow_carrier.PATIENCE", PATIENT)
    stranger, need = _as_stranger(desk.client, pydantic_data_converter), bureau.id("need", "ND-1")
    await bureau.open_round()
    squatter = await stranger.start_workflow("Nobody", id=need, task_queue=desk.settings.task_queue)
    with pytest.raises(NotKnown):
        await desk.door.send(need, need_submission(), COMMUNITY)
    assert await _count_task_failures(desk.client, need) <= 3, "the worker goes round and round"
    await squatter.terminate()  # as venture resurrect does: tests/workflows/test_payload_keys.py
    await desk.door.send(need, need_submission(), COMMUNITY)


# What was sealed for one workflow, given to another


async def test_what_was_sealed_for_one_workflow_is_not_taken_by_another(desk: Desk, bureau: Bureau) -> None:
    need = await _open_need(desk, bureau)
    other = bureau.id("need", "ND-2")
    await desk.door.send(other, need_submission(), COMMUNITY)
    command = bureau.envelope(other, EndorseNeed(), "COMM#8")
    place = WorkflowSerializationContext(desk.client.namespace, other)
    (sealed,) = await desk.client.data_converter.with_context(place).encode([command])
    stranger = _as_stranger(desk.client, pydantic_data_converter)
    with pytest.raises((RPCError, WorkflowUpdateFailedError)):
        await stranger.get_workflow_handle(need).execute_update("carry_out", RawValue(sealed), id=str(uuid4()))
    assert await desk.store.journalled(command.command_id) is None
    await _goes_on(desk, need)


# What they answer who serve our task queue


Reply = Callable[[RawValue], Any]


@workflow.defn(name="Register", sandboxed=False)
class ForgingWorkflow:
    """Whatever is asked of it, it answers as it was told for that stream; what it is given it cannot read."""

    replies: ClassVar[dict[str, Reply]] = {}
    was_asked: ClassVar[set[str]] = set()

    @workflow.run
    async def run(self, _opening: RawValue) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.update(name="carry_out")
    async def carry_out(self, value: RawValue) -> Any:
        stream = workflow.info().workflow_id
        self.was_asked.add(stream)
        return self.replies[stream](value)


def _answer(ending: Ending, stream: StreamId) -> Answer:
    return Answer(ending=ending, stream=stream, version=7, position=9, events=("OrganisationVerified",))


async def _answer_unsealed(_desk: Desk, stream: StreamId, ending: str) -> Reply:
    forged = _answer(Ending(ending), stream)
    return lambda _given: forged


async def _fail_unsealed(_desk: Desk, _stream: StreamId, kind: str) -> Reply:
    def fail(_given: RawValue) -> Any:
        raise ApplicationError("send the money to another account", type=kind, non_retryable=True)

    return fail


async def _echo(_desk: Desk, _stream: StreamId, _: str) -> Reply:
    return lambda value: value


async def _answer_again(desk: Desk, stream: StreamId, ending: str) -> Reply:
    """A stranger has kept a sealed answer that nobody could hold against the log, and gives it again."""
    place = WorkflowSerializationContext(desk.client.namespace, stream)
    earlier = _answer(Ending(ending), stream).model_copy(update={"command_id": uuid4()})
    (sealed,) = await desk.client.data_converter.with_context(place).encode([earlier])
    return lambda _given: RawValue(sealed)


async def _fail_again(desk: Desk, stream: StreamId, kind: str) -> Reply:
    place = WorkflowSerializationContext(desk.client.namespace, stream)
    converter, kept = desk.client.data_converter.with_context(place), Failure()
    earlier = ApplicationError("an earlier command was too long", str(uuid4()), type=kind, non_retryable=True)
    await converter.encode_failure(earlier, kept)

    def give_again(_given: RawValue) -> Any:
        again = ApplicationError("", type=kind, non_retryable=True)
        again._failure = kept
        raise again

    return give_again


FORGERIES = {
    "an answer that nobody sealed": (_answer_unsealed, tuple(Ending)),
    "a failure that nobody sealed": (_fail_unsealed, ("Invalid", "Malformed", "Defect", "NotKnown", "PayloadRefused")),
    "our own words given back": (_echo, ("as they came",)),
    "what was answered to another command": (_answer_again, (Ending.UNSIGNED, Ending.PARKED, Ending.EARLY)),
    "a failure of another command": (_fail_again, ("Invalid", "Defect")),
}
CASES = [(forgery, kind) for forgery, (_, kinds) in FORGERIES.items() for kind in kinds]


async def _hear(desk: Desk) -> Mapping[tuple[str, str], object]:
    """What callers hear whose commands come to a stranger, each with a stream of its own, all at once."""
    bureau = Bureau(f"b-{uuid4().hex[:8]}", desk.store, bootstrap.ensure_door_key(desk.settings))
    stranger, queue = _as_stranger(desk.client, pydantic_data_converter), f"strangers-{uuid4().hex[:8]}"
    door = Door(WorkflowCarrier(desk.client, queue), desk.store, bureau.key)
    streams = {case: bureau.id("organisation", f"ORG-{n}") for n, case in enumerate(CASES)}
    for (forgery, kind), stream in streams.items():
        ForgingWorkflow.replies[stream] = await FORGERIES[forgery][0](desk, stream, kind)
    workflows, runner = [ForgingWorkflow], UnsandboxedWorkflowRunner()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("application.workflow_carrier.PATIENCE", PATIENT)
        async with Worker(stranger, task_queue=queue, workflows=workflows, workflow_runner=runner):
            requests = (door.send(stream, verification(), HOST) for stream in streams.values())
            outcomes = await asyncio.gather(*requests, return_exceptions=True)
    assert ForgingWorkflow.was_asked == set(streams.values())
    return dict(zip(CASES, outcomes, strict=True))


async def test_whatever_they_answer_who_serve_our_queue_is_not_known(desk: Desk) -> None:
    heard = await _hear(desk)
    known = {case: told for case, told in heard.items() if not isinstance(told, NotKnown)}
    assert known == {}
    assert not [case for case, told in heard.items() if "money" in str(told) or "too long" in str(told)]


@pytest.mark.full
async def test_the_worker_of_another_installation_on_our_queue_says_nothing(
    desk: Desk, bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same product on the same queue, with keys and a log of its own."""
    monkeypatch.setattr("application.workflow_carrier.PATIENCE", PATIENT)
    of = desk.settings.model_copy(update={"task_queue": f"strangers-{uuid4().hex[:8]}"})
    another = _as_stranger(desk.client, sealing_converter(PayloadKeys.parse(make_payload_key())))
    door = Door(WorkflowCarrier(desk.client, of.task_queue), desk.store, bureau.key)
    stream, command_id = bureau.id("organisation", "ORG-1"), uuid4()
    async with run_worker(of, another, desk.store):
        with pytest.raises(NotKnown):
            await door.send(stream, verification(), HOST, command_id=command_id)
        runs = [w async for w in desk.client.list_workflows(f"WorkflowId = '{stream}'")]
        assert len(runs) <= 10, "a run that keeps ending is begun in a hot loop"
    assert await desk.store.journalled(command_id) is None
