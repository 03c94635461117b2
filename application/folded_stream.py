"""A stream folded: its events, and where it came to stand otherwise; what was read once is not decoded again."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from deciding.fold import read_occurrence
from domain.catalogue import AGGREGATES
from domain.kernel.state import State
from domain.project.aggregate import PROJECT
from domain.project.money import Money
from domain.project.tranches import Tranches

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from domain.kernel.identifier import StreamId
    from domain.kernel.message import Occurrence
    from store.port import Entry


@dataclass(frozen=True)
class Chapter:
    """One event of a story."""

    at: datetime
    position: int
    stream: StreamId
    occurrence: Occurrence
    recorded_at: datetime
    """When it was recorded, UTC; ``at`` is when it was so."""
    by_day: bool = False
    """Whether of both only the day is told, as its beginning: to whom who acted is withheld."""
    withheld: frozenset[str] = frozenset()
    """Fields of the event that whoever reads does not see: it lacks them (``domain.visibility``)."""


@dataclass(frozen=True)
class StateChange:
    """An event with which a stream came to another stage, or its money to another figure."""

    at: datetime
    position: int
    event_type: str
    stage: str
    """Where it stood then."""
    figures: Mapping[str, int]
    """Of its money then, in fen, as ``sum_money`` names them."""


@dataclass(frozen=True)
class FoldedStream:
    """What a stream's events came to, up to one of them."""

    state: State
    chapters: tuple[Chapter, ...] = ()
    changes: tuple[StateChange, ...] = ()
    """Not every state on the way: of a long file they would be many times as large as itself."""
    head: bytes = b""
    """The chain hash of the last, which no other events of the stream up to it have."""

    def is_start_of(self, entries: Sequence[Entry]) -> bool:
        """Whether those events are these, and whatever came after them."""
        first = entries[: len(self.chapters)]  # not the last alone: who is shown some only may end with the same
        is_same = [entry.position for entry in first] == [chapter.position for chapter in self.chapters]
        return is_same and (not first or first[-1].chain == self.head)

    def follow(self, entries: Sequence[Entry]) -> FoldedStream:
        """The fold with the events that came after these."""
        evolve = AGGREGATES[self.state.stream.kind].evolve
        state, head, chapters, changes = self.state, self.head, [*self.chapters], [*self.changes]
        for entry in entries[len(chapters) :]:
            occurrence, head = read_occurrence(entry), entry.chain
            state = evolve(state, occurrence)
            chapters.append(Chapter(entry.occurred_at, entry.position, entry.stream, occurrence, entry.recorded_at))
            figures = sum_money(state)
            if not changes or (changes[-1].stage, changes[-1].figures) != (state.stage, figures):
                changes.append(StateChange(entry.occurred_at, entry.position, entry.type, state.stage, figures))
        return FoldedStream(state, tuple(chapters), tuple(changes), head)


MOST_EVENTS: Final = 20_000
"""Decoded events that are kept at hand: some 50 MB."""


class _AtHand:
    """Streams that were folded last. What the chain hash of their last event covers never becomes another."""

    def __init__(self) -> None:
        self._streams: OrderedDict[StreamId, FoldedStream] = OrderedDict()
        self._events = 0

    def find(self, stream: StreamId) -> FoldedStream | None:
        return self._streams.get(stream)

    def keep(self, fold: FoldedStream) -> None:
        """Keep it in place of what it goes on from, and let go of those that nobody has asked for longest."""
        former = self._streams.pop(fold.state.stream, None)
        self._streams[fold.state.stream] = fold
        self._events += len(fold.chapters) - (len(former.chapters) if former is not None else 0)
        while self._events > MOST_EVENTS:
            _, gone = self._streams.popitem(last=False)
            self._events -= len(gone.chapters)


_AT_HAND: Final = _AtHand()


def fold_stream(stream: StreamId, entries: Sequence[Entry]) -> FoldedStream:
    """What those events of the stream came to."""
    former = _AT_HAND.find(stream)
    if former is not None and former.is_start_of(entries):
        fold = former.follow(entries)
    else:
        fold = FoldedStream(State(stream)).follow(entries)
    if former is None or len(fold.chapters) >= len(former.chapters):  # a look at the past does not displace the present
        _AT_HAND.keep(fold)
    return fold


def sum_money(state: State) -> dict[str, int]:
    """What a project's money comes to, in fen, by what a page calls it; of another file what stands in its envelope."""
    if state.stream.kind != "project":
        envelope = AGGREGATES[state.stream.kind].summary(state).get("envelope")
        return {"amount": envelope} if isinstance(envelope, int) else {}
    money, summary = state.part(Money), PROJECT.summary(state)
    return {
        "money_requested": int(str(summary["requested"])),
        "money_award": int(str(summary["award"])),
        "money_paid": money.paid,
        "money_unpaid": sum(one.remainder for one in state.part(Tranches).of.values()),
        "money_outstanding": int(str(summary["outstanding"])),
        "money_returned": money.returned + money.clawed_back,
        "money_net": money.net,
    }
