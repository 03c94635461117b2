"""Rounds that a calendar opens: on their day, once however often it fires, and for the year that was meant."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from temporalio.client import ScheduleBackfill, ScheduleUpdate, ScheduleUpdateInput

import bootstrap
from application import annual_round
from application.annual_round import NoSuchSchedule, open_round
from application.reconcile import Discrepancy, reconcile, resurrect
from application.schemes import SchemeUnpublished, publish_calendars, publish_scheme
from domain.kernel.calendar import SHANGHAI
from domain.kernel.clock import Clock
from domain.kernel.identifier import Actor
from domain.kernel.refusal import CommandRejected
from domain.kernel.scheme import RoundLevel
from domain.registers.annual_round import Annual, AnnualOpening, RoundSchedule
from domain.registers.realm import SetClock
from domain.registers.scheme import PublishPolicyPack, ScheduleAnnualRound, UnscheduleAnnualRound, scheme_stream
from followers.schedules import RoundSchedules, ScheduleFollower, load_schedules, schedule_id
from schemes.calendars import load_published
from schemes.document import DocumentInvalid
from store.memory import MemoryStore
from tests.workflows.bureau import RULES, Bureau
from tests.workflows.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from temporalio.client import Client, ScheduleHandle

    from tests.conftest import Desk

THIS_YEAR = datetime.now(SHANGHAI).year
REGISTRAR = Actor("CAB-REG#1")
FIRST_OF_MARCH = ScheduleAnnualRound(programme="FZ", level=RoundLevel.DISTRICT, month=3, day=1)
CANCELLED = UnscheduleAnnualRound(programme="FZ")


@pytest.fixture
def fz(desk: Desk) -> City:
    """A city of its own, in a realm of its own."""
    return City(desk, f"annual-{uuid4().hex[:8]}")


@pytest.fixture
def unattended(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> City:
    """The same, its log where no follower looks; the workflows of other tests are no strays to it."""

    async def none_open(_client: Client) -> AsyncIterator[tuple[str, str]]:
        for opened in list[tuple[str, str]]():
            yield opened

    monkeypatch.setattr("application.reconcile.iterate_open", none_open)
    return City(replace(desk, store=MemoryStore()), f"annual-{uuid4().hex[:8]}")  # type: ignore[arg-type] # a store is a store


class City:
    """Fuzhou's programme, its schedules in Temporal, and what is done with both."""

    def __init__(self, desk: Desk, realm: str) -> None:
        self.desk = desk
        self.bureau = Bureau(realm, desk.store, bootstrap.ensure_door_key(desk.settings))
        self.schedules = RoundSchedules(desk.client, desk.settings.task_queue)
        self.follower = ScheduleFollower(desk.store, self.schedules)
        self.stream = scheme_stream(realm, "fuzhou")
        self.annual = Annual(
            programme="FZ", scheme="fuzhou", level=RoundLevel.DISTRICT, actor=REGISTRAR, realm=self.stream.realm
        )

    @property
    def in_temporal(self) -> ScheduleHandle:
        return self.desk.client.get_schedule_handle(schedule_id(self.annual))

    async def schedule(
        self, command: ScheduleAnnualRound = FIRST_OF_MARCH, scheme: str = "fuzhou"
    ) -> annual_round.AnnualRoundSchedule:
        desk, stream = self.desk, self.stream.sibling("scheme", scheme)
        if not [e async for e in desk.store.read(self.stream)]:
            await self.publish()
        return await annual_round.schedule(self.desk.door, self.desk.store, self.schedules, stream, command, REGISTRAR)

    async def publish(self) -> None:
        """Its rules and working days, each by somebody who may."""
        await publish_scheme(self.desk.door, self.desk.store, RULES, Actor("CAB-DEC#1"), self.stream.realm)
        await publish_calendars(self.desk.door, self.desk.store, THIS_YEAR, REGISTRAR, self.stream.realm)

    async def unschedule(self) -> None:
        await annual_round.unschedule(
            self.desk.door, self.desk.store, self.schedules, "FZ", REGISTRAR, self.stream.realm
        )

    async def record(self, command: ScheduleAnnualRound | UnscheduleAnnualRound) -> None:
        """As somebody does who dies before the schedule is set."""
        if not await load_schedules(self.desk.store, self.stream):
            await self.bureau.straight(self.stream, PublishPolicyPack(scheme=RULES), "CAB-DEC#1")
        await self.bureau.straight(self.stream, command, REGISTRAR)

    async def scheduled(self) -> annual_round.AnnualRoundSchedule:
        (schedule,) = await annual_round.list_schedules(self.desk.store, self.schedules, self.stream)
        return schedule

    async def fired(self, times: int) -> None:
        async def done() -> bool:
            described = await self.in_temporal.describe()
            return described.info.num_actions >= times and not described.info.running_actions

        await until(done)

    async def is_set(self, of: Annual | None = None) -> bool:
        return await self.schedules.describe(schedule_id(of or self.annual)) is not None

    async def is_gone(self) -> bool:
        return not await self.is_set()

    async def differences(self, of: Annual | None = None) -> list[Discrepancy]:
        findings = (await reconcile(self.desk.store, self.desk.client, self.desk.settings.task_queue)).findings
        return [f.difference for f in findings if f.stream == schedule_id(of or self.annual)]

    async def resurrect(self, *, strays: bool = False) -> None:
        await resurrect(self.desk.store, self.desk.client, self.desk.settings.task_queue, self.desk.door, strays=strays)

    async def opened(self, year: int) -> bool:
        return bool([e async for e in self.desk.store.read(self.annual.round_of(year))])


