"""A week at the office, in minutes: stories and clerks go on while all that docs/operations.md foretells happens to it.

``python -m tests.office_week`` says what each day brought; exit code 1 if anything is not as it must be.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4

import structlog

import bootstrap
import temporal_client
from application.builds import read_current
from application.door import Door, NotKnown, Receipt
from application.workflow_carrier import WorkflowCarrier
from audit.verification import verify
from cli.scenario import plan_scenario
from domain.kernel.acting import PersonId
from domain.kernel.identifier import Actor, StreamId
from local import processes, temporal
from local.postgres import APPLICATION, AUDITOR
from scenarios.play import SilentPlay, play
from store.memory import MemoryStore
from store.migration import migrate
from store.port import EntryKind
from store.postgres import PostgresStore, open_pool
from tests.cli.installation import in_process
from tests.keys import KEY, SEED, publish
from tests.packaging.deployment import Deployment, Flavour, list_flavours
from tests.paper import open_paper_door
from tests.workflows.bureau import verification
from tests.workflows.processes import HOUSE, kill
from tests.workflows.waiting import until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from temporalio.client import Client

    from audit.verification import Verification
    from local.temporal import Temporal
    from scenarios.plan import Plan, PlannedCommand
    from scenarios.play import PlayResult
    from tests.packaging.deployment import Node

CLERKS: Final = {"CAB-REG#1": "P-3", "CAB-REG#2": "P-4", "CAB-REG#3": "P-5"}
"""Who works on the wall clock all week, and on which seat."""
BUILDS: Final = ("2026.1", "2026.2")
WORKERS: Final = 2
"""Of each build."""
WELL_S: Final = 150.0
"""Within which doctor is content after each day: for a minute an archive is behind, and followers look again."""
PAUSE_S: Final = 0.2
"""Of a clerk, between two commands."""
ADMINISTRATOR: Final = ("--as", "ADMIN#1", "--person", "P-1")
LOST: Final = 3
"""Commands that are answered after the instant to which the log is restored."""
BEYOND_THIS_MACHINE: Final = {
    *("Temporal store", "history shards", "TLS to Temporal", "strangers at Temporal", "certificates"),
}
"""What doctor finds of a development server of Temporal, whatever is done; each is told in docs/operations.md."""
FOUNDING: Final = """key publish
do found-office office --as ADMIN#1 administrators=P-1,P-2"""


@dataclass
class DeployedOffice:
    """Servers by URL, workers of builds, and everybody who is at work there."""

    home: Path
    deployment: Deployment
    temporal: Temporal
    environment: dict[str, str]
    client: Client
    store: PostgresStore
    door: Door
    workers: dict[str, list[subprocess.Popen[bytes]]] = field(default_factory=dict)
    kept: Verification = field(init=False)
    """The log as it stood at the instant to which it is restored."""
    receipts: dict[UUID, tuple[StreamId, Receipt]] = field(default_factory=dict)
    """What clerks were answered."""
    asked_again: int = 0
    """How often a clerk heard that it is not known, and asked again under the same id."""

    async def venture(self, *words: str, exits: tuple[int, ...] = (0,)) -> str:
        """A command as the administrator types it; what it printed."""
        answer = await asyncio.to_thread(in_process, words, self.environment)
        assert answer.exit_code in exits, f"venture {' '.join(words)}: {answer.exit_code}\n{answer.output}"
        return answer.output

    async def read(self, *words: str, exits: tuple[int, ...] = (0,)) -> Any:
        """The same for a machine."""
        answer = await asyncio.to_thread(in_process, (*words, "-o", "json"), self.environment)
        assert answer.exit_code in exits, f"venture {' '.join(words)}: {answer.exit_code}\n{answer.output}"
        return json.loads(answer.stdout)

    def start_workers(self, build: str) -> list[Path]:
        """As many as there are of each build; where they say what they do."""
        logs = [self.home / "logs" / f"worker-{build}-{number}.log" for number in range(WORKERS)]
        environment = processes_environment(self.environment, VENTURE_BUILD_ID=build)
        command = [sys.executable, str(HOUSE / "worker.py")]
        self.workers[build] = [
            processes.spawn(command, log=log, when_parent_dies=signal.SIGKILL, env=environment) for log in logs
        ]
        return logs

    async def until_well(self) -> None:
        """Wait until doctor finds nothing but what this machine cannot have."""
        wrong: list[dict[str, Any]] = []
        known = BEYOND_THIS_MACHINE | (set() if self.deployment.flavour.tls else {"Postgres ssl"})

        async def well() -> bool:
            rows = await self.read("doctor", "--production", exits=(0, 6))
            wrong[:] = [row for row in rows if row["ok"] is False and row["part"] not in known]
            return not wrong

        try:
            began = time.monotonic()
            await until(well, within_s=WELL_S)
            say(f"  doctor is content ({time.monotonic() - began:.1f} s)")
        except TimeoutError:
            msg = f"doctor finds {[(row['part'], row['state']) for row in wrong]}"
            raise AssertionError(msg) from None


