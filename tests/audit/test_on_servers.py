"""The same checks on real servers: a tampered Postgres, and histories as Temporal keeps them."""

from __future__ import annotations

from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import asyncpg
import pytest
from temporalio import workflow
from temporalio.worker import UnsandboxedWorkflowRunner

from audit.finding import FindingKind
from audit.histories import ReplaySettings
from audit.replay import replay
from audit.verification import verify
from cli.audit import replay_settings
from domain.kernel.envelope import Opening
from domain.kernel.identity import StreamId
from local.postgres import APPLICATION, OWNER, SUPERUSER
from scenarios.play import play
from store.migration import migrate
from store.port import EntryKind
from store.postgres import PostgresStore, open_pool
from tests.audit.direct_door import play_story, story

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from local import Servers
    from store.port import Entry, EventStore
    from tests.conftest import Desk

# ---------------------------------------------------------------------------------------------------------- Postgres


def url(servers: Servers, role: str, database: str) -> str:
    return servers.postgres.url(role).rpartition("/")[0] + f"/{database}"


@asynccontextmanager
async def connected(servers: Servers, role: str, database: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    connection = await asyncpg.connect(url(servers, role, database))
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def stored(servers: Servers, database: str) -> AsyncIterator[PostgresStore]:
    pool = await open_pool(url(servers, APPLICATION, database))
    async with aclosing(PostgresStore(pool)) as store:
        yield store
    pool.terminate()


@pytest.fixture(scope="session")
async def told(servers: Servers) -> str:
    """A database in which the story has been played; copied for every test."""
    name = f"audit_{uuid4().hex[:8]}"
    async with connected(servers, SUPERUSER, "postgres") as connection:
        await connection.execute(f"CREATE DATABASE {name} OWNER {OWNER}")
    await migrate(url(servers, OWNER, name), app_role=APPLICATION)
    async with stored(servers, name) as store:
        await play_story(store)
    return name


@pytest.fixture
async def copy(servers: Servers, told: str) -> str:
    name = f"audit_{uuid4().hex[:8]}"
    async with connected(servers, SUPERUSER, "postgres") as connection:
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {told} OWNER {OWNER}")
    return name


async def test_an_untouched_database_verifies(servers: Servers, copy: str) -> None:
    async with stored(servers, copy) as store:
        found = await verify(store)
        assert found.ok, found.findings
        assert found.entries > 50
        async for standing in store.standings():
            assert (await replay(store, None, standing.stream)).ok


@pytest.mark.parametrize(
    ("statement", "what", "located_at"),
    [
        (
            """UPDATE venture.entries SET data = replace(data::text, '10000000', '90000000')::json
                WHERE type = 'FundSourceRegistered'""",
            {FindingKind.CHAIN, FindingKind.POSTING, FindingKind.BALANCE},
            "FundSourceRegistered",
        ),
        (
            "UPDATE venture.entries SET recorded_at = recorded_at - interval '1 day' WHERE type = 'AwardConfirmed'",
            {FindingKind.CHAIN, FindingKind.RECORDED_AT, FindingKind.GROUP},
            "AwardConfirmed",
        ),
        (
            "UPDATE venture.entries SET stream = 'PROJECT' WHERE type = 'NeedAdopted'",
            {FindingKind.UNREADABLE, FindingKind.POSITION, FindingKind.OUTCOME, FindingKind.AGENDA},
            "NeedAdopted",
        ),
        ("DELETE FROM venture.claims WHERE key LIKE 'name/%'", {FindingKind.CLAIM}, "AwardProposed"),
        ("DELETE FROM venture.postings WHERE source LIKE 'world/%'", {FindingKind.POSTING}, "FundSourceRegistered"),
        (
            "UPDATE venture.accounts SET balance = balance + 1 WHERE account LIKE 'envelope/%'",
            {FindingKind.BALANCE},
            "",
        ),
        ("UPDATE venture.agenda SET due_at = now() WHERE kind = 'project'", {FindingKind.AGENDA}, ""),
        (
            "DELETE FROM venture.entries WHERE position > (SELECT max(position) - 2 FROM venture.entries)",
            {FindingKind.AGENDA},
            "",
        ),
    ],
    ids=["payload", "recorded_at", "stream", "claim", "posting", "balance", "agenda", "tail"],
)
async def test_what_an_owner_changes_is_found(
    servers: Servers, copy: str, statement: str, what: set[FindingKind], located_at: str
) -> None:
    async with connected(servers, OWNER, copy) as connection:
        position = await connection.fetchval("SELECT position FROM venture.entries WHERE type = $1", located_at)
        await connection.execute("ALTER TABLE venture.entries DISABLE TRIGGER USER")
        assert await connection.execute(statement) not in ("UPDATE 0", "DELETE 0")
    async with stored(servers, copy) as store:
        found = await verify(store)
    assert {f.kind for f in found.findings} - {FindingKind.HEAD} == what
    assert not located_at or position in {f.position for f in found.findings}


# ---------------------------------------------------------------------------------------------------------- Temporal


@pytest.fixture(scope="session")
async def project(desk: Desk) -> StreamId:
    """The story's project, played through real workflows."""
    plan = story(fresh=uuid4().hex)
    came_of_it = await play(plan, desk.door, desk.store)
    assert not came_of_it.deviations, came_of_it.as_json()
    return plan.stream("PJ-3")


async def test_the_histories_of_an_honest_story_replay_and_agree_with_the_journal(
    desk: Desk, project: StreamId
) -> None:
    for stream in (project, project.sibling("round", "R-FZ-2023"), project.sibling("fund", "FS-FZ")):
        replayed = await replay(desk.store, desk.client, stream, replay_settings())
        assert replayed.ok, replayed
        assert replayed.histories.are_kept
        commands = replayed.redecision.commands
        assert sum(run.answers for run in replayed.histories.runs) >= commands
    assert replayed.as_json()["histories"]["runs"][0]["failure"] == ""


async def test_a_history_that_the_server_never_had_is_said_so(desk: Desk, project: StreamId) -> None:
    replayed = await replay(desk.store, desk.client, project.sibling("fund", "FS-NONE"), replay_settings())
    histories = replayed.histories
    assert (histories.temporal_answered, histories.are_kept, histories.ok) == (True, False, True)


class Changed:
    """A store whose journal says something else about one command."""

    def __init__(self, store: EventStore, command_type: str, was: bytes, now: bytes) -> None:
        self._store = store
        self._command_type = command_type
        self._change = (was, now)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def read(self, stream: StreamId, after: int = 0, *, commands: bool = False) -> AsyncIterator[Entry]:
        async for entry in self._store.read(stream, after, commands=commands):
            changed = entry.kind is EntryKind.COMMAND and entry.type == self._command_type
            yield replace(entry, meta=entry.meta.replace(*self._change)) if changed else entry


async def test_a_journal_that_says_otherwise_than_the_history_is_found(desk: Desk, project: StreamId) -> None:
    otherwise: Any = Changed(desk.store, "ConfirmAward", b'"AwardConfirmed"', b'"AwardRevoked"')
    histories = (await replay(otherwise, desk.client, project, replay_settings())).histories
    said = [d for run in histories.runs for d in run.differences]
    assert not histories.ok
    assert len(said) == 2, "once as told to the caller, once as handed to the workflow"
    assert all("AwardConfirmed" in d and "AwardRevoked" in d for d in said)


@workflow.defn(name="Project", sandboxed=False)
class AnotherProject:
    """A life of a project that issues other commands than the one that was recorded."""

    @workflow.init
    def __init__(self, opening: Opening) -> None:
        self._opening = opening

    @workflow.run
    async def run(self, _opening: Opening) -> None:
        await workflow.sleep(1)


async def test_a_changed_workflow_does_not_replay(desk: Desk, project: StreamId) -> None:
    changed = ReplaySettings([AnotherProject], UnsandboxedWorkflowRunner())
    histories = (await replay(desk.store, desk.client, project, changed)).histories
    assert not histories.ok
    assert all(run.failure for run in histories.runs)
