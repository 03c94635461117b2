"""A workflow of somebody else's, written with nothing but the client's own distribution."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from venture_client.nexus import ApprovalAsked, Approvals


@workflow.defn(name="Caller")
class CallerWorkflow:
    """Waits for an approval and says how it was decided."""

    @workflow.run
    async def run(self, approval: str) -> str:
        """Wait as long as it takes."""
        client = workflow.create_nexus_client(service=Approvals, endpoint="venture-approvals")
        decision = await client.execute_operation(Approvals.wait, ApprovalAsked(approval))
        return f"GRANTED by {decision.decided_by}" if decision.is_granted else f"not granted: {decision.verdict}"
