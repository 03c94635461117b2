"""What a command asks of other streams is recorded with it or not at all: where it cannot be, the answer says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from activities.carry_out import CommandActivities
from application.door import Door, NotKnown
from application.process_carrier import ProcessCarrier
from bench.resolution import MINUTES, Round
from deciding import decision
from domain.catalogue import AGGREGATES
from domain.kernel.envelope import Answer, CarryOut, Ending
from domain.kernel.identifier import Actor, StreamId, consequence_command_id, deadline_command_id
from domain.kernel.refusal import CommandRejected, Unmet
from domain.kernel.scheme import RoundLevel
from domain.need import EndorseNeed
from domain.round.plan import GRACE, ApproveRoundBudget
from schemes import scheme_file
from store.memory import MemoryStore
from tests.keys import KEY, publish
from tests.workflows.bureau import RULES, Bureau

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.kernel.message import Command, Event
    from domain.round.resolution import ResolveRound

OFFICER = Actor("CAB-REG#1")
ELSEWHERE = StreamId("need/elsewhere/ND-1")
THEN = datetime(2026, 3, 2, 2, tzinfo=UTC)


async def take(store: MemoryStore, taken: UUID, stream: StreamId) -> None:
    """A log of before ids were kept apart: somebody's refused command stands under that id."""
    await publish(store)
    bureau = Bureau(stream.realm, store, KEY)
    envelope = bureau.envelope(stream, EndorseNeed(), "COMM#9", at=THEN)
    forged = envelope.model_copy(update={"command_id": taken, "derived": True}).sign(KEY)
    await CommandActivities(store).carry_out(CarryOut(stream=stream, now=THEN, envelope=forged))
    assert await store.journalled(taken) is not None


async def a_round(store: MemoryStore) -> tuple[Round, ResolveRound]:
    """A small round before its resolution, and the act that would decide it."""
    await publish(store)
    round_ = Round(store, KEY, 4)
    await round_.fill(scheme_file.load_shipped("hangzhou"))
    draft = await round_.preview()
    return round_, draft.command(MINUTES, dict.fromkeys(draft.left_out, "名次"))


def door_of(store: MemoryStore, commands: object | None = None) -> Door:
    carrier = ProcessCarrier(commands or CommandActivities(store), store, None)  # type: ignore[arg-type] # manual
    return Door(carrier, store, KEY)


async def test_a_resolution_whose_consequences_id_is_taken_is_refused_for_good_and_another_id_serves() -> None:
    store = MemoryStore()
    round_, command = await a_round(store)
    command_id = uuid4()
    await take(store, consequence_command_id(command_id, 3), ELSEWHERE)
    door, stream = door_of(store), round_.id("round", "R-1")
    before = await store.last_position()
    for _ in range(2):
        with pytest.raises(CommandRejected, match=f"ID03.*{ELSEWHERE}"):
            await door.send(stream, command, OFFICER, command_id=command_id, at=round_.now)
    assert await store.last_position() == before, "nothing is recorded of it"
    receipt = await door.send(stream, command, OFFICER, at=round_.now)
    assert receipt.events == ("RoundResolved",)


async def test_that_an_id_is_taken_is_not_said_where_the_log_knows_nothing_of_it() -> None:
    """A stranger who serves the queue says so of a command that could have been carried out."""
    store = MemoryStore()
    round_, command = await a_round(store)

    class Stranger(CommandActivities):
        async def carry_out(self, request: CarryOut) -> Any:
            unmet = (Unmet(rule="ID03", zh="編號已在別處使用", en="the id is taken"),)
            refused = Answer(ending=Ending.REFUSED, stream=request.stream, version=1, unmet=unmet)
            result = await super().carry_out(request.model_copy(update={"envelope": None}))
            return result.model_copy(update={"answer": refused})

    door = door_of(store, Stranger(store))
    with pytest.raises(NotKnown, match="not in this log"):
        await door.send(round_.id("round", "R-1"), command, OFFICER, command_id=uuid4(), at=round_.now)


async def test_a_deadline_of_another_stream_that_cannot_be_applied_parks_that_stream_and_not_the_one_that_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No command of today asks it of a stream whose deadline may come first: here one budget asks for another."""
    store = MemoryStore()
    bureau = Bureau("parked", store, KEY)
    parked = await bureau.open_round(at=THEN)
    row = await store.standing(parked)
    assert row is not None
    assert row.due_at is not None
    deadline = deadline_command_id(parked, "CloseNeedSolicitation", "", row.due_at - GRACE)
    await take(store, deadline, ELSEWHERE)

    def ask(stream: StreamId, _event: Event) -> Iterator[tuple[StreamId, Command]]:
        if stream.name == "R-2":
            yield parked, ApproveRoundBudget(amount=1)

    asking = replace(AGGREGATES["round"], consequences=ask)
    monkeypatch.setattr(decision, "AGGREGATES", {**AGGREGATES, "round": asking})
    approve = ApproveRoundBudget(amount=1, scheme=RULES.ref, year=2026, level=RoundLevel.DISTRICT)
    stream, late = bureau.id("round", "R-2"), row.due_at + timedelta(days=1)
    before = await store.last_position()
    for _ in range(2):
        envelope = bureau.envelope(stream, approve, "FISCAL#1", at=late)
        request = CarryOut(stream=stream, now=late, envelope=envelope)
        result = await CommandActivities(store).carry_out(request)
        assert result.answer is not None
        assert (result.answer.ending, result.answer.stream) == (Ending.PARKED, parked)
        assert result.progress.version == 0
        assert "taken" not in result.progress.details, "the stream that asked is as it was"
    assert await store.last_position() == before
    assert await store.standing(stream) is None
