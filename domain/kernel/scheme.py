"""A city's rules as data (domain.md §2.3): every number is a parameter, never a constant in code.

A scheme is validated once, published as an event, and pinned to a round; see ``schemes/`` for the cities' files.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.kernel.beneficiaries import BeneficiaryRules
from domain.kernel.bounds import Date, Keyword
from domain.kernel.codelist import Codelists
from domain.kernel.identifier import Text
from domain.kernel.money import Fen
from domain.kernel.state import SchemeRef
from domain.kernel.words import Words

WorkingDays = Annotated[int, Field(ge=1, le=366)]
Days = Annotated[int, Field(ge=1, le=3660)]
Percent = Annotated[int, Field(ge=0, le=100)]
Points = Annotated[int, Field(ge=0, le=1000)]
GateName = Annotated[str, Field(pattern=r"^[A-Z][A-Za-z]{1,63}$")]

USUAL_GATES = (
    "ContractSigned",
    "ProjectStarted",
    "MidtermEvaluationConcluded",
    "AuditOpinionIssued",
    "FinalEvaluationConcluded",
    "MilestoneMet",
)
"""Events that a tranche may wait for where a scheme names no others."""


class SchemeSection(BaseModel):
    """A section of a scheme. Unknown parameters are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Route(Words):
    """The legal route of a round (§2.1)."""

    GRANT = "GRANT", "資助", "grant"
    PROCUREMENT = "PROCUREMENT", "政府購買服務", "procurement"
    REIMBURSE = "REIMBURSE", "事後補助", "reimbursement"


class RoundLevel(Words):
    """Whose round it is (HZ-1)."""

    MUNICIPAL = "MUNICIPAL", "市級", "municipal"
    DISTRICT = "DISTRICT", "區縣級", "district"


class Needs(SchemeSection):
    """Need solicitation 需求徵集."""

    window_wd: Annotated[WorkingDays, Field(title="徵集期（工作日） / need window (working days)")] = 10
    """Working days from opening to closing."""


class Clarifying(SchemeSection):
    """Questions about a call, and their answers to everybody 答疑."""

    until_wd: Annotated[
        WorkingDays, Field(title="提問截止（截止前工作日） / questions until (working days before the close)")
    ] = 3
    """How many working days before the call closes questions end."""
    reply_wd: Annotated[WorkingDays, Field(title="答疑期限（工作日） / answered within (working days)")] = 2
    """Working days within which a question is to be answered."""


class Sealing(SchemeSection):
    """Bids that nobody sees before so many custodians open them 密封申報."""

    custodians: Annotated[int, Field(ge=1, le=9, title="開標監督人數 / custodians")] = 3
    quorum: Annotated[int, Field(ge=1, le=9, title="開啟所需人數 / needed to open")] = 2
    open_wd: Annotated[
        WorkingDays, Field(title="開啟後提交期限（工作日） / handed in after the opening within (working days)")
    ] = 1
    """Working days after the opening within which bidders hand in what they sealed."""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.quorum > self.custodians:
            message = f"quorum: 監督人 {self.custodians} 名，不足 {self.quorum} 名 / more are needed than there are"
            raise ValueError(message)
        return self


class Bidding(SchemeSection):
    """Call and application 申報."""

    window_wd: Annotated[WorkingDays, Field(title="申報期（工作日） / bid window (working days)")] = 15
    """Working days from the call to its deadline, where the call names none."""
    per_organisation: Annotated[int, Field(ge=1, le=100, title="每家可報項數 / applications an organisation")] = 1
    """Bids of one organisation in one round."""
    completion_wd: Annotated[WorkingDays, Field(title="補正期限（工作日） / completion period (working days)")] = 3
    """Working days to complete a returned application; late is a failed preliminary review."""
    shorter_call: Annotated[bool | None, Field(title="可縮短申報期 / shorter calls allowed")] = None
    """Whether a call may name a deadline before the window has run; None if it may not."""
    partners_count: Annotated[bool | None, Field(title="合作方計入項數 / partners' bids count")] = None
    """Whether a joint bid takes a place of each partner too; None if it does."""
    clarification: Annotated[Clarifying | None, Field(title="答疑 / questions about the call")] = None
    """None where no questions about a call are taken here."""
    sealed: Annotated[Sealing | None, Field(title="密封申報 / sealed applications")] = None
    """None where bids are handed in openly."""
    joint: Annotated[bool, Field(title="可聯合申報 / joint applications allowed")] = True
    """Whether several organisations may bid together."""
    cap_fen: Annotated[Fen | None, Field(title="申請資助上限 / most that may be applied for")] = None
    """The most that one application may ask for."""
    blacklist_years: Annotated[
        int, Field(ge=0, le=30, title="失信限制年限（年） / excluded after a listing (years)")
    ] = 3
    minimum_rating: Annotated[
        Literal["1A", "2A", "3A", "4A", "5A"] | None, Field(title="最低評級 / minimum rating")
    ] = None
    rating_bonus: Annotated[
        dict[Literal["1A", "2A", "3A", "4A", "5A"], Annotated[int, Field(ge=0, le=3)]],
        Field(title="評級加分 / rating bonus"),
    ] = {}
    """Points added for a rating that is valid at that instant (D5), at most 3."""


