"""Temporal's own pages in production: who has payloads opened, from where and by what."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import httpx
import pytest
from google.protobuf import json_format
from structlog.testing import capture_logs
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.client import Client

from domain.kernel.acting import PersonId
from domain.kernel.identifier import Actor
from local import binaries
from payload_codec import PayloadPlace, SealingCodec, sealing_converter
from payload_keys import PayloadKeys, make_payload_key
from runtime.payload_opener import PayloadOpener
from store.identity import Identity, SeatGrant
from tests.web.conftest import UNLOADED, served
from tests.web.test_oidc import ISSUER, Issuer
from web.app import build
from web.payloads import PATH

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from local import Servers
    from store.identity import IdentityStore
    from web.house import House

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
"""As in tests/web/test_oidc.py."""
PAGES = "https://temporal.bureau.example"
WORKFLOW = "project/live/AP-5"
SAID = "空巢老人關愛行動"
CODEC = SealingCodec(PayloadKeys.parse(make_payload_key()))


def plain() -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(SAID, ensure_ascii=False).encode())


def sealed(namespace: str = "default") -> bytes:
    payload = CODEC.at(PayloadPlace(namespace, WORKFLOW)).seal(plain())
    return json_format.MessageToJson(Payloads(payloads=[payload])).encode()


def read(content: bytes) -> bytes:
    (payload,) = json_format.Parse(content, Payloads()).payloads
    return payload.data


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
async def pages(house: House, identity: IdentityStore, issuer: Issuer) -> AsyncIterator[httpx.AsyncClient]:
    """The server as it is where the settings name those pages; whoever asks says who they are by their subject."""
    for number, role in enumerate(("AUDIT", "DISC", "ADMIN", "CAB-REG", "SO-PM"), 21):
        who = Identity(PersonId(f"P-{number}"), None, (SeatGrant(seat=Actor(f"{role}#1")),))
        await identity.put_identity(ISSUER, f"of {role}", who)
    await identity.put_identity(ISSUER, "of a service", Identity(None, "pages", (SeatGrant(seat=Actor("AUDIT#1")),)))
    payload_house = replace(
        house, provider=issuer.provider(), payloads=PayloadOpener(CODEC, "default"), temporal_pages=PAGES
    )
    async with (
        served(build(payload_house)) as address,
        httpx.AsyncClient(
            base_url=address, timeout=30, trust_env=False, verify=UNLOADED, headers={"Accept-Language": "en"}
        ) as client,
    ):
        yield client


def sign_in_headers(issuer: Issuer, subject: str, origin: str = PAGES) -> dict[str, str]:
    at = int(datetime.now(UTC).timestamp())
    token = issuer.token(sub=subject, iat=at, exp=at + 300)
    return {"Authorization": f"Bearer {token}", "Origin": origin}


@pytest.mark.parametrize("subject", ["of AUDIT", "of DISC"])
async def test_who_watches_sees_words_there_and_the_log_says_so(
    pages: httpx.AsyncClient, issuer: Issuer, subject: str
) -> None:
    with capture_logs() as lines:
        answer = await pages.post(PATH, content=sealed(), headers=sign_in_headers(issuer, subject))
    assert answer.status_code == 200, answer.text
    assert json.loads(read(answer.content)) == SAID
    assert answer.headers["access-control-allow-origin"] == PAGES
    assert "access-control-allow-credentials" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"
    (line,) = [one for one in lines if one["event"] == "payloads.opened"]
    assert (line["workflows"], line["count"]) == ([WORKFLOW], 1)
    assert line["person"] in ("P-21", "P-22")
    assert SAID not in str(line)


@pytest.mark.parametrize("subject", ["of ADMIN", "of CAB-REG", "of SO-PM", "of a service"])
async def test_nobody_else_does(pages: httpx.AsyncClient, issuer: Issuer, subject: str) -> None:
    answer = await pages.post(PATH, content=sealed(), headers=sign_in_headers(issuer, subject))
    assert answer.status_code == 403
    assert SAID not in answer.text


async def test_neither_without_a_token_nor_from_another_origin(pages: httpx.AsyncClient, issuer: Issuer) -> None:
    assert (await pages.post(PATH, content=sealed(), headers={"Origin": PAGES})).status_code == 401
    for origin in (
        "https://evil.example",
        "https://temporal.bureau.example.evil.example",
        "null",
        "http://temporal.bureau.example",
    ):
        answer = await pages.post(PATH, content=sealed(), headers=sign_in_headers(issuer, "of AUDIT", origin))
        assert answer.status_code == 403, origin
        assert "access-control-allow-origin" not in answer.headers
        before = await pages.options(PATH, headers={"Origin": origin, "Access-Control-Request-Method": "POST"})
        assert "access-control-allow-origin" not in before.headers


async def test_a_browser_is_told_beforehand_that_those_pages_may_ask(pages: httpx.AsyncClient) -> None:
    answer = await pages.options(PATH, headers={"Origin": PAGES, "Access-Control-Request-Method": "POST"})
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == PAGES
    allowed = set(answer.headers["access-control-allow-headers"].split(", "))
    assert allowed == {"authorization", "authorization-extras", "content-type", "x-namespace"}, "what UI 2.54 sends"


async def test_the_pages_ask_with_what_they_send_along(pages: httpx.AsyncClient, issuer: Issuer) -> None:
    """As the pages' own script does it (Temporal UI 2.54.1): a query, the namespace, two tokens, no cookie."""
    headers = sign_in_headers(issuer, "of AUDIT") | {"X-Namespace": "default", "Authorization-Extras": "an id token"}
    answer = await pages.post(f"{PATH}?preserveStorageRefs=true", content=sealed(), headers=headers)
    assert answer.status_code == 200, answer.text
    assert json.loads(read(answer.content)) == SAID


