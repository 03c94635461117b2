"""A stream that only benches know: five stages with a deadline each, ten commands, twenty-five events of some 95 bytes.

``install`` makes it known before anything else looks at the catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, assert_never

import domain.catalogue
from domain.kernel.calendar import day_ends, local_day
from domain.kernel.decider import Aggregate, Decider
from domain.kernel.identifier import Role
from domain.kernel.message import Awaited, Command, Due, Event, Occurrence, Order, Particulars
from domain.kernel.relation import ANYBODY, ENGINE
from domain.kernel.state import NONE, Part, State, Transition

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.kernel.calendar import Calendar
    from domain.kernel.facts import Facts

KIND = "bench"
STAGES = (NONE, "FIRST", "SECOND", "THIRD", "FOURTH", "FIFTH")
WORKING_DAYS = 20
EVENTS = 25
"""After so many nobody is awaited any more, and the workflow ends."""
TEXT = "公益創投項目進展記錄，第三方評估機構按月走訪。"


class Note(Particulars):
    """A text and a sum."""

    text: str
    fen: int


class Noted(Note, Event):
    """Something was noted."""

    zh = "記錄"


class Advanced(Note, Event):
    """The next stage began."""

    zh = "進入下一階段"
    moves = tuple(Transition(f"B{n}", (a,), b, (Role.HOST,), "") for n, (a, b) in enumerate(pairwise(STAGES)))


class TakeNote(Note, Command):
    """Note two things."""

    records = Noted
    by = (Role.HOST,)
    acts_for = (ANYBODY,)
    during = STAGES
    rule = "B"


class Advance(Note, Command):
    """Note two things and go on to the next stage."""

    records = Advanced
    acts_for = (ANYBODY,)


class Overlook(Note, Command):
    """What its deadline would bring about; no bench waits for it."""

    records = Noted
    by = (Role.SYS,)
    acts_for = (ENGINE,)
    during = STAGES
    rule = "B"


@dataclass(frozen=True)
class Notes(Part):
    """How many there are, and their sum in fen."""

    number: int = 0
    fen: int = 0


def decide(_state: State, _facts: Facts, _order: Order, command: TakeNote | Advance | Overlook) -> list[Event]:
    """Everything is granted."""
    two = [Noted.of(command).revalidate() for _ in range(2)]
    match command:
        case TakeNote():
            return [*two]
        case Advance():
            return [*two, Advanced.of(command).revalidate()]
        case Overlook():
            return [*two]
        case _:
            assert_never(command)


def evolve(state: State, _of: Occurrence, event: Noted | Advanced) -> State:
    """Count and add up."""
    notes = state.part(Notes)
    return state.with_parts(replace(notes, number=notes.number + 1, fen=notes.fen + event.fen))


def due(state: State, calendar: Calendar) -> Iterable[Due]:
    """Twenty working days after the stage began."""
    if state.since is not None and state.part(Notes).number < EVENTS:
        yield Due(day_ends(calendar.after(local_day(state.since), WORKING_DAYS)), Overlook(text=TEXT, fen=0))


def awaiting(state: State, _calendar: Calendar) -> Iterable[Awaited]:
    """The host, until the end."""
    if state.part(Notes).number < EVENTS:
        yield Awaited((Role.HOST,), "Advance", "", "等候承辦單位", "the host is awaited")


DECIDER: Decider[TakeNote | Advance | Overlook, Noted | Advanced] = Decider(
    name="notes",
    zh="記錄",
    commands=(TakeNote, Advance, Overlook),
    events=(Noted, Advanced),
    decide=decide,
    evolve=evolve,
    due=due,
    awaiting=awaiting,
)
NOTES = Aggregate(kind=KIND, zh="記錄", en="note", en_many="notes", deciders=(DECIDER,))


def install() -> None:
    """Make the kind known. Call it before a module that keeps the catalogue is imported."""
    domain.catalogue.AGGREGATES = MappingProxyType({**domain.catalogue.AGGREGATES, KIND: NOTES})


def commands() -> list[Command]:
    """The ten commands of one life: every second one begins the next stage."""
    return [(TakeNote if n % 2 else Advance)(text=TEXT, fen=100 * n) for n in range(10)]
