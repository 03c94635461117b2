"""A panel that hears whom its written review puts through, and scores them a second time (RP07, P4)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from domain.registers import panel
from domain.registers.panel import IssueReviewReport, ListForDefence, Panel, SubmitScore
from tests.domain.pure_realm import scheme
from tests.domain.written_realm import Step, WrittenRealm, check, realm_until

HEARD = scheme("hangzhou", review={"defence": {"line": 75, "weight": 40}})
HOST = "HOST#1"
LIST, REPORT = ListForDefence(), IssueReviewReport()


def on_panel(command: SubmitScore | ListForDefence | IssueReviewReport, by: str, day: str = "2024-03-07") -> Step:
    return Step("panel", "RP-1", command, day, by)


def score(application: str, mark: int, expert: int = 1) -> Step:
    return on_panel(SubmitScore(application=application, mark=Decimal(mark)), f"EXPERT#{expert}")


def score_by_all(realm: WrittenRealm, application: str, *marks: int) -> None:
    for expert, mark in enumerate(marks, 1):
        score(application, mark, expert).ordered(realm)


def written() -> WrittenRealm:
    """AP-1 came to 80.00 and AP-2 to 70.00, highest and lowest left out."""
    realm = realm_until("panel", HEARD)
    score_by_all(realm, "AP-1", 60, 80, 80, 80, 99)
    score_by_all(realm, "AP-2", 70, 70, 70, 70, 70)
    return realm


def listed() -> WrittenRealm:
    realm = written()
    on_panel(LIST, HOST).ordered(realm)
    return realm


def reported() -> WrittenRealm:
    realm = listed()
    score_by_all(realm, "AP-1", 90, 90, 91, 90, 10)
    on_panel(REPORT, HOST, "2024-03-08").ordered(realm)
    return realm


def read_panel(realm: WrittenRealm) -> Panel:
    return realm.state("panel", "RP-1").part(Panel)


def test_those_whose_written_mark_reaches_the_line_are_heard_and_scored_again() -> None:
    realm = listed()
    assert read_panel(realm).heard == ("AP-1",)
    assert score("AP-2", 90).refused(realm) == {"RP07"}
    assert on_panel(REPORT, HOST, "2024-03-08").refused(realm) == {"RP05"}, "the second sheets are missing"
    score("AP-1", 90).ordered(realm)
    assert score("AP-1", 91).refused(realm) == {"RP04"}


def test_the_mark_is_that_of_both_by_their_weights_and_the_defence_of_who_is_not_heard_counts_as_nothing() -> None:
    realm = reported()
    assert read_panel(realm).results == {"AP-1": Decimal("84.00"), "AP-2": Decimal("42.00")}
    assert realm.check().ok


def test_the_list_follows_every_written_sheet_once_where_the_rules_ask_for_a_defence() -> None:
    realm = realm_until("panel", HEARD)
    score("AP-1", 80).ordered(realm)
    assert on_panel(LIST, HOST).refused(realm) == {"RP07"}
    assert on_panel(REPORT, HOST).refused(written()) == {"RP07"}
    assert on_panel(LIST, HOST).refused(listed()) == {"RP07"}
    without = realm_until("panel")
    score("AP-1", 80).ordered(without)
    assert on_panel(LIST, HOST).refused(without) == {"RP07"}


def test_nobody_may_be_heard_and_the_report_says_so() -> None:
    realm = realm_until("panel", HEARD)
    for name in ("AP-1", "AP-2"):
        score_by_all(realm, name, 70, 70, 70, 70, 70)
    on_panel(LIST, HOST).ordered(realm)
    on_panel(REPORT, HOST, "2024-03-08").ordered(realm)
    assert set(read_panel(realm).results.values()) == {Decimal("42.00")}
    assert realm.check().ok


def test_a_mark_by_other_weights_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panel, "weigh", lambda written, _spoken, _panel: written)
    assert {breach.rule for breach in reported().check().breaches} == {"P4"}


def test_a_list_of_others_is_found() -> None:
    realm = listed()
    forged = [
        replace(one, data=one.data.replace(b'["AP-1"]', b'["AP-2"]')) if one.type == "DefenceListed" else one
        for one in realm.entries
    ]
    assert {breach.rule for breach in check(forged).breaches} == {"P4"}
