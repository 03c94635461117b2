"""Where an answer leads, as the description of the interface has it: to what is there, by what the answer holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.tables import every_row
from tests.web.breaks import describe

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Operation = dict[str, Any]


@pytest.fixture
def document() -> dict[str, Any]:
    return describe()


def list_operations(document: Mapping[str, Any]) -> Iterator[tuple[str, Operation]]:
    for path, methods in document["paths"].items():
        yield from ((f"{method.upper()} {path}", operation) for method, operation in methods.items())


def resolve(document: Mapping[str, Any], shape: Mapping[str, Any]) -> Mapping[str, Any]:
    place: Any = document if "$ref" in shape else shape
    for step in str(shape.get("$ref", "#")).split("/")[1:]:
        place = place[step]
    return place  # type: ignore[no-any-return] # of the document


def list_links(document: Mapping[str, Any]) -> Iterator[tuple[str, Operation, Mapping[str, Any], str, dict[str, Any]]]:
    """Each link with whose it is, and which answer it stands in."""
    for label, operation in list_operations(document):
        for response in operation["responses"].values():
            answer = resolve(document, response)
            yield from ((label, operation, answer, name, link) for name, link in answer.get("links", {}).items())


def test_every_link_leads_to_an_operation_whose_path_it_fills_with_what_is_there(document: dict[str, Any]) -> None:
    targets = {operation["operationId"]: operation for _, operation in list_operations(document)}
    linked = list(list_links(document))
    for label, operation, answer, name, link in linked:
        target = targets[link["operationId"]]
        assert target is not operation, f"{label} leads to itself"
        taken = {one["name"]: one["in"] for one in target.get("parameters", [])}
        of_path = {parameter for parameter, place in taken.items() if place == "path"}
        assert of_path <= link["parameters"].keys() <= taken.keys()
        asked = {f"$request.path.{one['name']}" for one in operation.get("parameters", []) if one["in"] == "path"}
        for parameter, expression in link["parameters"].items():
            assert expression in asked or holds(document, answer, expression), f"{label} {name}: {parameter}"
    assert len(linked) > 1_000


def holds(document: Mapping[str, Any], answer: Mapping[str, Any], expression: str) -> bool:
    """Whether an answer of that sort has a value there."""
    shape = answer["content"]["application/json"]["schema"]
    for step in expression.removeprefix("$response.body#/").split("/"):
        shape = resolve(document, shape)
        inner = shape.get("items") if step == "0" else shape.get("properties", {}).get(step)
        if inner is None:
            return False
        shape = inner
    return resolve(document, shape).get("type") in {"string", "integer"}


@every_row(
    "source, status, target, parameters",
    [
        ("/v1/commands/SubmitNeed post", "202", "get_operation", {"operation_id": "/metadata/command_id"}),
        ("/v1/commands/SubmitNeed post", "201", "get_outcome", {"command_id": "/command_id"}),
        ("/v1/commands/SubmitNeed post", "201", "get_approval", {"approval_id": "/approvals/0/id"}),
        ("/v1/commands/SubmitNeed post", "201", "get_inbox", {"at_least": "/position"}),
        ("/v1/operations/{operation_id} get", "200", "get_outcome", {"command_id": "/metadata/command_id"}),
        ("/v1/documents post", "201", "get_document", {"digest": "/sha256"}),
        ("/v1/approvals post", "201", "decide_approval", {"approval_id": "/approvals/0/id"}),
        ("/v1/projects get", "200", "list_events", {"stream": "/projects/0/stream"}),
        ("/v1/inbox get", "200", "say_why_not", {"command": "/waiting/0/command"}),
        ("/v1/webhooks post", "201", "list_deliveries", {"webhook_id": "/id"}),
        ("/v1/session get", "200", "get_inbox", {"as": "/seats/0"}),
    ],
)
def test_what_comes_next_is_linked(
    document: dict[str, Any], source: str, status: str, target: str, parameters: dict[str, str]
) -> None:
    path, _, method = source.rpartition(" ")
    links = resolve(document, document["paths"][path][method]["responses"][status])["links"]
    assert links[target]["parameters"] == {name: f"$response.body#{place}" for name, place in parameters.items()}


def test_a_part_of_an_answer_is_told_with_what_stands_beside_it_and_of_the_path_all_or_nothing(
    document: dict[str, Any],
) -> None:
    file = document["paths"]["/v1/files/{kind}/{realm}/{name}"]["get"]["responses"]["200"]["links"]
    assert file["get_document"]["parameters"] == {
        "digest": "$response.body#/documents/0/sha256",
        "stream": "$response.body#/documents/0/stream",
    }, "the file that named it, which need not be the one that was asked for"
    assert file["get_papers"]["parameters"].keys() == {"kind", "realm", "name"}
    assert "find_name" not in file, "a name alone is another question"
    assert "links" not in document["paths"]["/v1/webhooks/{webhook_id}"]["delete"]["responses"]["204"]
