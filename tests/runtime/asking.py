"""Asking a port as Prometheus and an orchestrator do."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass


@dataclass(frozen=True)
class Answered:
    status: int
    headers: str
    text: str


async def asked(port: int, path: str, *, patience_s: float = 30) -> Answered:
    """What that port answers. Raises OSError if nobody is there, TimeoutError if nobody answers."""
    async with asyncio.timeout(patience_s):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
    line, _, headers = head.decode().partition("\r\n")
    return Answered(int(line.split()[1]), headers, body.decode())
