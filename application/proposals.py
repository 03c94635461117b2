"""Acts of two, from a caller's side: what waits on a stream, and the confirmation that is bound to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deciding.fold import load_state
from domain.kernel.failure import Failure, FailureKind
from domain.kernel.proposal import ActProposed, ConfirmAct, Proposal, Proposals, ProposalStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from application.door import Receipt
    from domain.kernel.identifier import StreamId
    from store.port import EventStore


class NoSuchProposal(Failure):
    """Nothing waits there that has such a digest."""

    kind = FailureKind.NOT_FOUND
    remedy_zh = "venture act show 列出待確認者及其校驗值"
    remedy_en = "venture act show lists what waits, with its digest"

    def __init__(self, stream: StreamId, digest: str) -> None:
        super().__init__(
            f"{stream} 沒有校驗值為 {digest} 的待確認提案",
            f"nothing with the digest {digest} waits on {stream}",
            stream=stream,
            digest=digest,
        )


async def list_proposals(store: EventStore, stream: StreamId) -> Mapping[int, Proposal]:
    """Every act that was ever proposed on the stream, by number."""
    state = await load_state(store, stream)
    return state.part(Proposals).of


async def find_confirmation(store: EventStore, stream: StreamId, digest: str) -> ConfirmAct:
    """The confirmation of what waits there under that digest, or its beginning. Raises NoSuchProposal."""
    for number, proposal in (await list_proposals(store, stream)).items():
        if proposal.status is ProposalStatus.OPEN and digest and proposal.digest.startswith(digest):
            return ConfirmAct(proposal=number, digest=proposal.digest)
    raise NoSuchProposal(stream, digest)


def is_proposal(receipt: Receipt) -> bool:
    """Whether what was asked is proposed only, and waits for another person."""
    return receipt.events == (ActProposed.event_type,)
