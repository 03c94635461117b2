"""For every invariant: the rules without it, the shortest story that they then let pass, the checker that catches it.

Each story is first refused by the rules as they are, by that very rule: so the mutant takes away what holds it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from audit.finding import FindingKind
from audit.invariants import INVARIANTS
from audit.invariants.stages import TABLE as STAGES
from audit.invariants.state_machine import TABLE
from audit.verification import verify
from domain.approval.request import WithdrawApproval
from domain.catalogue import list_stages
from domain.kernel import decider
from domain.kernel.acting import PersonId
from domain.kernel.clock import Clock
from domain.kernel.message import Event
from domain.kernel.parked_deadline import SetDeadlineAside
from domain.kernel.refusal import Checks
from domain.kernel.scheme import RoundLevel
from domain.need import AdoptNeed, EndorseNeed, RejectNeed, SubmitNeed
from domain.project import delivery, disbursement
from domain.project.award import DeclineAward, RevokeAward
from domain.project.bidding import BaseSupport, LapseCompletion, ReturnApplication
from domain.project.closeout import (
    ArchiveProject,
    CloseProject,
    ConfirmCorrection,
    ProposeCorrection,
    ReopeningGround,
    ReopenProject,
    ReturnSurplus,
    SubmitFinalReport,
)
from domain.project.contract import LapseContractSigning, Parties, RegisterLedgerAccount
from domain.project.delivery import (
    ExpenditureRecorded,
    RecordActivity,
    RecordExpenditure,
    ReportKind,
    StartProject,
    SubmitReport,
)
from domain.project.disbursement import (
    ApproveDisbursement,
    CancelTranche,
    CheckDisbursement,
    FailDisbursement,
    PayDisbursement,
    RequestDisbursement,
    WithholdDisbursement,
)
from domain.project.disposal import DisposeFile, HoldFile, HoldGround, ReleaseFile
from domain.project.evaluation import ConcludeFinalEvaluation, IssueAuditOpinion, Opinion
from domain.project.objection import (
    AcceptObjection,
    DismissObjection,
    LodgeObjection,
    ObjectionAccepted,
    ObjectionRemedy,
    RescoreAward,
    UpholdObjection,
)
from domain.project.publicity import ConfirmAward, OpenAwardPublicity
from domain.project.remedy import (
    AcceptRectification,
    FailRectification,
    OrderRectification,
    ResumeProject,
    SubmitRectification,
    SuspendProject,
    SuspensionGround,
)
from domain.project.stage import Stage
from domain.project.termination import (
    InitiateTermination,
    OrderClawback,
    ReceiveClawback,
    TerminateProject,
    UpholdTerminationAppeal,
)
from domain.project.tranches import Installment
from domain.project.variation import AmendContract, ApproveVariation, RequestVariation
from domain.registers.accountability import RecordCaseFinding
from domain.registers.designation import WithdrawDesignation
from domain.registers.door_key import WithdrawDoorKey
from domain.registers.draw import CommitDraw, OpenDraw, commitment_to
from domain.registers.fund import ConfirmFundAdjustment, ProposeFundAdjustment, RegisterFundSource
from domain.registers.incubation_base import AssessBase, DesignateBase, Tier
from domain.registers.maintenance import MAINTENANCE_NAME, BeginMaintenance, EndMaintenance, Work
from domain.registers.network import CloseNode
from domain.registers.occasion import StrikeOccasion
from domain.registers.office import FoundOffice
from domain.registers.organisation import ApplyRatingBonus, BanApplicant, RecordRating
from domain.registers.panel import DeclareConflict, DeclareImpartiality, RecuseReviewer, SubmitScore
from domain.registers.person import RetirePerson
from domain.registers.realm import SetClock
from domain.registers.reviewer import ConflictKind
from domain.registers.roster import EnterExperts, ReinstateExpert
from domain.registers.scheme import UnscheduleAnnualRound
from domain.registers.seat import WithdrawSeat
from domain.round.call import AmendCall, CancelCall, PublishCall
from domain.round.plan import ApproveRoundBudget, OpenNeedSolicitation, SetAside, SetAsideBy
from domain.round.results import PublishResult
from store import memory
from store.memory import MemoryStore
from tests.domain.pure_realm import EVIDENCE, MINUTES, scheme
from tests.domain.sentences import on
from tests.domain.written_realm import (
    AWARD,
    BUDGET,
    FUNDS,
    SIGNED,
    TRANCHES,
    Step,
    WrittenRealm,
    bid,
    check,
    contract,
    project,
    proposal,
    realm_until,
)
from tests.paper import play_story

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.kernel.message import Command
    from domain.kernel.scheme import Scheme

AGAINST = {"reason": "見附件", "attachments": EVIDENCE}
RULES = scheme("hangzhou")
TWO_MONTHS = scheme("hangzhou", evaluation={"standing_team_months": 4})
SCHEME = {"scheme": RULES.ref, "year": 2024, "level": RoundLevel.MUNICIPAL}


@dataclass(frozen=True)
class RuleMutant:
    """Rules that no longer ask for one thing, and what they then let pass."""

    rule: str
    what: str
    until: str
    """The last step of the common story."""
    orders: tuple[Step, ...]
    """Only the last is refused by the rules as they are."""
    muted: tuple[str, ...] = ()
    """Rules that refuse nothing any more, besides the one."""
    refusal: str = ""
    """The rule that it is refused by, where that has an id of its own."""
    roles_open: bool = False
    """Whether anybody may do anything at any stage."""
    unguarded: bool = False
    """Whether claims and balances say no to nothing: the second line behind the rule."""
    scheme: Scheme = RULES

    def __str__(self) -> str:
        return f"{self.rule}-{self.what.replace(' ', '-')}"


def register(kind: str, name: str, command: Command, at: str, by: str) -> Step:
    return Step(kind, name, command, at, by)


def panel(command: Command, at: str, by: str) -> Step:
    return Step("panel", "RP-1", command, at, by)


def objection(day: str, last: str, by: str = "CAB-REG#2") -> tuple[Step, ...]:
    """Lodged and taken up."""
    return (
        project(LodgeObjection(ground="重複資助"), day, "PUBLIC#1"),
        project(AcceptObjection(), last, by),
    )


def rectified(until: str) -> tuple[Step, ...]:
    """Ordered, and handed in unless that is the end of it."""
    ordered = OrderRectification(findings=("簽到不全",), attachments=EVIDENCE)
    handed_in = project(SubmitRectification(), "2024-07-12", "SO-LEGAL#1")
    return (project(ordered, "2024-07-10", "CAB-REG#1"), *([handed_in] if until == "handed in" else []))


TERMINATING = (
    project(InitiateTermination(ground="重複列支", attachments=EVIDENCE), "2024-07-10", "CAB-REG#1"),
    project(
        IssueAuditOpinion(opinion=Opinion.QUALIFIED, eligible=300_000, finding="重複列支", attachments=EVIDENCE),
        "2024-07-15",
        "AUDIT#1",
    ),
)
"""After two tranches were paid, with ¥4,500.01 that may not be kept; ``T3`` is unpaid."""
CANCELLED = project(CancelTranche(tranche="T3", amount=250_000, **AGAINST), "2024-07-29", "CAB-DEC#1")
ORDERED_BACK = project(OrderClawback(amount=450_001, **AGAINST), "2024-07-29", "CAB-DEC#1")
TERMINATED = project(TerminateProject(**AGAINST), "2024-07-30", "CAB-DEC#1")
VARIED = project(RequestVariation(reason="順延", end=date(2024, 12, 20)), "2024-07-10", "SO-LEGAL#1")
SUPPLEMENT = AmendContract(variation="1", version=2, award=AWARD, signatures=SIGNED)

MUNICIPAL_BASE = (
    register(
        "base",
        "BASE-1",
        DesignateBase(name="基地", tier=Tier.MUNICIPAL, operator="ORG-1"),
        "2024-02-05",
        "CAB-DEC#1",
    ),
    register("base", "BASE-1", AssessBase(score=Decimal(90), grade="A"), "2024-02-06", "EVAL#1"),
)


def supporting(name: str, fen: int, round_: str = "R-1") -> Step:
    """A support of that base, by that award."""
    support = BaseSupport(round=round_, organisation="ORG-1", base="BASE-1", title="扶持", fields=("助老",))
    terms = {"panel": None, "award": fen, "funds": {"FS-1": fen}, "support": support}
    return project(proposal(name, **terms), "2024-02-19", "CAB-REG#1", name)


LISTED = scheme(
    "hangzhou", codelists={"fields": [{"name": "助老", "en": "elderly"}, {"name": "助殘", "en": "disability"}]}
)
KEPT = project(
    ApproveRoundBudget(amount=1_500_000, set_asides=(SetAside(by=SetAsideBy.FIELD, value="助殘", least=1_000_000),)),
    "2024-03-09",
    "FISCAL#1",
    "R-1",
)

MUTANTS = (
    # ------------------------------------------------------------ cities
    RuleMutant(
        "K1",
        "a field that the city has not",
        "call",
        (project(bid("ORG-1", fields=("團建",)), "2024-02-20", "SO-LEGAL#1"),),
        scheme=LISTED,
    ),
    RuleMutant(
        "K2",
        "nobody knows whom it serves",
        "call",
        (project(bid("ORG-1"), "2024-02-20", "SO-LEGAL#1"),),
        scheme=scheme("hangzhou", beneficiaries={"required": True}),
    ),
    RuleMutant(
        "M11",
        "an award of what is kept for others",
        "report",
        (replace(KEPT, kind="round"), project(proposal("PJ-1"), "2024-03-11", "CAB-REG#1")),
        scheme=LISTED,
    ),
    RuleMutant(
        "P7",
        "a draw opened by another seed",
        "passed 2",
        (
            register(
                "roster",
                "ER-1",
                EnterExperts(experts=tuple(f"E{n}" for n in range(1, 9)), reason="首批"),
                "2024-03-06",
                "CAB-REG#1",
            ),
            panel(
                CommitDraw(
                    round="R-1",
                    applications=("AP-1", "AP-2"),
                    roster="ER-1",
                    places=5,
                    commitment=commitment_to("a" * 64),
                    public_source="開獎號碼",
                    public_at=on("2024-03-07"),
                ),
                "2024-03-06",
                "CAB-REG#1",
            ),
            panel(OpenDraw(seed="b" * 64, public_value="07"), "2024-03-08", "CAB-REG#1"),
        ),
    ),
    # ------------------------------------------------------------ money
    RuleMutant(
        "M1",
        "tranches below the award",
        "confirmed",
        (project(contract(tranches={"T1": TRANCHES["T1"]}), "2024-03-21", "CAB-REG#1"),),
    ),
    RuleMutant(
        "M1",
        "shares below the award",
        "report",
        (project(proposal("PJ-1", funds={"FS-1": 1}), "2024-03-11", "CAB-REG#1"),),
    ),
    RuleMutant(
        "M2", "a gate not reached", "account", (project(RequestDisbursement(tranche="T2"), "2024-03-25", "CAB-REG#1"),)
    ),
    RuleMutant(
        "M2",
        "paid without approval",
        "checked T1",
        (project(PayDisbursement(tranche="T1", amount=400_000), "2024-03-26", "FISCAL#1"),),
    ),
    RuleMutant(
        "M3",
        "more returned than paid",
        "final report",
        (project(ReturnSurplus(amount=750_002), "2024-12-03", "SO-ACC#1"),),
    ),
    RuleMutant(
        "M3",
        "sent back by the bank after most of it was returned",
        "final report",
        (
            project(ReturnSurplus(amount=500_000), "2024-12-03", "SO-ACC#1"),
            project(FailDisbursement(tranche="T1", reason="賬號有誤"), "2024-12-04", "FISCAL#1"),
        ),
        unguarded=True,
    ),
    RuleMutant(
        "M3",
        "more eligible than awarded",
        "final report",
        (project(IssueAuditOpinion(opinion=Opinion.UNQUALIFIED, eligible=AWARD + 1), "2024-12-05", "AUDIT#1"),),
    ),
    RuleMutant(
        "M4",
        "a part of a tranche",
        "account",
        (project(RequestDisbursement(tranche="T1", amount=1), "2024-03-25", "CAB-REG#1"),),
    ),
    RuleMutant(
        "M4",
        "more cancelled than unpaid",
        "paid T1",
        (project(CancelTranche(tranche="T2", amount=350_002, **AGAINST), "2024-03-26", "CAB-DEC#1"),),
    ),
    RuleMutant(
        "M5",
        "an envelope overdrawn",
        "proposed",
        (
            project(
                proposal("PJ-2", award=900_000, funds={"FS-1": 900_000}), "2024-03-11T10:00+08:00", "CAB-REG#1", "AP-2"
            ),
        ),
        unguarded=True,
    ),
    RuleMutant(
        "M5",
        "a budget exceeded",
        "proposed",
        (
            register("round", "R-1", ApproveRoundBudget(amount=AWARD + 199_999), "2024-03-11T09:30+08:00", "FISCAL#1"),
            project(
                proposal("PJ-2", award=200_000, funds={"FS-2": 200_000}), "2024-03-11T10:00+08:00", "CAB-REG#1", "AP-2"
            ),
        ),
        unguarded=True,
    ),
    RuleMutant(
        "M5",
        "a budget cut below what is awarded",
        "proposed",
        (register("round", "R-1", ApproveRoundBudget(amount=AWARD - 1), "2024-03-11T09:30+08:00", "FISCAL#1"),),
    ),
    RuleMutant(
        "M5",
        "a purpose not allowed",
        "call",
        (
            register(
                "base",
                "BASE-1",
                DesignateBase(name="基地", tier=Tier.MUNICIPAL, operator="ORG-1"),
                "2024-02-05",
                "CAB-DEC#1",
            ),
            register("base", "BASE-1", AssessBase(score=Decimal(90), grade="A"), "2024-02-08", "EVAL#1"),
            project(
                proposal(
                    "PJ-3",
                    panel=None,
                    support=BaseSupport(
                        round="R-1", organisation="ORG-1", base="BASE-1", title="扶持", fields=("團建",)
                    ),
                ),
                "2024-02-19",
                "CAB-REG#1",
                "PJ-3",
            ),
        ),
    ),
    RuleMutant(
        "M6",
        "personnel above its cap",
        "confirmed",
        (project(contract(budget={**BUDGET, "personnel": 950_001, "activity": 0}), "2024-03-21", "CAB-REG#1"),),
    ),
    RuleMutant(
        "M6",
        "more spent than its line has",
        "started",
        (
            project(RecordExpenditure(voucher="V-8", amount=650_000, line="activity"), "2024-04-02", "SO-ACC#1"),
            project(RecordExpenditure(voucher="V-9", amount=2, line="activity"), "2024-04-02", "SO-ACC#1"),
        ),
    ),
    RuleMutant(
        "M1",
        "a tranche of nothing",
        "confirmed",
        (
            project(
                contract(tranches={**TRANCHES, "T4": Installment(planned=0, gate="ContractSigned")}),
                "2024-03-21",
                "CAB-REG#1",
            ),
        ),
    ),
    RuleMutant(
        "T10",
        "an agreement without an end in sight",
        "confirmed",
        (project(contract(end=date(2034, 11, 30)), "2024-03-21", "CAB-REG#1"),),
    ),
    RuleMutant(
        "P3",
        "the host audits",
        "confirmed",
        (
            project(
                contract(parties=Parties(host="ORG-H", evaluator="ORG-E", auditor="ORG-H")), "2024-03-21", "CAB-REG#1"
            ),
        ),
    ),
    RuleMutant(
        "M7",
        "a number without its issuer",
        "started",
        (
            project(
                RecordExpenditure(voucher="V-9", issuer="甲公司", amount=1, line="activity"), "2024-04-02", "SO-ACC#1"
            ),
            project(RecordExpenditure(voucher="V-9", amount=1, line="activity"), "2024-04-02", "SO-ACC#1"),
        ),
        unguarded=True,
    ),
    RuleMutant(
        "FS02",
        "a fund adjusted by one person",
        "FS-1",
        (
            register(
                "fund", "FS-1", ProposeFundAdjustment(change=-500_000, reason="財政收回"), "2024-01-03", "CAB-FIN#1"
            ),
            register("fund", "FS-1", ConfirmFundAdjustment(), "2024-01-04", "CAB-FIN#1"),
        ),
    ),
    RuleMutant(
        "RD06",
        "a call shorter than its window",
        "ORG-2",
        (
            register(
                "round",
                "R-1",
                PublishCall.model_validate(SCHEME | {"deadline": "2024-02-07T18:00+08:00"}),
                "2024-02-01",
                "CAB-REG#1",
            ),
        ),
    ),
    RuleMutant(
        "RD07",
        "a call that is shortened",
        "call",
        (
            register(
                "round",
                "R-1",
                AmendCall.model_validate({"deadline": "2024-02-07T18:00+08:00", "reason": "提前"}),
                "2024-02-02",
                "CAB-REG#1",
            ),
        ),
        muted=("RD06",),
    ),
    RuleMutant(
        "RD09",
        "given up while an award stands",
        "proposed",
        (register("round", "R-1", CancelCall(**AGAINST), "2024-03-12", "CAB-DEC#1"),),
    ),
    RuleMutant(
        "RD11",
        "results before every bid is decided",
        "proposed",
        (register("round", "R-1", PublishResult(), "2024-03-12", "CAB-REG#1"),),
        roles_open=False,
    ),
    RuleMutant(
        "D5",
        "a ban shorter than the rules say",
        "call",
        (
            register(
                "organisation",
                "ORG-1",
                BanApplicant(until=date(2024, 2, 10), **AGAINST),
                "2024-02-02",
                "CAB-DEC#1",
            ),
            project(bid("ORG-1"), "2024-02-20", "SO-LEGAL#1"),
        ),
    ),
    RuleMutant(
        "M6",
        "a line that is not there",
        "started",
        (project(RecordExpenditure(voucher="V-9", amount=1, line="banquets"), "2024-04-02", "SO-ACC#1"),),
    ),
    RuleMutant(
        "M7",
        "a voucher claimed twice",
        "spent",
        (project(RecordExpenditure(voucher="V-1", amount=1, line="admin"), "2024-06-22", "SO-ACC#1"),),
    ),
    RuleMutant(
        "M8",
        "a paid tranche withheld",
        "paid T1",
        (project(WithholdDisbursement(tranche="T1", **AGAINST), "2024-03-26", "CAB-REG#1"),),
    ),
    RuleMutant(
        "M8",
        "a paid tranche replanned",
        "midterm",
        (
            VARIED,
            project(ApproveVariation(variation="1"), "2024-07-11", "CAB-DEC#1"),
            project(
                SUPPLEMENT.model_copy(
                    update={
                        "tranches": {
                            **TRANCHES,
                            "T1": Installment(planned=399_999, gate="ContractSigned"),
                            "T3": Installment(planned=250_001, gate="FinalEvaluationConcluded"),
                        }
                    }
                ),
                "2024-07-12",
                "CAB-REG#1",
            ),
        ),
    ),
    RuleMutant(
        "M10",
        "more ordered back than paid",
        "paid T2",
        (*TERMINATING, project(OrderClawback(amount=750_002, **AGAINST), "2024-07-29", "CAB-DEC#1")),
    ),
    RuleMutant(
        "M10",
        "more received than ordered",
        "paid T2",
        (*TERMINATING, ORDERED_BACK, project(ReceiveClawback(amount=450_002), "2024-07-30", "CAB-FIN#1")),
    ),
    # ------------------------------------------------------------ people
    RuleMutant(
        "P1",
        "a score with an interest",
        "panel",
        (
            panel(DeclareConflict(organisation="ORG-1", kind=ConflictKind.KIN), "2024-03-07", "EXPERT#1"),
            panel(SubmitScore(application="AP-1", mark=Decimal(99)), "2024-03-07T10:00+08:00", "EXPERT#1"),
        ),
    ),
    RuleMutant(
        "P1",
        "no interest said by whoever has one",
        "panel",
        (
            panel(DeclareConflict(organisation="ORG-1", kind=ConflictKind.KIN), "2024-03-07", "EXPERT#1"),
            panel(DeclareImpartiality(), "2024-03-07T10:00+08:00", "EXPERT#1"),
        ),
    ),
    RuleMutant(
        "P1",
        "a score before interests were declared",
        "panel",
        (panel(SubmitScore(application="AP-1", mark=Decimal(99)), "2024-03-07", "EXPERT#1"),),
        refusal="RP06",
        scheme=scheme("hangzhou", review={"declaration": True}),
    ),
    RuleMutant(
        "P1",
        "recusal after a score",
        "panel",
        (
            panel(SubmitScore(application="AP-1", mark=Decimal(99)), "2024-03-07", "EXPERT#1"),
            panel(RecuseReviewer.model_validate({"out": "E2", "in": "E6"}), "2024-03-07T10:00+08:00", "CAB-REG#1"),
        ),
    ),
    RuleMutant(
        "P2",
        "the maker approves",
        "checked T1",
        (project(ApproveDisbursement(tranche="T1"), "2024-03-26", "CAB-REG#1"),),
        roles_open=True,
    ),
    RuleMutant(
        "P2",
        "the maker checks",
        "requested T1",
        (project(CheckDisbursement(tranche="T1"), "2024-03-26", "CAB-REG#1"),),
        roles_open=True,
    ),
    RuleMutant(
        "SD1",
        "the maker pays",
        "approved T1",
        (project(PayDisbursement(tranche="T1", amount=400_000), "2024-03-26", "CAB-REG#1"),),
        roles_open=True,
    ),
    RuleMutant(
        "P3",
        "the bidder evaluates itself",
        "confirmed",
        (project(contract(parties=Parties(evaluator="ORG-1")), "2024-03-21", "CAB-REG#1"),),
    ),
    RuleMutant(
        "P3",
        "the evaluator audits",
        "final report",
        (
            project(
                IssueAuditOpinion(opinion=Opinion.UNQUALIFIED, eligible=AWARD, auditor="ORG-E"), "2024-12-05", "AUDIT#1"
            ),
        ),
    ),
    RuleMutant(
        "P4", "four seats after a recusal", "panel", (panel(RecuseReviewer(out="E2"), "2024-03-07", "CAB-REG#1"),)
    ),
    RuleMutant("P5", "who drew the panel investigates", "posted", objection("2024-03-13", "2024-03-14", "CAB-REG#1")),
    RuleMutant(
        "P6", "discipline confirms", "posted", (project(ConfirmAward(), "2024-03-19", "DISC#1"),), roles_open=True
    ),
    # ------------------------------------------------------------ time
    RuleMutant(
        "D1",
        "a late bid",
        "ORG-2",
        (
            register("round", "R-1", PublishCall.model_validate(SCHEME), "2024-02-01", "CAB-REG#1"),
            project(bid("ORG-1"), "2024-03-04", "SO-LEGAL#1"),
        ),
    ),
    RuleMutant("D2", "confirmed a day early", "posted", (project(ConfirmAward(), "2024-03-18", "CAB-DEC#1"),)),
    RuleMutant(
        "D3",
        "an activity before the start",
        "started",
        (project(RecordActivity(person_times=1, held_on=date(2024, 3, 31)), "2024-04-02", "SO-PM#1"),),
    ),
    RuleMutant(
        "D3",
        "spent before the contract",
        "started",
        (
            project(
                RecordExpenditure(voucher="V-9", amount=1, line="admin", spent_on=date(2024, 3, 20)),
                "2024-04-02",
                "SO-ACC#1",
            ),
        ),
    ),
    RuleMutant(
        "D4",
        "approved after it was to hold",
        "midterm",
        (
            project(
                RequestVariation(reason="順延", end=date(2024, 12, 20), effective=date(2024, 7, 12)),
                "2024-07-10",
                "SO-LEGAL#1",
            ),
            project(ApproveVariation(variation="1"), "2024-07-13", "CAB-DEC#1"),
        ),
    ),
    RuleMutant(
        "D4", "amended before it was approved", "midterm", (VARIED, project(SUPPLEMENT, "2024-07-11", "CAB-REG#1"))
    ),
    RuleMutant(
        "D5",
        "a barred bidder",
        "call",
        (
            register(
                "organisation", "ORG-1", BanApplicant(until=date(2025, 1, 1), **AGAINST), "2024-02-02", "CAB-DEC#1"
            ),
            project(bid("ORG-1"), "2024-02-20", "SO-LEGAL#1"),
        ),
    ),
    RuleMutant(
        "D5",
        "a barred organisation is paid",
        "approved T1",
        (
            register(
                "organisation",
                "ORG-1",
                BanApplicant(until=date(2025, 1, 1), **AGAINST),
                "2024-03-25T12:00+08:00",
                "CAB-DEC#1",
            ),
            project(PayDisbursement(tranche="T1", amount=400_000), "2024-03-26", "FISCAL#1"),
        ),
    ),
    # ------------------------------------------------------------ evidence
    RuleMutant(
        "V3",
        "more reported than recorded",
        "held 2024-05-20",
        (project(SubmitReport(kind=ReportKind.PROGRESS, person_times=61), "2024-05-21", "SO-PM#1"),),
    ),
    RuleMutant(
        "V4",
        "somebody is named",
        "started",
        (project(RecordActivity(person_times=1, title="探訪 33010119500101001X"), "2024-04-02", "SO-PM#1"),),
    ),
    RuleMutant(
        "V4",
        "a telephone in a need",
        "rules",
        (
            register("round", "R-1", OpenNeedSolicitation.model_validate(SCHEME), "2024-02-01", "CAB-REG#1"),
            register("need", "ND-1", SubmitNeed(round="R-1", group="王某 13800138000"), "2024-02-02", "COMM#1"),
        ),
    ),
    RuleMutant(
        "SD12",
        "one person corrects",
        "spent",
        (
            project(ProposeCorrection(correction="1", corrects=17, amount=1, **AGAINST), "2024-06-22", "CAB-REG#1"),
            project(ConfirmCorrection(correction="1"), "2024-06-23", "CAB-REG#1"),
        ),
    ),
    RuleMutant(
        "SD10",
        "a stranger declines",
        "posted",
        (project(DeclineAward(reason="冒名"), "2024-03-13", "SO-LEGAL#2"),),
    ),
    # ------------------------------------------------------------ the scheme's own
    RuleMutant(
        "Z1",
        "no standing team",
        "audit",
        (project(ConcludeFinalEvaluation(score=Decimal(85), grade="良好"), "2024-12-09", "EVAL#1"),),
        scheme=TWO_MONTHS,
    ),
    RuleMutant(
        "C1",
        "a base that hangs from nothing",
        "ORG-1",
        (
            register(
                "base",
                "BASE-2",
                DesignateBase(name="區級", tier=Tier.DISTRICT, operator="ORG-1"),
                "2024-01-05",
                "CAB-DEC#1",
            ),
        ),
    ),
    RuleMutant(
        "C2",
        "support above the envelope",
        "call",
        (
            register(
                "base",
                "BASE-1",
                DesignateBase(name="基地", tier=Tier.MUNICIPAL, operator="ORG-1"),
                "2024-02-05",
                "CAB-DEC#1",
            ),
            register("base", "BASE-1", AssessBase(score=Decimal(90), grade="A"), "2024-02-06", "EVAL#1"),
            project(
                proposal(
                    "PJ-3",
                    panel=None,
                    award=1_500_001,
                    funds={"FS-1": 1_500_001},
                    support=BaseSupport(
                        round="R-1", organisation="ORG-1", base="BASE-1", title="扶持", fields=("助老",)
                    ),
                ),
                "2024-02-19",
                "CAB-REG#1",
                "PJ-3",
            ),
        ),
        unguarded=True,
    ),
    RuleMutant(
        "C2",
        "support above the budget",
        "call",
        (
            *MUNICIPAL_BASE,
            register("round", "R-1", ApproveRoundBudget(amount=99_999), "2024-02-07", "FISCAL#1"),
            supporting("PJ-3", 100_000),
        ),
        unguarded=True,
    ),
    RuleMutant(
        "T01",
        "support in a round that was never set up",
        "call",
        (*MUNICIPAL_BASE, supporting("PJ-3", 100_000, "R-9")),
    ),
    RuleMutant(
        "C3",
        "a base supported twice a year",
        "call",
        (*MUNICIPAL_BASE, supporting("PJ-3", 100_000), supporting("PJ-4", 100_000)),
        unguarded=True,
    ),
    RuleMutant(
        "C4",
        "more than its class earns",
        "call",
        (*MUNICIPAL_BASE, supporting("PJ-3", 100_001)),
        scheme=scheme("hangzhou", bases={"allocation": [{"tier": "MUNICIPAL", "grade": "A", "each": 100_000}]}),
    ),
    RuleMutant(
        "H1",
        "a second municipal round",
        "call",
        (register("round", "R-2", PublishCall.model_validate(SCHEME), "2024-02-02", "CAB-REG#1"),),
        unguarded=True,
    ),
    # ------------------------------------------------------------ guards of the state machine
    RuleMutant(
        "AP02",
        "a partner's second bid",
        "bid 1",
        (project(bid("ORG-2", partners=("ORG-1",)), "2024-02-21", "SO-LEGAL#2", "AP-3"),),
        unguarded=True,
    ),
    RuleMutant(
        "AP08",
        "out before its completion is late",
        "bid 1",
        (
            project(ReturnApplication(reason="缺章程"), "2024-02-21", "HOST#1"),
            project(LapseCompletion(), "2024-02-22", "SYS#1"),
        ),
    ),
    RuleMutant(
        "T01", "without a report", "report", (project(proposal("PJ-1", panel="RP-9"), "2024-03-11", "CAB-REG#1"),)
    ),
    RuleMutant(
        "T01",
        "more than was applied for",
        "report",
        (
            project(
                proposal("PJ-1", award=AWARD + 1, funds={**FUNDS, "FS-2": FUNDS["FS-2"] + 1}), "2024-03-11", "CAB-REG#1"
            ),
        ),
    ),
    RuleMutant(
        "T03",
        "an objection after the window",
        "posted",
        (project(LodgeObjection(ground="重複資助"), "2024-03-19", "PUBLIC#1"),),
    ),
    RuleMutant(
        "T04",
        "dismissed twice",
        "posted",
        (
            *objection("2024-03-13", "2024-03-14"),
            project(DismissObjection(finding="不實"), "2024-03-15", "CAB-DEC#1"),
            project(DismissObjection(finding="不實"), "2024-03-18", "CAB-DEC#1"),
        ),
    ),
    RuleMutant(
        "T06",
        "posted before it was scored again",
        "posted",
        (
            *objection("2024-03-13", "2024-03-14"),
            project(
                UpholdObjection(remedy=ObjectionRemedy.RESCORE, finding="屬實", attachments=EVIDENCE),
                "2024-03-18",
                "CAB-DEC#1",
            ),
            project(OpenAwardPublicity(contact="市民政局"), "2024-03-19", "CAB-REG#1"),
        ),
    ),
    RuleMutant(
        "T06",
        "scored again by the same panel",
        "posted",
        (
            *objection("2024-03-13", "2024-03-14"),
            project(
                UpholdObjection(remedy=ObjectionRemedy.RESCORE, finding="屬實", attachments=EVIDENCE),
                "2024-03-18",
                "CAB-DEC#1",
            ),
            project(RescoreAward(panel="RP-1"), "2024-03-19", "CAB-REG#1"),
        ),
    ),
    RuleMutant(
        "T07",
        "confirmed with an objection open",
        "posted",
        (
            project(LodgeObjection(ground="重複資助"), "2024-03-13", "PUBLIC#1"),
            project(ConfirmAward(), "2024-03-19", "CAB-DEC#1"),
        ),
    ),
    RuleMutant("T10", "one signature", "confirmed", (project(contract(signatures={}), "2024-03-21", "CAB-REG#1"),)),
    RuleMutant("T11", "lapsed too soon", "confirmed", (project(LapseContractSigning(), "2024-03-21", "SYS#1"),)),
    RuleMutant("T12", "started without an account", "signed", (project(StartProject(), "2024-04-01", "SO-PM#1"),)),
    RuleMutant(
        "T13",
        "too long to put it right",
        "midterm",
        (
            project(
                OrderRectification(findings=("簽到不全",), attachments=EVIDENCE, due=date(2024, 9, 1)),
                "2024-07-10",
                "CAB-REG#1",
            ),
        ),
    ),
    RuleMutant(
        "T14",
        "the same person looks again",
        "midterm",
        (*rectified("handed in"), project(AcceptRectification(), "2024-07-15", "CAB-REG#1")),
    ),
    RuleMutant(
        "T14",
        "accepted before it was handed in",
        "midterm",
        (*rectified("ordered"), project(AcceptRectification(), "2024-07-15", "CAB-REG#2")),
    ),
    RuleMutant(
        "T15",
        "extended twice",
        "midterm",
        (
            *rectified("handed in"),
            project(FailRectification(finding="仍缺", attachments=EVIDENCE, extended=True), "2024-07-15", "CAB-REG#1"),
            project(SubmitRectification(), "2024-07-16", "SO-LEGAL#1"),
            project(FailRectification(finding="仍缺", attachments=EVIDENCE, extended=True), "2024-07-17", "CAB-REG#1"),
        ),
    ),
    RuleMutant(
        "T16", "reported before the end", "midterm", (project(SubmitFinalReport(), "2024-07-10", "SO-LEGAL#1"),)
    ),
    RuleMutant(
        "T20",
        "a short hearing",
        "midterm",
        (
            project(
                InitiateTermination(ground="重複列支", hearing_until=date(2024, 7, 12), attachments=EVIDENCE),
                "2024-07-10",
                "CAB-REG#1",
            ),
        ),
    ),
    RuleMutant(
        "T21",
        "a better grade than earned",
        "audit",
        (project(ConcludeFinalEvaluation(score=Decimal(85), grade="優秀"), "2024-12-09", "EVAL#1"),),
    ),
    RuleMutant(
        "T21",
        "passed without an audit",
        "final report",
        (project(ConcludeFinalEvaluation(score=Decimal(85), grade="良好"), "2024-12-09", "EVAL#1"),),
    ),
    RuleMutant(
        "SD9",
        "asked for before finance has confirmed another account",
        "account",
        (
            project(RegisterLedgerAccount(account="b" * 64), "2024-03-22T12:00+08:00", "SO-ACC#1"),
            project(RequestDisbursement(tranche="T1"), "2024-03-25", "CAB-REG#1"),
        ),
    ),
    RuleMutant("T22", "closed with a tranche open", "final", (project(CloseProject(), "2024-12-16", "CAB-REG#1"),)),
    RuleMutant(
        "T24",
        "ended before the hearing was over",
        "paid T2",
        (
            *TERMINATING,
            project(CancelTranche(tranche="T3", amount=250_000, **AGAINST), "2024-07-16", "CAB-DEC#1"),
            project(OrderClawback(amount=450_001, **AGAINST), "2024-07-17", "CAB-DEC#1"),
            project(TerminateProject(**AGAINST), "2024-07-24", "CAB-DEC#1"),
        ),
    ),
    RuleMutant("T24", "ended with a tranche open", "paid T2", (*TERMINATING, ORDERED_BACK, TERMINATED)),
    RuleMutant("T24", "ended with nothing ordered back", "paid T2", (*TERMINATING, CANCELLED, TERMINATED)),
    RuleMutant(
        "T25",
        "archived with money to come",
        "paid T2",
        (
            *TERMINATING,
            CANCELLED,
            ORDERED_BACK,
            TERMINATED,
            project(ArchiveProject(index=MINUTES), "2024-07-31", "HOST#1"),
        ),
    ),
    RuleMutant(
        "DS01",
        "let go of what nobody held",
        "archived",
        (project(ReleaseFile(reason="已結案"), "2025-02-10", "CAB-REG#1"),),
    ),
    RuleMutant(
        "DS02",
        "destroyed in its last year",
        "archived",
        (project(DisposeFile(reason="期滿"), "2034-12-29", "HOST#1"),),
    ),
    RuleMutant(
        "DS02",
        "destroyed twice",
        "archived",
        tuple(project(DisposeFile(reason="期滿"), day, "HOST#1") for day in ("2035-01-03", "2035-01-04")),
    ),
    RuleMutant(
        "DS03",
        "destroyed while a court asks for it",
        "archived",
        (
            project(HoldFile(ground=HoldGround.LITIGATION, reason="法院調卷"), "2034-12-29", "CAB-REG#1"),
            project(DisposeFile(reason="期滿"), "2035-01-04", "HOST#1"),
        ),
    ),
    RuleMutant(
        "T26",
        "reopened without a contract",
        "posted",
        (
            project(DeclineAward(reason="人手不足"), "2024-03-13", "SO-LEGAL#1"),
            project(ArchiveProject(index=MINUTES), "2024-03-14", "HOST#1"),
            project(
                ReopenProject(ground=ReopeningGround.DISCIPLINE, finding="另案", attachments=EVIDENCE),
                "2024-03-15",
                "CAB-DEC#1",
            ),
        ),
    ),
)


def mute(monkeypatch: pytest.MonkeyPatch, *rules: str) -> None:
    """Let these rules refuse nothing any more; none named means every rule."""
    note = Checks.__call__

    def lenient(self: Checks, held: object, rule: str, zh: str, en: str, /, **params: object) -> bool:
        return note(self, held, rule, zh, en, **params) if rules and rule not in rules else bool(held)

    monkeypatch.setattr(Checks, "__call__", lenient)
    if "V4" in rules:
        monkeypatch.setattr(decider, "refuse_personal_data", lambda _: ())


def open_roles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let anybody do anything at any stage."""
    monkeypatch.setattr(decider, "authorize", lambda *_: ())


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_the_checker_catches_what_the_rules_no_longer_do(mutant: RuleMutant, monkeypatch: pytest.MonkeyPatch) -> None:
    realm = realm_until(mutant.until, mutant.scheme, guarded=not mutant.unguarded)
    *before, last = mutant.orders
    for step in before:
        step.ordered(realm)
    assert realm.check().ok
    refusing = mutant.refusal or mutant.rule if not mutant.roles_open or mutant.rule in {"P2", "SD1"} else "T07"
    assert refusing in last.refused(realm), "the rules as they are refuse it by this very rule"
    mute(monkeypatch, mutant.rule, mutant.refusal, *mutant.muted)
    if mutant.roles_open:
        open_roles(monkeypatch)
    last.ordered(realm)
    assert mutant.rule in {b.rule for b in realm.check().breaches}


