"""A pure realm that also keeps the raw entries a store would hold, for whatever reads nothing else (the checker)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import TYPE_CHECKING
from uuid import UUID

from audit.invariants import Invariants, Report
from deciding.event_meta import EventMeta
from domain.kernel.canonical import canonical, plain
from domain.kernel.effects import Claim, Post, Release
from domain.kernel.scheme import RoundLevel
from domain.project.award import ProposeAward
from domain.project.bidding import PassPreliminaryReview, SubmitApplication
from domain.project.closeout import ArchiveProject, CloseProject, SubmitFinalReport
from domain.project.contract import Parties, RegisterLedgerAccount, Signatory, SignContract
from domain.project.delivery import FormVolunteerTeam, RecordActivity, RecordExpenditure, StartProject
from domain.project.disbursement import ApproveDisbursement, CheckDisbursement, PayDisbursement, RequestDisbursement
from domain.project.evaluation import (
    ConcludeFinalEvaluation,
    ConcludeMidtermEvaluation,
    IssueAuditOpinion,
    Opinion,
    Result,
)
from domain.project.publicity import ConfirmAward, OpenAwardPublicity
from domain.project.tranches import Installment
from domain.registers.calendar import PublishCalendar
from domain.registers.fund import RegisterFundSource
from domain.registers.panel import DrawPanel, IssueReviewReport
from domain.registers.scheme import PublishPolicyPack
from domain.round.call import PublishCall
from schemes.calendars import load_published
from store.port import Entry, EntryKind
from tests.domain.pure_realm import MINUTES, PureRealm, scheme, verification

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from domain.kernel.effects import Effect
    from domain.kernel.identifier import StreamId
    from domain.kernel.message import Command, Event, Order
    from domain.kernel.scheme import Scheme

_RECORDED = datetime(2030, 1, 1, tzinfo=UTC)


@dataclass
class WrittenRealm(PureRealm):
    """A pure realm with its log. Where it is not guarded, claims and balances say no to nothing."""

    guarded: bool = True
    entries: list[Entry] = field(default_factory=list)
    positions: count[int] = field(default_factory=lambda: count(1))

    def _carry_out(self, stream: StreamId, order: Order) -> list[Event]:
        before = self.state(stream.kind, stream.name).version
        events = super()._carry_out(stream, order)
        for version, event in enumerate(events, before + 1):
            self.write(stream, version, event, order)
        return events

    def _apply(self, effects: Iterable[Effect]) -> None:
        if self.guarded:
            super()._apply(effects)
            return
        for effect in effects:
            match effect:
                case Claim(key, holder):
                    self.claims.setdefault(key, set()).add(holder)
                case Release(key, holder):
                    self.claims.get(key, set()).discard(holder)
                case Post(source, target, fen):
                    self.balances[source] = self.balances.get(source, 0) - fen
                    self.balances[target] = self.balances.get(target, 0) + fen

    def write(self, stream: StreamId, version: int, event: Event, order: Order) -> None:
        """Put the event down."""
        self.entries.append(
            Entry(
                position=next(self.positions),
                stream=stream,
                version=version,
                kind=EntryKind.EVENT,
                type=event.event_type,
                schema_version=event.schema_version,
                command_id=UUID(int=0),
                occurred_at=order.at,
                recorded_at=_RECORDED,
                meta=EventMeta.of(order).as_meta(),
                data=canonical(plain(event)),
                chain=b"",
            )
        )

    def check(self) -> Report:
        """What the independent checker says of it."""
        return check(self.entries)

    def invariants(self) -> Invariants:
        """The independent checker after all of it."""
        return walk(self.entries)


def walk(entries: list[Entry]) -> Invariants:
    """The independent checker after these entries."""
    invariants = Invariants()
    for entry in entries:
        invariants.take(entry)
    return invariants


def check(entries: list[Entry]) -> Report:
    """What the independent checker says of these entries."""
    return walk(entries).report()


# ---------------------------------------------------------------- one round, told step by step


@dataclass(frozen=True)
class Step:
    """One order of a story."""

    kind: str
    name: str
    command: Command
    at: str
    by: str

    def ordered(self, realm: PureRealm) -> None:
        """It must be accepted."""
        realm.order(self.kind, self.name, self.command, at=self.at, by=self.by)

    def refused(self, realm: PureRealm) -> set[str]:
        """The rules that refuse it."""
        return realm.refused(self.kind, self.name, self.command, at=self.at, by=self.by)


def project(command: Command, at: str, by: str, name: str = "AP-1") -> Step:
    """An order on a project."""
    return Step("project", name, command, at, by)


FUNDS = {"FS-1": 600_001, "FS-2": 400_000}
AWARD = sum(FUNDS.values())
TRANCHES = {
    "T1": Installment(planned=400_000, gate="ContractSigned"),
    "T2": Installment(planned=350_001, gate="MidtermEvaluationConcluded"),
    "T3": Installment(planned=250_000, gate="FinalEvaluationConcluded"),
}
BUDGET = {"personnel": 300_000, "activity": 650_001, "admin": 50_000}
SIGNED = {Signatory.BUREAU: MINUTES, Signatory.ORGANISATION: MINUTES}
PARTIES = Parties(host="ORG-H", supervisor="ORG-S", evaluator="ORG-E", auditor="ORG-A")


def bid(organisation: str, **other: object) -> SubmitApplication:
    """A bid of that organisation in R-1, with these particulars otherwise."""
    terms: dict[str, object] = {
        "round": "R-1",
        "organisation": organisation,
        "title": f"{organisation} 助老",
        "requested": AWARD,
        "statement": "獨居老人無人探訪",
        "fields": ("助老",),
    }
    return SubmitApplication.model_validate(terms | other)


def proposal(project: str, **other: object) -> ProposeAward:
    """The award of PJ-1 or PJ-2, with these particulars otherwise."""
    terms: dict[str, object] = {
        "project": project,
        "award": AWARD,
        "funds": FUNDS,
        "panel": "RP-1",
        "minutes": MINUTES,
    }
    return ProposeAward.model_validate(terms | other)


def contract(**other: object) -> SignContract:
    """The contract of either, with these particulars otherwise."""
    terms: dict[str, object] = {
        "award": AWARD,
        "tranches": TRANCHES,
        "budget": BUDGET,
        "signatures": SIGNED,
        "end": date(2024, 11, 30),
        "parties": PARTIES,
    }
    return SignContract.model_validate(terms | other)


def paying(tranche: str, amount: int, day: str) -> Iterator[tuple[str, Step]]:
    """The four steps of a payment, within one day."""
    yield f"requested {tranche}", project(RequestDisbursement(tranche=tranche), f"{day}T09:00+08:00", "CAB-REG#1")
    yield f"checked {tranche}", project(CheckDisbursement(tranche=tranche), f"{day}T10:00+08:00", "CAB-FIN#1")
    yield f"approved {tranche}", project(ApproveDisbursement(tranche=tranche), f"{day}T11:00+08:00", "CAB-DEC#1")
    pay = PayDisbursement(tranche=tranche, amount=amount)
    yield f"paid {tranche}", project(pay, f"{day}T12:00+08:00", "FISCAL#1")


def steps(rules: Scheme) -> Iterator[tuple[str, Step]]:
    """A round of 2024 with two bids, both awarded, one of which is told to its archive; each step has a name."""
    for year in load_published(2024, 2025):
        notice = PublishCalendar(year=year.year, off=tuple(sorted(year.off)), on=tuple(sorted(year.on)))
        yield f"calendar {year.year}", Step("calendar", "cn", notice, "2024-01-02", "CAB-REG#1")
    yield "rules", Step("scheme", rules.name, PublishPolicyPack(scheme=rules), "2024-01-02", "CAB-DEC#1")
    for name, envelope in (("FS-1", 1_500_000), ("FS-2", 1_000_000)):
        fund = RegisterFundSource(name=name, envelope=envelope, purposes=("助老", "助殘"))
        yield name, Step("fund", name, fund, "2024-01-02", "CAB-FIN#1")
    for n in (1, 2):
        yield f"ORG-{n}", Step("organisation", f"ORG-{n}", verification(f"SO-LEGAL#{n}"), "2024-01-03", "HOST#1")
    call = PublishCall(scheme=rules.ref, year=2024, level=RoundLevel.MUNICIPAL)
    yield "call", Step("round", "R-1", call, "2024-02-01", "CAB-REG#1")
    for n in (1, 2):
        yield f"bid {n}", project(bid(f"ORG-{n}"), "2024-02-20", f"SO-LEGAL#{n}", f"AP-{n}")
    for n in (1, 2):
        yield f"passed {n}", project(PassPreliminaryReview(), "2024-03-05", "HOST#1", f"AP-{n}")
    draw = DrawPanel(round="R-1", applications=("AP-1", "AP-2"), seats=("E1", "E2", "E3", "E4", "E5"))
    yield "panel", Step("panel", "RP-1", draw, "2024-03-06", "CAB-REG#1")
    marks = IssueReviewReport(results={"AP-1": Decimal(88), "AP-2": Decimal(80)})
    yield "report", Step("panel", "RP-1", marks, "2024-03-08", "HOST#1")
    yield "proposed", project(proposal("PJ-1"), "2024-03-11", "CAB-REG#1")
    yield "posted", project(OpenAwardPublicity(contact="市民政局"), "2024-03-12", "CAB-REG#1")
    yield "confirmed", project(ConfirmAward(), "2024-03-19", "CAB-DEC#1")
    yield "signed", project(contract(), "2024-03-21", "CAB-REG#1")
    yield "account", project(RegisterLedgerAccount(account="a" * 64), "2024-03-22", "SO-ACC#1")
    yield from paying("T1", 400_000, "2024-03-25")
    yield "started", project(StartProject(), "2024-04-01", "SO-PM#1")
    yield "team", project(FormVolunteerTeam(team="銀齡隊", members=12), "2024-04-10", "SO-PM#1")
    for day in ("2024-04-20", "2024-05-20", "2024-06-20"):
        held = RecordActivity(person_times=30, team="銀齡隊", field="助老")
        yield f"held {day}", project(held, day, "SO-PM#1")
    spent = RecordExpenditure(voucher="V-1", amount=100_000, line="activity")
    yield "spent", project(spent, "2024-06-21", "SO-ACC#1")
    passed = ConcludeMidtermEvaluation(score=Decimal(80), result=Result.PASS)
    yield "midterm", project(passed, "2024-07-01", "EVAL#1")
    yield from paying("T2", 350_001, "2024-07-03")
    yield "final report", project(SubmitFinalReport(sessions=3, person_times=90), "2024-12-02", "SO-LEGAL#1")
    audit = IssueAuditOpinion(opinion=Opinion.UNQUALIFIED, eligible=AWARD)
    yield "audit", project(audit, "2024-12-05", "AUDIT#1")
    final = ConcludeFinalEvaluation(score=Decimal(85), grade="良好")
    yield "final", project(final, "2024-12-09", "EVAL#1")
    yield from paying("T3", 250_000, "2024-12-10")
    yield "closed", project(CloseProject(), "2024-12-16", "CAB-REG#1")
    yield "archived", project(ArchiveProject(index=MINUTES), "2024-12-20", "HOST#1")


def realm_until(last: str, rules: Scheme | None = None, *, guarded: bool = True) -> WrittenRealm:
    """The story up to and with that step; not ``guarded``, claims and balances say no to nothing."""
    realm = WrittenRealm(guarded=guarded)
    for name, step in steps(rules or scheme("hangzhou")):
        step.ordered(realm)
        if name == last:
            return realm
    raise AssertionError(last)
