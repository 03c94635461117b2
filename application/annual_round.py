"""Annual rounds: on its day an alarm rings, and that year's round is opened once.

That it is to ring stands in the programme's stream, what it brought about in the round's own (followers/schedules.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import structlog
from pydantic import ValidationError
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import names
from deciding.decision import fold
from domain.catalogue import command_named
from domain.kernel.calendar import SHANGHAI
from domain.kernel.identity import LIVE, Actor, StreamId, derive_id
from domain.kernel.refusal import CommandRejected
from domain.registers.annual_round import Alarm, Opened, YearsRound
from domain.registers.calendar import CALENDAR_NAME, calendar_of
from domain.registers.scheme import UnscheduleAnnualRound, scheme_of
from followers.schedules import iterate_programmes, load_alarms, schedule_id
from schemes import packs
from schemes.calendars import load_published
from schemes.document import DocumentInvalid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from application.door import Door
    from domain.kernel.scheme import Scheme
    from domain.kernel.state import State
    from domain.registers.scheme import ScheduleAnnualRound
    from followers.schedules import RoundSchedules
    from store.port import EventStore

log = structlog.get_logger()


class NoSuchSchedule(Exception):
    """No programme of that code opens rounds by itself."""


@dataclass(frozen=True)
class AnnualRoundSchedule:
    """An annual round as the log has it, and when its alarm rings next."""

    alarm: Alarm
    next_at: datetime | None
    """None if Temporal has no such alarm: ``venture resurrect`` sets it."""
    fired: int

    def as_json(self) -> dict[str, Any]:
        """For a machine."""
        annual = self.alarm.annual
        return {
            "programme": annual.programme,
            "realm": annual.realm,
            "scheme": annual.scheme,
            "level": annual.level,
            "actor": annual.actor,
            "next_at": self.next_at.isoformat() if self.next_at else None,
            "next_round": annual.round_of(self.next_at.astimezone(SHANGHAI).year).name if self.next_at else None,
            "fired": self.fired,
        }


async def publish_rules(door: Door, store: EventStore, rules: Scheme, year: int, realm: str = LIVE) -> None:
    """Rules and working days, unless somebody published them already: published versions never change."""
    stream = StreamId.of("calendar", realm, CALENDAR_NAME)
    known = calendar_of(await _state(store, stream)).years
    for days in load_published(year, year + 1):
        if days.year not in known or known[days.year].version < days.version:
            particulars = {"year": days.year, "version": days.version, "off": sorted(days.off), "on": sorted(days.on)}
            await _once(door, stream, "CalendarPublished", particulars, f"{days.year}.{days.version}")
    stream = StreamId.of("scheme", realm, rules.name)
    if scheme_of(await _state(store, stream), rules.ref) is None:
        await _once(door, stream, "PolicyPackPublished", {"scheme": rules}, str(rules.version))


async def _state(store: EventStore, stream: StreamId) -> State:
    return fold(stream, [event async for event in store.read(stream)])


async def _once(door: Door, stream: StreamId, event: str, particulars: dict[str, Any], key: str) -> None:
    """The command, under an id that makes it one however many rounds are opened."""
    command_type = command_named(event, stream.kind)
    actor = Actor(f"{command_type.by[0]}#1")
    command_id = derive_id("published", stream, key)
    await door.send(stream, command_type.model_validate(particulars), actor, command_id=command_id)


class RoundOpener:
    """Opens a year's round through the door, as anybody would."""

    def __init__(self, door: Door, store: EventStore) -> None:
        """Through that door, which leads to that store."""
        self._door = door
        self._store = store

    @activity.defn(name=names.OPEN_ROUND)
    async def open_round(self, asked: YearsRound) -> Opened:
        """Publish the rules and solicit needs. Raises NotKnown and the like where asking again may help."""
        annual = asked.annual
        stream = annual.round_of(asked.year)
        try:
            rules = packs.load_shipped(annual.scheme)
            particulars = {"scheme": rules.ref.model_dump(), "year": asked.year, "level": annual.level}
            command = command_named("NeedSolicitationOpened", "round").model_validate(particulars)
        except (DocumentInvalid, ValidationError) as wrong:
            raise ApplicationError(str(wrong), type="Malformed", non_retryable=True) from wrong
        try:
            await publish_rules(self._door, self._store, rules, asked.year, annual.realm)
            receipt = await self._door.send(stream, command, annual.actor, command_id=derive_id("annual", stream))
        except CommandRejected as refused:
            log.warning("annual.refused", stream=stream, rules=[u.rule for u in refused.unmet])
            return Opened(stream=stream, refused=tuple(u.rule for u in refused.unmet))
        return Opened(stream=stream, repeated=receipt.repeated)


async def schedule(
    door: Door, store: EventStore, alarms: RoundSchedules, stream: StreamId, asked: ScheduleAnnualRound, actor: Actor
) -> AnnualRoundSchedule:
    """Have that programme open a round every year; its rules are published first.

    Raises CommandRejected, or Faulty if there are no such rules.
    """
    await publish_rules(door, store, packs.load_shipped(stream.name), datetime.now(SHANGHAI).year, stream.realm)
    await door.send(stream, asked, actor)
    await alarms.keep(store, stream)
    return next(s for s in await list_schedules(store, alarms, stream) if s.alarm.annual.programme == asked.programme)


async def unschedule(
    door: Door, store: EventStore, alarms: RoundSchedules, programme: str, actor: Actor, realm: str = LIVE
) -> None:
    """Have it open no more; rounds that it opened stay. Raises NoSuchSchedule, or CommandRejected."""
    for found in await list_all_schedules(store, alarms):
        annual = found.alarm.annual
        if (annual.programme, annual.realm) == (programme, realm):
            stream = StreamId.of("scheme", realm, annual.scheme)
            await door.send(stream, UnscheduleAnnualRound(programme=programme), actor)
            await alarms.keep(store, stream)
            return
    raise NoSuchSchedule(programme)


async def list_all_schedules(store: EventStore, alarms: RoundSchedules) -> Sequence[AnnualRoundSchedule]:
    """Every annual round, programme by programme."""
    return [
        found async for each in iterate_programmes(store) for found in await list_schedules(store, alarms, each.stream)
    ]


async def list_schedules(store: EventStore, alarms: RoundSchedules, stream: StreamId) -> Sequence[AnnualRoundSchedule]:
    """Those of one programme, by code."""
    kept = [alarm for alarm in (await load_alarms(store, stream)).values() if alarm is not None]
    return [await _described(alarms, alarm) for alarm in sorted(kept, key=lambda a: a.annual.programme)]


async def _described(alarms: RoundSchedules, alarm: Alarm) -> AnnualRoundSchedule:
    found = await alarms.described(schedule_id(alarm.annual))
    upcoming = min(found.info.next_action_times, default=None) if found else None
    return AnnualRoundSchedule(
        alarm, upcoming.astimezone(UTC) if upcoming else None, found.info.num_actions if found else 0
    )
