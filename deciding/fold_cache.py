"""The folds of the streams that a worker saw last, so that a command reads only what is new.

A fold is kept with the version and the chain hash of its last event, and is extended only where the log, asked again,
still has that very event: on a database that was set back, the stream is read from its beginning (design.md §4).
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deciding.fold import fold
from domain.kernel.state import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.kernel.identifier import StreamId
    from store.port import Entry

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
    """What this worker remembers, of ``most`` streams; nothing that the log does not say."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._folds: OrderedDict[StreamId, CachedFold] = OrderedDict()
        self.is_founded = False
        """Whether the office was founded, as it is once and for all."""
        self.on_manual_clock: set[str] = set()
        """Realms that were on a manual clock when they were read last."""

    def __len__(self) -> int:
        return len(self._folds)

    def recall(self, stream: StreamId) -> CachedFold:
        """The stream as it is remembered; blank if it is not."""
        cached = self._folds.get(stream)
        if cached is None:
            return CachedFold(State(stream), b"")
        self._folds.move_to_end(stream)
        return cached

    def forget(self, stream: StreamId) -> None:
        """Read it from its beginning the next time."""
        self._folds.pop(stream, None)

    def extend(self, cached: CachedFold, entries: Sequence[Entry]) -> State:
        """The stream as it stands, from what was remembered of it and its events from that version on.

        Raises StaleFold if they do not begin with the last event that was remembered.
        """
        stream = cached.state.stream
        if cached.chain:
            if not entries or (entries[0].version, entries[0].chain) != (cached.state.version, cached.chain):
                self.forget(stream)
                raise StaleFold(stream)
            entries = entries[1:]
        if not entries:
            return cached.state
        state = fold(stream, entries, cached.state)
        self._folds[stream] = CachedFold(state, entries[-1].chain)
        self._folds.move_to_end(stream)
        if len(self._folds) > self._most:
            self._folds.popitem(last=False)
        return state
