"""Deadlines reckoned afresh when a year's working days are published or corrected; a row says by which calendar it was.

A deadline that has fallen stays; one that still runs moves, earlier or later, but never to before the notice itself.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from deciding.agenda_row import build_standing
from deciding.decision import Decision
from deciding.reader import Reader
from domain.kernel.facts import Reads
from domain.registers.calendar import calendar_stream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from domain.kernel.clock import Clock
    from store.port import EventStore


async def read_calendar_version(store: EventStore, realm: str) -> int:
    """The version of the realm's working days; 0 if none are published."""
    row = await store.standing(calendar_stream(realm))
    return row.version if row is not None else 0


async def iterate_calendars(store: EventStore, clock: Clock) -> AsyncIterator[tuple[str, int]]:
    """The realms on that clock that have published working days, and the newest version of each."""
    async for row in store.standings(kind="calendar"):
        if row.clock is clock:
            yield row.stream.realm, row.version


async def refresh_standings(store: EventStore, realm: str, version: int) -> int:
    """Rewrite the rows of the realm's outdated streams; how many there were. Nothing falls due by it."""
    rows = [row async for row in store.iterate_outdated(realm, version)]
    for row in rows:
        reader = Reader(store)
        await reader.fetch(Reads(streams=frozenset({row.stream})))
        state = reader.states[row.stream]
        refreshed = build_standing(Decision((), state, await reader.calendar(realm), row.clock, {}, state))
        await store.refresh_standing(replace(refreshed, notified=row.notified))
    return len(rows)