def processes_environment(ours: dict[str, str], **more: str) -> dict[str, str]:
    """What a worker process has: nothing of whoever runs this."""
    return {**ours, "PYTHONPATH": str(HOUSE), "PATH": "/usr/bin:/bin", **more}


def say(words: str) -> None:
    """To whoever watches."""
    sys.stderr.write(f"{words}\n")


@asynccontextmanager
async def open_office(home: Path, flavour: Flavour) -> AsyncIterator[DeployedOffice]:
    """Three servers of the log, Temporal, two workers of the first build; an office with its persons and seats."""
    (home / "logs").mkdir(parents=True)
    deployment = Deployment.at(home / "log", flavour)
    temporals = temporal.start(home, list(bootstrap.SEARCH_ATTRIBUTES.items()))
    office: DeployedOffice | None = None
    try:
        await temporal.wait_until_ready(temporals, home)
        first = await deployment.begin()
        for name in ("log_2", "log_3"):
            await deployment.attach(deployment.node(name), first)
        for name in ("log_1", "log_2", "log_3"):  # where they will be restored to; the URL names those machines, too
            deployment.node(name, f"{name}_anew")
        await migrate(deployment.url(first), app_role=APPLICATION, auditor_role=AUDITOR)
        environment = {
            "VENTURE_ENV": "production",
            "VENTURE_HOME": str(home),
            "VENTURE_LANG": "en",
            "VENTURE_POSTGRES_URL": deployment.url_of_all(APPLICATION),
            "VENTURE_TEMPORAL_ADDRESS": temporals.address,
            "VENTURE_DOOR_KEY": SEED,
            "VENTURE_PAYLOAD_KEYS": f"k1:{'5' * 64}",
            "VENTURE_DOCUMENTS": str(home / "documents"),
        }
        settings = bootstrap.settings(payload_keys=environment["VENTURE_PAYLOAD_KEYS"])
        client = await temporal_client.connect_temporal(temporals.address, settings)
        pool = await open_pool(environment["VENTURE_POSTGRES_URL"])
        store = PostgresStore(pool)
        door = Door(WorkflowCarrier(client, settings.task_queue), store, KEY)
        office = DeployedOffice(home, deployment, temporals, environment, client, store, door)
        await _until_ready(office.start_workers(BUILDS[0]))
        await _found(office)
        yield office
    finally:
        if office is not None:
            for worker in [each for build in office.workers.values() for each in build]:
                kill(worker)
            await office.store.aclose()
            pool.terminate()
            temporals = office.temporal
        assert temporals.process is not None
        kill(temporals.process)
        deployment.close()


async def _until_ready(logs: Sequence[Path]) -> None:
    async def ready() -> bool:
        texts = [await asyncio.to_thread(log.read_bytes) for log in logs]
        return all(b"worker.ready" in words for words in texts)

    await until(ready)


