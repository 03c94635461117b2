"""Streams that wait for a person: a deadline of theirs cannot be applied, and no trying again would mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deciding.decision import StreamParked, decide_on
from deciding.journal import Journal
from deciding.reader import Reader
from domain.kernel.clock import Clock
from domain.kernel.facts import Reads
from domain.kernel.identifier import consequence_command_id
from domain.kernel.refusal import Unmet
from store.bounds import MOST_ROWS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime
    from uuid import UUID

    from deciding.decision import Decision, Step
    from domain.kernel.identifier import StreamId
    from store.port import EventStore


_AT_ONCE = 500
"""Ids that are looked up in one question."""


async def require_free_ids(store: EventStore, decision: Decision) -> None:
    """Raise StreamParked if the id of a deadline among the steps is journalled as something else."""
    for step in decision.steps:
        if step.due is not None and (holder := await _find_holder(store, decision.state.stream, step)) is not None:
            why = f"{step.order.command.command_type} at {step.order.at.isoformat()}: its id is taken on {holder}"
            raise StreamParked(decision.state.stream, why, step.due)


async def find_taken(store: EventStore, others: tuple[Decision, ...]) -> Unmet | None:
    """That a consequence cannot be recorded under the id that follows from the command's; None if all can."""
    for other in others:
        for step in other.steps:
            if step.due is None and (holder := await _find_holder(store, other.state.stream, step)) is not None:
                return _taken(step.command_id, holder)
    return None


async def find_taken_consequence(store: EventStore, command_id: UUID) -> Unmet | None:
    """That something is journalled under an id that a consequence of that command, itself in no journal, would have.

    The two are recorded together or not at all, so it is somebody else's. Bounded by what one append can hold.
    """
    for first in range(0, MOST_ROWS, _AT_ONCE):
        ids = [consequence_command_id(command_id, number) for number in range(first, first + _AT_ONCE)]
        for taken, entry in (await store.outcomes(ids)).commands.items():
            return _taken(taken, entry.stream)
    return None


def _taken(command_id: UUID, holder: StreamId) -> Unmet:
    return Unmet.of(
        "ID03",
        "由此編號推導的連帶命令編號 {command_id} 已在 {holder} 使用；請換一個編號",
        "the id {command_id}, which follows from this one, is taken on {holder}; use another id",
        command_id=command_id,
        holder=holder,
    )


async def find_parked(store: EventStore, stream: StreamId, at: datetime) -> StreamParked | None:
    """Why nothing can be carried out on that stream at that time, if it is parked. Records nothing."""
    realm, reader = await store.realm(stream.realm), Reader(store)
    await reader.fetch(Reads(streams=frozenset({stream})))
    try:
        decision = await decide_on(
            store, reader.states[stream], realm.clock, at=at, order=None, command_id=None, reader=reader
        )
        await require_free_ids(store, decision)
    except StreamParked as parked:
        return parked
    return None


async def iterate_parked(store: EventStore, now: datetime, limit: int = 100) -> AsyncIterator[StreamParked]:
    """Streams on the wall clock whose deadline has passed and cannot be applied, with the reason. Records nothing."""
    for row in await store.list_overdue(Clock.WALL, now, limit):
        if (parked := await find_parked(store, row.stream, now)) is not None:
            yield parked


async def iterate_parked_on_paper(store: EventStore, now: datetime, limit: int = 100) -> AsyncIterator[StreamParked]:
    """The same of realms on a manual clock: the deadline that comes first, where it would let nothing later by.

    A deadline of which the clock has not been told yet is none. Records nothing.
    """
    realms = dict.fromkeys(row.stream.realm for row in await store.list_overdue(Clock.MANUAL, now, limit))
    for name in realms:
        row = await store.find_next_due(name, now)
        if row is None or row.due_at is None:
            continue
        if (parked := await find_parked(store, row.stream, row.due_at)) is not None:
            yield parked


async def _find_holder(store: EventStore, stream: StreamId, step: Step) -> StreamId | None:
    """The stream on which the step's id is journalled as something else; None if it is free, or is this very step.

    It is this very step if another worker has just recorded it: at this version, and asked for by nobody.
    """
    entry = await store.journalled(step.command_id)
    if entry is None:
        return None
    is_this = (entry.stream, entry.version, entry.type) == (stream, step.version, step.order.command.command_type)
    return None if is_this and Journal.read(entry).digest is None else entry.stream
