"""``/v1/operations/{id}``: what was asked without waiting, in AIP-151's shape."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from application.operations import Progress
from domain.kernel.failure import Failure
from domain.kernel.identity import Actor, StreamId
from domain.kernel.refusal import CommandRejected
from web.guard import ByCaller, ByHouse, ByLanguage, GuardedRoute, Policy, allow
from web.problems import AGAIN_S, Problem, build_problem, problem_responses
from web.v1.receipt import ReceiptAnswer

if TYPE_CHECKING:
    from store.port import EventStore
    from web.language import Language

router = APIRouter(route_class=GuardedRoute, tags=["operations"])

LONGEST_WAIT_S = 60.0
"""Seconds that one request may wait."""
Wait = Annotated[float, Query(ge=0, le=LONGEST_WAIT_S, description="Seconds to wait for the end, at most.")]


class OperationMetadata(BaseModel):
    """What was asked."""

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


async def describe(store: EventStore, progress: Progress, language: Language) -> OperationAnswer:
    """How it stands."""
    operation, outcome = progress.operation, progress.outcome
    failure: Failure | None = progress.failure
    answer = OperationAnswer(
        name=f"operations/{operation.id}",
        metadata=OperationMetadata(
            command=operation.command, stream=operation.stream, seat=operation.actor, asked_at=operation.asked_at
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
