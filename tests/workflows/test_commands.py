"""What a caller is told: one answer to one id, through a sandboxed worker and a real database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from temporalio.client import (
    Client,
    Interceptor,
    OutboundInterceptor,
    StartWorkflowUpdateWithStartInput,
    WorkflowUpdateFailedError,
    WorkflowUpdateHandle,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from application.door import CommandDefect, CommandInvalid, Door, Mismatch, NotKnown
from application.workflow_carrier import WorkflowCarrier
from deciding.decision import StreamParked
from domain.kernel.decider import Aggregate
from domain.kernel.envelope import Answer, CarryOut, Ending, Envelope, Progress
from domain.kernel.identifier import Actor, StreamId
from domain.kernel.refusal import CommandRejected
from domain.need import AdoptNeed, EndorseNeed, RejectNeed
from domain.round.plan import CloseNeedSolicitation, OpenNeedSolicitation
from store import bounds
from store.port import EntryKind, StoreUnavailable
from tests.keys import OTHER
from tests.workflows.bureau import Bureau, need_submission, verification

if TYPE_CHECKING:
    from domain.kernel.facts import Facts
    from domain.kernel.message import Event, Order
    from domain.kernel.state import State
    from store.port import Append, AppendResult, Entry, EventStore
    from store.postgres import PostgresStore
    from tests.conftest import Desk

HOST, COMMUNITY, OFFICER = Actor("HOST#1"), Actor("COMM#1"), Actor("CAB-REG#1")


async def whole(store: EventStore, stream: StreamId) -> list[Entry]:
    return [entry async for entry in store.read(stream, commands=True)]


async def test_a_command_asked_twice_has_one_event_and_one_answer(desk: Desk, bureau: Bureau) -> None:
    stream, command_id = bureau.id("organisation", "ORG-1"), uuid4()
    first = await desk.door.send(stream, verification(), HOST, command_id=command_id)
    again = await desk.door.send(stream, verification(), HOST, command_id=command_id)
    assert (first.repeated, again.repeated) == (False, True)
    assert (first.version, first.position, first.events) == (again.version, again.position, again.events)
    assert len(await whole(desk.store, stream)) == 2, "one command, one event"


class BusyServer(Interceptor):
    """Fails the first asking and lets the rest through."""

    def __init__(self, failure: Exception) -> None:
        self.failure = failure
        self.gave_up = False

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002 - Temporal's own name
        server = self

        class Once(OutboundInterceptor):
            async def start_update_with_start_workflow(
                self,
                input: StartWorkflowUpdateWithStartInput,  # noqa: A002 - Temporal's own name
            ) -> WorkflowUpdateHandle[Any]:
                if not server.gave_up:
                    server.gave_up = True
                    raise server.failure
                return await super().start_update_with_start_workflow(input)

        return Once(next)


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(
            RPCError("unexpected workflow task failure", RPCStatusCode.FAILED_PRECONDITION, b""),
            id="the server gave the workflow task up, as on a busy machine",
        ),
        pytest.param(
            RPCError("operation was canceled", RPCStatusCode.CANCELLED, b""),
            id="its connection had come of age and was closed",
        ),
        pytest.param(
            WorkflowUpdateRPCTimeoutOrCancelledError(), id="its connection was closed while the outcome was waited for"
        ),
    ],
)
async def test_what_the_server_gave_up_is_asked_for_again(desk: Desk, bureau: Bureau, failure: Exception) -> None:
    busy = BusyServer(failure)
    config = desk.client.config()
    config["interceptors"] = [busy]
    door = Door(WorkflowCarrier(Client(**config), desk.settings.task_queue), desk.store, bureau.key)
    stream = bureau.id("organisation", "ORG-1")
    assert (await door.send(stream, verification(), HOST)).version == 1
    assert busy.gave_up
    assert len(await whole(desk.store, stream)) == 2, "one command, one event"


async def test_the_answer_is_the_same_after_other_commands_and_another_run(desk: Desk, bureau: Bureau) -> None:
    stream, command_id = bureau.id("organisation", "ORG-1"), uuid4()
    first = await desk.door.send(stream, verification(), HOST, command_id=command_id)
    for name in ("甲", "乙"):
        await desk.door.send(stream, verification(name), HOST)
    again = await desk.door.send(stream, verification(), HOST, command_id=command_id)
    assert (again.version, again.position, again.events) == (first.version, first.position, first.events)


async def test_an_id_used_for_another_request_is_a_mismatch(desk: Desk, bureau: Bureau) -> None:
    stream, command_id = bureau.id("organisation", "ORG-1"), uuid4()
    await desk.door.send(stream, verification(), HOST, command_id=command_id)
    with pytest.raises(Mismatch):
        await desk.door.send(stream, verification("另一家"), HOST, command_id=command_id)
    with pytest.raises(Mismatch):
        await desk.door.send(bureau.id("organisation", "ORG-2"), verification(), HOST, command_id=command_id)
    assert len(await whole(desk.store, stream)) == 2
    assert await whole(desk.store, bureau.id("organisation", "ORG-2")) == []


async def test_a_refusal_is_journalled_once_and_told_again_even_when_the_rules_would_now_allow_it(
    desk: Desk, bureau: Bureau
) -> None:
    await bureau.open_round()
    need, command_id = bureau.id("need", "ND-1"), uuid4()
    with pytest.raises(CommandRejected) as first:
        await desk.door.send(need, AdoptNeed(), OFFICER, command_id=command_id)
    await desk.door.send(need, need_submission(), COMMUNITY)
    with pytest.raises(CommandRejected) as again:
        await desk.door.send(need, AdoptNeed(), OFFICER, command_id=command_id)
    assert first.value.unmet == again.value.unmet
    (refused, *_) = await whole(desk.store, need)
    assert (refused.kind, refused.command_id) == (EntryKind.COMMAND, command_id)
    assert sum(e.command_id == command_id for e in await whole(desk.store, need)) == 1


async def _sent_straight(desk: Desk, envelope: Envelope) -> Answer:
    """Past the door: an update on a workflow that runs, as anybody with Temporal's address could send it."""
    answer: Answer = await desk.client.get_workflow_handle(envelope.subject).execute_update(
        "carry_out", envelope, id=str(uuid4()), result_type=Answer
    )
    return answer


