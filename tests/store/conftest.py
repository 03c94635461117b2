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
_FILLED = ("venture.documents_since", "web.outbox_since")
"""What has rows from its migration on, beside the list of the migrations."""


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


_EMPTY = """
DO $$ DECLARE one regclass; kept bool; filled regclass[] := '{}'; BEGIN
  SET LOCAL client_min_messages = warning;
  FOR one IN SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname IN ('venture', 'web') AND c.oid <> 'venture.migrations'::regclass
  LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM %s)', one) INTO kept;
    IF kept THEN filled := filled || one; END IF;
  END LOOP;
  ALTER TABLE venture.entries DISABLE TRIGGER append_only;
  ALTER TABLE venture.streams DISABLE TRIGGER never_goes;
  FOREACH one IN ARRAY filled LOOP EXECUTE format('TRUNCATE %s RESTART IDENTITY CASCADE', one); END LOOP;
  ALTER TABLE venture.entries ENABLE ALWAYS TRIGGER append_only;
  ALTER TABLE venture.streams ENABLE ALWAYS TRIGGER never_goes;
  INSERT INTO venture.documents_since SELECT * FROM kept.documents_since;
  INSERT INTO web.outbox_since SELECT * FROM kept.outbox_since;
END $$"""
"""Makes a database what a fresh one is, past the triggers that forbid it: a fifth of what a fresh one costs."""


@pytest.fixture(scope="session")
async def reused_database(server: Postgres) -> Database:
    """A database that is emptied again and again: for whoever comes in as the application and leaves rows alone."""
    database = await fresh_database(server)
    for kept in ("CREATE SCHEMA kept", *(f"CREATE TABLE kept.{t.partition('.')[2]} AS TABLE {t}" for t in _FILLED)):
        await as_superuser(server, kept, database.name)
    return database


@pytest.fixture(params=["memory", "postgres"])
async def store(
    request: pytest.FixtureRequest, server: Postgres, reused_database: Database
) -> AsyncIterator[EventStore]:
    """Either store, empty: what a sentence says holds for both."""
    if request.param == "memory":
        memory = MemoryStore()
        yield memory
        await memory.aclose()
        return
    await as_superuser(server, _EMPTY, reused_database.name)
    store = PostgresStore(await open_pool(reused_database.url()))
    yield store
    await store.aclose()
