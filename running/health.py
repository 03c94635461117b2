"""``/healthz`` says that the process lives, ``/readyz`` that it can serve, ``/metrics`` how it fares.

Each answers within seconds, whatever stands still.
"""

from __future__ import annotations

import asyncio
import platform
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, Gauge, Info, generate_latest
from temporalio.service import RPCError

from activities.agenda import LATE
from store.port import Clock, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    from activities.measures import Measures
    from running.office import Office

LONGEST_LOOK_S = 2.0
"""How long a server may take to answer before it is taken to be away."""
_LONGEST_REQUEST_S = 5.0
_TEXT = "text/plain; charset=utf-8"


@asynccontextmanager
async def answering(office: Office, measures: Measures) -> AsyncIterator[None]:
    """Answer on the port that the settings name for as long as the block runs; not at all without one."""
    settings = office.settings
    if settings.health_port is None:
        yield
        return

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_LONGEST_REQUEST_S):
                line = await reader.readline()
                status, kind, body = await _answer(line.decode("latin-1").split(" "), office, measures)
                head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
                writer.write(f"{head}Connection: close\r\n\r\n".encode() + body)
                await writer.drain()
        except (TimeoutError, ConnectionError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(answer, str(settings.listen_host), settings.health_port)
    async with server:
        yield


async def _answer(request: list[str], office: Office, measures: Measures) -> tuple[str, str, bytes]:
    match request:
        case ["GET", "/healthz", *_]:
            return "200 OK", _TEXT, b"alive\n"
        case ["GET", "/readyz", *_]:
            problem = await not_ready(office)
            if problem is None:
                return "200 OK", _TEXT, b"ready\n"
            return "503 Service Unavailable", _TEXT, f"{problem}\n".encode()
        case ["GET", "/metrics", *_]:
            return "200 OK", CONTENT_TYPE_PLAIN_0_0_4, await metrics(office, measures)
        case _:
            return "404 Not Found", _TEXT, b"/healthz /readyz /metrics\n"


async def metrics(office: Office, measures: Measures) -> bytes:
    """The figures that tell whether all is well, in Prometheus' text form. No personal data (PR10)."""
    registry = CollectorRegistry()
    Info("venture_build", "What runs here.", registry=registry).info(_build(office))
    ready = await not_ready(office) is None and await _problem("log", _of_the_log(registry, office)) is None
    _gauge(registry, "venture_ready", "Whether both servers answer.", int(ready))
    return generate_latest(registry) + generate_latest(measures.registry)


async def _of_the_log(registry: CollectorRegistry, office: Office) -> None:
    late = await office.store.overdue(Clock.WALL, datetime.now(UTC) - LATE)
    untold = await office.store.untold()
    _gauge(registry, "venture_log_position", "Entries in the log.", await office.store.last_position())
    _gauge(registry, "venture_deadlines_late", "Deadlines a minute past and not seen to (at most 100).", len(late))
    _gauge(registry, "venture_streams_untold", "Workflows not told of an append (at most 100).", len(untold))


def _gauge(registry: CollectorRegistry, name: str, meaning: str, value: int) -> None:
    Gauge(name, meaning, registry=registry).set(value)


def _build(office: Office) -> dict[str, str]:
    try:
        release = version("venture-lifecycle")
    except PackageNotFoundError:
        release = "checkout"
    return {"version": release, "build_id": office.settings.build_id or "", "python": platform.python_version()}


async def not_ready(office: Office) -> str | None:
    """What keeps the office from serving, or None."""
    problems = await asyncio.gather(
        _problem("postgres", office.store.last_position()),
        _problem("temporal", office.client.service_client.check_health()),
    )
    return "; ".join(filter(None, problems)) or None


async def _problem(server: str, look: Awaitable[object]) -> str | None:
    try:
        async with asyncio.timeout(LONGEST_LOOK_S):
            await look
    except TimeoutError:
        return f"{server}: no answer within {LONGEST_LOOK_S:.0f} s"
    except (StoreUnavailable, RPCError) as gone:
        return f"{server}: {gone}"
    return None
