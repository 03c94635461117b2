"""事後補助: the organisation spends first, and no more is paid than its checked vouchers come to (M12).

The award stays the cap: lines of the budget add up to it, and a voucher keeps within its line (M6).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, assert_never

from pydantic import Field

from domain.kernel.attachment import Attachments
from domain.kernel.calendar import Calendar
from domain.kernel.decider import Decider
from domain.kernel.facts import Facts
from domain.kernel.ground import Ground, require_grounds
from domain.kernel.identifier import Reason, Role
from domain.kernel.message import Awaited, Command, Event, Occurrence, Order, Particulars
from domain.kernel.money import Fen, yuan
from domain.kernel.refusal import Checks
from domain.kernel.relation import BUREAU
from domain.kernel.state import State
from domain.project.contract import Contract
from domain.project.delivery import Delivery, Issuer, VoucherNumber, name_document
from domain.project.money import Money
from domain.project.stage import CONTRACT_LIVE
from domain.project.tranches import Clause

if TYPE_CHECKING:
    from collections.abc import Iterable


class CheckedVoucher(Clause):
    """What finance recognises of one voucher."""

    voucher: VoucherNumber
    issuer: Issuer = None
    allowed: Annotated[Fen, Field(title="核定支出 / allowed")]
    """Fen; less than the voucher's amount wants a reason (V1)."""

    @property
    def document(self) -> str:
        """As the records know the voucher."""
        return name_document(self.voucher, self.issuer)


class ExpenditureCheck(Particulars):
    """Which vouchers finance has checked."""

    vouchers: Annotated[tuple[CheckedVoucher, ...], Field(min_length=1, max_length=500, title="支出憑證 / vouchers")]
    reason: Annotated[Reason | None, Field(title="理由 / reason")] = None
    attachments: Attachments = ()


class ExpendituresChecked(ExpenditureCheck, Event):
    """The vouchers were checked; what is allowed of them may be reimbursed."""

    zh = "支出核對"
    en = "vouchers checked"


class CheckExpenditures(ExpenditureCheck, Command):
    """Check vouchers."""

    records = ExpendituresChecked
    en_words = "check vouchers"
    by = (Role.CAB_FIN,)
    acts_for = (BUREAU,)
    during = CONTRACT_LIVE
    rule = "M12"
    grounds = (
        Ground(
            "M12",
            "只有事後補助的項目逐張核對支出憑證",
            "vouchers are checked one by one only where the project is reimbursed",
            lambda state: state.part(Contract).reimburses,
        ),
    )


Commands = CheckExpenditures
Events = ExpendituresChecked


def decide(state: State, _facts: Facts, _order: Order, command: Commands) -> list[Event]:
    """What an order about vouchers makes happen. Raises CommandRejected."""
    check = Checks()
    match command:
        case CheckExpenditures():
            _require_checkable(check, state, command)
            return check.grant(ExpendituresChecked.of(command))
        case _:
            assert_never(command)


def _require_checkable(check: Checks, state: State, command: CheckExpenditures) -> None:
    """M12: vouchers of this project, none beyond its amount. V1: what is cut is cut for a reason, with evidence."""
    require_grounds(check, state, command)
    expenditures, allowed = state.part(Delivery).expenditures, {one.document: one.allowed for one in command.vouchers}
    check(
        len(allowed) == len(command.vouchers),
        "M12",
        "憑證重複列出",
        "a voucher is listed twice",
    )
    unknown = sorted(allowed.keys() - expenditures.keys())
    check(
        not unknown,
        "M12",
        "憑證 {unknown} 未登記，請核對號碼與開票方",
        "{unknown} are not on record; check number and issuer",
        unknown=unknown,
    )
    beyond = sorted(name for name in allowed.keys() & expenditures.keys() if allowed[name] > expenditures[name].amount)
    check(
        not beyond,
        "M12",
        "核定支出超過憑證金額：{beyond}",
        "more is allowed than was spent: {beyond}",
        beyond=beyond,
    )
    cut = sorted(name for name in allowed.keys() & expenditures.keys() if allowed[name] < expenditures[name].amount)
    check(
        not cut or (command.reason and command.attachments),
        "V1",
        "核減憑證 {cut} 須說明理由並附依據",
        "give the reason and the evidence for what is not allowed of {cut}",
        cut=cut,
    )


def require_covered(check: Checks, state: State, amount: Fen) -> None:
    """M12: where the project is reimbursed, what is paid in all is what its checked vouchers come to, or less."""
    paid, covered = state.part(Money).paid, state.part(Delivery).allowed
    check(
        is_covered(state, amount),
        "M12",
        "事後補助：核定支出 {covered}，已撥付 {paid}，不足以撥付 {amount}；請核對支出憑證，或先核減差額",
        "{covered} of spending is allowed and {paid} is paid, which leaves less than {amount}: "
        "check vouchers, or cancel the difference first",
        covered=yuan(covered),
        paid=yuan(paid),
        amount=yuan(amount),
    )


def is_covered(state: State, amount: Fen) -> bool:
    """Whether nothing forbids to pay that much more (M12): so wherever money goes out before it is spent."""
    return not state.part(Contract).reimburses or state.part(Money).paid + amount <= state.part(Delivery).allowed


# ---------------------------------------------------------------- evolve, who is awaited


def evolve(state: State, _of: Occurrence, event: Events) -> State:
    """Keep beside each voucher how much of it was allowed, in fen."""
    delivery = state.part(Delivery)
    match event:
        case ExpendituresChecked(vouchers=vouchers):
            expenditures = delivery.expenditures
            checked = {one.document: replace(expenditures[one.document], allowed=one.allowed) for one in vouchers}
            return state.with_parts(replace(delivery, expenditures={**expenditures, **checked}))
        case _:
            assert_never(event)


def awaiting(state: State, _calendar: Calendar) -> Iterable[Awaited]:
    """Vouchers that nobody has checked."""
    unchecked = sum(one.allowed is None for one in state.part(Delivery).expenditures.values())
    if unchecked and state.part(Contract).reimburses and state.stage in CONTRACT_LIVE:
        zh, en = f"核對支出憑證 {unchecked} 張", f"check {unchecked} vouchers"
        yield Awaited((Role.CAB_FIN,), "CheckExpenditures", "", zh, en)


DECIDER = Decider(
    name="reimbursement",
    zh="事後補助",
    commands=(CheckExpenditures,),
    events=(ExpendituresChecked,),
    decide=decide,
    evolve=evolve,
    awaiting=awaiting,
)
