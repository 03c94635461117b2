"""A client that was written for the interface of before goes on."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]

from tests.web.breaks import KEPT, describe, list_breaks, reduce

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BEFORE: dict[str, Any] = json.loads(KEPT.read_text("utf-8"))


def test_nothing_that_clients_rest_on_was_taken_away() -> None:
    breaks = list(list_breaks(BEFORE, reduce(describe())))
    assert breaks == [], "a client of before would break: keep it, or begin another major version"


def _lose_path(after: dict[str, Any]) -> None:
    del after["operations"]["GET /v1/inbox"]


def _lose_parameter(after: dict[str, Any]) -> None:
    del after["operations"]["GET /v1/inbox"]["parameters"]["realm"]


def _ask_for_more(after: dict[str, Any]) -> None:
    after["operations"]["GET /v1/inbox"]["parameters"]["district"] = True


def _answer_otherwise(after: dict[str, Any]) -> None:
    after["operations"]["GET /v1/inbox"]["answers"].append("418")


def _lose_field(after: dict[str, Any]) -> None:
    del after["schemas"]["ApprovalAnswer"]["fields"]["verdict"]


def _change_type(after: dict[str, Any]) -> None:
    after["schemas"]["ApprovalAnswer"]["fields"]["key"] = "integer"


def _require_in_a_body(after: dict[str, Any]) -> None:
    after["schemas"]["Login"]["required"].append("second_factor")


@pytest.mark.parametrize(
    "change",
    [_lose_path, _lose_parameter, _ask_for_more, _answer_otherwise, _lose_field, _change_type, _require_in_a_body],
)
def test_what_would_break_a_client_is_noticed(change: Callable[[dict[str, Any]], None]) -> None:
    after = copy.deepcopy(BEFORE)
    change(after)
    assert len(list(list_breaks(BEFORE, after))) == 1


def test_what_is_added_breaks_nobody() -> None:
    after = copy.deepcopy(BEFORE)
    after["operations"]["GET /v1/new"] = {"parameters": {"x": True}, "answers": ["200"]}
    after["operations"]["GET /v1/inbox"]["parameters"]["new"] = False
    after["schemas"]["ApprovalAnswer"]["fields"]["new"] = "string"
    assert list(list_breaks(BEFORE, after)) == []


def test_whatever_the_description_refers_to_is_in_it() -> None:
    """A generator of clients stops at the first reference that leads nowhere."""
    document = describe()
    missing = sorted(
        ref for ref in set(_list_references(document)) if not _leads_somewhere(document, ref.removeprefix("#/"))
    )
    assert missing == []


def test_every_word_of_a_schema_is_one_of_json_schema() -> None:
    """What pydantic cannot say of a function it writes under its own names: ``ge`` and ``gt`` bind no client."""
    words = set(_list_words(describe()))
    assert words - KEYWORDS == set()
    assert {"minimum", "exclusiveMinimum", "maximum", "minLength", "maxLength"} <= words


KEYWORDS = {
    *(
        word
        for name in ("core", "applicator", "unevaluated", "validation", "meta-data", "format-annotation", "content")
        for word in REGISTRY.contents(f"https://json-schema.org/draft/2020-12/meta/{name}")["properties"]
    ),
    "discriminator",  # OpenAPI 3.1's own
}
"""Of JSON Schema 2020-12, as its meta-schemas have them."""
NAMED = {"properties", "patternProperties", "$defs", "schemas"}
"""Under these stand schemas by names that are nobody's words."""
VALUES = {"const", "default", "enum", "example", "examples"}
"""Under these stand values, which are no schemas whatever they look like."""


def _list_words(value: Any, *, is_schema: bool = False) -> Iterator[str]:
    """The words of every schema in that part of the document."""
    if isinstance(value, list):
        for inner in value:
            yield from _list_words(inner, is_schema=is_schema)
    elif isinstance(value, dict):
        yield from value if is_schema else ()
        for word, inner in value.items():
            if word in NAMED and isinstance(inner, dict):
                yield from _list_words(list(inner.values()), is_schema=True)
            elif word not in VALUES and word != "discriminator":
                yield from _list_words(inner, is_schema=is_schema or word == "schema")


def _list_references(value: Any) -> Iterator[str]:
    match value:
        case dict():
            if isinstance(value.get("$ref"), str):
                yield value["$ref"]
            for inner in value.values():
                yield from _list_references(inner)
        case list():
            for inner in value:
                yield from _list_references(inner)
        case _:
            return


def _leads_somewhere(document: dict[str, Any], path: str) -> bool:
    place: Any = document
    for step in path.split("/"):
        if not isinstance(place, dict) or step not in place:
            return False
        place = place[step]
    return True
