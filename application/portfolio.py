"""項目總覽: how many projects stand where, how long it takes, what money they carry and what came of it, on any day.

Every number is the length or the sum of a list: ``list_courses`` under the same filter. Read from one row a project
(views/courses.py), as of a day of the office and as far as the log then knew; no project is folded.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from application.pages import Freshness, Page, PageRequest, SortOrder, iterate_rows, read_page
from application.projects import ProjectFilter, list_projects
from application.realms import require_realm
from application.registers import RegisterFilter, list_register
from deciding.reader import Reader
from domain.kernel.calendar import local_day
from domain.kernel.identifier import StreamId
from domain.kernel.words import Words
from domain.project.outputs import Output
from domain.project.stage import Stage
from domain.registers.designation import DesignationKind, DesignationStage
from store.views import AtMost, Equal, Holds, Unless
from views.courses import FOREVER
from views.shares import MONEY as SUMMED
from views.tags import tag

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Mapping

    from application.registers import RegisterLine
    from domain.kernel.calendar import Calendar
    from store.port import EventStore
    from store.views import Condition, Row

PAGE: Final = 1_000
"""Rows that are read at once."""
PERCENTILES: Final = (50, 90)
"""Of how long a stage takes."""
_ORDER: Final = SortOrder((("stream", str), ("version", int)))
_Word = Annotated[str | None, Field(min_length=1, max_length=200)]


class Measure(Words):
    """What is added up, beside the outputs. Money is in fen."""

    REQUESTED = "requested", "申請資助金額", "applied for"
    AWARD = "award", "資助金額", "awarded"
    COMMITTED = "committed", "已立項未撥付", "committed, not yet paid"
    PAID = "paid", "已撥付", "paid"
    CANCELLED = "cancelled", "已核減", "cancelled"
    RETURNED = "returned", "結餘繳回", "surplus returned"
    CLAWED_BACK = "clawed_back", "已收回", "recovered"
    NET = "net", "淨撥付額", "net paid"
    OUTSTANDING = "outstanding", "待收回", "still to be recovered"
    MATCH = "match", "配套（自籌）資金", "match funding"
    MATCH_PROVEN = "match_proven", "其中有憑證", "of it proven"


MONEY: Final = (*SUMMED, "committed", "match", "match_proven")
"""What is added up in fen; ``requested`` is of all bids, the rest of those that were awarded."""


class By(Words):
    """By what the projects are told apart. One of several fields or funds is counted under each of them."""

    ROUND = "round", "屆次", "round"
    YEAR = "year", "年度", "year"
    DISTRICT = "district", "區縣", "district"
    FIELD = "field", "公益領域", "field"
    FUND = "fund", "資金來源", "fund"
    SCHEME = "scheme", "計劃（城市）", "programme (city)"


class PortfolioFilter(BaseModel):
    """Which projects are added up, as of when: those that meet all of it."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    realm: _Word = None
    round: _Word = None
    year: Annotated[int | None, Field(ge=2000, le=2200)] = None
    """Of the round."""
    district: _Word = None
    """Of the need that is answered."""
    field: _Word = None
    fund: _Word = None
    scheme: _Word = None
    """The programme, by the name of its rules, e.g. ``hangzhou``."""
    as_of: AwareDatetime | None = None
    """As it was at this moment of the office; left out, as it is."""
    known_at: AwareDatetime | None = None
    """As far as it was recorded by this moment; left out, all that is recorded."""
    position: Annotated[int | None, Field(ge=0, lt=FOREVER)] = None
    """As far as the log's entry of this number; left out, all of it."""

    @property
    def is_past(self) -> bool:
        """Whether it is asked for another moment than now."""
        return any(axis is not None for axis in (self.as_of, self.known_at, self.position))


class CourseFilter(PortfolioFilter):
    """Which of them are listed: those that a number of the portfolio counts."""

    stage: _Word = None
    """Only those that stand there."""
    reached: _Word = None
    """Only those that were ever there."""
    measure: _Word = None
    """Only those of which there is any: a ``Measure`` or an ``Output``."""
    overdue: bool = False
    """Only those in which somebody is late now."""


