"""What is kept in the clear outside the log names nobody (PR10)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from temporalio.api.sdk.v1 import WorkflowMetadata

from cli.scenario import list_shipped, plan_scenario
from metrics import Metrics
from runtime.health import Health
from runtime.runtime import Runtime
from scenarios.play import play

if TYPE_CHECKING:
    import pytest

    from tests.conftest import Desk

SAID_BY_PEOPLE = (
    "撫州市宜合公益促進中心",
    "守護夕陽紅助老公益項目",
    "空巢老人",
    "銀齡志願服務隊",
    "精簡招募表",
    "會議紀要",
)
"""Words of the story that belong in its events and nowhere else."""


async def test_what_is_kept_in_the_clear_names_nobody(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    (path,) = [p for p in list_shipped() if p.stem.startswith("s2")]
    (plan,) = plan_scenario([path], "privacy")
    with caplog.at_level(logging.DEBUG):
        played = await play(plan, desk.door, desk.store)
    assert played.ok

    shown = []
    async for workflow in desk.client.list_workflows(f"WorkflowId STARTS_WITH 'project/{plan.realm}/'"):
        handle = desk.client.get_workflow_handle(workflow.id, run_id=workflow.run_id)
        described = await handle.describe()
        summary = await described.static_summary()
        page: WorkflowMetadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
        shown += [workflow.id, str(workflow.search_attributes), str(await described.memo()), str(summary)]
        shown += [str(await described.static_details()), page.current_details]
    assert any("已歸檔 ARCHIVED" in text for text in shown), "the project's page was not looked at"

    runtime = Runtime(desk.settings, desk.store, None, desk.client, desk.door)
    in_the_clear = "\n".join([*shown, caplog.text, (await Health(runtime, Metrics()).metrics()).decode()])
    assert [word for word in SAID_BY_PEOPLE if word in in_the_clear] == []
