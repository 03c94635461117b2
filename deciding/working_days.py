"""A realm's working days, read by their own rules alone: a list that counts days waits for no others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deciding.occurrence import occurrence
from domain.kernel.state import State
from domain.registers.calendar import CALENDAR, calendar_of, calendar_stream

if TYPE_CHECKING:
    from domain.kernel.calendar import Calendar
    from store.port import EventStore

_EVENTS = {(event.event_type, event.schema_version): event for event in CALENDAR.events}


async def read_calendar(store: EventStore, realm: str) -> Calendar:
    """The newest published working days of that realm."""
    stream = calendar_stream(realm)
    state = State(stream)
    async for entry in store.read(stream):
        event = _EVENTS[entry.type, entry.schema_version].model_validate_json(entry.data)
        state = CALENDAR.evolve(state, occurrence(entry, event))
    return calendar_of(state)
