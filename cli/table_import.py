"""``venture import``: another register's table, by a mapping file, previewed and carried out, each row once."""

from __future__ import annotations

import sys
from asyncio import to_thread
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from application.bulk import RowOutcome, run_rows
from application.command_input import AttachedFiles
from application.table_import import Import, TableMapping, read_import
from cli.adapter import Invocation, file_verb
from cli.bulk import preview_orders, show_commands, show_progress, show_results
from cli.help import Typer
from cli.options import Realm
from cli.output import ArgumentInvalid, Column, Form, Printer
from domain.kernel.failure import FailureKind
from schemes.document import read

if TYPE_CHECKING:
    from runtime.runtime import Runtime

app = Typer()
Table = Annotated[
    Path, typer.Argument(metavar="TABLE", help="表格 the table: .csv, .xlsx, .xls, .et", show_default=False)
]
MappingFile = Annotated[
    Path, typer.Option("--mapping", metavar="FILE", help="對照文件 mapping file (.yaml)", show_default=False)
]


@app.command("preview")
@file_verb
async def preview_command(table: Table, *, invocation: Invocation, mapping: MappingFile, realm: Realm = None) -> None:
    """試算外來表格：逐行說可否，未列入者及其原因 / what would become of each row of a table.

    例 example:  venture import preview grants.csv --mapping grants.yaml --realm takeover-2026
    """
    async with invocation.open_runtime() as runtime:
        table_orders = await _read(table, mapping, runtime, realm)
        show_commands(table_orders.orders, invocation.printer)
        results = await preview_orders(table_orders.orders, AttachedFiles(table.parent), runtime, invocation.printer)
    show_results(results, invocation.printer)
    _show_left_out(table_orders, invocation.printer)
    if not all(r.ok for r in results):
        raise typer.Exit(FailureKind.REFUSED)


@app.command("run")
@file_verb
async def run_command(
    table: Table,
    *,
    invocation: Invocation,
    mapping: MappingFile,
    realm: Realm = None,
    yes: Annotated[bool, typer.Option("--yes", help="不再詢問 / do not ask")] = False,
) -> None:
    """導入外來表格：期初登記及其後各項；再運行即續辦，絕不重辦 / take a table over; run it again to go on.

    例 example:  venture import run grants.csv --mapping grants.yaml --realm takeover-2026 --yes
    """
    printer = invocation.printer
    async with invocation.open_runtime() as runtime:
        table_orders = await _read(table, mapping, runtime, realm)
        show_commands(table_orders.orders, printer)
        if not yes and not sys.stdin.isatty():
            raise ArgumentInvalid("請加 --yes 確認辦理", "add --yes to carry it out")
        if not yes and not typer.confirm(printer.say("辦理？", "Carry these out?"), err=True):
            return
        with show_progress(len(table_orders.orders), printer, "辦理中", "carrying out") as on_result:
            run = run_rows(table_orders.orders, runtime.paper_door, runtime.store, on_result=on_result)
            results = [result async for result in run]
    show_results(results, printer)
    _show_left_out(table_orders, printer)
    if any(r.outcome is RowOutcome.NOT_KNOWN for r in results):
        raise typer.Exit(FailureKind.UNAVAILABLE)
    if not all(r.ok for r in results):
        raise typer.Exit(FailureKind.REFUSED)


async def _read(table: Path, mapping: Path, runtime: Runtime, realm: str | None) -> Import:
    for path in (table, mapping):
        if not path.is_file():
            raise ArgumentInvalid(f"沒有文件 {path}", f"there is no file {path}")
    content = await to_thread(table.read_bytes)
    return await read_import(table.name, content, read(mapping).parse(TableMapping), runtime.store, realm)


def _show_left_out(result: Import, printer: Printer) -> None:
    """What is not recorded, row by row, and which words were unknown: nothing is passed over in silence."""
    if printer.form is Form.JSON:
        unknown = [{"column": c, "value": v, "rows": n} for (c, v), n in result.unknown.items()]
        printer.json({"left_out": [one.as_json() for one in result.left_out], "unknown": unknown})
        return
    if printer.is_for_people and result.left_out:
        rows = [{**one.as_json(), "why": printer.say(one.zh, one.en)} for one in result.left_out]
        columns = (
            Column("line", "行", "line", right=True),
            Column("case", "案", "case"),
            Column("why", "未列入的原因", "why it is left out"),
        )
        printer.rows(rows, columns, ("", ""))
    for (column, value), count in result.unknown.items():
        printer.tell(
            f"{column}「{value}」沒有對照，留空（{count} 行）",
            f"{column} {value!r} has no code and is left unknown ({count} rows)",
        )
    printer.tell(f"未列入 {len(result.left_out)} 行", f"{len(result.left_out)} rows left out")
