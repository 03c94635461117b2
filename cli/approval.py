"""``venture approval``: which decisions are asked for; waiting for one, deciding one, and asking for one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated
from uuid import UUID, uuid4

import typer

from application.approval_decision import Choice, build_decision
from application.approvals import (
    ApprovalFilter,
    StillUndecided,
    StreamApproval,
    find_approval,
    list_approvals,
    list_opened,
    wait_for_decision,
)
from application.command_input import read_command
from application.payment import Course, wait_for_payment
from application.realms import require_realm
from cli.adapter import Invocation, verb
from cli.command import As, At, Given, manual_now, read_business_time, read_particulars, receipt_as_json
from cli.help import Typer
from cli.name_resolution import resolve
from cli.options import After, Limit, Realm, read_actor
from cli.output import ArgumentInvalid, Column, Printer
from cli.pages import ask_page, print_page, read_filter
from cli.sheet import Xlsx, write_pages
from domain.approval.request import OpenApproval, approval_stream
from domain.catalogue import command_class
from domain.kernel.approval import Verdict
from domain.kernel.calendar import closing_time, local_time
from domain.kernel.failure import FailureKind
from domain.kernel.field_shape import Notation
from domain.kernel.identifier import LIVE, Role, StreamId
from domain.kernel.money import yuan

if TYPE_CHECKING:
    from domain.kernel.approval import ApproverGroup, Vote

ApprovalId = Annotated[
    UUID, typer.Argument(metavar="ID", help="審批編號 the approval, as approval list has it", show_default=False)
]
Why = Annotated[str | None, typer.Option("--reason", help="理由或意見 why", show_default=False)]
CommandId = Annotated[
    UUID | None, typer.Option("--id", help="命令編號；同號再問不會重辦 / asking again with the same id is safe")
]

app = Typer()


@app.command("list")
@verb
async def list_command(
    subject: Annotated[str | None, typer.Argument(help="只列此項目 only of this project, e.g. PJ-3")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="含已審批的 / ended ones too")] = False,
    invocation: Invocation,
    realm: Realm = None,
    role: Annotated[str | None, typer.Option("--of", help="由此角色決定者 that this role decides：CAB-DEC")] = None,
    limit: Limit = 100,
    after: After = None,
    xlsx: Xlsx = None,
) -> None:
    """列出待審批事項 / pending approvals.

    例 examples:
      venture approval list
      venture approval list PJ-3 --all -o json
      venture approval list --all --xlsx approvals.xlsx
    """
    printer = invocation.printer
    async with invocation.open_store() as store:
        stream = await resolve(store, subject, realm, printer) if subject else None
        verdict = None if everything else Verdict.OPEN
        filters = read_filter(ApprovalFilter, stream=stream, realm=realm, verdict=verdict, role=role)
        if xlsx is not None:
            from papers.lists import APPROVALS

            conditions = filters.model_dump(mode="json", exclude_none=True)
            await write_pages(xlsx, APPROVALS, partial(list_approvals, store, filters), store, printer, **conditions)
            return
        page = await list_approvals(store, filters, await ask_page(store, limit, after))
    rows = [one.as_json() for one in page.rows]
    if printer.is_for_people:
        for row in rows:
            row["about"] = f"{StreamId(row['stream']).name} {row['key']}".strip()
            row["role"] = printer.say(f"{Role(row['role']).zh}（{row['role']}）", row["role"])
            row["verdict"] = printer.say(Verdict(row["verdict"]).zh, Verdict(row["verdict"]).en)
            row["gate"] = _gate(row["gate"], printer)
            row["bound"] = "；".join(_details(row["summary"], printer))
    columns = (
        Column("id", "審批編號", "approval"),
        Column("about", "對象", "about"),
        Column("gate", "事項", "decision"),
        Column("role", "審批人", "who"),
        Column("verdict", "狀態", "verdict"),
        Column("bound", "所批內容", "what is bound"),
    )
    printer.rows(rows, columns, ("暫無待審批事項", "no approvals pending"))
    print_page(page, printer)


def _gate(command: str, printer: Printer) -> str:
    """The decision that is asked for, in the reader's language."""
    return printer.say(command_class(command).zh(), command_class(command).en())


def _details(summary: list[dict[str, str]], printer: Printer) -> list[str]:
    """What is bound, thing by thing, in the reader's language."""
    return [printer.say(f"{d['zh']} {d['value_zh']}", f"{d['en']} {d['value_en']}") for d in summary]


