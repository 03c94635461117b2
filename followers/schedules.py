"""Temporal's schedules, one for each annual round that the log knows of: alarm clocks, set from the log and no record.

Lost, altered or left over, they are set right again from it: at once by who gives the command, by the follower in every
worker, and by ``venture resurrect``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import structlog
from temporalio.client import (
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleBackfill,
    ScheduleCalendarSpec,
    ScheduleDescription,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleUpdate,
)
from temporalio.service import RPCError, RPCStatusCode

from deciding.decision import fold
from domain.kernel.clock import Clock
from domain.registers.annual_round import Alarm, Annual
from domain.registers.scheme import SCHEME, Register
from followers.agenda import LEASE, repeat_rounds

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from temporalio.client import Client

    from domain.kernel.identity import StreamId
    from store.port import EventStore, Standing

log = structlog.get_logger()

NAME = "alarms"
ZONE = "Asia/Shanghai"
CATCH_UP = timedelta(days=7)
"""How long after its hour an alarm still rings, if Temporal was away or had lost it."""
PREFIX = "annual/"


def schedule_id(annual: Annual) -> str:
    """The schedule's id in Temporal."""
    return f"{PREFIX}{annual.realm}/{annual.programme}"


async def load_alarms(store: EventStore, stream: StreamId) -> Mapping[str, Alarm | None]:
    """By id the alarms of that programme as the log has them; None for one that was cancelled."""
    register = fold(stream, [event async for event in store.read(stream)]).part(Register)
    return {f"{PREFIX}{stream.realm}/{code}": alarm for code, alarm in register.annual.items()}


async def iterate_programmes(store: EventStore) -> AsyncIterator[Standing]:
    """The streams on the wall clock that may want alarms: on a manual one rounds are opened by the story's own rows."""
    async for standing in store.standings(kind=SCHEME.kind):
        if standing.clock is Clock.WALL:
            yield standing


@dataclass(frozen=True)
class RoundSchedules:
    """The alarms of one Temporal, ringing on one task queue."""

    client: Client
    task_queue: str

    async def keep(self, store: EventStore, stream: StreamId) -> None:
        """Set that programme's alarms as the log has them, until it has them so: others may be doing the same."""
        kept: Mapping[str, Alarm | None] = {}
        while kept != (now := await load_alarms(store, stream)):
            for alarm_id, alarm in now.items():
                if not await self.is_right(alarm_id, alarm):
                    await self.set_right(alarm_id, alarm)
            kept = now

    async def described(self, alarm_id: str) -> ScheduleDescription | None:
        """The schedule as it stands; None if there is none."""
        try:
            return await self.client.get_schedule_handle(alarm_id).describe()
        except RPCError as failed:
            if failed.status is RPCStatusCode.NOT_FOUND:
                return None
            raise

    async def is_right(self, alarm_id: str, alarm: Alarm | None) -> bool:
        """Whether Temporal has it as the log has it: on its day, for the same round, here, and not paused."""
        found = await self.described(alarm_id)
        if found is None or alarm is None:
            return found is None and alarm is None
        action, hoped = found.schedule.action, self._schedule(alarm)
        if not isinstance(action, ScheduleActionStartWorkflow):
            return False
        arguments = await self.client.data_converter.decode(action.args, [Annual])
        return (
            arguments == [alarm.annual]
            and action.task_queue == self.task_queue
            and found.schedule.spec == hoped.spec
            and not found.schedule.state.paused
        )

    async def set_right(self, alarm_id: str, alarm: Alarm | None) -> None:
        """Have it stand as the log has it. One that was missing on its day rings at once, up to a week late."""
        handle = self.client.get_schedule_handle(alarm_id)
        if alarm is None:
            await self.take_away(alarm_id)
            return
        schedule, now = self._schedule(alarm), datetime.now(UTC)
        missed = ScheduleBackfill(start_at=max(alarm.since, now - CATCH_UP), end_at=now)
        try:
            await self.client.create_schedule(alarm_id, schedule, backfill=[missed])
        except ScheduleAlreadyRunningError:
            await handle.update(lambda _found: ScheduleUpdate(schedule))

    async def take_away(self, alarm_id: str) -> None:
        """Delete it, if it is there."""
        try:
            await self.client.get_schedule_handle(alarm_id).delete()
        except RPCError as failed:
            if failed.status is not RPCStatusCode.NOT_FOUND:
                raise

    async def listed(self) -> list[str]:
        """The ids of those that stand; one that was set a moment ago may be missing."""
        return sorted([e.id async for e in await self.client.list_schedules() if e.id.startswith(PREFIX)])

    def _schedule(self, alarm: Alarm) -> Schedule:
        day = ScheduleCalendarSpec(
            month=(ScheduleRange(alarm.month),),
            day_of_month=(ScheduleRange(alarm.day),),
            hour=(ScheduleRange(alarm.hour),),
            comment="年度輪次",
        )
        start = ScheduleActionStartWorkflow(
            "AnnualRound", alarm.annual, id=schedule_id(alarm.annual), task_queue=self.task_queue
        )
        return Schedule(
            action=start,
            spec=ScheduleSpec(calendars=[day], time_zone_name=ZONE),
            policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=CATCH_UP),
        )


class ScheduleFollower:
    """Keeps the alarms of every programme whose stream has moved. Any number may run; one holds the lease."""

    def __init__(self, store: EventStore, alarms: RoundSchedules) -> None:
        """Nothing is known to be kept: the first round keeps them all."""
        self._store = store
        self._alarms = alarms
        self._owner = uuid4()
        self._kept: dict[StreamId, Standing] = {}

    async def run(self) -> None:
        """Follow until cancelled."""
        await repeat_rounds(NAME, self.once)

    async def once(self) -> None:
        """One round, if the lease is ours."""
        if await self._store.lease(NAME, self._owner, LEASE) is None:
            self._kept.clear()
            return
        async for standing in iterate_programmes(self._store):
            if self._kept.get(standing.stream) != standing:
                await self._alarms.keep(self._store, standing.stream)
                self._kept[standing.stream] = standing
                log.info("alarms.kept", stream=standing.stream, version=standing.version)
