"""What an append promises, of either store."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from domain.kernel.clock import Clock
from store.bounds import AppendInvalid
from store.memory import MemoryStore
from store.port import Append, AppendStatus, EntryKind, Standing
from tests.store.appends import DAY, NOON, appended, event, group, one, project, refusal, whole, write

if TYPE_CHECKING:
    from collections.abc import Callable

    from domain.kernel.identifier import StreamId
    from store.port import EventStore

A, B = project("AP-1"), project("AP-2")


async def test_what_is_dated_ahead_of_the_stores_own_clock_is_not_recorded_and_harms_no_neighbour(
    store: EventStore,
) -> None:
    tomorrow = datetime.now(UTC) + DAY
    hasty, honest = group(write(A, 0, event(), at=tomorrow)), one(B)
    early, prompt = await asyncio.gather(store.append(hasty), store.append(honest))
    assert (early.status, early.what) == (AppendStatus.AHEAD, A)
    assert prompt.status is AppendStatus.APPENDED
    assert await store.last_position() == 2
    assert [e async for e in store.read(A, commands=True)] == []
    soon = group(write(A, 0, event(), at=datetime.now(UTC) + timedelta(seconds=2)))
    assert (await store.append(soon)).status is AppendStatus.APPENDED, "clocks are never quite alike"


async def test_one_hasty_write_keeps_its_whole_group_out(store: EventStore) -> None:
    both = group(write(A, 0, event()), write(B, 0, event(), at=datetime.now(UTC) + DAY))
    assert (await store.append(both)).status is AppendStatus.AHEAD
    assert await store.last_position() == 0


async def test_a_log_tells_with_every_outcome_which_log_it_is(store: EventStore) -> None:
    append = one(A)
    command_id = append.writes[0].command_id
    nothing = await store.outcomes([command_id])
    assert (nothing.genesis, dict(nothing.commands)) == (None, {})
    await appended(store, append)
    await appended(store, one(B))
    outcomes = await store.outcomes([uuid4(), command_id])
    (first,) = await store.feed(0, 1)
    assert outcomes.genesis == first.chain
    assert set(outcomes.commands) == {command_id}
    assert outcomes.commands[command_id] == await store.journalled(command_id)


async def test_recorded_time_never_goes_back_though_a_clock_does() -> None:
    instants = iter([NOON, NOON - DAY, NOON + DAY])
    store = MemoryStore(lambda: next(instants), tolerance=2 * DAY)
    answers = [await appended(store, one(A, version)) for version in range(3)]
    assert [a.recorded_at for a in answers] == [NOON, NOON, NOON + DAY]


async def test_as_far_ahead_as_is_borne_is_recorded_and_not_a_moment_more() -> None:
    store = MemoryStore(lambda: NOON)
    limit = NOON + timedelta(seconds=5)
    assert (
        await store.append(group(write(A, 0, event(), at=limit + timedelta.resolution)))
    ).status is AppendStatus.AHEAD
    assert (await store.append(group(write(A, 0, event(), at=limit)))).status is AppendStatus.APPENDED


async def test_a_command_and_its_events_are_entries_of_one_dense_log(store: EventStore) -> None:
    first = await appended(store, one(A, 0, event(type="Drafted"), event(type="Applied")))
    second = await appended(store, one(B, 0, event(type="Drafted")))
    assert (first.first_position, first.last_position) == (1, 3)
    assert (second.first_position, second.last_position) == (4, 5)
    entries = await whole(store)
    assert [(e.stream, e.kind, e.version, e.type) for e in entries] == [
        (A, EntryKind.COMMAND, 0, "Do"),
        (A, EntryKind.EVENT, 1, "Drafted"),
        (A, EntryKind.EVENT, 2, "Applied"),
        (B, EntryKind.COMMAND, 0, "Do"),
        (B, EntryKind.EVENT, 1, "Drafted"),
    ]
    assert {e.recorded_at for e in entries[:3]} == {first.recorded_at}


async def test_what_was_given_is_kept_to_the_byte(store: EventStore) -> None:
    original = write(A, 0, event(data={"name": "民生𠮷😀\\u0000 \u2028", "n": 2**53 - 1}))
    await appended(store, group(original))
    command, kept = await store.feed(0)
    assert (command.meta, command.data, command.occurred_at) == (original.meta, original.data, NOON)
    assert (kept.meta, kept.data) == (original.events[0].meta, original.events[0].data)
    assert (kept.command_id, kept.occurred_at) == (original.command_id, NOON)


async def test_a_refused_command_is_journalled_and_leaves_the_version(store: EventStore) -> None:
    await appended(store, one(A))
    await appended(store, refusal(A, 1))
    await appended(store, one(A, 1))
    assert [(e.kind, e.version) for e in await whole(store)] == [
        ("command", 0), ("event", 1), ("command", 1), ("command", 1), ("event", 2),
    ]  # fmt: skip


async def test_an_append_at_another_version_is_a_conflict_and_leaves_no_trace(store: EventStore) -> None:
    await appended(store, one(A))
    for expected in (0, 2):
        answer = await store.append(one(A, expected))
        assert (answer.status, answer.what, answer.recorded_at) == (AppendStatus.CONFLICT, A, None)
    assert (await store.append(refusal(A, 0))).status is AppendStatus.CONFLICT
    assert await store.last_position() == 2
    assert [s.version async for s in store.standings()] == [1]


async def test_a_journalled_command_is_a_duplicate_before_its_version_is_looked_at(store: EventStore) -> None:
    command_id = uuid4()
    await appended(store, one(A, command_id=command_id))
    for expected in (0, 1, 7):
        answer = await store.append(one(A, expected, command_id=command_id))
        assert (answer.status, answer.what) == (AppendStatus.DUPLICATE, A)
    elsewhere = await store.append(one(B, command_id=command_id))
    assert (elsewhere.status, elsewhere.what) == (AppendStatus.DUPLICATE, A)
    assert await store.last_position() == 2


async def test_a_refused_command_is_a_duplicate_too(store: EventStore) -> None:
    refused = refusal(A)
    await appended(store, refused)
    assert (await store.append(refused)).status is AppendStatus.DUPLICATE


async def test_one_known_command_makes_its_whole_group_a_duplicate(store: EventStore) -> None:
    command_id = uuid4()
    await appended(store, one(A, command_id=command_id))
    both = group(write(B, 0, event()), write(A, 1, event(), command_id=command_id))
    assert (await store.append(both)).status is AppendStatus.DUPLICATE
    assert await store.last_position() == 2


async def test_a_group_over_two_streams_is_recorded_whole(store: EventStore) -> None:
    await appended(store, group(write(A, 0, event(), event()), write(B, 0, event())))
    assert [(e.stream, e.version) for e in await whole(store)] == [(A, 0), (A, 1), (A, 2), (B, 0), (B, 1)]


async def test_a_group_over_two_streams_is_recorded_not_at_all(store: EventStore) -> None:
    await appended(store, one(B))
    answer = await store.append(group(write(A, 0, event()), write(B, 0, event())))
    assert (answer.status, answer.what) == (AppendStatus.CONFLICT, B)
    assert [e.stream for e in await store.feed(0)] == [B, B]
    assert await store.streams_named("AP-1") == []


async def test_writes_of_one_group_may_follow_one_another_on_one_stream(store: EventStore) -> None:
    steps = group(write(A, 0, event()), write(A, 1), write(A, 1, event(), event()))
    await appended(store, steps)
    assert [(e.kind, e.version) for e in await whole(store)] == [
        ("command", 0), ("event", 1), ("command", 1), ("command", 1), ("event", 2), ("event", 3),
    ]  # fmt: skip
    assert (await store.append(group(write(A, 0, event()), write(A, 1, event())))).status is AppendStatus.CONFLICT


async def test_a_stream_that_was_read_must_still_stand_there(store: EventStore) -> None:
    await appended(store, one(B))
    moved = await store.append(group(write(A, 0, event()), reads={B: 0}))
    assert (moved.status, moved.what) == (AppendStatus.CONFLICT, B)
    await appended(store, group(write(A, 0, event()), reads={B: 1, project("AP-9"): 0}))
    assert await store.streams_named("AP-9") == []


async def test_appends_that_arrive_together_are_judged_in_order_of_arrival(store: EventStore) -> None:
    reading_before = group(write(project("AP-3"), 0, event()), reads={A: 0})
    reading_after = group(write(project("AP-4"), 0, event()), reads={A: 0})
    same = one(B)
    answers = await asyncio.gather(
        *map(store.append, (reading_before, one(A), reading_after, one(A), one(A, 1), same, same)),
    )
    assert [a.status for a in answers] == [
        AppendStatus.APPENDED, AppendStatus.APPENDED, AppendStatus.CONFLICT, AppendStatus.CONFLICT,
        AppendStatus.APPENDED, AppendStatus.APPENDED, AppendStatus.DUPLICATE,
    ]  # fmt: skip
    assert answers[-1].what == B
    await whole(store)


async def test_a_refused_group_leaves_its_streams_where_they_stood_for_those_behind_it(store: EventStore) -> None:
    refused = group(write(A, 0, event(), event()), write(B, 9, event()))
    answers = await asyncio.gather(*map(store.append, (refused, one(A, 0), one(A, 2))))
    assert [a.status for a in answers] == [AppendStatus.CONFLICT, AppendStatus.APPENDED, AppendStatus.CONFLICT]


async def test_the_same_command_twice_together_is_recorded_once_even_on_two_streams(store: EventStore) -> None:
    command_id = uuid4()
    answers = await asyncio.gather(
        store.append(one(B, 5, command_id=command_id)),
        store.append(one(A, command_id=command_id)),
        store.append(one(B, command_id=command_id)),
    )
    assert [(a.status, a.what) for a in answers] == [
        (AppendStatus.CONFLICT, B), (AppendStatus.APPENDED, ""), (AppendStatus.DUPLICATE, A),
    ]  # fmt: skip


async def test_many_more_appends_than_fit_into_one_call_are_all_recorded(store: EventStore) -> None:
    answers = await asyncio.gather(*(store.append(one(project(f"AP-{n}"))) for n in range(700)))
    assert {a.status for a in answers} == {AppendStatus.APPENDED}
    assert sorted(a.first_position for a in answers) == list(range(1, 1400, 2))
    await whole(store)


async def test_a_group_of_a_thousand_events_and_a_megabyte_is_recorded(store: EventStore) -> None:
    big = group(write(A, 0, *(event(data={"n": n}) for n in range(1000)), event(data={"text": "字" * 350_000})))
    assert (await appended(store, big)).last_position == 1002
    assert len((await whole(store))[-1].data) > 2**20


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: Append((), ()), "one or more commands"),
        (lambda: Append((write(A, 0, event()),), ()), "standing for each"),
        (lambda: Append((write(A, 0, event()),), group(write(A, 0)).standings), "standing for each"),
        (lambda: group(write(A, 0, event()), write(A, 3)), "does not follow on"),
        (lambda: group(write(A, 0, event()), reads={A: 0}), "read and written"),
        (lambda: group(write(A, command_id=(i := uuid4())), write(B, command_id=i)), "an id of its own"),
        (lambda: group(write(A, at=NOON.replace(tzinfo=None))), "no time zone"),
        (lambda: group(write(A, 0, event(type="Do\nne"))), "line end"),
    ],
)
def test_an_append_that_could_never_be_recorded_cannot_be_made(wrong: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        wrong()


# ------------------------------------------------------------------------------- names without events


def rejection(stream: StreamId, expected: int = 0) -> Append:
    """A refused command, of which the agenda is to hear nothing."""
    return replace(refusal(stream, expected), standings=())


async def test_a_refusal_on_an_unused_name_leaves_its_entry_and_no_row_in_the_agenda(store: EventStore) -> None:
    await appended(store, rejection(A))
    assert [entry.kind async for entry in store.read(A, commands=True)] == [EntryKind.COMMAND]
    assert await store.standing(A) is None
    assert await store.streams_named(A.name) == []
    assert not await store.refresh_standing(Standing(A, 0, "NONE", NOON, Clock.WALL, b"{}"))
    assert [standing async for standing in store.standings()] == []
    assert [(head.stream, head.version) async for head in store.heads()] == [(A, 0)]


async def test_the_first_event_after_refusals_brings_the_row(store: EventStore) -> None:
    await appended(store, rejection(A))
    await appended(store, rejection(A))
    await appended(store, one(A))
    assert [(s.stream, s.version) async for s in store.standings()] == [(A, 1)]
    await appended(store, one(A, 1))
    assert [(s.stream, s.version) async for s in store.standings()] == [(A, 2)]
    await whole(store)


async def test_a_refusal_and_the_first_event_that_travel_together_leave_the_row_of_the_event(store: EventStore) -> None:
    await asyncio.gather(*(store.append(append) for append in (rejection(A), one(A), rejection(B), rejection(B))))
    assert [(s.stream, s.version) async for s in store.standings()] == [(A, 1)]
    await whole(store)


async def test_a_row_that_an_older_release_made_without_events_is_taken_over(store: EventStore) -> None:
    await appended(store, refusal(A))
    await appended(store, one(A))
    assert [(s.stream, s.version) async for s in store.standings()] == [(A, 1)]


async def test_a_stream_with_events_is_never_written_without_its_row(store: EventStore) -> None:
    await appended(store, one(A))
    with pytest.raises(AppendInvalid, match="standing for each"):
        rejection(A, 1)
