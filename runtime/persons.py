"""Who is taken to ask at this installation's command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bootstrap
from application.dry_run import DryRun
from application.person_finder import OnePerson, SeatHolders

if TYPE_CHECKING:
    from collections.abc import Collection

    from application.person_finder import PersonFinder
    from bootstrap import Settings
    from store.port import EventStore


def make_person_finder(settings: Settings, store: EventStore) -> PersonFinder:
    """In production whoever is named; on one machine, whose seat it is that is named."""
    papers = SeatHolders(store)
    if settings.env is bootstrap.Environment.PRODUCTION or settings.person is not None:
        return OnePerson(settings.person, papers)
    return papers


def prepare_dry_run(settings: Settings, store: EventStore, at_hand: Collection[str]) -> DryRun:
    """What a command line tries, by the measure of its worker; documents ``at_hand`` would be brought."""
    return DryRun(store, make_person_finder(settings, store), requires_office=settings.requires_office, at_hand=at_hand)
