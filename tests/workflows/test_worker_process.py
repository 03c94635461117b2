"""The worker as it is run: a process of its own, sandboxed, against the real servers."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

import bootstrap
from application.door import Door
from application.workflow_carrier import WorkflowCarrier
from domain.kernel.identifier import Actor
from tests.workflows.bureau import Bureau, verification
from tests.workflows.processes import kill, start_worker

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Desk


@pytest.mark.full
async def test_it_carries_twenty_commands_out_on_twenty_streams_and_stops_when_told_to(
    desk: Desk, tmp_path: Path
) -> None:
    of = desk.settings.model_copy(update={"task_queue": f"process-{uuid4().hex[:8]}"})
    bureau = Bureau(f"b-{uuid4().hex[:8]}", desk.store, bootstrap.ensure_door_key(of))
    door = Door(WorkflowCarrier(desk.client, of.task_queue), desk.store, bureau.key)
    process = start_worker(of, tmp_path / "worker.log")
    try:
        for n in range(20):
            assert process.poll() is None, (tmp_path / "worker.log").read_text()
            stream = bureau.id("organisation", f"ORG-{n}")
            assert (await door.send(stream, verification(), Actor("HOST#1"))).version == 1
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, 30) == 0, (tmp_path / "worker.log").read_text()
    finally:
        kill(process)
