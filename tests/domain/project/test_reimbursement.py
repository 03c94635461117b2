"""The organisation spends first, and no more is paid than its checked vouchers come to (M12)."""

from __future__ import annotations

from datetime import date

import pytest

from domain.project import reimbursement
from domain.project.closeout import ConfirmCorrection, ProposeCorrection
from domain.project.delivery import Delivery, RecordActivity, RecordExpenditure
from domain.project.disbursement import CancelTranche, PayDisbursement, RequestDisbursement
from domain.project.reimbursement import CheckExpenditures
from tests.domain.project.life import AGAINST, active, following
from tests.domain.pure_realm import EVIDENCE, scheme
from tests.domain.sentences import StreamStory
from tests.domain.written_realm import WrittenRealm, check, paying, project, realm_until

AFTERWARDS = scheme("hangzhou", route="REIMBURSE")
BEFORE = date(2024, 3, 1)
"""Before the agreement: the work was done already."""
FIRST = RecordExpenditure(voucher="INV-1", issuer="甲公司", amount=6000000, line="activity", spent_on=BEFORE)
SECOND = RecordExpenditure(voucher="INV-2", amount=2000000, line="venue", spent_on=BEFORE)
ASK = RequestDisbursement(tranche="T1")
"""For ¥75,000."""


def spent() -> StreamStory:
    return following(active(AFTERWARDS), ("2024-07-01", FIRST, "SO-ACC#1"), ("2024-07-02", SECOND, "SO-ACC#1"))


def checking(**allowed: int) -> CheckExpenditures:
    names = {"first": {"voucher": "INV-1", "issuer": "甲公司"}, "second": {"voucher": "INV-2"}}
    return check_vouchers(*({**names[name], "allowed": fen} for name, fen in allowed.items()))


def check_vouchers(*rows: dict[str, object]) -> CheckExpenditures:
    return CheckExpenditures.model_validate({"vouchers": rows})


def test_no_money_goes_out_before_vouchers_were_checked() -> None:
    spent().when(ASK, at="2024-07-03", by="CAB-REG#1").refused("M12")
    half = spent().ordered(checking(first=6000000), at="2024-07-03", by="CAB-FIN#1")
    half.when(ASK, at="2024-07-04", by="CAB-REG#1").refused("M12")
    whole = half.ordered(checking(second=2000000), at="2024-07-04", by="CAB-FIN#1")
    whole.ordered(ASK, at="2024-07-05", by="CAB-REG#1")


def test_what_is_not_covered_may_be_cancelled_and_the_rest_paid() -> None:
    story = spent().ordered(checking(first=6000000), at="2024-07-03", by="CAB-FIN#1")
    less = CancelTranche(tranche="T1", amount=1500000, **AGAINST)
    story.ordered(less, at="2024-07-04", by="CAB-DEC#1").ordered(ASK, at="2024-07-05", by="CAB-REG#1")


def test_a_voucher_is_not_worth_more_than_it_is_and_a_cut_has_a_reason() -> None:
    spent().when(checking(first=6000001), at="2024-07-03", by="CAB-FIN#1").refused("M12")
    strange = check_vouchers({"voucher": "INV-1", "allowed": 1})  # the voucher of that number names its issuer
    spent().when(strange, at="2024-07-03", by="CAB-FIN#1").refused("M12")
    twice = check_vouchers(*[{"voucher": "INV-2", "allowed": 2000000}] * 2)
    spent().when(twice, at="2024-07-03", by="CAB-FIN#1").refused("M12")
    cut = checking(first=5000000)
    spent().when(cut, at="2024-07-03", by="CAB-FIN#1").refused("V1")
    explained = cut.model_copy(update={"reason": "含招待費", "attachments": EVIDENCE})
    after = spent().ordered(explained, at="2024-07-03", by="CAB-FIN#1")
    assert after.state.part(Delivery).allowed == 5000000


def test_vouchers_are_checked_only_where_the_project_is_reimbursed() -> None:
    story = active().ordered(SECOND.model_copy(update={"spent_on": date(2024, 7, 1)}), at="2024-07-01", by="SO-ACC#1")
    story.when(checking(second=2000000), at="2024-07-03", by="CAB-FIN#1").refused("M12")


def test_a_voucher_that_is_corrected_is_checked_again() -> None:
    story = spent().ordered(checking(first=6000000, second=2000000), at="2024-07-03", by="CAB-FIN#1")
    requested = story.ordered(ASK, at="2024-07-04", by="CAB-REG#1")
    version = story.state.part(Delivery).expenditures["甲公司/INV-1"].version
    wrong = ProposeCorrection(correction="1", corrects=version, reason="票面有誤", attachments=EVIDENCE, amount=1000000)
    corrected = following(
        requested, ("2024-07-04", wrong, "SO-ACC#1"), ("2024-07-05", ConfirmCorrection(correction="1"), "CAB-REG#2")
    )
    assert corrected.state.part(Delivery).allowed == 2000000
    assert "CheckExpenditures" in corrected.awaited()
    pay = PayDisbursement(tranche="T1", amount=7500000)
    corrected.when(pay, at="2024-07-08", by="FISCAL#1").refused("M2", "M12")


def test_what_was_done_before_the_start_counts_where_it_is_reimbursed() -> None:
    earlier = RecordActivity(person_times=30, held_on=BEFORE)
    active(AFTERWARDS).ordered(earlier, at="2024-07-01", by="SO-PM#1")
    active().when(earlier, at="2024-07-01", by="SO-PM#1").refused("D3")


# ---------------------------------------------------------------- the independent checker


def realm_spent() -> WrittenRealm:
    realm = realm_until("account", AFTERWARDS)
    voucher = RecordExpenditure(voucher="V-1", amount=500_000, line="activity", spent_on=BEFORE)
    project(voucher, "2024-03-23", "SO-ACC#1").ordered(realm)
    return realm


def test_a_payment_without_vouchers_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    realm = realm_spent()
    assert project(ASK, "2024-03-25", "CAB-REG#1").refused(realm) == {"M12"}
    monkeypatch.setattr(reimbursement, "is_covered", lambda _state, _amount: True)
    for _, step in paying("T1", 400_000, "2024-03-25"):
        step.ordered(realm)
    assert {breach.rule for breach in realm.check().breaches} == {"M12"}


@pytest.mark.parametrize("missing", ["ExpendituresChecked", "ExpenditureRecorded"])
def test_a_reimbursement_that_nothing_covers_is_caught(missing: str) -> None:
    realm = realm_spent()
    project(check_vouchers({"voucher": "V-1", "allowed": 500_000}), "2024-03-24", "CAB-FIN#1").ordered(realm)
    for _, step in paying("T1", 400_000, "2024-03-25"):
        step.ordered(realm)
    assert realm.check().ok
    without = [entry for entry in realm.entries if entry.type != missing]
    assert "M12" in {breach.rule for breach in check(without).breaches}
