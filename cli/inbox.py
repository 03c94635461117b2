"""``venture inbox``: what waits for a role, what is soon, what is overdue."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from application.inbox import WITHIN_WD, Waiting, WaitingFilter, list_waiting
from cli.adapter import Invocation, verb
from cli.help import Typer
from cli.options import After, Limit, Realm
from cli.output import ArgumentInvalid, Column, Printer
from cli.paging import ask_page, print_page, read_filter
from cli.sheet import Xlsx, write_pages
from cli.times import deadline_time
from domain.kernel.identifier import Role

app = Typer()


@app.command("inbox")
@verb
async def inbox_command(
    *,
    role: Annotated[
        str | None,
        typer.Option("--as", help="角色；不填則列全部 role, else all: CAB-REG, CAB-REG#1", show_default=False),
    ] = None,
    within: Annotated[
        int, typer.Option("--within", min=0, max=250, help="幾個工作日內算將到期 / soon is within so many working days")
    ] = WITHIN_WD,
    overdue: Annotated[bool, typer.Option("--overdue", help="只列逾期 / only what is overdue")] = False,
    invocation: Invocation,
    realm: Realm = None,
    limit: Limit = 100,
    after: After = None,
    xlsx: Xlsx = None,
) -> None:
    """待辦：等候某角色的一切，逾期與將到期在前 / what waits for a role; overdue and soon come first.

    例 examples:
      venture inbox --as CAB-REG
      venture inbox --as CAB-FIN --within 3 -o json
      venture inbox --as CAB-REG --xlsx inbox.xlsx
    """
    printer, whose = invocation.printer, _read_role(role)
    async with invocation.open_store() as store:
        filters = read_filter(WaitingFilter, role=whose, realm=realm, within_wd=within, overdue=overdue)
        if xlsx is not None:
            from papers.lists import WAITING

            conditions = filters.model_dump(mode="json", exclude_none=True)
            await write_pages(xlsx, WAITING, partial(list_waiting, store, filters), store, printer, **conditions)
            return
        page = await list_waiting(store, filters, await ask_page(store, limit, after))
    rows = [{**one.as_json(), **(_words(one, printer) if printer.is_for_people else {})} for one in page.rows]
    columns = (
        Column("urgency", "狀態", "state"),
        Column("until_text", "至", "until"),
        Column("subject", "對象", "subject"),
        Column("what", "事項", "what"),
        Column("who", "辦理人", "who"),
        Column("command", "命令", "command"),
        Column("realm", "環境", "realm"),
    )
    printer.rows(rows, columns, ("暫無待辦事項", "no tasks"))
    print_page(page, printer)


def _read_role(text: str | None) -> Role | None:
    """The role that is meant, with or without a person. Raises ArgumentInvalid."""
    if text is None:
        return None
    try:
        return Role(text.partition("#")[0])
    except ValueError:
        known = " ".join(Role)
        raise ArgumentInvalid(
            f"沒有角色 {text}；可用：{known}", f"there is no role {text}; there are: {known}"
        ) from None


def _words(one: Waiting, printer: Printer) -> dict[str, str]:
    return {
        "urgency": printer.say(one.urgency.zh, one.urgency.en),
        "until_text": deadline_time(one.until, printer, provisional=one.provisional) if one.until else "",
        "what": printer.say(one.zh, one.en),
        "who": "、".join(printer.say(f"{Role(r).zh}（{r}）", r) for r in one.roles),
        "command": printer.say(one.command_zh or one.command, one.command),
    }
