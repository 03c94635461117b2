"""``venture calendar``: publish the working days that come with the product."""

from __future__ import annotations

from typing import Annotated

import typer

from application.realms import require_realm
from application.rules import publish_calendars
from cli.act import describe_proposal, find_waiting
from cli.adapter import Invocation, verb
from cli.help import Typer
from cli.options import read_actor
from domain.kernel.identifier import LIVE

app = Typer()


@app.command("publish")
@verb
async def publish_command(
    year: Annotated[int, typer.Argument(min=1990, max=2200, help="年度 the year, with the next", show_default=False)],
    actor: Annotated[str, typer.Option("--as", help="經辦人 who publishes it: CAB-REG#n", show_default=False)],
    realm: Annotated[str, typer.Option("--realm", help="環境 realm")] = LIVE,
    *,
    invocation: Invocation,
) -> None:
    """發布隨產品提供的該年與次年工作日曆；已發布的不重複 / publish that year's working days and the next's, none twice.

    例 example:  venture calendar publish 2026 --as CAB-REG#1
    """
    who, printer = read_actor(actor), invocation.printer
    async with invocation.open_runtime(working=True) as runtime:
        await require_realm(runtime.store, realm)
        receipts = await publish_calendars(runtime.door, runtime.store, year, who, realm)
        waiting = [await find_waiting(runtime.store, receipt) for receipt in receipts]
    proposed = [proposal for proposal in waiting if proposal is not None]
    data = {"realm": realm, "published": len(receipts) - len(proposed)}
    if proposed:
        confirm = "venture act confirm cn {digest} --as CAB-DEC#1"
        lines = [describe_proposal(one, confirm.format(digest=one.digest[:8])) for one in proposed]
        zh, en = ("\n".join(of) for of in zip(*lines, strict=True))
        printer.answer(data | {"proposed": [one.digest for one in proposed]}, zh, en)
    elif receipts:
        printer.answer(data, f"✓ 已發布 {len(receipts)} 個年度", f"✓ years published: {len(receipts)}")
    else:
        printer.answer(data, "沒有新的年度可發布", "there is no year to publish that is not", "")
