"""Waiting for an approval on behalf of a workflow of others, which asks by Nexus: one run for all who wait for it."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities import names
    from domain.approval.wire import ApprovalAsked, ApprovalDecided

ONE_TRY = timedelta(days=1)
"""After a day the waiting is taken up anew; the log has the answer, however long it takes."""
WITHOUT_A_SIGN = timedelta(seconds=30)
"""After so long without a heartbeat another worker waits instead."""
A_WHILE = timedelta(seconds=30)


@workflow.defn(name="ApprovalWait")
class ApprovalWaitWorkflow:
    """等候審批: ends with how it was decided, and holds nothing that the log has not."""

    @workflow.run
    async def run(self, question: ApprovalAsked) -> ApprovalDecided:
        """Wait for the decision, as long as it takes."""
        decision: ApprovalDecided = await workflow.execute_activity(
            names.WAIT_FOR_APPROVAL,
            question,
            result_type=ApprovalDecided,
            start_to_close_timeout=ONE_TRY,
            heartbeat_timeout=WITHOUT_A_SIGN,
            retry_policy=RetryPolicy(maximum_interval=A_WHILE, non_retryable_error_types=["NotFound"]),
        )
        return decision
