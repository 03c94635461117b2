"""What a stream's events add up to: bytes of the log decoded into events, commands and a state."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

from deciding.occurrence import occurrence
from domain.catalogue import AGGREGATES, command_class, decode
from domain.kernel.state import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from domain.kernel.identifier import StreamId
    from domain.kernel.message import Command, Occurrence
    from store.port import Entry, EventStore


def read_occurrence(entry: Entry) -> Occurrence:
    """The event of an entry, with when it was so and who caused it.

    Raises ValueError for other bytes, KeyError for a type that is not known.
    """
    return occurrence(entry, decode(entry.type, entry.schema_version, entry.data))


def fold(stream: StreamId, entries: Iterable[Entry], state: State | None = None) -> State:
    """What the events of the stream add up to."""
    return reduce(AGGREGATES[stream.kind].evolve, map(read_occurrence, entries), state or State(stream))


async def load_state(store: EventStore, stream: StreamId) -> State:
    """How the stream stands now; as one that has not begun, where it has no events. Raises StoreUnavailable."""
    return fold(stream, [entry async for entry in store.read(stream)])


def parse_command(command_type: str, body: Mapping[str, Any]) -> Command:
    """The command of that type with those particulars. Raises pydantic's ValidationError, or KeyError if unknown."""
    return command_class(command_type).model_validate(body)
