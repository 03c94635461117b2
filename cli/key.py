"""``venture key``: the keys of doors, published, replaced and taken back by two administrators."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError

from activities.carry_out import CommandActivities
from application.door_keys import (
    ListedKey,
    find_key,
    has_keys,
    list_keys,
    publish_first_key,
)
from application.proposals import find_confirmation, list_confirmable
from cli.adapter import Invocation, verb
from cli.command import read_business_time, receipt_as_json
from cli.help import Typer
from cli.options import read_actor
from cli.output import ArgumentInvalid, Column
from cli.seat import ask_at, print_receipt
from domain.kernel.calendar import closing_time, local_time
from domain.kernel.explanation import explain_error
from domain.kernel.signature import KeyId
from domain.registers.door_key import EVERYONE, PublishDoorKey, RotateDoorKey, WithdrawDoorKey, key_stream

if TYPE_CHECKING:
    from cli.output import Printer
    from domain.kernel.message import Command
    from domain.kernel.proposal import Proposal
    from runtime.runtime import Runtime

app = Typer()

Key = Annotated[str, typer.Argument(help="密鑰編號 a key's id: DK-…", show_default=False)]
Public = Annotated[
    str | None,
    typer.Argument(help="公鑰，64 位十六進制；不寫即本入口的 / 64 hex digits; or this door's own"),
]
As = Annotated[str, typer.Option("--as", help="經辦人 who asks: ADMIN#n", show_default=False)]
Until = Annotated[str | None, typer.Option("--until", help="至何時 until when: 2027-01-01T00:00", show_default=False)]


@app.command("list")
@verb
async def list_command(*, invocation: Invocation) -> None:
    """列出各入口的密鑰及可代言的崗位 / the keys of doors, with the seats that each speaks for.

    例 examples:
      venture key list
      venture key list -o json
    """
    printer, now = invocation.printer, datetime.now(UTC)
    async with invocation.open_store() as store:
        keys = await list_keys(store)
    rows = [key.as_json(now) for key in keys]
    if printer.is_for_people:
        rows = [_row(key, now, printer) for key in keys]
    columns = (
        Column("key", "密鑰", "key"),
        Column("door", "入口", "door"),
        Column("stage", "狀態", "state"),
        Column("speaks_for", "可代言", "speaks for"),
        Column("since", "自", "since"),
        Column("until", "至", "until"),
    )
    printer.rows(rows, columns, ("尚無密鑰：首個由 venture key publish 公布", "no key yet: venture key publish, first"))


@app.command("show")
@verb
async def show_command(key: Key, *, invocation: Invocation) -> None:
    """一把密鑰：公鑰、日期、崗位、待確認者 / one key: its public half, dates, seats, and what waits.

    例 example:  venture key show DK-39301570a3f2474a
    """
    printer, now = invocation.printer, datetime.now(UTC)
    stream = key_stream(_read_key(key))
    async with invocation.open_store() as store:
        view, proposals = await find_key(store, key), await list_confirmable(store, stream)
    row = view.as_json(now) | {"proposals": [_proposal_as_json(*one) for one in proposals.items()]}
    if not printer.is_for_people:
        printer.json(row)
        return
    cells = _row(view, now, printer) | {"public": view.record.public or "—", "successor": view.record.successor}
    words = {
        "key": ("密鑰", "key"),
        "door": ("入口", "door"),
        "stage": ("狀態", "state"),
        "speaks_for": ("可代言", "speaks for"),
        "since": ("自", "since"),
        "until": ("至", "until"),
        "successor": ("接替者", "successor"),
        "public": ("公鑰", "public key"),
    }
    for name, (zh, en) in words.items():
        if cells[name]:
            printer.line(f"{printer.say(zh, en)}  {cells[name]}")
    for number, proposal in proposals.items():
        printer.line(
            printer.say(
                f"待確認 {number}：{proposal.command}  校驗值 {proposal.digest}",
                f"waits for confirmation {number}: {proposal.command}  digest {proposal.digest}",
            )
        )
        printer.line(f"  {dict(proposal.body)}")


@app.command("publish")
@verb
async def publish_command(
    public: Public = None,
    *,
    actor: Annotated[str | None, typer.Option("--as", help="經辦人 who asks: ADMIN#n", show_default=False)] = None,
    door: Annotated[str, typer.Option("--door", help="入口名稱 which door: console, finance")] = "cli",
    speaks_for: Annotated[
        list[str] | None,
        typer.Option(
            "--for", help="可代言的角色或崗位 roles or seats: CAB-FIN, CAB-REG#1; * 全部 all", show_default=False
        ),
    ] = None,
    until: Until = None,
    invocation: Invocation,
) -> None:
    """公布入口的公鑰；首個由其自身簽名，其後須另一人確認 / publish a door's key; after the first, two persons.

    例 examples:
      venture key publish
      venture key publish d75a98…511a --door finance --for CAB-FIN --as ADMIN#1
    """
    async with invocation.open_runtime(working=True) as runtime:
        if public is None and actor is None and runtime.key is not None and not await has_keys(runtime.store):
            await publish_first_key(CommandActivities(runtime.store), runtime.store, runtime.key)
            invocation.printer.tell(
                f"✓ 已公布首個密鑰 {runtime.key.id}", f"✓ published, the first: {runtime.key.id}", "green"
            )
            return
        if actor is None:
            raise ArgumentInvalid("日誌已有密鑰：請以 --as ADMIN#n 提出", "the log has a key already: ask --as ADMIN#n")
        public_key = public or (runtime.key.public if runtime.key else "")
        ends = read_business_time(until)
        command = _build(
            PublishDoorKey, public=public_key, door=door, speaks_for=tuple(speaks_for or (EVERYONE,)), until=ends
        )
        await _ask(runtime, invocation.printer, KeyId.of(bytes.fromhex(public_key)), command, actor)


@app.command("rotate")
@verb
async def rotate_command(
    key: Key,
    successor: Annotated[str, typer.Argument(help="新公鑰 the next public key, 64 hex digits", show_default=False)],
    *,
    actor: As,
    until: Until = None,
    invocation: Invocation,
) -> None:
    """以新密鑰更換，同一入口、同樣的崗位；舊者再留一日 / put the next key in its place; the old one counts for a day.

    例 example:  venture key rotate DK-39301570a3f2474a d75a98…511a --as ADMIN#1
    """
    command = _build(RotateDoorKey, successor=successor, until=read_business_time(until))
    async with invocation.open_runtime(working=True) as runtime:
        await _ask(runtime, invocation.printer, _read_key(key), command, actor)


@app.command("withdraw")
@verb
async def withdraw_command(
    key: Key,
    *,
    reason: Annotated[str, typer.Option("--reason", help="理由 why", show_default=False)],
    actor: As,
    invocation: Invocation,
) -> None:
    """撤回密鑰，即時生效，不可恢復 / take a key back, at once and for good.

    例 example:  venture key withdraw DK-39301570a3f2474a --reason 密鑰遺失 --as ADMIN#1
    """
    command = _build(WithdrawDoorKey, reason=reason)
    async with invocation.open_runtime(working=True) as runtime:
        await _ask(runtime, invocation.printer, _read_key(key), command, actor)


@app.command("confirm")
@verb
async def confirm_command(
    key: Key,
    *,
    actor: As,
    digest: Annotated[
        str | None, typer.Option("--digest", help="提案校驗值，至少 8 位 the proposal's digest, 8 digits or more")
    ] = None,
    invocation: Invocation,
) -> None:
    """確認另一人的提案，須為另一人 / confirm what another person proposed; key show tells what it is.

    例 example:  venture key confirm DK-39301570a3f2474a --digest 9f86d081 --as ADMIN#2
    """
    stream = key_stream(_read_key(key))
    async with invocation.open_runtime(working=True) as runtime:
        confirmation = await find_confirmation(runtime.store, stream, digest)
        receipt = await runtime.door.send(stream, confirmation, read_actor(actor))
    print_receipt(invocation.printer, receipt_as_json(receipt))


async def _ask(runtime: Runtime, printer: Printer, key: KeyId, command: Command, actor: str) -> None:
    await ask_at(runtime, printer, key_stream(key), command, actor, f"venture key confirm {key} --digest")


def _proposal_as_json(number: int, proposal: Proposal) -> dict[str, Any]:
    return {
        "proposal": number,
        "command": proposal.command,
        "digest": proposal.digest,
        "by": proposal.by.seat,
        "body": dict(proposal.body),
    }


def _row(key: ListedKey, now: datetime, printer: Printer) -> dict[str, Any]:
    stage = printer.say(key.stage.zh, key.stage.en)
    if key.record.withdrawn_at is None and not key.is_valid(now):
        stage = f"{stage}{printer.say('，不在有效期', ', not valid now')}"
    return {
        "key": key.id,
        "door": key.record.door,
        "stage": stage,
        "speaks_for": " ".join(key.record.speaks_for),
        "since": local_time(key.record.since) if key.record.since else "",
        "until": _show_end(key, printer),
    }


def _show_end(key: ListedKey, printer: Printer) -> str:
    """When it was withdrawn, or until when it counts; programs are given the instant that ``since`` would have."""
    withdrawn_at, until = key.record.withdrawn_at, key.record.until
    if withdrawn_at is not None:
        return local_time(withdrawn_at)
    if until is None:
        return ""
    return closing_time(until) if printer.is_for_people else local_time(until)


def _build(kind: type[Command], **particulars: object) -> Command:
    """The command with what was given. Raises ArgumentInvalid."""
    try:
        return kind.model_validate({name: value for name, value in particulars.items() if value is not None})
    except ValidationError as wrong:
        faults = [(error["loc"], *explain_error(error)) for error in wrong.errors(include_url=False)]
        zh = "；".join(f"{'.'.join(map(str, place))}：{text}" for place, text, _ in faults)
        en = "; ".join(f"{'.'.join(map(str, place))}: {text}" for place, _, text in faults)
        raise ArgumentInvalid(zh, en) from wrong


def _read_key(text: str) -> KeyId:
    try:
        return KeyId(text)
    except ValueError as wrong:
        raise ArgumentInvalid.of(wrong) from wrong
