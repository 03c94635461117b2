"""密封: what binds a bid that nobody has seen, and when it may be shown (SB04, SB05; docs/sealed.md).

Before the close the office holds a commitment and no content: nothing that a reader, a backup or an administrator
could open. Once m of n custodians have opened the round, the bidder hands in the very bid that was committed to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain.application import Application
from domain.kernel.calendar import local_day
from domain.kernel.canonical import digest
from domain.kernel.state import Part
from domain.round.custody import Custody

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.kernel.facts import Facts
    from domain.kernel.message import Order
    from domain.kernel.refusal import Checks
    from domain.kernel.state import State


@dataclass(frozen=True)
class Seal(Part):
    """The digest that the bidder committed to."""

    digest: str = ""
    """As ``commit``; empty for a bid that was never sealed."""


def commit(particulars: Mapping[str, object], nonce: str) -> str:
    """The commitment to a bid: SHA-256, in hex, over its particulars as plain JSON and a nonce that nobody guesses."""
    return digest({**particulars, "nonce": nonce})


def require_unsealed(
    check: Checks, state: State, facts: Facts, order: Order, round_: State, commitment: str | None
) -> None:
    """SB04: it was sealed in time, the custodians have opened the round, and it is the bid that was sealed."""
    sealed, custody = state.part(Seal).digest, round_.part(Custody)
    check(
        sealed,
        "SB04",
        "本屆密封申報：截止前未密封遞交，不予開啟",
        "applications of this call are sealed: this one was not, and stays unopened",
    )
    last = custody.find_last_day(facts.calendar)
    check(
        last is not None,
        "SB04",
        "尚未由 {quorum} 名開標監督人開啟，請勿提交內容",
        "{quorum} custodians have not opened the applications yet; show nothing before",
        quorum=custody.quorum,
    )
    check(
        last is None or local_day(order.at) <= last,
        "SB04",
        "開啟後提交至 {last} 止",
        "what was sealed was to be handed in by {last}",
        last=last,
    )
    check(
        not sealed or commitment == sealed,
        "SB04",
        "所提交的內容（校驗值 {found}）不是密封遞交的內容（校驗值 {sealed}）",
        "this is not what was sealed: its digest is {found}, not {sealed}",
        found=(commitment or "—")[:12],
        sealed=sealed[:12],
    )


def require_opening_over(check: Checks, state: State, facts: Facts, order: Order) -> None:
    """SB05: nobody is judged before everybody's time to hand in has passed."""
    if facts.scheme is None or facts.scheme.bidding.sealed is None:
        return
    round_ = facts.of(state.stream.sibling("round", state.part(Application).round or "NONE"))
    last = round_.part(Custody).find_last_day(facts.calendar)
    check(
        last is not None and local_day(order.at) > last,
        "SB05",
        "密封申報開啟後提交至 {last}，其後方可初審",
        "what was sealed is handed in until {last}; applications are reviewed after that",
        last=last or "—",
    )
