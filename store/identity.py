"""What is kept of who comes in over HTTP: accounts, sessions, keys, senders, drafts, what was asked without waiting.

None of it is in the log. Secrets are kept as digests, so that nobody who reads these tables can come in by them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from domain.kernel.acting import PersonId
from domain.kernel.canonical import canonical
from domain.kernel.identifier import Actor, StreamId
from domain.kernel.scope import Scope
from store.port import RowUnfit
from store.postgres import translate_errors
from store.sql import IDENTITY

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    import asyncpg


class SeatGrant(BaseModel):
    """A seat that somebody may act for, and for whom that seat acts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seat: Actor
    scope: Annotated[Scope | None, Field(exclude_if=lambda scope: scope is None)] = None
    """None where only the streams themselves say whose business they are."""


Seats = tuple[SeatGrant, ...]
_SEATS: TypeAdapter[Seats] = TypeAdapter(Seats)


@dataclass(frozen=True, slots=True)
class Account:
    """A local account: with embedded servers only."""

    login: str
    person: PersonId
    seats: Seats
    secret: str
    """Argon2id, in its own text form."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a provider's subject is here: a person, or a service."""

    person: PersonId | None
    """The human; of a service, who answers for it."""
    service: str | None
    """None of a human."""
    seats: Seats


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who has come in by a browser. Times are UTC."""

    id: UUID
    """The same through every rotation of its token."""
    person: PersonId
    seats: Seats
    begun_at: datetime
    proved_at: datetime
    """When the person last showed who they are."""
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A service's key. Times are UTC."""

    id: str
    secret: bytes
    """SHA-256 of the part that only the service knows."""
    service: str
    person: PersonId | None
    """Who answers for it."""
    seats: Seats
    scopes: tuple[str, ...]
    made_at: datetime
    expires_at: datetime
    withdrawn_at: datetime | None = None
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """What was asked without waiting for the answer: enough to ask it again under the same id."""

    id: UUID
    asker: str
    """Who may look at it."""
    stream: StreamId
    actor: Actor
    command: str
    body: bytes
    """The particulars, in canonical JSON."""
    at: datetime | None
    person: PersonId | None = None
    session: str = ""
    asked_at: datetime | None = None
    """None before it is kept."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody has typed into a form and not sent yet. Times are UTC."""

    id: UUID
    """Under which the command would be given."""
    person: PersonId
    command: str
    stream: StreamId
    seat: Actor
    form: bytes
    """What was typed, by field, in JSON."""
    is_held: bool
    """Whether this house kept it by itself, as the session of who typed it was over or too old."""
    saved_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Sender:
    """A bank or a signature service that reports by signed messages. Times are UTC."""

    name: str
    id: UUID
    seats: Seats
    """For whom it speaks."""
    person: PersonId | None
    """Who answers for it."""
    secret: bytes
    """Sealed."""
    previous: bytes | None
    """The secret before, sealed."""
    previous_until: datetime | None
    """Until when that counts too."""
    made_by: str
    made_at: datetime
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class Callback:
    """A message of a sender's, and the command that it is."""

    sender: UUID
    message: str
    """Its ``webhook-id``."""
    type: str
    subject: str
    reason: str
    """Of what changes nothing by itself: why."""
    body: bytes
    """SHA-256."""
    received_at: datetime
    command_id: UUID
    """The one under which it came first."""


