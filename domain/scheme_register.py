"""計劃與管理辦法: a programme, and every version of the rules that it has published, whole (HZ-1, HZ-8).

A published version never changes: rounds pin it by name and number.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, assert_never, get_args

from domain.kernel.identity import Role, Text
from domain.kernel.message import Command, Event, Occurrence, Order, Particulars
from domain.kernel.refusal import Checks
from domain.kernel.room import Aggregate, Room
from domain.kernel.scheme import Scheme
from domain.kernel.state import NONE, SAME, Part, SchemeRef, State, Transition

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.kernel.facts import Facts


class SchemeStage(StrEnum):
    """Whether there are rules to pin."""

    NONE = NONE
    ESTABLISHED = "ESTABLISHED"
    PUBLISHED = "PUBLISHED"

    @property
    def zh(self) -> str:
        """What the office calls this stage."""
        return {"NONE": "未建檔", "ESTABLISHED": "已設立", "PUBLISHED": "已發布"}[self]


class Programme(Particulars):
    """A series of rounds under one name (HZ-1, CZ-7)."""

    city: Text
    brand: Text
    """The name that the public knows it by, e.g. 幸福社區."""


class ProgrammeEstablished(Programme, Event):
    """The programme exists."""

    zh = "計劃設立"
    moves = (
        Transition("SC01", (SchemeStage.NONE,), SchemeStage.ESTABLISHED, (Role.CAB_DEC,), "not established before"),
    )


class EstablishProgramme(Programme, Command):
    """Establish the programme."""

    records = ProgrammeEstablished


class Pack(Particulars):
    """The rules of one version, whole."""

    scheme: Scheme
    """Validated; its name is the name of this stream."""


class PolicyPackPublished(Pack, Event):
    """A version of the rules is published and may be pinned from its effective day."""

    zh = "管理辦法發布"
    moves = (
        Transition(
            "SC02",
            (SchemeStage.NONE, SchemeStage.ESTABLISHED),
            SchemeStage.PUBLISHED,
            (Role.CAB_DEC,),
            "document valid; first version",
        ),
        Transition(
            "SC03",
            (SchemeStage.PUBLISHED,),
            SAME,
            (Role.CAB_DEC,),
            "document valid; a version not published before",
        ),
    )


class PublishPolicyPack(Pack, Command):
    """Publish a version of the rules."""

    records = PolicyPackPublished


Commands = EstablishProgramme | PublishPolicyPack
Events = ProgrammeEstablished | PolicyPackPublished


@dataclass(frozen=True)
class Register(Part):
    """The programme's name, and its rules by version."""

    city: str = ""
    brand: str = ""
    packs: Mapping[int, Scheme] = field(default_factory=dict)

    @property
    def newest(self) -> int:
        """The highest version; 0 if none is published."""
        return max(self.packs, default=0)


def scheme_of(register: State, ref: SchemeRef) -> Scheme | None:
    """That version of the rules, as published; None if it was not."""
    return register.part(Register).packs.get(ref.version) if register.stream.name == ref.name else None


def decide(state: State, _facts: Facts, _order: Order, command: Commands) -> list[Event]:
    """What an order about the programme makes happen. Raises CommandRejected."""
    check, register = Checks(), state.part(Register)
    match command:
        case EstablishProgramme():
            return check.grant(ProgrammeEstablished.of(command))
        case PublishPolicyPack(scheme=scheme):
            check(
                scheme.name == state.stream.name,
                "SC02",
                f"管理辦法名為 {scheme.name}，須登記於同名檔案，此檔為 {state.stream.name}",
                f"the rules are named {scheme.name}; publish them on the stream of that name, not {state.stream.name}",
            )
            check(
                scheme.version == register.newest + 1,
                "SC03",
                f"下一版本號須為 {register.newest + 1}，所交為 {scheme.version}；已發布的版本不得更改",
                f"the next version is {register.newest + 1}, not {scheme.version}; a published version never changes",
            )
            return check.grant(PolicyPackPublished.of(command))
        case _:
            assert_never(command)


def evolve(state: State, _of: Occurrence, event: Events) -> State:
    """What the room remembers after the event. The newest version is the one that the stream itself cites."""
    register = state.part(Register)
    match event:
        case ProgrammeEstablished():
            return state.having(replace(register, city=event.city, brand=event.brand))
        case PolicyPackPublished(scheme=scheme):
            packs = {**register.packs, scheme.version: scheme}
            return replace(state, scheme=scheme.ref).having(
                replace(register, city=register.city or scheme.city, packs=packs)
            )
        case _:
            assert_never(event)


ROOM = Room(
    name="scheme",
    zh="計劃與管理辦法",
    commands=get_args(Commands),
    events=get_args(Events),
    decide=decide,
    evolve=evolve,
)

SCHEME = Aggregate(
    kind="scheme",
    zh="計劃與管理辦法",
    rooms=(ROOM,),
    final=frozenset(SchemeStage),
    summary=lambda state: {"city": state.part(Register).city, "newest": state.part(Register).newest},
)
