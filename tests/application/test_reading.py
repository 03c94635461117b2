"""Whose business a file is where the file alone does not say: the managing agency of its round, and no other."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from application.access import leave_out_others, list_hidden_kinds, list_words, load_seen_file, may_know, may_see
from application.approvals import ApprovalFilter, list_approvals
from application.inbox import WaitingFilter, list_waiting
from application.queries import NameUnknown, load_file
from audit.verification import verify
from deciding.fold import load_state
from domain.kernel.identifier import Actor
from domain.kernel.restriction import Restriction
from domain.kernel.scope import Scope, ScopeKind
from domain.visibility import BID_EVENTS
from followers import views as following
from scenarios.plan import read_plan
from scenarios.play import play
from schemes.document import read, read_text
from store.identity import SeatGrant
from store.memory import MemoryStore
from tests.office import Office
from tests.paper import open_paper_door, play_story
from tests.store.test_following import follow

if TYPE_CHECKING:
    from domain.kernel.identifier import StreamId
    from domain.kernel.state import State
    from store.identity import Seats

STORY = """
id: HST
scheme: fuzhou
defaults: {round: R-T-2023, year: 2023, level: MUNICIPAL}
projects:
  PJ-1: {application: AP-1, organisation: ORG-T1, title: 測試項目, statement: 獨居老人無人探訪, district: D-1}
