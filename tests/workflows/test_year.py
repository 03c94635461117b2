"""Whole stories on the wall clock of a real server, its time skipped: their rows, moved by whole weeks to the future.

Working days are moved along, so each deadline must ring on the day that the story has it, moved by as much: by its
workflow's own timer, once.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.testing import TimeSkipper

import bootstrap
from application.door import Door
from application.workflow_carrier import WorkflowCarrier
from cli.scenario import plan_scenario
from domain.kernel.attachment import find_attachments
from domain.kernel.calendar import local_day
from domain.kernel.canonical import plain
from domain.kernel.clock import Clock
from domain.kernel.envelope import Progress, WorkflowInput
from domain.kernel.identifier import Role, StreamId
from domain.kernel.refusal import CommandRejected
from domain.registers.calendar import PublishCalendar
from domain.registers.scheme import PublishPolicyPack
from domain.round.call import AmendCall, PublishCall
from scenarios.play import play
from schemes.calendars import load_published
from store.memory import MemoryStore
from tests.keys import MINUTES
from tests.paper import open_paper_door
from tests.workflows.bureau import Bureau
from tests.workflows.waiting import until
from workflows.kinds import workflow_type

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from scenarios.plan import Plan, PlannedCommand
    from store.port import EventStore, Standing
    from tests.conftest import Desk

SCENARIOS = Path(__file__).parents[2] / "scenarios"
A_WEEK = timedelta(days=7)


def _moved(value: Any, by: timedelta) -> Any:
    """Every date and instant in it, moved."""
    match value:
        case date():
            return value + by
        case dict():
            return {key: _moved(each, by) for key, each in value.items()}
        case list() | tuple():
            return [_moved(each, by) for each in value]
        case _:
            return value


def move_order(order: PlannedCommand, by: timedelta) -> PlannedCommand:
    command = type(order.command).model_validate(_moved(order.command.model_dump(exclude_unset=True), by))
    return replace(order, at=order.at + by, command=command)


def _calendars(plan: Plan, by: timedelta) -> Sequence[PublishCalendar]:
    """The story's working days, moved by whole weeks: what was a working day then is one now."""
    off: defaultdict[int, set[date]] = defaultdict(set)
    on: defaultdict[int, set[date]] = defaultdict(set)
    for year in load_published(local_day(plan.begins).year, local_day(plan.ends).year + 1):
        for days, kept in ((year.off, off), (year.on, on)):
            for day in days:
                kept[(day + by).year].add(day + by)
    years = sorted({*off, *on})
    return [PublishCalendar(year=y, version=1, off=tuple(sorted(off[y])), on=tuple(sorted(on[y]))) for y in years]


@dataclass
class Years:
    """A realm on the wall clock whose workflows are moved through time one by one."""

    desk: Desk
    plan: Plan
    by: timedelta

    def __post_init__(self) -> None:
        self.store: EventStore = self.desk.store
        self.skipper = TimeSkipper(self.desk.client)
        key = bootstrap.ensure_door_key(self.desk.settings)
        self.door = Door(WorkflowCarrier(self.skipper.client, self.desk.settings.task_queue), self.store, key)
        self.bureau = Bureau(self.plan.realm, self.store, key)

    async def publish(self) -> None:
        for calendar in _calendars(self.plan, self.by):
            await self.bureau.straight(self.bureau.id("calendar", "cn"), calendar, f"{calendar.by[0]}#1")
        rules = PublishPolicyPack(scheme=self.plan.scheme)
        await self.bureau.straight(self.bureau.id("scheme", self.plan.scheme.name), rules, f"{rules.by[0]}#1")

    async def send(self, order: PlannedCommand) -> None:
        """Let the deadlines before it ring, bring its stream to its time, give the command, and see its alarm set."""
        await self.ring(order.at)
        await self.bring(order.stream, order.at)
        await self.take_in(order)
        refused: set[str | None] = set()
        with self.skipper.with_time_skipping_disabled():
            try:
                await self.door.send(
                    order.stream, order.command, order.actor, command_id=order.command_id, derived=True
                )
            except CommandRejected as rejected:
                refused = {u.rule for u in rejected.unmet}
        assert order.must_refuse in (refused or {None}), (order, refused)
        assert await self.alarm(order.stream) == await self.due_at(order.stream), order

    async def take_in(self, order: PlannedCommand) -> None:
        """See that the register has what the command attaches: on the wall clock nothing is decided without it."""
        for one in find_attachments(plain(order.command)):
            await self.store.documents.keep(one.sha256, 1, one.media_type, "person:P-1", "tests")

    async def ring(self, to: datetime) -> None:
        """Every alarm up to then, the earliest first, each by its own workflow's timer."""
        while (late := await self.store.find_next_due(self.plan.realm, to)) is not None:
            assert late.due_at is not None
            assert late.clock is Clock.WALL
            await self.bring(late.stream, late.due_at)
            await until(lambda late=late: self._rang(late))  # type: ignore[misc] # bound at once

    async def due_at(self, stream: StreamId) -> datetime | None:
        """When the log has something fall due there; never where nothing was ever recorded."""
        standing = await self.store.standing(stream)
        return standing.due_at if standing else None

    async def alarm(self, stream: StreamId) -> datetime | None:
        """For when the workflow has set its timer."""
        handle = self.skipper.client.get_workflow_handle(stream)
        progress: Progress = await handle.query("progress", result_type=Progress)
        return progress.due

    async def _rang(self, before: Standing) -> bool:
        return await self.store.standing(before.stream) != before

    async def bring(self, stream: StreamId, to: datetime) -> None:
        """Let time pass for that stream's workflow, which is begun if it is not there."""
        with self.skipper.with_time_skipping_disabled():
            handle = await self.skipper.client.start_workflow(
                workflow_type(stream.kind),
                WorkflowInput(stream=stream),
                id=stream,
                task_queue=self.desk.settings.task_queue,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            )
        by_id = self.skipper.client.get_workflow_handle(handle.id)
        span = to - await self.skipper.get_current_time(by_id)
        if span > timedelta(0):
            assert await self.skipper.fast_forward(by_id, span)


