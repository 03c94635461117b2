"""An event of the log with when it was so and who caused it, as the entry's meta says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from domain.kernel.acting import Basis, PersonId
from domain.kernel.identity import Actor
from domain.kernel.message import Occurrence

if TYPE_CHECKING:
    from domain.kernel.message import Event
    from store.port import Entry


def occurrence(entry: Entry, event: Event) -> Occurrence:
    """That event, decoded from the entry, with what its meta says. Raises ValueError or KeyError for other bytes."""
    meta = json.loads(entry.meta)
    persons = frozenset(PersonId(person) for person in meta.get("persons", ()))
    basis = Basis(meta["basis"]) if "basis" in meta else None
    return Occurrence(event, entry.occurred_at, Actor(meta["actor"]), entry.command_id, persons, basis)
