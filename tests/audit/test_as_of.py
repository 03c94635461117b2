"""A stream on any day: what was so by then, and what was known by then."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from audit.as_of import as_of, calendar_as_of, instant_of, position_by
from store.memory import MemoryStore
from tests.audit.conftest import BEGAN

if TYPE_CHECKING:
    from domain.kernel.identifier import StreamId


@pytest.fixture
def store(told_by_the_hour: MemoryStore) -> MemoryStore:
    """The story. Here it is only read."""
    return told_by_the_hour


async def stream(store: MemoryStore, name: str) -> StreamId:
    (stream_id,) = await store.streams_named(name)
    return stream_id


@pytest.mark.parametrize(
    ("day", "stage", "version"),
    [
        (date(2023, 4, 18), "NONE", 0),
        (date(2023, 4, 19), "APPLIED", 1),
        (date(2023, 5, 14), "PROPOSED", 3),
        (date(2023, 5, 15), "IN_PUBLICITY", 4),
        (datetime.fromisoformat("2023-05-15T08:59:59+08:00"), "PROPOSED", 3),
        (datetime.fromisoformat("2023-05-15T09:00:00+08:00"), "IN_PUBLICITY", 4),
        (date(2023, 5, 22), "AWARDED", 5),
    ],
)
async def test_a_project_stands_on_a_day_as_its_events_until_then_say(
    store: MemoryStore, day: date, stage: str, version: int
) -> None:
    was = await as_of(store, await stream(store, "AP-5"), day)
    assert (was.state.stage, was.state.version, len(was.entries)) == (stage, version, version)
    assert was.later + version == len(store._events[was.state.stream])


async def test_what_falls_due_with_the_day_belongs_to_it(store: MemoryStore) -> None:
    round_ = await stream(store, "R-FZ-2023")
    closed = next(e for e in store._events[round_] if e.type == "NeedSolicitationClosed")
    assert closed.occurred_at == instant_of(date(2023, 3, 20))
    assert (await as_of(store, round_, date(2023, 3, 20))).entries[-1] == closed


async def test_what_was_recorded_later_was_not_known(store: MemoryStore) -> None:
    project = await stream(store, "AP-5")
    opened = next(e for e in store._events[project] if e.type == "AwardPublicityOpened")
    long_after = date(2030, 1, 1)
    assert (await as_of(store, project, long_after, opened.recorded_at)).state.stage == "IN_PUBLICITY"
    just_before = opened.recorded_at - timedelta(microseconds=1)
    assert (await as_of(store, project, long_after, just_before)).state.stage == "PROPOSED"
    assert (await as_of(store, project, date(2023, 4, 19), opened.recorded_at)).state.stage == "APPLIED"


async def test_the_position_by_an_instant_is_found(store: MemoryStore) -> None:
    for entry in store._entries:
        same = [e for e in store._entries if e.recorded_at == entry.recorded_at]
        assert await position_by(store, entry.recorded_at) == same[-1].position
    assert await position_by(store, BEGAN - timedelta(1)) == 0
    assert await position_by(MemoryStore(), BEGAN) == 0


async def test_the_working_days_are_those_published_by_then(store: MemoryStore) -> None:
    project = await stream(store, "AP-5")
    assert (await calendar_as_of(store, project, date(2023, 1, 1))).is_provisional(date(2023, 5, 1))
    assert not (await calendar_as_of(store, project, date(2023, 5, 1))).is_working(date(2023, 5, 1))


def test_an_instant_needs_its_offset() -> None:
    with pytest.raises(ValueError, match="offset"):
        instant_of(datetime(2023, 5, 15, 9))  # noqa: DTZ001 - that it has none is the point
