"""The same checks on real servers: a tampered Postgres, and histories as Temporal keeps them."""

from __future__ import annotations

from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import asyncpg
import pytest
from temporalio import workflow
from temporalio.worker import UnsandboxedWorkflowRunner

from audit.finding import FindingKind
from audit.histories import ReplaySettings
from audit.replay import replay
from audit.verification import Root, verify
from cli.audit import replay_settings
from domain.kernel.envelope import WorkflowInput
from domain.kernel.identifier import Actor, StreamId
from domain.kernel.refusal import CommandRejected
from domain.project.bidding import WithdrawApplication
from local.postgres import APPLICATION, OWNER, SUPERUSER
from scenarios.play import play
from store.bytes import root
from store.migration import migrate
from store.port import Append, EntryKind
from store.postgres import PostgresStore, open_pool
from tests.paper import play_story, story
from tests.store.appends import write
from tests.tables import mostly

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
async def story_database(servers: Servers) -> str:
    """A database in which the story has been played; copied for every test."""
    name = f"audit_{uuid4().hex[:8]}"
    async with connected(servers, SUPERUSER, "postgres") as connection:
        await connection.execute(f"CREATE DATABASE {name} OWNER {OWNER}")
    await migrate(url(servers, OWNER, name), app_role=APPLICATION)
    async with stored(servers, name) as store:
        await play_story(store)
    return name


@pytest.fixture
async def copy(servers: Servers, story_database: str) -> str:
    name = f"audit_{uuid4().hex[:8]}"
    async with connected(servers, SUPERUSER, "postgres") as connection:
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {story_database} OWNER {OWNER}")
    return name


async def test_an_untouched_database_verifies(servers: Servers, copy: str) -> None:
    async with stored(servers, copy) as store:
        verification = await verify(store)
        assert verification.ok, verification.findings
        assert verification.entries > 50
        async for standing in store.standings():
            assert (await replay(store, None, standing.stream)).ok


