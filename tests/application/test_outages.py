"""The door while a server is away: not known is said as such, and asking again gives the one true answer."""

from __future__ import annotations

import asyncio
import gc
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from application import workflow_carrier
from application.door import Mismatch, NotKnown
from application.queries import load_file
from domain.kernel.identifier import Actor
from domain.project.publicity import OpenAwardPublicity
from tests.workflows.bureau import verification

if TYPE_CHECKING:
    from tests.workflows.breakable import Breakable

HOST, OFFICER = Actor("HOST#1"), Actor("CAB-REG#1")


@pytest.mark.full
async def test_with_postgres_standing_still_a_command_is_not_known_and_afterwards_carried_out_once(
    house: Breakable,
) -> None:
    stream, command_id = house.bureau().id("organisation", "ORG-1"), uuid4()
    await house.door.send(stream, verification("甲"), HOST)
    with house.postgres_stopped():
        with pytest.raises(NotKnown) as unknown:
            await house.door.ask(house.bureau().envelope(stream, verification("乙"), "HOST#1", command_id=command_id))
        assert unknown.value.command_id == command_id
    second = await house.door.send(stream, verification("乙"), HOST, command_id=command_id)
    with pytest.raises(Mismatch):
        await house.door.send(stream, verification("丙"), HOST, command_id=command_id)
    third = await house.door.send(stream, verification("乙"), HOST, command_id=command_id)
    assert third.repeated
    assert (second.version, second.position, second.events) == (third.version, third.position, third.events)
    assert [e.type async for e in house.store.read(stream)] == ["OrganisationVerified", "OrganisationVerified"]


@pytest.mark.full
async def test_a_command_on_its_way_while_postgres_is_killed_is_carried_out_once(house: Breakable) -> None:
    bureau, command_ids = house.bureau(), [uuid4() for _ in range(12)]
    streams = [bureau.id("organisation", f"ORG-{n}") for n in range(len(command_ids))]

    async def until_known(n: int) -> None:
        while True:
            try:
                await house.door.send(streams[n], verification(), HOST, command_id=command_ids[n])
            except NotKnown:
                await asyncio.sleep(0.2)
            else:
                return

    await house.door.send(bureau.id("organisation", "ORG-99"), verification(), HOST)
    with house.postgres_stopped():
        tasks = [asyncio.create_task(until_known(n)) for n in range(len(streams))]
        _, on_their_way = await asyncio.wait(tasks, timeout=0.5)
        house.kill_postgres()
    assert len(on_their_way) == len(streams)
    await asyncio.gather(*tasks)
    await house.well()
    for stream, command_id in zip(streams, command_ids, strict=True):
        entries = [entry async for entry in house.store.read(stream, commands=True)]
        assert [entry.command_id for entry in entries] == [command_id, command_id], "one command, one event"


@pytest.mark.full
async def test_with_temporal_standing_still_reading_works_and_a_command_is_not_known(
    house: Breakable, monkeypatch: pytest.MonkeyPatch
) -> None:
    bureau = house.bureau()
    await bureau.open_base()
    project, command_id = bureau.id("project", "AP-1"), uuid4()
    first = await house.door.send(project, bureau.award(1), OFFICER, command_id=command_id)
    waiting = uuid4()
    monkeypatch.setattr(workflow_carrier, "PATIENCE", timedelta(seconds=1))
    with house.temporal_stopped():
        assert (await load_file(house.store, project)).stream == project
        with pytest.raises(NotKnown) as unknown:
            await house.door.send(project, OpenAwardPublicity(contact="市民政局"), OFFICER, command_id=waiting)
        assert unknown.value.command_id == waiting
        again = await house.door.send(project, bureau.award(1), OFFICER, command_id=command_id)
        assert (again.repeated, again.version) == (True, first.version)
    monkeypatch.undo()
    await house.door.send(project, OpenAwardPublicity(contact="市民政局"), OFFICER, command_id=waiting)
    assert [e.type async for e in house.store.read(project)] == ["AwardProposed", "AwardPublicityOpened"]


@pytest.mark.full
async def test_a_caller_who_gives_up_is_let_go_at_once_and_leaves_no_unheard_error(
    house: Breakable,
) -> None:
    unheard: list[dict[str, Any]] = []
    loop, stream = asyncio.get_running_loop(), house.bureau().id("organisation", "ORG-1")
    loop.set_exception_handler(lambda _, context: unheard.append(context))
    try:
        with house.temporal_stopped():
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await house.door.send(stream, verification(), HOST)
            task = asyncio.create_task(house.door.send(stream, verification(), HOST))
            await asyncio.wait([task], timeout=0.5)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        gc.collect()
        await asyncio.sleep(0)
    finally:
        loop.set_exception_handler(None)
    assert unheard == []
