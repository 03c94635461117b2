"""The follower that nobody's alarm clock escapes: it sends ``look`` to streams whose workflow may not have heard.

A deadline a minute past was missed by its workflow, or the workflow is gone; a stream appended to from outside has not
been told. Any number of workers may run this; one holds the lease.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import structlog

from store.port import Clock, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from domain.kernel.identity import StreamId
    from store.port import EventStore

NAME = "agenda"
EVERY = timedelta(seconds=5)
LEASE = timedelta(seconds=20)
LATE = timedelta(seconds=60)
"""How long past its instant a deadline must be before the follower steps in: the workflow's own alarm comes first."""

log = structlog.get_logger()


class AgendaFollower:
    """Sees that every due row of the agenda is looked at."""

    def __init__(self, store: EventStore, look: Callable[[StreamId], Awaitable[None]]) -> None:
        """Send ``look`` by that function."""
        self._store = store
        self._look = look
        self._owner = uuid4()

    async def run(self) -> None:
        """Follow until cancelled. What fails is tried again on the next round."""
        while True:
            try:
                await self.once(datetime.now(UTC))
            except StoreUnavailable as gone:
                log.warning("agenda.store_unavailable", reason=str(gone))
            await asyncio.sleep(EVERY.total_seconds())

    async def once(self, now: datetime) -> int:
        """One round, if the lease is ours: how many workflows were told to look."""
        if await self._store.lease(NAME, self._owner, LEASE) is None:
            return 0
        late = await self._store.overdue(Clock.WALL, now - LATE)
        untold = await self._store.untold()
        streams = dict.fromkeys(s.stream for s in (*late, *untold))
        for stream in streams:
            await self._look(stream)
            log.info("agenda.told", stream=stream)
        return len(streams)
