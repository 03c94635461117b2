"""結項與歸檔: final report, surplus, close, archive, reopening, corrections (T16, T22, T25, T26; SD12)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Annotated, ClassVar, assert_never, get_args

from pydantic import Field

from domain.application import Application, ProjectKind
from domain.kernel import approval
from domain.kernel.acting import Acting, require_another_person
from domain.kernel.attachment import Attachment, Evidence
from domain.kernel.bounds import Name
from domain.kernel.calendar import Calendar, local_day
from domain.kernel.decider import Decider
from domain.kernel.effects import Effect, Release
from domain.kernel.facts import Facts, Reads, require_scheme
from domain.kernel.identifier import Actor, Reason, Role, StreamId, Text
from domain.kernel.message import Awaited, Command, Event, Occurrence, Order, Particulars
from domain.kernel.money import Fen, PositiveFen, yuan
from domain.kernel.phrase import or_else
from domain.kernel.refusal import Checks
from domain.kernel.relation import BUREAU
from domain.kernel.state import Part, State, Transition
from domain.kernel.words import Words
from domain.project.bidders import ORGANISATION, PARTNERSHIP, list_applicants, require_representative
from domain.project.contract import HOST, Contract
from domain.project.delivery import (
    Delivery,
    Outputs,
    is_every_milestone_met,
    number_key,
    require_line,
    require_recorded_outputs,
    require_standing_team,
    voucher_key,
)
from domain.project.money import Money, MoneyReturned, Proof, apportion, require_proof
from domain.project.stage import CONTRACT_LIVE, Stage
from domain.project.termination import Clawback, outstanding, unjustified
from domain.project.tranches import Key, Tranches, require_settled
from domain.registers.accountability import Case, CaseOutcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.kernel.scheme import Scheme

ENDED = (
    Stage.CLOSED,
    Stage.TERMINATED,
    Stage.REVOKED,
    Stage.NOT_SELECTED,
    Stage.PRELIM_FAILED,
    Stage.WITHDRAWN,
)
"""The stages from which a file is archived; an application that was not chosen is a short project."""

CORRECTABLE = (*CONTRACT_LIVE, Stage.TERMINATED, Stage.CLOSED)
"""The stages in which the record may be corrected; an archived project is reopened first."""


class ReopeningGround(Words):
    """What makes a closed project be looked at again."""

    POST_AUDIT = "POST_AUDIT", "事後審計", "post-audit"
    DISCIPLINE = "DISCIPLINE", "紀檢監察發現", "found by discipline inspection"


# ---------------------------------------------------------------- 結項申請


class FinalReportSubmitted(Outputs, Event):
    """The organisation says that it is done and reports."""

    zh = "結項申請"
    moves = (
        Transition(
            "T16",
            (Stage.ACTIVE,),
            Stage.FINAL_REVIEW,
            (Role.SO_LEGAL,),
            "end date reached or all milestones met",
        ),
    )


class SubmitFinalReport(Outputs, Command):
    """Submit the final report."""

    records = FinalReportSubmitted
    acts_for = (ORGANISATION,)


# ---------------------------------------------------------------- 結餘繳回


class Surplus(Particulars):
    """What was paid and not needed."""

    amount: Annotated[PositiveFen, Field(title="金額 / amount")]
    reference: Annotated[Text | None, Field(title="憑證號 / reference")] = None
    """The treasury's own number of the receipt."""
    attachments: Proof = None


class SurplusReturned(Surplus, MoneyReturned, Event):
    """Money that was not needed is back."""

    zh = "結餘繳回"


class ReturnSurplus(Surplus, Command):
    """Return what was not needed."""

    records = SurplusReturned
    by = (Role.SO_ACC,)
    acts_for = (ORGANISATION, BUREAU)
    persons_needed = 2
    confirmed_by = (Role.CAB_FIN,)
    during = (Stage.FINAL_REVIEW, Stage.SETTLEMENT, Stage.TERMINATING)
    rule = "M3"


# ---------------------------------------------------------------- 結項、歸檔、重新核查


class Closing(Particulars):
    """The certificate, where one is issued."""

    certificate: Annotated[Attachment | None, Field(title="結項證書 / closure certificate")] = None


class ProjectClosed(Closing, Event):
    """Money and outputs reconcile; the project is done."""

    zh = "結項"
    moves = (
        Transition(
            "T22",
            (Stage.SETTLEMENT,),
            Stage.CLOSED,
            (Role.CAB_REG,),
            "every tranche PAID or CANCELLED; surplus returned",
        ),
    )


