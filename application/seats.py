"""Persons and seats as their registers have them, as of any day; and the founding of the office."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deciding.fold import fold, load_state
from domain.kernel.failure import Failure, FailureKind
from domain.kernel.identifier import Actor, StreamId
from domain.registers.person import Person, PersonStage
from domain.registers.seat import Seat, read_seat

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from domain.kernel.scope import ScopeKind
    from domain.kernel.state import State
    from domain.registers.person import Duty
    from domain.registers.tenure import Tenure
    from store.port import EventStore


class NotOnRegister(Failure):
    """The register has no such entry."""

    kind = FailureKind.NOT_FOUND

    def __init__(self, stream: StreamId) -> None:
        super().__init__(f"登記冊中沒有 {stream.name}", f"the register has no {stream.name}", stream=stream)


@dataclass(frozen=True)
class ListedSeat:
    """A seat with everybody who is on it on a day, or who ever was."""

    seat: Actor
    scope: ScopeKind
    names: tuple[str, ...]
    tenures: tuple[Tenure, ...]

    def as_json(self) -> dict[str, Any]:
        """As JSON: ``names`` is empty where the scope needs none, as that of a whole bureau."""
        return {
            "seat": self.seat,
            "scope": self.scope,
            "names": list(self.names),
            "tenures": [tenure_as_json(tenure) for tenure in self.tenures],
        }


@dataclass(frozen=True)
class ListedPerson:
    """A person with the seats that they are on on a day, or ever were."""

    person: str
    stage: PersonStage
    has_login: bool
    duties: tuple[Duty, ...]

    def as_json(self) -> dict[str, Any]:
        """As JSON: one entry for each tenure, its seat beside it."""
        return {
            "person": self.person,
            "stage": self.stage,
            "login": self.has_login,
            "seats": [{"seat": duty.seat, **tenure_as_json(duty.tenure)} for duty in self.duties],
        }


def tenure_as_json(tenure: Tenure) -> dict[str, Any]:
    """As JSON: instants in UTC by ISO 8601, ``ends`` null if open; ``basis`` and ``reason`` left out where empty."""
    return {
        "person": tenure.person,
        "begins": tenure.begins.isoformat(),
        "ends": tenure.ends.isoformat() if tenure.ends else None,
        **({"basis": tenure.basis} if tenure.basis else {}),
        **({"reason": tenure.reason} if tenure.reason else {}),
    }


async def list_seats(store: EventStore, realm: str, day: date | None = None) -> Sequence[ListedSeat]:
    """Every seat of that realm's register with who is on it that day; without a day, with everybody who ever was."""
    return [seat for state in await _read_all(store, "seat", realm) if (seat := _list_seat(state, day)) is not None]


async def list_persons(store: EventStore, realm: str, day: date | None = None) -> Sequence[ListedPerson]:
    """Every person of that realm's register, with their seats of that day, or with all that they ever had."""
    persons = [_list_person(state, day) for state in await _read_all(store, "person", realm)]
    return sorted(persons, key=lambda one: int(one.person.removeprefix("P-")))


async def read_seat_entry(store: EventStore, stream: StreamId) -> ListedSeat:
    """That seat with everybody who ever was on it. Raises NotOnRegister."""
    seat = _list_seat(await load_state(store, stream), None)
    if seat is None:
        raise NotOnRegister(stream)
    return seat


async def read_person_entry(store: EventStore, stream: StreamId) -> ListedPerson:
    """That person with all their seats. Raises NotOnRegister."""
    state = await load_state(store, stream)
    if state.stage == PersonStage.NONE:
        raise NotOnRegister(stream)
    return _list_person(state, None)


async def find_next_person(store: EventStore, realm: str) -> int:
    """The number after the highest that is taken."""
    numbers = [int(row.stream.name.removeprefix("P-")) async for row in store.standings(kind="person", realm=realm)]
    return max(numbers, default=0) + 1


async def _read_all(store: EventStore, kind: str, realm: str) -> Sequence[State]:
    streams = [row.stream async for row in store.standings(kind=kind, realm=realm)]
    entries = (await store.read_many(streams)).streams
    return [fold(stream, entries.get(stream, ())) for stream in streams]


def _list_seat(state: State, day: date | None) -> ListedSeat | None:
    seat, record = read_seat(state.stream.name), state.part(Seat)
    if seat is None or record.scope is None:
        return None
    tenures = record.tenures if day is None else record.on(day)
    return ListedSeat(seat, record.scope.kind, record.scope.names, tenures)


def _list_person(state: State, day: date | None) -> ListedPerson:
    person = state.part(Person)
    duties = tuple(duty for duty in person.duties if day is None or duty.tenure.is_on(day))
    return ListedPerson(state.stream.name, PersonStage(state.stage), person.login is not None, duties)