@dataclass(frozen=True)
class ProjectCourse:
    """One project as it stood. Money is in fen."""

    stream: StreamId
    version: int
    stage: str
    tags: tuple[str, ...]
    figures: Mapping[str, Any]

    @classmethod
    def of(cls, row: Row) -> ProjectCourse:
        """Read from a row of the view."""
        return cls(StreamId(row["stream"]), row["version"], row["stage"], tuple(row["tags"]), row["figures"])

    @property
    def number(self) -> str:
        """``PJ-n``, or its stream's name before an award is proposed."""
        return self.figures.get("number") or self.stream.name

    def values(self, by: str) -> tuple[str, ...]:
        """What it is told apart by; empty where it says nothing."""
        beginning = tag(by, "")
        return tuple(one.removeprefix(beginning) for one in self.tags if one.startswith(beginning))

    def amount(self, measure: str) -> int:
        """Of a measure or an output, how much."""
        return int(self.figures.get(measure) or self.outputs.get(measure) or 0)

    @property
    def outputs(self) -> Mapping[str, int]:
        """Unit by unit, what its records add up to."""
        outputs: Mapping[str, int] = self.figures.get("outputs", {})
        return outputs

    @property
    def path(self) -> tuple[tuple[str, int], ...]:
        """Its stages, each with the day on which it began (``date.toordinal``)."""
        return tuple((stage, day) for stage, day in self.figures["path"])

    @property
    def names(self) -> frozenset[str]:
        """What a designation may name it, those behind it, or its programme by."""
        return frozenset({self.stream.name, self.number, *self.values("partner"), *self.values("scheme")})

    def as_json(self) -> dict[str, Any]:
        """As JSON: sums in fen; each dimension is a list, empty where the project has no value of it."""
        return {
            "stream": self.stream,
            "number": self.number,
            "stage": self.stage,
            **{by.value: list(self.values(by)) for by in By},
            **{name: self.amount(name) for name in MONEY},
            "outputs": dict(self.outputs),
        }


@dataclass
class Figures:
    """What some projects come to. Money is in fen; persons and attendances are two units, never added."""

    projects: int = 0
    standing: Counter[str] = field(default_factory=Counter)
    """By stage, how many stand there."""
    reached: Counter[str] = field(default_factory=Counter)
    """By stage, how many were ever there."""
    money: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(MONEY, 0)))
    outputs: Counter[str] = field(default_factory=Counter)
    uncounted: Counter[str] = field(default_factory=Counter)
    """By output or measure, of how many projects the records do not say it whole: the figure is at least that much."""

    def add(self, course: ProjectCourse, split: list[int] | None = None) -> None:
        """One more project; of a fund, only its share of what was awarded, is committed, and is out."""
        self.projects += 1
        self.standing[course.stage] += 1
        self.reached.update({stage for stage, _ in course.path})
        if split is not None:
            self.money.update(dict(zip(("award", "committed", "net"), split, strict=True)))
            return
        self.money.update({name: course.amount(name) for name in MONEY})
        self.outputs.update(course.outputs)
        if course.amount(Output.PERSON_TIMES) and not course.amount(Output.PERSONS):
            self.uncounted[Output.PERSONS.value] += 1
        if course.amount(Measure.MATCH_PROVEN) < course.amount(Measure.MATCH):
            self.uncounted[Measure.MATCH.value] += 1

    def as_json(self) -> dict[str, Any]:
        """As JSON: money in fen; every output stands there, those of none as 0."""
        return {
            "projects": self.projects,
            "standing": _sorted(self.standing),
            "reached": _sorted(self.reached),
            "money": dict(self.money),
            "outputs": {output.value: self.outputs[output.value] for output in Output},
            "uncounted": dict(self.uncounted),
        }


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    """In the order of a project's life."""
    return {stage.value: counts[stage] for stage in Stage if counts.get(stage)}


@dataclass(frozen=True)
class Duration:
    """How long projects stood in a stage that they have left: the median, and what nine of ten did not exceed."""

    stage: str
    times: int
    """How many stays were counted."""
    days: tuple[int, int]
    working_days: tuple[int, int]
    """By the published calendar of each realm; a year that is not published counts Monday to Friday."""

    def as_json(self) -> dict[str, Any]:
        """As JSON: median and 90th percentile, in days and in working days."""
        return {
            "stage": self.stage,
            "times": self.times,
            "p50_days": self.days[0],
            "p90_days": self.days[1],
            "p50_working_days": self.working_days[0],
            "p90_working_days": self.working_days[1],
        }


