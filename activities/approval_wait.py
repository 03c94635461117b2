"""``wait_for_approval``: on behalf of a workflow of others, until an approval is decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import names
from activities.heartbeat import heartbeat
from domain.approval.wire import ApprovalAsked, ApprovalDecided
from domain.kernel.failure import Failure, FailureKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

HEARTBEAT_S = 10.0
"""Thousands may wait, each for days: a sign of life from each, in seconds, less often than from who decides."""


class ApprovalActivities:
    """Waits by whatever way it is given (application/approvals.py); who waits costs a place of its own queue only."""

    def __init__(self, wait: Callable[[ApprovalAsked], Awaitable[ApprovalDecided]]) -> None:
        self._wait = wait

    @activity.defn(name=names.WAIT_FOR_APPROVAL)
    async def wait_for_approval(self, question: ApprovalAsked) -> ApprovalDecided:
        """How it was decided. One that was never asked for is ``NotFound``: no retry would find it."""
        try:
            async with heartbeat(HEARTBEAT_S):
                return await self._wait(question)
        except Failure as failure:
            lost = failure.kind is FailureKind.NOT_FOUND
            kind = "NotFound" if lost else "NotKnown"
            raise ApplicationError(failure.en, type=kind, non_retryable=lost) from failure
