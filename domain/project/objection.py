"""異議: somebody objects to a posted award; the clock stops while it is investigated (T03–T06; P5, D2)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, assert_never, get_args

from pydantic import Field

from domain.application import Application
from domain.kernel import approval
from domain.kernel.approval import Verdict
from domain.kernel.attachment import Attachments, Evidence
from domain.kernel.bounds import Name
from domain.kernel.calendar import Calendar, day_ends, local_day
from domain.kernel.decider import Decider
from domain.kernel.facts import Facts, Reads
from domain.kernel.identifier import Role, Text
from domain.kernel.message import Awaited, Command, Due, Event, Occurrence, Order, Particulars
from domain.kernel.phrase import word
from domain.kernel.refusal import Checks
from domain.kernel.relation import ANYBODY, BUREAU, ENGINE
from domain.kernel.state import State, Transition
from domain.kernel.words import Words
from domain.project.award import Award, FundsFreed, read_panel, require_line, require_uninvolved
from domain.project.bidding import give_places_back, list_answers
from domain.project.publicity import Objection, ObjectionStatus, Publicity
from domain.project.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime


class ObjectionRemedy(Words):
    """What an upheld objection leads to."""

    DISQUALIFY = "DISQUALIFY", "取消資格", "disqualify"
    RESCORE = "RESCORE", "重新評審", "score again"


class ObjectionNumber(Particulars):
    """Which objection; numbered by who lodges it."""

    objection: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,32}$", title="異議 / objection")] = "1"


# ---------------------------------------------------------------- 提出與受理


class Complaint(ObjectionNumber):
    """What is objected to."""

    ground: Annotated[Text, Field(title="事由 / ground")]
    attachments: Attachments = ()


class ObjectionLodged(Complaint, Event):
    """Somebody objects to the proposed award."""

    zh = "異議提出"


class LodgeObjection(Complaint, Command):
    """Object to the proposed award."""

    records = ObjectionLodged
    by = (Role.PUBLIC, Role.SO_LEGAL)
    acts_for = (ANYBODY,)
    during = (Stage.IN_PUBLICITY, Stage.OBJECTION_HOLD)
    rule = "T03"


class ObjectionAccepted(ObjectionNumber, Event):
    """The objection is investigated; the publicity clock stops."""

    zh = "異議受理"
    late_to: Annotated[Role | None, Field(title="逾期報送 / told of if late")] = None
    """Who is told if it is not decided in time; None where nobody is."""
    moves = (
        Transition(
            "T03",
            (Stage.IN_PUBLICITY, Stage.OBJECTION_HOLD),
            Stage.OBJECTION_HOLD,
            (Role.CAB_REG,),
            "lodged inside window",
        ),
    )


class AcceptObjection(ObjectionNumber, Command):
    """Take the objection up."""

    records = ObjectionAccepted
    acts_for = (BUREAU,)


# ---------------------------------------------------------------- 決定


class InvestigationFinding(ObjectionNumber):
    """What the investigation found."""

    finding: Annotated[Text, Field(title="查明情況 / finding")]


class ObjectionDismissed(InvestigationFinding, Event):
    """The objection does not hold; the clock runs on from the next day."""

    zh = "異議不成立"
    still_open: Annotated[int, Field(title="未決異議 / objections still open")]
    """Accepted objections that remain."""
    moves = (
        Transition(
            "T04",
            (Stage.OBJECTION_HOLD,),
            Stage.IN_PUBLICITY,
            (Role.CAB_DEC,),
            "last open objection; clock resumes",
            when=lambda e: isinstance(e, ObjectionDismissed) and e.still_open == 0,
        ),
    )


class DismissObjection(InvestigationFinding, Command):
    """Dismiss the objection: after investigation, or at once as inadmissible, which stops no clock."""

    records = ObjectionDismissed
    acts_for = (BUREAU,)
    during = (Stage.IN_PUBLICITY, Stage.OBJECTION_HOLD)


class UpheldObjection(InvestigationFinding):
    """An upheld objection with its consequence and its evidence (V1)."""

    remedy: Annotated[ObjectionRemedy, Field(title="處理 / remedy")]
    attachments: Evidence


class ObjectionUpheld(UpheldObjection, FundsFreed, Event):
    """The objection holds: out, or scored again with a new publicity."""

    zh = "異議成立"
    moves = (
        Transition(
            "T05",
            (Stage.OBJECTION_HOLD,),
            Stage.REVOKED,
            (Role.CAB_DEC,),
            "remedy = DISQUALIFY",
            when=lambda e: isinstance(e, ObjectionUpheld) and e.remedy is ObjectionRemedy.DISQUALIFY,
        ),
        Transition(
            "T06",
            (Stage.OBJECTION_HOLD,),
            Stage.PROPOSED,
            (Role.CAB_DEC,),
            "remedy = RESCORE; new publicity required",
            when=lambda e: isinstance(e, ObjectionUpheld) and e.remedy is ObjectionRemedy.RESCORE,
        ),
    )


class UpholdObjection(UpheldObjection, Command):
    """Uphold the objection."""

    records = ObjectionUpheld
    acts_for = (BUREAU,)


# ---------------------------------------------------------------- 逾期報送


class ObjectionEscalated(ObjectionNumber, Event):
    """It was not decided in time: discipline inspection is told and sees it among its tasks; it decides none (P6)."""

    zh = "異議逾期報送"
    to: Annotated[Role, Field(title="報送 / told to")]


class EscalateObjection(ObjectionNumber, Command):
    """Tell of it: the calendar does, when the last working day has ended."""

    records = ObjectionEscalated
    by = (Role.SYS,)
    acts_for = (ENGINE,)
    during = (Stage.OBJECTION_HOLD,)
    rule = "D6"


# ---------------------------------------------------------------- 複評


class PanelReplacement(Particulars):
    """On whose report the award rests from now on."""

    panel: Annotated[Name, Field(title="評審專家組 / review panel")]
    """Another panel than the one whose marks were objected to."""


class AwardRescored(PanelReplacement, Event):
    """The bid was scored again and still reaches the line: the award may be posted anew."""

    zh = "複評"
    en = "re-scored"
    score: Annotated[Decimal, Field(title="得分 / score")]


class RescoreAward(PanelReplacement, Command):
    """Rest the award on another panel's report, after an objection was upheld (T06)."""

    records = AwardRescored
    en_words = "re-score"
    by = (Role.CAB_REG,)
    acts_for = (BUREAU,)
    during = (Stage.PROPOSED,)
    rule = "T06"