HELD = [mutant for mutant in MUTANTS if mutant.unguarded]


@pytest.mark.parametrize("mutant", HELD, ids=str)
def test_the_append_refuses_what_the_rules_no_longer_do(mutant: RuleMutant, monkeypatch: pytest.MonkeyPatch) -> None:
    """C3, M7 and their like: a claim or a balance stands behind the rule (decision 006)."""
    realm = realm_until(mutant.until, mutant.scheme)
    *before, last = mutant.orders
    for step in before:
        step.ordered(realm)
    mute(monkeypatch, mutant.rule, *mutant.muted)
    with pytest.raises(AssertionError, match=r"is (taken|overdrawn)"):
        last.ordered(realm)


@pytest.mark.parametrize(
    ("first", "second"),
    [("甲公司", "甲公司"), (None, None), ("甲公司", None), (None, "甲公司")],
    ids=["by issuer and number", "by number", "a number without its issuer", "an issuer of a number without one"],
)
def test_m7_the_append_refuses_a_voucher_of_another_project(first: str | None, second: str | None) -> None:
    """Two projects that claim it at one moment read nothing of one another: only the claim is between them."""
    realm, other = WrittenRealm(), "丙公司"
    claims = [
        ExpenditureRecorded(voucher="V-9", issuer=issuer, amount=1, line="activity", spent_on=date(2024, 4, 2))
        for issuer in (first, second)
    ]
    realm._apply(claims[0].effects(realm.id("project", "AP-1")))
    if first and second:
        realm._apply(claims[0].model_copy(update={"issuer": other}).effects(realm.id("project", "AP-2")))
    with pytest.raises(AssertionError, match="is taken"):
        realm._apply(claims[1].effects(realm.id("project", "AP-2")))


