"""Temporal's schedules, one for each annual round that the log knows of: alarm clocks set from the log, not a record.

Lost, altered or left over, they are set right again from it: at once by whoever gives the command, by the follower in
every worker, and by ``venture resurrect``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

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
from temporalio.converter import WorkflowSerializationContext
from temporalio.service import RPCError, RPCStatusCode

from deciding.fold import load_state
from domain.kernel.clock import Clock
from domain.registers.annual_round import Annual, RoundSchedule
from domain.registers.realm import REALM
from domain.registers.scheme import SCHEME, Register
from followers.follower import Follower
from payload_codec import PayloadRefused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from temporalio.client import Client

    from domain.kernel.identifier import StreamId
    from metrics import Metrics
    from store.port import EventStore, Standing

log = structlog.get_logger()

ZONE = "Asia/Shanghai"
CATCH_UP = timedelta(days=7)
"""How long after its hour a schedule still fires, if Temporal was away or had lost it."""
PREFIX = "annual/"


def schedule_id(annual: Annual) -> str:
    """The schedule's id in Temporal."""
    return f"{PREFIX}{annual.realm}/{annual.programme}"


async def load_schedules(store: EventStore, stream: StreamId) -> Mapping[str, RoundSchedule | None]:
    """By id the schedules of that programme as the log has them; None for one that was cancelled."""
    register = (await load_state(store, stream)).part(Register)
    return {f"{PREFIX}{stream.realm}/{code}": schedule for code, schedule in register.annual.items()}


async def iterate_programmes(store: EventStore) -> AsyncIterator[Standing]:
    """The streams on the wall clock that may want schedules: on a manual one a story's own rows open the rounds."""
    async for standing in store.standings(kind=SCHEME.kind):
        if standing.clock is Clock.WALL:
            yield standing


@dataclass(frozen=True)
class RoundSchedules:
    """The schedules of one Temporal, which start their workflows on one task queue."""

    client: Client
    task_queue: str

    async def keep(self, store: EventStore, stream: StreamId) -> None:
        """Set that programme's schedules as the log has them, until it has them so: others may be doing the same."""
        kept: Mapping[str, RoundSchedule | None] = {}
        while kept != (schedules := await load_schedules(store, stream)):
            for key, schedule in schedules.items():
                if not await self.is_right(key, schedule):
                    await self.set_right(key, schedule)
            kept = schedules

    async def describe(self, key: str) -> ScheduleDescription | None:
        """The schedule of that id as Temporal has it; None if it has none."""
        try:
            return await self.client.get_schedule_handle(key).describe()
        except RPCError as failed:
            if failed.status is RPCStatusCode.NOT_FOUND:
                return None
            raise

    async def is_right(self, key: str, schedule: RoundSchedule | None) -> bool:
        """Whether Temporal has it as the log has it: on its day, for the same round, here, and not paused."""
        description = await self.describe(key)
        if description is None or schedule is None:
            return description is None and schedule is None
        action, ours = description.schedule.action, self._in_temporal(schedule)
        if not isinstance(action, ScheduleActionStartWorkflow):
            return False
        place = WorkflowSerializationContext(self.client.namespace, key)
        try:
            arguments = await self.client.data_converter.with_context(place).decode(action.args, [Annual])
        except PayloadRefused:  # in the clear, altered, or by a key that is no longer: set anew, it is sealed
            return False
        return (
            arguments == [schedule.annual]
            and action.task_queue == self.task_queue
            and description.schedule.spec == ours.spec
            and not description.schedule.state.paused
        )

    async def set_right(self, key: str, schedule: RoundSchedule | None) -> None:
        """Have it stand as the log has it. One that was missing on its day fires at once, up to a week late."""
        if schedule is None:
            await self.delete(key)
            return
        ours, now = self._in_temporal(schedule), datetime.now(UTC)
        missed = ScheduleBackfill(start_at=max(schedule.since, now - CATCH_UP), end_at=now)
        try:
            await self.client.create_schedule(key, ours, backfill=[missed])
        except ScheduleAlreadyRunningError:
            await self.client.get_schedule_handle(key).update(lambda _: ScheduleUpdate(ours))

    async def delete(self, key: str) -> None:
        """Take it away, if it is there."""
        try:
            await self.client.get_schedule_handle(key).delete()
        except RPCError as failed:
            if failed.status is not RPCStatusCode.NOT_FOUND:
                raise

    async def list_ids(self) -> list[str]:
        """The ids of those that Temporal has; one that was set a moment ago may be missing."""
        return sorted([e.id async for e in await self.client.list_schedules() if e.id.startswith(PREFIX)])

    def _in_temporal(self, schedule: RoundSchedule) -> Schedule:
        day = ScheduleCalendarSpec(
            month=(ScheduleRange(schedule.month),),
            day_of_month=(ScheduleRange(schedule.day),),
            hour=(ScheduleRange(schedule.hour),),
            comment="年度徵集",
        )
        start = ScheduleActionStartWorkflow(
            "AnnualRound", schedule.annual, id=schedule_id(schedule.annual), task_queue=self.task_queue
        )
        return Schedule(
            action=start,
            spec=ScheduleSpec(calendars=[day], time_zone_name=ZONE),
            policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=CATCH_UP),
        )


class ScheduleFollower(Follower):
    """Keeps the schedules of every programme whose stream has moved."""

    name = "alarms"  # of the lease, which is recorded under it

    def __init__(self, store: EventStore, schedules: RoundSchedules, measures: Metrics | None = None) -> None:
        """Nothing is known to be kept: the first round keeps them all."""
        super().__init__(store, measures)
        self._schedules = schedules
        self._kept: dict[StreamId, Standing] = {}

    async def follow(self, now: datetime) -> int:  # noqa: ARG002 - what is to be kept depends on the log alone
        """Keep the schedules of the programmes that have moved since the last round; how many programmes."""
        last, count = await self._store.last_position(), 0
        for standing in await self._list_programmes(last):
            if self._kept.get(standing.stream) != standing:
                await self._schedules.keep(self._store, standing.stream)
                self._kept[standing.stream] = standing
                count += 1
                log.info("alarms.kept", stream=standing.stream, version=standing.version)
        await self.note_reached(last)
        return count

    async def _list_programmes(self, last: int) -> list[Standing]:
        """Programmes on the wall clock that moved, or whose realm has come to it; all of them at first."""
        moved = await self.list_moved(last, SCHEME.kind, REALM.kind)
        if moved is None:
            return [standing async for standing in iterate_programmes(self._store)]
        rows = list(await self._store.standings_of([stream for stream in moved if stream.kind == SCHEME.kind]))
        for realm in {stream.realm for stream in moved if stream.kind == REALM.kind}:
            rows += [row async for row in self._store.standings(kind=SCHEME.kind, realm=realm)]
        return [row for row in rows if row.clock is Clock.WALL]

    def forget(self) -> None:
        """Keep them all anew when the lease comes back."""
        self._kept.clear()
