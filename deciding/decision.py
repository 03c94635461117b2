"""From a stream and an order to a decision: fold, gather the facts, apply what is due, decide. Writes nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import UUID

from domain.catalogue import AGGREGATES, command_class, decode
from domain.kernel.clock import Clock
from domain.kernel.facts import Facts, Reads
from domain.kernel.identity import SYSTEM, Actor, StreamId, consequence_command_id, deadline_command_id
from domain.kernel.message import Awaited, Command, Due, Event, Occurrence, Order
from domain.kernel.refusal import CommandRejected, Unmet
from domain.kernel.state import State
from domain.registers.calendar import calendars_of
from domain.registers.scheme import scheme_of
from store.port import Entry, EventStore, Readings, StreamParked

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from domain.kernel.calendar import Calendar
    from domain.kernel.decider import Aggregate
    from domain.kernel.scheme import Scheme

MOST_DUE = 1000
"""More deadlines than this in one go is a loop, not a backlog."""


def read_occurrence(entry: Entry) -> Occurrence:
    """The event of an entry, with when it was so and who caused it."""
    event = decode(entry.type, entry.schema_version, entry.data)
    return Occurrence(event, entry.occurred_at, Actor(json.loads(entry.meta)["actor"]), entry.command_id)


def fold(stream: StreamId, entries: Iterable[Entry], state: State | None = None) -> State:
    """What the events of the stream add up to."""
    aggregate = AGGREGATES[stream.kind]
    state = state or State(stream)
    for entry in entries:
        state = aggregate.evolve(state, read_occurrence(entry))
    return state


@dataclass(frozen=True)
class Step:
    """One order with what it came to: events, or every unmet condition; and all that was read for it."""

    command_id: UUID
    order: Order
    version: int
    """The version that it was decided at."""
    events: tuple[Event, ...]
    unmet: tuple[Unmet, ...]
    reads: Mapping[StreamId, int]
    claims: Mapping[str, frozenset[str]]
    balances: Mapping[str, int]
    scheme: str | None
    edition: int


@dataclass(frozen=True)
class Decision:
    """What is to be appended: the deadlines that fell due first, then the order; and how the stream then stands."""

    steps: tuple[Step, ...]
    state: State
    calendar: Calendar
    clock: Clock
    reads: Mapping[StreamId, int]
    """Every other stream that was read, at its version."""
    before: State
    """The stream before the last step."""

    def refused(self, unmet: tuple[Unmet, ...]) -> Decision:
        """The same decision with its last step refused after all."""
        step = replace(self.steps[-1], events=(), unmet=unmet)
        return replace(self, steps=(*self.steps[:-1], step), state=self.before)

    def then(self, later: Decision) -> Decision:
        """One decision out of this and the next one on the same stream."""
        return replace(later, steps=self.steps + later.steps, reads={**later.reads, **self.reads})

    @property
    def aggregate(self) -> Aggregate:
        """The rules of this kind of stream."""
        return AGGREGATES[self.state.stream.kind]

    @cached_property
    def alarm(self) -> datetime | None:
        """When the nearest deadline after all this is to be seen to."""
        return alarm(self.state, self.calendar, self.clock)

    @cached_property
    def awaiting(self) -> Sequence[Awaited]:
        """Everybody who is awaited after all this."""
        return self.aggregate.awaiting(self.state, self.calendar)


def alarm(state: State, calendar: Calendar, clock: Clock) -> datetime | None:
    """When the stream's nearest deadline is to be seen to: on the wall clock after its grace."""
    due = AGGREGATES[state.stream.kind].due(state, calendar)
    return None if due is None else _alarm(due, falls_at(due, calendar), clock)


def falls_at(due: Due, calendar: Calendar) -> datetime:
    """When the deadline falls: a notice may move it, but never to before the notice itself."""
    return due.at if calendar.since is None else max(due.at, calendar.since)


def _alarm(due: Due, falls: datetime, clock: Clock) -> datetime:
    return falls + due.grace if clock is Clock.WALL else falls


@dataclass
class Reader:
    """Fetches other streams once each, in as few round trips as the rules allow."""

    store: EventStore
    states: dict[StreamId, State] = field(default_factory=dict)
    claims: dict[str, frozenset[str]] = field(default_factory=dict)
    balances: dict[str, int] = field(default_factory=dict)

    async def fetch(self, wanted: Reads) -> None:
        """Make sure that these readings are at hand."""
        streams = wanted.streams - self.states.keys()
        claims = wanted.claims - self.claims.keys()
        accounts = wanted.accounts - self.balances.keys()
        if not (streams or claims or accounts):
            return
        found = await self.store.read_many(streams, claims, accounts)
        for stream in streams:
            self.states[stream] = fold(stream, found.streams.get(stream, ()))
        self.keep(found)

    def keep(self, found: Readings) -> None:
        """Keep the claims and balances that were found."""
        self.claims.update(found.claims)
        self.balances.update(found.balances)

    async def calendar(self, realm: str) -> Calendar:
        """The newest published working days of that realm."""
        return (await self.calendars(realm))[-1]

    async def calendars(self, realm: str) -> tuple[Calendar, ...]:
        """Every published state of that realm's working days, the oldest first."""
        stream = StreamId.of("calendar", realm, "cn")
        await self.fetch(Reads(streams=frozenset({stream})))
        return calendars_of(self.states[stream])

    async def scheme(self, state: State, governor: StreamId | None) -> Scheme | None:
        """The rules pinned to the stream, or else to the stream that governs it."""
        ref = state.scheme or (self.states[governor].scheme if governor else None)
        if ref is None:
            return None
        stream = state.stream.sibling("scheme", ref.name)
        await self.fetch(Reads(streams=frozenset({stream})))
        return scheme_of(self.states[stream], ref)