events:
- [2023-03-06, CallPublished, R-T-2023, CAB-REG#1, {host: HOST-1}]
- [2023-03-08, OrganisationVerified, ORG-T1, DCAB#2, {name: 甲, kind: SERVICE_AGENCY, representatives: [SO-LEGAL#1]}]
- [2023-03-09, ApplicationSubmitted, AP-1, SO-LEGAL#1, {requested: 3000000}]
- [2023-03-10, CallAmended, R-T-2023, CAB-REG#1, {host: HOST-2, reason: 改由他方承辦}]
"""
"""A round that another managing agency takes over while bids are handed in."""


def agency(name: str) -> Seats:
    return (SeatGrant(seat=Actor("HOST#1"), scope=Scope(kind=ScopeKind.PARTY, names=(name,))),)


async def _read(store: MemoryStore, stream: StreamId) -> State:
    return await load_state(store, stream)


async def test_who_was_given_a_seat_is_in_the_list_of_approvals_of_those_alone_who_may_read_it_there() -> None:
    office = Office(MemoryStore())
    await office.seat("CAB-FIN#1")
    await follow(office.store)

    async def list_kinds(*seats: str) -> set[str]:
        hidden = list_hidden_kinds(tuple(SeatGrant(seat=Actor(seat)) for seat in seats))
        return {
            one.stream.kind for one in (await list_approvals(office.store, ApprovalFilter(hidden_kinds=hidden))).rows
        }

    assert await list_kinds("CAB-REG#1", "FISCAL#1") == set()
    for seat in ("ADMIN#1", "CAB-DEC#1", "DISC#1", "AUDIT#1"):
        assert "seat" in await list_kinds("CAB-REG#1", seat)


async def _waits(store: MemoryStore, seats: Seats) -> bool:
    """Whether a list of what waits shows them the bid."""
    page = await list_waiting(store, WaitingFilter(readers=list_words(seats)))
    return "AP-1" in {row.stream.name for row in page.rows}


async def _tell(store: MemoryStore, *, page_by_page: bool) -> None:
    door = open_paper_door(store)
    plan = read_plan(read_text(STORY, "x.yaml"))
    result = await play(plan, door, store)
    assert not result.deviations, result.as_json()
    await follow(store)
    state = await _read(store, plan.stream("PJ-1"))
    for name, expected in (("HOST-1", False), ("HOST-2", True), ("HOST-9", False)):
        seats = agency(name)
        assert await may_see(store, seats, state) is expected, name
        assert await may_know(store, seats, state) is expected, name
        assert await _waits(store, seats) is expected, (name, page_by_page)
    assert (await verify(store)).findings == ()


def test_a_file_is_seen_by_the_agency_of_its_round_alone_whether_views_follow_or_are_built(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asyncio.run(_tell(MemoryStore(), page_by_page=False))
    store = MemoryStore()
    asyncio.run(follow(store))
    monkeypatch.setattr(following, "PAGE", 3)
    asyncio.run(_tell(store, page_by_page=True))


def test_a_bidder_reads_its_own_file_without_what_its_panel_says_of_anybody() -> None:
    store = MemoryStore()

    async def tell() -> None:
        result = await play_story(store)
        whole = await load_file(store, result.plan.stream("PJ-3"))
        assert {"project", "panel", "need"} <= {chapter.stream.kind for chapter in whole.story}
        bidder = (SeatGrant(seat=Actor("SO-LEGAL#1"), scope=Scope(kind=ScopeKind.ORGANISATION, names=("ORG-3",))),)
        assert await may_see(store, bidder, whole.state)
        seen = await leave_out_others(store, bidder, whole)
        assert {"project", "need"} <= {chapter.stream.kind for chapter in seen.story}
        assert "panel" not in {chapter.stream.kind for chapter in seen.story}
        assert "panel" not in {document.stream.kind for document in seen.documents}
        officer = (SeatGrant(seat=Actor("CAB-REG#1"), scope=Scope(kind=ScopeKind.BUREAU)),)
        assert await leave_out_others(store, officer, whole) == whole

    asyncio.run(tell())


def reviewer(number: int) -> Seats:
    return (SeatGrant(seat=Actor(f"EXPERT#{number}"), scope=Scope(kind=ScopeKind.ROSTER)),)


def test_a_reviewer_reads_the_bids_of_their_own_panel_as_they_were_handed_in_and_nothing_else() -> None:
    """S5: a second panel scores the bid anew. What the first one found, and what came of it, is not shown to it."""
    store = MemoryStore()

    async def tell() -> None:
        whole = read_plan(read(Path(str(files("scenarios").joinpath("s5-rescore.yaml")))))
        scoring = datetime(2025, 4, 6, tzinfo=UTC)
        plan = replace(whole, orders=tuple(o for o in whole.orders if o.at < scoring), expectations=())
        result = await play(plan, open_paper_door(store), store)
        assert not result.deviations, result.as_json()
        await follow(store)
        project, drawn, first = (plan.stream(name) for name in ("PJ-51", "RP-52", "RP-51"))
        file = await load_seen_file(store, reviewer(8), project)
        types = {chapter.occurrence.event.event_type for chapter in file.story if chapter.stream == project}
        assert types <= BID_EVENTS
        assert "ApplicationSubmitted" in types
        assert not file.is_whole
        assert file.state.stage == "SHORTLISTED"
        assert not {chapter.stream for chapter in file.story} & {first, drawn}
        assert {"AwardProposed", "ObjectionUpheld"} <= {e.type async for e in store.read(project)}, "and more there is"
        panel = await load_seen_file(store, reviewer(8), drawn)
        assert Restriction.SHEET in panel.restrictions, "nobody else's sheet before one's own"
        undeclared = 9
        for number, stream in (
            (undeclared, project),
            (7, project),
            (7, drawn),
            (1, project),
            (12, project),
            (12, drawn),
            (8, first),
        ):
            with pytest.raises(NameUnknown):  # recused; of the panel before; of no panel; of another panel
                await load_seen_file(store, reviewer(number), stream)
        assert not await may_see(store, reviewer(8), await _read(store, project)), "no other door opens by it"
        waits = await list_waiting(store, WaitingFilter(readers=list_words(reviewer(8))))
        assert ("RP-52", "SubmitScore") in {(row.stream.name, row.command) for row in waits.rows}

    asyncio.run(tell())


def test_a_reviewer_reads_no_bid_of_a_panel_that_has_reported() -> None:
    store = MemoryStore()

    async def tell() -> None:
        result = await play_story(store)
        with pytest.raises(NameUnknown):
            await load_seen_file(store, reviewer(1), result.plan.stream("PJ-3"))

    asyncio.run(tell())
