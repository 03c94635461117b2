"""Command ids that the journal holds more than once, found with eight bytes of memory for each."""

from __future__ import annotations

from array import array
from itertools import pairwise
from typing import TYPE_CHECKING

from audit.finding import Finding, FindingKind
from store.port import EntryKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

    from store.port import Entry

_BUCKETS = 256


def _last_half(command_id: UUID) -> int:
    """64 bits that are random in every version of UUID that callers use (4, 5 and 7)."""
    return command_id.int & (2**64 - 1)


class Repeats:
    """Collects the halves of all ids; whole ids only of those whose halves are alike."""

    def __init__(self) -> None:
        self._buckets = [array("Q") for _ in range(_BUCKETS)]
        self._seen: dict[UUID, list[Entry]] = {}

    def take(self, command: Entry) -> None:
        """Note the id of that journal entry."""
        half = _last_half(command.command_id)
        self._buckets[half % _BUCKETS].append(half)

    def find_shared_halves(self) -> frozenset[int]:
        """The halves that occur more than once."""
        shared: set[int] = set()
        for bucket in self._buckets:  # one at a time, so that only one is ever held as a list
            halves = sorted(bucket)
            shared.update(a for a, b in pairwise(halves) if a == b)
        return frozenset(shared)

    def collect(self, page: Iterable[Entry], shared: frozenset[int]) -> None:
        """Look at the whole ids of those entries."""
        for entry in page:
            if entry.kind is EntryKind.COMMAND and _last_half(entry.command_id) in shared:
                self._seen.setdefault(entry.command_id, []).append(entry)

    def findings(self) -> Sequence[Finding]:
        """Every entry but the first that bears its id."""
        return [
            Finding(
                FindingKind.COMMAND_ID,
                f"{command_id} @{entries[0].position}",
                f"{command_id} @{again.position}",
                again.position,
                again.stream,
            )
            for command_id, entries in self._seen.items()
            for again in entries[1:]
        ]