class Budget(SchemeSection):
    """Caps on budget lines, in percent of the award (M6)."""

    personnel_max: Annotated[Percent, Field(title="人員費上限（%） / personnel at most (%)")] = 30
    administration_max: Annotated[Percent, Field(title="管理費上限（%） / administration at most (%)")] = 5
    forbidden: Annotated[tuple[Keyword, ...], Field(max_length=100, title="禁止列支 / forbidden lines")] = (
        "hospitality",
        "foreign_travel",
        "vehicles",
        "buildings",
        "irregular_pay",
    )
    match_min: Annotated[Percent, Field(title="配套資金比例下限（%） / match funding at least (%)")] = 0
    """Self-raised funds, in percent of the whole budget."""


class Defence(SchemeSection):
    """Whom the panel hears after the written review, and what that counts 答辯."""

    line: Annotated[Points, Field(title="入圍答辯分數線 / written mark to be heard")] = 60
    """The written mark from which an application is heard; below it the defence counts as nothing."""
    weight: Annotated[int, Field(ge=1, le=99, title="答辯占比（%） / share of the defence (%)")] = 40
    """In percent of the mark; the rest is the written review's."""


class Review(SchemeSection):
    """Expert review 評審."""

    panel: Annotated[int, Field(ge=1, le=99, title="評審席位 / seats of a panel")] = 5
    """Seats; odd (P4)."""
    drop_extremes: Annotated[bool, Field(title="去最高最低分 / highest and lowest left out")] = True
    """Highest and lowest are left out when five or more scored."""
    line: Annotated[Points, Field(title="立項最低分數線 / line to be reached")] = 60
    """The mark an application must reach."""
    recusal_months: Annotated[int, Field(ge=0, le=120, title="回避期（月） / recusal (months)")] = 24
    verifiable_draw: Annotated[bool | None, Field(title="可復算抽取 / verifiable draw")] = None
    """Whether experts are drawn by a seed committed to beforehand; None where they may be drawn elsewhere."""
    declaration: Annotated[bool | None, Field(title="先聲明後評分 / no interest declared before scores")] = None
    """Whether an expert scores only after declaring to have no interest (RP06); None where a score alone will do."""
    defence: Annotated[Defence | None, Field(title="答辯 / defence")] = None
    """None where the written review is all."""
    rubric: Annotated[dict[Keyword, Points], Field(max_length=50, title="評分權重 / rubric")] = {
        "need": 20,
        "design": 20,
        "capacity": 15,
        "innovation": 10,
        "budget": 15,
        "sustainability": 10,
        "beneficiaries": 10,
    }
    """Criterion and its weight; they add up to 100."""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.panel % 2 == 0:
            message = f"panel: {self.panel} 席為偶數，須為奇數 / seats must be odd (P4)"
            raise ValueError(message)
        if sum(self.rubric.values()) != 100:  # noqa: PLR2004 - percent
            message = f"rubric: 權重合計 {sum(self.rubric.values())}，須為 100 / weights must add up to 100"
            raise ValueError(message)
        return self


class Publicity(SchemeSection):
    """Posting of a proposed award 公示, and objections."""

    working_days: Annotated[WorkingDays, Field(title="公示期（工作日） / notice period (working days)")] = 5
    objection_decision_wd: Annotated[
        WorkingDays, Field(title="異議處理期限（工作日） / objection decision period (working days)")
    ] = 10
    """Working days to decide an accepted objection."""
    tells_of_late: Annotated[bool | None, Field(title="逾期報送 / late ones are told of")] = None
    """Whether discipline inspection is told of one that is not decided in time; None if it is not."""


