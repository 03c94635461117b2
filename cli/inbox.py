"""``venture inbox``: what waits for a role, what is soon, what is overdue."""

from __future__ import annotations

from typing import Annotated

import typer

from application.inbox import WITHIN_WD, Urgency, Waiting, list_waiting
from cli import rendering
from cli.adapter import read_settings, run_work
from cli.output import ArgumentInvalid, Column, Form, Language, Output, Printer
from cli.project import Realm
from domain.catalogue import command_class
from domain.kernel.identity import Role
from runtime.runtime import open_runtime


def add_to(app: typer.Typer) -> None:
    """Mount the command."""
    app.command("inbox")(inbox_command)


def inbox_command(
    role: Annotated[
        str | None, typer.Option("--as", help="角色 role: CAB-REG 或 CAB-REG#1；不填則列全部", show_default=False)
    ] = None,
    within: Annotated[
        int, typer.Option("--within", min=0, max=250, help="幾個工作日內算將到期 / soon is within so many working days")
    ] = WITHIN_WD,
    overdue: Annotated[bool, typer.Option("--overdue", help="只列逾期 / only what is overdue")] = False,
    output: Output = Form.TABLE,
    lang: Language = None,
    realm: Realm = None,
) -> None:
    """待辦：等候某角色的一切，逾期與將到期在前 / what waits for a role; overdue and soon come first.

    例 examples:
      venture inbox --as CAB-REG
      venture inbox --as CAB-FIN --within 3 -o json
    """
    voice = Printer.of(output, lang)
    settings = read_settings()

    async def work() -> list[Waiting]:
        whose = _role(role)
        async with open_runtime(settings, voice.tell, working=False) as office:
            return await list_waiting(office.store, whose, realm=realm, within_wd=within)

    found = [w for w in run_work(voice, work()) if w.urgency is Urgency.OVERDUE or not overdue]
    rows = [{**w.as_json(), **(_told(w, voice) if voice.for_people else {})} for w in found]
    columns = (
        Column("urgency", "狀態", "state"),
        Column("until_text", "至", "until"),
        Column("subject", "對象", "subject"),
        Column("what", "事項", "what"),
        Column("who", "由誰", "who"),
        Column("command", "命令", "command"),
        Column("realm", "時鐘域", "realm"),
    )
    voice.rows(rows, columns, ("沒有待辦", "nothing waits"))


def _role(text: str | None) -> Role | None:
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


def _told(one: Waiting, voice: Printer) -> dict[str, str]:
    return {
        "urgency": voice.say(one.urgency.zh, one.urgency),
        "until_text": rendering.local(one.until) if one.until else "",
        "what": voice.say(one.zh, one.en),
        "who": "、".join(voice.say(f"{Role(r).zh}（{r}）", r) for r in one.roles),
        "command": voice.say(command_class(one.command).zh(), one.command),
    }
