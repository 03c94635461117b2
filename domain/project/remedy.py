"""整改與中止: what goes wrong is put right within a period, or the project stands still (T13–T15, T17, T18)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, assert_never, get_args

from pydantic import Field

from domain.kernel.acting import Acting, require_another_person
from domain.kernel.attachment import Attachments, Evidence
from domain.kernel.bounds import Date
from domain.kernel.calendar import Calendar, day_ends, local_day, months_after
from domain.kernel.decider import Decider
from domain.kernel.facts import Facts, Reads, require_scheme
from domain.kernel.field_shape import Otherwise
from domain.kernel.identifier import Role, Text
from domain.kernel.message import Awaited, Command, Due, Event, Occurrence, Order, Particulars
from domain.kernel.refusal import Checks
from domain.kernel.relation import BUREAU, ENGINE
from domain.kernel.state import ORIGIN, SAME, Part, State, Transition
from domain.kernel.words import Words
from domain.project.bidders import ORGANISATION, list_applicants, require_representative
from domain.project.contract import Contract
from domain.project.delivery import Delivery
from domain.project.disbursement import Adverse
from domain.project.evaluation import Evaluation, Result
from domain.project.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterable

RECTIFIABLE = (Stage.ACTIVE, Stage.FINAL_REVIEW)
"""The stages from which something can be ordered to be put right."""


class SuspensionGround(Words):
    """Why a project may be made to stand still."""

    RISK = "RISK", "風險", "risk"
    INVESTIGATION = "INVESTIGATION", "調查", "investigation"
    FORCE_MAJEURE = "FORCE_MAJEURE", "不可抗力", "force majeure"


# ---------------------------------------------------------------- 責令整改


class Findings(Particulars):
    """What is to be put right."""

    findings: Annotated[tuple[Text, ...], Field(max_length=100, min_length=1, title="問題 / findings")]
    due: Annotated[
        Date | None,
        Otherwise("辦法所定期限", "the period of the scheme", "remedy.rectify_wd"),
        Field(title="期限 / due"),
    ] = None
    """The last day, as the order on paper states it; None for the scheme's period."""


class RectificationOrdered(Findings, Event):
    """Something is to be put right; the project comes back to where it was when it has been."""

    zh = "責令整改"
    attachments: Attachments = ()
    """None only where the calendar orders it: the missing report is its own evidence."""
    rectify_wd: Annotated[int, Field(title="整改期限（工作日） / rectification period (working days)")]
    """Working days to put it right."""
    moves = (
        Transition(
            "T13",
            RECTIFIABLE,
            Stage.RECTIFYING,
            (Role.CAB_REG,),
            "finding recorded; due date set",
            push=True,
        ),
    )


class OrderRectification(Findings, Command):
    """Order that something be put right."""

    records = RectificationOrdered
    acts_for = (BUREAU,)
    attachments: Evidence


class OrderOverdueFinalReport(Command):
    """Order that the final report, which is overdue, be handed in."""

    records = RectificationOrdered
    by = (Role.SYS,)
    acts_for = (ENGINE,)
    during = (Stage.ACTIVE,)
    rule = "T13"


# ---------------------------------------------------------------- 整改報告、合格、不合格


class RectificationReport(Particulars):
    """What was put right."""

    attachments: Attachments = ()


class RectificationSubmitted(RectificationReport, Event):
    """The organisation says that it is put right; the deadline is met and the case officer decides."""

    zh = "整改報告"


class SubmitRectification(RectificationReport, Command):
    """Report what was put right."""

    records = RectificationSubmitted
    by = (Role.SO_LEGAL,)
    acts_for = (ORGANISATION,)
    during = (Stage.RECTIFYING,)
    rule = "T14"


class Recheck(Particulars):
    """What the second look showed."""

    finding: Annotated[Text | None, Field(title="查明情況 / finding")] = None
    attachments: Attachments = ()


class RectificationAccepted(Recheck, Event):
    """It is put right; the project goes on where it was."""

    zh = "整改通過"
    en = "rectification passed"
    moves = (Transition("T14", (Stage.RECTIFYING,), ORIGIN, (Role.CAB_REG,), "re-check passed by other person"),)


class AcceptRectification(Recheck, Command):
    """Accept the rectification."""

    records = RectificationAccepted
    acts_for = (BUREAU,)


