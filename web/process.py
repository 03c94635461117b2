"""How the process fares, what the interface is, and the schemas that events and commands are of: for anybody."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from application.doctor import examine_door_key
from domain.catalogue import command_class, event_class
from domain.kernel.failure import Failure
from store.port import StoreUnavailable
from web.guard import ByHouse, GuardedRoute, Policy, allow
from web.problems import Refusal, problem_responses

if TYPE_CHECKING:
    from pydantic import BaseModel

router = APIRouter(route_class=GuardedRoute, tags=["process"])

LONGEST_LOOK_S = 2.0
"""How long the log may take to answer before it is taken to be away."""


@router.get("/healthz", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
@allow(Policy.ANYBODY)
async def say_alive() -> Response:
    """The process lives."""
    return Response("alive\n", media_type="text/plain")


@router.get(
    "/readyz",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}, 503: {"content": {"text/plain": {}}, "description": "Not ready."}},
)
@allow(Policy.ANYBODY)
async def say_ready(house: ByHouse) -> Response:
    """The log answers, and takes in what is signed here. Without Temporal, too; commands then are "not known"."""
    key = house.door.key.id if house.door.key else None
    try:
        async with asyncio.timeout(LONGEST_LOOK_S):
            await house.store.last_position()
            signing = await examine_door_key(house.store, key, publishes_itself=house.is_local)
    except (StoreUnavailable, TimeoutError) as gone:
        why = gone.en if isinstance(gone, Failure) else f"postgres: no answer within {LONGEST_LOOK_S:.0f} s"
    else:
        why = f"{signing.part_en} {signing.state}: {signing.mend_en}" if signing.ok is False else ""
    if why:
        return Response(f"{why}\n", HTTPStatus.SERVICE_UNAVAILABLE, media_type="text/plain")
    return Response("ready\n", media_type="text/plain")


@router.get("/v1/openapi.json", response_class=JSONResponse)
@allow(Policy.ANYBODY)
async def get_openapi(request: Request) -> JSONResponse:
    """The interface, by OpenAPI 3.1."""
    return JSONResponse(request.app.openapi(), headers={"Cache-Control": "public, max-age=300"})


class SchemaResponse(JSONResponse):
    """A JSON schema, and told as one."""

    media_type = "application/schema+json"


@router.get(
    "/v1/schemas/events/{event}/{version}", response_class=SchemaResponse, responses=problem_responses(404, 422)
)
@allow(Policy.ANYBODY)
async def get_event_schema(event: str, version: int) -> SchemaResponse:
    """The JSON schema of an event's data."""
    return _schema(lambda: event_class(event, version))


@router.get("/v1/schemas/commands/{command}", response_class=SchemaResponse, responses=problem_responses(404, 422))
@allow(Policy.ANYBODY)
async def get_command_schema(command: str) -> SchemaResponse:
    """The JSON schema of a command's particulars."""
    return _schema(lambda: command_class(command))


def _schema(find: Any) -> SchemaResponse:  # noqa: ANN401 - a lookup
    try:
        model: type[BaseModel] = find()
    except KeyError:
        raise Refusal(HTTPStatus.NOT_FOUND, "not-found", "沒有此類型", "there is no such type") from None
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema()}
    return SchemaResponse(schema, headers={"Cache-Control": "public, max-age=300"})
