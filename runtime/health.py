"""``/healthz`` says that the process lives, ``/readyz`` that it can serve, ``/metrics`` how it fares.

Each answers within seconds, whatever stands still.
"""

from __future__ import annotations

import asyncio
import platform
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, TypeVar

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, Gauge, Info, generate_latest
from temporalio.service import RPCError

from domain.kernel.clock import Clock
from domain.kernel.failure import Failure, FailureKind
from followers.agenda import LATE
from store.port import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from metrics import Metrics
    from runtime.runtime import Runtime

T = TypeVar("T")

LONGEST_LOOK_S = 2.0
"""How long a server may take to answer before it is taken to be away."""
_LONGEST_REQUEST_S = 5.0
_TEXT = "text/plain; charset=utf-8"


class ServerAway(Failure):
    """A server does not answer."""

    kind = FailureKind.UNAVAILABLE

    def __init__(self, why: str) -> None:
        """Say which, and what was seen of it."""
        super().__init__(f"沒有回答：{why}", why)


class Health:
    """What a process says of itself. One look at each server at a time: askers do not pile up behind one that hangs."""

    def __init__(self, runtime: Runtime, measures: Metrics) -> None:
        """Tell of that runtime, and of what this process has done."""
        self._runtime = runtime
        self._measures = measures
        self._looks: dict[str, asyncio.Task[Any]] = {}

    async def ready(self) -> None:
        """Both servers answer, or ServerAway says which does not."""
        client = self._runtime.client.service_client
        answers = await asyncio.gather(
            self._at("postgres", self._runtime.store.last_position),
            self._at("temporal", client.check_health),
            return_exceptions=True,
        )
        problems = [one for one in answers if isinstance(one, BaseException)]
        if problems:
            raise ServerAway("; ".join(one.en if isinstance(one, Failure) else str(one) for one in problems))

    async def metrics(self) -> bytes:
        """The figures that tell whether all is well, in Prometheus' text form. No personal data (PR10)."""
        registry = CollectorRegistry()
        Info("venture_build", "What runs here.", registry=registry).info(_build_labels(self._runtime))
        is_ready = Gauge("venture_ready", "Whether both servers answer.", registry=registry)
        try:
            await self.ready()
            for name, (meaning, value) in (await self._at("log", self._log_figures)).items():
                Gauge(name, meaning, registry=registry).set(value)
        except ServerAway:
            is_ready.set(0)
        else:
            is_ready.set(1)
        return generate_latest(registry) + generate_latest(self._measures.registry)

    async def _log_figures(self) -> dict[str, tuple[str, int]]:
        store = self._runtime.store
        late = len(await store.overdue(Clock.WALL, datetime.now(UTC) - LATE))
        return {
            "venture_log_position": ("Entries in the log.", await store.last_position()),
            "venture_deadlines_late": ("Deadlines a minute past and not seen to (at most 100).", late),
            "venture_streams_untold": ("Workflows not told of an append (at most 100).", len(await store.unnotified())),
        }

    async def _at(self, what: str, look: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What is seen there. A look that takes too long goes on by itself: to cancel it could take as long again."""
        task = self._looks.get(what)
        if task is None or task.done():
            task = self._looks[what] = asyncio.create_task(look())
        done, _ = await asyncio.wait({task}, timeout=LONGEST_LOOK_S)
        if not done:
            raise ServerAway(f"{what}: no answer within {LONGEST_LOOK_S:.0f} s")
        try:
            sight: T = task.result()
        except (StoreUnavailable, RPCError) as gone:
            raise ServerAway(f"{what}: {gone.en if isinstance(gone, Failure) else gone}") from gone
        return sight

    async def answer(self, request: list[str]) -> tuple[str, str, bytes]:
        """Status, content type and body."""
        match request:
            case ["GET", "/healthz", *_]:
                return "200 OK", _TEXT, b"alive\n"
            case ["GET", "/readyz", *_]:
                try:
                    await self.ready()
                except ServerAway as away:
                    return "503 Service Unavailable", _TEXT, f"{away.en}\n".encode()
                return "200 OK", _TEXT, b"ready\n"
            case ["GET", "/metrics", *_]:
                return "200 OK", CONTENT_TYPE_PLAIN_0_0_4, await self.metrics()
            case _:
                return "404 Not Found", _TEXT, b"/healthz /readyz /metrics\n"


@asynccontextmanager
async def serve_health(runtime: Runtime, measures: Metrics) -> AsyncIterator[None]:
    """Answer on the port that the settings name for as long as the block runs; not at all without one."""
    settings, health = runtime.settings, Health(runtime, measures)
    if settings.health_port is None:
        yield
        return

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_LONGEST_REQUEST_S):
                line = await reader.readline()
                status, kind, body = await health.answer(line.decode("latin-1").split(" "))
                head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
                writer.write(f"{head}Connection: close\r\n\r\n".encode() + body)
                await writer.drain()
        except (TimeoutError, ConnectionError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, str(settings.listen_host), settings.health_port)
    async with server:
        yield


def _build_labels(runtime: Runtime) -> dict[str, str]:
    try:
        release = version("venture-lifecycle")
    except PackageNotFoundError:
        release = "checkout"
    return {"version": release, "build_id": runtime.settings.build_id or "", "python": platform.python_version()}
