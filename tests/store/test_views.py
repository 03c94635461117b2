"""The tables of the read side: generations side by side, written under a lease, read by pages; alike in both stores."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import asyncpg
import pytest

from domain.kernel.identifier import StreamId
from local.postgres import APPLICATION, AUDITOR, OWNER
from store.memory_views import KEYS
from store.postgres_views import READER
from store.views import LEASE, Above, AnyOf, AtMost, Contains, Equal, Holds, ViewQuery, ViewRows, ViewWrite

if TYPE_CHECKING:
    from store.port import EventStore
    from store.postgres import PostgresStore
    from store.views import Row, ViewHead
    from tests.store.conftest import Database

NOON = datetime(2026, 6, 1, 4, tzinfo=UTC)
TOMORROW = NOON + timedelta(days=1)
ME = uuid4()


def organisation(name: str, *, version: int = 1, text: str = "", tags: tuple[str, ...] = ()) -> Row:
    return {
        "stream": f"organisation/live/{name}",
        "realm": "live",
        "version": version,
        "name": text or name,
        "kind": "SOCIAL_GROUP",
        "stage": "VERIFIED",
        "level": "",
        "level_until": None,
        "listings": (),
        "banned_until": None,
        "organisations": (name,),
        "tags": tags,
        "words": text,
        "grams": tuple(text),
    }


def share(name: str, key: str, value: int, measure: str = "paid") -> Row:
    row = {"stream": f"project/live/{name}", "version": 1, "realm": "live"}
    return {**row, "dimension": "round", "key": key, "measure": measure, "value": value}


async def begin(store: EventStore, view: str = "organisations") -> ViewHead:
    generation = await store.views.begin(view, 1, 0)
    return next(h for h in await store.views.heads() if (h.name, h.generation) == (view, generation))


async def write(store: EventStore, head: ViewHead, *rows: Row, old: int = 0, new: int = 0, streams: str = "") -> bool:
    lease = await store.lease(LEASE, ME, timedelta(minutes=1))
    assert lease is not None
    named = [StreamId(name) for name in streams.split()] or [StreamId(row["stream"]) for row in rows]
    return await store.views.write(lease, ViewWrite((ViewRows(head, rows),), tuple(named), old, new, NOON))


async def names(store: EventStore, *where: object, **more: object) -> list[str]:
    page = await store.views.page(ViewQuery("organisations", ("stream",), where, **more))  # type: ignore[arg-type]
    return [row["stream"].rpartition("/")[2] for row in page.rows]


async def test_a_stream_that_moved_has_its_new_rows_and_no_others(store: EventStore) -> None:
    head = await begin(store)
    assert await write(store, head, organisation("ORG-1"), organisation("ORG-2"), new=7)
    assert await write(store, head, organisation("ORG-1", version=2), old=7, new=9)
    page = await store.views.page(ViewQuery("organisations", ("stream",)))
    assert [(row["stream"], row["version"]) for row in page.rows] == [
        ("organisation/live/ORG-1", 2),
        ("organisation/live/ORG-2", 1),
    ]
    assert (page.position, page.reached_at) == (9, NOON)
    assert await write(store, head, old=9, new=10, streams="organisation/live/ORG-1")
    assert await names(store) == ["ORG-2"], "and one that has none any more has none"


async def test_rows_come_back_as_they_were_put_in(store: EventStore) -> None:
    head = await begin(store)
    row = organisation("ORG-1", text="陽光'; DROP", tags=("realm:live", 'a"{},\\'))
    await write(store, head, {**row, "level_until": NOON.date(), "banned_until": None})
    (back,) = (await store.views.page(ViewQuery("organisations", ("stream",)))).rows
    plain = {name: tuple(value) if isinstance(value, list) else value for name, value in back.items()}
    assert plain == {**row, "level_until": NOON.date()}


async def test_conditions_narrow_and_pages_follow_on_one_another(store: EventStore) -> None:
    head = await begin(store)
    rows = [organisation(f"ORG-{n}", version=n, text=f"第{n}組織", tags=("odd",) if n % 2 else ()) for n in range(1, 6)]
    await write(store, head, *rows)
    assert await names(store, Holds("tags", ("odd",))) == ["ORG-1", "ORG-3", "ORG-5"]
    assert await names(store, Equal("version", 2)) == ["ORG-2"]
    assert await names(store, AnyOf("version", (1, 4))) == ["ORG-1", "ORG-4"]
    assert await names(store, AtMost("version", 2)) == ["ORG-1", "ORG-2"]
    assert await names(store, Above("version", 2), Contains("words", "組")) == ["ORG-3", "ORG-4", "ORG-5"]
    assert await names(store, AtMost("banned_until", NOON.date())) == [], "nothing is not below anything"
    first = await names(store, limit=2)
    assert first == ["ORG-1", "ORG-2"]
    assert await names(store, limit=2, after=(f"organisation/live/{first[-1]}",)) == ["ORG-3", "ORG-4"]
    assert await names(store, limit=2, descending=True, after=("organisation/live/ORG-3",)) == ["ORG-2", "ORG-1"]


async def test_only_who_holds_the_lease_writes_and_only_from_where_the_view_stands(store: EventStore) -> None:
    head = await begin(store)
    lease = await store.lease(LEASE, ME, timedelta(0))
    assert lease is not None
    step = ViewWrite((ViewRows(head, (organisation("ORG-1"),)),), (StreamId("organisation/live/ORG-1"),), 0, 5)
    assert await store.lease(LEASE, UUID(int=5), timedelta(minutes=1)) == lease + 1
    assert not await store.views.write(lease, step), "another holds it by now"
    assert await store.views.write(lease + 1, step)
    assert not await store.views.write(lease + 1, step), "it stands at 5 by now"
    assert await names(store) == ["ORG-1"]


async def test_a_view_is_built_beside_the_one_that_is_read_and_then_takes_its_place(store: EventStore) -> None:
    live = await begin(store)
    await write(store, live, organisation("ORG-1"), new=3)
    assert await store.views.begin("organisations", 2, 3) == 2
    assert await store.views.begin("organisations", 2, 3) is None, "one at a time"
    beside = (await store.views.heads())[1]
    assert (beside.live, beside.walked) == (False, "")
    walking = ViewWrite((ViewRows(beside, (organisation("ORG-2"),)),), (), 3, 3, walked="x", passed=4)
    lease = await store.lease(LEASE, ME, timedelta(minutes=1))
    assert lease is not None
    assert await store.views.write(lease, walking)
    assert (await store.views.heads())[1].done == 4
    assert not await store.views.switch("organisations", 2), "it is not built yet"
    assert await names(store) == ["ORG-1"]
    assert await write(store, beside, organisation("ORG-3"), old=3, new=3)
    assert await store.views.switch("organisations", 2)
    assert await names(store) == ["ORG-2", "ORG-3"]
    assert [(h.generation, h.live, h.version) for h in await store.views.heads()] == [(2, True, 2)]
    while await store.views.sweep("organisations", 1):
        pass
    assert await store.views.page_of(1, ViewQuery("organisations", ("stream",))) == []


async def test_what_was_begun_can_be_given_up_and_begun_again(store: EventStore) -> None:
    await begin(store)
    await store.views.begin("organisations", 2, 0)
    beside = (await store.views.heads())[1]
    await write(store, beside, organisation("ORG-1"))
    assert not await store.views.abandon("organisations", 1), "it is read"
    assert await store.views.abandon("organisations", 2)
    assert await store.views.begin("organisations", 3, 0) == 2
    assert await store.views.page_of(2, ViewQuery("organisations", ("stream",))) == [], "nothing is left of it"


async def test_sums_are_kept_with_every_write(store: EventStore) -> None:
    head = await begin(store, "shares")

    async def tallies() -> dict[tuple[str, str], int]:
        page = await store.views.page(ViewQuery("tallies", ("realm", "dimension", "key", "measure")))
        return {(row["key"], row["measure"]): row["value"] for row in page.rows if row["value"]}

    await write(store, head, share("AP-1", "R-1", 100), share("AP-2", "R-1", 30), share("AP-3", "R-2", 5))
    assert await tallies() == {("R-1", "paid"): 130, ("R-2", "paid"): 5}
    await write(store, head, share("AP-1", "R-1", 70), share("AP-1", "R-1", 1, "projects"))
    assert await tallies() == {("R-1", "paid"): 100, ("R-1", "projects"): 1, ("R-2", "paid"): 5}
    await write(store, head, streams="project/live/AP-3")
    assert await tallies() == {("R-1", "paid"): 100, ("R-1", "projects"): 1}


async def test_a_view_that_only_adds_keeps_what_it_has(store: EventStore) -> None:
    head = await begin(store, "attempts")
    row = {
        "position": 4,
        "stream": "project/live/AP-1",
        "realm": "live",
        "version": 0,
        "command_id": UUID(int=4),
        "command": "StartProject",
        "actor": "HOST#1",
        "person": None,
        "rules": ("M1",),
        "occurred_at": NOON,
        "recorded_at": NOON,
    }
    lease = await store.lease(LEASE, ME, timedelta(minutes=1))
    assert lease is not None
    for rows in ((row,), (row, {**row, "position": 9})):
        step = ViewWrite((ViewRows(head, rows, replaces=False),), (StreamId("project/live/AP-1"),), 0, 0)
        assert await store.views.write(lease, step)
    page = await store.views.page(ViewQuery("attempts", ("position",)))
    assert [row["position"] for row in page.rows] == [4, 9]


async def test_without_a_view_there_are_no_rows_and_nothing_is_reached(store: EventStore) -> None:
    page = await store.views.page(ViewQuery("organisations", ("stream",)))
    assert (page.rows, page.position) == ((), 0)


async def test_the_only_view_that_is_still_being_built_has_reached_nothing(store: EventStore) -> None:
    head, query = await begin(store), ViewQuery("organisations", ("stream",))
    lease = await store.lease(LEASE, ME, timedelta(minutes=1))
    assert lease is not None
    walking = ViewWrite((ViewRows(head, (organisation("ORG-1"),)),), (), 0, 5, walked="x", passed=1)
    assert await store.views.write(lease, walking)
    assert (await store.views.page(query)).position == 0, "streams are missing from it"
    assert await write(store, head, organisation("ORG-2"), old=5, new=5)
    assert (await store.views.page(query)).position == 5


# ------------------------------------------------------------------------------------------------- on Postgres alone


async def test_who_reads_for_an_organisation_sees_its_rows_only(store: EventStore) -> None:
    head = await begin(store)
    await write(store, head, organisation("ORG-1"), organisation("ORG-2"))
    assert await names(store, organisation="ORG-2") == ["ORG-2"]
    assert await names(store, organisation="ORG-3") == []
    assert await names(store) == ["ORG-1", "ORG-2"], "the connection goes back as it was"


async def test_the_database_itself_shows_an_organisation_no_row_of_another(
    postgres_store: PostgresStore, database: Database
) -> None:
    head = await begin(postgres_store)
    await write(postgres_store, head, organisation("ORG-1"), organisation("ORG-2"))
    connection = await asyncpg.connect(database.url())
    try:
        await connection.execute(f"SET ROLE {READER}")
        everything = "SELECT stream FROM venture.view_organisations"
        assert await connection.fetch(everything) == [], "who says for whom, or sees nothing"
        await connection.execute("SET venture.organisation = 'ORG-1'")
        assert [row["stream"] for row in await connection.fetch(everything)] == ["organisation/live/ORG-1"]
        for table in ("entries", "agenda", "claims", "view_attempts", "view_shares", "view_tallies", "views"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.fetch(f"TABLE venture.{table}")
    finally:
        await connection.close()


async def test_every_view_with_organisations_is_read_under_a_policy(database: Database) -> None:
    connection = await asyncpg.connect(database.url(OWNER))
    try:
        with_organisations = await connection.fetch(
            "SELECT c.relname AS name, c.relrowsecurity AS policed"
            " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
            " WHERE c.relnamespace = 'venture'::regnamespace AND a.attname = 'organisations' AND c.relkind = 'r'"
        )
        assert with_organisations
        assert [row["name"] for row in with_organisations if not row["policed"]] == []
    finally:
        await connection.close()


@pytest.mark.parametrize("role", [APPLICATION, AUDITOR])
async def test_rows_are_written_by_the_function_alone(
    postgres_store: PostgresStore, database: Database, role: str
) -> None:
    head = await begin(postgres_store)
    await write(postgres_store, head, organisation("ORG-1"))
    connection = await asyncpg.connect(database.url(role))
    try:
        assert len(await connection.fetch("SELECT FROM venture.view_organisations")) == 1
        for statement in ("DELETE FROM venture.view_organisations", "UPDATE venture.views SET position = 0"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()


async def test_the_tables_are_keyed_alike_in_both_stores(database: Database) -> None:
    connection = await asyncpg.connect(database.url(OWNER))
    try:
        rows = await connection.fetch(
            "SELECT c.relname AS name, array_agg(a.attname::text ORDER BY k.o) AS columns FROM pg_class c"
            " JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary"
            " CROSS JOIN unnest(i.indkey) WITH ORDINALITY k(n, o)"
            " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.n"
            " WHERE c.relnamespace = 'venture'::regnamespace AND starts_with(c.relname, 'view_') GROUP BY c.relname"
        )
    finally:
        await connection.close()
    keys = {row["name"].removeprefix("view_"): tuple(row["columns"]) for row in rows}
    assert keys.pop("tallies") == ("generation", "realm", "dimension", "key", "measure")
    assert keys == {view: ("generation", *columns) for view, columns in KEYS.items()}
