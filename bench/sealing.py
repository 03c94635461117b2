"""What it costs that Temporal is given ciphertext only: lives of notes, sealed and in the clear, by turns.

Run ``python bench/sealing.py``. It starts an embedded Postgres (fsync on) and an embedded Temporal with its file
database in a folder of their own; this process has two workers and two doors, which differ in their data converter
alone: the product's own, and the same without its codec. They take turns in each round, in alternating order. CPU is
that of all parties. A figure is the median over the rounds; a ratio is the median of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench import notes

notes.install()  # before anything else takes the catalogue

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

import bootstrap
import temporal_client
from activities.carry_out import CommandActivities
from application.door import Door
from application.door_keys import publish_first_key
from application.workflow_carrier import WorkflowCarrier
from bench.meter import cpu_ms, machine_load
from bench.own_servers import own_servers
from domain.kernel.identifier import LIVE, Actor, StreamId
from runtime.worker import run_worker
from store.postgres import PostgresStore, open_pool

if TYPE_CHECKING:
    from local import Servers

HOST = Actor("HOST#1")
BY_TURNS = (("sealed", "clear"), ("clear", "sealed"))


async def run(args: argparse.Namespace) -> None:
    """Start everything, live all lives, print."""
    async with own_servers("error") as (settings, servers):
        store, key = PostgresStore(await open_pool(servers.postgres_url)), bootstrap.ensure_door_key(settings)
        sealing = await temporal_client.connect_temporal(servers.temporal_address, settings)
        config = sealing.config()
        config["data_converter"] = pydantic_data_converter
        clients, queues = {"sealed": sealing, "clear": Client(**config)}, {"sealed": "sealed", "clear": "clear"}
        of = {name: settings.model_copy(update={"task_queue": queue}) for name, queue in queues.items()}
        async with (
            aclosing(store),
            run_worker(of["sealed"], clients["sealed"], store),
            run_worker(of["clear"], clients["clear"], store),
        ):
            await publish_first_key(CommandActivities(store), store, key)
            doors = {n: Door(WorkflowCarrier(client, queues[n]), store, key) for n, client in clients.items()}
            await measure(args, doors, servers)
        await temporal_client.breathe()


async def measure(args: argparse.Namespace, doors: dict[str, Door], servers: Servers) -> None:
    """Round by round, each variant as often first as last."""
    print(f"load before {machine_load()[0]:.1f}; {args.rounds} rounds of {args.lives} lives, {args.at_once} at once")
    for door in doors.values():
        await live(door, args.lives, args.at_once)  # a warm-up
    cpu: dict[str, list[float]] = {name: [] for name in doors}
    took: dict[str, list[float]] = {name: [] for name in doors}
    for number in range(args.rounds):
        for name in BY_TURNS[number % 2]:
            before, began = spent(servers), time.perf_counter()
            await live(doors[name], args.lives, args.at_once)
            took[name].append((time.perf_counter() - began) / args.lives)
            cpu[name].append((spent(servers) - before) / args.lives)
    for name in doors:
        rate = 1 / statistics.median(took[name])
        print(f"{name:8}{rate:7.2f} lives/s{statistics.median(cpu[name]):9.1f} CPU ms a life")
    for what, figures in (("CPU", cpu), ("time", took)):
        ratios = sorted(s / c for s, c in zip(figures["sealed"], figures["clear"], strict=True))
        print(f"sealed to clear, {what}: {statistics.median(ratios):.3f}  ({ratios[0]:.3f} to {ratios[-1]:.3f})")


def spent(servers: Servers) -> float:
    """CPU milliseconds of everybody so far."""
    others = [server.process.pid for server in (servers.temporal, servers.postgres) if server.process is not None]
    return time.process_time() * 1000 + sum(map(cpu_ms, others))


async def live(door: Door, number: int, at_once: int) -> None:
    """So many lives of ten commands, so many of them at once."""
    places = asyncio.Semaphore(at_once)

    async def one() -> None:
        async with places:
            stream = StreamId.of(notes.KIND, LIVE, f"N-{uuid4().hex[:12]}")
            for command in notes.commands():
                await door.send(stream, command, HOST)

    await asyncio.gather(*(one() for _ in range(number)))


def main() -> None:
    """Read the options, and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--lives", type=int, default=20)
    parser.add_argument("--at-once", type=int, default=10)
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