class RectificationFailed(Event):
    """It is not put right: once more time, or else suspension or termination."""

    zh = "整改未通過"
    finding: Annotated[Text, Field(title="查明情況 / finding")]
    attachments: Attachments = ()
    """None only where the calendar says so: nothing was handed in."""
    extended: Annotated[bool, Field(title="已延期 / extended")] = False
    """Whether the period runs once more from this day."""
    rectify_wd: Annotated[int, Field(title="整改期限（工作日） / rectification period (working days)")] = 0
    """Working days of the extension."""
    moves = (Transition("T15", (Stage.RECTIFYING,), SAME, (Role.CAB_REG,), "extend once else T17 or T20"),)


class FailRectification(Command):
    """Find that it is not put right."""

    records = RectificationFailed
    acts_for = (BUREAU,)
    finding: Annotated[Text, Field(title="查明情況 / finding")]
    attachments: Evidence
    extended: Annotated[bool, Field(title="已延期 / extended")] = False
    """Whether to give the period once more."""


class LapseRectification(Command):
    """Let the period pass with nothing handed in."""

    records = RectificationFailed
    by = (Role.SYS,)
    acts_for = (ENGINE,)


# ---------------------------------------------------------------- 中止、恢復


class Suspension(Adverse):
    """Why the project is to stand still."""

    ground: Annotated[SuspensionGround, Field(title="事由 / ground")]


class ProjectSuspended(Suspension, Event):
    """The project stands still: no work, no money, no periods."""

    zh = "項目中止"
    moves = (
        Transition(
            "T17",
            (Stage.ACTIVE, Stage.RECTIFYING),
            Stage.SUSPENDED,
            (Role.CAB_DEC,),
            "risk or investigation or force majeure",
            push=True,
        ),
    )


class SuspendProject(Suspension, Command):
    """Suspend the project."""

    records = ProjectSuspended
    acts_for = (BUREAU,)


class Cure(Particulars):
    """How the cause was removed."""

    cured: Annotated[Text, Field(title="原因已消除 / how the cause was removed")]
    attachments: Attachments = ()


class ProjectResumed(Cure, Event):
    """The project goes on where it was."""

    zh = "恢復實施"
    moves = (Transition("T18", (Stage.SUSPENDED,), ORIGIN, (Role.CAB_DEC,), "cause cured"),)


class ResumeProject(Cure, Command):
    """Resume the project."""

    records = ProjectResumed
    acts_for = (BUREAU,)


Commands = (
    OrderRectification
    | OrderOverdueFinalReport
    | SubmitRectification
    | AcceptRectification
    | FailRectification
    | LapseRectification
    | SuspendProject
    | ResumeProject
)
Events = (
    RectificationOrdered
    | RectificationSubmitted
    | RectificationAccepted
    | RectificationFailed
    | ProjectSuspended
    | ProjectResumed
)


# ---------------------------------------------------------------- what the decider remembers


class RectificationStatus(Words):
    """Where a rectification stands."""

    NONE = "NONE", "無", "none"
    OPEN = "OPEN", "整改中", "under way"
    SUBMITTED = "SUBMITTED", "已報送", "handed in"
    ACCEPTED = "ACCEPTED", "已通過", "accepted"
    FAILED = "FAILED", "未通過", "failed"


@dataclass(frozen=True)
class Rectification(Part):
    """The latest rectification."""

    status: RectificationStatus = RectificationStatus.NONE
    ordered_by: Acting | None = None
    runs_from: date | None = None
    """The day that the period excludes: of the order, of the extension, or of resumption."""
    due: date | None = None
    """The last day, where the order on paper states it."""
    rectify_wd: int = 0
    extensions: int = 0
    times: int = 0
    """How many were ordered in the life of the project."""

    def last_day(self, calendar: Calendar) -> date | None:
        """The last day to hand it in; None if nothing is owed."""
        if self.status is not RectificationStatus.OPEN or self.runs_from is None:
            return None
        return self.due or calendar.after(self.runs_from, self.rectify_wd)


# ---------------------------------------------------------------- decide


def reads(state: State, command: Commands) -> Reads:
    """The organisation whose representative reports."""
    return Reads(streams=list_applicants(state)) if isinstance(command, SubmitRectification) else Reads()


