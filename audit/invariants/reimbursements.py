"""Projects that spend first: no more is paid than the vouchers that finance has checked come to (M12)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from audit.invariants.recorded_events import whole
from audit.invariants.wording import call_amount

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audit.invariants.realm import Project, Realm
    from audit.invariants.recorded_events import Conditions, RecordedEvent
    from audit.invariants.rules import Rules


def take_route(require: Conditions, project: Project, rules: Rules, event: RecordedEvent) -> None:
    """M12: a contract reimburses if the route of its rules does, and only then; what was paid before is covered."""
    project.reimburses = event.data.get("reimburses") is True
    project.paid_before = sum(whole(term.get("paid")) for term in event.part("tranches").values())
    require(
        not rules or project.reimburses == (rules["route"] == "REIMBURSE"),
        "M12",
        "協議與辦法的方式不符",
        "the contract does not go by the route of its rules",
    )


def check_expenditures_checked(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """M12: vouchers of that project, none beyond its amount. V1: a cut has a reason and evidence."""
    project = realm.project(event.name)
    names = {_name(issuer, number): at for at, (number, issuer) in project.vouchers.items()}
    rows = event.data.get("vouchers") or ()
    allowed = {_name(str(row.get("issuer") or ""), str(row.get("voucher"))): whole(row.get("allowed")) for row in rows}
    strays = sorted(allowed.keys() - names.keys())
    require(
        project.reimburses and not strays and len(allowed) == len(rows),
        "M12",
        "核對了未登記的憑證 {strays}",
        "vouchers were checked that are not on record: {strays}",
        strays=strays,
    )
    spent = {name: project.spending[at][1] for name, at in names.items() if at in project.spending}
    beyond = sorted(name for name, fen in allowed.items() if fen > spent.get(name, fen))
    require(not beyond, "M12", "核定超過憑證金額 {beyond}", "more is allowed than was spent: {beyond}", beyond=beyond)
    cut = sorted(name for name, fen in allowed.items() if fen < spent.get(name, fen))
    require(
        not cut or (event.text("reason") and event.data.get("attachments")),
        "V1",
        "核減憑證 {cut} 無理由或附件",
        "{cut} was cut without reason or evidence",
        cut=cut,
    )
    project.allowed |= {names[name]: fen for name, fen in allowed.items() if name in names}


def _name(issuer: str, number: str) -> str:
    return "/".join(filter(None, (issuer, number)))


def require_covered(require: Conditions, project: Project, amount: int) -> None:
    """M12: what is paid in all, with that, is covered by what was allowed."""
    covered = project.paid_before + sum(project.allowed.values())
    require(
        not project.reimburses or project.paid + amount <= covered,
        "M12",
        "已撥付 {paid}，另撥 {amount}，核定支出 {covered}",
        "{paid} is paid and {amount} more; the checked vouchers come to {covered}",
        paid=call_amount(project.paid),
        amount=call_amount(amount),
        covered=call_amount(covered),
    )


CHECKS: Final[Mapping[str, Any]] = {"ExpendituresChecked": check_expenditures_checked}
