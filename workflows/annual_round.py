"""One firing of an annual schedule: that year's round is opened, however long the way there takes."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy, SearchAttributeKey

with workflow.unsafe.imports_passed_through():
    from activities import names
    from domain.kernel.calendar import SHANGHAI
    from domain.registers.annual_round import Annual, AnnualOpening, AnnualOpeningResult

SCHEDULED = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")
"""When the schedule meant to fire, which an outage may lie behind."""
ONE_TRY = timedelta(seconds=60)
A_WHILE = timedelta(minutes=1)


@workflow.defn(name="AnnualRound")
class AnnualRoundWorkflow:
    """年度徵集: opens the round of the year for which the schedule fired."""

    @workflow.run
    async def run(self, annual: Annual) -> AnnualOpeningResult:
        """Ask until it is known; the command's id is derived from programme and year, so it is carried out once."""
        fired = workflow.info().typed_search_attributes.get(SCHEDULED) or workflow.now()
        opened: AnnualOpeningResult = await workflow.execute_activity(
            names.OPEN_ROUND,
            AnnualOpening(annual=annual, year=fired.astimezone(SHANGHAI).year),
            result_type=AnnualOpeningResult,
            start_to_close_timeout=ONE_TRY,
            retry_policy=RetryPolicy(maximum_interval=A_WHILE, non_retryable_error_types=["Malformed", "Defect"]),
        )
        return opened
