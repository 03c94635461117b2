"""Acts of two, from a caller's side: what waits on a stream, and the confirmation that is bound to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from application.queries import now_in
from deciding.fold import load_state
from domain.kernel.failure import Failure, FailureKind
from domain.kernel.proposal import ActProposed, ConfirmAct, Proposal, Proposals, ProposalStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from application.door import Receipt
    from domain.kernel.identifier import StreamId
    from store.port import EventStore


class NoSuchProposal(Failure):
    """Nothing waits there, or nothing that has such a digest."""

    kind = FailureKind.NOT_FOUND
    remedy_zh = "venture act show 列出待確認者及其校驗值"
    remedy_en = "venture act show lists what waits, with its digest"

    def __init__(self, stream: StreamId, digest: str | None) -> None:
        if digest is None:
            super().__init__(f"{stream} 沒有待確認的提案", f"nothing waits on {stream}", stream=stream)
        else:
            super().__init__(
                f"{stream} 沒有校驗值為 {digest} 的待確認提案",
                f"nothing with the digest {digest} waits on {stream}",
                stream=stream,
                digest=digest,
            )


class SeveralProposals(Failure):
    """More than one waits there: the digest says which is meant."""

    kind = FailureKind.USAGE
    remedy_zh = "請以校驗值指明一項"
    remedy_en = "Name one of them by its digest"

    def __init__(self, stream: StreamId, proposals: Iterable[Proposal]) -> None:
        digests = [proposal.digest for proposal in proposals]
        listed = [digest[:8] for digest in digests]
        super().__init__(
            f"{stream} 有不止一項提案待確認，校驗值：{'、'.join(listed)}",
            f"several proposals wait on {stream}, with the digests {', '.join(listed)}",
            stream=stream,
            digests=digests,
        )


async def list_proposals(store: EventStore, stream: StreamId) -> Mapping[int, Proposal]:
    """Every act that was ever proposed on the stream, by number."""
    state = await load_state(store, stream)
    return state.part(Proposals).of


async def list_confirmable(store: EventStore, stream: StreamId) -> Mapping[int, Proposal]:
    """Those that may be confirmed now, by number: neither confirmed nor dropped, and not lapsed."""
    return _keep_open(await list_proposals(store, stream), await now_in(store, stream))


async def find_confirmation(store: EventStore, stream: StreamId, digest: str | None = None) -> ConfirmAct:
    """The confirmation of what waits there under that digest, or its beginning; without one, of all that waits there.

    One that lapsed is found by its digest where none that waits has it: the rule that refuses it says so.
    Raises NoSuchProposal, SeveralProposals.
    """
    proposals, now = await list_proposals(store, stream), await now_in(store, stream)
    matches = proposals if digest is None else _match(proposals, digest)
    lapsed = {} if digest is None else {n: p for n, p in matches.items() if p.status is ProposalStatus.OPEN}
    candidates = _keep_open(matches, now) or lapsed
    if not candidates:
        raise NoSuchProposal(stream, digest)
    number, proposal = require_one(stream, candidates)
    return ConfirmAct(proposal=number, digest=proposal.digest)


def require_one(stream: StreamId, proposals: Mapping[int, Proposal]) -> tuple[int, Proposal]:
    """The only one of them, with its number. Raises SeveralProposals."""
    if len(proposals) > 1:
        raise SeveralProposals(stream, proposals.values())
    (one,) = proposals.items()
    return one


def _keep_open(proposals: Mapping[int, Proposal], now: datetime) -> Mapping[int, Proposal]:
    return {number: proposal for number, proposal in proposals.items() if proposal.is_open(now)}


def _match(proposals: Mapping[int, Proposal], digest: str) -> Mapping[int, Proposal]:
    return {number: one for number, one in proposals.items() if digest and one.digest.startswith(digest)}


def is_proposal(receipt: Receipt) -> bool:
    """Whether what was asked is proposed only, and waits for another person."""
    return receipt.events == (ActProposed.event_type,)
