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
from domain.kernel.identifier import Actor, Role, StreamId
from domain.registers.door_key import PublishDoorKey, RotateDoorKey, WithdrawDoorKey, key_stream
from scenarios.play import play
from store.memory import MemoryStore
from tests.corpus.record import tell_all
from tests.keys import KEY, OTHER, make_key, publish
from tests.office import Office, person_on
from tests.office_story import tell_office
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
    await fill_office(living, office)
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


async def fill_office(store: EventStore, door: PageDoor) -> None:
    """What an office does within itself, and keys exchanged: all on pages."""
    await publish(store)
    office, today = OfficeOnPages(store, door=door), local_day(datetime.now(UTC))
    await tell_office(office, off=date(today.year, 1, 1), until=today + timedelta(days=9))
    taken_back = WithdrawDoorKey(reason="密鑰遺失")
    for key, last in ((OTHER, RotateDoorKey(successor=make_key("next").public)), (make_key("lost"), taken_back)):
        stream = key_stream(key.id)
        await office.privileged(stream, PublishDoorKey(public=key.public, door="another", speaks_for=("HOST",)))
        await office.privileged(stream, last)
