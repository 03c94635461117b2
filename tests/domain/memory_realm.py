"""A realm on a manual clock behind ``carry_out`` and the in-memory store: journalled, claimed and posted; no server."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid5

from activities.carry_out import CommandActivities
from deciding.fold import fold
from deciding.refresh import read_calendar_version, refresh_standings
from domain.catalogue import AGGREGATES
from domain.kernel.canonical import plain
from domain.kernel.clock import Clock
from domain.kernel.envelope import Answer, CarryOut, Ending, Envelope
from domain.kernel.identifier import NAMESPACE, Actor, StreamId
from domain.kernel.state import State
from domain.registers.calendar import calendar_of
from store.memory import MemoryStore
from tests.keys import KEY, publish

if TYPE_CHECKING:
    from collections.abc import Collection, Coroutine, Sequence

    from domain.kernel.calendar import Calendar
    from domain.kernel.message import Awaited, Command
    from store.port import Entry, Readings

REALM = "office"
LATEST = datetime(2026, 6, 30, tzinfo=UTC)
"""Time is passed up to here at most: a store refuses what lies ahead of its own clock."""
MINUTE = timedelta(minutes=1)


class Yielding(MemoryStore):
    """Lets others in between a reading and the append that rests on it, as a database far away does."""

    async def read_many(
        self, streams: Collection[StreamId], claims: Collection[str] = (), accounts: Collection[str] = ()
    ) -> Readings:
        many = await super().read_many(streams, claims, accounts)
        await asyncio.sleep(0)
        return many


@dataclass(frozen=True)
class StreamCommand:
    """What somebody asks."""

    stream: StreamId
    command: Command
    actor: Actor


T = TypeVar("T")


@dataclass
class MemoryRealm:
    """Its store, its clock, and the rules it saw refusing."""

    store: MemoryStore
    runner: asyncio.Runner
    now: datetime = datetime(2024, 1, 2, 1, tzinfo=UTC)
    """Where the manual clock stands, UTC."""
    refusing: set[str] = field(default_factory=set)
    asked: int = 0
    _states: dict[StreamId, State] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.registrar = CommandActivities(self.store)
        self._wait(publish(self.store))
        self._wait(self.store.set_clock(REALM, Clock.MANUAL))

    def _wait(self, act: Coroutine[Any, Any, T]) -> T:
        """What it comes to; without the handlers that a runner sets each time, which take as long as many an act."""
        return self.runner.get_loop().run_until_complete(act)

    # ------------------------------------------------------------------------------------------------- asking

    def ask(self, *askings: StreamCommand) -> Sequence[Answer]:
        """All at once, one minute on; what is due comes first. None may end otherwise than accepted or refused."""
        self.now += MINUTE
        self.pass_time(self.now)
        answers = self._wait(self._together([self._envelope(asking) for asking in askings]))
        for asking, answer in zip(askings, answers, strict=True):
            assert answer.ending in (Ending.ACCEPTED, Ending.REFUSED), (asking, answer)
            assert (answer.ending is Ending.REFUSED) is bool(answer.unmet), (asking, answer)
            self.refusing |= {u.rule for u in answer.unmet}
        return answers

    async def _together(self, envelopes: Sequence[Envelope]) -> list[Answer]:
        results = await asyncio.gather(
            *(self.registrar.carry_out(CarryOut(stream=e.subject, now=self.now, envelope=e)) for e in envelopes)
        )
        return [c.answer for c in results if c.answer is not None]

    def _envelope(self, asking: StreamCommand) -> Envelope:
        self.asked += 1
        return Envelope(
            command_id=uuid5(NAMESPACE, f"{REALM} {self.asked}"),
            derived=True,
            subject=asking.stream,
            actor=asking.actor,
            received_at=self.now,
            command=asking.command.command_type,
            body=plain(asking.command),
        ).sign(KEY)

    def pass_time(self, to: datetime) -> None:
        """Everything that falls due until then, in order; a stream that stays due is a defect."""
        self.now = max(self.now, min(to, LATEST))
        self._wait(self._sweep(self.now))

    async def _sweep(self, to: datetime) -> None:
        await refresh_standings(self.store, REALM, await read_calendar_version(self.store, REALM))
        before = None
        while (standing := await self.store.find_next_due(REALM, to)) is not None and standing.due_at is not None:
            assert standing != before, f"{standing.stream} stays due"
            before = standing
            await self.registrar.carry_out(CarryOut(stream=standing.stream, now=standing.due_at).sign(KEY))

    # ------------------------------------------------------------------------------------------------ looking

    def id(self, kind: str, name: str) -> StreamId:
        """A stream of the realm."""
        return StreamId.of(kind, REALM, name)

    def state(self, kind: str, name: str) -> State:
        """How it stands."""
        stream = self.id(kind, name)
        known = self._states.get(stream) or State(stream)
        events: list[Entry] = self.store._events.get(stream, [])
        if known.version < len(events):
            known = self._states[stream] = fold(stream, events[known.version :], known)
        return known

    def part(self, kind: str, name: str, of: type[Any]) -> Any:
        """What a room remembers of it."""
        return self.state(kind, name).part(of)

    def names(self, kind: str, *stages: str) -> list[str]:
        """Streams of that kind that have begun, in these stages if any are named."""
        names = sorted(s.name for s in self.store._events if s.kind == kind)
        return [n for n in names if not stages or self.state(kind, n).stage in stages]

    @property
    def calendar(self) -> Calendar:
        """The working days."""
        return calendar_of(self.state("calendar", "cn"))

    def awaited(self, kind: str, name: str) -> list[Awaited]:
        """Who is awaited there."""
        return AGGREGATES[kind].awaiting(self.state(kind, name), self.calendar)

    def balance(self, account: str) -> int:
        """Fen."""
        return self.store._guards.balances.get(account, 0)
