"""``venture scheme list``: which cities' rules come with the product. It loads no rules, only their parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.adapter import Invocation, verb
from cli.help import Typer
from cli.output import Column
from schemes import scheme_file

if TYPE_CHECKING:
    from cli.output import Printer
    from domain.kernel.scheme import Scheme

app = Typer()


@app.command("list")
@verb
async def list_command(*, invocation: Invocation) -> None:
    """隨產品提供的辦法 / the schemes that come with the product.

    例 example:  venture scheme list
    """
    show_schemes([scheme_file.load(path) for path in scheme_file.list_shipped().values()], invocation.printer)


def show_schemes(schemes: list[Scheme], printer: Printer) -> None:
    """Print the schemes as a table."""
    rows = [
        {"name": s.name, "version": s.version, "city": s.city, "title": s.title, "effective": s.effective.isoformat()}
        for s in schemes
    ]
    columns = (
        Column("name", "名稱", "name"),
        Column("version", "版本", "version", right=True),
        Column("city", "城市", "city"),
        Column("effective", "施行日", "effective"),
        Column("title", "標題", "title"),
    )
    printer.rows(rows, columns, ("沒有辦法", "no schemes"))
