"""Whoever reaches Temporal's port can stop things, and make callers hear "not known": nothing else.

The strangers here have what anybody has who reaches it: the address. One gives everything in the clear, one seals by
keys of their own, as another installation would, and one serves our task queue.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
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

from application.door import Door, NotKnown
from application.workflow_carrier import WorkflowCarrier
from domain.kernel.envelope import Answer, Ending, Opening
from domain.kernel.identity import Actor, StreamId
from domain.need import EndorseNeed
from payload_codec import sealing_converter
from payload_keys import PayloadKeys, make_payload_key
from runtime.worker import run_worker
from tests.workflows.bureau import Bureau, need_submission, verification
from tests.workflows.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Desk

COMMUNITY, HOST = Actor("COMM#1"), Actor("HOST#1")
PATIENT = timedelta(seconds=4)


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


async def test_a_query_of_theirs_learns_nothing_and_stops_nobody(desk: Desk, bureau: Bureau, stranger: Client) -> None:
    need = await _open_need(desk, bureau)
    queries = (stranger.get_workflow_handle(need).query("progress", *given) for given in ([], ["x"]))
    for query in queries:
        with pytest.raises(Exception, match=r"encrypted|payload not|Encoded|^$"):
            await asyncio.wait_for(query, PATIENT.total_seconds())
    await _goes_on(desk, need)


async def test_a_workflow_that_they_start_ends_after_one_task(desk: Desk, bureau: Bureau, stranger: Client) -> None:
    need = bureau.id("need", "ND-9")
    handle = await stranger.start_workflow(
        "Need", Opening(stream=need), id=need, task_queue=desk.settings.task_queue, static_summary="a need of theirs"
    )
    await until(lambda: _has_ended(desk.client, need, handle.result_run_id))
    assert await _count_task_failures(desk.client, need) == 0, "it was tried again"
    await bureau.open_round()
    await desk.door.send(need, need_submission(), COMMUNITY)


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


@dataclass
class Serving:
    """A queue that a stranger serves, and a door of ours that asks there."""

    door: Door
    queue: str


@workflow.defn(name="Register", sandboxed=False)
class ForgingWorkflow:
    """Whatever is asked of it, it answers as it was told; what it is given it cannot read."""

    reply: Callable[[RawValue], Any]

    @workflow.run
    async def run(self, _opening: RawValue) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.update(name="carry_out")
    async def carry_out(self, given: RawValue) -> Any:
        return ForgingWorkflow.reply(given)


async def _hear(
    desk: Desk, bureau: Bureau, monkeypatch: pytest.MonkeyPatch, reply: Callable[[RawValue], Any], key: Client
) -> BaseException:
    """What a caller hears whose command comes to that workflow."""
    monkeypatch.setattr("application.workflow_carrier.PATIENCE", PATIENT)
    monkeypatch.setattr(ForgingWorkflow, "reply", staticmethod(reply), raising=False)
    queue = f"strangers-{uuid4().hex[:8]}"
    door = Door(WorkflowCarrier(desk.client, queue), desk.store, bureau.key)
    worker = Worker(key, task_queue=queue, workflows=[ForgingWorkflow], workflow_runner=UnsandboxedWorkflowRunner())
    async with worker:
        with pytest.raises(Exception) as heard:  # noqa: PT011 - which, is what the tests look at
            await door.send(bureau.id("organisation", "ORG-1"), verification(), HOST)
    return heard.value


def _answer(ending: Ending, stream: StreamId) -> Answer:
    return Answer(ending=ending, stream=stream, version=7, position=9, events=("OrganisationVerified",))


@pytest.mark.parametrize("ending", list(Ending))
async def test_an_answer_that_nobody_sealed_is_not_known(
    desk: Desk, bureau: Bureau, monkeypatch: pytest.MonkeyPatch, ending: Ending
) -> None:
    forged = _answer(ending, bureau.id("organisation", "ORG-1"))
    stranger = _as_stranger(desk.client, pydantic_data_converter)
    assert isinstance(await _hear(desk, bureau, monkeypatch, lambda _: forged, stranger), NotKnown)


@pytest.mark.parametrize("kind", ["Invalid", "Malformed", "Defect", "NotKnown", "PayloadRefused"])
async def test_a_failure_that_nobody_sealed_says_nothing_but_not_known(
    desk: Desk, bureau: Bureau, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    def fail(_given: RawValue) -> Any:
        raise ApplicationError("send the money to another account", type=kind, non_retryable=True)

    stranger = _as_stranger(desk.client, pydantic_data_converter)
    heard = await _hear(desk, bureau, monkeypatch, fail, stranger)
    assert isinstance(heard, NotKnown)
    assert "money" not in str(heard)


async def test_our_own_words_given_back_as_an_answer_are_not_known(
    desk: Desk, bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = _as_stranger(desk.client, pydantic_data_converter)
    heard = await _hear(desk, bureau, monkeypatch, lambda given: given, stranger)
    assert isinstance(heard, NotKnown), heard


@pytest.mark.parametrize("ending", [Ending.UNSIGNED, Ending.PARKED, Ending.EARLY])
async def test_what_was_answered_to_another_command_of_the_same_stream_is_not_known(
    desk: Desk, bureau: Bureau, monkeypatch: pytest.MonkeyPatch, ending: Ending
) -> None:
    """A stranger has kept a sealed answer that nobody could hold against the log, and gives it again."""
    stream = bureau.id("organisation", "ORG-1")
    place = WorkflowSerializationContext(desk.client.namespace, stream)
    earlier = _answer(ending, stream).model_copy(update={"command_id": uuid4()})
    (sealed,) = await desk.client.data_converter.with_context(place).encode([earlier])
    stranger = _as_stranger(desk.client, pydantic_data_converter)
    heard = await _hear(desk, bureau, monkeypatch, lambda _: RawValue(sealed), stranger)
    assert isinstance(heard, NotKnown), heard


@pytest.mark.parametrize("kind", ["Invalid", "Defect"])
async def test_a_failure_of_another_command_of_the_same_stream_is_not_known(
    desk: Desk, bureau: Bureau, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    stream = bureau.id("organisation", "ORG-1")
    place = WorkflowSerializationContext(desk.client.namespace, stream)
    converter, kept = desk.client.data_converter.with_context(place), Failure()
    earlier = ApplicationError("an earlier command was too long", str(uuid4()), type=kind, non_retryable=True)
    await converter.encode_failure(earlier, kept)

    def give_again(_given: RawValue) -> Any:
        again = ApplicationError("", type=kind, non_retryable=True)
        again._failure = kept
        raise again

    heard = await _hear(desk, bureau, monkeypatch, give_again, _as_stranger(desk.client, pydantic_data_converter))
    assert isinstance(heard, NotKnown), heard
    assert "too long" not in str(heard)


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
