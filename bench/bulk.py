"""Hundreds of projects from need to archive through ``bulk``: whether the rate stays flat, and memory bounded.

Run ``python bench/bulk.py``. It starts an embedded Postgres (fsync on), an embedded Temporal with its file database and
one worker process in a folder of their own; this process is the client. Each project is the second scenario that comes
with the product, in a realm and on a manual clock of its own: need, call, bid, panel, award, contract, two payments,
visits, evaluation, close, archive. Each hundred is one bulk file, its rows wave by wave as an office would write them:
all needs with their adoptions, then all calls, and so on; what one file does to one stream in a row travels in one
update. Afterwards every project must be archived. Writing the file is not measured. *yardstick* is the CPU time of one
and the same sum before each hundred: where it grows, the machine grew slower.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import time
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).parent.parent))

import bootstrap
import temporal_client
from activities.carry_out import CommandActivities
from application.bulk import run_rows
from application.bulk_file import parse_rows
from application.door import Door
from application.door_keys import publish_first_key
from application.workflow_carrier import WorkflowCarrier
from bench.meter import cpu_ms, machine_load, resident_mib
from bench.own_servers import own_servers, start_worker, until_polled
from cli.scenario import list_shipped, plan_scenario
from domain.kernel.calendar import local_day
from domain.kernel.canonical import plain
from domain.kernel.identifier import Actor, StreamId
from domain.registers.calendar import calendar_stream
from domain.registers.scheme import PublishPolicyPack, scheme_stream
from local import processes
from schemes.calendars import load_published
from store.postgres import PostgresStore, open_pool

if TYPE_CHECKING:
    from domain.kernel.message import Command
    from local import Servers
    from scenarios.plan import Plan

STORY = "s2-fuzhou"


def rows_of(plan: Plan) -> list[tuple[StreamId, Command, Actor, datetime]]:
    """A project's life: working days and rules first."""
    days = load_published(local_day(plan.begins).year, local_day(plan.ends).year + 1)
    first: list[tuple[StreamId, Command]] = [
        (
            calendar_stream(plan.realm),
            y.notice,
        )
        for y in days
    ]
    first.append((scheme_stream(plan.realm, plan.scheme.name), PublishPolicyPack(scheme=plan.scheme)))
    rows = [(stream, command, Actor(f"{command.by[0]}#1"), plan.begins) for stream, command in first]
    return [*rows, *((o.stream, o.command, o.actor, o.at) for o in plan.orders if o.must_refuse is None)]


@dataclass
class Hundred:
    """So many projects and the bulk file that takes them from need to archive."""

    plans: list[Plan]
    rows: list[tuple[StreamId, Command, Actor, datetime]]
    content: bytes

    @classmethod
    def written(cls, number: int) -> Hundred:
        """As an office would write it."""
        path = next(p for p in list_shipped() if p.stem == STORY)
        plans = [plan_scenario([path], fresh=uuid4().hex)[0] for _ in range(number)]
        runs = [[list(run) for _, run in groupby(rows_of(plan), key=itemgetter(0))] for plan in plans]
        rows = [row for wave in zip(*runs, strict=True) for run in wave for row in run]
        content = "\n".join(
            json.dumps({"command": c.command_type, "subject": s, "actor": a, "at": at.isoformat(), "data": plain(c)})
            for s, c, a, at in rows
        )
        return cls(plans, rows, content.encode())

    async def carried_out(self, door: Door, store: PostgresStore) -> int:
        """How many commands that took. Raises RuntimeError if a project is not archived in the end."""
        for plan in self.plans:
            await door.open_realm(plan.realm)
        orders = await parse_rows("projects.jsonl", self.content, store)
        async for result in run_rows(orders, door, store):
            if not result.ok:
                raise RuntimeError(result.as_json())
        for plan in self.plans:
            (standing,) = [s async for s in store.standings(kind="project", realm=plan.realm) if s.stage != "NONE"]
            if standing.stage != "ARCHIVED":
                raise RuntimeError(standing)
        return len(orders)


