"""What is kept in the clear outside the log names nobody (PR10)."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from temporalio.api.sdk.v1 import WorkflowMetadata

from application.door import CommandRequest
from cli.scenario import list_shipped, plan_scenario
from domain.kernel.envelope import Ending
from domain.kernel.identifier import Actor, StreamId
from domain.kernel.refusal import CommandRejected
from domain.need import SubmitNeed
from metrics import Metrics
from runtime.health import Health
from runtime.runtime import Runtime
from scenarios.play import play
from tests.domain.pure_realm import verification

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
    (path,) = [p for p in list_shipped() if p.stem.startswith("s2-")]
    (plan,) = plan_scenario([path], "privacy")
    with caplog.at_level(logging.DEBUG):
        played = await play(plan, desk.door, desk.store)
    assert played.ok

    texts = []
    async for workflow in desk.client.list_workflows(f"WorkflowId STARTS_WITH 'project/{plan.realm}/'"):
        handle = desk.client.get_workflow_handle(workflow.id, run_id=workflow.run_id)
        described = await handle.describe()
        summary = await described.static_summary()
        page: WorkflowMetadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
        texts += [workflow.id, str(workflow.search_attributes), str(await described.memo()), str(summary)]
        texts += [str(await described.static_details()), page.current_details]
    assert any("已歸檔 ARCHIVED" in text for text in texts), "the project's page was not looked at"

    runtime = Runtime(desk.settings, desk.store, None, desk.client, desk.door, desk.door, desk.door)
    in_the_clear = "\n".join([*texts, caplog.text, (await Health(runtime, Metrics()).metrics()).decode()])
    assert [word for word in SAID_BY_PEOPLE if word in in_the_clear] == []


async def test_what_holds_a_persons_number_is_turned_away_before_anything_is_kept(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    realm, command_id = f"privacy-{uuid4().hex[:8]}", uuid4()
    await desk.door.open_realm(realm)
    stream, at = StreamId.of("need", realm, "ND-1"), datetime(2024, 3, 1, tzinfo=UTC)
    need = SubmitNeed(round="R-1", group="獨居老人", problem="王某 138-1234-5678")
    with caplog.at_level(logging.DEBUG), pytest.raises(CommandRejected) as refused:
        await desk.door.send(stream, need, Actor("COMM#1"), command_id=command_id, at=at)
    assert [u.rule for u in refused.value.unmet] == ["V4"]
    assert await desk.store.journalled(command_id) is None
    assert [row async for row in desk.store.standings(kind="need", realm=realm)] == []
    assert "1234" not in caplog.text

    somebody = StreamId.of("need", realm, "ND-13812345678")
    innocent = need.model_copy(update={"problem": None})
    with pytest.raises(CommandRejected, match="V4"):
        await desk.door.send(somebody, innocent, Actor("COMM#1"), at=at)


async def test_of_several_commands_those_beside_it_are_decided(desk: Desk) -> None:
    realm = f"privacy-{uuid4().hex[:8]}"
    await desk.door.open_realm(realm)
    stream, at = StreamId.of("organisation", realm, "ORG-1"), datetime(2024, 3, 1, tzinfo=UTC)
    named = verification().model_copy(update={"registrar": "王某 13812345678"})
    requests = [CommandRequest(c, Actor("HOST#1"), uuid4(), at) for c in (verification(), named, verification())]
    answers = [answer async for answer in desk.door.send_each(stream, requests)]
    assert [(a.ending, [u.rule for u in a.unmet]) for a in answers] == [
        (Ending.ACCEPTED, []),
        (Ending.REFUSED, ["V4"]),
        (Ending.ACCEPTED, []),
    ]