def broke(realm: WrittenRealm) -> set[str]:
    return {b.rule for b in realm.check().breaches}


def test_m9_a_split_that_loses_the_rounding_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def rounded_down(amount: int, over: Mapping[str, int]) -> dict[str, int]:
        return {name: amount * share // sum(over.values()) for name, share in over.items()}

    monkeypatch.setattr(disbursement, "apportion", rounded_down)
    assert broke(realm_until("paid T1")) == {"M9"}


def test_m9_a_payment_that_the_bank_sent_back_and_that_still_counts_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    realm = realm_until("paid T1")
    sent_back = FailDisbursement(tranche="T1", reason="賬號有誤")
    monkeypatch.setattr(disbursement.DisbursementFailed, "of", classmethod(_as_if_unpaid))
    project(sent_back, "2024-03-26", "FISCAL#1").ordered(realm)
    assert "M9" in broke(realm)


def _as_if_unpaid(cls: type[disbursement.DisbursementFailed], command: FailDisbursement, split: object) -> Event:
    assert split, "the payment had been recorded as made"
    return cls(tranche=command.tranche, reason=command.reason)


def test_d6_an_objection_that_tells_nobody_when_it_is_late_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = scheme("hangzhou", publicity={"tells_of_late": True})
    *lodged, accepted = objection("2024-03-13", "2024-03-14")
    realm = realm_until("posted", rules)
    for step in lodged:
        step.ordered(realm)
    silent = ObjectionAccepted(objection="1")
    monkeypatch.setattr(ObjectionAccepted, "of", classmethod(lambda *_, **__: silent))
    accepted.ordered(realm)
    assert broke(realm) == {"D6"}


def test_t17_a_milestone_that_falls_while_the_project_stands_still_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    realm = realm_until("confirmed")
    signed = contract(milestones={"MS-1": {"title": "調查", "due": "2024-06-30"}})
    for step in (
        project(signed, "2024-03-21", "CAB-REG#1"),
        project(RegisterLedgerAccount(account="a" * 64), "2024-03-22", "SO-ACC#1"),
        project(StartProject(), "2024-04-01", "SO-PM#1"),
        project(SuspendProject(ground=SuspensionGround.RISK, **AGAINST), "2024-06-20", "CAB-DEC#1"),
    ):
        step.ordered(realm)
    realm.pass_time(on("2024-07-02"))
    assert not broke(realm)
    running = (*delivery.MILESTONES_RUN, Stage.SUSPENDED)
    monkeypatch.setattr(delivery, "MILESTONES_RUN", running)
    monkeypatch.setattr(delivery.MissMilestone, "during", running)
    realm.pass_time(on("2024-07-02"))
    assert broke(realm) == {"T17"}


def test_v1_a_decision_without_evidence_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    realm = realm_until("paid T1")
    bare = WithholdDisbursement.model_construct(tranche="T2", reason="見附件", attachments=())
    withheld = project(bare, "2024-03-26", "CAB-REG#1")
    with pytest.raises(ValueError, match="attachments"):
        withheld.ordered(realm)
    monkeypatch.setattr(Event, "revalidate", lambda self: self)
    monkeypatch.setattr(disbursement.DisbursementWithheld, "model_validate_json", classmethod(_as_written))
    withheld.ordered(realm)
    assert broke(realm) == {"V1"}


def _as_written(cls: type[disbursement.DisbursementWithheld], _data: bytes) -> Event:
    return cls.model_construct(tranche="T2", reason="見附件", attachments=())


async def test_v2_a_log_that_is_not_chained_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "chain_hash", lambda _before, leaf: leaf[:32].ljust(32, b"\0"))
    store = MemoryStore()
    await play_story(store)
    assert {f.kind for f in (await verify(store)).findings} == {FindingKind.CHAIN}


