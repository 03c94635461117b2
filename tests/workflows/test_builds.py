"""Builds come and go: the first one, the next one, back again, and one that is gone; no file is left behind with it."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from temporalio.client import WorkflowExecutionStatus

import bootstrap
from application.builds import (
    UNVERSIONED,
    BuildUnknown,
    Poller,
    WorkerPlace,
    find_place,
    list_builds,
    read_current,
    set_current,
)
from application.doctor import examine_builds
from application.door import Door, NotKnown
from application.reconcile import Discrepancy, move, reconcile, resurrect
from application.workflow_carrier import WorkflowCarrier
from domain.kernel.envelope import Progress
from domain.kernel.identifier import Actor
from domain.need import EndorseNeed
from domain.project.publicity import OpenAwardPublicity
from runtime.worker import run_worker
from store.port import EntryKind
from tests.workflows.bureau import need_submission
from tests.workflows.processes import kill, start_worker
from tests.workflows.test_rolling import count_runs
from tests.workflows.waiting import until

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from application.reconcile import ReconcileFinding
    from bootstrap import Settings
    from domain.kernel.identifier import StreamId
    from tests.conftest import Desk
    from tests.workflows.bureau import Bureau

STREAMS = 4


def _worker_of(desk: Desk, queue: str, build_id: str | None) -> Settings:
    return desk.settings.model_copy(update={"task_queue": queue, "build_id": build_id})


def _door_to(desk: Desk, of: Settings) -> Door:
    return Door(WorkflowCarrier(desk.client, of.task_queue), desk.store, bootstrap.find_door_key(of))


async def _until_current(desk: Desk, of: Settings) -> None:
    """Make that worker's build current, once Temporal has heard of it."""

    async def made() -> bool:
        try:
            await set_current(desk.client, of.task_queue, of.build_id or UNVERSIONED)
        except BuildUnknown:
            return False
        return True

    await until(made)


async def _build_of(desk: Desk, stream: StreamId) -> str:
    """The build that the stream's running workflow is pinned to."""
    described = await desk.client.get_workflow_handle(stream).describe()
    assert described.status is WorkflowExecutionStatus.RUNNING
    info = described.raw_description.workflow_execution_info.versioning_info
    return info.deployment_version.build_id


async def test_a_running_project_moves_from_one_build_to_the_next_with_nothing_lost(desk: Desk, bureau: Bureau) -> None:
    queue = f"builds-{uuid4().hex[:8]}"
    old, new = _worker_of(desk, queue, "2026.1"), _worker_of(desk, queue, "2026.2")
    await bureau.open_base()
    door = _door_to(desk, old)
    project = bureau.id("project", "AP-1")
    async with run_worker(old, desk.client, desk.store):
        await _until_current(desk, old)
        await door.send(project, bureau.award(1), Actor("CAB-REG#1"))
        assert await _build_of(desk, project) == "2026.1"
        async with run_worker(new, desk.client, desk.store):
            await _until_current(desk, new)
            assert await _build_of(desk, project) == "2026.1", "pinned until it makes way for its next run"
            receipt = await door.send(project, OpenAwardPublicity(contact="市民政局"), Actor("CAB-REG#1"))

            async def moved() -> bool:
                await door.look(project)
                return await _build_of(desk, project) == "2026.2"

            await until(moved)
    async with run_worker(new, desk.client, desk.store):
        progress = await desk.client.get_workflow_handle(project).query("progress", result_type=Progress)
        (row,) = [row async for row in desk.store.standings(kind="project", realm=bureau.realm)]
        assert (progress.version, progress.due) == (receipt.version, row.due_at)
        await door.look(project)
        assert await count_runs(desk, project) == 2, "it moved once, and stays"
    await desk.client.get_workflow_handle(project).terminate("end of the test")


