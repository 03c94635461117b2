"""From the solicitation of needs to the confirmed award, as the scenarios tell it."""

from __future__ import annotations

from decimal import Decimal

from domain.application import Application, ProjectKind
from domain.kernel.identifier import StreamId
from domain.kernel.state import SchemeRef
from domain.need import AdoptNeed, SubmitNeed
from domain.project.award import ProposeAward
from domain.project.bidding import (
    BaseSupport,
    FailPreliminaryReview,
    PassPreliminaryReview,
    RefuseLateSubmission,
    SubmitApplication,
)
from domain.project.objection import AcceptObjection, DismissObjection, LodgeObjection
from domain.project.publicity import ConfirmAward, OpenAwardPublicity
from domain.registers.incubation_base import AdmitTenant, AssessBase, Base, DesignateBase, GraduateTenant, Tier
from domain.registers.organisation import (
    ApplyRatingBonus,
    BanApplicant,
    Listing,
    RatingBonusApplied,
    RecordCreditListing,
    RecordRating,
)
from domain.registers.panel import (
    DeclareConflict,
    DrawPanel,
    IssueReviewReport,
    Panel,
    RecuseReviewer,
    ReviewReportIssued,
    SubmitScore,
)
from domain.registers.reviewer import ConflictKind
from domain.round.call import CallClosed, PublishCall
from domain.round.plan import ApproveRoundBudget, NeedSolicitationClosed, OpenNeedSolicitation, PublishNeedCatalogue
from domain.round.results import PublishResult
from tests.domain.pure_realm import EVIDENCE, MINUTES, PureRealm, new_realm, scheme, verification

FZ = SchemeRef(name="fuzhou", version=1)
HZ = SchemeRef(name="hangzhou", version=1)


def stage(realm: PureRealm, kind: str, name: str) -> str:
    return str(realm.state(kind, name).stage)


def when(realm: PureRealm, event_type: str) -> list[StreamId]:
    return [stream for stream, event in realm.log if event.event_type == event_type]


def test_s2_from_the_need_to_the_award() -> None:
    realm = new_realm(FS_FZ=10000000)
    realm.order("round", "R-FZ-2023", OpenNeedSolicitation(scheme=FZ, year=2023), at="2023-03-06", by="CAB-REG#1")
    realm.order("need", "ND-2", SubmitNeed(round="R-FZ-2023", group="空巢老人"), at="2023-03-15", by="COMM#1")
    realm.order("need", "ND-2", AdoptNeed(), at="2023-03-28", by="CAB-REG#1")
    assert when(realm, "NeedSolicitationClosed") == ["round/test/R-FZ-2023"]
    call = PublishCall(deadline="2023-04-21T17:00:00+08:00")
    realm.order("round", "R-FZ-2023", call, at="2023-04-03", by="CAB-REG#1")
    bid = SubmitApplication(
        round="R-FZ-2023", organisation="ORG-1", title="守護夕陽紅助老公益項目", need="ND-2", requested=5000000
    )
    realm.order("project", "AP-5", bid, at="2023-04-19", by="SO-LEGAL#1")
    realm.order("project", "AP-5", PassPreliminaryReview(), at="2023-04-25", by="DCAB#1")
    assert when(realm, "CallClosed") == ["round/test/R-FZ-2023"]
    draw = DrawPanel(round="R-FZ-2023", applications=("AP-5",), seats=("E1", "E2", "E3", "E4", "E5"))
    realm.order("panel", "RP-2", draw, at="2023-05-08", by="CAB-REG#1")
    paper = IssueReviewReport(results={"AP-5": Decimal("85.33")})
    (report,) = realm.order("panel", "RP-2", paper, at="2023-05-10", by="HOST#1")
    assert isinstance(report, ReviewReportIssued)
    assert report.on_paper
    proposal = ProposeAward(project="PJ-3", award=5000000, funds={"FS-FZ": 5000000}, panel="RP-2", minutes=MINUTES)
    realm.order("project", "AP-5", proposal, at="2023-05-12", by="CAB-REG#1")
    realm.order("project", "AP-5", OpenAwardPublicity(contact="市民政局"), at="2023-05-15", by="CAB-REG#1")
    realm.order("project", "AP-5", ConfirmAward(), at="2023-05-22", by="CAB-DEC#1")
    assert stage(realm, "project", "AP-5") == "AWARDED"
    assert realm.balances["envelope/test/FS-FZ"] == 5000000
    assert realm.claims["name/test/PJ-3"] == {"project/test/AP-5"}


