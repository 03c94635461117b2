"""Appends that Temporal never heard of: every command is committed, no workflow told; the follower alone keeps time.

The worst of crashes, all the time: no workflow runs at all. What lapses, escalates and closes does so on its day.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from activities.carry_out import CommandActivities
from cli.scenario import plan_scenario
from domain.kernel.canonical import plain
from domain.kernel.clock import Clock
from domain.kernel.envelope import Answer, CarryOut, Envelope
from followers import agenda
from followers.agenda import AgendaFollower
from scenarios.play import play
from store.memory import MemoryStore
from store.port import EntryKind
from tests.followers.test_agenda import OwnLease
from tests.keys import KEY, publish
from tests.paper import open_paper_door
from tests.tables import mostly

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from application.door import CommandRequest
    from domain.kernel.identifier import StreamId
    from scenarios.plan import Plan
    from store.port import EventStore

STORIES = sorted((Path(__file__).parents[2] / "scenarios").glob("s*.yaml"))
A_MOMENT = timedelta(seconds=1)


class OrphansDoor:
    """Commits on the wall clock and tells no workflow; whoever is late, the follower has look at that very time."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._activities = CommandActivities(store)
        self._follower = AgendaFollower(OwnLease(store), self._look)
        self._now = datetime.min.replace(tzinfo=UTC)
        self.looks = 0

    async def open_realm(self, _realm: str) -> Clock:
        return Clock.WALL

    async def move_clock(self, _realm: str, to: datetime) -> None:
        """Let the follower make its rounds up to then, one whenever somebody has been late for long enough."""
        while late := await self._store.list_overdue(Clock.WALL, to - agenda.LATE, 1):
            assert late[0].due_at is not None
            self._now = late[0].due_at + agenda.LATE + A_MOMENT
            if self._now > to:
                return
            assert await self._follower.once(self._now), late[0]

    async def _look(self, stream: StreamId) -> None:
        self.looks += 1
        await self._activities.carry_out(CarryOut(stream=stream, now=self._now, alarm=True))

    async def send_each(self, subject: StreamId, requests: Sequence[CommandRequest]) -> AsyncGenerator[Answer, None]:
        await publish(self._store)
        for request in requests:
            assert request.at is not None
            await self.move_clock(subject.realm, request.at)
            envelope = Envelope(
                command_id=request.command_id,
                derived=request.derived,
                subject=subject,
                actor=request.actor,
                received_at=request.at,
                command=request.command.command_type,
                body=plain(request.command),
            ).sign(KEY)
            result = await self._activities.carry_out(CarryOut(stream=subject, now=request.at, envelope=envelope))
            assert result.answer is not None
            yield result.answer


async def _list_events(store: EventStore, plan: Plan) -> dict[StreamId, list[tuple[Any, ...]]]:
    """What happened to each stream, and when it was so."""
    streams = [row.stream async for row in store.standings(realm=plan.realm)]
    return {
        stream: [
            (e.type, e.occurred_at, e.command_id, e.data)
            async for e in store.read(stream, commands=True)
            if e.kind is EntryKind.EVENT
        ]
        for stream in streams
    }


@mostly(2, "story", STORIES, ids=lambda path: path.stem)
async def test_a_story_of_which_temporal_never_heard_comes_out_as_told(story: Path) -> None:
    (plan,) = plan_scenario([story])
    manual, orphaned = MemoryStore(), MemoryStore()
    await play(plan, open_paper_door(manual), manual)
    door = OrphansDoor(orphaned)
    played = await play(plan, door, orphaned)  # type: ignore[arg-type] # likewise
    assert played.ok, played.as_json()
    assert await _list_events(orphaned, plan) == await _list_events(manual, plan), (
        "each deadline once, at its own instant"
    )
    assert door.looks or not plan.expectations