def decide(state: State, facts: Facts, order: Order, command: Commands) -> list[Event]:
    """What an order about a remedy makes happen. Raises CommandRejected."""
    check, rectification, today = Checks(), state.part(Rectification), local_day(order.at)
    match command:
        case OrderRectification(due=last):
            wd = require_scheme(check, facts).remedy.rectify_wd
            longest = facts.calendar.after(today, wd)
            check(
                last is None or today < last <= longest,
                "T13",
                "整改期限 {last} 須在今日之後且不晚於 {longest}（{wd} 個工作日）",
                "the last day {last} must be later than today and no later than {longest} ({wd} working days)",
                last=last,
                longest=longest,
                wd=wd,
            )
            return check.grant(RectificationOrdered.of(command, rectify_wd=wd))
        case OrderOverdueFinalReport():
            until = _final_report_ends(state)
            check(
                until is not None and order.at >= until,
                "T13",
                "結項申請期限至 {until}，尚未逾期",
                "the final report is due by {until}; that has not passed",
                until=until,
            )
            wd = require_scheme(check, facts).remedy.rectify_wd
            return check.grant(RectificationOrdered(findings=("結項申請逾期未交",), rectify_wd=wd))
        case SubmitRectification():
            require_representative(check, state, facts, order.actor)
            _require_status(check, rectification, "T14", RectificationStatus.OPEN)
            return check.grant(RectificationSubmitted.of(command))
        case AcceptRectification():
            _require_acceptable(check, state, rectification, order.acting)
            return check.grant(RectificationAccepted.of(command))
        case FailRectification(extended=extended):
            wd = _require_failable(check, facts, rectification, extended=extended)
            return check.grant(RectificationFailed.of(command, rectify_wd=wd))
        case LapseRectification():
            until = _rectification_ends(state, facts.calendar)
            check(
                until is not None and order.at >= until,
                "T15",
                "整改期限至 {until}，尚未屆滿",
                "the rectification period ends on {until}; it has not passed",
                until=until,
            )
            return check.grant(RectificationFailed(finding="整改報告逾期未交"))
        case SuspendProject():
            return check.grant(ProjectSuspended.of(command))
        case ResumeProject():
            return check.grant(ProjectResumed.of(command))
        case _:
            assert_never(command)


def _require_status(check: Checks, rectification: Rectification, rule: str, *statuses: RectificationStatus) -> None:
    check(
        rectification.status in statuses,
        rule,
        "整改目前為「{status}」，只有「{statuses}」時可以辦理",
        "the rectification is {status}; this is only possible while it is {statuses}",
        status=rectification.status,
        statuses=statuses,
    )


def _require_acceptable(check: Checks, state: State, rectification: Rectification, acting: Acting) -> None:
    """T14: handed in, looked at by somebody else, and what had failed has passed."""
    _require_status(check, rectification, "T14", RectificationStatus.SUBMITTED)
    require_another_person(
        check,
        acting,
        "T14",
        (rectification.ordered_by,),
        "{acting} 責令了整改，須由另一人複核",
        "{acting} ordered the rectification; another person must re-check it",
        acting=acting,
    )
    check(
        state.part(Evaluation).midterm is not Result.FAIL,
        "T14",
        "中期評估尚未複評合格",
        "the mid-term evaluation has not been re-checked and passed",
    )


def _require_failable(check: Checks, facts: Facts, rectification: Rectification, *, extended: bool) -> int:
    """T15: what was handed in is not enough, or nothing was; more time only as often as the scheme allows."""
    policy = require_scheme(check, facts).remedy
    if not extended:
        _require_status(check, rectification, "T15", RectificationStatus.SUBMITTED)
        return 0
    _require_status(check, rectification, "T15", RectificationStatus.SUBMITTED, RectificationStatus.FAILED)
    check(
        rectification.extensions < policy.extensions,
        "T15",
        "整改已延期 {extensions} 次，不能再延期；請中止項目或告知擬終止",
        "the rectification has been extended {extensions} times and cannot be extended again; "
        "suspend the project or give notice of termination",
        extensions=rectification.extensions,
    )
    return policy.rectify_wd


# ---------------------------------------------------------------- evolve


