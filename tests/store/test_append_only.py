"""Nobody changes the log: every role against every statement, on Postgres."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
import pytest

from local.postgres import APPLICATION, AUDITOR, OWNER, SUPERUSER
from store.port import SchemaUnfit
from store.postgres import PostgresStore, open_pool
from tests.store.appends import appended, event, one, project, whole
from tests.store.conftest import Database, fresh_database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from local.postgres import Postgres

A = project("AP-1")
CHANGES = {
    "update": "UPDATE venture.entries SET data = '{}'",
    "update of nothing": "UPDATE venture.entries SET data = '{}' WHERE false",
    "delete": "DELETE FROM venture.entries WHERE position = 2",
    "truncate": "TRUNCATE venture.entries",
    "truncate beside others": "TRUNCATE venture.postings, venture.entries CASCADE",
    "upsert": "INSERT INTO venture.entries TABLE venture.entries ON CONFLICT (position) DO UPDATE SET type = 'x'",
    "merge": "MERGE INTO venture.entries e USING (SELECT 2 AS p) s ON e.position = s.p WHEN MATCHED THEN DELETE",
    "shrink a stream": "UPDATE venture.streams SET version = version - 1",
    "rename a stream": "UPDATE venture.streams SET stream = 'project/live/AP-2'",
    "delete a stream": "DELETE FROM venture.streams",
    "truncate streams": "TRUNCATE venture.streams",
}
WRITES = {
    "insert": "INSERT INTO venture.entries TABLE venture.entries",
    "claim": "INSERT INTO venture.claims VALUES ('key', 'holder')",
    "unclaim": "DELETE FROM venture.claims",
    "enrich": "UPDATE venture.accounts SET balance = balance + 1",
    "post": "INSERT INTO venture.postings VALUES (2, 1, 'a', 'b', 1)",
    "refresh_standing": "UPDATE venture.agenda SET due_at = NULL",
    "set back a clock": "UPDATE venture.realms SET now = NULL",
    "move a cursor": "UPDATE venture.followers SET position = 0",
    "take the turn": "LOCK TABLE venture.turn IN EXCLUSIVE MODE",
    "block the log": "LOCK TABLE venture.entries IN SHARE MODE",
    "switch triggers off": "ALTER TABLE venture.entries DISABLE TRIGGER ALL",
    "play the replica": "SET session_replication_role = replica",
    "forget a migration": "DELETE FROM venture.migrations",
    "put in a function": "CREATE FUNCTION venture.mine() RETURNS int LANGUAGE sql RETURN 1",
}


@pytest.fixture(scope="module")
async def kept(server: Postgres) -> AsyncIterator[tuple[Database, PostgresStore]]:
    """A database with one entry of each kind."""
    database = await fresh_database(server)
    store = PostgresStore(await open_pool(database.url()))
    await appended(store, one(A, 0, event()))
    yield database, store
    await store.aclose()


@pytest.fixture
async def written(kept: tuple[Database, PostgresStore]) -> AsyncIterator[Database]:
    """That database, whose entries must be there unchanged after each test."""
    database, store = kept
    before = await whole(store)
    yield database
    assert await whole(store) == before


async def _refused(database: Database, role: str, statement: str, *, first: str = "SELECT") -> str:
    """The SQLSTATE with which that role's statement is refused."""
    connection = await asyncpg.connect(database.url(role))
    try:
        await connection.execute(first)
        with pytest.raises(asyncpg.PostgresError) as refused:
            await connection.execute(f"BEGIN; {statement}; COMMIT")
    finally:
        await connection.close()
    return str(refused.value.sqlstate)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("role", [OWNER, SUPERUSER])
async def test_a_trigger_refuses_even_the_owner(written: Database, role: str, change: str) -> None:
    assert await _refused(written, role, CHANGES[change]) == "2F002"


@pytest.mark.parametrize("change", CHANGES)
async def test_a_superuser_is_refused_as_a_replica_too(written: Database, change: str) -> None:
    assert (
        await _refused(written, SUPERUSER, CHANGES[change], first="SET session_replication_role = replica") == "2F002"
    )


@pytest.mark.parametrize("statement", [*CHANGES, *WRITES])
@pytest.mark.parametrize("role", [APPLICATION, AUDITOR])
async def test_app_and_auditor_have_no_right_to_write_past_the_functions(
    written: Database, role: str, statement: str
) -> None:
    assert await _refused(written, role, {**CHANGES, **WRITES}[statement]) == "42501"


@pytest.mark.parametrize(
    "call",
    [
        "SELECT venture.set_clock('live', 'manual')",
        "SELECT venture.restand('project/live/AP-1', 1, '', NULL, 'wall', '{}', true)",
        "SELECT venture.lease('agenda', gen_random_uuid(), '1 hour')",
        "SELECT venture.advance('agenda', 1, 0, 1)",
    ],
)
async def test_an_auditor_calls_none_of_them(written: Database, call: str) -> None:
    assert await _refused(written, AUDITOR, call) == "42501"


async def test_an_auditor_reads_everything_and_appends_nothing(written: Database) -> None:
    store = PostgresStore(await open_pool(written.url(AUDITOR)))
    assert len(await whole(store)) == 2
    assert await store.balances() == {}
    with pytest.raises(SchemaUnfit, match="permission denied for function append"):
        await store.append(one(A, 1))
    await store.aclose()


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO venture.accounts VALUES ('fund/a', -1)",
        "INSERT INTO venture.postings VALUES (1, 1, 'a', 'b', -1)",
        "INSERT INTO venture.streams VALUES ('no stream', 0, decode(repeat('00', 32), 'hex'))",
        "INSERT INTO venture.realms VALUES ('play', 'sundial')",
        *(
            f"INSERT INTO venture.entries SELECT (json_populate_record(e, '{wrong}')).* FROM venture.entries e"  # noqa: S608
            " WHERE position = 2"
            for wrong in (
                '{"position": 0}',
                '{"position": 3}',
                '{"position": 3, "version": 0}',
                '{"position": 3, "version": 2, "kind": "rumour"}',
                '{"position": 3, "version": 2, "type": "two\\nlines"}',
                '{"position": 3, "version": 2, "schema_version": 0}',
                '{"position": 3, "version": 2, "kind": "command"}',
            )
        ),
    ],
)
async def test_constraints_stand_behind_as_the_second_line(written: Database, statement: str) -> None:
    connection = await asyncpg.connect(written.url(OWNER))
    if "command" in statement:  # the same command journalled twice
        statement = statement.replace("position = 2", "position = 1")
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await connection.execute(statement)
    await connection.close()
