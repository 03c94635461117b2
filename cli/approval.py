"""``venture approval``: which decisions are asked for, and waiting for one."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer

from application.approvals import StillUndecided, StreamApproval, list_approvals, wait_for_decision
from application.queries import resolve_name
from cli import rendering
from cli.adapter import noun, read_settings, run_work
from cli.output import Column, Form, Language, Output, Printer
from cli.project import Realm
from domain.catalogue import command_class
from domain.kernel.failure import FailureKind
from domain.kernel.identity import Role, StreamId
from domain.kernel.state import Verdict
from runtime.runtime import open_runtime

app = noun("審批：等待中的決定", "approvals: decisions that are waited for")


@app.command("list")
def list_command(
    subject: Annotated[str | None, typer.Argument(help="只列此項目 only of this project, e.g. PJ-3")] = None,
    everything: Annotated[bool, typer.Option("--all", help="連同已決的 / ended ones too")] = False,
    output: Output = Form.TABLE,
    lang: Language = None,
    realm: Realm = None,
) -> None:
    """列出等待中的審批 / the approvals that are waited for.

    例 examples:
      venture approval list
      venture approval list PJ-3 --all -o json
    """
    voice = Printer.of(output, lang)
    settings = read_settings()

    async def work() -> list[StreamApproval]:
        async with open_runtime(settings, voice.tell, working=False) as office:
            stream = await resolve_name(office.store, subject, realm) if subject else None
            return [
                a
                async for a in list_approvals(office.store, stream=stream)
                if (everything or a.approval.verdict is Verdict.OPEN) and realm in (None, a.stream.realm)
            ]

    rows = [a.as_json() for a in run_work(voice, work())]
    if voice.for_people:
        for row in rows:
            row["about"] = f"{StreamId(row['stream']).name} {row['key']}".strip()
            row["role"] = voice.say(f"{Role(row['role']).zh}（{row['role']}）", row["role"])
            row["verdict"] = voice.say(Verdict(row["verdict"]).zh, row["verdict"])
            row["gate"] = _gate(row["gate"], voice)
    columns = (
        Column("id", "審批編號", "approval"),
        Column("about", "對象", "about"),
        Column("gate", "事項", "decision"),
        Column("role", "由誰", "who"),
        Column("verdict", "狀態", "verdict"),
    )
    voice.rows(rows, columns, ("沒有等待中的審批", "no approval is waited for"))


def _gate(command: str, voice: Printer) -> str:
    """The decision that is asked for, in the reader's language."""
    return voice.say(command_class(command).zh(), command)


@app.command("wait")
def wait_command(
    approval_id: Annotated[UUID, typer.Argument(metavar="ID", help="審批編號，見 approval list", show_default=False)],
    timeout: Annotated[float | None, typer.Option("--timeout", min=0.1, help="最多等候秒數 seconds at most")] = None,
    output: Output = Form.TABLE,
    lang: Language = None,
) -> None:
    """等候一項審批，直到有結果；服務重啟亦不中斷 / wait until it is decided, through restarts of anything.

    退出碼 exit codes: 0 批准 granted, 1 未批准 refused or void, 3 查無 unknown, 5 超時 timed out.

    例 example:  venture approval wait 3f0c… --timeout 3600
    """
    voice = Printer.of(output, lang)
    settings = read_settings()

    async def work() -> StreamApproval:
        async with open_runtime(settings, voice.tell, working=True) as office:
            try:
                return await wait_for_decision(office.store, office.door, approval_id, timeout)
            except TimeoutError:
                raise StillUndecided(approval_id, timeout or 0) from None

    asking = run_work(voice, work())
    a = asking.approval
    if voice.for_people:
        when = rendering.local(a.decided_at) if a.decided_at else ""
        about, gate = f"{asking.stream.name} {a.key}".strip(), _gate(a.gate, voice)
        voice.tell(
            f"{about} {gate}：{a.verdict.zh}（{a.decided_by} {when}）",
            f"{about} {gate}: {a.verdict} ({a.decided_by} {when})",
        )
    else:
        voice.json(asking.as_json())
    if a.verdict is not Verdict.GRANTED:
        raise typer.Exit(FailureKind.REFUSED)
