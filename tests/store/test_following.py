"""What the follower of the read side makes of the log: the same rows whichever way it went, and on either store."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from application.inbox import WaitingFilter, list_waiting
from application.pages import PageRequest, wait_for_view
from application.projects import ProjectFilter, list_projects
from domain.kernel.identifier import Actor
from domain.registers.organisation import OrganisationKind, VerifyOrganisation
from followers import follower
from followers import views as following
from followers.views import ViewFollower
from store.memory import MemoryStore
from store.memory_views import KEYS
from store.views import LEASE, ViewQuery
from tests.paper import open_paper_door, play_story
from views.catalogue import VIEWS

if TYPE_CHECKING:
    from store.port import EventStore
    from views.view import View

LATER = datetime(2023, 6, 30, 4, tzinfo=UTC)


async def follow(store: EventStore) -> None:
    """Until there is nothing more to follow."""
    keeper = ViewFollower(store)
    while await keeper.once(datetime.now(UTC)):
        pass
    await keeper.release()


async def read_all(store: EventStore, *, without: frozenset[str] = frozenset()) -> dict[str, list[dict[str, Any]]]:
    """Every row of every view, as plain values."""
    rows_by_view = {}
    for view in VIEWS:
        rows = (await store.views.page(ViewQuery(view, KEYS[view], limit=100_000))).rows
        rows_by_view[view] = [
            {k: sorted(v, key=str) if isinstance(v, list | tuple) else v for k, v in row.items() if k not in without}
            for row in rows
        ]
    return rows_by_view


async def test_both_stores_come_to_the_same_rows(store: EventStore) -> None:
    memory = MemoryStore()
    for each in (store, memory):
        await play_story(each)
        await follow(each)
    rows, expected = await read_all(store, without=_OF_THE_CLOCK), await read_all(memory, without=_OF_THE_CLOCK)
    for view in VIEWS:
        assert rows[view], f"the story has something of {view}"
        assert len(rows[view]) == len(expected[view]), view
    assert rows["shares"] == expected["shares"]
    assert rows["projects"] == expected["projects"]


_OF_THE_CLOCK = frozenset({"recorded_at", "command_id", "id"})


async def test_followed_bit_by_bit_or_built_from_the_streams_the_rows_are_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = MemoryStore()
    await play_story(store)
    monkeypatch.setattr(following, "PAGE", 7)
    await store.lease(LEASE, uuid4(), timedelta(0))
    for view in VIEWS.values():  # as if it had been there from the first entry on
        await store.views.begin(view.name, view.version, 0)
        head = next(h for h in await store.views.heads() if h.name == view.name)
        store.views._heads[view.name, 1] = replace(head, walked=None)
    await follow(store)
    followed = await read_all(store)
    monkeypatch.setattr(following, "CHUNK", 2)
    for again in VIEWS.values():
        assert await store.views.begin(again.name, again.version, 0) == 2
    await follow(store)
    assert {(h.name, h.generation, h.live) for h in await store.views.heads()} == {(v, 2, True) for v in VIEWS}
    built = await read_all(store)
    for name in VIEWS:
        assert built[name] == followed[name], name


async def test_a_project_is_found_by_all_that_it_is(store: EventStore) -> None:
    await _begin_story(store)

    async def find_names(**filters: Any) -> list[str]:
        page = await list_projects(store, ProjectFilter(**filters))
        assert page.freshness.is_current
        return [line.stream.name for line in page.rows]

    (line,) = (await list_projects(store)).rows
    assert (line.stream.name, line.number, line.stage) == ("AP-5", "PJ-3", "ACTIVE")
    conditions = {"stage": "ACTIVE", "round": "R-FZ-2023", "organisation": line.organisation, "fund": "FS-FZ"}
    assert await find_names(**conditions, realm=line.stream.realm) == ["AP-5"]
    for name in conditions:
        assert await find_names(**{**conditions, name: "NONE-1"}) == [], f"another {name}"
    assert await find_names(role=line.awaiting[0].roles[0]) == ["AP-5"]
    assert await find_names(role=f"{line.awaiting[0].roles[0]}#1") == ["AP-5"]
    for words in ("PJ-3", "pj-3", "ap-5", line.title, line.title[2:5], line.organisation, f"{line.title[:2]} PJ-3"):
        assert await find_names(search=words) == ["AP-5"], words
    assert await find_names(search=f"{line.title[:2]} PJ-4") == [], "every word must occur"


async def test_a_search_finds_in_either_script(store: EventStore) -> None:
    await _begin_story(store)
    identity = VerifyOrganisation(
        name="撫州市陽光社會工作服務中心",
        kind=OrganisationKind.SERVICE_AGENCY,
        representatives=(Actor("SO-LEGAL#1"),),
    )
    (line,) = (await list_projects(store)).rows
    organisation = line.stream.sibling("organisation", line.organisation)
    assert (await list_projects(store, ProjectFilter(search="阳光社会工作"))).rows == ()
    await open_paper_door(store).send(organisation, identity, Actor("HOST#1"), at=LATER)
    await follow(store)
    for words in ("陽光社會工作", "阳光社会工作", "服務中心", "服务中心", "阳光 PJ-3"):
        (line,) = (await list_projects(store, ProjectFilter(search=words))).rows
        assert line.organisation_name == identity.name, "its project shows the name that it bears now"


async def test_who_has_written_something_reads_it_though_nobody_keeps_the_views(store: EventStore) -> None:
    await _begin_story(store)
    (line,) = (await list_projects(store)).rows
    another = line.stream.sibling("organisation", "ORG-77")
    identity = VerifyOrganisation(name="甲", kind=OrganisationKind.SOCIAL_GROUP, representatives=(Actor("SO-LEGAL#1"),))
    receipt = await open_paper_door(store).send(another, identity, Actor("HOST#1"), at=LATER)
    stale = await list_projects(store)
    assert not stale.freshness.is_current
    assert stale.freshness.behind == receipt.position - stale.freshness.position
    fresh = await list_projects(store, None, PageRequest(at_least=receipt.position))
    assert fresh.freshness.is_current


async def test_while_another_is_at_it_a_reader_waits_no_longer_than_it_will(store: EventStore) -> None:
    await _begin_story(store)
    assert await store.lease(LEASE, uuid4(), timedelta(minutes=1)) is not None
    ahead = await store.last_position() + 1
    assert not await wait_for_view(store, "projects", ahead, 0.4)
    page = await list_projects(store, None, PageRequest(at_least=ahead, patience_s=0))
    assert len(page.rows) == 1, "what is there is given, with how old it is"


async def test_a_reader_that_helps_and_is_overtaken_waits_on_and_is_answered(
    store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process stood still, or a server was restored: by the time it writes, the lease is another's."""
    await play_story(store)
    ours = store.lease
    overtaken = 0

    async def lease(name: str, owner: UUID, lasting: timedelta) -> int | None:
        nonlocal overtaken
        generation = await ours(name, owner, lasting)
        if generation is not None and overtaken < 2:  # the second time is that of the writing
            overtaken += 1
            return generation if overtaken == 1 else None
        return generation

    monkeypatch.setattr(store, "lease", lease)
    position = await store.last_position()
    page = await list_projects(store, request=PageRequest(at_least=position, patience_s=30))
    assert overtaken == 2
    assert page.rows


