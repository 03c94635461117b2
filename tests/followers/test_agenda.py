"""The follower behind every alarm clock: whom it tells to look, how often, and what then happens."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from domain.kernel.canonical import canonical
from domain.kernel.clock import Clock
from domain.kernel.identifier import Actor, StreamId
from domain.need import EndorseNeed
from followers import agenda, follower
from followers.agenda import AgendaFollower
from followers.follower import EVERY
from store.memory import MemoryStore
from store.port import Append, NewEvent, Standing, StoreUnavailable, Write
from tests.workflows.bureau import Bureau, need_submission, verification
from tests.workflows.waiting import until

if TYPE_CHECKING:
    from tests.conftest import Desk

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Looks:
    """Notes whom it is told to look at; some cannot be reached."""

    def __init__(self, *unreachable: StreamId) -> None:
        self.at: list[StreamId] = []
        self._unreachable = unreachable

    async def __call__(self, stream: StreamId) -> None:
        self.at.append(stream)
        if stream in self._unreachable:
            raise ConnectionError(stream)


class OwnLease:
    """The store, with the lease always granted: the follower of this run's worker holds the real one."""

    def __init__(self, store: object) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def lease(self, _name: str, _owner: object, _lasting: timedelta) -> int:
        return 1


async def _standing(store: MemoryStore, name: str, *, due: datetime | None, notified: bool = True) -> StreamId:
    stream = StreamId(f"project/live/{name}")
    event = NewEvent("Happened", 1, canonical({"actor": "SYS#1"}), canonical({}))
    write = Write(stream, 0, uuid4(), "Happen", NOW, canonical({}), canonical({}), (event,))
    await store.append(Append((write,), (Standing(stream, 1, "ACTIVE", due, Clock.WALL, canonical({}), notified),)))
    return stream


async def test_it_tells_those_whose_deadline_was_missed_and_those_that_were_not_told() -> None:
    store, looks = MemoryStore(), Looks()
    missed = await _standing(store, "AP-1", due=NOW - HOUR)
    outside = await _standing(store, "AP-2", due=NOW + HOUR, notified=False)
    await _standing(store, "AP-3", due=NOW + HOUR)
    await _standing(store, "AP-4", due=NOW - timedelta(seconds=30))
    await _standing(store, "AP-5", due=None)
    assert await AgendaFollower(store, looks).once(NOW) == 2
    assert sorted(looks.at) == [missed, outside]


async def test_a_stream_that_no_look_changes_is_told_ever_more_seldom() -> None:
    store, looks = MemoryStore(), Looks()
    await _standing(store, "AP-1", due=NOW - HOUR)
    follower, now = AgendaFollower(store, looks), NOW
    while now < NOW + timedelta(days=1):
        await follower.once(now)
        now += EVERY
    assert 24 <= len(looks.at) <= 40


async def test_a_stream_that_moved_is_told_at_once() -> None:
    store, looks = MemoryStore(), Looks()
    stream = await _standing(store, "AP-1", due=NOW - HOUR)
    follower = AgendaFollower(store, looks)
    await follower.once(NOW)
    await store.refresh_standing(Standing(stream, 1, "ACTIVE", NOW - HOUR / 2, Clock.WALL, canonical({})))
    await follower.once(NOW + timedelta(seconds=1))
    assert looks.at == [stream, stream]


async def test_one_workflow_out_of_reach_keeps_no_other_from_hearing() -> None:
    store = MemoryStore()
    streams = [await _standing(store, f"AP-{n}", due=NOW - HOUR) for n in (1, 2, 3)]
    looks = Looks(streams[0])
    assert await AgendaFollower(store, looks).once(NOW) == 2
    assert looks.at == streams


async def test_parked_streams_do_not_crowd_out_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agenda, "MOST", 3)
    store, looks = MemoryStore(), Looks()
    for n in range(3):
        await _standing(store, f"AP-{n}", due=NOW - 2 * HOUR)
    follower = AgendaFollower(store, looks)
    await follower.once(NOW)
    late = await _standing(store, "AP-9", due=NOW - HOUR)
    await follower.once(NOW + EVERY)
    assert late in looks.at


