"""Nobody comes in who has not shown who they are, and nobody sees what is not theirs: route by route."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from fastapi import APIRouter, FastAPI

from application.api_keys import issue_key, withdraw_key
from application.caller import ScopeName
from domain.kernel.identifier import Actor
from domain.kernel.scope import Scope, ScopeKind
from domain.need import SubmitNeed
from store.identity import SeatGrant
from store.port import EntryKind
from tests.web.conftest import with_key
from tests.web.routes import GUARDED, OPEN, PLACES, ROUTES, ask
from tests.workflows.bureau import verification
from web.app import ROUTERS, build_routes
from web.guard import GuardedRoute, Policy, RouteUnguarded, allow, require_guarded

if TYPE_CHECKING:
    from tests.web.conftest import Counter
    from tests.workflows.bureau import Bureau

NOW = datetime.now(UTC)

each_guarded = pytest.mark.parametrize(
    ("method", "route"), GUARDED, ids=[f"{method} {route.path}" for method, route in GUARDED]
)


def test_only_what_must_be_open_is_open() -> None:
    is_open = {route.path for route in ROUTES if route.policy is Policy.ANYBODY}
    assert is_open == {path.rpartition(" ")[2] for path in OPEN}


@each_guarded
async def test_nobody_comes_in_without_showing_who_they_are(counter: Counter, method: str, route: GuardedRoute) -> None:
    async with counter.stranger() as stranger:
        answer = await ask(stranger, method, route)
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:venture:problem:unauthenticated")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("fault", ["expired", "withdrawn", "wrong", "cut", "unknown", "basic", "a token of nobody"])
async def test_a_credential_that_is_not_good_opens_nothing(counter: Counter, fault: str) -> None:
    async with counter.stranger() as stranger:
        stranger.headers["Authorization"] = await _bad_credential(counter, fault)
        for method, route in GUARDED:
            answer = await ask(stranger, method, route)
            assert (answer.status_code, answer.json()["type"]) == (401, "urn:venture:problem:unauthenticated"), route


async def _bad_credential(counter: Counter, fault: str) -> str:
    identity = counter.house.identity
    made = NOW - timedelta(days=2) if fault == "expired" else NOW
    grants = (SeatGrant(seat=Actor("COMM#1")),)
    key = await issue_key(identity, "finance", grants, [*ScopeName], lasting=timedelta(days=1), now=made)
    match fault:
        case "withdrawn":
            assert await withdraw_key(identity, key.key.id, NOW)
        case "wrong":
            return f"Bearer {key.text[:-1]}{'A' if key.text[-1] != 'A' else 'B'}"
        case "cut":
            return f"Bearer {key.text[:-1]}"
        case "unknown":
            return f"Bearer vk_{'0' * 16}_{'A' * 43}"
        case "basic":
            return "Basic dXNlcjpwYXNz"
        case "a token of nobody":
            return "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0."
        case _:
            assert fault == "expired"
    return f"Bearer {key.text}"


@each_guarded
async def test_a_key_is_good_for_its_scopes_only(counter: Counter, method: str, route: GuardedRoute) -> None:
    other = {Policy.READ: ScopeName.COMMANDS, Policy.COMMAND: ScopeName.READ}.get(route.policy)
    if other is None:
        return
    async with counter.service("COMM#1", scopes=(other,)) as service:
        answer = await ask(service, method, route)
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:venture:problem:forbidden")


async def test_a_route_without_a_policy_does_not_start() -> None:
    async def endpoint() -> None:
        """Declare nothing."""

    router = APIRouter(route_class=GuardedRoute)
    with pytest.raises(RouteUnguarded):
        router.add_api_route("/forgotten", endpoint)


async def test_a_route_that_came_in_by_another_way_does_not_start() -> None:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url="/openapi.json")
    with pytest.raises(RouteUnguarded):
        require_guarded(app.routes)
    for router in ROUTERS:
        require_guarded(router.routes)
    assert build_routes() is not None


def test_a_policy_is_declared_by_the_route_that_follows() -> None:
    @allow(Policy.READ)
    async def endpoint() -> None:
        """Read."""

    router = APIRouter(route_class=GuardedRoute)
    router.add_api_route("/x", endpoint)
    (route,) = router.routes
    assert isinstance(route, GuardedRoute)
    assert route.policy is Policy.READ


async def test_another_organisations_file_is_as_if_it_were_not_there(counter: Counter, bureau: Bureau) -> None:
    stream = bureau.id("organisation", "ORG-1")
    command = verification()
    await bureau.straight(stream, command, "CAB-REG#1")
    paths = [
        f"/v1/files/{stream}",
        f"/v1/files/{bureau.id('organisation', 'ORG-404')}",
        f"/v1/approvals?stream={stream}",
        f"/v1/events?stream={stream}",
        f"/v1/events/stream?stream={stream}",
        f"/v1/names/ORG-1?realm={bureau.realm}",
    ]
    own, other = (Scope(kind=ScopeKind.ORGANISATION, names=(name,)) for name in ("ORG-1", "ORG-2"))
    async with counter.service("SO-PM#1", scope=own) as ours, counter.service("SO-PM#2", scope=other) as theirs:
        assert (await ours.get(paths[0])).status_code == 200
        answers = [await theirs.get(path) for path in paths]
        everything = await theirs.get("/v1/events")
    assert [answer.status_code for answer in answers] == [404] * len(paths)
    shapes = {tuple(answer.json()) for answer in answers}
    assert len(shapes) == 1, "what is not there and what is not to be seen are told alike"
    assert everything.status_code == 403


async def test_no_route_shows_or_does_anything_of_another_organisations(counter: Counter, bureau: Bureau) -> None:
    """Every route, asked for what is ORG-1's, with its very ids, by another organisation, and by a role alone."""
    name = f"社會組織{uuid4().hex}"
    stream = bureau.id("organisation", "ORG-1")
    receipt = await bureau.straight(stream, verification(name), "CAB-REG#1")
    places = {"kind": "organisation", "realm": bureau.realm, "name": "ORG-1", "command": "VerifyOrganisation"}
    places |= {"command_id": str(receipt.command_id), "operation_id": str(receipt.command_id)}
    before = await bureau.store.last_position()
    body = {"subject": stream, "particulars": verification("別名").model_dump(mode="json", exclude_none=True)}
    other = Scope(kind=ScopeKind.ORGANISATION, names=("ORG-2",))
    paths: dict[str, list[str]] = {}
    async with (
        counter.service("CAB-REG#1") as house,
        counter.service("SO-PM#2", scope=other) as theirs,
        counter.service("SO-PM#3") as nobody,
    ):
        for who, client in (("house", house), ("theirs", theirs), ("nobody", nobody)):
            for method, route in GUARDED:
                if (who == "house" and method != "GET") or route.path.endswith("/stream"):
                    continue
                path = route.path.format_map({**PLACES, **places})
                sent = body if method == "POST" else None
                answer = await client.request(method, path, json=sent, headers=with_key())
                assert answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR, (who, path)
                if name in answer.text:
                    paths.setdefault(who, []).append(route.path)
    assert "/v1/files/{kind}/{realm}/{name}" in paths.pop("house"), "else nothing could be shown to anybody"
    assert paths == {}
    entries = [e async for e in bureau.store.read(stream, commands=True) if e.position > before]
    assert [e.type for e in entries if e.kind is EntryKind.EVENT] == []