@pytest.mark.full
async def test_it_fires_next_at_nine_in_shanghai_and_is_listed_until_it_is_taken_away(desk: Desk, fz: City) -> None:
    scheduled = await fz.schedule()
    assert scheduled.next_at is not None
    local = scheduled.next_at.astimezone(SHANGHAI)
    assert (local.month, local.day, local.hour, local.minute, local.second) == (3, 1, 9, 0, 0)
    assert scheduled.next_at > datetime.now(UTC)
    assert scheduled in await annual_round.list_all_schedules(desk.store, fz.schedules)
    with pytest.raises(CommandRejected, match="SC04"):
        await fz.schedule()

    await fz.unschedule()
    assert scheduled not in await annual_round.list_all_schedules(desk.store, fz.schedules)
    assert await fz.is_gone()
    with pytest.raises(NoSuchSchedule):
        await fz.unschedule()


async def test_however_often_it_fires_the_years_round_is_opened_once(desk: Desk, fz: City) -> None:
    await fz.schedule(FIRST_OF_MARCH.model_copy(update={"month": 1, "hour": 0}))  # past on any day
    for times in (1, 2):
        await fz.in_temporal.trigger()
        await fz.fired(times)
    entries = [e async for e in desk.store.read(fz.annual.round_of(THIS_YEAR), commands=True)]
    assert [e.type for e in entries] == ["OpenNeedSolicitation", "NeedSolicitationOpened"]


async def test_a_late_firing_opens_the_round_of_the_year_that_was_meant(fz: City) -> None:
    await fz.schedule()
    planned = datetime(THIS_YEAR - 1, 3, 1, 9, tzinfo=SHANGHAI)
    minute = timedelta(minutes=1)
    await fz.in_temporal.backfill(ScheduleBackfill(start_at=planned - minute, end_at=planned + minute))
    await until(lambda: fz.opened(THIS_YEAR - 1))
    assert not await fz.opened(THIS_YEAR)


async def test_a_round_that_somebody_opened_by_hand_is_left_alone(desk: Desk, fz: City) -> None:
    request = AnnualOpening(annual=fz.annual, year=THIS_YEAR)
    await fz.publish()
    first, again = [await open_round(desk.door, desk.store, request) for _ in range(2)]
    assert (first.repeated, again.repeated, again.refused) == (False, True, ())
    other = fz.annual.model_copy(update={"actor": Actor("SO-PM#1")})
    refused = await open_round(desk.door, desk.store, AnnualOpening(annual=other, year=THIS_YEAR + 1))
    assert refused.refused == ("RD03",)


