"""One server, asked over HTTP with nothing but the standard library: to start must cost less than to be answered."""

from __future__ import annotations

import json
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

AGAIN: Final = frozenset({408, 429, 502, 503, 504})
"""Answers that say nothing of what was asked: ask again, under the same id."""
PATIENCE_S: Final = 60.0
"""How long one question is asked again and again."""
_ONE_TRY_S: Final = 90.0
_MOST: Final = 64 * 2**20
"""Bytes of an answer."""
_CODES: Final = {400: 2, 401: 1, 403: 1, 404: 3, 409: 1, 412: 4, 413: 2, 415: 2, 422: 2, 429: 5}
"""Exit codes by status; 5 where nothing is known, 70 for a fault of the server."""


class Problem(Exception):
    """The server, or the way to it, says no. ``code`` is what the command line ends with."""

    def __init__(self, text: str, code: int, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.details = dict(details or {})


@dataclass
class Server:
    """Where it is, who comes in, and in which language it is to answer."""

    url: str
    headers: dict[str, str] = field(default_factory=dict)
    patience_s: float = PATIENCE_S

    def __post_init__(self) -> None:
        """Raise Problem for an address over which a credential would travel in the clear."""
        parts = urllib.parse.urlsplit(self.url)
        is_here = parts.hostname in ("127.0.0.1", "localhost", "::1")
        if parts.scheme != "https" and not (parts.scheme == "http" and is_here):
            message = f"VENTURE_URL={self.url}: 須為 https / it must be https"
            raise Problem(message, 2)
        self.url = self.url.rstrip("/")

    def get(self, path: str, **query: object) -> Any:  # noqa: ANN401 - any JSON
        """The answer to a question."""
        return self.ask("GET", path, query=query)

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: object = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:  # noqa: ANN401 - any JSON
        """The answer, asked for again while none comes. What writes bears its id in ``headers``. Raises Problem."""
        query_text = urllib.parse.urlencode(
            {
                name: str(value).lower() if isinstance(value, bool) else value
                for name, value in (query or {}).items()
                if value not in (None, "")
            }
        )
        url = self.url + urllib.parse.quote(path, safe="/:-._~") + (f"?{query_text}" if query_text else "")
        sent = {"Accept": "application/json", **self.headers, **(headers or {})}
        if body is not None:
            data, sent["Content-Type"] = json.dumps(body).encode(), "application/json"
        began, pause_s = time.monotonic(), 0.2
        while True:
            try:
                return _send(method, url, sent, data)
            except _Again as again:
                wait_s = max(pause_s, again.after_s)
                if time.monotonic() - began + wait_s > self.patience_s:
                    raise Problem(_unknown(again.why, sent), 5) from None
                time.sleep(wait_s)
                pause_s = min(10.0, 2 * pause_s)


class _Again(Exception):
    def __init__(self, why: str, after_s: float = 0.0) -> None:
        super().__init__(why)
        self.why, self.after_s = why, after_s


def _unknown(why: str, headers: Mapping[str, str]) -> str:
    key = headers.get("Idempotency-Key")
    ask = f"；以同一編號再問，不會重辦：--id {key} / ask again with the same id: --id {key}" if key else ""
    return f"結果未知（{why}）/ not known ({why}){ask}"


class _Straight(urllib.request.HTTPRedirectHandler):
    """Follows nobody elsewhere: a credential is for the server that was named."""

    def redirect_request(self, *_: Any) -> None:  # noqa: ANN401 - the library's own
        return None


def _send(method: str, url: str, headers: Mapping[str, str], data: bytes | None) -> Any:  # noqa: ANN401 - any JSON
    request = urllib.request.Request(url, data=data, headers=dict(headers), method=method)  # noqa: S310 - http(s) only, checked
    handlers: list[Any] = [_Straight(), urllib.request.ProxyHandler()]
    if url.startswith("https:"):
        handlers.append(urllib.request.HTTPSHandler(context=ssl.create_default_context()))
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=_ONE_TRY_S) as answer:
            return _read(answer.read(_MOST), answer.headers.get("Set-Cookie"))
    except urllib.error.HTTPError as refusal:
        problem = _read(refusal.read(_MOST), None)
        if refusal.code in AGAIN:
            raise _Again(f"HTTP {refusal.code}", _seconds(refusal.headers.get("Retry-After"))) from None
        raise Problem(_describe(refusal.code, problem), _code(refusal.code, problem), problem) from None
    except (urllib.error.URLError, HTTPException, OSError) as gone:
        raise _Again(str(getattr(gone, "reason", gone)) or type(gone).__name__) from None


def _read(content: bytes, cookie: str | None) -> Any:  # noqa: ANN401 - any JSON
    try:
        body = json.loads(content) if content else {}
    except ValueError:
        body = {"text": content[:2000].decode("utf-8", "replace")}
    if isinstance(body, dict) and cookie is not None:
        body["set_cookie"] = cookie
    return body


def _seconds(text: str | None) -> float:
    try:
        return min(30.0, max(0.0, float(text or 0)))
    except ValueError:
        return 0.0


def _code(status: int, problem: Any) -> int:  # noqa: ANN401 - any JSON
    if isinstance(problem, dict) and str(problem.get("type", "")).endswith(("mismatch", "precondition", "conflict")):
        return 4
    return _CODES.get(status, 70 if status >= 500 else 2)  # noqa: PLR2004 - of the server itself


def _describe(status: int, problem: Any) -> str:  # noqa: ANN401 - any JSON
    """What is wrong, every unmet condition in a line of its own."""
    if not isinstance(problem, dict) or "title" not in problem:
        return f"HTTP {status}"
    lines = [str(problem["title"]) + (f"：{problem['detail']}" if problem.get("detail") else "")]
    lines += [f"  ✗ [{one['rule']}] {one['detail']}" for one in problem.get("unmet", ())]
    lines += [f"  ✗ {one['pointer']} {one['detail']}" for one in problem.get("errors", ())]
    lines += [str(problem["remedy"])] if problem.get("remedy") else []
    return "\n".join(lines)
