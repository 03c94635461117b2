"""How appends travel together on Postgres: one that fails takes nobody along, and nobody waits for ever."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from local.postgres import OWNER, SUPERUSER
from store.port import AppendStatus, SchemaUnfit, StoreUnavailable
from store.postgres import PostgresStore, open_pool
from tests.store.appends import appended, one, project, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.store.conftest import Database

A = project("AP-1")


async def test_what_nobody_awaits_any_more_is_not_sent(postgres_store: PostgresStore) -> None:
    tasks = [asyncio.create_task(postgres_store.append(one(project(f"AP-{n}")))) for n in range(40)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(a, asyncio.CancelledError) for a in answers[::2])
    assert all(getattr(a, "status", None) is AppendStatus.APPENDED for a in answers[1::2])
    assert len(await whole(postgres_store)) == 40


async def test_callers_that_go_away_while_it_is_under_way_disturb_nobody(database: Database) -> None:
    store = PostgresStore(await open_pool(database.url()))
    holder = await asyncpg.connect(database.url(OWNER))
    async with holder.transaction():
        await holder.execute("LOCK TABLE venture.turn IN EXCLUSIVE MODE")
        tasks = [asyncio.create_task(store.append(one(project(f"AP-{n}")))) for n in range(6)]
        await _until_waiting(holder)
        for task in tasks[::2]:
            task.cancel()
        await asyncio.wait(tasks[::2])
    answers = await asyncio.gather(*tasks[1::2])
    assert {a.status for a in answers} == {AppendStatus.APPENDED}
    assert len(await whole(store)) == 12
    await holder.close()
    await store.aclose()


@pytest.mark.full
async def test_while_another_holds_the_turn_appends_time_out_unknown_and_reading_goes_on(database: Database) -> None:
    store = PostgresStore(await open_pool(database.url(), timeout_s=1))
    await appended(store, one(A))
    holder = await asyncpg.connect(database.url(OWNER))
    async with holder.transaction():
        await holder.execute("LOCK TABLE venture.turn IN EXCLUSIVE MODE")
        late = one(A, 1)
        with pytest.raises(StoreUnavailable):
            await store.append(late)
        assert await store.last_position() == 2
    assert (await store.append(late)).status in {AppendStatus.APPENDED, AppendStatus.DUPLICATE}
    assert len(await whole(store)) == 4
    await holder.close()
    await store.aclose()


async def test_when_its_connection_dies_everybody_in_the_call_hears_that_nothing_is_known(database: Database) -> None:
    store = PostgresStore(await open_pool(database.url()))
    await appended(store, one(A))
    holder = await asyncpg.connect(database.url(SUPERUSER))
    async with holder.transaction():
        await holder.execute("LOCK TABLE venture.turn IN EXCLUSIVE MODE")
        waiting = [asyncio.create_task(store.append(one(project(f"AP-{n}")))) for n in range(2, 8)]
        await _until_waiting(holder)
        await holder.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE relation = 'venture.turn'::regclass AND NOT granted"
        )
        answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(a) for a in answers] == [StoreUnavailable] * 6
    assert (await store.append(one(A, 1))).status is AppendStatus.APPENDED
    await holder.close()
    await store.aclose()


async def test_when_its_connection_died_while_nobody_used_it_the_next_append_has_another(database: Database) -> None:
    store = PostgresStore(await open_pool(database.url()))
    await appended(store, one(A))
    kept = store._connection
    assert kept is not None
    other = await asyncpg.connect(database.url(SUPERUSER))
    await other.execute("SELECT pg_terminate_backend($1)", kept.get_server_pid())
    await other.close()
    with suppress(asyncpg.InterfaceError):  # the pool took it back by itself, and it cannot be asked any more
        while not kept.is_closed():  # noqa: ASYNC110 - the network's state
            await asyncio.sleep(0.005)
    assert (await store.append(one(A, 1))).status is AppendStatus.APPENDED
    await store.aclose()


async def _until_waiting(connection: asyncpg.Connection) -> None:
    waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'venture.turn'::regclass AND NOT granted)"
    while not await connection.fetchval(waits):  # noqa: ASYNC110 - another process's state
        await asyncio.sleep(0.005)


async def test_what_the_server_undid_is_sent_again(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    store = PostgresStore(await open_pool(database.url()))
    sent = 0
    execute = store._execute

    async def stumbling(columns: Sequence[object]) -> list[Any]:
        nonlocal sent
        sent += 1
        if sent < 3:
            raise asyncpg.DeadlockDetectedError
        return await execute(columns)

    monkeypatch.setattr(store, "_execute", stumbling)
    assert (await store.append(one(A))).status is AppendStatus.APPENDED
    assert sent == 3
    await store.aclose()


async def test_a_deadlock_every_time_is_unknown_in_the_end(
    postgres_store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stumbling(_: Sequence[object]) -> list[Any]:
        raise asyncpg.DeadlockDetectedError

    monkeypatch.setattr(postgres_store, "_execute", stumbling)
    with pytest.raises(StoreUnavailable):
        await postgres_store.append(one(A))


async def test_a_database_without_the_log_is_a_fault_that_each_caller_hears(database: Database) -> None:
    owner = await asyncpg.connect(database.url(OWNER))
    await owner.execute("ALTER FUNCTION venture.refuse() RENAME TO refused")
    await owner.execute("DO $$ BEGIN EXECUTE 'ALTER SCHEMA venture RENAME TO elsewhere'; END $$")
    await owner.close()
    store = PostgresStore(await open_pool(database.url()))
    answers = await asyncio.gather(*(store.append(one(project(f"AP-{n}"))) for n in range(3)), return_exceptions=True)
    assert [type(a) for a in answers] == [SchemaUnfit] * 3
    await store.aclose()


async def test_without_a_server_everything_is_unknown(database: Database) -> None:
    with pytest.raises(StoreUnavailable):
        await open_pool(database.url().replace(f":{database.server.port}/", ":1/"), timeout_s=2)


async def test_closing_lets_what_is_under_way_end(database: Database) -> None:
    store = PostgresStore(await open_pool(database.url()))
    under_way = [asyncio.create_task(store.append(one(project(f"AP-{n}")))) for n in range(300)]
    await asyncio.sleep(0)
    await store.aclose()
    answers = await asyncio.gather(*under_way)
    assert {a.status for a in answers} == {AppendStatus.APPENDED}


async def test_an_append_is_durable_even_where_the_session_does_not_care(database: Database) -> None:
    """Within the append's transaction synchronous_commit is on, whatever the session says."""
    pool = await open_pool(database.url())
    store = PostgresStore(pool)
    superuser = await asyncpg.connect(database.url(SUPERUSER))
    await superuser.execute(f"ALTER DATABASE {database.name} SET synchronous_commit = off")
    await pool.expire_connections()
    store._connection = None
    await superuser.execute(
        """
        CREATE TABLE public.seen (value text);
        CREATE FUNCTION public.look() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
        BEGIN INSERT INTO public.seen VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER look AFTER INSERT ON venture.entries DEFERRABLE INITIALLY DEFERRED
          FOR EACH ROW EXECUTE FUNCTION public.look();
        """
    )
    assert await pool.fetchval("SHOW synchronous_commit") == "off"
    await appended(store, one(A))
    assert {row["value"] for row in await superuser.fetch("SELECT value FROM public.seen")} == {"on"}
    await superuser.close()
    await store.aclose()


async def test_an_append_refuses_a_transaction_that_cannot_see_the_newest_entry(database: Database) -> None:
    store = PostgresStore(await open_pool(database.url()))
    superuser = await asyncpg.connect(database.url(SUPERUSER))
    await superuser.execute(f"ALTER DATABASE {database.name} SET default_transaction_isolation = 'repeatable read'")
    await superuser.close()
    await store._pool.expire_connections()
    with pytest.raises(asyncpg.PostgresError, match="READ COMMITTED"):
        await store.append(one(A))
    await store.aclose()
