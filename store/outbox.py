"""What is told to the outside: endpoints, deliveries and mails in Postgres, each effect under one id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from store.identity import Seats, read_seats, seats_as_json
from store.postgres import translate_errors
from store.sql import OUTBOX

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    import asyncpg


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Somebody who is told. Times are UTC."""

    id: UUID
    url: str
    seats: Seats
    """Whose sight limits what it is told."""
    types: tuple[str, ...]
    """Of events; empty for all."""
    secret: bytes
    """Sealed."""
    previous: bytes | None
    """The secret before, sealed."""
    previous_until: datetime | None
    """Until when that signs too."""
    from_position: int
    """Nothing at or before it is told."""
    made_by: str
    made_at: datetime
    failing_since: datetime | None
    """Since when no delivery has succeeded; None while they do."""
    disabled_at: datetime | None
    disabled_why: str


@dataclass(frozen=True, slots=True)
class WebhookDelivery:
    """One event that one endpoint is to be told of."""

    id: UUID
    endpoint: UUID
    position: int
    stream: str
    type: str
    schema_version: int
    occurred_at: datetime
    tries: int = 0
    """How often it was tried, the present try among them."""


@dataclass(frozen=True, slots=True)
class DeliveryLine:
    """A delivery as the log of deliveries shows it, with its last try."""

    id: UUID
    position: int
    stream: str
    type: str
    tries: int
    next_at: datetime | None
    """When it is tried next; None if it never is."""
    delivered_at: datetime | None
    tried_at: datetime | None
    status: int | None
    said: str | None
    took_ms: int | None


@dataclass(frozen=True, slots=True)
class Mail:
    """One thing that one person is to be written."""

    id: UUID
    person: str
    effect: str
    stream: str
    position: int
    about: bytes
    """Plain JSON: what the words are made of."""
    next_at: datetime | None = None
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Address:
    """Where somebody is written to."""

    person: str
    address: str
    lang: str


class CursorMoved(Exception):
    """Somebody else fills the outbox by now; nothing was written."""


