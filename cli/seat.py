"""``venture seat``: which seats there are, who is on them on a day, and how they are given, lent and taken back."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from application.proposals import find_confirmation
from application.seats import list_seats, read_seat_entry
from cli.act import find_waiting, print_proposal
from cli.adapter import Invocation, verb
from cli.command import receipt_as_json
from cli.help import Typer
from cli.options import read_actor, read_person
from cli.output import ArgumentInvalid, Column, Printer
from domain.kernel.calendar import closing_time, local_day, local_time
from domain.kernel.identifier import LIVE
from domain.kernel.input import parse_day
from domain.kernel.relation import scope_kind
from domain.kernel.scope import Scope
from domain.registers.seat import BreakGlass, EstablishSeat, GrantSeat, LendSeat, WithdrawSeat, seat_stream

if TYPE_CHECKING:
    from application.seats import ListedSeat
    from domain.kernel.identifier import StreamId
    from domain.kernel.message import Command
    from domain.registers.tenure import Tenure
    from runtime.runtime import Runtime

app = Typer()

SeatName = Annotated[str, typer.Argument(help="崗位 the seat: CAB-REG#1", show_default=False)]
PersonName = Annotated[str, typer.Argument(help="人員 the person: P-7", show_default=False)]
As = Annotated[str, typer.Option("--as", help="經辦人 who asks: ADMIN#n", show_default=False)]
Why = Annotated[str, typer.Option("--reason", help="理由 why", show_default=False)]
Register = Annotated[str, typer.Option("--realm", help="登記冊所在環境 whose register")]
Since = Annotated[str | None, typer.Option("--since", help="起始日 first day；不填即時 at once", show_default=False)]
Until = Annotated[str | None, typer.Option("--until", help="截止日 last day: 2026-12-31", show_default=False)]
OnDay = Annotated[
    str | None, typer.Option("--as-of", help="哪一日 on which day: 2026-03-20；不填即今日", show_default=False)
]


@app.command("list")
@verb
async def list_command(
    *,
    invocation: Invocation,
    as_of: OnDay = None,
    realm: Register = LIVE,
) -> None:
    """全部崗位，及該日在崗者 / every seat, and who is on it that day.

    例 examples:
      venture seat list
      venture seat list --as-of 2026-03-20 -o json
    """
    day = read_on_day(as_of)
    async with invocation.open_store() as store:
        seats = await list_seats(store, realm, day)
    printer = invocation.printer
    rows = [
        one.as_json()
        | {
            "on": "、".join(_words(t, printer) for t in one.tenures),
            "for": _acts_for(one, printer),
        }
        for one in seats
    ]
    columns = (Column("seat", "崗位", "seat"), Column("on", "在崗", "on it"), Column("for", "代表", "acts for"))
    printer.rows(rows, columns, ("沒有崗位", "there are no seats"))


@app.command("show")
@verb
async def show_command(seat: SeatName, *, invocation: Invocation, realm: Register = LIVE) -> None:
    """某崗位歷任：何人、何時至何時、依據 / everybody who was, is or will be on a seat.

    例 example:  venture seat show CAB-REG#1
    """
    async with invocation.open_store() as store:
        entry = await read_seat_entry(store, seat_stream(realm, read_actor(seat)))
    printer = invocation.printer
    if not printer.is_for_people:
        printer.json(entry.as_json())
        return
    printer.line(f"{entry.seat}  {_acts_for(entry, printer)}")
    for tenure in entry.tenures:
        printer.line(f"  {_words(tenure, printer)}  {show_period(tenure)}  {tenure.reason}".rstrip())


@app.command("establish")
@verb
async def establish_command(
    seat: SeatName,
    actor: As,
    *,
    invocation: Invocation,
    names: Annotated[
        str | None, typer.Option("--for", help="代表何者 for whom: ORG-1,ORG-2；局內不填", show_default=False)
    ] = None,
    realm: Register = LIVE,
) -> None:
    """設立崗位，載明代表何者；其上尚無人 / set a seat up, and for whom it acts; nobody is on it yet.

    例 examples:
      venture seat establish CAB-REG#3 --as ADMIN#1
      venture seat establish SO-PM#4 --for ORG-4 --as ADMIN#1
    """
    who = read_actor(seat)
    scope = Scope(kind=scope_kind(who.role), names=tuple(names.split(",")) if names else ())
    await give(invocation, seat, EstablishSeat(scope=scope), actor, realm)


@app.command("grant")
@verb
async def grant_command(
    seat: SeatName,
    person: PersonName,
    actor: As,
    *,
    invocation: Invocation,
    since: Since = None,
    until: Until = None,
    realm: Register = LIVE,
) -> None:
    """授予崗位；須另一人確認，皆不得為本人 / put a person on a seat; another confirms it, neither of them that person.

    例 example:  venture seat grant CAB-REG#3 P-7 --until 2026-12-31 --as ADMIN#1
    """
    period = {"since": read_day(since, "--since"), "until": read_day(until, "--until")}
    await give(invocation, seat, GrantSeat(person=read_person(person), **period), actor, realm)


@app.command("withdraw")
@verb
async def withdraw_command(
    seat: SeatName, person: PersonName, reason: Why, actor: As, *, invocation: Invocation, realm: Register = LIVE
) -> None:
    """收回崗位，或提前結束代行、應急 / take a person off a seat, by whatever right they are on it.

    例 example:  venture seat withdraw CAB-REG#3 P-7 --reason 調離 --as ADMIN#1
    """
    await give(invocation, seat, WithdrawSeat(person=read_person(person), reason=reason), actor, realm)


@app.command("lend")
@verb
async def lend_command(
    seat: SeatName,
    person: PersonName,
    until: Annotated[str, typer.Option("--until", help="截止日 last day: 2026-03-31", show_default=False)],
    reason: Why,
    actor: As,
    *,
    invocation: Invocation,
    since: Since = None,
    realm: Register = LIVE,
) -> None:
    """代行：定日借與他人，所辦亦計為原任者所辦 / lend a seat for dates; the acts count as the holder's too.

    例 example:  venture seat lend CAB-FIN#1 P-8 --since 2026-03-10 --until 2026-03-12 --reason 出差 --as ADMIN#1
    """
    days = {"since": read_day(since, "--since"), "until": read_day(until, "--until")}
    loan = LendSeat.model_validate({"person": read_person(person), "reason": reason, **days})
    await give(invocation, seat, loan, actor, realm)


@app.command("break-glass")
@verb
async def break_glass_command(
    seat: SeatName,
    person: PersonName,
    hours: Annotated[int, typer.Option("--hours", min=1, max=24, help="時數 for how many hours", show_default=False)],
    reason: Why,
    actor: As,
    *,
    invocation: Invocation,
    realm: Register = LIVE,
) -> None:
    """應急啟用崗位，限時，全程標明 / let a person act on a seat for hours in an emergency; all of it is marked.

    例 example:  venture seat break-glass CAB-FIN#1 P-8 --hours 4 --reason 系統故障 --as ADMIN#1
    """
    await give(invocation, seat, BreakGlass(person=read_person(person), hours=hours, reason=reason), actor, realm)


@app.command("confirm")
@verb
async def confirm_command(
    seat: SeatName,
    digest: Annotated[str, typer.Argument(help="校驗值或其首八位 the digest, or its first eight", show_default=False)],
    actor: As,
    *,
    invocation: Invocation,
    realm: Register = LIVE,
) -> None:
    """第二人確認，以校驗值為據 / confirm, as the second person, bound by the digest.

    例 example:  venture seat confirm CAB-REG#3 3fa9c2d1 --as ADMIN#2
    """
    stream = seat_stream(realm, read_actor(seat))
    async with invocation.open_runtime(working=True) as runtime:
        confirmation = await find_confirmation(runtime.store, stream, digest)
        receipt = await runtime.door.send(stream, confirmation, read_actor(actor))
    print_receipt(invocation.printer, receipt_as_json(receipt))


async def give(invocation: Invocation, seat: str, command: Command, actor: str, realm: str) -> None:
    """Ask it, and say what came of it: done, or proposed and how to confirm it."""
    await ask(invocation, seat_stream(realm, read_actor(seat)), command, actor, f"venture seat confirm {seat}")


async def ask(invocation: Invocation, stream: StreamId, command: Command, actor: str, confirm: str) -> None:
    """The same of any stream: proposed, it is confirmed by those words before the digest."""
    async with invocation.open_runtime(working=True) as runtime:
        await ask_at(runtime, invocation.printer, stream, command, actor, confirm)


async def ask_at(
    runtime: Runtime, printer: Printer, stream: StreamId, command: Command, actor: str, confirm: str
) -> None:
    """The same in a runtime that is open."""
    receipt = await runtime.door.send(stream, command, read_actor(actor))
    waiting = await find_waiting(runtime.store, receipt)
    row = receipt_as_json(receipt)
    if waiting is None:
        print_receipt(printer, row)
    else:
        data = row | {"proposed": waiting.digest}
        print_proposal(printer, waiting, f"{confirm} {waiting.digest[:8]} --as ADMIN#2", data)


def print_receipt(printer: Printer, row: dict[str, Any]) -> None:
    """Tell what was recorded, and where."""
    done = f"{'、'.join(row['events'])}  {row['stream']} v{row['version']}"
    printer.answer(row, f"✓ 已辦理：{done}", f"✓ Carried out: {done}")


def read_day(text: str | None, option: str) -> date | None:
    """The day that was given. Raises ArgumentInvalid."""
    try:
        return None if text is None else parse_day(text)
    except ValueError as wrong:
        message = f"{option} {text}：寫作 2026-03-20"
        raise ArgumentInvalid(message, f"{option} {text}: write 2026-03-20") from wrong


def read_on_day(text: str | None) -> date:
    """The day that was given, or today. Raises ArgumentInvalid."""
    return read_day(text, "--as-of") or local_day(datetime.now(UTC))


def _words(tenure: Tenure, printer: Printer) -> str:
    if tenure.basis is None:
        return str(tenure.person)
    return f"{tenure.person}（{printer.say(tenure.basis.zh, tenure.basis.en)}）"


def _acts_for(listed: ListedSeat, printer: Printer) -> str:
    return " ".join((printer.say(listed.scope.zh, listed.scope.en), *listed.names))


def show_period(tenure: Tenure) -> str:
    """From when to when, by the clock in China."""
    ends = closing_time(tenure.ends) if tenure.ends else ""
    return f"{local_time(tenure.begins)} – {ends}".rstrip()
