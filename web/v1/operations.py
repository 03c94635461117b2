"""``/v1/operations``: what was asked without waiting, in AIP-151's shape.

None can be cancelled: what was asked may be carried out already, and is then taken back by a command of its own.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from application.operations import OperationProgress
from application.pages import PageRequest
from domain.kernel.failure import Failure
from domain.kernel.identifier import Actor, StreamId
from domain.kernel.refusal import CommandRejected
from web.guard import ByCaller, ByHouse, ByLanguage, GuardedRoute, Policy, allow
from web.links import names
from web.problems import AGAIN_S, Problem, build_problem, problem_responses
from web.v1.receipt import ReceiptAnswer

if TYPE_CHECKING:
    from store.port import EventStore
    from web.language import Language

router = APIRouter(route_class=GuardedRoute, tags=["operations"])

MOST = 100
"""Rows of a page: each shows its receipt, for which its stream is read."""
LONGEST_WAIT_S = 60.0
"""Seconds that one request may wait."""
Wait = Annotated[float, Query(ge=0, le=LONGEST_WAIT_S, description="Seconds to wait for the end, at most.")]


class OperationMetadata(BaseModel):
    """What was asked."""

    command_id: Annotated[UUID, names("operation_id", "command_id")]
    """The Idempotency-Key under which it was."""
    command: str
    stream: StreamId
    seat: Actor
    asked_at: datetime | None


class OperationAnswer(BaseModel):
    """How an operation stands (AIP-151): when it is done there is either a response or an error, and never before."""

    name: str
    metadata: OperationMetadata
    done: bool
    response: dict[str, Any] | None = None
    """The receipt."""
    error: Problem | None = None


async def describe(store: EventStore, progress: OperationProgress, language: Language) -> OperationAnswer:
    """The operation as the interface tells it, done or not."""
    operation, outcome = progress.operation, progress.outcome
    failure: Failure | None = progress.failure
    answer = OperationAnswer(
        name=f"operations/{operation.id}",
        metadata=OperationMetadata(
            command_id=operation.id,
            command=operation.command,
            stream=operation.stream,
            seat=operation.actor,
            asked_at=operation.asked_at,
        ),
        done=progress.is_done,
    )
    if outcome is not None and not outcome.unmet:
        answer.response = (await ReceiptAnswer.of(store, outcome)).model_dump(mode="json")
    elif outcome is not None:
        failure = CommandRejected(outcome.unmet)
    if failure is not None:
        answer.error = build_problem(failure, language, str(operation.id))
    return answer


class OperationPage(BaseModel):
    """Operations, the newest first."""

    operations: list[OperationAnswer]
    next: str | None = None
    """What the next page begins after; left out at the end."""


@router.get(
    "/v1/operations",
    response_model=OperationPage,
    response_model_exclude_none=True,
    responses=problem_responses(401, 403, 422, 429, 503),
)
@allow(Policy.COMMAND)
async def list_operations(
    house: ByHouse,
    caller: ByCaller,
    language: ByLanguage,
    limit: Annotated[int, Query(ge=1, le=MOST, description="Rows of a page.")] = 20,
    after: Annotated[str | None, Query(max_length=2_000, description="«next» of the page before.")] = None,
    pending: Annotated[bool, Query(description="Only those that are not done.")] = False,  # noqa: FBT002 - of a query
) -> OperationPage:
    """The caller's own operations, the newest first: what a service that was restarted has still to look at."""
    operations = await house.operations.list(caller.name, PageRequest(limit=limit, after=after), is_pending=pending)
    return OperationPage(
        operations=[await describe(house.store, one, language) for one in operations.rows], next=operations.next
    )


@router.get(
    "/v1/operations/{operation_id}",
    response_model=OperationAnswer,
    response_model_exclude_none=True,
    responses=problem_responses(401, 403, 404, 422, 429, 503),
)
@allow(Policy.COMMAND)
async def get_operation(
    operation_id: UUID, response: Response, house: ByHouse, caller: ByCaller, language: ByLanguage, wait: Wait = 0
) -> OperationAnswer:
    """How an operation of the caller's stands. What no process is carrying out any more is taken up again."""
    progress = await house.operations.look(caller.name, operation_id, wait)
    if not progress.is_done:
        response.headers["Retry-After"] = str(AGAIN_S)
    return await describe(house.store, progress, language)
