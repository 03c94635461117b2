"""What a thousand projects leave behind, in bytes: log, views, WAL, Temporal and worker's log, beside their limits.

Run ``python bench/growth.py``. It starts an embedded Postgres and Temporal with its file database in a folder of their
own and one worker process, and plays the shipped scenario S2 (one project, from its need to the archive) through the
workflows, each play in a realm of its own. What the first plays leave is not counted. Ends with 1 where a limit is
passed: then either something grew, or the limit is to be raised, and with it what the alert on disks says.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parent.parent))

import asyncpg

import bootstrap
import temporal_client
from activities.carry_out import CommandActivities
from application.door import Door
from application.door_keys import publish_first_key
from application.workflow_carrier import WorkflowCarrier
from bench.own_servers import own_servers, start_worker, worker_log
from cli.scenario import list_shipped, plan_scenario
from local import processes
from scenarios.play import play
from store.postgres import PostgresStore, open_pool

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local import Servers

LIMITS_MB: Mapping[str, float] = {"log": 100, "views": 200, "WAL": 900, "Temporal": 350, "worker's log": 11}
"""Megabytes a thousand projects: a fifth over what was measured in November 2026 (docs/benchmarks.md)."""
_TABLES = """
SELECT CASE WHEN c.relname LIKE 'view%' THEN 'views' ELSE 'log' END AS part, sum(pg_total_relation_size(c.oid)) AS bytes
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = 'venture' AND c.relkind = 'r' GROUP BY part
"""
_WAL = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')"


async def weigh(servers: Servers, home: Path) -> dict[str, int]:
    """Bytes of each part now."""
    connection = await asyncpg.connect(servers.owner_url)
    try:
        await connection.execute("VACUUM")  # what autovacuum does within minutes: rows that were replaced make room
        parts = {row["part"]: int(row["bytes"]) for row in await connection.fetch(_TABLES)}
        parts["WAL"] = int(await connection.fetchval(_WAL))
    finally:
        await connection.close()
    return parts | await asyncio.to_thread(weigh_files, home)


def weigh_files(home: Path) -> dict[str, int]:
    """Bytes of what does not lie in Postgres."""
    temporal = sum(file.stat().st_size for file in home.glob("**/temporal.db*"))
    return {"Temporal": temporal, "worker's log": worker_log(home).stat().st_size}


async def grow(plays: int) -> dict[str, float]:
    """Megabytes that a thousand projects leave in each part."""
    async with own_servers("error") as (settings, servers):
        key = bootstrap.ensure_door_key(settings)
        client = await temporal_client.connect_temporal(servers.temporal_address, settings)
        async with aclosing(PostgresStore(await open_pool(servers.postgres_url))) as store:
            await publish_first_key(CommandActivities(store), store, key)
            door = Door(WorkflowCarrier(client, settings.task_queue), store, key)
            worker = start_worker(settings.home, log_format="json")
            try:
                await _play(door, store, "warm", 3)
                before, first = await weigh(servers, settings.home), await _count(store)
                await _play(door, store, "grown", plays)
                after, last = await weigh(servers, settings.home), await _count(store)
            finally:
                processes.stop(worker, signal.SIGTERM, patience_s=40)
        await temporal_client.breathe()
    print(f"{last - first} projects in {plays} plays")
    return {part: (after[part] - before[part]) / (last - first) / 1000 for part in LIMITS_MB}


async def _play(door: Door, store: PostgresStore, name: str, plays: int) -> None:
    (s2,) = [path for path in list_shipped() if path.stem == "s2-fuzhou"]
    for number in range(plays):
        (plan,) = plan_scenario([s2], fresh=f"{name}-{number}")
        played = await play(plan, door, store)
        if not played.ok:
            raise RuntimeError(played.as_json())


async def _count(store: PostgresStore) -> int:
    return len([standing async for standing in store.standings(kind="project")])


def main() -> int:
    """Weigh, and hold to the limits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plays", type=int, default=30)
    grown = asyncio.run(grow(parser.parse_args().plays))
    for part, megabytes in grown.items():
        print(f"{part:<13} {megabytes:7.1f} MB a thousand projects, {megabytes / LIMITS_MB[part]:.2f} of its limit")
    return int(any(megabytes > LIMITS_MB[part] for part, megabytes in grown.items()))


if __name__ == "__main__":
    sys.exit(main())
