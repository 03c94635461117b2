"""問責案件: from referral by findings to a decision (HZ-10).

Discipline inspection reads all of it and writes nothing (P6): who refers, finds and decides is the bureau, and what
they decide may have a project settled again. Nobody is named: a case is about a project or an organisation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, assert_never, get_args

from pydantic import Field

from domain.kernel.acting import Acting, require_another_person
from domain.kernel.attachment import Evidence
from domain.kernel.bounds import Name
from domain.kernel.calendar import Calendar
from domain.kernel.decider import PROPOSALS, Aggregate, Decider
from domain.kernel.facts import Facts, Reads
from domain.kernel.identifier import Role, Text
from domain.kernel.message import Awaited, Command, Event, Occurrence, Order, Particulars
from domain.kernel.refusal import Checks
from domain.kernel.relation import BUREAU
from domain.kernel.state import NONE, SAME, Part, State, Transition
from domain.kernel.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class CaseStage(Words):
    """Where a case stands."""

    NONE = NONE, "未建檔", "not started"
    OPEN = "OPEN", "調查中", "under inquiry"
    DECIDED = "DECIDED", "已決定", "decided"


class CaseOutcome(Words):
    """What is decided."""

    NO_BREACH = "NO_BREACH", "未發現問題", "no breach found"
    ADMONISHED = "ADMONISHED", "約談警示", "admonished"
    REOPEN = "REOPEN", "重新核查項目", "the project is to be settled again"
    HANDED_ON = "HANDED_ON", "移送有權機關", "handed on to the competent authority"


class Referral(Particulars):
    """What is looked into, and why, with evidence (V1)."""

    project: Annotated[Name | None, Field(title="項目 / project")] = None
    """The project's file, e.g. ``AP-9``."""
    organisation: Annotated[Name | None, Field(title="組織 / organisation")] = None
    reason: Annotated[Text, Field(title="事由 / ground")]
    attachments: Evidence


class CaseOpened(Referral, Event):
    """It is looked into."""

    zh = "問責立案"
    moves = (
        Transition("AC01", (CaseStage.NONE,), CaseStage.OPEN, (Role.CAB_REG,), "project or organisation on record"),
    )


class OpenCase(Referral, Command):
    """Have it looked into."""

    records = CaseOpened
    acts_for = (BUREAU,)


class CaseFinding(Particulars):
    """What was found, with evidence."""

    finding: Annotated[Text, Field(title="查明情況 / finding")]
    attachments: Evidence


class CaseFindingRecorded(CaseFinding, Event):
    """Something was found."""

    zh = "問責查明登記"
    moves = (Transition("AC02", (CaseStage.OPEN,), SAME, (Role.CAB_REG, Role.CAB_FIN), "evidence attached"),)


class RecordCaseFinding(CaseFinding, Command):
    """Record what was found."""

    records = CaseFindingRecorded
    acts_for = (BUREAU,)


class CaseDecision(Particulars):
    """What is decided on what was found."""

    outcome: Annotated[CaseOutcome, Field(title="決定 / decision")]
    finding: Annotated[Text, Field(title="認定情況 / grounds of the decision")]
    attachments: Evidence


class CaseDecided(CaseDecision, Event):
    """The case is decided, for good."""

    zh = "問責決定"
    moves = (
        Transition(
            "AC03",
            (CaseStage.OPEN,),
            CaseStage.DECIDED,
            (Role.CAB_DEC,),
            "something was found; two persons, none of whom opened it or found it",
        ),
    )


class DecideCase(CaseDecision, Command):
    """Decide the case."""

    records = CaseDecided
    acts_for = (BUREAU,)
    persons_needed = 2
    confirmed_by = (Role.CAB_DEC,)


Commands = OpenCase | RecordCaseFinding | DecideCase
Events = CaseOpened | CaseFindingRecorded | CaseDecided


@dataclass(frozen=True)
class Case(Part):
    """What is looked into, and what came of it."""

    project: str = ""
    organisation: str = ""
    hands: tuple[Acting, ...] = ()
    """Who opened it and who found something."""
    findings: int = 0
    outcome: CaseOutcome | None = None


def reads(state: State, command: Commands) -> Reads:
    """The project and the organisation that the case is about."""
    if not isinstance(command, OpenCase):
        return Reads()
    streams = {state.stream.sibling("project", command.project)} if command.project else set()
    streams |= {state.stream.sibling("organisation", command.organisation)} if command.organisation else set()
    return Reads(streams=frozenset(streams))


def decide(state: State, facts: Facts, order: Order, command: Commands) -> list[Event]:
    """What an order about a case makes happen. Raises CommandRejected."""
    check, case_ = Checks(), state.part(Case)
    match command:
        case OpenCase(project=project, organisation=organisation):
            check(project or organisation, "AC01", "請指明項目或組織", "name a project or an organisation")
            for kind, name in (("project", project), ("organisation", organisation)):
                check(
                    name is None or facts.of(state.stream.sibling(kind, name)).version,
                    "AC01",
                    "{name} 尚未建檔",
                    "there is no {name} on record",
                    name=name,
                )
            return check.grant(CaseOpened.of(command))
        case RecordCaseFinding():
            return check.grant(CaseFindingRecorded.of(command))
        case DecideCase(outcome=outcome):
            check(case_.findings, "AC03", "尚未登記查明情況", "nothing was found yet")
            check(
                outcome is not CaseOutcome.REOPEN or case_.project,
                "AC03",
                "本案不涉項目，不能重新核查",
                "the case is about no project: there is nothing to settle again",
            )
            require_another_person(
                check,
                order.acting,
                "AC03",
                case_.hands,
                "{actor} 辦理過本案的立案或查明，須由他人決定",
                "{actor} opened the case or found something in it; somebody else decides",
                actor=order.actor,
            )
            return check.grant(CaseDecided.of(command))
        case _:
            assert_never(command)


def evolve(state: State, of: Occurrence, event: Events) -> State:
    """Keep what is looked into, and what came of it."""
    case_ = state.part(Case)
    match event:
        case CaseOpened():
            return state.with_parts(Case(event.project or "", event.organisation or "", (of.acting,)))
        case CaseFindingRecorded():
            return state.with_parts(replace(case_, hands=(*case_.hands, of.acting), findings=case_.findings + 1))
        case CaseDecided():
            return state.with_parts(replace(case_, outcome=event.outcome))
        case _:
            assert_never(event)


def awaiting(state: State, _calendar: Calendar) -> Iterable[Awaited]:
    """Findings, then a decision."""
    if state.stage != CaseStage.OPEN:
        return
    yield Awaited((Role.CAB_REG, Role.CAB_FIN), "RecordCaseFinding", "", "登記查明情況", "record what is found")
    if state.part(Case).findings:
        yield Awaited((Role.CAB_DEC,), "DecideCase", "", "作出問責決定", "decide the case")


def _summary(state: State) -> Mapping[str, object]:
    case_ = state.part(Case)
    return {"project": case_.project, "organisation": case_.organisation, "outcome": case_.outcome or ""}


DECIDER = Decider(
    name="accountability",
    zh="問責案件",
    commands=get_args(Commands),
    events=get_args(Events),
    decide=decide,
    evolve=evolve,
    reads=reads,
    awaiting=awaiting,
)

CASE = Aggregate(
    kind="case",
    zh="問責案件",
    en="accountability case",
    en_many="accountability cases",
    deciders=(DECIDER, PROPOSALS),
    final=frozenset({CaseStage.NONE, CaseStage.DECIDED}),
    summary=_summary,
)
