"""What moves time for all streams of one realm (decision 007)."""

from __future__ import annotations

from domain.kernel.words import Words


class Clock(Words):
    """What moves a realm's time."""

    MANUAL = "MANUAL", "手動時鐘", "manual clock"
    """The dates of the commands: scenarios, imports, rehearsals."""
    WALL = "WALL", "實時時鐘", "wall clock"
    """The time at which the door takes a command in."""
