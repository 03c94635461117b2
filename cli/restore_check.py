"""``venture restore-check``: what a restored log is, how much of it is lost, and Temporal begun anew from it."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Annotated, Any

import typer

from application.maintenance import record_maintenance
from application.namespace import seal_namespace
from application.reconcile import Reconciliation, reconcile, resurrect
from audit.finding import FindingKind
from audit.verification import verify
from cli.adapter import Invocation, verb
from cli.audit import read_roots
from cli.help import Typer
from cli.options import read_actor
from cli.output import ArgumentInvalid
from domain.kernel.failure import FailureKind
from domain.registers.maintenance import Work

if TYPE_CHECKING:
    from datetime import datetime

    from audit.verification import Root, Verification
    from cli.output import Printer

app = Typer()


@app.command("restore-check")
@verb
async def restore_check_command(
    *,
    root: Annotated[
        list[str] | None,
        typer.Option("--root", help="留存根校驗值或其文件 a kept root, or a file of them", show_default=False),
    ] = None,
    again: Annotated[
        bool, typer.Option("--resurrect", help="所存無誤即由它重建 Temporal / begin Temporal anew from what is whole")
    ] = False,
    actor: Annotated[
        str | None, typer.Option("--as", help="與 --resurrect 並用：經辦人 who begins it anew: ADMIN#n")
    ] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="與 --resurrect 並用：理由 why")] = None,
    invocation: Invocation,
) -> None:
    """還原之後：核驗日誌，說明失去了什麼，由它重建 Temporal / after a restore: is the log whole, and what is lost.

    退出碼 exit codes: 0 日誌無誤 the log is whole, 6 有不符或被截短 it differs, or was cut.

    例 examples:
      venture restore-check --root roots.txt
      venture restore-check --resurrect --as ADMIN#1 --reason 還原自昨夜備份
    """
    if again and (actor is None or reason is None):
        raise ArgumentInvalid("--resurrect 須同時指明 --as 與 --reason", "--resurrect wants --as and --reason")
    printer, roots = invocation.printer, [kept for text in root or () for kept in read_roots(text)]
    async with invocation.open_runtime(working=again, with_temporal=True) as runtime:
        verification = await verify(runtime.store, roots=roots)
        entries = await runtime.store.feed(max(verification.entries - 1, 0), limit=1)
        last = entries[0].recorded_at if entries else None
        if actor is not None and reason is not None and again and is_whole(verification):
            door, who = runtime.register_door, read_actor(actor)
            async with record_maintenance(runtime.store, door, who, Work.RESURRECT, reason) as outcome:
                await seal_namespace(runtime.client, anew=True)
                compared = await resurrect(runtime.store, runtime.client, runtime.settings.task_queue, runtime.door)
                outcome.count(finding.mended for finding in compared.findings)
        else:
            compared = await reconcile(runtime.store, runtime.client, runtime.settings.task_queue)
    lost = count_lost(verification, roots)
    if printer.is_for_people:
        _print_comparison(printer, verification, compared, lost, last)
    else:
        printer.json(_as_json(verification, compared, lost, last))
    if not verification.ok:
        raise typer.Exit(FailureKind.INTEGRITY)


def is_whole(verification: Verification) -> bool:
    """Whether all that is there is as it was written, the end being cut or not: Temporal may be begun anew from it.

    The rows of views are made from the log and are made again.
    """
    return all(finding.kind in {FindingKind.CUT, FindingKind.VIEW} for finding in verification.findings)


def count_lost(verification: Verification, roots: list[Root]) -> int:
    """How many entries at least there once were beyond the end, as the largest kept root tells."""
    return max(0, max((kept.size for kept in roots), default=0) - verification.entries)


def _as_json(verification: Verification, compared: Reconciliation, lost: int, last: datetime | None) -> dict[str, Any]:
    return {
        "log": verification.as_json(),
        "last_recorded_at": last.isoformat() if last else None,
        "lost_at_least": lost,
        "temporal": compared.as_json(),
    }


def _print_comparison(
    printer: Printer, verification: Verification, compared: Reconciliation, lost: int, last: datetime | None
) -> None:
    v, when = verification, f"{last.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if last else "-"
    printer.line(
        printer.say(
            f"{'✓' if v.ok else '✗'} 日誌至第 {v.entries} 條，末條記於 {when}，根校驗值 {v.root[:16]}…",
            f"{'✓' if v.ok else '✗'} the log ends at position {v.entries}, recorded {when}, root {v.root[:16]}…",
        )
    )
    if v.unchanged_to:
        known_zh, known = f"至第 {v.unchanged_to} 條與留存根校驗值相符", f"as kept up to position {v.unchanged_to}"
        printer.line(printer.say(known_zh, known))
    if lost:
        printer.line(
            printer.say(
                f"✗ 被截短：第 {v.entries + 1} 條起至少失去 {lost} 條；以原編號再問，人所辦者重辦",
                f"✗ cut: at least {lost} entries from position {v.entries + 1} on are lost; ask again with the same "
                "ids, and do again what people did",
            )
        )
    open_ones = [finding for finding in compared.findings if not finding.mended]
    mended = len(compared.findings) - len(open_ones)
    printer.line(
        printer.say(
            f"Temporal：{compared.streams} 個卷宗，已重建 {mended}，尚有出入 {len(open_ones)}（venture reconcile）",
            f"Temporal: {compared.streams} streams, {mended} begun anew, {len(open_ones)} differ (venture reconcile)",
        )
    )
