"""Working days published late: deadlines that run move, what has fallen or was decided stays as it was."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from audit.invariants import check
from audit.redecision import redecide
from audit.verification import verify
from deciding.decision import decide_on
from deciding.fold import fold
from domain.kernel.clock import Clock
from domain.kernel.envelope import CarryOut, Ending
from domain.kernel.identifier import Actor, StreamId
from domain.project.stage import Stage
from domain.registers.calendar import PublishCalendar
from followers.agenda import AgendaFollower
from schemes.calendars import load_published
from store.memory import MemoryStore
from tests.domain.memory_realm import MINUTE, REALM, MemoryRealm, StreamCommand
from tests.domain.pure_realm import scheme
from tests.domain.sentences import on
from tests.domain.written_realm import contract, steps

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from store.port import Entry

RULES = scheme("hangzhou")
AWARDED = StreamId(f"project/{REALM}/AP-1")
(YEAR,) = load_published(2024, 2024)
QINGMING = {date(2024, 4, 4), date(2024, 4, 5)}
ENDS = datetime(2024, 4, 10, 16, tzinfo=UTC)
"""The signing period of 15 working days from 19 March ends on 10 April, by the calendar as first published."""


@pytest.fixture
def office() -> Iterator[MemoryRealm]:
    """An award is confirmed on 19 March and waits for its contract."""
    with asyncio.Runner() as runner:
        office = MemoryRealm(MemoryStore(), runner)
        for name, step in steps(RULES):
            office.pass_time(on(step.at) - MINUTE)
            (answer,) = office.ask(StreamCommand(office.id(step.kind, step.name), step.command, Actor(step.by)))
            assert not answer.unmet, name
            if name == "confirmed":
                break
        yield office


def publish(
    office: MemoryRealm, at: str, *, off: AbstractSet[date] = frozenset(), on_: AbstractSet[date] = frozenset()
) -> None:
    """The year's notice, corrected: these days are off or worked, besides what was said before."""
    office.pass_time(on(at) - MINUTE)
    days_off, worked = (set(YEAR.off) | off) - on_, (set(YEAR.on) | on_) - off
    weekdays = {d for d in worked if d.weekday() < 5}
    drops = len((YEAR.off | YEAR.on) - days_off - (worked - weekdays))
    notice = PublishCalendar(year=2024, version=2, off=tuple(days_off), on=tuple(worked - weekdays), drops=drops)
    (answer,) = office.ask(StreamCommand(office.id("calendar", "cn"), notice, Actor("CAB-REG#1")))
    assert not answer.unmet


def due(office: MemoryRealm) -> datetime | None:
    """When the award lapses, as the agenda says after the clock was looked at."""
    office.pass_time(office.now)
    return office.store._agenda[AWARDED].due_at


def lapsed(office: MemoryRealm) -> Entry | None:
    events = office.store._events[AWARDED]
    return next((e for e in events if e.type == "ContractSigningLapsed"), None)


def proven(office: MemoryRealm) -> None:
    """The log is whole, every invariant holds, and every command decides again to what is recorded."""
    assert office.runner.run(verify(office.store)).ok
    report = office.runner.run(check(office.store))
    assert report.ok, report.breaches
    for stream in office.store._events:
        again = office.runner.run(redecide(office.store, stream))
        assert again.ok, again.first


def test_a_deadline_that_runs_moves_later(office: MemoryRealm) -> None:
    assert due(office) == ENDS
    publish(office, "2024-04-01", off={date(2024, 4, 8), date(2024, 4, 9)})
    assert due(office) == ENDS + timedelta(days=2)
    office.pass_time(ENDS + timedelta(days=1))
    assert lapsed(office) is None
    (answer,) = office.ask(StreamCommand(AWARDED, contract(), Actor("CAB-REG#1")))
    assert not answer.unmet, "it can still be signed"
    proven(office)


def test_a_deadline_that_runs_moves_earlier_and_falls_on_its_new_day(office: MemoryRealm) -> None:
    publish(office, "2024-04-01", on_=QINGMING)
    assert due(office) == ENDS - timedelta(days=2)
    office.pass_time(ENDS)
    lapse = lapsed(office)
    assert lapse is not None
    assert lapse.occurred_at == ENDS - timedelta(days=2)
    proven(office)