@dataclass(frozen=True)
class Portfolio:
    """What the projects under one filter come to."""

    figures: Figures
    groups: Mapping[str, Figures]
    """What is told apart by ``by``; empty under what says nothing."""
    durations: tuple[Duration, ...]
    overdue: int | None
    """How many wait for somebody who is late; None of a moment that is past."""
    brands: tuple[RegisterLine, ...]
    """Brands that these projects, those behind them or their programmes hold, as of that moment."""
    read_at: datetime
    """UTC."""
    freshness: Freshness

    def as_json(self) -> dict[str, Any]:
        """As JSON: ``read_at`` in UTC by ISO 8601; ``overdue`` is null for a day that is past."""
        return {
            "read_at": self.read_at.isoformat(),
            "position": self.freshness.position,
            **self.figures.as_json(),
            "overdue": self.overdue,
            "durations": [one.as_json() for one in self.durations],
            "brands": [{"stream": one.stream, **one.particulars} for one in self.brands],
            "groups": {key: figures.as_json() for key, figures in self.groups.items()},
        }


async def read_portfolio(
    store: EventStore, filters: PortfolioFilter, by: By = By.YEAR, request: PageRequest | None = None
) -> Portfolio:
    """The figures of these projects. Raises NoSuchRealm."""
    await require_realm(store, filters.realm)
    now, walk, figures = datetime.now(UTC), _Walk(store, filters, request), Figures()
    groups: defaultdict[str, Figures] = defaultdict(Figures)
    stays: defaultdict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    streams, names = set[StreamId](), set[str]()
    async for course in walk:
        figures.add(course)
        streams.add(course.stream)
        names |= course.names
        split = course.figures.get("funds", {}) if by is By.FUND else {}
        for key in course.values(by) or ("",):
            groups[key].add(course, split.get(key))
        for (stage, begun), (_, ended) in pairwise(course.path):
            stays[course.stream.realm, stage].append((begun, ended))
    overdue = None if filters.is_past else len(streams & await _list_overdue(store, filters))
    durations = tuple(await _measure_stays(store, stays))
    brands = tuple([one async for one in _list_brands(store, filters) if names & {*one.particulars["holders"]}])
    return Portfolio(figures, dict(sorted(groups.items())), durations, overdue, brands, now, walk.freshness)


async def list_courses(
    store: EventStore, filters: CourseFilter, request: PageRequest | None = None
) -> tuple[Page[ProjectCourse], Figures]:
    """The projects that a number counts, by id, and what all pages of them come to.

    Raises NoSuchRealm, CursorInvalid.
    """
    await require_realm(store, filters.realm)
    request = request or PageRequest()
    after = _ORDER.read("courses", request.after) if request.after is not None else ("", 0)
    late = await _list_overdue(store, filters) if filters.overdue else frozenset()
    walk, figures, rows = _Walk(store, filters, request), Figures(), list[ProjectCourse]()
    async for course in walk:
        if not _is_counted(course, filters) or (filters.overdue and course.stream not in late):
            continue
        figures.add(course)
        if (course.stream, course.version) > after and len(rows) <= request.limit:
            rows.append(course)
    more = None
    if len(rows) > request.limit:
        last = rows[request.limit - 1]
        more = _ORDER.write("courses", {"stream": last.stream, "version": last.version})
    return Page(tuple(rows[: request.limit]), more, walk.freshness), figures


def _is_counted(course: ProjectCourse, filters: CourseFilter) -> bool:
    return (
        (filters.stage is None or course.stage == filters.stage)
        and (filters.reached is None or filters.reached in {stage for stage, _ in course.path})
        and (filters.measure is None or course.amount(filters.measure) != 0)
    )


