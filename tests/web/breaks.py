"""What of the interface a client rests on, and what of it a later document takes away.

``python -m tests.web.breaks`` records today's interface as what clients rest on: for a release, or for a new major
version under another path. Commands are left out: what they are called and hold is kept by the corpus of the log.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from web.app import build_routes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

KEPT = Path(__file__).with_name("interface.json")
_REF = "#/components/schemas/"


@cache
def describe() -> dict[str, Any]:
    """The interface as it says of itself today. It is the same for all who ask: change a copy of it."""
    return build_routes().openapi()


def reduce(document: Mapping[str, Any]) -> dict[str, Any]:
    """What clients rest on: parameters, answers, and the fields of what is sent and answered."""
    operations = {
        f"{method.upper()} {path}": {
            "parameters": {one["name"]: bool(one.get("required")) for one in operation.get("parameters", [])},
            "answers": sorted(operation["responses"]),
        }
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if not path.startswith("/v1/commands/")
    }
    named = json.dumps([one for path, one in document["paths"].items() if not path.startswith("/v1/commands/")])
    schemas = {
        name: {
            "fields": {field: _kind(shape) for field, shape in sorted(schema.get("properties", {}).items())},
            "required": sorted(schema.get("required", [])),
        }
        for name, schema in document["components"]["schemas"].items()
        if f'{_REF}{name}"' in named or name.endswith(("Answer", "Problem"))
    }
    return {"operations": operations, "schemas": schemas}


def _kind(shape: Mapping[str, Any]) -> str:
    """Of what type a field is, without its words."""
    if "$ref" in shape:
        return str(shape["$ref"]).removeprefix(_REF)
    if "anyOf" in shape:
        return " | ".join(sorted(_kind(one) for one in shape["anyOf"]))
    if shape.get("type") == "array":
        return f"list of {_kind(shape.get('items', {}))}"
    return str(shape.get("type", "anything"))


def list_breaks(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """What a client of before would miss, or would have to say that it does not."""
    for name, old in before["operations"].items():
        new = after["operations"].get(name)
        if new is None:
            yield f"{name} is gone"
            continue
        yield from (f"{name}: the parameter {one} is gone" for one in old["parameters"] if one not in new["parameters"])
        for parameter, is_required in new["parameters"].items():
            if is_required and not old["parameters"].get(parameter, False):
                yield f"{name}: the parameter {parameter} is required now"
        yield from (f"{name}: {status} is new" for status in new["answers"] if status not in old["answers"])
    for name, old in before["schemas"].items():
        new = after["schemas"].get(name)
        if new is None:
            yield f"{name} is gone"
            continue
        for field, kind in old["fields"].items():
            if new["fields"].get(field) != kind:
                yield f"{name}.{field} was {kind} and is {new['fields'].get(field, 'gone')}"
        if not name.endswith(("Answer", "Page", "Problem")):
            yield from (f"{name}.{one} is required now" for one in new["required"] if one not in old["required"])


def main() -> None:
    """Record today's interface."""
    KEPT.write_text(json.dumps(reduce(describe()), indent=1, sort_keys=True) + "\n", "utf-8")
    sys.stdout.write(f"{KEPT.name}\n")


if __name__ == "__main__":
    main()
