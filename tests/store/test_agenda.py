"""How streams stand, what falls due next, and the manual clock, of either store."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from domain.kernel.clock import Clock
from domain.kernel.identifier import StreamId
from store import postgres
from store.port import AppendStatus, RealmStanding, Standing
from tests.store.appends import DAY, NOON, appended, event, group, one, project, refusal, write

if TYPE_CHECKING:
    from datetime import datetime

    import pytest

    from store.port import Append, EventStore

A, B = project("AP-1"), project("AP-2")


def due(stream: StreamId, at: datetime | None, *, clock: Clock = Clock.WALL, notified: bool = True) -> Append:
    return group(write(stream, 0, event()), due=at, clock=clock, notified=notified)


async def test_an_append_writes_how_its_stream_then_stands(store: EventStore) -> None:
    standing = group(write(A, 0, event(), event()), stage="APPLIED", due=NOON + DAY)
    await appended(store, standing)
    assert [row async for row in store.standings()] == [
        Standing(A, 2, "APPLIED", NOON + DAY, Clock.WALL, b'{"v":2}', notified=True),
    ]  # fmt: skip


async def test_of_several_appends_that_travel_together_the_last_standing_holds(store: EventStore) -> None:
    steps = [group(write(A, n, event()), stage=f"S{n}") for n in range(3)]
    await asyncio.gather(*map(store.append, [*steps, group(write(A, 0, event()), stage="LATE")]))
    assert [(s.version, s.stage) async for s in store.standings()] == [(3, "S2")]


async def test_the_agenda_is_listed_by_stream_and_narrowed_by_kind_realm_and_stage(store: EventStore) -> None:
    streams = [StreamId(s) for s in ("need/live/N1", "project/live/AP-1", "project/live/AP-2", "project/play/AP-1")]
    for stream in reversed(streams):
        await appended(store, group(write(stream, 0, event()), stage="OPEN" if stream.name == "AP-1" else "SHUT"))
    assert [s.stream async for s in store.standings()] == streams
    assert [s.stream async for s in store.standings(kind="project")] == streams[1:]
    assert [s.stream async for s in store.standings(kind="project", realm="live")] == streams[1:3]
    assert [s.stream async for s in store.standings(stage="OPEN")] == [streams[1], streams[3]]
    assert [row async for row in store.standings(kind="panel")] == []


async def test_what_falls_due_first_is_ordered_by_instant_then_kind_then_stream(store: EventStore) -> None:
    kinds = ["project", "panel", "need", "round", "organisation", "fund", "scheme", "base", "approval"]
    at = {StreamId.of(kind, "play", "X"): NOON + DAY for kind in kinds}
    at[project("AP-2", "play")] = NOON + DAY
    at[project("AP-9", "play")] = NOON
    at[project("AP-1", "other")] = NOON - DAY
    for stream, instant in at.items():
        await appended(store, due(stream, instant, clock=Clock.MANUAL))
    fallen = []
    while (standing := await store.find_next_due("play", NOON + DAY)) is not None:
        fallen.append(standing.stream)
        assert await store.refresh_standing(replace(standing, due_at=None))
    assert fallen == [
        "project/play/AP-9", "scheme/play/X", "fund/play/X", "organisation/play/X", "round/play/X", "need/play/X",
        "panel/play/X", "project/play/AP-2", "project/play/X", "approval/play/X", "base/play/X",
    ]  # fmt: skip


async def test_nothing_falls_due_before_its_instant(store: EventStore) -> None:
    await appended(store, due(A, NOON))
    await appended(store, due(B, None))
    assert await store.find_next_due("live", NOON - DAY) is None
    at_the_instant = await store.find_next_due("live", NOON)
    assert at_the_instant is not None
    assert at_the_instant.stream == A


async def test_overdue_are_those_of_that_clock_before_that_instant_earliest_first(store: EventStore) -> None:
    late = [project(f"AP-{n}") for n in range(4)]
    for n, stream in enumerate(late):
        await appended(store, due(stream, NOON - n * DAY))
    await appended(store, due(project("M", "play"), NOON - DAY, clock=Clock.MANUAL))
    assert [s.stream for s in await store.list_overdue(Clock.WALL, NOON)] == late[:0:-1]
    assert [s.stream for s in await store.list_overdue(Clock.WALL, NOON, limit=2)] == [late[3], late[2]]
    assert [s.stream.name for s in await store.list_overdue(Clock.MANUAL, NOON)] == ["M"]


async def test_a_stream_appended_to_from_outside_is_unnotified_until_it_is_notified(store: EventStore) -> None:
    await appended(store, due(B, None, notified=False))
    await appended(store, due(A, None, notified=False))
    await appended(store, one(project("AP-3")))
    assert [s.stream for s in await store.list_unnotified()] == [A, B]
    assert [s.stream for s in await store.list_unnotified(limit=1)] == [A]
    (standing, _) = await store.list_unnotified()
    await store.refresh_standing(replace(standing, notified=True))
    assert [s.stream for s in await store.list_unnotified()] == [B]
    await appended(store, one(B, 1))
    assert await store.list_unnotified() == []


async def test_a_standing_is_written_anew_only_at_the_version_it_was_made_for(store: EventStore) -> None:
    await appended(store, one(A))
    (standing,) = [row async for row in store.standings()]
    moved = replace(standing, due_at=NOON, stage="MOVED", summary=b'{"new":1}')
    assert await store.refresh_standing(moved)
    assert [row async for row in store.standings()] == [moved]
    await appended(store, one(A, 1))
    assert not await store.refresh_standing(moved)
    assert not await store.refresh_standing(replace(moved, stream=B))
    assert [(s.stage, s.version) async for s in store.standings()] == [("DRAFTED", 2)]


async def test_a_realm_keeps_the_clock_it_was_made_with(store: EventStore) -> None:
    assert await store.set_clock("play", Clock.MANUAL) is Clock.MANUAL
    assert await store.set_clock("play", Clock.WALL) is Clock.MANUAL
    assert await store.manual_realms() == ["play"], "with nothing recorded in it"
    assert (await store.realm("play")).clock is Clock.MANUAL
    assert (await store.realm("unset")).clock is Clock.WALL


async def test_a_manual_clock_moves_with_what_is_written_and_never_back(store: EventStore) -> None:
    await store.set_clock("play", Clock.MANUAL)
    first, second = project("AP-1", "play"), project("AP-2", "play")
    await appended(store, group(write(first, 0, event(), at=NOON)))
    answer = await store.append(group(write(second, 0, event(), at=NOON - DAY)))
    assert (answer.status, answer.what) == (AppendStatus.BEHIND, second)
    await appended(store, group(write(second, 0, event(), at=NOON)))
    assert (await store.realm("play")).now == NOON
    await appended(store, group(write(second, 1, at=NOON + DAY)))
    assert (await store.realm("play")).now == NOON + DAY
    assert (await store.append(group(write(first, 1, event(), at=NOON)))).status is AppendStatus.BEHIND


async def test_within_a_group_the_latest_write_sets_the_manual_clock(store: EventStore) -> None:
    await store.set_clock("play", Clock.MANUAL)
    first, second = project("AP-1", "play"), project("AP-2", "play")
    await appended(store, group(write(first, 0, event(), at=NOON + DAY), write(second, 0, event(), at=NOON)))
    assert (await store.realm("play")).now == NOON + DAY


async def test_the_clocks_of_appends_that_travel_together_follow_one_another(store: EventStore) -> None:
    await store.set_clock("play", Clock.MANUAL)
    streams = [project(f"AP-{n}", "play") for n in range(3)]
    at = [NOON, NOON + DAY, NOON]
    answers = await asyncio.gather(
        *(store.append(group(write(s, 0, event(), at=t))) for s, t in zip(streams, at, strict=True)),
    )
    assert [a.status for a in answers] == [AppendStatus.APPENDED, AppendStatus.APPENDED, AppendStatus.BEHIND]


async def test_a_wall_clock_is_never_ahead_of_a_write(store: EventStore) -> None:
    await store.set_clock("live", Clock.WALL)
    await appended(store, group(write(A, 0, event(), at=NOON)))
    await appended(store, group(write(B, 0, event(), at=NOON - DAY)))
    assert (await store.realm("live")).now is None


async def test_a_refusal_moves_the_manual_clock_too(store: EventStore) -> None:
    await store.set_clock("play", Clock.MANUAL)
    await appended(store, refusal(project("AP-1", "play")))
    assert (await store.realm("play")).now == NOON


# ---------------------------------------------------------------- going live


CLOCK = StreamId.of("realm", "play", "clock")


def turn(at: datetime) -> Append:
    """The record of the realm's turn, as of that moment."""
    return group(write(CLOCK, 0, event(), at=at), clock=Clock.MANUAL)


