"""立項與公示: who may be awarded what, how long it is posted, and what an objection does to it (T01–T09, D2)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from domain.kernel.acting import Acting
from domain.kernel.approval import Verdict
from domain.kernel.effects import Claim, Post
from domain.kernel.identifier import StreamId
from domain.kernel.state import State
from domain.project.aggregate import PROJECT
from domain.project.award import (
    Award,
    AwardDeclined,
    AwardProposed,
    AwardRevoked,
    DeclineAward,
    ProposeAward,
    RevocationGround,
    RevokeAward,
)
from domain.project.bidding import ApplicationSubmitted, BaseSupport, PreliminaryReviewPassed
from domain.project.objection import (
    AcceptObjection,
    AwardRescored,
    DismissObjection,
    LodgeObjection,
    ObjectionAccepted,
    ObjectionDismissed,
    ObjectionRemedy,
    ObjectionUpheld,
    RescoreAward,
    UpholdObjection,
)
from domain.project.publicity import AwardConfirmed, ConfirmAward, OpenAwardPublicity, Publicity
from domain.registers.fund import Fund
from domain.registers.incubation_base import Base
from domain.registers.organisation import Organisation
from domain.registers.panel import Panel
from domain.round.budget import Charge
from tests.domain.project.life import CALENDAR, FUNDS, RULES, around, organisation, stage
from tests.domain.pure_realm import EVIDENCE, MINUTES
from tests.domain.sentences import StreamStory, a, who

if TYPE_CHECKING:
    from domain.kernel.facts import Facts

CHARGE = Charge(round="R-1", budgeted=False)
PROPOSAL = ProposeAward(project="PJ-2", award=15000000, funds=FUNDS, panel="RP-1", minutes=MINUTES)


def facts(score: str = "82.00", *, lottery: int = 7000000, reported: bool = True) -> Facts:
    """A panel that scored AP-2, and two funds."""
    panel = State(StreamId("panel/test/RP-1")).with_parts(
        Panel(results={"AP-2": Decimal(score)} if reported else {}, reported=reported, seated=("E1", "E2"))
    )
    funds = [State(StreamId(f"fund/test/{name}")).with_parts(Fund(name=name)) for name in FUNDS]
    known = around(RULES, organisation(), panel, *funds)
    return replace(known, balances={"envelope/test/FS-LOT": lottery, "envelope/test/FS-CSF": 8000000})


def shortlisted(known: Facts | None = None, requested: int = 15000000) -> StreamStory:
    bid = ApplicationSubmitted(
        round="R-1", organisation="ORG-1", title="老漂族", requested=requested, fields=("助老扶幼",), places={}
    )
    story = a(PROJECT, "AP-2", known or facts()).happened(bid, at="2024-04-23")
    return story.happened(PreliminaryReviewPassed(), at="2024-04-29")


def posted() -> StreamStory:
    story = shortlisted().ordered(PROPOSAL, at="2024-05-13", by="CAB-REG#1")
    return story.ordered(OpenAwardPublicity(contact="市民政局"), at="2024-05-14", by="CAB-REG#1")


def objected() -> StreamStory:
    story = posted().ordered(LodgeObjection(ground="重複資助"), at="2024-05-16", by="PUBLIC#1")
    return story.ordered(AcceptObjection(), at="2024-05-17", by="CAB-REG#2")


def test_a_scored_application_is_proposed_and_the_money_set_aside() -> None:
    story = shortlisted()
    after = story.when(PROPOSAL, at="2024-05-13", by="CAB-REG#1").then(AwardProposed.of(PROPOSAL, charge=CHARGE))
    assert stage(after) == "PROPOSED"
    assert set(AwardProposed.of(PROPOSAL).effects(story.state.stream)) == {
        Claim("name/test/PJ-2", "project/test/AP-2"),
        Post("envelope/test/FS-LOT", "committed/test/AP-2/FS-LOT", 7000000),
        Post("envelope/test/FS-CSF", "committed/test/AP-2/FS-CSF", 8000000),
    }


def test_only_the_case_officer_proposes() -> None:
    shortlisted().when(PROPOSAL, at="2024-05-13", by="HOST#1").refused("T01")


def test_no_award_below_the_line() -> None:
    shortlisted(facts("59.99")).when(PROPOSAL, at="2024-05-13", by="CAB-REG#1").refused("T01")


def test_no_award_before_the_report() -> None:
    shortlisted(facts(reported=False)).when(PROPOSAL, at="2024-05-13", by="CAB-REG#1").refused("T01")


def test_marks_count_once_they_are_reported() -> None:
    known = facts()
    panel = known.of(StreamId("panel/test/RP-1"))
    unreported = panel.with_parts(replace(panel.part(Panel), reported=False))
    early = replace(known, streams={**known.streams, panel.stream: unreported})
    shortlisted(early).when(PROPOSAL, at="2024-05-13", by="CAB-REG#1").refused("T01")


def test_support_is_for_a_base_without_a_bid() -> None:
    support = BaseSupport(round="R-1", organisation="ORG-1", base="BASE-M1", title="運營扶持")
    base = State(StreamId("base/test/BASE-M1"), stage="ASSESSED").with_parts(Base(operator="ORG-1"))
    known = facts()
    round_ = State(StreamId("round/test/R-1"), stage="PLANNED")
    known = replace(known, streams={**known.streams, base.stream: base, round_.stream: round_})
    proposal = PROPOSAL.model_copy(update={"support": support})
    shortlisted(known).when(proposal, at="2024-05-13", by="CAB-REG#1").refused("T01")
    a(PROJECT, "PJ-2", known).ordered(proposal, at="2024-05-13", by="CAB-REG#1")


def test_no_award_beyond_what_was_asked_for() -> None:
    shortlisted(requested=14999999).when(PROPOSAL, at="2024-05-13", by="CAB-REG#1").refused("T01")


def test_no_award_beyond_the_envelope() -> None:
    shortlisted(facts(lottery=6999999)).when(PROPOSAL, at="2024-05-13", by="CAB-REG#1").refused("M5")


def test_no_award_from_a_fund_for_other_purposes() -> None:
    known = facts()
    narrow = State(StreamId("fund/test/FS-LOT")).with_parts(Fund(purposes=frozenset({"助殘扶困"})))
    other = replace(known, streams={**known.streams, narrow.stream: narrow})
    shortlisted(other).when(PROPOSAL, at="2024-05-13", by="CAB-REG#1").refused("M5")


def test_the_shares_add_up_to_the_award() -> None:
    uneven = PROPOSAL.model_copy(update={"funds": {"FS-LOT": 7000000, "FS-CSF": 7999999}})
    shortlisted().when(uneven, at="2024-05-13", by="CAB-REG#1").refused("M1")


def test_a_number_is_taken_once() -> None:
    known = replace(facts(), claims={"name/test/PJ-2": frozenset({"project/test/AP-1"})})
    shortlisted(known).when(PROPOSAL, at="2024-05-13", by="CAB-REG#1").refused("T01")


def test_nobody_barred_is_awarded() -> None:
    known = facts()
    org = organisation()
    barred = org.with_parts(replace(org.part(Organisation), kind=None))
    unverified = replace(known, streams={**known.streams, barred.stream: barred})
    shortlisted(unverified).when(PROPOSAL, at="2024-05-13", by="CAB-REG#1").refused("D5")


def test_a_refusal_names_everything_at_once() -> None:
    uneven = PROPOSAL.model_copy(update={"funds": {"FS-LOT": 7000000}})
    shortlisted(facts("10", lottery=1)).when(uneven, at="2024-05-13", by="CAB-REG#1").refused("M1", "M5", "T01")


def test_the_notice_names_amount_and_reviewers() -> None:
    story = shortlisted().ordered(PROPOSAL, at="2024-05-13", by="CAB-REG#1")
    outcome = story.when(OpenAwardPublicity(contact="市民政局"), at="2024-05-14", by="CAB-REG#1")
    (notice,) = outcome.events
    assert notice.model_dump() == {
        "contact": "市民政局",
        "award": 15000000,
        "reviewers": ("E1", "E2"),
        "working_days": 5,
        "decision_wd": 10,
    }


def test_an_award_is_posted_once() -> None:
    posted().when(OpenAwardPublicity(contact="市民政局"), at="2024-05-15", by="CAB-REG#1").refused("T02")


@pytest.mark.parametrize("day", ["2024-05-15", "2024-05-20"])
def test_an_award_is_not_confirmed_while_it_is_posted(day: str) -> None:
    posted().when(ConfirmAward(), at=day, by="CAB-DEC#1").refused("D2")


def test_an_award_is_confirmed_the_day_after_its_publicity() -> None:
    story = posted().when(ConfirmAward(), at="2024-05-21", by="CAB-DEC#1").then(AwardConfirmed(signing_wd=15))
    assert stage(story) == "AWARDED"
    assert [(p.gate, p.verdict) for p in story.state.approvals] == [("ConfirmAward", Verdict.GRANTED)]


def test_an_objection_comes_inside_the_window() -> None:
    posted().when(LodgeObjection(ground="重複資助"), at="2024-05-21", by="PUBLIC#1").refused("T03")


def test_a_lodged_objection_holds_the_award_up() -> None:
    story = posted().ordered(LodgeObjection(ground="重複資助"), at="2024-05-20", by="PUBLIC#1")
    story.when(ConfirmAward(), at="2024-05-21", by="CAB-DEC#1").refused("T07")


def test_an_objection_has_a_number_of_its_own() -> None:
    story = posted().ordered(LodgeObjection(ground="重複資助"), at="2024-05-16", by="PUBLIC#1")
    story.when(LodgeObjection(ground="另一事"), at="2024-05-16", by="PUBLIC#2").refused("T03")
    story.ordered(LodgeObjection(objection="2", ground="另一事"), at="2024-05-16", by="PUBLIC#2")


def test_who_reviewed_does_not_investigate() -> None:
    known = facts()
    panel = known.of(StreamId("panel/test/RP-1"))
    took_part = panel.with_parts(replace(panel.part(Panel), took_part=frozenset({Acting(who("CAB-REG#2"))})))
    story = posted().ordered(LodgeObjection(ground="重複資助"), at="2024-05-16", by="PUBLIC#1")
    story = story.knowing(replace(known, streams={**known.streams, panel.stream: took_part}))
    story.when(AcceptObjection(), at="2024-05-17", by="CAB-REG#2").refused("P5")
    story.when(AcceptObjection(), at="2024-05-17", by="CAB-REG#3").then(ObjectionAccepted())


def test_only_a_lodged_objection_is_accepted() -> None:
    objected().when(AcceptObjection(), at="2024-05-18", by="CAB-REG#2").refused("T03")
    posted().when(AcceptObjection(objection="9"), at="2024-05-17", by="CAB-REG#2").refused("T03")


def test_the_clock_stands_still_from_acceptance_through_dismissal() -> None:
    story = objected()
    dismissed = DismissObjection(finding="ledgers distinct")
    story = story.when(dismissed, at="2024-05-24", by="CAB-DEC#1").then(
        ObjectionDismissed(finding="ledgers distinct", still_open=0)
    )
    assert stage(story) == "IN_PUBLICITY"
    story.when(ConfirmAward(), at="2024-05-28", by="CAB-DEC#1").refused("D2")
    story.ordered(ConfirmAward(), at="2024-05-29", by="CAB-DEC#1")


def test_the_award_stays_on_hold_until_the_last_objection() -> None:
    story = posted().ordered(LodgeObjection(ground="甲"), at="2024-05-16", by="PUBLIC#1")
    story = story.ordered(LodgeObjection(objection="2", ground="乙"), at="2024-05-16", by="PUBLIC#2")
    story = story.ordered(AcceptObjection(), at="2024-05-17", by="CAB-REG#2")
    story = story.ordered(AcceptObjection(objection="2"), at="2024-05-17", by="CAB-REG#2")
    story = story.ordered(DismissObjection(finding="不成立"), at="2024-05-20", by="CAB-DEC#1")
    assert stage(story) == "OBJECTION_HOLD"
    story = story.ordered(DismissObjection(objection="2", finding="不成立"), at="2024-05-21", by="CAB-DEC#1")
    assert stage(story) == "IN_PUBLICITY"


def test_an_upheld_objection_disqualifies_and_frees_the_money() -> None:
    upheld = UpholdObjection(finding="屬實", remedy=ObjectionRemedy.DISQUALIFY, attachments=EVIDENCE)
    story = (
        objected()
        .when(upheld, at="2024-05-22", by="CAB-DEC#1")
        .then(ObjectionUpheld.of(upheld, freed=FUNDS, charge=CHARGE))
    )
    assert stage(story) == "REVOKED"
    assert Post("committed/test/AP-2/FS-LOT", "envelope/test/FS-LOT", 7000000) in ObjectionUpheld.of(
        upheld, freed=FUNDS
    ).effects(story.state.stream)


def to_be_rescored(score: str = "75.00", *, reported: bool = True) -> StreamStory:
    """An objection to the marks was upheld, and RP-2 has scored again."""
    upheld = UpholdObjection(finding="評分有誤", remedy=ObjectionRemedy.RESCORE, attachments=EVIDENCE)
    story = objected().when(upheld, at="2024-05-22", by="CAB-DEC#1").then(ObjectionUpheld.of(upheld, freed={}))
    assert stage(story) == "PROPOSED"
    panel = State(StreamId("panel/test/RP-2")).with_parts(
        Panel(results={"AP-2": Decimal(score)} if reported else {}, reported=reported, seated=("E7", "E8"))
    )
    known = story.facts
    return story.knowing(replace(known, streams={**known.streams, panel.stream: panel}))


def test_an_upheld_objection_leads_to_another_score_and_a_new_publicity() -> None:
    story = to_be_rescored()
    assert "RescoreAward" in story.awaited()
    again = RescoreAward(panel="RP-2")
    scored = AwardRescored(panel="RP-2", score=Decimal("75.00"))
    story = story.when(again, at="2024-05-23", by="CAB-REG#1").then(scored)
    assert "OpenAwardPublicity" in story.awaited()
    story = story.ordered(OpenAwardPublicity(contact="市民政局"), at="2024-05-24", by="CAB-REG#1")
    assert story.state.part(Award).panel == "RP-2"
    story.when(ConfirmAward(), at="2024-05-28", by="CAB-DEC#1").refused("D2")
    assert stage(story.ordered(ConfirmAward(), at="2024-05-31", by="CAB-DEC#1")) == "AWARDED"


def test_no_new_publicity_before_it_was_scored_again() -> None:
    to_be_rescored().when(OpenAwardPublicity(contact="市民政局"), at="2024-05-23", by="CAB-REG#1").refused("T06")


@pytest.mark.parametrize("story", [to_be_rescored("59.99"), to_be_rescored(reported=False)])
def test_a_second_score_must_be_there_and_reach_the_line(story: StreamStory) -> None:
    story.when(RescoreAward(panel="RP-2"), at="2024-05-23", by="CAB-REG#1").refused("T06")


def test_another_panel_scores_again() -> None:
    to_be_rescored().when(RescoreAward(panel="RP-1"), at="2024-05-23", by="CAB-REG#1").refused("T06")


def test_nothing_is_scored_again_without_an_upheld_objection() -> None:
    posted().when(RescoreAward(panel="RP-2"), at="2024-05-23", by="CAB-REG#1").refused("T06")


def test_an_award_that_nobody_objected_to_is_not_scored_again() -> None:
    scored = to_be_rescored().facts
    story = shortlisted(scored).ordered(PROPOSAL, at="2024-05-13", by="CAB-REG#1")
    story.when(RescoreAward(panel="RP-2"), at="2024-05-23", by="CAB-REG#1").refused("T06")


def test_nothing_is_posted_before_rules_are_chosen() -> None:
    story = shortlisted().ordered(PROPOSAL, at="2024-05-13", by="CAB-REG#1")
    story = story.knowing(replace(facts(), scheme=None))
    story.when(OpenAwardPublicity(contact="市民政局"), at="2024-05-14", by="CAB-REG#1").refused("S1")


def test_an_adverse_decision_has_its_evidence() -> None:
    with pytest.raises(ValidationError, match="attachments"):
        UpholdObjection(finding="屬實", remedy=ObjectionRemedy.DISQUALIFY, attachments=())
    with pytest.raises(ValidationError, match="attachments"):
        RevokeAward(ground=RevocationGround.FALSE_STATEMENT, reason="虛假材料", attachments=())


def test_the_organisation_may_decline() -> None:
    story = posted().ordered(ConfirmAward(), at="2024-05-21", by="CAB-DEC#1")
    decline = DeclineAward(reason="人手不足")
    story = story.when(decline, at="2024-05-22", by="SO-LEGAL#1").then(
        AwardDeclined(reason="人手不足", freed=FUNDS, charge=CHARGE)
    )
    assert stage(story) == "REVOKED"


def test_nobody_declines_for_somebody_else() -> None:
    posted().when(DeclineAward(reason="人手不足"), at="2024-05-22", by="SO-LEGAL#2").refused("SD10")


def test_an_award_on_hold_is_not_declined() -> None:
    objected().when(DeclineAward(reason="人手不足"), at="2024-05-18", by="SO-LEGAL#1").refused("T08")


def test_the_bureau_may_revoke() -> None:
    revoke = RevokeAward(ground=RevocationGround.CREDIT_LISTING, reason="列入異常名錄", attachments=EVIDENCE)
    story = (
        objected()
        .when(revoke, at="2024-05-20", by="CAB-DEC#1")
        .then(AwardRevoked.of(revoke, freed=FUNDS, charge=CHARGE))
    )
    assert stage(story) == "REVOKED"
    shortlisted().when(revoke, at="2024-05-13", by="CAB-DEC#1").refused("T09")


def test_who_is_awaited_follows_the_award() -> None:
    assert "ConfirmAward" in posted().awaited()
    lodged = posted().ordered(LodgeObjection(ground="重複資助"), at="2024-05-16", by="PUBLIC#1")
    assert lodged.awaited() == {"AcceptObjection"}
    assert objected().awaited() == {"DismissObjection"}


def test_an_inadmissible_objection_is_dismissed_at_once_and_stops_no_clock() -> None:
    lodged = posted().ordered(LodgeObjection(ground="與本項目無關"), at="2024-05-16", by="PUBLIC#1")
    dismissed = DismissObjection(finding="不予受理")
    story = lodged.when(dismissed, at="2024-05-17", by="CAB-DEC#1").then(ObjectionDismissed.of(dismissed, still_open=0))
    assert stage(story) == "IN_PUBLICITY"
    assert story.state.part(Publicity).last_day(CALENDAR) == posted().state.part(Publicity).last_day(CALENDAR)
    story.ordered(ConfirmAward(), at="2024-05-21", by="CAB-DEC#1")