async def test_a_day_that_not_every_year_has_and_rules_that_nobody_knows_are_refused(fz: City) -> None:
    with pytest.raises(CommandRejected, match="SC04: not every year has a 02-29"):
        await fz.schedule(FIRST_OF_MARCH.model_copy(update={"month": 2, "day": 29}))
    with pytest.raises(DocumentInvalid):
        await fz.schedule(scheme="atlantis")


async def test_nothing_is_published_in_anothers_name(fz: City) -> None:
    """What is missing is said, with the command to give and who may: nothing is left by who asked for a round."""
    desk, realm, decider, registrar = fz.desk, fz.stream.realm, Actor("CAB-DEC#2"), Actor("CAB-REG#3")
    with pytest.raises(SchemeUnpublished) as missing:
        await annual_round.schedule(desk.door, desk.store, fz.schedules, fz.stream, FIRST_OF_MARCH, REGISTRAR)
    for words in (missing.value.zh, missing.value.en):
        assert f"venture scheme publish fuzhou --as CAB-DEC#1 --realm {realm}" in words
        assert f"venture calendar publish {THIS_YEAR} --as CAB-REG#1 --realm {realm}" in words
    years = [days.year for days in load_published(THIS_YEAR, THIS_YEAR + 1)]
    assert f"the working days of {' and '.join(map(str, years))}" in missing.value.en
    assert ("one command for both" in missing.value.en) == (len(years) == 2)
    assert "is for the case officer" not in missing.value.en, "who may ask is told nothing of roles"
    pattern = r"SC04.*is for the case officer; you are acting as the managing agency.*not published"
    with pytest.raises(SchemeUnpublished, match=pattern):
        await annual_round.schedule(desk.door, desk.store, fz.schedules, fz.stream, FIRST_OF_MARCH, Actor("HOST#1"))
    assert [row async for row in desk.store.standings(realm=realm)] == []

    with pytest.raises(CommandRejected):
        await publish_scheme(desk.door, desk.store, RULES, REGISTRAR, realm)
    await publish_scheme(desk.door, desk.store, RULES, decider, realm)
    await publish_calendars(desk.door, desk.store, THIS_YEAR, registrar, realm)
    for stream, actor in ((fz.stream, decider), (fz.stream.sibling("calendar", "cn"), registrar)):
        assert {json.loads(e.meta)["actor"] async for e in desk.store.read(stream)} == {actor}
    assert await publish_calendars(desk.door, desk.store, THIS_YEAR, registrar, realm) == [], "none twice"
    assert await publish_scheme(desk.door, desk.store, RULES, decider, realm) is None


async def test_without_published_rules_no_years_round_opens(fz: City) -> None:
    opened = await open_round(fz.desk.door, fz.desk.store, AnnualOpening(annual=fz.annual, year=THIS_YEAR))
    assert opened.refused
    assert not await fz.opened(THIS_YEAR)


# ---------------------------------------------------------------- the log and its schedules


@pytest.mark.full
async def test_whoever_dies_before_the_schedule_is_set_or_deleted_the_follower_sees_to_it(fz: City) -> None:
    await fz.record(FIRST_OF_MARCH)
    await until(fz.is_set)
    await fz.record(CANCELLED)
    await until(fz.is_gone)


async def test_a_lost_schedule_is_missed_and_set_again_from_the_log(unattended: City) -> None:
    await unattended.record(FIRST_OF_MARCH)
    await unattended.follower.once(datetime.now(UTC))
    before = await unattended.scheduled()
    await unattended.in_temporal.delete()
    assert await unattended.differences() == [Discrepancy.MISSING]
    lost = await unattended.scheduled()
    assert (lost.schedule, lost.next_at) == (before.schedule, None)

    for _ in range(2):
        await unattended.resurrect()
        assert await unattended.differences() == []
    assert await unattended.scheduled() == before