Commands = LodgeObjection | AcceptObjection | DismissObjection | UpholdObjection | EscalateObjection | RescoreAward
Events = ObjectionLodged | ObjectionAccepted | ObjectionDismissed | ObjectionUpheld | ObjectionEscalated | AwardRescored


# ---------------------------------------------------------------- decide


def reads(state: State, command: Commands) -> Reads:
    """The panel whose members may not investigate, or the one that has scored the bid again."""
    match command:
        case AcceptObjection() | DismissObjection() | UpholdObjection():
            panel = state.part(Award).panel
        case RescoreAward(panel=name):
            panel = name
        case LodgeObjection() | EscalateObjection():
            panel = None
        case _:
            assert_never(command)
    return Reads(streams=frozenset({state.stream.sibling("panel", panel)} if panel else ()))


def decide(state: State, facts: Facts, order: Order, command: Commands) -> list[Event]:
    """What an order about an objection makes happen. Raises CommandRejected."""
    check, award, publicity = Checks(), state.part(Award), state.part(Publicity)
    match command:
        case LodgeObjection(objection=number):
            last = publicity.last_day(facts.calendar)
            check(
                number not in publicity.objections,
                "T03",
                "異議 {number} 已提出過，請另編號",
                "objection {number} already exists; give this one another number",
                number=number,
            )
            check(
                last is None or local_day(order.at) <= last,
                "T03",
                "公示已於 {last} 結束，異議須在公示期內提出",
                "the public notice ended on {last}; objections can only be lodged during the notice period",
                last=last,
            )
            return check.grant(ObjectionLodged.of(command))
        case AcceptObjection(objection=number):
            _require_objection(check, publicity, number, ObjectionStatus.LODGED)
            require_uninvolved(check, order, read_panel(facts, state, award.panel).took_part, "P5")
            tells = facts.scheme is not None and facts.scheme.publicity.tells_of_late
            return check.grant(ObjectionAccepted.of(command, late_to=Role.DISC if tells else None))
        case DismissObjection(objection=number):
            _require_objection(check, publicity, number, ObjectionStatus.ACCEPTED, ObjectionStatus.LODGED)
            require_uninvolved(check, order, read_panel(facts, state, award.panel).took_part, "P5")
            return check.grant(ObjectionDismissed.of(command, still_open=len(set(publicity.held) - {number})))
        case UpholdObjection(objection=number, remedy=remedy):
            _require_objection(check, publicity, number, ObjectionStatus.ACCEPTED)
            require_uninvolved(check, order, read_panel(facts, state, award.panel).took_part, "P5")
            if remedy is ObjectionRemedy.RESCORE:
                return check.grant(ObjectionUpheld.of(command, freed={}))
            return check.grant(
                ObjectionUpheld.of(command, freed=award.funds, freed_places=list_answers(state), charge=award.charge)
            )
        case EscalateObjection(objection=number):
            until = _escalates(state, facts.calendar, number)
            check(
                until is not None and order.at >= until,
                "D6",
                "異議 {number} 逾期（{until}）未決，方報送",
                "objection {number} is told of once it is late ({until})",
                number=number,
                until=until,
            )
            objection = publicity.objections.get(number)
            return check.grant(ObjectionEscalated.of(command, to=objection.late_to if objection else None))
        case RescoreAward(panel=panel):
            return check.grant(AwardRescored(panel=panel, score=_require_rescored(check, state, facts, panel)))
        case _:
            assert_never(command)