async def _found(office: DeployedOffice) -> None:
    """Two administrators, and the clerks on their seats."""
    for line in FOUNDING.splitlines():
        await office.venture(*line.split())
    second = ("--as", "ADMIN#2", "--person", "P-2")
    for seat, person in CLERKS.items():
        await office.venture("person", "register", *ADMINISTRATOR)
        await office.venture("seat", "establish", seat, *ADMINISTRATOR)
        proposed = re.search(
            r"digest\D*([0-9a-f]{8})", await office.venture("seat", "grant", seat, person, *ADMINISTRATOR)
        )
        assert proposed is not None
        await office.venture("seat", "confirm", seat, proposed[1], *second)


# ------------------------------------------------------------------------------------------------------ who works there


async def _ask(office: DeployedOffice, seat: str, number: int) -> UUID:
    """One organisation verified by a clerk, asked again under the same id until it is known."""
    stream, command_id = StreamId.of("organisation", "live", f"ORG-{seat[-1]}{number:04}"), uuid4()
    await _ask_until_known(office, seat, stream, command_id)
    return command_id


async def _ask_until_known(office: DeployedOffice, seat: str, stream: StreamId, command_id: UUID) -> None:
    while True:
        try:
            receipt = await office.door.send(
                stream, verification(), Actor(seat), command_id=command_id, person=PersonId(CLERKS[seat])
            )
        except NotKnown:
            office.asked_again += 1
            await asyncio.sleep(PAUSE_S)
            continue
        office.receipts[command_id] = (stream, receipt)
        return


@asynccontextmanager
async def _clerks(office: DeployedOffice, first: int = 0) -> AsyncIterator[None]:
    """All clerks work while the block runs, and end what they have begun."""
    ended = asyncio.Event()

    async def work(seat: str) -> None:
        number = first
        while not ended.is_set():
            number += 1
            await _ask(office, seat, number)
            with suppress(TimeoutError):
                async with asyncio.timeout(PAUSE_S):
                    await ended.wait()

    async with asyncio.TaskGroup() as group:
        for seat in CLERKS:
            group.create_task(work(seat))
        try:
            yield
        finally:
            ended.set()


class _Halfway(SilentPlay):
    """Says when half of a story is told."""

    def __init__(self, plan: Plan) -> None:
        self._left = len(plan.orders) // 2
        self.reached = asyncio.Event()

    def on_row(self, row: PlannedCommand) -> None:  # noqa: ARG002 - whichever row it is
        self._left -= 1
        if self._left <= 0:
            self.reached.set()


async def _tell(office: DeployedOffice, name: str, strike: Callable[[DeployedOffice], Awaitable[str]]) -> StreamId:
    """A story from its first row to its end, struck in its middle; it ends as it does undisturbed."""
    (plan,) = plan_scenario([next((HOUSE / "scenarios").glob(f"{name}-*.yaml"))])
    halfway = _Halfway(plan)
    telling: asyncio.Task[PlayResult] = asyncio.create_task(play(plan, office.door, office.store, halfway))
    reached = asyncio.create_task(halfway.reached.wait())
    await asyncio.wait({telling, reached}, return_when=asyncio.FIRST_COMPLETED)
    reached.cancel()
    began = time.monotonic()
    words = await strike(office)
    struck_s = time.monotonic() - began
    report = await telling
    assert report.ok, report.as_json()
    memory = MemoryStore()
    await publish(memory)
    undisturbed = await play(plan, open_paper_door(memory), memory)
    assert report.as_json() == undisturbed.as_json(), "as if nothing had been"
    say(f"{words} ({struck_s:.1f} s; {name}: {report.rows} rows)")
    return next(iter(report.projects.values())).stream


# ------------------------------------------------------------------------------------------------------ what happens


async def nothing(office: DeployedOffice) -> str:  # noqa: ARG001 - as the others
    """An ordinary day."""
    return "Monday: an ordinary day"


async def roll(office: DeployedOffice) -> str:
    """Workers of the next build beside the old ones, which then end."""
    old, new = BUILDS
    office.start_workers(new)
    await _make_current(office, new)
    for worker in office.workers[old]:
        worker.send_signal(signal.SIGTERM)
    codes = [await asyncio.to_thread(worker.wait, 60) for worker in office.workers.pop(old)]
    assert codes == [0] * WORKERS, codes
    await office.venture("builds", "move", "--from", old, *ADMINISTRATOR, "--reason", "upgrade")
    return f"Tuesday: build {new} in place of {old}"


