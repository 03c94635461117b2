"""Rounds that a calendar opens: on their day, once however often it fires, and for the year that was meant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from temporalio.client import ScheduleBackfill

from api import annual
from api.annual import AlreadyScheduled, NoSuchDay, NoSuchSchedule, RoundOpener
from domain.kernel.calendar import SHANGHAI
from domain.kernel.identity import LIVE, Actor, StreamId
from domain.round.annual import Annual, YearsRound
from domain.round.plan import RoundLevel
from schemes.reading import Faulty
from tests.workflows.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import Desk

THIS_YEAR = datetime.now(SHANGHAI).year


@pytest.fixture
async def fz(desk: Desk) -> AsyncIterator[Annual]:
    """A programme of its own, its schedule taken away afterwards."""
    name = f"FZ{uuid4().hex[:6]}"
    of = Annual(programme=name, scheme="fuzhou", level=RoundLevel.DISTRICT, actor=Actor("CAB-REG#1"))
    yield of
    try:
        await annual.unschedule(desk.client, of.programme)
    except NoSuchSchedule:
        return


def _round(of: Annual, year: int) -> StreamId:
    return StreamId.of("round", LIVE, of.round_of(year))


async def _on_the_first_of_march(desk: Desk, of: Annual) -> annual.Scheduled:
    return await annual.schedule(desk.client, desk.settings.task_queue, of, month=3, day=1, hour=9)


async def _fired(desk: Desk, of: Annual, times: int) -> None:
    async def done() -> bool:
        described = await desk.client.get_schedule_handle(f"annual/{of.programme}").describe()
        return described.info.num_actions >= times and not described.info.running_actions

    await until(done)


async def test_it_fires_next_at_nine_in_shanghai_and_is_listed_until_it_is_taken_away(desk: Desk, fz: Annual) -> None:
    scheduled = await _on_the_first_of_march(desk, fz)
    assert scheduled.next_at is not None
    local = scheduled.next_at.astimezone(SHANGHAI)
    assert (local.month, local.day, local.hour, local.minute, local.second) == (3, 1, 9, 0, 0)
    assert scheduled.next_at > datetime.now(UTC)

    async def listed(*, there: bool = True) -> bool:
        return (fz in [s.annual for s in await annual.schedules(desk.client)]) is there

    await until(listed)
    with pytest.raises(AlreadyScheduled):
        await _on_the_first_of_march(desk, fz)
    await annual.unschedule(desk.client, fz.programme)
    await until(lambda: listed(there=False))
    with pytest.raises(NoSuchSchedule):
        await annual.unschedule(desk.client, fz.programme)


async def test_however_often_it_fires_the_years_round_is_opened_once(desk: Desk, fz: Annual) -> None:
    await _on_the_first_of_march(desk, fz)
    handle = desk.client.get_schedule_handle(f"annual/{fz.programme}")
    for times in (1, 2):
        await handle.trigger()
        await _fired(desk, fz, times)
    entries = [e async for e in desk.store.read(_round(fz, THIS_YEAR), commands=True)]
    assert [e.type for e in entries] == ["OpenNeedSolicitation", "NeedSolicitationOpened"]


async def test_a_late_firing_opens_the_round_of_the_year_that_was_meant(desk: Desk, fz: Annual) -> None:
    await _on_the_first_of_march(desk, fz)
    meant = datetime(THIS_YEAR - 1, 3, 1, 9, tzinfo=SHANGHAI)
    minute = timedelta(minutes=1)
    handle = desk.client.get_schedule_handle(f"annual/{fz.programme}")
    await handle.backfill(ScheduleBackfill(start_at=meant - minute, end_at=meant + minute))

    async def opened() -> bool:
        return bool([e async for e in desk.store.read(_round(fz, THIS_YEAR - 1))])

    await until(opened)
    assert not [e async for e in desk.store.read(_round(fz, THIS_YEAR))]


async def test_a_round_that_somebody_opened_by_hand_is_left_alone(desk: Desk, fz: Annual) -> None:
    opener = RoundOpener(desk.door)
    asked = YearsRound(annual=fz, year=THIS_YEAR)
    first, again = await opener.open_round(asked), await opener.open_round(asked)
    assert (first.repeated, again.repeated, again.refused) == (False, True, ())
    other = fz.model_copy(update={"actor": Actor("SO-PM#1")})
    refused = await opener.open_round(YearsRound(annual=other, year=THIS_YEAR + 1))
    assert refused.refused == ("RD03",)


async def test_a_day_that_not_every_year_has_and_rules_that_nobody_knows_are_refused(desk: Desk, fz: Annual) -> None:
    with pytest.raises(NoSuchDay):
        await annual.schedule(desk.client, "venture", fz, month=2, day=29, hour=9)
    with pytest.raises(Faulty):
        await _on_the_first_of_march(desk, fz.model_copy(update={"scheme": "atlantis"}))
