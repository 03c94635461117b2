"""How fast the log takes appends, beside a raw INSERT of the same rows and beside the library ``eventsourcing``.

Run ``python bench/append.py`` (``pip install 'eventsourcing[postgres]'`` for the last column). It starts an embedded
Postgres of its own with fsync and synchronous_commit on. All variants run in one process and in each round, in shuffled
order; a figure is the median over the rounds of the ratio to the raw INSERT of the same round, with its quartiles.

*One append* is a journalled command, signed, and one event, some 1,000 bytes of JSON; a new stream begins every tenth
append and claims a key; every append rests on three streams that were read, one of them its door's key; every fifth
posts money; each writes its agenda row.
So idempotency, expected versions, reads, guards, ledger, agenda, hash chain and dense order are all on.

*The raw INSERT* writes the same two rows in one statement into a table with the same columns, indexes and constraints,
and nothing else: no stream row, no agenda, no claim, no hash, no order. *eventsourcing* writes two events of the same
bytes by its ``ApplicationRecorder``: it keeps an expected version and an order, no journal, no guards, no hash.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).parent.parent))

import asyncpg

from bench.surroundings import own_postgres
from domain.kernel.clock import Clock
from domain.kernel.effects import Claim, Post
from domain.kernel.identifier import StreamId
from local import postgres
from store.migration import migrate
from store.port import Append, AppendStatus, NewEvent, Standing, Write
from store.postgres import PostgresStore, open_pool

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from local.postgres import Postgres

APPENDS_A_STREAM = 10
AT = datetime(2026, 6, 1, tzinfo=UTC)
COMMAND_META, COMMAND_DATA, EVENT_META, EVENT_DATA = (
    json.dumps({"text": "公" * (size // 3)}, ensure_ascii=False).encode() for size in (471, 200, 30, 330)
)
READ = {StreamId("calendar/live/cn"): 1, StreamId("round/live/R1"): 1, StreamId("door/live/DK-5b1c0a47f2e39d68"): 1}
CONNECTIONS = 16


@dataclass(frozen=True)
class Variant:
    """A way of appending."""

    name: str
    measure: Callable[[float], Awaitable[int]]
    """Append for so many seconds; how many appends were acknowledged."""
    beside: str = "raw, 16 connections"
    """The variant that its ratio is to."""


# ------------------------------------------------------------------------------------------------------------- ours


def an_append(stream: StreamId, version: int) -> Append:
    """The next append on that stream."""
    effects = [Claim(f"bid/{stream}", stream)] if version == 0 else []
    post = [Post("world/treasury", f"purse/{stream.name[-2:]}", 100)] if version % 5 == 0 else []
    return Append(
        (
            Write(
                stream,
                version,
                uuid4(),
                "SubmitReport",
                AT,
                COMMAND_META,
                COMMAND_DATA,
                (NewEvent("ReportSubmitted", 1, EVENT_META, EVENT_DATA, (*effects, *post)),),
            ),
        ),
        (Standing(stream, version + 1, "EXECUTING", AT, Clock.WALL, EVENT_DATA),),
        READ,
    )


async def append_in(store: PostgresStore, until: float) -> int:
    """One caller: append one after another."""
    done = 0
    while True:
        stream = StreamId(f"project/live/{uuid4().hex}")
        for version in range(APPENDS_A_STREAM):
            answer = await store.append(an_append(stream, version))
            if answer.status is not AppendStatus.APPENDED:
                raise RuntimeError(answer)
            if time.perf_counter() > until:
                return done
            done += 1


def ours(stores: list[PostgresStore], in_flight: int) -> Callable[[float], Awaitable[int]]:
    """So many appends in flight in each of these workers."""

    async def measure(seconds: float) -> int:
        until = time.perf_counter() + seconds
        callers = [append_in(store, until) for store in stores for _ in range(in_flight)]
        return sum(await asyncio.gather(*callers))

    return measure


async def prepare_reads(store: PostgresStore) -> None:
    """The two streams that everything rests on."""
    for stream in READ:
        write = Write(stream, 0, uuid4(), "Publish", AT, b"{}", b"{}", (NewEvent("Published", 1, b"{}", b"{}"),))
        await store.append(Append((write,), (Standing(stream, 1, "OPEN", None, Clock.WALL, b"{}"),)))


# -------------------------------------------------------------------------------------------------------------- raw

RAW_TABLE = "CREATE TABLE public.raw (LIKE venture.entries INCLUDING ALL)"
RAW = """
INSERT INTO public.raw
  (position, version, occurred_at, recorded_at, command_id, schema_version, kind, stream, type, meta, data, chain)
VALUES ($1, $2, $3, clock_timestamp(), $4, 1, 'command', $5, 'SubmitReport', $6, $7, $8),
       ($1 + 1, $2 + 1, $3, clock_timestamp(), $4, 1, 'event', $5, 'ReportSubmitted', $9, $10, $8)
