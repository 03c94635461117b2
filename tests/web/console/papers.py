"""A house without servers: a log in memory with a story played into it, and an office on its wall clock."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID, uuid4

import httpx

import bootstrap
from application.growth import Growth
from application.operations import Operations
from application.pages import wait_for_view
from application.sessions import begin_session
from domain.kernel.acting import PersonId
from domain.kernel.identifier import Actor
from runtime.documents import open_documents
from store.identity import Draft, IdentityStore, Operation, SeatGrant, Session
from store.memory import MemoryStore
from tests.paper import CUT, open_paper_door, play_story, story, told_story
from web.app import build
from web.house import House
from web.language import Language
from web.limits import Allowance

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from starlette.types import ASGIApp

    from application.callbacks import Senders
    from application.door import Door
    from application.webhooks import Webhooks
    from domain.kernel.scope import Scope
    from scenarios.plan import Plan
    from store.port import EventStore

SITE = "http://console.test"
_PLENTY = 100_000


@dataclass
class Sessions:
    """Who has come in, and what they typed, as far as pages ask."""

    of: dict[bytes, Session] = field(default_factory=dict)
    kept: dict[UUID, Draft] = field(default_factory=dict)
    asked: dict[UUID, Operation] = field(default_factory=dict)

    async def begin_session(self, token: bytes, session: Session) -> None:
        self.of[token] = session

    async def session(self, token: bytes) -> Session | None:
        return self.of.get(token)

    async def see_session(self, token: bytes, at: datetime) -> None:
        self.of[token] = replace(self.of[token], seen_at=at)

    async def put_draft(self, draft: Draft) -> bool:
        self.kept[draft.id] = draft
        return True

    async def draft(self, draft_id: UUID, person: PersonId, now: datetime) -> Draft | None:
        kept = self.kept.get(draft_id)
        return kept if kept is not None and kept.person == person and kept.expires_at > now else None

    async def drafts(self, person: PersonId, now: datetime, limit: int) -> list[Draft]:
        return [kept for kept in self.kept.values() if kept.person == person and kept.expires_at > now][:limit]

    async def drop_draft(self, draft_id: UUID, person: PersonId) -> bool:
        return await self.draft(draft_id, person, datetime.now(UTC)) is not None and bool(self.kept.pop(draft_id))

    async def add_operation(self, operation: Operation) -> bool:
        return self.asked.setdefault(operation.id, operation) is operation

    async def operation(self, operation_id: UUID) -> Operation | None:
        return self.asked.get(operation_id)

    async def sweep_drafts(self, now: datetime) -> None:
        """They go when they are looked for."""

    async def sweep_held(self, person: PersonId, most: int) -> None:
        """Nobody here has so many."""

    async def sweep_sessions(self, unseen_since: datetime, begun_before: datetime) -> None:
        """Nobody is forgotten."""


@dataclass(frozen=True)
class PaperHouse:
    """A house of papers, and the people who come to it."""

    house: House
    realm: str
    app: ASGIApp

    @asynccontextmanager
    async def person(
        self, *seats: str, scope: Scope | None = None, lang: str = "zh-TW", person: str = "P-1"
    ) -> AsyncIterator[httpx.AsyncClient]:
        """Somebody who has come in, on those seats."""
        grants = tuple(SeatGrant(seat=Actor(seat), scope=scope) for seat in seats)
        token = await begin_session(self.house.identity, PersonId(person), grants, datetime.now(UTC))
        headers = {"Accept": "text/html", "Accept-Language": lang}
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url=SITE, headers=headers) as client:
            client.cookies.set("venture", token)
            yield client


async def open_paper_house(
    home: Path, until: datetime = CUT, name: str = "s2-fuzhou", tell: Callable[[Plan], Plan] | None = None
) -> PaperHouse:
    """A story up to then, or what ``tell`` makes of it; S2 itself until its first payment and the project's start."""
    if tell is None:
        store, realm = await told_story(until, name), story(until, name=name).realm
    else:
        store = MemoryStore()
        realm = (await play_story(store, until, name, tell)).plan.realm
    await wait_for_view(store, "projects", await store.last_position(), patience_s=30)
    house = build_house(home, store, open_paper_door(store))
    return PaperHouse(house, realm, build(house))


def build_house(home: Path, store: EventStore, door: Door) -> House:
    """A house over that log and behind that door, whose sessions and drafts are in memory."""
    identity = cast("IdentityStore", Sessions())
    allowance: Any = Allowance(_PLENTY, _PLENTY)
    return House(
        store=store,
        door=door,
        identity=identity,
        growth=Growth(store),
        documents=open_documents(bootstrap.settings(home=home), store),
        webhooks=cast("Webhooks", None),
        senders=cast("Senders", None),
        operations=Operations(store, identity, door),
        language=Language.HANT,
        allowance=allowance,
        tries=allowance,
    )


def fresh_id() -> str:
    """An id for a form."""
    return str(uuid4())
