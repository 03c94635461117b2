"""What holds while many connections write at once, and when things die: Postgres only."""

from __future__ import annotations

import asyncio
import random
import signal
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import asyncpg
import pytest

from domain.kernel.clock import Clock
from domain.kernel.effects import Claim, Post
from local import postgres, processes
from local.postgres import APPLICATION, OWNER
from store.migration import migrate
from store.port import AppendStatus, EntryKind, StoreUnavailable
from store.postgres import CHANNEL, PostgresStore, open_pool
from tests.store.appends import appended, event, group, one, project, refusal, whole, write
from tests.store.conftest import Database, as_superuser
from tests.workflows.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine
    from pathlib import Path

    from domain.kernel.effects import Effect
    from local.postgres import Postgres
    from store.port import Append

A = project("AP-1")
DICE = random.Random(7)  # noqa: S311 - chooses what to do, no secret


@asynccontextmanager
async def connected(database: Database, connections: int) -> AsyncIterator[list[PostgresStore]]:
    """That many stores, each with its own connection, as many workers would have."""
    stores = [PostgresStore(await open_pool(database.url(), largest=2)) for _ in range(connections)]
    try:
        yield stores
    finally:
        await asyncio.gather(*(store.aclose() for store in stores))


async def _repeat(times: int, act: Callable[[], Coroutine[None, None, object]]) -> None:
    """Do it so often: however slow the machine is, so much has been done."""
    for _ in range(times):
        await act()


@pytest.mark.full
async def test_of_sixteen_racing_for_the_same_version_one_wins(database: Database) -> None:
    async with connected(database, 16) as stores:
        for version in range(12):
            answers = await asyncio.gather(*(store.append(one(A, version)) for store in stores))
            assert sorted(a.status for a in answers) == [AppendStatus.APPENDED] + [AppendStatus.CONFLICT] * 15
        assert len(await whole(stores[0])) == 24


async def test_of_sixteen_racing_with_the_same_command_one_records_it(database: Database) -> None:
    async with connected(database, 16) as stores:
        for round_ in range(12):
            command_id = uuid4()
            rivals = [one(project(f"AP-{round_}-{n % 2}"), command_id=command_id) for n in range(16)]
            answers = await asyncio.gather(*(s.append(a) for s, a in zip(stores, rivals, strict=True)))
            assert sorted(a.status for a in answers) == [AppendStatus.APPENDED] + [AppendStatus.DUPLICATE] * 15


async def test_over_many_connections_the_last_yuan_is_spent_once(database: Database) -> None:
    async with connected(database, 12) as stores:
        await appended(stores[0], one(project("FUND"), 0, event(Post("world/treasury", "envelope", 500))))
        spend = [
            one(project(f"AP-{n}"), 0, event(Post("envelope", "spent", 100), Claim("seat", f"{n}", 5)))
            for n in range(48)
        ]
        answers = await asyncio.gather(*(stores[n % 12].append(append) for n, append in enumerate(spend)))
        assert [a.status for a in answers].count(AppendStatus.APPENDED) == 5
        assert (await stores[0].balances())["envelope"] == 0
        assert len(await stores[0].claims()) == 5


async def _tail_while_writing(database: Database, bursts: int) -> None:
    """Ten write so many bursts each, while one reads on."""
    async with connected(database, 11) as (reader, *writers):
        seen: list[int] = []

        async def tail() -> None:
            seen.extend(e.position for e in await reader.feed(len(seen), limit=DICE.randint(1, 300)))

        async def write_on(store: PostgresStore) -> None:
            burst = (refusal(project(f"AP-{uuid4().hex}")) if DICE.random() < 0.3 else _fresh() for _ in range(3))
            await asyncio.gather(*map(store.append, burst))

        async def tail_on() -> None:
            while not written.done() or len(seen) < await reader.last_position():
                await tail()

        written = asyncio.gather(*(_repeat(bursts, lambda store=store: write_on(store)) for store in writers))  # type: ignore[misc]
        await asyncio.gather(written, tail_on())
        assert len(seen) >= 3 * bursts * len(writers)
        assert seen == list(range(1, len(seen) + 1))
        await whole(reader)


def _fresh() -> Append:
    return one(project(f"AP-{uuid4().hex}"), 0, *(event() for _ in range(DICE.randint(1, 3))))


async def test_a_reader_that_tails_the_log_misses_nothing_that_ten_connections_write(database: Database) -> None:
    await _tail_while_writing(database, 20)


@pytest.mark.full
async def test_a_reader_that_tails_the_log_for_long_misses_nothing(database: Database) -> None:
    await _tail_while_writing(database, 250)


