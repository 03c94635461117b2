"""What people and services list, out of one story: each list says of it what the files say, on either store."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from application.approvals import ApprovalFilter, NoSuchApproval, find_approval, list_approvals
from application.attempts import AttemptFilter, list_attempts
from application.listing import StreamFilter, list_streams
from application.money import Dimension, MoneyFilter, list_money
from application.organisations import OrganisationFilter, list_organisations
from application.pages import CursorInvalid, PageRequest
from application.projects import ProjectFilter, list_projects
from application.registers import RegisterFilter, list_register
from application.view_health import NoSuchView, begin_rebuild, list_views
from deciding.fold import load_state
from domain.kernel.approval import Verdict
from domain.kernel.identifier import Actor
from domain.registers.organisation import OrganisationKind, RecordRating, VerifyOrganisation
from local.postgres import AUDITOR
from store.memory import MemoryStore
from store.postgres import PostgresStore, open_pool
from tests.keys import KEY
from tests.paper import open_paper_door, play_story
from tests.store.conftest import fresh_database
from tests.store.test_following import follow
from tests.workflows.bureau import Bureau
from views.catalogue import VIEWS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from domain.kernel.identifier import StreamId
    from local.postgres import Postgres
    from store.port import EventStore
    from tests.store.conftest import Database

LATER = datetime(2023, 7, 3, 4, tzinfo=UTC)


@pytest.fixture(scope="module")
async def told(server: Postgres) -> Database:
    """A database that holds the story, with every view folded up to it: copied, it is told in a fifth of the time."""
    database = await fresh_database(server)
    async with contextlib.aclosing(PostgresStore(await open_pool(database.url()))) as store:
        await play_story(store)
        await follow(store)
    return database


@pytest.fixture
async def database(server: Postgres, told: Database) -> Database:
    return await fresh_database(server, told.name)


@pytest.fixture(params=["memory", "postgres"])
async def store(request: pytest.FixtureRequest, server: Postgres, told: Database) -> AsyncIterator[EventStore]:
    """Either store, with the story in it."""
    if request.param == "postgres":
        database = await fresh_database(server, told.name)
        async with contextlib.aclosing(PostgresStore(await open_pool(database.url()))) as store:
            yield store
        return
    async with contextlib.aclosing(MemoryStore()) as memory:
        await play_story(memory)
        await follow(memory)
        yield memory


@pytest.fixture
async def project(store: EventStore) -> StreamId:
    """The story's project."""
    (line,) = (await list_projects(store)).rows
    return line.stream


async def test_an_approval_is_found_by_its_id_by_its_subject_and_by_who_decided_it(
    store: EventStore, project: StreamId
) -> None:
    expected = (await load_state(store, project)).approvals
    listed = (await list_approvals(store, ApprovalFilter(stream=project))).rows
    assert tuple(one.approval for one in listed) == expected
    assert len(expected) > 1
    for approval in expected:
        assert (await find_approval(store, approval.id)).approval == approval
        by_decider = (await list_approvals(store, ApprovalFilter(decided_by=approval.decided_by))).rows
        assert approval in {one.approval for one in by_decider}
    granted = (await list_approvals(store, ApprovalFilter(verdict=Verdict.GRANTED))).rows
    assert {one.approval.verdict for one in granted} == {Verdict.GRANTED}
    assert (await list_approvals(store, ApprovalFilter(stream=f"{project}9"))).rows == ()
    with pytest.raises(NoSuchApproval):
        await find_approval(store, uuid4())


async def test_an_approval_of_another_organisation_is_as_one_that_is_not_there(
    store: EventStore, project: StreamId
) -> None:
    (line,) = (await list_projects(store)).rows
    (first, *_) = (await list_approvals(store, ApprovalFilter(stream=project))).rows
    assert await find_approval(store, first.approval.id, organisation=line.organisation) == first
    with pytest.raises(NoSuchApproval):
        await find_approval(store, first.approval.id, organisation="ORG-999")
    own, other = (PageRequest(organisation=name) for name in (line.organisation, "ORG-999"))
    assert (await list_projects(store, None, own)).rows == (line,)
    assert (await list_projects(store, None, other)).rows == ()