class IdentityStore:
    """Those tables in Postgres. Every call raises StoreUnavailable where the server does not answer."""

    def __init__(self, pool: asyncpg.Pool[Any]) -> None:
        """Use that pool, from ``store.postgres.open_pool``; whoever opened it closes it."""
        self._pool = pool

    # ------------------------------------------------------------------------------------------ accounts

    async def add_account(self, account: Account) -> bool:
        """Store the account; False if its login is taken."""
        seats = seats_as_json(account.seats)
        return await self._row("add_account", account.login, account.person, seats, account.secret) is not None

    async def account(self, login: str) -> Account | None:
        """The account of that login."""
        row = await self._row("account", login)
        return row and Account(row["login"], PersonId(row["person"]), read_seats(row["seats"]), row["secret"])

    async def renew_secret(self, login: str, secret: str) -> bool:
        """Put another secret in the place of the old; whether there is such an account."""
        return await self._row("renew_secret", login, secret) is not None

    async def count_accounts(self) -> int:
        """How many accounts there are."""
        async with translate_errors():
            return int(await self._pool.fetchval(IDENTITY["count_accounts"]))

    async def put_identity(self, issuer: str, subject: str, identity: Identity) -> None:
        """Say who that subject of that provider is here, whatever was said before."""
        seats = seats_as_json(identity.seats)
        await self._row("put_identity", issuer, subject, identity.person, identity.service, seats)

    async def identity(self, issuer: str, subject: str) -> Identity | None:
        """Who that subject of that provider is here."""
        row = await self._row("identity", issuer, subject)
        return row and Identity(_person(row), row["service"], read_seats(row["seats"]))

    async def drop_identity(self, issuer: str, subject: str) -> bool:
        """Know that subject no more, and end the sessions of whom it stood for; whether it was known."""
        return await self._row("drop_identity", issuer, subject) is not None

    # ------------------------------------------------------------------------------------------ sessions

    async def begin_session(self, token: bytes, session: Session) -> None:
        """Keep a new one under the digest of its token."""
        seats = seats_as_json(session.seats)
        await self._row("begin_session", token, session.id, session.person, seats, session.begun_at)

    async def session(self, token: bytes) -> Session | None:
        """The session whose token has that digest."""
        row = await self._row("session", token)
        return row and Session(
            row["id"],
            PersonId(row["person"]),
            read_seats(row["seats"]),
            row["begun_at"],
            row["proved_at"],
            row["seen_at"],
        )

    async def see_session(self, token: bytes, at: datetime) -> None:
        """Note that it was used at that moment."""
        await self._row("see_session", token, at)

    async def rotate_session(self, token: bytes, fresh: bytes, at: datetime) -> bool:
        """Put a fresh token in the place of the old: the person has shown anew who they are. Whether it was there."""
        return await self._row("rotate_session", token, fresh, at) is not None

    async def end_session(self, token: bytes) -> bool:
        """Forget it; whether it was there."""
        return await self._row("end_session", token) is not None

    async def sweep_sessions(self, unseen_since: datetime, begun_before: datetime) -> None:
        """Forget those that were not used since, or are older than that."""
        await self._row("sweep_sessions", unseen_since, begun_before)

    # ------------------------------------------------------------------------------------------ keys

    async def add_key(self, key: ApiKey) -> None:
        """Store a new key."""
        seats, scopes = seats_as_json(key.seats), list(key.scopes)
        of = key
        await self._row("add_key", of.id, of.secret, of.service, of.person, seats, scopes, of.made_at, of.expires_at)

    async def key(self, key_id: str) -> ApiKey | None:
        """The key of that id, withdrawn and expired ones too."""
        row = await self._row("key", key_id)
        return row and _key(row)

    async def keys(self) -> Sequence[ApiKey]:
        """All keys, by service."""
        async with translate_errors():
            return [_key(row) for row in await self._pool.fetch(IDENTITY["keys"])]

    async def use_key(self, key_id: str, at: datetime) -> None:
        """Note that it was used, to the minute."""
        await self._row("use_key", key_id, at)

    async def withdraw_key(self, key_id: str, at: datetime) -> bool:
        """From then on it opens nothing; whether it did until now."""
        return await self._row("withdraw_key", key_id, at) is not None

    # ------------------------------------------------------------------------------------------ drafts

    async def put_draft(self, draft: Draft) -> bool:
        """Keep it, in the place of the same person's of that id; whether the id was theirs or free."""
        of = draft
        form = (of.stream, of.seat, of.form, of.is_held, of.saved_at, of.expires_at)
        return await self._row("put_draft", of.id, of.person, of.command, *form) is not None

    async def draft(self, draft_id: UUID, person: PersonId, now: datetime) -> Draft | None:
        """That person's of that id, unless its time is over."""
        row = await self._row("draft", draft_id, person, now)
        return row and _draft(row)

    async def drafts(self, person: PersonId, now: datetime, limit: int) -> Sequence[Draft]:
        """That person's, the newest first."""
        async with translate_errors():
            return [_draft(row) for row in await self._pool.fetch(IDENTITY["drafts"], person, now, limit)]

    async def drop_draft(self, draft_id: UUID, person: PersonId) -> bool:
        """Forget it; whether there was one of theirs."""
        return await self._row("drop_draft", draft_id, person) is not None

    async def sweep_drafts(self, now: datetime) -> None:
        """Forget all whose time is over."""
        await self._row("sweep_drafts", now)

    async def sweep_held(self, person: PersonId, most: int) -> None:
        """Forget what is held for that person, but for the newest so many."""
        await self._row("sweep_held", person, most)

    # ------------------------------------------------------------------------------------------ senders

    async def add_sender(self, sender: Sender) -> bool:
        """Store the sender; False if its name is taken."""
        of, seats = sender, seats_as_json(sender.seats)
        row = await self._row("add_sender", of.name, of.id, seats, of.person, of.secret, of.made_by, of.made_at)
        return row is not None

    async def sender(self, name: str) -> Sender | None:
        """The one of that name, withdrawn ones too."""
        row = await self._row("sender", name)
        return row and _sender(row)

    async def senders(self) -> Sequence[Sender]:
        """All senders, by name."""
        async with translate_errors():
            return [_sender(row) for row in await self._pool.fetch(IDENTITY["senders"])]

    async def rotate_sender(self, name: str, secret: bytes, previous_until: datetime) -> bool:
        """Put another secret in the place of the old, which counts too until then; whether there is such a sender."""
        return await self._row("rotate_sender", name, secret, previous_until) is not None

    async def withdraw_sender(self, name: str, at: datetime) -> bool:
        """From then on nothing of it is taken in; whether it was until now."""
        return await self._row("withdraw_sender", name, at) is not None

    async def keep_callback(self, callback: Callback) -> Callback:
        """That message as it came first, with the command's id that it got then, whatever comes later."""
        of = callback
        values = (of.type, of.subject, of.reason, of.body, of.received_at, of.command_id)
        await self._row("add_callback", of.sender, of.message, *values)
        return Callback(**await self._row("callback", of.sender, of.message))

    async def callbacks(self, sender: UUID, limit: int) -> Sequence[Callback]:
        """What came from it, the newest first."""
        async with translate_errors():
            return [Callback(**row) for row in await self._pool.fetch(IDENTITY["callbacks"], sender, limit)]

    # ------------------------------------------------------------------------------------------ operations

    async def add_operation(self, operation: Operation) -> bool:
        """Store the operation; False if its id is taken."""
        of = operation
        request = (of.stream, of.actor, of.command, of.body, of.at, of.person, of.session)
        return await self._row("add_operation", of.id, of.asker, *request) is not None

    async def operation(self, operation_id: UUID) -> Operation | None:
        """The operation of that id, if there is one."""
        row = await self._row("operation", operation_id)
        return row and _operation(row)

    async def operations(
        self, asker: str, before: tuple[datetime, UUID], limit: int, *, unanswered: bool
    ) -> Sequence[Operation]:
        """Those of that asker before that moment and id, the newest first; all, or those without an outcome yet."""
        async with translate_errors():
            rows = await self._pool.fetch(IDENTITY["operations"], asker, *before, unanswered, limit)
        return [_operation(row) for row in rows]

    async def unanswered_operations(self, since: datetime, limit: int = 100) -> Sequence[Operation]:
        """Those asked since then of which the log has no outcome, oldest first."""
        async with translate_errors():
            return [_operation(row) for row in await self._pool.fetch(IDENTITY["unanswered_operations"], since, limit)]

    async def _row(self, name: str, *args: object) -> Any:  # noqa: ANN401 - a record, or None
        async with translate_errors():
            return await self._pool.fetchrow(IDENTITY[name], *args)


