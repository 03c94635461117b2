"""Child processes that never outlive their parent, however it dies."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)
_LARGEST_LOG = 10 * 2**20


def spawn(
    command: Sequence[str], *, log: Path, when_parent_dies: signal.Signals, env: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a child that gets that signal when this process ends, kill -9 included. Its output goes to a file.

    Must be called from a thread that lives as long as the process: the kernel watches the thread.
    """
    if log.exists() and log.stat().st_size > _LARGEST_LOG:
        log.replace(log.with_suffix(".old"))
    parent = os.getpid()

    def bound() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, when_parent_dies)
        if os.getppid() != parent:
            os._exit(1)

    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - our own binaries, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=bound,  # noqa: PLW1509 - before any thread of ours exists
            start_new_session=True,
            env=dict(env) if env is not None else None,
        )


def stop(child: subprocess.Popen[bytes], politely: signal.Signals, patience_s: float = 10.0) -> None:
    """Ask the child to end; insist if it does not within that many seconds."""
    if child.poll() is None:
        child.send_signal(politely)
        try:
            child.wait(patience_s)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def alive(pid: int) -> bool:
    """Whether a process of that id runs (a zombie does not)."""
    try:
        state = open(f"/proc/{pid}/stat", encoding="utf-8").read().rpartition(")")[2].split()[0]  # noqa: PTH123, SIM115
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def gone_within(pid: int, seconds: float) -> bool:
    """Whether that process ends within so many seconds."""
    deadline = time.monotonic() + seconds
    while alive(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def tail(log: Path, lines: int = 8) -> str:
    """The end of a log, for an error message."""
    if not log.exists():
        return ""
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