def test_z1_a_team_struck_out_after_the_evaluation_is_caught_at_the_close(monkeypatch: pytest.MonkeyPatch) -> None:
    realm = realm_until("paid T3", scheme("hangzhou", evaluation={"standing_team_months": 3}))
    stream = realm.id("project", "AP-1")
    (held, *_) = (e.version for e in realm.entries if e.stream == stream and e.type == "ActivityRecorded")
    struck = ProposeCorrection(correction="1", corrects=held, strike=True, **AGAINST)
    project(struck, "2024-12-11", "SO-PM#1").ordered(realm)
    project(ConfirmCorrection(correction="1"), "2024-12-12", "CAB-REG#1").ordered(realm)
    close = project(CloseProject(), "2024-12-16", "CAB-REG#1")
    assert close.refused(realm) == {"Z1"}
    mute(monkeypatch, "Z1")
    close.ordered(realm)
    assert broke(realm) == {"Z1"}


def test_d5_a_bonus_for_a_rating_that_has_ended_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    realm = realm_until("call", scheme("hangzhou", bidding={"rating_bonus": {"4A": 2}}))
    rating = RecordRating(level="4A", until=date(2024, 2, 5))
    register("organisation", "ORG-1", rating, "2024-02-02", "CAB-REG#1").ordered(realm)
    step = register("organisation", "ORG-1", ApplyRatingBonus(round="R-1"), "2024-02-05", "CAB-REG#1")
    late = register("organisation", "ORG-1", ApplyRatingBonus(round="R-2"), "2024-02-06", "CAB-REG#1")
    step.ordered(realm)
    assert realm.check().ok
    assert "D5" in late.refused(realm)
    monkeypatch.setattr("domain.registers.organisation.Organisation.rating", lambda self, _day: self.ratings[-1])
    mute(monkeypatch, "D5", "S1")
    register("organisation", "ORG-1", ApplyRatingBonus(round="R-1"), "2024-02-06", "CAB-REG#1").ordered(realm)
    assert broke(realm) == {"D5"}


