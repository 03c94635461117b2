"""``tell_clock``: what time it is on the machine of whichever worker is asked."""

from __future__ import annotations

from datetime import UTC, datetime

from temporalio import activity

from activities import names


@activity.defn(name=names.TELL_CLOCK)
async def tell_clock() -> datetime:
    """The worker's own clock, for ``venture doctor`` only: nothing is ever dated by it."""
    return datetime.now(UTC)
