"""What a log of many years costs beside one of its first weeks: appends, reads, verification, vacuum, and partitions.

Run ``python bench/years.py`` (15 GB free, half an hour). It starts an embedded Postgres of its own (fsync on) with a
database of some 30,000 entries and one of three million, both copied from the second scenario that comes with the
product (``bench/reads.py``), without the door's signatures, which no copy could bear; the large one is the small one
so many times under other names, whose hashes are not made again. Both are measured by turns in this process; a ratio
is that of the medians, the large log's to the small one's. What is verified is the small one.

Then the large log is copied into tables partitioned by position, whose indexes are each partition's own: such a table
cannot keep a command's id or a stream's version unique, since neither has the position in it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import statistics
import sys
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

sys.path.insert(0, str(Path(__file__).parent.parent))

import asyncpg
import structlog

from audit.verification import verify
from bench.append import ours, prepare_reads
from bench.meter import machine_load
from bench.reads import Template, copy, open_database, record
from bench.surroundings import own_postgres
from store.postgres import PostgresStore, open_pool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
    from uuid import UUID

    from domain.kernel.identifier import StreamId
    from local.postgres import Postgres

Asked = TypeVar("Asked")

SAMPLES = 400
"""Streams and commands that are asked for by turns."""
IN_FLIGHT = 16
PAGE = 1000
_SIGNED = re.compile(r'"(?:key|log|signature)":"[^"]*",?')
_SIZES = """
SELECT c.relname AS name, pg_relation_size(c.oid) AS bytes
  FROM pg_class c WHERE c.oid = 'venture.entries'::regclass
    OR c.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = 'venture.entries'::regclass) ORDER BY c.relname