@app.command("show")
@verb
async def show_command(approval_id: ApprovalId, *, invocation: Invocation) -> None:
    """一項審批：所批內容、由誰、期限、各人所決 / one approval: what is bound, who may decide, until when, votes.

    例 example:  venture approval show 3f0c…
    """
    printer = invocation.printer
    async with invocation.open_store() as store:
        request = await find_approval(store, approval_id)
    if not printer.is_for_people:
        printer.json(request.as_json())
        return
    approval = request.approval
    about = f"{request.stream.name} {approval.key}".strip()
    verdict = printer.say(approval.verdict.zh, approval.verdict.en)
    printer.line(f"{about} {_gate(approval.gate, printer)}: {verdict}", "bold")
    for line in _details([detail.as_json() for detail in request.summary], printer):
        printer.line(f"  {line}")
    for group in approval.approvers:
        printer.line("  " + _group(group, printer))
    if request.until is not None:
        printer.line("  " + printer.say(f"至 {closing_time(request.until)}", f"until {closing_time(request.until)}"))
    for vote in approval.votes:
        printer.line("  " + _vote(vote, printer))
    if approval.reason:
        printer.line("  " + printer.say(f"理由 {approval.reason}", f"reason {approval.reason}"))
    printer.line(printer.say(f"  內容摘要 {approval.content[:8]}…", f"  digest {approval.content[:8]}…"))


def _group(group: ApproverGroup, printer: Printer) -> str:
    """Who may decide, and how many of them must consent."""
    names = [*group.seats, *(printer.say(f"{role.zh}（{role}）", role) for role in group.roles)]
    who = printer.say("、", ", ").join(names) + (f" [{' '.join(group.names)}]" if group.names else "")
    if not group.roles and group.needed == len(group.seats) > 1:
        return printer.say(f"會簽：{who}", f"all of {who}")
    if group.needed == 1:
        return printer.say(f"由 {who}（任一）", f"any one of {who}")
    return printer.say(f"{group.needed} 人：{who}", f"{group.needed} of {who}")


def _vote(vote: Vote, printer: Printer) -> str:
    """What one person decided, and in what right on a seat that is not theirs."""
    basis = "" if vote.basis is None else printer.say(f"（{vote.basis.zh}）", f" ({vote.basis.en})")
    ballot, why = printer.say(vote.ballot.zh, vote.ballot.en), f"：{vote.reason}" if vote.reason else ""
    return f"{local_time(vote.at)} {vote.acting.seat}{basis} {ballot}{why}"


@app.command("approve")
@verb
async def approve_command(
    approval_id: ApprovalId,
    actor: As,
    given: Given = None,
    *,
    invocation: Invocation,
    reason: Why = None,
    at: At = None,
    command_id: CommandId = None,
) -> None:
    """批准：以該階段自己的命令辦理 / approve it, by the stage's own command; the rules judge it as ever.

    例 example:  venture approval approve 3f0c… --as CAB-DEC#1
    """
    await _decide(_Decision(approval_id, Choice.APPROVE, actor, given or [], reason, at, command_id), invocation)


@app.command("decline")
@verb
async def decline_command(
    approval_id: ApprovalId,
    actor: As,
    given: Given = None,
    *,
    invocation: Invocation,
    reason: Why = None,
    at: At = None,
    command_id: CommandId = None,
) -> None:
    """不批准：該階段有此命令者 / decline it, where the stage has a command for that.

    例 example:  venture approval decline 3f0c… --as CAB-DEC#1 --reason 理由不足
    """
    await _decide(_Decision(approval_id, Choice.DECLINE, actor, given or [], reason, at, command_id), invocation)


@app.command("return")
@verb
async def return_command(
    approval_id: ApprovalId,
    actor: As,
    given: Given = None,
    *,
    invocation: Invocation,
    reason: Why = None,
    at: At = None,
    command_id: CommandId = None,
) -> None:
    """退回修改：該階段有此命令者 / send it back for change, where the stage has a command for that.

    例 example:  venture approval return 3f0c… --as CAB-DEC#1 --reason 請補報價
    """
    await _decide(_Decision(approval_id, Choice.RETURN, actor, given or [], reason, at, command_id), invocation)


@dataclass(frozen=True)
class _Decision:
    """A decision as it was typed."""

    approval: UUID
    choice: Choice
    actor: str
    given: list[str]
    reason: str | None
    at: str | None
    command_id: UUID | None


async def _decide(decision: _Decision, invocation: Invocation) -> None:
    printer, moment, who = invocation.printer, read_business_time(decision.at), read_actor(decision.actor)
    particulars: dict[str, object] = {**read_particulars(decision.given)}
    if decision.reason is not None:
        particulars["reason"] = decision.reason
    async with invocation.open_runtime(working=True) as runtime:
        request = await find_approval(runtime.store, decision.approval)
        command = await build_decision(
            runtime.store, request, decision.choice, particulars, Notation.TYPED, decision.command_id
        )
        if request.stream.realm != LIVE and moment is None:
            moment = await manual_now(runtime.store, request.stream)
        receipt = await runtime.door.send(request.stream, command, who, command_id=decision.command_id, at=moment)
        request = await find_approval(runtime.store, decision.approval, written=receipt.position)
    zh, en = request.approval.verdict.zh, request.approval.verdict.en
    printer.answer(
        {**receipt_as_json(receipt), "approval": request.as_json()},
        f"✓ 已{decision.choice.zh}，此項審批現為「{zh}」",
        f"✓ Done ({decision.choice.en}): it is {en}",
    )


