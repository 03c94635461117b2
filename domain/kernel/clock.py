"""What moves time for all streams of one realm (design.md §5)."""

from __future__ import annotations

from enum import StrEnum


class Clock(StrEnum):
    """What moves time."""

    MANUAL = "MANUAL"
    """The dates of the commands: scenarios, imports, rehearsals."""
    WALL = "WALL"
    """The time at which the door takes a command in."""
