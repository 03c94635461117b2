"""Where an answer leads, as OpenAPI's links: derived from what its fields name.

A field names a parameter by being called as it is, or by ``names``. An answer leads to every other operation whose path
can be filled with what it names, or with all of the path that was asked; of a list the first row stands for any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic import Field

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Paths = Mapping[str, Mapping[str, Any]]

MARK: Final = "x-names"
"""Under this a field's schema says which parameters it names; no reader of the document sees it."""
ALIKE: Final = frozenset({"stream", "command", "command_id"})
"""Parameters that are meant wherever a field is called as they are."""
_JSON: Final = "application/json"


def names(*parameters: str) -> Any:  # noqa: ANN401 - as pydantic's Field
    """Say that a field's value is what those parameters of other operations ask for."""
    return Field(json_schema_extra={MARK: list(parameters)})


def link(sources: Paths, targets: Paths, schemas: Mapping[str, Any]) -> None:
    """Write into each answer of the sources to which targets it leads, and take the marks out of the schemas."""
    for method, operation in _list_operations(sources):
        own = {one["name"]: f"$request.path.{one['name']}" for one in _list_parameters(operation, "path")}
        for status, answer in operation["responses"].items():
            if not status.startswith("2") or method == "delete":
                continue  # what was refused names nothing, and what was removed is not there to be asked for
            schema = answer.get("content", {}).get(_JSON, {}).get("schema", {})
            parts = [{}, *_find(schemas, schema, "$response.body#", {})]
            links = {
                _name(target): {"operationId": target["operationId"], "parameters": parameters}
                for _, target in _list_operations(targets)
                if target is not operation and (parameters := _fill(target, parts, own))
            }
            if links:
                answer["links"] = dict(sorted(links.items()))
    for schema in schemas.values():
        for shape in schema.get("properties", {}).values():
            shape.pop(MARK, None)


def _list_operations(paths: Paths) -> Iterator[tuple[str, dict[str, Any]]]:
    return (named for methods in paths.values() for named in methods.items())


def _fill(target: Mapping[str, Any], parts: list[dict[str, str]], own: Mapping[str, str]) -> dict[str, str]:
    """Its parameters, from the first part of an answer that names all of its path; none where no part does."""
    needed = [one["name"] for one in _list_parameters(target, "path")]
    for part in parts:
        known = {**own, **part}
        names = needed + [one["name"] for one in _list_parameters(target, "query") if one["name"] in part]
        filled = {name: known[name] for name in names if name in known}
        is_whole = all(expression in filled.values() for expression in own.values())
        if filled and filled.keys() >= set(needed) and (is_whole or not filled.keys() & own.keys()):
            return filled
    return {}


def _find(
    schemas: Mapping[str, Any], schema: Mapping[str, Any], place: str, above: Mapping[str, str]
) -> Iterator[dict[str, str]]:
    """What an answer of that schema names, part by part, each with what stands above it."""
    properties = schemas.get(str(schema.get("$ref")).rpartition("/")[2], {}).get("properties", {})
    named = {
        parameter: f"{place}/{field}{'/0' if shape.get('type') == 'array' else ''}"
        for field, shape in properties.items()
        for parameter in shape.get(MARK, [field] if field in ALIKE else [])
    }
    part = {**above, **named}
    if named:
        yield part
    for field, shape in properties.items():
        yield from _find(schemas, shape, f"{place}/{field}", part)
        yield from _find(schemas, shape.get("items", {}), f"{place}/{field}/0", part)


def _list_parameters(operation: Mapping[str, Any], place: str) -> list[Mapping[str, Any]]:
    return [one for one in operation.get("parameters", []) if one["in"] == place]


def _name(operation: Mapping[str, Any]) -> str:
    """What the operation is called in our code."""
    return str(operation["operationId"]).partition("_v1_")[0]
