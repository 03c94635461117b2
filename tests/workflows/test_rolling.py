"""A long life in many runs: continue-as-new with commands under way."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from domain.kernel.envelope import Progress, WorkflowInput
from domain.kernel.identifier import Actor, StreamId
from domain.need import EndorseNeed
from store.port import EntryKind
from tests.workflows.bureau import Bureau, need_submission
from tests.workflows.waiting import until

if TYPE_CHECKING:
    from tests.conftest import Desk

UPDATES = 60
SHORT = 60
"""Events of a run: a few commands each."""
IN_FLIGHT = 8


async def count_runs(desk: Desk, stream: StreamId) -> int:
    """How many runs the stream's workflow has had."""
    count, run_id = 0, (await desk.client.get_workflow_handle(stream).describe()).run_id
    while run_id:
        count += 1
        history = await desk.client.get_workflow_handle(stream, run_id=run_id).fetch_history()
        run_id = history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
    return count


@pytest.mark.full
async def test_sixty_commands_over_several_runs_are_each_answered_once(desk: Desk, bureau: Bureau) -> None:
    await bureau.open_round()
    need = bureau.id("need", "ND-1")
    await bureau.straight(need, need_submission(), "COMM#1")
    opening = WorkflowInput(stream=need, long_history=SHORT)
    await desk.client.start_workflow("Need", opening, id=need, task_queue=desk.settings.task_queue)
    places = asyncio.Semaphore(IN_FLIGHT)
    ids = [uuid4() for _ in range(UPDATES)]

    async def endorsed(number: int) -> int:
        async with places:
            actor = Actor(f"COMM#{number + 2}")
            receipt = await desk.door.send(need, EndorseNeed(), actor, command_id=ids[number])
            assert not receipt.repeated
            return receipt.version

    versions = await asyncio.gather(*map(endorsed, range(UPDATES)))
    assert sorted(versions) == list(range(2, UPDATES + 2)), "each its own, none lost, none twice"
    assert await count_runs(desk, need) >= 3
    commands = [e.command_id async for e in desk.store.read(need, commands=True) if e.kind is EntryKind.COMMAND]
    assert sorted(commands[1:]) == sorted(ids)
    again = [
        await desk.door.send(need, EndorseNeed(), Actor(f"COMM#{n + 2}"), command_id=ids[n]) for n in (0, UPDATES - 1)
    ]
    assert [(r.repeated, r.version) for r in again] == [(True, versions[0]), (True, versions[-1])]


async def test_the_alarm_is_set_again_in_the_next_run(desk: Desk, bureau: Bureau) -> None:
    stream = await bureau.open_round()
    opening = WorkflowInput(stream=stream, long_history=SHORT)
    await desk.client.start_workflow("Round", opening, id=stream, task_queue=desk.settings.task_queue)

    async def rolled() -> bool:
        await desk.door.look(stream)
        return await count_runs(desk, stream) == 2

    await until(rolled)

    async def armed() -> bool:
        history = await desk.client.get_workflow_handle(stream).fetch_history()
        return any(e.HasField("timer_started_event_attributes") for e in history.events)

    await until(armed)
    progress = await desk.client.get_workflow_handle(stream).query("progress", result_type=Progress)
    (row,) = [row async for row in desk.store.standings(kind="round", realm=bureau.realm)]
    assert (progress.due, progress.version) == (row.due_at, 1)
    assert row.due_at is not None
