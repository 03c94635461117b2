"""The folds of the streams that a worker saw last, so that a command reads only what is new.

A fold is kept with the version and the chain hash of its last event, and goes on only where the log, asked again, still
has that very event: on a database that was set back, the stream is read from its beginning (design.md §4).
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic import ValidationError

from deciding.decision import Reader, fold, parse_command
from domain.catalogue import AGGREGATES
from domain.kernel.facts import Reads
from domain.kernel.state import State
from domain.registers.calendar import CALENDAR_NAME, calendar_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from domain.kernel.envelope import CarryOut
    from domain.kernel.identity import StreamId
    from domain.kernel.message import Command
    from store.port import Entry, Loaded

MOST = 2_000
"""Streams whose folds are kept; the one not seen for longest goes first."""


@dataclass(frozen=True, slots=True)
class CachedFold:
    """A stream as it stood at a version."""

    state: State
    chain: bytes
    """The chain hash of its last event; empty if it has none."""


class StaleFold(Exception):
    """The log does not have the event that a fold ended with: read the stream from its beginning."""


class FoldCache:
    """What this worker remembers; nothing that the log does not say."""

    def __init__(self, most: int = MOST) -> None:
        """Remember that many."""
        self._most = most
        self._kept: OrderedDict[StreamId, CachedFold] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def known(self, stream: StreamId) -> CachedFold:
        """The stream as it is remembered; blank if it is not."""
        found = self._kept.get(stream)
        if found is None:
            return CachedFold(State(stream), b"")
        self._kept.move_to_end(stream)
        return found

    def forget(self, stream: StreamId) -> None:
        """Read it from its beginning the next time."""
        self._kept.pop(stream, None)

    def go_on(self, known: CachedFold, entries: Sequence[Entry]) -> State:
        """The stream as it stands, from what was known of it and its events from that version on.

        Raises Moved if they do not begin with the last event that was known.
        """
        stream = known.state.stream
        if known.chain:
            if not entries or (entries[0].version, entries[0].chain) != (known.state.version, known.chain):
                self.forget(stream)
                raise StaleFold(stream)
            entries = entries[1:]
        if not entries:
            return known.state
        state = fold(stream, entries, known.state)
        self._kept[stream] = CachedFold(state, entries[-1].chain)
        self._kept.move_to_end(stream)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return state


@dataclass
class CachedReader(Reader):
    """Reads what is new since the worker last looked; ``begin`` asks in one go for all that is likely to be wanted."""

    folds: FoldCache = field(default_factory=FoldCache)
    _at_hand: dict[StreamId, State] = field(default_factory=dict)

    async def begin(self, asked: CarryOut) -> tuple[Loaded, State]:
        """The stream that is asked of, its realm's clock, and whether the command is journalled."""
        stream, command_id = asked.stream, asked.envelope.command_id if asked.envelope else None
        likely = self._likely(asked)
        try:
            loaded, state = await self._consulted(stream, command_id, likely)
        except StaleFold:
            loaded, state = await self._consulted(stream, command_id, likely)
        return loaded, state

    async def fetch(self, wanted: Reads) -> None:
        """Make sure that these readings are at hand."""
        streams = wanted.streams - self.states.keys()
        claims, accounts = wanted.claims - self.claims.keys(), wanted.accounts - self.balances.keys()
        self.states.update({s: self._at_hand[s] for s in streams if s in self._at_hand})
        lacking = sorted(streams - self._at_hand.keys())
        if lacking:
            further = Reads(frozenset(lacking), claims, accounts)
            try:
                _, self.states[lacking[0]] = await self._consulted(lacking[0], None, further)
            except StaleFold:
                _, self.states[lacking[0]] = await self._consulted(lacking[0], None, further)
            self.states.update({s: self._at_hand[s] for s in lacking[1:]})
        elif claims or accounts:
            self.keep(await self.store.read_many((), claims, accounts))

    async def _consulted(self, stream: StreamId, command_id: UUID | None, wanted: Reads) -> tuple[Loaded, State]:
        """Ask for everything at once and fold it. Raises Moved, after which nothing that was moved is remembered."""
        known = {s: self.folds.known(s) for s in {stream, *wanted.streams}}
        versions = {s: fold.state.version for s, fold in known.items()}
        loaded, found = await self.store.consult(stream, command_id, versions, wanted.claims, wanted.accounts)
        states = self._folded(known, {**found.streams, stream: loaded.events})
        self._at_hand.update({s: state for s, state in states.items() if s != stream})
        self.keep(found)
        return loaded, states[stream]

    def _folded(
        self, known: Mapping[StreamId, CachedFold], entries: Mapping[StreamId, Sequence[Entry]]
    ) -> dict[StreamId, State]:
        states: dict[StreamId, State] = {}
        moved: list[StaleFold] = []
        for stream, fold_of in known.items():
            try:
                states[stream] = self.folds.go_on(fold_of, entries.get(stream, ()))
            except StaleFold as one:
                moved.append(one)
        if moved:
            raise moved[0]
        return states

    def _likely(self, asked: CarryOut) -> Reads:
        """What deciding will want, as far as what is remembered tells; the rest is fetched when it is known."""
        state = self.folds.known(asked.stream).state
        calendar = asked.stream.sibling("calendar", CALENDAR_NAME)
        likely = Reads(streams=frozenset({calendar}))
        aggregate = AGGREGATES[asked.stream.kind]
        try:
            command = self._command(asked, state, calendar)
            if command is None:
                return likely
            likely |= aggregate.reads(state, command)
            governor = aggregate.governed_by(state, command)
        except (KeyError, ValidationError):  # a defect or a wrong form: found when it is decided, and said there
            return likely
        ref = state.scheme or (self.folds.known(governor).state.scheme if governor else None)
        rules = frozenset({asked.stream.sibling("scheme", ref.name)}) if ref else frozenset()
        return Reads((likely.streams | rules) - {asked.stream}, likely.claims, likely.accounts)

    def _command(self, asked: CarryOut, state: State, calendar: StreamId) -> Command | None:
        """The command that is asked, or that of the deadline that is nearest."""
        if asked.envelope is not None:
            return parse_command(asked.envelope.command, asked.envelope.body)
        due = AGGREGATES[asked.stream.kind].due(state, calendar_of(self.folds.known(calendar).state))
        return due.command if due else None