def hangzhou() -> PureRealm:
    """S1 up to the closed call."""
    rules = scheme("hangzhou", review={"line": 70})
    realm = new_realm(rules, FS_LOT=25000000, FS_CSF=8000000)
    for organisation, representative in (("ORG-T1", "SO-LEGAL#2"), ("ORG-T2", "SO-LEGAL#3")):
        realm.order("organisation", organisation, verification(representative), at="2018-01-02", by="CAB-REG#1")
    year = ApproveRoundBudget(amount=33000000, scheme=HZ, year=2024, ordinal=13)
    realm.order("round", "R-HZ-2024", year, at="2024-02-05", by="FISCAL#1")
    realm.order("round", "R-HZ-2024", OpenNeedSolicitation(), at="2024-03-04", by="CAB-REG#1")
    realm.order("need", "ND-1", SubmitNeed(round="R-HZ-2024", group="老漂族"), at="2024-03-12", by="COMM#1")
    realm.order("need", "ND-1", AdoptNeed(), at="2024-03-26", by="CAB-REG#1")
    realm.order("round", "R-HZ-2024", PublishNeedCatalogue(needs=("ND-1",)), at="2024-03-28", by="CAB-REG#1")
    call = PublishCall(deadline="2024-04-24T17:00:00+08:00")
    realm.order("round", "R-HZ-2024", call, at="2024-04-01", by="CAB-REG#1")
    bids = (
        ("AP-1", "ORG-1", "SO-LEGAL#1", "2024-04-18", 20000000, None),
        ("AP-3", "ORG-T2", "SO-LEGAL#3", "2024-04-20", 5000000, None),
        ("AP-2", "ORG-T1", "SO-LEGAL#2", "2024-04-23", 15000000, "ND-1"),
    )
    for name, organisation, by, at, requested, need in bids:
        bid = SubmitApplication(
            round="R-HZ-2024",
            organisation=organisation,
            title=f"項目 {name}",
            requested=requested,
            need=need,
            statement=None if need else "青少年心理",
        )
        realm.order("project", name, bid, at=at, by=by)
    late = RefuseLateSubmission(round="R-HZ-2024", received="2024-04-24T17:00:01+08:00")
    realm.order("project", "AP-4", late, at="2024-04-24T17:00:02+08:00", by="SYS#1")
    return realm


def test_s1_closes_at_its_instant_and_refuses_what_is_late() -> None:
    realm = hangzhou()
    assert stage(realm, "round", "R-HZ-2024") == "CLOSED"
    assert realm.state("round", "R-HZ-2024").since is not None
    assert str(realm.state("round", "R-HZ-2024").since) == "2024-04-24 09:00:00+00:00"
    assert stage(realm, "project", "AP-4") == "NONE"
    assert {type(e) for _, e in realm.log} >= {CallClosed, NeedSolicitationClosed}


def reviewed() -> PureRealm:
    """S1 up to the panel's report."""
    realm = hangzhou()
    listed = RecordCreditListing(listing=Listing.ABNORMAL, reason="未年報", attachments=EVIDENCE)
    realm.order("organisation", "ORG-T2", listed, at="2024-04-26", by="CAB-REG#1")
    realm.order("project", "AP-1", PassPreliminaryReview(), at="2024-04-29", by="HOST#1")
    realm.order("project", "AP-2", PassPreliminaryReview(), at="2024-04-29", by="HOST#1")
    failed = FailPreliminaryReview(reason="活動異常名錄", attachments=EVIDENCE)
    realm.order("project", "AP-3", failed, at="2024-04-29", by="HOST#1")
    draw = DrawPanel(
        round="R-HZ-2024",
        applications=("AP-1", "AP-2"),
        seats=("E1", "E2", "E3", "E4", "E5"),
        witness="DISC#1",
    )
    realm.order("panel", "RP-1", draw, at="2024-05-08", by="CAB-REG#1")
    conflict = DeclareConflict(organisation="ORG-T1", kind=ConflictKind.BOARD_24M)
    realm.order("panel", "RP-1", conflict, at="2024-05-08", by="EXPERT#3")
    realm.order("panel", "RP-1", RecuseReviewer(out="E3", in_="E6"), at="2024-05-09", by="CAB-REG#1")
    sheets = {"AP-1": [88, 91, 86, 90, 84], "AP-2": [82, 85, 79, 88, 76]}
    for name, marks in sheets.items():
        for expert, mark in zip((1, 2, 4, 5, 6), marks, strict=True):
            sheet = SubmitScore(application=name, mark=Decimal(mark))
            realm.order("panel", "RP-1", sheet, at="2024-05-10", by=f"EXPERT#{expert}")
    return realm


def test_s1_refuses_the_score_of_a_recused_reviewer() -> None:
    sheet = SubmitScore(application="AP-1", mark=Decimal(90))
    assert reviewed().refused("panel", "RP-1", sheet, at="2024-05-10", by="EXPERT#3") == {"P1"}