@pytest.mark.parametrize("cited", ["AwardConfirmed", "AwardPublicityOpened", "CallPublished", "DisbursementRequested"])
def test_s1_a_number_that_is_not_the_rules_is_caught(cited: str) -> None:
    realm = realm_until("archived")
    at = next(n for n, entry in enumerate(realm.entries) if entry.type == cited)
    data = json.loads(realm.entries[at].data)
    (number, *_) = (name for name in data if name.endswith(("_wd", "_days")))
    realm.entries[at] = replace(realm.entries[at], data=json.dumps(data | {number: data[number] + 1}).encode())
    assert "S1" in broke(realm)


def test_d4_minor_variations_that_add_up_to_a_major_one_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("domain.project.variation.Variations.minor_share", Decimal(0))
    realm = realm_until("started")
    for number in ("1", "2"):
        move = {"activity": -80_000, "admin": 0, "personnel": 0, "training": 80_000}
        change = RequestVariation(variation=number, reason="調劑", move=move)
        project(change, f"2024-04-0{number}T12:00+08:00", "SO-LEGAL#1").ordered(realm)
    assert broke(realm) == {"D4"}


def test_every_invariant_has_a_mutant() -> None:
    by_themselves = {
        "D6",
        "D7",
        "D8",
        "D9",
        "M9",
        "M12",
        "S1",
        "SD6",
        "V1",
        "V2",
    }  # in tests of their own
    in_test_opening = {"OE01", "OE02", "OE03", "OE04"}  # tests/domain/project/test_opening.py
    in_test_business = {
        "SD8",
        "SD5",
        "SD6",
        "SD14",
        "SD15",
        "SE10",
        "SE12",
        "TP03",
        *(f"AF0{n}" for n in range(2, 9)),
    }  # tests/audit/test_business.py, test_eligibility.py
    assert {m.rule for m in MUTANTS} | by_themselves | in_test_business | in_test_opening >= INVARIANTS.keys()


