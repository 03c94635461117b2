"""Waiting for something to become so, no longer than a test may."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from application.approvals import ApprovalFilter, list_approvals
from application.pages import PageRequest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from application.approvals import StreamApproval
    from domain.kernel.identifier import StreamId
    from store.port import EventStore

EVERY_S = 0.05


async def until(holds: Callable[[], Awaitable[object]], *, within_s: float = 60.0) -> None:
    """Come back as soon as it holds. Raises TimeoutError when it will not any more, however busy the machine is."""
    async with asyncio.timeout(within_s):
        while not await holds():  # noqa: ASYNC110 - what is waited for lives in other processes
            await asyncio.sleep(EVERY_S)


async def list_asked(store: EventStore, stream: StreamId) -> Sequence[StreamApproval]:
    """The approvals that were asked for in that stream, once the view has everything that the log holds now."""
    request = PageRequest(at_least=await store.last_position())
    return (await list_approvals(store, ApprovalFilter(stream=stream), request)).rows
