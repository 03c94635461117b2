"""Sessions of people: kept on the server, rotated whenever somebody shows who they are, ended by idling or by age."""

from __future__ import annotations

import secrets
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from application.caller import Caller, ScopeName
from store.identity import Session

if TYPE_CHECKING:
    from datetime import datetime

    from domain.kernel.acting import PersonId
    from store.identity import IdentityStore, Seats

IDLE: Final = timedelta(minutes=30)
"""A session that was not used for so long is over."""
ABSOLUTE: Final = timedelta(hours=10)
"""A session is over after so long, however busy: a working day."""
REMEMBERED: Final = timedelta(days=1)
"""How long it is still known whose a session was that is over: what they send then is held for them."""
_SEEN_EVERY: Final = timedelta(minutes=1)
"""How exactly it is noted when it was used."""


def digest_token(token: str) -> bytes:
    """The SHA-256 of the token: all of it that is stored."""
    return sha256(token.encode()).digest()


async def begin_session(store: IdentityStore, person: PersonId, seats: Seats, now: datetime) -> str:
    """A new session of somebody who has just shown who they are: its token."""
    await store.sweep_sessions(now - IDLE - REMEMBERED, now - ABSOLUTE - REMEMBERED)
    token = secrets.token_urlsafe(32)
    session = Session(uuid4(), person, seats, begun_at=now, proved_at=now, seen_at=now)
    await store.begin_session(digest_token(token), session)
    return token


async def find_person(store: IdentityStore, token: str, now: datetime) -> Caller | None:
    """Whose session that is; None if there is none, or it is over."""
    digest = digest_token(token)
    session = await store.session(digest)
    if session is None or now - session.seen_at >= IDLE or now - session.begun_at >= ABSOLUTE:
        return None
    if now - session.seen_at >= _SEEN_EVERY:
        await store.see_session(digest, now)
    return Caller(
        person=session.person,
        service="",
        grants=session.seats,
        scopes=frozenset(ScopeName),
        session=str(session.id),
        proved_at=session.proved_at,
    )


async def find_former(store: IdentityStore, token: str, now: datetime) -> PersonId | None:
    """Whose session that is or was, within a day of its end: it gives nobody a right."""
    session = await store.session(digest_token(token))
    if session is None or now - max(session.seen_at, session.begun_at) >= IDLE + REMEMBERED:
        return None
    return session.person


async def renew_session(store: IdentityStore, token: str, now: datetime) -> str | None:
    """The token that takes its place, now that the person has shown anew who they are; None if there is no session."""
    fresh = secrets.token_urlsafe(32)
    return fresh if await store.rotate_session(digest_token(token), digest_token(fresh), now) else None


async def end_session(store: IdentityStore, token: str) -> bool:
    """End it; whether there was one."""
    return await store.end_session(digest_token(token))