def test_a_deadline_that_a_notice_moves_into_the_past_falls_with_the_notice(office: MemoryRealm) -> None:
    weekends = {date(2024, 3, 23), date(2024, 3, 24), date(2024, 3, 30), date(2024, 3, 31)}
    publish(office, "2024-04-08", on_=weekends | QINGMING)
    office.pass_time(ENDS)
    lapse = lapsed(office)
    assert lapse is not None
    assert lapse.occurred_at == on("2024-04-08"), "not before anybody could know"
    proven(office)


def test_what_has_fallen_or_was_decided_stays_as_it_was(office: MemoryRealm) -> None:
    office.pass_time(ENDS + timedelta(days=1))
    before = list(office.store._entries)
    rows = {s: row for s, row in office.store._agenda.items() if row.due_at is None}
    publish(office, "2024-04-15", off={date(2024, 4, 8), date(2024, 4, 9), date(2024, 3, 13)})
    office.pass_time(ENDS + timedelta(days=30))
    assert office.store._entries[: len(before)] == before
    assert len(office.store._entries) == len(before) + 2, "the notice and its command"
    assert all(
        (office.store._agenda[s].stage, office.store._agenda[s].due_at) == (r.stage, None) for s, r in rows.items()
    )
    proven(office)


def published_unseen(office: MemoryRealm, at: datetime) -> int:
    """A notice that moves everything by two days, appended while nobody sees to deadlines; the calendar's version."""
    off = tuple(sorted({*YEAR.off, date(2024, 4, 8), date(2024, 4, 9)}))
    notice = PublishCalendar(year=2024, version=2, off=off, on=tuple(sorted(YEAR.on)))
    office.now = at
    envelope = office._envelope(StreamCommand(office.id("calendar", "cn"), notice, Actor("CAB-REG#1")))
    (answer,) = office.runner.run(office._together([envelope]))
    assert answer.ending is Ending.ACCEPTED
    return answer.version


def on_the_wall_clock(office: MemoryRealm) -> None:
    """As if the realm had lived on it from the beginning."""
    office.store._realms[REALM].clock = Clock.WALL
    office.store._agenda = {s: replace(row, clock=Clock.WALL) for s, row in office.store._agenda.items()}


def test_a_deadline_that_nobody_saw_to_in_time_is_judged_by_the_calendar_of_its_day(office: MemoryRealm) -> None:
    """After an outage: the notice came when the deadline had passed, and changes nothing of it."""
    on_the_wall_clock(office)
    version = published_unseen(office, ENDS + timedelta(days=1))
    state = fold(AWARDED, office.store._events[AWARDED])
    at = ENDS + timedelta(days=5)
    decision = office.runner.run(decide_on(office.store, state, Clock.WALL, at=at, order=None, command_id=None))
    (step,) = decision.steps
    assert (step.order.at, decision.state.stage) == (ENDS, Stage.REVOKED)
    assert step.reads[office.id("calendar", "cn")] == version - 1


def test_the_follower_has_every_stream_look_that_was_reckoned_by_an_older_calendar(office: MemoryRealm) -> None:
    on_the_wall_clock(office)
    now = ENDS - timedelta(days=5)
    published_unseen(office, now)
    streams: list[StreamId] = []

    async def look(stream: StreamId) -> None:
        streams.append(stream)
        await office.registrar.carry_out(CarryOut(stream=stream, now=now, alarm=True))

    follower = AgendaFollower(office.store, look)
    assert office.store._agenda[AWARDED].due_at == ENDS
    assert office.runner.run(follower.once(now)) == len(streams) > 1
    assert AWARDED in streams
    assert office.store._agenda[AWARDED].due_at == ENDS + timedelta(days=2)
    assert office.runner.run(follower.once(now)) == 0, "each is told once"
    again = AgendaFollower(office.store, look)
    again._owner = follower._owner
    assert office.runner.run(again.once(now)) == 0, "a follower that starts anew sees that it is done"
