"""What Prometheus reads: its own format, few series whatever is done, and every figure that the alerts rest on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from domain.kernel.identifier import Actor
from domain.project.publicity import ConfirmAward
from tests.runtime.http_probe import http_get
from tests.workflows.bureau import verification
from tests.workflows.waiting import until

if TYPE_CHECKING:
    from prometheus_client import Metric

    from tests.runtime.conftest import WatchedWorker

RULES = Path(__file__).parents[2] / "deploy" / "prometheus-rules.yaml"
ONLY_THERE = {"venture_archive_age_seconds", "venture_certificate_ends_timestamp_seconds"}
"""Figures of an archive and of certificates: this house has neither (tests/packaging, test_certificates.py)."""
FOLLOWERS = ("agenda", "alarms")
HOST, DECIDER = Actor("HOST#1"), Actor("CAB-DEC#1")


async def _families(port: int) -> dict[str, Metric]:
    answer = await http_get(port, "/metrics")
    assert answer.status == 200
    assert "text/plain" in answer.headers
    return {family.name: family for family in text_string_to_metric_families(answer.text)}


def _value(families: dict[str, Metric], sample: str, **labels: str) -> float:
    (value,) = [
        s.value for f in families.values() for s in f.samples if s.name == sample and labels.items() <= s.labels.items()
    ]
    return value


async def test_every_figure_has_its_meaning_and_kind_and_a_name_of_ours_or_the_process(watched: WatchedWorker) -> None:
    for family in (await _families(watched.health_port)).values():
        assert family.documentation, family.name
        assert family.type in {"counter", "gauge", "histogram"}, family.name
        assert family.name.startswith(("venture_", "process_")), family.name
        samples = [(s.name, tuple(sorted(s.labels.items()))) for s in family.samples]
        assert len(samples) == len(set(samples)), family.name


async def test_commands_appends_and_durations_are_counted_as_they_end(watched: WatchedWorker) -> None:
    door, bureau = watched.house.door, watched.house.bureau()
    before = await _families(watched.health_port)
    await door.send(bureau.id("organisation", "ORG-1"), verification(), HOST)
    try:
        await door.send(bureau.id("project", "AP-1"), ConfirmAward(), DECIDER)
    except Exception as refused:  # noqa: BLE001 - whatever it is called, the count below tells
        assert type(refused).__name__ == "CommandRejected"  # noqa: PT017 - likewise
    after = await _families(watched.health_port)

    def more(sample: str, **labels: str) -> float:
        return _value(after, sample, **labels) - _value(before, sample, **labels)

    assert more("venture_commands_total", ending="accepted") == 1
    assert more("venture_commands_total", ending="refused") == 1
    assert more("venture_appends_total", status="appended") == 2
    assert more("venture_entries_appended_total") == 3, "two commands, one event"
    assert more("venture_carry_out_seconds_count") == 2
    assert more("venture_append_seconds_count") == 2
    assert _value(after, "venture_log_position") >= _value(before, "venture_log_position") + 3
    assert _value(after, "venture_build_info") == 1


@pytest.mark.full
async def test_the_number_of_series_does_not_grow_with_what_is_done(watched: WatchedWorker) -> None:
    def series(families: dict[str, Metric]) -> int:
        return sum(len(family.samples) for family in families.values())

    bureau = watched.house.bureau()
    before = series(await _families(watched.health_port))
    for n in range(20):
        await watched.house.door.send(bureau.id("organisation", f"ORG-{n}"), verification(), HOST)
    assert series(await _families(watched.health_port)) == before
    assert before < 80


@pytest.mark.full
async def test_each_follower_says_when_it_last_did_a_round(watched: WatchedWorker) -> None:
    async def last_round(follower: str) -> float:
        families = await _families(watched.health_port)
        return _value(families, "venture_follower_round_timestamp_seconds", follower=follower)

    first = {follower: await last_round(follower) for follower in FOLLOWERS}

    async def later() -> bool:
        return all([await last_round(follower) > max(first[follower], 1) for follower in FOLLOWERS])

    await until(later)


async def test_every_alert_is_well_formed_and_rests_on_figures_that_a_worker_gives(watched: WatchedWorker) -> None:
    house = watched.house
    unknown = await house.client.start_workflow(  # nobody knows that workflow: its task fails, and is counted
        "Nothing", id=f"nothing-{uuid4()}", task_queue=house.settings.task_queue
    )
    alerts = [rule for group in yaml.safe_load(RULES.read_text("utf-8"))["groups"] for rule in group["rules"]]
    for alert in alerts:
        assert alert.keys() <= {"alert", "expr", "for", "labels", "annotations"}
        assert alert["labels"]["severity"] in {"page", "ticket"}
        assert " / " in alert["annotations"]["summary"]
        assert alert["annotations"]["runbook"] == f"docs/runbooks/{alert['alert']}.md"
    assert len({alert["alert"] for alert in alerts}) == len(alerts)
    named = {name for alert in alerts for name in re.findall(r"\b(?:venture|temporal)_\w+", alert["expr"])}

    async def lacking() -> set[str]:
        ours = {s.name for family in (await _families(watched.health_port)).values() for s in family.samples}
        sdks = {s.name for family in (await _families(watched.sdk_port)).values() for s in family.samples}
        # the parser puts _total behind every counter's name; the SDK does not
        return named - ONLY_THERE - ours - sdks - {name.removesuffix("_total") for name in sdks}

    async def failure_is_counted() -> bool:
        return "temporal_workflow_task_execution_failed" not in await lacking()

    async def nothing_is_lacking() -> bool:
        return not await lacking()

    await until(failure_is_counted)
    await unknown.terminate()
    house.kill_temporal()  # its polls fail, and are counted
    await until(nothing_is_lacking)
