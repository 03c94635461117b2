"""The interface keeps to what it says of itself: to requests that fit its description, and to those that do not."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.generation.stateful import run_state_machine_as_test
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from domain.kernel.identifier import Role
from tests.keys import MINUTES, PAPER
from tests.web.conftest import Counter, with_key
from tests.web.test_approvals import request
from tests.web.test_commands import SUBMIT
from tests.web.test_generated import DESCRIPTION
from tests.web.test_reads import posted

if TYPE_CHECKING:
    import httpx
    from schemathesis import APIOperation, Case

    from tests.workflows.bureau import Bureau

    Operation = APIOperation[Any, Any, Any, Any]

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def _sound(result: Any) -> Operation:
    """The operation; an exception if its description is unsound."""
    operation: Operation = result.ok()
    return operation


SCHEMA = schemathesis.openapi.from_dict(json.loads(DESCRIPTION.read_text("utf-8")))
"""As it is published: that it is what the routes say is shown with all else that is generated (tests/docs)."""
OPERATIONS = [one for one in map(_sound, SCHEMA.get_all_operations()) if one.path != "/v1/events/stream"]
"""All but the one answer that never ends."""
COMMANDS = [one for one in OPERATIONS if one.path.startswith("/v1/commands/")]
OTHERS = [one for one in OPERATIONS if one not in COMMANDS]
WALKS = 20
"""Of requests that follow on one another."""
FOLLOWED = {"as", "at_least", "sha256", "stream"}
"""Parameters of a query that a walk gives: with a condition that nothing meets, every list is the last of its walk."""
SINGLE = {
    "GET /v1/approvals/{approval_id}",
    "GET /v1/documents/{digest}",
    "GET /v1/files/{kind}/{realm}/{name}",
    "GET /v1/operations/{operation_id}",
    "GET /v1/outcomes/{command_id}",
    "GET /v1/webhooks/{webhook_id}/deliveries",
}
"""What walks come to from lists, and from what they wrote."""
WALKED = ("SubmitNeed", "OpenRound", "RegisterOrganisation", "PublishCalendar")
"""Commands that a walk may give, so that there is something to follow."""
EVERY_SEAT = [f"{role}#1" for role in Role if role is not Role.SYS]


def _search(operation: Operation, mode: GenerationMode, address: str, key: str, most: int) -> None:
    """Ask so many things of that operation; raise where an answer is not one that the document knows."""

    @settings(
        max_examples=most, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Case[Any]) -> None:
        case.query = {name: value for name, value in dict(case.query or {}).items() if name != "wait"}
        headers = {"Authorization": key, "Idempotency-Key": str(uuid4())}
        answer = case.call(base_url=address, headers=headers, timeout=60)
        case.validate_response(answer, checks=CHECKS)

    ask()


async def _try(counter: Counter, operation: Operation, mode: GenerationMode, most: int) -> None:
    async with counter.service(*EVERY_SEAT) as service:
        key = service.headers["Authorization"]
    await asyncio.to_thread(_search, operation, mode, counter.address, key, most)


UNFIT = GenerationMode.NEGATIVE
WITHOUT_A_WRONG = {"/healthz", "/readyz", "/v1/login", "/v1/openapi.json", "/v1/schemas/commands/{command}"}
"""Nothing can be asked of these that does not fit."""
EACH = {GenerationMode.POSITIVE: 3, UNFIT: 8}
"""What fits, of every third operation; what does not, of every eighth; of the others in the fuller runs."""
ASKED = [
    pytest.param(one, mode, id=f"{one.label} {mode}", marks=pytest.mark.full if number % EACH[mode] else ())
    for number, one in enumerate(OTHERS)
    for mode in GenerationMode
    if mode is not UNFIT or one.path not in WITHOUT_A_WRONG
]


@pytest.mark.parametrize(("operation", "mode"), ASKED)
async def test_whatever_is_asked_the_answer_is_one_that_is_documented(
    counter: Counter, operation: Operation, mode: GenerationMode
) -> None:
    await _try(counter, operation, mode, 4)


@pytest.mark.parametrize(
    "commands",
    [pytest.param(COMMANDS[::6], id="every sixth"), pytest.param(COMMANDS, id="all", marks=pytest.mark.full)],
)
async def test_whatever_is_commanded_the_answer_is_one_that_is_documented(
    counter: Counter, commands: list[Operation]
) -> None:
    for operation in commands:
        await _try(counter, operation, GenerationMode.POSITIVE, 1)


def _open_files(document: dict[str, Any]) -> dict[str, Any]:
    """With a link from each stream that is named to its file: schemathesis can part a text, OpenAPI cannot."""
    parts = {"kind": "^([^/]+)/", "realm": "^[^/]+/([^/]+)/", "name": "^[^/]+/[^/]+/(.+)$"}
    answers = [
        answer for path in document["paths"].values() for one in path.values() for answer in one["responses"].values()
    ]
    for answer in [*answers, *document["components"]["responses"].values()]:
        if named := answer.get("links", {}).get("list_events"):
            stream = named["parameters"]["stream"]
            answer["links"]["open_file"] = {
                "operationId": document["paths"]["/v1/files/{kind}/{realm}/{name}"]["get"]["operationId"],
                "parameters": {name: f"{stream}#regex:{part}" for name, part in parts.items()},
            }
    return document


async def _furnish(service: httpx.AsyncClient, bureau: Bureau) -> None:
    """Some of what lists tell of, so that each leads on."""
    await posted(bureau)
    about = {"as": "COMM#1", "particulars": {"round": "R-1", "group": "空巢老人"}}
    for number in range(1, WALKS + 1):  # each walk may take one away
        need = {"subject": bureau.id("need", f"ND-{number}"), **about}
        for answer in (
            await service.post(SUBMIT, json=need, headers=with_key(Prefer="respond-async")),
            await service.post("/v1/approvals", json=request(bureau), headers=with_key()),
            await service.post("/v1/documents", content=PAPER, headers={"Content-Type": MINUTES.media_type}),
            await service.post("/v1/webhooks", json={"url": "http://127.0.0.1:9/", "seat": "CAB-REG#1"}),
        ):
            answer.raise_for_status()


@pytest.mark.release
@pytest.mark.timeout(1_800)
async def test_what_follows_on_one_another_is_answered_as_documented(counter: Counter, bureau: Bureau) -> None:
    """Stateful: what one answer names is asked for by the next."""
    async with counter.service(*EVERY_SEAT) as service:
        key = service.headers["Authorization"]
        await _furnish(service, bureau)
    linked = schemathesis.openapi.from_dict(_open_files(json.loads(DESCRIPTION.read_text("utf-8"))))
    # streams never end while what they tell of is open; commands, asked above one by one, would be nearly all of a walk
    ended = linked.exclude(path_regex="/stream$").exclude(path_regex=f"^/v1/commands/(?!({'|'.join(WALKED)})$)")
    answered: set[str] = set()

    class ContractWalk(ended.as_state_machine()):  # type: ignore[misc] # made from the document
        def before_call(self, case: Case[Any]) -> None:
            case.query = {name: value for name, value in dict(case.query or {}).items() if name in FOLLOWED}

        def get_call_kwargs(self, case: Case[Any]) -> dict[str, Any]:
            del case
            headers = {"Authorization": key, "Idempotency-Key": str(uuid4())}
            return {"base_url": counter.address, "headers": headers, "timeout": 60}

        def validate_response(self, response: Any, case: Case[Any], *_: object, **__: object) -> None:
            if response.status_code < HTTPStatus.BAD_REQUEST:
                answered.add(case.operation.label)
            case.validate_response(response, checks=CHECKS)

    within = settings(
        max_examples=WALKS, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    await asyncio.to_thread(run_state_machine_as_test, ContractWalk, settings=within)
    assert answered >= SINGLE, "what is linked was not come to"


@pytest.mark.release
@pytest.mark.parametrize(("operation", "mode"), [*ASKED, *(pytest.param(one, UNFIT, id=one.label) for one in COMMANDS)])
async def test_whatever_is_asked_at_length_the_answer_is_one_that_is_documented(
    counter: Counter, operation: Operation, mode: GenerationMode
) -> None:
    await _try(counter, operation, mode, 60)