async def test_sums_are_those_of_the_project(store: EventStore, project: StreamId) -> None:
    (line,) = (await list_projects(store)).rows

    async def sums(by: Dimension, key: str | None = None) -> dict[str, Any]:
        (one,) = (await list_money(store, MoneyFilter(by=by, key=key, realm=project.realm))).rows
        return one.as_json()

    expected = {"projects": 1, "requested": line.requested, "award": line.award, "paid": line.paid, "net": line.net}
    for by, key in ((Dimension.ROUND, line.round), (Dimension.ORGANISATION, line.organisation), (Dimension.ALL, "")):
        row = await sums(by, key or None)
        assert row["key"] == key
        assert {name: row[name] for name in expected} == expected
    (fund,) = line.funds
    of_fund = await sums(Dimension.FUND, fund)
    assert (of_fund["award"], of_fund["net"], of_fund["committed"]) == (line.award, line.net, line.award - line.paid)


async def test_a_register_is_seen_as_it_stood_on_any_day(store: EventStore, project: StreamId) -> None:
    (line,) = (await list_projects(store)).rows
    organisation = project.sibling("organisation", line.organisation)
    door = open_paper_door(store)
    identity = VerifyOrganisation(name="甲", kind=OrganisationKind.SOCIAL_GROUP, representatives=(Actor("SO-LEGAL#1"),))
    await door.send(organisation, identity, Actor("HOST#1"), at=LATER)
    rating = RecordRating(level="4A", until=LATER.date() + timedelta(days=900))
    await door.send(organisation, rating, Actor("CAB-REG#1"), at=LATER + timedelta(days=2))
    await follow(store)

    async def read_version(as_of: datetime | None = None, known_at: datetime | None = None) -> tuple[str, str] | None:
        filters = RegisterFilter(kind="organisation", realm=project.realm, as_of=as_of, known_at=known_at)
        rows = [r for r in (await list_register(store, filters)).rows if r.stream == organisation]
        assert len(rows) < 2, "one version of each"
        return (rows[0].particulars["name"], rows[0].particulars["level"]) if rows else None

    before = await read_version(LATER - timedelta(seconds=1))
    assert before is not None
    assert before[0] != "甲"
    assert await read_version(LATER) == ("甲", "")
    assert await read_version(LATER + timedelta(days=2)) == ("甲", "4A")
    assert await read_version() == ("甲", "4A")
    assert await read_version(LATER - timedelta(days=9_000)) is None, "before it was registered"
    assert await read_version(known_at=LATER - timedelta(days=1)) is None, "it was all recorded today"
    (now,) = (await list_organisations(store, OrganisationFilter(search="甲"))).rows
    assert (now.stream, now.level) == (organisation, "4A")


async def test_what_was_refused_is_listed_with_who_and_by_which_rules(store: EventStore, project: StreamId) -> None:
    (attempt,) = (await list_attempts(store)).rows
    assert (attempt.stream, attempt.command, attempt.rules) == (project, "StartProject", ("T12",))
    assert (await list_attempts(store, AttemptFilter(stream=project, realm=project.realm))).rows == (attempt,)
    assert (await list_attempts(store, AttemptFilter(stream=f"{project}9"))).rows == ()
    entry = await store.journalled(attempt.command_id)
    assert entry is not None
    assert (entry.position, entry.version) == (attempt.position, attempt.version)


async def test_rounds_are_listed_with_what_they_show_of_themselves(store: EventStore, project: StreamId) -> None:
    (one,) = (await list_streams(store, StreamFilter(kind="round", realm=project.realm))).rows
    standing = await store.standing(one.stream)
    assert standing is not None
    assert (one.stream.name, one.stage, one.version) == ("R-FZ-2023", standing.stage, standing.version)
    assert one.particulars["year"] == 2023
    assert (await list_streams(store, StreamFilter(kind="round", stage="OPEN"))).rows == ()


async def test_a_rounds_deadline_that_a_notice_may_still_move_is_marked(store: EventStore) -> None:
    """No working days are published in that realm, so the window's end is provisional."""
    bureau = Bureau("unpublished", store, KEY)
    await bureau.open_round(at=LATER)
    await follow(store)
    (one,) = (await list_streams(store, StreamFilter(kind="round", realm=bureau.realm))).rows
    assert one.due is not None
    assert one.provisional
    (scheme,) = (await list_streams(store, StreamFilter(kind="scheme", realm=bureau.realm))).rows
    assert (scheme.due, scheme.provisional) == (None, False)


