"""Under whose name, and as of when, somebody who comes in by a browser asks in a realm."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from domain.kernel.acting import PersonId
from domain.kernel.clock import Clock

if TYPE_CHECKING:
    from application.caller import Caller
    from web.house import House


@dataclass(frozen=True)
class Asker:
    """Who asks, and at which business time."""

    person: PersonId | None
    """None on a manual clock, where the papers name the seat."""
    at: datetime | None
    """The business time; None on the wall clock, where there is none but now."""


async def find_asker(house: House, caller: Caller, realm: str) -> Asker:
    """Whoever the caller is there: themselves on the wall clock, a bare seat at the clock's own time elsewhere."""
    standing = await house.store.realm(realm)
    if standing.clock is Clock.WALL:
        return Asker(caller.person, None)
    return Asker(None, standing.now or house.now())
