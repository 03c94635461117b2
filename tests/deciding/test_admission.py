"""What can never succeed is refused before anything is kept: at the door, and of what reaches Temporal beside it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.carry_out import CommandActivities
from application.door import CommandRequest, Door
from application.workflow_carrier import WorkflowCarrier
from deciding.admission import MOST_BYTES
from deciding.fold import load_state
from deciding.parked import iterate_parked
from domain.catalogue import AGGREGATES
from domain.kernel.calendar import Calendar
from domain.kernel.clock import Clock
from domain.kernel.envelope import Answer, CarryOut, Ending, Envelope
from domain.kernel.identifier import Actor, StreamId, deadline_command_id, derive_id
from domain.kernel.refusal import CommandRejected
from domain.need import EndorseNeed, SubmitNeed
from domain.round.plan import CloseNeedSolicitation
from store.memory import MemoryStore
from tests.keys import KEY, OTHER, PUBLISHED, publish
from tests.workflows.bureau import Bureau, need_submission

if TYPE_CHECKING:
    from domain.kernel.message import Command

THEN = datetime(2026, 3, 2, 2, tzinfo=UTC)
NEED = StreamId("need/admission/ND-1")
COMMUNITY = Actor("COMM#1")
TAKEN = derive_id("deadline", NEED, "anything")


LARGE = SubmitNeed.model_construct(round="R-1", group="老" * MOST_BYTES)
UNFIT = SubmitNeed.model_construct(round="R-1", group="\ud800")
"""As somebody brings them who does not ask the forms: these bound each field by itself."""


def letter(command_id: UUID, command: Command, by: str = "COMM#1", **other: Any) -> Envelope:
    body = other.pop("body", command.model_dump(mode="json", exclude_none=True))
    return Envelope(
        command_id=command_id,
        subject=NEED,
        actor=Actor(by),
        received_at=THEN,
        command=command.command_type,
        body=body,
        **other,
    )


async def carry_out(store: MemoryStore, envelope: Envelope) -> Answer:
    await publish(store)
    result = await CommandActivities(store).carry_out(CarryOut(stream=NEED, now=THEN, envelope=envelope))
    assert result.answer is not None
    return result.answer


INADMISSIBLE = {
    "an id of the engine's kind": (letter(TAKEN, need_submission()), {"ID01"}),
    "in the clock's name": (letter(uuid4(), CloseNeedSolicitation(), "SYS#1"), {"ID02"}),
    "too large": (letter(uuid4(), LARGE), {"SZ01"}),
    "both": (letter(TAKEN, LARGE), {"ID01", "SZ01"}),
}


@pytest.mark.parametrize("case", INADMISSIBLE)
def test_behind_the_door_it_is_refused_for_good_and_nothing_is_recorded(case: str) -> None:
    """Somebody who has the key sends it to Temporal directly: a definite answer, and the id stays free."""
    envelope, rules = INADMISSIBLE[case]

    async def scenario() -> None:
        store = MemoryStore()
        for _ in range(2):
            answer = await carry_out(store, envelope.sign(KEY))
            assert (answer.ending, {u.rule for u in answer.unmet}) == (Ending.REFUSED, rules)
        assert await store.last_position() == PUBLISHED
        assert await store.standing(NEED) is None

    asyncio.run(scenario())


@pytest.mark.parametrize("body", [{"group": "\ud800"}, {"group": 0.5}, {"鍵": "值"}], ids=["surrogate", "float", "key"])
def test_what_has_no_canonical_form_is_nobodys_signed_command(body: dict[str, Any]) -> None:
    envelope = letter(uuid4(), need_submission(), body=body, signature="00" * 32)
    assert asyncio.run(carry_out(MemoryStore(), envelope)).ending is Ending.UNSIGNED


def test_at_the_door_it_is_refused_without_temporal() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        door = Door(WorkflowCarrier(None, "nobody serves it"), store, KEY)  # type: ignore[arg-type] # it must not be asked
        requests = {
            "ID01": CommandRequest(need_submission(), COMMUNITY, TAKEN),
            "ID02": CommandRequest(CloseNeedSolicitation(), Actor("SYS#1"), uuid4()),
            "SZ01": CommandRequest(LARGE, COMMUNITY, uuid4()),
            "SZ02": CommandRequest(UNFIT, COMMUNITY, uuid4()),
        }
        for rule, request in requests.items():
            (answer,) = [a async for a in door.send_each(NEED, [request])]
            assert (answer.ending, {u.rule for u in answer.unmet}) == (Ending.REFUSED, {rule})
            with pytest.raises(CommandRejected, match=rule):
                await door.send(NEED, request.command, request.actor, command_id=request.command_id)
            if rule != "ID01":
                with pytest.raises(CommandRejected, match=rule):
                    await door.send(NEED, request.command, request.actor)
        assert await store.last_position() == 0

    asyncio.run(scenario())


def test_what_the_engine_derives_is_taken_in_and_asked_again_has_its_answer() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        bureau = Bureau(NEED.realm, store, KEY)
        await bureau.open_round(at=THEN - timedelta(hours=1))
        envelope = letter(TAKEN, need_submission(), derived=True).sign(KEY)
        first, again = await carry_out(store, envelope), await carry_out(store, envelope)
        assert (first.ending, again.ending, again.repeated) == (Ending.ACCEPTED, Ending.ACCEPTED, True)
        stripped = envelope.model_copy(update={"derived": False})
        assert (await carry_out(store, stripped)).ending is Ending.UNSIGNED, "the mark is signed with the rest"

    asyncio.run(scenario())


def test_a_mark_that_is_not_set_changes_no_byte_of_what_travels() -> None:
    """Doors and workers of before know nothing of it, and their signatures hold."""
    plain, derived = letter(uuid4(), EndorseNeed()), letter(TAKEN, EndorseNeed(), derived=True)
    assert "derived" not in plain.model_dump_json()
    assert "derived" in derived.model_dump_json()
    assert "signature" not in CarryOut(stream=NEED, now=THEN).model_dump_json()


async def _round_whose_deadline_is_taken(store: MemoryStore) -> tuple[StreamId, datetime]:
    """A log of before ids were kept apart: somebody's refused command stands under the id of the next deadline."""
    bureau = Bureau("taken", store, KEY)
    stream = await bureau.open_round(at=THEN)
    due = AGGREGATES["round"].due(await load_state(store, stream), Calendar())
    assert due is not None
    envelope = bureau.envelope(stream, CloseNeedSolicitation(), "COMM#9", at=THEN)
    taken = deadline_command_id(stream, due.command.command_type, due.key, due.at)
    forged = envelope.model_copy(update={"command_id": taken, "derived": True}).sign(KEY)
    await CommandActivities(store).carry_out(CarryOut(stream=stream, now=THEN, envelope=forged))
    assert await store.journalled(taken) is not None
    return stream, due.at


