"""``venture builds``: which builds of the worker there are, which is current, and what waits for one that is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from application.builds import LONGEST_POLL, NO_BUILD, UNVERSIONED, list_builds, set_current
from application.maintenance import record_maintenance
from application.reconcile import Discrepancy, move
from cli.adapter import Invocation, verb
from cli.help import Typer
from cli.options import Administrator, Why, read_actor
from cli.output import Column
from domain.kernel.failure import FailureKind
from domain.registers.maintenance import Work

if TYPE_CHECKING:
    from application.builds import Build
    from cli.output import Printer

app = Typer()


@app.command("list")
@verb
async def list_command(*, invocation: Invocation) -> None:
    """列出版本：何者現行、有幾個 worker、有多少工作流 / builds: which is current, its workers and workflows.

    例 example:  venture builds list
    """
    async with invocation.open_runtime(with_temporal=True) as runtime:
        builds = await list_builds(runtime.client, runtime.settings.task_queue)
    _show(builds, invocation.printer)


def _show(builds: list[Build], printer: Printer) -> None:
    if not printer.is_for_people:
        printer.rows([build.as_json() for build in builds], (), ("", ""))
        return
    rows: list[dict[str, Any]] = [
        {
            **build.as_json(),
            "build": build.build_id or printer.say("（未設版本）", "(unversioned)"),
            "mark": "→" if build.is_current else "",
            "advice": printer.say("擱置：venture builds move", "stranded: venture builds move")
            if build.is_stranded
            else "",
        }
        for build in builds
    ]
    columns = (
        Column("mark", "", ""),
        Column("build", "版本", "build"),
        Column("polling", "worker", "workers", right=True),
        Column("silent", "無聲息", "silent", right=True),
        Column("workflows", "工作流", "workflows", right=True),
        Column("advice", "處理", "what to do"),
    )
    printer.rows(rows, columns, ("沒有版本", "no builds"))


@app.command("current")
@verb
async def current_command(
    build_id: Annotated[str, typer.Argument(help="版本，或 none 表示不設版本 a build, or none", show_default=False)],
    *,
    actor: Administrator,
    reason: Why,
    invocation: Invocation,
) -> None:
    """以某版本為現行：新的運行由它開始，舊的換運行時轉來 / make a build current: runs begin on it, old ones move to it.

    例 examples:
      venture builds current 2026.2 --as ADMIN#1 --reason 升級
      venture builds current none --as ADMIN#1 --reason 不再分版本
    """
    who = read_actor(actor)
    async with invocation.open_runtime(with_temporal=True) as runtime:
        version = UNVERSIONED if build_id == NO_BUILD else build_id
        door = runtime.register_door
        async with record_maintenance(runtime.store, door, who, Work.SET_BUILD, reason, build_id) as outcome:
            await set_current(runtime.client, runtime.settings.task_queue, version)
            outcome.count([True])
    invocation.printer.answer({"current": version or None}, f"✓ 現行版本：{build_id}", f"✓ current: {build_id}")


@app.command("move")
@verb
async def move_command(
    *,
    away_from: Annotated[
        str | None,
        typer.Option("--from", help="此版本已停，即使一分鐘內還有過聲息 / that build is gone, heard of lately or not"),
    ] = None,
    actor: Administrator,
    reason: Why,
    invocation: Invocation,
) -> None:
    """把版本已無 worker 的工作流轉到現行版本，由日誌重建 / move workflows to the current build, from the log.

    退出碼 exit codes: 0 全部已轉 all moved, 6 有未應答者 some do not answer.

    例 examples:
      venture builds move --as ADMIN#1 --reason 舊版已停
      venture builds move --from 2026.1 --as ADMIN#1 --reason 舊版已停
    """
    who = read_actor(actor)
    async with invocation.open_runtime(working=True) as runtime:
        queue, door = runtime.settings.task_queue, runtime.register_door
        async with record_maintenance(runtime.store, door, who, Work.MOVE_BUILD, reason, away_from) as outcome:
            moved = await move(runtime.store, runtime.client, runtime.door, queue, away_from=away_from)
            outcome.count(finding.mended for finding in moved)
        builds = await list_builds(runtime.client, queue)
    printer = invocation.printer
    rows = [
        {**finding.as_json(), "advice": printer.say(*finding.advice)} if printer.is_for_people else finding.as_json()
        for finding in moved
    ]
    columns = (Column("stream", "卷宗", "stream"), Column("advice", "結果", "outcome"))
    printer.rows(rows, columns, (f"沒有{Discrepancy.STRANDED.zh}的工作流", "no workflow is stranded"))
    print_doubtful(builds, printer)
    if not all(finding.mended for finding in moved):
        raise typer.Exit(FailureKind.INTEGRITY)


def print_doubtful(builds: list[Build], printer: Printer) -> None:
    """Name what was left with workers that may have stopped just now: nobody but whoever stopped them can know."""
    seconds = int(LONGEST_POLL.total_seconds())
    for build in builds:
        if build.may_be_gone:
            name, number = build.build_id, build.workflows
            printer.tell(
                f"{name} 尚有 {number} 個工作流未轉：其 worker {seconds} 秒內還有過聲息。"
                f"若已停止：venture builds move --from {name}",
                f"{number} workflows stay with {name}: its workers were heard of within {seconds} s. "
                f"If they have stopped: venture builds move --from {name}",
                "yellow",
            )
