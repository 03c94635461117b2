"""``venture reconcile`` and ``venture resurrect``: Temporal against the log, and Temporal from the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from application.maintenance import record_maintenance
from application.namespace import seal_namespace
from application.reconcile import Reconciliation, reconcile, resurrect
from cli.adapter import Invocation, verb
from cli.help import Typer
from cli.options import Administrator, Why, read_actor
from cli.output import Column, Printer
from domain.kernel.failure import FailureKind
from domain.registers.maintenance import Work

if TYPE_CHECKING:
    from typing import Any


app = Typer()


@app.command("reconcile")
@verb
async def reconcile_command(*, invocation: Invocation) -> None:
    """核對日誌與 Temporal，指出不同與處理 / compare the log with Temporal, and say what to do. Changes nothing.

    退出碼 exit codes: 0 一致 they agree, 6 有出入 they differ.

    例 example:  venture reconcile -o json
    """
    async with invocation.open_runtime(working=True) as runtime:
        result = await reconcile(runtime.store, runtime.client, runtime.settings.task_queue)
    show(result, invocation.printer)
    if result.findings:
        raise typer.Exit(FailureKind.INTEGRITY)


@app.command("resurrect")
@verb
async def resurrect_command(
    *,
    actor: Administrator,
    reason: Why,
    strays: Annotated[
        bool, typer.Option("--strays", help="連日誌中沒有的一併結束 / end those too that the log does not know")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="不再詢問 / do not ask")] = False,
    invocation: Invocation,
) -> None:
    """由日誌重建缺失的工作流與年度安排；重複執行無害 / start what is missing from the log; twice does no harm.

    何人、為何，先記入日誌，才動手（venture audit maintenance）；不經 Temporal。
    Who does it and why is in the log before anything is done (venture audit maintenance), without Temporal.

    例 examples:
      venture resurrect --as ADMIN#1 --reason Temporal新建
      venture resurrect --strays --as ADMIN#1 --reason 還原自昨夜備份
    """
    printer, who = invocation.printer, read_actor(actor)
    if (
        strays
        and not yes
        and not typer.confirm(
            printer.say(
                "結束日誌中沒有的工作流與安排？若日誌恢復自較舊的備份，先確認沒有更新的一份",
                "End workflows and schedules that the log does not know? "
                "If it was restored from an older backup, first be sure that there is no newer one",
            ),
            err=True,
        )
    ):
        raise typer.Exit(FailureKind.REFUSED)
    async with invocation.open_runtime(working=True) as runtime:
        work = Work.END_STRAYS if strays else Work.RESURRECT
        async with record_maintenance(runtime.store, runtime.register_door, who, work, reason) as outcome:
            await seal_namespace(runtime.client, anew=True)
            queue = runtime.settings.task_queue
            result = await resurrect(runtime.store, runtime.client, queue, runtime.door, strays=strays)
            outcome.count(finding.mended for finding in result.findings)
    show(result, invocation.printer)


def show(result: Reconciliation, printer: Printer) -> None:
    """What differs, with what to do or what was done."""
    if not printer.is_for_people:
        printer.json(result.as_json())
        return
    rows: list[dict[str, Any]] = [
        {
            **finding.as_json(),
            "difference": printer.say(finding.difference.zh, finding.difference),
            "advice": printer.say(*finding.advice),
        }
        for finding in result.findings
    ]
    columns = (
        Column("stream", "卷宗", "stream"),
        Column("difference", "出入", "difference"),
        Column("log_version", "日誌版本", "log", right=True),
        Column("workflow_version", "工作流版本", "workflow", right=True),
        Column("advice", "處理", "what to do"),
    )
    agree = (
        f"✓ 一致：{result.streams} 個卷宗，{result.workflows} 個工作流，{result.schedules} 項年度安排",
        f"✓ they agree: {result.streams} streams, {result.workflows} workflows, {result.schedules} annual schedules",
    )
    printer.rows(rows, columns, agree)
