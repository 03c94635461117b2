"""What comes on a line is a request by RFC 9112 or is refused, and no line is held open by whoever asks for nothing."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.web.conftest import served
from web import protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import Receive, Scope, Send

HOST = b"Host: here\r\n"
ASK = b"GET /a HTTP/1.1\r\n" + HOST + b"\r\n"
SEND = b"POST /a HTTP/1.1\r\n" + HOST
CHUNKED = SEND + b"Transfer-Encoding: chunked\r\n\r\n"
ENDLESS = b"a" * 2_000_000
PATIENCE_S = 60


async def tell(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with what was understood: path, body and the names of the headers."""
    body, is_more = b"", True
    while is_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message.get("body", b"")
        is_more = message.get("more_body", False)
    names = b" ".join(name for name, _ in scope["headers"])
    text = b"<%b|%b|%b>" % (scope["path"].encode(), body, names)
    length = [(b"content-length", str(len(text)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": length})
    await send({"type": "http.response.body", "body": text})


@pytest.fixture(scope="module")
async def port() -> AsyncIterator[int]:
    async with served(tell, lifespan="off") as address:
        yield urlsplit(address).port or 0


async def ask(port: int, data: bytes, *, until: bytes = b"never") -> tuple[list[int], list[bytes]]:
    """The statuses and texts with which the line answers that, until it is closed or has said what is waited for."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = b""
    async with asyncio.timeout(PATIENCE_S):
        try:
            for begin in range(0, len(data), 65_536):
                writer.write(data[begin : begin + 65_536])
                await writer.drain()
            while until not in answer and (part := await reader.read(65_536)):
                answer += part
        except ConnectionError:
            pass  # hung up on while sending
    writer.close()
    return [int(one) for one in re.findall(rb"HTTP/1\.1 (\d{3})", answer)], re.findall(rb"<[^>]*>", answer)


REFUSED = {
    "length and chunks": SEND + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + ASK,
    "chunks and length": SEND + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + ASK,
    "two lengths": SEND + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi!",
    "one length twice": SEND + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
    "a list of lengths": SEND + b"Content-Length: 2, 2\r\n\r\nhi",
    "a signed length": SEND + b"Content-Length: +2\r\n\r\nhi",
    "a length of more than there is": SEND + b"Content-Length: 99999999999999999999\r\n\r\nhi",
    "another coding": SEND + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
    "a coding behind": SEND + b"Transfer-Encoding: chunked, identity\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
    "a coding before": SEND + b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks of before there were chunks": b"POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a space before the colon": SEND + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "bare line feeds": ASK.replace(b"\r\n", b"\n"),
    "one bare line feed": b"GET /a HTTP/1.1\r\nHost: here\nX-A: b\r\n\r\n",
    "a bare return": b"GET /a HTTP/1.1\r\nHost: here\rX-A: b\r\n\r\n",
    "a bare line feed after a chunk's size": CHUNKED + b"2\nhi\r\n0\r\n\r\n",
    "a line feed in a chunk's extension": CHUNKED + b"2;\nxx\r\nhi\r\n0\r\n\r\n",
    "a chunk longer than it says": CHUNKED + b"2\r\nhi!!0\r\n\r\n",
    "a chunk's size that is none": CHUNKED + b"0x2\r\nhi\r\n0\r\n\r\n",
    "a folded header": b"GET /a HTTP/1.1\r\n" + HOST + b"X-A: b\r\n c\r\n\r\n",
    "no host": b"GET /a HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /a HTTP/1.1\r\n" + HOST + HOST + b"\r\n",
    "a header with a zero byte": b"GET /a HTTP/1.1\r\n" + HOST + b"X-A: a\0b\r\n\r\n",
    "a version of before": b"GET /a\r\n\r\n",
    "a version to come": b"GET /a HTTP/2.0\r\n" + HOST + b"\r\n",
    "a tunnel": b"CONNECT a:1 HTTP/1.1\r\n" + HOST + b"\r\n",
    "another protocol": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "a header without end": b"GET /a HTTP/1.1\r\n" + HOST + b"X-A: " + ENDLESS,
    "headers without end": b"GET /a HTTP/1.1\r\n" + HOST + b"X-A: b\r\n" * 200_000,
    "a target without end": b"GET /" + ENDLESS,
    "a trailer without end": CHUNKED + b"2\r\nhi\r\n0\r\nX-A: " + ENDLESS,
    "a chunk's extension without end": CHUNKED + b"2;" + ENDLESS,
}


async def test_what_is_no_request_or_could_be_two_is_refused_and_the_line_closed(port: int) -> None:
    for name, data in REFUSED.items():
        statuses, texts = await ask(port, data)
        assert (statuses in ([400], []), texts) == (True, []), name  # who still sends may not read why


ANSWERED = {
    "as it should be": (ASK, b"/a||host"),
    "a body of known length": (SEND + b"Content-Length: 2\r\n\r\nhi", b"/a|hi|host content-length"),
    "a body by chunks": (CHUNKED + b"2\r\nhi\r\n0\r\n\r\n", b"/a|hi|host transfer-encoding"),
    "a trailer, which is no header": (
        CHUNKED + b"2\r\nhi\r\n0\r\nAuthorization: x\r\n\r\n",
        b"/a|hi|host transfer-encoding",
    ),
    "an offer of another protocol": (
        SEND + b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nhi",
        b"/a|hi|host content-length",
    ),
    "a whole target": (b"GET http://here/a HTTP/1.1\r\n" + HOST + b"\r\n", b"/a||host"),
}


async def test_what_is_a_request_is_answered_and_so_is_the_next_on_its_line(port: int) -> None:
    for name, (data, text) in ANSWERED.items():
        statuses, texts = await ask(port, data + ASK.replace(b"/a", b"/next"), until=b"</next||host>")
        assert (statuses, texts) == ([200, 200], [b"<%b>" % text, b"</next||host>"]), name


async def test_what_is_no_request_does_not_answer_for_the_one_before_it(port: int) -> None:
    assert await ask(port, ASK + b"what is this\r\n\r\n") == ([200], [b"</a||host>"])


async def test_so_many_are_read_ahead_and_no_more(port: int) -> None:
    statuses, _ = await ask(port, ASK * 1_000)
    assert statuses == [200] * (protocol.MOST_AHEAD + 1), "the first is not ahead of any"


async def test_a_line_is_not_held_open_by_whoever_asks_for_nothing(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_S", 0.2)
    assert await ask(port, b"") == await ask(port, b"GET /a HT") == ([], [])
    for nothing in (b"\r\n", b"GET /a HT"):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(ASK)
        await reader.readuntil(b">")
        writer.write(nothing)
        async with asyncio.timeout(PATIENCE_S):
            assert await reader.read() == b""
        writer.close()