def test_pk01_a_deadline_that_is_set_aside_before_it_falls_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    realm = realm_until("call")
    to_come = SetDeadlineAside(deadline="CloseCall", falls_at=on("2030-01-01"), reason="不想等")
    early = register("round", "R-1", to_come, "2024-03-01", "CAB-REG#1")
    assert early.refused(realm) == {"PK01"}
    mute(monkeypatch, "PK01")
    early.ordered(realm)
    assert "PK01" in broke(realm)


def test_mt02_a_work_that_ends_twice_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    mute(monkeypatch, "MT01")  # which keeps it in the live realm
    realm, ended = realm_until("call"), EndMaintenance(number=1, changed=1, left=0)
    begun = BeginMaintenance(work=Work.RESURRECT, reason="Temporal 新建")
    register("maintenance", MAINTENANCE_NAME, begun, "2024-03-01", "ADMIN#1").ordered(realm)
    register("maintenance", MAINTENANCE_NAME, ended, "2024-03-01", "ADMIN#1").ordered(realm)
    again = register("maintenance", MAINTENANCE_NAME, ended, "2024-03-02", "ADMIN#1")
    assert again.refused(realm) == {"MT02"}
    assert realm.check().ok
    mute(monkeypatch, "MT01", "MT02")
    again.ordered(realm)
    assert "MT02" in broke(realm)