async def test_a_realm_goes_live_with_its_record_and_its_whole_agenda(store: EventStore) -> None:
    await store.set_clock("play", Clock.MANUAL)
    waiting, quiet, elsewhere = project("AP-1", "play"), project("AP-2", "play"), project("AP-1", "other")
    for stream, at in ((waiting, NOON + DAY), (quiet, None), (elsewhere, NOON + DAY)):
        await appended(store, due(stream, at, clock=Clock.MANUAL))
    answer = await store.go_live(turn(NOON))
    assert (answer.status, answer.first_position, answer.last_position) == (AppendStatus.APPENDED, 7, 8)
    assert [(s.stream, s.clock, s.notified) async for s in store.standings()] == [
        (elsewhere, Clock.MANUAL, True),
        (waiting, Clock.WALL, False),
        (quiet, Clock.WALL, True),
        (CLOCK, Clock.WALL, True),
    ]
    assert await store.realm("play") == RealmStanding(Clock.WALL)
    assert await store.set_clock("play", Clock.MANUAL) is Clock.WALL
    await appended(store, group(write(quiet, 1, event(), at=NOON - DAY)))


async def test_no_realm_goes_live_while_a_deadline_lies_in_its_past(store: EventStore) -> None:
    await store.set_clock("play", Clock.MANUAL)
    late = project("AP-1", "play")
    await appended(store, due(late, NOON, clock=Clock.MANUAL))
    answer = await store.go_live(turn(NOON))
    assert (answer.status, answer.what) == (AppendStatus.CONFLICT, late)
    assert (await store.realm("play")).clock is Clock.MANUAL
    assert [entry async for entry in store.read(CLOCK)] == []


