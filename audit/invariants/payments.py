"""Payments: after their gate, by three people, within the award, never twice (M2, M3, M4, M8, M9, P2, SD1)."""

from __future__ import annotations

from datetime import timedelta
from itertools import combinations
from typing import TYPE_CHECKING

from audit.invariants import registers, reimbursements
from audit.invariants.apportionment import apportion
from audit.invariants.realm import Tranche
from audit.invariants.recorded_events import Hand
from audit.invariants.wording import call, call_amount, call_event, call_seat, call_tranche, named

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audit.invariants.realm import Project, Realm
    from audit.invariants.recorded_events import Conditions, RecordedEvent

_REST = timedelta(hours=24)
_PAYABLE = ("CONTRACTED", "ACTIVE", "FINAL_REVIEW", "SETTLEMENT")


def _tranche(require: Conditions, project: Project, event: RecordedEvent) -> Tranche:
    """M8: the tranche, which nothing touches once it is settled."""
    name = event.text("tranche")
    require(
        name in project.tranches,
        "M2",
        "協議無撥款 {name}",
        "the contract has no tranche {name}",
        name=call_tranche(name),
    )
    tranche = project.tranches.setdefault(name, Tranche(0, ""))
    require(
        not tranche.is_settled,
        "M8",
        "{name} 為「{status}」，又有「{type}」",
        "{name} is {status}, and then came {type}",
        name=call_tranche(name),
        status=call("tranche", tranche.status),
        type=call_event(event.type),
    )
    return tranche


def _require_gate(require: Conditions, project: Project, tranche: Tranche, *, status: tuple[str, ...]) -> None:
    """M2: the gate stands at this very moment, in a stage in which money moves, and the steps come in order."""
    require(
        project.gates.get(tranche.gate) is True,
        "M2",
        "撥付條件 {gate} 未達成",
        "the payment condition {gate} is not met",
        gate=named(tranche.gate),
    )
    require(
        project.stage in _PAYABLE and tranche.status in status,
        "M2",
        "項目為 {stage}，撥款為 {status}",
        "the project is {stage}, the tranche {status}",
        stage=call("project", project.stage),
        status=call("tranche", tranche.status),
    )


