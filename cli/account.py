"""``venture account``: the accounts of this machine, and another password for one."""

from __future__ import annotations

from typing import Annotated

import typer

import bootstrap
from application.accounts import NoSuchAccount, renew_password
from cli.adapter import Invocation, verb
from cli.help import Typer
from cli.output import ArgumentInvalid
from runtime.identity import open_identity
from runtime.store import open_store

app = Typer()


@app.command("password")
@verb
async def password_command(
    login: Annotated[str, typer.Argument(metavar="LOGIN", help="帳號，如 cab-reg", show_default=False)],
    *,
    invocation: Invocation,
) -> None:
    """為本機帳號換一個密碼，只顯示這一次 / another password for an account of this machine, shown once.

    例 example:  venture account password cab-reg
    """
    printer, settings = invocation.printer, invocation.settings
    if settings.env is bootstrap.Environment.PRODUCTION:
        raise ArgumentInvalid("生產環境沒有本地帳號", "production has no local accounts")
    async with open_store(settings, printer.tell) as opened, open_identity(opened.postgres_url) as identity:
        password = await renew_password(identity, login)
    if password is None:
        raise NoSuchAccount(login)
    if printer.for_people:
        printer.line(password)
    else:
        printer.json({"login": login, "password": password})
