"""Child processes that never outlive their parent, however it dies."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LARGEST_LOG: Final = 10 * 2**20
"""Bytes beyond which a log is set aside when its process starts again."""

_BOUND: Final = """
import ctypes, os, signal, sys
parent, number, uid = map(int, sys.argv[1:4])
if uid:
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)
ctypes.CDLL(None).prctl(1, number, 0, 0, 0)
if os.getppid() != parent:
    sys.exit("the parent ended before its child began")
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
try:
    os.execvp(sys.argv[4], sys.argv[4:])
except OSError as wrong:
    sys.exit(f"{sys.argv[4]}: {wrong.strerror}")
"""
"""Binds itself to its parent (PR_SET_PDEATHSIG), then becomes the command. A program of its own and not a hook between
fork and exec, since by then this process may have threads, and a hook among threads may hang."""


def bind_command(command: Sequence[str], *, when_parent_dies: signal.Signals, uid: int = 0) -> list[str]:
    """The words that run a command as a child of this very process; as another user if a uid is given (root only)."""
    return [sys.executable, "-I", "-S", "-c", _BOUND, str(os.getpid()), str(int(when_parent_dies)), str(uid), *command]


def spawn(
    command: Sequence[str],
    *,
    log: Path,
    when_parent_dies: signal.Signals,
    env: Mapping[str, str] | None = None,
    uid: int = 0,
) -> subprocess.Popen[bytes]:
    """Start a child that gets that signal when this process ends, kill -9 included. Its output goes to a file.

    Must be called from a thread that lives as long as the process: the kernel watches the thread.
    """
    if log.exists() and log.stat().st_size > _LARGEST_LOG:
        log.replace(log.with_suffix(".old"))
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - our own binaries, no shell
            bind_command(command, when_parent_dies=when_parent_dies, uid=uid),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd="/" if uid else None,
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


def is_alive(pid: int) -> bool:
    """Whether a process of that id runs (a zombie does not)."""
    stat = read_stat(pid)
    return bool(stat) and stat[0] != "Z"


def start_ticks(pid: int) -> str:
    """When that process began, in clock ticks since the machine did; with its pid it names one process for certain."""
    stat = read_stat(pid)
    return stat[19] if stat else ""


def read_stat(pid: int) -> list[str]:
    """The fields of ``/proc/…/stat`` from the third on, the state; none if there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def wait_for_end(pid: int, seconds: float) -> bool:
    """Whether that process ends within so many seconds."""
    deadline = time.monotonic() + seconds
    while is_alive(pid):
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


def is_free(port: int) -> bool:
    """Whether nobody listens on that loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def tail(log: Path, lines: int = 8) -> str:
    """The end of a log, for an error message."""
    if not log.exists():
        return ""
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
