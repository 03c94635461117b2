"""What a process of a bench is started in: none of this machine's settings, and bytecode kept, as ``./run`` does."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def surroundings(home: Path, **settings: str) -> dict[str, str]:
    """The environment of a process that lives in that folder; ``settings`` are named without ``VENTURE_``."""
    kept = [name for name in os.environ if not name.startswith("VENTURE_") and name != "PYTHONDONTWRITEBYTECODE"]
    return {
        **{name: os.environ[name] for name in kept},
        "PYTHONPYCACHEPREFIX": str(home / "bytecode"),
        "VENTURE_HOME": str(home),
        **{f"VENTURE_{name.upper()}": value for name, value in settings.items()},
    }
