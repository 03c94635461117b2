"""計劃活動: salons, trainings, exchanges and peer visits of a programme, outside any project (CZ-1, CZ-11).

Who took part is counted, never named. What such events add up to is never added to what projects do.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated, assert_never, get_args

from pydantic import Field

from domain.kernel.attachment import Attachments, Evidence
from domain.kernel.bounds import Date, Name
from domain.kernel.calendar import local_day
from domain.kernel.decider import Aggregate, Decider
from domain.kernel.facts import Facts, Reads
from domain.kernel.field_shape import Otherwise
from domain.kernel.identifier import Reason, Role, Text
from domain.kernel.message import Command, Event, Occurrence, Order, Particulars
from domain.kernel.refusal import Checks
from domain.kernel.relation import BUREAU, Relation
from domain.kernel.scope import ScopeKind
from domain.kernel.state import NONE, Part, State, Transition
from domain.kernel.words import Words
from domain.registers.organisation import OrganisationStage

if TYPE_CHECKING:
    from collections.abc import Mapping


class OccasionStage(Words):
    """Whether it counts."""

    NONE = NONE, "未建檔", "not started"
    HELD = "HELD", "已舉辦", "held"
    STRUCK = "STRUCK", "已刪去", "struck out"


class OccasionKind(Words):
    """What was held."""

    SALON = "SALON", "沙龍", "salon"
    TRAINING = "TRAINING", "培訓", "training"
    EXCHANGE = "EXCHANGE", "交流", "exchange"
    PEER_VISIT = "PEER_VISIT", "互訪", "peer visit"
    OTHER = "OTHER", "其他", "other"


BASE = Relation(
    "occasion.base",
    "舉辦地基地的運營方",
    "who operates the base at which it was held",
    ScopeKind.BASE,
    "AF04",
    lambda _state, _facts, command: frozenset({getattr(command, "base", None) or ""}) - {""},
)


class Report(Particulars):
    """What was held, by whom, for how many."""

    programme: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,31}$", title="計劃 / programme")]
    """The programme that it belongs to, by the name of its rules, e.g. ``changzhou``."""
    kind: Annotated[OccasionKind, Field(title="類別 / kind")]
    title: Annotated[Text, Field(title="名稱 / title")]
    person_times: Annotated[int, Field(ge=0, le=10_000_000, title="人次 / attendances")]
    """Attendances, 人次."""
    base: Annotated[Name | None, Field(title="基地 / base")] = None
    """Where it was held."""
    implementer: Annotated[Name | None, Field(title="承辦組織 / implementer")] = None
    """The organisation that carried it out, without any contract (CZ-11)."""
    guests: Annotated[tuple[Name, ...] | None, Field(max_length=200, title="參與組織 / organisations taking part")] = (
        None
    )
    """Organisations that took part; of a peer visit those that came."""
    attachments: Attachments = ()


class OccasionHeld(Report, Event):
    """It was held."""

    zh = "計劃活動登記"
    held_on: Annotated[Date, Field(title="活動日期 / held on")]
    moves = (
        Transition(
            "EV01",
            (OccasionStage.NONE,),
            OccasionStage.HELD,
            (Role.CAB_REG, Role.BASE_OP),
            "programme, base and implementer on record; its day has come",
        ),
    )


class RecordOccasion(Report, Command):
    """Record what was held."""

    records = OccasionHeld
    acts_for = (BUREAU, BASE)
    held_on: Annotated[Date | None, Otherwise("當日", "today"), Field(title="活動日期 / held on")] = None
    """The day of it; None for today."""


class Striking(Particulars):
    """Why it does not count, with evidence (V1)."""

    reason: Reason
    attachments: Evidence


class OccasionStruck(Striking, Event):
    """It counts no more."""

    zh = "計劃活動刪去"
    moves = (Transition("EV02", (OccasionStage.HELD,), OccasionStage.STRUCK, (Role.CAB_REG,), "recorded in error"),)


class StrikeOccasion(Striking, Command):
    """Take it out of what counts."""

    records = OccasionStruck
    acts_for = (BUREAU,)


Commands = RecordOccasion | StrikeOccasion
Events = OccasionHeld | OccasionStruck


@dataclass(frozen=True)
class Occasion(Part):
    """What was held."""

    programme: str = ""
    kind: OccasionKind | None = None
    title: str = ""
    held_on: date | None = None
    person_times: int = 0
    base: str = ""
    implementer: str = ""
    guests: tuple[str, ...] = ()


def reads(state: State, command: Commands) -> Reads:
    """The programme, the base, the organisations."""
    if not isinstance(command, RecordOccasion):
        return Reads()
    organisations = {*(command.guests or ()), *([command.implementer] if command.implementer else [])}
    streams = {state.stream.sibling("organisation", name) for name in organisations}
    streams.add(state.stream.sibling("scheme", command.programme))
    streams |= {state.stream.sibling("base", command.base)} if command.base else set()
    return Reads(streams=frozenset(streams))


def decide(state: State, facts: Facts, order: Order, command: Commands) -> list[Event]:
    """What an order about such an event makes happen. Raises CommandRejected."""
    check, today = Checks(), local_day(order.at)
    match command:
        case RecordOccasion(programme=programme, base=base):
            held_on = command.held_on or today
            check(
                held_on <= today,
                "EV01",
                "活動日 {held_on} 尚未到來",
                "{held_on} has not come yet",
                held_on=held_on,
            )
            check(
                facts.of(state.stream.sibling("scheme", programme)).version,
                "EV01",
                "計劃 {programme} 尚未設立",
                "there is no programme {programme}",
                programme=programme,
            )
            check(
                base is None or facts.of(state.stream.sibling("base", base)).version,
                "EV01",
                "基地 {base} 尚未認定",
                "the base {base} is not designated",
                base=base,
            )
            for name in (*(command.guests or ()), *([command.implementer] if command.implementer else [])):
                check(
                    facts.of(state.stream.sibling("organisation", name)).stage == OrganisationStage.VERIFIED,
                    "EV01",
                    "{name} 未經主體核驗",
                    "{name} has not been verified",
                    name=name,
                )
            return check.grant(OccasionHeld.of(command, held_on=held_on))
        case StrikeOccasion():
            return check.grant(OccasionStruck.of(command))
        case _:
            assert_never(command)


def evolve(state: State, _of: Occurrence, event: Events) -> State:
    """Keep what was held; to strike it changes the stage alone."""
    match event:
        case OccasionHeld():
            return state.with_parts(
                Occasion(
                    event.programme,
                    event.kind,
                    event.title,
                    event.held_on,
                    event.person_times,
                    event.base or "",
                    event.implementer or "",
                    event.guests or (),
                )
            )
        case OccasionStruck():
            return state
        case _:
            assert_never(event)


def _summary(state: State) -> Mapping[str, object]:
    occasion = state.part(Occasion)
    return {
        "programme": occasion.programme,
        "kind": occasion.kind or "",
        "title": occasion.title,
        "held_on": occasion.held_on.isoformat() if occasion.held_on else None,
        "person_times": occasion.person_times,
        "base": occasion.base,
        "implementer": occasion.implementer,
        "guests": list(occasion.guests),
    }


DECIDER = Decider(
    name="occasion",
    zh="計劃活動",
    commands=get_args(Commands),
    events=get_args(Events),
    decide=decide,
    evolve=evolve,
    reads=reads,
)

OCCASION = Aggregate(
    kind="occasion",
    zh="計劃活動",
    en="programme event",
    en_many="programme events",
    deciders=(DECIDER,),
    final=frozenset(OccasionStage),
    summary=_summary,
)
