"""撥付: a tranche whose gate stands is asked for, checked, approved and paid by different people (M2, P2, SD1, SD3)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, ClassVar, assert_never, get_args

from pydantic import Field

from domain.kernel import approval
from domain.kernel.acting import Acting, require_another_person
from domain.kernel.attachment import Attachment, Evidence
from domain.kernel.calendar import Calendar, day_ends, local_day
from domain.kernel.canonical import digest
from domain.kernel.decider import Decider
from domain.kernel.effects import Claim, Effect, Post
from domain.kernel.facts import Facts, Reads, require_scheme
from domain.kernel.field_shape import Otherwise
from domain.kernel.identifier import Reason, Role, StreamId, Text
from domain.kernel.message import Awaited, Command, Due, Event, Occurrence, Order, Particulars
from domain.kernel.money import Fen, PositiveFen, yuan
from domain.kernel.phrase import call_tranche, named, or_else
from domain.kernel.refusal import Checks
from domain.kernel.relation import BUREAU, ENGINE
from domain.kernel.state import State
from domain.project.award import Award, name_charged_round
from domain.project.bidders import list_applicants, require_eligible
from domain.project.contract import COOL_DOWN, Contract
from domain.project.money import CommitmentsFreed, Money, Proof, apportion, require_proof
from domain.project.reimbursement import is_covered, require_covered
from domain.project.stage import CONTRACT_LIVE, Gates, Stage
from domain.project.tranches import IN_FLIGHT, Key, Tranche, Tranches, TrancheStatus, void_approvals
from domain.registers.fund import committed, paid

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

PAYABLE = (Stage.CONTRACTED, Stage.ACTIVE, Stage.FINAL_REVIEW, Stage.SETTLEMENT)
"""The stages in which money may go out: not while something is being put right, stands still or is being ended."""

REQUESTABLE = (TrancheStatus.PLANNED, TrancheStatus.WITHHELD, TrancheStatus.FAILED)
"""Where a request may begin."""

HOLDABLE = (TrancheStatus.PLANNED, TrancheStatus.FAILED, *IN_FLIGHT)
"""What can be held back: any unpaid tranche that is not held back yet."""


class Adverse(Particulars):
    """A decision against somebody, with its reason and its evidence (V1)."""

    reason: Reason
    attachments: Evidence


class TrancheName(Particulars):
    """Which tranche."""

    tranche: Annotated[Key, Field(title="期次 / tranche")]


Bound = Annotated[
    str | None, Field(pattern=r"^[0-9a-f]{64}$", title="所憑審批的校驗值 / digest of the approval it rests on")
]
"""As ``DisbursementRequested.bound``: who reports late, or of an earlier request, names what they report of (SD3)."""


class TrancheAmount(TrancheName):
    """How much of which tranche."""

    amount: Annotated[PositiveFen, Field(title="金額 / amount")]


# ---------------------------------------------------------------- 撥款申請、複核、審批


class DisbursementRequest(TrancheName):
    """What is asked for."""

    invoice: Annotated[Attachment | None, Field(title="發票（票據） / invoice")] = None


class DisbursementRequested(DisbursementRequest, Event):
    """The case officer asks for the money; checking and approval are bound to this content (SD3)."""

    zh = "撥款申請"
    en = "payment requested"
    asks = True
    amount: Annotated[Fen, Field(title="金額 / amount")]
    bound: Annotated[str, Field(title="審批內容校驗值 / digest of what is approved")]
    """Digest of project, contract version, payee account, amount, tranche and number of the request."""
    payment_wd: Annotated[int, Field(title="付款期限（工作日） / payment period (working days)")]
    """Working days within which it is to be paid."""
    late_to: Annotated[Role | None, Field(title="逾期報送 / told of if late")] = None
    """Who is told if it is not paid in time; None where nobody is."""


class RequestDisbursement(DisbursementRequest, Command):
    """Ask for a tranche."""

    records = DisbursementRequested
    en_words = "request payment"
    by = (Role.CAB_REG,)
    acts_for = (BUREAU,)
    during = PAYABLE
    rule = "M2"
    subject_field: ClassVar[str] = "tranche"
    amount: Annotated[Fen | None, Otherwise("未撥餘額", "all that is not paid yet"), Field(title="金額 / amount")] = (
        None
    )
    """All of the tranche that is neither paid nor cancelled (M4); None for just that."""


class DisbursementChecked(TrancheName, Event):
    """Bureau finance checked the request."""

    zh = "撥款複核"
    en = "payment checked"
    asks = True


class CheckDisbursement(TrancheName, Command):
    """Check the request."""

    records = DisbursementChecked
    en_words = "check the payment"
    by = (Role.CAB_FIN,)
    acts_for = (BUREAU,)
    during = PAYABLE
    rule = "M2"
    subject_field: ClassVar[str] = "tranche"


class DisbursementApproved(TrancheName, Event):
    """The decision meeting approved the request."""

    zh = "撥款審批"
    en = "payment approved"


class ApproveDisbursement(TrancheName, Command):
    """Approve the request."""

    records = DisbursementApproved
    en_words = "approve payment"
    by = (Role.CAB_DEC,)
    acts_for = (BUREAU,)
    during = PAYABLE
    rule = "M2"
    subject_field: ClassVar[str] = "tranche"


# ---------------------------------------------------------------- 資金撥付、退匯


class Payment(TrancheAmount):
    """What the treasury paid."""

    reference: Annotated[Text | None, Field(title="憑證號 / reference")] = None
    """The treasury's own number of the payment."""


