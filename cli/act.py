"""``venture act``: what takes two persons: see what is proposed, confirm it by its digest, or drop it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from application.proposals import find_confirmation, is_proposal, list_confirmable, list_proposals, require_one
from cli.adapter import Invocation, verb
from cli.command import receipt_as_json
from cli.help import Typer
from cli.name_resolution import resolve_or_begin
from cli.options import read_actor
from cli.output import Column, Printer
from deciding.fold import read_occurrence
from domain.catalogue import command_class
from domain.kernel.canonical import canonical
from domain.kernel.failure import FailureKind
from domain.kernel.identifier import LIVE
from domain.kernel.proposal import ActProposed, ConfirmAct, DropAct, Proposal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from application.door import Receipt
    from store.port import EventStore

app = Typer()

Subject = Annotated[str, typer.Argument(help="卷宗 the file: CAB-REG.1、cn、fuzhou、P-7 …", show_default=False)]
Digest = Annotated[
    str | None, typer.Argument(help="校驗值或其首八位 the digest, or its first eight digits", show_default=False)
]
As = Annotated[str, typer.Option("--as", help="經辦人 who asks: ROLE#n", show_default=False)]
Register = Annotated[str, typer.Option("--realm", help="環境 environment")]


@app.command("show")
@verb
async def show_command(subject: Subject, *, invocation: Invocation, realm: Register = LIVE) -> None:
    """某卷宗上須兩人的提案：內容、校驗值、何人提出 / proposals that await a second person.

    例 example:  venture act show cn
    """
    async with invocation.open_store() as store:
        stream = await resolve_or_begin(store, subject, realm, invocation.printer)
        proposals = await list_proposals(store, stream)
    printer = invocation.printer
    rows = [_as_row(number, proposal, printer) for number, proposal in proposals.items()]
    columns = (
        Column("proposal", "提案", "proposal", right=True),
        Column("status", "狀態", "status"),
        Column("what", "何事", "act"),
        Column("digest", "校驗值", "digest"),
        Column("by", "提出", "by"),
        Column("particulars", "內容", "particulars"),
    )
    printer.rows(rows, columns, ("沒有提案", "nothing is proposed"))


def _as_row(number: int, proposal: Proposal, printer: Printer) -> dict[str, Any]:
    return {
        "proposal": number,
        "status": proposal.status,
        "what": printer.say(f"{command_class(proposal.command).zh()} {proposal.command}", proposal.command),
        "digest": proposal.digest if not printer.is_for_people else proposal.digest[:8],
        "by": " ".join((proposal.by.seat, *sorted(proposal.by.persons))),
        "particulars": canonical(dict(proposal.body)).decode(),
        "lapses_at": proposal.lapses_at.isoformat(),
    }


@app.command("confirm")
@verb
async def confirm_command(
    subject: Subject,
    actor: As,
    digest: Digest = None,
    *,
    invocation: Invocation,
    yes: Annotated[bool, typer.Option("--yes", help="不再詢問，只有一項時 / do not ask, where one waits")] = False,
    realm: Register = LIVE,
) -> None:
    """確認另一人所提，以校驗值為據；不填校驗值則先示其內容 / confirm what another person proposed, bound by its digest.

    例 examples:
      venture act confirm cn 3fa9c2d1 --as CAB-DEC#1
      venture act confirm cn --as CAB-DEC#1
    """
    who, printer = read_actor(actor), invocation.printer
    async with invocation.open_runtime(working=True) as runtime:
        stream = await resolve_or_begin(runtime.store, subject, realm, printer)
        if digest is None:
            waiting = await list_confirmable(runtime.store, stream)
            if not waiting:
                if not printer.is_for_people:
                    printer.json({"stream": stream, "events": []})
                printer.tell("沒有待確認者", "nothing waits to be confirmed")
                return
            number, proposal = require_one(stream, waiting)
            _show_and_agree(number, proposal, printer, yes=yes)
            confirmation = ConfirmAct(proposal=number, digest=proposal.digest)
        else:
            confirmation = await find_confirmation(runtime.store, stream, digest)
        receipt = await runtime.door.send(stream, confirmation, who)
    done = f"{'、'.join(receipt.events[1:])}  {stream} v{receipt.version}"
    printer.answer(receipt_as_json(receipt), f"✓ 已確認：{done}", f"✓ Confirmed: {done}")


def _show_and_agree(number: int, proposal: Proposal, printer: Printer, *, yes: bool) -> None:
    """Show what waits, and go on once it is agreed to."""
    row = _as_row(number, proposal, printer)
    if printer.is_for_people:
        printer.line(f"{row['what']}  {row['by']}  {row['digest']}")
    if not yes:
        printer.line(row["particulars"])
        if not typer.confirm(printer.say("確認？", "Confirm?"), err=True):
            raise typer.Exit(FailureKind.REFUSED)


@app.command("drop")
@verb
async def drop_command(
    subject: Subject,
    number: Annotated[int, typer.Argument(min=1, help="提案編號 its number", show_default=False)],
    reason: Annotated[str, typer.Argument(help="理由 why", show_default=False)],
    actor: As,
    *,
    invocation: Invocation,
    realm: Register = LIVE,
) -> None:
    """撤回或不予確認 / take a proposal back, or turn it down.

    例 example:  venture act drop cn 2 有誤 --as CAB-DEC#1
    """
    who, printer = read_actor(actor), invocation.printer
    async with invocation.open_runtime(working=True) as runtime:
        stream = await resolve_or_begin(runtime.store, subject, realm, printer)
        receipt = await runtime.door.send(stream, DropAct(proposal=number, reason=reason), who)
    printer.answer(receipt_as_json(receipt), f"✓ 已撤回提案 {number}", f"✓ Proposal {number} is off")


async def find_waiting(store: EventStore, receipt: Receipt) -> Proposal | None:
    """The proposal that a receipt stands for; None if what was asked is done."""
    if not is_proposal(receipt):
        return None
    entry = await anext(store.read(receipt.stream, receipt.version - 1))
    event = read_occurrence(entry).event
    return (await list_proposals(store, receipt.stream)).get(event.proposal) if isinstance(event, ActProposed) else None


def print_proposal(printer: Printer, proposal: Proposal, how: str, data: Mapping[str, Any]) -> None:
    """Say that another person must confirm it, and by which command; or as data."""
    printer.answer(data, *describe_proposal(proposal, how))


def describe_proposal(proposal: Proposal, how: str) -> tuple[str, str]:
    """That another person must confirm it, and by which command, in Chinese and English."""
    digest = proposal.digest[:8]
    return (
        f"✓ 已提出，須另一人確認（校驗值 {digest}）：{how}",
        f"✓ Proposed. Another person must confirm it (digest {digest}): {how}",
    )