def seats_as_json(seats: Seats) -> bytes:
    """The seats as the column stores them: canonical JSON."""
    return canonical(_SEATS.dump_python(seats, mode="json"))


def read_seats(column: bytes) -> Seats:
    """As that column keeps them. Raises RowUnfit."""
    try:
        return _SEATS.validate_json(column)
    except ValidationError as error:
        raise RowUnfit("seats") from error


def _person(row: asyncpg.Record) -> PersonId | None:
    return PersonId(row["person"]) if row["person"] is not None else None


def _key(row: asyncpg.Record) -> ApiKey:
    return ApiKey(
        id=row["id"],
        secret=row["secret"],
        service=row["service"],
        person=_person(row),
        seats=read_seats(row["seats"]),
        scopes=tuple(row["scopes"]),
        made_at=row["made_at"],
        expires_at=row["expires_at"],
        withdrawn_at=row["withdrawn_at"],
        used_at=row["used_at"],
    )


def _draft(row: asyncpg.Record) -> Draft:
    return Draft(
        row["id"],
        PersonId(row["person"]),
        row["command"],
        StreamId(row["stream"]),
        Actor(row["seat"]),
        row["form"],
        row["held"],
        row["saved_at"],
        row["expires_at"],
    )


def _sender(row: asyncpg.Record) -> Sender:
    return Sender(**{**row, "seats": read_seats(row["seats"]), "person": _person(row)})


def _operation(row: asyncpg.Record) -> Operation:
    return Operation(
        id=row["id"],
        asker=row["asker"],
        stream=StreamId(row["stream"]),
        actor=Actor(row["actor"]),
        command=row["command"],
        body=row["body"],
        at=row["at"],
        person=_person(row),
        session=row["session"],
        asked_at=row["asked_at"],
    )