async def decide_on(
    store: EventStore,
    state: State,
    clock: Clock,
    *,
    at: datetime,
    order: Order | None,
    command_id: UUID | None,
    reader: Reader | None = None,
) -> Decision:
    """Apply every deadline at or before ``at`` in order, then decide the order, if there is one.

    Each is judged by the working days that were published by then. What ``reader`` has at hand is not read again.
    Raises StreamParked if a deadline is refused or stays due.
    """
    reader = reader or Reader(store)
    aggregate = AGGREGATES[state.stream.kind]
    calendars = await reader.calendars(state.stream.realm)
    steps: list[Step] = []
    before = state
    while (fallen := _fallen(aggregate, state, calendars, clock, at)) is not None:
        due, falls, calendar = fallen
        due_id = deadline_command_id(state.stream, due.command.command_type, due.key, due.at)
        step = await _decided(reader, state, Order(due.command, SYSTEM, falls), due_id, calendar)
        state = _after(state, step)
        steps.append(step)
        if step.unmet or aggregate.due(state, calendar) == due or len(steps) > MOST_DUE:
            why = ", ".join(u.rule for u in step.unmet) or "stays due"  # rules only: their texts may name somebody
            message = f"{state.stream}: {due.command.command_type} at {due.at.isoformat()}: {why}"
            raise StreamParked(message)
    if order is not None and command_id is not None:
        before = state
        step = await _decided(reader, state, order, command_id, _in_force(calendars, order.at))
        state = _after(state, step)
        steps.append(step)
    versions = {stream: s.version for stream, s in reader.states.items() if stream != state.stream}
    return Decision(tuple(steps), state, calendars[-1], clock, versions, before)


async def decide_consequences(
    store: EventStore, decision: Decision, reader: Reader
) -> tuple[Decision, tuple[Decision, ...]]:
    """The decision and what its last step asks of other streams: if one of them refuses, so does the whole."""
    step = decision.steps[-1]
    stream = decision.state.stream
    asked = [pair for event in step.events for pair in decision.aggregate.consequences(stream, event)]
    await reader.fetch(Reads(streams=frozenset(other for other, _ in asked)))
    others: dict[StreamId, Decision] = {}
    unmet: list[Unmet] = []
    for number, (other, command) in enumerate(asked):
        before = others.get(other)
        if before is not None and before.steps[-1].unmet:
            continue  # what was to follow on a refused command is not wrong by itself
        found = await decide_on(
            store,
            before.state if before else reader.states[other],
            decision.clock,
            at=step.order.at,
            order=Order(command, step.order.actor, step.order.at),
            command_id=consequence_command_id(step.command_id, number),
            reader=reader,
        )
        unmet.extend(
            Unmet(rule=u.rule, zh=f"{other.name}:{u.zh}", en=f"{other.name}: {u.en}") for u in found.steps[-1].unmet
        )
        others[other] = before.then(found) if before else found
    if unmet:
        return decision.refused(tuple(unmet)), ()
    return decision, tuple(others.values())


def _in_force(calendars: Sequence[Calendar], at: datetime) -> Calendar:
    """The newest calendar that was published by then."""
    return next((c for c in reversed(calendars) if c.since is None or c.since <= at), calendars[0])


def _fallen(
    aggregate: Aggregate, state: State, calendars: Sequence[Calendar], clock: Clock, at: datetime
) -> tuple[Due, datetime, Calendar] | None:
    """The deadline that has fallen by then, when it did, and by which calendar: what fell before a notice stays."""
    for calendar, later in zip(calendars, (*calendars[1:], None), strict=True):
        ended = later.since if later is not None else None
        if ended is not None and (state.since is None or ended <= state.since):
            continue
        due = aggregate.due(state, calendar)
        if due is None:
            continue
        falls = falls_at(due, calendar)
        if ended is None or falls < ended:
            return (due, falls, calendar) if _alarm(due, falls, clock) <= at else None
    return None


async def _decided(reader: Reader, state: State, order: Order, command_id: UUID, calendar: Calendar) -> Step:
    aggregate = AGGREGATES[state.stream.kind]
    wanted = aggregate.reads(state, order.command)
    await reader.fetch(Reads(wanted.streams - {state.stream}, wanted.claims, wanted.accounts))
    governor = aggregate.governed_by(state, order.command)
    scheme = await reader.scheme(state, governor)
    facts = Facts(
        calendar=calendar,
        scheme=scheme,
        streams={s: reader.states[s] for s in wanted.streams if s != state.stream},
        claims={key: reader.claims[key] for key in wanted.claims},
        balances={account: reader.balances[account] for account in wanted.accounts},
    )
    events: tuple[Event, ...] = ()
    unmet: tuple[Unmet, ...] = ()
    try:
        events = tuple(aggregate.decide(state, facts, order))
    except CommandRejected as refusal:
        unmet = refusal.unmet
    calendar_stream = state.stream.sibling("calendar", "cn")
    return Step(
        command_id=command_id,
        order=order,
        version=state.version,
        events=events,
        unmet=unmet,
        reads={s: reader.states[s].version for s in sorted(facts.streams)} | {calendar_stream: calendar.version},
        claims=facts.claims,
        balances=facts.balances,
        scheme=str(scheme.ref) if scheme else None,
        edition=scheme.edition if scheme else 1,
    )


def _after(state: State, step: Step) -> State:
    aggregate = AGGREGATES[state.stream.kind]
    for event in step.events:
        state = aggregate.evolve(state, Occurrence(event, step.order.at, step.order.actor, step.command_id))
    return state


def parse_command(command_type: str, body: Mapping[str, Any]) -> Command:
    """The command of that type with those particulars. Raises pydantic's ValidationError, or KeyError if unknown."""
    return command_class(command_type).model_validate(body)
