"""The runtime behind a command: the store, Temporal and the door, found or started, and let go of again."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from temporalio.service import RPCError

import bootstrap
import temporal_client
from activities.carry_out import CommandActivities
from application.builds import list_pollers
from application.demo_office import open_demo_office
from application.door import Door
from application.door_keys import publish_first_key
from application.namespace import require_own_namespace
from application.process_carrier import ProcessCarrier
from application.workflow_carrier import WorkflowCarrier
from runtime.known_log import know_log
from runtime.persons import make_person_finder
from runtime.store import OpenStore, OutOfService, open_store
from runtime.worker import run_worker
from store.migration import list_pending
from store.port import SchemaUnfit, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from temporalio.client import Client

    from bootstrap import Settings
    from deciding.signature import DoorKey
    from local import Servers
    from store.port import EventStore


_PATIENCE_S = 10.0
"""How long Temporal may take to say that it is there."""


@dataclass(frozen=True)
class Runtime(OpenStore):
    """All that a command needs."""

    client: Client
    door: Door
    """Every command through its stream's workflow."""
    paper_door: Door
    """Commands to realms on a manual clock within this process, all others through their workflows."""
    register_door: Door
    """Commands to registers in which nothing falls due, within this process: whatever becomes of Temporal."""
    key: DoorKey | None = None
    """By which these doors sign; None where there is none."""


@asynccontextmanager
async def open_runtime(
    settings: Settings,
    tell: Callable[[str, str], None],
    *,
    working: bool,
    with_temporal: bool = False,
    signing: bool = True,
    lazily: bool = False,
) -> AsyncIterator[Runtime]:
    """The runtime, with a worker if one is needed and none serves. Raises OutOfService where a server cannot be had.

    Raises AnotherLog where an embedded database holds another log than this installation's doors have known.

    Temporal must answer only if a worker is needed, or it is asked for itself: whoever reads the log does without. A
    worker's own doors need no key, and are not ``signing``. ``lazily`` Postgres need not answer either.
    """
    async with AsyncExitStack() as stack:
        opened = await stack.enter_async_context(
            open_store(settings, tell, with_temporal=working or with_temporal, lazily=lazily)
        )
        stack.push_async_callback(temporal_client.breathe)
        if working or with_temporal:
            client = await _connect_temporal(settings, opened.servers)
            await require_readiness(opened, client)
        else:
            address = _temporal_address(settings, opened.servers)
            client = await temporal_client.connect_temporal(address, settings, lazily=True)
        key = bootstrap.find_door_key(settings) if signing else None
        workflows = WorkflowCarrier(client, settings.task_queue)
        commands, identity = commands_here(settings, opened.store), make_person_finder(settings, opened.store)
        paper = ProcessCarrier(commands, opened.store, otherwise=workflows)
        registers = ProcessCarrier(commands, opened.store, otherwise=None)
        is_embedded = opened.servers is not None and settings.postgres_url is None
        log_id = await know_log(settings, opened.store) if is_embedded else ""
        prepare = None
        if key is not None and settings.env is bootstrap.Environment.LOCAL:
            prepare = partial(_prepare, commands, opened.store, key)
        door, paper_door, register_door = (
            Door(carrier, opened.store, key, identity, prepare=prepare, log_id=log_id)
            for carrier in (workflows, paper, registers)
        )
        runtime = Runtime(settings, opened.store, opened.servers, client, door, paper_door, register_door, key)
        if working:
            await stack.enter_async_context(ensure_worker(runtime))
        try:
            yield runtime
        except RPCError as gone:
            raise OutOfService(
                f"Temporal 沒有回答：{gone.message}", f"Temporal did not answer: {gone.message}"
            ) from gone


async def require_readiness(opened: OpenStore, client: Client) -> None:
    """See that the database has this release's form, and that Temporal's namespace is there and belongs to this log.

    Raises OutOfService, SchemaUnfit, NamespaceMissing, or NamespaceOfAnotherLog. A database newer than this release is
    served: the old workers go on while the next release is rolled out.
    """
    try:
        if pending := list_pending(await opened.store.applied_migrations()):
            raise SchemaUnfit(f"lacking {', '.join(pending)}")
        await require_own_namespace(client, opened.store)
    except StoreUnavailable as gone:
        raise OutOfService(f"{gone.zh}。{gone.remedy_zh}", f"{gone.en}. {gone.remedy_en}") from gone
    except RPCError as gone:
        raise OutOfService(f"Temporal 沒有回答：{gone.message}", f"Temporal did not answer: {gone.message}") from gone


def commands_here(settings: Settings, store: EventStore) -> CommandActivities:
    """What carries commands out within this process: as strict as the worker is."""
    return CommandActivities(store, requires_office=settings.requires_office, has_workflows=False)


async def _prepare(commands: CommandActivities, store: EventStore, key: DoorKey) -> None:
    """What a log on one machine must know before its first command: this door's key, and a small office of persons."""
    await publish_first_key(commands, store, key)
    await open_demo_office(store, Door(ProcessCarrier(commands, store, otherwise=None), store, key))


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
    await runtime.servers.ensure_temporal()
    client = await _connect_temporal(runtime.settings, runtime.servers)  # a lazy one is not for workers
    async with run_worker(runtime.settings, client, runtime.store):
        yield


async def _connect_temporal(settings: Settings, servers: Servers | None) -> Client:
    """A client that is connected. Raises OutOfService."""
    address = _temporal_address(settings, servers)
    try:
        async with asyncio.timeout(_PATIENCE_S):
            return await temporal_client.connect_temporal(address, settings)
    except (OSError, RuntimeError, RPCError) as gone:
        why = str(gone) or f"no answer within {_PATIENCE_S:.0f} s"
        raise OutOfService(
            f"Temporal 無法連接：{why}。檢查服務與 VENTURE_TEMPORAL_ADDRESS、_TLS_…、_API_KEY",
            f"no connection to Temporal: {why}. Look at it and at VENTURE_TEMPORAL_ADDRESS, _TLS_… and _API_KEY",
        ) from gone


async def is_served(runtime: Runtime) -> bool:
    """Whether a worker polls the task queue."""
    if runtime.servers is not None and runtime.servers.ours:
        return False
    for _ in range(2):
        if await list_pollers(runtime.client, runtime.settings.task_queue):
            return True
        await asyncio.sleep(0.5)
    return False


async def is_polling(runtime: Runtime) -> bool:
    """Whether Temporal has seen this very process poll the task queue."""
    pollers = await list_pollers(runtime.client, runtime.settings.task_queue)
    return runtime.client.identity in {poller.identity for poller in pollers}


def _temporal_address(settings: Settings, servers: Servers | None) -> str:
    if settings.temporal_address is not None:
        return settings.temporal_address
    if servers is None:
        raise OutOfService("未設 VENTURE_TEMPORAL_ADDRESS", "VENTURE_TEMPORAL_ADDRESS is not set")
    return servers.temporal_address
