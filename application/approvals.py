"""Approvals for services: which are asked for, and waiting for one. The log is the memory, not the caller."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deciding.fold import fold
from domain.kernel.failure import Failure, FailureKind
from domain.kernel.state import Approval, Verdict

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from uuid import UUID

    from application.door import Door
    from domain.kernel.identity import StreamId
    from store.port import EventStore


class NoSuchApproval(Failure):
    """No approval of that id was ever asked for."""

    kind = FailureKind.NOT_FOUND
    remedy_zh = "venture approval list --all 列出全部"
    remedy_en = "venture approval list --all shows those that were"

    def __init__(self, approval_id: UUID) -> None:
        """Keep the id."""
        super().__init__(f"查無審批 {approval_id}", f"there is no approval {approval_id}", approval=str(approval_id))


class StillUndecided(Failure):
    """The approval was not decided within the time that the caller would wait."""

    kind = FailureKind.UNAVAILABLE
    remedy_zh = "可再次等候"
    remedy_en = "Wait again whenever you like"

    def __init__(self, approval_id: UUID, waited_s: float) -> None:
        """Keep the id, and how long it was waited for."""
        super().__init__(f"{waited_s:g} 秒內沒有結果", f"no decision within {waited_s:g} s", approval=str(approval_id))


@dataclass(frozen=True)
class StreamApproval:
    """An approval and the stream in which it was asked."""

    stream: StreamId
    approval: Approval

    def as_json(self) -> dict[str, Any]:
        """For a machine."""
        a = self.approval
        return {
            "id": str(a.id),
            "stream": str(self.stream),
            "gate": a.gate,
            "key": a.key,
            "role": str(a.role),
            "asked_at": a.asked_at.isoformat(),
            "until": a.until.isoformat() if a.until else None,
            "content_sha256": a.content,
            "verdict": str(a.verdict),
            "decided_by": str(a.decided_by) if a.decided_by else None,
            "decided_at": a.decided_at.isoformat() if a.decided_at else None,
        }


async def list_approvals(store: EventStore, *, stream: StreamId | None = None) -> AsyncIterator[StreamApproval]:
    """Every approval, open and ended, of that stream or of all, oldest first within a stream."""
    if stream is not None:
        for approval in await _of(store, stream):
            yield StreamApproval(stream, approval)
        return
    async for standing in store.standings():
        for approval in await _of(store, standing.stream):
            yield StreamApproval(standing.stream, approval)


async def _of(store: EventStore, stream: StreamId) -> tuple[Approval, ...]:
    return fold(stream, [e async for e in store.read(stream)]).approvals


async def find_approval(store: EventStore, approval_id: UUID) -> StreamApproval:
    """The approval of that id. Raises NoSuchApproval."""
    async for request in list_approvals(store):
        if request.approval.id == approval_id:
            return request
    raise NoSuchApproval(approval_id)


async def wait_for_decision(
    store: EventStore, door: Door, approval_id: UUID, timeout_s: float | None = None
) -> StreamApproval:
    """Wait until that approval is decided, as long as it takes, and say how.

    The log wakes whoever waits, whatever becomes of worker and Temporal meanwhile. Asked again later, the answer is the
    same. Raises TimeoutError after ``timeout_s`` seconds, NoSuchApproval if there is none.
    """
    request = await find_approval(store, approval_id)
    if request.approval.verdict is not Verdict.OPEN:
        return request
    async with asyncio.timeout(timeout_s):
        return StreamApproval(request.stream, await door.approvals.wait(request.stream, approval_id))
