"""Reading: by stream, by command, by position, by name; and the followers' cursors. Of either store."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from domain.kernel.acting import PersonId
from domain.kernel.canonical import canonical
from domain.kernel.effects import Claim, Post, Release
from domain.kernel.identifier import Actor, StreamId
from store.memory import MemoryStore
from store.port import CommandQuery, EntryKind, RealmStanding, StoreUnavailable
from tests.store.appends import NOON, appended, event, group, one, project, refusal, whole, write

if TYPE_CHECKING:
    from store.port import EventStore

A, B = project("AP-1"), project("AP-2")
HOUR = timedelta(hours=1)


async def test_a_command_is_found_on_whichever_stream_it_was_journalled(store: EventStore) -> None:
    command_id = uuid4()
    await appended(store, one(A, 0, event(), command_id=command_id))
    entry = await store.journalled(command_id)
    assert entry is not None
    assert (entry.command_id, entry.kind, entry.stream) == (command_id, EntryKind.COMMAND, A)
    assert await store.journalled(uuid4()) is None


async def test_one_consultation_brings_the_command_the_later_events_and_the_realm(store: EventStore) -> None:
    command_id = uuid4()
    await appended(store, one(A, 0, event(type="One"), event(type="Two"), command_id=command_id))
    await appended(store, one(A, 2, event(type="Three")))
    loaded, readings = await store.consult(A, command_id, {A: 2, B: 0})
    assert loaded.journalled == await store.journalled(command_id)
    assert [e.type for e in loaded.events] == ["Two", "Three"], "from the version known, that version included"
    assert loaded.realm == RealmStanding()
    assert readings.streams == {B: []}


async def test_a_consultation_finds_a_command_wherever_it_was_journalled(store: EventStore) -> None:
    command_id = uuid4()
    await appended(store, one(A, command_id=command_id))
    loaded, _ = await store.consult(B, command_id, {})
    assert loaded.journalled is not None
    assert (loaded.journalled.stream, list(loaded.events)) == (A, [])


async def test_a_consultation_about_nothing_is_empty(store: EventStore) -> None:
    for command_id in (uuid4(), None):
        loaded, _ = await store.consult(A, command_id, {})
        assert (loaded.journalled, list(loaded.events)) == (None, [])


async def test_read_many_answers_for_everything_that_was_asked(store: EventStore) -> None:
    await appended(
        store, one(A, 0, event(Claim("key", "x", 2), Claim("key", "y", 2), Post("world/w", "a", 3)), event())
    )
    readings = await store.read_many([A, B], ["key", "free"], ["a", "none"])
    assert {stream: [e.version for e in events] for stream, events in readings.streams.items()} == {A: [1, 2], B: []}
    assert readings.claims == {"key": {"x", "y"}, "free": frozenset()}
    assert readings.balances == {"a": 3, "none": 0}


async def test_a_stream_is_read_after_a_version_with_or_without_its_journal(store: EventStore) -> None:
    await appended(store, one(A, 0, event(), event()))
    await appended(store, one(B))
    await appended(store, refusal(A, 2))
    await appended(store, one(A, 2))
    assert [e.version async for e in store.read(A)] == [1, 2, 3]
    assert [e.version async for e in store.read(A, 2)] == [3]
    assert [e.position async for e in store.read(A, commands=True)] == [1, 2, 3, 6, 7, 8]
    assert [e.position async for e in store.read(A, 1, commands=True)] == [3, 6, 7, 8]
    assert [e.position async for e in store.read(A, 2, commands=True)] == [6, 7, 8]
    assert [e.position async for e in store.read(A, 3, commands=True)] == []
    assert [e.position async for e in store.read(A, 4, commands=True)] == []
    assert [e.position async for e in store.read(project("none"), commands=True)] == []


async def test_a_stream_of_many_pages_is_read_whole_and_in_order(store: EventStore) -> None:
    await appended(store, group(*(write(A, n, event()) for n in range(700)), *(write(A, 700) for _ in range(600))))
    entries = [e async for e in store.read(A, commands=True)]
    assert entries == await whole(store)
    assert [e.version async for e in store.read(A, 1)] == list(range(2, 701))


async def test_the_feed_is_the_log_after_a_position(store: EventStore) -> None:
    await appended(store, one(A, 0, event(), event()))
    await appended(store, one(B))
    assert [e.position for e in await store.feed(0)] == [1, 2, 3, 4, 5]
    assert [e.position for e in await store.feed(2, limit=2)] == [3, 4]
    assert await store.feed(5) == []
    assert await store.last_position() == 5


async def test_a_name_finds_streams_of_every_kind_and_realm_and_holders_of_its_claim(store: EventStore) -> None:
    contracted, played = project("AP-5"), project("PJ-3", "play")
    await appended(store, one(contracted, 0, event(Claim("name/live/PJ-3", contracted))))
    await appended(store, one(played))
    await appended(store, one(StreamId("need/live/PJ-3")))
    await appended(store, refusal(project("GHOST")))
    assert await store.streams_named("PJ-3") == ["need/live/PJ-3", contracted, played]
    assert await store.streams_named("PJ-3", "live") == ["need/live/PJ-3", contracted]
    assert await store.streams_named("AP-5") == [contracted]
    assert await store.streams_named("GHOST") == []
    await appended(store, one(contracted, 1, event(Release("name/live/PJ-3", contracted))))
    assert await store.streams_named("PJ-3", "live") == ["need/live/PJ-3"]


async def test_a_lease_is_one_owners_until_it_ends(store: EventStore) -> None:
    ann, bob = uuid4(), uuid4()
    assert await store.lease("agenda", ann, HOUR) == 1
    assert await store.lease("agenda", bob, HOUR) is None
    assert await store.lease("outbox", bob, HOUR) == 1
    assert await store.lease("agenda", ann, timedelta(0)) == 1
    assert await store.lease("agenda", bob, HOUR) == 2
    assert await store.lease("agenda", ann, HOUR) is None


async def test_at_the_very_instant_of_its_end_a_lease_is_anybodys() -> None:
    store = MemoryStore(lambda: NOON)
    await store.lease("agenda", uuid4(), timedelta(0))
    assert await store.lease("agenda", uuid4(), HOUR) == 2


async def test_a_cursor_moves_only_from_where_it_stands_and_under_its_generation(store: EventStore) -> None:
    ann, bob = uuid4(), uuid4()
    assert await store.cursor("agenda") == 0
    assert not await store.advance("agenda", 1, 0, 5)
    await store.lease("agenda", ann, timedelta(0))
    assert await store.advance("agenda", 1, 0, 5)
    assert not await store.advance("agenda", 1, 0, 6)
    await store.lease("agenda", bob, HOUR)
    assert not await store.advance("agenda", 1, 5, 6)
    assert await store.advance("agenda", 2, 5, 6)
    assert await store.cursor("agenda") == 6
    await store.lease("outbox", ann, HOUR)
    assert await store.cursors() == {"agenda": 6, "outbox": 0}


async def test_of_racing_owners_one_gets_the_lease(store: EventStore) -> None:
    generations = await asyncio.gather(*(store.lease("agenda", uuid4(), HOUR) for _ in range(6)))
    assert sorted(generations, key=bool) == [None] * 5 + [1]


async def test_listeners_hear_of_what_is_there_and_of_what_comes(store: EventStore) -> None:
    await appended(store, one(A))
    heard: list[int] = []
    listens = asyncio.Event()

    async def listen() -> None:
        async for position in store.pokes(idle_s=30):
            heard.append(position)
            listens.set()
            if position >= 6:
                return

    listening = asyncio.create_task(listen())
    await listens.wait()
    await appended(store, one(A, 1))
    await appended(store, one(A, 2))
    async with asyncio.timeout(5):
        await listening
    assert heard[0] == 2
    assert heard[-1] == 6


async def test_listeners_are_woken_when_it_stays_quiet(store: EventStore) -> None:
    await appended(store, one(A))
    heard = []
    async for position in store.pokes(idle_s=0.01):
        heard.append(position)
        if len(heard) == 3:
            break
    assert heard == [2, 2, 2]


async def test_a_closed_store_takes_no_appends_and_lets_its_listeners_go(store: EventStore) -> None:
    listening = asyncio.create_task(_all(store))
    await asyncio.sleep(0.05)
    await store.aclose()
    async with asyncio.timeout(30):
        await listening
    with pytest.raises(StoreUnavailable):
        await store.append(one(A))


async def test_closing_waits_for_no_rest_between_two_calls_of_listeners(
    store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.postgres.POKE_EVERY_S", 3600)
    await appended(store, one(A))
    await asyncio.sleep(0)  # whoever calls listeners has begun
    async with asyncio.timeout(60):
        await store.aclose()


async def _all(store: EventStore) -> None:
    async for _ in store.pokes(idle_s=3600):
        pass


async def test_what_a_seat_did_is_read_newest_first_and_counted_alike(store: EventStore) -> None:
    outcomes: list[tuple[str, str | None, dict[str, object]]] = [
        ("CAB-REG#1", "P-1", {"accepted": ["Asked", "Done"]}),
        ("CAB-REG#1", "P-1", {"refused": []}),
        ("CAB-REG#1", "P-2", {"accepted": ["Done"]}),
        ("CAB-REG#1", None, {"accepted": ["Done"]}),
        ("CAB-REG#2", "P-1", {"accepted": ["Done"]}),
        ("CAB-REG#1", "P-1", {"accepted": ["Done"]}),
    ]
    for number, (seat, person, outcome) in enumerate(outcomes):
        meta = {"actor": seat, "outcome": outcome, **({"person": person} if person else {})}
        realm = "r-2" if number == 5 else "live"
        one = replace(write(project(f"AP-{number}", realm), 0, event()), meta=canonical(meta))
        await store.append(group(one))
    mine = CommandQuery(Actor("CAB-REG#1"), PersonId("P-1"))

    async def find_names(query: CommandQuery) -> list[str]:
        entries = await store.commands_of(query)
        assert await store.count_commands(query) == len(entries)
        return [entry.stream.name for entry in entries]

    assert await find_names(mine) == ["AP-5", "AP-3", "AP-0"]
    assert await find_names(replace(mine, realm="live", is_accepted=None)) == ["AP-3", "AP-1", "AP-0"]
    assert await find_names(replace(mine, person=None)) == ["AP-5", "AP-3", "AP-2", "AP-0"], "whoever sat there"
    assert await find_names(replace(mine, is_accepted=False)) == ["AP-1"]
    assert await find_names(replace(mine, events=("Asked", "Other"))) == ["AP-0"]
    assert await find_names(replace(mine, limit=1)) == ["AP-5"]
    newest = (await store.commands_of(mine))[0].position
    assert await find_names(replace(mine, before=newest)) == ["AP-3", "AP-0"]
