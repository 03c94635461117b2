"""``venture document disposal`` and ``destroy``: the list of what goes with a file, and its destruction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from application.disposal import destroy, list_disposal, plan_disposal, require_unheld
from application.maintenance import record_maintenance
from cli.adapter import Invocation, verb
from cli.document import app, console
from cli.name_resolution import resolve, resolve_to_change
from cli.options import Administrator, Name, Realm, Why, read_actor
from cli.output import Column
from domain.kernel.calendar import local_time
from domain.registers.maintenance import Work
from runtime.documents import open_documents

if TYPE_CHECKING:
    from collections.abc import Sequence

    from application.disposal import DisposalLine
    from cli.output import Printer


@app.command("disposal")
@verb
async def disposal_command(name: Name, *, realm: Realm = None, invocation: Invocation) -> None:
    """銷毀清冊：兩人決定銷毀的卷宗，其文件何者銷毀、何者仍須保存 / the list of a disposal, document by document.

    例 example:  venture document disposal PJ-3
    """
    printer = invocation.printer
    async with invocation.open_store() as store:
        lines = await list_disposal(store, await resolve(store, name, realm, printer))
    _show_disposal(lines, printer)


@app.command("destroy")
@verb
async def destroy_command(
    name: Name, *, actor: Administrator, reason: Why, realm: Realm = None, invocation: Invocation
) -> None:
    """銷毀原件：只限兩人已決定銷毀、無人留存的卷宗 / destroy the originals that two persons have disposed of.

    何人、為何先記入日誌；中斷可再做一次。日誌、摘要與清冊永遠留存；備份與桶的舊版本另行清除。
    Who and why is in the log before; broken off, it is done again. Log, digests and list stay for ever; backups and
    older versions in a bucket are seen to apart.

    例 example:  venture document destroy PJ-3 --as ADMIN#1 --reason 期滿銷毀
    """
    printer, who = invocation.printer, read_actor(actor)
    async with invocation.open_runtime() as runtime:
        stream = await resolve_to_change(runtime.store, name, realm, printer)
        await require_unheld(runtime.store, stream)
        plan = await plan_disposal(runtime.store, stream)
        work, door = Work.DESTROY_ORIGINALS, runtime.register_door
        async with record_maintenance(runtime.store, door, who, work, reason, stream) as outcome:
            documents = open_documents(invocation.settings, runtime.store)
            lines = await destroy(documents, plan, console(invocation.settings).name)
            outcome.count(line.destroyed_at is not None for line in lines if line.destroyed_at or line.is_here)
    _show_disposal(lines, printer)


def _show_disposal(lines: Sequence[DisposalLine], printer: Printer) -> None:
    rows = [line.as_json() for line in lines]
    if printer.is_for_people:
        for row, line in zip(rows, lines, strict=True):
            row["kept_for"] = " ".join(line.keepers)
            row["destroyed_at"] = local_time(line.destroyed_at) if line.destroyed_at else ""
            row["here"] = printer.say("在", "here") if line.is_here else printer.say("不在", "not here")
    columns = (
        Column("name", "名稱", "name"),
        Column("sha256", "摘要", "digest"),
        Column("here", "原件", "original"),
        Column("destroyed_at", "銷毀時間", "destroyed"),
        Column("kept_for", "因何卷宗保存", "kept for"),
    )
    printer.rows(rows, columns, ("此卷宗沒有文件", "the file names no document"))