class CloseProject(Closing, Command):
    """Close the project."""

    records = ProjectClosed
    acts_for = (BUREAU,)


class File(Particulars):
    """The file that is put away."""

    index: Annotated[Attachment, Field(title="案卷目錄 / index of the file")]
    """The list of its documents."""


class ProjectArchived(File, Event):
    """The file is complete and put away."""

    zh = "歸檔"
    retention_years: Annotated[int, Field(title="保管期限（年） / retention (years)")]
    """Years for which it is kept."""
    moves = (
        Transition(
            "T25",
            ENDED,
            Stage.ARCHIVED,
            (Role.HOST,),
            "file complete; clawback settled or escalated",
        ),
    )


class ArchiveProject(File, Command):
    """Archive the project."""

    records = ProjectArchived
    acts_for = (HOST,)


class Reopening(Particulars):
    """What was found after the close, with its evidence (V1)."""

    ground: Annotated[ReopeningGround, Field(title="事由 / ground")]
    finding: Annotated[Text, Field(title="查明情況 / finding")]
    attachments: Evidence
    eligible: Annotated[Fen | None, Field(title="審定支出 / eligible expenditure")] = None
    """Spending that the award may bear, as it was found now, in fen; None if that stands."""
    case: Annotated[Name | None, Field(title="問責案件 / accountability case")] = None
    """The case whose decision asks for it (HZ-10); None where a post-audit does."""


class ProjectReopened(Reopening, Event):
    """The project is settled again."""

    zh = "重新核查"
    moves = (
        Transition(
            "T26",
            (Stage.CLOSED, Stage.ARCHIVED),
            Stage.SETTLEMENT,
            (Role.CAB_DEC,),
            "post-audit or discipline finding",
        ),
    )


class ReopenProject(Reopening, Command):
    """Reopen the project."""

    records = ProjectReopened
    acts_for = (BUREAU,)


# ---------------------------------------------------------------- 更正


class CorrectionNumber(Particulars):
    """Which correction; numbered by who proposes it."""

    correction: Annotated[Key, Field(title="更正 / correction")]


class CorrectionProposal(CorrectionNumber):
    """Which record is wrong and how it should read. The wrong one stays in the log (V2)."""

    corrects: Annotated[int, Field(le=1000000000, ge=1, title="更正對象 / record corrected")]
    """The version of this stream at which the wrong record stands."""
    reason: Reason
    attachments: Evidence
    strike: Annotated[bool, Field(title="是否作廢 / struck out")] = False
    """Whether the activity or voucher is taken out altogether."""
    person_times: Annotated[Annotated[int, Field(ge=0, le=10_000_000)] | None, Field(title="人次 / attendances")] = None
    """For an activity: how many attendances it was."""
    amount: Annotated[Fen | None, Field(title="金額 / amount")] = None
    """For a voucher: how much it was, in fen."""


class CorrectionProposed(CorrectionProposal, Event):
    """A first person says that a record is wrong; nothing has changed yet."""

    zh = "提出更正"
    asks = True


class ProposeCorrection(CorrectionProposal, Command):
    """Propose a correction."""

    records = CorrectionProposed
    by = (Role.SO_PM, Role.SO_ACC, Role.CAB_REG, Role.HOST)
    acts_for = (PARTNERSHIP, BUREAU, HOST)
    during = CORRECTABLE
    rule = "SD12"
    subject_field: ClassVar[str] = "correction"


class CorrectionConfirmed(CorrectionNumber, Event):
    """A second person agrees; from now on the record counts as corrected."""

    zh = "確認更正"
    corrects: Annotated[int, Field(ge=1, le=1000000000, title="更正對象 / record corrected")]
    """The version of this stream at which the wrong record stands."""
    voucher: Annotated[str | None, Field(title="支出憑證 / voucher")] = None
    """The voucher that is free again, if one was struck out."""

    def effects(self, stream: StreamId) -> Iterable[Effect]:
        """Release the claim of a voucher that was struck."""
        if self.voucher is not None:
            yield Release(voucher_key(stream, self.voucher), stream)


class ConfirmCorrection(CorrectionNumber, Command):
    """Confirm a correction."""

    records = CorrectionConfirmed
    by = (Role.CAB_REG, Role.CAB_FIN)
    acts_for = (BUREAU,)
    during = CORRECTABLE
    rule = "SD12"
    subject_field: ClassVar[str] = "correction"


