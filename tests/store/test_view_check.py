"""The verification folds the views again: an honest log has honest rows, and a row that was touched is named."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import asyncpg
import pytest

from application.projects import list_projects
from audit.finding import FindingKind
from audit.verification import verify
from domain.kernel.identifier import LIVE, Actor, StreamId
from domain.registers.calendar import PublishCalendar
from domain.registers.organisation import OrganisationKind, VerifyOrganisation
from local.postgres import OWNER
from store.memory import MemoryStore
from store.postgres import PostgresStore, open_pool
from tests.keys import KEY, publish
from tests.paper import open_paper_door, play_story
from tests.store.conftest import Database, fresh_database
from tests.store.test_following import follow
from tests.tables import mostly
from tests.workflows.bureau import Bureau
from views.catalogue import VIEWS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from local.postgres import Postgres
    from store.port import EventStore

LATER = datetime(2023, 7, 3, 4, tzinfo=UTC)
TOUCHES = {
    "projects": "UPDATE venture.view_projects SET paid = paid + 1",
    "waiting": "UPDATE venture.view_waiting SET until = until + interval '1 day', role = 'HOST'",
    "approvals": "UPDATE venture.view_approvals SET verdict = 'GRANTED', decided_by = 'CAB-DEC#9'",
    "organisations": "UPDATE venture.view_organisations SET listings = '{}', banned_until = '2030-01-01'",
    "streams": "DELETE FROM venture.view_streams WHERE kind = 'round'",
    "registers": "UPDATE venture.view_registers SET particulars = '{}'",
    "courses": "UPDATE venture.view_courses SET to_position = to_position - 1",
    "attempts": "DELETE FROM venture.view_attempts",
    "shares": "UPDATE venture.view_shares SET value = value + 1 WHERE measure = 'paid'",
}


async def test_an_honest_log_has_honest_rows(store: EventStore) -> None:
    await play_story(store)
    await follow(store)
    assert (await verify(store)).findings == ()


@pytest.fixture(scope="module")
async def followed(server: Postgres) -> Database:
    """The story is told there, and every view has followed."""
    database = await fresh_database(server)
    store = PostgresStore(await open_pool(database.url()))
    await play_story(store)
    await follow(store)
    await store.aclose()
    return database


@pytest.fixture
async def touched(server: Postgres, followed: Database, request: pytest.FixtureRequest) -> AsyncIterator[PostgresStore]:
    """The same, after that statement of the owner's."""
    database = await fresh_database(server, followed.name)
    connection = await asyncpg.connect(database.url(OWNER))
    try:
        assert not (await connection.execute(request.param)).endswith(" 0")
    finally:
        await connection.close()
    store = PostgresStore(await open_pool(database.url()))
    yield store
    await store.aclose()


@mostly(3, "view, touched", TOUCHES.items(), indirect=["touched"], ids=TOUCHES)
async def test_a_row_that_was_touched_is_named(touched: PostgresStore, view: str) -> None:
    findings = (await verify(touched)).findings
    assert {finding.kind for finding in findings} == {FindingKind.VIEW}
    assert {finding.subject.partition(" ")[0] for finding in findings} <= {view, "tallies"}
    assert any(finding.subject == view for finding in findings)


def test_each_view_is_touched() -> None:
    assert TOUCHES.keys() == set(VIEWS)


@pytest.mark.parametrize(
    "touched", ["UPDATE venture.view_tallies SET value = value + 1 WHERE measure = 'award'"], indirect=True, ids=["sum"]
)
async def test_a_sum_that_was_touched_is_named(touched: PostgresStore) -> None:
    findings = (await verify(touched)).findings
    assert {finding.subject.partition(" ")[0] for finding in findings} == {"tallies"}


async def test_a_row_of_a_stream_that_never_was_is_named() -> None:
    store = MemoryStore()
    await play_story(store)
    await follow(store)
    rows = store.views._rows["projects", 1]
    (row,) = rows.values()
    rows["x",] = {**row, "stream": f"{row['stream']}9"}
    (finding,) = (await verify(store)).findings
    assert (finding.kind, finding.stream) == (FindingKind.VIEW, f"{row['stream']}9")


async def test_what_a_view_has_not_come_to_yet_is_no_finding() -> None:
    store = MemoryStore()
    await play_story(store)
    await follow(store)
    (line,) = (await list_projects(store)).rows
    identity = VerifyOrganisation(name="甲", kind=OrganisationKind.SOCIAL_GROUP, representatives=(Actor("SO-LEGAL#1"),))
    organisation = line.stream.sibling("organisation", line.organisation)
    await open_paper_door(store).send(organisation, identity, Actor("HOST#1"), at=LATER)
    assert (await verify(store)).ok, "the project's row shows the old name, and may"
    head = next(h for h in await store.views.heads() if h.name == "projects")
    store.views._heads["projects", 1] = replace(head, position=await store.last_position())
    assert not (await verify(store)).ok, "were the view to say that it is current"


async def test_a_stream_that_waits_for_nothing_need_not_know_of_days_that_were_published_since() -> None:
    """The key of the door was there before the first calendar; its row is not written anew for it."""
    store = MemoryStore()
    await publish(store)
    await follow(store)
    days = PublishCalendar(year=2026, off=(date(2026, 1, 1),))
    await Bureau(LIVE, store, KEY).straight(StreamId("calendar/live/cn"), days, "CAB-REG#1")
    await follow(store)
    assert (await verify(store)).ok
