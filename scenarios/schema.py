"""The JSON Schema of a scenario file: what each event takes is said of it, in the words of ``venture commands``."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from domain.catalogue import AGGREGATES
from domain.kernel.field_shape import Kind, Notation, Shape, field_shapes
from scenarios.format import Scenario

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from domain.kernel.field_shape import FieldShape

_COLUMNS = ("at", "event", "subject", "actor", "data", "why")


def scenario_schema() -> dict[str, Any]:
    """The schema; a row may stand as a list of its columns, and its data are those of its event."""
    document = Scenario.model_json_schema(mode="validation")
    particulars = dict(_particulars())
    row = document["$defs"]["Row"]
    columns = [row["properties"][name] for name in _COLUMNS]
    document["$defs"]["Row"] = {
        "description": row["description"],
        "oneOf": [
            {
                "type": "array",
                "prefixItems": columns,
                "minItems": 4,
                "maxItems": 6,
                "items": False,
                "allOf": [
                    {
                        "if": {"prefixItems": [True, {"enum": names}]},
                        "then": {"prefixItems": [True, True, True, True, {"$ref": f"#/$defs/{event}"}]},
                    }
                    for event, (names, _) in particulars.items()
                ],
            },
            {k: v for k, v in row.items() if k != "description"},
        ],
    }
    document["$defs"] |= {event: schema for event, (_, schema) in particulars.items()}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **document}


def _particulars() -> Iterable[tuple[str, tuple[list[str], dict[str, Any]]]]:
    """Every event with the names it goes by, and what its row may give: fields of its commands, or of itself."""
    fields: defaultdict[str, dict[str, FieldShape]] = defaultdict(dict)
    names: defaultdict[str, set[str]] = defaultdict(set)
    for aggregate in AGGREGATES.values():
        for command in aggregate.commands:
            event = command.records.event_type
            names[event] |= {event, command.command_type, command.records.zh}
            fields[event] |= field_shapes(command.records) if not command.model_fields else field_shapes(command)
            if len(command.by) == 1 and command.by[0] == "SYS":
                fields[event] |= field_shapes(command.records)
    taken = [name for event in names for name in names[event]]
    for event in sorted(names):
        own = sorted(name for name in names[event] if taken.count(name) == 1)
        yield event, (own, _group(fields[event]))


def _group(shapes: Mapping[str, FieldShape]) -> dict[str, Any]:
    properties = {}
    for name, field in shapes.items():
        zh, en = field.shape.texts(Notation.DATA)
        needed = ("必填", "required") if field.required else ("可省", "optional")
        texts = f"{field.zh}（{needed[0]}）：{zh} / {field.en} ({needed[1]}): {en}"
        properties[name] = {"description": texts, **_value(field.shape)}
        if field.default is not None and isinstance(field.default, str | int | bool):
            properties[name]["default"] = field.default
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _value(shape: Shape) -> dict[str, Any]:
    """What a value may be; null always, for what is left out."""
    match shape.kind:
        case Kind.MONEY:
            return {"type": ["integer", "null"]}
        case Kind.INTEGER:
            bounds = {"minimum": shape.least, "maximum": shape.most}
            return {"type": ["integer", "null"], **{k: v for k, v in bounds.items() if v is not None}}
        case Kind.DECIMAL:
            return {"type": ["number", "string", "null"]}
        case Kind.YES_NO:
            return {"type": ["boolean", "null"]}
        case Kind.CHOICE:
            words = [word for choice in shape.choices for word in (choice.value, choice.zh) if word]
            return {"enum": [*dict.fromkeys(words), None]}
        case Kind.LIST if shape.item is not None:
            return {"type": ["array", "null"], "items": _value(shape.item)}
        case Kind.MAPPING if shape.item is not None:
            return {"type": ["object", "null"], "additionalProperties": _value(shape.item)}
        case Kind.GROUP | Kind.DOCUMENT if shape.model is not None:
            group = _group(field_shapes(shape.model))
            return {**group, "type": ["object", "string", "null"]}
        case Kind.ANY:
            return {}
        case _:
            return {"type": ["string", "null"]}
