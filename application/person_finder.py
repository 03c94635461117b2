"""Who asks, where the caller names a seat and no person: by whose word the door signs for one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol

from deciding.authority import find_seat
from deciding.fold import fold
from domain.kernel.clock import Clock
from domain.kernel.identifier import LIVE
from domain.kernel.message import Order
from domain.registers.seat import Seat

if TYPE_CHECKING:
    from domain.kernel.acting import PersonId
    from domain.kernel.identifier import Actor, StreamId
    from domain.kernel.message import Command
    from store.port import EventStore

FRESH_S: Final = 1.0
"""How long a seat that was read is taken as it was, in seconds: the decision reads it anew in any case."""


class PersonFinder(Protocol):
    """What tells a door who asks."""

    async def find_person(
        self, subject: StreamId, command: Command, actor: Actor, at: datetime | None
    ) -> PersonId | None:
        """The person who asks that on this seat; None where nobody is known. Raises StoreUnavailable."""


@dataclass
class SeatHolders:
    """On one machine, for one office that tries things: whoever names a seat is taken for whom it belongs to.

    In a paper realm this holds everywhere: the papers name the seat, and who took them in vouches for the person.
    """

    store: EventStore
    _known: dict[StreamId, tuple[float, Seat]] = field(default_factory=dict)

    async def find_person(
        self, subject: StreamId, command: Command, actor: Actor, at: datetime | None
    ) -> PersonId | None:
        """Whose seat it is at that time."""
        at = at or datetime.now(UTC)
        clock = Clock.WALL if subject.realm == LIVE else (await self.store.realm(subject.realm)).clock
        stream = find_seat(subject.realm, clock, Order(command, actor, at))
        return None if stream is None else (await self._read(stream)).holder_at(at)

    async def _read(self, stream: StreamId) -> Seat:
        now = datetime.now(UTC).timestamp()
        read_at, seat = self._known.get(stream, (0.0, Seat()))
        if not 0 <= now - read_at < FRESH_S:
            basis, _ = await self.store.consult(stream, None, {})  # many callers' seats come in one statement
            seat = fold(stream, basis.events).part(Seat)
            self._known[stream] = now, seat
        return seat


@dataclass
class OnePerson:
    """In production: whoever is logged in here, on whatever seat; in a paper realm whom its own register names."""

    person: PersonId | None
    papers: SeatHolders

    async def find_person(
        self, subject: StreamId, command: Command, actor: Actor, at: datetime | None
    ) -> PersonId | None:
        """That person, wherever the live registers judge."""
        realm = await self.papers.store.realm(subject.realm)
        stream = find_seat(subject.realm, realm.clock, Order(command, actor, at or datetime.now(UTC)))
        if stream is None or stream.realm == LIVE:
            return self.person
        return await self.papers.find_person(subject, command, actor, at)