Commands = (
    SubmitFinalReport
    | ReturnSurplus
    | CloseProject
    | ArchiveProject
    | ReopenProject
    | ProposeCorrection
    | ConfirmCorrection
)
Events = (
    FinalReportSubmitted
    | SurplusReturned
    | ProjectClosed
    | ProjectArchived
    | ProjectReopened
    | CorrectionProposed
    | CorrectionConfirmed
)


# ---------------------------------------------------------------- what the decider remembers


@dataclass(frozen=True)
class Correction:
    """One correction."""

    corrects: int
    proposed_by: Acting
    strike: bool
    person_times: int | None
    amount: Fen | None
    confirmed_by: Actor | None = None


@dataclass(frozen=True)
class Closeout(Part):
    """When the project was reported on, closed and archived, and what was corrected."""

    reported_on: date | None = None
    closed_on: date | None = None
    archived_on: date | None = None
    retention_years: int = 0
    reopened: int = 0
    """How often it was reopened."""
    corrections: dict[str, Correction] = field(default_factory=dict)


# ---------------------------------------------------------------- decide


def reads(state: State, command: Commands) -> Reads:
    """The organisation whose representative reports; the number of a voucher whose amount is corrected."""
    match command:
        case SubmitFinalReport():
            return Reads(streams=list_applicants(state))
        case ConfirmCorrection():
            correction = state.part(Closeout).corrections.get(command.correction)
            number = _name_number(state, correction.corrects) if correction and correction.amount is not None else None
            return Reads(claims=frozenset({number} if number else ()))
        case ReopenProject(case=case):
            return Reads(streams=frozenset({state.stream.sibling("case", case)} if case else ()))
        case _:
            return Reads()


def decide(state: State, facts: Facts, order: Order, command: Commands) -> list[Event]:
    """What an order about the end of a project makes happen. Raises CommandRejected."""
    check, money = Checks(), state.part(Money)
    match command:
        case SubmitFinalReport():
            require_representative(check, state, facts, order.actor)
            _require_reportable(check, state, command, local_day(order.at))
            return check.grant(FinalReportSubmitted.of(command))
        case ReturnSurplus(amount=amount):
            most = money.net - outstanding(state)
            check(
                amount <= most,
                "M3",
                "繳回 {amount} 超出已撥未退的 {most}",
                "{amount} is more than the {most} that was paid and neither returned nor ordered back",
                amount=yuan(amount),
                most=yuan(most),
            )
            require_proof(check, order, command.attachments)
            return check.grant(SurplusReturned.of(command, split=apportion(amount, money.out)))
        case CloseProject():
            _require_closable(check, state, require_scheme(check, facts))
            return check.grant(ProjectClosed.of(command))
        case ArchiveProject():
            left = outstanding(state)
            check(
                not left or state.part(Clawback).escalated,
                "T25",
                "尚待收回 {left}，須到賬或移送後歸檔",
                "{left} has still to be recovered; archive once it has been received or referred for enforcement",
                left=yuan(left),
            )
            return check.grant(
                ProjectArchived.of(command, retention_years=require_scheme(check, facts).closing.retention_years)
            )
        case ReopenProject():
            _require_reopenable(check, state, command)
            _require_case(check, state, facts, command)
            return check.grant(ProjectReopened.of(command))
        case ProposeCorrection():
            _require_correctable(check, state, command)
            return check.grant(CorrectionProposed.of(command))
        case ConfirmCorrection():
            return check.grant(_confirm(check, state, facts, order.acting, command))
        case _:
            assert_never(command)


def _require_reportable(check: Checks, state: State, report: SubmitFinalReport, today: date) -> None:
    end = state.part(Contract).end
    check(
        is_every_milestone_met(state) or (end is not None and today >= end),
        "T16",
        "截止日 {end} 未到，且里程碑未全部達成",
        "the end date ({end}) has not been reached and not all milestones are met",
        end=or_else(end, "(未定)", "not fixed"),
    )
    require_recorded_outputs(check, state.part(Delivery), report)


def _require_case(check: Checks, state: State, facts: Facts, command: ReopenProject) -> None:
    """T26: a case that is cited was decided, about this very project, to have it settled again."""
    if command.case is None:
        return
    case = facts.of(state.stream.sibling("case", command.case)).part(Case)
    check(
        case.outcome is CaseOutcome.REOPEN and case.project == state.stream.name,
        "T26",
        "{case} 未決定重新核查本項目",
        "{case} was not decided to have this project settled again",
        case=command.case,
    )


