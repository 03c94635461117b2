"""Marked fields, one by one: who sees which, and that every door withholds the same and says so."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from application.access import access_of, find_access, load_seen_file, show_to
from application.queries import NameUnknown, load_file
from cli.project import as_json
from deciding.fold import load_state
from domain.catalogue import AGGREGATES
from domain.kernel.canonical import plain
from domain.kernel.identifier import Actor, Role, StreamId
from domain.kernel.restriction import WITHHELD, Restriction, list_restricted, withhold
from papers.dossier import open_dossier
from papers.lists import list_story
from papers.payments import _show_account
from scenarios.plan import read_plan
from scenarios.play import play
from schemes.document import read
from store.identity import SeatGrant
from store.memory import MemoryStore
from store.port import EntryKind
from tests.paper import open_paper_door
from tests.policy.standings import scope_of
from web.v1.events import as_cloud_event
from web.v1.files import build_chapters

if TYPE_CHECKING:
    from collections.abc import Callable

    from application.queries import File
    from domain.kernel.state import State
    from store.identity import Seats

SEEN: Final = {
    Restriction.ACCOUNT: "CAB-REG CAB-FIN CAB-DEC FISCAL AUDIT DISC SO-LEGAL SO-PM SO-ACC",
    Restriction.CLIENT: "CAB-REG AUDIT DISC SUPV EVAL SO-LEGAL SO-PM SO-ACC",
    Restriction.SHEET: "CAB-REG CAB-DEC AUDIT DISC HOST EXPERT",
    Restriction.INTEREST: "CAB-REG CAB-DEC AUDIT DISC",
    Restriction.PANELIST: " ".join(set(Role) - {Role.SYS}),
}
"""Who sees the marked fields of a file that is open to them, written by hand."""
OPEN: Final = {
    "project": "CAB-REG CAB-FIN CAB-DEC FISCAL AUDIT DISC SO-LEGAL SO-PM SO-ACC HOST SUPV EVAL COMM",
    "panel": "CAB-REG CAB-FIN CAB-DEC FISCAL AUDIT DISC HOST EXPERT",
}
"""To whom the file is open at all: here no district and no base is named."""
NAMES: Final = {Role.HOST: "HOST-1", Role.SUPV: "SUPV-1", Role.EVAL: "EVAL-1", Role.COMM: "COMM-1"}
KINDS: Final = {
    Restriction.ACCOUNT: ("project", "LedgerAccountRegistered", "account"),
    Restriction.CLIENT: ("project", "ClientServed", "client"),
    Restriction.SHEET: ("panel", "ScoreSubmitted", "mark"),
    Restriction.INTEREST: ("panel", "ConflictDeclared", "kind"),
    Restriction.PANELIST: ("panel", "PanelDrawn", "seats"),
}
LAST_YEAR: Final = datetime(2027, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class LogOfEveryKind:
    """A log in which there is something of every kind."""

    store: MemoryStore
    project: StreamId
    panel: StreamId

    def stream(self, kind: str) -> StreamId:
        return self.project if kind == "project" else self.panel

    async def state(self, stream: StreamId) -> State:
        return await load_state(self.store, stream)


@pytest.fixture(scope="module")
def archive() -> LogOfEveryKind:
    async def tell() -> LogOfEveryKind:
        store = MemoryStore()
        streams = []
        for name, subject in (("s12-fuzhou-rows", "PJ-121"), ("s5-rescore", "RP-52")):
            plan = read_plan(read(Path(str(files("scenarios").joinpath(f"{name}.yaml")))))
            result = await play(plan, open_paper_door(store), store)
            assert not result.deviations, result.as_json()
            streams.append(plan.stream(subject))
        return LogOfEveryKind(store, *streams)

    return asyncio.run(tell())


def seats(role: Role, number: int = 6) -> Seats:
    organisation = "ORG-121"
    scope = scope_of(role, NAMES.get(role, organisation))
    return (SeatGrant(seat=Actor(f"{role}#{number}"), scope=scope),)


# ---------------------------------------------------------------- the doors: does that reader find the field there?


async def _by_v1(archive: LogOfEveryKind, stream: StreamId, grants: Seats, event: str, field: str) -> bool | None:
    file = await load_seen_file(archive.store, grants, stream)
    answer = build_chapters(file, lambda zh, _en: zh)
    (*_, chapter) = [one for one in answer if one.event == event]
    assert (field in chapter.withheld) is (field not in chapter.data)
    return field in chapter.data


async def _as_of(archive: LogOfEveryKind, stream: StreamId, grants: Seats, event: str, field: str) -> bool | None:
    file = await load_seen_file(archive.store, grants, stream, until=LAST_YEAR, known_at=datetime.now(UTC))
    return _has(file, event, field)


async def _by_page(archive: LogOfEveryKind, stream: StreamId, grants: Seats, event: str, field: str) -> bool | None:
    file = await load_seen_file(archive.store, grants, stream)
    lines = list_story(file, lambda zh, _en: zh).rows
    zh = next(one.occurrence.event.zh for one in file.story if one.occurrence.event.event_type == event)
    texts = [line.row["says"] for line in lines if line.row["event"] == zh]
    assert texts
    is_there = _has(file, event, field)
    assert is_there is (WITHHELD[0] not in texts[-1]), "it is said that it is withheld, and nothing is left blank"
    return is_there


async def _by_feed(archive: LogOfEveryKind, stream: StreamId, grants: Seats, event: str, field: str) -> bool | None:
    access = await find_access(archive.store, grants, await archive.state(stream))
    if access is None:
        raise NameUnknown(stream)
    entries = [e async for e in archive.store.read(stream) if e.kind is EntryKind.EVENT and e.type == event]
    cloud_event = as_cloud_event(entries[-1], "urn:x", access)
    assert (field in (cloud_event.withheld or "").split(",")) is (field not in cloud_event.data)
    return field in cloud_event.data


async def _by_command_line(
    archive: LogOfEveryKind, stream: StreamId, grants: Seats, event: str, field: str
) -> bool | None:
    """Whoever is at the machine says on which seat they read."""
    file = show_to(await load_file(archive.store, stream), grants[0].seat)
    (*_, chapter) = [one for one in as_json(file)["story"] if one["event"] == event and one["stream"] == stream]
    assert (field in chapter.get("withheld", ())) is (field not in chapter["data"])
    return field in chapter["data"]


def _has(file: File, event: str, field: str) -> bool:
    (*_, chapter) = [one for one in file.story if one.occurrence.event.event_type == event]
    assert (field in chapter.withheld) is (field not in plain(chapter.occurrence.event))
    return field not in chapter.withheld


DOORS: dict[str, Callable[..., object]] = {
    "v1": _by_v1,
    "as-of": _as_of,
    "page-and-sheet": _by_page,
    "feed": _by_feed,
    "command-line": _by_command_line,
}


@pytest.mark.parametrize("door", list(DOORS))
@pytest.mark.parametrize("kind", list(Restriction))
def test_every_door_withholds_the_same_fields_from_the_same_readers(
    archive: LogOfEveryKind, kind: Restriction, door: str
) -> None:
    """Reader × marked field × door: no cell without an expectation."""
    where, event, field = KINDS[kind]

    async def look() -> dict[str, bool | None]:
        answers: dict[str, bool | None] = {}
        for role in set(Role) - {Role.SYS}:
            try:
                answers[role] = await DOORS[door](archive, archive.stream(where), seats(role), event, field)  # type: ignore[misc]
            except NameUnknown:
                answers[role] = None
        return answers

    opened = set(OPEN[where].split())
    expected = {
        role: (role in SEEN[kind].split() if role in opened or door == "command-line" else None)
        for role in set(Role) - {Role.SYS}
    }
    assert asyncio.run(look()) == expected


# ---------------------------------------------------------------- one's own, and what comes when


def test_whoever_recorded_a_thing_reads_it(archive: LogOfEveryKind) -> None:
    """The expert who declared an interest reads their own words; the one beside, who may read the panel, does not."""
    panels = {
        number: asyncio.run(load_seen_file(archive.store, seats(Role.EXPERT, number), archive.panel))
        for number in (6, 8)
    }
    assert not _has(panels[6], "ConflictDeclared", "kind")
    own = access_of(Actor("EXPERT#7"))
    file = asyncio.run(load_file(archive.store, archive.panel))
    (declared,) = [one for one in file.story if one.occurrence.event.event_type == "ConflictDeclared"]
    assert not own.show(declared).withheld
    assert access_of(Actor("EXPERT#8")).show(declared).withheld == {"organisation", "kind", "ended_on"}


def test_whoever_says_no_seat_at_the_machine_sees_no_marked_field(archive: LogOfEveryKind) -> None:
    for stream in (archive.project, archive.panel):
        file = show_to(asyncio.run(load_file(archive.store, stream)), None)
        marked = [one for one in file.story if list_restricted(type(one.occurrence.event))]
        assert marked
        for one in marked:
            kinds = list_restricted(type(one.occurrence.event))
            unmasked = {name for name, kind in kinds.items() if kind is not Restriction.PANELIST}  # it has reported
            left = one.occurrence.event.__dict__.keys() & unmasked
            assert all(one.occurrence.event.__dict__[name] in (None, {}) for name in left), "only what says nothing"
        assert "C-7" not in json.dumps(as_json(file), default=str)


def test_a_seat_beside_another_sees_what_either_sees(archive: LogOfEveryKind) -> None:
    both = (*seats(Role.CAB_FIN), *seats(Role.SUPV))
    file = asyncio.run(load_seen_file(archive.store, both, archive.project))
    assert _has(file, "LedgerAccountRegistered", "account")
    assert _has(file, "ClientServed", "client")
    assert not file.restrictions & {Restriction.ACCOUNT, Restriction.CLIENT}


def test_a_paper_says_that_the_account_is_withheld(archive: LogOfEveryKind) -> None:
    async def look(role: Role) -> str:
        dossier = await open_dossier(archive.store, archive.project, as_of=None, until=None)
        return _show_account(replace(dossier, file=show_to(dossier.file, Actor(f"{role}#1"))), "0c9a7b5d3e1f2a4c6e8d")

    assert asyncio.run(look(Role.CAB_FIN)).startswith("0c9a")
    assert "不予" in asyncio.run(look(Role.SUPV))


def test_what_is_withheld_is_not_in_the_event_at_all() -> None:
    """A door that forgets to ask finds nothing: neither the value nor a default in its place."""
    for aggregate in AGGREGATES.values():
        for event in aggregate.events:
            marked = list_restricted(event)
            bare = withhold(event.model_construct(None), marked)
            assert not marked.keys() & bare.__dict__.keys(), event
            for name in marked:
                assert not hasattr(bare, name)
    kinds = {kind for a in AGGREGATES.values() for e in a.events for kind in list_restricted(e).values()}
    assert kinds == set(Restriction), "every kind is somewhere"