@pytest.mark.full
async def test_a_schedule_that_was_altered_by_hand_is_set_right(unattended: City) -> None:
    await unattended.record(FIRST_OF_MARCH)
    await unattended.follower.once(datetime.now(UTC))
    before = await unattended.scheduled()

    def every_hour(update: ScheduleUpdateInput) -> ScheduleUpdate:
        altered = update.description.schedule
        altered.spec.calendars = [replace(day, hour=()) for day in altered.spec.calendars]
        return ScheduleUpdate(altered)

    for altered in (unattended.in_temporal.pause, partial(unattended.in_temporal.update, every_hour)):
        await altered()
        assert await unattended.differences() == [Discrepancy.ALTERED]
        await unattended.resurrect()
        assert await unattended.differences() == []
    assert await unattended.scheduled() == before


async def test_a_schedule_that_the_log_cancelled_goes_and_one_that_it_never_knew_is_left_to_a_person(
    unattended: City,
) -> None:
    await unattended.record(FIRST_OF_MARCH)
    await unattended.follower.once(datetime.now(UTC))
    await unattended.record(CANCELLED)
    assert await unattended.differences() == [Discrepancy.ALTERED]
    other = unattended.annual.model_copy(update={"programme": "STRAY"})
    schedule = RoundSchedule(annual=other, month=3, day=1, hour=9, since=datetime.now(UTC))
    await unattended.schedules.set_right(schedule_id(other), schedule)

    async def listed() -> bool:
        return await unattended.differences(other) == [Discrepancy.STRAY]

    await until(listed)
    await unattended.resurrect()
    assert not await unattended.is_set()
    assert await unattended.is_set(other)
    await unattended.resurrect(strays=True)
    assert not await unattended.is_set(other)


async def test_a_schedule_that_was_missing_on_its_day_fires_when_it_is_set_again(fz: City) -> None:
    now = datetime.now(SHANGHAI)
    day, before = now - timedelta(days=1), now.astimezone(UTC) - timedelta(days=3)
    yesterday = FIRST_OF_MARCH.model_copy(update={"month": day.month, "day": day.day, "hour": day.hour})
    await fz.bureau.straight(fz.stream, PublishPolicyPack(scheme=RULES), "CAB-DEC#1", at=before)
    await fz.bureau.straight(fz.stream, yesterday, REGISTRAR, at=before)
    await fz.schedules.keep(fz.desk.store, fz.stream)
    await until(lambda: fz.opened(day.year))
    await fz.schedules.delete(schedule_id(fz.annual))


async def test_a_schedule_that_the_log_does_not_have_opens_nothing(fz: City) -> None:
    """Whoever has come to Temporal's port sets one in an officer's name."""
    await fz.publish()
    schedule = RoundSchedule(annual=fz.annual, month=3, day=1, hour=9, since=datetime.now(UTC))
    await fz.schedules.set_right(schedule_id(fz.annual), schedule)
    await fz.in_temporal.trigger()
    await fz.fired(1)
    assert not await fz.opened(THIS_YEAR)
    await fz.schedules.delete(schedule_id(fz.annual))


async def test_a_schedule_that_was_first_set_after_its_day_fires_next_year(fz: City) -> None:
    day = datetime.now(SHANGHAI) - timedelta(days=1)
    await fz.schedule(ScheduleAnnualRound(programme="FZ", month=day.month, day=min(day.day, 28), hour=day.hour))
    described = await fz.in_temporal.describe()
    assert (described.info.num_actions, described.info.running_actions) == (0, [])


async def test_on_a_manual_clock_no_schedule_is_set_until_the_realm_goes_live(unattended: City) -> None:
    await unattended.desk.store.set_clock(unattended.stream.realm, Clock.MANUAL)
    await unattended.record(FIRST_OF_MARCH)
    await unattended.follower.once(datetime.now(UTC))
    assert not await unattended.is_set()
    live = SetClock(clock=Clock.WALL, second=Actor("CAB-DEC#1"))
    await unattended.bureau.straight(unattended.stream.sibling("realm", "clock"), live, REGISTRAR)
    await unattended.follower.once(datetime.now(UTC))
    assert await unattended.is_set()
