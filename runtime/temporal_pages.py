"""Temporal's own pages with what they hold opened, on the loopback address, for whoever has come by a link told once.

Temporal's server hands its pages on as they are, ciphertext and all; the pages themselves ask ``/codec/decode`` to open
what they show. Both come from this one port, so that the browser asks its own origin: no other may, and nothing is
allowed across origins. Whoever comes without the link, or by a page of somebody else's, gets nothing.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from runtime.payload_opener import NoPayloads, PayloadOpener

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from payload_codec import SealingCodec

HOST = "127.0.0.1"
DECODE = "/codec/decode"
"""Where the pages have payloads opened; the server is started with ``/codec`` as its codec's address."""
COOKIE = "venture_temporal_pages"
LARGEST_HEAD = 2**16
LARGEST_BODY = 2**23
"""Bytes that are opened at once: as much as Temporal gives in one answer, and some."""
_HEAD_S = 10.0
"""How long a browser may take to say what it wants."""


class _Refused(Exception):
    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True)
class _Request:
    method: str
    target: str
    headers: list[tuple[str, str]]

    @classmethod
    def parse(cls, head: bytes) -> _Request:
        line, *rest = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        parts = line.split(" ")
        if len(parts) != 3 or any(":" not in one for one in rest):  # noqa: PLR2004 - method, target, version
            raise _Refused(HTTPStatus.BAD_REQUEST, "this is not HTTP")
        headers = [(name.strip().lower(), value.strip()) for name, _, value in (one.partition(":") for one in rest)]
        return cls(parts[0], parts[1], headers)

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")

    def cookie(self, name: str) -> str:
        cookies: SimpleCookie = SimpleCookie()
        with suppress(CookieError):
            cookies.load(self.header("cookie"))
        return cookies[name].value if name in cookies else ""


@dataclass
class TemporalPages:
    """The pages of one server, behind one port."""

    codec: SealingCodec
    namespace: str
    server_port: int
    """Where Temporal itself shows its pages, on this machine."""
    port: int
    tell: Callable[[str], None]
    """Told each link: one when the pages are opened, the next when it was used."""
    _token: str = ""
    _sessions: set[str] = field(default_factory=set)

    @property
    def origin(self) -> str:
        """Where a browser finds them."""
        return f"http://{HOST}:{self.port}"

    def issue_link(self) -> None:
        """Make the next link; it is good for once."""
        self._token = secrets.token_urlsafe(32)
        self.tell(f"{self.origin}/login?token={self._token}")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        try:
            async with asyncio.timeout(_HEAD_S):
                head = await reader.readuntil(b"\r\n\r\n")
            await self._answer(_Request.parse(head), reader, writer)
        except _Refused as refused:
            _write(writer, refused.status, str(refused).encode(), ("Content-Type", "text/plain; charset=utf-8"))
        except (TimeoutError, ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return
        finally:
            with suppress(ConnectionError):
                await writer.drain()
            writer.close()

    async def _answer(self, request: _Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if request.header("host") != f"{HOST}:{self.port}":  # another name for this machine is another's trick
            raise _Refused(HTTPStatus.MISDIRECTED_REQUEST, f"open {self.origin}")
        if request.header("origin") not in {"", self.origin}:
            raise _Refused(HTTPStatus.FORBIDDEN, "not from another page")
        path = urlsplit(request.target)
        if request.method == "GET" and path.path == "/login":
            self._let_in(parse_qs(path.query).get("token", [""])[0], writer)
            return
        if request.cookie(COOKIE) not in self._sessions:
            raise _Refused(HTTPStatus.UNAUTHORIZED, "open the link that `venture up --ui` has told")
        if path.path != DECODE:
            await self._hand_on(request, reader, writer)
            return
        if request.method != "POST":
            raise _Refused(HTTPStatus.METHOD_NOT_ALLOWED, "POST")
        try:
            opened, _ = PayloadOpener(self.codec, self.namespace).open_all(await _read_body(request, reader))
        except NoPayloads:
            raise _Refused(HTTPStatus.BAD_REQUEST, "these are no payloads") from None
        _write(writer, HTTPStatus.OK, opened, ("Content-Type", "application/json"), ("Cache-Control", "no-store"))

    def _let_in(self, token: str, writer: asyncio.StreamWriter) -> None:
        if not self._token or not hmac.compare_digest(token.encode(), self._token.encode()):
            raise _Refused(HTTPStatus.UNAUTHORIZED, "this link was used, or is none: take the last that was told")
        session = secrets.token_urlsafe(32)
        self._sessions.add(session)
        cookie = f"{COOKIE}={session}; Path=/; HttpOnly; SameSite=Strict"
        pages = f"/namespaces/{self.namespace}/workflows"
        _write(writer, HTTPStatus.SEE_OTHER, b"", ("Location", pages), ("Set-Cookie", cookie))
        self.issue_link()

    async def _hand_on(self, request: _Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """To Temporal's own pages, and the answer back; our cookie stays here."""
        try:
            from_server, to_server = await asyncio.open_connection(HOST, self.server_port)
        except OSError as away:
            raise _Refused(HTTPStatus.BAD_GATEWAY, "Temporal's pages do not answer") from away
        kept = [(name, value) for name, value in request.headers if name not in {"connection", "cookie"}]
        others = [
            one.strip() for one in request.header("cookie").split(";") if not one.strip().startswith(f"{COOKIE}=")
        ]
        lines = [f"{request.method} {request.target} HTTP/1.1", *(f"{name}: {value}" for name, value in kept)]
        lines += [f"cookie: {'; '.join(others)}", "connection: close", "", ""]
        to_server.write("\r\n".join(lines).encode("latin-1"))
        onward = asyncio.create_task(_pump(reader, to_server))
        try:
            await _pump(from_server, writer)
        finally:
            onward.cancel()
            to_server.close()


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while part := await source.read(2**16):
            target.write(part)
            await target.drain()


async def _read_body(request: _Request, reader: asyncio.StreamReader) -> bytes:
    length = request.header("content-length")
    if not length.isascii() or not length.isdecimal():
        raise _Refused(HTTPStatus.LENGTH_REQUIRED, "say how long it is")
    if len(length) > len(str(LARGEST_BODY)) or int(length) > LARGEST_BODY:
        raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {LARGEST_BODY} bytes")
    async with asyncio.timeout(_HEAD_S):
        return await reader.readexactly(int(length))


def _write(writer: asyncio.StreamWriter, status: HTTPStatus, body: bytes, *headers: tuple[str, str]) -> None:
    fields = [
        *headers,
        ("Content-Length", str(len(body))),
        ("X-Content-Type-Options", "nosniff"),
        ("Connection", "close"),
    ]
    head = "".join(f"{name}: {value}\r\n" for name, value in fields)
    writer.write(f"HTTP/1.1 {status.value} {status.phrase}\r\n{head}\r\n".encode("latin-1") + body)


@asynccontextmanager
async def serve_pages(pages: TemporalPages) -> AsyncIterator[None]:
    """Show them as long as the block runs; the first link is told at once."""
    server = await asyncio.start_server(pages.serve, HOST, pages.port, limit=LARGEST_HEAD)
    async with server:
        pages.issue_link()
        yield
