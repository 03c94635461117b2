"""What every request is held to before anybody reads it: how large, how slow; and the headers of every answer.

Plain ASGI, around everything else, so that no route can forget it.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import structlog
from starlette.datastructures import Headers
from starlette.requests import cookie_parser

from application.document_content import MOST_BYTES as MOST_OF_A_DOCUMENT
from application.document_content import too_large
from deciding.admission import MOST_BYTES as MOST_OF_A_COMMAND
from domain.kernel.privacy import describe_trace
from web.language import COOKIE, Language, prefer
from web.problems import AGAIN_S, Refusal, problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger()

MOST_BYTES: Final = MOST_OF_A_COMMAND
"""Of a request's body."""
BODY_S: Final = 10.0
"""Seconds that a whole body may take."""
UPLOADS: Final = "/v1/documents"
FORMS: Final = ("/do/", "/together/", "/bulk")
"""Where a body is taken as it comes, not read first: of a form, if documents may be in it."""
SLOWEST: Final = 16 * 1024
"""Bytes a second of a document, after the time that any body has."""
LONGEST_TARGET: Final = 8_000
"""Bytes of path and query."""
MOST_AT_ONCE: Final = 5_000
"""Requests under way, those that wait included; further ones are told when to ask again."""
ALIVE: Final = "/healthz"
"""Answered all the same: a process with many who wait is not to be taken for a dead one."""

HEADERS: Final = (
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-store"),
)
"""Of every answer that does not say otherwise itself."""
_RAW: Final = tuple((name.lower().encode(), value.encode()) for name, value in HEADERS)
"""As they are sent: written once, not for each answer."""
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")


class Limits:
    """The outermost layer. Whatever is wrong inside leaves it as a problem, never as a stack trace."""

    def __init__(
        self, app: ASGIApp, *, otherwise: Language, body_s: float = BODY_S, most_at_once: int = MOST_AT_ONCE
    ) -> None:
        self._app = app
        self._otherwise = otherwise
        self._body_s = body_s
        self._left = most_at_once

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request within the limits; anything but HTTP goes through as it is."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        header = headers.get("x-request-id", "")
        request_id = header if _REQUEST_ID.fullmatch(header) else uuid4().hex
        chosen = cookie_parser(headers.get("cookie", "")).get(COOKIE)
        language = prefer(chosen, headers.get("accept-language"), self._otherwise)
        scope["venture"] = {"request_id": request_id, "language": language}

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = list(message["headers"])
                names = {name for name, _ in own}
                otherwise = [header for header in _RAW if header[0] not in names]
                message["headers"] = [*own, *otherwise, (b"x-request-id", request_id.encode())]
            await send(message)

        self._left -= 1
        try:
            self._require_place(scope)
            if _has_documents(scope, headers):
                _require_target(scope)
                await self._app(scope, self._pace(headers, receive), send_with_headers)
                return
            body = await self._read(scope, headers, receive)
            await self._app(scope, _replay(body, receive), send_with_headers)
        except _Gone:
            return
        except Refusal as refusal:
            if refusal.status is HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
                await _let_finish(receive)
            answer = problem(refusal, language, request_id)
            answer.headers["Connection"] = "close"  # what else comes on this line is not read
            await answer(scope, receive, send_with_headers)
        except Exception as fault:  # noqa: BLE001 - it was answered inside; here it is told to the log, without its words
            log.error("web.defect", request_id=request_id, trace=describe_trace(fault))  # noqa: TRY400
        finally:
            self._left += 1

    def _require_place(self, scope: Scope) -> None:
        """Raise Refusal while as many requests are under way as may be."""
        if self._left < 0 and scope["path"] != ALIVE:
            raise Refusal(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "unavailable",
                "同時辦理的請求已滿，請稍後再試",
                "as many requests are under way as this server takes: try again",
                headers={"Retry-After": str(AGAIN_S)},
            )

    async def _read(self, scope: Scope, headers: Headers, receive: Receive) -> bytes:
        """The whole body. Raises Refusal where it is too large or too slow."""
        _require_target(scope)
        length = headers.get("content-length", "0")
        if length.isascii() and length.isdigit() and int(length[:20]) > MOST_BYTES:
            raise _too_large()
        if length == "0" and "transfer-encoding" not in headers:
            return b""
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._body_s):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise _Gone
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
                    if size > MOST_BYTES:
                        raise _too_large()
                    if not message.get("more_body", False):
                        return b"".join(parts)
        except TimeoutError:
            raise Refusal(
                HTTPStatus.REQUEST_TIMEOUT,
                "too-slow",
                f"{self._body_s:g} 秒內未收到全部內容",
                f"the whole body did not come within {self._body_s:g} s",
            ) from None

    def _pace(self, headers: Headers, receive: Receive) -> Receive:
        """A document's body as it comes, held to its own measure. What it gives raises Refusal."""
        length = headers.get("content-length", "0")
        if length.isascii() and length.isdigit() and int(length[:20]) > MOST_OF_A_DOCUMENT:
            raise _document_too_large()
        loop, size, began = asyncio.get_running_loop(), 0, asyncio.get_running_loop().time()

        async def receive_in_time() -> Message:
            nonlocal size
            slowest = began + self._body_s + size / SLOWEST
            try:
                async with asyncio.timeout(max(0.0, slowest - loop.time())):
                    message = await receive()
            except TimeoutError:
                raise Refusal(
                    HTTPStatus.REQUEST_TIMEOUT,
                    "too-slow",
                    f"上傳過慢：每秒至少 {SLOWEST // 1024} kB",
                    f"too slow: at least {SLOWEST // 1024} kB a second",
                    headers={"Connection": "close"},
                ) from None
            size += len(message.get("body", b""))
            if size > MOST_OF_A_DOCUMENT:
                raise _document_too_large()
            return message

        return receive_in_time


