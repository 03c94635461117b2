"""``venture account``: whom a provider's logins stand for, and another password for an account of this machine."""

from __future__ import annotations

from typing import Annotated

import typer

import bootstrap
from application.accounts import NoSuchAccount, NoSuchLogin, renew_password
from cli.adapter import Invocation, verb
from cli.help import Typer
from cli.options import read_actor
from cli.output import ArgumentInvalid
from domain.kernel.acting import PersonId
from runtime.identity import open_identity
from runtime.store import open_store
from store.identity import Identity, SeatGrant

app = Typer()


@app.command("password")
@verb
async def password_command(
    login: Annotated[str, typer.Argument(metavar="LOGIN", help="賬號 the account, e.g. cab-reg", show_default=False)],
    *,
    invocation: Invocation,
) -> None:
    """為本機賬號換一個密碼，只顯示這一次 / another password for an account of this machine, shown once.

    例 example:  venture account password cab-reg
    """
    printer, settings = invocation.printer, invocation.settings
    if settings.env is bootstrap.Environment.PRODUCTION:
        raise ArgumentInvalid("生產環境沒有本地賬號", "production has no local accounts")
    async with open_store(settings, printer.tell) as opened, open_identity(opened.postgres_url) as identity:
        password = await renew_password(identity, login)
    if password is None:
        raise NoSuchAccount(login)
    if printer.is_for_people:
        printer.line(password)
    else:
        printer.json({"login": login, "password": password})


@app.command("admit")
@verb
async def admit_command(
    issuer: Annotated[
        str,
        typer.Argument(metavar="ISSUER", help="身份提供方 identity provider: VENTURE_OIDC_ISSUER", show_default=False),
    ],
    subject: Annotated[str, typer.Argument(metavar="SUBJECT", help="其 sub / its sub", show_default=False)],
    *,
    seats: Annotated[
        list[str], typer.Option("--seat", help="崗位，可多個 one or more seats: ROLE#n", show_default=False)
    ],
    person: Annotated[
        str | None,
        typer.Option("--person", help="人員編號；服務則為負責人 who, or who answers for it: P-n"),
    ] = None,
    service: Annotated[str | None, typer.Option("--service", help="是服務而非人：其名稱 a service's name")] = None,
    invocation: Invocation,
) -> None:
    """登記身份提供方的一個登錄是何人、何崗位 / say whom a provider's login stands for, and their seats.

    例 examples:
      venture account admit ISSUER 248289 --person P-7 --seat CAB-REG#1
      venture account admit ISSUER ledger --service ledger --seat CAB-FIN#1
    """
    printer, settings = invocation.printer, invocation.settings
    if person is None and service is None:
        raise ArgumentInvalid("須寫明 --person 或 --service", "say --person or --service")
    try:
        holder = Identity(
            PersonId(person) if person is not None else None,
            service,
            tuple(SeatGrant(seat=read_actor(seat)) for seat in seats),
        )
    except ValueError as wrong:
        raise ArgumentInvalid.of(wrong) from wrong
    async with open_store(settings, printer.tell) as opened, open_identity(opened.postgres_url) as identity:
        await identity.put_identity(issuer, subject, holder)
    printer.tell(f"✓ 已登記 {subject}", f"✓ {subject} is admitted", "green")


@app.command("expel")
@verb
async def expel_command(
    issuer: Annotated[
        str,
        typer.Argument(metavar="ISSUER", help="身份提供方 identity provider: VENTURE_OIDC_ISSUER", show_default=False),
    ],
    subject: Annotated[str, typer.Argument(metavar="SUBJECT", help="其 sub / its sub", show_default=False)],
    *,
    invocation: Invocation,
) -> None:
    """不再接納一個登錄，其會話隨之結束 / take a login back, and end its sessions.

    例 example:  venture account expel ISSUER 248289
    """
    printer, settings = invocation.printer, invocation.settings
    async with open_store(settings, printer.tell) as opened, open_identity(opened.postgres_url) as identity:
        if not await identity.drop_identity(issuer, subject):
            raise NoSuchLogin(issuer, subject)
    printer.tell(f"✓ 已取消 {subject}", f"✓ {subject} is not admitted any more", "green")
