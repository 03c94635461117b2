"""The runtime behind a command: servers, store and door, found or started, and let go of again."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.service import RPCError

import bootstrap
import local
from application.door import Door
from domain.kernel.failure import Failure, FailureKind
from local.postgres import APPLICATION, AUDITOR
from runtime.worker import run_worker
from store.migration import MigrationRefused, migrate
from store.port import StoreUnavailable
from store.postgres import PostgresStore, open_pool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from temporalio.client import Client

    from bootstrap import Settings
    from local import Servers


_PATIENCE_S = 10.0
"""How long Temporal may take to say that it is there."""


class OutOfService(Failure):
    """A server or a worker cannot be had. The texts say which, and what to do."""

    kind = FailureKind.UNAVAILABLE


@dataclass(frozen=True)
class Runtime:
    """All that a command needs."""

    settings: Settings
    store: PostgresStore
    client: Client
    door: Door
    servers: Servers | None
    """The embedded servers; None in production."""


@asynccontextmanager
async def open_runtime(
    settings: Settings, tell: Callable[[str, str], None], *, working: bool, with_temporal: bool = False
) -> AsyncIterator[Runtime]:
    """The runtime, with a worker if one is needed and none serves. Raises OutOfService where a server cannot be had.

    Embedded servers that run already are used; otherwise they are started for this one command. Temporal must answer
    only if a worker is needed, or it is asked for itself: whoever reads the log does without.
    """
    async with AsyncExitStack() as stack:
        servers = await stack.enter_async_context(_servers(settings, tell, with_temporal=working or with_temporal))
        stack.push_async_callback(bootstrap.breathe)
        try:
            pool = await open_pool(_postgres_url(settings, servers), largest=settings.pool_size)
        except (OSError, StoreUnavailable) as gone:
            raise OutOfService(
                f"Postgres 無法連接：{_reason(gone)}。檢查服務與 VENTURE_POSTGRES_URL",
                f"no connection to Postgres: {_reason(gone)}. Look at the server and at VENTURE_POSTGRES_URL",
            ) from gone
        stack.callback(pool.terminate)
        if working or with_temporal:
            client = await _connect_temporal(settings, servers)
        else:
            address = _temporal_address(settings, servers)
            client = await bootstrap.connect_temporal(address, settings, lazily=True)
        store = PostgresStore(pool)
        stack.push_async_callback(store.aclose)
        door = Door(client, store, bootstrap.load_door_key(settings), settings.task_queue)
        runtime = Runtime(settings, store, client, door, servers)
        if working:
            await stack.enter_async_context(ensure_worker(runtime))
        try:
            yield runtime
        except RPCError as gone:
            raise OutOfService(
                f"Temporal 沒有回答：{gone.message}", f"Temporal did not answer: {gone.message}"
            ) from gone


def _reason(gone: OSError | StoreUnavailable) -> str:
    return gone.why if isinstance(gone, StoreUnavailable) else str(gone)


@asynccontextmanager
async def _servers(
    settings: Settings, tell: Callable[[str, str], None], *, with_temporal: bool
) -> AsyncIterator[Servers | None]:
    if settings.env is bootstrap.Environment.PRODUCTION:
        yield None
        return
    try:
        async with local.servers(settings, with_temporal=with_temporal) as servers:
            for notice in servers.cleared:
                tell(notice, notice)
            if servers.ours:
                await migrate(servers.owner_url, app_role=APPLICATION, auditor_role=AUDITOR)
            yield servers
    except MigrationRefused as refused:
        raise OutOfService(
            f"{refused.zh}。演示數據可用 ./run reset 清除重來",
            f"{refused.en}. Demo data may be cleared by ./run reset",
        ) from refused


@asynccontextmanager
async def ensure_worker(runtime: Runtime) -> AsyncIterator[None]:
    """A worker inside this process for as long as the block runs, unless one serves already. Raises OutOfService."""
    if await is_served(runtime):
        yield
        return
    if runtime.servers is None:
        raise OutOfService(
            "沒有 worker 在服務：請啟動 venture-worker",
            "no worker serves this task queue: start venture-worker",
        )
    client = await _connect_temporal(runtime.settings, runtime.servers)  # a lazy one is not for workers
    async with run_worker(runtime.settings, client, runtime.store):
        yield


async def _connect_temporal(settings: Settings, servers: Servers | None) -> Client:
    """A client that is connected. Raises OutOfService."""
    address = _temporal_address(settings, servers)
    try:
        async with asyncio.timeout(_PATIENCE_S):
            return await bootstrap.connect_temporal(address, settings)
    except (OSError, RuntimeError, RPCError) as gone:
        why = str(gone) or f"no answer within {_PATIENCE_S:.0f} s"
        raise OutOfService(
            f"Temporal 無法連接：{why}。檢查服務與 VENTURE_TEMPORAL_ADDRESS、_TLS_…、_API_KEY",
            f"no connection to Temporal: {why}. Look at it and at VENTURE_TEMPORAL_ADDRESS, _TLS_… and _API_KEY",
        ) from gone


async def is_served(runtime: Runtime) -> bool:
    """Whether a worker polls the task queue."""
    request = DescribeTaskQueueRequest(
        namespace=runtime.settings.temporal_namespace,
        task_queue=TaskQueue(name=runtime.settings.task_queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    if runtime.servers is not None and runtime.servers.ours:
        return False
    for _ in range(2):
        description = await runtime.client.workflow_service.describe_task_queue(request)
        if description.pollers:
            return True
        await asyncio.sleep(0.5)
    return False


def _postgres_url(settings: Settings, servers: Servers | None) -> str:
    if settings.postgres_url is not None:
        return settings.postgres_url.get_secret_value()
    if servers is None:
        raise OutOfService("未設 VENTURE_POSTGRES_URL", "VENTURE_POSTGRES_URL is not set")
    return servers.postgres_url


def _temporal_address(settings: Settings, servers: Servers | None) -> str:
    if settings.temporal_address is not None:
        return settings.temporal_address
    if servers is None:
        raise OutOfService("未設 VENTURE_TEMPORAL_ADDRESS", "VENTURE_TEMPORAL_ADDRESS is not set")
    return servers.temporal_address
