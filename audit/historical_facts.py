"""Streams as they stood at a version, and the readings that a journalled decision rested on."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from deciding.fold import fold
from domain.catalogue import AGGREGATES
from domain.kernel.facts import Facts, Reads
from domain.kernel.failure import Failure, FailureKind
from domain.registers.calendar import calendar_of, calendar_stream
from domain.registers.door_key import FIRST, key_stream
from domain.registers.scheme import scheme_of
from domain.round.budget import LATER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deciding.journal import Journal
    from domain.kernel.calendar import Calendar
    from domain.kernel.identifier import StreamId
    from domain.kernel.message import Command, Order
    from domain.kernel.scheme import Scheme
    from domain.kernel.state import SchemeRef, State
    from store.port import Entry, EventStore


NEVER: Final = sys.maxsize
"""The position of what is not in the log."""
_NO_READS = Reads()


class FactMissing(Failure):
    """Today's rules want a reading that was not journalled, or the log no longer has it as it was read."""

    kind = FailureKind.INTEGRITY

    def __init__(self, what: str) -> None:
        super().__init__(f"日誌中沒有當時所讀的 {what}", f"the log lacks what was read: {what}", reading=what)
        self.what = what

    def __str__(self) -> str:
        return self.what


@dataclass
class HistoricalFacts:
    """Reads each stream once and folds it as far as it is asked for."""

    store: EventStore
    _entries: dict[StreamId, Sequence[Entry]] = field(default_factory=dict)
    _genesis: bytes | None = None
    _first_key: int | None = None
    """The position of the log's first key, once it was looked for."""
    _states: dict[tuple[StreamId, int], State] = field(default_factory=dict)

    async def state_at(self, stream: StreamId, version: int) -> State:
        """The stream as it stood at that version. Raises FactMissing if it has never come so far."""
        entries = await self._read(stream)
        if version > len(entries):
            message = f"{stream} v{version}"
            raise FactMissing(message)
        known = self._states.get((stream, version))
        if known is None:
            known = self._states[stream, version] = fold(stream, entries[:version])
        return known

    async def newest_state(self, stream: StreamId) -> State:
        """The stream with all its events."""
        return await self.state_at(stream, len(await self._read(stream)))

    async def state_before(self, stream: StreamId, position: int) -> State:
        """The stream as it stood when the log had come to that position."""
        entries = await self._read(stream)
        return await self.state_at(stream, sum(e.position < position for e in entries))

    async def genesis(self) -> bytes:
        """The chain hash of the log's first entry; empty of an empty one."""
        if self._genesis is None:
            self._genesis = await self.store.genesis() or b""
        return self._genesis

    async def has_key_before(self, position: int) -> bool:
        """Whether a door's key stood in the log when it had come to that position."""
        if self._first_key is None:
            holders = (await self.store.read_many((), [FIRST])).claims.get(FIRST, frozenset())
            entries = [entry for holder in holders for entry in await self._read(key_stream(holder))]
            self._first_key = min((entry.position for entry in entries), default=NEVER)
        return self._first_key < position

    async def calendar(self, stream: StreamId, journal: Journal) -> Calendar:
        """The working days by which that command was judged. Raises FactMissing."""
        register = calendar_stream(stream.realm)
        return calendar_of(await self.state_at(register, journal.reads.get(register, 0)))

    async def streams(self, state: State, reads: Reads, journal: Journal, position: int) -> dict[StreamId, State]:
        """Those other streams as they were read for that command. Raises FactMissing."""
        return {other: await self._read_state(other, journal, position) for other in reads.streams - {state.stream}}

    async def facts(
        self, state: State, order: Order, journal: Journal, position: int, business: Reads = _NO_READS
    ) -> Facts:
        """The readings of that order, with those that say whose business it was. Raises FactMissing.

        A stream that the rules of that day did not ask for is read as it stood then; a claim or a balance is not kept
        for every instant, so it must have been journalled, unless no rule of that day asked for it.
        """
        aggregate, command = AGGREGATES[state.stream.kind], order.command
        reads = aggregate.reads(state, command) | business
        lacking = (reads.claims - journal.claims.keys()) | (reads.accounts - journal.balances.keys())
        unasked = frozenset(key for key in lacking if key.startswith(LATER))
        if lacking - unasked:
            raise FactMissing(", ".join(sorted(lacking - unasked)))
        streams = await self.streams(state, reads, journal, position)
        facts = Facts(
            calendar=await self.calendar(state.stream, journal),
            scheme=await self._read_scheme(state, command, streams, journal),
            streams=streams,
            claims={key: journal.claims[key] for key in reads.claims - unasked},
            balances={account: journal.balances[account] for account in reads.accounts - unasked},
            unasked=unasked,
        )
        while further := aggregate.reads_on(state, facts, order):
            read = await self.streams(state, Reads(further), journal, position)
            facts = replace(facts, streams={**facts.streams, **read})
        return facts

    async def _read_state(self, stream: StreamId, journal: Journal, position: int) -> State:
        version = journal.reads.get(stream)
        return await self.state_before(stream, position) if version is None else await self.state_at(stream, version)

    async def _read_scheme(
        self, state: State, command: Command, streams: dict[StreamId, State], journal: Journal
    ) -> Scheme | None:
        """The recorded rules: a published version never changes, so its register need not be read at a version."""
        if journal.scheme is None:
            return None
        ref = _governing_scheme(state, command, streams)
        if ref is None or str(ref) != journal.scheme:
            message = f"scheme {journal.scheme}; now {ref}"
            raise FactMissing(message)
        scheme = scheme_of(await self.newest_state(state.stream.sibling("scheme", ref.name)), ref)
        if scheme is None or scheme.edition != journal.edition:
            message = f"scheme {journal.scheme} edition {journal.edition}"
            raise FactMissing(message)
        return scheme

    async def _read(self, stream: StreamId) -> Sequence[Entry]:
        if stream not in self._entries:
            self._entries[stream] = (await self.store.read_many([stream])).streams.get(stream, ())
        return self._entries[stream]


def _governing_scheme(state: State, command: Command, streams: dict[StreamId, State]) -> SchemeRef | None:
    """Which rules hold: those of the stream itself, or else of the one that governs it."""
    governor = AGGREGATES[state.stream.kind].governed_by(state, command)
    return state.scheme or (streams[governor].scheme if governor in streams else None)
