"""A workflow holds nothing that the log does not: lost, ended or never begun, it stands again."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from temporalio.client import WorkflowExecutionStatus

from domain.kernel.envelope import Progress
from domain.kernel.identifier import Actor
from domain.need import AdoptNeed, EndorseNeed
from domain.round.plan import ApproveRoundBudget
from tests.workflows.bureau import Bureau, need_submission, verification
from tests.workflows.waiting import until

if TYPE_CHECKING:
    from domain.kernel.identifier import StreamId
    from tests.conftest import Desk


async def _standing_at(desk: Desk, stream: StreamId, version: int) -> Progress:
    """How the workflow says that the stream stands, once it is at that version."""
    reports: list[Progress] = []

    async def stands() -> bool:
        progress = await desk.client.get_workflow_handle(stream).query("progress", result_type=Progress)
        reports.append(progress)
        return progress is not None and progress.version == version

    await until(stands)
    return reports[-1]


async def test_look_starts_a_workflow_that_was_never_there_and_it_adopts_the_log(desk: Desk, bureau: Bureau) -> None:
    stream = await bureau.open_round()
    (row,) = [row async for row in desk.store.standings(kind="round", realm=bureau.realm)]
    await desk.door.look(stream)
    progress = await _standing_at(desk, stream, 1)
    assert (progress.stage, progress.due) == ("SOLICITING", row.due_at)
    history = await desk.client.get_workflow_handle(stream).fetch_history()
    assert [e for e in history.events if e.HasField("timer_started_event_attributes")], "it set its alarm"


async def test_a_terminated_workflow_is_started_again_by_the_next_command_with_nothing_lost(
    desk: Desk, bureau: Bureau
) -> None:
    await bureau.open_round()
    need = bureau.id("need", "ND-1")
    await desk.door.send(need, need_submission(), Actor("COMM#1"))
    await desk.door.send(need, EndorseNeed(), Actor("COMM#2"))
    handle = desk.client.get_workflow_handle(need)
    first = await handle.describe()
    await handle.terminate("a test")
    receipt = await desk.door.send(need, EndorseNeed(), Actor("COMM#3"))
    assert (receipt.version, receipt.repeated) == (3, False)
    again = await handle.describe()
    assert again.run_id != first.run_id
    progress = await _standing_at(desk, need, 3)
    assert progress.stage == "SUBMITTED"


async def test_a_terminated_workflow_sets_its_alarm_again_once_it_is_looked_at(desk: Desk, bureau: Bureau) -> None:
    stream = await bureau.open_round()
    await desk.door.look(stream)
    before = await _standing_at(desk, stream, 1)
    await desk.client.get_workflow_handle(stream).terminate("a test")
    await desk.door.look(stream)
    assert (await _standing_at(desk, stream, 1)).due == before.due


async def test_a_stream_of_which_nothing_is_recorded_keeps_no_workflow(desk: Desk, bureau: Bureau) -> None:
    for kind, name in (("project", "AP-404"), ("need", "ND-404"), ("round", "R-404")):
        stream = bureau.id(kind, name)
        await desk.door.look(stream)

        async def ended(stream: StreamId = stream) -> bool:
            described = await desk.client.get_workflow_handle(stream).describe()
            return described.status is WorkflowExecutionStatus.COMPLETED

        await until(ended)


async def test_a_workflow_ends_when_nothing_more_comes_by_itself_and_still_answers(desk: Desk, bureau: Bureau) -> None:
    await bureau.open_round()
    need = bureau.id("need", "ND-1")
    await desk.door.send(need, need_submission(), Actor("COMM#1"))
    await desk.door.send(need, AdoptNeed(), Actor("CAB-REG#1"))
    assert await desk.client.get_workflow_handle(need).result() is None
    progress = await _standing_at(desk, need, 2)
    assert progress.final
    organisation = bureau.id("organisation", "ORG-1")
    for version in (1, 2, 3):
        receipt = await desk.door.send(organisation, verification(f"第{version}次"), Actor("HOST#1"))
        assert receipt.version == version
        await desk.client.get_workflow_handle(organisation).result()


async def test_a_deadline_long_past_is_applied_before_the_command_that_wakes_the_workflow(
    desk: Desk, bureau: Bureau
) -> None:
    stream = await bureau.open_round(at=datetime.now(UTC) - timedelta(days=90))
    receipt = await desk.door.send(stream, ApproveRoundBudget(amount=1_000_000), Actor("FISCAL#1"))
    assert receipt.version == 3
    types = [e.type async for e in desk.store.read(stream)]
    assert types == ["NeedSolicitationOpened", "NeedSolicitationClosed", "RoundBudgetApproved"]


@pytest.mark.full
async def test_a_long_life_makes_way_for_fresh_runs_and_loses_nothing(desk: Desk, bureau: Bureau) -> None:
    await bureau.open_round()
    need = bureau.id("need", "ND-1")
    await desk.door.send(need, need_submission(), Actor("COMM#1"))
    first = await desk.client.get_workflow_handle(need).describe()
    callers = range(2, 702)
    receipts = await asyncio.gather(*(desk.door.send(need, EndorseNeed(), Actor(f"COMM#{n}")) for n in callers))
    assert sorted(r.version for r in receipts) == list(callers)
    assert not any(r.repeated for r in receipts)
    assert (await desk.client.get_workflow_handle(need).describe()).run_id != first.run_id
    assert (await _standing_at(desk, need, 701)).stage == "SUBMITTED"