async def _hunt_deadlocks(database: Database, times: int) -> None:
    """Ten write on random streams, so many times each."""
    names = [project(f"AP-{n}") for n in range(12)] + [project(f"M-{n}", "play") for n in range(4)]

    async def act(store: PostgresStore) -> None:
        chosen = DICE.sample(names, DICE.randint(1, 4))
        versions = {s: len(v) for s, v in (await store.read_many(chosen)).streams.items()}
        written, read = chosen[: DICE.randint(1, len(chosen))], chosen
        if DICE.random() < 0.2:
            written.append(project(f"NEW-{DICE.randrange(10**6)}"))
        effects: list[Effect] = [
            Claim(f"key-{DICE.randrange(3)}", f"{DICE.randrange(9)}", 4),
            Post("world/a", f"b{DICE.randrange(3)}", 1),
        ]
        append = group(
            *(write(s, versions.get(s, 0), event(*effects)) for s in written),
            reads={s: versions[s] for s in read if s not in written},
        )
        await store.append(append)
        some = [standing async for standing in store.standings()]
        for standing in DICE.sample(some, min(2, len(some))):
            await store.refresh_standing(replace(standing, notified=DICE.random() < 0.5))
        await store.set_clock("play", Clock.MANUAL)

    async with connected(database, 10) as stores:
        await asyncio.gather(*(_repeat(times, lambda s=store: act(s)) for store in stores))  # type: ignore[misc]
        await whole(stores[0])
        deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        assert await stores[0]._pool.fetchval(deadlocks) == 0


async def test_writers_of_random_sets_of_streams_never_wait_for_each_other_in_a_circle(database: Database) -> None:
    await _hunt_deadlocks(database, 20)


@pytest.mark.full
async def test_writers_of_random_sets_of_streams_never_deadlock_for_long(database: Database) -> None:
    await _hunt_deadlocks(database, 250)


class _Wire:
    """A wire to the server that is cut just when the server has answered what has these words in it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.fatal = b""

    async def carry(self, near: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        far, far_out = await asyncio.open_connection("127.0.0.1", self._port)
        doomed = asyncio.Event()

        async def ask() -> None:
            while data := await near.read(65536):
                if self.fatal and self.fatal in data:
                    self.fatal = b""
                    doomed.set()
                far_out.write(data)

        asking = asyncio.create_task(ask())
        while data := await far.read(65536):
            if doomed.is_set():
                break
            near_out.write(data)
        asking.cancel()
        near_out.transport.abort()
        far_out.transport.abort()


async def test_an_answer_that_is_lost_on_the_way_is_unknown_and_asking_again_tells_it(database: Database) -> None:
    wire = _Wire(database.server.port)
    listening = await asyncio.start_server(wire.carry, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    store = PostgresStore(await open_pool(database.url().replace(f":{database.server.port}/", f":{port}/")))
    await appended(store, one(A))
    wire.fatal = b"AP-LOST"
    lost = one(A, 1, event(Claim("seat", "AP-LOST")))
    with pytest.raises(StoreUnavailable):
        await store.append(lost)
    assert (await store.append(lost)).status is AppendStatus.DUPLICATE
    later = one(A, 2, command_id=lost.writes[0].command_id)
    assert (await store.append(later)).status is AppendStatus.DUPLICATE
    assert len(await whole(store)) == 4
    await store.aclose()
    listening.close()
    await listening.wait_closed()


async def test_listeners_come_back_when_their_connection_is_killed(database: Database) -> None:
    store = PostgresStore(await open_pool(database.url()))
    heard: asyncio.Queue[int] = asyncio.Queue()

    async def listen() -> None:
        async for position in store.pokes(idle_s=0.2):
            heard.put_nowait(position)

    listening = asyncio.create_task(listen())
    await heard.get()
    await as_superuser(
        database.server,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"  # noqa: S608 - our own name
        f" WHERE datname = '{database.name}' AND query ILIKE 'LISTEN%'",
    )
    await appended(store, one(A))
    await _until_heard(heard, 2, listening)
    listening.cancel()
    await asyncio.wait([listening])
    await store.aclose()


@pytest.mark.parametrize("steps", range(6))
async def test_whoever_stops_listening_just_as_a_position_comes_is_let_go(database: Database, steps: int) -> None:
    """With ``asyncio.wait_for`` of Python 3.11 the listener would go on, its cancellation lost."""
    async with connected(database, 1) as [store]:
        heard: asyncio.Queue[int] = asyncio.Queue()

        async def listen() -> None:
            async for position in store.pokes(idle_s=60):
                heard.put_nowait(position)

        listening = asyncio.create_task(listen())
        await heard.get()
        await until_waiting(store)
        for positions in store._listeners:
            positions.put_nowait(1)
        for _ in range(steps):
            await asyncio.sleep(0)
        listening.cancel()
        await asyncio.wait([listening], timeout=30)
        assert listening.cancelled()


async def until_waiting(store: PostgresStore) -> None:
    """Until each listener waits for its next position."""
    for _ in range(10):
        await asyncio.sleep(0)
    assert all(positions.empty() for positions in store._listeners)


async def _until_heard(heard: asyncio.Queue[int], position: int, listening: asyncio.Task[None]) -> None:
    """Wait for that position; if whoever listens ends before, its fault is the test's."""
    while not listening.done():
        hearing = asyncio.ensure_future(heard.get())
        await asyncio.wait([hearing, listening], return_when=asyncio.FIRST_COMPLETED)
        if hearing.done() and hearing.result() >= position:
            return
        hearing.cancel()
    await listening
    raise AssertionError(position)