def _require_closable(check: Checks, state: State, scheme: Scheme) -> None:
    """T22, M4, Z1: tranches settled to the fen, nothing kept that is not eligible, and the team stands as corrected."""
    tranches, months = state.part(Tranches), scheme.evaluation.standing_team_months
    if months and state.part(Application).kind is ProjectKind.SERVICE:
        require_standing_team(check, state.part(Delivery), months)
    require_settled(check, tranches)
    for name, tranche in tranches.of.items():
        check(
            not tranche.is_settled or not tranche.remainder,
            "M4",
            "{name} 計劃 {planned} 與已撥及核減之和不符",
            "{name} was planned at {planned}, which is not what was paid and cancelled",
            name=name,
            planned=yuan(tranche.planned),
        )
    owed = unjustified(state) - (outstanding(state) if state.part(Clawback).escalated else 0)
    check(
        owed <= 0,
        "T22",
        "結餘 {owed} 尚未繳回",
        "a surplus of {owed} has not been returned",
        owed=yuan(max(owed, 0)),
    )


def _require_reopenable(check: Checks, state: State, command: ReopenProject) -> None:
    contract = state.part(Contract)
    check(
        contract.version,
        "T26",
        "項目未簽約，不能重新核查",
        "no agreement was signed for the project; it cannot be reopened",
    )
    check(
        command.eligible is None or command.eligible <= contract.award,
        "M3",
        "審定支出不得超過資助金額 {award}",
        "eligible expenditure cannot exceed the award of {award}",
        award=yuan(contract.award),
    )


def _require_correctable(check: Checks, state: State, command: ProposeCorrection) -> None:
    """SD12: it points to a record that is there, and says what that kind of record can say."""
    delivery = state.part(Delivery)
    check(
        command.correction not in state.part(Closeout).corrections,
        "SD12",
        "更正 {correction} 已提出過，請另編號",
        "correction {correction} was proposed before; give this one another number",
        correction=command.correction,
    )
    check(
        command.corrects <= state.version,
        "SD12",
        "本卷宗只有 {version} 條記錄，無第 {corrects} 條",
        "there is no record {corrects}; this file has {version}",
        version=state.version,
        corrects=command.corrects,
    )
    activity = command.corrects in delivery.activities
    voucher = delivery.voucher_at(command.corrects) is not None
    check(
        command.person_times is None or activity,
        "SD12",
        "第 {corrects} 條記錄不是活動記錄，不能更正人次",
        "record {corrects} is not an activity; its attendances cannot be corrected",
        corrects=command.corrects,
    )
    check(
        command.amount is None or voucher,
        "SD12",
        "第 {corrects} 條記錄不是支出登記，不能更正金額",
        "record {corrects} is not a voucher; its amount cannot be corrected",
        corrects=command.corrects,
    )
    _require_raised_within_line(check, state, command.corrects, command.amount)
    check(
        not command.strike or activity or voucher,
        "SD12",
        "第 {corrects} 條記錄不是活動或支出，不能作廢",
        "record {corrects} is neither an activity nor a voucher; it cannot be struck out",
        corrects=command.corrects,
    )


def _require_raised_within_line(check: Checks, state: State, corrects: int, amount: Fen | None) -> None:
    """M6: a voucher that was more than was recorded still keeps within its line, when proposed and when confirmed."""
    delivery = state.part(Delivery)
    spent = delivery.expenditures.get(delivery.voucher_at(corrects) or "")
    if spent is not None and amount is not None and amount > spent.amount:
        require_line(check, state, spent.line, amount - spent.amount)


def _name_number(state: State, version: int) -> str | None:
    """The key of the voucher's number that was recorded at that version; None if none was."""
    document = state.part(Delivery).voucher_at(version)
    return number_key(state.stream, document.rpartition("/")[2]) if document else None


