"""Records what ``tests/workflows/test_replay.py`` replays: ``./run record histories``.

Histories go into a folder of the version in ``pyproject.toml``. A released version's folder is never written again:
its files stand for workflows that may still be open in somebody's office, and today's code must replay them. Only the
folder of the version to come, of which ``CHANGELOG.md`` has no heading yet, is emptied and filled anew.

What is recorded: the whole of S2 on its manual clock (every kind of stream, refusals, deadlines that the clock brings);
and on the wall clock a base's support whose contract nobody signs (its alarm rings), one that is declined (its alarm is
put off), services that wait for their approvals, a round that waits for its alarm, and a stream of which nothing was
recorded.

A folder named after a decision (``docs/decisions``) holds what changed with it, once as before and once as since: it is
never written again.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import sys
import tempfile
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import TimeSkipper

import bootstrap
import local
import temporal_client
from application.approvals import wait_for_decision
from application.door import Door
from application.workflow_carrier import WorkflowCarrier
from cli.scenario import plan_scenario
from domain.approval.request import Approvers, GrantApproval, OpenApproval, bind
from domain.kernel.identifier import Actor
from domain.kernel.refusal import CommandRejected
from domain.project.award import DeclineAward
from domain.project.publicity import ConfirmAward, OpenAwardPublicity
from domain.registers.annual_round import Annual
from local.postgres import APPLICATION, AUDITOR
from runtime.worker import run_worker
from scenarios.play import play
from store.migration import migrate
from store.postgres import PostgresStore, open_pool
from tests.keys import publish
from tests.releases import ROOT, require_unreleased
from tests.time_skipping import let_time_be_skipped
from tests.workflows.bureau import Bureau
from tests.workflows.waiting import list_asked

if TYPE_CHECKING:
    from domain.kernel.identifier import StreamId

HERE = Path(__file__).parent
WORKER = "worker"
"""What stands for this process and its machine, which Temporal names in identities and queues."""


def main() -> None:
    """Record into the folder of the version to come."""
    folder = HERE / require_unreleased()
    with tempfile.TemporaryDirectory() as home:
        histories = asyncio.run(_record(Path(home)))
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, history in sorted(histories.items()):
        text = json.dumps(history, ensure_ascii=False, indent=1, sort_keys=True)
        text = text.replace(f"{os.getpid()}@{socket.gethostname()}", WORKER)
        (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    sys.stdout.write(f"{len(histories)} histories in {folder.relative_to(ROOT)}\n")


async def _record(home: Path) -> dict[str, Any]:
    settings = bootstrap.settings(home=home, log_level="warning")
    bootstrap.configure_logging(settings)
    async with local.servers(settings) as servers:
        await migrate(servers.owner_url, app_role=APPLICATION, auditor_role=AUDITOR)
        await let_time_be_skipped(servers.owner_url)
        sealing = await temporal_client.connect_temporal(servers.temporal_address, settings)
        config = sealing.config()
        config["data_converter"] = pydantic_data_converter  # what is recorded is read without our keys
        client = Client(**config)
        store = PostgresStore(await open_pool(servers.postgres_url))
        async with aclosing(store), run_worker(settings, client, store):
            await publish(store, bootstrap.ensure_door_key(settings))
            door = Door(WorkflowCarrier(client, settings.task_queue), store, bootstrap.ensure_door_key(settings))
            streams = {
                **await _story(door, store),
                **await _wall_clock(client, store, settings),
                "annual": await _annual(client, settings.task_queue),
                "probe": await _probe(client, settings.task_queue),
            }
            return {
                f"{name}-{number}": history
                for name, workflow_id in streams.items()
                for number, history in enumerate(await _runs(client, workflow_id), 1)
            }


async def _story(door: Door, store: PostgresStore) -> dict[str, str]:
    (plan,) = plan_scenario([ROOT / "scenarios" / "s2-fuzhou.yaml"])
    played = await play(plan, door, store)
    if not played.ok:
        sys.exit(json.dumps(played.as_json(), ensure_ascii=False))
    return {f"s2-{row.stream.kind}": row.stream async for row in store.standings(realm=plan.realm)}


async def _wall_clock(client: Client, store: PostgresStore, settings: bootstrap.Settings) -> dict[str, StreamId]:
    key = bootstrap.ensure_door_key(settings)
    bureau, skipper = Bureau("wall", store, key), TimeSkipper(client)
    door = Door(WorkflowCarrier(skipper.client, settings.task_queue), store, key)
    await bureau.open_base()
    lapsed, declined, nothing = (bureau.id("project", name) for name in ("AP-1", "AP-2", "AP-404"))
    with skipper.with_time_skipping_disabled():
        for number, project in enumerate((lapsed, declined), 1):
            await door.send(project, bureau.award(number), Actor("CAB-REG#1"))
            await door.send(project, OpenAwardPublicity(contact="市民政局"), Actor("CAB-REG#1"))
            await _send_refused(door, project)
            (asking,) = await list_asked(store, project)
            waiting = asyncio.create_task(wait_for_decision(store, door, asking.approval.id))
            await skipper.fast_forward(client.get_workflow_handle(project), timedelta(days=12))
            await door.send(project, ConfirmAward(), Actor("CAB-DEC#1"))
            await waiting
        await door.send(declined, DeclineAward(reason="人手不足"), Actor("SO-LEGAL#1"))
        request = bureau.id("approval", "AV-1")
        asked = OpenApproval(title="採購", groups=(Approvers(seats=(Actor("CAB-DEC#1"),)),), within_wd=5)
        await door.send(request, asked, Actor("CAB-REG#1"))
        await door.send(request, GrantApproval(digest=bind(request, asked)), Actor("CAB-DEC#1"))
        await _send_refused(door, nothing)
        await _wait_for_alarm(skipper, store, lapsed)
        round_ = bureau.id("round", "R-1")
        await door.look(round_)
    for project in (lapsed, declined, nothing, request):
        await client.get_workflow_handle(project).result()
    return {
        "wall-lapsed": lapsed,
        "wall-declined": declined,
        "wall-nothing": nothing,
        "wall-round": round_,
        "wall-approval": request,
    }


async def _wait_for_alarm(skipper: TimeSkipper, store: PostgresStore, stream: StreamId) -> None:
    """Let time pass up to the instant at which the alarm rings."""
    (row,) = [row async for row in store.standings(kind="project", realm=stream.realm) if row.stream == stream]
    handle = skipper.client.get_workflow_handle(stream)
    if row.due_at is not None:
        await skipper.fast_forward(handle, row.due_at - await skipper.get_current_time(handle))


async def _send_refused(door: Door, stream: StreamId) -> None:
    try:
        await door.send(stream, ConfirmAward(), Actor("CAB-DEC#1"))
    except CommandRejected:
        return
    sys.exit(f"{stream}: a confirmation before its time was not refused")


async def _annual(client: Client, task_queue: str) -> str:
    of = Annual(programme="FZ", scheme="fuzhou", actor=Actor("CAB-REG#1"))
    handle = await client.start_workflow("AnnualRound", of, id="annual/FZ", task_queue=task_queue)
    await handle.result()
    return handle.id


async def _probe(client: Client, task_queue: str) -> str:
    handle = await client.start_workflow("Probe", id=f"probe-{uuid4().hex[:8]}", task_queue=task_queue)
    held = asyncio.create_task(handle.execute_update("hold"))
    await asyncio.wait([held], timeout=0.5)
    await handle.signal("let_go")
    await held
    await handle.result()
    return handle.id


async def _runs(client: Client, workflow_id: str) -> list[dict[str, Any]]:
    """The histories of all runs, oldest first."""
    found = []
    run_id = (await client.get_workflow_handle(workflow_id).describe()).run_id
    while run_id:
        history = await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
        found.append(history.to_json_dict())
        started = history.events[0].workflow_execution_started_event_attributes
        run_id = started.continued_execution_run_id
    return found[::-1]


if __name__ == "__main__":
    main()