K = FindingKind
PENCIL: dict[str, tuple[str, set[FindingKind], str]] = {
    "payload": (
        """UPDATE venture.entries SET data = replace(data::text, '10000000', '90000000')::json
            WHERE type = 'FundSourceRegistered'""",
        {K.CHAIN, K.POSTING, K.BALANCE, K.AGENDA},
        "FundSourceRegistered",
    ),
    "recorded_at": (
        "UPDATE venture.entries SET recorded_at = recorded_at - interval '1 day' WHERE type = 'AwardConfirmed'",
        {K.CHAIN, K.RECORDED_AT, K.GROUP},
        "AwardConfirmed",
    ),
    "stream of an entry": (
        "UPDATE venture.entries SET stream = 'PROJECT' WHERE type = 'NeedAdopted'",
        {K.UNREADABLE, K.POSITION, K.OUTCOME, K.AGENDA, K.HEAD},
        "NeedAdopted",
    ),
    "chain of an entry": (
        "UPDATE venture.entries SET chain = sha256(chain) WHERE type = 'NeedAdopted'",
        {K.CHAIN, K.HEAD},
        "NeedAdopted",
    ),
    "chain of a stream": ("UPDATE venture.streams SET chain = sha256(chain) WHERE stream LIKE 'need/%'", {K.HEAD}, ""),
    "version of a stream": (
        "UPDATE venture.streams SET version = version + 1 WHERE stream LIKE 'need/%'",
        {K.HEAD},
        "",
    ),
    "stream gone": ("DELETE FROM venture.streams WHERE stream LIKE 'need/%'", {K.HEAD}, ""),
    "stream made up": (
        "INSERT INTO venture.streams VALUES ('need/live/ND-99', 1, sha256('x'))",
        {K.HEAD, K.CUT},
        "",
    ),
    "claim gone": ("DELETE FROM venture.claims WHERE key LIKE 'name/%'", {K.CLAIM}, "AwardProposed"),
    "claim made up": ("INSERT INTO venture.claims VALUES ('key', 'holder')", {K.CLAIM}, ""),
    "posting gone": ("DELETE FROM venture.postings WHERE source LIKE 'world/%'", {K.POSTING}, "FundSourceRegistered"),
    "posting changed": (
        "UPDATE venture.postings SET fen = fen + 1 WHERE source LIKE 'world/%'",
        {K.POSTING},
        "FundSourceRegistered",
    ),
    "posting beyond the end": (
        "INSERT INTO venture.postings VALUES (100000, 1, 'world/a', 'b', 1)",
        {K.POSTING, K.CUT},
        "",
    ),
    "balance": ("UPDATE venture.accounts SET balance = balance + 1 WHERE account LIKE 'envelope/%'", {K.BALANCE}, ""),
    "account gone": ("DELETE FROM venture.accounts WHERE account LIKE 'envelope/%'", {K.BALANCE}, ""),
    "deadline": ("UPDATE venture.agenda SET due_at = now() WHERE kind = 'project'", {K.AGENDA}, ""),
    "stage": ("UPDATE venture.agenda SET stage = 'CLOSED' WHERE kind = 'project'", {K.AGENDA}, ""),
    "agenda's version": ("UPDATE venture.agenda SET version = version + 1 WHERE kind = 'project'", {K.AGENDA}, ""),
    "agenda's clock": ("UPDATE venture.agenda SET clock = 'wall' WHERE kind = 'project'", {K.AGENDA}, ""),
    "summary": (
        "UPDATE venture.agenda SET summary = replace(summary::text, '5000000', '5000001')::json WHERE kind = 'project'",
        {K.AGENDA},
        "",
    ),
    "awaited role": (
        """UPDATE venture.agenda SET summary = replace(summary::text, '"roles":["', '"roles":["DISC","')::json
            WHERE kind = 'project'""",
        {K.AGENDA},
        "",
    ),
    "notified": ("UPDATE venture.agenda SET told = false WHERE kind = 'project'", {K.AGENDA}, ""),
    "agenda row gone": ("DELETE FROM venture.agenda WHERE kind = 'project'", {K.AGENDA}, ""),
    "agenda row made up": (
        """INSERT INTO venture.agenda (stream, version, stage, clock, summary, told)
           VALUES ('need/live/ND-99', 1, 'ADOPTED', 'wall', '{}', true)""",
        {K.AGENDA},
        "",
    ),
    "clock set back": ("UPDATE venture.realms SET now = now - interval '1 year'", {K.REALM}, ""),
    "clock set ahead": ("UPDATE venture.realms SET now = now + interval '1 second'", {K.REALM}, ""),
    "clock taken away": ("UPDATE venture.realms SET now = NULL", {K.REALM}, ""),
    "realm put on the wall clock": (
        "UPDATE venture.realms SET clock = 'wall', now = NULL; UPDATE venture.agenda SET clock = 'wall'",
        {K.REALM},
        "",
    ),
    "realm gone": ("DELETE FROM venture.realms", {K.REALM, K.AGENDA}, ""),
    "cursor": (
        "INSERT INTO venture.followers VALUES ('views', gen_random_uuid(), now(), 1, 100000)",
        {K.CURSOR, K.CUT},
        "",
    ),
    "tail": (
        "DELETE FROM venture.entries WHERE position > (SELECT max(position) - 2 FROM venture.entries)",
        {K.AGENDA, K.HEAD, K.CUT, K.REALM},
        "",
    ),
}
"""What a superuser may change, the kinds of findings that follow, and the event at whose position one of them is."""


@mostly(12, "change", PENCIL)
async def test_what_a_superuser_changes_is_found(servers: Servers, copy: str, change: str) -> None:
    statement, expected, located_at = PENCIL[change]
    async with connected(servers, SUPERUSER, copy) as connection:
        position = await connection.fetchval("SELECT position FROM venture.entries WHERE type = $1", located_at)
        for table in ("entries", "streams"):
            await connection.execute(f"ALTER TABLE venture.{table} DISABLE TRIGGER USER")
        assert await connection.execute(statement) not in ("UPDATE 0", "DELETE 0")
    async with stored(servers, copy) as store:
        verification = await verify(store)
    assert {f.kind for f in verification.findings} == expected, [f.en for f in verification.findings]
    assert not located_at or position in {f.position for f in verification.findings}


