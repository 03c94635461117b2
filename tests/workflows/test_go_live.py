"""Paper files taken in on a manual clock begin to live: two persons, one way, and every deadline rings by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from application.go_live import go_live
from application.realms import NoSuchRealm
from domain.kernel.clock import Clock
from domain.kernel.envelope import Progress
from domain.kernel.identifier import Actor, StreamId
from domain.kernel.refusal import CommandRejected
from domain.need import EndorseNeed
from domain.registers.realm import SetClock
from followers.agenda import AgendaFollower
from tests.followers.test_agenda import OwnLease
from tests.workflows.bureau import Bureau, need_submission
from tests.workflows.waiting import until

if TYPE_CHECKING:
    from tests.conftest import Desk

OFFICER, PARTY = Actor("CAB-REG#1"), Actor("CAB-DEC#1")
LONG_AGO = timedelta(days=90)


async def _paper(desk: Desk, bureau: Bureau, *, ago: timedelta) -> StreamId:
    """A round of the paper files, its window for needs opened that long ago, and one need."""
    await desk.door.open_realm(bureau.realm)
    opened = datetime.now(UTC) - ago
    stream = await bureau.open_round(at=opened)
    await desk.door.send(bureau.id("need", "ND-1"), need_submission(), Actor("COMM#1"), at=opened)
    return stream


def _clock_of(bureau: Bureau) -> StreamId:
    return bureau.id("realm", "clock")


async def test_a_realm_goes_live_and_its_deadlines_ring_by_themselves(desk: Desk, bureau: Bureau) -> None:
    stream = await _paper(desk, bureau, ago=timedelta(days=1))
    (before,) = [row async for row in desk.store.standings(kind="round", realm=bureau.realm)]
    live = await go_live(desk.store, desk.door, bureau.realm, OFFICER, PARTY)
    assert live.receipt.events == ("ClockSet",)
    assert stream in live.looked_at

    async def armed() -> bool:
        progress: Progress | None = await desk.client.get_workflow_handle(stream).query(
            "progress", result_type=Progress
        )
        (row,) = [row async for row in desk.store.standings(kind="round", realm=bureau.realm)]
        return progress is not None and row.notified and progress.due == row.due_at

    await until(armed)
    (row,) = [row async for row in desk.store.standings(kind="round", realm=bureau.realm)]
    assert before.due_at is not None
    assert (row.clock, row.due_at) == (Clock.WALL, before.due_at + timedelta(seconds=60)), "with the minute's grace"


async def test_commands_of_a_live_realm_take_no_time(desk: Desk, bureau: Bureau) -> None:
    await _paper(desk, bureau, ago=timedelta(days=1))
    await go_live(desk.store, desk.door, bureau.realm, OFFICER, PARTY)
    need = bureau.id("need", "ND-1")
    with pytest.raises(CommandRejected, match="CLOCK"):
        await desk.door.send(need, EndorseNeed(), Actor("COMM#2"), at=datetime.now(UTC))
    before = datetime.now(UTC)
    await desk.door.send(need, EndorseNeed(), Actor("COMM#2"))
    *_, last = [e async for e in desk.store.read(need)]
    assert before <= last.occurred_at <= datetime.now(UTC)


async def test_deadlines_in_the_past_are_listed_and_settled_first_by_dated_commands(desk: Desk, bureau: Bureau) -> None:
    stream = await _paper(desk, bureau, ago=LONG_AGO)
    with pytest.raises(CommandRejected) as refused:
        await go_live(desk.store, desk.door, bureau.realm, OFFICER, PARTY)
    assert [u.rule for u in refused.value.unmet] == ["CK02"]
    assert "round/R-1" in refused.value.unmet[0].en
    assert (await desk.store.realm(bureau.realm)).clock is Clock.MANUAL
    await desk.door.send(bureau.id("need", "ND-1"), EndorseNeed(), Actor("COMM#2"), at=datetime.now(UTC))
    await go_live(desk.store, desk.door, bureau.realm, OFFICER, PARTY)
    assert [e.type async for e in desk.store.read(stream)][-1] == "NeedSolicitationClosed"


async def test_one_person_takes_no_realm_live_and_nobody_takes_it_back(desk: Desk, bureau: Bureau) -> None:
    await _paper(desk, bureau, ago=timedelta(days=1))
    with pytest.raises(CommandRejected, match="CK02"):
        await go_live(desk.store, desk.door, bureau.realm, OFFICER, OFFICER)
    with pytest.raises(CommandRejected, match="ID02"):
        await desk.door.send(_clock_of(bureau), SetClock(clock=Clock.WALL, second=PARTY), Actor("SYS#1"))
    await go_live(desk.store, desk.door, bureau.realm, OFFICER, PARTY)
    for clock in Clock:
        with pytest.raises(CommandRejected):
            await desk.door.send(_clock_of(bureau), SetClock(clock=clock, second=PARTY), OFFICER)


async def test_a_realm_that_always_lived_on_the_wall_clock_cannot_be_said_to_be_manual(
    desk: Desk, bureau: Bureau
) -> None:
    await bureau.open_round()
    with pytest.raises(CommandRejected, match="CK01"):
        await desk.door.send(_clock_of(bureau), SetClock(clock=Clock.MANUAL), OFFICER)


async def test_going_live_asked_twice_under_one_id_is_one_turn(desk: Desk, bureau: Bureau) -> None:
    await _paper(desk, bureau, ago=timedelta(days=1))
    command_id = uuid4()
    first = await go_live(desk.store, desk.door, bureau.realm, OFFICER, PARTY, command_id=command_id)
    again = await go_live(desk.store, desk.door, bureau.realm, OFFICER, PARTY, command_id=command_id)
    assert (first.receipt.version, again.receipt.version, again.receipt.repeated) == (1, 1, True)


async def test_a_realm_of_which_nothing_is_recorded_is_none(desk: Desk, bureau: Bureau) -> None:
    with pytest.raises(NoSuchRealm):
        await go_live(desk.store, desk.door, bureau.realm, OFFICER, PARTY)


async def test_alarms_are_set_even_if_whoever_went_live_died_after_the_turn(desk: Desk, bureau: Bureau) -> None:
    stream = await _paper(desk, bureau, ago=timedelta(days=1))
    await bureau.straight(_clock_of(bureau), SetClock(clock=Clock.WALL, second=PARTY), "CAB-REG#1")
    await AgendaFollower(OwnLease(desk.store), desk.door.look).once(datetime.now(UTC))

    async def armed() -> bool:
        progress = await desk.client.get_workflow_handle(stream).query("progress", result_type=Progress)
        return progress is not None and progress.due is not None

    await until(armed)
