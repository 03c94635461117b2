"""What every follower does: a lease, round after round while it is held, each round measured and its failure logged."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING, ClassVar
from uuid import uuid4

import structlog

from domain.kernel.privacy import describe_error
from metrics import Metrics
from store.port import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from domain.kernel.identifier import StreamId
    from store.port import EventStore

EVERY = timedelta(seconds=5)
"""From the end of one round to the beginning of the next."""
LEASE = timedelta(seconds=20)
"""How long a lease lasts that is not renewed."""

log = structlog.get_logger()


async def repeat(
    look: Callable[[], Awaitable[object]], every_s: float, log_failure: Callable[[Exception], None]
) -> None:
    """Look round after round until cancelled, with so many seconds between; what fails is told and tried again."""
    while True:
        try:
            await look()
        except Exception as failed:  # noqa: BLE001 - whatever it was, nothing may depend on one round
            log_failure(failed)
        await asyncio.sleep(every_s)


class Follower(ABC):
    """Any number of workers may run it; the one that holds the lease does its rounds, the others stand by."""

    name: ClassVar[str]
    """Of its lease, and in figures and log lines."""
    lease: ClassVar[timedelta] = LEASE
    """How long its lease lasts unless it is renewed."""

    def __init__(self, store: EventStore, measures: Metrics | None = None) -> None:
        """Lease from that store; say in those measures when a round was done."""
        self._store = store
        self._last_round = (measures or Metrics()).followed.labels(self.name)
        self._owner = uuid4()
        self._generation: int | None = None
        """Of the lease, while it is held."""
        self._renew_at = 0.0
        self._reached: int | None = None
        """Up to where the log was seen to; None before the first round under a lease."""

    async def run(self) -> None:
        """Follow until cancelled. What fails is tried again on the next round."""
        await repeat(lambda: self.once(datetime.now(UTC)), EVERY.total_seconds(), self.log_failure)

    def log_failure(self, failed: Exception) -> None:
        """Say in the log that a round was not done."""
        log.warning("follower.round_failed", follower=self.name, reason=describe_error(failed))

    async def once(self, now: datetime) -> int:
        """One round, if the lease is ours: how many streams were seen to."""
        if await self.hold() is None:
            self._reached = None
            self.forget()
            self._last_round.set(0)
            return 0
        count = await self.follow(now)
        self._last_round.set_to_current_time()
        return count

    async def hold(self) -> int | None:
        """The generation of the lease, None while another has it; renewed as soon as half of it is over."""
        now = monotonic()
        if self._generation is None or now >= self._renew_at:
            self._generation = await self._store.lease(self.name, self._owner, self.lease)
            self._renew_at = now + self.lease.total_seconds() / 2
        return self._generation

    async def list_moved(self, last: int, *kinds: str) -> Sequence[StreamId] | None:
        """Streams of those kinds that moved since the round before, up to that position.

        None if all are to be seen to: at first, and when the log is shorter than it was.
        """
        if self._reached is None or last < self._reached:
            return None
        return await self._store.list_moved(self._reached, last, kinds)

    async def note_reached(self, last: int) -> None:
        """Say that the log was seen to up to there; the store keeps it, so that others see how far that is."""
        if self._reached == last:
            return
        generation, old = await self.hold(), await self._store.cursor(self.name)
        if generation is not None and old <= last:
            await self._store.advance(self.name, generation, old, last)
        self._reached = last

    async def release(self) -> None:
        """Let another take the lease at once, if it is held. Without the store it ends by itself."""
        if self._generation is not None:
            self._generation = None
            with suppress(StoreUnavailable):
                await self._store.lease(self.name, self._owner, timedelta(0))

    @abstractmethod
    async def follow(self, now: datetime) -> int:
        """See to every stream that asks for it; how many there were."""

    @abstractmethod
    def forget(self) -> None:
        """Start from nothing: another worker holds the lease, and what was remembered grows old."""
