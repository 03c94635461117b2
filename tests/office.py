"""An office for tests: founded, with a person of their own on every seat that somebody asks from.

Whoever acts on the wall clock needs it: there, unknown seats and persons are refused, in tests as everywhere.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid4
from weakref import WeakKeyDictionary

from activities.carry_out import CommandActivities
from application.door import Receipt, receipt
from deciding.authority import find_seat
from deciding.fold import load_state
from domain.kernel.acting import PersonId
from domain.kernel.canonical import plain
from domain.kernel.envelope import Answer, CarryOut, Ending, Envelope
from domain.kernel.identifier import LIVE, Actor, Role, StreamId
from domain.kernel.message import Order
from domain.kernel.proposal import ConfirmAct, Proposals, bind
from domain.kernel.relation import scope_kind
from domain.kernel.scope import Scope, ScopeKind
from domain.registers.door_key import EVERYONE, PublishDoorKey, key_stream
from domain.registers.office import OFFICE, FoundOffice
from domain.registers.person import RegisterPerson, person_stream
from domain.registers.seat import EstablishSeat, GrantSeat, Seat, seat_stream
from tests.keys import KEY, publish

if TYPE_CHECKING:
    from deciding.signature import DoorKey
    from domain.kernel.message import Command
    from domain.kernel.state import State
    from store.port import EventStore

ADMINISTRATORS = (PersonId("P-1"), PersonId("P-2"))
FIRST, SECOND = Actor("ADMIN#1"), Actor("ADMIN#2")
_ROLES = tuple(Role)
LONG_AGO = datetime(2020, 1, 2, tzinfo=UTC)
_OFFICES: WeakKeyDictionary[EventStore, Office] = WeakKeyDictionary()


def office_of(store: EventStore, key: DoorKey = KEY) -> Office:
    """The one office of that store."""
    office = _OFFICES.get(store)
    if office is None:
        office = _OFFICES[store] = Office(store, key)
    return office


def person_on(seat: Actor) -> PersonId:
    """Who is on that seat in a test's office: nobody is on two."""
    if seat.role is Role.ADMIN and seat.number <= len(ADMINISTRATORS):
        return ADMINISTRATORS[seat.number - 1]
    return PersonId(f"P-{(_ROLES.index(seat.role) + 1) * 10_000 + seat.number}")


def scope_of(seat: Actor) -> Scope:
    """For whom the seat acts in a test's office."""
    kind = scope_kind(seat.role)
    is_whole = kind in (ScopeKind.BUREAU, ScopeKind.ROSTER, ScopeKind.ANYBODY)
    return Scope(kind=kind, names=() if is_whole else (f"ORG-{seat.number}",))


