"""What tests share: one pair of real servers a session, a fresh database where one is wanted."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

import bootstrap
import local
from api.door import Door
from local.postgres import APPLICATION, AUDITOR
from store.migrate import migrate
from store.postgres import PostgresStore, open_pool
from worker import serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from temporalio.client import Client

    from bootstrap import Settings
    from local import Servers


@pytest.fixture(scope="session", name="settings")
def _settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings with a state folder of this session's own."""
    return bootstrap.settings(home=tmp_path_factory.mktemp("venture"), env="local")


@pytest.fixture(scope="session", name="servers")
async def _servers(settings: Settings) -> AsyncIterator[Servers]:
    """Real Postgres and Temporal, migrated; they end with the session."""
    async with local.servers(settings) as servers:
        await migrate(servers.owner_url, app_role=APPLICATION, auditor_role=AUDITOR)
        yield servers
    await bootstrap.breathe()


@pytest.fixture(scope="session", name="client")
async def _client(servers: Servers) -> Client:
    """A Temporal client with the one data converter."""
    return await bootstrap.connect_temporal(servers.temporal_address)


@pytest.fixture(scope="session", name="store")
async def _store(servers: Servers) -> AsyncIterator[PostgresStore]:
    """The store as the application's role; every test uses realms of its own."""
    pool = await open_pool(servers.postgres_url)
    async with contextlib.aclosing(PostgresStore(pool)) as store:
        yield store
    pool.terminate()


@dataclass(frozen=True)
class Desk:
    """A door with a sandboxed worker behind it, on a task queue of its own."""

    door: Door
    store: PostgresStore
    client: Client
    settings: Settings


@pytest.fixture(scope="session", name="desk")
async def _desk(settings: Settings, client: Client, store: PostgresStore) -> AsyncIterator[Desk]:
    """One sandboxed worker a session, and the door to it."""
    of = settings.model_copy(update={"task_queue": f"tests-{uuid4().hex[:8]}"})
    async with serving(of, client, store):
        yield Desk(Door(client, store, bootstrap.door_key(of), of.task_queue), store, client, of)
