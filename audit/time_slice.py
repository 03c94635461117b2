"""Long walks through the log beside whatever else the process has to answer: they let others have their turn."""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import Final

LONGEST_S: Final = 0.002
"""Seconds that a walk goes on before it lets others: a request takes some twenty of them, and may not wait 100 ms."""


class TimeSlice:
    """The time of one long walk over the log: after each slice of it others run."""

    def __init__(self) -> None:
        self._since = perf_counter()

    async def give_way(self) -> None:
        """Let whoever waits go first, if this walk has had its time; to be called at every step of it."""
        if perf_counter() - self._since > LONGEST_S:
            await asyncio.sleep(0)
            self._since = perf_counter()
