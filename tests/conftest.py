"""Fixtures for every room. Servers start only for a test that asks for them."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import asyncpg
import pytest
import structlog
from pydantic import SecretStr

import bootstrap
import local
import temporal_client
from application.door import Door
from application.workflow_carrier import WorkflowCarrier
from local.postgres import APPLICATION, AUDITOR, OWNER, SUPERUSER
from runtime.worker import run_worker
from store.migration import migrate
from store.postgres import PostgresStore, open_pool
from tests.durability import forgo_durability
from tests.keys import KEY, SEED, publish
from tests.time_skipping import let_time_be_skipped
from tests.workflows.bureau import Bureau

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from temporalio.client import Client

    from bootstrap import Settings
    from local import Servers

ROOT = Path(__file__).parents[1]
_KEPT = {"VENTURE_PG_BIN"}


def pytest_configure() -> None:
    """Forget what is set on this machine: a test says itself what it needs; and compile once, as ``run`` does."""
    for name in [n for n in os.environ if n.startswith("VENTURE_") and n not in _KEPT]:
        del os.environ[name]
    os.environ.setdefault("GOGC", "400")  # Temporal seeks garbage less often: here its memory is not dear, its time is
    os.environ["VENTURE_LANG"] = "zh-Hant"  # as the code is written; a test of another language says which
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    sys.pycache_prefix = os.environ.setdefault("PYTHONPYCACHEPREFIX", str(ROOT / ".cache" / "bytecode"))
    _tell_faults_plainly()
    gc.disable()  # until all tests are collected: what is loaded stays


def _tell_faults_plainly() -> None:
    """Log a fault with its traceback alone: by itself structlog draws every variable too, seconds for each fault."""
    renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], renderer])


def pytest_collection_finish() -> None:
    """Look no more through what is loaded whenever garbage is sought, and seek it less often than a service must."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


@pytest.fixture(autouse=True)
def _log_as_before() -> Iterator[None]:
    """Whoever sets how is logged, as a command line within this process does, sets it for one test."""
    configured = structlog.get_config()
    yield
    structlog.configure(**configured)


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings whose state folder is this run's own."""
    home: Path = tmp_path_factory.mktemp("venture", numbered=True)
    (home / "door.key").write_text(SEED)
    return bootstrap.settings(home=home)


@pytest.fixture(scope="session")
async def servers(settings: Settings) -> AsyncIterator[Servers]:
    """Both embedded servers, the schema in place, for the whole run."""
    async with local.servers(settings) as started:
        await migrate(started.owner_url, app_role=APPLICATION, auditor_role=AUDITOR)
        await let_time_be_skipped(started.owner_url)
        await forgo_durability(started)
        yield started
    await temporal_client.breathe()


@pytest.fixture(scope="session")
async def client(servers: Servers, settings: Settings) -> Client:
    """A Temporal client with the one data converter."""
    return await temporal_client.connect_temporal(servers.temporal_address, settings)


@pytest.fixture(scope="session")
async def store(servers: Servers) -> AsyncIterator[PostgresStore]:
    """The store as the application's role; every test uses realms of its own."""
    pool = await open_pool(servers.postgres_url)
    async with contextlib.aclosing(PostgresStore(pool)) as opened:
        await publish(opened, KEY)
        yield opened
    pool.terminate()


@dataclass(frozen=True)
class Desk:
    """A door with a sandboxed worker behind it, on a task queue of its own."""

    door: Door
    store: PostgresStore
    client: Client
    settings: Settings


@pytest.fixture(scope="session")
async def desk(settings: Settings, client: Client, store: PostgresStore) -> AsyncIterator[Desk]:
    """One sandboxed worker for the whole run, and the door to it."""
    async with open_desk(settings, client, store) as opened:
        yield opened


@contextlib.asynccontextmanager
async def open_desk(settings: Settings, client: Client, store: PostgresStore) -> AsyncIterator[Desk]:
    """A sandboxed worker on that store, and the door to it."""
    of = settings.model_copy(update={"task_queue": f"tests-{uuid4().hex[:8]}"})
    async with run_worker(of, client, store):
        yield Desk(
            Door(WorkflowCarrier(client, of.task_queue), store, bootstrap.ensure_door_key(of)), store, client, of
        )


@pytest.fixture(scope="module")
async def own_log(servers: Servers, settings: Settings, client: Client) -> AsyncIterator[Desk]:
    """A desk whose log is this module's alone: for who walks it whole, which takes long among what others write."""
    name = f"t{uuid4().hex[:12]}"
    connection = await asyncpg.connect(servers.postgres.url(SUPERUSER))
    try:
        await connection.execute(f"CREATE DATABASE {name} OWNER {OWNER}")
    finally:
        await connection.close()
    owner, application = (f"{servers.postgres.url(role).rpartition('/')[0]}/{name}" for role in (OWNER, APPLICATION))
    await migrate(owner, app_role=APPLICATION, auditor_role=AUDITOR)
    await let_time_be_skipped(owner)
    of = settings.model_copy(
        update={"postgres_url": SecretStr(application), "temporal_address": servers.temporal_address}
    )
    pool = await open_pool(application)
    async with contextlib.aclosing(PostgresStore(pool)) as store:
        await publish(store, KEY)
        async with open_desk(of, client, store) as opened:
            yield opened
    pool.terminate()


@pytest.fixture
def bureau(desk: Desk) -> Bureau:
    """A bureau behind the worker that serves the whole run."""
    return Bureau(f"b-{uuid4().hex[:8]}", desk.store, bootstrap.ensure_door_key(desk.settings))