@dataclass
class Office:
    """The live registers behind ``carry_out``: everything is asked on the wall clock, by a person on a seat."""

    store: EventStore
    key: DoorKey = KEY
    at: datetime | None = None
    """The wall clock; None for what it is."""
    _seats: set[Actor] = field(default_factory=set)
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self._commands = CommandActivities(self.store)

    async def answer(
        self,
        stream: StreamId,
        command: Command,
        seat: str,
        person: str | None = None,
        *,
        at: datetime | None = None,
        command_id: UUID | None = None,
    ) -> Answer:
        """The answer to one command, asked by that person; nobody is named if it is ''.

        An id that is given is taken for one that the engine derives (014).
        """
        await publish(self.store)
        actor, now = Actor(seat), at or self.at or datetime.now(UTC)
        who = person_on(actor) if person is None else (PersonId(person) if person else None)
        envelope = Envelope(
            command_id=command_id or uuid4(),
            derived=command_id is not None,
            subject=stream,
            actor=actor,
            received_at=now,
            command=command.command_type,
            body=plain(command),
            person=who,
        ).sign(self.key)
        result = await self._commands.carry_out(CarryOut(stream=stream, now=now, envelope=envelope))
        assert result.answer is not None
        return result.answer

    async def ask(
        self, stream: StreamId, command: Command, seat: str, person: str | None = None, *, at: datetime | None = None
    ) -> Receipt:
        """It must be accepted."""
        return receipt(UUID(int=0), await self.answer(stream, command, seat, person, at=at))

    async def refused(
        self, stream: StreamId, command: Command, seat: str, person: str | None = None, *, at: datetime | None = None
    ) -> set[str]:
        """The rules that refuse it."""
        answer = await self.answer(stream, command, seat, person, at=at)
        assert answer.ending is Ending.REFUSED, answer
        return {u.rule for u in answer.unmet}

    async def state(self, stream: StreamId) -> State:
        """How that stream stands."""
        return await load_state(self.store, stream)

    async def privileged(
        self,
        stream: StreamId,
        command: Command,
        first: str = FIRST,
        second: str = SECOND,
        *,
        by: str | None = None,
        confirmed_by: str | None = None,
        at: datetime | None = None,
    ) -> Receipt:
        """A privileged act by two persons: proposed by one, confirmed by the other."""
        await self.ask(stream, command, first, by, at=at)
        return await self.ask(stream, await self.confirmation(stream, command), second, confirmed_by, at=at)

    async def confirmation(self, stream: StreamId, command: Command) -> ConfirmAct:
        """The confirmation of the proposal that was made last."""
        number = len((await self.state(stream)).part(Proposals).of)
        return ConfirmAct(proposal=number, digest=bind(stream, number, command))

    async def found(self) -> None:
        """Found it, if it is not: long ago, so that whoever acts in a test's past has a seat."""
        if await self.store.standing(OFFICE) is None:
            await self.ask(OFFICE, FoundOffice(administrators=ADMINISTRATORS), FIRST, "", at=self.at or LONG_AGO)

    async def fill(self, *seats: str) -> None:
        """Make sure of those seats, each with a person of its own."""
        for seat in seats:
            await self.seat(seat)

    async def find_person(
        self, subject: StreamId, command: Command, actor: Actor, at: datetime | None
    ) -> PersonId | None:
        """Who asks on that seat, as a door wants to know it; the seat is set up if it is the first time."""
        realm = await self.store.realm(subject.realm)
        stream = find_seat(subject.realm, realm.clock, Order(command, actor, at or datetime.now(UTC)))
        if stream is None or stream.realm != LIVE:
            return None
        await self.seat(actor)
        return person_on(actor)

    async def seat(self, seat: str, person: str | None = None, *, scope: Scope | None = None) -> StreamId:
        """Make sure of a seat with a person on it."""
        async with self._one_at_a_time:
            return await self._seat(Actor(seat), person, scope)

    async def _seat(self, actor: Actor, person: str | None, scope: Scope | None) -> StreamId:
        stream, at = seat_stream(LIVE, actor), self.at or LONG_AGO
        if actor in self._seats or actor.role is Role.SYS:
            return stream
        await self.found()
        if actor in (FIRST, SECOND):
            return stream
        who = person_on(actor) if person is None else PersonId(person)
        if (await self.state(stream)).version == 0:
            await self.ask(stream, EstablishSeat(scope=scope or scope_of(actor)), FIRST, at=at)
        if (await self.state(person_stream(LIVE, who))).version == 0:
            await self.ask(person_stream(LIVE, who), RegisterPerson(), FIRST, at=at)
        if not (await self.state(stream)).part(Seat).tenures:
            await self.privileged(stream, GrantSeat(person=who), at=at)
        self._seats.add(actor)
        return stream


async def administer(store: EventStore, stream: StreamId, command: Command, *, key: DoorKey = KEY) -> Answer:
    """What comes of a command about keys that one administrator proposes now and the other confirms."""
    await publish(store)
    office = Office(store, key, at=(await store.consult(stream, None, {}))[0].read_at)
    await office.found()
    proposed = await office.answer(stream, command, FIRST)
    if proposed.ending is not Ending.ACCEPTED:
        return proposed
    return await office.answer(stream, await office.confirmation(stream, command), SECOND)


async def admit(store: EventStore, key: DoorKey, *speaks_for: str, **dates: datetime) -> StreamId:
    """Publish another door's key, for those seats; the stream of it."""
    stream = key_stream(key.id)
    command = PublishDoorKey(public=key.public, door="another", speaks_for=speaks_for or (EVERYONE,), **dates)
    answer = await administer(store, stream, command)
    assert answer.ending is Ending.ACCEPTED, answer
    return stream