async def _make_current(office: DeployedOffice, build: str) -> None:
    """Have new runs begin on that build, once Temporal has heard of it."""

    async def made() -> bool:  # exit code 3 until then
        words = ("builds", "current", build, *ADMINISTRATOR, "--reason", "serves from now on")
        return (await asyncio.to_thread(in_process, words, office.environment)).exit_code == 0

    await until(made)


async def promote(office: DeployedOffice) -> str:
    """The primary dies; of its standbys the newer takes its place, and the old one follows it."""
    deployment = office.deployment
    first, *others = (deployment.nodes[name] for name in ("log_1", "log_2", "log_3"))
    died = time.monotonic()
    deployment.kill(first)
    before = len(office.receipts)
    promoted = await deployment.promote_newest(others)

    async def answered() -> bool:
        return len(office.receipts) > before + len(CLERKS)  # those under way may have been answered by the dead one

    await until(answered)
    answered_s = time.monotonic() - died
    await deployment.rejoin(first, promoted)
    backup = deployment.home / "backups" / "tonight"
    await deployment.run("backup", promoted, deployment.primary(promoted), str(backup))
    return f"Wednesday: {promoted.name} promoted, answers again after {answered_s:.1f} s, the old primary follows it"


async def lose_temporal(office: DeployedOffice) -> str:
    """Temporal's data are gone, and an empty one is begun anew from the log."""
    await _empty_temporal(office)
    await _begin_anew(office, "a new cluster")
    return "Thursday: Temporal lost, and begun anew from the log"


async def _empty_temporal(office: DeployedOffice) -> None:
    assert office.temporal.process is not None
    kill(office.temporal.process)
    for file in office.home.glob("temporal.db*"):
        file.unlink()
    office.temporal = temporal.start(office.home, list(bootstrap.SEARCH_ATTRIBUTES.items()), office.temporal.port)
    await temporal.wait_until_ready(office.temporal, office.home)


async def _begin_anew(office: DeployedOffice, why: str) -> None:
    """Every workflow from the log, once the workers have found the new Temporal, which knows no build of theirs."""
    (build,) = office.workers

    async def is_current() -> bool:
        return await read_current(office.client, "venture") == build

    await until(is_current)
    await office.read("resurrect", *ADMINISTRATOR, "--reason", why, exits=(0, 6))


async def restore(office: DeployedOffice, stories: Sequence[StreamId]) -> str:
    """All servers of the log and Temporal are gone: another machine, restored to a second, with an empty Temporal."""
    deployment = office.deployment
    (primary,) = [node for node in deployment.nodes.values() if node.process and await _takes_appends(deployment, node)]
    before = [await _answer(office, stream) for stream in stories]
    kept = office.kept = await verify(office.store)
    await asyncio.sleep(1.1)
    instant = datetime.now(UTC).isoformat(sep=" ", timespec="milliseconds")
    await asyncio.sleep(1.1)
    lost = [await _ask(office, next(iter(CLERKS)), 9000 + number) for number in range(LOST)]
    beyond = await verify(office.store)
    await deployment.until_archived(primary)
    for name in ("log_1", "log_2", "log_3"):
        deployment.kill(deployment.nodes[name])

    began = time.monotonic()
    anew, *standbys = (deployment.nodes[f"{name}_anew"] for name in ("log_1", "log_2", "log_3"))
    await deployment.run("restore", anew, str(deployment.home / "backups" / "tonight"), instant)
    await deployment.serve(anew)
    await _empty_temporal(office)

    async def writable() -> bool:
        return await _takes_appends(deployment, anew)

    await until(writable)
    roots = [word for each in (kept, beyond) for word in ("--root", f"{each.entries}:{each.root}")]
    report = await office.read("restore-check", *roots, exits=(6,))
    await _begin_anew(office, "restored")
    restored_s = time.monotonic() - began
    assert (report["log"]["unchanged_to"], report["lost_at_least"]) == (kept.entries, beyond.entries - kept.entries), (
        report
    )
    assert [await _answer(office, stream) for stream in stories] == before, "as they were answered before"
    for command_id in lost:  # whoever was answered since asks again under the same id
        stream, receipt = office.receipts[command_id]
        await _ask_until_known(office, next(iter(CLERKS)), stream, command_id)
        assert not office.receipts[command_id][1].repeated, f"what was lost is carried out anew: {receipt}"
    for standby in standbys:
        await deployment.attach(standby, anew)
    own = anew.data / "node.conf"
    own.write_text("".join(line for line in own.read_text().splitlines(True) if "synchronous" not in line))
    await deployment.ask(anew, "SELECT pg_reload_conf()")
    return (
        f"Friday: restored in {restored_s:.1f} s; {beyond.entries - kept.entries} entries of {LOST} commands "
        "were lost and are there again"
    )


