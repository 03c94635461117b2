"""``venture approval``: which decisions are asked for, and waiting for one."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer

from application.approvals import ApprovalFilter, StillUndecided, list_approvals, wait_for_decision
from application.queries import resolve_name
from cli.adapter import Invocation, verb
from cli.help import Typer
from cli.options import After, Limit, Realm
from cli.output import Column, Printer
from cli.paging import ask_page, read_filter, tell_page
from domain.catalogue import command_class
from domain.kernel.calendar import local_time
from domain.kernel.failure import FailureKind
from domain.kernel.identity import Role, StreamId
from domain.kernel.state import Verdict

app = Typer()


@app.command("list")
@verb
async def list_command(
    subject: Annotated[str | None, typer.Argument(help="只列此項目 only of this project, e.g. PJ-3")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="連同已決的 / ended ones too")] = False,
    invocation: Invocation,
    realm: Realm = None,
    role: Annotated[str | None, typer.Option("--of", help="由此角色決定者 that this role decides：CAB-DEC")] = None,
    limit: Limit = 100,
    after: After = None,
) -> None:
    """列出等待中的審批 / the approvals that are waited for.

    例 examples:
      venture approval list
      venture approval list PJ-3 --all -o json
    """
    printer = invocation.printer
    async with invocation.open_store() as store:
        stream = await resolve_name(store, subject, realm) if subject else None
        verdict = None if everything else Verdict.OPEN
        filters = read_filter(ApprovalFilter, stream=stream, realm=realm, verdict=verdict, role=role)
        page = await list_approvals(store, filters, await ask_page(store, limit, after))
    rows = [one.as_json() for one in page.rows]
    if printer.for_people:
        for row in rows:
            row["about"] = f"{StreamId(row['stream']).name} {row['key']}".strip()
            row["role"] = printer.say(f"{Role(row['role']).zh}（{row['role']}）", row["role"])
            row["verdict"] = printer.say(Verdict(row["verdict"]).zh, Verdict(row["verdict"]).en)
            row["gate"] = _gate(row["gate"], printer)
    columns = (
        Column("id", "審批編號", "approval"),
        Column("about", "對象", "about"),
        Column("gate", "事項", "decision"),
        Column("role", "由誰", "who"),
        Column("verdict", "狀態", "verdict"),
    )
    printer.rows(rows, columns, ("沒有等待中的審批", "no approval is waited for"))
    tell_page(page, printer)


def _gate(command: str, printer: Printer) -> str:
    """The decision that is asked for, in the reader's language."""
    return printer.say(command_class(command).zh(), command_class(command).en())


@app.command("wait")
@verb
async def wait_command(
    approval_id: Annotated[UUID, typer.Argument(metavar="ID", help="審批編號，見 approval list", show_default=False)],
    patience_s: Annotated[float | None, typer.Option("--timeout", min=0.1, help="最多等候秒數 seconds at most")] = None,
    *,
    invocation: Invocation,
) -> None:
    """等候一項審批，直到有結果；服務重啟亦不中斷 / wait until it is decided, through restarts of anything.

    退出碼 exit codes: 0 批准 granted, 1 未批准 refused or void, 3 查無 unknown, 5 超時 timed out.

    例 example:  venture approval wait 3f0c… --timeout 3600
    """
    printer = invocation.printer
    async with invocation.open_runtime(working=True) as runtime:
        try:
            decision = await wait_for_decision(runtime.store, runtime.door, approval_id, patience_s)
        except TimeoutError:
            raise StillUndecided(approval_id, patience_s or 0) from None
    approval = decision.approval
    if printer.for_people:
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
