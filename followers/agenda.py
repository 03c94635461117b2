"""The follower that nobody's alarm clock escapes: it sends ``look`` to streams whose workflow may not have heard.

A deadline a minute past was missed by its workflow, or the workflow is gone; a stream was appended to from outside; a
calendar published since has moved deadlines that workflows still compute by the one before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from deciding.refresh import iterate_calendars
from domain.kernel.clock import Clock
from domain.kernel.identifier import StreamId
from domain.kernel.privacy import describe_error
from domain.registers.calendar import CALENDAR, calendar_stream
from domain.registers.realm import REALM
from followers.follower import EVERY, Follower

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from metrics import Metrics
    from store.port import EventStore, Standing

LATE = timedelta(seconds=60)
"""How long past its instant a deadline must be before the follower steps in: the workflow's own alarm comes first."""
MOST = 100
"""Streams of a kind that are notified in one round."""
LONGEST = timedelta(hours=1)
"""Between two notices to a stream that none changes: a parked one waits for a person, and does not loop."""

log = structlog.get_logger()


@dataclass(frozen=True)
class _Notice:
    """What was last sent to a stream."""

    standing: Standing
    """How the stream stood then."""
    times: int
    """How often it was sent while the stream stood so."""
    again: datetime
    """When it is sent again if the stream still stands so."""


class AgendaFollower(Follower):
    """Sees that a workflow looks at every row of the agenda that is due."""

    name = "agenda"

    def __init__(
        self, store: EventStore, look: Callable[[StreamId], Awaitable[None]], measures: Metrics | None = None
    ) -> None:
        super().__init__(store, measures)
        self._look = look
        self._notices: dict[StreamId, _Notice] = {}
        self._calendars: dict[str, int] = {}
        """Realm on the wall clock and the newest version of its working days."""
        self._current: dict[str, int] = {}
        """Realm and the version of its working days by which every stream of it was last seen to be computed."""

    async def follow(self, now: datetime) -> int:
        """Notify whoever is late, was not notified, or counts by an old calendar; how many were reached."""
        most = MOST + len(self._notices)
        late = await self._store.list_overdue(Clock.WALL, now - LATE, most)
        unnotified = await self._store.list_unnotified(most)
        waiting = {s.stream: s for s in (*late, *unnotified, *await self._list_outdated())}
        self._notices = {stream: n for stream, n in self._notices.items() if waiting.get(stream) == n.standing}
        reached = 0
        for stream, standing in waiting.items():
            last = self._notices.get(stream)
            if last is not None and now < last.again:
                continue
            times = last.times + 1 if last else 1
            self._notices[stream] = _Notice(standing, times, now + min(EVERY * 2 ** min(times, 20), LONGEST))
            try:
                await self._look(stream)
            except Exception as failed:  # noqa: BLE001 - one workflow that cannot be reached keeps no other from hearing
                log.warning("agenda.not_told", stream=stream, reason=describe_error(failed))
                continue
            reached += 1
            log.info("agenda.told", stream=stream, times=times)
        return reached

    def forget(self) -> None:
        """Notify all anew when the lease comes back."""
        self._notices.clear()
        self._calendars.clear()
        self._current.clear()

    async def _list_outdated(self) -> list[Standing]:
        """Streams whose deadlines were computed by a calendar that is no longer the newest, so many in one round."""
        outdated: list[Standing] = []
        last = await self._store.last_position()
        await self._note_calendars(last)
        for realm, version in self._calendars.items():
            if self._current.get(realm, 0) >= version:
                continue
            rows = [row async for row in self._store.iterate_outdated(realm, version)]
            outdated += [row for row in rows if not self._is_notified(row)][:MOST]
            if all(map(self._is_notified, rows)):
                self._current[realm] = version
        await self.note_reached(last)
        return outdated

    async def _note_calendars(self, last: int) -> None:
        """Take in what was published since the last round, and realms that have come to the wall clock."""
        moved = await self.list_moved(last, CALENDAR.kind, REALM.kind)
        if moved is None:
            self._calendars = {r: version async for r, version in iterate_calendars(self._store, Clock.WALL)}
            return
        streams = [calendar_stream(realm) for realm in {stream.realm for stream in moved}]
        for row in await self._store.standings_of(streams):
            if row.clock is Clock.WALL:
                self._calendars[row.stream.realm] = row.version

    def _is_notified(self, standing: Standing) -> bool:
        last = self._notices.get(standing.stream)
        return last is not None and last.standing == standing
