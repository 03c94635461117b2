"""What ends a round knows what it ends: results, cancelling, and the way back (RD06, RD09, RD11, T07, T10)."""

from __future__ import annotations

from decimal import Decimal

from domain.kernel.scheme import RoundLevel
from domain.project.award import ProposeAward, RevocationGround, RevokeAward
from domain.project.bidding import (
    FailPreliminaryReview,
    LeaveApplicationOut,
    PassPreliminaryReview,
    SubmitApplication,
    WithdrawApplication,
)
from domain.project.publicity import ConfirmAward, OpenAwardPublicity
from domain.registers.panel import DrawPanel, IssueReviewReport
from domain.round.call import CancelCall, PublishCall
from domain.round.results import PublishResult
from tests.domain.pure_realm import EVIDENCE, MINUTES, PureRealm, new_realm, scheme, verification
from tests.domain.sentences import on

REG = {"by": "CAB-REG#1"}
CLOSED = "2023-04-25"
CANCEL = CancelCall(reason="預算調整", attachments=EVIDENCE)
SCREEN = {"AP-1": PassPreliminaryReview(), "AP-2": FailPreliminaryReview(reason="不符", attachments=EVIDENCE)}


def bid(organisation: str) -> SubmitApplication:
    return SubmitApplication(
        round="R-1", organisation=organisation, title="助老", requested=1_000, statement="獨居老人無人探訪"
    )


def called() -> PureRealm:
    """Two bids in R-1, whose call has closed."""
    realm = new_realm(scheme("fuzhou"), FS_1=5_000)
    realm.order("organisation", "ORG-2", verification("SO-LEGAL#2"), at="2023-01-02", by="HOST#1")
    call = PublishCall(scheme=scheme("fuzhou").ref, year=2023, level=RoundLevel.MUNICIPAL)
    realm.order("round", "R-1", call, at="2023-04-03", **REG)
    for n in (1, 2):
        realm.order("project", f"AP-{n}", bid(f"ORG-{n}"), at="2023-04-10", by=f"SO-LEGAL#{n}")
    return realm


def screened() -> PureRealm:
    realm = called()
    for name, decision in SCREEN.items():
        realm.order("project", name, decision, at=CLOSED, by="HOST#1")
    return realm


def proposed() -> PureRealm:
    realm = screened()
    draw = DrawPanel(round="R-1", applications=("AP-1",), seats=("E1", "E2", "E3", "E4", "E5"))
    realm.order("panel", "RP-1", draw, at="2023-05-04", **REG)
    realm.order("panel", "RP-1", IssueReviewReport(results={"AP-1": Decimal(80)}), at="2023-05-08", by="HOST#1")
    proposal = ProposeAward(project="PJ-1", award=1_000, funds={"FS-1": 1_000}, panel="RP-1", minutes=MINUTES)
    realm.order("project", "AP-1", proposal, at="2023-05-09", **REG)
    return realm


def published(realm: PureRealm, at: str) -> set[str]:
    return realm.refused("round", "R-1", PublishResult(), at=at, **REG)


def test_no_result_is_published_while_a_bid_is_unscreened() -> None:
    realm = called()
    realm.order("project", "AP-1", SCREEN["AP-1"], at=CLOSED, by="HOST#1")
    (unmet,) = realm.unmet("round", "R-1", PublishResult(), at=CLOSED, **REG)
    assert (unmet.rule, unmet.en.partition(" applications")[0]) == ("RD11", "2")


def test_no_result_is_published_before_the_award_is_confirmed() -> None:
    realm = proposed()
    assert published(realm, "2023-05-10") == {"RD11"}
    realm.order("project", "AP-1", OpenAwardPublicity(contact="市民政局"), at="2023-05-10", **REG)
    assert published(realm, "2023-05-10") == {"RD11"}
    realm.order("project", "AP-1", ConfirmAward(), at="2023-05-17", by="CAB-DEC#1")
    realm.order("round", "R-1", PublishResult(), at="2023-05-17", **REG)


def test_bids_that_were_left_out_or_withdrawn_are_decided() -> None:
    realm = screened()
    realm.order("project", "AP-1", LeaveApplicationOut(reason="未入選"), at="2023-05-09", **REG)
    realm.order("round", "R-1", PublishResult(), at="2023-05-10", **REG)
    other = called()
    for n in (1, 2):
        other.order("project", f"AP-{n}", WithdrawApplication(), at=CLOSED, by=f"SO-LEGAL#{n}")
    other.order("round", "R-1", PublishResult(), at="2023-05-10", **REG)


def test_a_round_is_not_given_up_while_an_award_stands_in_it() -> None:
    realm = proposed()
    assert realm.refused("round", "R-1", CANCEL, at="2023-05-10", by="CAB-DEC#1") == {"RD09"}
    revoke = RevokeAward(ground=RevocationGround.BUDGET_WITHDRAWN, reason="預算撤回", attachments=EVIDENCE)
    realm.order("project", "AP-1", revoke, at="2023-05-10", by="CAB-DEC#1")
    realm.order("round", "R-1", CANCEL, at="2023-05-10", by="CAB-DEC#1")


def test_nothing_is_awarded_in_a_round_that_was_given_up() -> None:
    realm = screened()
    draw = DrawPanel(round="R-1", applications=("AP-1",), seats=("E1", "E2", "E3", "E4", "E5"))
    realm.order("panel", "RP-1", draw, at="2023-05-04", **REG)
    realm.order("panel", "RP-1", IssueReviewReport(results={"AP-1": Decimal(80)}), at="2023-05-08", by="HOST#1")
    realm.order("round", "R-1", CANCEL, at="2023-05-09", by="CAB-DEC#1")
    proposal = ProposeAward(project="PJ-1", award=1_000, funds={"FS-1": 1_000}, panel="RP-1", minutes=MINUTES)
    assert realm.refused("project", "AP-1", proposal, at="2023-05-09", **REG) == {"T01"}


def test_a_round_that_was_given_up_may_be_called_anew() -> None:
    realm = called()
    realm.order("round", "R-1", CANCEL, at=CLOSED, by="CAB-DEC#1")
    realm.order("round", "R-1", PublishCall(), at="2023-05-04", **REG)
    assert realm.state("round", "R-1").stage == "OPEN"
    realm.pass_time(on("2023-06-01"))
    assert realm.state("round", "R-1").stage == "CLOSED"


def test_a_partners_own_bid_counts_unless_the_scheme_says_otherwise() -> None:
    joint = bid("ORG-2").model_copy(update={"partners": ("ORG-1",)})
    for counts, rules in ((None, {"AP02"}), (True, {"AP02"}), (False, set())):
        realm = new_realm(scheme("fuzhou", bidding={"partners_count": counts}), FS_1=5_000)
        realm.order("organisation", "ORG-2", verification("SO-LEGAL#2"), at="2023-01-02", by="HOST#1")
        call = PublishCall(scheme=scheme("fuzhou").ref, year=2023, level=RoundLevel.MUNICIPAL)
        realm.order("round", "R-1", call, at="2023-04-03", **REG)
        realm.order("project", "AP-1", bid("ORG-1"), at="2023-04-10", by="SO-LEGAL#1")
        if rules:
            assert realm.refused("project", "AP-2", joint, at="2023-04-10", by="SO-LEGAL#2") == rules
        else:
            realm.order("project", "AP-2", joint, at="2023-04-10", by="SO-LEGAL#2")