def test_s1_from_the_report_to_both_awards() -> None:
    realm = reviewed()
    realm.order("panel", "RP-1", IssueReviewReport(), at="2024-05-10", by="HOST#1")
    results = realm.state("panel", "RP-1").part(Panel).results
    assert results == {"AP-1": Decimal("88.00"), "AP-2": Decimal("82.00")}
    awards = (
        (
            "AP-1",
            ProposeAward(project="PJ-1", award=18000000, funds={"FS-LOT": 18000000}, panel="RP-1", minutes=MINUTES),
        ),
        (
            "AP-2",
            ProposeAward(
                project="PJ-2",
                award=15000000,
                funds={"FS-LOT": 7000000, "FS-CSF": 8000000},
                panel="RP-1",
                minutes=MINUTES,
            ),
        ),
    )
    for name, proposal in awards:
        realm.order("project", name, proposal, at="2024-05-13", by="CAB-REG#1")
        realm.order("project", name, OpenAwardPublicity(contact="市民政局"), at="2024-05-14", by="CAB-REG#1")
    complaint = LodgeObjection(ground="alleged double funding")
    realm.order("project", "AP-2", complaint, at="2024-05-16", by="PUBLIC#1")
    assert realm.refused("project", "AP-2", AcceptObjection(), at="2024-05-17", by="CAB-REG#1") == {"P5"}
    realm.order("project", "AP-2", AcceptObjection(), at="2024-05-17", by="CAB-REG#2")
    assert "T07" in realm.refused("project", "AP-2", ConfirmAward(), at="2024-05-21", by="CAB-DEC#1")
    realm.order("project", "AP-1", ConfirmAward(), at="2024-05-21", by="CAB-DEC#1")
    dismissal = DismissObjection(finding="ledgers distinct")
    realm.order("project", "AP-2", dismissal, at="2024-05-24", by="CAB-DEC#1")
    assert "D2" in realm.refused("project", "AP-2", ConfirmAward(), at="2024-05-28", by="CAB-DEC#1")
    realm.order("project", "AP-2", ConfirmAward(), at="2024-05-29", by="CAB-DEC#1")
    assert {stage(realm, "project", name) for name in ("AP-1", "AP-2")} == {"AWARDED"}
    assert realm.balances["envelope/test/FS-LOT"] == 0
    assert realm.balances["envelope/test/FS-CSF"] == 0
    realm.order("round", "R-HZ-2024", PublishResult(), at="2025-02-20", by="CAB-REG#1")
    assert stage(realm, "round", "R-HZ-2024") == "PUBLISHED"


def changzhou() -> PureRealm:
    """S3 up to the assessed base."""
    realm = new_realm(scheme("changzhou", bidding={"rating_bonus": {"5A": 3, "4A": 2, "3A": 1}}), FS_CZ=300000000)
    for organisation in ("ORG-T3", "ORG-T4"):
        realm.order("organisation", organisation, verification(), at="2018-11-30", by="CAB-REG#1")
    rated = RecordRating(level="4A", until="2023-11-30")
    realm.order("organisation", "ORG-T4", rated, at="2018-12-01", by="CAB-REG#1")
    rated = RecordRating(level="5A", until="2028-05-31")
    realm.order("organisation", "ORG-T3", rated, at="2023-06-01", by="CAB-REG#1")
    municipal = DesignateBase(name="市級基地", tier=Tier.MUNICIPAL, operator="ORG-1")
    realm.order("base", "BASE-M1", municipal, at="2023-12-01", by="CAB-DEC#1")
    district = DesignateBase(name="天寧", tier=Tier.DISTRICT, operator="ORG-1", parent="BASE-M1")
    realm.order("base", "BASE-D1", district, at="2023-12-01", by="CAB-DEC#1")
    street = DesignateBase(name="街道", tier=Tier.STREET_VILLAGE, operator="ORG-1", parent="BASE-D1")
    realm.order("base", "BASE-S07", street, at="2023-12-01", by="CAB-DEC#1")
    assessed = AssessBase(score=Decimal(93), grade="A")
    realm.order("base", "BASE-M1", assessed, at="2024-01-22", by="EVAL#1")
    year = ApproveRoundBudget(amount=300000000, scheme=SchemeRef(name="changzhou", version=1), year=2024)
    realm.order("round", "R-CZ-2024", year, at="2024-02-05", by="FISCAL#1")
    return realm


def support(award: int) -> ProposeAward:
    return ProposeAward(
        project="PJ-4",
        award=award,
        funds={"FS-CZ": award},
        minutes=MINUTES,
        support=BaseSupport(round="R-CZ-2024", organisation="ORG-1", base="BASE-M1", title="2024年度運營扶持"),
    )


