"""What the events do to claims, accounts and the ledger, folded again and compared row by row with the store's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit.finding import NOTHING, Finding, FindingKind
from domain.kernel.effects import Claim, Post, Release
from store.port import Posting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from domain.kernel.effects import Effect
    from domain.kernel.identifier import StreamId
    from store.port import Entry


class Ledger:
    """Walks the ledger beside the log; neither is held."""

    def __init__(self, tables: Tables, postings: AsyncIterator[Posting]) -> None:
        self._tables = tables
        self._postings = postings
        self._next: Posting | None = None
        self._begun = False

    async def compare(self, entry: Entry) -> AsyncIterator[Finding]:
        """What differs between the rows up to this entry and what its event posts."""
        if not self._begun:
            self._begun = True
            await self._step()
        while self._next is not None and self._next.position < entry.position:
            yield build_stray_posting(self._next)
            await self._step()
        rows: list[Posting] = []
        while self._next is not None and self._next.position == entry.position:
            rows.append(self._next)
            await self._step()
        expected = self._tables.expected_postings
        if expected is not None and rows != expected:
            yield Finding(FindingKind.POSTING, _format_all(expected), _format_all(rows), entry.position, entry.stream)

    async def drain(self) -> list[Posting]:
        """Rows beyond the log as it was when this began: of entries appended since, or of none at all."""
        rest: list[Posting] = []
        if not self._begun:
            await self._step()
        while self._next is not None:
            rest.append(self._next)
            await self._step()
        return rest

    async def _step(self) -> None:
        self._next = await anext(self._postings, None)


class Tables:
    """Takes the log's events in order and keeps what the guards must hold after them."""

    def __init__(self) -> None:
        self._claims: dict[tuple[str, str], tuple[int, StreamId]] = {}
        self._balances: dict[str, tuple[int, int, StreamId]] = {}
        self.expected_postings: list[Posting] | None = []
        """What the newest entry posts; None if it is an event that was not understood."""

    def ledger(self, postings: AsyncIterator[Posting]) -> Ledger:
        """The ledger's rows, to be compared as this goes on."""
        return Ledger(self, postings)

    def take(self, entry: Entry, effects: Sequence[Effect] | None) -> None:
        """Apply what the entry does, asking nothing."""
        self.expected_postings = None if effects is None else []
        for effect in effects or ():
            match effect:
                case Claim():
                    self._claims.setdefault((effect.key, effect.holder), (entry.position, entry.stream))
                case Release():
                    self._claims.pop((effect.key, effect.holder), None)
                case Post():
                    self._post(Posting(entry.position, effect.source, effect.target, effect.fen), entry.stream)

    def _post(self, posting: Posting, stream: StreamId) -> None:
        for account, fen in ((posting.source, -posting.fen), (posting.target, posting.fen)):
            before = self._balances[account][0] if account in self._balances else 0
            self._balances[account] = (before + fen, posting.position, stream)
        if self.expected_postings is not None:
            self.expected_postings.append(posting)

    def compare_claims(self, rows: Sequence[tuple[str, str]]) -> list[Finding]:
        """Claims that no event made or that one gave back, and claims that are missing."""
        claims = set(rows)
        missing = [
            Finding(FindingKind.CLAIM, holder, NOTHING, position, stream, key)
            for (key, holder), (position, stream) in self._claims.items()
            if (key, holder) not in claims
        ]
        stray = [
            Finding(FindingKind.CLAIM, NOTHING, holder, None, None, key)
            for key, holder in sorted(claims - self._claims.keys())
        ]
        return missing + stray

    def compare_balances(self, rows: Mapping[str, int]) -> list[Finding]:
        """Accounts whose balance is not the sum of what was posted."""
        findings = []
        for account in sorted(rows.keys() | self._balances.keys()):
            fen, position, stream = self._balances.get(account, (None, None, None))
            if rows.get(account) != fen:
                findings.append(
                    Finding(
                        FindingKind.BALANCE, _format_fen(fen), _format_fen(rows.get(account)), position, stream, account
                    )
                )
        return findings


def build_stray_posting(posting: Posting) -> Finding:
    """A row of the ledger that no event made."""
    return Finding(FindingKind.POSTING, NOTHING, _format_posting(posting), posting.position)


def _format_posting(posting: Posting) -> str:
    return f"{posting.source} → {posting.target} {posting.fen} fen"


def _format_fen(fen: int | None) -> str:
    return NOTHING if fen is None else f"{fen} fen"


def _format_all(postings: Sequence[Posting]) -> str:
    return "; ".join(map(_format_posting, postings)) or NOTHING
