"""Paper files taken in within the process, beside the same files through the workflows: projects a second, the ratio.

Run ``python bench/import.py``. It starts an embedded Postgres (fsync on), an embedded Temporal with its file database
and one worker process in a folder of their own; this process is the client. The projects are those of
``bench/bulk.py``: the second scenario that comes with the product, from need to archive, each in a realm of its own.
The two ways take turns in the same run, a part each, so that what slows the machine slows both. CPU is that of all
parties together.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import statistics
import sys
import time
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import bootstrap
import temporal_client
from activities.carry_out import CommandActivities
from application.door import Door
from application.door_keys import publish_first_key
from application.process_carrier import ProcessCarrier
from application.workflow_carrier import WorkflowCarrier
from bench.bulk import STORY, Hundred
from bench.meter import cpu_ms, machine_load, resident_mib
from bench.own_servers import own_servers, start_worker, until_polled
from local import processes
from store.postgres import PostgresStore, open_pool

if TYPE_CHECKING:
    from collections.abc import Sequence


async def run(args: argparse.Namespace) -> None:
    """Start everything, take the parts in by turns, print."""
    async with own_servers("warning") as (settings, servers):
        worker = start_worker(settings.home, log_level="warning")
        client = await temporal_client.connect_temporal(servers.temporal_address, settings)
        pids = [worker.pid, *(s.process.pid for s in (servers.temporal, servers.postgres) if s.process is not None)]
        pool = await open_pool(servers.postgres_url)
        async with aclosing(PostgresStore(pool)) as store:
            key, workflows = bootstrap.ensure_door_key(settings), WorkflowCarrier(client, settings.task_queue)
            paper = ProcessCarrier(CommandActivities(store), store, otherwise=workflows)
            ways = {"process": Door(paper, store, key), "workflows": Door(workflows, store, key)}
            await publish_first_key(CommandActivities(store), store, key)
            await until_polled(client, settings.task_queue)
            await measure(args, ways, store, pids)
        await temporal_client.breathe()
        processes.stop(worker, signal.SIGTERM)


async def measure(args: argparse.Namespace, ways: dict[str, Door], store: PostgresStore, pids: Sequence[int]) -> None:
    """Part by part, the ways by turns."""

    def spent() -> float:
        return sum(map(cpu_ms, pids)) + time.process_time() * 1000

    rows: dict[str, list[dict[str, Any]]] = {way: [] for way in ways}
    for door in ways.values():
        await Hundred.written(args.warm_up).carried_out(door, store)
    print(f"{'way':>10}{'projects/s':>12}{'commands/s':>12}{'CPU ms each':>13}{'this MiB':>10}")
    for _ in range(args.rounds):
        for way, door in ways.items():
            part = Hundred.written(args.part)
            before, began = spent(), time.perf_counter()
            commands = await part.carried_out(door, store)
            took = time.perf_counter() - began
            row = {
                "projects_per_s": round(args.part / took, 2),
                "commands_per_s": round(commands / took, 1),
                "cpu_ms": round((spent() - before) / args.part),
                "mib": round(resident_mib(os.getpid())),
            }
            rows[way].append(row)
            print(
                f"{way:>10}{row['projects_per_s']:12}{row['commands_per_s']:12}{row['cpu_ms']:13}{row['mib']:10}",
                flush=True,
            )
    report = {
        "bench": "import",
        "story": STORY,
        "load": round(machine_load()[0], 2),
        "rounds": rows,
        "process_to_workflows": {
            what: round(
                statistics.median(a[what] / b[what] for a, b in zip(rows["process"], rows["workflows"], strict=True)), 2
            )
            for what in ("projects_per_s", "cpu_ms")
        },
    }
    print(json.dumps(report))


def main() -> None:
    """Read the arguments, then measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="parts that each way takes in")
    parser.add_argument("--part", type=int, default=50, help="projects in one bulk file")
    parser.add_argument("--warm-up", type=int, default=5, help="projects before the first that is measured")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
