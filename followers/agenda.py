"""The follower that nobody's alarm clock escapes: it sends ``look`` to streams whose workflow may not have heard.

A deadline a minute past was missed by its workflow, or the workflow is gone; a stream appended to from outside has not
been told; a calendar published since has moved deadlines that workflows still reckon by the one before. Any number of
workers may run this; one holds the lease.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import structlog

from deciding.refresh import iterate_calendars, iterate_outdated
from domain.kernel.clock import Clock
from metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from domain.kernel.identity import StreamId
    from store.port import EventStore, Standing

NAME = "agenda"
EVERY = timedelta(seconds=5)
LEASE = timedelta(seconds=20)
LATE = timedelta(seconds=60)
"""How long past its instant a deadline must be before the follower steps in: the workflow's own alarm comes first."""

MOST = 100
"""Streams of a kind that are looked at in one round."""
LONGEST = timedelta(hours=1)
"""Between two looks at a stream that no look changes: a parked one waits for a person, and does not loop."""

log = structlog.get_logger()


async def repeat_rounds(name: str, once: Callable[[], Awaitable[object]]) -> None:
    """What a follower does, until it is cancelled. What fails is tried again on the next round."""
    while True:
        try:
            await once()
        except Exception as failed:  # noqa: BLE001 - whatever it was, deadlines must not depend on one round
            log.warning("follower.round_failed", follower=name, reason=f"{type(failed).__name__}: {failed}")
        await asyncio.sleep(EVERY.total_seconds())


@dataclass(frozen=True)
class _Told:
    """A stream that was told to look, and how it stood."""

    standing: Standing
    times: int
    again: datetime
    """When it is told again if it still stands so."""


class AgendaFollower:
    """Sees that every due row of the agenda is looked at."""

    def __init__(
        self, store: EventStore, look: Callable[[StreamId], Awaitable[None]], measures: Metrics | None = None
    ) -> None:
        """Send ``look`` by that function; say in those measures when a round was done."""
        self._store = store
        self._look = look
        self._measures = measures or Metrics()
        self._owner = uuid4()
        self._told: dict[StreamId, _Told] = {}
        self._reckoned: dict[str, int] = {}
        """Realm and the version of its working days by which every stream of it was last seen to be reckoned."""

    async def run(self) -> None:
        """Follow until cancelled."""
        await repeat_rounds(NAME, lambda: self.once(datetime.now(UTC)))

    async def once(self, now: datetime) -> int:
        """One round, if the lease is ours: how many workflows were told to look."""
        if await self._store.lease(NAME, self._owner, LEASE) is None:
            self._measures.followed.set(0)
            return 0
        most = MOST + len(self._told)
        late = await self._store.overdue(Clock.WALL, now - LATE, most)
        unnotified = await self._store.unnotified(most)
        waiting = {s.stream: s for s in (*late, *unnotified, *await self._moved())}
        self._told = {stream: told for stream, told in self._told.items() if waiting.get(stream) == told.standing}
        looked = 0
        for stream, standing in waiting.items():
            told = self._told.get(stream)
            if told is not None and now < told.again:
                continue
            times = told.times + 1 if told else 1
            self._told[stream] = _Told(standing, times, now + min(EVERY * 2 ** min(times, 20), LONGEST))
            try:
                await self._look(stream)
            except Exception as failed:  # noqa: BLE001 - one workflow that cannot be reached keeps no other from hearing
                log.warning("agenda.not_told", stream=stream, reason=f"{type(failed).__name__}: {failed}")
                continue
            looked += 1
            log.info("agenda.told", stream=stream, times=times)
        self._measures.followed.set_to_current_time()
        return looked

    async def _moved(self) -> list[Standing]:
        """Streams whose deadlines were reckoned by a calendar that is no longer the newest, so many in one round."""
        found: list[Standing] = []
        async for realm, version in iterate_calendars(self._store, Clock.WALL):
            if self._reckoned.get(realm, 0) >= version:
                continue
            rows = [row async for row in iterate_outdated(self._store, realm, version)]
            found += [row for row in rows if not self._was_told(row)][:MOST]
            if all(map(self._was_told, rows)):
                self._reckoned[realm] = version
        return found

    def _was_told(self, row: Standing) -> bool:
        told = self._told.get(row.stream)
        return told is not None and told.standing == row
