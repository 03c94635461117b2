"""The four stories of the field, from the contract to the archive, row by row."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from domain.application import ProjectKind
from domain.kernel.message import Command
from domain.project.closeout import ArchiveProject, CloseProject, SubmitFinalReport
from domain.project.contract import RegisterLedgerAccount, Signatory, SignContract
from domain.project.delivery import (
    STANDING_TEAM,
    AssignSupervisor,
    Delivery,
    FormVolunteerTeam,
    MeetMilestone,
    ReceiveMatchFund,
    RecordActivity,
    RecordSupervisionVisit,
    ReportKind,
    StartProject,
    SubmitReport,
)
from domain.project.disbursement import (
    ApproveDisbursement,
    CancelTranche,
    CheckDisbursement,
    PayDisbursement,
    RequestDisbursement,
    WithholdDisbursement,
)
from domain.project.evaluation import (
    ConcludeFinalEvaluation,
    ConcludeMidtermEvaluation,
    IssueAuditOpinion,
    Opinion,
    Result,
)
from domain.project.money import Money
from domain.project.remedy import (
    AcceptRectification,
    FailRectification,
    OrderRectification,
    SubmitRectification,
    SuspendProject,
    SuspensionGround,
)
from domain.project.termination import (
    Clawback,
    InitiateTermination,
    OrderClawback,
    ReceiveClawback,
    ReferAccountability,
    TerminateProject,
)
from domain.project.tranches import Installment, MilestoneTerm
from domain.project.variation import AmendContract, ApproveVariation, RequestVariation
from tests.domain.project.life import (
    ACCOUNT,
    AGAINST,
    BOTH,
    INDEX,
    PARTIES,
    SIGNED,
    award_in,
    realm_of,
    walk,
)
from tests.domain.pure_realm import EVIDENCE, PureRealm, scheme
from tests.domain.sentences import on


def ended(realm: PureRealm, stream: str) -> tuple[str, int]:
    """The stage and the net amount, in fen."""
    state = realm.state("project", stream)
    return str(state.stage), state.part(Money).net


def tranche(name: str, amount: int, *days: str) -> list[tuple[str, Command, str]]:
    """The four rows of a payment."""
    requested, checked, approved, paid = days
    return [
        (requested, RequestDisbursement(tranche=name, amount=amount), "CAB-REG#1"),
        (checked, CheckDisbursement(tranche=name), "CAB-FIN#1"),
        (approved, ApproveDisbursement(tranche=name), "CAB-DEC#1"),
        (paid, PayDisbursement(tranche=name, amount=amount), "FISCAL#1"),
    ]


def midterm(score: int, result: Result, **other: object) -> ConcludeMidtermEvaluation:
    return ConcludeMidtermEvaluation(score=Decimal(score), result=result, **other)


def final(score: int, grade: str) -> ConcludeFinalEvaluation:
    return ConcludeFinalEvaluation(score=Decimal(score), grade=grade)


def audit(opinion: Opinion, eligible: int, **other: object) -> IssueAuditOpinion:
    return IssueAuditOpinion(opinion=opinion, eligible=eligible, **other)


# ---------------------------------------------------------------- S2


def fuzhou() -> tuple[PureRealm, str]:
    rules = scheme(
        "fuzhou",
        delivery={"supervisor_required": True, "community_required": True},
        evaluation={"standing_team_months": 3},
    )
    realm = realm_of(rules, FS_FZ=10000000)
    funds = {"FS-FZ": 5000000}
    award_in(realm, rules, "AP-5", project="PJ-3", funds=funds, confirmed="2023-05-22", community="COMM-1")
    return realm, "AP-5"


def visit(advice: str | None = None) -> RecordSupervisionVisit:
    return RecordSupervisionVisit(advice=advice)


def team_activity(person_times: int) -> RecordActivity:
    return RecordActivity(team="銀齡志願服務隊", person_times=person_times)


def test_s2_a_supervised_project_from_its_contract_to_the_archive() -> None:
    realm, name = fuzhou()
    contract = SignContract(
        award=5000000,
        tranches={
            "T1": Installment(planned=3500000, gate="ContractSigned"),
            "T2": Installment(planned=1500000, gate="FinalEvaluationConcluded"),
        },
        budget={"training": 1800000, "activity": 2300000, "volunteers": 650000, "admin": 250000},
        signatures={**BOTH, Signatory.COMMUNITY: SIGNED},
        parties=PARTIES,
    )
    walk(realm, name, [("2023-05-24", AssignSupervisor(supervisor="SUPV-1"), "CAB-REG#1")])
    assert "T12" in realm.refused("project", name, StartProject(), at="2023-05-25", by="SO-PM#1")
    walk(
        realm,
        name,
        [
            ("2023-05-26", contract, "CAB-REG#1"),
            ("2023-05-29", RegisterLedgerAccount(account=ACCOUNT), "SO-ACC#1"),
            *tranche("T1", 3500000, "2023-05-29", "2023-05-30", "2023-05-31", "2023-06-02"),
            ("2023-06-05", StartProject(end=date(2023, 11, 30)), "SO-PM#1"),
            ("2023-06-20", visit("trim recruitment form"), "SUPV#1"),
            ("2023-07-10", FormVolunteerTeam(team="銀齡志願服務隊", members=18), "SO-PM#1"),
            ("2023-08-15", team_activity(46), "SO-PM#1"),
            ("2023-08-22", visit(), "SUPV#1"),
            ("2023-08-28", midterm(81, Result.PASS), "EVAL#1"),
            ("2023-09-12", team_activity(52), "SO-PM#1"),
        ],
    )
    standing = MeetMilestone(milestone=STANDING_TEAM)
    assert realm.refused("project", name, standing, at="2023-09-30", by="SUPV#1") == {"Z1"}
    walk(
        realm,
        name,
        [
            ("2023-10-18", team_activity(61), "SO-PM#1"),
            ("2023-11-14", team_activity(58), "SO-PM#1"),
            ("2023-11-20", MeetMilestone(milestone=STANDING_TEAM, months=4), "SUPV#1"),
            ("2023-11-30", SubmitFinalReport(sessions=4, person_times=217), "SO-LEGAL#1"),
            ("2023-12-08", audit(Opinion.UNQUALIFIED, 5000000), "AUDIT#1"),
            ("2023-12-12", final(86, "良好"), "EVAL#1"),
            *tranche("T2", 1500000, "2023-12-13", "2023-12-14", "2023-12-18", "2023-12-22"),
            ("2023-12-28", CloseProject(), "CAB-REG#1"),
            ("2024-02-28", ArchiveProject(index=INDEX), "HOST#1"),
        ],
    )
    assert ended(realm, name) == ("ARCHIVED", 5000000)
    assert realm.balances["paid/test/AP-5/FS-FZ"] == 5000000
    assert realm.balances["committed/test/AP-5/FS-FZ"] == 0


# ---------------------------------------------------------------- S1


def test_s1_a_project_that_passes_everything_at_once() -> None:
    rules = scheme("hangzhou", review={"line": 70})
    realm = realm_of(rules, FS_LOT=25000000)
    award_in(realm, rules, "AP-1", project="PJ-1", funds={"FS-LOT": 18000000}, confirmed="2024-05-21")
    contract = SignContract(
        award=18000000,
        tranches={
            "T1": Installment(planned=10800000, gate="ContractSigned"),
            "T2": Installment(planned=7200000, gate="FinalEvaluationConcluded"),
        },
        budget={"personnel": 5400000, "activity": 9000000, "materials": 2700000, "admin": 900000},
        signatures=BOTH,
        end=date(2024, 11, 30),
        parties=PARTIES,
    )
    walk(
        realm,
        "AP-1",
        [
            ("2024-05-28", contract, "CAB-REG#1"),
            ("2024-05-30", RegisterLedgerAccount(account=ACCOUNT), "SO-ACC#1"),
            *tranche("T1", 10800000, "2024-05-30", "2024-05-31", "2024-06-03", "2024-06-05"),
            ("2024-06-06", StartProject(), "SO-PM#1"),
            ("2024-09-10", midterm(92, Result.PASS), "EVAL#1"),
            ("2024-12-02", SubmitFinalReport(), "SO-LEGAL#1"),
            ("2024-12-16", audit(Opinion.UNQUALIFIED, 18000000), "AUDIT#1"),
            ("2024-12-18", final(95, "優秀"), "EVAL#1"),
            *tranche("T2", 7200000, "2024-12-19", "2024-12-20", "2024-12-23", "2024-12-25"),
            ("2024-12-27", CloseProject(), "CAB-REG#1"),
            ("2025-03-31", ArchiveProject(index=INDEX), "HOST#1"),
        ],
    )
    assert ended(realm, "AP-1") == ("ARCHIVED", 18000000)


def varied_project() -> PureRealm:
    rules = scheme("hangzhou", review={"line": 70})
    realm = realm_of(rules, ("ORG-T1", "SO-LEGAL#2"), FS_LOT=25000000, FS_CSF=8000000)
    funds = {"FS-LOT": 7000000, "FS-CSF": 8000000}
    award_in(realm, rules, "AP-2", project="PJ-2", funds=funds, confirmed="2024-05-29", organisation="ORG-T1")
    contract = SignContract(
        award=15000000,
        tranches={
            "T1": Installment(planned=7500000, gate="ContractSigned"),
            "T2": Installment(planned=4500000, gate="MidtermEvaluationConcluded"),
            "T3": Installment(planned=3000000, gate="FinalEvaluationConcluded"),
        },
        budget={"personnel": 4500000, "activity": 6000000, "venue": 3000000, "volunteers": 750000, "admin": 750000},
        signatures=BOTH,
        match_pledged=2000000,
        parties=PARTIES,
    )
    walk(
        realm,
        "AP-2",
        [
            ("2024-06-04", contract, "CAB-REG#1"),
            ("2024-06-06", RegisterLedgerAccount(account=ACCOUNT), "SO-ACC#2"),
            ("2024-06-06", RequestDisbursement(tranche="T1", amount=7500000), "CAB-REG#1"),
        ],
    )
    return realm


def test_s1_a_project_that_is_varied_rectified_and_cut() -> None:
    realm, name = varied_project(), "AP-2"
    check = CheckDisbursement(tranche="T1")
    assert "P2" in realm.refused("project", name, check, at="2024-06-07T08:00:00+08:00", by="CAB-REG#1")
    move = RequestVariation(
        move={"venue": -1200000, "activity": 1200000}, end=date(2024, 12, 20), reason="場地減免，增加活動"
    )
    rectify = OrderRectification(
        due=date(2024, 10, 11),
        findings=("sign-in sheets incomplete", "vouchers unindexed"),
        attachments=EVIDENCE,
    )
    cut = CancelTranche(tranche="T3", amount=240000, reason="eligible below award", attachments=EVIDENCE)
    walk(
        realm,
        name,
        [
            *tranche("T1", 7500000, "2024-06-06", "2024-06-07", "2024-06-11", "2024-06-13")[1:],
            ("2024-06-17", StartProject(end=date(2024, 11, 30)), "SO-PM#2"),
            ("2024-06-28", ReceiveMatchFund(amount=2000000), "SO-ACC#2"),
            ("2024-07-22", move, "SO-LEGAL#2"),
            ("2024-07-29", ApproveVariation(share="8.00%"), "CAB-DEC#1"),
            ("2024-08-01", AmendContract(version=2, award=15000000, signatures=BOTH), "CAB-REG#1"),
            ("2024-09-02", SubmitReport(kind=ReportKind.SELF_ASSESSMENT), "SO-PM#2"),
            ("2024-09-12", midterm(58, Result.FAIL, finding="資料不全", attachments=EVIDENCE), "EVAL#1"),
            ("2024-09-13", WithholdDisbursement(tranche="T2", **AGAINST), "CAB-REG#1"),
            ("2024-09-13", rectify, "CAB-REG#1"),
        ],
    )
    request = RequestDisbursement(tranche="T2")
    assert "M2" in realm.refused("project", name, request, at="2024-09-20T08:00:00+08:00", by="CAB-REG#1")
    walk(
        realm,
        name,
        [
            ("2024-10-09", SubmitRectification(), "SO-LEGAL#2"),
            ("2024-10-11", midterm(76, Result.PASS, recheck=True), "EVAL#1"),
            ("2024-10-11", AcceptRectification(), "CAB-REG#2"),
            *tranche("T2", 4500000, "2024-10-12", "2024-10-14", "2024-10-15", "2024-10-18"),
            ("2024-12-24", SubmitFinalReport(), "SO-LEGAL#2"),
            ("2025-01-10", audit(Opinion.UNQUALIFIED, 14760000), "AUDIT#1"),
            ("2025-01-14", final(78, "合格"), "EVAL#1"),
            ("2025-01-15", cut, "CAB-DEC#1"),
            *tranche("T3", 2760000, "2025-01-16", "2025-01-17", "2025-01-20", "2025-01-22"),
            ("2025-01-24", CloseProject(), "CAB-REG#1"),
            ("2025-03-31", ArchiveProject(index=INDEX), "HOST#1"),
        ],
    )
    assert ended(realm, name) == ("ARCHIVED", 14760000)
    assert realm.balances["paid/test/AP-2/FS-LOT"] == 6888000
    assert realm.balances["paid/test/AP-2/FS-CSF"] == 7872000
    assert realm.balances["envelope/test/FS-LOT"] == 18000000 + 112000


# ---------------------------------------------------------------- S3


def test_s3_the_support_of_a_base_ends_at_its_close() -> None:
    rules = scheme("changzhou", budget={"administration_max": 10})
    realm = realm_of(rules, FS_CZ=300000000)
    funds, kind = {"FS-CZ": 60000000}, ProjectKind.BASE_SUPPORT
    award_in(realm, rules, "PJ-4", project="PJ-4", funds=funds, confirmed="2024-03-04", kind=kind)
    contract = SignContract(
        award=60000000,
        tranches={
            "T1": Installment(planned=36000000, gate="ContractSigned"),
            "T2": Installment(planned=24000000, gate="FinalEvaluationConcluded"),
        },
        budget={"resource_linking": 18000000, "brand": 15000000, "training": 21000000, "admin": 6000000},
        signatures=BOTH,
        parties=PARTIES,
    )
    walk(
        realm,
        "PJ-4",
        [
            ("2024-03-08", contract, "CAB-REG#1"),
            ("2024-03-11", RegisterLedgerAccount(account=ACCOUNT), "SO-ACC#1"),
            *tranche("T1", 36000000, "2024-03-12", "2024-03-13", "2024-03-15", "2024-03-20"),
            ("2024-03-21", StartProject(end=date(2024, 12, 10)), "SO-PM#1"),
            ("2024-05-16", RecordActivity(title="萃聚資源·鏈動未來 沙龍", person_times=70), "SO-PM#1"),
            ("2024-07-10", midterm(88, Result.PASS), "EVAL#1"),
            ("2024-12-10", SubmitFinalReport(), "SO-LEGAL#1"),
            ("2024-12-16", audit(Opinion.UNQUALIFIED, 60000000), "AUDIT#1"),
            ("2024-12-18", final(91, "優秀"), "EVAL#1"),
            *tranche("T2", 24000000, "2024-12-19", "2024-12-20", "2024-12-23", "2024-12-26"),
            ("2024-12-30", CloseProject(), "CAB-REG#1"),
        ],
    )
    assert ended(realm, "PJ-4") == ("CLOSED", 60000000)


# ---------------------------------------------------------------- S4


def test_s4_a_project_that_fails_is_terminated_and_pays_back() -> None:
    rules = scheme("hangzhou")
    realm, name = realm_of(rules, FS_LOT=20000000), "AP-9"
    award_in(realm, rules, name, project="PJ-9", funds={"FS-LOT": 20000000}, confirmed="2024-03-18")
    contract = SignContract(
        award=20000000,
        tranches={
            "T1": Installment(planned=10000000, gate="ContractSigned"),
            "T2": Installment(planned=8000000, gate="MidtermEvaluationConcluded"),
            "T3": Installment(planned=2000000, gate="FinalEvaluationConcluded"),
        },
        budget={"personnel": 6000000, "activity": 11000000, "materials": 2000000, "admin": 1000000},
        signatures=BOTH,
        milestones={"MS-2": MilestoneTerm(title="中期產出", due=date(2024, 7, 30))},
        parties=PARTIES,
    )
    walk(
        realm,
        name,
        [
            ("2024-03-25", contract, "CAB-REG#1"),
            ("2024-03-26", RegisterLedgerAccount(account=ACCOUNT), "SO-ACC#1"),
            *tranche("T1", 10000000, "2024-03-26", "2024-03-27", "2024-03-29", "2024-04-02"),
            ("2024-04-08", StartProject(end=date(2024, 11, 30)), "SO-PM#1"),
            (
                "2024-08-12",
                midterm(41, Result.FAIL, finding="vouchers claimed twice", attachments=EVIDENCE),
                "EVAL#1",
            ),
        ],
    )
    assert realm.state("project", name).part(Delivery).missed == {"MS-2": date(2024, 7, 31)}
    request = RequestDisbursement(tranche="T2")
    assert realm.refused("project", name, request, at="2024-08-13", by="CAB-REG#1") == {"M2"}
    rectify = OrderRectification(due=date(2024, 9, 4), findings=("double claiming",), attachments=EVIDENCE)
    hearing = InitiateTermination(ground="double claiming", hearing_until=date(2024, 9, 27), attachments=EVIDENCE)
    walk(
        realm,
        name,
        [
            ("2024-08-14", WithholdDisbursement(tranche="T2", **AGAINST), "CAB-REG#1"),
            ("2024-08-14", rectify, "CAB-REG#1"),
            ("2024-09-04", SubmitRectification(), "SO-LEGAL#1"),
            ("2024-09-09", FailRectification(finding="仍缺憑證", attachments=EVIDENCE), "CAB-REG#2"),
            ("2024-09-10", SuspendProject(ground=SuspensionGround.INVESTIGATION, **AGAINST), "CAB-DEC#1"),
            ("2024-09-12", hearing, "CAB-REG#1"),
            (
                "2024-09-30",
                audit(Opinion.QUALIFIED, 3215480, finding="重複列支", attachments=EVIDENCE),
                "AUDIT#1",
            ),
            ("2024-10-09", CancelTranche(tranche="T2", amount=8000000, **AGAINST), "CAB-DEC#1"),
            ("2024-10-09", CancelTranche(tranche="T3", amount=2000000, **AGAINST), "CAB-DEC#1"),
            ("2024-10-09", OrderClawback(amount=6784520, due=date(2024, 11, 8), **AGAINST), "CAB-DEC#1"),
            ("2024-10-09", TerminateProject(**AGAINST), "CAB-DEC#1"),
            ("2024-10-10", ReferAccountability(to="DISC", **AGAINST), "CAB-REG#1"),
            ("2024-10-28", ReceiveClawback(amount=4000000), "CAB-FIN#1"),
        ],
    )
    early = ArchiveProject(index=INDEX)
    assert realm.refused("project", name, early, at="2024-11-10", by="HOST#1") == {"T25"}
    assert not realm.state("project", name).part(Clawback).escalated
    realm.pass_time(on("2024-11-11T00:00:00+08:00"))
    assert realm.state("project", name).part(Clawback).escalated
    too_much = ReceiveClawback(amount=2784521)
    assert realm.refused("project", name, too_much, at="2024-12-06T08:00:00+08:00", by="CAB-FIN#1") == {"M10"}
    walk(
        realm,
        name,
        [
            ("2024-12-06", ReceiveClawback(amount=2784520), "CAB-FIN#1"),
            ("2025-01-06", ArchiveProject(index=INDEX), "HOST#1"),
        ],
    )
    assert ended(realm, name) == ("ARCHIVED", 3215480)
    assert realm.balances["paid/test/AP-9/FS-LOT"] == 3215480
    assert realm.balances["envelope/test/FS-LOT"] == 10000000
