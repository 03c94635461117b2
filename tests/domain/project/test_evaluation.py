"""評估與審計: what a score leads to, who may evaluate and audit, and what a pass needs (T19, T21; P3, V1, Z1)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from domain.kernel.calendar import day_ends
from domain.project.closeout import FinalReportSubmitted
from domain.project.delivery import ActivityRecorded, ReportKind, SubmitReport, VolunteerTeamFormed
from domain.project.evaluation import (
    AuditOpinionIssued,
    ConcludeFinalEvaluation,
    ConcludeMidtermEvaluation,
    FailOverdueMidterm,
    FinalEvaluationConcluded,
    IssueAuditOpinion,
    MidtermEvaluationConcluded,
    Opinion,
    Result,
)
from domain.project.money import Money
from domain.project.remedy import ProjectResumed, ProjectSuspended, SuspensionGround
from domain.project.stage import Gates
from tests.domain.project.life import AGAINST, PARTIES, RULES, active, contracted, stage
from tests.domain.pure_realm import EVIDENCE, scheme
from tests.domain.sentences import StreamStory

PASSED = ConcludeMidtermEvaluation(score=Decimal(76), result=Result.PASS)
FAILED = ConcludeMidtermEvaluation(score=Decimal(58), result=Result.FAIL, finding="資料不全", attachments=EVIDENCE)
AUDITED = IssueAuditOpinion(opinion=Opinion.UNQUALIFIED, eligible=15000000)
GOOD = ConcludeFinalEvaluation(score=Decimal(86), grade="良好")
BAD = ConcludeFinalEvaluation(score=Decimal(59), grade="不合格", finding="未達目標", attachments=EVIDENCE)


def under_review(rules: object = None, **other: object) -> StreamStory:
    story = active(rules or RULES, **other)  # type: ignore[arg-type]
    return story.happened(FinalReportSubmitted(), at="2024-11-30", by="SO-LEGAL#1")


def audited(rules: object = None) -> StreamStory:
    return under_review(rules).ordered(AUDITED, at="2024-12-09", by="AUDIT#1")


# ---------------------------------------------------------------- mid-term


def test_a_passed_midterm_opens_its_gate_and_names_the_contracts_evaluator() -> None:
    story = (
        active()
        .when(PASSED, at="2024-09-12", by="EVAL#1")
        .then(MidtermEvaluationConcluded.of(PASSED, evaluator="ORG-E1"))
    )
    assert "MidtermEvaluationConcluded" in story.state.part(Gates).passed
    assert stage(story) == "ACTIVE"


def test_a_failed_midterm_keeps_its_gate_shut() -> None:
    story = active().ordered(FAILED, at="2024-09-12", by="EVAL#1")
    assert "MidtermEvaluationConcluded" not in story.state.part(Gates).passed


def test_the_result_is_what_the_score_says() -> None:
    lenient = ConcludeMidtermEvaluation(score=Decimal("59.99"), result=Result.PASS)
    active().when(lenient, at="2024-09-12", by="EVAL#1").refused("M2")
    ConcludeMidtermEvaluation(score=Decimal(60), result=Result.PASS)
    strict = ConcludeMidtermEvaluation(score=Decimal(60), result=Result.FAIL, finding="資料不全", attachments=EVIDENCE)
    active().when(strict, at="2024-09-12", by="EVAL#1").refused("M2")


def test_a_failing_evaluation_shows_what_was_found() -> None:
    bare = ConcludeMidtermEvaluation(score=Decimal(41), result=Result.FAIL)
    active().when(bare, at="2024-09-12", by="EVAL#1").refused("V1")
    for half in ({"finding": "重複列支"}, {"attachments": EVIDENCE}):
        active().when(bare.model_copy(update=half), at="2024-09-12", by="EVAL#1").refused("V1")


def test_a_second_look_follows_a_failure_and_says_so() -> None:
    again = PASSED.model_copy(update={"recheck": True})
    active().when(again, at="2024-09-12", by="EVAL#1").refused("M2")
    failed = active().ordered(FAILED, at="2024-09-12", by="EVAL#1")
    failed.when(PASSED, at="2024-10-11", by="EVAL#1").refused("M2")
    failed.ordered(again, at="2024-10-11", by="EVAL#1")
    passed = active().ordered(PASSED, at="2024-09-12", by="EVAL#1")
    passed.when(PASSED, at="2024-09-13", by="EVAL#1").refused("M2")


def test_the_criteria_are_the_rubrics_and_add_up() -> None:
    whole = {"delivery": Decimal(28), "inputs": Decimal(18), "finance": Decimal(15), "effect": Decimal(15)}
    active().ordered(PASSED.model_copy(update={"criteria": whole}), at="2024-09-12", by="EVAL#1")
    for wrong in (
        {**whole, "effect": Decimal(14)},
        {**whole, "effect": Decimal(0), "charm": Decimal(15)},
        {**whole, "delivery": Decimal(31), "effect": Decimal(12)},
    ):
        command = PASSED.model_copy(update={"criteria": wrong})
        active().when(command, at="2024-09-12", by="EVAL#1").refused("M2")


def test_a_bonus_may_lead_beyond_a_hundred() -> None:
    full = {
        "delivery": Decimal(30),
        "inputs": Decimal(20),
        "finance": Decimal(20),
        "effect": Decimal(30),
        "bonus": Decimal(3),
    }
    command = ConcludeMidtermEvaluation(score=Decimal(103), result=Result.PASS, criteria=full)
    active().ordered(command, at="2024-09-12", by="EVAL#1")


# ---------------------------------------------------------------- the missing self-assessment


def test_a_self_assessment_that_never_came_is_a_fail() -> None:
    story = active(self_assessment_due=date(2024, 9, 2), milestones={})
    due = story.due()
    assert due is not None
    assert due.at == day_ends(date(2024, 9, 9))
    assert "SubmitReport" in story.awaited()
    story.when(FailOverdueMidterm(), at="2024-09-09", by="SYS#1").refused("M2")
    story = story.lapsed()
    later = story.due()
    assert later is None or later.command != FailOverdueMidterm()
    assert stage(story) == "ACTIVE"
    recheck = PASSED.model_copy(update={"recheck": True})
    story.ordered(recheck, at="2024-10-01", by="EVAL#1")


def test_a_self_assessment_that_came_stops_the_clock() -> None:
    story = active(self_assessment_due=date(2024, 9, 2), milestones={})
    report = SubmitReport(kind=ReportKind.SELF_ASSESSMENT)
    story = story.ordered(report, at="2024-09-09", by="SO-PM#1")
    due = story.due()
    assert due is None or due.command != FailOverdueMidterm()


def test_a_period_that_stood_still_runs_anew() -> None:
    story = active(self_assessment_due=date(2024, 9, 2), milestones={})
    suspended = ProjectSuspended(ground=SuspensionGround.RISK, **AGAINST)
    story = story.happened(suspended, at="2024-09-05", by="CAB-DEC#1")
    assert story.due() is None
    story = story.happened(ProjectResumed(cured="風險解除"), at="2024-10-08", by="CAB-DEC#1")
    due = story.due()
    assert due is not None
    assert due.at == day_ends(date(2024, 10, 14))  # 12 October 2024 is a worked Saturday


# ---------------------------------------------------------------- independence


@pytest.mark.parametrize("evaluator", ["ORG-1", "ORG-A1"], ids=["bidder", "auditor"])
def test_the_evaluator_depends_on_nobody(evaluator: str) -> None:
    command = PASSED.model_copy(update={"evaluator": evaluator})
    active().when(command, at="2024-09-12", by="EVAL#1").refused("P3")


def test_somebody_evaluates_and_somebody_audits() -> None:
    nobody = PARTIES.model_copy(update={"evaluator": None, "auditor": None})
    active(parties=nobody).when(PASSED, at="2024-09-12", by="EVAL#1").refused("P3")
    under_review(parties=nobody).when(AUDITED, at="2024-12-09", by="AUDIT#1").refused("P3")


@pytest.mark.parametrize("auditor", ["ORG-1", "ORG-E1"], ids=["bidder", "evaluator"])
def test_the_auditor_depends_on_nobody(auditor: str) -> None:
    command = AUDITED.model_copy(update={"auditor": auditor})
    under_review().when(command, at="2024-12-09", by="AUDIT#1").refused("P3")


def test_who_evaluated_does_not_audit_and_who_audited_does_not_evaluate() -> None:
    nobody = PARTIES.model_copy(update={"evaluator": None, "auditor": None})
    story = active(parties=nobody).ordered(
        PASSED.model_copy(update={"evaluator": "ORG-X"}), at="2024-09-12", by="EVAL#1"
    )
    story = story.happened(FinalReportSubmitted(), at="2024-11-30", by="SO-LEGAL#1")
    story.when(AUDITED.model_copy(update={"auditor": "ORG-X"}), at="2024-12-09", by="AUDIT#1").refused("P3")
    story = story.ordered(AUDITED.model_copy(update={"auditor": "ORG-Y"}), at="2024-12-09", by="AUDIT#1")
    story.when(GOOD.model_copy(update={"evaluator": "ORG-Y"}), at="2024-12-12", by="EVAL#1").refused("P3")


# ---------------------------------------------------------------- audit and final


def test_an_audit_says_what_the_award_may_bear() -> None:
    story = (
        under_review()
        .when(AUDITED, at="2024-12-09", by="AUDIT#1")
        .then(AuditOpinionIssued.of(AUDITED, auditor="ORG-A1"))
    )
    assert (stage(story), story.state.part(Money).audited) == ("FINAL_REVIEW", 15000000)


def test_an_audit_comes_in_final_review_and_stays_within_the_award() -> None:
    active().when(AUDITED, at="2024-10-01", by="AUDIT#1").refused("T19")
    more = AUDITED.model_copy(update={"eligible": 15000001})
    under_review().when(more, at="2024-12-09", by="AUDIT#1").refused("M3")


def test_a_qualified_opinion_shows_what_was_found() -> None:
    bare = IssueAuditOpinion(opinion=Opinion.QUALIFIED, eligible=1)
    under_review().when(bare, at="2024-12-09", by="AUDIT#1").refused("V1")
    command = bare.model_copy(update={"finding": "重複列支", "attachments": EVIDENCE})
    story = under_review().ordered(command, at="2024-12-09", by="AUDIT#1")
    assert "AuditOpinionIssued" not in story.state.part(Gates).passed


def test_a_passing_grade_leads_to_settlement() -> None:
    story = (
        audited()
        .when(GOOD, at="2024-12-12", by="EVAL#1")
        .then(FinalEvaluationConcluded.of(GOOD, evaluator="ORG-E1", passed=True))
    )
    assert stage(story) == "SETTLEMENT"
    assert "FinalEvaluationConcluded" in story.state.part(Gates).passed


def test_a_pass_needs_the_audit() -> None:
    under_review().when(GOOD, at="2024-12-12", by="EVAL#1").refused("T21")


def test_the_grade_is_what_the_score_earns() -> None:
    audited().when(GOOD.model_copy(update={"grade": "優秀"}), at="2024-12-12", by="EVAL#1").refused("T21")


def test_the_criteria_of_the_final_evaluation_add_up() -> None:
    command = GOOD.model_copy(update={"criteria": {"delivery": Decimal(80)}})
    audited().when(command, at="2024-12-12", by="EVAL#1").refused("T21")


def test_a_failing_grade_stays_in_final_review() -> None:
    story = audited().ordered(BAD, at="2024-12-12", by="EVAL#1")
    assert stage(story) == "FINAL_REVIEW"
    assert "FinalEvaluationConcluded" not in story.state.part(Gates).passed
    assert "OrderRectification" in story.awaited()
    bare = ConcludeFinalEvaluation(score=Decimal(59), grade="不合格")
    audited().when(bare, at="2024-12-12", by="EVAL#1").refused("V1")


def test_a_pass_needs_the_standing_team_where_the_scheme_asks_for_one() -> None:
    standing = scheme("hangzhou", evaluation={"standing_team_months": 3})
    story = audited(standing)
    story.when(GOOD, at="2024-12-12", by="EVAL#1").refused("Z1")
    story = story.happened(VolunteerTeamFormed(team="銀齡隊", members=18), at="2024-12-12")
    for day in (date(2024, 8, 15), date(2024, 9, 12), date(2024, 10, 18)):
        record = ActivityRecorded(team="銀齡隊", person_times=10, held_on=day, off_field=False)
        story = story.happened(record, at="2024-12-12")
    story.ordered(GOOD, at="2024-12-12", by="EVAL#1")


def test_who_is_awaited_for_a_judgement() -> None:
    assert "ConcludeMidtermEvaluation" in active().awaited()
    assert {"IssueAuditOpinion", "ConcludeFinalEvaluation"} <= under_review().awaited()
    assert "ConcludeMidtermEvaluation" not in contracted().awaited()
    unasked = {"T1": {"planned": 15000000, "gate": "ContractSigned"}}
    assert "ConcludeMidtermEvaluation" not in active(tranches=unasked).awaited()
    assert "OrderRectification" in active().ordered(FAILED, at="2024-09-12", by="EVAL#1").awaited()
