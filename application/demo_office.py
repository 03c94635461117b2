"""A small office for one machine: founded at the first start, with a person of their own on every seat of the guides.

What it asks it asks as those persons, two of them wherever it takes two; asked again, nothing is done twice.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from domain.kernel.acting import PersonId
from domain.kernel.identifier import LIVE, Actor, Role, derive_id
from domain.kernel.proposal import ConfirmAct, bind
from domain.kernel.relation import scope_kind
from domain.kernel.scope import Scope, ScopeKind
from domain.registers.office import OFFICE, FoundOffice
from domain.registers.person import RegisterPerson, person_stream
from domain.registers.seat import EstablishSeat, GrantSeat, seat_stream

if TYPE_CHECKING:
    from collections.abc import Mapping

    from application.door import Door
    from domain.kernel.identifier import StreamId
    from domain.kernel.message import Command
    from store.port import EventStore

ADMINISTRATORS: Final = (PersonId("P-1"), PersonId("P-2"))
_FIRST, _SECOND = Actor("ADMIN#1"), Actor("ADMIN#2")

_NUMBERS: Final[Mapping[Role, int]] = {Role.CAB_REG: 2, Role.CAB_FIN: 2, Role.EXPERT: 5, Role.SO_LEGAL: 2}
"""Roles of which the guides use more than one seat."""
_NAMES: Final[Mapping[ScopeKind, str]] = {
    ScopeKind.DISTRICT: "DISTRICT",
    ScopeKind.ORGANISATION: "ORG",
    ScopeKind.BASE: "BASE",
    ScopeKind.COMMUNITY: "COMM",
}
"""For whom a demo seat acts: of that kind, the first ones of each number. A party is named after its role, HOST-1."""

SEATS: Final = tuple(
    Actor(f"{role}#{number}")
    for role in Role
    if role not in (Role.SYS, Role.ADMIN)
    for number in range(1, _NUMBERS.get(role, 1) + 1)
)
"""Every seat of the demo office besides its administrators'."""


def demo_person(seat: Actor) -> PersonId:
    """Who is on that seat: nobody is on two."""
    if seat.role is Role.ADMIN:
        return ADMINISTRATORS[seat.number - 1]
    return PersonId(f"P-{len(ADMINISTRATORS) + SEATS.index(seat) + 1}")


def demo_scope(seat: Actor) -> Scope:
    """For whom that seat acts in the demonstration."""
    kind = scope_kind(seat.role)
    name = seat.role if kind is ScopeKind.PARTY else _NAMES.get(kind)
    return Scope(kind=kind, names=tuple(f"{name}-{number}" for number in range(1, 11)) if name else ())


async def open_demo_office(store: EventStore, door: Door) -> int:
    """Found the office and fill its seats, as far as that is not done yet; how many were filled. Raises NotKnown."""
    seats = {row.stream: row async for row in store.standings(kind="seat", realm=LIVE)}
    filled = [seat for seat in SEATS if (row := seats.get(seat_stream(LIVE, seat))) and row.version >= _FILLED]
    missing = [seat for seat in SEATS if seat not in filled]
    if not missing:
        return 0
    if await store.standing(OFFICE) is None:
        await _ask(door, OFFICE, FoundOffice(administrators=ADMINISTRATORS), _FIRST, None)
    await asyncio.gather(*(_fill(door, seat) for seat in missing))
    return len(missing)


_FILLED: Final = 4
"""The version of a seat that was established, proposed for somebody, confirmed and granted."""


async def _fill(door: Door, seat: Actor) -> None:
    person, stream = demo_person(seat), seat_stream(LIVE, seat)
    grant = GrantSeat(person=person)
    await _ask(door, person_stream(LIVE, person), RegisterPerson(), _FIRST, ADMINISTRATORS[0])
    await _ask(door, stream, EstablishSeat(scope=demo_scope(seat)), _FIRST, ADMINISTRATORS[0])
    await _ask(door, stream, grant, _FIRST, ADMINISTRATORS[0])
    await _ask(door, stream, ConfirmAct(proposal=1, digest=bind(stream, 1, grant)), _SECOND, ADMINISTRATORS[1])


async def _ask(door: Door, stream: StreamId, command: Command, seat: Actor, person: PersonId | None) -> None:
    command_id = derive_id("demo office", stream, command.command_type)
    await door.send(stream, command, seat, command_id=command_id, derived=True, person=person)
