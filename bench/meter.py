"""What processes cost: CPU milliseconds and resident memory, from ``/proc``."""

from __future__ import annotations

import os
from pathlib import Path

from local.processes import read_stat

_TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")
_MIB = 2**20


def children(pid: int) -> list[int]:
    """The living children of that process."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [child for child in pids if (fields := read_stat(child)) and int(fields[1]) == pid]


def cpu_ms(pid: int) -> float:
    """CPU milliseconds of a process and its children, those that have ended too."""
    own = read_stat(pid)
    ticks = sum(map(int, own[11:15])) if own else 0
    ticks += sum(sum(map(int, fields[11:15])) for child in children(pid) if (fields := read_stat(child)))
    return ticks * _TICK_MS


def resident_mib(pid: int) -> float:
    """MiB of memory that a process holds now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / _MIB


def machine_load() -> tuple[float, int]:
    """The load average of the last minute, and how many cores there are."""
    return os.getloadavg()[0], os.cpu_count() or 1