async def test_what_did_not_come_through_the_door_is_not_carried_out(desk: Desk, bureau: Bureau) -> None:
    await bureau.open_round()
    need = bureau.id("need", "ND-1")
    await desk.door.send(need, need_submission(), COMMUNITY)
    before = await whole(desk.store, need)
    signed = bureau.envelope(need, EndorseNeed(), "COMM#2")
    forged = (
        signed.model_copy(update={"signature": ""}),
        signed.model_copy(update={"actor": Actor("CAB-REG#1")}),
        signed.model_copy(update={"body": {"resources": ["場地"]}}),
        signed.sign(OTHER),
    )
    for envelope in forged:
        assert (await _sent_straight(desk, envelope)).ending is Ending.UNSIGNED
    assert await whole(desk.store, need) == before
    assert (await _sent_straight(desk, signed)).ending is Ending.ACCEPTED


async def test_a_forged_envelope_learns_nothing_of_a_recorded_command(desk: Desk, bureau: Bureau) -> None:
    await bureau.open_round()
    need, command_id = bureau.id("need", "ND-1"), uuid4()
    await desk.door.send(need, need_submission(), COMMUNITY, command_id=command_id)
    forged = bureau.envelope(need, need_submission(), "COMM#1", command_id=command_id).sign(OTHER)
    answer = await _sent_straight(desk, forged)
    assert (answer.ending, answer.events) == (Ending.UNSIGNED, ())


