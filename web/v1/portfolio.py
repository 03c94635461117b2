"""``/v1/portfolio``: what the projects come to, on any day; and the projects that a number counts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from application.portfolio import By, CourseFilter, PortfolioFilter, list_courses, read_portfolio
from domain.kernel.identifier import StreamId
from web.body import fill
from web.guard import ByCaller, ByHouse, GuardedRoute, Policy, allow
from web.problems import problem_responses
from web.v1.files import read_as_of
from web.v1.pages import ByPage, FreshnessAnswer, narrow

router = APIRouter(route_class=GuardedRoute, tags=["portfolio"])

F = TypeVar("F", bound=PortfolioFilter)
_Blank = BeforeValidator(lambda text: text or None)
"""A form sends what was left open as an empty text."""
Word = Annotated[Annotated[str, Field(max_length=200)] | None, _Blank]
Number = Annotated[Annotated[int, Field(ge=0, le=2**53)] | None, _Blank]
Moment = Annotated[
    Annotated[str, Field(max_length=40)] | None,
    _Blank,
    Field(description="A day, which counts to its end in Shanghai, or a time: in Shanghai unless it has an offset."),
]


class PortfolioQuery(BaseModel):
    """Which projects are added up, as of when."""

    model_config = ConfigDict(extra="ignore", use_attribute_docstrings=True)

    realm: Word = None
    round: Word = None
    year: Number = None
    """Of the round."""
    district: Word = None
    field: Word = None
    fund: Word = None
    scheme: Word = None
    """The programme, by the name of its rules."""
    as_of: Moment = None
    known_at: Moment = None
    position: Number = None
    """As far as the log's entry of this number."""

    def read(self, of: type[F], **more: object) -> F:
        """The filter of that kind. Raises InputInvalid."""
        conditions = self.model_dump(include={*PortfolioFilter.model_fields, *of.model_fields})
        moments = {name: read_as_of(name, conditions[name]) for name in ("as_of", "known_at")}
        return fill(of, **{**conditions, **moments, **more})


class CourseQuery(PortfolioQuery):
    """Which of them a number counts."""

    stage: Word = None
    reached: Word = None
    """A stage in which they ever were."""
    measure: Word = None
    """Of which there is any: an amount of ``money``, or an output."""
    overdue: bool = False


class FiguresAnswer(BaseModel):
    """What some projects come to. Money is in fen; persons and attendances are two units, never added."""

    projects: int
    standing: dict[str, int]
    """By stage, how many stand there."""
    reached: dict[str, int]
    """By stage, how many were ever there."""
    money: dict[str, int]
    outputs: dict[str, int]
    uncounted: dict[str, int]
    """By output or measure, of how many projects the records do not say it whole."""


class DurationAnswer(BaseModel):
    """How long projects stood in a stage that they have left: the median, and what nine of ten did not exceed."""

    stage: str
    times: int
    p50_days: int
    p90_days: int
    p50_working_days: int
    p90_working_days: int


class PortfolioAnswer(FiguresAnswer):
    """What the projects under the conditions come to."""

    read_at: datetime
    position: int
    overdue: int | None
    """Null of a moment that is past."""
    durations: list[DurationAnswer]
    brands: list[dict[str, Any]]
    groups: dict[str, FiguresAnswer]
    """Told apart by ``by``; empty under what says nothing. One of several fields or funds counts under each."""


class CourseAnswer(BaseModel):
    """One project as it stood. Money is in fen."""

    stream: StreamId
    number: str
    stage: str
    money: dict[str, int]
    outputs: dict[str, int]


class CoursePage(BaseModel):
    """The projects that a number counts, and what all pages of them come to."""

    projects: list[CourseAnswer]
    sums: FiguresAnswer
    next: str | None
    freshness: FreshnessAnswer


_FAILURES = problem_responses(401, 403, 404, 422, 429, 503)


@router.get("/v1/portfolio", response_model=PortfolioAnswer, responses=_FAILURES)
@allow(Policy.READ)
async def get_portfolio(
    house: ByHouse,
    caller: ByCaller,
    response: Response,
    page: ByPage,
    query: Annotated[PortfolioQuery, Query()],
    by: Annotated[By, Query(description="By what the groups are told apart.")] = By.YEAR,
) -> PortfolioAnswer:
    """How many stand where, how long it takes, money, outputs, brands; an organisation's own people see its own."""
    portfolio = await read_portfolio(house.store, query.read(PortfolioFilter), by, narrow(page, caller, None))
    FreshnessAnswer.of(portfolio.freshness, response)
    return PortfolioAnswer.model_validate(portfolio.as_json())


@router.get("/v1/portfolio/projects", response_model=CoursePage, responses=_FAILURES)
@allow(Policy.READ)
async def get_courses(
    house: ByHouse, caller: ByCaller, response: Response, page: ByPage, query: Annotated[CourseQuery, Query()]
) -> CoursePage:
    """The projects that a number of the portfolio counts, under the same conditions: their list as of any day."""
    courses, sums = await list_courses(house.store, query.read(CourseFilter), narrow(page, caller, None))
    return CoursePage(
        projects=[
            CourseAnswer(
                stream=one.stream,
                number=one.number,
                stage=one.stage,
                money={name: one.amount(name) for name in sums.money},
                outputs=dict(one.outputs),
            )
            for one in courses.rows
        ],
        sums=FiguresAnswer.model_validate(sums.as_json()),
        next=courses.next,
        freshness=FreshnessAnswer.of(courses.freshness, response),
    )