async def test_health_says_how_far_each_view_is_behind(store: EventStore, project: StreamId) -> None:
    assert {(v.head.name, v.behind, v.is_built) for v in await list_views(store)} == {(n, 0, True) for n in VIEWS}
    identity = VerifyOrganisation(name="甲", kind=OrganisationKind.SOCIAL_GROUP, representatives=(Actor("SO-LEGAL#1"),))
    stream = project.sibling("organisation", "ORG-77")
    await open_paper_door(store).send(stream, identity, Actor("HOST#1"), at=LATER)
    assert {v.behind for v in await list_views(store)} == {2}, "a command and its event"
    assert await begin_rebuild(store, "projects") == ["projects"]
    beside = next(v for v in await list_views(store) if not v.head.live)
    assert (beside.head.name, beside.is_built) == ("projects", False)
    await follow(store)
    assert {(v.head.name, v.behind, v.is_built) for v in await list_views(store)} == {(n, 0, True) for n in VIEWS}
    assert next(v.head.generation for v in await list_views(store) if v.head.name == "projects") == 2
    with pytest.raises(NoSuchView):
        await begin_rebuild(store, "projets")


async def test_an_auditor_reads_lists_and_keeps_no_view(postgres_store: PostgresStore, database: Database) -> None:
    stream = (await list_projects(postgres_store)).rows[0].stream.sibling("organisation", "ORG-77")
    identity = VerifyOrganisation(name="甲", kind=OrganisationKind.SOCIAL_GROUP, representatives=(Actor("SO-LEGAL#1"),))
    await open_paper_door(postgres_store).send(stream, identity, Actor("HOST#1"), at=LATER)
    auditor = PostgresStore(await open_pool(database.url(AUDITOR)))
    at_least = await auditor.last_position()
    page = await list_projects(auditor, None, PageRequest(at_least=at_least, patience_s=0.6))
    assert (len(page.rows), page.freshness.is_current) == (1, False)
    await auditor.aclose()


FORGED = (
    "",
    "x",
    "AAAA",
    "é",
    "W10",
    "bnVsbA",
    "WyJwcm9qZWN0cyIsInN0cmVhbSJd",
    "WyJwcm9qZWN0cyIsInN0cmVhbSIsN10",
    "W" * 1999,
)


@pytest.mark.parametrize("cursor", FORGED)
async def test_a_cursor_that_no_list_gave_out_is_refused(cursor: str) -> None:
    with pytest.raises(CursorInvalid):
        await list_projects(MemoryStore(), None, PageRequest(after=cursor))


async def test_a_cursor_of_another_list_is_refused_and_one_of_its_own_goes_on(
    store: EventStore, project: StreamId
) -> None:
    first = await list_streams(store, StreamFilter(kind="calendar"), PageRequest(limit=1))
    assert first.next is None
    page = await list_approvals(store, None, PageRequest(limit=1))
    assert page.next is not None
    rest = await list_approvals(store, None, PageRequest(after=page.next))
    every = await list_approvals(store)
    assert (*page.rows, *rest.rows) == every.rows
    with pytest.raises(CursorInvalid):
        await list_projects(store, None, PageRequest(after=page.next))
    assert project.kind == "project"


async def test_what_no_filter_knows_is_refused() -> None:
    for wrong in ({"stages": "ACTIVE"}, {"search": ""}, {"realm": "x" * 201}):
        with pytest.raises(ValidationError):
            ProjectFilter(**wrong)
    for wrong_page in ({"limit": 0}, {"limit": 1001}, {"patience_s": 31}, {"after": "x" * 2001}):
        with pytest.raises(ValidationError):
            PageRequest(**wrong_page)


async def test_whatever_is_looked_for_is_only_looked_for(store: EventStore, project: StreamId) -> None:
    for search in ("'; --", "%", "\\", "𠮷", "\0", "{a,b}", "NULL", "a" * 200):
        assert (await list_projects(store, ProjectFilter(search=search))).rows == (), search
    (line,) = (await list_projects(store, ProjectFilter(search=" "))).rows
    assert line.stream == project, "a blank looks for nothing"
