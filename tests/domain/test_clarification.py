"""Questions about a call: in time, answered to everybody, before anybody is judged (QA01–QA03, D8)."""

from __future__ import annotations

from uuid import UUID

import pytest

from application.access import access_of
from domain.kernel.acting import PersonId
from domain.kernel.identifier import UNNAMED, Actor
from domain.kernel.message import Occurrence
from domain.project.bidding import PassPreliminaryReview
from domain.round.clarification import AnswerClarification, AskClarification, ClarificationAsked, Clarifications
from tests.domain.pure_realm import scheme
from tests.domain.sentences import on
from tests.domain.written_realm import Step, WrittenRealm, check, project, realm_until

ASKED = scheme("hangzhou", bidding={"clarification": {"until_wd": 3, "reply_wd": 2}})
"""The call of 1 February 2024 closes with 26 February; the three working days before that end begin on the 22nd."""
OTHER, CLERK = "SO-LEGAL#9", "CAB-REG#1"


def ask(day: str = "2024-02-19", number: str = "1", by: str = OTHER) -> Step:
    return Step("round", "R-1", AskClarification(clarification=number, question="是否可聯合申報？"), day, by)


def answer(day: str = "2024-02-21", number: str = "1") -> Step:
    return Step("round", "R-1", AnswerClarification(clarification=number, answer="可以，見公告第三條"), day, CLERK)


def realm_with_question() -> WrittenRealm:
    realm = realm_until("bid 2", ASKED)
    ask("2024-02-21").ordered(realm)
    return realm


def passing(day: str = "2024-03-05") -> Step:
    return project(PassPreliminaryReview(), day, "HOST#1")


def test_questions_end_some_working_days_before_the_call_closes() -> None:
    realm = realm_until("bid 2", ASKED)
    assert ask("2024-02-22").refused(realm) == {"QA01"}
    ask("2024-02-21").ordered(realm)
    assert ask("2024-02-21").refused(realm) == {"QA01"}, "one number, one question"
    assert realm.check().ok


def test_no_question_is_taken_where_the_policy_has_none_or_beyond_what_one_seat_may_ask() -> None:
    assert ask("2024-02-21").refused(realm_until("bid 2")) == {"QA01"}
    realm = realm_until("bid 2", ASKED)
    for number in range(50):
        ask("2024-02-21", str(number)).ordered(realm)
    assert ask("2024-02-21", "50").refused(realm) == {"QA01"}
    ask("2024-02-21", "50", "SO-LEGAL#8").ordered(realm)


def test_no_application_passes_while_a_question_waits() -> None:
    realm = realm_with_question()
    assert passing().refused(realm) == {"QA03"}
    answer("2024-03-05").ordered(realm)
    assert answer("2024-03-05").refused(realm) == {"QA02"}
    passing("2024-03-06").ordered(realm)
    assert realm.state("round", "R-1").part(Clarifications).of["1"].answer == "可以，見公告第三條"
    assert realm.check().ok


def test_readers_are_not_told_who_asked() -> None:
    event = ClarificationAsked(clarification="1", question="?", reply_wd=2)
    occurrence = Occurrence(event, on("2024-02-21"), Actor(OTHER), UUID(int=0), frozenset({PersonId("P-9")}))
    for reader in ("SO-LEGAL#1", "PUBLIC#1", "HOST#1", "EXPERT#1", None):
        seen = access_of(Actor(reader) if reader else None).reveal(occurrence)
        assert (seen.actor, seen.persons) == (UNNAMED, frozenset())
    for reader in (OTHER, CLERK, "DISC#1"):
        assert access_of(Actor(reader)).reveal(occurrence) == occurrence


@pytest.mark.parametrize("missing", ["ClarificationAnswered", "ClarificationAsked"])
def test_a_review_that_did_not_wait_is_found(missing: str) -> None:
    realm = realm_with_question()
    answer("2024-03-05").ordered(realm)
    passing("2024-03-06").ordered(realm)
    without = [entry for entry in realm.entries if entry.type != missing]
    assert "D8" in {breach.rule for breach in check(without).breaches}


def test_a_question_after_the_last_day_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    realm = realm_until("bid 2", ASKED)
    monkeypatch.setattr("domain.round.clarification.find_last_day", lambda *_: None)
    ask("2024-02-22").ordered(realm)
    assert "D8" in {breach.rule for breach in realm.check().breaches}