async def test_the_outcome_of_somebody_elses_command_is_as_if_it_were_not_there(
    counter: Counter, bureau: Bureau
) -> None:
    stream = bureau.id("organisation", "ORG-1")
    command = verification()
    receipt = await bureau.straight(stream, command, "CAB-REG#1")
    other = Scope(kind=ScopeKind.ORGANISATION, names=("ORG-2",))
    async with counter.service("SO-PM#2", scope=other) as theirs, counter.service("CAB-REG#1") as ours:
        assert (await theirs.get(f"/v1/outcomes/{receipt.command_id}")).status_code == 404
        assert (await ours.get(f"/v1/outcomes/{receipt.command_id}")).status_code == 200


async def test_no_service_acts_for_the_clock(counter: Counter, bureau: Bureau) -> None:
    await bureau.open_round()
    await bureau.straight(bureau.id("need", "ND-1"), SubmitNeed(round="R-1", group="空巢老人"), "COMM#1")
    async with counter.service("COMM#1") as service:
        body = {"subject": f"round/{bureau.realm}/R-1", "as": "SYS#1", "particulars": {}}
        assert (await service.post("/v1/commands/SubmitNeed", json=body, headers=with_key())).status_code == 403
        clock = await service.post("/v1/commands/CloseNeedSolicitation", json=body, headers=with_key())
    assert clock.status_code == 404
