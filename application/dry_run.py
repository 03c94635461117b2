"""What commands would come to now, one after another, with nothing recorded: for previews, dry runs and «why not»."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from deciding.decision import Decision, Step, decide_consequences, decide_on
from deciding.document_presence import find_absent
from deciding.reader import Reader
from domain.kernel.canonical import plain
from domain.kernel.clock import Clock
from domain.kernel.facts import Reads
from domain.kernel.identity import derive_id
from domain.kernel.message import Order

if TYPE_CHECKING:
    from collections.abc import Collection

    from application.identity import Identity
    from domain.kernel.acting import PersonId
    from domain.kernel.identity import Actor, StreamId
    from domain.kernel.message import Command
    from store.port import EventStore


class DryRun:
    """The log as it would go on from now: what is tried rests on what was tried before, and is kept here only.

    Deadlines of the stream itself come first, as they would; those of other streams do not fall due in a rehearsal.
    """

    def __init__(
        self,
        store: EventStore,
        identity: Identity | None = None,
        *,
        requires_office: bool = False,
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
        await self._reader.fetch(Reads(streams=frozenset({stream})))
        decision = await decide_on(
            self._store,
            self._reader.states[stream],
            realm.clock,
            at=at,
            order=Order(command, actor, at, person=person),
            command_id=derive_id("rehearsal", stream, str(self._tried)),
            reader=self._reader,
        )
        decision, others = await decide_consequences(self._store, decision, self._reader)
        for one in (decision, *others):
            await self._keep(one)
        step = decision.steps[-1]
        if realm.clock is Clock.WALL and (absent := await find_absent(self._store, plain(command), self._at_hand)):
            return replace(step, events=(), unmet=(*step.unmet, *absent))
        return step

    async def _keep(self, decision: Decision) -> None:
        stream = decision.state.stream
        self._reader.states[stream] = decision.state
        self._reader.rest_on(decision.list_effects())
