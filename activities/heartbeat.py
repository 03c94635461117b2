"""Signs of life of an activity that takes long: where they stop, Temporal has another worker take it over."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from temporalio import activity

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

BEAT_S = 3.0
"""Between two signs of life of a decision that takes long, in seconds."""


@asynccontextmanager
async def heartbeat(every_s: float = BEAT_S) -> AsyncIterator[None]:
    """Give signs of life while the block runs, where Temporal waits for them; a local activity's are nobody's."""
    if not activity.in_activity() or activity.info().is_local:
        yield
        return

    async def beat() -> None:
        while True:
            activity.heartbeat()
            await asyncio.sleep(every_s)

    beating = asyncio.create_task(beat())
    try:
        yield
    finally:
        beating.cancel()
