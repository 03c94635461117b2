"""``venture views``: how the read side stands, and building it anew beside the one that is read."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from application.maintenance import record_maintenance
from application.view_health import ViewStanding, begin_rebuild, list_views, require_view, watch_rebuild
from cli.adapter import Invocation, verb
from cli.help import Typer
from cli.options import Administrator, Why, read_actor
from cli.output import Column, Printer, message_console
from domain.kernel.calendar import local_time
from domain.registers.maintenance import Work
from views.catalogue import VIEWS

app = Typer()
_BAR = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())


@app.command("list")
@verb
async def list_command(*, invocation: Invocation) -> None:
    """各視圖：版次、落後日誌多少、是否在用 / each view: version, how far behind the log, whether it is read.

    例 example:  venture views list -o json
    """
    printer = invocation.printer
    async with invocation.open_store() as store:
        standings = await list_views(store)
    rows = [{**one.as_json(), **(_words(one, printer) if printer.is_for_people else {})} for one in standings]
    columns = (
        Column("view", "視圖", "view"),
        Column("text", "名稱", "name"),
        Column("generation", "代", "generation", right=True),
        Column("version", "版次", "version", right=True),
        Column("state", "狀態", "state"),
        Column("behind", "落後條數", "behind", right=True),
        Column("reached", "至", "as of"),
    )
    printer.rows(rows, columns, ("還沒有視圖", "no views yet"))


def _words(one: ViewStanding, printer: Printer) -> dict[str, Any]:
    view, head = VIEWS.get(one.head.name), one.head
    built = ("在用", "live") if head.live else ("備妥", "built")
    state = built if one.is_built else (f"建立中 {head.done}/{head.total}", f"being built {head.done}/{head.total}")
    return {
        "text": printer.say(view.zh, view.en) if view else head.name,
        "state": printer.say(*state),
        "reached": local_time(head.reached_at) if head.reached_at else "",
    }


@app.command("rebuild")
@verb
async def rebuild_command(
    name: Annotated[
        str | None, typer.Argument(help=f"視圖 view：{' '.join(VIEWS)}；不填即全部 all", show_default=False)
    ] = None,
    *,
    actor: Administrator,
    reason: Why,
    invocation: Invocation,
) -> None:
    """重建視圖：在旁另建，建成即換，其間一切照常 / build anew beside the one that is read, then switch.

    有 worker 則由其建立，中斷本命令不影響；沒有則由本命令建立。
    A worker builds it, and goes on if this is broken off; without one this command does.

    例 examples:
      venture views rebuild --as ADMIN#1 --reason 核驗不符
      venture views rebuild projects --as ADMIN#1 --reason 核驗不符
    """
    printer, who = invocation.printer, read_actor(actor)
    if name is not None:
        require_view(name)
    async with (
        invocation.open_runtime() as runtime,
        record_maintenance(runtime.store, runtime.register_door, who, Work.REBUILD_VIEWS, reason, name) as outcome,
    ):
        store = runtime.store
        names = await begin_rebuild(store, name)
        with Progress(*_BAR, console=message_console, transient=True, disable=not printer.is_for_people) as bar:
            task = bar.add_task(printer.say("重建", "building"), total=None)
            async for building in watch_rebuild(store, names):
                total, done = (sum(one.head.total for one in building), sum(one.head.done for one in building))
                bar.update(task, total=total, completed=done)
        standings = [one for one in await list_views(store) if one.head.name in names]
        outcome.count(one.is_built for one in standings)
    rows = [{**one.as_json(), **(_words(one, printer) if printer.is_for_people else {})} for one in standings]
    columns_of = (
        Column("view", "視圖", "view"),
        Column("generation", "代", "generation", right=True),
        Column("version", "版次", "version", right=True),
        Column("state", "狀態", "state"),
    )
    printer.rows(rows, columns_of, ("", ""))
