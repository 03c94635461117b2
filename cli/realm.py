"""``venture realm``: open a realm of its own, with a clock that commands move."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from application.realms import open_realm
from cli.adapter import Invocation, verb
from cli.help import Typer

app = Typer()


@app.command("open")
@verb
async def open_command(
    name: Annotated[str, typer.Argument(help="名稱 its name, e.g. paper-2026", show_default=False)],
    *,
    invocation: Invocation,
) -> None:
    """開一個手動環境：其中命令以 --at 註明日期 / open an environment on a manual clock: its commands are dated by --at.

    例 example:  venture realm open paper-2026
    """
    async with invocation.open_runtime() as runtime:
        is_new = await open_realm(runtime.store, runtime.door, name)
    answer = partial(invocation.printer.answer, {"realm": name, "new": is_new})
    if is_new:
        answer(
            f"✓ 已開環境 {name}。命令加 --realm {name} --at 日期",
            f"✓ the environment {name} is open. Give commands with --realm {name} --at DATE",
        )
    else:
        answer(f"環境 {name} 早已開", f"the environment {name} was open before", "")
