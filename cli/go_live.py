"""``venture go-live``: a manual realm goes over to the wall clock."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer

from application.go_live import confirm_go_live, go_live
from cli.act import find_waiting, print_proposal
from cli.adapter import Invocation, verb
from cli.help import Typer
from cli.options import read_actor

app = Typer()


@app.command("go-live")
@verb
async def go_live_command(
    realm: Annotated[str, typer.Argument(help="環境 the environment, e.g. paper-2026", show_default=False)],
    actor: Annotated[str, typer.Option("--as", help="經辦人 who asks: CAB-REG#n、CAB-DEC#n", show_default=False)],
    confirm: Annotated[
        str | None,
        typer.Option(
            "--confirm", help="確認他人所提：其校驗值 confirm what another proposed, by its digest", show_default=False
        ),
    ] = None,
    *,
    invocation: Invocation,
    command_id: Annotated[
        UUID | None, typer.Option("--id", help="命令編號；同號再問不會重辦 / asking again with the same id is safe")
    ] = None,
) -> None:
    """環境由手動轉為實時，須兩人，不可逆 / from manual to the wall clock: two persons, one way.

    有期限已過時不予辦理，並逐一列出，先以註明日期的命令辦結。
    It is refused while deadlines lie in the past; each is listed, to be settled first by a dated command.

    一人提出，另一人以校驗值確認 / one person proposes it, another confirms it by its digest.

    例 examples:
      venture go-live paper-2026 --as CAB-REG#1
      venture go-live paper-2026 --as CAB-DEC#1 --confirm 3fa9c2d1
    """
    printer, who = invocation.printer, read_actor(actor)
    async with invocation.open_runtime(working=True) as runtime:
        if confirm is None:
            live = await go_live(runtime.store, runtime.door, realm, who, command_id=command_id)
        else:
            live = await confirm_go_live(runtime.store, runtime.door, realm, who, confirm, command_id=command_id)
        waiting = await find_waiting(runtime.store, live.receipt)
    if waiting is not None:
        how = f"venture go-live {realm} --as CAB-DEC#1 --confirm {waiting.digest[:8]}"
        print_proposal(printer, waiting, how, {"realm": realm, "proposed": waiting.digest})
        return
    printer.answer(
        {"realm": realm, "version": live.receipt.version, "looked_at": list(live.looked_at)},
        f"✓ {realm} 已轉為實時鐘：{len(live.looked_at)} 個卷宗的期限由此自行到期。命令不再註明時間",
        f"✓ {realm} lives on the wall clock: the deadlines of {len(live.looked_at)} streams fall due by themselves "
        "from now on. Commands take no time any more",
    )
