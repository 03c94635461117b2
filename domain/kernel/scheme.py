"""A city's rules as data (domain.md §2.3): every number is a parameter, never a constant in code.

A scheme is validated once, published as an event, and pinned to a round; see ``schemes/`` for the cities' files.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.kernel.identity import Text
from domain.kernel.money import Fen
from domain.kernel.state import SchemeRef

WorkingDays = Annotated[int, Field(ge=1, le=366)]
Days = Annotated[int, Field(ge=1, le=3660)]
Percent = Annotated[int, Field(ge=0, le=100)]
Points = Annotated[int, Field(ge=0, le=1000)]


class Policy(BaseModel):
    """A section of a scheme. Unknown parameters are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Route(StrEnum):
    """The legal route of a round (§2.1)."""

    GRANT = "GRANT"
    PROCUREMENT = "PROCUREMENT"
    REIMBURSE = "REIMBURSE"


class RoundLevel(StrEnum):
    """Whose round it is (HZ-1)."""

    MUNICIPAL = "MUNICIPAL"
    DISTRICT = "DISTRICT"


class Needs(Policy):
    """Need solicitation 需求徵集."""

    window_wd: WorkingDays = 10
    """Working days from opening to closing."""


class Bidding(Policy):
    """Call and application 申報."""

    window_wd: WorkingDays = 15
    """Working days from the call to its deadline, where the call names none."""
    per_organisation: Annotated[int, Field(ge=1, le=100)] = 1
    """Bids of one organisation in one round."""
    completion_wd: WorkingDays = 3
    """Working days to complete a returned application; late is a failed preliminary review."""
    joint: bool = True
    """Whether several organisations may bid together."""
    cap_fen: Fen | None = None
    """The most that one application may ask for."""
    blacklist_years: Annotated[int, Field(ge=0, le=30)] = 3
    minimum_rating: Literal["1A", "2A", "3A", "4A", "5A"] | None = None
    rating_bonus: dict[Literal["1A", "2A", "3A", "4A", "5A"], Annotated[int, Field(ge=0, le=3)]] = {}
    """Points added for a rating that is valid at that instant (D5), at most 3."""


class Budget(Policy):
    """Caps on budget lines, in percent of the award (M6)."""

    personnel_max: Percent = 30
    administration_max: Percent = 5
    forbidden: tuple[str, ...] = ("hospitality", "foreign_travel", "vehicles", "buildings", "irregular_pay")
    match_min: Percent = 0
    """Self-raised funds, in percent of the whole budget."""


class Review(Policy):
    """Expert review 評審."""

    panel: Annotated[int, Field(ge=1, le=99)] = 5
    """Seats; odd (P4)."""
    drop_extremes: bool = True
    """Highest and lowest are left out when five or more scored."""
    line: Points = 60
    """The mark an application must reach."""
    recusal_months: Annotated[int, Field(ge=0, le=120)] = 24
    rubric: dict[str, Points] = {
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


class Publicity(Policy):
    """Posting of a proposed award 公示, and objections."""

    working_days: WorkingDays = 5
    objection_decision_wd: WorkingDays = 10
    """Working days to decide an accepted objection; late is escalated to DISC."""


class Contracting(Policy):
    """Signing 簽約."""

    signing_wd: WorkingDays = 15
    """Working days from confirmation to signature; late lapses."""


class Paying(Policy):
    """Disbursement 撥付."""

    payment_wd: WorkingDays = 15
    """Working days from the request to the payment; late is overdue."""


class Delivery(Policy):
    """Implementation and supervision 實施與督導."""

    supervisor_required: bool = False
    """No start without an assigned supervisor (T12)."""
    community_required: bool = False
    """No start without a named community (FZ-2)."""
    minor_variation_percent: Percent = 10
    """A movement of lines up to this share of the award is minor."""


class Grade(Policy):
    """A final grade and the least mark for it."""

    name: Text
    least: Points


class Evaluating(Policy):
    """Mid-term and final evaluation, audit."""

    pass_mark: Points = 60
    midterm_rubric: dict[str, Points] = {"delivery": 30, "inputs": 20, "finance": 20, "effect": 30}
    midterm_report_wd: WorkingDays = 5
    """Working days after the self-assessment is due; later counts as a fail."""
    grades: Annotated[tuple[Grade, ...], Field(min_length=1)] = (
        Grade(name="優秀", least=90),
        Grade(name="良好", least=80),
        Grade(name="合格", least=60),
        Grade(name="不合格", least=0),
    )
    final_report_months: Annotated[int, Field(ge=1, le=24)] = 1
    """Months after the end date within which the final report is due."""
    standing_team_months: Annotated[int, Field(ge=0, le=36)] = 0
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


class Remedy(Policy):
    """Rectification, termination, clawback 整改、終止、追回."""

    rectify_wd: WorkingDays = 15
    extensions: Annotated[int, Field(ge=0, le=5)] = 1
    hearing_wd: WorkingDays = 10
    clawback_days: Days = 30
    ban_years: Annotated[int, Field(ge=0, le=30)] = 3


class Closing(Policy):
    """Close and archive 結項與歸檔."""

    retention_years: Annotated[int, Field(ge=1, le=100)] = 10


class Scheme(Policy):
    """管理辦法: all rules of one city, in one version."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,31}$")]
    version: Annotated[int, Field(ge=1)]
    city: Text
    title: Text
    edition: Annotated[int, Field(ge=1)] = 1
    """Which edition of the rules in code this version runs under."""
    effective: date
    route: Route = Route.GRANT
    needs: Needs = Needs()
    bidding: Bidding = Bidding()
    budget: Budget = Budget()
    review: Review = Review()
    publicity: Publicity = Publicity()
    contract: Contracting = Contracting()
    payment: Paying = Paying()
    delivery: Delivery = Delivery()
    evaluation: Evaluating = Evaluating()
    remedy: Remedy = Remedy()
    closing: Closing = Closing()

    @property
    def ref(self) -> SchemeRef:
        """How events cite this version."""
        return SchemeRef(name=self.name, version=self.version)
