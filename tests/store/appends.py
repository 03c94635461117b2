"""Appends in a word or two, for the store's sentences."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from domain.kernel.canonical import canonical
from domain.kernel.clock import Clock
from domain.kernel.identifier import StreamId
from store.bytes import GENESIS, chain_hash, leaf
from store.port import Append, AppendResult, AppendStatus, Entry, NewEvent, Standing, Write

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from domain.kernel.effects import Effect
    from store.port import EventStore

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def project(name: str = "AP-1", realm: str = "live") -> StreamId:
    return StreamId.of("project", realm, name)


def event(*effects: Effect, type: str = "Done", data: object = None) -> NewEvent:  # noqa: A002 - the field's name
    return NewEvent(type, 1, canonical({"actor": "SYS#1"}), canonical(data or {"note": "井水𠮷😀"}), tuple(effects))


def write(
    stream: StreamId,
    expected: int = 0,
    *events: NewEvent,
    command_id: UUID | None = None,
    at: datetime = NOON,
) -> Write:
    return Write(
        stream=stream,
        expected=expected,
        command_id=command_id or uuid4(),
        command_type="Do",
        occurred_at=at,
        meta=canonical({"actor": "CAB-REG#1"}),
        data=canonical({"what": "挖井"}),
        events=events,
    )


def group(
    *writes: Write,
    reads: Mapping[StreamId, int] | None = None,
    stage: str = "DRAFTED",
    due: datetime | None = None,
    clock: Clock = Clock.WALL,
    notified: bool = True,
) -> Append:
    """One append of those writes, with the standings that they lead to."""
    versions = {w.stream: w.expected + len(w.events) for w in writes}
    standings = tuple(Standing(s, v, stage, due, clock, canonical({"v": v}), notified) for s, v in versions.items())
    return Append(writes, standings, reads or {})


def one(stream: StreamId, expected: int = 0, *events: NewEvent, command_id: UUID | None = None) -> Append:
    """One command on one stream, with one event unless told otherwise."""
    return group(write(stream, expected, *(events or (event(),)), command_id=command_id))


def refusal(stream: StreamId, expected: int = 0) -> Append:
    """A command that led to nothing."""
    return group(write(stream, expected))


async def appended(store: EventStore, append: Append) -> AppendResult:
    """Append what must go through."""
    answer = await store.append(append)
    assert answer.status is AppendStatus.APPENDED, answer
    return answer


async def whole(store: EventStore) -> list[Entry]:
    """The whole log, with every position and every hash checked on the way."""
    entries: list[Entry] = []
    while page := await store.feed(len(entries)):
        entries.extend(page)
    check_log(entries)
    return entries


def check_log(entries: Iterable[Entry]) -> None:
    """Positions are dense, versions count, times do not go back, and each hash is what its stream's entries say."""
    chains: dict[StreamId, bytes] = {}
    versions: dict[StreamId, int] = {}
    before: Entry | None = None
    for position, entry in enumerate(entries, 1):
        assert entry.position == position
        assert before is None or before.recorded_at <= entry.recorded_at
        version = versions.get(entry.stream, 0) + (entry.kind == "event")
        assert entry.version == version
        chain = chain_hash(chains.get(entry.stream, GENESIS), leaf(entry))
        assert entry.chain == chain, f"position {position}"
        chains[entry.stream], versions[entry.stream], before = chain, version, entry
