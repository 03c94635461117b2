"""One year's round as dated commands: needs, call, bids, panels, resolution, and every project to its archive.

All of it is made up. Which project meets which trouble is drawn from the seed, so that one seed makes one story.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING

from domain.kernel.attachment import Attachment
from domain.kernel.calendar import SHANGHAI
from domain.kernel.identifier import Actor, StreamId
from domain.kernel.scheme import RoundLevel
from domain.kernel.state import SchemeRef
from domain.need import AdoptNeed, SubmitNeed
from domain.project.award import DeclineAward
from domain.project.bidding import FailPreliminaryReview, PassPreliminaryReview, SubmitApplication
from domain.project.closeout import ArchiveProject, CloseProject, SubmitFinalReport
from domain.project.contract import Parties, RegisterLedgerAccount, Signatory, SignContract
from domain.project.delivery import ReceiveMatchFund, RecordActivity, RecordExpenditure, StartProject
from domain.project.disbursement import (
    ApproveDisbursement,
    CancelTranche,
    CheckDisbursement,
    PayDisbursement,
    RequestDisbursement,
)
from domain.project.evaluation import (
    ConcludeFinalEvaluation,
    ConcludeMidtermEvaluation,
    IssueAuditOpinion,
    Opinion,
    Result,
)
from domain.project.objection import AcceptObjection, DismissObjection, LodgeObjection, ObjectionRemedy, UpholdObjection
from domain.project.publicity import ConfirmAward
from domain.project.remedy import AcceptRectification, OrderRectification, SubmitRectification
from domain.project.termination import (
    InitiateTermination,
    OrderClawback,
    ReceiveClawback,
    TerminateProject,
)
from domain.project.tranches import Installment
from domain.project.variation import AmendContract, ApproveVariation, RequestVariation
from domain.registers.fund import FundKind, RegisterFundSource
from domain.registers.organisation import OrganisationKind, VerifyOrganisation
from domain.registers.panel import DrawPanel, IssueReviewReport, SubmitScore
from domain.registers.reviewer import seat_of_place
from domain.round.call import PublishCall
from domain.round.plan import ApproveRoundBudget, OpenNeedSolicitation, PublishNeedCatalogue
from domain.round.resolution import Selection
from domain.round.results import PublishResult
from schemes.calendars import calendar_of_years

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from domain.kernel.message import Command
    from domain.kernel.scheme import Scheme
    from schemes.calendars import PublishedYear
    from simulation.spread import YearShare

FIELDS = ("助老扶幼", "助殘扶困", "青少年發展", "心理疏導", "社區治理", "婚姻家庭")
"""The fields of Hangzhou's rounds (HZ-6)."""
SEATS = ("E1", "E2", "E3", "E4", "E5")
BIDS_A_PANEL = 60
NEEDS_A_PROJECT = 0.25
SHEETS_SINCE = 2017
"""Before the platform the log has a panel's report and no sheets (HZ-11)."""
SECOND_FUND_SINCE = 2013
"""From then on the community-service fund pays a part (HZ-7, HZ-8)."""

HOST, OFFICER, SECOND_OFFICER = Actor("HOST#1"), Actor("CAB-REG#1"), Actor("CAB-REG#2")
FINANCE, LEADERSHIP, TREASURY = Actor("CAB-FIN#1"), Actor("CAB-DEC#1"), Actor("FISCAL#1")
EVALUATOR, AUDITOR, PUBLIC, COMMUNITY = Actor("EVAL#1"), Actor("AUDIT#1"), Actor("PUBLIC#1"), Actor("COMM#1")


@dataclass(frozen=True, slots=True)
class StoryStep:
    """One command of the story, at its instant."""

    at: datetime
    """UTC or with its offset."""
    stream: StreamId
    command: Command
    actor: Actor