async def _takes_appends(deployment: Deployment, node: Node) -> bool:
    return await deployment.ask(node, "SELECT pg_is_in_recovery()") == "False"


async def _answer(office: DeployedOffice, stream: StreamId) -> Any:
    """What a person is told of that file."""
    return await office.read("project", "show", stream)


# ------------------------------------------------------------------------------------------------------ the week's end


async def close_the_week(office: DeployedOffice, stories: Sequence[StreamId]) -> str:
    """Everything that must hold of a week like any other."""
    await office.until_well()
    for words in (("audit", "invariants"), ("audit", "verify"), ("reconcile",)):
        await office.venture(*words)
    report = await office.read("audit", "verify", "--root", f"{office.kept.entries}:{office.kept.root}")
    assert report["unchanged_to"] == office.kept.entries, "what was before the restore is what it was"
    organisations = sorted({stream for stream, _ in office.receipts.values()})
    for stream in (*stories, *organisations[:: max(1, len(organisations) // 20)]):
        await office.venture("audit", "replay", stream)
    times: Counter[UUID] = Counter()
    entries = 0
    while batch := await office.store.feed(entries):
        entries = batch[-1].position
        times.update(entry.command_id for entry in batch if entry.kind is EntryKind.COMMAND)
    assert set(times.values()) == {1}, "each command is recorded once"
    assert office.receipts.keys() <= times.keys(), "and what was answered is recorded"
    for command_id, (stream, receipt) in office.receipts.items():
        versions = [e.version async for e in office.store.read(stream) if e.command_id == command_id]
        assert versions == [receipt.version], f"{stream} {command_id}: {versions}, told {receipt.version}"
    return (
        f"{entries} entries of {len(times)} commands, {len(office.receipts)} of them the clerks', "
        f"who asked {office.asked_again} times again: each is recorded once"
    )


async def spend(home: Path, flavour: Flavour) -> None:
    """The week, from Monday to its audit. Raises AssertionError where anything is not as it must be."""
    async with open_office(home, flavour) as office:
        stories = []
        async with _clerks(office):
            for name, strike in (("s2", nothing), ("s6", roll), ("s7", promote), ("s9", lose_temporal)):
                stories.append(await _tell(office, name, strike))
                await office.until_well()
        say(await restore(office, stories))
        async with _clerks(office, first=5000):
            stories.append(await _tell(office, "s4", sleep))
        say(await close_the_week(office, stories))


async def sleep(office: DeployedOffice) -> str:
    """The restored house is one like any other."""
    await office.until_well()
    return "Saturday: people go on at the restored house"


def main() -> int:
    """Spend a week, with encryption where this machine's Postgres can, and say what it brought."""
    folder = Path(tempfile.mkdtemp(prefix="office-"))
    *_, flavour = list_flavours()
    say(f"Postgres {flavour}")
    try:
        asyncio.run(spend(folder / "week", flavour))
    except (AssertionError, ExceptionGroup) as wrong:
        for each in wrong.exceptions if isinstance(wrong, ExceptionGroup) else (wrong,):
            say(f"✗ {each!r}")
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    say("✓ everything holds")
    return 0


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)  # the house cries out all week
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    sys.exit(main())
