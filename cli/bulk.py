"""``venture bulk FILE``: many commands from one file, each once."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from application.bulk import BulkResult, RowOutcome, preview_rows, run_rows
from application.bulk_file import BulkOrder, parse_rows
from application.command_input import AttachedFiles, CommandUnknown, list_amounts, resolve_command
from cli.adapter import Invocation, file_verb, verb
from cli.document import bring
from cli.file import write_file
from cli.help import Typer
from cli.options import Realm
from cli.output import ArgumentInvalid, Column, Form, Printer, message_console
from domain.catalogue import AGGREGATES
from domain.kernel.clock import Clock
from domain.kernel.failure import FailureKind
from domain.kernel.identifier import LIVE
from domain.kernel.money import yuan
from runtime.persons import prepare_dry_run
from runtime.runtime import Runtime, ensure_worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from domain.kernel.message import Command


app = Typer()


@app.command("bulk")
@file_verb
async def bulk_command(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="批量文件 a file of rows: .xlsx, .xls, .et, .csv, .jsonl", show_default=False
        ),
    ],
    *,
    invocation: Invocation,
    realm: Realm = None,
    preview: Annotated[
        bool,
        typer.Option("--preview", help="只試算，不辦理：逐行說可否 / only say which rows would be granted"),
    ] = False,
    again: Annotated[
        str,
        typer.Option(
            "--again",
            help="內容相同、此前已辦的再辦一次：任意字樣 / do rows again that were done before: any word",
            show_default=False,
        ),
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="不再詢問 / do not ask")] = False,
) -> None:
    """批量辦理：先試算，再逐行辦理；中斷後再運行即續辦，絕不重辦 / many commands, each once; run it again to go on.

    每行 a row: {"command": "confirm-award", "subject": "PJ-3", "actor": "CAB-DEC#1", "data": {}}
    另可有 it may have: "at"（手動時鐘上的日期 its date on a manual clock）、"key"（自編號 a number of your own）
    命令自己的 key 一項，表格中欄名為 a command's own field "key" in a table：data.key
    表格的金額以元計 yuan in tables：50,000.00；.jsonl 以分計 fen in .jsonl：5000000
    空白表格 an empty table to fill in：venture bulk-template record-expenditure

    例 examples:
      venture bulk awards.jsonl --preview
      venture bulk awards.csv --yes -o jsonl > results.jsonl
      venture bulk spending.xlsx --preview
    """
    printer = invocation.printer
    if not path.is_file():
        raise ArgumentInvalid(f"沒有文件 {path}", f"there is no file {path}")
    async with invocation.open_runtime() as runtime:
        attach = AttachedFiles(path.parent)
        orders = await parse_rows(path.name, path.read_bytes(), runtime.store, realm, again=again, attach=attach)
        show_commands(orders, printer)
        if realm is None:
            _show_realms(orders, printer)
        if preview:
            results = await preview_orders(orders, attach, runtime, printer)
        elif yes or await _confirm(orders, attach, runtime, printer):
            await bring(attach, invocation.settings, runtime.store)
            async with ensure_worker(runtime) if await _is_live(orders, runtime) else nullcontext():
                with show_progress(len(orders), printer, "辦理中", "carrying out") as on_result:
                    run = run_rows(orders, runtime.paper_door, runtime.store, on_result=on_result)
                    results = [result async for result in run]
        else:
            return
    show_results(results, printer)
    if any(r.outcome is RowOutcome.NOT_KNOWN for r in results):
        raise typer.Exit(FailureKind.UNAVAILABLE)
    if not all(r.ok for r in results):
        raise typer.Exit(FailureKind.REFUSED)


@app.command("bulk-template")
@verb
async def template_command(
    name: Annotated[str, typer.Argument(metavar="COMMAND", help="record-expenditure 或 支出登記", show_default=False)],
    *,
    invocation: Invocation,
    file: Annotated[
        Path | None, typer.Option("--xlsx", metavar="FILE", help="寫入何處 where to write it", show_default=False)
    ] = None,
) -> None:
    """批量辦理的空白表格：各欄的用詞、單位、必填、可選之值 / a spreadsheet to fill in for bulk, made from a command.

    例 examples:
      venture bulk-template record-expenditure
      venture bulk-template 支出登記 --xlsx spending.xlsx
    """
    from papers.command_template import write_template

    kind, command = _find_command(name)
    path = file or Path(f"{command.command_type}.xlsx")
    if path.suffix.lower() != ".xlsx":
        raise ArgumentInvalid(f"--xlsx {path}：須以 .xlsx 結尾", f"--xlsx {path}: it must end in .xlsx")
    write_file(path, write_template(command, kind, invocation.printer.say))
    invocation.printer.line(str(path))


def _find_command(name: str) -> tuple[str, type[Command]]:
    """The command of that name, of whatever kind of stream, and that kind. Raises CommandUnknown."""
    for kind in AGGREGATES:
        with suppress(CommandUnknown):
            return kind, resolve_command(name, kind)
    raise CommandUnknown(name, "project")


async def _is_live(orders: tuple[BulkOrder, ...], runtime: Runtime) -> bool:
    """Whether any row is of the wall clock, whose deadlines need workflows."""
    realms = {order.stream.realm for order in orders}
    return any([(await runtime.store.realm(realm)).clock is Clock.WALL for realm in realms])


async def _confirm(orders: tuple[BulkOrder, ...], attach: AttachedFiles, runtime: Runtime, printer: Printer) -> bool:
    """Whether the person at the keyboard wants it, having seen what would become of it."""
    if not sys.stdin.isatty():
        raise ArgumentInvalid("請加 --yes 確認辦理", "add --yes to carry it out")
    if printer.is_for_people:
        show_results(await preview_orders(orders, attach, runtime, printer), printer)
    return typer.confirm(printer.say(f"辦理這 {len(orders)} 行？", f"Carry these {len(orders)} rows out?"), err=True)


async def preview_orders(
    orders: tuple[BulkOrder, ...], attach: AttachedFiles, runtime: Runtime, printer: Printer
) -> list[BulkResult]:
    """What would become of the rows, with a bar for people."""
    with show_progress(len(orders), printer, "試算中", "trying") as on_result:
        dry_run = prepare_dry_run(runtime.settings, runtime.store, attach.read)
        rows = preview_rows(orders, runtime.store, dry_run, on_result=on_result)
        return [result async for result in rows]


def show_commands(orders: tuple[BulkOrder, ...], printer: Printer) -> None:
    """How many rows of each command, and the money in them."""
    rows = Counter((o.command.command_type, o.command.zh()) for o in orders)
    for (command, zh), count in rows.items():
        sums = Counter[tuple[str, str]]()
        for order in orders:
            if order.command.command_type == command:
                for amount in list_amounts(order.command):
                    sums[amount.zh.partition(" ")[0], amount.field.partition(".")[0]] += amount.fen
        money = "".join(f"  {printer.say(*label)} {yuan(fen)}" for label, fen in sums.items())
        printer.tell(f"  {zh}（{command}）：{count} 行{money}", f"  {command}: {count} rows{money}")


def _show_realms(orders: tuple[BulkOrder, ...], printer: Printer) -> None:
    """How many rows are of another realm than the live one, where none was said."""
    counted = Counter(order.stream.realm for order in orders if order.stream.realm != LIVE)
    for realm, count in counted.items():
        printer.tell(
            f"  其中 {count} 行屬 {realm} 環境：live 無其編號，或寫明了全稱",
            f"  {count} of them are of the realm {realm}: live has no such name, or the whole id is written",
        )


@contextmanager
def show_progress(rows: int, printer: Printer, zh: str, en: str) -> Iterator[Callable[[BulkResult], None]]:
    """A bar for people, a line for each result for machines that read along; what to tell each result to."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=message_console, transient=True, disable=not printer.is_for_people) as progress:
        task = progress.add_task(printer.say(zh, en), total=rows)

        def on_result(result: BulkResult) -> None:
            progress.update(task, advance=1)
            if printer.form is Form.JSONL:
                printer.json(result.as_json())

        yield on_result