@dataclass
class _Walk:
    """Every project under a filter, once, as it stood."""

    store: EventStore
    filters: PortfolioFilter
    request: PageRequest | None
    freshness: Freshness = field(default_factory=lambda: Freshness(0, 0, None))

    async def __aiter__(self) -> AsyncIterator[ProjectCourse]:
        """In the order of ids; the last row of a project that was so by then."""
        request = (self.request or PageRequest()).model_copy(update={"limit": PAGE, "after": None})
        before: ProjectCourse | None = None
        while True:
            page = await read_page(
                self.store, "courses", _ORDER, tuple(_conditions(self.filters)), request, ProjectCourse.of
            )
            self.freshness = page.freshness
            for course in page.rows:
                if before is not None and before.stream != course.stream:
                    yield before
                before = course
            if page.next is None:
                break
            request = request.model_copy(update={"after": page.next, "at_least": None})
        if before is not None:
            yield before


def _conditions(filters: PortfolioFilter) -> Iterator[Condition]:
    """That a row's marks are these, and that it held at that moment, by both reckonings."""
    marks = {
        "realm": filters.realm,
        "round": filters.round,
        "year": str(filters.year) if filters.year is not None else None,
        "district": filters.district,
        "field": filters.field,
        "fund": filters.fund,
        "scheme": filters.scheme,
    }
    tags = tuple(tag(by, value) for by, value in marks.items() if value is not None)
    if tags:
        yield Holds("tags", tags)
    if not filters.is_past:
        yield Equal("to_position", FOREVER)
        return
    axes = (
        ("from_at", "to_at", filters.as_of),
        ("recorded_at", "to_recorded_at", filters.known_at),
        ("position", "to_position", filters.position),
    )
    bounds = [(begin, end, value) for begin, end, value in axes if value is not None]
    yield from (AtMost(begin, value) for begin, _, value in bounds)
    yield Unless(tuple(AtMost(end, value) for _, end, value in bounds))


async def _list_overdue(store: EventStore, filters: PortfolioFilter) -> frozenset[StreamId]:
    """The projects in which somebody is late now."""
    projects = ProjectFilter(realm=filters.realm, round=filters.round, overdue=True)
    lines = iterate_rows(lambda request: list_projects(store, projects, request), PageRequest(limit=PAGE))
    return frozenset([line.stream async for line in lines])


async def _list_brands(store: EventStore, filters: PortfolioFilter) -> AsyncIterator[RegisterLine]:
    """Brands that are held as of that moment; a position of the log does not move them."""
    day = local_day(filters.as_of or datetime.now(UTC)).isoformat()
    designations = RegisterFilter(
        kind="designation", realm=filters.realm, as_of=filters.as_of, known_at=filters.known_at
    )
    async for one in iterate_rows(lambda request: list_register(store, designations, request), PageRequest(limit=PAGE)):
        particulars = one.particulars
        if (
            one.stage == DesignationStage.GRANTED
            and particulars["kind"] == DesignationKind.BRAND
            and (particulars["since"] or "") <= day <= (particulars["until"] or "9999")
        ):
            yield one


async def _measure_stays(store: EventStore, stays: Mapping[tuple[str, str], list[tuple[int, int]]]) -> list[Duration]:
    """How long each stage took, over all realms, each by its own working days."""
    days: defaultdict[str, list[int]] = defaultdict(list)
    working: defaultdict[str, list[int]] = defaultdict(list)
    if not stays:
        return []
    first = min(begun for spans in stays.values() for begun, _ in spans)
    last = max(ended for spans in stays.values() for _, ended in spans)
    for realm in sorted({realm for realm, _ in stays}):
        count = _number_working_days(await Reader(store).calendar(realm), first, last)
        for (own, stage), spans in stays.items():
            if own == realm:
                days[stage] += [ended - begun for begun, ended in spans]
                working[stage] += [count[ended - first] - count[begun - first] for begun, ended in spans]
    return [
        Duration(stage.value, len(days[stage]), _percentiles(days[stage]), _percentiles(working[stage]))
        for stage in Stage
        if days.get(stage)
    ]


def _number_working_days(calendar: Calendar, first: int, last: int) -> list[int]:
    """Of each day from the first to the last, how many working days there were up to it."""
    return list(accumulate(calendar.is_working(date.fromordinal(day)) for day in range(first, last + 1)))


def _percentiles(values: Iterable[int]) -> tuple[int, int]:
    """Median and ninetieth, each one of the values (nearest rank)."""
    ranked = sorted(values)
    median, slow = (ranked[-(-len(ranked) * percent // 100) - 1] for percent in PERCENTILES)
    return median, slow
