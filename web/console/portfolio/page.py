"""``/portfolio``: what the projects come to, on any day; ``/portfolio/projects``: the projects that a number counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from application.money import list_realms
from application.pages import PageRequest
from application.portfolio import By, CourseFilter, Measure, PortfolioFilter, list_courses, read_portfolio
from application.projects import list_lines
from domain.catalogue import stage_words
from domain.kernel.identifier import LIVE
from domain.project.outputs import Output
from domain.project.stage import MAIN_LINE, Stage
from web.components.bars import BarRow, draw_bars
from web.components.words import begin_words, format_money
from web.console.paths import file_path
from web.console.reader import choose_organisation, list_organisations, read_seat
from web.console.rendering import render
from web.console.route import PageRoute
from web.console.texts import speaker
from web.guard import ByCaller, ByHouse, Policy, allow, language_of
from web.v1.portfolio import CourseQuery, PortfolioQuery

if TYPE_CHECKING:
    from collections.abc import Mapping

    from application.event_text import Say
    from application.portfolio import Duration, Figures
    from web.console.texts import Speak, Texts

router = APIRouter(route_class=PageRoute)

PAGE: Final = 50
SHOWN: Final = tuple(
    measure for measure in Measure if measure not in (Measure.NET, Measure.MATCH, Measure.MATCH_PROVEN)
)
TEXTS: Final[Texts] = {
    "title": ("項目總覽", "Portfolio"),
    "list_title": ("所計項目", "Projects counted"),
    "back": ("回到項目總覽", "Back to the portfolio"),
    "projects": ("項目", "Projects"),
    "overdue": ("逾期", "Overdue"),
    "overdue_note": ("過去的日期不計逾期", "Not counted for a past day"),
    "net": ("淨撥付額", "Net paid"),
    "persons": ("受益人數（人）", "Persons reached"),
    "person_times": ("人次", "Attendances"),
    "brands": ("品牌", "Brands"),
    "brand_holders": ("所授對象", "Held by"),
    "at_least": ("至少；{n} 個項目的記錄不全", "at least; {n} projects have incomplete records"),
    "units_note": (
        "人數與人次是兩種計量，不相加；由活動記錄得出，不由人填寫。",
        "People and attendances are different units and are never added; both come from activity records.",
    ),
    "funnel": ("各階段項目數", "Projects by stage"),
    "ever": ("曾到此階段", "Ever reached"),
    "now": ("目前在此階段", "Now at this stage"),
    "stage": ("階段", "Stage"),
    "durations": ("階段歷時", "How long stages take"),
    "times": ("次數", "Times"),
    "days": ("日", "Days"),
    "working_days": ("工作日", "Working days"),
    "median": ("中位數", "median"),
    "slow": ("九成不超過", "90% within"),
    "durations_note": ("只計已離開該階段的", "Only projects that have left the stage"),
    "money": ("資金", "Money"),
    "item": ("項", "Item"),
    "amount": ("金額（元）", "Amount (yuan)"),
    "counted": ("項目數", "Projects"),
    "match_note": ("不完全統計：部分只有申報，沒有憑證", "Incomplete: part of it is reported without vouchers"),
    "outputs": ("產出", "Outputs"),
    "unit": ("計量", "Unit"),
    "figure": ("數量", "Figure"),
    "sure": ("準確程度", "Completeness"),
    "whole": ("記錄完整", "complete"),
    "compare": ("按{by}比較", "By {by}"),
    "several_note": (
        "一個項目可屬多項，各行相加可多於合計。",
        "A project may belong to several lines, so they may add up to more than the total.",
    ),
    "not_stated": ("未載明", "not stated"),
    "total": ("合計", "Total"),
    "by": ("分列依據", "Break down by"),
    "round": ("屆次", "Round"),
    "year": ("年度", "Year"),
    "district": ("區縣", "District"),
    "field": ("公益領域", "Field"),
    "fund": ("資金來源", "Fund"),
    "scheme": ("計劃（城市）", "Programme"),
    "as_of": ("截至（日期）", "As of (day)"),
    "known_at": ("當時已記錄（日期）", "As known on (day)"),
    "position": ("記錄序號", "Record no."),
    "past": ("這是過去的樣子：{what}。", "You are looking at the past: {what}."),
    "filter": ("查看", "Show"),
    "empty": ("沒有符合條件的項目", "No projects match"),
    "number": ("編號", "Number"),
    "name": ("名稱", "Title"),
    "organisation": ("單位", "Organisation"),
    "count": ("{n} 個", "{n}"),
    "made_of": ("截至第 {n} 條記錄", "as of record {n}"),
    "where": ("條件", "Conditions"),
    "reached": ("曾到", "ever at"),
    "measure": ("有此項", "with any"),
}


@router.get("/portfolio", response_class=Response)
@allow(Policy.READ)
async def show_portfolio(
    request: Request,
    house: ByHouse,
    caller: ByCaller,
    query: Annotated[PortfolioQuery, Query()],
    by: Annotated[By, Query()] = By.YEAR,
    organisation: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """The figures, each a link to the list that it counts."""
    seat = read_seat(request, caller)
    mine = choose_organisation(caller, seat, organisation)
    realms = await list_realms(house.store)
    if query.realm is None and "realm" not in request.query_params:
        query = query.model_copy(update={"realm": LIVE})
    filters = query.read(PortfolioFilter)
    portfolio = await read_portfolio(house.store, filters, by, PageRequest(organisation=mine))
    language = language_of(request)
    say, speak, figures = language.say, speaker(language, TEXTS), portfolio.figures
    conditions = {**query.model_dump(exclude_none=True), **({"organisation": mine} if mine else {})}

    def list_path(**more: object) -> str:
        return f"/portfolio/projects?{urlencode({**conditions, **more})}"

    return render(
        request,
        "console/portfolio/portfolio.html",
        TEXTS,
        given=query.model_dump(),
        by=by,
        ways=tuple(By),
        realms=realms,
        organisations=list_organisations(caller, seat),
        organisation=mine or "",
        portfolio=portfolio,
        figures=figures,
        list_path=list_path,
        stages=[one for one in Stage if figures.reached[one.value]],
        funnel=draw_bars(_funnel(figures, say)),
        times=draw_bars(_times(portfolio.durations, say)),
        stage_words=lambda name: say(*stage_words("project", name)),
        groups=[(key, list_path(**{by.value: key}) if key else "", one) for key, one in portfolio.groups.items()],
        compared=draw_bars(_compare(portfolio.groups, speak)),
        measures=SHOWN,
        compared_measures=[one for one in SHOWN if figures.money[one.value]],
        award=Measure.AWARD,
        match=Measure.MATCH,
        proven=Measure.MATCH_PROVEN,
        outputs=tuple(Output),
        persons=Output.PERSONS.value,
        person_times=Output.PERSON_TIMES.value,
        file_path=file_path,
        is_past=filters.is_past,
        moments=_moments(query, speak, language.say),
    )


@router.get("/portfolio/projects", response_class=Response)
@allow(Policy.READ)
async def show_courses(
    request: Request,
    house: ByHouse,
    caller: ByCaller,
    query: Annotated[CourseQuery, Query()],
    organisation: Annotated[str, Query(max_length=64)] = "",
    after: Annotated[str | None, Query(max_length=2_000)] = None,
) -> Response:
    """The projects that a number counts, and what they come to."""
    mine = choose_organisation(caller, read_seat(request, caller), organisation)
    filters = query.read(CourseFilter)
    page, sums = await list_courses(house.store, filters, PageRequest(limit=PAGE, after=after, organisation=mine))
    language = language_of(request)
    own = {"organisation": mine} if mine else {}
    wider = query.model_dump(exclude_none=True, include={*PortfolioQuery.model_fields})
    speak, conditions = speaker(language, TEXTS), {**query.model_dump(exclude_none=True, exclude_defaults=True), **own}
    measure = next((one for one in (*Measure, *Output) if one == query.measure), None)
    lines = await list_lines(house.store, [one.stream for one in page.rows])
    return render(
        request,
        "console/portfolio/projects.html",
        TEXTS,
        rows=[
            (one, lines.get(one.stream), _past_path(file_path(one.stream), query), stage_words("project", one.stage))
            for one in page.rows
        ],
        sums=sums,
        next=page.next,
        is_first=after is None,
        freshness_of=page.freshness,
        params=conditions,
        measure=measure,
        is_money=isinstance(measure, Measure),
        amount=lambda one: one.amount(measure.value) if measure is not None else one.amount(Measure.NET.value),
        total=_total(sums, measure),
        net=Measure.NET,
        conditions=_describe_conditions(query, speak, language.say),
        back=f"/portfolio?{urlencode({**wider, **own})}",
        is_past=filters.is_past,
        moments=_moments(query, speak, language.say),
    )


def _total(sums: Figures, measure: Measure | Output | None) -> int:
    name = (measure or Measure.NET).value
    return sums.money[name] + sums.outputs[name]


def _past_path(path: str, query: PortfolioQuery) -> str:
    """The file as it was at that moment."""
    moments = {name: value for name, value in (("as_of", query.as_of), ("known_at", query.known_at)) if value}
    return f"{path}?{urlencode(moments)}" if moments else path


def _moments(query: PortfolioQuery, speak: Speak, say: Say) -> str:
    axes = (("as_of", query.as_of), ("known_at", query.known_at), ("position", query.position))
    return say("，", ", ").join(f"{speak(name)} {value}" for name, value in axes if value is not None)


def _describe_conditions(query: CourseQuery, speak: Speak, say: Say) -> list[tuple[str, str]]:
    """What the list is narrowed by, in words."""
    conditions = [(speak(by.value), str(value)) for by in By if (value := getattr(query, by.value)) is not None]
    conditions += [
        (speak(name), say(*stage_words("project", value)))
        for name, value in (("stage", query.stage), ("reached", query.reached))
        if value is not None and value in {*Stage}
    ]
    measure = next((one for one in (*Measure, *Output) if one == query.measure), None)
    if measure is not None:
        conditions.append((speak("measure"), say(measure.zh, measure.en)))
    return [*conditions, (speak("overdue"), "✓")] if query.overdue else conditions


def _funnel(figures: Figures, say: Say) -> list[BarRow]:
    """The main line: how many ever came so far, and how many stand there."""
    ever, now = figures.reached, figures.standing
    return [
        BarRow(
            begin_words(say(one.zh, one.en)), ever[one.value], now[one.value], f"{ever[one.value]} / {now[one.value]}"
        )
        for one in MAIN_LINE
    ]


def _times(durations: tuple[Duration, ...], say: Say) -> list[BarRow]:
    """What nine of ten did not exceed, and the median, in working days."""
    return [
        BarRow(begin_words(say(*stage_words("project", one.stage))), slow, median, f"{median} / {slow}")
        for one in durations
        for median, slow in (one.working_days,)
    ]


def _compare(groups: Mapping[str, Figures], speak: Speak) -> list[BarRow]:
    """What was awarded, and what of it is out."""
    return [
        BarRow(key or speak("not_stated"), award, max(net, 0), f"{format_money(net)} / {format_money(award)}")
        for key, figures in groups.items()
        for award, net in ((figures.money["award"], figures.money["net"]),)
    ]