def _require_rescored(check: Checks, state: State, facts: Facts, name: str) -> Decimal:
    """T06: asked for by an upheld objection, by another panel, and at or above the line again."""
    check(
        state.part(Application).rescoring,
        "T06",
        "並無成立的異議要求複評",
        "no upheld objection requires re-scoring",
    )
    former = state.part(Award).panel
    check(
        name != former,
        "T06",
        "異議針對 {former} 的評分，須另抽評審專家組",
        "the objection is against the scores of {former}; another panel must re-score",
        former=former,
    )
    return require_line(check, state, facts, name, "T06") or Decimal(0)


def _require_objection(check: Checks, publicity: Publicity, number: str, *statuses: ObjectionStatus) -> None:
    objection = publicity.objections.get(number)
    now = objection.status if objection else word("無此異議", "unknown")
    check(
        objection is not None and objection.status in statuses,
        "T03" if statuses == (ObjectionStatus.LODGED,) else "T04",
        "異議 {number} 目前為「{now}」，只有「{statuses}」的異議可以辦理",
        "objection {number} is {now}; this is only possible while it is {statuses}",
        number=number,
        now=now,
        statuses=statuses,
    )


# ---------------------------------------------------------------- evolve


def evolve(state: State, of: Occurrence, event: Events) -> State:
    """Keep each objection's standing; one that is upheld ends the award's approval."""
    award, publicity, today = state.part(Award), state.part(Publicity), local_day(of.at)
    match event:
        case ObjectionLodged():
            lodged = Objection(event.ground, ObjectionStatus.LODGED, today)
            return state.with_parts(publicity.with_objection(event.objection, lodged))
        case ObjectionAccepted():
            accepted = _change_objection(state, event.objection, status=ObjectionStatus.ACCEPTED, accepted_on=today)
            return _change_objection(accepted, event.objection, late_to=event.late_to)
        case ObjectionDismissed():
            return _change_objection(state, event.objection, status=ObjectionStatus.DISMISSED, decided_on=today)
        case ObjectionUpheld():
            upheld = _change_objection(state, event.objection, status=ObjectionStatus.UPHELD, decided_on=today)
            if event.remedy is ObjectionRemedy.RESCORE and award.panel is not None:
                upheld = upheld.with_parts(replace(state.part(Application), rescoring=True))
            upheld = give_places_back(upheld, event.freed_places)
            return approval.end_approval(upheld, of, gate="ConfirmAward", verdict=Verdict.REFUSED)
        case ObjectionEscalated():
            return _change_objection(state, event.objection, late_to=None, escalated_to=event.to)
        case AwardRescored(panel=panel):
            return state.with_parts(replace(award, panel=panel), replace(state.part(Application), rescoring=False))
        case _:
            assert_never(event)


def _change_objection(state: State, number: str, **changed: ObjectionStatus | Role | date | None) -> State:
    publicity = state.part(Publicity)
    objection = publicity.objections.get(number)
    if objection is None:
        return state
    changed_objection = replace(objection, **changed)  # type: ignore[arg-type] # mypy cannot see that the keywords are fields
    return state.with_parts(publicity.with_objection(number, changed_objection))


# ---------------------------------------------------------------- deadlines and who is awaited


def _ends(objection: Objection, publicity: Publicity, calendar: Calendar) -> datetime | None:
    """When an accepted objection must be decided; None for any other."""
    if objection.status is not ObjectionStatus.ACCEPTED or objection.accepted_on is None:
        return None
    return day_ends(calendar.after(objection.accepted_on, publicity.decision_wd))


def _escalates(state: State, calendar: Calendar, number: str) -> datetime | None:
    """When somebody else is told of it; None if nobody is, or was."""
    objection = state.part(Publicity).objections.get(number)
    if objection is None or objection.late_to is None or state.stage != Stage.OBJECTION_HOLD:
        return None
    return _ends(objection, state.part(Publicity), calendar)


def due(state: State, calendar: Calendar) -> Iterable[Due]:
    """Objections that are not decided in time."""
    for number in state.part(Publicity).objections:
        until = _escalates(state, calendar, number)
        if until is not None:
            yield Due(until, EscalateObjection(objection=number), key=number)


def awaiting(state: State, calendar: Calendar) -> Iterable[Awaited]:
    """Scoring again, and objections to be decided."""
    publicity = state.part(Publicity)
    if state.stage == Stage.PROPOSED and state.part(Application).rescoring:
        yield Awaited((Role.CAB_REG,), "RescoreAward", "", "另抽評審專家組複評", "have it scored by another panel")
    if state.stage not in (Stage.IN_PUBLICITY, Stage.OBJECTION_HOLD):
        return
    for number, objection in publicity.objections.items():
        if objection.status is ObjectionStatus.LODGED:
            yield Awaited((Role.CAB_REG,), "AcceptObjection", number, "受理異議", "take the objection up")
        elif (until := _ends(objection, publicity, calendar)) is not None:
            roles = (Role.CAB_DEC, *([objection.escalated_to] if objection.escalated_to else []))
            yield Awaited(roles, "DismissObjection", number, "對異議作出決定", "decide the objection", until)


DECIDER = Decider(
    name="objection",
    zh="異議",
    commands=get_args(Commands),
    events=get_args(Events),
    decide=decide,
    evolve=evolve,
    reads=reads,
    due=due,
    awaiting=awaiting,
)
