"""結項與歸檔: when a project may report, close, be put away and opened again; how records are corrected (SD12)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from pydantic import ValidationError

from domain.kernel.approval import Verdict
from domain.kernel.effects import Post, Release
from domain.project.aggregate import PROJECT
from domain.project.award import DeclineAward
from domain.project.closeout import (
    ArchiveProject,
    Closeout,
    CloseProject,
    ConfirmCorrection,
    CorrectionConfirmed,
    FinalReportSubmitted,
    ProjectArchived,
    ProposeCorrection,
    ReopeningGround,
    ReopenProject,
    ReturnSurplus,
    SubmitFinalReport,
    SurplusReturned,
)
from domain.project.contract import Contract
from domain.project.delivery import Delivery, MeetMilestone, RecordActivity, RecordExpenditure
from domain.project.disbursement import DisbursementPaid, TrancheCancelled
from domain.project.evaluation import AuditOpinionIssued, FinalEvaluationConcluded, Opinion
from domain.project.money import Money
from domain.project.termination import OrderClawback
from domain.project.tranches import Tranche, Tranches, TrancheStatus
from tests.domain.project.life import AGAINST, INDEX, RULES, active, around, awarded, following, organisation, stage
from tests.domain.pure_realm import EVIDENCE
from tests.domain.sentences import StreamStory

ARCHIVE = ArchiveProject(index=INDEX)
REOPEN = ReopenProject(ground=ReopeningGround.POST_AUDIT, finding="重複列支", attachments=EVIDENCE)


def settling(eligible: int = 7500000, *, unpaid: bool = False) -> StreamStory:
    """¥75,000 are paid, the rest is cancelled; the audit found so much eligible."""
    story = active(milestones={}).happened(
        DisbursementPaid(tranche="T1", amount=7500000, split={"FS-LOT": 3500000, "FS-CSF": 4000000}), at="2024-06-20"
    )
    events = [
        FinalReportSubmitted(),
        AuditOpinionIssued(auditor="ORG-A1", opinion=Opinion.UNQUALIFIED, eligible=eligible),
        FinalEvaluationConcluded(score=Decimal(86), grade="良好", evaluator="ORG-E1", passed=True),
        TrancheCancelled(tranche="T2", amount=4500000, split={"FS-LOT": 2100000, "FS-CSF": 2400000}, **AGAINST),
        TrancheCancelled(tranche="T3", amount=3000000, split={"FS-LOT": 1400000, "FS-CSF": 1600000}, **AGAINST),
    ]
    for event in events[:-1] if unpaid else events:
        story = story.happened(event, at="2024-12-12")
    return story


def closed() -> StreamStory:
    return settling().ordered(CloseProject(), at="2024-12-28", by="CAB-REG#1")


# ---------------------------------------------------------------- final report


def test_a_project_reports_at_its_end() -> None:
    active().when(SubmitFinalReport(), at="2024-11-29", by="SO-LEGAL#1").refused("T16")
    story = active().when(SubmitFinalReport(), at="2024-11-30", by="SO-LEGAL#1").then(FinalReportSubmitted())
    assert stage(story) == "FINAL_REVIEW"


def test_a_project_reports_earlier_once_every_milestone_is_met() -> None:
    story = active().ordered(MeetMilestone(milestone="MS-1"), at="2024-07-20", by="SUPV#1")
    story.when(SubmitFinalReport(), at="2024-09-02", by="SO-LEGAL#1").refused("T16")
    story = story.ordered(MeetMilestone(milestone="MS-2"), at="2024-09-01", by="SUPV#1")
    story.ordered(SubmitFinalReport(), at="2024-09-02", by="SO-LEGAL#1")
    active(milestones={}).when(SubmitFinalReport(), at="2024-09-02", by="SO-LEGAL#1").refused("T16")


def test_a_final_report_claims_what_the_records_say_and_is_the_representatives() -> None:
    active().when(SubmitFinalReport(sessions=1), at="2024-11-30", by="SO-LEGAL#1").refused("V3")
    story = active().knowing(around(RULES, organisation("SO-LEGAL#7")))
    story.when(SubmitFinalReport(), at="2024-11-30", by="SO-LEGAL#1").refused("SD10")


# ---------------------------------------------------------------- surplus and close


def test_a_project_closes_when_money_reconciles() -> None:
    assert "CloseProject" in settling().awaited()
    assert stage(closed()) == "CLOSED"


def test_a_project_does_not_close_with_a_tranche_open() -> None:
    settling(unpaid=True).when(CloseProject(), at="2024-12-28", by="CAB-REG#1").refused("T22")


def test_a_tranche_is_settled_to_the_fen() -> None:
    story = settling()
    odd = story.state.part(Tranches).with_tranche(
        "T1", Tranche(7500000, "ContractSigned", TrancheStatus.PAID, paid=7499999)
    )
    StreamStory(PROJECT, story.state.with_parts(odd), story.facts).when(
        CloseProject(), at="2024-12-28", by="CAB-REG#1"
    ).refused("M4")


def test_a_surplus_is_returned_before_the_close() -> None:
    story = settling(7400000)
    assert "ReturnSurplus" in story.awaited()
    story.when(CloseProject(), at="2024-12-28", by="CAB-REG#1").refused("T22")
    back = ReturnSurplus(amount=100000)
    split = {"FS-CSF": 53333, "FS-LOT": 46667}
    after = story.when(back, at="2024-12-27", by="SO-ACC#1").then(SurplusReturned.of(back, split=split))
    assert after.state.part(Money).net == 7400000
    assert Post("paid/test/AP-2/FS-CSF", "world/test/treasury", 53333) in SurplusReturned.of(back, split=split).effects(
        story.state.stream
    )
    after.ordered(CloseProject(), at="2024-12-28", by="CAB-REG#1")


def test_no_more_is_returned_than_was_paid() -> None:
    settling().when(ReturnSurplus(amount=7500001), at="2024-12-27", by="SO-ACC#1").refused("M3")


# ---------------------------------------------------------------- archive and reopening


def test_a_closed_project_is_put_away_for_the_schemes_years() -> None:
    story = closed().when(ARCHIVE, at="2025-03-31", by="HOST#1").then(ProjectArchived(index=INDEX, retention_years=10))
    assert stage(story) == "ARCHIVED"
    assert story.state.stage in PROJECT.final
    assert story.awaited() == set()


def test_an_application_that_came_to_nothing_is_put_away_too() -> None:
    story = awarded().ordered(DeclineAward(reason="人手不足"), at="2024-05-30", by="SO-LEGAL#1")
    assert story.awaited() == {"ArchiveProject"}
    assert stage(story.ordered(ARCHIVE, at="2024-06-30", by="HOST#1")) == "ARCHIVED"
    active().when(ARCHIVE, at="2024-06-30", by="HOST#1").refused("T25")
    awarded().when(ARCHIVE, at="2024-06-30", by="CAB-REG#1").refused("T25")


def test_a_finding_after_the_close_opens_it_again_and_money_comes_back() -> None:
    again = REOPEN.model_copy(update={"eligible": 7000000})
    story = closed().ordered(ARCHIVE, at="2025-03-31", by="HOST#1").ordered(again, at="2025-06-02", by="CAB-DEC#1")
    assert stage(story) == "SETTLEMENT"
    story.when(CloseProject(), at="2025-06-03", by="CAB-REG#1").refused("T22")
    story = story.ordered(OrderClawback(amount=500000, **AGAINST), at="2025-06-03", by="CAB-DEC#1")
    story.when(CloseProject(), at="2025-06-04", by="CAB-REG#1").refused("T22")
    story = story.lapsed().ordered(CloseProject(), at="2025-07-10", by="CAB-REG#1")
    story.ordered(ARCHIVE, at="2025-07-11", by="HOST#1")


def test_what_is_still_to_come_back_keeps_the_file_open() -> None:
    story = settling(7400000).ordered(OrderClawback(amount=100000, **AGAINST), at="2024-12-13", by="CAB-DEC#1")
    story = story.ordered(ReturnSurplus(amount=1), at="2024-12-14", by="SO-ACC#1")
    story.when(ReturnSurplus(amount=7400000), at="2024-12-14", by="SO-ACC#1").refused("M3")


def test_only_what_had_a_contract_is_opened_again() -> None:
    story = awarded().ordered(DeclineAward(reason="人手不足"), at="2024-05-30", by="SO-LEGAL#1")
    story = story.ordered(ARCHIVE, at="2024-06-30", by="HOST#1")
    story.when(REOPEN, at="2024-07-30", by="CAB-DEC#1").refused("T26")
    more = REOPEN.model_copy(update={"eligible": 15000001})
    closed().when(more, at="2025-06-02", by="CAB-DEC#1").refused("M3")
    closed().ordered(REOPEN, at="2025-06-02", by="CAB-DEC#1")
    with pytest.raises(ValidationError, match="attachments"):
        ReopenProject(ground=ReopeningGround.DISCIPLINE, finding="挪用", attachments=())


# ---------------------------------------------------------------- corrections


def recorded() -> tuple[StreamStory, int, int]:
    """A project with one activity and one voucher, and the versions at which they stand."""
    story = active().ordered(RecordActivity(person_times=460), at="2024-07-01", by="SO-PM#1")
    voucher = RecordExpenditure(voucher="INV-001", amount=100000, line="activity")
    story = story.ordered(voucher, at="2024-07-02", by="SO-ACC#1")
    return story, story.state.version - 1, story.state.version


def correction(corrects: int, **other: object) -> ProposeCorrection:
    fields = {"correction": "C1", "corrects": corrects, "reason": "多寫一個零", "attachments": EVIDENCE}
    return ProposeCorrection.model_validate({**fields, **other})


def test_a_correction_is_a_new_record_by_two_persons_that_points_to_the_wrong_one() -> None:
    story, activity, _ = recorded()
    story = story.ordered(correction(activity, person_times=46), at="2024-07-03", by="CAB-REG#1")
    assert story.state.part(Delivery).person_times == 460
    assert "ConfirmCorrection" in story.awaited()
    confirm = ConfirmCorrection(correction="C1")
    story.when(confirm, at="2024-07-04", by="CAB-REG#1").refused("SD12")
    story = story.when(confirm, at="2024-07-04", by="CAB-REG#2").then(
        CorrectionConfirmed(correction="C1", corrects=activity)
    )
    assert story.state.part(Delivery).person_times == 46
    assert story.state.part(Closeout).corrections["C1"].confirmed_by == "CAB-REG#2"
    assert [a.verdict for a in story.state.approvals if a.gate == "ConfirmCorrection"] == [Verdict.GRANTED]
    story.when(confirm, at="2024-07-05", by="CAB-REG#3").refused("SD12")


def test_a_voucher_that_is_struck_out_is_free_again() -> None:
    story, _, voucher = recorded()
    story = story.ordered(correction(voucher, strike=True), at="2024-07-03", by="SO-ACC#1")
    (event,) = story.when(ConfirmCorrection(correction="C1"), at="2024-07-04", by="CAB-FIN#1").events
    assert list(event.effects(story.state.stream)) == [Release("voucher/test/INV-001", "project/test/AP-2")]
    story = story.ordered(ConfirmCorrection(correction="C1"), at="2024-07-04", by="CAB-FIN#1")
    assert story.state.part(Delivery).expenditures == {}


def test_the_amount_of_a_voucher_and_an_activity_are_corrected() -> None:
    story, activity, voucher = recorded()
    story = following(
        story,
        ("2024-07-03", correction(voucher, amount=10000), "SO-ACC#1"),
        ("2024-07-03", correction(activity, correction="C2", strike=True), "SO-PM#1"),
        ("2024-07-04", ConfirmCorrection(correction="C1"), "CAB-REG#2"),
        ("2024-07-04", ConfirmCorrection(correction="C2"), "CAB-REG#2"),
    )
    assert (story.state.part(Delivery).spent, story.state.part(Delivery).sessions) == (10000, 0)


def test_a_voucher_that_is_corrected_upwards_keeps_within_its_line_on_the_day_it_is_confirmed() -> None:
    """What was left when the correction was proposed has been spent since."""
    story, _, voucher = recorded()
    planned = story.state.part(Contract).budget["activity"]
    story = story.ordered(correction(voucher, amount=planned), at="2024-07-03", by="SO-ACC#1")
    confirm = ConfirmCorrection(correction="C1")
    story.when(confirm, at="2024-07-04", by="CAB-FIN#1").accepted()
    more = RecordExpenditure(voucher="INV-002", amount=1, line="activity")
    spent = story.ordered(more, at="2024-07-03", by="SO-ACC#1")
    spent.when(confirm, at="2024-07-04", by="CAB-FIN#1").refused("M6")
    before = frozenset({"numbered/test/INV-001"})
    spent.knowing(replace(spent.facts, unasked=before)).when(confirm, at="2024-07-04", by="CAB-FIN#1").accepted()


def test_a_correction_says_what_its_record_can_say() -> None:
    story, activity, voucher = recorded()
    for wrong in (
        correction(99),
        correction(1, strike=True),
        correction(activity, amount=1),
        correction(voucher, person_times=1),
    ):
        story.when(wrong, at="2024-07-03", by="CAB-REG#1").refused("SD12")
    story = story.ordered(correction(1), at="2024-07-03", by="CAB-REG#1")
    story.when(correction(2), at="2024-07-03", by="CAB-REG#1").refused("SD12")
    story.when(ConfirmCorrection(correction="C9"), at="2024-07-03", by="CAB-REG#2").refused("SD12")


def test_an_archived_file_is_opened_before_it_is_corrected() -> None:
    story = closed().ordered(ARCHIVE, at="2025-03-31", by="HOST#1")
    story.when(correction(1), at="2025-04-01", by="CAB-REG#1").refused("SD12")
    assert date(2025, 3, 31) == story.state.part(Closeout).archived_on
