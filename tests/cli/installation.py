"""An installation that ``venture up`` keeps running for the whole run: asked in a process of its own, or in ours."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import structlog
from typer.testing import CliRunner

import bootstrap
from cli.app import build
from domain.kernel.calendar import SHANGHAI
from local import processes
from runtime.store import open_store

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    import typer
    from typer.testing import Result

ROOT = Path(__file__).resolve().parents[2]
S2 = ROOT / "scenarios" / "s2-fuzhou.yaml"
PATIENCE_S = 240.0
"""From then on something is broken, on a busy machine too."""


@dataclass(frozen=True)
class Installation:
    """Where its state lies, and how it is spoken to."""

    home: Path
    http_port: int = 8080

    @property
    def address(self) -> str:
        """Where it serves HTTP."""
        return f"http://127.0.0.1:{self.http_port}"

    def environment(self, **more: str) -> dict[str, str]:
        """The environment of a user at their terminal."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("VENTURE_")}
        here = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', os.defpath)}"
        port = str(self.http_port)
        return {
            **kept,
            "PATH": here,
            "VENTURE_HOME": str(self.home),
            "VENTURE_HTTP_PORT": port,
            "COLUMNS": "80",
            **more,
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """The command in a process of its own, under way."""
        command = [sys.executable, str(ROOT / "starter.py"), *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(  # noqa: S603 - our own words, no shell
            command, cwd=ROOT, env=self.environment(), text=True, stdout=pipe, stderr=pipe
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The command in a process of its own."""
        with self.start(*arguments) as process:
            out, err = process.communicate(timeout=PATIENCE_S)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def ask(self, *arguments: str, **more: str) -> Result:
        """The command in this process: the same code without the second that an interpreter needs to start.

        A failure that is no answer is raised: a person would see a traceback.
        """
        return in_process(arguments, {"VENTURE_HOME": str(self.home), "COLUMNS": "80", **more})


@cache
def _commands() -> typer.Typer:
    return build()


def in_process(arguments: tuple[str, ...], environment: dict[str, str]) -> Result:
    """The command line called as a function, with an event loop of its own."""
    results: list[Result] = []

    def call() -> None:
        results.append(CliRunner().invoke(_commands(), list(arguments), env=environment))

    configured = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))  # as a person has it
    try:
        with mock.patch("bootstrap.configure_logging"):  # it would speak to streams that are gone afterwards
            thread = threading.Thread(target=call)
            thread.start()
            thread.join(PATIENCE_S)
    finally:
        structlog.configure(**configured)
    (result,) = results
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@cache
def start_installation(at_the_end: Callable[[Callable[[], None]], None]) -> Installation:
    """The one house of this run: up, with the story S2 in it. Give the way to have it closed at the end."""
    home = Path(tempfile.mkdtemp(prefix="venture-house-"))
    installation = Installation(home, processes.free_port())
    command = [sys.executable, str(ROOT / "starter.py"), "up"]
    environment = installation.environment()
    up = processes.spawn(command, log=home / "up.log", when_parent_dies=signal.SIGTERM, env=environment)

    def close() -> None:
        processes.stop(up, signal.SIGTERM, patience_s=40)
        shutil.rmtree(home, ignore_errors=True)

    at_the_end(close)
    _until(lambda: "worker.ready" in _text(home / "logs" / "worker.log"), home / "up.log")
    played = installation.ask("scenario", "play", str(S2))
    assert played.exit_code == 0, played.output
    year = str(datetime.now(SHANGHAI).year)
    for words in (
        ("scheme", "publish", "fuzhou", "--as", "CAB-DEC#1"),
        ("act", "confirm", "fuzhou", "--yes", "--as", "CAB-REG#1"),
        ("calendar", "publish", year, "--as", "CAB-REG#1"),
        ("act", "confirm", "cn", "--yes", "--as", "CAB-DEC#1"),
    ):
        published = installation.ask(*words)
        assert published.exit_code == 0, published.output
    _until(lambda: asyncio.run(_are_all_notified(installation)), home / "logs" / "worker.log")
    return installation


def shared_installation(request: pytest.FixtureRequest) -> Installation:
    """What a session fixture of either room of tests gives."""
    return start_installation(request.config.add_cleanup)


async def _are_all_notified(venture: Installation) -> bool:
    """Whether the worker has seen to what founding the office wrote: seconds, and more where much else runs."""
    async with open_store(bootstrap.settings(home=venture.home), lambda *_: None) as opened:
        return not await opened.store.list_unnotified(limit=1)


def _until(ready: Callable[[], bool], log: Path) -> None:
    end = time.monotonic() + PATIENCE_S
    while not ready():
        assert time.monotonic() < end, _text(log)
        time.sleep(0.1)


def _text(path: Path) -> str:
    return path.read_text("utf-8", "replace") if path.exists() else ""
