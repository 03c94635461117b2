"""Bodies of requests: JSON of bounded depth, every key once, read into a model, or all that is wrong with them."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, TypeVar

from fastapi import Response
from pydantic import BaseModel, ValidationError

from domain.kernel.explanation import InputFault, InputInvalid, ValueMisread, explain_error
from domain.kernel.input import parse_json
from web.problems import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import Request
    from pydantic_core import ErrorDetails

    from domain.kernel.explanation import Place

M = TypeVar("M", bound=BaseModel)

JSON: Final = "application/json"


async def read_body(request: Request, model: type[M]) -> M:
    """The body as that model. Raises InputInvalid with every fault, or Refusal for another media type."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != JSON:
        raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "invalid", f"內容須為 {JSON}", f"the body must be {JSON}")
    try:
        tree = parse_json((await request.body()).decode())
    except ValueMisread as misread:
        raise InputInvalid([InputFault((), misread.zh, misread.en)]) from misread
    except UnicodeDecodeError as invalid:
        raise InputInvalid([InputFault((), "不是 UTF-8 文字", "not UTF-8 text")]) from invalid
    try:
        return model.model_validate(tree)
    except ValidationError as invalid:
        faults = [
            replace(explain(error), place=_find_place(error, tree)) for error in invalid.errors(include_url=False)
        ]
        raise InputInvalid(faults) from invalid


def _find_place(error: ErrorDetails, body: object) -> Place:
    """Where it stands in that body: pydantic's own path names the kinds of a union too, which nobody sent."""
    place: list[str | int] = []
    here, way = body, error["loc"]
    for depth, part in enumerate(way, 1):
        if isinstance(here, dict) and (part in here or depth == len(way)):
            place.append(part)
            here = here.get(part)
        elif isinstance(here, list) and isinstance(part, int):
            place.append(part)
            here = here[part]
    kind = error.get("ctx", {}).get("discriminator")
    return (*place, kind.strip("'")) if kind else tuple(place)


def fill(model: type[M], **values: object) -> M:
    """That model of what a query asks for. Raises InputInvalid with every fault."""
    try:
        return model.model_validate(values)
    except ValidationError as invalid:
        raise InputInvalid([explain(error) for error in invalid.errors(include_url=False)]) from invalid


def explain(error: ErrorDetails) -> InputFault:
    """An error of pydantic's in the house's own words."""
    return InputFault(tuple(error["loc"]), *explain_error(error))


def describe_body(schema: dict[str, Any], *, required: bool = True) -> dict[str, Any]:
    """What a route says in OpenAPI of the body that it reads."""
    return {"requestBody": {"required": required, "content": {JSON: {"schema": schema}}}}


def refer_to(model: type[BaseModel]) -> dict[str, str]:
    """A reference to that model's schema among the components."""
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def answer_with(answer: BaseModel, status: HTTPStatus, headers: Mapping[str, str] | None = None) -> Response:
    """That answer, of a route with several."""
    content = answer.model_dump_json(exclude_none=True)
    return Response(content, status, headers=dict(headers or {}), media_type=JSON)
