"""A workflow of somebody else waits for an approval as for an operation of its own, and is told how it was decided."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Worker

from deciding.fold import load_state
from domain.approval.request import Approvers, DeclineApproval, GrantApproval, OpenApproval
from domain.kernel.identifier import Actor
from runtime.approval_service import make_approval_worker, open_endpoint
from runtime.workflow_sandbox import sandbox
from tests.workflows.callers import CallerWorkflow
from tests.workflows.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from domain.kernel.approval import Approval
    from domain.kernel.identifier import StreamId
    from tests.conftest import Desk
    from tests.workflows.bureau import Bureau

ASKED = OpenApproval(title="採購", groups=(Approvers(seats=(Actor("CAB-DEC#1"),)),))


@pytest.fixture(scope="module")
async def caller(desk: Desk) -> AsyncIterator[Client]:
    """Somebody else's client and sandboxed worker; ours serves the endpoint beside it."""
    queue = f"{desk.settings.task_queue}-nexus"
    await open_endpoint(desk.client, "venture-approvals", queue)
    await open_endpoint(desk.client, "venture-approvals", queue)
    address = desk.client.service_client.config.target_host
    theirs = await Client.connect(address, data_converter=pydantic_data_converter)
    async with (
        make_approval_worker(desk.client, desk.store, desk.door, queue),
        Worker(
            theirs,
            task_queue="theirs",
            workflows=[CallerWorkflow],
            workflow_runner=sandbox(pydantic_data_converter, "venture_client"),
        ),
    ):
        yield theirs


async def opened(desk: Desk, bureau: Bureau) -> tuple[StreamId, Approval]:
    await bureau.open_round()
    stream = bureau.id("approval", f"AV-{uuid4().hex}")
    await desk.door.send(stream, ASKED, Actor("CAB-REG#1"))
    (approval,) = (await load_state(desk.store, stream)).approvals
    return stream, approval


async def test_all_who_wait_are_told_once_it_is_decided_and_who_comes_later_at_once(
    desk: Desk, bureau: Bureau, caller: Client
) -> None:
    stream, approval = await opened(desk, bureau)
    waiting = [
        await caller.start_workflow(CallerWorkflow.run, str(approval.id), id=f"caller-{uuid4()}", task_queue="theirs")
        for _ in range(3)
    ]

    async def one_waits() -> bool:
        return len(desk.door.watch) == 1

    await until(one_waits)
    await desk.door.send(stream, GrantApproval(digest=approval.content), Actor("CAB-DEC#1"))
    async with asyncio.timeout(30):
        answers = await asyncio.gather(*(handle.result() for handle in waiting))
        late = await caller.execute_workflow(
            CallerWorkflow.run, str(approval.id), id=f"caller-{uuid4()}", task_queue="theirs"
        )
    assert answers == ["GRANTED by CAB-DEC#1"] * 3
    assert late == answers[0]


async def test_a_no_is_told_as_such_and_one_that_never_was_is_not_waited_for(
    desk: Desk, bureau: Bureau, caller: Client
) -> None:
    stream, approval = await opened(desk, bureau)
    await desk.door.send(stream, DeclineApproval(digest=approval.content, reason="不宜"), Actor("CAB-DEC#1"))
    async with asyncio.timeout(30):
        no = await caller.execute_workflow(
            CallerWorkflow.run, str(approval.id), id=f"caller-{uuid4()}", task_queue="theirs"
        )
        with pytest.raises(WorkflowFailureError):
            await caller.execute_workflow(CallerWorkflow.run, str(uuid4()), id=f"caller-{uuid4()}", task_queue="theirs")
    assert no == "not granted: REFUSED"
