"""When a command is judged: never before what its stream has recorded, and by the working days published by then."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from activities.carry_out import CommandActivities
from deciding.journal import Journal
from domain.kernel.envelope import CarryOut
from domain.kernel.identifier import StreamId
from domain.need import EndorseNeed
from domain.registers.calendar import PublishCalendar
from schemes.calendars import load_published
from store.memory import MemoryStore
from store.port import EntryKind
from tests.keys import KEY
from tests.workflows.bureau import Bureau, need_submission

THEN = datetime(2026, 3, 2, 2, tzinfo=UTC)
SOON = THEN + timedelta(seconds=20)


def notice(version: int) -> PublishCalendar:
    """The days off of 2026, published, and published once more."""
    (days,) = load_published(2026, 2026)
    return PublishCalendar(year=2026, version=version, off=tuple(sorted(days.off)), on=tuple(sorted(days.on)))


async def endorse(bureau: Bureau, need: StreamId, received: datetime, now: datetime) -> datetime:
    """An endorsement that the door took in at one moment and the workflow carries out at another; when it was so."""
    envelope = bureau.envelope(need, EndorseNeed(), "COMM#2", at=received)
    await CommandActivities(bureau.store).carry_out(CarryOut(stream=need, now=now, envelope=envelope))
    *_, last = [entry async for entry in bureau.store.read(need)]
    assert last.command_id == envelope.command_id
    return last.occurred_at


def test_business_time_never_goes_back_on_the_wall_clock() -> None:
    """The second door's clock is slow, or the workflow moved to a host whose clock is."""

    async def scenario() -> None:
        bureau = Bureau("slow", MemoryStore(), KEY)
        await bureau.open_round(at=THEN - timedelta(hours=1))
        need = bureau.id("need", "ND-1")
        await bureau.straight(need, need_submission(), "COMM#1", at=THEN)
        early = THEN - timedelta(seconds=30)
        assert await endorse(bureau, need, received=early, now=early) == THEN

    asyncio.run(scenario())


@pytest.mark.parametrize(("age_s", "is_judged_then"), [(60, True), (60.5, False), (61, False), (-1, False)])
def test_the_doors_stamp_is_the_time_for_a_minute_and_never_ahead(age_s: float, *, is_judged_then: bool) -> None:
    async def scenario() -> None:
        bureau = Bureau("stamp", MemoryStore(), KEY)
        await bureau.open_round(at=THEN - timedelta(hours=1))
        need = bureau.id("need", "ND-1")
        await bureau.straight(need, need_submission(), "COMM#1", at=THEN)
        now = THEN + timedelta(seconds=200)
        received = now - timedelta(seconds=age_s)
        assert await endorse(bureau, need, received, now) == (received if is_judged_then else now)

    asyncio.run(scenario())


def test_a_command_is_judged_by_the_working_days_published_by_its_time() -> None:
    """A notice that came while the command was on its way changes nothing of it, and the journal names the old one."""

    async def scenario() -> None:
        bureau = Bureau("notice", MemoryStore(), KEY)
        calendar = bureau.id("calendar", "cn")
        await bureau.straight(calendar, notice(1), "CAB-REG#1", at=THEN - timedelta(days=9))
        await bureau.open_round(at=THEN - timedelta(hours=1))
        need = bureau.id("need", "ND-1")
        await bureau.straight(need, need_submission(), "COMM#1", at=THEN)
        await bureau.straight(calendar, notice(2), "CAB-REG#1", at=SOON)
        received = SOON - timedelta(seconds=5)
        assert await endorse(bureau, need, received=received, now=SOON + timedelta(seconds=5)) == received
        entries = [e async for e in bureau.store.read(need, commands=True) if e.kind is EntryKind.COMMAND]
        assert Journal.read(entries[-1]).reads[calendar] == 1

    asyncio.run(scenario())
