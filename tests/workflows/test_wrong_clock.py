"""What a wrong clock or another log may not bring about: a window closed too early, an answer that no log has."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from prometheus_client import generate_latest
from temporalio.exceptions import ApplicationError
from temporalio.testing import TimeSkipper

import bootstrap
from activities.carry_out import CommandActivities
from application.door import Door, NotKnown
from application.workflow_carrier import WorkflowCarrier
from domain.kernel.envelope import CarryOut
from domain.kernel.identifier import Actor
from domain.round.plan import OpenNeedSolicitation
from metrics import Metrics
from store.memory import MemoryStore
from tests.keys import KEY
from tests.workflows.breakable import breakable
from tests.workflows.bureau import Bureau, need_submission, verification

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from domain.kernel.identifier import StreamId
    from tests.workflows.breakable import Breakable

A_DAY = timedelta(days=1)
COMMUNITY = Actor("COMM#1")


class Clock:
    """The store's own clock, which is right."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


async def _open_round(store: MemoryStore, clock: Clock) -> tuple[StreamId, datetime]:
    """A round whose window for needs ends in three hours."""
    stream = await Bureau("b-0", store, KEY).open_round(at=clock.now)
    (row,) = [row async for row in store.standings(kind="round")]
    assert row.due_at is not None
    clock.now = row.due_at - timedelta(hours=3)
    return stream, row.due_at


async def _types(store: MemoryStore, stream: StreamId) -> list[str]:
    return [entry.type async for entry in store.read(stream, commands=True)]


async def test_a_worker_that_is_told_a_time_a_day_ahead_closes_no_window() -> None:
    store, measures = MemoryStore(clock := Clock()), Metrics()
    stream, due_at = await _open_round(store, clock)
    commands = CommandActivities(store, measures, checks_clocks=True)
    before = await _types(store, stream)
    with pytest.raises(ApplicationError, match="the clocks disagree") as wrong:
        await commands.carry_out(CarryOut(stream=stream, now=clock.now + A_DAY, alarm=True))
    assert wrong.value.non_retryable
    assert await _types(store, stream) == before
    assert b"venture_clocks_disagree_total 1.0" in generate_latest(measures.registry)

    clock.now = due_at + timedelta(minutes=2)
    await commands.carry_out(CarryOut(stream=stream, now=clock.now, alarm=True))
    assert (await _types(store, stream))[-1] == "NeedSolicitationClosed", "the right clock closes it by itself"


async def test_a_command_that_comes_by_a_clock_a_day_ahead_is_not_recorded_nor_what_was_due_before_it() -> None:
    store = MemoryStore(clock := Clock())
    stream, _ = await _open_round(store, clock)
    commands, bureau = CommandActivities(store, checks_clocks=True), Bureau("b-0", store, KEY)
    hasty = bureau.envelope(bureau.id("need", "ND-1"), need_submission(), COMMUNITY, at=clock.now + A_DAY)
    with pytest.raises(ApplicationError, match="the clocks disagree"):
        await commands.carry_out(CarryOut(stream=hasty.subject, now=clock.now + A_DAY, envelope=hasty))
    assert await store.journalled(hasty.command_id) is None
    assert (await _types(store, stream))[-1] == "NeedSolicitationOpened"


async def test_a_command_by_a_clock_a_day_behind_is_not_taken_in_for_yesterday() -> None:
    store = MemoryStore(clock := Clock())
    await _open_round(store, clock)
    commands, bureau = CommandActivities(store, checks_clocks=True), Bureau("b-0", store, KEY)
    late = bureau.envelope(bureau.id("need", "ND-1"), need_submission(), COMMUNITY, at=clock.now - A_DAY)
    with pytest.raises(ApplicationError, match="the clocks disagree"):
        await commands.carry_out(CarryOut(stream=late.subject, now=clock.now - A_DAY, envelope=late))
    assert await store.journalled(late.command_id) is None


async def test_a_door_whose_clock_is_wrong_by_a_day_changes_nothing_for_time_is_temporals() -> None:
    store = MemoryStore(clock := Clock())
    await _open_round(store, clock)
    commands, bureau = CommandActivities(store, checks_clocks=True), Bureau("b-0", store, KEY)
    for number, skew in enumerate((A_DAY, -A_DAY), 1):
        need = bureau.id("need", f"ND-{number}")
        envelope = bureau.envelope(need, need_submission(), COMMUNITY, at=clock.now + skew)
        result = await commands.carry_out(CarryOut(stream=need, now=clock.now, envelope=envelope))
        assert result.answer is not None
        entry = await store.journalled(envelope.command_id)
        assert entry is not None
        assert entry.occurred_at == clock.now


# ---------------------------------------------------------------- on real servers


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Breakable]:
    """Servers whose Postgres keeps its own time."""
    home: Path = tmp_path_factory.mktemp("clock")
    async with breakable(bootstrap.settings(home=home)) as one:
        yield one


@pytest.mark.full
async def test_when_temporals_clock_runs_ahead_no_window_closes_and_callers_hear_what_to_do(house: Breakable) -> None:
    bureau, skipper = house.bureau(), TimeSkipper(house.client)
    door = Door(WorkflowCarrier(skipper.client, house.settings.task_queue), house.store, bureau.key)
    stream = await bureau.open_round()
    (row,) = [row async for row in house.store.standings(kind="round", realm=bureau.realm)]
    assert row.due_at is not None
    with skipper.with_time_skipping_disabled():
        await door.look(stream)
    await skipper.fast_forward(
        skipper.client.get_workflow_handle(stream), row.due_at - datetime.now(UTC) + timedelta(minutes=1)
    )
    assert [e.type async for e in house.store.read(stream)] == ["NeedSolicitationOpened"]
    with skipper.with_time_skipping_disabled(), pytest.raises(NotKnown, match="the clocks disagree"):
        await door.send(stream, OpenNeedSolicitation(), Actor("CAB-REG#1"))
    assert [e.type async for e in house.store.read(stream, commands=True)][1:] == ["NeedSolicitationOpened"]


@pytest.mark.full
async def test_a_door_whose_log_was_exchanged_behind_it_says_nothing(house: Breakable) -> None:
    """Its database was led elsewhere while it ran: to a log that has outcomes too, but other ones."""
    bureau, elsewhere = house.bureau(), MemoryStore()
    door = Door(WorkflowCarrier(house.client, house.settings.task_queue), house.store, bureau.key)
    organisation, command_id = bureau.id("organisation", "ORG-1"), uuid4()
    receipt = await door.send(organisation, verification(), Actor("HOST#1"))
    (first,) = await house.store.feed(0, 1)
    assert receipt.log == first.chain.hex()
    await Bureau("live", elsewhere, bureau.key).open_round()
    door._store = elsewhere
    with pytest.raises(NotKnown, match="not the one that it knew"):
        await door.send(organisation, verification(), Actor("HOST#1"), command_id=command_id)
