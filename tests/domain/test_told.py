"""Every story that comes with the product comes out as told, by the rules alone: no server, no store."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from domain.catalogue import AGGREGATES
from domain.kernel.calendar import local_day
from domain.registers.calendar import PublishCalendar
from domain.registers.scheme import PublishPolicyPack
from scenarios.format import Scenario
from scenarios.plan import plan
from schemes.calendars import load_published
from schemes.document import read
from tests.domain.pure_realm import PureRealm

if TYPE_CHECKING:
    from scenarios.plan import Plan, PlannedCommand

STORIES = sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml"))


def prepared(plan_of_story: Plan) -> PureRealm:
    """A realm with the calendars and the rules of the story."""
    realm, first = PureRealm(realm=plan_of_story.realm), plan_of_story.begins.isoformat()
    for year in load_published(local_day(plan_of_story.begins).year, local_day(plan_of_story.ends).year + 1):
        notice = PublishCalendar(
            year=year.year, version=year.version, off=tuple(sorted(year.off)), on=tuple(sorted(year.on))
        )
        realm.order("calendar", "cn", notice, at=first, by="CAB-REG#1")
    realm.order(
        "scheme", plan_of_story.scheme.name, PublishPolicyPack(scheme=plan_of_story.scheme), at=first, by="CAB-DEC#1"
    )
    return realm


def rules_against(realm: PureRealm, row: PlannedCommand) -> set[str]:
    return realm.refused(row.stream.kind, row.stream.name, row.command, at=row.at.isoformat(), by=row.actor)


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_the_story_comes_out_as_told(path: Path) -> None:
    document = read(path)
    scenario = document.parse(Scenario)
    story = plan(scenario, document)
    realm = prepared(story)
    for row in story.orders:
        if row.must_refuse is not None:
            assert row.must_refuse in rules_against(realm, row), f"line {row.line}"
        else:
            realm.order(row.stream.kind, row.stream.name, row.command, at=row.at.isoformat(), by=row.actor)
    realm.pass_time(story.ends + timedelta(seconds=1))
    for name, expected in scenario.expect.items():
        state = realm.states[story.stream(name)]
        assert state.stage == expected.state
        assert AGGREGATES["project"].summary(state)["net"] == expected.net
    for expectation in story.expectations:
        happened = {event.event_type for stream, event in realm.log if stream == expectation.stream}
        assert expectation.event_type in happened, f"line {expectation.line}"