async def test_what_waits_is_listed_for_whom_it_waits(store: EventStore) -> None:
    await _begin_story(store)
    everything = (await list_waiting(store)).rows
    assert everything
    for one in everything:
        for role in one.roles:
            rows = (await list_waiting(store, WaitingFilter(role=role))).rows
            assert (one.stream, one.command, one.subject) in {(r.stream, r.command, r.subject) for r in rows}


async def test_a_view_of_newer_code_is_left_to_that_code() -> None:
    store = MemoryStore()
    await play_story(store)
    await store.views.begin("projects", VIEWS["projects"].version + 1, 0)
    await follow(store)
    heads = {h.name: h for h in await store.views.heads()}
    assert (heads["projects"].version, heads["projects"].walked) == (VIEWS["projects"].version + 1, "")
    assert heads["waiting"].walked is None


async def test_code_that_newer_code_has_overtaken_lets_that_code_have_the_lease() -> None:
    store = MemoryStore()
    await play_story(store)
    await store.views.begin("projects", VIEWS["projects"].version + 1, 0)
    task = asyncio.create_task(ViewFollower(store).run())
    async with asyncio.timeout(20):
        reached = False
        while not reached:
            reached = await wait_for_view(store, "waiting", await store.last_position(), 0.1)
    taken, newer = None, uuid4()
    async with asyncio.timeout(20):
        while taken is None:
            taken = await store.lease(LEASE, newer, timedelta(minutes=1))
            await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])


async def test_code_that_has_changed_builds_its_view_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    await play_story(store)
    await follow(store)
    newer: dict[str, View] = {**VIEWS, "projects": replace(VIEWS["projects"], version=VIEWS["projects"].version + 1)}
    monkeypatch.setattr(following, "VIEWS", MappingProxyType(newer))
    await follow(store)
    heads = {h.name: h for h in await store.views.heads()}
    assert (heads["projects"].generation, heads["projects"].version) == (2, newer["projects"].version)
    assert heads["waiting"].generation == 1
    assert len((await list_projects(store)).rows) == 1


async def test_a_stream_that_does_not_fold_keeps_no_other_from_being_read() -> None:
    store = MemoryStore()
    await play_story(store)
    stream = next(stream for stream in store._events if stream.name == "AP-5")
    wrong = replace(store._events[stream][-1], data=b'{"found": 7}')
    store._entries[wrong.position - 1] = store._events[stream][-1] = wrong
    await follow(store)
    assert (await list_projects(store)).rows == ()
    assert (await list_waiting(store)).rows, "what waits elsewhere is there"


async def test_it_follows_as_soon_as_the_log_grows_and_lets_go_when_it_ends() -> None:
    store = MemoryStore()
    task = asyncio.create_task(ViewFollower(store).run())
    await play_story(store)
    async with asyncio.timeout(20):
        reached = False
        while not reached:
            reached = await wait_for_view(store, "projects", await store.last_position(), 0.1)
    task.cancel()
    await asyncio.wait([task])
    assert await store.lease(LEASE, uuid4(), timedelta(0)) is not None


async def test_its_lease_is_renewed_once_half_of_it_is_over_and_not_each_round(monkeypatch: pytest.MonkeyPatch) -> None:
    store, seconds = MemoryStore(), 100.0
    monkeypatch.setattr(follower, "monotonic", lambda: seconds)
    taken, lease = 0, store.lease

    async def count(name: str, owner: UUID, lasting: timedelta) -> int | None:
        nonlocal taken
        taken += 1
        return await lease(name, owner, lasting)

    monkeypatch.setattr(store, "lease", count)
    keeper = ViewFollower(store)
    for seconds, expected in ((100.0, 1), (102.4, 1), (102.5, 2), (105.0, 3)):
        await keeper.once(datetime.now(UTC))
        assert taken == expected, f"at {seconds} s of a lease of five"
    await keeper.release()
    await keeper.once(datetime.now(UTC))
    assert taken == 5, "what was let go is taken again"


async def _begin_story(store: EventStore) -> None:
    await play_story(store)
    await follow(store)
