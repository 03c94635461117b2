"""What came of a command, by its id: the recorded outcome, whenever it is asked for, with Temporal or without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deciding.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime
    from uuid import UUID

    from domain.kernel.identifier import Actor, StreamId
    from domain.kernel.refusal import Unmet
    from store.port import Entry, EventStore


@dataclass(frozen=True)
class CommandOutcome:
    """A command as the journal has it."""

    command_id: UUID
    stream: StreamId
    command: str
    actor: Actor
    version: int
    """The stream's version after it."""
    position: int
    """The position of the last entry that it wrote."""
    events: tuple[str, ...]
    """The types of its events; none if it was refused."""
    unmet: tuple[Unmet, ...]
    """Every condition that was not met; none if it was accepted."""
    at: datetime
    """Its business time, UTC."""
    recorded_at: datetime
    """When it was recorded, UTC."""
    log: str
    """The log in which it stands, by the chain hash of its first entry, in hex."""


async def find_outcome(store: EventStore, command_id: UUID) -> CommandOutcome | None:
    """What came of it; None if nothing is journalled under that id. Raises StoreUnavailable."""
    return (await find_outcomes(store, [command_id])).get(command_id)


async def find_outcomes(store: EventStore, command_ids: Collection[UUID]) -> Mapping[UUID, CommandOutcome]:
    """What came of those that are journalled. Raises StoreUnavailable."""
    outcomes = await store.outcomes(command_ids)
    log = outcomes.genesis.hex() if outcomes.genesis else ""
    return {command_id: _read(command_id, entry, log) for command_id, entry in outcomes.commands.items()}


def _read(command_id: UUID, entry: Entry, log: str) -> CommandOutcome:
    journal = Journal.read(entry)
    events = journal.outcome.events
    return CommandOutcome(
        command_id=command_id,
        stream=entry.stream,
        command=entry.type,
        actor=journal.actor,
        version=entry.version + len(events),
        position=entry.position + len(events),
        events=events,
        unmet=journal.outcome.unmet,
        at=entry.occurred_at,
        recorded_at=entry.recorded_at,
        log=log,
    )
