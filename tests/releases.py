"""Which version is still to come: what is recorded for it may be recorded anew, what is released never is."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def version() -> str:
    """The version in ``pyproject.toml``."""
    project: dict[str, str] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return project["version"]


def released() -> list[str]:
    """The versions that have a heading of their own in ``CHANGELOG.md``."""
    return re.findall(r"^## \[(\d[^\]]*)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)


def require_unreleased() -> str:
    """The version to record for; ends the program in words where that version is out already."""
    if version() in released():
        sys.exit(
            f"✗ {version()} 已發布，其記錄不得重錄：請先在 pyproject.toml 寫下一版本號\n"
            f"  {version()} is released, and what it recorded is never recorded again: "
            "put the next version into pyproject.toml first"
        )
    return version()
