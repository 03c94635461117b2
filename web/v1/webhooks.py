"""``/v1/webhooks``: who is told of what happens, by signed calls after Standard Webhooks; for administrators."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from application.webhooks import FURTHEST, FreshSecret
from domain.kernel.identifier import Actor, Role, StreamId
from domain.kernel.scope import Scope
from store.identity import SeatGrant
from web.body import answer_with, describe_body, read_body, refer_to
from web.guard import ByCaller, ByHouse, GuardedRoute, Policy, allow
from web.links import names
from web.problems import Refusal, problem_responses

if TYPE_CHECKING:
    from application.caller import Caller
    from store.outbox import DeliveryLine, Endpoint

router = APIRouter(route_class=GuardedRoute, tags=["webhooks"])


class MessageLinks(BaseModel):
    """Where to read what a message is about, with a key of one's own."""

    event: str
    file: str


class MessageData(BaseModel):
    """What a message is about, and no more: who may read it reads it."""

    id: str
    """The event's: its position. With ``source`` unique for ever."""
    source: str
    stream: StreamId
    position: int
    links: MessageLinks


class WebhookMessage(BaseModel):
    """What an endpoint is sent: at least once, in no promised order, always under the same ``webhook-id``.

    Signed as Standard Webhooks 1.0 has it, by ``v1`` and ``v1a``. Answer 2xx within 15 s; 410 ends it.
    """

    type: Annotated[str, Field(examples=["venture.AwardConfirmed.v1"])]
    timestamp: datetime
    """When it was so."""
    data: MessageData


class WebhookBody(BaseModel):
    """An endpoint as it is asked for."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, Field(min_length=1, max_length=500, examples=["https://finance.example/venture"])]
    seat: Annotated[Actor, Field(max_length=40, examples=["CAB-FIN#1"])]
    """Whose sight limits what it is told."""
    scope: Scope | None = None
    """For whom that seat acts; null for the bureau's own."""
    types: Annotated[tuple[str, ...], Field(max_length=200)] = ()
    """Of events, as ``AwardConfirmed``; empty for all."""


class ReplayBody(BaseModel):
    """What is to be said once more: one delivery, or all of a range."""

    model_config = ConfigDict(extra="forbid")

    delivery: UUID | None = None
    after: Annotated[int, Field(ge=0, le=FURTHEST)] = 0
    """The position after which."""
    until: Annotated[int | None, Field(ge=0, le=FURTHEST)] = None
    """The position up to which; null to the end."""


class WebhookAnswer(BaseModel):
    """An endpoint as it stands."""

    id: Annotated[UUID, names("webhook_id")]
    url: str
    seats: list[Actor]
    types: tuple[str, ...]
    from_position: int
    made_at: datetime
    failing_since: datetime | None
    disabled_at: datetime | None
    disabled_why: str

    @classmethod
    def of(cls, endpoint: Endpoint) -> WebhookAnswer:
        """The endpoint without its secrets."""
        return cls(
            id=endpoint.id,
            url=endpoint.url,
            seats=[grant.seat for grant in endpoint.seats],
            types=endpoint.types,
            from_position=endpoint.from_position,
            made_at=endpoint.made_at,
            failing_since=endpoint.failing_since,
            disabled_at=endpoint.disabled_at,
            disabled_why=endpoint.disabled_why,
        )


class WebhookPage(BaseModel):
    """All endpoints."""

    webhooks: list[WebhookAnswer]


class WebhookSecretAnswer(BaseModel):
    """An endpoint's secret, shown once."""

    id: Annotated[UUID, names("webhook_id")]
    secret: Annotated[str, Field(examples=["whsec_…"])]
    """Verifies ``v1``."""
    public_key: Annotated[str, Field(examples=["whpk_…"])]
    """Verifies ``v1a``."""

    @classmethod
    def of(cls, fresh: FreshSecret) -> WebhookSecretAnswer:
        """The endpoint with its secrets, which are shown this once."""
        return cls(id=fresh.endpoint, secret=fresh.shared, public_key=fresh.public)


class DeliveryAnswer(BaseModel):
    """What was said, or is still to be said, to an endpoint, and how the last try went."""

    id: UUID
    position: int
    stream: StreamId
    type: str
    tries: int
    next_at: datetime | None
    delivered_at: datetime | None
    tried_at: datetime | None
    status: int | None
    said: str | None
    took_ms: int | None

    @classmethod
    def of(cls, line: DeliveryLine) -> DeliveryAnswer:
        """The delivery as it stands now."""
        names = cls.model_fields.keys() - {"stream"}
        values: dict[str, Any] = {name: getattr(line, name) for name in names}
        return cls(stream=StreamId(line.stream), **values)


class DeliveryPage(BaseModel):
    """Deliveries, the newest first."""

    deliveries: list[DeliveryAnswer]
    next: int | None
    """What the next page begins before; null at the end."""


class ReplayAnswer(BaseModel):
    """How much is said once more."""

    deliveries: int