@pytest.mark.full
async def test_the_first_build_of_all_makes_itself_current_and_the_next_waits_to_be_made_so(desk: Desk) -> None:
    queue = f"builds-{uuid4().hex[:8]}"
    first, second = _worker_of(desk, queue, "2026.1"), _worker_of(desk, queue, "2026.2")
    assert await find_place(desk.client, queue, "2026.1") is WorkerPlace.UNHEARD
    async with run_worker(first, desk.client, desk.store), run_worker(second, desk.client, desk.store):

        async def serving() -> bool:
            return await find_place(desk.client, queue, "2026.1") is WorkerPlace.SERVING

        await until(serving)
        assert await find_place(desk.client, queue, "2026.2") is WorkerPlace.BESIDE
        assert await find_place(desk.client, queue, UNVERSIONED) is WorkerPlace.BESIDE
        assert await read_current(desk.client, queue) == "2026.1"


@pytest.mark.full
async def test_a_build_that_was_taken_back_does_not_make_itself_current_again(desk: Desk) -> None:
    queue = f"builds-{uuid4().hex[:8]}"
    only = _worker_of(desk, queue, "2026.1")
    async with run_worker(only, desk.client, desk.store):
        await _until_current(desk, only)
        await set_current(desk.client, queue, UNVERSIONED)
        assert await find_place(desk.client, queue, "2026.1") is WorkerPlace.BESIDE
        assert await read_current(desk.client, queue) == UNVERSIONED


@pytest.mark.full
async def test_what_waits_for_a_build_that_stopped_just_now_moves_once_somebody_says_that_it_is_gone(
    desk: Desk, bureau: Bureau
) -> None:
    queue = f"builds-{uuid4().hex[:8]}"
    old, new = _worker_of(desk, queue, "2026.1"), _worker_of(desk, queue, "2026.2")
    door, stream = _door_to(desk, old), await bureau.open_round()

    async def doubtful() -> list[str]:
        return [build.build_id for build in await list_builds(desk.client, queue) if build.may_be_gone]

    async with run_worker(old, desk.client, desk.store):
        await _until_current(desk, old)
        await door.look(stream)
        await until(lambda: _is_pinned(desk, stream, "2026.1"))
        assert await doubtful() == []
    async with run_worker(new, desk.client, desk.store):
        await _until_current(desk, new)
        assert await doubtful() == ["2026.1"]
        assert stream not in [each.stream for each in await move(desk.store, desk.client, door, queue)]
        moved = await move(desk.store, desk.client, door, queue, away_from="2026.1")
        assert [each.mended for each in moved if each.stream == stream] == [True]
        await until(lambda: _is_pinned(desk, stream, "2026.2"))
        assert await doubtful() == []
    await desk.client.get_workflow_handle(stream).terminate("end of the test")


async def _is_pinned(desk: Desk, stream: StreamId, build_id: str) -> bool:
    return await _build_of(desk, stream) == build_id


