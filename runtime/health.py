"""``/healthz`` says that the process lives, ``/readyz`` that it can serve, ``/metrics`` how it fares.

Each answers within seconds, whatever stands still.
"""

from __future__ import annotations

import asyncio
import platform
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, TypeVar

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, Gauge, Info, generate_latest
from temporalio.service import RPCError

from application.namespace import read_owner_with_our_keys
from domain.kernel.clock import Clock
from domain.kernel.failure import Failure, FailureKind
from followers.agenda import LATE
from store.migration import list_pending
from store.port import SchemaUnfit, StoreUnavailable
from temporal_client import PortTaken, read_certificate_ends

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from bootstrap import Settings
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
        super().__init__(f"沒有回答：{why}", why)


class Health:
    """What a process says of itself. One look at each server at a time: askers do not pile up behind one that hangs."""

    def __init__(self, runtime: Runtime, measures: Metrics) -> None:
        self._runtime = runtime
        self._measures = measures
        self._looks: dict[str, asyncio.Task[Any]] = {}

    async def ready(self) -> None:
        """A command would be carried out and answered, as far as can be seen; or ServerAway says what is in its way."""
        ours, theirs = await asyncio.gather(
            self._at("postgres", self._look_at_log),
            self._at("temporal", partial(read_owner_with_our_keys, self._runtime.client)),
            return_exceptions=True,
        )
        problems = [one for one in (ours, theirs) if isinstance(one, BaseException)]
        if problems:
            raise ServerAway("; ".join(one.en if isinstance(one, Failure) else str(one) for one in problems))
        if theirs not in ("", ours):
            raise ServerAway(f"temporal: the namespace belongs to the log {theirs}, not to {ours}")

    async def _look_at_log(self) -> str:
        """The log behind this process, in hex. Raises StoreUnavailable where no append would be answered."""
        store = self._runtime.store
        if trouble := (await store.replication()).trouble:
            raise StoreUnavailable(trouble[1])
        if pending := list_pending(await store.applied_migrations()):
            raise SchemaUnfit(f"lacking {', '.join(pending)}")
        return (await store.genesis() or b"").hex()

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

    async def _log_figures(self) -> dict[str, tuple[str, float]]:
        store = self._runtime.store
        replication, archive = await store.replication(), await store.archive()
        late = len(await store.list_overdue(Clock.WALL, datetime.now(UTC) - LATE))
        unnotified = len(await store.list_unnotified())
        return {
            "venture_log_position": ("Entries in the log.", await store.last_position()),
            "venture_deadlines_late": ("Deadlines a minute past and not seen to (at most 100).", late),
            "venture_streams_untold": ("Workflows not told of an append (at most 100).", unnotified),
            "venture_standbys_missing": (
                "Standbys that are to be attached and are not; 0 where this role is not shown them.",
                len(replication.missing),
            ),
            "venture_archive_failing": ("Whether the last try to archive failed.", archive.is_failing),
            **_certificate_figures(self._runtime.settings),
            **(
                {"venture_archive_age_seconds": ("Since a segment of the WAL was archived.", archive.age_s)}
                if archive.is_on and archive.age_s is not None
                else {}
            ),
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
        except (Failure, RPCError) as gone:
            raise ServerAway(f"{what}: {gone.en if isinstance(gone, Failure) else gone}") from gone
        return sight

    async def answer(self, method: str, target: str) -> tuple[str, str, bytes]:
        """Status, content type and body; to HEAD the same, for whoever writes it to leave the body out."""
        if method not in ("GET", "HEAD"):
            return "405 Method Not Allowed", _TEXT, b"GET, HEAD\n"
        match target.partition("?")[0]:
            case "/healthz":
                return "200 OK", _TEXT, b"alive\n"
            case "/readyz":
                try:
                    await self.ready()
                except ServerAway as away:
                    return "503 Service Unavailable", _TEXT, f"{away.en}\n".encode()
                return "200 OK", _TEXT, b"ready\n"
            case "/metrics":
                return "200 OK", CONTENT_TYPE_PLAIN_0_0_4, await self.metrics()
            case _:
                return "404 Not Found", _TEXT, b"/healthz /readyz /metrics\n"


@asynccontextmanager
async def serve_health(settings: Settings, health: Health) -> AsyncIterator[None]:
    """Answer on the port that the settings name for as long as the block runs; not at all without one."""
    if settings.health_port is None:
        yield
        return

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_LONGEST_REQUEST_S):
                line = await reader.readline()
                method, target, *_ = [*line.decode("latin-1").split(" "), "", ""]
                status, kind, body = await health.answer(method, target)
                head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
                writer.write(f"{head}Connection: close\r\n\r\n".encode() + (b"" if method == "HEAD" else body))
                await writer.drain()
        except (TimeoutError, ConnectionError):
            return
        finally:
            writer.close()

    try:
        server = await asyncio.start_server(serve, str(settings.listen_host), settings.health_port)
    except OSError as taken:
        raise PortTaken("VENTURE_HEALTH_PORT", settings.health_port, taken) from taken
    async with server:
        yield


def _certificate_figures(settings: Settings) -> dict[str, tuple[str, float]]:
    """When the first certificate of the way to Temporal ends; nothing where there is none."""
    ends = [end for _, end in read_certificate_ends(settings)]
    if not ends:
        return {}
    meaning = "When the first of this process's certificates (its own, the authority's) ends."
    return {"venture_certificate_ends_timestamp_seconds": (meaning, min(ends).timestamp())}


def read_release() -> str:
    """Which release this is; ``checkout`` where none is installed."""
    try:
        return version("venture-lifecycle")
    except PackageNotFoundError:
        return "checkout"


def _build_labels(runtime: Runtime) -> dict[str, str]:
    return {"version": read_release(), "build_id": runtime.settings.build_id or "", "python": platform.python_version()}