async def test_a_log_cut_together_with_every_row_beside_it_is_told_by_kept_roots_alone(
    servers: Servers, copy: str
) -> None:
    """Whoever cleans up behind himself leaves a shorter log that agrees; only what was kept outside tells."""
    async with stored(servers, copy) as store:
        earlier = Root(10, root(entry.chain for entry in await store.feed(0, 10)))
        standing = await anext(store.standings(kind="need"))
        now = (await store.realm(standing.stream.realm)).now
        assert now is not None
        before = [entry async for entry in store.read(standing.stream, commands=True)][-1].chain
        await store.append(Append((write(standing.stream, standing.version, at=now),), (standing,)))
        kept = Root((longer := await verify(store)).entries, bytes.fromhex(longer.root))
    async with connected(servers, SUPERUSER, copy) as connection:
        for table in ("entries", "streams"):
            await connection.execute(f"ALTER TABLE venture.{table} DISABLE TRIGGER USER")
        await connection.execute("DELETE FROM venture.entries WHERE position = $1", kept.size)
        await connection.execute("UPDATE venture.streams SET chain = $1 WHERE stream = $2", before, standing.stream)
    async with stored(servers, copy) as store:
        assert (await verify(store)).ok
        verification = await verify(store, roots=[kept, earlier])
    assert [(f.kind, f.position) for f in verification.findings] == [(K.CUT, kept.size - 1)]
    assert (verification.unchanged_to, verification.changed_by) == (10, kept.size)


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
        replayed = await replay(desk.store, desk.client, stream, replay_settings(desk.settings))
        assert replayed.ok, replayed
        assert replayed.histories.has_runs
        commands = replayed.redecision.commands
        assert sum(run.answers for run in replayed.histories.runs) >= commands
    assert replayed.as_json()["histories"]["runs"][0]["failure"] == ""


async def test_a_history_that_the_server_never_had_is_said_so(desk: Desk, project: StreamId) -> None:
    replayed = await replay(desk.store, desk.client, project.sibling("fund", "FS-NONE"), replay_settings(desk.settings))
    histories = replayed.histories
    assert (histories.temporal_answered, histories.has_runs, histories.ok) == (True, False, True)


async def test_refusals_by_the_clock_are_in_no_journal_and_the_histories_still_agree(
    desk: Desk, project: StreamId
) -> None:
    command_id, before = uuid4(), datetime(2020, 1, 1, tzinfo=UTC)
    with pytest.raises(CommandRejected, match="CLOCK"):
        await desk.door.send(
            project, WithdrawApplication(reason="無人手"), Actor("SO-LEGAL#1"), command_id=command_id, at=before
        )
    assert await desk.store.journalled(command_id) is None
    replayed = await replay(desk.store, desk.client, project, replay_settings(desk.settings))
    assert replayed.ok, replayed.histories
    assert sum(run.unrecorded for run in replayed.histories.runs) == 2, "once as answered, once as handed over"


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
    histories = (await replay(otherwise, desk.client, project, replay_settings(desk.settings))).histories
    differences = [d for run in histories.runs for d in run.differences]
    assert not histories.ok
    assert len(differences) == 2, "once as told to the caller, once as handed to the workflow"
    assert all("AwardConfirmed" in d and "AwardRevoked" in d for d in differences)


@workflow.defn(name="Project", sandboxed=False)
class AnotherProject:
    """A life of a project that issues other commands than the one that was recorded."""

    @workflow.init
    def __init__(self, opening: WorkflowInput) -> None:
        self._opening = opening

    @workflow.run
    async def run(self, _opening: WorkflowInput) -> None:
        await workflow.sleep(1)


async def test_a_changed_workflow_does_not_replay(desk: Desk, project: StreamId) -> None:
    changed = ReplaySettings([AnotherProject], UnsandboxedWorkflowRunner(), desk.client.data_converter)
    histories = (await replay(desk.store, desk.client, project, changed)).histories
    assert not histories.ok
    assert all(run.failure for run in histories.runs)