class DisbursementPaid(Payment, Event):
    """The money has left; it cannot be changed any more (M8)."""

    zh = "資金撥付"
    en = "paid"
    split: Annotated[dict[str, Fen], Field(title="資金來源分攤 / split by fund")]
    """Fund and fen (M9)."""

    def effects(self, stream: StreamId) -> Iterable[Effect]:
        """Move each fund's share from set aside to paid."""
        for fund, share in sorted(self.split.items()):
            yield Post(committed(stream, fund), paid(stream, fund), share)


class PayDisbursement(Payment, Command):
    """Record the payment."""

    records = DisbursementPaid
    en_words = "pay"
    by = (Role.FISCAL,)
    acts_for = (BUREAU,)
    during = PAYABLE
    rule = "M2"
    subject_field: ClassVar[str] = "tranche"
    bound: Bound = None
    """What was approved, where whoever paid names it; None for the request in hand."""


class PaymentFailure(TrancheName):
    """Why the bank sent it back."""

    reason: Reason
    attachments: Proof = None


class DisbursementFailed(PaymentFailure, Event):
    """The payment came back; it may be asked for again."""

    zh = "退匯"
    en = "payment returned by bank"
    split: Annotated[dict[str, Fen] | None, Field(title="資金來源分攤 / split by fund")] = None
    """Fund and fen that come back, where the payment had been recorded as made."""

    def effects(self, stream: StreamId) -> Iterable[Effect]:
        """Set what had been paid aside again."""
        for fund, share in sorted((self.split or {}).items()):
            yield Post(paid(stream, fund), committed(stream, fund), share)


class FailDisbursement(PaymentFailure, Command):
    """Record that the payment came back."""

    records = DisbursementFailed
    by = (Role.FISCAL,)
    acts_for = (BUREAU,)
    persons_needed = 2
    confirmed_by = (Role.CAB_FIN,)
    during = CONTRACT_LIVE
    rule = "M2"
    subject_field: ClassVar[str] = "tranche"
    bound: Bound = None
    """What was approved, where the bank names it; None for the request in hand."""