def _confirm(
    check: Checks, state: State, facts: Facts, acting: Acting, command: ConfirmCorrection
) -> CorrectionConfirmed:
    correction = state.part(Closeout).corrections.get(command.correction)
    if correction is None:
        check(
            correction,
            "SD12",
            "未找到更正 {correction}，請核對編號",
            "correction {correction} was not found; check its number",
            correction=command.correction,
        )
        raise check.refuse()
    check(
        correction.confirmed_by is None,
        "SD12",
        "更正 {correction} 已確認",
        "correction {correction} was confirmed before",
        correction=command.correction,
    )
    require_another_person(
        check,
        acting,
        "SD12",
        (correction.proposed_by,),
        "{acting} 提出了更正，須由另一人確認",
        "{acting} proposed the correction; another person must confirm it",
        acting=acting,
    )
    if _name_number(state, correction.corrects) not in facts.unasked:
        _require_raised_within_line(check, state, correction.corrects, correction.amount)
    voucher = state.part(Delivery).voucher_at(correction.corrects) if correction.strike else None
    return CorrectionConfirmed(correction=command.correction, corrects=correction.corrects, voucher=voucher)


# ---------------------------------------------------------------- evolve


def evolve(state: State, of: Occurrence, event: Events) -> State:
    """Keep the days of report, closing and archiving, and every correction; what comes back is ``Money``'s."""
    closeout, money, today = state.part(Closeout), state.part(Money), local_day(of.at)
    match event:
        case FinalReportSubmitted():
            return state.with_parts(replace(closeout, reported_on=today))
        case SurplusReturned():
            return state.with_parts(money.after_return(event.split))
        case ProjectClosed():
            return state.with_parts(replace(closeout, closed_on=today))
        case ProjectArchived():
            return state.with_parts(replace(closeout, archived_on=today, retention_years=event.retention_years))
        case ProjectReopened(eligible=eligible):
            account = money if eligible is None else replace(money, audited=eligible)
            return state.with_parts(replace(closeout, reopened=closeout.reopened + 1), account)
        case CorrectionProposed():
            proposed = Correction(event.corrects, of.acting, event.strike, event.person_times, event.amount)
            after = state.with_parts(
                replace(closeout, corrections={**closeout.corrections, event.correction: proposed})
            )
            content = event.model_dump(mode="json")
            return approval.ask_approval(
                after, of, gate="ConfirmCorrection", role=Role.CAB_REG, key=event.correction, content=content
            )
        case CorrectionConfirmed():
            return _correct(state, of, event)
        case _:
            assert_never(event)


def _correct(state: State, of: Occurrence, event: CorrectionConfirmed) -> State:
    """The records as they count from now on."""
    closeout, delivery = state.part(Closeout), state.part(Delivery)
    correction = closeout.corrections.get(event.correction)
    if correction is None:
        return state
    corrections = {**closeout.corrections, event.correction: replace(correction, confirmed_by=of.actor)}
    delivery = delivery.correct(
        correction.corrects, strike=correction.strike, person_times=correction.person_times, amount=correction.amount
    )
    state = state.with_parts(replace(closeout, corrections=corrections), delivery)
    return approval.end_approval(state, of, gate="ConfirmCorrection", key=event.correction)


# ---------------------------------------------------------------- who is awaited


def awaiting(state: State, _calendar: Calendar) -> Iterable[Awaited]:
    """Final report, surplus, close, archive; and corrections that wait for a second person."""
    left = unjustified(state) - outstanding(state)
    match state.stage:
        case Stage.ACTIVE:
            yield Awaited((Role.SO_LEGAL,), "SubmitFinalReport", "", "提交結項申請", "submit the final report")
        case Stage.SETTLEMENT if left > 0:
            zh, en = f"繳回結餘 {yuan(left)}", f"return the surplus of {yuan(left)}"
            yield Awaited((Role.SO_ACC,), "ReturnSurplus", "", zh, en)
        case Stage.SETTLEMENT if not state.part(Tranches).list_unsettled():
            yield Awaited((Role.CAB_REG,), "CloseProject", "", "結項", "close the project")
        case stage if stage in ENDED:
            yield Awaited((Role.HOST,), "ArchiveProject", "", "歸檔", "archive the file")
        case _:
            pass
    for number, correction in state.part(Closeout).corrections.items():
        if correction.confirmed_by is None and state.stage in CORRECTABLE:
            roles = (Role.CAB_REG, Role.CAB_FIN)
            yield Awaited(roles, "ConfirmCorrection", number, "確認更正", "confirm the correction")


DECIDER = Decider(
    name="closeout",
    zh="結項與歸檔",
    commands=get_args(Commands),
    events=get_args(Events),
    decide=decide,
    evolve=evolve,
    reads=reads,
    awaiting=awaiting,
)
