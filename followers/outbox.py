"""The follower that fills the outbox: for each event that somebody is to be told of, one row under an id for ever.

Only what is appended on the wall clock is told: papers taken in, rehearsals and rebuilds say nothing to anybody.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Final, Protocol

from deciding.fold import load_state
from domain.kernel.clock import Clock
from domain.kernel.identifier import derive_id
from followers.follower import Follower
from store.outbox import CursorMoved, WebhookDelivery
from store.port import EntryKind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from domain.kernel.identifier import StreamId
    from domain.kernel.state import State
    from metrics import Metrics
    from store.identity import Seats
    from store.outbox import Endpoint, Mail, OutboxStore
    from store.port import Entry, EventStore

PAGE: Final = 500
"""Entries that a round looks at."""
IDLE_S: Final = 5.0
"""From one look to the next while nobody pokes."""


class Sees(Protocol):
    """Whether those seats may see that file."""

    async def __call__(self, store: EventStore, seats: Seats, state: State) -> bool:
        """Judge it. Raises StoreUnavailable."""


class ListMails(Protocol):
    """What a page of the log asks to be written."""

    async def __call__(self, entries: Sequence[Entry], now: datetime) -> list[Mail]:
        """The mails that these entries call for. Raises StoreUnavailable."""


class OutboxFollower(Follower):
    """Goes by its cursor in the log; what it finds and the cursor are one transaction."""

    name = "outbox"
    lease: ClassVar[timedelta] = timedelta(seconds=5)

    def __init__(
        self,
        store: EventStore,
        outbox: OutboxStore,
        sees: Sees,
        measures: Metrics | None = None,
        *,
        list_mails: ListMails | None = None,
    ) -> None:
        """Fill that outbox with what the seats of its endpoints may see, and with mails if somebody lists them."""
        super().__init__(store, measures)
        self._outbox = outbox
        self._sees = sees
        self._list_mails = list_mails

    async def run(self) -> None:
        """Follow until cancelled, as soon as the log grows; then let go of the lease."""
        try:
            async for _ in self._store.pokes(IDLE_S):
                await self._fill_until_current()
        finally:
            await asyncio.shield(self.release())

    async def _fill_until_current(self) -> None:
        try:
            taken = PAGE
            while taken == PAGE:  # less than a page was the rest: the log says when it grows
                taken = await self.once(datetime.now(UTC))
                await asyncio.sleep(0)
        except CursorMoved:
            await self.release()
        except Exception as failed:  # noqa: BLE001 - whatever it was, the next poke tries again
            self.log_failure(failed)

    def forget(self) -> None:
        """Do nothing: between two rounds nothing is kept in memory."""

    async def follow(self, now: datetime) -> int:
        """Take the next page of the log; how many entries there were. Raises CursorMoved."""
        generation = await self.hold()
        if generation is None:
            return 0
        old = await self._store.cursor(self.name)
        begin = max(old, await self._outbox.since())
        entries = await self._store.feed(begin, PAGE)
        if not entries:
            return 0
        endpoints = await self._outbox.endpoints()
        deliveries = await self._list_deliveries(entries, endpoints) if endpoints else []
        mails = await self._list_mails(entries, now) if self._list_mails is not None else []
        await self._outbox.fill((self.name, generation, old, entries[-1].position), deliveries, mails, now)
        return len(entries)

    async def _list_deliveries(self, entries: Sequence[Entry], endpoints: Sequence[Endpoint]) -> list[WebhookDelivery]:
        clocks: dict[str, Clock] = {}
        states: dict[StreamId, State] = {}
        deliveries: list[WebhookDelivery] = []
        for entry in entries:
            if entry.kind is not EntryKind.EVENT:
                continue
            if entry.stream.realm not in clocks:
                clocks[entry.stream.realm] = (await self._store.realm(entry.stream.realm)).clock
            if clocks[entry.stream.realm] is not Clock.WALL:
                continue
            wanting = [one for one in endpoints if _is_wanted(one, entry)]
            if wanting and entry.stream not in states:
                states[entry.stream] = await load_state(self._store, entry.stream)
            receivers = [one for one in wanting if await self._sees(self._store, one.seats, states[entry.stream])]
            deliveries += [_deliver(entry, one.id) for one in receivers]
        return deliveries


def _is_wanted(endpoint: Endpoint, entry: Entry) -> bool:
    return entry.position > endpoint.from_position and (not endpoint.types or entry.type in endpoint.types)


def _deliver(entry: Entry, endpoint: UUID) -> WebhookDelivery:
    delivery_id = derive_id("delivery", str(endpoint), str(entry.position))
    version = entry.schema_version
    return WebhookDelivery(delivery_id, endpoint, entry.position, entry.stream, entry.type, version, entry.occurred_at)
