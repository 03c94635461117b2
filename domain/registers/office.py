"""開辦: once ever, with nobody before it, two persons become administrators; after that it always takes two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, assert_never

from pydantic import Field

from domain.kernel.acting import PersonId
from domain.kernel.decider import Aggregate, Decider
from domain.kernel.identifier import LIVE, Actor, Role, StreamId
from domain.kernel.message import Command, Event, Occurrence, Order, Particulars
from domain.kernel.refusal import Checks
from domain.kernel.relation import BUREAU
from domain.kernel.state import NONE, Part, State, Transition
from domain.kernel.words import Words
from domain.registers.person import RegisterFounder, person_stream
from domain.registers.seat import AppointFounder, seat_stream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.kernel.facts import Facts

OFFICE_NAME = "office"
"""The name of the one such stream."""
OFFICE = StreamId.of("office", LIVE, OFFICE_NAME)


class OfficeStage(Words):
    """Whether there are persons and seats at all."""

    NONE = NONE, "尚未建立", "not started"
    FOUNDED = "FOUNDED", "已開辦", "founded"


class Founding(Particulars):
    """Who the first administrators are."""

    administrators: Annotated[
        tuple[PersonId, ...], Field(min_length=2, max_length=5, title="系統管理員 / administrators")
    ]
    """Each gets a seat, ``ADMIN#1`` and on."""


class OfficeFounded(Founding, Event):
    """The office has its first administrators, and nobody else."""

    zh = "開辦"
    moves = (Transition("OF01", (OfficeStage.NONE,), OfficeStage.FOUNDED, (Role.ADMIN,), "once ever; two persons"),)


class FoundOffice(Founding, Command):
    """Found the office: the one act on the wall clock before which nobody is known."""

    records = OfficeFounded
    acts_for = (BUREAU,)


@dataclass(frozen=True)
class Office(Part):
    """The persons with whom the office was founded."""

    administrators: tuple[PersonId, ...] = ()


def decide(state: State, _facts: Facts, _order: Order, command: FoundOffice) -> list[Event]:
    """What an order about the office makes happen. Raises CommandRejected."""
    check = Checks()
    match command:
        case FoundOffice(administrators=administrators):
            check(
                state.stream == OFFICE,
                "OF01",
                "開辦只在卷宗 {office}",
                "the office is founded on the file {office} only",
                office=OFFICE,
            )
            check(
                len(set(administrators)) == len(administrators),
                "OF01",
                "首任系統管理員須為不同的人",
                "the first administrators are different persons",
            )
            return check.grant(OfficeFounded.of(command))
        case _:
            assert_never(command)


def evolve(state: State, _of: Occurrence, event: OfficeFounded) -> State:
    """Keep who founded the office."""
    match event:
        case OfficeFounded():
            return state.with_parts(Office(event.administrators))
        case _:
            assert_never(event)


def _list_consequences(stream: StreamId, event: Event) -> Iterable[tuple[StreamId, Command]]:
    """Persons, seats and who is on them, in the founding's own append."""
    if not isinstance(event, OfficeFounded):
        return
    for number, person in enumerate(event.administrators, 1):
        seat = Actor(f"{Role.ADMIN}#{number}")
        yield person_stream(stream.realm, person), RegisterFounder(seat=seat)
        yield seat_stream(stream.realm, seat), AppointFounder(person=person)


DECIDER = Decider(
    name="office",
    zh="開辦",
    commands=(FoundOffice,),
    events=(OfficeFounded,),
    decide=decide,
    evolve=evolve,
)

OFFICE_AGGREGATE = Aggregate(
    kind="office",
    zh="開辦",
    en="founding of the office",
    en_many="founding of the office",
    deciders=(DECIDER,),
    final=frozenset(OfficeStage),
    consequences=_list_consequences,
)
