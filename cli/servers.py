"""``venture demo``, ``up`` and ``reset``: the servers and the first look at them."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import bootstrap
import local
from application.accounts import FreshAccount, make_accounts
from application.queries import load_file
from audit.verification import verify
from cli.adapter import Invocation, verb
from cli.help import Typer
from cli.output import ArgumentInvalid, Printer
from cli.project import show as show_file
from cli.scenario import list_shipped, plan_scenario, play_all, show, summarise
from domain.kernel.failure import FailureKind
from local import processes
from payload_codec import SealingCodec
from runtime.identity import open_identity
from runtime.runtime import Runtime
from runtime.temporal_pages import TemporalPages, serve_pages

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from audit.verification import Verification
    from bootstrap import Settings

AGAIN_S = 1.0
"""Seconds before a process that ended is started again."""


app = Typer()


@app.command("demo")
@verb
async def demo_command(*, invocation: Invocation) -> None:
    """演示：經真實服務播放情景，講述經過，並核驗日誌 / play the stories on real servers, and verify the log.

    例 example:  ./run demo
    """
    printer = invocation.printer
    if invocation.settings.env is bootstrap.Environment.PRODUCTION:
        raise ArgumentInvalid("演示不可寫入生產日誌", "a demo may not be written into a production log")
    plans = plan_scenario(list_shipped())
    async with invocation.open_runtime(working=True) as runtime:
        _print_started(runtime, printer)
        played = await play_all(plans, runtime.door, runtime.store, printer)
        streams = [each.stream for one in played for each in one.projects.values()]
        files = [await load_file(runtime.store, stream) for stream in streams[:1]]
        verification = await verify(runtime.store)
    ok = all(p.ok for p in played) and verification.ok
    if printer.is_for_people:
        for file in files:
            show_file(file, printer, datetime.now(UTC))
        for one in played:
            show(one, printer)
        _show_verification(verification, printer)
    else:
        printer.json({**summarise(played), "verified": verification.as_json(), "ok": ok})
    if not ok:
        raise typer.Exit(FailureKind.INTEGRITY if not verification.ok else FailureKind.REFUSED)
    if printer.is_for_people:
        printer.tell(
            f"下一步：./run up（保持運行），在瀏覽器打開 {_address(invocation.settings)}/ ，以屆時所示的賬號登錄；"
            "或 ./run project list · ./run project show PJ-3 · ./run audit replay PJ-3",
            f"Next: ./run up (stay up), open {_address(invocation.settings)}/ and sign in with an account it shows; "
            "or ./run project list · ./run project show PJ-3 · ./run audit replay PJ-3",
            "green",
        )


def _address(settings: Settings) -> str:
    """Where the pages and the interface are."""
    return f"http://{settings.listen_host}:{settings.http_port}"


def _print_started(runtime: Runtime, printer: Printer) -> None:
    if runtime.servers is not None:
        took = runtime.servers.took_s
        printer.tell(
            f"✓ Postgres 與 Temporal 就緒（{took:.1f} 秒），只在本機",
            f"✓ Postgres and Temporal are ready ({took:.1f} s), on this machine only",
        )


def _show_verification(verification: Verification, printer: Printer) -> None:
    mark, entries, findings = "✓" if verification.ok else "✗", verification.entries, len(verification.findings)
    printer.line(
        printer.say(
            f"{mark} 日誌核驗：{entries} 條記錄，{findings} 處異常，根 {verification.root[:16]}…",
            f"{mark} log verified: {entries} entries, {findings} findings, root {verification.root[:16]}…",
        ),
    )


@app.command("up")
@verb
async def up_command(
    *,
    ui: Annotated[
        bool, typer.Option("--ui", help="並開 Temporal 的網頁，只限本機 / with Temporal's own pages, this machine only")
    ] = False,
    invocation: Invocation,
) -> None:
    """啟動服務、worker 與 HTTP 入口並保持運行（Ctrl-C 停止）/ keep servers, worker and HTTP up (Ctrl-C stops).

    例 examples:
      ./run up
      ./run up --ui
    """
    printer = invocation.printer
    async with invocation.open_runtime(
        with_temporal=True, temporal_ui=ui or invocation.settings.temporal_ui
    ) as runtime:
        if runtime.servers is None:
            raise ArgumentInvalid("生產環境請啟動 venture-worker", "in production start venture-worker")
        if not runtime.servers.ours:
            raise local.ServersHeld(
                "服務已由另一命令保持運行（另一個 up，或在等候的命令），其他命令可直接使用；要由 up 接手，先結束它",
                "another command keeps the servers (another up, or one that waits): other commands may use them; "
                "to have up keep them, end that command first",
            )
        _print_started(runtime, printer)
        async with open_identity(runtime.postgres_url) as identity:
            _print_accounts(await make_accounts(identity), printer)
        async with _show_temporal(runtime, printer):
            await _keep_up(runtime, printer)


@asynccontextmanager
async def _show_temporal(runtime: Runtime, printer: Printer) -> AsyncIterator[None]:
    """Temporal's pages with what they hold opened, where they were asked for."""
    temporal = runtime.servers.temporal if runtime.servers is not None else None
    if temporal is None or temporal.ui_port is None or temporal.front_port is None:
        yield
        return

    def print_link(link: str) -> None:
        printer.tell(f"✓ Temporal 網頁（此連結只可用一次）：{link}", f"✓ Temporal's pages (a link for once): {link}")

    codec = SealingCodec(bootstrap.load_payload_keys(runtime.settings))
    namespace = runtime.settings.temporal_namespace
    pages = TemporalPages(codec, namespace, temporal.ui_port, temporal.front_port, print_link)
    async with serve_pages(pages):
        yield


