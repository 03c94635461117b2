"""``venture portfolio``: what all projects come to, on any day, by round, year, district, field, fund or programme."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from application.pages import MOST, PageRequest
from application.portfolio import (
    By,
    CourseFilter,
    Measure,
    PortfolioFilter,
    list_courses,
    read_portfolio,
)
from audit.as_of import instant_of
from cli.adapter import Invocation, verb
from cli.help import Typer
from cli.options import Realm
from cli.output import Column
from cli.pages import print_freshness, read_filter
from cli.seat import read_day
from domain.kernel.money import yuan
from domain.project.outputs import Output
from domain.project.stage import MAIN_LINE, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from application.portfolio import Figures, Portfolio
    from cli.output import Printer

app = Typer()

_DAY = "2024-03-20"
_FIGURES = (Column("what", "項", "item"), Column("figure", "數", "figure", right=True))


@app.command("portfolio")
@verb
async def portfolio_command(
    *,
    invocation: Invocation,
    realm: Realm = None,
    round_: Annotated[str | None, typer.Option("--round", help="屆次 round：R-HZ-2025")] = None,
    year: Annotated[int | None, typer.Option("--year", help="年度 year of the round：2025")] = None,
    district: Annotated[str | None, typer.Option("--district", help="區縣 district of the need")] = None,
    field: Annotated[str | None, typer.Option("--field", help="公益領域 field of welfare")] = None,
    fund: Annotated[str | None, typer.Option("--fund", help="資金來源 fund：FS-FZ")] = None,
    scheme: Annotated[str | None, typer.Option("--scheme", help="計劃（城市） programme：hangzhou")] = None,
    by: Annotated[By, typer.Option("--by", help="分列依據 told apart by")] = By.YEAR,
    as_of: Annotated[str | None, typer.Option("--as-of", help=f"截至業務日期 as of this day：{_DAY}")] = None,
    known: Annotated[
        str | None, typer.Option("--known", help="只計此日已記錄者 only what was known by this day")
    ] = None,
    position: Annotated[int | None, typer.Option("--position", help="只計到日誌此序號 up to this log position")] = None,
    which: Annotated[
        str | None,
        typer.Option(
            "--list",
            help="一個數所計的項目 those counted：all、ACTIVE、reached:ACTIVE、paid、PERSONS",
        ),
    ] = None,
) -> None:
    """項目總覽：各階段項數、歷時、逾期、資金、產出，任何一日 / all projects: stages, how long, overdue, money, outputs.

    每個數都是一份名冊：同樣條件加 --list 列出 / every number is a list: the same conditions and --list.

    例 examples:
      venture portfolio
      venture portfolio --year 2025 --by district
      venture portfolio --as-of 2023-09-30 -o json
      venture portfolio --fund FS-LOT --list paid
    """
    printer = invocation.printer
    conditions = {
        "realm": realm,
        "round": round_,
        "year": year,
        "district": district,
        "field": field,
        "fund": fund,
        "scheme": scheme,
        "as_of": _read_end(as_of, "--as-of"),
        "known_at": _read_end(known, "--known"),
        "position": position,
    }
    async with invocation.open_store() as store:
        request = PageRequest(limit=MOST, at_least=await store.last_position())
        if which is None:
            portfolio = await read_portfolio(store, read_filter(PortfolioFilter, **conditions), by, request)
            _show(portfolio, by, printer)
            print_freshness(portfolio.freshness, printer)
            return
        page, sums = await list_courses(store, read_filter(CourseFilter, **conditions, **_narrow(which)), request)
    rows = [
        {
            **one.as_json(),
            "stage_text": printer.say(Stage(one.stage).zh, Stage(one.stage).en),
            "net": yuan(one.amount("net")),
        }
        if printer.is_for_people
        else one.as_json()
        for one in page.rows
    ]
    columns = (
        Column("number", "編號", "number"),
        Column("stage_text", "階段", "stage"),
        Column("net", "淨撥付額", "net paid", right=True),
        Column("stream", "卷宗", "file"),
    )
    printer.rows(rows, columns, ("沒有項目", "no projects"))
    printer.tell(f"共 {sums.projects} 個項目", f"{sums.projects} projects")
    print_freshness(page.freshness, printer)


def _read_end(text: str | None, option: str) -> Any:  # noqa: ANN401 - an instant, or None
    day = read_day(text, option)
    return None if day is None else instant_of(day)


def _narrow(which: str) -> dict[str, Any]:
    """What a number counts: a stage, one that was reached, a measure or an output; ``all`` counts every project."""
    if which in ("all", "overdue"):
        return {"overdue": which == "overdue"}
    beginning, mark, stage = which.partition(":")
    if mark and beginning == "reached":
        return {"reached": stage}
    return {"stage": which} if which in {*Stage} else {"measure": which}


def _show(portfolio: Portfolio, by: By, printer: Printer) -> None:
    if not printer.is_for_people:
        printer.json(portfolio.as_json())
        return
    rows = [{"what": printer.say(zh, en), "figure": figure} for zh, en, figure in _describe_figures(portfolio.figures)]
    if portfolio.overdue is not None:
        rows.insert(1, {"what": printer.say("逾期", "overdue"), "figure": str(portfolio.overdue)})
    rows.append({"what": printer.say("品牌", "brands"), "figure": str(len(portfolio.brands))})
    printer.rows(rows, _FIGURES, ("沒有項目", "no projects"))
    printer.rows(
        [
            {"key": key or printer.say("（未載明）", "(not stated)"), **_compare(figures)}
            for key, figures in portfolio.groups.items()
        ],
        (
            Column("key", by.zh, by.en),
            Column("projects", "項目", "projects", right=True),
            Column("award", "資助金額", "awarded", right=True),
            Column("paid", "已撥付", "paid", right=True),
            Column("net", "淨撥付額", "net paid", right=True),
            Column("person_times", "人次", "attendances", right=True),
            Column("persons", "受益人數", "persons", right=True),
        ),
        ("", ""),
    )
    printer.rows(
        [
            {
                "stage": printer.say(Stage(one.stage).zh, Stage(one.stage).en),
                "times": str(one.times),
                "days": f"{one.days[0]} / {one.days[1]}",
                "working": f"{one.working_days[0]} / {one.working_days[1]}",
            }
            for one in portfolio.durations
        ],
        (
            Column("stage", "階段歷時", "time in stage"),
            Column("times", "次數", "times", right=True),
            Column("days", "日：中位 / 九成以內", "days: median / nine of ten", right=True),
            Column("working", "工作日：中位 / 九成以內", "working days: median / nine of ten", right=True),
        ),
        ("", ""),
    )


def _describe_figures(figures: Figures) -> Iterator[tuple[str, str, str]]:
    """Every figure, in Chinese and English."""
    yield "項目", "projects", str(figures.projects)
    for stage in Stage:
        if count := figures.standing.get(stage.value):
            yield f"　目前{stage.zh}", f"  now {stage.en}", str(count)
    for stage in MAIN_LINE:
        if count := figures.reached.get(stage.value):
            yield f"　曾到{stage.zh}", f"  ever {stage.en}", str(count)
    for measure in Measure:
        yield measure.zh, measure.en, yuan(figures.money[measure.value])
    for output in Output:
        yield output.zh, output.en, f"{figures.outputs[output.value]:,}"
    for name, count in figures.uncounted.items():
        of = next(one for one in (*Output, *Measure) if one == name)
        yield f"　{of.zh}記錄不全的項目", f"  {of.en}: not whole in", str(count)


def _compare(figures: Figures) -> dict[str, str]:
    return {
        "projects": str(figures.projects),
        **{name: yuan(figures.money[name]) for name in ("award", "paid", "net")},
        "person_times": f"{figures.outputs[Output.PERSON_TIMES.value]:,}",
        "persons": f"{figures.outputs[Output.PERSONS.value]:,}",
    }