async def test_a_turn_that_is_not_recorded_turns_nothing(store: EventStore) -> None:
    await store.set_clock("play", Clock.MANUAL)
    await appended(store, turn(NOON - DAY))
    answer = await store.go_live(turn(NOON))
    assert (answer.status, answer.what) == (AppendStatus.CONFLICT, CLOCK)
    assert (await store.realm("play")).clock is Clock.MANUAL


async def test_what_was_decided_on_the_manual_clock_no_longer_stands_after_the_turn(store: EventStore) -> None:
    await store.set_clock("play", Clock.MANUAL)
    stream = project("AP-1", "play")
    await appended(store, due(stream, None, clock=Clock.MANUAL))
    before = await store.realm("play")
    (standing,) = [row async for row in store.standings()]
    await store.go_live(turn(NOON))
    dated = group(write(stream, 1, event()), clock=Clock.MANUAL, reads={CLOCK: before.version})
    answer = await store.append(dated)
    assert (answer.status, answer.what) == (AppendStatus.CONFLICT, CLOCK)
    assert not await store.refresh_standing(replace(standing, stage="MOVED"))
    assert [s.clock async for s in store.standings(kind="project")] == [Clock.WALL]


async def test_the_version_of_a_realm_is_told_while_its_clock_is_manual(store: EventStore) -> None:
    await store.set_clock("play", Clock.MANUAL)
    assert (await store.realm("play")).version == 0
    await appended(store, turn(NOON))
    assert (await store.realm("play")).version == 1
    assert (await store.realm("unset")).version == 0


