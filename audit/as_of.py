"""A stream as it was on a day, and, if asked, as it was known on another: both times of every event are kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from deciding.fold import fold
from domain.kernel.calendar import day_ends
from domain.registers.calendar import calendar_of, calendar_stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.kernel.calendar import Calendar
    from domain.kernel.identifier import StreamId
    from domain.kernel.state import State
    from store.port import Entry, EventStore


@dataclass(frozen=True)
class AsOf:
    """A stream as it was on a day."""

    state: State
    entries: Sequence[Entry]
    """The events that it rests on, oldest first."""
    until: datetime
    """Business time up to which, and including which, events count; UTC."""
    known: datetime | None
    """The recording time up to which they count; None if all that is known today counts."""
    later: int
    """Events of the stream that do not count: they were later, or not known then."""


def instant_of(day_or_instant: date | datetime) -> datetime:
    """The instant itself, or 24:00 of that day in Shanghai: what fell due with the day belongs to it.

    Raises ValueError for an instant without an offset.
    """
    if not isinstance(day_or_instant, datetime):
        return day_ends(day_or_instant)
    if day_or_instant.tzinfo is None:
        message = f"{day_or_instant.isoformat()}: 時間須帶時區 / an instant needs its offset, as +08:00"
        raise ValueError(message)
    return day_or_instant


async def as_of(
    store: EventStore, stream: StreamId, day_or_instant: date | datetime, known: datetime | None = None
) -> AsOf:
    """The stream folded over what was so by then, and, with ``known``, over what was also recorded by then.

    A stream of which nothing counts is blank: stage NONE, version 0. Raises StoreUnavailable.
    """
    until = instant_of(day_or_instant)
    counted: list[Entry] = []
    later = 0
    async for entry in store.read(stream):
        if entry.occurred_at <= until and (known is None or entry.recorded_at <= known):
            counted.append(entry)
        else:
            later += 1
    return AsOf(fold(stream, counted), counted, until, known, later)


async def calendar_as_of(
    store: EventStore, stream: StreamId, day_or_instant: date | datetime, known: datetime | None = None
) -> Calendar:
    """The working days as they were published by then in that stream's realm."""
    return calendar_of((await as_of(store, calendar_stream(stream.realm), day_or_instant, known)).state)


async def position_by(store: EventStore, known: datetime) -> int:
    """The position of the newest entry that was recorded by then; 0 if none was."""
    low, high = 0, await store.last_position()
    while low < high:  # entries never go back in recording time
        middle = (low + high + 1) // 2
        (entry,) = await store.feed(middle - 1, 1)
        low, high = (middle, high) if entry.recorded_at <= known else (low, middle - 1)
    return low
