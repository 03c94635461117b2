"""What was read of a stream before is gone on from, and never mistaken for another's."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from application import course as room
from application.course import StreamCourse, read_course
from application.queries import load_file
from deciding.fold import read_occurrence
from domain.kernel.identifier import StreamId
from domain.kernel.state import State
from store.memory import MemoryStore
from tests.paper import told_story

if TYPE_CHECKING:
    from domain.kernel.message import Occurrence
    from store.port import Entry


@pytest.fixture(scope="module")
async def store() -> MemoryStore:
    return await told_story()


@pytest.fixture(scope="module")
async def entries(store: MemoryStore) -> list[Entry]:
    (bid,) = await store.streams_named("AP-5")
    return [entry async for entry in store.read(bid)]


@pytest.fixture(autouse=True)
def _nothing_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_AT_HAND", room._AtHand())


def test_what_came_after_is_added_to_what_was_read_before(
    entries: list[Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, decoded = entries[0].stream, list[int]()
    whole = StreamCourse(State(stream)).follow(entries)

    def decode(entry: Entry) -> Occurrence:
        decoded.append(entry.version)
        return read_occurrence(entry)

    monkeypatch.setattr(room, "read_occurrence", decode)
    assert read_course(stream, entries[:4]).state.version == 4
    assert read_course(stream, entries) == whole
    assert read_course(stream, entries) == whole
    assert decoded == [entry.version for entry in entries], "each once"


def test_of_an_earlier_day_only_what_was_so_by_then_counts(entries: list[Entry]) -> None:
    stream = entries[0].stream
    whole = read_course(stream, entries)
    assert read_course(stream, entries[:3]) == StreamCourse(State(stream)).follow(entries[:3])
    assert read_course(stream, entries) == whole


def test_other_events_of_that_name_are_not_these(entries: list[Entry]) -> None:
    stream = entries[0].stream
    read_course(stream, entries)
    others = [replace(entry, chain=bytes(32), occurred_at=entry.occurred_at + timedelta(days=1)) for entry in entries]
    assert read_course(stream, others).chapters[0].at == others[0].occurred_at
    moved = [replace(entry, position=entry.position + 7) for entry in entries]
    assert read_course(stream, moved).chapters[-1].position == moved[-1].position


def test_as_many_others_that_end_alike_are_not_these(entries: list[Entry]) -> None:
    """Two readers, of whom each is shown what the other is not: none gets what was read for the other."""
    stream = entries[0].stream
    for shown in ([0, 1, 3], [0, 2, 3]):
        some = [entries[index] for index in shown]
        assert [one.position for one in read_course(stream, some).chapters] == [entry.position for entry in some]


def test_those_that_nobody_has_asked_for_longest_are_let_go(
    entries: list[Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MOST_EVENTS", 10)
    names = [StreamId.of("project", "live", f"AP-{number}") for number in range(8)]
    for name in names:
        read_course(name, [replace(entry, stream=name) for entry in entries[:3]])
    kept = [name for name in names if room._AT_HAND.find(name)]
    assert kept == names[-3:]


async def test_a_stage_and_each_figure_of_a_file_are_where_its_last_turn_left_them(store: MemoryStore) -> None:
    (bid,) = await store.streams_named("AP-5")
    file = await load_file(store, bid)
    assert file.turns[-1].stage == file.state.stage
    assert file.turns[-1].figures == room.sum_money(file.state)
    assert len(file.turns) < len([one for one in file.story if one.stream == bid])
