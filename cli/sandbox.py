"""``venture sandbox``: a bank or a signature service of this machine's own, to try callbacks on."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

import bootstrap
from application.api_keys import issue_key
from application.callbacks import Senders
from application.caller import ScopeName
from cli.adapter import Invocation, verb
from cli.help import Typer
from domain.kernel.failure import Failure, FailureKind
from domain.kernel.identifier import Actor
from domain.kernel.words import Words
from runtime.identity import open_identity
from runtime.outbox import open_secret_box
from runtime.store import open_store
from store.identity import SeatGrant

app = Typer()

_HOUSE = str(Path(__file__).resolve().parents[1])

KEY_LASTS = timedelta(days=1)
_SEATS = {"bank": Actor("FISCAL#1"), "signature": Actor("CAB-REG#1")}


class SandboxRefused(Failure):
    """There is none in production: nobody there is paid by a bank that is not one."""

    kind = FailureKind.USAGE

    def __init__(self) -> None:
        super().__init__("沙盒只供本機試用，生產環境不可用", "the sandbox is for this machine, never for production")


class DeskKind(Words):
    """Which party the sandbox plays."""

    BANK = "bank", "銀行", "bank"
    SIGNATURE = "signature", "電子簽名服務", "signature service"


@app.command("sandbox")
@verb
async def sandbox_command(
    desk: Annotated[DeskKind, typer.Argument(help="銀行或電子簽名服務 bank or signature", show_default=False)],
    *,
    port: Annotated[int, typer.Option("--port", min=1024, max=65535, help="埠 port of this machine")] = 8090,
    invocation: Invocation,
) -> None:
    """開一個試用的銀行或電子簽名服務 / open a bank or signature service to try things on.

    例 examples:
      venture sandbox bank
      venture sandbox signature --port 8091
    """
    printer, settings = invocation.printer, invocation.settings
    if settings.env is not bootstrap.Environment.LOCAL:
        raise SandboxRefused
    name, grants, now = f"sandbox-{desk}", (SeatGrant(seat=_SEATS[desk]),), datetime.now(UTC)
    async with open_store(settings, printer.tell) as opened, open_identity(opened.postgres_url) as identity:
        senders = Senders(identity, open_secret_box(settings))
        if await identity.sender(name) is None:
            secret = await senders.add(name, grants, made_by="seat:ADMIN#1", now=now)
        else:
            secret = await senders.rotate(name, now=now)
        fresh = await issue_key(identity, name, grants, [ScopeName.COMMANDS], lasting=KEY_LASTS, now=now)
    printer.tell(
        f"✓ {desk.zh}：http://127.0.0.1:{port}/docs，回報至 /v1/callbacks/{name}",
        f"✓ {desk.en}: http://127.0.0.1:{port}/docs, reporting to /v1/callbacks/{name}",
        "green",
    )
    server = f"http://127.0.0.1:{settings.http_port}"
    variables = {"SERVER": server, "SENDER": name, "SECRET": secret, "KEY": fresh.text}
    environment = {**os.environ, "PYTHONPATH": _HOUSE, **{f"SANDBOX_{key}": value for key, value in variables.items()}}
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(  # noqa: S606 - our own program, in this one's place
        sys.executable, [sys.executable, "-m", "sandbox", str(desk), str(port)], environment
    )
