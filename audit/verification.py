"""One pass over the whole log: whether it is dense, unchanged and well-formed, and the rows beside it follow from it.

Everything is recomputed from content. It holds the states of streams and eight bytes a command, never the log. Entries
that are appended while it runs are taken along, so that rows beside the log are compared at one position; only their
rows in the ledger are left to the next pass.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from audit.finding import Finding, What
from audit.leaves import Leaves
from audit.repeats import Repeats
from audit.tables import Tables, rebuild_tables
from store.bytes import Frontier
from store.port import EntryKind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from store.port import Entry, EventStore

PAGE: Final = 1000
"""Entries fetched at once."""
TRIES: Final = 12
"""How often rows that differ while the log grows are compared again before they are findings."""
PAUSE_S: Final = 0.05
"""Seconds between two such comparisons."""


class VerificationProgress(Protocol):
    """Somebody who watches the pass."""

    def began(self, entries: int) -> None:
        """A pass over that many entries begins."""

    def reached(self, position: int) -> None:
        """Everything up to that position is looked at."""


class SilentProgress:
    """Nobody watches."""

    def began(self, entries: int) -> None:
        """Look away."""

    def reached(self, position: int) -> None:
        """Look away."""


@dataclass(frozen=True)
class Root:
    """The root over the first ``size`` entries, as it was printed once and kept outside the database."""

    size: int
    root: bytes
    """32 bytes."""

    @classmethod
    def read(cls, text: str) -> Root:
        """Of ``SIZE:HEX``. Raises ValueError for another form."""
        size, colon, digits = text.strip().partition(":")
        root = bytes.fromhex(digits)
        if not colon or int(size) < 0 or len(root) != 32:  # noqa: PLR2004 - bytes of SHA-256
            message = f"{text}: 寫作 條數：64 位十六進制 / write SIZE:ROOT, a number and 64 hex digits"
            raise ValueError(message)
        return cls(int(size), root)

    def __str__(self) -> str:
        """As it is to be kept."""
        return f"{self.size}:{self.root.hex()}"


@dataclass(frozen=True)
class Verification:
    """What the pass came to."""

    entries: int
    """Entries looked at."""
    events: int
    commands: int
    streams: int
    root: str
    """The RFC 6962 root over all positions, in hex: keep it outside, together with how many entries it is over."""
    findings: tuple[Finding, ...] = field(default=())

    @property
    def ok(self) -> bool:
        """Whether everything agrees."""
        return not self.findings

    def as_json(self) -> dict[str, Any]:
        """For a machine."""
        return {
            "ok": self.ok,
            "entries": self.entries,
            "events": self.events,
            "commands": self.commands,
            "streams": self.streams,
            "root": self.root,
            "findings": [f.as_json() for f in self.findings],
        }


async def verify(
    store: EventStore, *, onlooker: VerificationProgress | None = None, kept: Sequence[Root] = ()
) -> Verification:
    """Look at everything; every finding is reported, not only the first.

    ``kept`` are roots from earlier passes: history up to each must still be the same. Raises StoreUnavailable.
    """
    return await _Pass(store, onlooker or SilentProgress(), kept).run()


class _Pass:
    def __init__(self, store: EventStore, onlooker: VerificationProgress, kept: Sequence[Root]) -> None:
        self._store = store
        self._onlooker = onlooker
        self._kept = sorted(kept, key=lambda root: root.size)
        self._findings: list[Finding] = []
        self._leaves = Leaves(self._findings.append)
        self._repeats = Repeats()
        self._tables = Tables()
        self._tree = Frontier()
        self._reached = 0
        self._commands = 0

    async def run(self) -> Verification:
        last = await self._store.last_position()
        self._onlooker.began(last)
        self._look_at_roots()
        ledger = self._tables.ledger(self._store.postings())
        async for entry in self._entries(last):
            self._take(entry)
            self._findings.extend([f async for f in ledger.differences(entry)])
        beyond = await ledger.rest()
        self._leaves.end()
        await self._look_at_repeats()
        await self._grown()
        self._findings.extend(rebuild_tables(posting) for posting in beyond if posting.position > self._reached)
        await self._look_at_rows()
        self._look_at_cut()
        return Verification(
            entries=self._tree.size,
            events=self._tree.size - self._commands,
            commands=self._commands,
            streams=len(self._leaves.threads),
            root=self._tree.root().hex(),
            findings=tuple(sorted(self._findings, key=lambda f: (f.position or 0, f.stream or "", f.what, f.subject))),
        )

    async def _entries(self, until: int) -> AsyncIterator[Entry]:
        """The log up to that position. An entry that cannot be read is a finding, and the next one is read."""
        size = PAGE
        while self._reached < until:
            try:
                page = await self._store.feed(self._reached, min(size, until - self._reached))
            except ValueError as error:
                if size > 1:
                    size = 1
                    continue
                self._reached += 1
                self._findings.append(Finding(What.UNREADABLE, "stream, kind", str(error), self._reached))
                continue
            if not page:
                return
            for entry in page:
                yield entry
                self._reached = entry.position
            self._onlooker.reached(self._reached)

    def _take(self, entry: Entry) -> None:
        if entry.kind is EntryKind.COMMAND:
            self._commands += 1
            self._repeats.take(entry)
        self._tables.take(entry, self._leaves.take(entry))
        self._tree.add(entry.chain)
        self._look_at_roots()

    def _look_at_roots(self) -> None:
        """Whether the tree has grown to a size of which the root was kept, and has that root."""
        while self._kept and self._kept[0].size == self._tree.size:
            kept = self._kept.pop(0)
            found = self._tree.root()
            if found != kept.root:
                self._findings.append(Finding(What.ROOT, kept.root.hex(), found.hex(), kept.size))

    def _look_at_cut(self) -> None:
        """Whether the log is shorter than it was when a root was kept."""
        for kept in self._kept:
            found = f"{self._tree.size} entries"
            self._findings.append(Finding(What.ROOT, f"{kept.size} entries", found, self._tree.size or None))

    async def _look_at_repeats(self) -> None:
        """Read the log once more only if two ids look alike."""
        alike = self._repeats.alike()
        reached, until = 0, self._reached
        while alike and reached < until and (page := await self._store.feed(reached, PAGE)):
            reached = page[-1].position
            self._repeats.look(page, alike)
        self._findings.extend(self._repeats.findings())

    async def _look_at_rows(self) -> None:
        """Compare the rows beside the log. One that an append changed meanwhile is compared again."""
        suspects = await self._differing()
        for _ in range(TRIES):
            if not suspects or not await self._grown():
                break
            await asyncio.sleep(PAUSE_S)
            again = await self._differing()
            suspects = {place: found for place, found in again.items() if place in suspects}
        self._findings.extend(suspects.values())

    async def _differing(self) -> dict[tuple[str, ...], Finding]:
        found: list[Finding] = self._tables.claims_differing(await self._store.claims())
        found += self._tables.balances_differing(await self._store.balances())
        found += [f async for f in self._leaves.standings_differing(self._store)]
        found += [f async for f in self._leaves.heads_differing(self._store)]
        return {_place(f): f for f in found}

    async def _grown(self) -> bool:
        """Take along what was appended meanwhile; whether there was anything."""
        before = self._reached
        last = await self._store.last_position()
        async for entry in self._entries(last):
            self._take(entry)
        self._leaves.end()
        return self._reached > before


def _place(found: Finding) -> tuple[str, ...]:
    """Which row it is about, whatever that row holds just now."""
    holder = (found.expected, found.found) if found.what is What.CLAIM else ()
    return (found.what, found.stream or "", found.subject, *holder)
