"""Fixtures for every room. Servers start only for a test that asks for them."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

import bootstrap
import local
import temporal_client
from application.door import Door
from application.workflow_carrier import WorkflowCarrier
from local.postgres import APPLICATION, AUDITOR
from runtime.worker import run_worker
from store.migration import migrate
from store.postgres import PostgresStore, open_pool
from tests.keys import KEY, SEED, publish
from tests.time_skipping import let_time_be_skipped
from tests.workflows.bureau import Bureau

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from temporalio.client import Client

    from bootstrap import Settings
    from local import Servers

_KEPT = {"VENTURE_PG_BIN"}


def pytest_configure() -> None:
    """Forget what is set on this machine: a test says itself what it needs."""
    for name in [n for n in os.environ if n.startswith("VENTURE_") and n not in _KEPT]:
        del os.environ[name]
    os.environ["VENTURE_LANG"] = "zh-Hant"  # as the code is written; a test of another language says which


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
    of = settings.model_copy(update={"task_queue": f"tests-{uuid4().hex[:8]}"})
    async with run_worker(of, client, store):
        yield Desk(Door(WorkflowCarrier(client, of.task_queue), store, bootstrap.load_door_key(of)), store, client, of)


@pytest.fixture
def bureau(desk: Desk) -> Bureau:
    """A bureau behind the worker that serves the whole run."""
    return Bureau(f"b-{uuid4().hex[:8]}", desk.store, bootstrap.load_door_key(desk.settings))