async def test_pokes_come_from_outside_the_append_and_not_more_than_a_hundred_a_second(database: Database) -> None:
    async with connected(database, 1) as [store]:
        heard: list[str] = []
        listener = await asyncpg.connect(database.url())
        await listener.add_listener(CHANNEL, lambda *notice: heard.append(notice[3]))
        writing = asyncio.get_running_loop().time()
        for n in range(100):
            await appended(store, one(project(f"AP-{n}")))
        took = asyncio.get_running_loop().time() - writing
        while not heard or heard[-1] != "200":  # noqa: ASYNC110 - the driver's callback knows no event
            await asyncio.sleep(0.01)
        assert len(heard) <= took / 0.01 + 2
        assert heard == sorted(heard, key=int)
        await listener.close()


async def _furnish(home: Path) -> Postgres:
    """Start the server of that folder again; right after a kill its memory may still be held for a moment."""
    for _ in range(20):
        server = postgres.start(home)
        try:
            await postgres.wait_until_ready(server, home)
        except Exception:  # noqa: BLE001 - any trouble of a server that was just killed
            await asyncio.sleep(0.1)
        else:
            return server
    pytest.fail("the server did not come back")


async def _kill_under_load(home: Path, kills: int, writes: int) -> None:
    """Kill the server so often, each time after so many writes were acknowledged and while more are under way."""
    (home / "logs").mkdir()
    server = await _furnish(home)
    database = Database(server, postgres.DATABASE)
    await migrate(database.url(OWNER), app_role=APPLICATION)
    acknowledged: dict[UUID, Append] = {}
    sent: list[Append] = []

    async def write_on(store: PostgresStore) -> None:
        append = _fresh()
        sent.append(append)
        if (await store.append(append)).status is AppendStatus.APPENDED:
            acknowledged[append.writes[0].command_id] = append

    for _ in range(kills):
        store = PostgresStore(await open_pool(database.url()))
        writers = [asyncio.create_task(_until_unknown(lambda store=store: write_on(store))) for _ in range(12)]  # type: ignore[misc]
        enough = len(acknowledged) + writes
        await until(partial(_reached, acknowledged, enough))
        assert server.process is not None
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        await asyncio.gather(*writers)
        for asking in (store.append(_fresh()), store.last_position(), store.realm("live")):
            with pytest.raises(StoreUnavailable):  # while there is no server
                await asking
        await store.aclose()
        server = await _furnish(home)
        database = Database(server, postgres.DATABASE)

    store = PostgresStore(await open_pool(database.url()))
    entries = await whole(store)
    recorded = {e.command_id: e for e in entries if e.kind is EntryKind.COMMAND}
    assert acknowledged.keys() <= recorded.keys()
    for append in sent:
        known = append.writes[0].command_id in recorded
        assert (await store.append(append)).status is (AppendStatus.DUPLICATE if known else AppendStatus.APPENDED)
    await whole(store)
    await store.aclose()
    assert server.process is not None
    processes.stop(server.process, signal.SIGQUIT)


async def _reached(acknowledged: dict[UUID, Append], enough: int) -> bool:
    return len(acknowledged) >= enough


async def _until_unknown(act: Callable[[], Coroutine[None, None, None]]) -> None:
    with suppress(StoreUnavailable):
        while True:
            await act()


async def test_what_was_acknowledged_survives_kill_9_and_what_was_not_can_be_asked_again(tmp_path: Path) -> None:
    await _kill_under_load(tmp_path, kills=1, writes=150)


@pytest.mark.full
async def test_what_was_acknowledged_survives_many_a_kill_9(tmp_path: Path) -> None:
    await _kill_under_load(tmp_path, kills=5, writes=500)