@app.command("open")
@verb
async def open_command(
    title: Annotated[str, typer.Argument(help="事項 what is to be approved", show_default=False)],
    actor: As,
    given: Given = None,
    *,
    invocation: Invocation,
    of: Annotated[
        list[str],
        typer.Option(
            "--of",
            help="審批人 who: all:CAB-DEC#1,CAB-FIN#1（會簽）、any:CAB-DEC（或簽）、2:…",
            show_default=False,
        ),
    ],
    realm: Annotated[str, typer.Option("--realm", help="環境 environment")] = LIVE,
    at: At = None,
    command_id: CommandId = None,
) -> None:
    """提請一項審批：它本身不是權限 / ask for a decision of your own: it is never itself the permission.

    例 example:  venture approval open 年度採購 --as CAB-REG#1 --of all:CAB-DEC#1,CAB-FIN#1 amount=12000 within_wd=5
    """
    printer, moment, who = invocation.printer, read_business_time(at), read_actor(actor)
    command_id = command_id or uuid4()
    particulars: dict[str, object] = {**read_particulars(given or []), "title": title}
    groups = [_read_group(text) for text in of]
    command = read_command(OpenApproval, "", {**particulars, "groups": json.dumps(groups)}, Notation.TYPED)
    stream = approval_stream(realm, command_id)
    async with invocation.open_runtime(working=True) as runtime:
        await require_realm(runtime.store, realm)
        if realm != LIVE and moment is None:
            moment = await manual_now(runtime.store, stream)
        receipt = await runtime.door.send(stream, command, who, command_id=command_id, at=moment)
        (opened,) = await list_opened(runtime.store, stream, receipt.version, receipt.events)
    data = {**receipt_as_json(receipt), "approval": StreamApproval(stream, opened, title).as_json()}
    printer.answer(data, f"✓ 已提請審批 {opened.id}", f"✓ Asked for: approval {opened.id}")


def _read_group(text: str) -> dict[str, object]:
    """``all:CAB-DEC#1,CAB-FIN#1``: all of these seats. Raises ArgumentInvalid."""
    needed, colon, names = text.partition(":")
    words = [name.strip() for name in names.split(",") if name.strip()]
    if not colon or not words or not (needed in ("all", "any") or needed.isdecimal()):
        raise ArgumentInvalid(
            f"--of {text}：寫作 all:CAB-DEC#1,CAB-FIN#1", f"--of {text}: write all:CAB-DEC#1,CAB-FIN#1"
        )
    group: dict[str, object] = {
        "seats": [word for word in words if "#" in word],
        "roles": [word for word in words if "#" not in word],
    }
    return group if needed == "all" else {**group, "needed": 1 if needed == "any" else int(needed)}


@app.command("wait")
@verb
async def wait_command(
    awaited: Annotated[
        str, typer.Argument(metavar="ID|PJ-3/T1", help="審批編號，或一期撥款 / or a tranche", show_default=False)
    ],
    patience_s: Annotated[float | None, typer.Option("--timeout", min=0.1, help="最多等候秒數 seconds at most")] = None,
    *,
    invocation: Invocation,
    realm: Realm = None,
) -> None:
    """等候一項審批有結果，或一期撥款撥付；服務重啟亦不中斷 / wait until it is decided, or paid, through any restart.

    退出碼 exit codes: 0 批准、已付 granted, paid; 1 未批准、不付 refused, never; 3 未找到 unknown; 5 超時 timed out.

    例 examples:
      venture approval wait 3f0c… --timeout 3600
      venture approval wait PJ-3/T1
    """
    printer = invocation.printer
    try:
        approval_id = UUID(awaited)
    except ValueError:
        await _wait_for_payment(awaited, realm, patience_s, invocation)
        return
    async with invocation.open_runtime(working=True) as runtime:
        try:
            decision = await wait_for_decision(runtime.store, runtime.door, approval_id, patience_s)
        except TimeoutError:
            raise StillUndecided(approval_id, patience_s or 0) from None
    approval = decision.approval
    if printer.is_for_people:
        when = local_time(approval.decided_at) if approval.decided_at else ""
        about, gate = f"{decision.stream.name} {approval.key}".strip(), _gate(approval.gate, printer)
        printer.tell(
            f"{about} {gate}：{approval.verdict.zh}（{approval.decided_by} {when}）",
            f"{about} {gate}: {approval.verdict} ({approval.decided_by} {when})",
        )
    else:
        printer.json(decision.as_json())
    if approval.verdict is not Verdict.GRANTED:
        raise typer.Exit(FailureKind.REFUSED)


async def _wait_for_payment(subject: str, realm: str | None, patience_s: float | None, invocation: Invocation) -> None:
    """Wait until that tranche is paid, or never will be."""
    printer = invocation.printer
    async with invocation.open_runtime(working=True) as runtime:
        try:
            payment = await wait_for_payment(runtime.store, runtime.door, subject, realm, patience_s)
        except TimeoutError:
            raise StillUndecided(subject, patience_s or 0) from None
    if printer.is_for_people:
        course, paid = payment.course, yuan(payment.paid)
        printer.tell(f"{subject}：{course.zh}（{paid}）", f"{subject}: {course.en} ({paid})")
    else:
        printer.json(payment.as_json())
    if payment.course is not Course.PAID:
        raise typer.Exit(FailureKind.REFUSED)
