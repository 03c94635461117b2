"""A bid: in time, once, eligible; returned and completed; through preliminary review or out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from domain.application import Application
from domain.catalogue import AGGREGATES
from domain.kernel.effects import Post, Release
from domain.kernel.facts import Facts
from domain.kernel.identifier import Actor, StreamId
from domain.kernel.message import Order
from domain.kernel.refusal import CommandRejected
from domain.kernel.state import SchemeRef
from domain.need import AdoptNeed, RejectNeed, SubmitNeed
from domain.project.bidding import (
    ApplicationSubmitted,
    ApplicationWithdrawn,
    DraftApplication,
    FailPreliminaryReview,
    LapseCompletion,
    LateSubmissionRefused,
    LeaveApplicationOut,
    PassPreliminaryReview,
    PreliminaryReviewFailed,
    RefuseLateSubmission,
    ReturnApplication,
    SubmitApplication,
    WithdrawApplication,
)
from domain.registers.organisation import BanApplicant, Listing, RecordCreditListing
from domain.round.call import CancelCall, PublishCall
from domain.round.plan import OpenNeedSolicitation, PublishNeedCatalogue
from tests.domain.pure_realm import EVIDENCE, PureRealm, new_realm, scheme, verification

FZ = SchemeRef(name="fuzhou", version=1)
BID = SubmitApplication(round="R-1", organisation="ORG-1", title="守護夕陽紅", statement="空巢老人", requested=5000000)
ONE = {"at": "2023-04-19", "by": "SO-LEGAL#1"}
DEADLINE = "2023-04-21T17:00:00+08:00"
AFTER = "2023-04-25"
RETURN = ReturnApplication(reason="缺年度報告")
PROJECT = AGGREGATES["project"]


def called(**sections: object) -> PureRealm:
    """A realm whose call is open until 2023-04-21 17:00."""
    realm = new_realm(scheme("fuzhou", **sections))
    realm.order("organisation", "ORG-2", verification("SO-LEGAL#2"), at="2023-01-01", by="CAB-REG#1")
    realm.order("round", "R-1", PublishCall(scheme=FZ, year=2023, deadline=DEADLINE), at="2023-04-03", by="CAB-REG#1")
    return realm


def submitted() -> PureRealm:
    realm = called()
    realm.order("project", "AP-1", BID, **ONE)
    return realm


def returned() -> PureRealm:
    """Returned on Tuesday 2023-04-25; to be completed by the end of Friday the 28th."""
    realm = submitted()
    realm.order("project", "AP-1", RETURN, at=AFTER, by="HOST#1")
    return realm


def stage(realm: PureRealm, name: str = "AP-1") -> str:
    return str(realm.state("project", name).stage)


def bid(**changed: object) -> SubmitApplication:
    return SubmitApplication.model_validate({**BID.model_dump(), **changed})


# ---------------------------------------------------------------- submission


def test_a_bid_is_drafted_and_handed_in() -> None:
    realm = called()
    draft = DraftApplication.model_validate(BID.model_dump(exclude_none=True))
    realm.order("project", "AP-1", draft, at="2023-04-10", by="SO-PM#1")
    realm.order("project", "AP-1", draft, at="2023-04-11", by="SO-LEGAL#1")
    assert stage(realm) == "DRAFTED"
    (event,) = realm.order("project", "AP-1", BID, **ONE)
    assert isinstance(event, ApplicationSubmitted)
    assert stage(realm) == "APPLIED"
    application = realm.state("project", "AP-1").part(Application)
    assert (application.organisation, application.requested) == ("ORG-1", 5000000)


def test_a_bid_a_second_before_the_deadline_is_in() -> None:
    called().order("project", "AP-1", BID, at="2023-04-21T16:59:59+08:00", by="SO-LEGAL#1")


def test_a_bid_at_the_deadline_is_late() -> None:
    assert called().refused("project", "AP-1", BID, at=DEADLINE, by="SO-LEGAL#1") == {"D1"}


def test_a_bid_in_no_window_is_refused() -> None:
    assert "D1" in new_realm().refused("project", "AP-1", BID, **ONE)
    unknown = bid(round="R-9")
    assert "D1" in called().refused("project", "AP-1", unknown, **ONE)


def test_only_a_representative_hands_it_in() -> None:
    assert called().refused("project", "AP-1", BID, at="2023-04-19", by="SO-LEGAL#2") == {"SD10"}
    assert called().refused("project", "AP-1", BID, at="2023-04-19", by="SO-PM#1") == {"AP02", "SD10"}


def test_every_bidder_is_eligible_on_that_day() -> None:
    realm = called()
    ban = BanApplicant(until="2023-04-18", reason="重複列支", attachments=EVIDENCE)
    realm.order("organisation", "ORG-2", ban, at="2020-04-10", by="CAB-DEC#1")
    joint = bid(partners=["ORG-2"])
    assert realm.refused("project", "AP-1", joint, at="2023-04-18", by="SO-LEGAL#1") == {"D5"}
    realm.order("project", "AP-1", joint, **ONE)


def test_an_unverified_organisation_does_not_bid() -> None:
    assert called().refused("project", "AP-1", bid(organisation="ORG-9"), **ONE) == {"D5", "SD10"}


def test_an_organisation_has_one_bid_a_round() -> None:
    realm = submitted()
    another = bid(title="另一項目", statement="另一需求")
    assert realm.refused("project", "AP-2", another, **ONE) == {"AP02"}
    realm.order("project", "AP-2", bid(organisation="ORG-2"), at="2023-04-19", by="SO-LEGAL#2")


def test_or_as_many_as_the_scheme_says_but_never_for_the_same_need() -> None:
    realm = called(bidding={"per_organisation": 2})
    realm.order("project", "AP-1", BID, **ONE)
    assert realm.refused("project", "AP-2", BID, **ONE) == {"AP02"}
    realm.order("project", "AP-2", bid(title="另一項目"), **ONE)
    assert realm.refused("project", "AP-3", bid(title="第三項目"), **ONE) == {"AP02"}


def test_a_withdrawn_bid_leaves_its_place() -> None:
    realm = submitted()
    (event,) = realm.order("project", "AP-1", WithdrawApplication(reason="人手不足"), **ONE)
    assert isinstance(event, ApplicationWithdrawn)
    stream = StreamId("project/test/AP-1")
    assert {type(e) for e in event.effects(stream)} == {Post, Release}
    assert realm.balances["undecided/test/R-1"] == 0
    assert stage(realm) == "WITHDRAWN"
    realm.order("project", "AP-2", BID, **ONE)


def test_only_a_representative_withdraws_it() -> None:
    withdrawal = WithdrawApplication()
    assert submitted().refused("project", "AP-1", withdrawal, at="2023-04-20", by="SO-LEGAL#2") == {"SD10"}


# ---------------------------------------------------------------- needs


def soliciting() -> PureRealm:
    realm = called()
    district = OpenNeedSolicitation(scheme=FZ, year=2023, level="DISTRICT")
    realm.order("round", "R-2", district, at="2023-04-03", by="CAB-REG#1")
    for name in ("ND-1", "ND-2"):
        realm.order("need", name, SubmitNeed(round="R-2", group="空巢老人"), at="2023-04-04", by="COMM#1")
        realm.order("need", name, AdoptNeed(), at="2023-04-05", by="CAB-REG#1")
    return realm


def calling(catalogue: tuple[str, ...] = ()) -> PureRealm:
    realm = soliciting()
    if catalogue:
        listed = PublishNeedCatalogue(needs=catalogue)
        realm.order("round", "R-2", listed, at="2023-05-04", by="CAB-REG#1")
    realm.order("round", "R-2", PublishCall(), at="2023-05-05", by="CAB-REG#1")
    return realm


def test_a_bid_cites_an_adopted_need_with_its_version() -> None:
    realm = calling()
    (event,) = realm.order(
        "project", "AP-1", bid(round="R-2", need="ND-1", statement=None), at="2023-05-10", by="SO-LEGAL#1"
    )
    assert isinstance(event, ApplicationSubmitted)
    assert event.need_version == 2


def test_a_bid_answers_a_need_or_states_one() -> None:
    assert called().refused("project", "AP-1", bid(statement=None), **ONE) == {"AP02"}


def test_a_need_outside_the_catalogue_or_of_another_round_is_not_answered() -> None:
    realm = calling(("ND-1",))
    outside = bid(round="R-2", need="ND-2")
    assert realm.refused("project", "AP-1", outside, at="2023-05-10", by="SO-LEGAL#1") == {"AP02"}
    realm.order("project", "AP-1", bid(round="R-2", need="ND-1"), at="2023-05-10", by="SO-LEGAL#1")
    elsewhere = bid(round="R-1", need="ND-1")
    assert soliciting().refused("project", "AP-1", elsewhere, **ONE) == {"AP02"}


def test_a_need_that_was_not_adopted_is_not_answered() -> None:
    realm = soliciting()
    realm.order("need", "ND-3", SubmitNeed(round="R-2", group="青少年"), at="2023-04-10", by="COMM#1")
    realm.order("need", "ND-3", RejectNeed(reason="重複"), at="2023-04-11", by="CAB-REG#1")
    realm.order("round", "R-2", PublishCall(), at="2023-05-05", by="CAB-REG#1")
    rejected = bid(round="R-2", need="ND-3")
    assert realm.refused("project", "AP-1", rejected, at="2023-05-10", by="SO-LEGAL#1") == {"AP02"}


# ---------------------------------------------------------------- caps


@pytest.mark.parametrize(
    ("sections", "over", "within", "rule"),
    [
        ({"bidding": {"cap_fen": 4000000}}, bid(), bid(requested=4000000), "AP02"),
        ({"budget": {"match_min": 40}}, bid(match_pledged=3333333), bid(match_pledged=3333334), "M6"),
        ({"bidding": {"joint": False}}, bid(partners=["ORG-2"]), bid(), "AP02"),
        ({}, bid(partners=["ORG-1"]), bid(partners=["ORG-2"]), "AP02"),
    ],
    ids=["cap", "self-raised share", "no joint bids", "each named once"],
)
def test_a_bid_keeps_to(
    sections: dict[str, object], over: SubmitApplication, within: SubmitApplication, rule: str
) -> None:
    assert called(**sections).refused("project", "AP-1", over, **ONE) == {rule}
    called(**sections).order("project", "AP-1", within, **ONE)


def test_amounts_are_whole_fen() -> None:
    for wrong in (0, -1, 0.5, "5000.00"):
        with pytest.raises(ValidationError):
            bid(requested=wrong)


def test_every_unmet_condition_is_named_at_once() -> None:
    strict = called(bidding={"cap_fen": 1, "joint": False}, budget={"match_min": 50})
    wrong = bid(organisation="ORG-9", partners=["ORG-8"], statement=None)
    assert strict.refused("project", "AP-1", wrong, at=DEADLINE, by="SO-LEGAL#1") == {"D1", "D5", "SD10", "AP02", "M6"}


# ---------------------------------------------------------------- late submissions


LATE = RefuseLateSubmission(round="R-1", received="2023-04-21T17:00:01+08:00")


def test_what_came_late_is_recorded_as_refused() -> None:
    realm = called()
    (event,) = realm.order("project", "AP-4", LATE, at="2023-04-21T17:00:02+08:00", by="SYS#1")
    assert isinstance(event, LateSubmissionRefused)
    assert event.deadline == datetime(2023, 4, 21, 9, tzinfo=UTC)
    assert stage(realm, "AP-4") == "NONE"


def test_what_came_in_time_is_not_refused_as_late() -> None:
    early = RefuseLateSubmission(round="R-1", received="2023-04-21T16:59:59+08:00")
    assert called().refused("project", "AP-4", early, at="2023-04-21T17:00:02+08:00", by="HOST#1") == {"D1"}


def test_nothing_is_refused_before_it_came() -> None:
    assert called().refused("project", "AP-4", LATE, at="2023-04-21", by="SYS#1") == {"D1"}


# ---------------------------------------------------------------- completion


def test_a_returned_bid_is_completed_in_time_though_the_call_has_closed() -> None:
    realm = returned()
    assert stage(realm) == "RETURNED"
    completed = bid(attachments=EVIDENCE)
    (event,) = realm.order("project", "AP-1", completed, at="2023-04-28T23:59:59+08:00", by="SO-LEGAL#1")
    assert isinstance(event, ApplicationSubmitted)
    assert event.places == {}, "its places are held already"
    assert stage(realm) == "APPLIED"
    assert PROJECT.due(realm.state("project", "AP-1"), realm.calendar) is None


def test_completing_changes_neither_who_nor_where_nor_asks_for_more() -> None:
    at = {"at": "2023-04-26", "by": "SO-LEGAL#1"}
    assert returned().refused("project", "AP-1", bid(requested=5000001), **at) == {"AP02"}
    moved = returned().unmet("project", "AP-1", bid(need="ND-9"), **at)
    assert "completing an application cannot change its round, organisation or need" in {u.en for u in moved}


def test_a_bid_that_is_not_completed_in_time_is_out_by_itself() -> None:
    realm = returned()
    due = PROJECT.due(realm.state("project", "AP-1"), realm.calendar)
    assert due is not None
    assert (due.at, due.command) == (datetime(2023, 4, 28, 16, tzinfo=UTC), LapseCompletion())
    realm.pass_time(due.at)
    assert stage(realm) == "PRELIM_FAILED"
    assert PROJECT.due(realm.state("project", "AP-1"), realm.calendar) is None
    assert realm.refused("project", "AP-1", bid(), at="2023-04-29", by="SO-LEGAL#1") >= {"AP02"}


def test_nobody_lets_a_completion_lapse_by_hand() -> None:
    assert returned().refused("project", "AP-1", LapseCompletion(), at="2023-04-26", by="HOST#1") == {"AP08"}


# ---------------------------------------------------------------- preliminary review


@pytest.mark.parametrize("by", ["HOST#1", "DCAB#1", "CAB-REG#1"])
def test_an_eligible_bid_passes_once_the_call_has_closed(by: str) -> None:
    realm = submitted()
    assert realm.refused("project", "AP-1", PassPreliminaryReview(), at="2023-04-20", by=by) == {"AP06"}
    realm.order("project", "AP-1", PassPreliminaryReview(), at=AFTER, by=by)
    assert stage(realm) == "SHORTLISTED"


def test_a_bidder_that_was_listed_since_does_not_pass() -> None:
    realm = submitted()
    listed = RecordCreditListing(listing=Listing.SERIOUS, reason="公示", attachments=EVIDENCE)
    realm.order("organisation", "ORG-1", listed, at="2023-04-24", by="CAB-REG#1")
    assert realm.refused("project", "AP-1", PassPreliminaryReview(), at=AFTER, by="HOST#1") == {"D5"}


def test_a_failed_review_says_why_with_evidence_and_frees_the_need() -> None:
    realm = submitted()
    failed = FailPreliminaryReview(reason="超出業務範圍", attachments=EVIDENCE)
    (event,) = realm.order("project", "AP-1", failed, at=AFTER, by="HOST#1")
    assert isinstance(event, PreliminaryReviewFailed)
    assert [key.split("/")[0] for key in event.freed_places] == ["answer", "undecided"]
    assert stage(realm) == "PRELIM_FAILED"
    with pytest.raises(ValidationError):
        FailPreliminaryReview(reason="超出業務範圍", attachments=())


def test_an_organisation_reviews_nothing() -> None:
    assert submitted().refused("project", "AP-1", PassPreliminaryReview(), at=AFTER, by="SO-LEGAL#1") == {"AP06"}


def test_nothing_is_judged_without_rules() -> None:
    unruled = replace(submitted().state("project", "AP-1"), scheme=None)
    with pytest.raises(CommandRejected, match="S1"):
        PROJECT.decide(unruled, Facts(), Order(RETURN, Actor("HOST#1"), datetime(2023, 4, 25, 1, tzinfo=UTC)))


# ---------------------------------------------------------------- not selected


def test_a_bid_that_the_experts_saw_is_left_out_with_a_reason() -> None:
    realm = submitted()
    left = LeaveApplicationOut(reason="名次在後")
    assert realm.refused("project", "AP-1", left, at=AFTER, by="CAB-REG#1") == {"AP09"}
    realm.order("project", "AP-1", PassPreliminaryReview(), at=AFTER, by="HOST#1")
    realm.order("project", "AP-1", left, at="2023-05-12", by="CAB-REG#1")
    assert stage(realm) == "NOT_SELECTED"


def test_any_bid_is_left_out_where_the_round_was_given_up() -> None:
    realm = submitted()
    given_up = CancelCall(reason="預算收回", attachments=EVIDENCE)
    realm.order("round", "R-1", given_up, at="2023-04-20", by="CAB-DEC#1")
    realm.order("project", "AP-1", LeaveApplicationOut(reason="本屆徵集取消"), at="2023-04-21", by="CAB-REG#1")
    assert stage(realm) == "NOT_SELECTED"


def test_who_is_awaited_changes_with_the_stage() -> None:
    realm = called()
    state = realm.state("project", "AP-1")
    assert not PROJECT.awaiting(state, realm.calendar)
    realm = returned()
    (awaited,) = PROJECT.awaiting(realm.state("project", "AP-1"), realm.calendar)
    assert (awaited.command, awaited.until) == ("SubmitApplication", datetime(2023, 4, 28, 16, tzinfo=UTC))
