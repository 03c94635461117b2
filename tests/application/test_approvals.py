"""A service waits for a decision: as long as it takes, through restarts of anything, told exactly what the log says."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from application import approvals
from application.approvals import NoSuchApproval, list_approvals, wait_for_decision
from domain.kernel.identity import Actor
from domain.kernel.state import Verdict
from domain.project.award import DeclineAward
from domain.project.publicity import OpenAwardPublicity
from tests.workflows.waiting import until

if TYPE_CHECKING:
    from uuid import UUID

    from application.door import Door
    from domain.kernel.identity import StreamId
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
    (asking,) = [a async for a in list_approvals(store, stream=project)]
    return project, asking.approval.id


async def test_it_waits_without_asking_again_and_is_told_when_it_is_decided(
    desk: Desk, bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, approval = await _posted(desk.door, desk.store, bureau)
    settled, waits = desk.door.settled, []

    async def counted(stream: StreamId, approval_id: UUID) -> None:
        waits.append(stream)
        await settled(stream, approval_id)

    monkeypatch.setattr(desk.door, "settled", counted)
    waiting = [asyncio.create_task(wait_for_decision(desk.store, desk.door, approval)) for _ in range(3)]

    async def all_wait() -> bool:
        return len(waits) == len(waiting)

    await until(all_wait)
    assert not any(task.done() for task in waiting)
    await desk.door.send(project, DeclineAward(reason="人手不足"), ORGANISATION)
    answers = await asyncio.gather(*waiting)
    assert {a.approval.verdict for a in answers} == {Verdict.VOID}
    assert waits == [project] * 3, "each of them asked once"
    again = await wait_for_decision(desk.store, desk.door, approval, 5)
    assert again == answers[0]
    assert len(waits) == 3, "the log answered at once"


async def test_a_wait_ends_when_it_was_asked_to(desk: Desk, bureau: Bureau) -> None:
    project, approval = await _posted(desk.door, desk.store, bureau)
    with pytest.raises(TimeoutError):
        await wait_for_decision(desk.store, desk.door, approval, 0.3)
    await desk.door.send(project, DeclineAward(reason="人手不足"), ORGANISATION)
    assert (await wait_for_decision(desk.store, desk.door, approval, 10)).approval.verdict is Verdict.VOID


async def test_a_decision_that_its_workflow_never_heard_of_reaches_who_waits_for_it(
    desk: Desk, bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(approvals, "LATE_S", 0.5, raising=False)
    project, approval = await _posted(desk.door, desk.store, bureau)
    waiting = asyncio.create_task(wait_for_decision(desk.store, desk.door, approval, 20))
    await asyncio.wait([waiting], timeout=0.5)
    await bureau.straight(project, DeclineAward(reason="人手不足"), ORGANISATION)
    assert (await waiting).approval.verdict is Verdict.VOID


async def test_an_approval_that_was_never_asked_for_is_said_to_be_unknown(desk: Desk) -> None:
    with pytest.raises(NoSuchApproval):
        await wait_for_decision(desk.store, desk.door, uuid4(), 5)


async def test_it_waits_through_restarts_of_the_worker_and_of_temporal(
    house: Breakable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(approvals, "BETWEEN_RUNS_S", 0.1)
    project, approval = await _posted(house.door, house.store, house.bureau())
    waiting = asyncio.create_task(wait_for_decision(house.store, house.door, approval))
    await asyncio.wait([waiting], timeout=0.5)
    house.kill_worker()
    house.start_worker()
    await asyncio.wait([waiting], timeout=0.5)
    house.kill_temporal()
    await asyncio.wait([waiting], timeout=0.5)
    await house.well()
    assert not waiting.done()
    await house.door.send(project, DeclineAward(reason="人手不足"), ORGANISATION)
    answer = await waiting
    assert (answer.approval.verdict, answer.approval.decided_by) == (Verdict.VOID, ORGANISATION)