class DisbursementOverdue(TrancheName, Event):
    """It was not paid in time: bureau finance is told, and sees it among its own tasks until it is."""

    zh = "撥款逾期報送"
    en = "payment overdue"
    to: Annotated[Role, Field(title="報送 / told to")]


class ReportOverdueDisbursement(TrancheName, Command):
    """Tell of it: the calendar does, when the last working day has ended."""

    records = DisbursementOverdue
    en_words = "tell of a late payment"
    by = (Role.SYS,)
    acts_for = (ENGINE,)
    during = PAYABLE
    rule = "D6"
    subject_field: ClassVar[str] = "tranche"


# ---------------------------------------------------------------- 暫緩、核減


class Withholding(TrancheName, Adverse):
    """Which tranche is held back, and why."""


class DisbursementWithheld(Withholding, Event):
    """The tranche is held back; it may be asked for again once its gate stands."""

    zh = "暫緩撥付"
    en = "payment withheld"


class WithholdDisbursement(Withholding, Command):
    """Hold the tranche back."""

    records = DisbursementWithheld
    by = (Role.CAB_REG,)
    acts_for = (BUREAU,)
    during = CONTRACT_LIVE
    rule = "M8"
    subject_field: ClassVar[str] = "tranche"


class Cancellation(TrancheAmount, Adverse):
    """How much of which tranche will not be paid, and why."""


class TrancheCancelled(Cancellation, CommitmentsFreed, Event):
    """The tranche, or that much of it, will never be paid; the money is free again."""

    zh = "核減或取消撥付"
    en = "tranche reduced or cancelled"


class CancelTranche(Cancellation, Command):
    """Cancel the tranche or a part of it."""

    records = TrancheCancelled
    by = (Role.CAB_DEC,)
    acts_for = (BUREAU,)
    during = CONTRACT_LIVE
    rule = "M8"
    subject_field: ClassVar[str] = "tranche"


Commands = (
    RequestDisbursement
    | CheckDisbursement
    | ApproveDisbursement
    | PayDisbursement
    | FailDisbursement
    | ReportOverdueDisbursement
    | WithholdDisbursement
    | CancelTranche
)
Events = (
    DisbursementRequested
    | DisbursementChecked
    | DisbursementApproved
    | DisbursementPaid
    | DisbursementFailed
    | DisbursementOverdue
    | DisbursementWithheld
    | TrancheCancelled
)


def bound_content(state: State, tranche: str, amount: Fen, request: int) -> dict[str, object]:
    """What the approvals of a payment are bound to; anything else is another payment (SD3).

    The request is numbered, so that asking again after the bank sent it back asks for fresh approvals.
    """
    contract = state.part(Contract)
    return {
        "project": state.part(Award).project,
        "contract": contract.version,
        "account": contract.account,
        "amount": amount,
        "tranche": tranche,
        "request": request,
    }


# ---------------------------------------------------------------- decide


def reads(state: State, command: Commands) -> Reads:
    """The organisation and its partners: a banned or listed one is not paid."""
    if isinstance(command, RequestDisbursement | PayDisbursement):
        return Reads(streams=list_applicants(state))
    return Reads()