def _print_accounts(accounts: list[FreshAccount], printer: Printer) -> None:
    """Show the passwords that were just made, for the only time."""
    if not accounts:
        return
    printer.tell(
        "✓ 本機賬號，密碼只顯示這一次，請抄下（忘了用 ./run account password 賬號 換新）：",
        "✓ Accounts of this machine. The passwords are shown this once (./run account password LOGIN makes another):",
    )
    width = max(len(account.login) for account in accounts)
    for account in accounts:
        line = f"    {account.login:{width}}  {account.password}  {account.seat}  {account.person}"
        printer.tell(line, line)


@dataclass(frozen=True)
class _Program:
    """A process that is kept running."""

    file: str
    log: Path
    zh: str
    en: str

    def spawn(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(Path(__file__).parent.parent / self.file)]
        return processes.spawn(command, log=self.log, when_parent_dies=signal.SIGTERM, env=dict(os.environ))


async def _keep_up(runtime: Runtime, printer: Printer) -> None:
    """Keep a worker and the HTTP server running until told to stop; say what was started."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    logs = runtime.settings.home.absolute() / "logs"
    address = _address(runtime.settings)
    worker = _Program(
        "worker.py",
        logs / "worker.log",
        "worker 運行中（pid {pid}，日誌 {log}）。另開一個終端：./run project list",
        "a worker runs (pid {pid}, log {log}). In another terminal: ./run project list",
    )
    web = _Program(
        "http_server.py",
        logs / "web.log",
        f"在瀏覽器打開 {address}/ ，以上面的賬號登錄（pid {{pid}}，日誌 {{log}}）。HTTP 接口：{address}/v1",
        f"Open {address}/ in a browser and sign in with an account above (pid {{pid}}, log {{log}}). API: {address}/v1",
    )
    await asyncio.gather(_keep_running(worker, stop, printer), _keep_running(web, stop, printer))
    printer.tell("正在停止…", "stopping…")


async def _keep_running(program: _Program, stop: asyncio.Event, printer: Printer) -> None:
    """Start it, and start it again whenever it ends; unless it says that it cannot serve as it is set up."""
    stopping = asyncio.create_task(stop.wait())
    while not stop.is_set():
        process = program.spawn()
        particulars = {"pid": process.pid, "log": program.log}
        printer.tell(f"✓ {program.zh.format(**particulars)}", f"✓ {program.en.format(**particulars)}")
        while process.poll() is None and not stop.is_set():
            await asyncio.wait({stopping}, timeout=0.2)
        await asyncio.to_thread(processes.stop, process, signal.SIGTERM, patience_s=25)
        if stop.is_set():
            return
        if process.returncode in (FailureKind.USAGE, FailureKind.CONFLICT):
            zh, en = f"✗ {program.file} 無法運行，見 {program.log}", f"✗ {program.file} cannot run, see {program.log}"
            printer.tell(zh, en, "yellow")
            await stopping
            return
        printer.tell(f"✗ {program.file} 已退出，重新啟動", f"✗ {program.file} ended; starting it again", "yellow")
        await asyncio.wait({stopping}, timeout=AGAIN_S)


@app.command("reset")
@verb
async def reset_command(
    *,
    yes: Annotated[bool, typer.Option("--yes", help="不再詢問 / do not ask")] = False,
    invocation: Invocation,
) -> None:
    """刪除本機演示數據（先詢問）/ remove this machine's demo data (asks first).

    例 example:  ./run reset
    """
    printer, settings = invocation.printer, invocation.settings
    if settings.env is bootstrap.Environment.PRODUCTION:
        raise ArgumentInvalid("生產環境不可重置", "production cannot be reset")
    home = settings.home.absolute()
    if not yes and not typer.confirm(
        printer.say(f"刪除 {home} 中的全部演示數據？", f"Remove all demo data in {home}?")
    ):
        raise typer.Exit(FailureKind.REFUSED)
    if await local.reset(settings):
        printer.tell("✓ 已刪除", "✓ removed")
    else:
        printer.tell("沒有可刪除的", "there was nothing to remove")
