"""How the other side reports: messages after Standard Webhooks, sent until they are answered for good."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import random
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import httpx

if TYPE_CHECKING:
    from collections.abc import Sequence

FIRST_PAUSE_S: Final = 0.2
LONGEST_PAUSE_S: Final = 5.0
_AGAIN: Final = frozenset({408, 429})
_FAULTS: Final = 500
"""Statuses from here on are the receiver's own fault: it is told again."""
PDF: Final = "application/pdf"


@dataclass(frozen=True)
class Message:
    """Something to report, the same at every try."""

    id: str
    kind: str
    data: dict[str, Any]

    def write(self, at: str) -> bytes:
        """The body that is signed and sent, as UTF-8 JSON."""
        content = {"type": self.kind, "timestamp": at, "data": self.data}
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass
class Reporter:
    """Reports to one address, under one secret."""

    server: str
    sender: str
    secret: str = field(repr=False)
    key: str = field(repr=False)
    """An API key, by which documents are brought."""
    said: dict[str, list[int]] = field(default_factory=dict)
    """Message and the statuses that it was answered with."""

    async def report(self, messages: Sequence[Message], *, times: int, after_s: float, is_reordered: bool) -> None:
        """Send them in order, or the other way round, each so often, until each is answered for good."""
        await asyncio.sleep(after_s)
        async with httpx.AsyncClient(base_url=self.server, timeout=30, trust_env=False) as line:
            for message in reversed(messages) if is_reordered else messages:
                body = message.write(datetime.now(UTC).isoformat())
                for _ in range(times):
                    await self._send(line, message, body)

    async def bring(self, text: str) -> dict[str, str]:
        """Bring a small document that says so: how a command attaches it."""
        content = f"%PDF-1.7\n% {text}\n%%EOF\n".encode()
        headers = {"authorization": f"Bearer {self.key}", "content-type": PDF}
        pause_s = FIRST_PAUSE_S
        async with httpx.AsyncClient(base_url=self.server, timeout=30, trust_env=False) as line:
            while not await _is_taken(line, content, headers):
                await asyncio.sleep(pause_s)
                pause_s = min(LONGEST_PAUSE_S, 2 * pause_s)
        return {"sha256": sha256(content).hexdigest(), "media_type": PDF, "name": "slip.pdf"}

    async def _send(self, line: httpx.AsyncClient, message: Message, body: bytes) -> None:
        """Send it until it is answered for good, signed anew each time."""
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                headers = self._sign(message.id, body)
                answer = await line.post(f"/v1/callbacks/{self.sender}", content=body, headers=headers)
            except httpx.TransportError:
                status = 0
            else:
                status = answer.status_code
            self.said.setdefault(message.id, []).append(status)
            if status and status < _FAULTS and status not in _AGAIN:
                return
            await asyncio.sleep(pause_s * random.uniform(0.8, 1.2))  # noqa: S311 - so that many do not ask at once
            pause_s = min(LONGEST_PAUSE_S, 2 * pause_s)

    def _sign(self, message: str, body: bytes) -> dict[str, str]:
        at = str(int(time.time()))
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        signature = base64.b64encode(hmac.digest(key, f"{message}.{at}.".encode() + body, "sha256")).decode()
        return {
            "content-type": "application/json",
            "webhook-id": message,
            "webhook-timestamp": at,
            "webhook-signature": f"v1,{signature}",
        }


async def _is_taken(line: httpx.AsyncClient, content: bytes, headers: dict[str, str]) -> bool:
    """Whether the server has it. Raises httpx.HTTPStatusError where it never will."""
    try:
        answer = await line.post("/v1/documents", content=content, headers=headers)
    except httpx.TransportError:
        return False
    if answer.status_code >= _FAULTS or answer.status_code in _AGAIN:
        return False
    answer.raise_for_status()
    return True
