"""撥付: the gate, three people, bound content, what may happen to a tranche (M2–M4, M8, M9, P2, SD1, SD3, D5)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from pydantic import ValidationError

from domain.kernel.approval import Verdict
from domain.kernel.calendar import day_ends
from domain.kernel.effects import Post
from domain.project.contract import RegisterLedgerAccount
from domain.project.disbursement import (
    ApproveDisbursement,
    CancelTranche,
    CheckDisbursement,
    DisbursementFailed,
    DisbursementPaid,
    FailDisbursement,
    PayDisbursement,
    RequestDisbursement,
    TrancheCancelled,
    WithholdDisbursement,
)
from domain.project.evaluation import AuditOpinionIssued, MidtermEvaluationConcluded, Opinion, Result
from domain.project.money import Money
from domain.project.remedy import RectificationOrdered
from domain.project.tranches import Tranches, TrancheStatus
from domain.project.variation import ContractAmended
from domain.registers.organisation import Listing, Organisation
from tests.domain.project.life import (
    AGAINST,
    BOTH,
    BUDGET,
    FUNDS,
    MILESTONES,
    OTHER_ACCOUNT,
    RULES,
    TRANCHES,
    active,
    agreement,
    around,
    awarded,
    contracted,
    following,
    organisation,
)
from tests.domain.sentences import StreamStory

REQUEST = RequestDisbursement(tranche="T1", amount=7500000)
CHECK = CheckDisbursement(tranche="T1")
APPROVE = ApproveDisbursement(tranche="T1")
PAY = PayDisbursement(tranche="T1", amount=7500000)


def requested() -> StreamStory:
    return contracted().ordered(REQUEST, at="2024-06-06", by="CAB-REG#1")


def checked() -> StreamStory:
    return requested().ordered(CHECK, at="2024-06-07", by="CAB-FIN#1")


def approved() -> StreamStory:
    return checked().ordered(APPROVE, at="2024-06-11", by="CAB-DEC#1")


def paid() -> StreamStory:
    return approved().ordered(PAY, at="2024-06-13", by="FISCAL#1")


def status(story: StreamStory, name: str = "T1") -> TrancheStatus:
    return story.state.part(Tranches).of[name].status


def approvals(story: StreamStory) -> list[tuple[str, Verdict]]:
    return [(a.gate, a.verdict) for a in story.state.approvals if a.gate.endswith("Disbursement")]


def test_three_people_and_the_treasury_pay_a_tranche_from_both_funds() -> None:
    story = approved()
    split = {"FS-CSF": 4000000, "FS-LOT": 3500000}
    story = story.when(PAY, at="2024-06-13", by="FISCAL#1").then(DisbursementPaid.of(PAY, split=split))
    assert status(story) is TrancheStatus.PAID
    money = story.state.part(Money)
    assert (money.paid, money.net) == (7500000, 7500000)
    assert money.committed == {"FS-CSF": 4000000, "FS-LOT": 3500000}
    assert list(DisbursementPaid.of(PAY, split=split).effects(story.state.stream)) == [
        Post("committed/test/AP-2/FS-CSF", "paid/test/AP-2/FS-CSF", 4000000),
        Post("committed/test/AP-2/FS-LOT", "paid/test/AP-2/FS-LOT", 3500000),
    ]


def test_an_amount_left_out_is_all_that_is_unpaid() -> None:
    story = contracted().ordered(RequestDisbursement(tranche="T1"), at="2024-06-06", by="CAB-REG#1")
    assert story.state.part(Tranches).of["T1"].requested == 7500000


def test_nothing_is_asked_for_before_its_gate() -> None:
    contracted().when(RequestDisbursement(tranche="T2"), at="2024-06-06", by="CAB-REG#1").refused("M2")


def test_the_latest_event_of_a_gate_counts() -> None:
    passed = MidtermEvaluationConcluded(score=80, result=Result.PASS, evaluator="ORG-E1")
    failed = MidtermEvaluationConcluded(score=40, result=Result.FAIL, evaluator="ORG-E1")
    request = RequestDisbursement(tranche="T2")
    story = active().happened(passed, at="2024-09-01", by="EVAL#1")
    story.ordered(request, at="2024-09-02", by="CAB-REG#1")
    story = story.happened(failed, at="2024-09-03", by="EVAL#1")
    story.when(request, at="2024-09-04", by="CAB-REG#1").refused("M2")


def test_a_gate_that_falls_stops_what_is_in_hand() -> None:
    passed = MidtermEvaluationConcluded(score=80, result=Result.PASS, evaluator="ORG-E1")
    failed = MidtermEvaluationConcluded(score=40, result=Result.FAIL, evaluator="ORG-E1")
    story = active().happened(passed, at="2024-09-01", by="EVAL#1")
    story = story.ordered(RequestDisbursement(tranche="T2"), at="2024-09-02", by="CAB-REG#1")
    story = story.happened(failed, at="2024-09-03", by="EVAL#1")
    story.when(CheckDisbursement(tranche="T2"), at="2024-09-04", by="CAB-FIN#1").refused("M2")


def test_all_of_a_tranche_is_asked_for() -> None:
    part = RequestDisbursement(tranche="T1", amount=7499999)
    contracted().when(part, at="2024-06-06", by="CAB-REG#1").refused("M4")


def test_an_unknown_tranche_is_refused() -> None:
    outcome = contracted().when(RequestDisbursement(tranche="T9"), at="2024-06-06", by="CAB-REG#1")
    outcome.refused("M2")
    assert outcome.refusal is not None
    assert "T1, T2, T3" in outcome.refusal.unmet[0].en


def test_nothing_is_asked_for_without_an_account() -> None:
    story = awarded().ordered(agreement(), at="2024-06-04", by="CAB-REG#1")
    story.when(REQUEST, at="2024-06-05", by="CAB-REG#1").refused("SD3")


def test_nobody_listed_is_paid() -> None:
    org = organisation()
    listed = org.with_parts(replace(org.part(Organisation), listings=frozenset({Listing.ABNORMAL})))
    story = contracted().knowing(around(RULES, listed))
    story.when(REQUEST, at="2024-06-06", by="CAB-REG#1").refused("D5")
    approved().knowing(around(RULES, listed)).when(PAY, at="2024-06-13", by="FISCAL#1").refused("D5")


def test_maker_checker_and_approver_are_three_people() -> None:
    requested().when(CHECK, at="2024-06-07", by="CAB-REG#1").refused("P2", "M2")
    checked().when(APPROVE, at="2024-06-11", by="CAB-FIN#1").refused("P2", "M2")
    checked().when(APPROVE, at="2024-06-11", by="CAB-REG#1").refused("P2", "M2")
    approved().when(PAY, at="2024-06-13", by="CAB-REG#1").refused("SD1", "M2")


def test_the_steps_come_in_order() -> None:
    contracted().when(CHECK, at="2024-06-07", by="CAB-FIN#1").refused("M2")
    requested().when(APPROVE, at="2024-06-11", by="CAB-DEC#1").refused("M2")
    checked().when(PAY, at="2024-06-13", by="FISCAL#1").refused("M2")
    requested().when(REQUEST, at="2024-06-07", by="CAB-REG#1").refused("M2")


def test_what_is_paid_is_what_was_approved() -> None:
    less = PayDisbursement(tranche="T1", amount=7499999)
    approved().when(less, at="2024-06-13", by="FISCAL#1").refused("SD3")


def test_the_approvals_are_asked_for_one_after_the_other() -> None:
    assert approvals(requested()) == [("CheckDisbursement", Verdict.OPEN)]
    assert approvals(checked()) == [("CheckDisbursement", Verdict.GRANTED), ("ApproveDisbursement", Verdict.OPEN)]
    assert approvals(approved())[-1] == ("ApproveDisbursement", Verdict.GRANTED)


def test_another_account_voids_what_is_in_hand() -> None:
    story = checked().ordered(RegisterLedgerAccount(account=OTHER_ACCOUNT), at="2024-06-08", by="SO-ACC#1")
    assert status(story) is TrancheStatus.PLANNED
    assert approvals(story)[-1] == ("ApproveDisbursement", Verdict.VOID)
    story.when(APPROVE, at="2024-06-11", by="CAB-DEC#1").refused("SD3", "M2")


def test_an_approval_is_for_its_content_only() -> None:
    story = approved()
    tranches = story.state.part(Tranches)
    forged = story.state.with_parts(tranches.with_tranche("T1", replace(tranches.of["T1"], bound="0" * 64)))
    replace(story, state=forged).when(PAY, at="2024-06-13", by="FISCAL#1").refused("SD3")


def test_another_contract_version_voids_what_is_in_hand() -> None:
    amended = ContractAmended(
        version=2, award=15000000, signatures=BOTH, split={}, tranches=TRANCHES, budget=BUDGET, milestones=MILESTONES
    )
    story = approved().happened(amended, at="2024-06-12", by="CAB-REG#1")
    story.when(PAY, at="2024-06-13", by="FISCAL#1").refused("SD3", "M2")
    story.ordered(REQUEST, at="2024-06-13", by="CAB-REG#1")


def test_no_money_goes_out_while_something_is_put_right() -> None:
    ordered = RectificationOrdered(findings=("缺憑證",), rectify_wd=15)
    story = active().happened(ordered, at="2024-07-01", by="CAB-REG#1")
    story.when(REQUEST, at="2024-07-02", by="CAB-REG#1").refused("M2")


def test_a_payment_that_came_back_is_asked_for_again() -> None:
    story = approved().ordered(FailDisbursement(tranche="T1", reason="賬號有誤"), at="2024-06-14", by="FISCAL#1")
    assert status(story) is TrancheStatus.FAILED
    assert story.state.part(Money).paid == 0
    story = following(
        story,
        ("2024-06-17", REQUEST, "CAB-REG#1"),
        ("2024-06-18", CHECK, "CAB-FIN#1"),
        ("2024-06-19", APPROVE, "CAB-DEC#1"),
        ("2024-06-20", PAY, "FISCAL#1"),
    )
    assert len({a.id for a in story.state.approvals if a.key == "T1"}) == 4


def test_what_the_bank_reports_is_of_the_request_in_hand_and_of_none_before_it() -> None:
    story = approved()
    first = story.state.part(Tranches).of["T1"].bound
    paying, failing = (
        PAY.model_copy(update={"bound": first}),
        FailDisbursement(tranche="T1", reason="退匯", bound=first),
    )
    story.ordered(paying, at="2024-06-13", by="FISCAL#1").ordered(failing, at="2024-06-14", by="FISCAL#1")
    story = following(
        story.ordered(failing, at="2024-06-14", by="FISCAL#1"),
        ("2024-06-17", REQUEST, "CAB-REG#1"),
        ("2024-06-18", CHECK, "CAB-FIN#1"),
        ("2024-06-19", APPROVE, "CAB-DEC#1"),
    )
    story.when(paying, at="2024-06-20", by="FISCAL#1").refused("SD3")
    story.when(failing, at="2024-06-20", by="FISCAL#1").refused("SD3")
    story.ordered(PAY, at="2024-06-20", by="FISCAL#1")


def test_only_an_approved_payment_comes_back() -> None:
    checked().when(FailDisbursement(tranche="T1", reason="退匯"), at="2024-06-14", by="FISCAL#1").refused("M2")


def test_what_is_held_back_is_asked_for_again_once_its_gate_stands() -> None:
    hold = WithholdDisbursement(tranche="T1", **AGAINST)
    story = checked().ordered(hold, at="2024-06-10", by="CAB-REG#1")
    assert status(story) is TrancheStatus.WITHHELD
    assert approvals(story)[-1] == ("ApproveDisbursement", Verdict.VOID)
    story.when(hold, at="2024-06-11", by="CAB-REG#1").refused("M8")
    story.ordered(REQUEST, at="2024-06-12", by="CAB-REG#1")


def test_a_paid_tranche_stays_as_it_is() -> None:
    story = paid()
    story.when(WithholdDisbursement(tranche="T1", **AGAINST), at="2024-06-20", by="CAB-REG#1").refused("M8")
    story.when(CancelTranche(tranche="T1", amount=1, **AGAINST), at="2024-06-20", by="CAB-DEC#1").refused("M8", "M4")
    story.when(RequestDisbursement(tranche="T1"), at="2024-06-20", by="CAB-REG#1").refused("M8")


def test_an_adverse_decision_about_money_has_its_evidence() -> None:
    with pytest.raises(ValidationError, match="attachments"):
        WithholdDisbursement(tranche="T1", reason="未達標", attachments=())
    with pytest.raises(ValidationError, match="reason"):
        CancelTranche.model_validate({"tranche": "T1", "amount": 1, "attachments": AGAINST["attachments"]})


def test_a_part_that_is_cancelled_goes_back_to_the_envelopes() -> None:
    cut = CancelTranche(tranche="T3", amount=240000, **AGAINST)
    split = {"FS-CSF": 128000, "FS-LOT": 112000}
    story = paid().when(cut, at="2024-07-01", by="CAB-DEC#1").then(TrancheCancelled.of(cut, split=split))
    tranche = story.state.part(Tranches).of["T3"]
    assert (tranche.status, tranche.remainder) == (TrancheStatus.PLANNED, 2760000)
    assert Post("committed/test/AP-2/FS-LOT", "envelope/test/FS-LOT", 112000) in TrancheCancelled.of(
        cut, split=split
    ).effects(story.state.stream)


def test_a_cut_voids_what_is_in_hand_and_a_whole_cut_ends_it() -> None:
    story = requested().ordered(CancelTranche(tranche="T1", amount=1, **AGAINST), at="2024-06-07", by="CAB-DEC#1")
    assert approvals(story) == [("CheckDisbursement", Verdict.VOID)]
    story.when(CHECK, at="2024-06-08", by="CAB-FIN#1").refused("SD3", "M2")
    rest = CancelTranche(tranche="T1", amount=7499999, **AGAINST)
    assert status(story.ordered(rest, at="2024-06-08", by="CAB-DEC#1")) is TrancheStatus.CANCELLED


def test_no_more_is_cancelled_than_is_unpaid() -> None:
    contracted().when(CancelTranche(tranche="T3", amount=3000001, **AGAINST), at="2024-06-07", by="CAB-DEC#1").refused(
        "M4"
    )


def test_nothing_is_paid_beyond_what_the_audit_found_eligible() -> None:
    passed = MidtermEvaluationConcluded(score=80, result=Result.PASS, evaluator="ORG-E1")
    audited = AuditOpinionIssued(auditor="ORG-A1", opinion=Opinion.UNQUALIFIED, eligible=11999999)
    story = paid().happened(passed, at="2024-06-20", by="EVAL#1").happened(audited, at="2024-06-21", by="AUDIT#1")
    request = RequestDisbursement(tranche="T2")
    story.when(request, at="2024-06-24", by="CAB-REG#1").refused("M3")
    story = story.happened(audited.model_copy(update={"eligible": 12000000}), at="2024-06-24", by="AUDIT#1")
    story.ordered(request, at="2024-06-24", by="CAB-REG#1")


def test_no_more_is_paid_than_the_award() -> None:
    story = contracted()
    swollen = story.state.with_parts(replace(story.state.part(Money), paid=7500001))
    replace(story, state=swollen).when(REQUEST, at="2024-06-06", by="CAB-REG#1").refused("M3")


def test_a_payment_is_awaited_until_its_last_working_day_ends() -> None:
    (awaited,) = [
        a for a in approved().aggregate.awaiting(approved().state, approved().facts.calendar) if a.subject == "T1"
    ]
    assert awaited.command == "PayDisbursement"
    assert awaited.until == day_ends(date(2024, 6, 28))  # 15 working days after 6 June; 10 June is a holiday
    assert {a.command for a in paid().aggregate.awaiting(paid().state, paid().facts.calendar) if a.subject} == set()


def test_a_payment_that_comes_back_after_it_was_paid_is_set_aside_and_asked_for_again() -> None:
    split = {"FS-CSF": 4000000, "FS-LOT": 3500000}
    returned = FailDisbursement(tranche="T1", reason="退匯")
    story = paid()
    out = story.state.part(Tranches).of["T1"].split
    story = story.when(returned, at="2024-06-17", by="FISCAL#1").then(DisbursementFailed.of(returned, split=out))
    assert (sum(split.values()), status(story), story.state.part(Money).net) == (7500000, TrancheStatus.FAILED, 0)
    assert story.state.part(Money).committed == FUNDS
    event = DisbursementFailed.of(returned, split=out)
    assert Post("paid/test/AP-2/FS-CSF", "committed/test/AP-2/FS-CSF", out["FS-CSF"]) in list(
        event.effects(story.state.stream)
    )
    again = RequestDisbursement(tranche="T1")
    assert status(story.ordered(again, at="2024-06-18", by="CAB-REG#1")) is TrancheStatus.REQUESTED
