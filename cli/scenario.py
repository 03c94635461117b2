"""``venture scenario``: play dated stories through the real workflows, check them, print their schema."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from application.command_input import AttachedFiles
from cli.adapter import Invocation, verb
from cli.document import bring
from cli.help import Typer
from cli.output import Column, Printer, message_console
from domain.catalogue import command_class
from domain.kernel.failure import FailureKind
from domain.kernel.money import yuan
from domain.project.stage import Stage
from scenarios.format import Scenario
from scenarios.plan import read_plan
from scenarios.play import PlayResult, play
from scenarios.schema import scenario_schema
from schemes.document import DocumentFault as FileFault
from schemes.document import DocumentInvalid, read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from application.door import Door
    from scenarios.plan import Plan, PlannedCommand
    from store.port import EventStore

app = Typer()

Files = Annotated[list[Path], typer.Argument(help="情景文件 scenario files (.yaml)", show_default=False)]


def list_shipped() -> list[Path]:
    """The scenarios that come with the product."""
    return sorted(Path(str(files("scenarios"))).glob("*.yaml"))


def plan_scenario(paths: Sequence[Path], fresh: str = "", attached: dict[str, Path] | None = None) -> list[Plan]:
    """The plans of those files; the files that they attach are noted. Raises DocumentInvalid with all faults."""
    attached = {} if attached is None else attached
    plans: list[Plan] = []
    faults: list[FileFault] = []
    for path in paths:
        try:
            plans.append(read_plan(read(path), fresh=fresh, attach=AttachedFiles(path.parent, attached)))
        except DocumentInvalid as faulty:
            faults.extend(faulty.faults)
    if faults:
        raise DocumentInvalid(faults)
    return plans


@app.command("play")
@verb
async def play_command(
    paths: Files,
    *,
    invocation: Invocation,
    fresh: Annotated[
        str,
        typer.Option("--fresh", help="新建一份演練：任意字符串 / play it again in an environment of its own: any word"),
    ] = "",
    workflows: Annotated[
        bool,
        typer.Option("--workflows", help="經 Temporal 工作流播放，記錄相同 / by way of the workflows: the same log"),
    ] = False,
) -> None:
    """播放情景文件，核對結局 / play scenario files and check how they end.

    手動時鐘無需鬧鐘，故在本進程內辦理 / a manual clock needs no alarm, so it is played within this process.

    例 examples:
      venture scenario play scenarios/s2-fuzhou.yaml
      venture scenario play scenarios/s2-fuzhou.yaml --workflows --fresh 2
      venture scenario play my-round.yaml -o json
    """
    printer, files = invocation.printer, AttachedFiles(Path())
    plans = plan_scenario(paths, fresh, files.read)
    async with invocation.open_runtime(working=workflows) as runtime:
        await bring(files, invocation.settings, runtime.store)
        door = runtime.door if workflows else runtime.paper_door
        results = await play_all(plans, door, runtime.store, printer)
    if printer.is_for_people:
        for one in results:
            show(one, printer)
    else:
        printer.json(summarise(results))
    if not all(p.ok for p in results):
        raise typer.Exit(FailureKind.REFUSED)


async def play_all(plans: Sequence[Plan], door: Door, store: EventStore, printer: Printer) -> list[PlayResult]:
    """Play one after another, with progress shown."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[now]}", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=message_console, transient=True, disable=not printer.is_for_people) as progress:
        return [await play(one, door, store, _Bar(progress, printer)) for one in plans]


class _Bar:
    """A progress bar over the rows."""

    def __init__(self, progress: Progress, printer: Printer) -> None:
        self._progress = progress
        self._printer = printer
        self._task = progress.add_task("", total=None, now="")

    def on_begin(self, plan: Plan, rows: int) -> None:
        """A play of that many rows begins."""
        self._progress.update(self._task, description=plan.scenario.id, total=rows, completed=0)

    def on_row(self, row: PlannedCommand) -> None:
        """Go on by one row, and name it."""
        what = self._printer.say(row.command.zh(), row.command.en())
        self._progress.update(self._task, advance=1, now=f"{row.at:%Y-%m-%d} {row.stream.name} {what}")

    def on_wait(self, _row: PlannedCommand, why: str) -> None:
        """Show that no answer has come yet, and why."""
        self._progress.update(self._task, now=self._printer.say("等候回應…", "waiting for an answer…") + f" {why}")


