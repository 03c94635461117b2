"""``venture round list``: which rounds there are. It loads no rules: what it shows stands in a view."""

from __future__ import annotations

from typing import TYPE_CHECKING

from application.listing import StreamFilter, StreamLine, list_streams
from cli.adapter import Invocation, verb
from cli.help import Typer
from cli.options import After, Limit, Realm
from cli.output import Column
from cli.pages import ask_page, print_page, read_filter
from cli.times import deadline_time
from domain.round.stage import RoundStage

if TYPE_CHECKING:
    from cli.output import Printer

app = Typer()


@app.command("list")
@verb
async def list_command(*, invocation: Invocation, realm: Realm = None, limit: Limit = 100, after: After = None) -> None:
    """列出屆次 / the rounds.

    例 example:  venture round list -o json
    """
    printer = invocation.printer
    async with invocation.open_store() as store:
        page = await list_streams(
            store, read_filter(StreamFilter, kind="round", realm=realm), await ask_page(store, limit, after)
        )
    rows = [
        {
            "round": one.stream.name,
            "stage": _show_stage(one.stage, printer),
            "due": _show_due(one, printer),
            "provisional": one.provisional,
            "realm": one.stream.realm,
            **one.particulars,
            "calendar": one.calendar,
        }
        for one in page.rows
    ]
    columns = (
        Column("round", "屆（年度）", "round"),
        Column("stage", "階段", "stage"),
        Column("due", "期限", "deadline"),
        Column("realm", "環境", "environment"),
    )
    printer.rows(rows, columns, ("還沒有屆次", "no rounds yet"))
    print_page(page, printer)


def _show_stage(stage: str, printer: Printer) -> str:
    if printer.is_for_people and stage in set(RoundStage):
        return printer.say(RoundStage(stage).zh, stage)
    return stage


def _show_due(one: StreamLine, printer: Printer) -> str | None:
    """The nearest deadline, for people with the mark that a notice may still move it."""
    if one.due is None:
        return None
    if not printer.is_for_people:
        return one.due.isoformat()
    return deadline_time(one.due, printer, provisional=one.provisional)