@pytest.fixture
async def history(servers: Servers) -> str:
    """A workflow on Temporal's own server, whose argument is sealed."""
    client = await Client.connect(servers.temporal_address, data_converter=sealing_converter(CODEC.keys))
    name = f"need/test/{uuid4().hex}"
    await client.start_workflow("Nobody", SAID, id=name, task_queue="nobody")
    return name


@pytest.mark.full
@pytest.mark.parametrize(("subject", "shows"), [("of AUDIT", True), ("of CAB-REG", False), ("", False)])
async def test_temporals_own_command_line_shows_words_to_who_watches_and_to_nobody_else(
    pages: httpx.AsyncClient, issuer: Issuer, servers: Servers, history: str, subject: str, *, shows: bool
) -> None:
    authorization = sign_in_headers(issuer, subject)["Authorization"] if subject else ""
    process = await asyncio.create_subprocess_exec(
        str(binaries.find_temporal()),
        *("workflow", "show", "--workflow-id", history, "--address", servers.temporal_address, "--output", "json"),
        *("--codec-endpoint", f"{str(pages.base_url).rstrip('/')}/codec", "--codec-auth", authorization),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, complained = (part.decode() for part in await process.communicate())
    if not shows:
        assert process.returncode != 0
        assert base64.b64encode(plain().data).decode() not in output + complained
        return
    (payload,) = json.loads(output)["events"][0]["workflowExecutionStartedEventAttributes"]["input"]["payloads"]
    assert base64.b64decode(payload["data"]) == plain().data, "opened, as the command line writes payloads"


async def test_what_no_key_of_ours_sealed_there_comes_back_as_it_was(pages: httpx.AsyncClient, issuer: Issuer) -> None:
    elsewhere = sealed("another")
    answer = await pages.post(PATH, content=elsewhere, headers=sign_in_headers(issuer, "of AUDIT"))
    assert read(answer.content) == read(elsewhere)
    for wrong in (b"", b"{", b'{"payloads": 1}', b"\xff"):
        answer = await pages.post(PATH, content=wrong, headers=sign_in_headers(issuer, "of AUDIT"))
        assert answer.status_code == 422, wrong
    assert (
        await pages.post(PATH, content=b"x" * 300_000, headers=sign_in_headers(issuer, "of AUDIT"))
    ).status_code == 413


async def test_where_no_pages_are_named_there_is_no_such_path(
    house: House, identity: IdentityStore, issuer: Issuer
) -> None:
    who = Identity(PersonId("P-21"), None, (SeatGrant(seat=Actor("AUDIT#1")),))
    await identity.put_identity(ISSUER, "of AUDIT", who)
    async with (
        served(build(replace(house, provider=issuer.provider()))) as address,
        httpx.AsyncClient(base_url=address, timeout=30, trust_env=False, verify=UNLOADED) as client,
    ):
        assert (
            await client.post(PATH, content=sealed(), headers=sign_in_headers(issuer, "of AUDIT"))
        ).status_code == 404
        assert (await client.options(PATH, headers={"Origin": PAGES})).status_code == 404
