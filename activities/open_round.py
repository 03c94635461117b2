"""``open_round``: one year of an annual round, opened as anybody would open it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import names
from domain.kernel.privacy import describe_error
from domain.registers.annual_round import AnnualOpening, AnnualOpeningResult
from schemes.document import DocumentInvalid

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class RoundActivities:
    """Opens rounds by whatever way it is given (application/annual_round.py)."""

    def __init__(self, open_round: Callable[[AnnualOpening], Awaitable[AnnualOpeningResult]]) -> None:
        self._open_round = open_round

    @activity.defn(name=names.OPEN_ROUND)
    async def open_round(self, request: AnnualOpening) -> AnnualOpeningResult:
        """Open that year's round. Rules that do not load are ``Malformed``: no retry would mend them."""
        try:
            return await self._open_round(request)
        except DocumentInvalid as wrong:
            raise ApplicationError(str(wrong), type="Malformed", non_retryable=True) from wrong
        except ValidationError as wrong:
            raise ApplicationError(describe_error(wrong), type="Malformed", non_retryable=True) from None
