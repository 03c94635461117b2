"""Named readings of everything outside the stream: fetched by the activity, given to ``decide`` as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from domain.kernel.calendar import Calendar
from domain.kernel.state import State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.kernel.identifier import StreamId
    from domain.kernel.refusal import Checks
    from domain.kernel.scheme import Scheme


@dataclass(frozen=True)
class Reads:
    """What a decision must know of other streams. All of it is checked again, at the version read, in the append."""

    streams: frozenset[StreamId] = frozenset()
    claims: frozenset[str] = frozenset()
    """Keys whose holders are wanted."""
    accounts: frozenset[str] = frozenset()
    """Ledger accounts whose balance is wanted."""

    def __or__(self, other: Reads) -> Reads:
        """Everything that either wants to know."""
        return Reads(self.streams | other.streams, self.claims | other.claims, self.accounts | other.accounts)


@dataclass(frozen=True)
class Facts:
    """What was read for one command, of other streams and of guards."""

    calendar: Calendar = field(default_factory=Calendar)
    scheme: Scheme | None = None
    """The rules pinned to the stream, or those of the round that the command cites."""
    streams: Mapping[StreamId, State] = field(default_factory=dict)
    claims: Mapping[str, frozenset[str]] = field(default_factory=dict)
    balances: Mapping[str, int] = field(default_factory=dict)
    """Fen."""
    unasked: frozenset[str] = frozenset()
    """Keys and accounts that a recorded decision did not ask for, since its rules did not know them yet."""

    def of(self, stream: StreamId) -> State:
        """That stream as it was read; blank if it has no events."""
        return self.streams.get(stream) or State(stream)

    def holders(self, key: str) -> frozenset[str]:
        """Who holds the key."""
        return self.claims.get(key, frozenset())

    def balance(self, account: str) -> int:
        """What lies on the account, in fen."""
        return self.balances.get(account, 0)


def require_scheme(check: Checks, facts: Facts) -> Scheme:
    """The rules that hold. Raises CommandRejected if none are pinned, since nothing can be judged then."""
    if (
        not check(facts.scheme, "S1", "本屆尚未選定管理辦法", "no rules have been chosen for this round")
        or not facts.scheme
    ):
        raise check.refuse()
    return facts.scheme