def _require_target(scope: Scope) -> None:
    """Raise Refusal for a target that is too long, or no text."""
    if len(scope["raw_path"] or b"") + len(scope["query_string"]) > LONGEST_TARGET:
        raise Refusal(
            HTTPStatus.REQUEST_URI_TOO_LONG, "too-large", "網址過長", f"the target is over {LONGEST_TARGET} bytes"
        )
    if b"%00" in (scope["raw_path"] or b"") or b"%00" in scope["query_string"]:
        raise Refusal(
            HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", "網址中有非文字的字元", "the target holds what is no text"
        )


def _has_documents(scope: Scope, headers: Headers) -> bool:
    if scope["method"] != "POST":
        return False
    is_form = scope["path"].startswith(FORMS) and headers.get("content-type", "").startswith("multipart/form-data")
    return is_form or scope["path"] == UPLOADS


class _Gone(Exception):
    """Whoever asked has hung up."""


async def _let_finish(receive: Receive) -> None:
    """Throw away what else comes, within bounds: who is hung up on while sending never reads why."""
    left = _THROWN_AWAY
    with suppress(TimeoutError):
        async with asyncio.timeout(_THROWN_AWAY_S):
            while left > 0:
                message = await receive()
                if not message.get("more_body", False):
                    return
                left -= len(message["body"])


_THROWN_AWAY: Final = 4 * MOST_BYTES
_THROWN_AWAY_S: Final = 2.0


def _too_large() -> Refusal:
    return Refusal(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "too-large",
        f"至多 {MOST_BYTES:,} 字節；大件請作附件，只填校驗值",
        f"at most {MOST_BYTES:,} bytes; attach what is large by its digest",
    )


def _document_too_large() -> Refusal:
    text = too_large()
    return Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", text.zh, text.en, headers={"Connection": "close"})


def _replay(body: bytes, receive: Receive) -> Receive:
    """The body that was read, and after it whatever the line says."""
    is_replayed = False

    async def again() -> Message:
        nonlocal is_replayed
        if is_replayed:
            return await receive()
        is_replayed = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class Allowance:
    """How often somebody may ask: so many at once, so many a second after that. Each process counts for itself."""

    def __init__(self, burst: int, per_s: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Allow ``burst`` at once and ``per_s`` a second."""
        self.burst = burst
        self._per_s = per_s
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, name: str) -> int:
        """Take one of that name's; how many are left. Raises Refusal if there is none."""
        now = self._clock()
        bucket = self._buckets.pop(name, None) or _Bucket(self.burst, now)
        bucket.tokens = min(self.burst, bucket.tokens + (now - bucket.at) * self._per_s)
        bucket.at = now
        self._buckets[name] = bucket
        if len(self._buckets) > _MOST_NAMES:
            self._buckets.popitem(last=False)
        if bucket.tokens < 1:
            wait = max(1, round((1 - bucket.tokens) / self._per_s))
            raise Refusal(
                HTTPStatus.TOO_MANY_REQUESTS,
                "too-many",
                f"請求過多，請於 {wait} 秒後再試",
                f"too many requests: try again in {wait} s",
                headers={"Retry-After": str(wait), **self.headers(0)},
            )
        bucket.tokens -= 1
        return int(bucket.tokens)

    def give_back(self, name: str) -> None:
        """What that name took last is not counted."""
        bucket = self._buckets.get(name)
        if bucket is not None:
            bucket.tokens = min(self.burst, bucket.tokens + 1)

    def headers(self, left: int) -> dict[str, str]:
        """What an answer says of it."""
        window = max(1, round(self.burst / self._per_s))
        return {"RateLimit-Limit": str(self.burst), "RateLimit-Remaining": str(left), "RateLimit-Reset": str(window)}


_MOST_NAMES: Final = 10_000