@dataclass(frozen=True)
class Chances:
    """How often a project meets each trouble: shares of 1, none of them anybody's statistics."""

    left_out: float = 0.25
    """Bids beyond those that are awarded, to each that is."""
    failed_review: float = 0.05
    objection: float = 0.03
    upheld: float = 0.004
    """Awards beyond the given number that an objection takes away."""
    declined: float = 0.006
    """Awards beyond the given number that their organisation declines."""
    variation: float = 0.08
    rectification: float = 0.05
    termination: float = 0.01
    reduced_by_audit: float = 0.06
    match: float = 0.4
    three_tranches: float = 0.3


@dataclass(frozen=True)
class StoryBid:
    """One application, and what will come of it."""

    number: int
    award: int
    """Fen; 0 for one that is not chosen."""
    mark: Decimal
    field: str
    person_times: int = 0
    ending: str = "archived"
    """``archived``, ``left out``, ``failed review``, ``upheld``, ``declined`` or ``terminated``."""
    traits: frozenset[str] = frozenset()
    """What else it meets: objection, variation, rectification, reduced, match, three tranches."""

    @property
    def organisation(self) -> str:
        """The organisation that bids."""
        return f"ORG-{self.number}"


def paper(name: str, *of: object) -> Attachment:
    """A document that is nowhere, by a digest of its own."""
    digest = sha256("/".join(map(str, (name, *of))).encode()).hexdigest()
    return Attachment(sha256=digest, media_type="application/pdf", name=f"{name}.pdf")


