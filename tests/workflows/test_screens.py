"""What somebody reads who opens Temporal's own pages: which file it is, how it stands, who is awaited until when."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.converter import WorkflowSerializationContext

from domain.kernel.calendar import SHANGHAI
from domain.kernel.envelope import WorkflowInput
from domain.kernel.identifier import Actor
from domain.need import EndorseNeed
from domain.project.publicity import OpenAwardPublicity
from tests.workflows.bureau import Bureau, need_submission
from tests.workflows.waiting import until

if TYPE_CHECKING:
    from temporalio.client import WorkflowHandle

    from domain.kernel.identifier import StreamId
    from tests.conftest import Desk

OFFICER = Actor("CAB-REG#1")
SHORT = 12
"""Events of a run: a command or two."""


async def _posted(desk: Desk, bureau: Bureau) -> StreamId:
    """A project whose award is posted for objection."""
    await bureau.open_base()
    project = bureau.id("project", "AP-1")
    await desk.door.send(project, bureau.award(1), OFFICER)
    await desk.door.send(project, OpenAwardPublicity(contact="市民政局"), OFFICER)
    return project


async def _current_details(handle: WorkflowHandle[object, object]) -> str:
    metadata: WorkflowMetadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    return metadata.current_details


async def _summaries(desk: Desk, handle: WorkflowHandle[object, object]) -> list[str]:
    """What each event of the history is captioned by, opened; empty where it has no caption."""
    place = WorkflowSerializationContext(desk.client.namespace, handle.id)
    converter = desk.client.data_converter.with_context(place)
    captions = [event.user_metadata.summary for event in (await handle.fetch_history()).events]
    return [(await converter.decode([caption], [str]))[0] if caption.data else "" for caption in captions]


async def test_the_page_of_a_project_says_what_it_is_how_it_stands_and_who_is_awaited(
    desk: Desk, bureau: Bureau
) -> None:
    project = await _posted(desk, bureau)
    handle = desk.client.get_workflow_handle(project)
    described = await handle.describe()
    assert await described.static_summary() == f"項目 AP-1 · {bureau.realm}"
    assert "以事件日誌為準" in (await described.static_details() or "")
    heading, *rest = filter(None, (await _current_details(handle)).splitlines())
    assert heading == f"**項目 AP-1 · {bureau.realm}：公示中 IN_PUBLICITY** · v2"
    assert any(line.startswith("- 局領導（黨組會議議定） CAB-DEC：立項審批 ConfirmAward") for line in rest)


async def test_the_page_of_a_round_says_which_date_runs_as_does_its_timer(desk: Desk, bureau: Bureau) -> None:
    round_ = await bureau.open_round()
    await desk.door.look(round_)
    handle = desk.client.get_workflow_handle(round_)
    (row,) = [row async for row in desk.store.standings(kind="round", realm=bureau.realm) if row.stream == round_]
    assert row.due_at is not None
    day = row.due_at.astimezone(SHANGHAI).date() - timedelta(days=1)
    runs = f"{day} 24:00 北京時間（暫定 provisional） 需求徵集截止 CloseNeedSolicitation"  # no notice is published here

    async def is_shown() -> bool:
        summaries = await _summaries(desk, handle)
        return runs in summaries and f"期限 deadline：{runs}" in (await _current_details(handle)).splitlines()

    await until(is_shown)


async def test_the_history_of_a_project_names_each_command(desk: Desk, bureau: Bureau) -> None:
    project = await _posted(desk, bureau)
    handle = desk.client.get_workflow_handle(project)
    assert [summary for summary in await _summaries(desk, handle) if summary][1:] == [
        "ProposeAward",
        "OpenAwardPublicity",
    ]


async def test_projects_are_found_by_their_stage_in_the_offices_words(desk: Desk, bureau: Bureau) -> None:
    project = await _posted(desk, bureau)

    async def listed() -> bool:
        query = f"VentureStage = '公示中 IN_PUBLICITY' AND WorkflowId STARTS_WITH 'project/{bureau.realm}/'"
        return [w.id async for w in desk.client.list_workflows(query)] == [project]

    await until(listed)


@pytest.mark.full
async def test_a_fresh_run_says_which_file_it_is_though_temporal_forgets_the_summary(
    desk: Desk, bureau: Bureau
) -> None:
    await bureau.open_round()
    need = bureau.id("need", "ND-1")
    await bureau.straight(need, need_submission(), "COMM#1")
    opening = WorkflowInput(stream=need, long_history=SHORT)
    first = await desk.client.start_workflow("Need", opening, id=need, task_queue=desk.settings.task_queue)
    for number in range(2, SHORT):
        await desk.door.send(need, EndorseNeed(), Actor(f"COMM#{number}"))
    handle = desk.client.get_workflow_handle(need)
    assert (await handle.describe()).run_id != first.first_execution_run_id

    async def is_shown() -> bool:
        return (await _current_details(handle)).startswith(f"**需求 ND-1 · {bureau.realm}：")

    await until(is_shown)