"""


def raw(connections: list[Any], positions: count[int]) -> Callable[[float], Awaitable[int]]:
    """The same rows over these connections at once."""

    async def insert_in(connection: Any, until: float) -> int:  # noqa: ANN401 - the pool's own wrapper
        done, chain = 0, bytes(32)
        while True:
            stream = f"project/live/{uuid4().hex}"
            for version in range(APPENDS_A_STREAM):
                await connection.execute(
                    RAW, next(positions), version, AT, uuid4(), stream, COMMAND_META, COMMAND_DATA, chain, EVENT_META,
                    EVENT_DATA,
                )  # fmt: skip
                if time.perf_counter() > until:
                    return done
                done += 1

    async def measure(seconds: float) -> int:
        until = time.perf_counter() + seconds
        return sum(await asyncio.gather(*(insert_in(connection, until) for connection in connections)))

    return measure


# ---------------------------------------------------------------------------------------------------- eventsourcing


def eventsourcing(url: str, threads: int) -> Callable[[float], Awaitable[int]]:
    """The library's recorder as it ships, in so many threads, with a connection each."""
    shipped, stored_event = (
        import_module("eventsourcing.postgres"),
        import_module("eventsourcing.persistence").StoredEvent,
    )
    parts = urlsplit(url)
    datastore = shipped.PostgresDatastore(
        dbname=parts.path.strip("/"),
        host=parts.hostname,
        port=parts.port,
        user=parts.username,
        password=parts.password,
        pool_size=threads,
    )
    recorder = shipped.PostgresApplicationRecorder(datastore, events_table_name=f"events_of_{threads}")
    recorder.create_table()
    pool = ThreadPoolExecutor(threads)

    def insert_in(until: float) -> int:
        done = 0
        while True:
            originator = uuid4()
            for version in range(1, 2 * APPENDS_A_STREAM, 2):
                recorder.insert_events(
                    [
                        stored_event(originator, version, "SubmitReport", COMMAND_META + COMMAND_DATA),
                        stored_event(originator, version + 1, "ReportSubmitted", EVENT_META + EVENT_DATA),
                    ]
                )
                if time.perf_counter() > until:
                    return done
                done += 1

    async def measure(seconds: float) -> int:
        loop, until = asyncio.get_running_loop(), time.perf_counter() + seconds
        return sum(await asyncio.gather(*(loop.run_in_executor(pool, insert_in, until) for _ in range(threads))))

    return measure


# ------------------------------------------------------------------------------------------------------------ rounds


async def rates(variants: list[Variant], rounds: int, seconds: float) -> list[dict[str, float]]:
    """Appends a second by variant, for each round."""
    for variant in variants:
        await variant.measure(min(seconds, 0.3))  # plans, caches and connections
    measured = []
    for _ in range(rounds):
        of_this_round = {}
        for variant in random.sample(variants, len(variants)):
            of_this_round[variant.name] = await variant.measure(seconds) / seconds
        measured.append(of_this_round)
    return measured


def quartiles(values: list[float]) -> tuple[float, float, float]:
    """Lower quartile, median, upper quartile."""
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def report(variants: list[Variant], measured: list[dict[str, float]]) -> dict[str, Any]:
    """Print the table; the same as plain values."""
    result: dict[str, Any] = {}
    print(f"{'':<44}{'ratio':>7}  {'quartiles':<14}{'appends/s':>10}   beside")
    for variant in variants:
        ratios = [one[variant.name] / one[variant.beside] for one in measured]
        low, middle, high = quartiles(ratios)
        rate = statistics.median(one[variant.name] for one in measured)
        print(f"{variant.name:<44}{middle:>7.2f}  ({low:.2f}-{high:.2f})   {rate:>10.0f}   {variant.beside}")
        result[variant.name] = {
            "ratio": round(middle, 3),
            "quartiles": [round(low, 3), round(high, 3)],
            "per_s": round(rate),
            "beside": variant.beside,
        }
    return result


async def measure(server: Postgres, rounds: int, seconds: float) -> dict[str, Any]:
    """All variants on one server."""
    app, owner = (server.url(role) for role in (postgres.APPLICATION, postgres.OWNER))
    await migrate(owner, app_role=postgres.APPLICATION)
    stores = [PostgresStore(await open_pool(app, largest=3)) for _ in range(CONNECTIONS)]
    await prepare_reads(stores[0])
    setup = await asyncpg.connect(owner)
    await setup.execute(RAW_TABLE)
    pool = await open_pool(owner, largest=CONNECTIONS)
    connections = [await pool.acquire() for _ in range(CONNECTIONS)]
    positions = count(1, 2)
    variants = [
        Variant("raw, 1 connection", raw(connections[:1], positions)),
        Variant("raw, 16 connections", raw(connections, positions)),
        Variant("ours, 1 caller", ours(stores[:1], 1), beside="raw, 1 connection"),
        Variant("ours, 16 in flight in one worker", ours(stores[:1], 16)),
        Variant("ours, 64 in flight in one worker", ours(stores[:1], 64)),
        Variant("ours, 256 in flight in one worker", ours(stores[:1], 256)),
        Variant("ours, 4 workers, 16 in flight in each", ours(stores[:4], 16)),
        Variant("ours, 16 workers, 1 caller in each", ours(stores, 1)),
    ]
    if find_spec("eventsourcing") is None or find_spec("psycopg") is None:
        print("no figures for eventsourcing: pip install 'eventsourcing[postgres]'", file=sys.stderr)
    else:
        variants += [
            Variant("eventsourcing, 1 thread", eventsourcing(owner, 1), beside="raw, 1 connection"),
            Variant("eventsourcing, 16 threads", eventsourcing(owner, CONNECTIONS)),
        ]
    measured = await rates(variants, rounds, seconds)
    pool.terminate()
    await setup.close()
    for store in stores:
        await store.aclose()
    return report(variants, measured)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each variant in each round")
    chosen = parser.parse_args()
    with own_postgres() as server:
        result = asyncio.run(measure(server, chosen.rounds, chosen.seconds))
    print(json.dumps({"bench": "append", "rounds": chosen.rounds, "seconds": chosen.seconds, "variants": result}))


if __name__ == "__main__":
    main()
