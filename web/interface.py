"""The interface as OpenAPI 3.1 tells it: the routes' own words, and for each command a path of its own."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final

from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from domain.approval.request import OpenApproval
from domain.catalogue import AGGREGATES
from domain.kernel.identifier import Role
from web.identity.session import Login
from web.links import link
from web.problems import MEDIA_TYPE, Problem
from web.v1.approvals import DecisionBody, OpenApprovalBody
from web.v1.callbacks import CallbackMessage
from web.v1.commands import CommandBody
from web.v1.webhooks import ReplayBody, WebhookBody, WebhookMessage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic import BaseModel
    from starlette.routing import BaseRoute

    from domain.kernel.message import Command

VERSION: Final = "1.0.0"
"""Of the interface. A change that breaks a client makes another major version, under another path."""
_COMMAND: Final = "/v1/commands/{command}"
_REF: Final = "#/components/schemas/{model}"


def describe_interface(routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """The whole document."""
    document = get_openapi(
        title="venture",
        version=VERSION,
        description="公益創投項目全程引擎 / The life of public-welfare venture projects. 說明 guide: docs/api.md",
        routes=routes,
        openapi_version="3.1.0",
    )
    commands = list(_public_commands())
    paths, schemas = document["paths"], document["components"].setdefault("schemas", {})
    bodies: list[type[BaseModel]] = [CommandBody, OpenApprovalBody, DecisionBody, Login, *commands]
    bodies += [WebhookBody, ReplayBody, WebhookMessage, CallbackMessage]
    _, definitions = models_json_schema([(model, "validation") for model in bodies], ref_template=_REF)
    schemas.update(definitions["$defs"])
    _, answers = models_json_schema([(Problem, "serialization")], ref_template=_REF)
    schemas.update(answers["$defs"])
    schemas["OpenApprovalBody"]["properties"]["request"] = {"$ref": _REF.format(model=OpenApproval.__name__)}
    general = paths.pop(_COMMAND)["post"]
    general["parameters"] = [one for one in general["parameters"] if one["in"] != "path"]
    link({**paths, _COMMAND: {"post": general}}, paths, schemas)
    shared = _share_answers(general)
    for command in commands:
        paths[_COMMAND.format(command=command.command_type)] = {"post": _of_command(general, command)}
    for command in commands:
        schemas[f"{command.command_type}Request"] = _body_of(command, schemas["CommandBody"])
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    document["components"]["securitySchemes"] = {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "A service's key vk_…, or a token of the provider.",
        },
        "session": {"type": "apiKey", "in": "cookie", "name": "venture", "description": "POST /v1/session sets it."},
    }
    document["webhooks"] = {"event": {"post": _describe_message()}}
    document["components"]["responses"] = dict(sorted({**shared, **_share_problems(paths)}.items()))
    document["paths"] = dict(sorted(paths.items()))
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    return document


def _describe_message() -> dict[str, Any]:
    """What an endpoint is sent."""
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    headers = [{"name": name, "in": "header", "required": True, "schema": {"type": "string"}} for name in names]
    schema = {"$ref": _REF.format(model=WebhookMessage.__name__)}
    return {
        "operationId": "event",
        "summary": "An event that the endpoint's seat may see",
        "parameters": headers,
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": {"2XX": {"description": "Taken."}, "410": {"description": "Tell me nothing more."}},
    }


def _public_commands() -> Iterator[type[Command]]:
    """What somebody other than the clock may ask."""
    for aggregate in AGGREGATES.values():
        for command in aggregate.commands:
            if command.by != (Role.SYS,):
                yield command


def _of_command(general: dict[str, Any], command: type[Command]) -> dict[str, Any]:
    """The general operation, for one command."""
    operation = copy.deepcopy(general)
    name = command.command_type
    operation["operationId"] = f"{operation['operationId'].partition('_v1_')[0]}_{name}"
    operation["summary"] = f"{command.zh()} {name}"
    operation["requestBody"]["content"]["application/json"]["schema"] = {"$ref": _REF.format(model=f"{name}Request")}
    return operation


def _body_of(command: type[Command], general: dict[str, Any]) -> dict[str, Any]:
    """The general body, with the particulars of one command."""
    body = copy.deepcopy(general)
    body["title"] = f"{command.command_type}Request"
    body["description"] = f"{command.zh()} / {command.command_type}"
    body["properties"]["particulars"] = {"$ref": _REF.format(model=command.__name__)}
    required = set(command.model_json_schema().get("required", ())) - {command.subject_field}
    if required:
        body["required"] = [*body.get("required", []), "particulars"]
    return body


def _share_problems(paths: dict[str, Any]) -> dict[str, Any]:
    """Take the problems that every operation may answer with out of them, each told once; what was taken out."""
    shared: dict[str, Any] = {}
    for operation in (operation for path in paths.values() for operation in path.values()):
        for status, response in operation["responses"].items():
            if MEDIA_TYPE in response.get("content", {}):
                shared[f"Problem{status}"] = response
                operation["responses"][status] = _refer(f"Problem{status}")
    return shared


def _share_answers(general: dict[str, Any]) -> dict[str, Any]:
    """Take what every command is answered with out of it, told once, by the name of what is answered; likewise."""
    shared: dict[str, Any] = {}
    for status, response in general["responses"].items():
        schema = response["content"].get("application/json", {}).get("schema", {})
        if name := str(schema.get("$ref", "")).rpartition("/")[2]:
            shared[name] = response
            general["responses"][status] = _refer(name)
    return shared


def _refer(response: str) -> dict[str, str]:
    return {"$ref": f"#/components/responses/{response}"}
