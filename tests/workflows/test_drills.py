"""The drills of docs/drills.md: Temporal's data lost in the middle of a story, and Postgres from an older backup."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import asyncpg
import pytest

import bootstrap
from application.annual_round import AnnualRoundSchedule, list_schedules
from application.documents import Console
from application.reconcile import Discrepancy, reconcile, resurrect
from application.rules import publish_scheme
from audit.verification import verify
from cli.scenario import plan_scenario
from domain.kernel.envelope import Progress
from domain.kernel.identifier import Actor
from domain.need import AdoptNeed, EndorseNeed
from domain.registers.scheme import ScheduleAnnualRound
from followers.schedules import RoundSchedules, schedule_id
from local import binaries, postgres, processes, server_account
from local.postgres import APPLICATION, DATABASE, OWNER, SUPERUSER
from runtime.documents import open_documents
from scenarios.play import SilentPlay, play
from store.postgres import PostgresStore, open_pool
from tests.application.test_disposal import SHARED
from tests.cli.installation import in_process
from tests.keys import bare_meta
from tests.workflows.breakable import Breakable, breakable
from tests.workflows.bureau import RULES, need_submission
from tests.workflows.processes import HOUSE
from tests.workflows.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from domain.kernel.identifier import StreamId
    from local.postgres import Postgres
    from scenarios.plan import Plan, PlannedCommand
    from store.port import EventStore
    from tests.conftest import Desk

S2 = Path(__file__).parents[2] / "scenarios" / "s2-fuzhou.yaml"
COMMUNITY, OFFICER = Actor("COMM#1"), Actor("CAB-REG#1")


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Breakable]:
    """A house of these tests' own, which may be damaged."""
    async with breakable(bootstrap.settings(home=tmp_path_factory.mktemp("house"))) as one:
        yield one


def _lose_temporals_data(house: Breakable) -> None:
    """The database file is gone, and then the server; whoever keeps the servers starts an empty one."""
    for file in house.settings.home.glob("temporal.db*"):
        file.unlink()
    house.kill_temporal()


async def _differences(house: Breakable) -> dict[str, Discrepancy]:
    findings = (await reconcile(house.store, house.client, house.settings.task_queue)).findings
    return {f.stream: f.difference for f in findings}


async def _listed(house: Breakable, *running: StreamId) -> None:
    """Wait until Temporal's list, which follows a moment later, has them."""

    async def there() -> bool:
        ids = [w.id async for w in house.client.list_workflows("ExecutionStatus = 'Running'")]
        return set(running) <= set(ids)

    await until(there)


async def _agree(house: Breakable) -> None:
    async def agree() -> bool:
        return not await _differences(house)

    await until(agree)


# ---------------------------------------------------------------- Temporal's data


class Loser(SilentPlay):
    """Loses Temporal's data after so many rows."""

    def __init__(self, house: Breakable, after: int) -> None:
        self._house = house
        self._left = after

    def on_row(self, row: PlannedCommand) -> None:  # noqa: ARG002 - whichever row it is
        self._left -= 1
        if self._left == 0:
            _lose_temporals_data(self._house)


async def _scheduled(house: Breakable, schedules: RoundSchedules, programme: StreamId) -> AnnualRoundSchedule:
    """A round every year, its schedule set by the follower: who has seen to it once does not look again."""
    await publish_scheme(house.door, house.store, RULES, Actor("CAB-DEC#1"), programme.realm)
    await house.door.send(programme, ScheduleAnnualRound(programme="FZ", month=3, day=1), OFFICER)

    async def is_set() -> bool:
        (listed,) = await list_schedules(house.store, schedules, programme)
        return listed.next_at is not None

    await until(is_set)
    (listed,) = await list_schedules(house.store, schedules, programme)
    return listed


async def _log(store: EventStore, plan: Plan) -> list[tuple[object, ...]]:
    """Everything that is recorded in the play's realm, in order; without what no two runs have in common."""
    streams = [row.stream async for row in store.standings(realm=plan.realm)]
    entries = [entry for stream in streams for entry in [e async for e in store.read(stream, commands=True)]]
    return [
        (e.stream, e.version, e.kind, e.type, e.command_id, e.occurred_at, bare_meta(e), e.data)
        for e in sorted(entries, key=lambda e: e.position)
    ]