def decide(state: State, facts: Facts, order: Order, command: Commands) -> list[Event]:
    """What an order about a tranche makes happen. Raises CommandRejected."""
    check, today = Checks(), local_day(order.at)
    tranche = _require_tranche(check, state, command.tranche)
    match command:
        case RequestDisbursement():
            amount = tranche.remainder if command.amount is None else command.amount
            _require_requestable(check, state, order, command.tranche, amount)
            require_eligible(check, state, facts, today, "D5")
            rules = require_scheme(check, facts).payment
            return check.grant(
                DisbursementRequested.of(
                    command,
                    amount=amount,
                    bound=digest(bound_content(state, command.tranche, amount, tranche.requests + 1)),
                    payment_wd=rules.payment_wd,
                    late_to=Role.CAB_FIN if rules.tells_of_late else None,
                )
            )
        case CheckDisbursement():
            _require_in_hand(check, state, tranche, command.tranche, TrancheStatus.REQUESTED)
            _require_another_hand(check, order.acting, "P2", tranche.maker)
            return check.grant(DisbursementChecked.of(command))
        case ApproveDisbursement():
            _require_in_hand(check, state, tranche, command.tranche, TrancheStatus.CHECKED)
            _require_another_hand(check, order.acting, "P2", tranche.maker, tranche.checker)
            return check.grant(DisbursementApproved.of(command))
        case PayDisbursement(amount=amount):
            _require_in_hand(check, state, tranche, command.tranche, TrancheStatus.APPROVED)
            _require_of_this_request(check, tranche, command.tranche, command.bound)
            _require_another_hand(check, order.acting, "SD1", tranche.maker)
            check(
                amount == tranche.requested,
                "SD3",
                "撥付 {amount} 與審批的 {requested} 不符",
                "{amount} is not the {requested} that was approved",
                amount=yuan(amount),
                requested=yuan(tranche.requested),
            )
            require_eligible(check, state, facts, today, "D5")
            return check.grant(DisbursementPaid.of(command, split=apportion(amount, state.part(Money).committed)))
        case FailDisbursement():
            _require_status(check, tranche, command.tranche, "M2", TrancheStatus.APPROVED, TrancheStatus.PAID)
            _require_of_this_request(check, tranche, command.tranche, command.bound)
            split = tranche.split if tranche.status is TrancheStatus.PAID else None
            _require_still_out(check, state, split or {})
            require_proof(check, order, command.attachments)
            return check.grant(DisbursementFailed.of(command, split=split))
        case ReportOverdueDisbursement():
            at = _alerts(state, tranche, facts.calendar)
            check(
                at is not None and order.at >= at,
                "D6",
                "{tranche}逾期（{at}）未付，方報送",
                "{tranche} is told of once it is late ({at})",
                tranche=call_tranche(command.tranche),
                at=at,
            )
            return check.grant(DisbursementOverdue.of(command, to=tranche.late_to))
        case WithholdDisbursement():
            _require_unpaid(check, tranche, command.tranche)
            _require_status(check, tranche, command.tranche, "M8", *HOLDABLE)
            return check.grant(DisbursementWithheld.of(command))
        case CancelTranche(amount=amount):
            _require_unpaid(check, tranche, command.tranche)
            check(
                amount <= tranche.remainder,
                "M4",
                "{tranche}未撥餘額為 {remainder}，不足核減 {amount}",
                "the unpaid balance of {tranche} is {remainder}; it cannot be reduced by {amount}",
                tranche=call_tranche(command.tranche),
                remainder=yuan(tranche.remainder),
                amount=yuan(amount),
            )
            return check.grant(
                TrancheCancelled.of(
                    command, split=apportion(amount, state.part(Money).committed), charged=name_charged_round(state)
                )
            )
        case _:
            assert_never(command)


def _require_tranche(check: Checks, state: State, name: str) -> Tranche:
    """The tranche. Raises CommandRejected if the contract has none of that name."""
    tranches = state.part(Tranches).of
    check(
        name in tranches,
        "M2",
        "協議中沒有{name}，現有 {known}",
        "the agreement has no {name}; it has {known}",
        name=call_tranche(name),
        known=or_else(tranches, "無", "none"),
    )
    return tranches.get(name) or Tranche(0, "")