def evolve(state: State, of: Occurrence, event: Events) -> State:
    """Keep the newest rectification, and how many there were."""
    rectification, today = state.part(Rectification), local_day(of.at)
    match event:
        case RectificationOrdered():
            return state.with_parts(
                Rectification(
                    status=RectificationStatus.OPEN,
                    ordered_by=of.acting,
                    runs_from=today,
                    due=event.due,
                    rectify_wd=event.rectify_wd,
                    times=rectification.times + 1,
                )
            )
        case RectificationSubmitted():
            return state.with_parts(replace(rectification, status=RectificationStatus.SUBMITTED))
        case RectificationAccepted():
            return state.with_parts(replace(rectification, status=RectificationStatus.ACCEPTED))
        case RectificationFailed(extended=True):
            return state.with_parts(
                replace(
                    rectification,
                    status=RectificationStatus.OPEN,
                    runs_from=today,
                    due=None,
                    rectify_wd=event.rectify_wd,
                    extensions=rectification.extensions + 1,
                )
            )
        case RectificationFailed():
            return state.with_parts(replace(rectification, status=RectificationStatus.FAILED))
        case ProjectSuspended():
            return state
        case ProjectResumed():
            return resume(state, today)
        case _:
            assert_never(event)


def resume(state: State, today: date) -> State:
    """The state with every period that stood still beginning anew on that day, and milestones so much later."""
    rectification, contract, delivery = state.part(Rectification), state.part(Contract), state.part(Delivery)
    anew = (
        replace(rectification, runs_from=today, due=None)
        if rectification.status is RectificationStatus.OPEN
        else rectification
    )
    since = local_day(state.since) if state.since is not None else today
    milestones = {
        name: term.model_copy(update={"due": term.due + (today - since)})
        if term.due is not None and term.due >= since and name not in delivery.met
        else term
        for name, term in contract.milestones.items()
    }
    return state.with_parts(anew, replace(contract, milestones=milestones), replace(delivery, resumed_on=today))


# ---------------------------------------------------------------- deadlines and who is awaited


def _final_report_ends(state: State) -> datetime | None:
    """Until when the final report may come; a project that became active again after its end has as long anew."""
    contract = state.part(Contract)
    if state.stage != Stage.ACTIVE or contract.end is None or state.since is None:
        return None
    return day_ends(months_after(max(contract.end, local_day(state.since)), contract.final_report_months))


def _rectification_ends(state: State, calendar: Calendar) -> datetime | None:
    last = state.part(Rectification).last_day(calendar)
    return day_ends(last) if last is not None and state.stage == Stage.RECTIFYING else None


def due(state: State, calendar: Calendar) -> Iterable[Due]:
    """The final report, and the rectification until it is handed in."""
    report = _final_report_ends(state)
    if report is not None:
        yield Due(report, OrderOverdueFinalReport())
    until = _rectification_ends(state, calendar)
    if until is not None:
        yield Due(until, LapseRectification())


def _has_failed(state: State) -> bool:
    """Whether an evaluation failed and nothing was ordered to put it right (T13, T20)."""
    evaluation = state.part(Evaluation)
    if state.stage == Stage.FINAL_REVIEW:
        return bool(evaluation.grade) and not evaluation.passed
    return state.stage == Stage.ACTIVE and evaluation.midterm is Result.FAIL


def awaiting(state: State, calendar: Calendar) -> Iterable[Awaited]:
    """Rectification by the organisation, then the officer's decision, then what follows a failed one."""
    if state.stage == Stage.SUSPENDED:
        yield Awaited((Role.CAB_DEC,), "ResumeProject", "", "恢復實施或終止", "resume, or end the project")
    if _has_failed(state):
        zh, en = "責令整改或啟動終止", "order a rectification or initiate termination"
        yield Awaited((Role.CAB_REG,), "OrderRectification", "", zh, en)
    if state.stage != Stage.RECTIFYING:
        return
    match state.part(Rectification).status:
        case RectificationStatus.OPEN:
            until = _rectification_ends(state, calendar)
            yield Awaited((Role.SO_LEGAL,), "SubmitRectification", "", "提交整改報告", "put it right", until)
        case RectificationStatus.SUBMITTED:
            yield Awaited((Role.CAB_REG,), "AcceptRectification", "", "複核整改", "decide the rectification")
        case RectificationStatus.FAILED:
            yield Awaited((Role.CAB_DEC,), "SuspendProject", "", "中止項目", "suspend the project")
            yield Awaited((Role.CAB_REG,), "InitiateTermination", "", "告知擬終止", "initiate termination")
        case _:
            return


DECIDER = Decider(
    name="remedy",
    zh="整改與中止",
    commands=get_args(Commands),
    events=get_args(Events),
    decide=decide,
    evolve=evolve,
    reads=reads,
    due=due,
    awaiting=awaiting,
)