@pytest.mark.full
async def test_what_a_build_that_is_gone_left_behind_is_named_and_goes_on_with_the_next_and_without_any(
    desk: Desk, bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = f"builds-{uuid4().hex[:8]}"
    old, new, bare = (_worker_of(desk, queue, build_id) for build_id in ("2026.1", "2026.2", None))
    gone: set[str] = set()
    monkeypatch.setattr(
        Poller, "is_fresh", property(lambda poller: poller.build_id not in gone)
    )  # not to wait a minute
    door, stream = _door_to(desk, old), await bureau.open_round()

    async def differs() -> Discrepancy | None:
        findings = (await reconcile(desk.store, desk.client, queue)).findings
        return next((finding.difference for finding in findings if finding.stream == stream), None)

    async with run_worker(old, desk.client, desk.store):
        await _until_current(desk, old)
        await door.look(stream)

        async def pinned() -> bool:
            return next(b for b in await list_builds(desk.client, queue) if b.build_id == "2026.1").workflows == 1

        await until(pinned)
        assert await differs() is None
    gone.add("2026.1")
    async with run_worker(new, desk.client, desk.store):
        await _until_current(desk, new)
        assert await differs() is Discrepancy.STRANDED
        examination = await examine_builds(desk.client, queue)
        assert (examination.ok, examination.mend_en) == (False, "venture builds move")
        assert "stranded: 1 of 2026.1" in examination.state
        (moved,) = [each for each in await move(desk.store, desk.client, door, queue) if each.stream == stream]
        assert moved.mended
        assert await _build_of(desk, stream) == "2026.2"
        assert await differs() is None
    gone.add("2026.2")
    await set_current(desk.client, queue, UNVERSIONED)
    async with run_worker(bare, desk.client, desk.store):
        assert await differs() is Discrepancy.STRANDED
        done = [f for f in (await resurrect(desk.store, desk.client, queue, door)).findings if f.stream == stream]
        assert [finding.mended for finding in done] == [True], "resurrect does the same"
        assert await differs() is None
        assert (await examine_builds(desk.client, queue)).ok
    assert await differs() is Discrepancy.SILENT, "where nobody answers it is not said to lag behind"
    (discrepancy,) = [f for f in (await _resurrected_at_once(desk, queue, door, monkeypatch)) if f.stream == stream]
    assert (discrepancy.mended, discrepancy.tried) == (False, True), "what was not seen to be done is not said to be"
    await desk.client.get_workflow_handle(stream).terminate("end of the test")


async def _resurrected_at_once(
    desk: Desk, queue: str, door: Door, monkeypatch: pytest.MonkeyPatch
) -> list[ReconcileFinding]:
    monkeypatch.setattr("application.reconcile._FOLLOWS_S", 1.0)
    return (await resurrect(desk.store, desk.client, queue, door)).findings


@pytest.mark.full
@pytest.mark.timeout(300)
async def test_rolling_forth_and_back_under_load_loses_nothing_and_does_nothing_twice(
    desk: Desk, bureau: Bureau, tmp_path: Path
) -> None:
    queue = f"builds-{uuid4().hex[:8]}"
    of = _worker_of(desk, queue, None)
    await bureau.open_round()
    needs = [bureau.id("need", f"ND-{n}") for n in range(STREAMS)]
    for need in needs:
        await bureau.straight(need, need_submission(f"group {need.name}"), "COMM#1")
    door, ended = _door_to(desk, of), asyncio.Event()

    async def endorse(need: StreamId) -> list[int]:
        versions: list[int] = []
        while not ended.is_set():
            actor, command_id = Actor(f"COMM#{len(versions) + 2}"), uuid4()
            for attempt in range(5):  # "not known" is an answer too: the same id again
                try:
                    receipt = await door.send(need, EndorseNeed(), actor, command_id=command_id)
                except NotKnown:
                    assert attempt < 4
                    continue
                versions.append(receipt.version)
                break
            await asyncio.sleep(0.05)
        return versions

    workers: dict[str, subprocess.Popen[bytes]] = {}

    async def roll(to: str) -> None:
        log = tmp_path / f"{to}-{uuid4().hex[:4]}.log"
        workers[to] = start_worker(of, log, more={"VENTURE_BUILD_ID": to})

        async def ready() -> bool:
            return log.exists() and b"worker.ready" in await asyncio.to_thread(log.read_bytes)

        await until(ready)
        await set_current(desk.client, queue, to)
        for build_id in [each for each in workers if each != to]:

            async def left(build_id: str = build_id) -> bool:
                return await count_of(build_id) == 0

            await until(left)
            old = workers.pop(build_id)
            old.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(old.wait, 40) == 0

    async def count_of(build_id: str) -> int:
        return sum([await _build_of(desk, need) == build_id for need in needs])

    try:
        await roll("2026.1")
        load = [asyncio.create_task(endorse(need)) for need in needs]
        for build_id in ("2026.2", "2026.1"):
            await asyncio.sleep(2)
            await roll(build_id)
        await asyncio.sleep(1)
        ended.set()
        for need, versions in zip(needs, await asyncio.gather(*load), strict=True):
            assert versions == list(range(2, len(versions) + 2)), "each once, none lost, in order"
            commands = [e async for e in desk.store.read(need, commands=True) if e.kind is EntryKind.COMMAND]
            assert len(commands) == len(versions) + 1
    finally:
        ended.set()
        for worker in workers.values():
            kill(worker)
    for need in needs:
        await desk.client.get_workflow_handle(need).terminate("end of the test")