def _require_requestable(check: Checks, state: State, order: Order, name: str, amount: Fen) -> None:
    """The gate stands, the payee is sure, and all of the unpaid remainder is asked for."""
    tranche = state.part(Tranches).of.get(name) or Tranche(0, "")
    contract, money = state.part(Contract), state.part(Money)
    _require_status(check, tranche, name, "M8" if tranche.is_settled else "M2", *REQUESTABLE)
    _require_gate(check, state, tranche, name)
    require_covered(check, state, amount)
    check(
        amount == tranche.remainder,
        "M4",
        "{name}未撥餘額為 {remainder}，申請金額應與餘額一致（現填 {amount}）",
        "request the full unpaid balance of {name} ({remainder}); the request is for {amount}",
        name=call_tranche(name),
        remainder=yuan(tranche.remainder),
        amount=yuan(amount),
    )
    check(
        money.paid + amount <= contract.award,
        "M3",
        "撥付合計將超過資助金額 {award}",
        "total payments would exceed the award of {award}",
        award=yuan(contract.award),
    )
    check(
        money.audited is None or money.net + amount <= money.audited,
        "M3",
        "審定支出為 {audited}，本次撥付後將超出，請先核減差額",
        "eligible expenditure is {audited}; this payment would exceed it, so cancel the difference first",
        audited=yuan(money.audited or 0),
    )
    check(contract.account, "SD3", "收款賬戶尚未備案", "no payee account has been registered")
    check(
        contract.account_confirmed,
        "SD9",
        "收款賬戶尚未經局財務人員核實",
        "the bureau finance officer has not verified the payee account",
    )
    changed = contract.account_changed_at
    check(
        changed is None or order.at >= changed + COOL_DOWN,
        "SD9",
        "收款賬戶備案或變更未滿 24 小時",
        "the account was registered or changed less than 24 hours ago",
    )


def _require_gate(check: Checks, state: State, tranche: Tranche, name: str) -> None:
    check(
        tranche.gate in state.part(Gates).passed,
        "M2",
        "{name}撥付條件「{gate}」尚未達成",
        "the payment condition for {name} ({gate}) has not been met",
        name=call_tranche(name),
        gate=named(tranche.gate),
    )


def _require_in_hand(check: Checks, state: State, tranche: Tranche, name: str, status: TrancheStatus) -> None:
    """The request stands where it should, its gate still stands, and its content is still what was asked for."""
    check(
        not tranche.voided,
        "SD3",
        "{name}的申請已作廢（{voided}），請重新申請",
        "the request for {name} is void ({voided}); request it again",
        name=call_tranche(name),
        voided=tranche.voided,
    )
    _require_status(check, tranche, name, "M2", status)
    _require_gate(check, state, tranche, name)
    require_covered(check, state, tranche.requested)
    check(
        tranche.status not in IN_FLIGHT
        or tranche.bound == digest(bound_content(state, name, tranche.requested, tranche.requests)),
        "SD3",
        "{name}的申請內容已有變化，請重新申請",
        "what was requested for {name} has changed; request it again",
        name=call_tranche(name),
    )


def _require_of_this_request(check: Checks, tranche: Tranche, name: str, bound: str | None) -> None:
    """SD3: what the bank reports is of the request that stands, not of one before it."""
    check(
        bound in (None, tranche.bound),
        "SD3",
        "所報的不是{name}現行申請（第 {requests} 次）的撥付",
        "what is reported is not the payment of the present request for {name} (number {requests})",
        name=call_tranche(name),
        requests=tranche.requests,
    )


def _require_another_hand(check: Checks, acting: Acting, rule: str, *others: Acting | None) -> None:
    require_another_person(
        check,
        acting,
        rule,
        others,
        "{acting} 已辦理過本期撥款的其他環節，須由另一人辦理（不相容崗位分離）",
        "{acting} has already acted on this payment; another person must do this (separation of duties)",
        acting=acting,
    )


def _require_status(check: Checks, tranche: Tranche, name: str, rule: str, *statuses: TrancheStatus) -> None:
    check(
        tranche.status in statuses,
        rule,
        "{name}目前為「{status}」，只有「{statuses}」時可以辦理",
        "{name} is {status}; this is only possible while it is {statuses}",
        name=call_tranche(name),
        status=tranche.status,
        statuses=statuses,
    )


