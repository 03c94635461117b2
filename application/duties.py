"""On which seats a person is at a moment, as the register has it: their own, and those that they stand in for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deciding.fold import load_state
from domain.registers.person import Person, person_stream

if TYPE_CHECKING:
    from datetime import datetime

    from domain.kernel.acting import Basis, PersonId
    from domain.kernel.identifier import Actor
    from store.port import EventStore


@dataclass(frozen=True)
class PresentDuty:
    """A seat that somebody is on."""

    seat: Actor
    basis: Basis | None
    """None on a seat of their own."""


async def list_duties(store: EventStore, realm: str, person: PersonId, now: datetime) -> tuple[PresentDuty, ...]:
    """The seats that the person is on at that moment: one small file is read, whatever the size of the house."""
    stream = person_stream(realm, person)
    record = (await load_state(store, stream)).part(Person)
    return tuple(PresentDuty(d.seat, d.tenure.basis) for d in record.duties if d.tenure.is_at(now))
