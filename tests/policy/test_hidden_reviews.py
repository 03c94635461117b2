"""SD7: while a panel is at work, no door tells one of its reviewers who else sits on it, and who is done."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from application.access import access_of, find_access, list_words, load_seen_file, show_to
from application.inbox import WaitingFilter, list_waiting
from application.queries import NameUnknown, load_file
from application.reviews import find_review, list_marks
from cli.project import as_json
from deciding.fold import load_state, read_occurrence
from domain.kernel.calendar import SHANGHAI, day_begins, local_day
from domain.kernel.identifier import Actor, Role
from domain.registers.panel import ScoreSubmitted
from papers.lists import list_story
from scenarios.plan import read_plan
from scenarios.play import play
from schemes.document import read
from store.identity import SeatGrant
from store.memory import MemoryStore
from store.port import EntryKind
from tests.paper import open_paper_door
from tests.policy.standings import scope_of
from tests.store.test_following import follow
from web.language import Language
from web.v1.events import as_cloud_event
from web.v1.files import _file

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from domain.kernel.identifier import StreamId
    from domain.kernel.state import State
    from store.identity import Seats

DONE: Final = (6, 8)
"""Whose sheets are in; of E9, E10 and E11 they are to come, and E7 was recused."""
_NUMBER: Final = re.compile(r"(?<![A-Za-z0-9])(?:E|EXPERT#)([0-9]+)(?![A-Za-z0-9])")
LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)
EVERYBODY: Final = frozenset(range(6, 12))


@dataclass(frozen=True)
class AtWork:
    """A panel that has not reported."""

    store: MemoryStore
    panel: StreamId

    async def state(self) -> State:
        return await load_state(self.store, self.panel)


async def _play(*, until_report: bool) -> AtWork:
    store = MemoryStore()
    whole = read_plan(read(Path(str(files("scenarios").joinpath("s5-rescore.yaml")))))
    panel = whole.stream("RP-52")
    upto = next(n for n, one in enumerate(whole.orders) if one.stream == panel and one.actor == Actor("EXPERT#9"))
    report = next(n for n, one in enumerate(whole.orders) if one.stream == panel and one.actor.role is Role.HOST)
    kept = whole.orders[: report + 1 if until_report else upto]
    result = await play(replace(whole, orders=kept, expectations=()), open_paper_door(store), store)
    assert not result.deviations, result.as_json()
    await follow(store)
    return AtWork(store, panel)


@pytest.fixture(scope="module")
def at_work() -> AtWork:
    return asyncio.run(_play(until_report=False))


@pytest.fixture(scope="module")
def reported() -> AtWork:
    return asyncio.run(_play(until_report=True))


def grants(seat: str) -> Seats:
    actor = Actor(seat)
    return (SeatGrant(seat=actor, scope=scope_of(actor.role, "HOST-1" if actor.role is Role.HOST else "ORG-51")),)


async def _by_v1(at: AtWork, seats: Seats) -> str:
    file = await load_seen_file(at.store, seats, at.panel)
    return _file(file, Language.EN, None, None, 0).model_dump_json()


async def _by_page_and_sheet(at: AtWork, seats: Seats) -> str:
    file = await load_seen_file(at.store, seats, at.panel)
    return json.dumps(
        [dict(line.row) for line in list_story(file, lambda zh, _en: zh).rows], default=str, ensure_ascii=False
    )


async def _by_feed(at: AtWork, seats: Seats) -> str:
    access = await find_access(at.store, seats, await at.state())
    if access is None:
        raise NameUnknown(at.panel)
    entries = [entry async for entry in at.store.read(at.panel) if entry.kind is EntryKind.EVENT]
    return "".join(as_cloud_event(entry, "urn:x", access).model_dump_json() for entry in entries)


async def _by_command_line(at: AtWork, seats: Seats) -> str:
    return json.dumps(
        as_json(show_to(await load_file(at.store, at.panel), seats[0].seat)), default=str, ensure_ascii=False
    )


async def _by_inbox(at: AtWork, seats: Seats) -> str:
    page = await list_waiting(at.store, WaitingFilter(readers=list_words(seats), realm=at.panel.realm))
    return json.dumps([row.as_json() for row in page.rows if row.stream == at.panel], ensure_ascii=False)


async def _by_review(at: AtWork, seats: Seats) -> str:
    review = find_review(await at.state(), seats[0].seat) if seats[0].seat.role is Role.EXPERT else None
    if review is None:
        raise NameUnknown(at.panel)
    return " ".join(f"{place} {mark}" for bid in review.panel.applications for place, mark in list_marks(review, bid))


DOORS: Final[dict[str, Callable[[AtWork, Seats], Awaitable[str]]]] = {
    "v1": _by_v1,
    "page-and-sheet": _by_page_and_sheet,
    "feed": _by_feed,
    "command-line": _by_command_line,
    "inbox": _by_inbox,
    "review": _by_review,
}


def look(at: AtWork, door: str, seat: str) -> frozenset[int] | None:
    """The numbers in the roster that this reader is told; None where the panel is not there."""
    try:
        text = asyncio.run(_ask(at, door, seat))
    except NameUnknown:
        return None
    return frozenset(map(int, _NUMBER.findall(text)))


async def _ask(at: AtWork, door: str, seat: str) -> str:
    return await DOORS[door](at, grants(seat))


@pytest.mark.parametrize("door", list(DOORS))
@pytest.mark.parametrize("number", sorted(EVERYBODY - {7}))
def test_a_reviewer_is_told_of_nobody_but_themselves_before_the_report(at_work: AtWork, door: str, number: int) -> None:
    numbers = look(at_work, door, f"EXPERT#{number}")
    assert numbers is not None
    assert numbers <= {number}, "also once their own sheets are in: a reviewer who is done can press one who is not"


@pytest.mark.parametrize("door", list(DOORS))
def test_whoever_was_recused_and_whoever_applied_are_told_of_nobody(at_work: AtWork, door: str) -> None:
    if door != "command-line":
        assert not look(at_work, door, "EXPERT#7")
        assert not look(at_work, door, "SO-LEGAL#51")
    else:  # there whoever reads has the files at hand, and says on which seat
        assert look(at_work, door, "EXPERT#7") == frozenset({7}), "of what they declared themselves"
        assert not look(at_work, door, "SO-LEGAL#51")


@pytest.mark.parametrize("seat", ["HOST#1", "CAB-REG#1", "AUDIT#1"])
@pytest.mark.parametrize("door", ["v1", "page-and-sheet", "feed", "command-line"])
def test_office_host_and_those_who_watch_are_told_of_all(at_work: AtWork, door: str, seat: str) -> None:
    assert look(at_work, door, seat) == EVERYBODY


@pytest.mark.parametrize("door", ["v1", "page-and-sheet", "feed", "command-line"])
def test_the_report_names_all_to_all_of_the_panel(reported: AtWork, door: str) -> None:
    assert look(reported, door, "EXPERT#9") == EVERYBODY


def test_marks_of_others_bear_no_seat_before_the_report(at_work: AtWork, reported: AtWork) -> None:
    async def marks(at: AtWork) -> list[str]:
        review = find_review(await at.state(), Actor("EXPERT#8"))
        assert review is not None
        return [place for place, _ in list_marks(review, "AP-51")]

    assert asyncio.run(marks(at_work)) == ["E8", ""]
    assert asyncio.run(marks(reported)) == ["E8", "E10", "E11", "E6", "E9"]


STORY_DOORS: Final = ("v1", "page-and-sheet", "feed", "command-line")
"""Those that tell when something was."""


@pytest.mark.parametrize("door", STORY_DOORS)
@pytest.mark.parametrize("number", sorted(EVERYBODY - {7}))
def test_of_what_somebody_untold_did_a_reviewer_is_told_the_day_alone(at_work: AtWork, door: str, number: int) -> None:
    """By the minute an act can be matched with whoever was seen at it, and the list is confidential (SD7)."""
    seat = Actor(f"EXPERT#{number}")

    async def times() -> dict[bool, set[str]]:
        told: dict[bool, set[str]] = {True: set(), False: set()}
        async for entry in at_work.store.read(at_work.panel):
            one = read_occurrence(entry)
            if one.actor.role is Role.EXPERT:
                told[one.actor == seat] |= {f"{at:%F %H:%M}" for at in (one.at, one.at.astimezone(SHANGHAI))}
        return told

    text, told = asyncio.run(_ask(at_work, door, seat)), asyncio.run(times())
    shown = set(re.findall(r"\d{4}-\d\d-\d\d \d\d:\d\d", text.replace("T", " ")))
    assert not shown & (told[False] - told[True])
    assert bool(shown & told[True]) is (number in DONE), "of one's own everything is told"


def test_who_asks_for_the_panel_from_minute_to_minute_is_told_it_by_the_day(at_work: AtWork) -> None:
    async def versions(seat: str) -> set[int]:
        marked = [e async for e in at_work.store.read(at_work.panel) if e.type == "ScoreSubmitted"]
        instants = {e.occurred_at for e in marked}
        day = {local_day(at) for at in instants}
        assert len(day) == 1 < len(instants)
        files = [await load_seen_file(at_work.store, grants(seat), at_work.panel, until=at) for at in instants]
        return {file.state.version for file in files}

    assert len(asyncio.run(versions("EXPERT#9"))) == 1
    assert len(asyncio.run(versions("HOST#1"))) > 1


def test_since_when_a_panel_scores_its_reviewers_are_told_by_the_day(at_work: AtWork) -> None:
    file = asyncio.run(load_seen_file(at_work.store, grants("EXPERT#9"), at_work.panel))
    assert file.state.since == day_begins(local_day(asyncio.run(at_work.state()).since or LONG_AGO))
    begun = next(change for change in file.changes if change.stage == file.state.stage)
    assert begun.at == file.state.since, "nor by the picture of its life"
    host = asyncio.run(load_seen_file(at_work.store, grants("HOST#1"), at_work.panel))
    assert host.state.since == asyncio.run(at_work.state()).since != file.state.since


def test_by_whom_a_command_came_is_told_as_the_event_tells_it(at_work: AtWork) -> None:
    async def tells(seat: str) -> bool:
        access = await find_access(at_work.store, grants(seat), await at_work.state())
        assert access is not None
        return access.may_tell_who(ScoreSubmitted)

    assert not asyncio.run(tells("EXPERT#8"))
    assert asyncio.run(tells("HOST#1"))
    assert not access_of(Actor("EXPERT#8")).may_tell_who(ScoreSubmitted)
