"""Every recorded history replays on today's workflows, in the sandbox and with the data converter of replays (PR8)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, WorkflowReplayResult

from payload_codec import replaying_converter
from payload_keys import PayloadKeys, make_payload_key
from runtime.worker import WORKFLOWS
from runtime.workflow_sandbox import sandbox
from tests.workflows import mutants

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HISTORIES = sorted((Path(__file__).parents[1] / "histories").glob("*/*.json"))
NEED = next(path for path in HISTORIES if path.stem == "s2-need-1")


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _started(history: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = history["events"][0]["workflowExecutionStartedEventAttributes"]
    return content


async def replayed(history: dict[str, Any], workflows: Sequence[type]) -> WorkflowReplayResult:
    converter = replaying_converter(PayloadKeys.parse(make_payload_key()))
    replayer = Replayer(workflows=workflows, workflow_runner=sandbox(converter), data_converter=converter)
    recorded = WorkflowHistory.from_json(_started(history)["workflowId"], history)
    return await replayer.replay_workflow(recorded, raise_on_replay_failure=False)


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: f"{path.parent.name}/{path.stem}")
async def test_a_recorded_history_replays(path: Path) -> None:
    result = await replayed(_read(path), WORKFLOWS)
    assert result.replay_failure is None


def test_every_type_of_workflow_that_the_worker_serves_has_a_history() -> None:
    recorded = {_started(_read(path))["workflowType"]["name"] for path in HISTORIES}
    assert recorded == {workflow.__temporal_workflow_definition.name for workflow in WORKFLOWS}  # type: ignore[attr-defined]


def test_the_histories_know_alarms_refusals_and_waits() -> None:
    types = {event["eventType"] for path in HISTORIES for event in _read(path)["events"]}
    assert {
        "EVENT_TYPE_TIMER_FIRED",
        "EVENT_TYPE_TIMER_CANCELED",
        "EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED",
        "EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED",
        "EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED",
    } <= types


@pytest.mark.parametrize(("shape", "group"), [("before", {"ResolveRound"}), ("after", set())], ids=["before", "after"])
async def test_a_groups_decision_is_replayed_as_it_was_carried_out(
    monkeypatch: pytest.MonkeyPatch, shape: str, group: set[str]
) -> None:
    """As a local activity before decision 016, as an activity of its own since: neither is taken for the other."""
    history = _read(next(path for path in HISTORIES if path.stem == f"resolution-{shape}-1"))
    assert (await replayed(history, WORKFLOWS)).replay_failure is None
    monkeypatch.setattr("activities.names.GROUP_DECISIONS", frozenset(group))
    monkeypatch.setattr("temporalio.workflow.patched", lambda _: True)
    assert (await replayed(history, WORKFLOWS)).replay_failure is not None


@pytest.mark.parametrize("mutant", [mutants.Sleepy, mutants.Deaf, mutants.Secretive])
async def test_a_workflow_that_was_changed_does_not_replay_what_was_recorded_before(mutant: type) -> None:
    result = await replayed(_read(NEED), [mutant])
    assert result.replay_failure is not None


async def test_a_history_that_was_cut_in_the_middle_of_a_task_replays_up_to_there() -> None:
    history = _read(NEED)
    ends = [
        n for n, event in enumerate(history["events"]) if event["eventType"] == "EVENT_TYPE_WORKFLOW_TASK_COMPLETED"
    ]
    result = await replayed({"events": history["events"][: ends[0] + 1]}, WORKFLOWS)
    assert result.replay_failure is None


def _texts(part: object) -> Iterator[str]:
    match part:
        case dict():
            for value in part.values():
                yield from _texts(value)
        case list():
            for value in part:
                yield from _texts(value)
        case str():
            yield part
        case _:
            return


def test_the_histories_name_no_machine() -> None:
    for path in HISTORIES:
        assert not [text for text in _texts(_read(path)) if "@" in text or text.startswith("/")]
