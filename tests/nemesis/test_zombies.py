"""A worker that stood still in mid-append for longer than its task may take comes back: nothing is done twice (F6)."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

import bootstrap
from application.door import NotKnown
from audit.verification import verify
from domain.kernel.envelope import WorkflowInput
from domain.kernel.identifier import Actor
from local import processes
from store.port import EntryKind
from tests.nemesis.afflicted import TRIED
from tests.nemesis.siege import AFFLICTED
from tests.workflows.breakable import breakable
from tests.workflows.bureau import verification
from tests.workflows.waiting import until

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID

    from application.door import Receipt
    from domain.kernel.identifier import StreamId
    from tests.workflows.breakable import Breakable

TASK = timedelta(seconds=2)
"""What a workflow task may take before the server gives it to another worker."""


@pytest.mark.full
@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_worker_that_stood_still_in_mid_append_does_nothing_twice(tmp_path: Path, moment: str) -> None:
    async with breakable(
        bootstrap.settings(home=tmp_path),
        program=AFFLICTED,
        AFFLICTION="stops-in-mid-append",
        STOPS=f"{moment} VerifyOrganisation",
        SEED="1",
    ) as house:
        stream, command_id = house.bureau().id("organisation", "ORG-1"), uuid4()
        await house.client.start_workflow(
            "Register", WorkflowInput(stream=stream), id=stream, task_queue=house.settings.task_queue, task_timeout=TASK
        )
        asking = asyncio.create_task(_known(house, stream, command_id))
        zombie = house.workers[0]
        await until(lambda: _is_standing_still(zombie.pid))
        house.more = {"AFFLICTION": "none", "SEED": "1"}
        house.start_worker(1)
        receipt = await asking
        zombie.send_signal(signal.SIGCONT)
        await until(lambda: _has_tried(house))
        house.kill_worker(1)
        later = await _known(house, stream, uuid4())  # answered by the zombie, which has left its append behind it
        assert (receipt.version, later.version) == (1, 2)
        again = await _known(house, stream, command_id)
        assert (again.version, again.position) == (receipt.version, receipt.position)
        kinds = [entry.kind async for entry in house.store.read(stream, commands=True)]
        assert kinds == 2 * [EntryKind.COMMAND, EntryKind.EVENT]
        assert (await verify(house.store)).ok


async def _known(house: Breakable, stream: StreamId, command_id: UUID) -> Receipt:
    while True:
        with suppress(NotKnown):
            return await house.door.send(stream, verification(), Actor("HOST#1"), command_id=command_id)


async def _is_standing_still(pid: int) -> bool:
    return processes.read_stat(pid)[0] == "T"


async def _has_tried(house: Breakable) -> bool:
    """Whether the zombie has sent its append."""
    return TRIED in (house.settings.home / "logs" / "worker-0.log").read_text(encoding="utf-8")
