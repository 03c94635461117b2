"""Who is taken to ask at this installation's command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bootstrap
from application.identity import OnePerson, SeatHolders

if TYPE_CHECKING:
    from application.identity import Identity
    from bootstrap import Settings
    from store.port import EventStore


def find_identity(settings: Settings, store: EventStore) -> Identity:
    """In production whoever is named; on one machine, whose seat it is that is named."""
    papers = SeatHolders(store)
    if settings.env is bootstrap.Environment.PRODUCTION or settings.person is not None:
        return OnePerson(settings.person, papers)
    return papers