async def test_while_another_worker_holds_the_lease_it_tells_nobody() -> None:
    store, first, second = MemoryStore(), Looks(), Looks()
    await _standing(store, "AP-1", due=NOW - HOUR)
    await AgendaFollower(store, first).once(NOW)
    assert await AgendaFollower(store, second).once(NOW) == 0
    assert (len(first.at), len(second.at)) == (1, 0)


async def test_it_goes_on_after_the_store_was_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "EVERY", timedelta(milliseconds=1))
    store, looks = MemoryStore(), Looks()
    await _standing(store, "AP-1", due=NOW - HOUR)
    lease, failures = store.lease, [StoreUnavailable("away"), RuntimeError("Temporal is away")]

    async def failing(name: str, owner: Any, lasting: timedelta) -> int | None:
        if failures:
            raise failures.pop()
        return await lease(name, owner, lasting)

    monkeypatch.setattr(store, "lease", failing)
    following = asyncio.create_task(AgendaFollower(store, looks).run())

    async def is_notified() -> bool:
        return bool(looks.at)

    await until(is_notified)
    following.cancel()


# ---------------------------------------------------------------- through real workflows


async def test_a_deadline_that_passed_while_nobody_looked_falls_due_at_its_instant(desk: Desk, bureau: Bureau) -> None:
    stream = await bureau.open_round(at=datetime.now(UTC) - timedelta(days=90))
    (due,) = [s.due_at async for s in desk.store.standings(kind="round", realm=bureau.realm)]
    await AgendaFollower(OwnLease(desk.store), desk.door.look).once(datetime.now(UTC))

    async def closed() -> bool:
        return [e.type async for e in desk.store.read(stream)][-1] == "NeedSolicitationClosed"

    await until(closed)
    *_, last = [e async for e in desk.store.read(stream)]
    assert due is not None
    assert last.occurred_at == due - timedelta(seconds=60), "the deadline's own instant; its alarm has a minute's grace"


async def test_a_stream_written_from_outside_is_told_and_its_workflow_adopts_the_log(
    desk: Desk, bureau: Bureau
) -> None:
    await bureau.open_round()
    need = bureau.id("need", "ND-1")
    await desk.door.send(need, need_submission(), Actor("COMM#1"))
    await bureau.straight(need, EndorseNeed(), "COMM#2")
    (row,) = [row async for row in desk.store.standings(kind="need", realm=bureau.realm)]
    row = replace(row, due_at=None, notified=False)
    await desk.store.refresh_standing(row)
    await AgendaFollower(OwnLease(desk.store), desk.door.look).once(datetime.now(UTC))

    async def adopted() -> bool:
        (row,) = [row async for row in desk.store.standings(kind="need", realm=bureau.realm)]
        progress = await desk.client.get_workflow_handle(need).query("progress")
        return row.notified and progress["version"] == 2

    await until(adopted)


async def test_telling_a_stream_of_a_manual_realm_moves_no_clock(desk: Desk, bureau: Bureau) -> None:
    opened = datetime.now(UTC) - timedelta(days=90)
    await desk.door.open_realm(bureau.realm)
    stream = await bureau.open_round(at=opened)
    (row,) = [row async for row in desk.store.standings(kind="round", realm=bureau.realm)]
    await desk.store.refresh_standing(
        Standing(stream, row.version, row.stage, row.due_at, row.clock, row.summary, notified=False)
    )
    await AgendaFollower(OwnLease(desk.store), desk.door.look).once(datetime.now(UTC))

    async def is_notified() -> bool:
        (row,) = [row async for row in desk.store.standings(kind="round", realm=bureau.realm)]
        return row.notified

    await until(is_notified)
    assert [e.type async for e in desk.store.read(stream)] == ["NeedSolicitationOpened"]
    await desk.door.send(bureau.id("organisation", "ORG-1"), verification(), Actor("HOST#1"), at=opened)