async def test_a_workflow_carries_out_only_what_is_about_its_own_stream(desk: Desk, bureau: Bureau) -> None:
    await bureau.open_round()
    need, other = bureau.id("need", "ND-1"), bureau.id("need", "ND-2")
    for stream in (need, other):
        await desk.door.send(stream, need_submission(), COMMUNITY)
    handle = desk.client.get_workflow_handle(need)
    astray = (
        ("carry_out", bureau.envelope(other, EndorseNeed(), "COMM#2")),
        ("fall_due", CarryOut(stream=other, now=bureau.envelope(other, EndorseNeed(), "COMM#2").received_at)),
    )
    for update, argument in astray:
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await handle.execute_update(update, argument)
        assert isinstance(refused.value.cause, ApplicationError)
        assert refused.value.cause.type == "Malformed"
    history = await handle.fetch_history()
    accepted = [e for e in history.events if e.HasField("workflow_execution_update_accepted_event_attributes")]
    assert len(accepted) == 1, "a refused update leaves nothing in the history"


async def test_a_command_cannot_be_smuggled_in_with_a_deadline(desk: Desk, bureau: Bureau) -> None:
    await bureau.open_round()
    need = bureau.id("need", "ND-1")
    await desk.door.send(need, need_submission(), COMMUNITY)
    envelope = bureau.envelope(need, EndorseNeed(), "COMM#2")
    with pytest.raises(WorkflowUpdateFailedError):
        await desk.client.get_workflow_handle(need).execute_update(
            "fall_due", CarryOut(stream=need, now=envelope.received_at, envelope=envelope)
        )


async def test_nobody_moves_the_wall_clock(desk: Desk, bureau: Bureau) -> None:
    stream = await bureau.open_round()
    await desk.door.look(stream)
    far = bureau.envelope(stream, CloseNeedSolicitation(), "SYS#1").received_at.replace(year=2090)
    progress: Progress = await desk.client.get_workflow_handle(stream).execute_update(
        "fall_due", CarryOut(stream=stream, now=far), result_type=Progress
    )
    assert progress.stage == "SOLICITING"
    assert [e.type async for e in desk.store.read(stream)] == ["NeedSolicitationOpened"]


def _broken(monkeypatch: pytest.MonkeyPatch, realm: str, command: type, wrong: Exception) -> list[str]:
    """Let the rules fail so for one command of one realm; the list of such failures."""
    decide, failed = Aggregate.decide, []

    def failing(self: Aggregate, state: State, facts: Facts, order: Order) -> list[Event]:
        if isinstance(order.command, command) and state.stream.realm == realm:
            failed.append(state.stream.name)
            raise wrong
        return decide(self, state, facts, order)

    monkeypatch.setattr(Aggregate, "decide", failing)
    return failed


