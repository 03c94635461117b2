"""A service waits for a decision: as long as it takes, through restarts of anything, told exactly what the log says."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from temporalio.client import WorkflowUpdateFailedError

from application.approval_decision import ApprovalEnded, Choice, build_decision
from application.approvals import NoSuchApproval, StreamApproval, wait_for_decision
from domain.approval.request import GATE
from domain.kernel.approval import Approval, Verdict
from domain.kernel.field_shape import Notation
from domain.kernel.identifier import Actor, Role, StreamId
from domain.project.award import DeclineAward
from domain.project.publicity import OpenAwardPublicity
from store.memory import MemoryStore
from tests.workflows.bureau import verification
from tests.workflows.waiting import list_asked, until

if TYPE_CHECKING:
    from uuid import UUID

    from application.door import Door
    from store.port import EventStore
    from tests.conftest import Desk
    from tests.workflows.breakable import Breakable
    from tests.workflows.bureau import Bureau

OFFICER, ORGANISATION = Actor("CAB-REG#1"), Actor("SO-LEGAL#1")


async def _posted(door: Door, store: EventStore, bureau: Bureau) -> tuple[StreamId, UUID]:
    """A project whose award waits to be confirmed, and that approval's id."""
    await bureau.open_base()
    project = bureau.id("project", "AP-1")
    await door.send(project, bureau.award(1), OFFICER)
    await door.send(project, OpenAwardPublicity(contact="市民政局"), OFFICER)
    (request,) = await list_asked(store, project)
    return project, request.approval.id


async def _all_wait(door: Door, number: int) -> None:
    """Return once so many wait."""

    async def do() -> bool:
        return len(door.watch) == number

    await until(do)


async def test_it_waits_without_asking_again_and_is_told_when_it_is_decided(desk: Desk, bureau: Bureau) -> None:
    project, approval = await _posted(desk.door, desk.store, bureau)
    waiting = [asyncio.create_task(wait_for_decision(desk.store, desk.door, approval)) for _ in range(3)]
    await _all_wait(desk.door, 3)
    assert not any(task.done() for task in waiting)
    await desk.door.send(project, DeclineAward(reason="人手不足"), ORGANISATION)
    async with asyncio.timeout(10):
        answers = await asyncio.gather(*waiting)
    assert {a.approval.verdict for a in answers} == {Verdict.VOID}
    again = await wait_for_decision(desk.store, desk.door, approval, 5)
    assert again == answers[0], "the log answered at once"
    assert not len(desk.door.watch)


async def _waiters_and_commands(desk: Desk, bureau: Bureau, number: int) -> float:
    """So many wait for one approval, half of them leave, and then commands come; how long these take, in seconds."""
    project, approval = await _posted(desk.door, desk.store, bureau)
    waiting = [asyncio.create_task(desk.door.watch.wait(project, approval)) for _ in range(number)]
    await _all_wait(desk.door, number)
    for task in waiting[::2]:
        task.cancel()
    await asyncio.wait(waiting[::2])
    assert len(desk.door.watch) == number // 2
    loop = asyncio.get_running_loop()
    began = loop.time()
    for n in range(5):
        await desk.door.send(bureau.id("organisation", "ORG-1"), verification(f"第{n}次"), Actor("HOST#1"))
    await desk.door.send(project, DeclineAward(reason="人手不足"), ORGANISATION)
    elapsed = loop.time() - began
    async with asyncio.timeout(10):
        answers = await asyncio.gather(*waiting[1::2])
    assert {a.verdict for a in answers} == {Verdict.VOID}
    assert not len(desk.door.watch)
    return elapsed


async def test_500_who_wait_half_of_them_gone_hinder_no_command(desk: Desk, bureau: Bureau) -> None:
    """The server lets 500 updates into a workflow; nobody who waits takes one of these places."""
    assert await _waiters_and_commands(desk, bureau, 500) < 5


@pytest.mark.full
async def test_2000_who_wait_half_of_them_gone_hinder_no_command(desk: Desk, bureau: Bureau) -> None:
    assert await _waiters_and_commands(desk, bureau, 2_000) < 5


@pytest.mark.full
async def test_nobody_waits_in_the_workflow_any_more(desk: Desk, bureau: Bureau) -> None:
    """What an old caller, or one who means ill, asks of the workflow is refused at once and takes no place."""
    project, approval = await _posted(desk.door, desk.store, bureau)
    handle = desk.client.get_workflow_handle(project)
    async with asyncio.timeout(5):
        outcomes = await asyncio.gather(
            *(handle.execute_update("settled", str(approval), id=f"w{n}") for n in range(20)), return_exceptions=True
        )
    assert {type(outcome) for outcome in outcomes} == {WorkflowUpdateFailedError}


@pytest.mark.full
async def test_a_wait_ends_when_it_was_asked_to(desk: Desk, bureau: Bureau) -> None:
    project, approval = await _posted(desk.door, desk.store, bureau)
    with pytest.raises(TimeoutError):
        await wait_for_decision(desk.store, desk.door, approval, 0.3)
    await desk.door.send(project, DeclineAward(reason="人手不足"), ORGANISATION)
    assert (await wait_for_decision(desk.store, desk.door, approval, 10)).approval.verdict is Verdict.VOID


async def test_a_decision_that_its_workflow_never_heard_of_reaches_who_waits_for_it(desk: Desk, bureau: Bureau) -> None:
    project, approval = await _posted(desk.door, desk.store, bureau)
    waiting = asyncio.create_task(wait_for_decision(desk.store, desk.door, approval, 20))
    await _all_wait(desk.door, 1)
    await bureau.straight(project, DeclineAward(reason="人手不足"), ORGANISATION)
    assert (await waiting).approval.verdict is Verdict.VOID


async def test_an_approval_that_was_never_asked_for_is_said_to_be_unknown(desk: Desk) -> None:
    with pytest.raises(NoSuchApproval):
        await wait_for_decision(desk.store, desk.door, uuid4(), 5)


@pytest.mark.full
async def test_it_waits_through_restarts_of_the_worker_and_of_temporal(house: Breakable) -> None:
    project, approval = await _posted(house.door, house.store, house.bureau())
    waiting = asyncio.create_task(wait_for_decision(house.store, house.door, approval))
    await _all_wait(house.door, 1)
    house.kill_worker()
    house.start_worker()
    await asyncio.wait([waiting], timeout=0.5)
    house.kill_temporal()
    await asyncio.wait([waiting], timeout=0.5)
    await house.well()
    assert not waiting.done()
    await house.door.send(project, DeclineAward(reason="人手不足"), ORGANISATION)
    async with asyncio.timeout(40):
        answer = await waiting
    assert (answer.approval.verdict, answer.approval.decided_by) == (Verdict.VOID, ORGANISATION)


async def test_a_decision_that_comes_after_the_end_is_refused_by_the_rule_of_its_stage() -> None:
    asked_at, stream = datetime(2024, 6, 3, 8, tzinfo=UTC), StreamId("approval/live/AV-1")
    over = Approval(uuid4(), GATE, "", Role.CAB_DEC, asked_at, None, "0" * 64, Verdict.EXPIRED)
    for choice, rule in ((Choice.APPROVE, "AV03"), (Choice.DECLINE, "AV05"), (Choice.RETURN, "AV07")):
        with pytest.raises(ApprovalEnded) as late:
            await build_decision(MemoryStore(), StreamApproval(stream, over), choice, {}, Notation.DATA, None)
        assert [(one.rule, str(one.en)) for one in late.value.unmet] == [
            (rule, "the approval is expired: nothing more is decided about it")
        ]
        assert late.value.details["verdict"] == "EXPIRED"
