"""The instant, in UTC, at which a command is judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.kernel.clock import Clock

if TYPE_CHECKING:
    from datetime import datetime

    from domain.kernel.envelope import CarryOut
    from store.port import CommandBasis

RECENT_S = 60
"""How old, in seconds, the door's stamp may be and still be the business time."""


def business_time(request: CarryOut, basis: CommandBasis) -> datetime:
    """The same on every try, since all of it comes in the request; on the wall clock never before the newest event."""
    received = request.envelope.received_at if request.envelope else request.now
    if basis.realm.clock is Clock.MANUAL:
        return received
    at = received if 0 <= (request.now - received).total_seconds() <= RECENT_S else request.now
    return max(at, basis.events[-1].occurred_at) if basis.events else at
