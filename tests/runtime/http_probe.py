"""Asking a port as Prometheus and an orchestrator do."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass


@dataclass(frozen=True)
class HttpAnswer:
    status: int
    headers: str
    text: str


async def http_get(port: int, path: str, *, patience_s: float = 30) -> HttpAnswer:
    """What that port answers. Raises OSError if nobody is there, TimeoutError if nobody answers."""
    async with asyncio.timeout(patience_s):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
    line, _, headers = head.decode().partition("\r\n")
    return HttpAnswer(int(line.split()[1]), headers, body.decode())
