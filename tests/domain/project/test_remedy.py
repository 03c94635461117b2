"""整改與中止: an order with its period, what came in time, one extension, standing still (T13–T15, T17, T18)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from pydantic import ValidationError

from domain.kernel.calendar import day_ends, months_after
from domain.project.closeout import FinalReportSubmitted, SubmitFinalReport
from domain.project.evaluation import FinalEvaluationConcluded, MidtermEvaluationConcluded, Result
from domain.project.remedy import (
    AcceptRectification,
    FailRectification,
    LapseRectification,
    OrderOverdueFinalReport,
    OrderRectification,
    ProjectSuspended,
    RectificationAccepted,
    RectificationFailed,
    RectificationOrdered,
    RectificationSubmitted,
    ResumeProject,
    SubmitRectification,
    SuspendProject,
    SuspensionGround,
)
from tests.domain.project.life import AGAINST, RULES, active, around, following, organisation, stage
from tests.domain.pure_realm import EVIDENCE
from tests.domain.sentences import StreamStory

ORDER = OrderRectification(findings=("sign-in sheets incomplete",), attachments=EVIDENCE)
FAIL = FailRectification(finding="仍不合格", attachments=EVIDENCE)
SUSPEND = SuspendProject(ground=SuspensionGround.INVESTIGATION, **AGAINST)


def at_work() -> StreamStory:
    return active(milestones={})


def ordered(order: OrderRectification = ORDER, story: StreamStory | None = None) -> StreamStory:
    return (story or at_work()).ordered(order, at="2024-09-13", by="CAB-REG#1")


def submitted() -> StreamStory:
    return ordered().ordered(SubmitRectification(), at="2024-10-09", by="SO-LEGAL#1")


def lapsed() -> StreamStory:
    return ordered().lapsed()


def test_an_order_has_a_period_in_working_days() -> None:
    story = at_work().when(ORDER, at="2024-09-13", by="CAB-REG#1").then(RectificationOrdered.of(ORDER, rectify_wd=15))
    assert (stage(story), story.state.stack) == ("RECTIFYING", ("ACTIVE",))
    due = story.due()
    assert due is not None
    assert due.at == day_ends(date(2024, 10, 11))


def test_an_order_on_paper_may_set_a_shorter_period_but_no_longer_one() -> None:
    shorter = ORDER.model_copy(update={"due": date(2024, 9, 20)})
    due = ordered(shorter).due()
    assert due is not None
    assert due.at == day_ends(date(2024, 9, 20))
    for day in (date(2024, 9, 13), date(2024, 10, 12)):
        at_work().when(ORDER.model_copy(update={"due": day}), at="2024-09-13", by="CAB-REG#1").refused("T13")


def test_an_order_says_what_was_found_and_shows_it() -> None:
    with pytest.raises(ValidationError, match="findings"):
        OrderRectification(findings=(), attachments=EVIDENCE)
    with pytest.raises(ValidationError, match="attachments"):
        OrderRectification(findings=("缺憑證",), attachments=())


def test_what_is_handed_in_stops_the_clock_and_the_officer_decides() -> None:
    story = (
        ordered()
        .when(SubmitRectification(), at="2024-10-11T23:59:59+08:00", by="SO-LEGAL#1")
        .then(RectificationSubmitted())
    )
    assert story.due() is None
    assert "AcceptRectification" in story.awaited()
    story.when(SubmitRectification(), at="2024-10-12", by="SO-LEGAL#1").refused("T14")


def test_the_representative_hands_it_in() -> None:
    story = ordered().knowing(around(RULES, organisation("SO-LEGAL#7")))
    story.when(SubmitRectification(), at="2024-10-09", by="SO-LEGAL#1").refused("SD10")


def test_what_is_not_handed_in_has_failed() -> None:
    story = lapsed()
    assert stage(story) == "RECTIFYING"
    assert story.awaited() >= {"SuspendProject", "InitiateTermination"}
    due = story.due()
    assert due is None or due.command != LapseRectification()
    ordered().when(LapseRectification(), at="2024-10-11", by="SYS#1").refused("T15")


def test_another_person_looks_again() -> None:
    story = submitted()
    story.when(AcceptRectification(), at="2024-10-11", by="CAB-REG#1").refused("T14")
    story = story.when(AcceptRectification(), at="2024-10-11", by="CAB-REG#2").then(RectificationAccepted())
    assert (stage(story), story.state.stack) == ("ACTIVE", ())


def test_nothing_is_accepted_that_was_not_handed_in() -> None:
    ordered().when(AcceptRectification(), at="2024-10-08", by="CAB-REG#2").refused("T14")


def test_what_failed_at_the_midterm_must_have_passed() -> None:
    failed = MidtermEvaluationConcluded(score=Decimal(58), result=Result.FAIL, evaluator="ORG-E1")
    passed = MidtermEvaluationConcluded(score=Decimal(76), result=Result.PASS, evaluator="ORG-E1", recheck=True)
    story = ordered(story=at_work().happened(failed, at="2024-09-12", by="EVAL#1"))
    story = story.ordered(SubmitRectification(), at="2024-10-09", by="SO-LEGAL#1")
    story.when(AcceptRectification(), at="2024-10-11", by="CAB-REG#2").refused("T14")
    story = story.happened(passed, at="2024-10-11", by="EVAL#1")
    story.ordered(AcceptRectification(), at="2024-10-11", by="CAB-REG#2")


def test_it_is_extended_once() -> None:
    more = FAIL.model_copy(update={"extended": True})
    story = (
        submitted()
        .when(more, at="2024-10-11", by="CAB-REG#2")
        .then(RectificationFailed(finding="仍不合格", attachments=EVIDENCE, extended=True, rectify_wd=15))
    )
    due = story.due()
    assert due is not None
    assert due.at == day_ends(date(2024, 10, 31))  # 12 October is worked
    story = story.ordered(SubmitRectification(), at="2024-10-30", by="SO-LEGAL#1")
    story.when(more, at="2024-11-01", by="CAB-REG#2").refused("T15")
    assert stage(story.ordered(FAIL, at="2024-11-01", by="CAB-REG#2")) == "RECTIFYING"


def test_a_lapsed_one_may_be_extended_but_not_failed_again() -> None:
    lapsed().when(FAIL, at="2024-10-14", by="CAB-REG#2").refused("T15")
    lapsed().ordered(FAIL.model_copy(update={"extended": True}), at="2024-10-14", by="CAB-REG#2")
    ordered().when(FAIL, at="2024-10-08", by="CAB-REG#2").refused("T15")


def test_a_project_may_be_made_to_stand_still_and_go_on() -> None:
    story = ordered().when(SUSPEND, at="2024-09-18", by="CAB-DEC#1").then(ProjectSuspended.of(SUSPEND))
    assert (stage(story), story.state.stack) == ("SUSPENDED", ("ACTIVE", "RECTIFYING"))
    assert story.due() is None
    story = story.ordered(ResumeProject(cured="調查結束"), at="2024-11-01", by="CAB-DEC#1")
    assert (stage(story), story.state.stack) == ("RECTIFYING", ("ACTIVE",))
    due = story.due()
    assert due is not None
    assert due.at == day_ends(date(2024, 11, 22))  # the period begins anew


def test_only_the_decision_meeting_suspends_and_resumes() -> None:
    at_work().when(SUSPEND, at="2024-09-18", by="CAB-REG#1").refused("T17")
    at_work().when(ResumeProject(cured="無"), at="2024-09-18", by="CAB-DEC#1").refused("T18")


def test_a_failing_grade_is_put_right_in_final_review() -> None:
    failed = FinalEvaluationConcluded(score=Decimal(50), grade="不合格", evaluator="ORG-E1", passed=False)
    story = at_work().happened(FinalReportSubmitted(), at="2024-11-30", by="SO-LEGAL#1")
    story = story.happened(failed, at="2024-12-12", by="EVAL#1")
    story = following(
        story,
        ("2024-12-13", ORDER, "CAB-REG#1"),
        ("2024-12-20", SubmitRectification(), "SO-LEGAL#1"),
        ("2024-12-23", AcceptRectification(), "CAB-REG#2"),
    )
    assert stage(story) == "FINAL_REVIEW"


def test_a_final_report_that_never_came_is_ordered() -> None:
    story = at_work()
    due = story.due()
    assert due is not None
    assert due.at == day_ends(date(2024, 12, 30))  # a month after 30 November
    story.when(OrderOverdueFinalReport(), at="2024-12-30", by="SYS#1").refused("T13")
    story = story.lapsed()
    assert stage(story) == "RECTIFYING"
    due = story.due()
    assert due is not None
    assert due.command == LapseRectification()
    assert due.at == day_ends(date(2025, 1, 22))


def test_a_report_that_is_ordered_may_be_handed_in_after_the_rectification() -> None:
    story = following(
        at_work().lapsed(),
        ("2025-01-06", SubmitRectification(), "SO-LEGAL#1"),
        ("2025-01-07", AcceptRectification(), "CAB-REG#1"),
    )
    assert stage(story) == "ACTIVE"
    due = story.due()
    assert due is not None
    assert due.at == day_ends(date(2025, 2, 7))  # as long again
    story.ordered(SubmitFinalReport(), at="2025-01-08", by="SO-LEGAL#1")


@pytest.mark.parametrize(
    ("day", "months", "then"),
    [
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2023, 11, 30), 1, date(2023, 12, 30)),
        (date(2024, 12, 31), 2, date(2025, 2, 28)),
        (date(2024, 8, 31), 25, date(2026, 9, 30)),
    ],
)
def test_a_month_later_is_the_same_day_or_the_last(day: date, months: int, then: date) -> None:
    assert months_after(day, months) == then
