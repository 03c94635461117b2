"""``/healthz`` says that the process lives, ``/readyz`` that it can serve: both servers answer."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from temporalio.service import RPCError

from store.port import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from cli.office import Office

_LONGEST_REQUEST_S = 5.0


@asynccontextmanager
async def answering(port: int | None, office: Office) -> AsyncIterator[None]:
    """Answer on that loopback port for as long as the block runs; not at all without one."""
    if port is None:
        yield
        return

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_LONGEST_REQUEST_S):
                line = await reader.readline()
                status, body = await _answer(line.decode("latin-1").split(" "), office)
                head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n"
                writer.write(f"{head}Connection: close\r\n\r\n{body}".encode())
                await writer.drain()
        except (TimeoutError, ConnectionError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", port)
    async with server:
        yield


async def _answer(request: list[str], office: Office) -> tuple[str, str]:
    match request:
        case ["GET", "/healthz", *_]:
            return "200 OK", "alive\n"
        case ["GET", "/readyz", *_]:
            problem = await not_ready(office)
            return ("200 OK", "ready\n") if problem is None else ("503 Service Unavailable", f"{problem}\n")
        case _:
            return "404 Not Found", "/healthz /readyz\n"


async def not_ready(office: Office) -> str | None:
    """What keeps the office from serving, or None."""
    try:
        await office.store.last_position()
    except StoreUnavailable as gone:
        return f"postgres: {gone}"
    try:
        await office.client.service_client.check_health()
    except RPCError as gone:
        return f"temporal: {gone}"
    return None