class Contracting(SchemeSection):
    """Signing 簽約."""

    signing_wd: Annotated[WorkingDays, Field(title="簽約期限（工作日） / signing period (working days)")] = 15
    """Working days from confirmation to signature; late lapses."""


class Paying(SchemeSection):
    """Disbursement 撥付."""

    payment_wd: Annotated[WorkingDays, Field(title="付款期限（工作日） / payment period (working days)")] = 15
    """Working days from the request to the payment; late is overdue."""
    tells_of_late: Annotated[bool | None, Field(title="逾期報送 / late ones are told of")] = None
    """Whether bureau finance is told of one that is not paid in time; None if it is not."""
    gates: Annotated[
        tuple[GateName, ...] | None, Field(min_length=1, max_length=40, title="撥付條件 / payment conditions")
    ] = None
    """Events of a project that a tranche may wait for; None for the usual ones."""

    @property
    def allowed_gates(self) -> tuple[str, ...]:
        """What a tranche may wait for. ``MilestoneMet`` stands for every milestone of the contract."""
        return USUAL_GATES if self.gates is None else self.gates


class Delivery(SchemeSection):
    """Implementation and supervision 實施與督導."""

    supervisor_required: Annotated[bool, Field(title="須派督導 / supervisor required")] = False
    """No start without an assigned supervisor (T12)."""
    community_required: Annotated[bool, Field(title="須有社區 / community required")] = False
    """No start without a named community (FZ-2)."""
    minor_variation_percent: Annotated[Percent, Field(title="輕微變更上限（%） / minor variation at most (%)")] = 10
    """A movement of lines up to this share of the award is minor."""


class Grade(SchemeSection):
    """A final grade and the least mark for it."""

    name: Annotated[Text, Field(title="名稱 / name")]
    least: Annotated[Points, Field(title="最低分 / least mark")]


class Evaluating(SchemeSection):
    """Mid-term and final evaluation, audit."""

    pass_mark: Annotated[Points, Field(title="合格分數線 / pass mark")] = 60
    midterm_rubric: Annotated[dict[Keyword, Points], Field(max_length=50, title="中期評分權重 / mid-term rubric")] = {
        "delivery": 30,
        "inputs": 20,
        "finance": 20,
        "effect": 30,
    }
    midterm_report_wd: Annotated[
        WorkingDays, Field(title="自評期限（工作日） / self-assessment period (working days)")
    ] = 5
    """Working days after the self-assessment is due; later counts as a fail."""
    grades: Annotated[tuple[Grade, ...], Field(max_length=20, min_length=1, title="等級線 / grades")] = (
        Grade(name="優秀", least=90),
        Grade(name="良好", least=80),
        Grade(name="合格", least=60),
        Grade(name="不合格", least=0),
    )
    final_report_months: Annotated[int, Field(ge=1, le=24, title="結項報告期限（月） / final report due (months)")] = 1
    """Months after the end date within which the final report is due."""
    standing_team_months: Annotated[
        int, Field(ge=0, le=36, title="常態志願隊活動（月） / standing team active (months)")
    ] = 0
    """Distinct months of activity that a standing volunteer team must show (Z1); 0 asks for none."""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if min(grade.least for grade in self.grades) != 0:
            message = "grades: 須有最低分為 0 的等級 / one grade must begin at 0"
            raise ValueError(message)
        return self

    def grade(self, mark: Decimal) -> str:
        """The grade that a mark earns."""
        return max((grade.least, grade.name) for grade in self.grades if mark >= grade.least)[1]


class Remedy(SchemeSection):
    """Rectification, termination, clawback 整改、終止、收回資金."""

    rectify_wd: Annotated[WorkingDays, Field(title="整改期限（工作日） / rectification period (working days)")] = 15
    extensions: Annotated[int, Field(ge=0, le=5, title="可延期次數 / extensions allowed")] = 1
    hearing_wd: Annotated[
        WorkingDays, Field(title="陳述申辯期限（工作日） / period for representations (working days)")
    ] = 10
    clawback_days: Annotated[Days, Field(title="退回期限（日） / repayment period (days)")] = 30
    ban_years: Annotated[int, Field(ge=0, le=30, title="取消申報資格年限（年） / barred from applying (years)")] = 3


