"""Bringing a database to today's form."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

import asyncpg
import pytest

from local.postgres import APPLICATION, OWNER
from store.migration import Migration, MigrationRefused, compare_schema, list_runs, migrate, migrations
from tests.store.conftest import Database, as_superuser

if TYPE_CHECKING:
    from local.postgres import Postgres

NAMES = [migration.name for migration in migrations()]


@pytest.fixture
async def empty(server: Postgres) -> Database:
    """A database that nothing was ever applied to."""
    name = f"e{uuid4().hex[:12]}"
    await as_superuser(server, f"CREATE DATABASE {name} OWNER {OWNER}")
    return Database(server, name)


async def _fetch(database: Database, query: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(database.url(OWNER))
    try:
        return await connection.fetch(query)
    finally:
        await connection.close()


async def test_an_empty_database_gets_every_file_once(empty: Database) -> None:
    assert list((await compare_schema(empty.url(OWNER))).pending) == NAMES
    assert await migrate(empty.url(OWNER)) == NAMES
    assert await migrate(empty.url(OWNER)) == []
    assert (await compare_schema(empty.url(OWNER))).pending == ()
    rows = await _fetch(empty, "SELECT name, sha256 FROM venture.migrations ORDER BY name")
    assert [tuple(row) for row in rows] == [(m.name, m.sha256) for m in migrations()]


async def test_a_database_of_an_earlier_release_gets_the_rest(empty: Database) -> None:
    release = [*migrations(), Migration("9999_later.sql", "CREATE TABLE venture.later ()")]
    assert await migrate(empty.url(OWNER), release=release[:1]) == NAMES[:1]
    assert list((await compare_schema(empty.url(OWNER))).pending) == NAMES[1:]
    assert await migrate(empty.url(OWNER), release=release) == [*NAMES[1:], "9999_later.sql"]


async def test_who_had_it_brought_there_and_why_stands_with_each_file_from_the_very_first_on(empty: Database) -> None:
    url, later = empty.url(OWNER), Migration("9999_later.sql", "CREATE TABLE venture.later ()")
    await migrate(url, who="P-1", why="第一次")
    await migrate(url, who="P-2", why="沒有新的")
    await migrate(url, release=[*migrations(), later], who="P-2", why="升級")
    first, second = await list_runs(url)
    assert (first.first, first.files, first.role, first.who, first.why) == (
        NAMES[0],
        len(NAMES),
        OWNER,
        "P-1",
        "第一次",
    )
    assert (second.first, second.last, second.who, second.why) == (later.name, later.name, "P-2", "升級")
    assert first.began_at < first.ended_at < second.began_at < second.ended_at
    for forgery in ("UPDATE venture.migrations SET who = 'P-9'", "DELETE FROM venture.migrations"):
        with pytest.raises(asyncpg.PostgresError, match="append-only"):
            await _fetch(empty, forgery)


async def test_a_run_over_the_turn_of_a_minute_is_one_run(empty: Database) -> None:
    url, turn = empty.url(OWNER), "UPDATE venture.migrations SET applied_at = applied_at + interval '1 hour'"
    slow = Migration("9998_slow.sql", "SELECT 1; ALTER TABLE venture.migrations DISABLE TRIGGER USER; " + turn)
    await migrate(url, release=[*migrations(), slow, Migration("9999_later.sql", "SELECT 1")], who="P-1", why="升級")
    assert [run.files for run in await list_runs(url)] == [len(NAMES) + 2]


async def test_the_same_words_twice_within_a_minute_are_two_runs(empty: Database) -> None:
    url = empty.url(OWNER)
    for release in (migrations()[:-1], migrations()):
        await migrate(url, release=release, who="P-1", why="升級")
    assert [run.files for run in await list_runs(url)] == [len(NAMES) - 1, 1]


async def test_a_database_from_before_who_and_why_were_kept_goes_on(empty: Database) -> None:
    before = [migration for migration in migrations() if migration.name < "0037"]
    await migrate(empty.url(OWNER), release=before)
    for as_it_was in (
        "ALTER TABLE venture.migrations DROP COLUMN role, DROP COLUMN who, DROP COLUMN why, DROP COLUMN begun_at",
        "UPDATE venture.migrations SET applied_at = to_timestamp(40 + left(name, 4)::int)",
        "UPDATE venture.migrations SET applied_at = now() WHERE name = (SELECT max(name) FROM venture.migrations)",
    ):
        await _fetch(empty, as_it_was)
    assert await migrate(empty.url(OWNER), who="P-1", why="升級") == NAMES[len(before) :]
    first, last, new = await list_runs(empty.url(OWNER))
    assert (first.files, last.files, new.files) == (len(before) - 1, 1, len(NAMES) - len(before))
    assert (first.role, first.who, last.role, new.who) == (None, None, None, "P-1")


async def test_runners_that_start_together_do_the_work_once(empty: Database) -> None:
    applied = await asyncio.gather(*(migrate(empty.url(OWNER)) for _ in range(4)))
    assert sorted(map(list, applied)) == [[], [], [], NAMES]


async def test_an_edited_file_is_refused_and_nothing_is_changed(empty: Database) -> None:
    await migrate(empty.url(OWNER))
    first, *rest = migrations()
    edited = [replace(first, text=first.text + "\n-- an afterthought"), *rest, Migration("9999_new.sql", "SELECT 1")]
    with pytest.raises(MigrationRefused, match=rf"{first.name} 套用後被改動.*was edited.*{first.sha256[:12]}"):
        await migrate(empty.url(OWNER), release=edited)
    assert (await compare_schema(empty.url(OWNER))).pending == ()


async def test_an_older_release_is_refused(empty: Database) -> None:
    await migrate(empty.url(OWNER))
    with pytest.raises(MigrationRefused, match="older than the database"):
        await migrate(empty.url(OWNER), release=migrations()[:-1])


async def test_a_file_put_in_before_those_applied_is_refused(empty: Database) -> None:
    await migrate(empty.url(OWNER))
    with pytest.raises(MigrationRefused, match="give it a later number"):
        await migrate(empty.url(OWNER), release=[Migration("0000_early.sql", "SELECT 1"), *migrations()])


async def test_a_file_that_fails_leaves_nothing_of_itself(empty: Database) -> None:
    wrong = Migration("9999_wrong.sql", "CREATE TABLE venture.half (); SELECT 1 / 0")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(empty.url(OWNER), release=[*migrations(), wrong])
    assert (await compare_schema(empty.url(OWNER))).pending == ()
    assert await _fetch(empty, "SELECT 1 WHERE to_regclass('venture.half') IS NOT NULL") == []


async def test_a_file_gives_up_when_another_holds_its_lock(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.migration.LOCK_TIMEOUT_S", 0.1)
    await migrate(empty.url(OWNER))
    holder = await asyncpg.connect(empty.url(OWNER))
    late = Migration("9999_late.sql", "ALTER TABLE venture.claims ADD COLUMN note text")
    async with holder.transaction():
        await holder.execute("LOCK TABLE venture.claims IN SHARE MODE")
        with pytest.raises(MigrationRefused, match=r"waited .* for a lock; nothing was changed"):
            await migrate(empty.url(OWNER), release=[*migrations(), late])
    await holder.close()
    assert await migrate(empty.url(OWNER), release=[*migrations(), late]) == ["9999_late.sql"]


async def test_an_unknown_role_is_named(empty: Database) -> None:
    with pytest.raises(MigrationRefused, match="no role nobody_here: CREATE ROLE"):
        await migrate(empty.url(OWNER), app_role="nobody_here")


async def test_a_database_in_another_encoding_is_refused(server: Postgres) -> None:
    name = f"l{uuid4().hex[:12]}"
    await as_superuser(
        server,
        f"CREATE DATABASE {name} OWNER {OWNER} ENCODING LATIN1 TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C'",
    )
    with pytest.raises(MigrationRefused, match="must be UTF8, it is LATIN1"):
        await migrate(Database(server, name).url(OWNER))


async def test_rights_that_were_given_by_hand_are_taken_back(empty: Database) -> None:
    await migrate(empty.url(OWNER), app_role=APPLICATION)
    await as_superuser(empty.server, f"GRANT INSERT ON venture.entries TO {APPLICATION}", empty.name)
    await migrate(empty.url(OWNER), app_role=APPLICATION)
    rights = f"SELECT has_table_privilege('{APPLICATION}', 'venture.entries', 'INSERT') AS it"
    assert [row["it"] for row in await _fetch(empty, rights)] == [False]


async def test_every_function_that_runs_as_its_owner_fixes_its_search_path(database: Database) -> None:
    rows = await _fetch(
        database,
        "SELECT proname FROM pg_proc WHERE pronamespace = 'venture'::regnamespace AND prosecdef"
        " AND NOT EXISTS (SELECT FROM unnest(proconfig) c WHERE c LIKE 'search_path=pg_catalog, pg_temp')",
    )
    assert rows == []


async def test_no_function_whose_plans_may_not_scan_is_compiled_each_time_that_it_runs(database: Database) -> None:
    rows = await _fetch(
        database,
        "SELECT proname FROM pg_proc WHERE pronamespace = 'venture'::regnamespace"
        " AND 'enable_seqscan=off' = ANY (proconfig) AND NOT 'jit=off' = ANY (proconfig)",
    )
    assert rows == []
