"""``venture demo``, ``up`` and ``reset``: the servers and the first look at them."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import bootstrap
import local
from application.queries import load_file
from audit.verification import verify
from cli import rendering
from cli.adapter import read_settings, run_work
from cli.output import ArgumentInvalid, Form, Language, Output, Printer, paper
from cli.scenario import plan_scenario, play_all, shipped, show, summed
from domain.kernel.failure import FailureKind
from local import processes
from runtime.runtime import Runtime, open_runtime

if TYPE_CHECKING:
    from application.queries import File
    from audit.verification import Verification
    from scenarios.play import PlayResult

WORKER_AGAIN_S = 1.0


def add_to(app: typer.Typer) -> None:
    """Mount the commands."""
    app.command("demo")(demo_command)
    app.command("up")(up_command)
    app.command("reset")(reset_command)


@dataclass(frozen=True)
class _Shown:
    played: list[PlayResult]
    verification: Verification
    files: list[File]


def demo_command(output: Output = Form.TABLE, lang: Language = None) -> None:
    """演示：經真實服務播放情景，講述經過，並核驗日誌 / play the stories through real servers, tell and verify them.

    例 example:  ./run demo
    """
    voice = Printer.of(output, lang)
    settings = read_settings()

    if settings.env is bootstrap.Environment.PRODUCTION:
        voice.tell("演示不可寫入生產日誌", "a demo may not be written into a production log", "red")
        raise typer.Exit(FailureKind.USAGE)

    async def work() -> _Shown:
        plans = plan_scenario(shipped())
        async with open_runtime(settings, voice.tell, working=True) as office:
            _said_started(office, voice)
            played = await play_all(plans, office, voice)
            files = [await load_file(office.store, p.stream) for one in played for p in list(one.projects.values())[:1]]
            return _Shown(played, await verify(office.store), files)

    shown = run_work(voice, work())
    ok = all(p.ok for p in shown.played) and shown.verification.ok
    if voice.for_people:
        _tell(shown, voice, ok=ok)
    else:
        voice.json({**summed(shown.played), "verified": shown.verification.as_json(), "ok": ok})
    if not ok:
        raise typer.Exit(FailureKind.INTEGRITY if not shown.verification.ok else FailureKind.REFUSED)


def _said_started(office: Runtime, voice: Printer) -> None:
    if office.servers is not None:
        took = office.servers.took_s
        voice.tell(
            f"✓ Postgres 與 Temporal 就緒（{took:.1f} 秒），只在本機",
            f"✓ Postgres and Temporal are ready ({took:.1f} s), on this machine only",
        )


def _tell(shown: _Shown, voice: Printer, *, ok: bool) -> None:
    for file in shown.files[:1]:
        for part in rendering.page(file, voice, datetime.now(UTC)):
            paper().print(part)
    for one in shown.played:
        show(one, voice)
    found = shown.verification
    mark = "✓" if found.ok else "✗"
    paper().print(
        voice.say(
            f"{mark} 日誌核驗：{found.entries} 條記錄，{len(found.findings)} 處異常，根 {found.root[:16]}…",
            f"{mark} log verified: {found.entries} entries, {len(found.findings)} findings, root {found.root[:16]}…",
        ),
        markup=False,
    )
    if ok:
        voice.tell(
            "下一步：./run up（保持運行）· ./run project list · ./run project show PJ-3 · ./run audit replay PJ-3",
            "Next: ./run up (stay up) · ./run project list · ./run project show PJ-3 · ./run audit replay PJ-3",
            "green",
        )


def up_command(
    ui: Annotated[
        bool, typer.Option("--ui", help="並開 Temporal 的網頁，只限本機 / with Temporal's own pages, this machine only")
    ] = False,
    output: Output = Form.TABLE,
    lang: Language = None,
) -> None:
    """啟動服務與 worker 並保持運行（Ctrl-C 停止）/ start servers and worker and stay up (Ctrl-C stops).

    例 examples:
      ./run up
      ./run up --ui
    """
    voice = Printer.of(output, lang)
    settings = read_settings()
    settings = settings.model_copy(update={"temporal_ui": ui or settings.temporal_ui})

    async def work() -> None:
        async with open_runtime(settings, voice.tell, working=False) as office:
            if office.servers is None:
                raise ArgumentInvalid("生產環境請啟動 venture-worker", "in production start venture-worker")
            if not office.servers.ours:
                raise local.ServersHeld(
                    "服務已由另一命令保持運行（另一個 up，或在等候的命令），其他命令可直接使用；要由 up 接手，先結束它",
                    "another command keeps the servers (another up, or one that waits): other commands may use them; "
                    "to have up keep them, end that command first",
                )
            _said_started(office, voice)
            if (pages := office.servers.temporal_pages) is not None:
                voice.tell(f"✓ Temporal 網頁：{pages}", f"✓ Temporal's pages: {pages}")
            await _kept_up(office, voice)

    run_work(voice, work())


async def _kept_up(office: Runtime, voice: Printer) -> None:
    """Keep one worker process running until told to stop; say what was started."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    log = office.settings.home.absolute() / "logs" / "worker.log"
    command = [sys.executable, str(Path(__file__).parent.parent / "worker.py")]
    stopping = asyncio.create_task(stop.wait())
    while not stop.is_set():
        worker = processes.spawn(command, log=log, when_parent_dies=signal.SIGTERM, env=dict(os.environ))
        voice.tell(
            f"✓ worker 運行中（pid {worker.pid}，日誌 {log}）。另開一個終端：./run project list",
            f"✓ a worker runs (pid {worker.pid}, log {log}). In another terminal: ./run project list",
        )
        while worker.poll() is None and not stop.is_set():
            await asyncio.wait({stopping}, timeout=0.2)
        processes.stop(worker, signal.SIGTERM, patience_s=25)
        if not stop.is_set():
            voice.tell("✗ worker 已退出，重新啟動", "✗ the worker ended; starting it again", "yellow")
            await asyncio.wait({stopping}, timeout=WORKER_AGAIN_S)
    voice.tell("正在停止…", "stopping…")


def reset_command(
    yes: Annotated[bool, typer.Option("--yes", help="不再詢問 / do not ask")] = False,
    output: Output = Form.TABLE,
    lang: Language = None,
) -> None:
    """刪除本機演示數據（先詢問）/ remove this machine's demo data (asks first).

    例 example:  ./run reset
    """
    voice = Printer.of(output, lang)
    settings = read_settings()
    if settings.env is bootstrap.Environment.PRODUCTION:
        voice.tell("生產環境不可重置", "production cannot be reset", "red")
        raise typer.Exit(FailureKind.USAGE)
    home = settings.home.absolute()
    if not yes and not typer.confirm(voice.say(f"刪除 {home} 中的全部演示數據？", f"Remove all demo data in {home}?")):
        raise typer.Exit(FailureKind.REFUSED)

    async def work() -> bool:
        return await local.reset(settings)

    if run_work(voice, work()):
        voice.tell("✓ 已刪除", "✓ removed")
    else:
        voice.tell("沒有可刪除的", "there was nothing to remove")


__all__ = ["Form", "add_to"]