async def _events(store: EventStore, realm: str) -> Mapping[StreamId, list[tuple[str, datetime, UUID, str]]]:
    streams = [row.stream async for row in store.standings(realm=realm) if row.stream.kind not in _RULES]
    return {
        stream: [(e.type, e.occurred_at, e.command_id, str(e.meta)) async for e in store.read(stream)]
        for stream in streams
    }


_RULES = {"calendar", "scheme"}


async def move_ahead(desk: Desk, plan: Plan) -> Years:
    """The story moved so that it begins a few days from now, its rules and working days published."""
    weeks = (datetime.now(UTC) + timedelta(days=3) - plan.begins) // A_WEEK + 1
    years = Years(desk, plan, weeks * A_WEEK)
    await years.publish()
    return years


BOUND = {
    "s20-taken-over",  # an entry is confirmed by the digest of what it holds, days among it
    "s21-disposed",  # a file is kept from the first of January on
}
"""Stories that cannot be moved by weeks."""
STORIES = [pytest.param(path, id=path.stem) for path in sorted(SCENARIOS.glob("s*.yaml")) if path.stem not in BOUND]


@pytest.mark.full
@pytest.mark.timeout(300)
@pytest.mark.parametrize("story", STORIES)
async def test_a_story_on_the_wall_clock_has_every_deadline_by_itself_once_on_its_day(desk: Desk, story: Path) -> None:
    (plan,) = plan_scenario([story], fresh=uuid4().hex)
    expected_store = MemoryStore()
    assert (await play(plan, open_paper_door(expected_store), expected_store)).ok
    years = await move_ahead(desk, plan)
    for order in plan.orders:
        await years.send(move_order(order, years.by))
    await years.ring(plan.ends + years.by)

    ours = {order.command_id for order in plan.orders}
    expected, actual = await _events(expected_store, plan.realm), await _events(desk.store, plan.realm)
    assert {s: [e[0] for e in events] for s, events in actual.items()} == {
        s: [e[0] for e in events] for s, events in expected.items()
    }
    assert _rung(actual, ours) == [(s, kind, at + years.by) for s, kind, at in _rung(expected, ours)]
    assert len(_rung(actual, ours)) >= len(plan.expectations)


def _rung(
    events: Mapping[StreamId, list[tuple[str, datetime, UUID, str]]], ours: set[UUID]
) -> list[tuple[StreamId, str, datetime]]:
    """What the clock brought about."""
    system = f'"{Role.SYS}#'
    return sorted(
        (stream, kind, at)
        for stream, of in events.items()
        for kind, at, command_id, meta in of
        if command_id not in ours and system in meta
    )


async def test_an_amended_call_moves_its_timer_and_closes_on_its_new_day_only(desk: Desk) -> None:
    (plan,) = plan_scenario([SCENARIOS / "s1-hangzhou.yaml"], fresh=uuid4().hex)
    years = await move_ahead(desk, plan)
    calls = [n for n, order in enumerate(plan.orders) if isinstance(order.command, PublishCall)]
    for order in plan.orders[: calls[0] + 1]:
        await years.send(move_order(order, years.by))
    published_ = move_order(plan.orders[calls[0]], years.by)
    call = published_.command
    assert isinstance(call, PublishCall)
    assert call.deadline is not None
    old, new = call.deadline, call.deadline + A_WEEK
    amended = AmendCall(deadline=new, reason="系統維護", attachments=(MINUTES,))
    at = published_.at + timedelta(days=2)
    await years.send(replace(published_, at=at, command=amended, command_id=uuid4()))
    row = await years.store.standing(published_.stream)
    assert row is not None
    assert row.due_at == new + timedelta(seconds=60)
    await years.bring(published_.stream, old + timedelta(days=1))
    later = await years.store.standing(published_.stream)
    assert later is not None
    assert later.stage == "OPEN", "the old day passes"
    await years.ring(new + timedelta(days=1))
    closed = [(e.type, e.occurred_at) async for e in desk.store.read(published_.stream) if e.type == "CallClosed"]
    assert closed == [("CallClosed", new)]
