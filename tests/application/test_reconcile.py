"""Temporal may lose everything: the log starts it again, and says where the two disagree."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from application.reconcile import Discrepancy, reconcile, resurrect
from domain.catalogue import find_command
from domain.kernel.envelope import Progress, WorkflowInput
from domain.kernel.identifier import LIVE, Actor, StreamId, derive_id
from domain.registers.scheme import scheme_stream
from schemes import scheme_file

if TYPE_CHECKING:
    from temporalio.client import WorkflowHandle

    from tests.conftest import Desk


async def _soliciting_round(desk: Desk) -> StreamId:
    """A round on the wall clock whose window for needs is running."""
    rules = scheme_file.load_shipped("fuzhou")
    publish = find_command("PolicyPackPublished", "scheme").model_validate({"scheme": rules})
    scheme = scheme_stream(LIVE, rules.name)
    await desk.door.send(
        scheme, publish, Actor("CAB-DEC#1"), command_id=derive_id("published", scheme, "1"), derived=True
    )
    stream = StreamId.of("round", LIVE, f"R-{uuid4().hex[:8]}")
    command = find_command("NeedSolicitationOpened", "round").model_validate(
        {"scheme": rules.ref.model_dump(), "year": datetime.now(UTC).year, "level": "DISTRICT"}
    )
    await desk.door.send(stream, command, Actor("CAB-REG#1"))
    return stream


async def _list_discrepancies(desk: Desk, stream: StreamId) -> list[Discrepancy]:
    findings = (await reconcile(desk.store, desk.client, desk.settings.task_queue)).findings
    return [f.difference for f in findings if f.stream == stream]


def _handle(desk: Desk, stream: StreamId) -> WorkflowHandle[object, object]:
    return desk.client.get_workflow_handle(stream)


async def _is_listed(desk: Desk, stream: StreamId, *, running: bool) -> None:
    """Wait until Temporal's list, which follows a moment later, says so."""
    while True:
        query = f"WorkflowId = '{stream}' AND ExecutionStatus = 'Running'"
        if ((await desk.client.count_workflows(query)).count > 0) is running:
            return


async def _agree(desk: Desk, stream: StreamId) -> None:
    """Wait until nothing differs: a started workflow needs a moment to have looked."""
    while await _list_discrepancies(desk, stream):
        pass


async def test_a_round_and_its_workflow_agree(desk: Desk) -> None:
    stream = await _soliciting_round(desk)
    await _is_listed(desk, stream, running=True)
    assert await _list_discrepancies(desk, stream) == []


async def test_a_lost_workflow_is_missed_and_started_again_with_its_timer(desk: Desk) -> None:
    stream = await _soliciting_round(desk)
    before = await _handle(desk, stream).query("progress", result_type=Progress)
    await _handle(desk, stream).terminate("lost")
    await _is_listed(desk, stream, running=False)
    assert await _list_discrepancies(desk, stream) == [Discrepancy.MISSING]

    await resurrect(desk.store, desk.client, desk.settings.task_queue, desk.door)

    await _is_listed(desk, stream, running=True)
    await _agree(desk, stream)
    after = await _handle(desk, stream).query("progress", result_type=Progress)
    assert (after.version, after.due) == (before.version, before.due)
    assert after.due is not None


@pytest.mark.full
async def test_resurrecting_twice_changes_nothing(desk: Desk) -> None:
    stream = await _soliciting_round(desk)
    await _is_listed(desk, stream, running=True)
    position = await desk.store.last_position()
    await resurrect(desk.store, desk.client, desk.settings.task_queue, desk.door)
    await resurrect(desk.store, desk.client, desk.settings.task_queue, desk.door)
    await _agree(desk, stream)
    assert [e.position async for e in desk.store.read(stream, commands=True) if e.position > position] == []


async def test_a_workflow_without_a_stream_is_shown_and_left_to_a_person(desk: Desk) -> None:
    stream = StreamId.of("project", LIVE, f"AP-{uuid4().hex[:8]}")
    remembered = WorkflowInput(stream=stream, progress=Progress(version=5, stage="ACTIVE"))
    await desk.client.start_workflow("Project", remembered, id=stream, task_queue=desk.settings.task_queue)
    await _is_listed(desk, stream, running=True)
    assert await _list_discrepancies(desk, stream) == [Discrepancy.STRAY]
    await _handle(desk, stream).terminate("end of the test")