# ---------------------------------------------------------------- the state machine itself

_REASON = {"finding": "屬實", "attachments": EVIDENCE}
OUT_OF_PLACE: dict[str, Command] = {
    "T02": OpenAwardPublicity(contact="市民政局"),
    "T03": AcceptObjection(),
    "T04": DismissObjection(finding="不實"),
    "T05": UpholdObjection(remedy=ObjectionRemedy.DISQUALIFY, **_REASON),
    "T06": UpholdObjection(remedy=ObjectionRemedy.RESCORE, **_REASON),
    "T07": ConfirmAward(),
    "T08": DeclineAward(reason="人手不足"),
    "T09": RevokeAward.model_validate({"ground": "FALSE_STATEMENT", **AGAINST}),
    "T10": contract(),
    "T11": LapseContractSigning(),
    "T12": StartProject(end=date(2024, 11, 30)),
    "T13": OrderRectification(findings=("簽到不全",), attachments=EVIDENCE),
    "T14": AcceptRectification(),
    "T15": FailRectification(**_REASON),
    "T16": SubmitFinalReport(),
    "T17": SuspendProject(ground=SuspensionGround.RISK, **AGAINST),
    "T18": ResumeProject(cured="已改"),
    "T19": IssueAuditOpinion(opinion=Opinion.UNQUALIFIED, eligible=0, auditor="ORG-A"),
    "T20": InitiateTermination(ground="重複列支", attachments=EVIDENCE),
    "T21": ConcludeFinalEvaluation(score=Decimal(85), grade="良好", evaluator="ORG-E"),
    "T22": CloseProject(),
    "T23": UpholdTerminationAppeal(finding="申辯成立", record=MINUTES),
    "T24": TerminateProject(**AGAINST),
    "T25": ArchiveProject(index=MINUTES),
    "T26": ReopenProject(ground=ReopeningGround.DISCIPLINE, **_REASON),
}


