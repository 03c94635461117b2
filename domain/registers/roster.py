"""專家名冊: who may be drawn, who is suspended, and what ties whom to which organisation (F7).

An expert is a place by its number; who that is, the register of seats knows. Who comes in, stands aside and leaves is
decided by two persons.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Final, assert_never, get_args

from pydantic import Field

from domain.kernel.attachment import Evidence
from domain.kernel.bounds import Date
from domain.kernel.calendar import local_day
from domain.kernel.decider import PROPOSALS, Aggregate, Decider
from domain.kernel.facts import Facts, Reads
from domain.kernel.identifier import Reason, Role
from domain.kernel.message import Command, Event, Occurrence, Order, Particulars
from domain.kernel.refusal import Checks
from domain.kernel.relation import BUREAU
from domain.kernel.state import NONE, SAME, Part, State, Transition
from domain.kernel.words import Words
from domain.registers.reviewer import Conflict, ConflictKind, Seat, is_counted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet
    from datetime import date

MOST_EXPERTS: Final = 500
"""On one roster: whoever opens a draw looks at the seat of each."""

_CONFIRMERS: Final = (Role.CAB_REG, Role.CAB_DEC)

_Expert = Annotated[Seat, Field(title="專家 / expert")]


class RosterStage(Words):
    """Whether anybody can be drawn from it."""

    NONE = NONE, "未建檔", "not started"
    KEPT = "KEPT", "在用", "kept"


class RosterEntry(Particulars):
    """Who comes onto the roster, and on what grounds."""

    experts: Annotated[tuple[Seat, ...], Field(min_length=1, max_length=MOST_EXPERTS, title="專家 / experts")]
    reason: Reason


class ExpertsEntered(RosterEntry, Event):
    """They may be drawn from now on."""

    zh = "專家入冊"
    en = "experts entered on the roster"
    moves = (
        Transition(
            "ER01",
            (RosterStage.NONE, RosterStage.KEPT),
            RosterStage.KEPT,
            (Role.CAB_REG,),
            "each once, not on the roster yet; two persons",
        ),
    )


class EnterExperts(RosterEntry, Command):
    """Put experts on the roster."""

    records = ExpertsEntered
    acts_for = (BUREAU,)
    persons_needed = 2
    confirmed_by = _CONFIRMERS


class Suspension(Particulars):
    """Who stands aside, why, and until when."""

    expert: _Expert
    reason: Reason
    until: Annotated[Date | None, Field(title="截至 / until")] = None
    """The last day of it; None until reinstated."""
    attachments: Evidence


class ExpertSuspended(Suspension, Event):
    """Not to be drawn for the time being."""

    zh = "專家暫停"
    moves = (
        Transition("ER02", (RosterStage.KEPT,), SAME, (Role.CAB_REG,), "on the roster; evidence (V1); two persons"),
    )


class SuspendExpert(Suspension, Command):
    """Let an expert stand aside."""

    records = ExpertSuspended
    acts_for = (BUREAU,)
    persons_needed = 2
    confirmed_by = _CONFIRMERS
    subject_field = "expert"


class RosterChange(Particulars):
    """Whose place on the roster changes, and why."""

    expert: _Expert
    reason: Reason


class ExpertReinstated(RosterChange, Event):
    """May be drawn again."""

    zh = "專家恢復"
    moves = (Transition("ER03", (RosterStage.KEPT,), SAME, (Role.CAB_REG,), "suspended; two persons"),)


class ReinstateExpert(RosterChange, Command):
    """End a suspension."""

    records = ExpertReinstated
    acts_for = (BUREAU,)
    persons_needed = 2
    confirmed_by = _CONFIRMERS
    subject_field = "expert"


class ExpertRemoved(RosterChange, Event):
    """On the roster no more."""

    zh = "專家出冊"
    moves = (Transition("ER04", (RosterStage.KEPT,), SAME, (Role.CAB_REG,), "on the roster; two persons"),)


class RemoveExpert(RosterChange, Command):
    """Take an expert off the roster."""

    records = ExpertRemoved
    acts_for = (BUREAU,)
    persons_needed = 2
    confirmed_by = _CONFIRMERS
    subject_field = "expert"


class Tie(Conflict):
    """What ties which expert to whom; said again with its end, it replaces what was said before."""

    expert: _Expert


class ExpertTieRecorded(Tie, Event):
    """Registered: no draw takes the expert for a bid of that organisation while the tie counts (P1)."""

    zh = "專家關聯登記"
    moves = (Transition("ER05", (RosterStage.KEPT,), SAME, (Role.CAB_REG,), "on the roster; the organisation too"),)


class RecordExpertTie(Tie, Command):
    """Register what ties an expert to an organisation."""

    records = ExpertTieRecorded
    acts_for = (BUREAU,)
    subject_field = "expert"


Commands = EnterExperts | SuspendExpert | ReinstateExpert | RemoveExpert | RecordExpertTie
Events = ExpertsEntered | ExpertSuspended | ExpertReinstated | ExpertRemoved | ExpertTieRecorded


@dataclass(frozen=True)
class Roster(Part):
    """The experts on the roster, who of them stands aside, and their ties."""

    experts: frozenset[str] = frozenset()
    suspended: Mapping[str, date | None] = field(default_factory=dict)
    """Who stands aside, and the last day of it."""
    ties: Mapping[tuple[str, str, ConflictKind], Conflict] = field(default_factory=dict)
    """By expert, organisation and kind, what was said last."""

    def find_bar(self, expert: str, organisations: AbstractSet[str], months: int, today: date) -> str:
        """The rule that keeps the expert from being drawn for bids of these; empty where none does."""
        if expert not in self.experts or (
            expert in self.suspended and (self.suspended[expert] is None or today <= (self.suspended[expert] or today))
        ):
            return "ER02"
        tied = any(
            of == expert and organisation in organisations and is_counted(tie, months, today)
            for (of, organisation, _), tie in self.ties.items()
        )
        return "P1" if tied else ""


def reads(state: State, command: Commands) -> Reads:
    """The organisation of a tie."""
    if isinstance(command, RecordExpertTie):
        return Reads(streams=frozenset({state.stream.sibling("organisation", command.organisation)}))
    return Reads()


def decide(state: State, facts: Facts, order: Order, command: Commands) -> list[Event]:
    """What an order about the roster makes happen. Raises CommandRejected."""
    check, roster = Checks(), state.part(Roster)
    match command:
        case EnterExperts(experts=experts):
            twice = sorted({one for one in experts if experts.count(one) > 1 or one in roster.experts})
            check(
                not twice,
                "ER01",
                "{twice} 已在名冊，一人一席",
                "{twice} are on the roster already; one expert has one place",
                twice=twice,
            )
            count = len(roster.experts | {*experts})
            check(
                count <= MOST_EXPERTS,
                "ER01",
                "名冊最多 {most} 人，入冊後為 {count} 人",
                "a roster has {most} experts at most; there would be {count}",
                most=MOST_EXPERTS,
                count=count,
            )
            return check.grant(ExpertsEntered.of(command))
        case SuspendExpert(until=until):
            _require_entered(check, roster, command.expert)
            check(
                until is None or until >= local_day(order.at),
                "ER02",
                "暫停截至 {until}，已過",
                "a suspension until {until} is over already",
                until=until,
            )
            return check.grant(ExpertSuspended.of(command))
        case ReinstateExpert(expert=expert):
            check(
                expert in roster.suspended,
                "ER03",
                "{expert} 未暫停",
                "{expert} is not suspended",
                expert=expert,
            )
            return check.grant(ExpertReinstated.of(command))
        case RemoveExpert(expert=expert):
            _require_entered(check, roster, expert)
            return check.grant(ExpertRemoved.of(command))
        case RecordExpertTie(expert=expert, organisation=organisation):
            _require_entered(check, roster, expert)
            check(
                facts.of(state.stream.sibling("organisation", organisation)).version,
                "ER05",
                "{organisation} 尚未建檔",
                "there is no {organisation} on record",
                organisation=organisation,
            )
            return check.grant(ExpertTieRecorded.of(command))
        case _:
            assert_never(command)


def _require_entered(check: Checks, roster: Roster, expert: str) -> None:
    check(
        expert in roster.experts,
        "ER01",
        "{expert} 不在名冊",
        "{expert} is not on the roster",
        expert=expert,
    )


def evolve(state: State, _of: Occurrence, event: Events) -> State:
    """Keep who is on the roster, who of them stands aside, and their ties."""
    roster = state.part(Roster)
    match event:
        case ExpertsEntered(experts=experts):
            return state.with_parts(replace(roster, experts=roster.experts | {*experts}))
        case ExpertSuspended(expert=expert, until=until):
            return state.with_parts(replace(roster, suspended={**roster.suspended, expert: until}))
        case ExpertReinstated(expert=expert):
            return state.with_parts(replace(roster, suspended=_without(roster.suspended, expert)))
        case ExpertRemoved(expert=expert):
            left = replace(roster, experts=roster.experts - {expert}, suspended=_without(roster.suspended, expert))
            return state.with_parts(left)
        case ExpertTieRecorded():
            key = (event.expert, event.organisation, event.kind)
            return state.with_parts(replace(roster, ties={**roster.ties, key: event}))
        case _:
            assert_never(event)


def _without(suspended: Mapping[str, date | None], expert: str) -> Mapping[str, date | None]:
    return {one: until for one, until in suspended.items() if one != expert}


def _summary(state: State) -> Mapping[str, object]:
    roster = state.part(Roster)
    return {"experts": len(roster.experts), "suspended": len(roster.suspended)}


DECIDER = Decider(
    name="roster",
    zh="專家名冊",
    commands=get_args(Commands),
    events=get_args(Events),
    decide=decide,
    evolve=evolve,
    reads=reads,
)

ROSTER = Aggregate(
    kind="roster",
    zh="專家名冊",
    en="roster of reviewers",
    en_many="rosters of reviewers",
    deciders=(DECIDER, PROPOSALS),
    final=frozenset(RosterStage),
    summary=_summary,
)
