"""A supplier challenges an award by procurement: questions, complaints, and what stands still meanwhile."""

from __future__ import annotations

import pytest

from domain.catalogue import AGGREGATES
from domain.project.award import RevokeAward
from domain.project.challenge import (
    AnswerQuestion,
    ChallengeOutcome,
    DecideComplaint,
    FileComplaint,
    RaiseQuestion,
)
from domain.project.publicity import ConfirmAward
from tests.domain.pure_realm import EVIDENCE, scheme
from tests.domain.sentences import on
from tests.domain.written_realm import WrittenRealm, check, contract, project, realm_until

BOUGHT = scheme("hangzhou", route="PROCUREMENT")
RAISE = RaiseQuestion(ground="評分有誤")
ANSWER = AnswerQuestion(answer="評分無誤，見附件")
FILE = FileComplaint(ground="答復不實", attachments=EVIDENCE)
OTHER, CLERK, TREASURY = "SO-LEGAL#2", "CAB-REG#1", "FISCAL#1"


def decision(outcome: ChallengeOutcome) -> DecideComplaint:
    return DecideComplaint(outcome=outcome, finding="已查明", attachments=EVIDENCE)


def posted(until: str = "posted") -> WrittenRealm:
    """Posted on Tuesday 12 March 2024."""
    return realm_until(until, BOUGHT)


def raised(day: str = "2024-03-13") -> WrittenRealm:
    story = posted()
    project(RAISE, day, OTHER).ordered(story)
    return story


def answered() -> WrittenRealm:
    story = raised()
    project(ANSWER, "2024-03-15", CLERK).ordered(story)
    return story


def filed() -> WrittenRealm:
    story = answered()
    project(FILE, "2024-03-18", OTHER).ordered(story)
    return story


def test_a_question_comes_within_seven_working_days_and_only_where_something_is_bought() -> None:
    assert project(RAISE, "2024-03-22", OTHER).refused(posted()) == {"PC01"}
    raised("2024-03-21")
    assert project(RAISE, "2024-03-13", OTHER).refused(realm_until("posted")) == {"PC01"}
    assert project(RAISE, "2024-03-14", OTHER).refused(raised()) == {"PC01"}


def test_a_complaint_follows_an_answer_or_the_lack_of_one_within_fifteen_working_days_by_who_asked() -> None:
    assert project(FILE, "2024-03-18", OTHER).refused(raised()) == {"PC03"}
    assert project(FILE, "2024-03-18", "SO-LEGAL#1").refused(answered()) == {"PC03"}
    without_answer = raised()  # to be answered by 22 March; 4 and 5 April are holidays, 7 April is worked
    project(FILE, "2024-03-25", OTHER).ordered(without_answer)
    project(FILE, "2024-04-15", OTHER).ordered(raised())
    assert project(FILE, "2024-04-16", OTHER).refused(raised()) == {"PC03"}


def test_the_award_stands_still_until_a_complaint_is_dismissed() -> None:
    story, confirm = filed(), ConfirmAward()
    assert project(confirm, "2024-03-25", "CAB-DEC#1").refused(story) == {"T07"}
    assert project(confirm, "2024-03-19", "CAB-DEC#1").refused(raised()) == {"T07"}
    project(decision(ChallengeOutcome.DISMISSED), "2024-03-25", TREASURY).ordered(story)
    project(confirm, "2024-03-26", "CAB-DEC#1").ordered(story)
    assert story.check().ok


def test_an_upheld_complaint_leaves_nothing_but_to_revoke() -> None:
    story = filed()
    project(decision(ChallengeOutcome.UPHELD), "2024-03-25", TREASURY).ordered(story)
    assert project(ConfirmAward(), "2024-03-26", "CAB-DEC#1").refused(story) == {"T07"}
    awaited = {one.command for one in AGGREGATES["project"].awaiting(story.state("project", "AP-1"), story.calendar)}
    assert "RevokeAward" in awaited
    because = {"ground": "COMPLAINT_UPHELD", "reason": "投訴成立", "attachments": EVIDENCE}
    project(RevokeAward.model_validate(because), "2024-03-26", "CAB-DEC#1").ordered(story)
    assert story.check().ok


def test_the_days_for_signing_stand_still_and_run_anew() -> None:
    story = posted("confirmed")  # on 19 March
    project(RAISE, "2024-03-20", OTHER).ordered(story)
    assert project(contract(), "2024-03-21", CLERK).refused(story) == {"T10"}
    project(FILE, "2024-04-08", OTHER).ordered(story)
    story.pass_time(on("2024-05-10"))
    assert story.state("project", "AP-1").stage == "AWARDED"
    project(decision(ChallengeOutcome.DISMISSED), "2024-05-10", TREASURY).ordered(story)
    project(contract(), "2024-05-13", CLERK).ordered(story)
    assert story.check().ok


@pytest.mark.parametrize("missing", ["ComplaintDecided", "QuestionRaised"])
def test_an_award_that_did_not_stand_still_is_found(missing: str) -> None:
    story = filed()
    project(decision(ChallengeOutcome.DISMISSED), "2024-03-25", TREASURY).ordered(story)
    project(ConfirmAward(), "2024-03-26", "CAB-DEC#1").ordered(story)
    without = [entry for entry in story.entries if entry.type != missing]
    assert "D7" in {breach.rule for breach in check(without).breaches}
