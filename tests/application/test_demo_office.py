"""The small office of one machine: founded at the first start, whole after any interruption, and nothing twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import bootstrap
from activities.carry_out import CommandActivities
from application.demo_office import SEATS, demo_person, demo_scope, open_demo_office
from application.door import Door, NotKnown
from application.dry_run import DryRun
from application.identity import OnePerson, SeatHolders
from application.policy_explanation import explain
from application.process_carrier import ProcessCarrier
from application.seats import list_persons, list_seats
from audit.invariants import check
from audit.verification import verify
from domain.kernel.acting import PersonId
from domain.kernel.clock import Clock
from domain.kernel.identifier import LIVE, Actor, StreamId
from domain.kernel.refusal import CommandRejected
from domain.kernel.scope import ScopeKind
from domain.registers.fund import RegisterFundSource
from domain.registers.realm import REALM_NAME, SetClock
from payload_keys import make_payload_key
from runtime.runtime import commands_here
from store.memory import MemoryStore
from store.port import StoreUnavailable
from tests.keys import KEY, publish

if TYPE_CHECKING:
    from pathlib import Path

    from application.identity import PersonFinder
    from store.port import Append, AppendResult

FUND, SOURCE = StreamId("fund/live/FS-1"), RegisterFundSource(name="福彩公益金", envelope=1_000)
FINANCE = Actor("CAB-FIN#1")


async def opened(store: MemoryStore, identity: PersonFinder | None = None) -> Door:
    await publish(store)
    return Door(ProcessCarrier(CommandActivities(store), store, None), store, KEY, identity)


@pytest.mark.full
async def test_every_seat_of_the_guides_has_a_person_of_its_own_and_asked_again_nothing_is_done() -> None:
    store = MemoryStore()
    door = await opened(store)
    assert await open_demo_office(store, door) == len(SEATS)
    after = await store.last_position()
    assert await open_demo_office(store, door) == 0
    assert await store.last_position() == after
    seats = {one.seat: [t.person for t in one.tenures] for one in await list_seats(store, LIVE)}
    assert seats == {**{s: [demo_person(s)] for s in SEATS}, Actor("ADMIN#1"): ["P-1"], Actor("ADMIN#2"): ["P-2"]}
    assert all(len(one.duties) == 1 for one in await list_persons(store, LIVE))
    assert (await verify(store)).ok
    assert (await check(store)).ok


@pytest.mark.parametrize("party", ["HOST-1", "SUPV-1", "EVAL-1", "AUDIT-1"])
def test_a_partys_seat_acts_for_the_party_that_rounds_and_contracts_name(party: str) -> None:
    scope = demo_scope(Actor(party.replace("-", "#")))
    assert scope.kind is ScopeKind.PARTY
    assert party in scope.names


@pytest.mark.full
async def test_an_opening_that_was_interrupted_is_finished_by_the_next() -> None:
    class Failing(MemoryStore):
        appends = 0

        async def append(self, append: Append) -> AppendResult:
            self.appends += 1
            if self.appends == 40:
                gone = "gone"
                raise StoreUnavailable(gone)
            return await super().append(append)

    store = Failing()
    with pytest.raises(NotKnown):
        await open_demo_office(store, await opened(store))
    assert not {one.seat for one in await list_seats(store, LIVE) if one.tenures} >= set(SEATS)
    await open_demo_office(store, await opened(store))
    assert {one.seat for one in await list_seats(store, LIVE) if one.tenures} >= set(SEATS)


async def test_on_one_machine_whoever_names_a_seat_is_taken_for_whose_it_is() -> None:
    store = MemoryStore()
    door = await opened(store, SeatHolders(store))
    await open_demo_office(store, door)
    await door.send(FUND, SOURCE, FINANCE)
    (event,) = [entry async for entry in store.read(FUND)]
    assert f'"persons":["{demo_person(FINANCE)}"]'.encode() in event.meta


@pytest.mark.parametrize(("person", "rule"), [(None, "SE11"), ("P-1", "SE12")])
async def test_in_production_a_seat_without_its_person_is_refused(person: str | None, rule: str) -> None:
    store = MemoryStore()
    await open_demo_office(store, await opened(store))
    who = OnePerson(PersonId(person) if person else None, SeatHolders(store))
    with pytest.raises(CommandRejected) as refused:
        await (await opened(store, who)).send(FUND, SOURCE, FINANCE)
    assert [u.rule for u in refused.value.unmet] == [rule]


async def test_a_seat_that_nobody_established_is_refused_once_the_office_is_founded() -> None:
    store = MemoryStore()
    door = await opened(store, SeatHolders(store))
    await door.send(FUND, SOURCE, Actor("CAB-FIN#77"))  # a log from before persons
    await open_demo_office(store, door)
    with pytest.raises(CommandRejected) as refused:
        await door.send(StreamId("fund/live/FS-2"), SOURCE, Actor("CAB-FIN#77"))
    assert [u.rule for u in refused.value.unmet] == ["SE10"]


async def test_in_production_nobody_acts_before_the_founding() -> None:
    store = MemoryStore()
    await publish(store)
    strict = ProcessCarrier(CommandActivities(store, requires_office=True), store, None)
    with pytest.raises(CommandRejected) as refused:
        await Door(strict, store, KEY).send(FUND, SOURCE, FINANCE)
    assert [u.rule for u in refused.value.unmet] == ["SE10"]


async def test_in_production_a_rehearsal_and_a_paper_realms_turn_are_as_strict_as_the_worker(tmp_path: Path) -> None:
    production = bootstrap.settings(
        env="production",
        home=tmp_path / "home",
        postgres_url="x",
        temporal_address="x:1",
        payload_keys=make_payload_key(),
    )
    store = MemoryStore()
    await publish(store)
    for strict in (False, production.requires_office):
        step = await DryRun(store, requires_office=strict).step(FUND, SOURCE, FINANCE)
        why = await explain(store, FUND, SOURCE, FINANCE, requires_office=strict)
        assert [u.rule for u in step.unmet] == (["SE10"] if strict else [])
        assert why.is_allowed is not strict

    await store.set_clock("paper", Clock.MANUAL)
    here = ProcessCarrier(commands_here(production, store), store, None)
    turn = SetClock(clock=Clock.WALL, second=Actor("CAB-DEC#1"))
    with pytest.raises(CommandRejected) as refused:
        await Door(here, store, KEY).send(StreamId.of("realm", "paper", REALM_NAME), turn, Actor("CAB-REG#1"))
    assert "SE10" in [u.rule for u in refused.value.unmet]


async def test_a_paper_realms_seats_stay_bare_there_and_only_there() -> None:
    store = MemoryStore()
    door = await opened(store, SeatHolders(store))
    await open_demo_office(store, door)
    await store.set_clock("paper", Clock.MANUAL)
    await door.send(StreamId("fund/paper/FS-1"), SOURCE, Actor("CAB-FIN#77"))
    (event,) = [entry async for entry in store.read(StreamId("fund/paper/FS-1"))]
    assert event.meta == b'{"actor":"CAB-FIN#77"}'