class Closing(SchemeSection):
    """Close and archive 結項與歸檔."""

    retention_years: Annotated[int, Field(ge=1, le=100, title="保管期限（年） / retention (years)")] = 10


TierName = Literal["MUNICIPAL", "DISTRICT", "STREET_VILLAGE"]
"""Whose base it is (CZ-8)."""


class TierServices(BaseModel):
    """What bases of a tier do for others (CZ-10)."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    tier: Annotated[TierName, Field(title="層級 / tier")]
    services: Annotated[tuple[Text, ...], Field(max_length=50, title="服務項目 / services")]


class Allocation(BaseModel):
    """What a base of that tier and class is supported by in a year (CZ-9)."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    tier: Annotated[TierName, Field(title="層級 / tier")]
    grade: Annotated[Text, Field(title="等級 / grade")]
    """As its assessment says, e.g. A."""
    each: Annotated[Fen, Field(title="每個扶持金額 / support of each")]
    """Fen; 0 for one that is not supported."""


class Bases(BaseModel):
    """Bases where social organisations are incubated 孵化培育基地."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    services: Annotated[tuple[TierServices, ...] | None, Field(max_length=3, title="服務目錄 / services")] = None
    """None where the city has no catalogue."""
    allocation: Annotated[
        tuple[Allocation, ...] | None, Field(max_length=100, title="分類擇優扶持 / class and merit allocation")
    ] = None
    """None where support is fixed case by case."""

    def list_services(self, tier: str) -> tuple[str, ...] | None:
        """What bases of that tier may offer; None where there is no catalogue."""
        if self.services is None:
            return None
        return next((line.services for line in self.services if line.tier == tier), ())

    def find_support(self, tier: str, grade: str) -> Fen | None:
        """What a base of that tier and class gets; None where the table has no line for it."""
        return next((a.each for a in self.allocation or () if (a.tier, a.grade) == (tier, grade)), None)


class Scheme(SchemeSection):
    """管理辦法: all rules of one city, in one version."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,31}$", title="名稱 / name")]
    version: Annotated[int, Field(le=9999, ge=1, title="版本 / version")]
    city: Annotated[Text, Field(title="城市 / city")]
    title: Annotated[Text, Field(title="標題 / title")]
    edition: Annotated[int, Field(le=99, ge=1, title="規則版次 / edition of the rules")] = 1
    """Which edition of the rules in code this version runs under."""
    effective: Annotated[Date, Field(title="施行日 / effective from")]
    route: Annotated[Route, Field(title="方式 / route")] = Route.GRANT
    needs: Annotated[Needs, Field(title="需求徵集 / need solicitation")] = Needs()
    bidding: Annotated[Bidding, Field(title="申報 / bidding")] = Bidding()
    budget: Annotated[Budget, Field(title="預算 / budget")] = Budget()
    review: Annotated[Review, Field(title="評審 / review")] = Review()
    publicity: Annotated[Publicity, Field(title="公示 / publicity")] = Publicity()
    contract: Annotated[Contracting, Field(title="簽約 / contract")] = Contracting()
    payment: Annotated[Paying, Field(title="撥付 / payment")] = Paying()
    delivery: Annotated[Delivery, Field(title="實施與督導 / delivery")] = Delivery()
    evaluation: Annotated[Evaluating, Field(title="評估 / evaluation")] = Evaluating()
    remedy: Annotated[Remedy, Field(title="整改、終止、收回 / remedy")] = Remedy()
    closing: Annotated[Closing, Field(title="結項與歸檔 / closing")] = Closing()
    codelists: Annotated[Codelists | None, Field(title="代碼表 / codelists")] = None
    """None in a version of before there were any: everything passes."""
    beneficiaries: Annotated[BeneficiaryRules | None, Field(title="受益對象 / beneficiaries")] = None
    """None where the city has no rules for them."""
    bases: Annotated[Bases | None, Field(title="孵化培育基地 / incubation bases")] = None
    """None where the city has no network of bases."""

    @property
    def reimburses(self) -> bool | None:
        """Whether organisations spend first (§2.1), as events say it; None where they do not."""
        return self.route is Route.REIMBURSE or None

    @property
    def ref(self) -> SchemeRef:
        """How events cite this version."""
        return SchemeRef(name=self.name, version=self.version)