async def test_the_earliest_deadline_of_a_realm_is_told_and_to_a_stream_that_of_the_others(store: EventStore) -> None:
    await store.set_clock("play", Clock.MANUAL)
    first, second = project("AP-1", "play"), project("AP-2", "play")
    assert (await store.realm("play")).earliest is None
    await appended(store, due(first, NOON, clock=Clock.MANUAL))
    await appended(store, due(second, NOON + DAY, clock=Clock.MANUAL))
    await appended(store, due(project("AP-3"), NOON - DAY))
    assert (await store.realm("play")).earliest == NOON
    consulted = [(await store.consult(stream, None, {}))[0].realm.earliest for stream in (first, second)]
    assert consulted == [NOON + DAY, NOON]


async def test_one_streams_standing_is_told_and_none_of_a_stream_never_written(store: EventStore) -> None:
    await appended(store, due(A, NOON))
    (standing,) = [row async for row in store.standings()]
    assert await store.standing(A) == standing
    assert await store.standing(B) is None


async def test_more_standings_than_a_page_holds_come_whole_and_in_order(
    store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "PAGE", 2)
    streams = [project(f"AP-{n}") for n in range(1, 6)]
    for stream in reversed(streams):
        await appended(store, due(stream, None))
    assert [row.stream async for row in store.standings()] == streams


async def test_the_streams_of_a_kind_and_of_a_realm_are_found_among_those_of_others(store: EventStore) -> None:
    names = ("need/b/N", "need/live-2/N", "need/live/N", "project/live/N", "project/livf/N", "round/live/N")
    streams = [StreamId(name) for name in names]
    for stream in streams:
        await appended(store, one(stream, 0, event()))
    assert [s.stream async for s in store.standings(realm="live")] == [streams[2], streams[3], streams[5]]
    assert [s.stream async for s in store.standings(kind="need")] == streams[:3]
    assert [s.stream async for s in store.standings(kind="nee")] == []
    assert [s.stream async for s in store.standings(realm="liv")] == []
    assert [s.stream async for s in store.standings(realm="\0")] == []
    assert [s.stream for s in await store.standings_of([streams[5], streams[0], StreamId("need/live/X")])] in (
        [streams[0], streams[5]],
        [streams[5], streams[0]],
    )


async def test_streams_that_moved_are_told_by_kind_and_position(store: EventStore) -> None:
    need, round_ = StreamId("need/live/N"), StreamId("round/live/N")
    await appended(store, one(need, 0, event()))
    await appended(store, one(round_, 0, event()))
    await appended(store, refusal(need, 1))
    last = await store.last_position()
    assert await store.list_moved(0, last, ("need", "round")) == [need, round_]
    assert await store.list_moved(2, last, ("need", "round")) == [round_]
    assert await store.list_moved(0, 2, ("need", "round")) == [need]
    assert await store.list_moved(0, last, ("panel",)) == []


async def test_rows_that_wait_and_were_reckoned_by_an_earlier_calendar_are_outdated(store: EventStore) -> None:
    waiting = '{"awaiting":[{"roles":[],"command":"","subject":"","zh":"","en":""}],"calendar":%d}'
    summaries = {"N-1": waiting % 1, "N-2": waiting % 2, "N-3": '{"awaiting":[]}', "N-4": "{}", "N-5": waiting % 0}
    for name, summary in summaries.items():
        stream = StreamId(f"need/live/{name}")
        due = NOON if name == "N-4" else None
        standing = Standing(stream, 1, "OPEN", due, Clock.WALL, summary.encode())
        await appended(store, replace(one(stream, 0, event()), standings=(standing,)))
    assert [s.stream.name async for s in store.iterate_outdated("live", 2)] == ["N-1", "N-4", "N-5"]
    assert [s async for s in store.iterate_outdated("other", 2)] == []
