"""Lists as spreadsheets on the command line: ``--xlsx FILE`` beside the table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from cli.file import write_file
from cli.output import ArgumentInvalid
from cli.pages import ask_page

if TYPE_CHECKING:
    from application.pages import Page, PageRequest
    from cli.output import Printer
    from papers.lists import Collection, SheetList
    from store.port import EventStore

T = TypeVar("T")

Xlsx = Annotated[
    Path | None,
    typer.Option(
        "--xlsx", metavar="FILE", help="全部寫入電子表格 / write all of it to a spreadsheet", show_default=False
    ),
]


async def write_pages(
    file: Path,
    of: SheetList[T],
    read: Callable[[PageRequest], Awaitable[Page[T]]],
    store: EventStore,
    printer: Printer,
    **conditions: Any,  # noqa: ANN401 - whatever the list was narrowed by
) -> None:
    """Write all pages of a list to that file. Raises ArgumentInvalid, FileUnwritable."""
    from papers.lists import collect

    write_collection(file, of, await collect(read, await ask_page(store, 1, None)), printer, **conditions)


def write_collection(
    file: Path,
    of: SheetList[T],
    rows: Collection[T],
    printer: Printer,
    **conditions: Any,  # noqa: ANN401 - as above
) -> None:
    """Write what was found to that file. Raises ArgumentInvalid, FileUnwritable."""
    from papers.lists import write_list

    if file.suffix.lower() != ".xlsx":
        raise ArgumentInvalid(f"--xlsx {file}：須以 .xlsx 結尾", f"--xlsx {file}: it must end in .xlsx")
    write_file(file, write_list(of, rows, conditions, printer.say))
    printer.line(str(file))
