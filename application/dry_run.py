"""What commands would come to now, one after another, with nothing recorded: for previews, dry runs and «why not»."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from deciding.decision import Decision, Step, StreamParked, decide_consequences, decide_on
from deciding.document_presence import find_absent
from deciding.reader import Reader
from domain.kernel.canonical import plain
from domain.kernel.clock import Clock
from domain.kernel.facts import Reads
from domain.kernel.identifier import derive_id
from domain.kernel.message import Order

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from application.identity import PersonFinder
    from domain.kernel.acting import PersonId
    from domain.kernel.identifier import Actor, StreamId
    from domain.kernel.message import Command
    from store.port import EventStore


class DryRun:
    """The log as it would go on from now: what is tried rests on what was tried before, and is kept here only.

    Deadlines come first, as they would: on a manual clock those of the whole realm, on the wall clock the stream's own,
    since the others have fallen due by then.
    """

    def __init__(
        self,
        store: EventStore,
        identity: PersonFinder | None = None,
        *,
        requires_office: bool,
        at_hand: Collection[str] = (),
    ) -> None:
        """Go on from what that store holds; ``identity`` says who asks where a seat alone is named.

        Of documents ``at_hand``, by digest, the bytes would be brought with the command. Where it ``requires_office``,
        as in production, nobody acts on the wall clock before that is founded.
        """
        self._store = store
        self._at_hand = at_hand
        self._identity = identity
        self._reader = Reader(store, requires_office=requires_office)
        self._tried = 0
        self._alarms: dict[StreamId, datetime | None] = {}
        """When a stream's nearest deadline falls: of whatever was tried, and of realms whose clock was moved on."""
        self._moved_on: set[str] = set()

    async def step(
        self,
        stream: StreamId,
        command: Command,
        actor: Actor,
        at: datetime | None = None,
        person: PersonId | None = None,
    ) -> Step:
        """What the command would come to: its events, or every unmet condition, of its consequences too.

        ``at`` is its business time, UTC; without one it is now, or where a manual realm's clock stands.
        """
        self._tried += 1
        realm = await self._store.realm(stream.realm)
        at = at or realm.now or datetime.now(UTC)
        if person is None and self._identity is not None:
            person = await self._identity.find_person(stream, command, actor, at)
        if realm.clock is Clock.MANUAL:
            await self._move_on(stream.realm, at)
        order = Order(command, actor, at, person=person)
        step = (await self._decide(stream, realm.clock, at, order))[-1]
        if realm.clock is Clock.WALL and (absent := await find_absent(self._store, plain(command), self._at_hand)):
            return replace(step, events=(), unmet=(*step.unmet, *absent))
        return step

    async def _move_on(self, realm: str, to: datetime) -> None:
        """Let all that is due in that manual realm until then fall due. Raises StreamParked if a deadline stays."""
        if realm not in self._moved_on and await self._store.find_next_due(realm, to) is not None:
            self._moved_on.add(realm)
            waiting = {row.stream: row.due_at async for row in self._store.standings(realm=realm)}
            self._alarms = waiting | self._alarms
        before = None
        while due := min(
            ((at, stream) for stream, at in self._alarms.items() if at and at <= to and stream.realm == realm),
            default=None,
        ):
            at, stream = due
            if due == before:
                raise StreamParked(stream)
            before = due
            await self._decide(stream, Clock.MANUAL, at, None)

    async def _decide(self, stream: StreamId, clock: Clock, at: datetime, order: Order | None) -> Sequence[Step]:
        """What falls due on that stream until then and what the order comes to; others rest on it from now on."""
        await self._reader.fetch(Reads(streams=frozenset({stream})))
        state, command_id = self._reader.states[stream], derive_id("rehearsal", stream, str(self._tried))
        decision = await decide_on(
            self._store, state, clock, at=at, order=order, command_id=command_id, reader=self._reader
        )
        others: tuple[Decision, ...] = ()
        if decision.steps:
            decision, others = await decide_consequences(self._store, decision, self._reader)
        for one in (decision, *others):
            self._reader.states[one.state.stream] = one.state
            self._reader.rest_on(one.list_effects())
            self._alarms[one.state.stream] = one.alarm
        return decision.steps
