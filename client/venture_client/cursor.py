"""How far a reader of the events has come, kept through its own crashes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol


class Cursor(Protocol):
    """Where the position of the last event that was dealt with is kept."""

    def load(self) -> int:
        """The position that was saved last; 0 before the first."""

    def save(self, position: int) -> None:
        """Store the position, so that the next start goes on from it."""


class FileCursor:
    """A file of its own, replaced whole: who crashes while writing finds the position of before."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)

    def load(self) -> int:
        """The position that was saved last; 0 if none was."""
        return int(self._path.read_text("ascii")) if self._path.exists() else 0

    def save(self, position: int) -> None:
        """Save the position, and have it on the disk before coming back."""
        fresh = self._path.with_name(f"{self._path.name}.new")
        with fresh.open("w", encoding="ascii") as file:
            file.write(str(position))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
