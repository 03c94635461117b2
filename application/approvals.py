"""Approvals for services: which are asked for, and waiting for one. The log is the memory, not the caller."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deciding.fold import fold
from domain.kernel.failure import Failure, FailureKind
from domain.kernel.state import Approval, Verdict
from store.port import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from uuid import UUID

    from application.door import Door
    from domain.kernel.identity import StreamId
    from store.port import EventStore

_PAGE = 500
BETWEEN_RUNS_S = 1.0
"""A workflow that made way for its next run has not decided: a moment before it is asked again."""
LATE_S = 60.0
"""After so many seconds without a word the log is read again: of a decision that was recorded just when worker and
Temporal died, no workflow tells."""


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
    async for asking in list_approvals(store):
        if asking.approval.id == approval_id:
            return asking
    raise NoSuchApproval(approval_id)


async def wait_for_decision(
    store: EventStore, door: Door, approval_id: UUID, timeout_s: float | None = None
) -> StreamApproval:
    """Wait until that approval is decided, as long as it takes, and say how.

    The stream's workflow answers when the decision is recorded, and after a restart of anything the wait is taken up
    again; once a minute the log itself is looked at. Asked again later, the answer is the same. Raises TimeoutError
    after ``timeout_s`` seconds, NoSuchApproval if there is none.
    """
    asking = await find_approval(store, approval_id)
    async with asyncio.timeout(timeout_s):
        while asking.approval.verdict is Verdict.OPEN:
            telling = asyncio.create_task(door.settled(asking.stream, approval_id))
            try:
                asking = await _decided_while(telling, store, asking)
            finally:
                telling.cancel()
            if asking.approval.verdict is Verdict.OPEN:
                await asyncio.sleep(BETWEEN_RUNS_S)
    return asking


async def _decided_while(telling: asyncio.Task[None], store: EventStore, asking: StreamApproval) -> StreamApproval:
    """How the approval stands once its workflow has answered, or once it is decided though the workflow did not."""
    while asking.approval.verdict is Verdict.OPEN:
        answered, _ = await asyncio.wait({telling}, timeout=LATE_S)
        with suppress(StoreUnavailable):  # out of reach for the moment: the approval is as it was, ask again
            asking = await find_approval_in(store, asking.stream, asking.approval.id)
        if answered and asking.approval.verdict is Verdict.OPEN:
            telling.result()  # raises what kept it from answering
            break
    return asking


async def find_approval_in(store: EventStore, stream: StreamId, approval_id: UUID) -> StreamApproval:
    """The approval of that id in that stream. Raises NoSuchApproval."""
    for approval in await _of(store, stream):
        if approval.id == approval_id:
            return StreamApproval(stream, approval)
    raise NoSuchApproval(approval_id)
