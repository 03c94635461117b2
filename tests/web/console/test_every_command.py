"""Every command of the catalogue is given through its form: whole stories, typed as a person types them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from activities.carry_out import CommandActivities
from application.door import CommandRequest, Door
from application.process_carrier import ProcessCarrier
from cli.scenario import plan_scenario
from domain.catalogue import AGGREGATES
from domain.kernel.acting import PersonId
from domain.kernel.calendar import local_day
from domain.kernel.identity import LIVE, Actor, Role, StreamId
from domain.kernel.proposal import DropAct
from domain.registers.calendar import PublishCalendar
from domain.registers.door_key import PublishDoorKey, RotateDoorKey, WithdrawDoorKey, key_stream
from domain.registers.maintenance import MAINTENANCE, BeginMaintenance, EndMaintenance, Work
from domain.registers.person import BindLogin, RegisterPerson, RetirePerson, person_stream
from domain.registers.seat import BreakGlass, LendSeat, WithdrawSeat
from scenarios.play import play
from store.memory import MemoryStore
from tests.corpus.record import tell_all
from tests.keys import KEY, OTHER, make_key, publish
from tests.office import Office, person_on
from tests.paper import open_paper_door
from tests.web.console.page_door import FOUR, PageDoor
from tests.web.console.papers import build_house
from tests.web.console.refusing import RefusingReception
from web.app import build

if TYPE_CHECKING:
    from pathlib import Path

    from domain.kernel.envelope import Answer
    from domain.kernel.message import Command
    from store.port import EventStore

OFFERED = {
    command.command_type
    for aggregate in AGGREGATES.values()
    for command in aggregate.commands
    if command.by != (Role.SYS,)
}
NOT_GIVEN = {
    "RefuseLateSubmission": "the door records it as the engine's own when a bid comes too late",
    "SetDeadlineAside": "wants a deadline that no rule can apply, as no story has (tests/deciding/test_unparking.py)",
}
"""Commands that no drive gives, with the reason."""


def open_pages(home: Path, store: EventStore, behind: Door) -> PageDoor:
    """The pages before that door, where each command is refused in every way before it is taken."""
    house = build_house(home, store, behind)
    return PageDoor(behind, store, RefusingReception(house=house, app=build(house)))


@pytest.mark.full
@pytest.mark.timeout(600)
@pytest.mark.parametrize("story", FOUR, ids=lambda path: path.stem)
async def test_a_story_is_typed_into_forms_from_beginning_to_end(tmp_path: Path, story: Path) -> None:
    (plan,) = plan_scenario([story])
    store = MemoryStore()
    door = open_pages(tmp_path, store, open_paper_door(store))
    result = await play(plan, door, store)
    assert result.ok, result.as_json()
    assert set(door.past) <= {"RefuseLateSubmission"}, "the engine's own"


@pytest.mark.release
@pytest.mark.timeout(1800)
async def test_every_command_that_a_person_may_give_is_given_through_its_form(tmp_path: Path) -> None:
    stories, living = MemoryStore(), MemoryStore()
    papers = open_pages(tmp_path, stories, open_paper_door(stories))
    await tell_all(papers, stories)
    within = Door(ProcessCarrier(CommandActivities(living), living, None), living, KEY)
    office = open_pages(tmp_path, living, within)
    await tell_office(living, office)
    given = papers.given.keys() | office.given.keys()
    assert OFFERED - given == NOT_GIVEN.keys()


@dataclass
class OfficeOnPages(Office):
    """The live registers, everything asked on pages."""

    door: PageDoor | None = None

    async def answer(
        self, stream: StreamId, command: Command, seat: str, person: str | None = None, **_: object
    ) -> Answer:
        assert self.door is not None
        actor = Actor(seat)
        who = PersonId(person) if person else person_on(actor)
        (answer,) = [
            one async for one in self.door.send_each(stream, [CommandRequest(command, actor, uuid4(), person=who)])
        ]
        return answer


async def tell_office(store: EventStore, door: PageDoor) -> None:
    """An office founded, seats granted, lent and taken back, a year published by two, keys exchanged: all on pages."""
    await publish(store)
    office = OfficeOnPages(store, door=door)
    officer, leader, stand_in = (PersonId(f"P-{number}") for number in (3, 4, 5))
    registrar, leadership = await office.seat("CAB-REG#1", officer), await office.seat("CAB-DEC#1", leader)
    third = person_stream(LIVE, stand_in)
    await office.ask(third, RegisterPerson(), "ADMIN#1")
    await office.privileged(third, BindLogin(login="c" * 64))
    today = local_day(datetime.now(UTC))
    calendar, year = StreamId("calendar/live/cn"), PublishCalendar(year=today.year, off=(date(today.year, 1, 1),))
    await office.privileged(calendar, year, "CAB-REG#1", "CAB-DEC#1", by=officer, confirmed_by=leader)
    await office.privileged(registrar, LendSeat(person=stand_in, until=today + timedelta(days=9), reason="出差"))
    correction = year.model_copy(update={"version": 2, "off": (*year.off, date(today.year, 1, 2))})
    await office.ask(calendar, correction, "CAB-REG#1", stand_in)
    await office.refused(calendar, await office.confirmation(calendar, correction), "CAB-REG#1", officer)
    await office.ask(calendar, DropAct(proposal=2, reason="有誤"), "CAB-DEC#1", leader)
    await office.privileged(leadership, BreakGlass(person=stand_in, hours=2, reason="系統故障"))
    for seat in (registrar, leadership):
        await office.privileged(seat, WithdrawSeat(person=stand_in, reason="返崗"))
    await office.privileged(third, RetirePerson(reason="離任"))
    await office.ask(MAINTENANCE, BeginMaintenance(work=Work.RESURRECT, reason="Temporal 新建"), "ADMIN#1")
    await office.ask(MAINTENANCE, EndMaintenance(number=1, changed=3, left=1), "ADMIN#1")
    taken_back = WithdrawDoorKey(reason="密鑰遺失")
    for key, last in ((OTHER, RotateDoorKey(successor=make_key("next").public)), (make_key("lost"), taken_back)):
        stream = key_stream(key.id)
        await office.privileged(stream, PublishDoorKey(public=key.public, door="another", speaks_for=("HOST",)))
        await office.privileged(stream, last)
