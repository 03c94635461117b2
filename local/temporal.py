"""An embedded Temporal development server: one file, loopback only, tuned as measured."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local import binaries, processes
from local.failure import LocalServerFailure

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_READY_S = 30.0
_KINDS = {"KEYWORD": "Keyword", "DATETIME": "Datetime", "TEXT": "Text", "INT": "Int"}
RETENTION = "8760h"
"""How long closed workflows are remembered: a year instead of the development server's day."""

DYNAMIC = {
    "history.maxInFlightUpdates": "500",  # the eleventh update at once would otherwise clear the workflow's context
    "frontend.WorkflowTimeSkippingEnabled": "true",  # tests move time one workflow at a time
    "system.workflowTimeSkippingEnabled": "true",  # the same switch under the name of later servers
    "history.timerProcessorMaxTimeShift": '"10ms"',  # timers fire when they are due, not a second later
    "matching.numTaskqueueReadPartitions": "1",
    "matching.numTaskqueueWritePartitions": "1",
}


@dataclass
class Temporal:
    """A running embedded Temporal server."""

    process: subprocess.Popen[bytes] | None
    """None if another process owns it."""
    port: int
    ui_port: int | None = None
    """Where its pages are; None without them."""
    front_port: int | None = None
    """Where they are shown with what they hold opened (``runtime/temporal_pages.py``); None without them."""

    @property
    def address(self) -> str:
        """``host:port``."""
        return f"127.0.0.1:{self.port}"


def start(
    home: Path,
    attributes: Sequence[tuple[str, str]],
    port: int | None = None,
    ui_port: int | None = None,
    front_port: int | None = None,
) -> Temporal:
    """Start it, on a free port if none is named, with its pages on ``ui_port`` if one is. Raises LocalServerFailure.

    ``attributes`` are pairs of a search attribute and its kind. On ``front_port`` the pages have payloads opened.
    """
    port = port or processes.free_port()
    pages = ("--headless",) if ui_port is None else ("--ui-port", str(ui_port), "--ui-ip", "127.0.0.1")
    if front_port is not None:
        pages = (*pages, "--ui-codec-endpoint", f"http://127.0.0.1:{front_port}/codec")
    process = processes.spawn(
        [
            str(binaries.find_temporal()),
            *("server", "start-dev", *pages, "--ip", "127.0.0.1", "--port", str(port)),
            *("--db-filename", str(home / "temporal.db")),
            *("--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=NORMAL"),
            *("--log-level", "error", "--log-format", "json"),
            *(part for name, value in DYNAMIC.items() for part in ("--dynamic-config-value", f"{name}={value}")),
            *(part for name, kind in attributes for part in ("--search-attribute", f"{name}={_KINDS[kind]}")),
        ],
        log=home / "logs" / "temporal.log",
        when_parent_dies=signal.SIGKILL,
    )
    return Temporal(process, port, ui_port, front_port)


async def wait_until_ready(temporal: Temporal, home: Path) -> None:
    """Wait until the frontend answers and its namespace is there. Raises LocalServerFailure."""
    from temporalio.client import Client
    from temporalio.service import RPCError

    deadline = time.monotonic() + _READY_S
    while True:
        try:
            client = await Client.connect(temporal.address)
            await client.count_workflows()
            break
        except (RPCError, RuntimeError) as not_yet:
            ended = temporal.process is not None and temporal.process.poll() is not None
            if ended or time.monotonic() > deadline:
                log = processes.tail(home / "logs" / "temporal.log")
                raise LocalServerFailure(f"Temporal 未能啟動：\n{log}", f"Temporal did not start:\n{log}") from not_yet
        await asyncio.sleep(0.05)
    if temporal.process is not None:
        await _remember_for_a_year(temporal)


async def _remember_for_a_year(temporal: Temporal) -> None:
    command = [str(binaries.find_temporal()), "operator", "namespace", "update", "-n", "default"]
    process = await asyncio.create_subprocess_exec(
        *command,
        *("--retention", RETENTION, "--address", temporal.address),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, stderr = await process.communicate()
    if process.returncode != 0:
        complaint = stderr.decode(errors="replace")
        raise LocalServerFailure(
            f"Temporal 保存期無法設置：{complaint}", f"Temporal's retention could not be set: {complaint}"
        )