def check_disbursement_requested(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """M2, M3, M4, D5."""
    project = realm.project(event.name)
    tranche, amount = _tranche(require, project, event), event.fen("amount")
    _require_gate(require, project, tranche, status=("PLANNED", "WITHHELD", "FAILED"))
    require(
        amount == tranche.left,
        "M4",
        "申請 {amount}，未撥 {left}",
        "{amount} is asked for; {left} is unpaid",
        amount=call_amount(amount),
        left=call_amount(tranche.left),
    )
    since = project.account_since
    require(
        project.account_confirmed and (since is None or event.at >= since + _REST),
        "SD9",
        "收款賬戶自 {since} 起未經核實或未滿 24 小時",
        "the account of {since} was not confirmed, or has not rested for 24 hours",
        since=since,
    )
    registers.require_eligible(require, realm, project.bidders, event.day, realm.rules(project))
    reimbursements.require_covered(require, project, amount)
    tranche.status, tranche.requested = "REQUESTED", amount
    tranche.maker, tranche.checker, tranche.approver = event.hand, None, None


def check_disbursement_checked(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """M2, P2: by another than the maker."""
    project = realm.project(event.name)
    tranche = _tranche(require, project, event)
    _require_gate(require, project, tranche, status=("REQUESTED",))
    _require_another(require, "P2", event, tranche.maker)
    tranche.status, tranche.checker = "CHECKED", event.hand


def check_disbursement_approved(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """M2, P2: by a third."""
    project = realm.project(event.name)
    tranche = _tranche(require, project, event)
    _require_gate(require, project, tranche, status=("CHECKED",))
    _require_another(require, "P2", event, tranche.maker, tranche.checker)
    tranche.status, tranche.approver = "APPROVED", event.hand


def _require_another(require: Conditions, rule: str, event: RecordedEvent, *others: Hand | None) -> None:
    require(
        not any(event.hand.is_same(other) for other in others if other is not None),
        rule,
        "{actor} 已經手本筆撥款",
        "{actor} had this payment in hand before",
        actor=call_seat(event.actor),
    )


def check_disbursement_paid(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """M2, M3, M4, M9, P2, SD1, D5."""
    project = realm.project(event.name)
    tranche, amount = _tranche(require, project, event), event.fen("amount")
    _require_gate(require, project, tranche, status=("APPROVED",))
    hands = [hand for hand in (tranche.maker, tranche.checker, tranche.approver) if hand is not None]
    apart = len(hands) == 3 and not any(one.is_same(other) for one, other in combinations(hands, 2))  # noqa: PLR2004 - maker, checker, approver
    names = list(map(call_seat, hands))
    require(apart, "P2", "經手人 {names}", "in the hands of {names}", names=names)
    _require_another(require, "SD1", event, tranche.maker)
    reimbursements.require_covered(require, project, amount)
    require(
        amount == tranche.requested,
        "M2",
        "撥付 {amount}，審批 {requested}",
        "{amount} was paid; {requested} was approved",
        amount=call_amount(amount),
        requested=call_amount(tranche.requested),
    )
    registers.require_eligible(require, realm, project.bidders, event.day, realm.rules(project))
    split = _split(require, event, amount, project.live)
    tranche.status, tranche.paid, tranche.split = "PAID", tranche.paid + amount, split
    project.paid += amount
    for name, fen in split.items():
        project.live[name] = project.live.get(name, 0) - fen
        project.out[name] = project.out.get(name, 0) + fen
    require(
        tranche.planned == tranche.paid + tranche.cancelled,
        "M4",
        "計劃 {planned}，撥付 {paid}，核減 {cancelled}",
        "planned {planned}, paid {paid}, cancelled {cancelled}",
        planned=call_amount(tranche.planned),
        paid=call_amount(tranche.paid),
        cancelled=call_amount(tranche.cancelled),
    )
    require_sums(require, project)


def _split(require: Conditions, event: RecordedEvent, amount: int, over: Mapping[str, int]) -> dict[str, int]:
    """M9: the funds bear it in proportion, to the fen."""
    split, due = event.shares("split"), apportion(amount, over)
    require(
        split == due, "M9", "分攤 {split}，應為 {due}", "it is split {split}; it must be {due}", split=split, due=due
    )
    return split


def require_accounted(require: Conditions, name: str, tranche: Tranche, *, held: bool) -> None:
    """M4: what was planned of it is paid or cancelled, as far as it must be by then."""
    require(
        held,
        "M4",
        "{name} 計劃 {planned}，撥付 {paid}，核減 {cancelled}",
        "{name}: planned {planned}, paid {paid}, cancelled {cancelled}",
        name=call_tranche(name),
        planned=call_amount(tranche.planned),
        paid=call_amount(tranche.paid),
        cancelled=call_amount(tranche.cancelled),
    )


def require_sums(require: Conditions, project: Project) -> None:
    """M3: what is out is never negative, and never above the award."""
    require(
        0 <= project.net <= project.paid <= project.award,
        "M3",
        "撥付 {paid}，繳回 {returned}，收回 {clawed_back}，立項 {award}",
        "paid {paid}, returned {returned}, clawed back {clawed_back}, award {award}",
        paid=call_amount(project.paid),
        returned=call_amount(project.returned),
        clawed_back=call_amount(project.clawed_back),
        award=call_amount(project.award),
    )


def check_disbursement_failed(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """M3, M9: the bank sent it back: before it was booked, or after, which undoes the payment whole."""
    project = realm.project(event.name)
    tranche = project.tranches.get(event.text("tranche"), Tranche(0, ""))
    back = event.shares("split")
    require(
        back == (tranche.split if tranche.status == "PAID" else {}),
        "M9",
        "退匯分攤 {back}，撥付為 {split}",
        "{back} came back; {split} was paid",
        back=back,
        split=tranche.split,
    )
    require(
        tranche.status != "CANCELLED",
        "M8",
        "已取消的分期又有退匯",
        "a cancelled tranche came back from the bank",
    )
    for name, fen in back.items():
        project.live[name] = project.live.get(name, 0) + fen
        project.out[name] = project.out.get(name, 0) - fen
    project.paid -= sum(back.values())
    tranche.paid -= sum(back.values())
    tranche.status, tranche.split = "FAILED", {}
    require_sums(require, project)


def check_disbursement_withheld(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """The tranche is held back, so that nothing may be paid of it."""
    _tranche(require, realm.project(event.name), event).status = "WITHHELD"


def check_tranche_cancelled(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """M4: no more than is unpaid; M9; and the money is free again."""
    project = realm.project(event.name)
    tranche, amount = _tranche(require, project, event), event.fen("amount")
    require(
        amount <= tranche.left,
        "M4",
        "核減 {amount}，未撥 {left}",
        "{amount} is cancelled; {left} is unpaid",
        amount=call_amount(amount),
        left=call_amount(tranche.left),
    )
    split = _split(require, event, amount, project.live)
    for name, fen in split.items():
        project.live[name] = project.live.get(name, 0) - fen
    realm.free(project, split)
    tranche.cancelled += amount
    if tranche.left <= 0:
        tranche.status = "CANCELLED"
    elif tranche.status in ("REQUESTED", "CHECKED", "APPROVED"):
        tranche.status = "PLANNED"


# ---------------------------------------------------------------- 繳回、收回


def check_surplus_returned(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """M3, M9: what was not needed comes back, no more than is out and not ordered back."""
    project, amount = realm.project(event.name), event.fen("amount")
    _bring_back(require, project, event, amount)
    project.returned += amount
    require_sums(require, project)
    require(
        project.ordered - project.clawed_back <= project.net,
        "M10",
        "待收回 {outstanding}，已撥未退 {net}",
        "{outstanding} is to come back; only {net} is out",
        outstanding=call_amount(project.ordered - project.clawed_back),
        net=call_amount(project.net),
    )


def _bring_back(require: Conditions, project: Project, event: RecordedEvent, amount: int) -> None:
    for name, fen in _split(require, event, amount, project.out).items():
        project.out[name] = project.out.get(name, 0) - fen


def check_clawback_ordered(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """M10: no more than was paid and has not come back by itself."""
    project = realm.project(event.name)
    project.ordered += event.fen("amount")
    project.escalated = False
    require(
        project.ordered <= project.paid - project.returned,
        "M10",
        "收回資金決定合計 {ordered}，已撥未退 {unreturned}",
        "{ordered} is ordered back; {unreturned} was paid and not returned",
        ordered=call_amount(project.ordered),
        unreturned=call_amount(project.paid - project.returned),
    )


def check_clawback_received(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """M10, M3, M9: no more than was ordered."""
    project, amount = realm.project(event.name), event.fen("amount")
    _bring_back(require, project, event, amount)
    project.clawed_back += amount
    require(
        project.clawed_back <= project.ordered,
        "M10",
        "到賬 {clawed_back}，決定 {ordered}",
        "{clawed_back} came back; {ordered} was ordered",
        clawed_back=call_amount(project.clawed_back),
        ordered=call_amount(project.ordered),
    )
    require_sums(require, project)


def check_clawback_escalated(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """M10: what is handed on is what is outstanding."""
    project = realm.project(event.name)
    left = project.ordered - project.clawed_back
    outstanding = event.fen("outstanding")
    require(
        outstanding == left > 0,
        "M10",
        "移送 {said}，待收回 {left}",
        "{said} is handed on; {left} is due",
        said=call_amount(outstanding),
        left=call_amount(left),
    )
    project.escalated = True


CHECKS = {
    "DisbursementRequested": check_disbursement_requested,
    "DisbursementChecked": check_disbursement_checked,
    "DisbursementApproved": check_disbursement_approved,
    "DisbursementPaid": check_disbursement_paid,
    "DisbursementFailed": check_disbursement_failed,
    "DisbursementWithheld": check_disbursement_withheld,
    "TrancheCancelled": check_tranche_cancelled,
    "SurplusReturned": check_surplus_returned,
    "ClawbackOrdered": check_clawback_ordered,
    "ClawbackReceived": check_clawback_received,
    "ClawbackEscalated": check_clawback_escalated,
}
