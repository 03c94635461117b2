"""``venture person``: who is on the register, by opaque numbers, and on which seats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from application.seats import find_next_person, list_persons, read_person_entry
from cli.adapter import Invocation, verb
from cli.help import Typer
from cli.options import read_person
from cli.output import Column
from cli.seat import As, OnDay, PersonName, Register, Why, ask, read_on_day, show_period
from domain.kernel.acting import PersonId
from domain.kernel.identifier import LIVE
from domain.registers.person import RegisterPerson, RetirePerson, person_stream

if TYPE_CHECKING:
    from domain.kernel.identifier import StreamId
    from domain.kernel.message import Command

app = Typer()


@app.command("list")
@verb
async def list_command(
    *,
    invocation: Invocation,
    as_of: OnDay = None,
    realm: Register = LIVE,
) -> None:
    """在冊人員，及該日所在崗位；只有編號，沒有姓名 / the register and its seats that day: no names.

    例 example:  venture person list --as-of 2026-03-20
    """
    day = read_on_day(as_of)
    async with invocation.open_store() as store:
        persons = await list_persons(store, realm, day)
    printer = invocation.printer
    rows = [
        one.as_json() | {"how": printer.say(one.stage.zh, one.stage.en), "on": "、".join(d.seat for d in one.duties)}
        for one in persons
    ]
    columns = (Column("person", "人員", "person"), Column("how", "狀態", "status"), Column("on", "崗位", "seats"))
    printer.rows(rows, columns, ("登記冊是空的", "the register is empty"))


@app.command("show")
@verb
async def show_command(person: PersonName, *, invocation: Invocation, realm: Register = LIVE) -> None:
    """某人歷任崗位 / every seat that a person has held.

    例 example:  venture person show P-7
    """
    async with invocation.open_store() as store:
        entry = await read_person_entry(store, person_stream(realm, read_person(person)))
    printer = invocation.printer
    if not printer.is_for_people:
        printer.json(entry.as_json())
        return
    printer.line(f"{entry.person}  {printer.say(entry.stage.zh, entry.stage.en)}")
    for duty in entry.duties:
        basis = duty.tenure.basis
        how = "" if basis is None else printer.say(basis.zh, basis.en)
        printer.line(f"  {duty.seat}  {show_period(duty.tenure)}  {how}".rstrip())


@app.command("register")
@verb
async def register_command(
    actor: As,
    *,
    invocation: Invocation,
    person: Annotated[
        str | None, typer.Option("--number", help="編號 P-7；不填取下一號 the next if left out", show_default=False)
    ] = None,
    login: Annotated[
        str | None, typer.Option("--login", help="登錄承諾值 keyed commitment, 64 hex digits", show_default=False)
    ] = None,
    realm: Register = LIVE,
) -> None:
    """登記一人；登記本身不授予任何權限 / put a person on the register: by itself that lets them do nothing.

    例 example:  venture person register --as ADMIN#1
    """
    async with invocation.open_store() as store:
        who = read_person(person) if person else PersonId(f"P-{await find_next_person(store, realm)}")
    await _give(invocation, person_stream(realm, who), RegisterPerson(login=login), actor)


@app.command("retire")
@verb
async def retire_command(
    person: PersonName, reason: Why, actor: As, *, invocation: Invocation, realm: Register = LIVE
) -> None:
    """離任；須先收回其崗位，並由兩人辦理 / retire a person, once they are on no seat; it takes two.

    例 example:  venture person retire P-7 --reason 退休 --as ADMIN#1
    """
    await _give(invocation, person_stream(realm, read_person(person)), RetirePerson(reason=reason), actor)


async def _give(invocation: Invocation, stream: StreamId, command: Command, actor: str) -> None:
    await ask(invocation, stream, command, actor, f"venture act confirm {stream.name}")
