"""``venture mail``: where persons are written to. The log names them by their numbers alone."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from cli.adapter import Invocation, verb
from cli.help import Typer
from cli.options import read_person
from cli.output import ArgumentInvalid, Column
from domain.kernel.explanation import show
from domain.kernel.failure import Failure, FailureKind
from languages.language import Language
from runtime.outbox import open_outbox
from runtime.store import open_store
from store.outbox import Address

app = Typer()

Person = Annotated[str, typer.Argument(metavar="PERSON", help="人員編號 the person: P-n", show_default=False)]
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[A-Za-z0-9.-]{1,190}")


class NotWrittenTo(Failure):
    """That person has no address here."""

    kind = FailureKind.NOT_FOUND

    def __init__(self, person: str) -> None:
        super().__init__(f"{person} 沒有登記郵箱", f"{person} has no address here")


@app.command("add")
@verb
async def add_command(
    person: Person,
    address: Annotated[str, typer.Argument(help="郵箱 address", show_default=False)],
    *,
    language: Annotated[Language, typer.Option("--language", help="郵件所用語言 of the mails")] = Language.HANS,
    invocation: Invocation,
) -> None:
    """登記一人的郵箱：待辦、將到期、逾期、已決定時寫信 / email a person about tasks and decisions.

    例 example:  venture mail add P-7 desk@bureau.example
    """
    if _ADDRESS.fullmatch(address) is None or not address.isascii():
        raise ArgumentInvalid(f"{show(address)} 不是郵箱", f"{show(address)} is no address")
    person_id, printer, settings = read_person(person), invocation.printer, invocation.settings
    async with open_store(settings, printer.tell) as opened, open_outbox(opened.postgres_url) as outbox:
        await outbox.put_address(Address(person_id, address, language))
    printer.tell(f"✓ 已登記 {person_id}", f"✓ {person_id} is written to", "green")


@app.command("list")
@verb
async def list_command(*, invocation: Invocation) -> None:
    """登記了郵箱的人員 / who is written to.

    例 example:  venture mail list
    """
    printer, settings = invocation.printer, invocation.settings
    async with open_store(settings, printer.tell) as opened, open_outbox(opened.postgres_url) as outbox:
        addresses = await outbox.addresses()
    rows = [{"person": one.person, "address": one.address, "language": one.lang} for one in addresses]
    columns = (
        Column("person", "人員", "person"),
        Column("address", "郵箱", "address"),
        Column("language", "語言", "language"),
    )
    printer.rows(rows, columns, ("沒有登記", "nobody is written to"))


@app.command("remove")
@verb
async def remove_command(person: Person, *, invocation: Invocation) -> None:
    """不再寫信給此人 / stop emailing a person.

    例 example:  venture mail remove P-7
    """
    person_id, printer, settings = read_person(person), invocation.printer, invocation.settings
    async with open_store(settings, printer.tell) as opened, open_outbox(opened.postgres_url) as outbox:
        if not await outbox.drop_address(person_id):
            raise NotWrittenTo(person_id)
    printer.tell(f"✓ 不再寫信給 {person_id}", f"✓ {person_id} is no longer emailed", "green")