def show_results(results: list[BulkResult], printer: Printer) -> None:
    """Which rows do not stand, and how many do."""
    counted = Counter(r.outcome for r in results)
    if printer.form is Form.JSON:
        printer.json(
            {
                "rows": [r.as_json() for r in results],
                "counted": {str(outcome): count for outcome, count in counted.items()},
            }
        )
    if printer.is_for_people:
        rows = [
            {
                "row": r.order.number,
                "stream": r.order.stream.name,
                "command": printer.say(r.order.command.zh(), r.order.command.en()),
                "outcome": printer.say(*r.outcome.label),
                "why": "; ".join(f"[{u.rule}] {printer.say(u.zh, u.en)}" for u in r.unmet) or printer.say(*r.why),
            }
            for r in results
            if not r.ok
        ]
        columns = (
            Column("row", "行", "row", right=True),
            Column("stream", "對象", "of"),
            Column("command", "命令", "command"),
            Column("outcome", "結果", "outcome"),
            Column("why", "原因", "why"),
        )
        is_preview = any(r.outcome is RowOutcome.GRANTABLE for r in results)
        printer.rows(
            rows,
            columns,
            ("✓ 全部可辦", "✓ all would be granted") if is_preview else ("✓ 全部辦理", "✓ all carried out"),
        )
    if any(r.outcome is RowOutcome.REPEATED for r in results):
        printer.tell(
            "內容相同者此前已辦，未再辦理；確要再辦一次，加 --again 與任意字樣",
            "rows that say what was done before were not done again; to do them once more, add --again and any word",
        )
    totals = [(*outcome.label, count) for outcome, count in counted.items()]
    printer.tell(
        f"合計 {len(results)} 行：{'、'.join(f'{zh} {count}' for zh, _, count in totals)}",
        f"{len(results)} rows: {', '.join(f'{count} {en}' for _, en, count in totals)}",
    )