@pytest.mark.full
@pytest.mark.timeout(240)
async def test_temporals_data_lost_in_the_middle_of_a_story_is_made_again_from_the_log(
    desk: Desk, house: Breakable
) -> None:
    (plan,) = plan_scenario([S2])
    undisturbed = await play(plan, desk.door, desk.store)
    bureau = house.bureau()
    waiting = await bureau.open_round()
    await house.door.look(waiting)
    await _listed(house, waiting)
    programme, schedules = (
        house.bureau().id("scheme", "fuzhou"),
        RoundSchedules(house.client, house.settings.task_queue),
    )
    annual = await _scheduled(house, schedules, programme)

    disturbed = await play(plan, house.door, house.store, Loser(house, len(plan.orders) // 2))

    assert disturbed.ok, disturbed.as_json()
    assert disturbed.as_json() == undisturbed.as_json()
    assert await _log(house.store, plan) == await _log(desk.store, plan)
    differences = await _differences(house)
    assert (differences[waiting], differences[schedule_id(annual.schedule.annual)]) == (
        Discrepancy.MISSING,
        Discrepancy.MISSING,
    )
    await resurrect(house.store, house.client, house.settings.task_queue, house.door)
    await _listed(house, waiting)
    await _agree(house)
    progress = await house.client.get_workflow_handle(waiting).query("progress", result_type=Progress)
    (row,) = [row async for row in house.store.standings(kind="round", realm=bureau.realm)]
    assert (progress.version, progress.due) == (1, row.due_at)
    assert await list_schedules(house.store, schedules, programme) == [annual]


# ---------------------------------------------------------------- Postgres from a backup


def _tool(name: str, *arguments: str, password: str) -> None:
    """One of Postgres's own tools, of the same version as the server."""
    subprocess.run(  # noqa: S603 - our own binary, no shell
        [str(binaries.find_postgres() / name), *arguments],
        check=True,
        capture_output=True,
        env={**os.environ, "PGPASSWORD": password},
    )


def _as_superuser(server: Postgres) -> tuple[str, ...]:
    return ("--host=127.0.0.1", f"--port={server.port}", f"--username={SUPERUSER}")


def _dump(house: Breakable, to: Path) -> None:
    server = house.servers.postgres
    password = server.passwords[SUPERUSER]
    _tool("pg_dump", *_as_superuser(server), "--format=custom", f"--file={to}", DATABASE, password=password)


async def _restore(house: Breakable, dump: Path) -> None:
    server = house.servers.postgres
    password = server.passwords[SUPERUSER]
    connection = await asyncpg.connect(server.url(SUPERUSER))
    try:
        await connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")
        await connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
    finally:
        await connection.close()
    to = f"--dbname={DATABASE}"
    await asyncio.to_thread(
        _tool, "pg_restore", *_as_superuser(server), "--exit-on-error", to, str(dump), password=password
    )


@pytest.mark.full
@pytest.mark.timeout(240)
async def test_after_an_older_backup_the_difference_is_shown_and_resolved_on_the_side_of_the_log(
    house: Breakable, tmp_path: Path
) -> None:
    bureau = house.bureau()
    await bureau.open_round()
    kept, lost = bureau.id("need", "ND-1"), bureau.id("need", "ND-2")
    await house.door.send(kept, need_submission(), COMMUNITY)
    dump = tmp_path / "venture.dump"
    await asyncio.to_thread(_dump, house, dump)
    position = await house.store.last_position()

    endorsement = uuid4()
    await house.door.send(kept, EndorseNeed(), Actor("COMM#2"), command_id=endorsement)
    await house.door.send(lost, need_submission("孤寡老人"), COMMUNITY)
    await _listed(house, kept, lost)
    house.kill_worker()
    await _restore(house, dump)
    await house.well()
    house.start_worker()

    assert await house.store.last_position() == position
    assert (await verify(house.store)).ok

    async def answered() -> bool:  # the worker has only just been started
        return Discrepancy.SILENT not in (await _differences(house)).values()

    await until(answered)
    differences = await _differences(house)
    assert (differences[kept], differences[lost]) == (Discrepancy.AHEAD, Discrepancy.STRAY)

    await resurrect(house.store, house.client, house.settings.task_queue, house.door)

    async def followed() -> bool:
        return await _differences(house) == {lost: Discrepancy.STRAY}

    await until(followed)
    progress = await house.client.get_workflow_handle(kept).query("progress", result_type=Progress)
    assert progress.version == 1, "the log's, not what the workflow remembered"
    await resurrect(house.store, house.client, house.settings.task_queue, house.door, strays=True)
    assert await house.client.get_workflow_handle(lost).result() is None
    await _agree(house)

    again = await house.door.send(kept, EndorseNeed(), Actor("COMM#2"), command_id=endorsement)
    assert (again.repeated, again.version) == (False, 2), "what the backup did not have is carried out when asked again"
    assert (await house.door.send(lost, need_submission("孤寡老人"), COMMUNITY)).version == 1
    await house.door.send(kept, AdoptNeed(), OFFICER)


def _base_backup(server: Postgres, home: Path) -> None:
    """A base backup as the data folder of a new state folder."""
    home.mkdir()
    (home / "logs").mkdir()
    account = server_account.choose_account(home, home / postgres.DATA)
    tools, data = account.within_reach(binaries.find_postgres()), account.data_folder(home / postgres.DATA)
    command = [
        *(*account.prefix, str(tools / "pg_basebackup"), *_as_superuser(server)),
        *(f"--pgdata={data}", "--checkpoint=fast", "--wal-method=stream"),
    ]
    subprocess.run(  # noqa: S603 - our own binary, no shell
        processes.bind_command(command, when_parent_dies=signal.SIGKILL, uid=account.uid),
        cwd="/",
        check=True,
        capture_output=True,
        env={**os.environ, "PGPASSWORD": server.passwords[SUPERUSER]},
    )
    if account.place is not None:
        (home / postgres.DATA).symlink_to(data)


@pytest.mark.full
async def test_a_base_backup_taken_while_people_work_starts_whole_and_verifies(
    house: Breakable, tmp_path: Path
) -> None:
    bureau = house.bureau()
    await bureau.open_round()
    home, done = tmp_path / "restored", asyncio.Event()

    async def working() -> int:
        number = 0
        while not done.is_set():
            number += 1
            await bureau.straight(bureau.id("need", f"ND-{number}"), need_submission(), "COMM#1")
        return number

    before = await house.store.last_position()
    people = asyncio.create_task(working())
    try:
        await asyncio.to_thread(_base_backup, house.servers.postgres, home)
    finally:
        done.set()
        assert await people > 0
    shutil.copytree(house.settings.home / "passwords", home / "passwords")
    restored = postgres.start(home)
    assert restored.process is not None
    try:
        await postgres.wait_until_ready(restored, home)
        async with contextlib.aclosing(PostgresStore(await open_pool(restored.url(APPLICATION)))) as store:
            last = await store.last_position()
            assert before < last <= await house.store.last_position()
            assert (await verify(store)).ok
            kept, written = [list(await of.feed(before, last - before)) for of in (store, house.store)]
            assert kept == written
    finally:
        processes.stop(restored.process, signal.SIGINT)
        server_account.forget(home)


# ---------------------------------------------------------------- a file whose period is over


@pytest.mark.full
@pytest.mark.timeout(240)
async def test_a_file_whose_period_is_over_is_destroyed_and_again_after_older_copies_came_back(
    house: Breakable, tmp_path: Path
) -> None:
    original = tmp_path / "index.pdf"
    original.write_bytes(b"%PDF-1.7 the index of a file")
    digest = sha256(original.read_bytes()).hexdigest()
    await open_documents(house.settings, house.store).take_file(original, Console("person:P-1"), expected=digest)
    (source,) = (HOUSE / "scenarios").glob("s21-*.yaml")
    story = tmp_path / source.name
    story.write_text(source.read_text("utf-8").replace(SHARED, digest), "utf-8")
    (plan,) = plan_scenario([story])
    assert (await play(plan, house.door, house.store)).ok

    async def venture(*words: str) -> Any:
        environment = {"VENTURE_HOME": str(house.settings.home)}
        answer = await asyncio.to_thread(in_process, (*words, "-o", "json"), environment)
        assert answer.exit_code == 0, answer.output
        return json.loads(answer.stdout)

    def bytes_here() -> list[Path]:
        return list((house.settings.home / "documents").rglob(f"*{digest}*"))

    (kept,) = bytes_here()
    await asyncio.to_thread(shutil.copy, kept, tmp_path / "older")
    by = ("--realm", plan.realm, "--as", "ADMIN#1", "--reason", "清冊")
    (line,) = await venture("document", "destroy", "AP-211", *by)
    assert (line["sha256"], line["here"], bytes_here()) == (digest, False, [])
    await asyncio.to_thread(shutil.copy, tmp_path / "older", kept)
    assert await venture("document", "destroy", "AP-211", *by) == [line], "done once, and now again"
    assert bytes_here() == []
    assert (await venture("audit", "verify"))["ok"]
    works = [row for row in await venture("audit", "maintenance") if plan.realm in json.dumps(row)]
    assert len(works) == 2, "who and why, each time"