def require_administrator(caller: Caller) -> None:
    """Raise Refusal for whoever holds no administrator's seat."""
    if not any(seat.role is Role.ADMIN for seat in caller.seats):
        raise Refusal(HTTPStatus.FORBIDDEN, "forbidden", "須系統管理員（ADMIN）", "this is for administrators (ADMIN)")


@router.post(
    "/v1/webhooks",
    response_model=WebhookSecretAnswer,
    status_code=HTTPStatus.CREATED,
    responses=problem_responses(401, 403, 408, 413, 415, 422, 429, 503),
    openapi_extra=describe_body(refer_to(WebhookBody)),
)
@allow(Policy.COMMAND)
async def add_webhook(request: Request, house: ByHouse, caller: ByCaller) -> Response:
    """Tell an address of what happens from now on. Its secret is shown this once."""
    require_administrator(caller)
    body = await read_body(request, WebhookBody)
    grants = (SeatGrant(seat=body.seat, scope=body.scope),)
    fresh = await house.webhooks.add(body.url, grants, body.types, made_by=caller.name, now=house.now())
    return answer_with(WebhookSecretAnswer.of(fresh), HTTPStatus.CREATED)


@router.get("/v1/webhooks", response_model=WebhookPage, responses=problem_responses(401, 403, 422, 429, 503))
@allow(Policy.READ)
async def list_webhooks(house: ByHouse, caller: ByCaller) -> WebhookPage:
    """Who is told, how it goes, and why one is told no more."""
    require_administrator(caller)
    return WebhookPage(webhooks=[WebhookAnswer.of(one) for one in await house.webhooks.list()])


@router.delete(
    "/v1/webhooks/{webhook_id}",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    responses=problem_responses(401, 403, 404, 422, 429, 503),
)
@allow(Policy.COMMAND)
async def remove_webhook(webhook_id: UUID, house: ByHouse, caller: ByCaller) -> Response:
    """Tell it nothing more, and forget what was to be said."""
    require_administrator(caller)
    await house.webhooks.remove(webhook_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.post(
    "/v1/webhooks/{webhook_id}/rotate",
    response_model=WebhookSecretAnswer,
    responses=problem_responses(401, 403, 404, 422, 429, 503),
)
@allow(Policy.COMMAND)
async def rotate_webhook(webhook_id: UUID, house: ByHouse, caller: ByCaller) -> WebhookSecretAnswer:
    """Sign with another secret; the one before signs too for a day."""
    require_administrator(caller)
    return WebhookSecretAnswer.of(await house.webhooks.rotate(webhook_id, now=house.now()))


@router.post(
    "/v1/webhooks/{webhook_id}/enable",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    responses=problem_responses(401, 403, 404, 422, 429, 503),
)
@allow(Policy.COMMAND)
async def enable_webhook(webhook_id: UUID, house: ByHouse, caller: ByCaller) -> Response:
    """Try again with one that was given up; what was to be said meanwhile is said."""
    require_administrator(caller)
    await house.webhooks.enable(webhook_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.get(
    "/v1/webhooks/{webhook_id}/deliveries",
    response_model=DeliveryPage,
    responses=problem_responses(401, 403, 404, 422, 429, 503),
)
@allow(Policy.READ)
async def list_deliveries(
    webhook_id: UUID,
    house: ByHouse,
    caller: ByCaller,
    before: Annotated[int, Query(ge=0, le=FURTHEST, description="The position before which to begin.")] = FURTHEST,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> DeliveryPage:
    """What was said to it and how that went, the newest first."""
    require_administrator(caller)
    await house.webhooks.find(webhook_id)
    lines = await house.webhooks.outbox.deliveries(webhook_id, before, limit)
    return DeliveryPage(
        deliveries=[DeliveryAnswer.of(line) for line in lines],
        next=lines[-1].position if len(lines) == limit else None,
    )


@router.post(
    "/v1/webhooks/{webhook_id}/replay",
    response_model=ReplayAnswer,
    status_code=HTTPStatus.ACCEPTED,
    responses=problem_responses(401, 403, 404, 408, 413, 415, 422, 429, 503),
    openapi_extra=describe_body(refer_to(ReplayBody)),
)
@allow(Policy.COMMAND)
async def replay_webhook(webhook_id: UUID, request: Request, house: ByHouse, caller: ByCaller) -> Response:
    """Say one thing, or all of a range, once more, under the same ids."""
    require_administrator(caller)
    body = await read_body(request, ReplayBody)
    if body.delivery is not None:
        await house.webhooks.replay_one(webhook_id, body.delivery, now=house.now())
        return answer_with(ReplayAnswer(deliveries=1), HTTPStatus.ACCEPTED)
    count = await house.webhooks.replay(webhook_id, after=body.after, until=body.until, now=house.now())
    return answer_with(ReplayAnswer(deliveries=count), HTTPStatus.ACCEPTED)
