"""A deadline that cannot be applied keeps its file from everything until two persons set it aside."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from audit.redecision import redecide
from deciding.fold import load_state
from deciding.parked import find_parked
from domain.catalogue import AGGREGATES
from domain.kernel.calendar import Calendar
from domain.kernel.decider import Aggregate
from domain.kernel.envelope import Ending
from domain.kernel.identifier import deadline_command_id
from domain.kernel.parked_deadline import SetDeadlineAside
from domain.kernel.refusal import CommandRejected, Unmet
from domain.round.plan import ApproveRoundBudget, CloseNeedSolicitation
from store.memory import MemoryStore
from tests.keys import KEY
from tests.office import Office
from tests.store.appends import group, write
from tests.workflows.bureau import Bureau

if TYPE_CHECKING:
    from domain.kernel.facts import Facts
    from domain.kernel.identifier import StreamId
    from domain.kernel.message import Event, Order
    from domain.kernel.state import State

LONG_AGO = datetime.now(UTC) - timedelta(days=365)


async def late_round(store: MemoryStore) -> tuple[StreamId, SetDeadlineAside, Office]:
    """A round whose window for needs ended long ago, the order that sets that end aside, and an office with seats."""
    stream = await Bureau(f"b-{uuid4().hex[:8]}", store, KEY).open_round(at=LONG_AGO)
    due = AGGREGATES["round"].due(await load_state(store, stream), Calendar())
    assert due is not None
    office = Office(store)
    await office.fill("CAB-REG#1", "CAB-DEC#1", "FISCAL#1")
    aside = SetDeadlineAside(
        deadline=due.command.command_type, key=due.key, falls_at=due.at, reason="規則有誤，改由人辦"
    )
    return stream, aside, office


def refuse_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a fault of the rules would."""
    decide = Aggregate.decide

    def refuse(self: Aggregate, state: State, facts: Facts, order: Order) -> list[Event]:
        if isinstance(order.command, CloseNeedSolicitation):
            raise CommandRejected((Unmet(rule="RD99", zh="不可", en="it may not"),))
        return decide(self, state, facts, order)

    monkeypatch.setattr(Aggregate, "decide", refuse)


async def test_two_persons_set_a_parked_deadline_aside_and_the_file_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    stream, aside, office = await late_round(store)
    refuse_the_deadline(monkeypatch)
    budget = ApproveRoundBudget(amount=1_000_000)
    assert (await office.answer(stream, budget, "FISCAL#1")).ending is Ending.PARKED
    proposed = await office.ask(stream, aside, "CAB-REG#1")
    assert proposed.events == ("ActProposed",)
    assert (await office.answer(stream, budget, "FISCAL#1")).ending is Ending.PARKED, "one person is not enough"
    confirmation = await office.confirmation(stream, aside)
    confirmed = await office.ask(stream, confirmation, "CAB-DEC#1")
    assert confirmed.events == ("ActConfirmed", "DeadlineSetAside")
    assert await find_parked(store, stream, datetime.now(UTC)) is None
    assert (await office.answer(stream, budget, "FISCAL#1")).ending is Ending.ACCEPTED
    assert (await redecide(store, stream)).ok, "an audit comes to the same"


async def test_a_deadline_whose_id_is_taken_is_set_aside_too() -> None:
    store = MemoryStore()
    stream, aside, office = await late_round(store)
    taken = deadline_command_id(stream, aside.deadline, aside.key, aside.falls_at)
    await store.append(group(write(stream.sibling("project", "AP-9"), command_id=taken)))
    parked = await find_parked(store, stream, datetime.now(UTC))
    assert parked is not None
    assert parked.due is not None
    assert aside.is_about(parked.due)
    await office.privileged(stream, aside, "CAB-REG#1", "CAB-DEC#1")
    assert await find_parked(store, stream, datetime.now(UTC)) is None


async def test_a_deadline_that_can_be_applied_is_not_dodged() -> None:
    store = MemoryStore()
    stream, aside, office = await late_round(store)
    assert await office.refused(stream, aside, "CAB-REG#1") == {"PK01"}
    state = await office.state(stream)
    assert state.stage == "COLLECTED", "it came first, as always"


async def test_a_deadline_that_has_not_come_is_not_set_aside() -> None:
    store = MemoryStore()
    stream, aside, office = await late_round(store)
    other = aside.model_copy(update={"falls_at": datetime.now(UTC) + timedelta(days=9)})
    assert await office.refused(stream, other, "CAB-REG#1") == {"PK01"}
    assert {"S0", "PK01"} & await office.refused(stream, other, "FISCAL#1"), "and by nobody else"