"""
_OF_STREAM = "SELECT meta, data FROM {table} WHERE stream = $1 AND kind = 'event' ORDER BY version"
_OF_COMMAND = "SELECT meta, data FROM {table} WHERE command_id = $1 AND kind = 'command'"


_TIMES = """
WITH factor AS (SELECT generate_series(1, $1::bigint - 1) AS n)
INSERT INTO venture.{table} ({columns}) SELECT {values} FROM factor, venture.{table} ORDER BY n, {order}
"""
_AS_IS = "version, occurred_at, recorded_at, schema_version, kind, type, meta, data, chain"
_MULTIPLIED = {
    "entries": (
        f"position, stream, command_id, {_AS_IS}",
        f"position + n * $2, stream || '.c' || n, md5(command_id::text || n)::uuid, {_AS_IS}",
        "position",
    ),
    "streams": ("stream, version, chain", "stream || '.c' || n, version, chain", "stream"),
    "agenda": (
        "stream, version, stage, due_at, clock, summary, told, kind, realm, rank",
        "stream || '.c' || n, version, stage, due_at, clock, summary, told, kind, realm, rank",
        "stream",
    ),
    "claims": ("key, holder", "key || '.c' || n, holder || '.c' || n", "key"),
    "postings": (
        "position, ordinal, source, target, fen",
        "position + n * $2, ordinal, source, target, fen",
        "position, ordinal",
    ),
}
"""Of each table its columns, what they are in the copy of that number, and the order of its rows."""


@dataclass(frozen=True)
class MultipliedLog:
    """One of the databases: a log that was filled several times over."""

    store: PostgresStore
    owner: asyncpg.Connection[Any]
    entries: int
    streams: Sequence[StreamId]
    commands: Sequence[UUID]


async def fill(server: Postgres, template: Template, projects: int, times: int) -> MultipliedLog:
    """A database of its own with that many projects, so many times, vacuumed once."""
    app, owner = await open_database(server, f"years{times}")
    begun = time.perf_counter()
    entries = await copy(owner, template, projects)
    for table, (columns, values, order) in _MULTIPLIED.items():
        statement = _TIMES.format(table=table, columns=columns, values=values, order=order)
        await owner.execute(statement, *([times, entries] if "$2" in values else [times]))
    entries *= times
    copied = time.perf_counter()
    await owner.execute("VACUUM (FREEZE, ANALYZE) venture.entries")
    vacuumed = time.perf_counter()
    print(
        f"{entries} entries: copied in {copied - begun:.0f} s, first vacuum {vacuumed - copied:.1f} s",
        flush=True,
    )
    for row in await owner.fetch(_SIZES):
        print(f"  {row['name']:<20} {row['bytes'] / 2**20:>9.1f} MiB", flush=True)
    positions = [random.randrange(1, entries) for _ in range(4 * SAMPLES)]
    rows = await owner.fetch(
        "SELECT stream, kind, command_id FROM venture.entries WHERE position = ANY ($1)", positions
    )
    store = PostgresStore(await open_pool(app, largest=8))
    await prepare_reads(store)
    return MultipliedLog(
        store,
        owner,
        entries,
        [row["stream"] for row in rows if row["stream"].startswith("project/")][:SAMPLES],
        [row["command_id"] for row in rows if row["kind"] == "command"][:SAMPLES],
    )


# --------------------------------------------------------------------------------------------------------- measuring


async def _median_ms(ask: Callable[[Asked], Awaitable[object]], of: Iterable[Asked]) -> float:
    spans = []
    for one in of:
        begun = time.perf_counter()
        await ask(one)
        spans.append((time.perf_counter() - begun) * 1000)
    return statistics.median(spans)


async def measure_once(log: MultipliedLog, seconds: float) -> dict[str, float]:
    """One turn on one log: rates and medians in milliseconds."""
    wal = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')"
    before = await log.owner.fetchval(wal)
    appended = await ours([log.store], IN_FLIGHT)(seconds)
    written = int(await log.owner.fetchval(wal) - before)

    async def read(stream: StreamId) -> None:
        async for _ in log.store.read(stream):
            pass

    places = [random.randrange(log.entries - PAGE) for _ in range(20)]
    return {
        "appends a second": appended / seconds,
        "WAL bytes an append": written / max(appended, 1),
        "a project's stream, ms": await _median_ms(read, random.sample(log.streams, 100)),
        "a command by its id, ms": await _median_ms(log.store.journalled, random.sample(log.commands, 100)),
        "1,000 entries of the feed, ms": await _median_ms(partial(log.store.feed, limit=PAGE), places),
    }


async def measure(logs: Sequence[MultipliedLog], rounds: int, seconds: float) -> dict[str, list[float]]:
    """Every measure on every log by turns, the medians of each."""
    turns: list[list[dict[str, float]]] = [[] for _ in logs]
    for log in logs:
        await measure_once(log, 1.0)
    for _ in range(rounds):
        for number in random.sample(range(len(logs)), len(logs)):
            turns[number].append(await measure_once(logs[number], seconds))
    return {name: [statistics.median(turn[name] for turn in of) for of in turns] for name in turns[0][0]}


async def measure_verification(log: MultipliedLog) -> float:
    """Seconds of this process's own CPU that a million entries take to verify."""
    own = time.process_time()
    verification = await verify(log.store)
    own = time.process_time() - own
    kinds = {finding.kind.value for finding in verification.findings}
    print(f"audit verify: {verification.entries} entries, {own:.0f} s of CPU, findings {sorted(kinds)}", flush=True)
    return own / verification.entries * 1_000_000


async def measure_vacuum(log: MultipliedLog) -> float:
    """Seconds of a vacuum after what was appended meanwhile."""
    begun = time.perf_counter()
    await log.owner.execute("VACUUM (ANALYZE) venture.entries")
    return time.perf_counter() - begun


# -------------------------------------------------------------------------------------------------------- partitions


