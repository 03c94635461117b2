"""The runtime behind a command: the store, Temporal and the door, found or started, and let go of again."""

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
import temporal_client
from application.door import Door
from runtime.store import OpenStore, OutOfService, open_store
from runtime.worker import run_worker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from temporalio.client import Client

    from bootstrap import Settings
    from local import Servers


@dataclass(frozen=True)
class Runtime(OpenStore):
    """All that a command needs."""

    client: Client
    door: Door


@asynccontextmanager
async def open_runtime(
    settings: Settings, tell: Callable[[str, str], None], *, working: bool
) -> AsyncIterator[Runtime]:
    """The runtime, with a worker if one is needed and none serves. Raises OutOfService where a server cannot be had."""
    async with AsyncExitStack() as stack:
        opened = await stack.enter_async_context(open_store(settings, tell, reading=False))
        stack.push_async_callback(temporal_client.breathe)
        try:
            client = await temporal_client.connect_temporal(_temporal_address(settings, opened.servers), settings)
        except (OSError, RuntimeError) as gone:
            raise OutOfService(
                f"Temporal 無法連接：{gone}。檢查服務與 VENTURE_TEMPORAL_ADDRESS、_TLS_…、_API_KEY",
                f"no connection to Temporal: {gone}. Look at it and at VENTURE_TEMPORAL_ADDRESS, _TLS_… and _API_KEY",
            ) from gone
        door = Door(client, opened.store, bootstrap.load_door_key(settings), settings.task_queue)
        runtime = Runtime(settings, opened.store, opened.servers, client, door)
        if working and not await is_served(runtime):
            await stack.enter_async_context(_embedded_worker(runtime))
        try:
            yield runtime
        except RPCError as gone:
            raise OutOfService(
                f"Temporal 沒有回答：{gone.message}", f"Temporal did not answer: {gone.message}"
            ) from gone


@asynccontextmanager
async def _embedded_worker(runtime: Runtime) -> AsyncIterator[None]:
    """A worker inside this process, for as long as the command takes."""
    if runtime.servers is None:
        raise OutOfService(
            "沒有 worker 在服務：請啟動 venture-worker",
            "no worker serves this task queue: start venture-worker",
        )
    async with run_worker(runtime.settings, runtime.client, runtime.store):
        yield


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


def _temporal_address(settings: Settings, servers: Servers | None) -> str:
    if settings.temporal_address is not None:
        return settings.temporal_address
    if servers is None:
        raise OutOfService("未設 VENTURE_TEMPORAL_ADDRESS", "VENTURE_TEMPORAL_ADDRESS is not set")
    return servers.temporal_address
