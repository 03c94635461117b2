"""Annual rounds: a schedule of Temporal's fires on its day, and that year's round is opened once.

The schedule is an alarm clock and no record: what it brought about stands in the round's own stream. After Temporal's
data are lost it is to be set again (docs/drills.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog
from pydantic import ValidationError
from temporalio import activity
from temporalio.client import (
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities import names
from domain.catalogue import command_named
from domain.kernel.calendar import SHANGHAI
from domain.kernel.identity import LIVE, Actor, StreamId, derived
from domain.kernel.refusal import CommandRejected
from domain.round.annual import Annual, Opened, YearsRound
from schemes import loading
from schemes.calendars import published
from schemes.reading import Faulty

if TYPE_CHECKING:
    from collections.abc import Sequence

    from temporalio.client import Client, ScheduleHandle

    from api.door import Door
    from domain.kernel.scheme import Scheme

log = structlog.get_logger()

_PREFIX = "annual/"
ZONE = "Asia/Shanghai"
CATCH_UP = timedelta(days=7)
"""How long after its hour a schedule still fires, if Temporal was away."""


class NoSuchSchedule(Exception):
    """There is no schedule of that programme."""


class AlreadyScheduled(Exception):
    """The programme has a schedule; take it away before another is set."""


class NoSuchDay(Exception):
    """Not every year has that day."""


@dataclass(frozen=True)
class Scheduled:
    """A schedule as it stands."""

    annual: Annual
    next_at: datetime | None
    fired: int

    def as_json(self) -> dict[str, Any]:
        """For a machine."""
        return {
            "programme": self.annual.programme,
            "scheme": self.annual.scheme,
            "level": self.annual.level,
            "actor": self.annual.actor,
            "next_at": self.next_at.isoformat() if self.next_at else None,
            "next_round": self.annual.round_of(self.next_at.astimezone(SHANGHAI).year) if self.next_at else None,
            "fired": self.fired,
        }


async def publish(door: Door, rules: Scheme, year: int) -> None:
    """Rules and working days, unless they are published already: published versions never change."""
    for days in published(year, year + 1):
        stream = StreamId.of("calendar", LIVE, "cn")
        particulars = {"year": days.year, "version": days.version, "off": sorted(days.off), "on": sorted(days.on)}
        await _once(door, stream, "CalendarPublished", particulars, f"{days.year}.{days.version}")
    stream = StreamId.of("scheme", LIVE, rules.name)
    await _once(door, stream, "PolicyPackPublished", {"scheme": rules}, str(rules.version))


async def _once(door: Door, stream: StreamId, event: str, particulars: dict[str, Any], key: str) -> None:
    """The command, under an id that makes it one however many rounds are opened."""
    command_type = command_named(event, stream.kind)
    actor = Actor(f"{command_type.by[0]}#1")
    command_id = derived("published", stream, key)
    await door.send(stream, command_type.model_validate(particulars), actor, command_id=command_id)


class RoundOpener:
    """Opens a year's round through the door, as anybody would."""

    def __init__(self, door: Door) -> None:
        """Through that door."""
        self._door = door

    @activity.defn(name=names.OPEN_ROUND)
    async def open_round(self, asked: YearsRound) -> Opened:
        """Publish the rules and solicit needs. Raises NotKnown and the like where asking again may help."""
        annual = asked.annual
        stream = StreamId.of("round", LIVE, annual.round_of(asked.year))
        try:
            rules = loading.named(annual.scheme)
            particulars = {"scheme": rules.ref.model_dump(), "year": asked.year, "level": annual.level}
            command = command_named("NeedSolicitationOpened", "round").model_validate(particulars)
        except (Faulty, ValidationError) as wrong:
            raise ApplicationError(str(wrong), type="Malformed", non_retryable=True) from wrong
        try:
            await publish(self._door, rules, asked.year)
            receipt = await self._door.send(stream, command, annual.actor, command_id=derived("annual", stream))
        except CommandRejected as refused:
            log.warning("annual.refused", stream=stream, rules=[u.rule for u in refused.unmet])
            return Opened(stream=stream, refused=tuple(u.rule for u in refused.unmet))
        return Opened(stream=stream, repeated=receipt.repeated)


async def schedule(client: Client, task_queue: str, annual: Annual, *, month: int, day: int, hour: int) -> Scheduled:
    """Open that programme's round every year at that hour in Shanghai.

    Raises AlreadyScheduled, NoSuchDay, or Faulty if there are no such rules.
    """
    loading.named(annual.scheme)
    try:
        date(2001, month, day)
    except ValueError as wrong:
        raise NoSuchDay(f"{month:02}-{day:02}") from wrong
    at = ScheduleCalendarSpec(
        month=[ScheduleRange(month)], day_of_month=[ScheduleRange(day)], hour=[ScheduleRange(hour)], comment="年度徵集"
    )
    of = Schedule(
        action=ScheduleActionStartWorkflow(
            "AnnualRound", annual, id=f"{_PREFIX}{annual.programme}", task_queue=task_queue
        ),
        spec=ScheduleSpec(calendars=[at], time_zone_name=ZONE),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=CATCH_UP),
    )
    try:
        handle = await client.create_schedule(f"{_PREFIX}{annual.programme}", of)
    except ScheduleAlreadyRunningError:
        raise AlreadyScheduled(annual.programme) from None
    return await _described(client, handle)


async def schedules(client: Client) -> Sequence[Scheduled]:
    """Every annual schedule, by programme."""
    found = [entry.id async for entry in await client.list_schedules() if entry.id.startswith(_PREFIX)]
    return [await _described(client, client.get_schedule_handle(each)) for each in sorted(found)]


async def unschedule(client: Client, programme: str) -> None:
    """Take the schedule away; rounds that it opened stay. Raises NoSuchSchedule."""
    try:
        await client.get_schedule_handle(f"{_PREFIX}{programme}").delete()
    except RPCError as failed:
        if failed.status is RPCStatusCode.NOT_FOUND:
            raise NoSuchSchedule(programme) from failed
        raise


async def _described(client: Client, handle: ScheduleHandle) -> Scheduled:
    described = await handle.describe()
    action = described.schedule.action
    if not isinstance(action, ScheduleActionStartWorkflow):
        raise TypeError(handle.id)
    (annual,) = await client.data_converter.decode(action.args, [Annual])
    upcoming = min(described.info.next_action_times, default=None)
    return Scheduled(annual, upcoming.astimezone(UTC) if upcoming else None, described.info.num_actions)