@asynccontextmanager
async def partitioned(log: MultipliedLog, every: int) -> AsyncIterator[str]:
    """The same entries in partitions of so many positions, for as long as the block runs; the table's name."""
    owner, last = log.owner, await log.store.last_position()
    await owner.execute("CREATE TABLE parted (LIKE venture.entries) PARTITION BY RANGE (position)")
    try:
        for first in range(1, last + 1, every):
            name = f"parted_{first}"
            await owner.execute(
                f"CREATE TABLE {name} PARTITION OF parted FOR VALUES FROM ({first}) TO ({first + every})"
            )
        await owner.execute("INSERT INTO parted SELECT * FROM venture.entries")
        for index in ("(position)", "(stream, version) WHERE kind = 'event'", "(command_id) WHERE kind = 'command'"):
            await owner.execute(f"CREATE INDEX ON parted {index}")
        await owner.execute("VACUUM (FREEZE, ANALYZE) parted")
        yield "parted"
    finally:
        await owner.execute("DROP TABLE parted")


async def measure_table(log: MultipliedLog, table: str) -> tuple[float, float]:
    """Medians in milliseconds of a stream's events and of a command, from that table."""
    fetch = log.owner.fetch
    by_stream, by_command = _OF_STREAM.format(table=table), _OF_COMMAND.format(table=table)
    await fetch(by_stream, log.streams[0]), await fetch(by_command, log.commands[0])
    return (
        await _median_ms(partial(fetch, by_stream), log.streams),
        await _median_ms(partial(fetch, by_command), log.commands),
    )


async def compare_partitions(log: MultipliedLog, sizes: Sequence[int]) -> dict[str, tuple[float, float]]:
    """What reading costs from the one table and from partitions of those sizes."""
    tables = {"one table": await measure_table(log, "venture.entries")}
    for every in sizes:
        async with partitioned(log, every) as table:
            tables[f"partitions of {every}"] = await measure_table(log, table)
    tables["one table, again"] = await measure_table(log, "venture.entries")
    return tables


# -------------------------------------------------------------------------------------------------------------- main


def leave_out_signatures(template: Template) -> Template:
    """The template without its door: what is copied under other names could not bear what that door signed."""
    groups = tuple(
        tuple(replace(line, meta=_SIGNED.sub("", line.meta).replace(",}", "}")) for line in group)
        for group in template.groups
        if not group[0].stream.startswith("door/")
    )
    standings = tuple(standing for standing in template.standings if standing.stream.kind != "door")
    return replace(template, groups=groups, standings=standings)


async def run(server: Postgres, args: argparse.Namespace) -> dict[str, Any]:
    """Fill, measure, and print as it goes."""
    template = leave_out_signatures(Template.of(*await record()))
    logs = [await fill(server, template, args.projects, times) for times in (1, args.times)]
    result: dict[str, Any] = {"bench": "years", "entries": [log.entries for log in logs]}
    result |= await measure(logs, args.rounds, args.seconds)
    result["vacuum after that, s"] = [await measure_vacuum(log) for log in logs]
    for name, values in result.items():
        if isinstance(values, list) and name != "entries":
            cells = "".join(f"{value:>12.2f}" for value in values)
            print(f"{name:<32}{cells}   ratio {values[-1] / values[0]:.2f}", flush=True)
    result["partitions"] = await compare_partitions(logs[-1], args.partitions)
    for name, (stream, command) in result["partitions"].items():
        print(f"{name:<28} a stream {stream:>7.2f} ms, a command {command:>7.2f} ms", flush=True)
    result["verify, CPU s a million"] = await measure_verification(logs[0])
    print(f"verify: {result['verify, CPU s a million']:.0f} s of CPU a million", flush=True)
    for log in logs:
        await log.owner.close()
        await log.store.aclose()
    return result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--projects", type=int, default=450, help="how many the small log has")
    parser.add_argument("--times", type=int, default=100, help="how often the large log has it")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=3.0, help="of appending in each turn")
    parser.add_argument("--partitions", type=int, nargs="+", default=[1_000_000, 100_000], help="entries in each")
    args = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with own_postgres() as server:
        result = asyncio.run(run(server, args))
    print(json.dumps({**result, "load": machine_load()}))


if __name__ == "__main__":
    main()