@pytest.mark.parametrize("row", sorted({row.id for row in TABLE if row.id.startswith("T")}))
def test_rules_that_ask_for_no_stage_are_caught(row: str, monkeypatch: pytest.MonkeyPatch) -> None:
    command = OUT_OF_PLACE.get(row) or proposal("PJ-1")
    realm = realm_until("bid 1")
    out_of_place = project(command, "2024-03-05", str(f"{command.by[0]}#1"))
    assert out_of_place.refused(realm)
    mute(monkeypatch)
    open_roles(monkeypatch)
    out_of_place.ordered(realm)
    assert row in broke(realm)


OUT_OF_STAGE: dict[str, tuple[str, str, *tuple[Command, ...]]] = {
    "FS01": ("fund", "FS-1", RegisterFundSource(name="又一", envelope=1, purposes=("助老",))),
    "FS02": ("fund", "FS-9", ProposeFundAdjustment(change=1, reason="增撥")),
    "OG01": ("organisation", "ORG-9", RecordRating(level="4A", until=date(2025, 2, 5))),
    "RD03": ("round", "R-1", OpenNeedSolicitation.model_validate(SCHEME)),
    "RD06": ("round", "R-1", PublishCall.model_validate(SCHEME)),
    "RD07": ("round", "R-9", AmendCall(reason="延期")),
    "RD09": ("round", "R-9", CancelCall.model_validate(AGAINST)),
    "ND02": ("need", "ND-9", EndorseNeed()),
    "ND03": ("need", "ND-9", AdoptNeed()),
    "ND04": ("need", "ND-9", RejectNeed(reason="重複")),
    "RP03": ("panel", "RP-9", RecuseReviewer.model_validate({"out": "E1", "in": "E6"})),
    "BS02": ("base", "BASE-9", AssessBase(score=Decimal(90), grade="A")),
    "DG02": ("designation", "DS-9", WithdrawDesignation.model_validate(AGAINST)),
    "EV02": ("occasion", "EV-9", StrikeOccasion.model_validate(AGAINST)),
    "NW02": ("node", "ND-9", CloseNode(reason="撤並")),
    "SC05": ("scheme", "fuzhou", UnscheduleAnnualRound(programme="fuzhou")),
    "ER03": ("roster", "ER-9", ReinstateExpert(expert="E1", reason="期滿")),
    "AC02": ("case", "CASE-9", RecordCaseFinding(finding="屬實", attachments=EVIDENCE)),
    "CK02": ("realm", "test", SetClock(clock=Clock.WALL), SetClock(clock=Clock.WALL)),
    "OF01": ("office", "office", *(FoundOffice(administrators=(PersonId("P-1"), PersonId("P-2"))),) * 2),
    "PN03": ("person", "P-9", RetirePerson(reason="離任")),
    "SE03": ("seat", "CAB-REG.9", WithdrawSeat(person=PersonId("P-9"), reason="離任")),
    "DK03": ("door", "DK-9", WithdrawDoorKey(reason="停用")),
    "MT02": ("maintenance", MAINTENANCE_NAME, EndMaintenance(number=1, changed=0, left=0)),
    "AV08": ("approval", "APR-9", WithdrawApproval(reason="不再舉辦")),
}
"""What is said to a stream that is not there yet, or past it; every other event in tests/audit/test_stages.py."""


def test_of_every_kind_of_stream_something_is_out_of_its_stage() -> None:
    """But of those to which everything may be said at every stage: days, and what a city states of its network."""
    places = {(row.kind, row.event, stage) for row in STAGES for stage in row.start.split()}
    anywhere = {
        kind
        for kind in {row.kind for row in STAGES}
        if all((kind, row.event, stage) in places for row in STAGES if row.kind == kind for stage in list_stages(kind))
    }
    assert anywhere == {"calendar", "network"}
    assert {kind for kind, *_ in OUT_OF_STAGE.values()} == {row.kind for row in STAGES} - anywhere


@pytest.mark.parametrize("row", OUT_OF_STAGE)
def test_rules_that_ask_for_no_stage_of_what_is_no_project_are_caught(
    row: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    realm, (kind, name, *commands) = realm_until("bid 1"), OUT_OF_STAGE[row]
    steps = [register(kind, name, command, "2024-03-05", f"{command.by[0]}#1") for command in commands]
    assert steps[-1].refused(realm) or len(steps) > 1
    mute(monkeypatch)
    open_roles(monkeypatch)
    for step in steps:
        step.ordered(realm)
    assert row in {b.rule for b in realm.check().breaches if "不得發生於" in b.zh}


def test_rules_that_ask_for_no_role_are_caught() -> None:
    """Every event of the story that moves the project, signed by somebody else."""
    realm = realm_until("archived")
    moving = {row.event: row.id for row in TABLE}
    seen = set()
    for number, entry in enumerate(realm.entries):
        if entry.type in moving:
            forged = replace(entry, meta=entry.meta.replace(json.loads(entry.meta)["actor"].encode(), b"PUBLIC#9"))
            report = check([*realm.entries[:number], forged, *realm.entries[number + 1 :]])
            assert moving[entry.type] in {b.rule for b in report.breaches}, entry.type
            seen.add(moving[entry.type])
    assert len(seen) >= 12