@dataclass
class YearStory:
    """One year of a city, in a realm of its own."""

    realm: str
    share: YearShare
    scheme: Scheme
    years: Sequence[PublishedYear]
    """The working days of that year and the next."""
    seed: int
    ordinal: int
    """Of the round, counted from the city's first."""
    chances: Chances = field(default_factory=Chances)

    def __post_init__(self) -> None:
        """Draw what becomes of every bid."""
        self.calendar = calendar_of_years(self.years)
        self._counted: dict[tuple[date, int], date] = {}
        self._dice = Random(f"{self.seed}/{self.realm}")  # noqa: S311 - makes a story, guards nothing
        self.bids = tuple(self._draw_bids())
        self._panel_names = {bid.number: name for name, bids in self._panels().items() for bid in bids}
        self.round = self._id("round", f"R-{self.share.year}")
        opening = self._first_working(date(self.share.year, 3, 1))
        self._days = {
            "budget": self._first_working(date(self.share.year, 1, 10)),
            "solicit": opening,
            "catalogue": self._after(opening, 14),
            "call": self._after(opening, 16),
        }
        call = self._days["call"]
        closed = self._after(call, self.scheme.bidding.window_wd + 2)
        resolution = self._after(closed, 7)
        self._days |= {"closed": closed, "resolved": resolution, "confirmed": self._after(resolution, 7)}
        self._days["late"] = self._after(resolution, 14)

    @property
    def awarded(self) -> tuple[StoryBid, ...]:
        """The bids that are chosen, those that lose their award again among them."""
        return tuple(bid for bid in self.bids if bid.award)

    def selections(self) -> tuple[Selection, ...]:
        """The awards that the round's resolution selects."""
        return tuple(
            Selection(
                application=self._ap(bid),
                project=f"PJ-{self.share.year}-{bid.number}",
                award=bid.award,
                funds=self._funds(bid),
                panel=self._panel_of(bid),
            )
            for bid in self.awarded
        )

    def reasons(self) -> dict[str, str]:
        """Why each other scored bid is not chosen."""
        return {self._ap(bid): "得分低於入選者" for bid in self.bids if bid.ending == "left out"}

    @property
    def resolved_at(self) -> datetime:
        """When the round is resolved."""
        return self._nine(self._days["resolved"])

    def before_resolution(self) -> Iterator[StoryStep]:
        """Everything up to the panels' reports, in order of time."""
        yield from sorted((*self._preparation(), *self._bidding(), *self._review()), key=lambda step: step.at)

    def after_resolution(self) -> Iterator[StoryStep]:
        """Everything from the posting to the archive, in order of time; of one stream and instant, as told."""
        steps = [step for bid in self.bids for step in self._life(bid)]
        publishing = self._after(date(self.share.year + 1, 2, 15), 3)
        steps.append(StoryStep(self._nine(publishing), self.round, PublishResult(where="局網站"), OFFICER))
        yield from sorted(steps, key=lambda step: step.at)

    # ------------------------------------------------------------------ who bids

    def _draw_bids(self) -> Iterator[StoryBid]:
        dice, chances = self._dice, self.chances
        awards, reach = list(self.share.awards), list(self.share.person_times)
        number = 0
        for award, person_times in zip(awards, reach, strict=True):
            number += 1
            ending = "terminated" if dice.random() < chances.termination else "archived"
            traits = frozenset(
                name
                for name, chance in (
                    ("objection", chances.objection),
                    ("variation", chances.variation),
                    ("rectification", chances.rectification),
                    ("reduced", chances.reduced_by_audit),
                    ("match", chances.match),
                    ("three", chances.three_tranches),
                )
                if dice.random() < chance
            )
            mark = Decimal(dice.randrange(7800, 9700)) / 100
            yield StoryBid(number, award, mark, dice.choice(FIELDS), person_times, ending, traits)
        extra = (("upheld", chances.upheld), ("declined", chances.declined))
        for ending, chance in extra:
            for _ in range(round(len(awards) * chance)):
                number += 1
                mark = Decimal(dice.randrange(7800, 9700)) / 100
                yield StoryBid(number, dice.choice(awards) // 100 * 100, mark, dice.choice(FIELDS), 0, ending)
        for _ in range(round(len(awards) * chances.left_out)):
            number += 1
            ending = "failed review" if dice.random() < chances.failed_review / chances.left_out else "left out"
            yield StoryBid(number, 0, Decimal(dice.randrange(5200, 7700)) / 100, dice.choice(FIELDS), 0, ending)

    @property
    def _scored(self) -> tuple[StoryBid, ...]:
        return tuple(bid for bid in self.bids if bid.ending != "failed review")

    def _panels(self) -> Mapping[str, Sequence[StoryBid]]:
        groups: defaultdict[str, list[StoryBid]] = defaultdict(list)
        for place, bid in enumerate(self._scored):
            groups[f"RP-{self.share.year}-{1 + place // BIDS_A_PANEL}"].append(bid)
        return groups

    def _panel_of(self, bid: StoryBid) -> str:
        return self._panel_names[bid.number]

    def _funds(self, bid: StoryBid) -> dict[str, int]:
        second = bid.award * 3 // 10 if self.share.year >= SECOND_FUND_SINCE else 0
        return {"FS-LOT": bid.award - second, **({"FS-CSF": second} if second else {})}

    # ------------------------------------------------------------------ up to the resolution

    def _preparation(self) -> Iterator[StoryStep]:
        drawn = {"FS-LOT": 0, "FS-CSF": 0}
        for bid in self.awarded:
            for fund, fen in self._funds(bid).items():
                drawn[fund] += fen
        day = self._nine(self._days["budget"])
        for name, kind, title in (
            ("FS-LOT", FundKind.LOTTERY, "福利彩票公益金"),
            ("FS-CSF", FundKind.FISCAL, "社區服務業發展專項資金"),
        ):
            if drawn[name]:
                command = RegisterFundSource(name=title, kind=kind, envelope=drawn[name])
                yield StoryStep(day, self._id("fund", name), command, FINANCE)
        setup = {
            "scheme": SchemeRef(name=self.scheme.name, version=self.scheme.version),
            "year": self.share.year,
            "level": RoundLevel.MUNICIPAL,
            "ordinal": self.ordinal,
        }
        yield StoryStep(day, self.round, ApproveRoundBudget(amount=sum(drawn.values()), **setup), TREASURY)
        opening = self._days["solicit"]
        yield StoryStep(self._nine(opening), self.round, OpenNeedSolicitation(), OFFICER)
        needs = [self._need(n) for n in range(1, 1 + self._needs())]
        for n, need in enumerate(needs):
            shortfall = SubmitNeed(
                round=self.round.name,
                group="社區居民",
                problem=f"{FIELDS[n % len(FIELDS)]}方面服務不足",
                fields=(FIELDS[n % len(FIELDS)],),
                head_count=50 + 10 * (n % 40),
            )
            yield StoryStep(self._nine(self._after(opening, 2 + n % 5)), need, shortfall, COMMUNITY)
            yield StoryStep(self._nine(self._after(opening, 13)), need, AdoptNeed(), OFFICER)
        names = tuple(need.name for need in needs)
        yield StoryStep(self._nine(self._days["catalogue"]), self.round, PublishNeedCatalogue(needs=names), OFFICER)
        yield StoryStep(self._nine(self._days["call"]), self.round, PublishCall(), OFFICER)

    def _needs(self) -> int:
        return max(1, round(len(self.share.awards) * NEEDS_A_PROJECT))

    def _bidding(self) -> Iterator[StoryStep]:
        call = self._days["call"]
        for bid in self.bids:
            verified = VerifyOrganisation(
                name=f"測試社會組織 {self.share.year}-{bid.number}",
                kind=OrganisationKind.SERVICE_AGENCY if bid.number % 3 else OrganisationKind.SOCIAL_GROUP,
                representatives=(self._seat("SO-LEGAL", bid),),
            )
            yield StoryStep(
                self._nine(self._after(call, 2)), self._id("organisation", bid.organisation), verified, HOST
            )
            application = SubmitApplication(
                round=self.round.name,
                organisation=bid.organisation,
                title=f"{bid.field}服務項目 {self.share.year}-{bid.number}",
                requested=bid.award or self._dice.choice(self.share.awards),
                need=self._need(1 + bid.number % self._needs()).name,
                fields=(bid.field,),
            )
            day = self._after(call, 5 + bid.number % 8)
            yield StoryStep(
                self._nine(day), self._id("project", self._ap(bid)), application, self._seat("SO-LEGAL", bid)
            )
            reviewed = self._nine(self._after(self._days["closed"], 1))
            if bid.ending == "failed review":
                failing = FailPreliminaryReview(
                    reason="申報材料不全", attachments=(paper("初審意見", self.realm, bid.number),)
                )
                yield StoryStep(reviewed, self._id("project", self._ap(bid)), failing, HOST)
            else:
                yield StoryStep(reviewed, self._id("project", self._ap(bid)), PassPreliminaryReview(), HOST)

    def _review(self) -> Iterator[StoryStep]:
        closed = self._days["closed"]
        for name, bids in self._panels().items():
            panel = self._id("panel", name)
            draw = DrawPanel(round=self.round.name, applications=tuple(map(self._ap, bids)), seats=SEATS)
            yield StoryStep(self._nine(self._after(closed, 3)), panel, draw, OFFICER)
            with_sheets = self.share.year >= SHEETS_SINCE
            if with_sheets:
                for seat, shift in zip(SEATS, (-2, -1, 0, 1, 2), strict=True):
                    for bid in bids:
                        sheet = SubmitScore(application=self._ap(bid), mark=bid.mark + shift)
                        yield StoryStep(self._nine(self._after(closed, 4)), panel, sheet, seat_of_place(seat))
            results = {} if with_sheets else {self._ap(bid): bid.mark for bid in bids}
            yield StoryStep(self._nine(self._after(closed, 5)), panel, IssueReviewReport(results=results), HOST)

    # ------------------------------------------------------------------ a project's life

    def _life(self, bid: StoryBid) -> Iterator[StoryStep]:
        """From the posting of its award, or from its not being chosen, to the archive."""
        match bid.ending:
            case "left out" | "failed review":
                yield self._archive(bid)
            case "upheld":
                yield from self._objection(bid, upheld=True)
                yield self._archive(bid)
            case "declined":
                day = self._nine(self._after(self._days["resolved"], 3))
                yield self._step(day, bid, DeclineAward(reason="人員不足，無法承接"), self._seat("SO-LEGAL", bid))
                yield self._archive(bid)
            case _:
                yield from self._delivery(bid)

    def _objection(self, bid: StoryBid, *, upheld: bool) -> Iterator[StoryStep]:
        resolution = self._days["resolved"]
        yield self._step(self._nine(self._after(resolution, 2)), bid, LodgeObjection(ground="指稱重複資助"), PUBLIC)
        yield self._step(self._nine(self._after(resolution, 3)), bid, AcceptObjection(), SECOND_OFFICER)
        moment = self._nine(self._after(resolution, 6))
        if upheld:
            verdict = UpholdObjection(
                finding="確有重複資助",
                remedy=ObjectionRemedy.DISQUALIFY,
                attachments=(paper("異議核查報告", self.realm, bid.number),),
            )
            yield self._step(moment, bid, verdict, LEADERSHIP)
        else:
            yield self._step(moment, bid, DismissObjection(finding="兩項專賬分立，未見重複"), LEADERSHIP)

    def _delivery(self, bid: StoryBid) -> Iterator[StoryStep]:
        year = self.share.year
        confirmed = self._days["late" if "objection" in bid.traits else "confirmed"]
        if "objection" in bid.traits:
            yield from self._objection(bid, upheld=False)
        yield self._step(self._nine(confirmed), bid, ConfirmAward(), LEADERSHIP)
        signed = self._after(confirmed, 3 + bid.number % 5)
        tranches, end = self._tranches(bid), date(year, 11, 30)
        contract = SignContract(
            version=1,
            award=bid.award,
            tranches=tranches,
            budget=self._budget(bid),
            signatures=self._signatures(bid, 1),
            end=end,
            parties=Parties(solicitor="CAB-REG", host="HOST-1", evaluator="EVAL-1", auditor="AUDIT-1"),
            match_pledged=self._match(bid) or None,
        )
        yield self._step(self._nine(signed), bid, contract, OFFICER)
        account = sha256(f"{self.realm}/{bid.number}/account".encode()).hexdigest()
        yield self._step(self._nine(signed), bid, RegisterLedgerAccount(account=account), self._seat("SO-ACC", bid))
        paid = self._after(signed, 8)
        yield from self._payment(bid, "T1", tranches["T1"].planned, signed)
        started = self._after(paid, 1)
        yield self._step(self._nine(started), bid, StartProject(), self._seat("SO-PM", bid))
        yield from self._work(bid, started)
        if bid.ending == "terminated":
            yield from self._termination(bid, tranches)
        else:
            yield from self._conclusion(bid, tranches)

    def _work(self, bid: StoryBid, started: date) -> Iterator[StoryStep]:
        """Activities, vouchers, matching money, and what goes wrong on the way."""
        year, manager, accountant = self.share.year, self._seat("SO-PM", bid), self._seat("SO-ACC", bid)
        days = [self._first_working(day) for day in (date(year, 7, 10), date(year, 9, 5), date(year, 10, 20))]
        thirds = [bid.person_times // 3] * 2
        for day, served in zip(days, [*thirds, bid.person_times - sum(thirds)], strict=True):
            yield self._step(self._nine(day), bid, RecordActivity(person_times=served, field=bid.field), manager)
        for n, (day, line) in enumerate(zip(days, ("activity", "materials", "personnel"), strict=True), 1):
            spending = RecordExpenditure(
                voucher=f"PZ-{year}-{bid.number}-{n}",
                issuer=bid.organisation,
                amount=self._budget(bid)[line] * 6 // 10,
                line=line,
            )
            yield self._step(self._nine(self._after(day, 2)), bid, spending, accountant)
        if money := self._match(bid):
            yield self._step(self._nine(self._after(started, 4)), bid, ReceiveMatchFund(amount=money), accountant)
        if "variation" in bid.traits:
            yield from self._variation(bid)
        if "three" in bid.traits and bid.ending != "terminated":
            midterm = ConcludeMidtermEvaluation(score=bid.mark, result=Result.PASS)
            yield self._step(self._nine(self._first_working(date(year, 8, 20))), bid, midterm, EVALUATOR)
        if "rectification" in bid.traits and bid.ending != "terminated":
            evidence = (paper("督導記錄", self.realm, bid.number),)
            day = self._first_working(date(year, 9, 10))
            order = OrderRectification(findings=("簽到表不全",), attachments=evidence)
            yield self._step(self._nine(day), bid, order, OFFICER)
            yield self._step(self._nine(self._after(day, 8)), bid, SubmitRectification(), self._seat("SO-LEGAL", bid))
            yield self._step(self._nine(self._after(day, 10)), bid, AcceptRectification(), SECOND_OFFICER)

    def _variation(self, bid: StoryBid) -> Iterator[StoryStep]:
        day = self._first_working(date(self.share.year, 7, 20))
        moved = bid.award // 20 // 100 * 100
        request = RequestVariation(reason="增加活動場次", move={"materials": -moved, "activity": moved})
        yield self._step(self._nine(day), bid, request, self._seat("SO-LEGAL", bid))
        yield self._step(self._nine(self._after(day, 2)), bid, ApproveVariation(), OFFICER)
        supplement = AmendContract(version=2, award=bid.award, signatures=self._signatures(bid, 2))
        yield self._step(self._nine(self._after(day, 4)), bid, supplement, OFFICER)

    def _conclusion(self, bid: StoryBid, tranches: Mapping[str, Installment]) -> Iterator[StoryStep]:
        year = self.share.year
        reported = self._first_working(date(year, 12, 1))
        if "T3" in tranches:
            yield from self._payment(bid, "T2", tranches["T2"].planned, self._first_working(date(year, 9, 28)))
        yield self._step(self._nine(reported), bid, SubmitFinalReport(), self._seat("SO-LEGAL", bid))
        last = "T3" if "T3" in tranches else "T2"
        cut = tranches[last].planned // 10 // 100 * 100 if "reduced" in bid.traits else 0
        opinion = IssueAuditOpinion(opinion=Opinion.UNQUALIFIED, eligible=bid.award - cut)
        yield self._step(self._nine(self._after(reported, 8)), bid, opinion, AUDITOR)
        grade = next(g.name for g in self.scheme.evaluation.grades if bid.mark >= g.least)
        final = ConcludeFinalEvaluation(score=bid.mark, grade=grade)
        evaluated = self._after(reported, 10)
        yield self._step(self._nine(evaluated), bid, final, EVALUATOR)
        if cut:
            cancelled = CancelTranche(
                tranche=last,
                amount=cut,
                reason="審計核定低於立項金額",
                attachments=(paper("審計報告", self.realm, bid.number),),
            )
            yield self._step(self._nine(self._after(evaluated, 1)), bid, cancelled, LEADERSHIP)
        yield from self._payment(bid, last, tranches[last].planned - cut, self._after(evaluated, 1))
        yield self._step(self._nine(self._after(evaluated, 11)), bid, CloseProject(), OFFICER)
        yield self._archive(bid)

    def _termination(self, bid: StoryBid, tranches: Mapping[str, Installment]) -> Iterator[StoryStep]:
        evidence = (paper("審計報告", self.realm, bid.number),)
        day = self._first_working(date(self.share.year, 11, 1))
        begun = InitiateTermination(ground="服務停止", attachments=evidence)
        yield self._step(self._nine(day), bid, begun, OFFICER)
        heard = self._after(day, self.scheme.remedy.hearing_wd + 2)
        paid = tranches["T1"].planned
        eligible = paid // 2
        opinion = IssueAuditOpinion(
            opinion=Opinion.QUALIFIED, eligible=eligible, finding="部分支出無憑證", attachments=evidence
        )
        yield self._step(self._nine(heard), bid, opinion, AUDITOR)
        ended = self._nine(self._after(heard, 3))
        for name, tranche in tranches.items():
            if name != "T1":
                cancelled = CancelTranche(tranche=name, amount=tranche.planned, reason="項目終止", attachments=evidence)
                yield self._step(ended, bid, cancelled, LEADERSHIP)
        owed = OrderClawback(amount=paid - eligible, reason="已撥付超出審計核定部分", attachments=evidence)
        yield self._step(ended, bid, owed, LEADERSHIP)
        yield self._step(ended, bid, TerminateProject(reason="服務停止", attachments=evidence), LEADERSHIP)
        returned = self._nine(self._after(heard, 12))
        yield self._step(returned, bid, ReceiveClawback(amount=paid - eligible), FINANCE)
        yield self._archive(bid)

    def _payment(self, bid: StoryBid, tranche: str, amount: int, request_day: date) -> Iterator[StoryStep]:
        """Asked for the day after, paid within seven working days: maker, checker and approver are three."""
        steps: tuple[tuple[int, Command, Actor], ...] = (
            (1, RequestDisbursement(tranche=tranche, amount=amount), OFFICER),
            (2, CheckDisbursement(tranche=tranche), FINANCE),
            (4, ApproveDisbursement(tranche=tranche), LEADERSHIP),
            (7, PayDisbursement(tranche=tranche, amount=amount), TREASURY),
        )
        for days, command, actor in steps:
            yield self._step(self._nine(self._after(request_day, days)), bid, command, actor)

    def _archive(self, bid: StoryBid) -> StoryStep:
        filed = self._first_working(date(self.share.year + 1, 4, 1))
        index = paper("案卷目錄", self.realm, bid.number)
        return self._step(self._nine(filed), bid, ArchiveProject(index=index), HOST)

    # ------------------------------------------------------------------ terms

    def _tranches(self, bid: StoryBid) -> dict[str, Installment]:
        signed, midterm, final = "ContractSigned", "MidtermEvaluationConcluded", "FinalEvaluationConcluded"
        if "three" in bid.traits:
            first, second = bid.award // 2, bid.award * 3 // 10
            gates = {"T1": (first, signed), "T2": (second, midterm), "T3": (bid.award - first - second, final)}
        else:
            first = bid.award * 6 // 10
            gates = {"T1": (first, signed), "T2": (bid.award - first, final)}
        return {name: Installment(planned=planned, gate=gate) for name, (planned, gate) in gates.items()}

    def _budget(self, bid: StoryBid) -> dict[str, int]:
        personnel, admin, materials = bid.award * 3 // 10, bid.award // 20, bid.award * 15 // 100
        return {
            "personnel": personnel,
            "activity": bid.award - personnel - admin - materials,
            "materials": materials,
            "admin": admin,
        }

    def _match(self, bid: StoryBid) -> int:
        """Some 56 % of the award for those that bring any: over ¥100 m in all (HZ-5)."""
        return bid.award * 56 // 100 if "match" in bid.traits else 0

    def _signatures(self, bid: StoryBid, version: int) -> dict[Signatory, Attachment]:
        return {
            signatory: paper(f"協議（{signatory.zh}）", self.realm, bid.number, version)
            for signatory in (Signatory.BUREAU, Signatory.ORGANISATION)
        }

    # ------------------------------------------------------------------ names and days

    def _step(self, at: datetime, bid: StoryBid, command: Command, actor: Actor) -> StoryStep:
        return StoryStep(at, self._id("project", self._ap(bid)), command, actor)

    def _ap(self, bid: StoryBid) -> str:
        return f"AP-{self.share.year}-{bid.number}"

    def _need(self, number: int) -> StreamId:
        return self._id("need", f"ND-{self.share.year}-{number}")

    def _id(self, kind: str, name: str) -> StreamId:
        return StreamId.of(kind, self.realm, name)

    def _seat(self, role: str, bid: StoryBid) -> Actor:
        return Actor(f"{role}#{bid.number}")

    def _nine(self, day: date) -> datetime:
        return datetime.combine(day, time(9), SHANGHAI)

    def _after(self, day: date, working_days: int) -> date:
        counted = self._counted.get((day, working_days))
        if counted is None:
            counted = self._counted[day, working_days] = self.calendar.after(day, working_days)
        return counted

    def _first_working(self, day: date) -> date:
        return day if self.calendar.is_working(day) else self.calendar.after(day, 1)
