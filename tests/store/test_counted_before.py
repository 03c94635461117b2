"""Migration 0009: a log of before 0.2.0 has its awards, supports and bids counted, as the audit counts them."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import asyncpg
import pytest

from audit.finding import FindingKind
from audit.invariants import Invariants
from audit.verification import verify
from deciding.fold import read_occurrence
from domain.kernel.effects import Claim, Post, Release
from local.postgres import APPLICATION, OWNER
from store.migration import migrate, migrations
from store.port import EntryKind
from store.postgres import PostgresStore, open_pool
from tests.audit.test_corpus import RELEASES
from tests.corpus.reading import read_entries
from tests.store.conftest import Database, as_superuser

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.postgres import Postgres
    from store.port import Entry

(OF_BEFORE,) = (path for path in RELEASES if path.name.startswith("0.1.0"))
BESIDE = {FindingKind.CLAIM, FindingKind.BALANCE, FindingKind.POSTING}
"""What is compared here; rows of streams and of the agenda are not put down."""


COLUMNS = (
    "position",
    "version",
    "occurred_at",
    "recorded_at",
    "command_id",
    "schema_version",
    "kind",
    "stream",
    "type",
    "meta",
    "data",
    "chain",
)


def _keep(name: str, value: Any) -> object:
    """JSON as the very text."""
    return value.decode() if name in ("meta", "data") else value


async def recorded_before(server: Postgres, log: Sequence[Entry]) -> Database:
    """A database in the form of before 0009, with that log and with what its events themselves say of the guards."""
    database = Database(server, f"b{uuid4().hex[:12]}")
    await as_superuser(server, f"CREATE DATABASE {database.name} OWNER {OWNER}")
    await migrate(database.url(OWNER), release=[m for m in migrations() if m.name < "0009"])
    claims: set[tuple[str, str]] = set()
    balances: dict[str, int] = {}
    postings: list[tuple[int, int, str, str, int]] = []
    for entry in log:
        occurrence = read_occurrence(entry) if entry.kind is EntryKind.EVENT else None
        ordinal = 0
        for effect in occurrence.event.effects(entry.stream) if occurrence else ():
            match effect:
                case Claim(key, holder):
                    claims.add((key, holder))
                case Release(key, holder):
                    claims.discard((key, holder))
                case Post(source, target, fen):
                    ordinal += 1
                    postings.append((entry.position, ordinal, source, target, fen))
                    balances[source] = balances.get(source, 0) - fen
                    balances[target] = balances.get(target, 0) + fen
    connection = await asyncpg.connect(database.url(OWNER))
    try:
        await connection.copy_records_to_table(
            "entries",
            schema_name="venture",
            columns=COLUMNS,
            records=[[_keep(name, getattr(entry, name)) for name in COLUMNS] for entry in log],
        )
        await connection.executemany("INSERT INTO venture.claims VALUES ($1, $2)", sorted(claims))
        await connection.executemany("INSERT INTO venture.accounts VALUES ($1, $2)", sorted(balances.items()))
        await connection.executemany("INSERT INTO venture.postings VALUES ($1, $2, $3, $4, $5)", postings)
    finally:
        await connection.close()
    return database


async def read_guards(database: Database) -> tuple[dict[str, int], set[tuple[str, str]]]:
    """Accounts with their balances, and claims, in whatever form the database has."""
    connection = await asyncpg.connect(database.url(OWNER))
    try:
        accounts = await connection.fetch("SELECT account, balance FROM venture.accounts")
        claims = await connection.fetch("SELECT key, holder FROM venture.claims")
    finally:
        await connection.close()
    return {row["account"]: row["balance"] for row in accounts}, {(row["key"], row["holder"]) for row in claims}


@pytest.fixture
def log() -> Sequence[Entry]:
    return read_entries(OF_BEFORE)


@pytest.mark.full
async def test_what_was_recorded_before_is_counted_as_the_audit_counts_it(
    server: Postgres, log: Sequence[Entry]
) -> None:
    database = await recorded_before(server, log)
    before, _ = await read_guards(database)
    assert not any(account.startswith(("awarded/", "undecided/")) for account in before)
    await migrate(database.url(OWNER), app_role=APPLICATION)
    async with aclosing(PostgresStore(await open_pool(database.url()))) as store:
        assert [f for f in (await verify(store)).findings if f.kind in BESIDE] == []
        awarded = {name: fen for name, fen in (await store.balances()).items() if name.startswith("awarded/")}
    checker = Invariants()
    for entry in log:
        checker.take(entry)
    taken = {}
    for realm in {name.split("/")[1] for name in awarded}:
        for name, known in checker._realms[realm].rounds.items():
            taken[f"awarded/{realm}/{name}"] = known.awarded
    assert awarded, "the corpus has awards"
    assert {name: fen for name, fen in taken.items() if fen} == {name: fen for name, fen in awarded.items() if fen}


async def test_what_is_recorded_today_is_counted_already(server: Postgres) -> None:
    """The migration of a log whose events say it themselves changes nothing."""
    (today,) = (path for path in RELEASES if path.name.startswith("0.2.0"))
    database = await recorded_before(server, read_entries(today))
    before = await read_guards(database)
    await migrate(database.url(OWNER), app_role=APPLICATION)
    assert await read_guards(database) == before
    async with aclosing(PostgresStore(await open_pool(database.url()))) as store:
        assert [f for f in (await verify(store)).findings if f.kind in BESIDE] == []
