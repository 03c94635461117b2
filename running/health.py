"""``/healthz`` says that the process lives, ``/readyz`` that it can serve: both servers answer."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from temporalio.service import RPCError

from activities.agenda import LATE
from store.port import Clock, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from running.office import Office

_LONGEST_REQUEST_S = 5.0


@asynccontextmanager
async def answering(port: int | None, office: Office, endings: Mapping[str, int] | None = None) -> AsyncIterator[None]:
    """Answer on that loopback port for as long as the block runs; not at all without one.

    ``endings`` counts the commands of this process by how they ended.
    """
    if port is None:
        yield
        return

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_LONGEST_REQUEST_S):
                line = await reader.readline()
                status, body = await _answer(line.decode("latin-1").split(" "), office, endings or {})
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


async def _answer(request: list[str], office: Office, endings: Mapping[str, int]) -> tuple[str, str]:
    match request:
        case ["GET", "/healthz", *_]:
            return "200 OK", "alive\n"
        case ["GET", "/readyz", *_]:
            problem = await not_ready(office)
            return ("200 OK", "ready\n") if problem is None else ("503 Service Unavailable", f"{problem}\n")
        case ["GET", "/metrics", *_]:
            return "200 OK", await metrics(office, endings)
        case _:
            return "404 Not Found", "/healthz /readyz /metrics\n"


async def metrics(office: Office, endings: Mapping[str, int]) -> str:
    """The few figures that tell whether all is well, in Prometheus' text form. No personal data (PR10)."""
    ready = await not_ready(office) is None
    lines = _gauge("venture_ready", "Whether both servers answer.", int(ready))
    if ready:
        late = await office.store.overdue(Clock.WALL, datetime.now(UTC) - LATE)
        untold = await office.store.untold()
        lines += _gauge("venture_log_position", "Entries in the log.", await office.store.last_position())
        lines += _gauge("venture_deadlines_late", "Deadlines a minute past and not seen to (at most 100).", len(late))
        lines += _gauge("venture_streams_untold", "Workflows not told of an append (at most 100).", len(untold))
    lines += [
        "# HELP venture_commands_total Commands carried out here, by ending.",
        "# TYPE venture_commands_total counter",
    ]
    lines += [
        f'venture_commands_total{{ending="{ending.lower()}"}} {count}' for ending, count in sorted(endings.items())
    ]
    return "\n".join(lines) + "\n"


def _gauge(name: str, meaning: str, value: int) -> list[str]:
    return [f"# HELP {name} {meaning}", f"# TYPE {name} gauge", f"{name} {value}"]


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
