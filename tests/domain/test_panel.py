"""A panel: drawn, freed of interests, scoring, reporting."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.application import Application
from domain.kernel.acting import Acting
from domain.kernel.calendar import Calendar
from domain.kernel.canonical import canonical, plain
from domain.kernel.facts import Facts
from domain.kernel.identifier import Actor, StreamId
from domain.kernel.scheme import Scheme
from domain.kernel.state import State
from domain.registers.draw import PANEL
from domain.registers.organisation import Organisation, Rating
from domain.registers.panel import (
    ConflictDeclared,
    DeclareConflict,
    DeclareImpartiality,
    DrawPanel,
    IssueReviewReport,
    Panel,
    PanelDrawn,
    RecuseReviewer,
    ReviewerRecused,
    ReviewReportIssued,
    ScoreSubmitted,
    SubmitScore,
    outcome,
)
from domain.registers.reviewer import ConflictKind
from tests.domain.pure_realm import scheme
from tests.domain.sentences import StreamStory, a

FIVE = ("E1", "E2", "E3", "E4", "E5")
DRAW = DrawPanel(round="R-1", applications=("AP-1",), seats=FIVE)
REG = {"by": "CAB-REG#1", "at": "2023-05-08"}
HOST = {"by": "HOST#1", "at": "2023-05-10"}
REPORTED = date(2023, 5, 10)


def file(name: str, organisation: str, *, stage: str = "SHORTLISTED", round_: str = "R-1", partner: str = "") -> State:
    partners = (partner,) if partner else ()
    application = Application(organisation=organisation, partners=partners, round=round_)
    return replace(State(StreamId(f"project/test/{name}")), stage=stage).with_parts(application)


def facts(*files: State, rules: Scheme | None = None, bonus: int = 0, ends: date = date.max) -> Facts:
    organisation = State(StreamId("organisation/test/ORG-1")).with_parts(
        Organisation(bonuses={"R-1": bonus}, ratings=(Rating("5A", date(2018, 6, 1), ends),))
    )
    states = files or (file("AP-1", "ORG-1", partner="ORG-2"),)
    return Facts(scheme=rules or scheme(), streams={s.stream: s for s in (*states, organisation)})


def drawn(**changed: object) -> StreamStory:
    story = a(PANEL, "RP-1", facts())
    return story.ordered(DRAW.model_copy(update=changed), **REG)


def scored(*marks: int) -> StreamStory:
    story = drawn()
    for expert, mark in enumerate(marks, start=1):
        story = story.ordered(sheet(mark), by=f"EXPERT#{expert}", at="2023-05-10")
    return story


def sheet(mark: int) -> SubmitScore:
    return SubmitScore(application="AP-1", mark=Decimal(mark))


# ---------------------------------------------------------------- the draw


def test_a_panel_is_drawn_for_bids_that_passed_preliminary_review() -> None:
    story = a(PANEL, "RP-1", facts()).when(DRAW, **REG)
    panel = story.then(PanelDrawn.of(DRAW, bidders={"AP-1": ("ORG-1", "ORG-2")})).state.part(Panel)
    assert panel.seated == FIVE
    assert panel.applications == ("AP-1",)


@pytest.mark.parametrize(
    ("seats", "rules"),
    [
        (("E1", "E2", "E3", "E4"), {"P4"}),
        (("E1", "E2", "E3"), {"P4"}),
        (("E1", "E2", "E3", "E4", "E5", "E6", "E6"), {"P4"}),
        (("E1", "E2", "E3", "E4", "E5", "E6"), {"P4"}),
    ],
    ids=["even and few", "few", "one expert twice", "even"],
)
def test_seats_are_odd_enough_and_each_taken_once(seats: tuple[str, ...], rules: set[str]) -> None:
    a(PANEL, "RP-1", facts()).when(DRAW.model_copy(update={"seats": seats}), **REG).refused(*rules)


def test_more_seats_than_the_scheme_asks_for_are_welcome() -> None:
    drawn(seats=(*FIVE, "E6", "E7"))


def test_a_bid_whose_marks_were_objected_to_is_scored_again() -> None:
    proposed = file("AP-1", "ORG-1", stage="PROPOSED")
    a(PANEL, "RP-2", facts(proposed)).when(DRAW, **REG).refused("RP01")
    again = proposed.with_parts(replace(proposed.part(Application), rescoring=True))
    a(PANEL, "RP-2", facts(again)).ordered(DRAW, **REG)


@pytest.mark.parametrize("other", [file("AP-1", "ORG-1", stage="APPLIED"), file("AP-1", "ORG-1", round_="R-2")])
def test_a_bid_of_another_stage_or_round_is_not_scored(other: State) -> None:
    a(PANEL, "RP-1", facts(other)).when(DRAW, **REG).refused("RP01")


def test_nothing_is_drawn_without_rules() -> None:
    unruled = replace(facts(), scheme=None)
    a(PANEL, "RP-1", unruled).when(DRAW, **REG).refused("S1")


def test_a_seat_is_written_by_the_number_of_its_expert() -> None:
    for wrong in ("E0", "3", "EXPERT#3", "E"):
        with pytest.raises(ValidationError):
            DrawPanel(round="R-1", applications=("AP-1",), seats=(wrong,))


# ---------------------------------------------------------------- interests


def declaring(organisation: str = "ORG-1", **more: object) -> DeclareConflict:
    return DeclareConflict.model_validate({"organisation": organisation, "kind": "BOARD_24M", **more})


@pytest.mark.parametrize(
    ("conflict", "bars"),
    [
        (declaring(), True),
        (declaring("ORG-2"), True),
        (declaring("ORG-9"), False),
        (declaring(ended_on="2021-05-08"), True),
        (declaring(ended_on="2021-05-07"), False),
        (declaring(ended_on="2010-01-01", kind="KIN"), True),
    ],
    ids=["a bidder", "a partner", "no bidder", "24 months ago", "longer ago", "kin for ever"],
)
def test_an_interest_bars_if_it_touches_a_bidder_and_is_recent(conflict: DeclareConflict, *, bars: bool) -> None:
    expected = ConflictDeclared.of(conflict, bars=bars, recusal_months=24)
    story = drawn().when(conflict, by="EXPERT#3", at="2023-05-08").then(expected)
    assert ("E3" in story.state.part(Panel).barred) is bars


def test_whoever_has_no_interest_says_so_once_and_whoever_declared_one_cannot() -> None:
    story = drawn().ordered(DeclareImpartiality(), by="EXPERT#1", at="2023-05-08")
    assert story.state.part(Panel).cleared == {"E1"}
    story.when(DeclareImpartiality(), by="EXPERT#1", at="2023-05-08").refused("RP06")
    drawn().ordered(declaring(), by="EXPERT#3", at="2023-05-08").when(
        DeclareImpartiality(), by="EXPERT#3", at="2023-05-08"
    ).refused("P1")
    later = story.ordered(declaring(), by="EXPERT#1", at="2023-05-08")
    assert later.state.part(Panel).barred == {"E1"}, "an interest that is remembered later still bars"


def test_where_the_rules_ask_nobody_scores_before_declaring_to_have_no_interest() -> None:
    asking = replace(facts(), scheme=scheme(review={"declaration": True, "defence": {}}))
    silent = a(PANEL, "RP-1", asking).ordered(DRAW, **REG)
    silent.when(sheet(80), by="EXPERT#1", at="2023-05-10").refused("RP06")
    silent.ordered(declaring(), by="EXPERT#1", at="2023-05-08").when(sheet(80), by="EXPERT#1", at="2023-05-10").refused(
        "P1"
    )
    story = silent.ordered(DeclareImpartiality(), by="EXPERT#1", at="2023-05-08")
    story.ordered(sheet(80), by="EXPERT#1", at="2023-05-10")
    tasks = {one.command: one.seats for one in PANEL.awaiting(story.state, Calendar({}))}
    assert tasks["DeclareImpartiality"] == ("EXPERT#2", "EXPERT#3", "EXPERT#4", "EXPERT#5")
    assert "ListForDefence" in tasks
    assert "IssueReviewReport" not in tasks


@pytest.mark.parametrize(
    ("ended", "today", "bars"), [("2021-08-31", "2023-08-31", True), ("2021-02-28", "2023-03-01", False)]
)
def test_months_end_on_the_same_day_of_the_month(ended: str, today: str, *, bars: bool) -> None:
    story = drawn().ordered(declaring(ended_on=date.fromisoformat(ended)), by="EXPERT#3", at=today)
    assert bool(story.state.part(Panel).barred) is bars


def test_only_a_seated_expert_declares() -> None:
    drawn().when(declaring(), by="EXPERT#9", at="2023-05-08").refused("RP02")
    drawn().when(declaring(), by="CAB-REG#1", at="2023-05-08").refused("RP02")


def test_who_has_an_interest_does_not_score() -> None:
    story = drawn().ordered(declaring(), by="EXPERT#3", at="2023-05-08")
    story.when(sheet(90), by="EXPERT#3", at="2023-05-10").refused("P1")
    story.ordered(sheet(90), by="EXPERT#4", at="2023-05-10")


def test_a_recused_reviewer_is_replaced_and_never_scores_again() -> None:
    recusal = RecuseReviewer(out="E3", in_="E6")
    story = drawn().when(recusal, by="CAB-REG#1", at="2023-05-09").then(ReviewerRecused(out="E3", in_="E6"))
    assert story.state.part(Panel).seated == ("E1", "E2", "E4", "E5", "E6")
    story.when(sheet(90), by="EXPERT#3", at="2023-05-10").refused("P1")
    story.when(RecuseReviewer(out="E4", in_="E3"), by="CAB-REG#1", at="2023-05-09").refused("P1")
    story.ordered(sheet(90), by="EXPERT#6", at="2023-05-10")


def test_a_recusal_is_written_with_the_fields_own_words() -> None:
    event = ReviewerRecused.of(RecuseReviewer.model_validate({"out": "E3", "in": "E6"}))
    assert canonical(plain(event)) == b'{"in":"E6","out":"E3"}'
    assert ReviewerRecused.model_validate_json(canonical(plain(event))) == event


def test_a_panel_stays_odd_after_a_recusal() -> None:
    story = drawn()
    story.when(RecuseReviewer(out="E3"), by="CAB-REG#1", at="2023-05-09").refused("P4")
    story.when(RecuseReviewer(out="E3", in_="E4"), by="CAB-REG#1", at="2023-05-09").refused("P4")
    story.when(RecuseReviewer(out="E9", in_="E6"), by="CAB-REG#1", at="2023-05-09").refused("RP03", "P4")


def test_recusal_precedes_scores() -> None:
    scored(90).when(RecuseReviewer(out="E3", in_="E6"), by="CAB-REG#1", at="2023-05-10").refused("P1")


# ---------------------------------------------------------------- scores


def test_a_sheet_is_handed_in_once() -> None:
    first = drawn().when(sheet(88), by="EXPERT#1", at="2023-05-10")
    story = first.then(ScoreSubmitted(application="AP-1", mark=Decimal(88)))
    story.when(sheet(89), by="EXPERT#1", at="2023-05-10").refused("RP04")


def test_only_what_is_before_the_panel_is_scored_by_who_sits_on_it() -> None:
    stray = SubmitScore(application="AP-9", mark=Decimal(88))
    drawn().when(stray, by="EXPERT#1", at="2023-05-10").refused("RP04")
    drawn().when(sheet(88), by="EXPERT#9", at="2023-05-10").refused("RP04")


RUBRIC = {
    "need": 18,
    "design": 17,
    "capacity": 12,
    "innovation": 8,
    "budget": 13,
    "sustainability": 8,
    "beneficiaries": Decimal("9.5"),
}


def by_criterion(**changed: object) -> SubmitScore:
    return SubmitScore.model_validate({"application": "AP-1", "criteria": {**RUBRIC, **changed}})


def test_the_criteria_of_a_sheet_add_up_to_its_mark() -> None:
    story = drawn().ordered(by_criterion(), by="EXPERT#1", at="2023-05-10")
    assert story.state.part(Panel).sheets["AP-1"]["E1"] == Decimal("85.5")


@pytest.mark.parametrize(
    "wrong",
    [
        by_criterion(need=21),
        by_criterion(charm=5),
        SubmitScore(application="AP-1"),
        by_criterion().model_copy(update={"mark": Decimal(80)}),
    ],
    ids=["beyond its weight", "no such criterion", "nothing said", "both said"],
)
def test_a_sheet_is_refused_for(wrong: SubmitScore) -> None:
    drawn().when(wrong, by="EXPERT#1", at="2023-05-10").refused("RP04")


def test_a_mark_lies_within_a_hundred() -> None:
    for wrong in (-1, 101, Decimal("88.123")):
        with pytest.raises(ValidationError):
            SubmitScore(application="AP-1", mark=wrong)


# ---------------------------------------------------------------- the report


def test_the_report_computes_the_marks_without_the_extremes() -> None:
    report = scored(88, 91, 86, 90, 84).when(IssueReviewReport(), **HOST)
    story = report.then(ReviewReportIssued(results={"AP-1": Decimal("88.00")}, dropped={"AP-1": ("E5", "E2")}))
    assert story.state.part(Panel).results == {"AP-1": Decimal("88.00")}
    assert story.state.part(Panel).reported


def test_the_report_waits_for_as_many_sheets_as_the_scheme_asks_for() -> None:
    scored(88, 91, 86, 90).when(IssueReviewReport(), **HOST).refused("RP05")


def test_the_report_waits_until_who_has_an_interest_has_left() -> None:
    story = scored(88, 91, 86, 90, 84).ordered(declaring(), by="EXPERT#3", at="2023-05-10")
    story.when(IssueReviewReport(), **HOST).refused("P1")


def test_everybody_who_had_a_hand_in_it_took_part() -> None:
    story = scored(88, 91, 86, 90, 84).ordered(IssueReviewReport(), **HOST)
    people = {"CAB-REG#1", "HOST#1", *(f"EXPERT#{n}" for n in range(1, 6))}
    assert story.state.part(Panel).took_part == {Acting(Actor(p)) for p in people}


def test_results_on_paper_are_taken_where_no_sheet_was_entered_and_said_to_be_so() -> None:
    paper = IssueReviewReport(results={"AP-1": Decimal("85.33")})
    story = drawn().when(paper, **HOST)
    after = story.then(ReviewReportIssued(results={"AP-1": Decimal("85.33")}, on_paper=True))
    assert {"EXPERT#1", "HOST#1"} <= set(map(str, after.state.part(Panel).took_part))
    scored(88).when(paper, **HOST).refused("RP05")


def test_results_on_paper_cover_every_bid_and_no_other() -> None:
    wrong = IssueReviewReport(results={"AP-2": Decimal("85.33")})
    drawn().when(wrong, **HOST).refused("RP05")


def test_the_report_is_issued_once_by_the_host() -> None:
    paper = IssueReviewReport(results={"AP-1": Decimal(85)})
    drawn().when(paper, **REG).refused("RP05")
    drawn().ordered(paper, **HOST).when(paper, **HOST).refused("RP05")


def test_a_bidders_bonus_stands_beside_its_mark() -> None:
    paper = IssueReviewReport(results={"AP-1": Decimal(85)})
    rules = scheme(bidding={"rating_bonus": {"5A": 3}})
    rated = drawn().knowing(facts(rules=rules, bonus=3))
    story = rated.ordered(paper, **HOST)
    assert story.state.part(Panel).results["AP-1"] == Decimal("85.00")
    assert story.state.part(Panel).bonuses == {"AP-1": 3}


def test_a_rating_that_ended_the_day_before_the_report_gives_no_point() -> None:
    paper = IssueReviewReport(results={"AP-1": Decimal(85)})
    rules = scheme(bidding={"rating_bonus": {"5A": 3}})
    for ends, bonuses in ((REPORTED, {"AP-1": 3}), (REPORTED - timedelta(days=1), {})):
        rated = drawn().knowing(facts(rules=rules, bonus=3, ends=ends))
        assert rated.ordered(paper, **HOST).state.part(Panel).bonuses == bonuses


@pytest.mark.parametrize(
    ("marks", "drop", "expected"),
    [
        ([82, 85, 79, 88, 76], True, "82.00"),
        ([82, 85, 79, 88, 76], False, "82.00"),
        ([60, 60, 61], True, "60.33"),
        ([60, 61, 61], True, "60.67"),
        ([1, 2, 2, 2, 90], True, "2.00"),
    ],
)
def test_the_outcome_of_sheets(marks: list[int], expected: str, *, drop: bool) -> None:
    sheets = {f"E{n}": Decimal(mark) for n, mark in enumerate(marks, start=1)}
    assert outcome(sheets, drop_extremes=drop)[0] == Decimal(expected)


def test_a_half_is_rounded_up() -> None:
    sheets = {"E1": Decimal("80.00"), "E2": Decimal("80.01")}
    assert outcome(sheets, drop_extremes=True)[0] == Decimal("80.01")


@given(st.lists(st.integers(0, 10000), min_size=1, max_size=11), st.booleans())
def test_an_outcome_lies_within_its_sheets(hundredths: list[int], drop: bool) -> None:  # noqa: FBT001 - drawn
    sheets = {f"E{n}": Decimal(mark) / 100 for n, mark in enumerate(hundredths, start=1)}
    mark, dropped = outcome(sheets, drop_extremes=drop)
    assert min(sheets.values()) <= mark <= max(sheets.values())
    assert len(dropped) == (2 if drop and len(sheets) >= 5 else 0)


def test_sheets_recusals_and_the_report_are_awaited() -> None:
    assert drawn().awaited() == {"SubmitScore", "IssueReviewReport"}
    assert "RecuseReviewer" in drawn().ordered(declaring(), by="EXPERT#3", at="2023-05-08").awaited()
    reported = drawn().ordered(IssueReviewReport(results={"AP-1": Decimal(85)}), **HOST)
    assert not reported.awaited()


def test_a_conflict_kind_says_whether_time_heals_it() -> None:
    assert {k for k in ConflictKind if not k.is_healed_by_time} == {ConflictKind.KIN, ConflictKind.OTHER}