async def test_a_fault_in_a_rule_is_said_at_once_and_not_tried_again(
    desk: Desk, bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bureau.open_round()
    need = bureau.id("need", "ND-1")
    await desk.door.send(need, need_submission(), COMMUNITY)
    failed = _broken(monkeypatch, bureau.realm, RejectNeed, KeyError("no such thing"))
    with pytest.raises(CommandDefect, match="KeyError at") as defect:
        await desk.door.send(need, RejectNeed(reason="重複"), OFFICER)
    assert "no such thing" not in str(defect.value), "where it failed, but no value that somebody may have typed"
    assert failed == ["ND-1"]
    monkeypatch.undo()
    await desk.door.send(need, RejectNeed(reason="重複"), OFFICER)


async def test_what_can_never_be_recorded_is_said_so_at_once_and_is_no_fault_of_the_product(
    desk: Desk, bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bureau.open_round()
    need = bureau.id("need", "ND-1")
    monkeypatch.setattr(bounds, "LONGEST_DOCUMENT", 1_000)
    with pytest.raises(CommandInvalid, match="more than 1000") as invalid:
        await desk.door.send(need, need_submission("老人" * 200), COMMUNITY)
    assert "老人老人" not in str(invalid.value)
    monkeypatch.undo()
    await desk.door.send(need, need_submission(), COMMUNITY)


@pytest.mark.full
async def test_while_the_store_is_away_a_workflow_says_so_and_does_not_go_on_trying(
    desk: Desk, bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bureau.open_round()
    need = bureau.id("need", "ND-1")
    await desk.door.send(need, need_submission(), COMMUNITY)
    append, tries = type(desk.store).append, []

    async def away(store: PostgresStore, late: Append) -> AppendResult:
        if late.writes[0].stream == need:
            tries.append(need)
            message = "away"
            raise StoreUnavailable(message)
        return await append(store, late)

    monkeypatch.setattr(type(desk.store), "append", away)
    envelope = bureau.envelope(need, EndorseNeed(), "COMM#2")
    with pytest.raises(NotKnown, match="ask again with the same id"):
        await desk.door.ask(envelope)
    assert len(tries) == 6, "the workflow itself gave up; it does not hold its turn any longer"
    monkeypatch.undo()
    answer = await desk.door.ask(envelope)
    assert (answer.version, answer.repeated) == (2, False)


async def test_a_command_of_an_unknown_type_is_a_fault_said_at_once(desk: Desk, bureau: Bureau) -> None:
    await bureau.open_round()
    need = bureau.id("need", "ND-1")
    await desk.door.send(need, need_submission(), COMMUNITY)
    envelope = bureau.envelope(need, EndorseNeed(), "COMM#2").model_copy(update={"command": "PraiseNeed"})
    with pytest.raises(CommandDefect):
        await desk.door.ask(envelope.sign(bureau.key))


async def test_a_parked_stream_waits_for_a_person_and_sets_no_alarm(
    desk: Desk, bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = bureau.envelope(bureau.id("round", "R-1"), CloseNeedSolicitation(), "SYS#1").received_at
    stream = await bureau.open_round(at=opened.replace(year=opened.year - 1))
    refused = _broken(monkeypatch, bureau.realm, CloseNeedSolicitation, CommandRejected(()))
    with pytest.raises(StreamParked):
        await desk.door.send(stream, OpenNeedSolicitation(), OFFICER)
    handle = desk.client.get_workflow_handle(stream)
    progress = await handle.query("progress", result_type=Progress)
    assert progress.due is None
    history = await handle.fetch_history()
    assert not [e for e in history.events if e.HasField("timer_started_event_attributes")]
    tries = [e for e in history.events if e.HasField("marker_recorded_event_attributes")]
    looks = [e for e in history.events if e.HasField("workflow_execution_signaled_event_attributes")]
    assert 1 <= len(tries) <= 1 + len(looks), "one by itself, and one when the follower, on a slow day, has it look"
    assert 2 <= len(refused) < 4 + len(looks), "and the door's, which believes nobody; what Temporal gave up is redone"
    monkeypatch.undo()
    with pytest.raises(CommandRejected):
        await desk.door.send(stream, OpenNeedSolicitation(), OFFICER)
    assert [e.type async for e in desk.store.read(stream)] == ["NeedSolicitationOpened", "NeedSolicitationClosed"]


async def test_a_parked_stream_stops_its_manual_clock(
    desk: Desk, bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = bureau.envelope(bureau.id("round", "R-1"), CloseNeedSolicitation(), "SYS#1").received_at
    await desk.door.open_realm(bureau.realm)
    stream = await bureau.open_round(at=opened.replace(year=opened.year - 1))
    refused = _broken(monkeypatch, bureau.realm, CloseNeedSolicitation, CommandRejected(()))
    with pytest.raises(StreamParked):
        await desk.door.move_clock(bureau.realm, opened)
    assert len(refused) < 3
    monkeypatch.undo()
    await desk.door.move_clock(bureau.realm, opened)
    assert [e.type async for e in desk.store.read(stream)] == ["NeedSolicitationOpened", "NeedSolicitationClosed"]


async def test_a_command_dated_before_its_realms_clock_is_refused_with_the_reason(desk: Desk, bureau: Bureau) -> None:
    late = bureau.envelope(bureau.id("round", "R-1"), CloseNeedSolicitation(), "SYS#1").received_at
    await desk.door.open_realm(bureau.realm)
    await bureau.open_round(at=late)
    need, command_id = bureau.id("need", "ND-1"), uuid4()
    for _ in range(2):
        with pytest.raises(CommandRejected) as refused:
            await desk.door.send(
                need, need_submission(), COMMUNITY, command_id=command_id, at=late.replace(year=late.year - 1)
            )
        assert "CLOCK" in {u.rule for u in refused.value.unmet}
