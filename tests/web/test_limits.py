"""Whatever is sent, the answer is a problem that says so: never a stack trace, never a process that is kept busy."""

from __future__ import annotations

import asyncio
import json
import socket
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import httpx
import pytest

from http_server import listen
from tests.tables import mostly
from tests.web.conftest import UNLOADED, served, with_key
from tests.workflows.waiting import until
from web.app import build
from web.limits import MOST_BYTES, Allowance
from web.problems import Refusal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.web.conftest import Counter
    from tests.workflows.bureau import Bureau

SUBMIT = "/v1/commands/SubmitNeed"


async def test_no_part_of_an_answer_waits_for_the_other_side_to_have_the_part_before() -> None:
    loop = asyncio.get_running_loop()
    accepted = loop.create_future()

    class AcceptedLine(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            accepted.set_result(transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    listening = listen("127.0.0.1", 0)
    async with await loop.create_server(AcceptedLine, sock=listening):
        _, writer = await asyncio.open_connection(*listening.getsockname())
        assert await accepted
        writer.close()


async def test_a_body_of_the_greatest_size_is_read_and_one_byte_more_is_not(counter: Counter) -> None:
    body = json.dumps({"subject": "ND-1", "as": "COMM#1", "particulars": {}}).encode()
    async with counter.service("COMM#1") as service:
        headers = with_key(**{"Content-Type": "application/json"})
        fits = await service.post(SUBMIT, content=body.ljust(MOST_BYTES), headers=headers)
        over = await service.post(SUBMIT, content=body.ljust(MOST_BYTES + 1), headers=headers)
    assert fits.status_code == 422, "it was read, and says what is missing"
    assert (over.status_code, over.json()["type"]) == (413, "urn:venture:problem:too-large")


async def test_a_body_that_does_not_say_its_size_is_held_to_it_too(counter: Counter) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(8):
            yield b" " * (MOST_BYTES // 4)

    async with counter.service("COMM#1") as service:
        answer = await service.post(SUBMIT, content=parts(), headers=with_key())
    assert answer.status_code == 413


async def test_a_body_that_comes_too_slowly_is_not_waited_for(counter: Counter) -> None:
    async with served(build(counter.house, body_s=0.3)) as address:
        parts = urlsplit(address)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(b"POST /v1/session HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\n{")
        answer = await reader.read()
        writer.close()
    assert b"408" in answer.partition(b"\r\n")[0]
    assert b"too-slow" in answer


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 50_000,
        b'{"subject":' * 3_000 + b"1" + b"}" * 3_000,
        b'{"subject": "ND-1", "subject": "ND-2"}',
        b'{"subject": NaN}',
        b'{"subject": 1e999}',
        b"1" * 5_000,
        b"\xff\xfe{}",
        b'{"subject": "\\ud800"}',
        b'{"subject": "\\u0000"}',
        b'{"subject": "ND-1\\u202e", "particulars": {"round": "\\u0000"}}',
        b"",
        b"null",
        b'"text"',
        b'{"subject": ["ND-1"], "as": {"role": "COMM"}, "at": "0000-00-00", "particulars": []}',
        b'{"subject": "ND-1", "as": "COMM#1", "particulars": {}, "is_admin": true}',
    ],
)
async def test_a_body_that_cannot_be_read_is_told_so(counter: Counter, body: bytes) -> None:
    async with counter.service("COMM#1") as service:
        headers = with_key(**{"Content-Type": "application/json"})
        answer = await service.post(SUBMIT, content=body, headers=headers)
    assert answer.status_code in {404, 422}, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_another_media_type_is_not_read(counter: Counter) -> None:
    async with counter.service("COMM#1") as service:
        answer = await service.post(SUBMIT, data={"subject": "ND-1"}, headers=with_key())
    assert answer.status_code == 415


INJECTIONS = [
    "' OR '1'='1",
    "1; SELECT pg_sleep(5)",
    "\0",
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "\r\nX-Injected: 1",
    "'; DROP TABLE venture.entries; --",
    "') UNION SELECT secret FROM web.api_keys --",
    "\\'; --",
    "$1",
    "%00",
    "",
    "..%2f..%2fetc",
    "{{7*7}}",
    "${7*7}",
    "need/live/ND-1' AND pg_sleep(5) --",
    "𠮷" * 60,
    "\u202eND-1",
]


@mostly(6, "payload", INJECTIONS)
async def test_nothing_that_is_sent_is_taken_for_sql_a_path_or_a_header(
    counter: Counter, bureau: Bureau, payload: str
) -> None:
    before = await bureau.store.last_position()
    body = {"subject": payload, "realm": payload, "as": "COMM#1", "particulars": {"round": payload, "group": payload}}
    async with counter.service("COMM#1", "CAB-REG#1") as service:
        answers = [
            await service.post(SUBMIT, json=body, headers=with_key()),
            await service.get("/v1/inbox", params={"realm": payload, "as": payload}),
            await service.get("/v1/inbox", params={"realm": payload}),
            await service.get("/v1/approvals", params={"stream": payload}),
            await service.get("/v1/events", params={"stream": payload, "types": payload}),
            await service.get("/v1/events", params={"types": payload}),
            await service.get("/v1/names/x", params={"realm": payload}),
            await service.get("/v1/files/need/live/ND-1", params={"as_of": payload, "known_at": payload}),
            await service.get("/healthz", headers={"X-Request-Id": quote(payload)}),
            await service.post("/v1/session", json={"login": payload, "password": payload}),
        ]
    assert all(answer.status_code < 500 for answer in answers), [answer.status_code for answer in answers]
    assert all("x-injected" not in answer.headers for answer in answers)
    assert max(answer.elapsed.total_seconds() for answer in answers) < 4
    assert await bureau.store.last_position() >= before


async def test_every_answer_carries_the_headers_that_keep_a_browser_safe(counter: Counter) -> None:
    async with counter.stranger() as stranger:
        answers = [await stranger.get(path) for path in ("/healthz", "/v1/inbox", "/nothing", "/v1/openapi.json")]
    for answer in answers:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert answer.headers["X-Request-Id"]
    assert answers[2].json()["type"] == "urn:venture:problem:not-found"


async def test_a_target_that_is_too_long_and_a_method_that_is_not_there_are_told_so(counter: Counter) -> None:
    async with counter.stranger() as stranger:
        assert (await stranger.get("/v1/names/" + "x" * 9_000)).status_code == 414
        assert (await stranger.delete("/healthz")).status_code == 405


async def test_who_comes_when_all_places_are_taken_is_told_when_to_ask_again_and_then_answered(
    counter: Counter,
) -> None:
    async with served(build(counter.house, most_at_once=1)) as address:
        parts = urlsplit(address)
        _, slow = await asyncio.open_connection(parts.hostname, parts.port)
        slow.write(b"POST /v1/session HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\n{")
        async with httpx.AsyncClient(base_url=address, trust_env=False, verify=UNLOADED) as other:

            async def is_turned_away() -> bool:
                return (await other.get("/nothing")).status_code == HTTPStatus.SERVICE_UNAVAILABLE

            await until(is_turned_away)
            away, alive = await other.get("/nothing"), await other.get("/healthz")
            slow.close()

            async def is_answered() -> bool:
                return (await other.get("/nothing")).status_code == HTTPStatus.NOT_FOUND

            await until(is_answered)
    assert alive.status_code == HTTPStatus.OK
    assert (away.headers["Retry-After"], away.headers["Content-Type"]) == ("2", "application/problem+json")
    assert away.json()["type"] == "urn:venture:problem:unavailable"


def test_who_asks_too_often_is_told_when_to_ask_again() -> None:
    now = [0.0]
    allowance = Allowance(burst=2, per_s=0.5, clock=lambda: now[0])
    assert [allowance.take("a"), allowance.take("a"), allowance.take("b")] == [1, 0, 1]
    with pytest.raises(Refusal) as refusal:
        allowance.take("a")
    assert (refusal.value.status, refusal.value.headers["Retry-After"]) == (429, "2")
    now[0] = 2.0
    assert allowance.take("a") == 0


async def test_who_never_stops_sending_is_hung_up_on(counter: Counter) -> None:
    parts = urlsplit(counter.address)
    _, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(b"POST /v1/session HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n")
    with pytest.raises(ConnectionError):
        await _send_for_ever(writer)
    writer.close()


async def _send_for_ever(writer: asyncio.StreamWriter) -> None:
    for _ in range(1_000):
        writer.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
        await writer.drain()
