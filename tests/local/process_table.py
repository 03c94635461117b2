"""What the kernel knows of a family of processes: who belongs to it, and where it listens."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_LISTENING = "0A"


@dataclass(frozen=True)
class Listener:
    """An open TCP door."""

    pid: int
    address: str
    """As the kernel writes it: ``0100007F`` is 127.0.0.1."""
    port: int


def family(root: int) -> list[int]:
    """A process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for process in _processes():
        try:
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        children.setdefault(parent, []).append(int(process.name))
    pids, ahead = [], [root]
    while ahead:
        pids.append(ahead.pop())
        ahead += children.get(pids[-1], [])
    return pids


def named(word: str) -> list[int]:
    """Every process in whose command line the word is found."""
    pids = []
    for process in _processes():
        try:
            words = (process / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if os.fsencode(word) in words and int(process.name) != os.getpid():
            pids.append(int(process.name))
    return pids


def listeners(pids: list[int]) -> list[Listener]:
    """Where those processes listen."""
    sockets = {inode: pid for pid in pids for inode in _sockets(pid)}
    rows = []
    for table in ("tcp", "tcp6"):
        for line in Path("/proc/net", table).read_text().splitlines()[1:]:
            _, local, _, state, *_, inode = line.split()[:10]
            if state == _LISTENING and inode in sockets:
                address, _, port = local.partition(":")
                rows.append(Listener(sockets[inode], address, int(port, 16)))
    return rows


def unix_sockets(pids: list[int]) -> list[str]:
    """The paths of the unix sockets that those processes have open."""
    sockets = {inode for pid in pids for inode in _sockets(pid)}
    lines = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()[1:]]
    return [line[7] for line in lines if line[6] in sockets and len(line) > 7]


def _processes() -> list[Path]:
    return [path for path in Path("/proc").iterdir() if path.name.isdigit()]


def _sockets(pid: int) -> list[str]:
    inodes = []
    try:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            target = str(link.readlink())
            if target.startswith("socket:["):
                inodes.append(target.removeprefix("socket:[").removesuffix("]"))
    except (FileNotFoundError, ProcessLookupError):
        return inodes
    return inodes
