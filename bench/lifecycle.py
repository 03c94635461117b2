"""How fast lives go by, and what one costs, beside workflows that keep no record and workflows that record as is usual.

Run ``python bench/lifecycle.py``. It starts an embedded Postgres (fsync on) and an embedded Temporal with its file
database in a folder of their own, one worker process and one driver process; all variants share them and take turns in
each round, in shuffled order, after a warm-up. CPU is that of all parties, read from ``/proc``: Temporal, Postgres,
worker and driver (door and play). A figure is the median over the rounds; a ratio is the median of the rounds' ratios.

Two lives: *notes*, 25 events in 10 commands with a deadline in each stage, on the wall clock (``bench/notes.py``); and
*S1*, the first of the scenarios that come with the product, on a manual clock, which its door moves.

The variants: *ours*, whose door has commands of one stream that follow on one another travel in one update; *single*,
ours with an update for each command (on *notes*, whose callers ask one by one, the same as ours: how they differ there
is noise); *bare*, an update for each command with the same payloads, search attributes and timers, a local activity
that does nothing for each, and no record at all; *usual*, the same updates, and a regular activity for each event that
appends it to the same log, decided beforehand; *plain*, likewise, but each event is one row of a plain table, without
journal, guards, agenda or hash. All in the same sandbox under the same tuning (``bench/peers.py``).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import signal
import statistics
import sys
import time
from collections import Counter
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench import notes
from domain.kernel.clock import Clock

notes.install()  # before anything else takes the catalogue

import asyncpg
from temporalio import activity
from temporalio.client import WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.worker import Worker

import bootstrap
import temporal_client
from activities.carry_out import CommandActivities
from application import door as doors
from application.door import Door
from application.door_keys import publish_first_key
from application.workflow_carrier import WorkflowCarrier
from bench import script
from bench.meter import cpu_ms, machine_load
from bench.own_servers import own_servers
from bench.peers import BareWorkflow, PlainWorkflow, UsualWorkflow
from bench.surroundings import surroundings
from cli.scenario import list_shipped, plan_scenario
from domain.kernel.canonical import canonical
from domain.kernel.envelope import Answer, CarryOut, CarryOutResult, Ending, Envelope, Progress, WorkflowInput
from domain.kernel.identifier import LIVE, Actor, StreamId
from domain.registers.calendar import PublishCalendar, calendar_stream
from local import processes
from runtime.worker import TUNING, run_worker
from runtime.workflow_sandbox import sandbox
from scenarios.play import play
from schemes.calendars import load_published
from store.port import Append, AppendStatus, EntryKind, NewEvent, Standing, Write
from store.postgres import PostgresStore, open_pool
from workflows.kinds import workflow_type

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pydantic import BaseModel
    from temporalio.client import Client

    from bootstrap import Settings

VARIANTS = ("ours", "single", "bare", "usual", "plain")
PEERS = {"bare": "Bare", "usual": "Usual", "plain": "Plain"}
QUEUE = "bench-peers"
BUNDLE = doors.MOST_COMMANDS
HOST = Actor("HOST#1")
EVENT_META = canonical({"actor": HOST})
COMMAND_META = canonical({"actor": HOST, "outcome": {"accepted": ["Noted"]}, "digest": "0" * 64, "edition": 1})
PLAIN_TABLE = """
CREATE TABLE public.record (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, stream text NOT NULL, type text NOT NULL, data json NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON public.record (stream, id);
GRANT INSERT ON public.record TO venture_app;
"""


# -------------------------------------------------------------------------------------------------------- the worker


class Peers:
    """What the peers' activities do."""

    def __init__(self, pool: asyncpg.Pool[Any], store: PostgresStore) -> None:
        self._pool = pool
        self._store = store
        self._versions: Counter[StreamId] = Counter()

    @activity.defn(name="do_nothing")
    async def do_nothing(self, order: CarryOut) -> CarryOutResult:
        """Answer as it was answered once."""
        return script.step_of(order).carried

    @activity.defn(name="append")
    async def append(self, row: list[str]) -> None:
        """Append one event to the log; nobody else writes that stream."""
        stream, event, data = StreamId(row[0]), NewEvent(row[1], 1, EVENT_META, row[2].encode()), row[2].encode()
        now, version = datetime.now(UTC), self._versions[stream]
        self._versions[stream] += 1
        write = Write(stream, version, uuid4(), row[1], now, COMMAND_META, data, (event,))
        standing = Standing(stream, version + 1, "BENCH", now + timedelta(days=30), Clock.WALL, b"{}")
        answer = await self._store.append(Append((write,), (standing,)))
        if answer.status is not AppendStatus.APPENDED:
            raise RuntimeError(answer)

    @activity.defn(name="insert")
    async def insert(self, row: list[str]) -> None:
        """Insert one event."""
        await self._pool.execute("INSERT INTO public.record (stream, type, data) VALUES ($1, $2, $3)", *row)


async def work(settings: Settings, scripts: Path) -> None:
    """Serve ours and the peers until SIGTERM."""
    script.load(scripts)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with connected(settings) as (client, store):
        pool = await asyncpg.create_pool(address(settings), min_size=1, max_size=8)
        peers = Peers(pool, store)
        worker = Worker(
            client,
            task_queue=QUEUE,
            workflows=[BareWorkflow, UsualWorkflow, PlainWorkflow],
            activities=[peers.do_nothing, peers.append, peers.insert],
            workflow_runner=sandbox(client.data_converter, "bench.script"),  # the recorded scripts pass it
            **TUNING,
        )
        async with run_worker(settings, client, store), worker:
            print("ready", flush=True)
            await stop.wait()
        await pool.close()


# -------------------------------------------------------------------------------------------------------- the driver


async def drive(settings: Settings, scripts: Path) -> None:
    """Live lives as told on standard input, a line each; say on standard output how long they took."""
    script.load(scripts)
    async with connected(settings) as (client, store):
        door = Door(WorkflowCarrier(client, settings.task_queue), store, bootstrap.ensure_door_key(settings))
        driver = Driver(client, store, door)
        print("ready", flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            life, variant, number, at_once = line.split()
            began = time.perf_counter()
            await driver.live(life, variant, int(number), int(at_once))
            print(json.dumps({"seconds": time.perf_counter() - began}), flush=True)


class Driver:
    """Drives streams through their lives and times them."""

    def __init__(self, client: Client, store: PostgresStore, door: Door) -> None:
        self._client = client
        self._store = store
        self._door = door

    async def live(self, life: str, variant: str, number: int, at_once: int) -> None:
        """So many lives, so many of them at once."""
        places = asyncio.Semaphore(at_once)
        doors.MOST_COMMANDS = 1 if variant == "single" else BUNDLE

        async def one() -> None:
            async with places:
                if variant in PEERS:
                    await self._as_peer(life, PEERS[variant])
                elif life == "notes":
                    await notes_life(self._door)
                else:
                    (plan,) = plan_scenario(list_shipped()[:1], fresh=uuid4().hex)
                    played = await play(plan, self._door, self._store)
                    if not played.ok:
                        raise RuntimeError(played.as_json())

        await asyncio.gather(*(one() for _ in range(number)))

    async def _as_peer(self, life: str, workflow: str) -> None:
        """Ask what was asked once, of workflows of one's own; a stream's first command starts its workflow."""
        realm, running = f"x{uuid4().hex[:12]}", set[StreamId]()
        for number, step in enumerate(script.SCRIPTS[life].steps):
            stream = StreamId.of(step.kind, realm, step.name)
            argument: BaseModel
            if step.update == "fall_due":
                argument = CarryOut.model_validate({**step.argument, "stream": stream})
            else:
                changed = {"subject": stream, "command_id": uuid4(), "signature": script.mark(life, number)}
                argument = Envelope.model_validate({**step.argument, **changed})
            answers = Progress if step.update == "fall_due" else Answer
            await self._ask(workflow, stream, step.update, argument, answers, started=stream in running)
            (running.discard if step.carried.progress.final else running.add)(stream)

    async def _ask(
        self, workflow: str, stream: StreamId, update: str, argument: BaseModel, answers: type, *, started: bool
    ) -> None:
        if started:
            handle = self._client.get_workflow_handle(stream)
            await handle.execute_update(update, argument, result_type=answers)
            return
        start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
            workflow,
            WorkflowInput(stream=stream),
            id=stream,
            task_queue=QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary=stream,
        )
        await self._client.execute_update_with_start_workflow(
            update, argument, start_workflow_operation=start, result_type=answers
        )


async def notes_life(door: Door) -> None:
    """Ten commands on a stream of its own."""
    stream = StreamId.of(notes.KIND, LIVE, f"N-{uuid4().hex[:12]}")
    for command in notes.commands():
        await door.send(stream, command, HOST)


# --------------------------------------------------------------------------------------------------------- recording


class Recording(WorkflowCarrier):
    """A way to the workflows that writes down what it asks and what comes of it."""

    def __init__(self, client: Client, task_queue: str, store: PostgresStore) -> None:
        super().__init__(client, task_queue)
        self._store = store
        self.steps: list[script.RecordedUpdate] = []

    async def _update_once(self, update: str, stream: StreamId, argument: BaseModel, answers: Any, *more: Any) -> Any:  # noqa: ANN401
        before = await self._store.last_position()
        answer = await super()._update_once(update, stream, argument, answers, *more)
        if isinstance(answer, Answer) and answer.ending is Ending.EARLY:
            return answer  # a deadline comes first, and then this is asked again: nobody would ask a peer so
        entries = [e for e in await self._store.feed(before) if e.kind is EntryKind.EVENT]
        progress = await self._client.get_workflow_handle(stream).query("progress", result_type=Progress)
        if workflow_type(stream.kind) == "Register":
            progress = progress.model_copy(update={"final": progress.due is None})
        self.steps.append(
            script.RecordedUpdate(
                update=update,
                kind=stream.kind,
                name=stream.name,
                argument=argument.model_dump(mode="json"),
                carried=CarryOutResult(progress=progress, answer=answer if isinstance(answer, Answer) else None),
                events=[(e.type, e.data.decode()) for e in entries],
            )
        )
        return answer


async def recorded(settings: Settings, scripts: Path) -> None:
    """Live each life once and write down what happens; publish the working days before.

    What travels together is written down command by command: peers have no bundles.
    """
    doors.MOST_COMMANDS = 1
    key = bootstrap.ensure_door_key(settings)
    async with connected(settings) as (client, store), run_worker(settings, client, store):
        door = Door(WorkflowCarrier(client, settings.task_queue), store, key)
        await publish_first_key(CommandActivities(store), store, key)
        this_year = datetime.now(UTC).year
        for year in load_published(2024, max(2026, this_year)):
            days = PublishCalendar(
                year=year.year, version=year.version, off=tuple(sorted(year.off)), on=tuple(sorted(year.on))
            )
            await door.send(calendar_stream(LIVE), days, Actor("CAB-REG#1"))
        one = Recording(client, settings.task_queue, store)
        await notes_life(Door(one, store, key))
        script.SCRIPTS["notes"] = script.Script(steps=one.steps)
        two = Recording(client, settings.task_queue, store)
        (plan,) = plan_scenario(list_shipped()[:1], fresh="recording")
        played = await play(plan, Door(two, store, key), store)
        if not played.ok:
            raise RuntimeError(played.as_json())
        script.SCRIPTS["s1"] = script.Script(steps=two.steps)
    script.save(scripts)


# ---------------------------------------------------------------------------------------------------- the controller


def address(settings: Settings) -> str:
    """Of Postgres, as the application's role."""
    if settings.postgres_url is None:
        raise RuntimeError("no servers")
    return settings.postgres_url.get_secret_value()


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[tuple[Client, PostgresStore]]:
    """Temporal and the store."""
    pool = await open_pool(address(settings), largest=settings.pool_size)
    client = await temporal_client.connect_temporal(str(settings.temporal_address), settings)
    async with aclosing(PostgresStore(pool)) as store:
        yield client, store
    await temporal_client.breathe()


class Child:
    """A process of this bench that speaks by lines."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("it cannot be spoken with")
        self._process, self._ear, self._mouth = process, process.stdin, process.stdout
        self.pid = process.pid

    @classmethod
    async def started(cls, role: str, settings: Settings, scripts: Path) -> Child:
        """Start it; it dies with this process."""
        command = [sys.executable, __file__, "--role", role, "--scripts", str(scripts)]
        environment = surroundings(
            settings.home,
            temporal_address=str(settings.temporal_address),
            postgres_url=address(settings),
            log_level=settings.log_level,
        )
        process = await asyncio.create_subprocess_exec(
            *processes.bind_command(command, when_parent_dies=signal.SIGKILL),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=environment,
        )
        child = cls(process)
        await child.hear()
        return child

    async def hear(self) -> str:
        """The next line that the process writes."""
        line = await self._mouth.readline()
        if not line:
            raise RuntimeError("a process of the bench ended")
        return line.decode()

    async def ask(self, line: str) -> dict[str, Any]:
        """The process's answer to that line."""
        self._ear.write(line.encode() + b"\n")
        answer: dict[str, Any] = json.loads(await self.hear())
        return answer

    async def stop(self) -> None:
        """End the process."""
        self._process.terminate()
        await self._process.wait()


class Bench:
    """Rounds of variants, measured."""

    def __init__(self, pids: dict[str, int], driver: Child) -> None:
        self._pids = pids
        self._driver = driver
        self.rows: dict[tuple[str, str], list[dict[str, float]]] = {}

    async def measure(self, life: str, variant: str, number: int, at_once: int) -> dict[str, float]:
        """So many lives: a second's worth of them, and CPU milliseconds of each party for one."""
        before = {name: cpu_ms(pid) for name, pid in self._pids.items()}
        took = await self._driver.ask(f"{life} {variant} {number} {at_once}")
        await asyncio.sleep(0.3)  # what is done after the last answer counts too
        cost = {name: (cpu_ms(pid) - before[name]) / number for name, pid in self._pids.items()}
        row = {"rate": number / float(took["seconds"]), "cpu_ms": sum(cost.values()), **cost}
        print(life, variant, {name: round(value, 2) for name, value in row.items()}, file=sys.stderr, flush=True)
        return row

    async def round(self, lives: dict[str, tuple[int, int]], variants: list[str]) -> None:
        """Every variant of every life once, in random order."""
        for life, (number, at_once) in lives.items():
            for variant in random.sample(variants, len(variants)):
                row = await self.measure(life, variant, number, at_once)
                self.rows.setdefault((life, variant), []).append(row)

    def median(self, life: str, variant: str, what: str) -> float:
        """The median over the rounds."""
        return statistics.median(row[what] for row in self.rows[life, variant])

    def ratio(self, life: str, peer: str, what: str) -> list[float]:
        """Ours to the peer's in each round, larger is better; sorted."""
        pairs = zip(self.rows[life, "ours"], self.rows[life, peer], strict=True)
        return sorted(a[what] / b[what] if what == "rate" else b[what] / a[what] for a, b in pairs)


async def run(args: argparse.Namespace) -> None:
    """Start everything, take turns, print."""
    async with own_servers("warning") as (base, servers):
        owner = await asyncpg.connect(servers.owner_url)
        await owner.execute("GRANT USAGE ON SCHEMA public TO venture_app;" + PLAIN_TABLE)
        await owner.close()
        settings = bootstrap.settings(
            home=base.home,
            log_level=base.log_level,
            postgres_url=servers.postgres_url,
            temporal_address=servers.temporal_address,
        )
        scripts = settings.home / "scripts.json"
        await recorded(settings, scripts)
        worker = await Child.started("worker", settings, scripts)
        driver = await Child.started("driver", settings, scripts)
        if servers.temporal.process is None or servers.postgres.process is None:
            raise RuntimeError("these servers are another's")
        pids = {
            "temporal": servers.temporal.process.pid,
            "postgres": servers.postgres.process.pid,
            "worker": worker.pid,
            "driver": driver.pid,
        }
        bench = Bench(pids, driver)
        lives = {"notes": (args.notes, args.at_once), "s1": (args.plays, args.plays)}
        lives = {life: size for life, size in lives.items() if life in args.lives}
        for life in lives:  # warm up
            for variant in args.variants:
                await bench.measure(life, variant, 10 if life == "notes" else 1, 10)
        print("pids", pids, file=sys.stderr, flush=True)
        load = machine_load()[0]
        for number in count(1):
            await bench.round(lives, args.variants)
            if number == args.rounds:
                break
        report(bench, list(lives), args, load)
        await driver.stop()
        await worker.stop()


def report(bench: Bench, lives: list[str], args: argparse.Namespace, load: float) -> None:
    """A table for people, then one line of JSON."""
    figures: dict[str, Any] = {"bench": "lifecycle", "rounds": args.rounds, "load_before": round(load, 2)}
    for life in lives:
        steps = script.SCRIPTS[life].steps
        events = sum(len(step.events) for step in steps)
        print(f"\n{life}: {events} events in {len(steps)} updates")
        print(f"{'':8}{'lives/s':>9}{'CPU ms':>9}{'temporal':>10}{'postgres':>10}{'worker':>8}{'driver':>8}")
        figures[life] = {"events": events, "updates": len(steps)}
        for variant in args.variants:
            names = ("rate", "cpu_ms", "temporal", "postgres", "worker", "driver")
            row = figures[life][variant] = {name: round(bench.median(life, variant, name), 2) for name in names}
            print(
                f"{variant:8}{row['rate']:9.2f}{row['cpu_ms']:9.1f}{row['temporal']:10.1f}{row['postgres']:10.1f}"
                f"{row['worker']:8.1f}{row['driver']:8.1f}"
            )
        for peer in [v for v in args.variants if v != "ours" and "ours" in args.variants]:
            for what in ("rate", "cpu_ms"):
                ratios = [round(r, 3) for r in bench.ratio(life, peer, what)]
                figures[life][f"{what}_ratio_to_{peer}"] = {
                    "median": round(statistics.median(ratios), 3),
                    "all": ratios,
                }
            rate, cpu = (figures[life][f"{what}_ratio_to_{peer}"]["median"] for what in ("rate", "cpu_ms"))
            print(f"ours to {peer}: {rate:.2f} by lives per second, {cpu:.2f} by CPU")
    print(json.dumps(figures))


def main() -> None:
    """Run one of the processes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--notes", type=int, default=40, help="lives of 10 commands a round")
    parser.add_argument("--at-once", type=int, default=30, help="of them at once")
    parser.add_argument("--plays", type=int, default=2, help="plays of S1 a round, all at once")
    parser.add_argument("--lives", nargs="+", default=["notes", "s1"], choices=["notes", "s1"])
    parser.add_argument("--variants", nargs="+", default=list(VARIANTS[:4]), choices=VARIANTS)
    parser.add_argument("--role", choices=["controller", "worker", "driver"], default="controller", help="internal")
    parser.add_argument("--scripts", type=Path, help="internal")
    args = parser.parse_args()
    if args.role == "controller":
        asyncio.run(run(args))
        return
    settings = bootstrap.settings()
    bootstrap.configure_logging(settings)
    asyncio.run((work if args.role == "worker" else drive)(settings, args.scripts))


if __name__ == "__main__":
    main()
