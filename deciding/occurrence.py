"""An event of the log with when it was so and who caused it, as the entry's meta says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deciding.event_meta import EventMeta
from domain.kernel.message import Occurrence

if TYPE_CHECKING:
    from domain.kernel.message import Event
    from store.port import Entry


def occurrence(entry: Entry, event: Event) -> Occurrence:
    """That event, decoded from the entry, with what its meta says. Raises ValueError for other bytes."""
    meta = EventMeta.read(entry)
    return Occurrence(event, entry.occurred_at, meta.actor, entry.command_id, meta.persons, meta.basis)