class OutboxStore:
    """Those tables. Every call raises StoreUnavailable where the server does not answer."""

    def __init__(self, pool: asyncpg.Pool[Any]) -> None:
        """Use that pool, from ``store.postgres.open_pool``; whoever opened it closes it."""
        self._pool = pool

    async def since(self) -> int:
        """After which position anything is told."""
        return int(await self._value("since"))

    async def fill(
        self,
        cursor: tuple[str, int, int, int],
        deliveries: Sequence[WebhookDelivery],
        mails: Sequence[Mail],
        now: datetime,
    ) -> None:
        """Keep what is to be told, with the follower's cursor (name, generation, old, new) moved: all of it or nothing.

        What is there already stays as it is. Raises CursorMoved.
        """
        async with translate_errors(), self._pool.acquire() as connection, connection.transaction():
            if deliveries:
                columns = zip(
                    *(
                        (d.id, d.endpoint, d.position, d.stream, d.type, d.schema_version, d.occurred_at)
                        for d in deliveries
                    ),
                    strict=True,
                )
                await connection.execute(OUTBOX["add_deliveries"], *map(list, columns), now)
            if mails:
                await connection.execute(OUTBOX["add_mails"], *_columns(mails))
            if not await connection.fetchval(OUTBOX["advance"], *cursor):
                raise CursorMoved

    # ------------------------------------------------------------------------------------------ endpoints

    async def add_endpoint(
        self,
        endpoint_id: UUID,
        url: str,
        seats: Seats,
        types: Sequence[str],
        secret: bytes,
        made_by: str,
        now: datetime,
    ) -> None:
        """Keep a new one: it is told of what comes after this moment."""
        await self._value("add_endpoint", endpoint_id, url, seats_as_json(seats), list(types), secret, made_by, now)

    async def endpoints(self) -> Sequence[Endpoint]:
        """All endpoints, the oldest first."""
        async with translate_errors():
            return [_endpoint(row) for row in await self._pool.fetch(OUTBOX["endpoints"])]

    async def rotate_endpoint(self, endpoint_id: UUID, secret: bytes, previous_until: datetime) -> bool:
        """Sign with another secret from now on, with the one before until then; whether there is such an endpoint."""
        return await self._value("rotate_endpoint", endpoint_id, secret, previous_until) is not None

    async def enable_endpoint(self, endpoint_id: UUID) -> bool:
        """Try again with one that was given up."""
        return await self._value("enable_endpoint", endpoint_id) is not None

    async def disable_endpoint(self, endpoint_id: UUID, at: datetime, why: str) -> bool:
        """Tell it nothing more; whether it was told until now."""
        return await self._value("disable_endpoint", endpoint_id, at, why) is not None

    async def remove_endpoint(self, endpoint_id: UUID) -> bool:
        """Forget it with all its deliveries; whether it was there."""
        return await self._value("remove_endpoint", endpoint_id) is not None

    # ------------------------------------------------------------------------------------------ deliveries

    async def due_endpoints(self, now: datetime) -> Sequence[UUID]:
        """Endpoints that something is to be said to now."""
        async with translate_errors():
            return [row["endpoint"] for row in await self._pool.fetch(OUTBOX["due_endpoints"], now)]

    async def claim_deliveries(
        self, endpoint_id: UUID, now: datetime, put_off: datetime, most: int
    ) -> Sequence[WebhookDelivery]:
        """Take up to so many that are due to be tried now; each is put off until then in case nobody ends its try."""
        async with translate_errors():
            rows = await self._pool.fetch(OUTBOX["claim_deliveries"], endpoint_id, now, put_off, most)
        return [WebhookDelivery(*row.values()) for row in rows]

    async def end_try(
        self, delivery: WebhookDelivery, at: datetime, status: int | None, answer: str, took_ms: int
    ) -> None:
        """Record how one try of a delivery went."""
        await self._value("end_try", delivery.id, delivery.tries, at, status, answer, took_ms)

    async def note_delivery(self, delivery: WebhookDelivery, at: datetime) -> None:
        """It has arrived; so its endpoint answers."""
        await self._value("delivered", delivery.id, at)
        await self._value("endpoint_answered", delivery.endpoint)

    async def put_off(self, delivery: WebhookDelivery, until: datetime | None) -> None:
        """Try it again then; with None never."""
        await self._value("put_off", delivery.id, until)

    async def note_failure(self, endpoint_id: UUID, at: datetime) -> datetime:
        """Note that a delivery failed; since when all have."""
        since = await self._value("endpoint_failed", endpoint_id, at)
        return at if since is None else since

    async def sweep_deliveries(self, before: datetime, most: int) -> int:
        """Forget up to so many that ended before then, with their tries; how many there were."""
        async with translate_errors():
            return len(await self._pool.fetch(OUTBOX["sweep_deliveries"], before, most))

    async def replay(self, endpoint_id: UUID, after: int, until: int, now: datetime) -> int:
        """Say once more what lies between those positions; how much that is."""
        async with translate_errors():
            return len(await self._pool.fetch(OUTBOX["replay"], endpoint_id, after, until, now))

    async def replay_one(self, endpoint_id: UUID, delivery_id: UUID, now: datetime) -> bool:
        """Say that once more; whether it was ever said."""
        return await self._value("replay_one", endpoint_id, delivery_id, now) is not None

    async def deliveries(self, endpoint_id: UUID, before: int, limit: int) -> Sequence[DeliveryLine]:
        """Deliveries to that endpoint, the newest first."""
        async with translate_errors():
            rows = await self._pool.fetch(OUTBOX["deliveries"], endpoint_id, before, limit)
        return [DeliveryLine(*row.values()) for row in rows]

    # ------------------------------------------------------------------------------------------ mail

    async def put_address(self, address: Address) -> None:
        """Write to that person there, whatever was said before."""
        await self._value("put_address", address.person, address.address, address.lang)

    async def drop_address(self, person: str) -> bool:
        """Write to that person no more; whether they were written to."""
        return await self._value("drop_address", person) is not None

    async def addresses(self) -> Sequence[Address]:
        """Everybody who is written to."""
        async with translate_errors():
            return [Address(*row.values()) for row in await self._pool.fetch(OUTBOX["addresses"])]

    async def add_mails(self, mails: Sequence[Mail]) -> None:
        """Store the mails that are not there yet."""
        if mails:
            await self._value("add_mails", *_columns(mails))

    async def claim_mails(self, now: datetime, put_off: datetime, most: int) -> Sequence[Mail]:
        """Take up to so many that are due; each is put off until then in case nobody ends its try."""
        async with translate_errors():
            rows = await self._pool.fetch(OUTBOX["claim_mails"], now, put_off, most)
        return [
            Mail(r["id"], r["person"], r["effect"], r["stream"], r["position"], r["about"], tries=r["tries"])
            for r in rows
        ]

    async def end_mail(self, mail: Mail, sent_at: datetime | None, next_at: datetime | None, answer: str) -> None:
        """Note how it went; without ``next_at`` it is never tried again."""
        await self._value("end_mail", mail.id, sent_at, next_at, answer)

    async def _value(self, name: str, *args: object) -> Any:  # noqa: ANN401 - a column, or None
        async with translate_errors():
            return await self._pool.fetchval(OUTBOX[name], *args)


def _columns(mails: Sequence[Mail]) -> list[list[object]]:
    rows = ((m.id, m.person, m.effect, m.stream, m.position, m.about, m.next_at) for m in mails)
    return list(map(list, zip(*rows, strict=True)))


def _endpoint(row: asyncpg.Record) -> Endpoint:
    values = dict(row)
    return Endpoint(**{**values, "seats": read_seats(values["seats"]), "types": tuple(values["types"])})
