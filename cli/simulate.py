"""``venture simulate``: a city's rounds of many years, made up, recorded under every rule."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from dataclasses import asdict, fields
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

import bootstrap
from cli.adapter import Invocation, verb
from cli.help import Typer
from cli.output import ArgumentInvalid, Column, Form, Printer, message_console
from domain.kernel.failure import Defect, FailureKind
from domain.kernel.money import yuan
from local import processes
from schemes.calendars import load_published
from schemes.scheme_file import load_shipped
from simulation.recorder import YearTotals, record_year
from simulation.spread import YearShare, spread
from simulation.story import YearStory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from runtime.runtime import Runtime

CITIES = ("hangzhou",)
"""Whose rounds the story is shaped after."""
STARTER = Path(__file__).resolve().parent.parent / "starter.py"
BEAT = 100
"""Commands after which a year that is recorded by a process of its own says how far it has come."""
MOST_PROJECTS = 100_000

app = Typer()


@app.command("simulate")
@verb
async def simulate_command(
    city: Annotated[str, typer.Argument(help="城市 the city: hangzhou", show_default=False)],
    *,
    invocation: Invocation,
    first: Annotated[int, typer.Option("--from", help="首年 first year", min=2012, max=2025)] = 2012,
    last: Annotated[int, typer.Option("--to", help="末年 last year", min=2012, max=2025)] = 2024,
    projects: Annotated[
        int, typer.Option("--projects", help="立項總數 awards in all years", min=1, max=MOST_PROJECTS)
    ] = 8000,
    seed: Annotated[int, typer.Option("--seed", help="種子；同一種子同一故事 / one seed, one story", min=0)] = 7,
    only: Annotated[
        int | None, typer.Option("--only", help="只記錄其中一年 / record one of the years only", show_default=False)
    ] = None,
) -> None:
    """模擬多年的屆次：全屬虛構，逐項依規則辦理，中斷後可續 / rounds of many years, all made up, under every rule.

    每年一個環境（手動時鐘），如 hangzhou-2019-p8000-s7；項目平均 ¥55,750（HZ-4）。
    An environment a year, on a manual clock. A project is awarded ¥55,750 on average (HZ-4).

    例 examples:
      venture simulate hangzhou --projects 200 --from 2023 --to 2024
      venture simulate hangzhou --from 2012 --to 2024 --projects 8000 --seed 7
    """
    printer = invocation.printer
    if invocation.settings.env is bootstrap.Environment.PRODUCTION:
        raise ArgumentInvalid("虛構的數據不可寫入生產日誌", "nothing made up may be written into a production log")
    if city not in CITIES:
        raise ArgumentInvalid(f"只可模擬 {', '.join(CITIES)}", f"only {', '.join(CITIES)} can be simulated")
    if first > last or not (only is None or first <= only <= last):
        raise ArgumentInvalid("年份須為 --from ≤ --only ≤ --to", "years must be --from ≤ --only ≤ --to")
    shares = [share for share in spread(first, last, projects, seed) if only in (None, share.year)]
    name = f"{city}-{{year}}-p{projects}-s{seed}"
    async with invocation.open_runtime() as runtime:
        with _progress(printer) as progress:
            if len(shares) == 1:
                story = _story(city, name, shares[0], first=first, seed=seed)
                totals = [
                    await record_year(story, runtime.paper_door, runtime.store, _beats(printer, progress, shares[0]))
                ]
            else:
                words = [city, f"--from={first}", f"--to={last}", f"--projects={projects}", f"--seed={seed}"]
                totals = await _record_side_by_side(shares, words, runtime, _overall(progress, shares))
    _show(sorted(totals, key=lambda one: one.year), printer)


def _story(city: str, name: str, share: YearShare, *, first: int, seed: int) -> YearStory:
    """The year's story under the city's rules, as if they had been in effect since its first year."""
    scheme = load_shipped(city).model_copy(update={"effective": date(first, 1, 1)})
    realm = name.format(year=share.year)
    return YearStory(
        realm, share, scheme, load_published(share.year, share.year + 1), seed, ordinal=1 + share.year - first
    )


async def _record_side_by_side(
    shares: Iterable[YearShare], words: list[str], runtime: Runtime, on_command: Callable[[int], None]
) -> list[YearTotals]:
    """Each year by a process of its own, as many at once as there are processors: the largest begin."""
    places = asyncio.Semaphore(os.cpu_count() or 1)
    environment = {**os.environ, "VENTURE_HOME": str(runtime.settings.home)}

    async def one(share: YearShare) -> YearTotals:
        command = [sys.executable, str(STARTER), "simulate", *words, f"--only={share.year}", "-o", "jsonl"]
        async with places:
            process = await asyncio.create_subprocess_exec(
                *processes.bind_command(command, when_parent_dies=signal.SIGTERM),
                stdout=asyncio.subprocess.PIPE,
                env=environment,
            )
            if process.stdout is None:
                raise Defect("a year's process cannot be heard")
            last: dict[str, Any] = {}
            async for line in process.stdout:
                last = json.loads(line)
                if "answered" in last:
                    on_command(last["answered"])
            if await process.wait():
                raise typer.Exit(process.returncode or FailureKind.DEFECT)
        return YearTotals(**{each.name: last[each.name] for each in fields(YearTotals)})

    largest_first = sorted(shares, key=lambda share: -len(share.awards))
    return list(await asyncio.gather(*map(one, largest_first)))


# ---------------------------------------------------------------- progress


def _progress(printer: Printer) -> Progress:
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=message_console, transient=True, disable=not printer.is_for_people)


def _overall(progress: Progress, shares: Iterable[YearShare]) -> Callable[[int], None]:
    task = progress.add_task("", total=sum(map(_expected, shares)))
    return lambda count: progress.update(task, advance=count)


def _beats(printer: Printer, progress: Progress, share: YearShare) -> Callable[[int], None]:
    """For a person a bar; for a process that reads along, a line now and then."""
    advance = _overall(progress, [share])
    waiting = 0

    def on_command(count: int) -> None:
        nonlocal waiting
        advance(count)
        waiting += count
        if printer.form is Form.JSONL and waiting >= BEAT:
            printer.json({"answered": waiting, "at": datetime.now(UTC).isoformat()})
            waiting = 0

    return on_command


def _expected(share: YearShare) -> int:
    """Commands of a year, about: for the bar only."""
    return 36 * len(share.awards)


def _show(totals: list[YearTotals], printer: Printer) -> None:
    if printer.form is Form.JSONL:
        for one in totals:
            printer.json(asdict(one))
        return
    whole = {
        name: sum(getattr(one, name) for one in totals)
        for name in ("projects", "awarded_fen", "paid_fen", "net_fen", "bids", "commands")
    }
    if not printer.is_for_people:
        printer.json({"years": [asdict(one) for one in totals], "total": whole})
        return
    rows: list[dict[str, Any]] = [asdict(one) for one in totals]
    rows.append({"year": printer.say("合計", "total"), "realm": "", **whole})
    for row in rows:
        row |= {name: yuan(row[f"{name}_fen"]) for name in ("awarded", "paid", "net")}
    columns = (
        Column("year", "年度", "year"),
        Column("bids", "申報", "bids", right=True),
        Column("projects", "立項", "awards", right=True),
        Column("awarded", "資助金額", "awarded", right=True),
        Column("paid", "已撥付", "paid", right=True),
        Column("net", "淨額", "net", right=True),
        Column("realm", "環境", "environment"),
    )
    printer.rows(rows, columns, ("沒有年度", "no years"))
