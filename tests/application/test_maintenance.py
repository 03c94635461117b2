"""What is done to the installation stands in the log before it is done, with who and why, and what came of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from activities.carry_out import CommandActivities
from application.door import Door
from application.identity import OnePerson, SeatHolders
from application.maintenance import list_maintenance, record_maintenance
from application.process_carrier import ProcessCarrier
from domain.kernel.acting import PersonId
from domain.kernel.identifier import Actor
from domain.kernel.refusal import CommandRejected
from domain.registers.maintenance import Work
from store.memory import MemoryStore
from tests.keys import KEY
from tests.office import ADMINISTRATORS, FIRST, Office


async def administration() -> tuple[MemoryStore, Door]:
    """A founded office, and a door that needs no Temporal."""
    store = MemoryStore()
    await Office(store, at=datetime.now(UTC)).found()
    carrier = ProcessCarrier(CommandActivities(store, requires_office=True), store, otherwise=None)
    return store, Door(carrier, store, KEY, SeatHolders(store))


async def test_who_did_it_why_and_what_came_of_it_is_in_the_log() -> None:
    store, door = await administration()
    async with record_maintenance(store, door, FIRST, Work.MOVE_BUILD, "舊版已停", "2026.1") as outcome:
        (under_way,) = await list_maintenance(store)
        assert under_way.ended is None, "it stands there before anything is done"
        outcome.count([True, True, False])
    (record,) = await list_maintenance(store)
    line = record.as_json()
    assert (line["seat"], line["persons"], line["reason"]) == (FIRST, [ADMINISTRATORS[0]], "舊版已停")
    assert (line["work"], line["target"], line["changed"], line["left"]) == ("MOVE_BUILD", "2026.1", 2, 1)


async def test_what_is_broken_off_stays_open_in_the_log() -> None:
    store, door = await administration()
    with pytest.raises(KeyboardInterrupt):
        async with record_maintenance(store, door, FIRST, Work.RESURRECT, "Temporal 新建"):
            raise KeyboardInterrupt
    async with record_maintenance(store, door, FIRST, Work.RESURRECT, "再來一次"):
        pass
    first, second = await list_maintenance(store)
    assert (first.begun.number, first.ended, second.begun.number) == (1, None, 2)
    assert second.ended is not None


@pytest.mark.parametrize(
    ("seat", "person", "rule"),
    [("ADMIN#1", "P-9", "SE12"), ("CAB-REG#1", "P-1", "MT01"), ("ADMIN#1", None, "SE11")],
)
async def test_nobody_else_touches_the_installation(seat: str, person: str | None, rule: str) -> None:
    store, door = await administration()
    who = OnePerson(PersonId(person) if person else None, SeatHolders(store))
    stranger = Door(door._carrier, store, KEY, who)
    with pytest.raises(CommandRejected) as refused:
        async with record_maintenance(store, stranger, Actor(seat), Work.RESURRECT, "想試試"):
            pytest.fail("nothing is done by whom the log does not let")
    assert rule in {u.rule for u in refused.value.unmet}
