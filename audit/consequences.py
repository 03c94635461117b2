"""Commands that an event asks of other streams, in its own append: who asked for one, and whether all were recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from deciding.fold import read_occurrence
from domain.catalogue import AGGREGATES
from domain.kernel.canonical import canonical, plain
from domain.kernel.identifier import consequence_command_id
from store.port import EntryKind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence
    from uuid import UUID

    from domain.kernel.identifier import StreamId
    from domain.kernel.message import Command, Event
    from store.port import Entry, EventStore

_PAGE: Final = 200


def list_consequences(
    stream: StreamId, events: Iterable[Event], command_id: UUID
) -> list[tuple[StreamId, Command, UUID]]:
    """What these events of one command ask of other streams, in order, with the ids that those commands bear."""
    aggregate = AGGREGATES[stream.kind]
    pairs = [pair for event in events for pair in aggregate.consequences(stream, event)]
    return [
        (other, command, consequence_command_id(command_id, number)) for number, (other, command) in enumerate(pairs)
    ]


async def list_unrecorded(store: EventStore, consequences: Sequence[tuple[StreamId, Command, UUID]]) -> list[str]:
    """Those of them that the journal does not have just so."""
    missing = []
    for other, command, command_id in consequences:
        entry = await store.journalled(command_id)
        just_so = (other, command.command_type, canonical(plain(command)))
        if entry is None or (entry.stream, entry.type, entry.data) != just_so:
            missing.append(f"{command.command_type} {other}")
    return missing


async def is_consequence(store: EventStore, entry: Entry) -> bool:
    """Whether a command in front of this one, in the same append, asked for it."""
    events: list[Entry] = []
    async for before in _iterate_backwards(store, entry.position):
        if before.recorded_at != entry.recorded_at:
            return False
        if before.kind is EntryKind.EVENT:
            events.insert(0, before)
            continue
        consequences = list_consequences(before.stream, [read_occurrence(e).event for e in events], before.command_id)
        if any((other, command_id) == (entry.stream, entry.command_id) for other, _, command_id in consequences):
            return True
        events.clear()
    return False


async def _iterate_backwards(store: EventStore, position: int) -> AsyncIterator[Entry]:
    """The log in front of that position, newest first."""
    while position > 1:
        after = max(0, position - 1 - _PAGE)
        for entry in reversed(await store.feed(after, position - 1 - after)):
            yield entry
        position = after + 1