def _require_still_out(check: Checks, state: State, split: Mapping[str, Fen]) -> None:
    """M3: only money that is still with the project can come back from the bank."""
    out = state.part(Money).out
    short = sorted(fund for fund, share in split.items() if out.get(fund, 0) < share)
    check(
        not short,
        "M3",
        "{short} 撥付的款項已部分繳回或收回，不能再登記退匯",
        "money paid from {short} has been returned or recovered already; the bank cannot return it too",
        short=short,
    )


def _require_unpaid(check: Checks, tranche: Tranche, name: str) -> None:
    check(
        not tranche.is_settled,
        "M8",
        "{name}{status}，不能更動",
        "{name} is {status} and cannot be changed",
        name=call_tranche(name),
        status=tranche.status,
    )


# ---------------------------------------------------------------- the second line


def list_hands(_before: State, event: Event, after: State) -> Iterable[Effect]:
    """P2 once more, where no rule can be left out: a person has one hand in one request for payment."""
    if not isinstance(event, DisbursementRequested | DisbursementChecked | DisbursementApproved):
        return
    tranche = after.part(Tranches).of[event.tranche]
    match event:
        case DisbursementRequested():
            step, acting = "requested", tranche.maker
        case DisbursementChecked():
            step, acting = "checked", tranche.checker
        case DisbursementApproved():
            step, acting = "approved", tranche.approver
        case _:
            assert_never(event)
    stream = after.stream
    for person in sorted(acting.persons if acting else ()):
        yield Claim(f"hand/{stream.realm}/{stream.name}/{event.tranche}/{tranche.requests}/{person}", step)


# ---------------------------------------------------------------- evolve


def evolve(state: State, of: Occurrence, event: Events) -> State:
    """Keep each tranche's status, sums (fen) and three hands; its two approvals are asked for and ended with it."""
    name, tranches, money = event.tranche, state.part(Tranches), state.part(Money)
    tranche = tranches.of.get(name) or Tranche(0, "")
    match event:
        case DisbursementRequested():
            bound = bound_content(state, name, event.amount, tranche.requests + 1)
            command = replace(
                tranche,
                status=TrancheStatus.REQUESTED,
                requested=event.amount,
                requests=tranche.requests + 1,
                requested_on=local_day(of.at),
                payment_wd=event.payment_wd,
                late_to=event.late_to,
                alerted=None,
                bound=event.bound,
                maker=of.acting,
                checker=None,
                approver=None,
                voided="",
            )
            moved = state.with_parts(tranches.with_tranche(name, command))
            return approval.ask_approval(
                moved, of, gate="CheckDisbursement", role=Role.CAB_FIN, key=name, content=bound
            )
        case DisbursementChecked():
            checked = replace(tranche, status=TrancheStatus.CHECKED, checker=of.acting)
            bound = bound_content(state, name, tranche.requested, tranche.requests)
            moved = approval.end_approval(
                state.with_parts(tranches.with_tranche(name, checked)), of, gate="CheckDisbursement", key=name
            )
            return approval.ask_approval(
                moved, of, gate="ApproveDisbursement", role=Role.CAB_DEC, key=name, content=bound
            )
        case DisbursementApproved():
            approved = replace(tranche, status=TrancheStatus.APPROVED, approver=of.acting)
            return approval.end_approval(
                state.with_parts(tranches.with_tranche(name, approved)), of, gate="ApproveDisbursement", key=name
            )
        case DisbursementPaid():
            settled = replace(tranche, status=TrancheStatus.PAID, paid=tranche.paid + event.amount, split=event.split)
            return state.with_parts(tranches.with_tranche(name, settled), money.after_payment(event.split))
        case DisbursementFailed(split=split):
            back = split or {}
            failed = replace(tranche, status=TrancheStatus.FAILED, paid=tranche.paid - sum(back.values()), split={})
            return state.with_parts(tranches.with_tranche(name, failed), money.after_failure(back))
        case DisbursementOverdue():
            return state.with_parts(tranches.with_tranche(name, replace(tranche, late_to=None, alerted=event.to)))
        case DisbursementWithheld():
            withheld = replace(tranche, status=TrancheStatus.WITHHELD)
            return void_approvals(state.with_parts(tranches.with_tranche(name, withheld)), of, name)
        case TrancheCancelled():
            return _cancel(state, of, tranche, event)
        case _:
            assert_never(event)


