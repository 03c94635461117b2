"""One pass over the whole log: whether it is dense, unchanged and well-formed, and the rows beside it follow from it.

Everything is recomputed from content. It holds the states of streams and eight bytes a command, never the log. Entries
that are appended while it runs are taken along, so that rows beside the log are compared at one position; only their
rows in the ledger are left to the next pass.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from audit.documents import AttachmentCheck
from audit.finding import Finding, FindingKind
from audit.leaves import Leaves
from audit.repeats import Repeats
from audit.tables import Tables, build_stray_posting
from audit.time_slice import TimeSlice
from audit.views import ViewRowsCheck
from store.bytes import Frontier
from store.port import EntryKind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from application.documents import Documents
    from store.port import Entry, EventStore

PAGE: Final = 1000
"""Entries fetched at once."""
TRIES: Final = 12
"""How often rows that differ while the log grows are compared again before they are findings."""
MOST_WITNESSES: Final = 5
"""Rows that are named when they tell of entries beyond the end of the log."""
PAUSE_S: Final = 0.05
"""Seconds between two such comparisons."""


class VerificationProgress(Protocol):
    """Somebody who watches the pass."""

    def begin(self, entries: int) -> None:
        """A pass over that many entries begins."""

    def advance(self, position: int) -> None:
        """Everything up to that position is checked."""


class SilentProgress:
    """Shows no progress: for callers that nobody watches."""

    def begin(self, entries: int) -> None:
        """Show nothing of the beginning."""

    def advance(self, position: int) -> None:
        """Show nothing of the way."""


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
        """``SIZE:HEX``, as it is printed and given by ``--root``."""
        return f"{self.size}:{self.root.hex()}"


@dataclass(frozen=True)
class Verification:
    """What a verification of the log found."""

    entries: int
    """Entries checked."""
    events: int
    commands: int
    streams: int
    root: str
    """The RFC 6962 root over all positions, in hex: keep it outside, together with how many entries it is over."""
    unchanged_to: int = 0
    """The largest size of which a kept root agrees: history up to there is what it was. 0 if none agrees."""
    changed_by: int | None = None
    """The smallest size of which a kept root does not agree: something up to there was changed, cut or put in."""
    documents: int = 0
    """Documents whose bytes were read again; 0 if none were asked for."""
    deferred: int = 0
    """Documents that papers name and whose bytes are not here."""
    disposed: int = 0
    """Documents whose bytes were destroyed as two persons disposed of their files."""
    findings: tuple[Finding, ...] = field(default=())

    @property
    def ok(self) -> bool:
        """Whether everything agrees."""
        return not self.findings

    def as_json(self) -> dict[str, Any]:
        """As JSON: the root in hexadecimal digits; ``changed_by`` is null where every kept root agrees."""
        return {
            "ok": self.ok,
            "entries": self.entries,
            "events": self.events,
            "commands": self.commands,
            "streams": self.streams,
            "root": self.root,
            "unchanged_to": self.unchanged_to,
            "changed_by": self.changed_by,
            "documents": self.documents,
            "deferred": self.deferred,
            "disposed": self.disposed,
            "findings": [f.as_json() for f in self.findings],
        }


async def verify(
    store: EventStore,
    *,
    progress: VerificationProgress | None = None,
    roots: Sequence[Root] = (),
    documents: Documents | None = None,
) -> Verification:
    """Check everything; every finding is reported, not only the first.

    ``roots`` are those kept from earlier passes: history up to each must still be the same. Of ``documents``, if they
    are given, the bytes are read again. Raises StoreUnavailable, or DocumentsUnavailable.
    """
    return await _Pass(store, progress or SilentProgress(), roots, documents).run()


class _Pass:
    def __init__(
        self,
        store: EventStore,
        progress: VerificationProgress,
        roots: Sequence[Root],
        documents: Documents | None,
    ) -> None:
        self._store = store
        self._progress = progress
        self._roots = sorted(roots, key=lambda root: root.size)
        self._unchanged_to = 0
        self._changed_by: int | None = None
        self._beyond: list[tuple[str, int]] = []
        """What tells of entries beyond the end of the log, and how many there must have been."""
        self._findings: list[Finding] = []
        self._leaves = Leaves(self._findings.append)
        self._repeats = Repeats()
        self._views = ViewRowsCheck(self._leaves.threads)
        self._tables = Tables()
        self._documents = documents
        self._attachments = AttachmentCheck()
        self._tree = Frontier()
        self._time_slice = TimeSlice()
        self._reached = 0
        self._commands = 0

    async def run(self) -> Verification:
        last = await self._store.last_position()
        self._progress.begin(last)
        self._check_roots()
        ledger = self._tables.ledger(self._store.postings())
        async for entry in self._entries(last):
            self._take(entry)
            self._findings.extend([f async for f in ledger.compare(entry)])
        rest = await ledger.drain()
        self._leaves.end()
        await self._check_repeats()
        await self._catch_up()
        beyond = [posting for posting in rest if posting.position > self._reached]
        self._findings.extend(build_stray_posting(posting) for posting in beyond)
        self._beyond.extend(("postings", posting.position) for posting in beyond[-1:])
        await self._check_rows()
        if self._documents is not None:
            compared = self._attachments.compare(self._store, self._documents, self._leaves.realms)
            self._findings.extend([finding async for finding in compared])
        self._check_length()
        return Verification(
            entries=self._tree.size,
            events=self._tree.size - self._commands,
            commands=self._commands,
            streams=len(self._leaves.threads),
            root=self._tree.root().hex(),
            unchanged_to=self._unchanged_to,
            changed_by=self._changed_by,
            documents=self._attachments.kept,
            deferred=self._attachments.deferred,
            disposed=self._attachments.disposed,
            findings=tuple(sorted(self._findings, key=lambda f: (f.position or 0, f.stream or "", f.kind, f.subject))),
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
                self._findings.append(Finding(FindingKind.UNREADABLE, "stream, kind", str(error), self._reached))
                continue
            if not page:
                return
            for entry in page:
                yield entry
                self._reached = entry.position
                await self._time_slice.give_way()
            self._progress.advance(self._reached)

    def _take(self, entry: Entry) -> None:
        if entry.kind is EntryKind.COMMAND:
            self._commands += 1
            self._repeats.take(entry)
        self._tables.take(entry, self._leaves.take(entry))
        self._views.take(entry)
        self._attachments.take(entry)
        self._tree.add(entry.chain)
        self._check_roots()

    def _check_roots(self) -> None:
        """Whether the tree has grown to a size of which the root was kept, and has that root."""
        while self._roots and self._roots[0].size == self._tree.size:
            expected = self._roots.pop(0)
            root = self._tree.root()
            if root == expected.root:
                self._unchanged_to = expected.size
            else:
                self._changed_by = self._changed_by or expected.size
                self._findings.append(Finding(FindingKind.ROOT, expected.root.hex(), root.hex(), expected.size))

    def _check_length(self) -> None:
        """Whether the log was longer once: by a kept root, or by what rows beside it tell of."""
        beyond = [(f"root {root.size}", root.size) for root in self._roots] + self._beyond
        if self._roots:
            self._changed_by = self._changed_by or self._roots[0].size
        if beyond:
            longest = max(position for _, position in beyond)
            witnesses = ", ".join(dict.fromkeys(name for name, _ in beyond[:MOST_WITNESSES]))
            expected, actual = f"≥ {longest} entries ({witnesses})", f"{self._tree.size} entries"
            self._findings.append(Finding(FindingKind.CUT, expected, actual, self._tree.size or None))

    async def _compare_cursors(self) -> list[Finding]:
        """Followers that have been where the log does not reach."""
        cursors = await self._store.cursors()
        ahead = {name: position for name, position in cursors.items() if position > self._reached}
        return [
            Finding(FindingKind.CURSOR, f"≤ {self._reached}", str(position), self._reached or None, None, name)
            for name, position in sorted(ahead.items())
        ]

    async def _check_repeats(self) -> None:
        """Read the log once more only if two ids look alike."""
        shared = self._repeats.find_shared_halves()
        reached, until = 0, self._reached
        while shared and reached < until and (page := await self._store.feed(reached, PAGE)):
            reached = page[-1].position
            self._repeats.collect(page, shared)
        self._findings.extend(self._repeats.findings())

    async def _check_rows(self) -> None:
        """Compare the rows beside the log. One that an append changed meanwhile is compared again."""
        suspects = await self._compare_rows()
        for _ in range(TRIES):
            if not suspects or not await self._catch_up():
                break
            await asyncio.sleep(PAUSE_S)
            again = await self._compare_rows()
            suspects = {row: finding for row, finding in again.items() if row in suspects}
        self._findings.extend(suspects.values())
        self._beyond.extend(
            (f"follower {f.subject}", int(f.actual)) for f in suspects.values() if f.kind is FindingKind.CURSOR
        )
        if not {FindingKind.POSITION, FindingKind.UNREADABLE} & {f.kind for f in self._findings}:
            missing, end = self._leaves.missing_events, self._tree.size
            streams = [f.stream for f in suspects.values() if f.kind is FindingKind.HEAD and f.stream in missing]
            total = sum(missing[stream] for stream in streams if stream)
            self._beyond.extend((f"{stream}", end + total) for stream in streams)

    async def _compare_rows(self) -> dict[tuple[str, ...], Finding]:
        findings: list[Finding] = self._tables.compare_claims(await self._store.claims())
        findings += self._tables.compare_balances(await self._store.balances())
        findings += [f async for f in self._leaves.realms.compare(self._store)]
        findings += [f async for f in self._leaves.compare_standings(self._store)]
        findings += [f async for f in self._leaves.compare_heads(self._store)]
        findings += [f async for f in self._views.compare(self._store)]
        findings += await self._compare_cursors()
        return {_row_of(f): f for f in findings}

    async def _catch_up(self) -> bool:
        """Take along what was appended meanwhile; whether there was anything."""
        before = self._reached
        last = await self._store.last_position()
        async for entry in self._entries(last):
            self._take(entry)
        self._leaves.end()
        return self._reached > before


def _row_of(finding: Finding) -> tuple[str, ...]:
    """Which row it is about, whatever that row holds just now."""
    holder = (finding.expected, finding.actual) if finding.kind is FindingKind.CLAIM else ()
    return (finding.kind, finding.stream or "", finding.subject, *holder)
