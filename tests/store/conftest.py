"""A Postgres for the store's own tests, a fresh database for each test, and both stores under one name."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

import asyncpg
import pytest

from local import postgres, processes
from local.postgres import APPLICATION, AUDITOR, OWNER, SUPERUSER
from store.memory import MemoryStore
from store.migration import migrate
from store.postgres import PostgresStore, open_pool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from local.postgres import Postgres
    from store.port import EventStore

_TEMPLATE = "venture_template"


@dataclass(frozen=True)
class Database:
    """A migrated database of its own."""

    server: Postgres
    name: str

    def url(self, role: str = APPLICATION) -> str:
        return self.server.url(role).rpartition("/")[0] + f"/{self.name}"


@pytest.fixture(scope="session")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Postgres]:
    """One server for the whole run; it ends with it, however that ends."""
    home: Path = tmp_path_factory.mktemp("postgres")
    (home / "logs").mkdir()
    started = postgres.start(home)
    assert started.process is not None
    try:
        await _furnish(started, home)
        yield started
    finally:
        processes.stop(started.process, signal.SIGQUIT)  # at once: what it holds is thrown away


async def _furnish(started: Postgres, home: Path) -> None:
    await postgres.wait_until_ready(started, home)
    for costly in ("fsync", "full_page_writes", "autovacuum"):  # the tests that kill have a server of their own
        await as_superuser(started, f"ALTER SYSTEM SET {costly} = off")
    await as_superuser(started, "SELECT pg_reload_conf()")
    await as_superuser(started, f"CREATE DATABASE {_TEMPLATE} OWNER {OWNER}")
    template = Database(started, _TEMPLATE)
    await migrate(template.url(OWNER), app_role=APPLICATION, auditor_role=AUDITOR)


async def as_superuser(server: Postgres, statement: str, database: str = SUPERUSER) -> None:
    """Run a statement outside any transaction."""
    connection = await asyncpg.connect(Database(server, database).url(SUPERUSER))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def fresh_database(server: Postgres, like: str = _TEMPLATE) -> Database:
    """A migrated database that nobody has written to, or what that other one holds: nobody may be connected to it."""
    name = f"t{uuid4().hex[:12]}"
    await as_superuser(server, f"CREATE DATABASE {name} TEMPLATE {like} OWNER {OWNER}")
    return Database(server, name)


@pytest.fixture
async def database(server: Postgres) -> Database:
    return await fresh_database(server)


@pytest.fixture
async def postgres_store(database: Database) -> AsyncIterator[PostgresStore]:
    store = PostgresStore(await open_pool(database.url()))
    yield store
    await store.aclose()


@pytest.fixture(params=["memory", "postgres"])
async def store(request: pytest.FixtureRequest, server: Postgres) -> AsyncIterator[EventStore]:
    """Either store: what a sentence says holds for both."""
    if request.param == "memory":
        memory = MemoryStore()
        yield memory
        await memory.aclose()
        return
    database = await fresh_database(server)
    store = PostgresStore(await open_pool(database.url()))
    yield store
    await store.aclose()
