"""The follower that nobody's alarm clock escapes: it sends ``look`` to streams whose workflow may not have heard.

A deadline a minute past was missed by its workflow, or the workflow is gone; a stream appended to from outside has not
been told. Any number of workers may run this; one holds the lease.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import structlog

from store.port import Clock

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


@dataclass(frozen=True)
class _Told:
    """A stream that was told to look, and how it stood."""

    standing: Standing
    times: int
    again: datetime
    """When it is told again if it still stands so."""


class AgendaFollower:
    """Sees that every due row of the agenda is looked at."""

    def __init__(self, store: EventStore, look: Callable[[StreamId], Awaitable[None]]) -> None:
        """Send ``look`` by that function."""
        self._store = store
        self._look = look
        self._owner = uuid4()
        self._told: dict[StreamId, _Told] = {}

    async def run(self) -> None:
        """Follow until cancelled. What fails is tried again on the next round."""
        while True:
            try:
                await self.once(datetime.now(UTC))
            except Exception as failed:  # noqa: BLE001 - whatever it was, deadlines must not depend on one round
                log.warning("agenda.round_failed", reason=f"{type(failed).__name__}: {failed}")
            await asyncio.sleep(EVERY.total_seconds())

    async def once(self, now: datetime) -> int:
        """One round, if the lease is ours: how many workflows were told to look."""
        if await self._store.lease(NAME, self._owner, LEASE) is None:
            return 0
        most = MOST + len(self._told)
        late = await self._store.overdue(Clock.WALL, now - LATE, most)
        untold = await self._store.untold(most)
        waiting = {s.stream: s for s in (*late, *untold)}
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
        return looked