def test_a_deadline_whose_id_is_taken_parks_its_stream_with_an_alarm_and_tries_no_more() -> None:
    class CountingStore(MemoryStore):
        appends = 0

        async def append(self, append: Any) -> Any:
            self.appends += 1
            return await super().append(append)

    async def scenario() -> None:
        store = CountingStore()
        stream, at = await _round_whose_deadline_is_taken(store)
        now, before = at + timedelta(hours=1), store.appends
        activities = CommandActivities(store)
        result = await activities.carry_out(CarryOut(stream=stream, now=now, alarm=True))
        assert result.answer is not None
        assert (result.answer.ending, result.progress.due) == (Ending.PARKED, None), "no alarm is set that would loop"
        assert store.appends == before + 1, "tried once"
        assert "taken" in result.progress.details
        (parked,) = [p async for p in iterate_parked(store, now)]
        assert (parked.stream, "taken" in parked.why) == (stream, True), "doctor can say so"
        assert not [p async for p in iterate_parked(store, at - timedelta(hours=1))]

    asyncio.run(scenario())


def test_only_the_door_moves_a_manual_clock() -> None:
    """A stranger at Temporal's port sends ``fall_due`` far ahead; the door's own word for another stream is no use."""

    async def scenario() -> None:
        store = MemoryStore()
        await store.set_clock("manual", Clock.MANUAL)
        bureau = Bureau("manual", store, KEY)
        stream = await bureau.open_round(at=THEN)
        row = await store.standing(stream)
        assert row is not None
        assert row.due_at is not None
        activities = CommandActivities(store)
        elsewhere = CarryOut(stream=bureau.id("round", "R-2"), now=row.due_at).sign(KEY).signature
        forged = CarryOut(stream=stream, now=row.due_at)
        for request in (
            forged,
            forged.sign(OTHER),
            forged.model_copy(update={"signature": elsewhere}),
            forged.sign(KEY).model_copy(update={"now": row.due_at + timedelta(days=900)}),
        ):
            await activities.carry_out(request)
            assert await store.standing(stream) == row
        await activities.carry_out(forged.sign(KEY))
        assert [e.type async for e in store.read(stream)][-1] == "NeedSolicitationClosed"

    asyncio.run(scenario())


@pytest.mark.parametrize("request_", [
    CarryOut(stream=NEED, now=THEN.replace(year=2090), alarm=True),
    CarryOut(stream=NEED, now=THEN, envelope=letter(uuid4(), need_submission()).sign(KEY)),
], ids=["an alarm far ahead", "a letter of the door's, sent once more"])  # fmt: skip
async def test_nobody_but_the_worker_itself_asks_its_activities(request_: CarryOut) -> None:
    """A stranger on the task queue schedules ``carry_out`` by its name, with any time that he likes."""
    store = MemoryStore()
    activities = CommandActivities(store)
    with pytest.raises(ApplicationError, match="only a workflow's own worker asks so"):
        await ActivityEnvironment().run(activities.carry_out, request_)
    assert await store.last_position() == 0


async def test_a_letter_to_one_stream_is_no_command_of_another() -> None:
    store = MemoryStore()
    envelope = letter(uuid4(), need_submission()).sign(KEY)
    request = CarryOut(stream=StreamId("need/admission/ND-2"), now=THEN, envelope=envelope)
    with pytest.raises(ApplicationError, match="not a command of"):
        await CommandActivities(store).carry_out(request)
    assert await store.last_position() == 0