def yardstick_ms() -> float:
    """CPU milliseconds of the same sum each time: how fast the machine is just now."""
    began = time.process_time()
    sum(n * n for n in range(2_000_000))
    return (time.process_time() - began) * 1000


async def run(args: argparse.Namespace) -> None:
    """Start everything, go through all hundreds, print."""
    async with own_servers("warning") as (settings, servers):
        worker = start_worker(settings.home, log_level="warning")
        pool = await open_pool(servers.postgres_url)
        client = await temporal_client.connect_temporal(servers.temporal_address, settings)
        async with aclosing(PostgresStore(pool)) as store:
            key = bootstrap.ensure_door_key(settings)
            door = Door(WorkflowCarrier(client, settings.task_queue), store, key)
            await publish_first_key(CommandActivities(store), store, key)
            await until_polled(client, settings.task_queue)
            await measured(args, door, store, worker.pid, servers)
        await temporal_client.breathe()
        processes.stop(worker, signal.SIGTERM)


async def measured(args: argparse.Namespace, door: Door, store: PostgresStore, worker: int, servers: Servers) -> None:
    """Measure hundred by hundred."""
    if servers.temporal.process is None or servers.postgres.process is None:
        raise RuntimeError("these servers are another's")
    parties = {
        "temporal": servers.temporal.process.pid,
        "postgres": servers.postgres.process.pid,
        "worker": worker,
    }

    def spent() -> dict[str, float]:
        """CPU milliseconds so far; this process without the others, which are its processes."""
        return {name: cpu_ms(pid) for name, pid in parties.items()} | {"client": time.process_time() * 1000}

    await Hundred.written(args.warm_up).carried_out(door, store)
    report: dict[str, Any] = {"bench": "bulk", "story": STORY, "load_before": round(machine_load()[0], 2), "parts": []}
    print(f"{'projects':>9}{'per s':>8}{'commands/s':>12}{'CPU ms each':>13}", end="")
    print("".join(f"{name:>10}" for name in spent()), f"{'yardstick':>11}{'worker MiB':>12}{'client MiB':>12}")
    for number in range(args.projects // args.part):
        hundred, yardstick = Hundred.written(args.part), yardstick_ms()
        before, began = spent(), time.perf_counter()
        commands = await hundred.carried_out(door, store)
        took = time.perf_counter() - began
        cost = {name: round((after - before[name]) / args.part) for name, after in spent().items()}
        row = {
            "projects": (number + 1) * args.part,
            "per_s": round(args.part / took, 3),
            "commands_per_s": round(commands / took, 1),
            "cpu_ms": sum(cost.values()),
            "yardstick_ms": round(yardstick),
            **cost,
            "worker_mib": round(resident_mib(worker)),
            "client_mib": round(resident_mib(os.getpid())),
            "load": round(machine_load()[0], 2),
        }
        report["parts"].append(row)
        print(
            f"{row['projects']:9}{row['per_s']:8.2f}{row['commands_per_s']:12.1f}{row['cpu_ms']:13}"
            + "".join(f"{row[name]:10}" for name in cost)
            + f" {row['yardstick_ms']:11}{row['worker_mib']:12}{row['client_mib']:12}",
            flush=True,
        )
    first, last = report["parts"][0], report["parts"][-1]
    report["last_to_first"] = {
        what: round(last[what] / first[what], 3)
        for what in ("per_s", "cpu_ms", "yardstick_ms", "worker_mib", "client_mib")
    }
    print(json.dumps(report))


def main() -> None:
    """Read the arguments, then measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--projects", type=int, default=400)
    parser.add_argument("--part", type=int, default=100, help="projects in one bulk file")
    parser.add_argument("--warm-up", type=int, default=10, help="projects before the first that is measured")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