def _cancel(state: State, of: Occurrence, tranche: Tranche, event: TrancheCancelled) -> State:
    """The whole tranche is CANCELLED; after a part of it the rest is as it was, but a request in flight is void."""
    name, less = event.tranche, replace(tranche, cancelled=tranche.cancelled + event.amount)
    if less.remainder == 0:
        less = replace(less, status=TrancheStatus.CANCELLED)
    elif less.status in IN_FLIGHT:
        less = replace(less, status=TrancheStatus.PLANNED, voided="核減 / cut")
    state = void_approvals(state, of, name)
    return state.with_parts(
        state.part(Tranches).with_tranche(name, less), state.part(Money).after_cancelling(event.split)
    )


# ---------------------------------------------------------------- deadlines and who is awaited


def _ends(tranche: Tranche, calendar: Calendar) -> datetime | None:
    """When what was asked for must be paid."""
    return day_ends(calendar.after(tranche.requested_on, tranche.payment_wd)) if tranche.requested_on else None


def _alerts(state: State, tranche: Tranche, calendar: Calendar) -> datetime | None:
    """When somebody is told that it is late; None if nobody is, or was. Not while the project stands still."""
    if tranche.late_to is None or tranche.status not in IN_FLIGHT or state.stage not in PAYABLE:
        return None
    until = _ends(tranche, calendar)
    return max(until, state.since or until) if until is not None else None


def due(state: State, calendar: Calendar) -> Iterable[Due]:
    """Payments that are late."""
    for name, tranche in state.part(Tranches).of.items():
        at = _alerts(state, tranche, calendar)
        if at is not None:
            yield Due(at, ReportOverdueDisbursement(tranche=name), key=name)


def awaiting(state: State, calendar: Calendar) -> Iterable[Awaited]:
    """Requests whose gate stands, and those in hand; of what is late, whoever was told of it too."""
    if state.stage not in PAYABLE:
        return
    for name, tranche in state.part(Tranches).of.items():
        until, alert = _ends(tranche, calendar), (tranche.alerted,) if tranche.alerted else ()
        match tranche.status:
            case TrancheStatus.PLANNED | TrancheStatus.WITHHELD | TrancheStatus.FAILED:
                account = state.part(Contract).account
                if tranche.gate in state.part(Gates).passed and account and is_covered(state, tranche.remainder):
                    yield Awaited((Role.CAB_REG,), "RequestDisbursement", name, "提交撥款申請", "request the payment")
            case TrancheStatus.REQUESTED:
                zh, en = "複核撥款申請", "check the payment request"
                yield Awaited((Role.CAB_FIN,), "CheckDisbursement", name, zh, en, until)
            case TrancheStatus.CHECKED:
                roles = (Role.CAB_DEC, *alert)
                zh, en = "審批撥款申請", "approve the payment request"
                yield Awaited(roles, "ApproveDisbursement", name, zh, en, until)
            case TrancheStatus.APPROVED:
                yield Awaited((Role.FISCAL, *alert), "PayDisbursement", name, "撥付資金", "pay the tranche", until)
            case TrancheStatus.PAID | TrancheStatus.CANCELLED:
                pass
            case _:
                assert_never(tranche.status)


DECIDER = Decider(
    name="disbursement",
    zh="撥付",
    commands=get_args(Commands),
    events=get_args(Events),
    decide=decide,
    evolve=evolve,
    reads=reads,
    due=due,
    awaiting=awaiting,
)
