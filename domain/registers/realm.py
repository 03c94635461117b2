"""環境: what moves time for all streams of one realm (decision 007). From manual to the wall clock, never back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, assert_never

from pydantic import Field

from domain.kernel.clock import Clock
from domain.kernel.decider import PROPOSALS, Aggregate, Decider
from domain.kernel.identifier import LIVE, Actor, Role, StreamId
from domain.kernel.message import Command, Event, Occurrence, Order, Particulars
from domain.kernel.refusal import Checks
from domain.kernel.relation import BUREAU, ENGINE, Relation
from domain.kernel.scope import ScopeKind
from domain.kernel.state import NONE, Part, State, Transition
from domain.kernel.words import Words

if TYPE_CHECKING:
    from domain.kernel.facts import Facts

REALM_NAME = "clock"
"""The name of the one such stream of a realm."""


def clock_stream(realm: str) -> StreamId:
    """Where a realm's clock is set, and its turn to the wall clock proposed and confirmed."""
    return StreamId.of("realm", realm, REALM_NAME)


OFFICERS = (Role.CAB_REG, Role.CAB_DEC)
"""Who may take a realm to the wall clock, two of them together."""


PAPERS = Relation(
    "realm.papers",
    "接收紙本、以手動時鐘補錄的承辦單位",
    "a managing agency that takes papers in, on a manual clock",
    ScopeKind.PARTY,
    "AF05",
    roles=frozenset({Role.HOST}),
)


class RealmStage(Words):
    """Which clock holds; the same words as the clocks'."""

    NONE = NONE, "尚未建立", "not started"
    MANUAL = "MANUAL", "手動時鐘", "manual clock"
    WALL = "WALL", "實時鐘", "wall clock"


class Setting(Particulars):
    """Which clock is to hold."""

    clock: Annotated[Clock, Field(title="時鐘 / clock")]
    second: Annotated[Actor | None, Field(title="共同辦理人 / second person")] = None
    """Of before persons were known: the second seat that going live took. Where they are known, they confirm."""


class ClockSet(Setting, Event):
    """The realm lives on that clock from now on."""

    zh = "時鐘設置"
    en = "clock set"
    moves = (
        Transition(
            "CK01",
            (RealmStage.NONE,),
            RealmStage.MANUAL,
            (Role.CAB_REG, Role.CAB_DEC, Role.HOST, Role.SYS),
            "a new environment",
            when=lambda e: isinstance(e, ClockSet) and e.clock is Clock.MANUAL,
        ),
        Transition(
            "CK02",
            (RealmStage.NONE, RealmStage.MANUAL),
            RealmStage.WALL,
            OFFICERS,
            "one way, by two persons, with no deadline in the past",
            when=lambda e: isinstance(e, ClockSet) and e.clock is Clock.WALL,
        ),
    )


class SetClock(Setting, Command):
    """Set the realm's clock."""

    records = ClockSet
    acts_for = (BUREAU, PAPERS, ENGINE)
    persons_needed = 2
    confirmed_by = OFFICERS

    def is_for_two(self) -> bool:
        """Going live does; a new paper realm is nobody's risk."""
        return self.clock is Clock.WALL

    def is_judged_live(self) -> bool:
        """What is to live is taken over by persons whom the live registers know."""
        return self.clock is Clock.WALL


@dataclass(frozen=True)
class Realm(Part):
    """The realm's clock; None before it was set."""

    clock: Clock | None = None


def decide(state: State, _facts: Facts, order: Order, command: SetClock) -> list[Event]:
    """What an order about the clock makes happen. Raises CommandRejected.

    That no deadline lies in the past is known to the agenda alone: ``carry_out`` asks it, and the append asks again.
    """
    check, now = Checks(), state.part(Realm).clock
    match command:
        case SetClock(clock=clock, second=second):
            check(
                clock is not now,
                "CK02",
                "目前已是{clock}",
                "it is the {clock} already",
                clock=clock,
            )
            check(
                clock is Clock.WALL or state.stream.realm != LIVE,
                "CK01",
                "正式環境只能用實時時鐘",
                "the live environment runs in real time only",
                live=LIVE,
            )
            if clock is Clock.WALL:
                check(
                    order.actor.role in OFFICERS,
                    "CK02",
                    "轉為實時由社會組織科經辦人或局領導辦理",
                    "going live is for a case officer or the bureau leadership",
                )
            if clock is Clock.WALL and not order.persons:  # as it was judged before persons were known
                check(
                    second is not None and second.role in OFFICERS,
                    "CK02",
                    "轉為實時須由兩人辦理：請填第二人，須為社會組織科經辦人或局領導",
                    "going live takes two persons: name the second, a case officer or the bureau leadership",
                )
                check(
                    second != order.actor,
                    "CK02",
                    "第二人不得與申請人 {actor} 相同",
                    "the second person must be another than {actor}",
                    actor=order.actor,
                )
            return check.grant(ClockSet.of(command))
        case _:
            assert_never(command)


def evolve(state: State, _of: Occurrence, event: ClockSet) -> State:
    """Keep the clock on which the realm lives."""
    match event:
        case ClockSet():
            return state.with_parts(Realm(event.clock))
        case _:
            assert_never(event)


DECIDER = Decider(
    name="clock",
    zh="環境",
    commands=(SetClock,),
    events=(ClockSet,),
    decide=decide,
    evolve=evolve,
)

REALM = Aggregate(
    kind="realm",
    zh="環境",
    en="environment",
    en_many="environments",
    deciders=(DECIDER, PROPOSALS),
    final=frozenset(RealmStage),
)