def summarise(results: Sequence[PlayResult]) -> dict[str, Any]:
    """All plays as one object: projects by name, every refusal, and whether all came out as told."""
    projects: dict[str, Any] = {}
    for one in results:
        for name, ended in one.projects.items():
            key = name if name not in projects else f"{one.plan.scenario.id}:{name}"
            projects[key] = ended.as_json()
    return {
        "projects": projects,
        "refusals": [{"scenario": one.plan.scenario.id, **r.as_json()} for one in results for r in one.refusals],
        "deviations": [{"scenario": one.plan.scenario.id, **d.as_json()} for one in results for d in one.deviations],
        "scenarios": [
            {"id": one.plan.scenario.id, "file": one.plan.document.file, "realm": one.plan.realm, "ok": one.ok}
            for one in results
        ],
        "ok": all(one.ok for one in results),
    }


def show(result: PlayResult, printer: Printer) -> None:
    """How a play ended, for people."""
    title = result.plan.scenario.title or result.plan.scenario.id
    printer.line(f"{'✓' if result.ok else '✗'} {result.plan.scenario.id} {title}  ({result.plan.realm})")
    rows = [
        {
            "ok": "✓" if ended.ok else "✗",
            "project": name,
            "state": printer.say(Stage(ended.state).zh, Stage(ended.state).en),
            "paid": yuan(ended.paid_fen),
            "returned": yuan(ended.returned_fen),
            "net": yuan(ended.net_fen),
            "events": ended.events,
        }
        for name, ended in result.projects.items()
    ]
    columns = (
        Column("ok", "", ""),
        Column("project", "項目", "project"),
        Column("state", "階段", "state"),
        Column("paid", "已撥付", "paid", right=True),
        Column("returned", "已退回", "returned", right=True),
        Column("net", "淨額", "net", right=True),
        Column("events", "事件數", "events", right=True),
    )
    printer.rows(rows, columns, ("沒有項目", "no projects"))
    for name, ended in result.projects.items():
        if not ended.ok and ended.expected is not None:
            zh, en = ended.expected.state, ended.expected.state
            if ended.expected.net is not None:
                zh, en = f"{zh}，淨額 {yuan(ended.expected.net)}", f"{en}, net {yuan(ended.expected.net)}"
            printer.line(f"  ✗ {name} {printer.say(f'應為 {zh}', f'must end {en}')}")
    for refusal in result.refusals:
        got = " ".join(sorted({u.rule for u in refusal.got})) or printer.say("（未被拒）", "(not refused)")
        text = printer.say(
            f"應被拒絕「{command_class(refusal.command).zh()}」{refusal.subject}：應依 {refusal.expected}，實際 {got}",
            f"must refuse {refusal.command} {refusal.subject}: by {refusal.expected}, got {got}",
        )
        printer.line(f"  {'✓' if refusal.ok else '✗'} {text}")
    for deviation in result.deviations:
        text = printer.say(deviation.zh, deviation.en)
        printer.line(f"  ✗ {result.plan.document.file}:{deviation.line} {text}")
        for u in deviation.unmet:
            printer.line(f"      [{u.rule}] {printer.say(u.zh, u.en)}")


@app.command("check")
@verb
async def check_command(paths: Files, *, invocation: Invocation) -> None:
    """只核對文件，不播放 / check the files without playing them.

    例 example:  venture scenario check my-round.yaml
    """
    plans = plan_scenario(paths)
    rows = [
        {"id": p.scenario.id, "file": p.document.file, "rows": len(p.scenario.events), "scheme": str(p.scheme.ref)}
        for p in plans
    ]
    columns = (
        Column("id", "情景", "scenario"),
        Column("file", "文件", "file"),
        Column("rows", "行數", "rows", right=True),
        Column("scheme", "辦法", "scheme"),
    )
    invocation.printer.rows(rows, columns, ("沒有文件", "no files"))


@app.command("list")
@verb
async def list_command(*, invocation: Invocation) -> None:
    """隨產品提供的情景 / the scenarios that come with the product.

    例 example:  venture scenario list -o json
    """
    printer = invocation.printer
    rows = []
    for path in list_shipped():
        scenario = read(path).parse(Scenario)
        rows.append({"id": scenario.id, "file": path.name, "title": scenario.title, "rows": len(scenario.events)})
    columns = (
        Column("id", "情景", "scenario"),
        Column("file", "文件", "file"),
        Column("rows", "行數", "rows", right=True),
        Column("title", "名稱", "title"),
    )
    printer.rows(rows, columns, ("沒有情景", "no scenarios"))


@app.command("schema")
def schema_command() -> None:
    """情景文件的 JSON Schema / the JSON Schema of a scenario file.

    例 example:  venture scenario schema > scenario.schema.json
    """
    typer.echo(json.dumps(scenario_schema(), ensure_ascii=False, indent=2))
