"""The log's growth, told to all who wait for it in this process by one reader, whatever their number."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from store.port import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from store.port import Entry, EventStore

IDLE_S: Final = 1.0
"""A poke may be lost: after so many seconds the log is asked how far it reaches."""
PAGE: Final = 500
"""Entries that are read at once."""
_RECENT: Final = 4 * PAGE
"""Entries that are kept in memory, so that a thousand who follow the log read each of them once."""


class Growth:
    """Wakes whoever waits for the log to go beyond a position. Nobody who leaves takes anything along."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._reached = 0
        self._waiting: dict[asyncio.Future[None], int] = {}
        """Who waits, and for the log to go beyond which position."""
        self._follower: asyncio.Task[None] | None = None
        self._recent: list[Entry] = []
        """The newest entries, dense."""
        self._reading = asyncio.Lock()

    def __len__(self) -> int:
        return len(self._waiting)

    async def wait(self, position: int, patience_s: float) -> bool:
        """Whether the log went beyond that position within that time."""
        if self._follower is not None and self._reached > position:
            return True
        grown: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[grown] = position
        if self._follower is None:
            self._follower = asyncio.create_task(self._follow())
        try:
            async with asyncio.timeout(patience_s):
                await grown
        except TimeoutError:
            return False
        finally:
            del self._waiting[grown]
            if not self._waiting and self._follower is not None:
                self._follower.cancel()
                self._follower = None
        return True

    async def feed(self, after: int, limit: int) -> Sequence[Entry]:
        """Entries after that position, at most so many, as the store has them; the newest from memory."""
        first = self._recent[0].position if self._recent else 0
        if not first or after + 1 < first:
            return await self._store.feed(after, limit)
        async with self._reading:
            last = self._recent[-1].position
            if after > last:  # nobody has read for a while
                self._recent = [*await self._store.feed(max(0, after - PAGE), 2 * PAGE)]
            elif after == last:
                self._recent = [*self._recent, *await self._store.feed(last, PAGE)][-_RECENT:]
            first = self._recent[0].position
            return self._recent[after + 1 - first :][:limit] if after + 1 >= first else ()

    async def _follow(self) -> None:
        async for reached in self._store.pokes(IDLE_S):
            self._reached = reached
            with suppress(StoreUnavailable):
                await self._remember(reached)
            for grown, position in self._waiting.items():
                if reached > position and not grown.done():
                    grown.set_result(None)
        self._follower = None

    async def _remember(self, reached: int) -> None:
        """Begin to keep what is new, if nothing is kept yet."""
        if not self._recent and reached:
            self._recent = [*await self._store.feed(max(0, reached - PAGE), PAGE)]
