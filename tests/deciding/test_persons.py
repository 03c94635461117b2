"""Persons on their way through the house: asked with, journalled, on every event, and read back."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from deciding.event_meta import EventMeta
from deciding.fold import read_occurrence
from deciding.signature import is_genuine
from domain.kernel.acting import Basis, PersonId
from domain.kernel.canonical import canonical
from domain.kernel.envelope import Envelope
from domain.kernel.identifier import Actor, StreamId
from domain.kernel.message import Order
from domain.registers.realm import SetClock
from store.port import Entry, EntryKind
from tests.keys import OTHER

AT = datetime(2026, 11, 2, 1, tzinfo=UTC)
STREAM = StreamId("realm/live/clock")
P1, P2 = PersonId("P-1"), PersonId("P-2")


def envelope(person: PersonId | None = None, session: str = "") -> Envelope:
    return Envelope(
        command_id=UUID("3f0c7a52-5d1e-4a6b-9c55-0e4f2f6f1a10"),
        subject=STREAM,
        actor=Actor("CAB-REG#1"),
        received_at=AT,
        command="SetClock",
        body={"clock": "WALL"},
        person=person,
        session=session,
    )


def test_the_same_id_asked_by_another_person_is_another_request() -> None:
    assert len({envelope().digest, envelope(P1).digest, envelope(P2).digest}) == 3
    assert envelope(P1).digest == envelope(P1, "s1").digest


def test_who_is_not_known_leaves_no_trace_in_the_bytes() -> None:
    assert envelope().model_dump(mode="json").keys().isdisjoint({"person", "session"})
    assert envelope().digest == "94c01f8a6a1f4269089c52655e190a36d8b4c13b185f41f722455ebfea0d8c85"


def test_the_door_signs_for_the_person_and_the_session() -> None:
    signed = envelope(P1, "s1").sign(OTHER)
    assert is_genuine(OTHER.public, signed.signature, signed.signed_bytes())
    for altered in ({"person": P2}, {"session": "s2"}, {"person": None}):
        assert not is_genuine(OTHER.public, signed.signature, signed.model_copy(update=altered).signed_bytes())


def test_an_event_keeps_everybody_who_counts_as_acting_and_why() -> None:
    order = Order(SetClock(clock="WALL"), Actor("CAB-REG#1"), AT, frozenset({P2, P1}), Basis.STAND_IN)
    meta = EventMeta.of(order).as_meta()
    assert meta == b'{"actor":"CAB-REG#1","basis":"STAND_IN","persons":["P-1","P-2"]}'
    event = canonical({"clock": "WALL"})
    entry = Entry(1, STREAM, 1, EntryKind.EVENT, "ClockSet", 1, UUID(int=0), AT, AT, meta, event, b"")
    occurrence = read_occurrence(entry)
    assert (occurrence.persons, occurrence.basis) == (frozenset({P1, P2}), Basis.STAND_IN)
    assert occurrence.acting.is_same_person(Order(order.command, Actor("CAB-FIN#1"), AT, frozenset({P1})).acting)