def test_s3_a_bases_support_begins_with_its_award() -> None:
    realm = changzhou()
    beyond = support(300000001)
    assert realm.refused("project", "PJ-4", beyond, at="2024-02-23", by="CAB-REG#1") == {"C2"}
    realm.order("project", "PJ-4", support(60000000), at="2024-02-23", by="CAB-REG#1")
    realm.order("project", "PJ-4", OpenAwardPublicity(contact="市民政局"), at="2024-02-26", by="CAB-REG#1")
    realm.order("project", "PJ-4", ConfirmAward(), at="2024-03-04", by="CAB-DEC#1")
    assert stage(realm, "project", "PJ-4") == "AWARDED"
    assert realm.state("project", "PJ-4").part(Application).kind is ProjectKind.BASE_SUPPORT


def test_s3_only_an_assessed_base_is_supported_and_its_operator_paid() -> None:
    realm = changzhou()
    proposal = support(1000000)
    assert proposal.support is not None
    unassessed = proposal.model_copy(update={"support": proposal.support.model_copy(update={"base": "BASE-D1"})})
    (unmet,) = realm.unmet("project", "PJ-4", unassessed, at="2024-02-23", by="CAB-REG#1")
    assert unmet.en.startswith("BASE-D1 has not been assessed")
    other = proposal.model_copy(update={"support": proposal.support.model_copy(update={"organisation": "ORG-T3"})})
    (unmet,) = realm.unmet("project", "PJ-4", other, at="2024-02-23", by="CAB-REG#1")
    assert unmet.en.startswith("BASE-M1 is run by ORG-1")


def test_s3_a_rating_that_has_ended_gives_no_bonus() -> None:
    realm = changzhou()
    bonus = ApplyRatingBonus(round="R-CZ-2024")
    assert realm.refused("organisation", "ORG-T4", bonus, at="2024-03-01", by="CAB-REG#1") == {"D5"}
    (applied,) = realm.order("organisation", "ORG-T3", bonus, at="2024-03-01", by="CAB-REG#1")
    assert applied == RatingBonusApplied(round="R-CZ-2024", level="5A", points=3)


def test_s3_a_tenant_moves_in_and_outgrows_the_base() -> None:
    realm = changzhou()
    realm.order(
        "base", "BASE-S07", AdmitTenant(organisation="ORG-T5", until="2026-03-10"), at="2024-03-11", by="BASE-OP#1"
    )
    realm.order("base", "BASE-S07", GraduateTenant(organisation="ORG-T5"), at="2026-03-10", by="BASE-OP#1")
    assert not realm.state("base", "BASE-S07").part(Base).tenants


def test_s4_a_barred_organisation_may_not_apply() -> None:
    realm = new_realm(scheme("hangzhou"), FS_LOT=20000000)
    realm.order("organisation", "ORG-T9", verification("SO-LEGAL#1"), at="2023-12-01", by="CAB-REG#1")
    call = PublishCall(scheme=HZ, year=2024, deadline="2024-02-07T17:00:00+08:00")
    realm.order("round", "R-T-2024", call, at="2024-01-15", by="CAB-REG#1")
    bid = SubmitApplication(
        round="R-T-2024", organisation="ORG-T9", title="測試項目", statement="測試需求", requested=20000000
    )
    realm.order("project", "AP-9", bid, at="2024-02-06", by="SO-LEGAL#1")
    realm.order("project", "AP-9", PassPreliminaryReview(), at="2024-02-20", by="HOST#1")
    draw = DrawPanel(round="R-T-2024", applications=("AP-9",), seats=("E1", "E2", "E3", "E4", "E5"))
    realm.order("panel", "RP-9", draw, at="2024-02-27", by="CAB-REG#1")
    realm.order("panel", "RP-9", IssueReviewReport(results={"AP-9": Decimal("74.67")}), at="2024-03-01", by="HOST#1")
    proposal = ProposeAward(project="PJ-9", award=20000000, funds={"FS-LOT": 20000000}, panel="RP-9", minutes=MINUTES)
    realm.order("project", "AP-9", proposal, at="2024-03-08", by="CAB-REG#1")
    ban = BanApplicant(until="2027-10-10", reason="重複列支", attachments=EVIDENCE)
    realm.order("organisation", "ORG-T9", ban, at="2024-10-10", by="CAB-DEC#1")
    year = PublishCall(scheme=HZ, year=2025)
    realm.order("round", "R-T-2025", year, at="2025-03-17", by="CAB-REG#1")
    again = bid.model_copy(update={"round": "R-T-2025", "statement": "另一需求"})
    assert realm.refused("project", "AP-10", again, at="2025-03-20", by="SO-LEGAL#1") == {"D5"}
