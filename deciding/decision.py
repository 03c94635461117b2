"""From a stream and an order to a decision: fold, gather the facts, apply what is due, decide. Writes nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING
from uuid import UUID

from deciding.authority import find_seat, judge_seat
from deciding.reader import SOME, Reader
from domain.catalogue import AGGREGATES
from domain.kernel.clock import Clock
from domain.kernel.facts import Facts, Reads
from domain.kernel.failure import Failure, FailureKind
from domain.kernel.identifier import LIVE, SYSTEM, Role, StreamId, consequence_command_id, deadline_command_id
from domain.kernel.message import Awaited, Command, Due, Event, Occurrence, Order
from domain.kernel.parked_deadline import SetDeadlineAside
from domain.kernel.policy import list_business_reads, refuse_business, refuse_role, refuse_stage
from domain.kernel.refusal import CommandRejected, Unmet
from domain.kernel.state import State
from domain.registers.calendar import calendar_stream
from domain.registers.office import OFFICE
from store.port import EventStore

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from domain.kernel.calendar import Calendar
    from domain.kernel.decider import Aggregate
    from domain.kernel.effects import Effect

MOST_UNMET = 100
"""Conditions that a refusal names; of more it says how many there are."""
MORE = "and "
"""How the line begins that counts the rest."""
MOST_DUE = 1000
"""More deadlines than this in one go is a loop, not a backlog."""


class StreamParked(Failure):
    """One of the stream's deadlines was refused or stays due: a loop would not mend it, a person must."""

    kind = FailureKind.CONFLICT
    remedy_zh = "一個期限不能辦理：補齊所缺，或由兩人擱置該期限（venture unpark），見 venture doctor"
    remedy_en = (
        "One of its deadlines cannot be applied: give what is missing, or let two persons set that deadline aside "
        "(venture unpark); see venture doctor"
    )

    def __init__(self, stream: StreamId, why: str = "", due: Due | None = None) -> None:
        super().__init__(
            f"{stream} 已轉人工處理", f"{stream} is parked", stream=stream, **({"why": why} if why else {})
        )
        self.stream = stream
        self.why = why
        self.due = due


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
    effects: tuple[tuple[Effect, ...], ...] = ()
    """What each event does to claims and accounts."""
    due: Due | None = None
    """The deadline that it is, if it fell due."""


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

    def refuse(self, unmet: tuple[Unmet, ...]) -> Decision:
        """The same decision with its last step refused after all."""
        step = replace(self.steps[-1], events=(), effects=(), unmet=unmet)
        return replace(self, steps=(*self.steps[:-1], step), state=self.before)

    def then(self, later: Decision) -> Decision:
        """One decision out of this and the next one on the same stream."""
        return replace(later, steps=self.steps + later.steps, reads={**later.reads, **self.reads})

    def list_effects(self) -> Iterator[Effect]:
        """What all of it does to claims and accounts, in order."""
        return (effect for step in self.steps for effects in step.effects for effect in effects)

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


async def decide_on(
    store: EventStore,
    state: State,
    clock: Clock,
    *,
    at: datetime,
    order: Order | None,
    command_id: UUID | None,
    reader: Reader | None = None,
    follows: bool = False,
) -> Decision:
    """Apply every deadline at or before ``at`` in order, then decide the order, if there is one.

    Each is judged by the working days that were published by then. What ``reader`` has at hand is not read again.
    An order that ``follows`` from another has its persons from there. Raises StreamParked if a deadline is refused or
    stays due.
    """
    reader = reader or Reader(store)
    aggregate = AGGREGATES[state.stream.kind]
    calendars = await reader.calendars(state.stream.realm)
    steps: list[Step] = []
    before = state
    while (due_now := _next_due(aggregate, state, calendars, clock, at)) is not None:
        due, falls, calendar = due_now
        due_id = deadline_command_id(state.stream, due.command.command_type, due.key, due.at)
        step = await _judge(reader, state, Order(due.command, SYSTEM, falls), due_id, calendar)
        after, step = _evolve(state, replace(step, due=due))
        is_stuck = bool(step.unmet) or aggregate.due(after, calendar) == due or len(steps) >= MOST_DUE
        if order is not None and is_set_aside(state, order.command, due):
            if is_stuck or await store.journalled(due_id) is not None:
                break  # two persons set it aside
        elif is_stuck:
            why = ", ".join(u.rule for u in step.unmet) or "stays due"  # rules only: their texts may name somebody
            raise StreamParked(state.stream, f"{due.command.command_type} at {due.at.isoformat()}: {why}", due)
        state = after
        steps.append(step)
    if order is not None and command_id is not None:
        before = state
        seat = None if follows else find_seat(state.stream.realm, clock, order)
        step = await _judge(reader, state, order, command_id, _in_force(calendars, order.at), seat)
        state, step = _evolve(state, step)
        steps.append(step)
    reads = {stream: reader.states[stream].version for step in steps for stream in step.reads}
    return Decision(tuple(steps), state, calendars[-1], clock, reads, before)


async def decide_consequences(
    store: EventStore, decision: Decision, reader: Reader
) -> tuple[Decision, tuple[Decision, ...]]:
    """The decision and what its last step asks of other streams: if one of them refuses, so does the whole.

    Each rests on what those before it do to claims and balances, as it will in the append.
    """
    step = decision.steps[-1]
    stream = decision.state.stream
    consequences = [pair for event in step.events for pair in decision.aggregate.consequences(stream, event)]
    if not consequences:
        return decision, ()
    reader = reader.branch()
    await reader.fetch(Reads(streams=frozenset(other for other, _ in consequences)))
    await reader.fetch(await _list_likely_reads(reader, consequences))
    reader.rest_on(decision.list_effects())
    others: dict[StreamId, Decision] = {}
    unmet: list[Unmet] = []
    for number, (other, command) in enumerate(consequences):
        before = others.get(other)
        if before is not None and before.steps[-1].unmet:
            continue  # what was to follow on a refused command is not wrong by itself
        await asyncio.sleep(0)  # a thousand of them must not keep a worker's other commands waiting
        after = await decide_on(
            store,
            before.state if before else reader.states[other],
            decision.clock,
            at=step.order.at,
            order=_follow(step.order, command),
            command_id=consequence_command_id(step.command_id, number),
            reader=reader,
            follows=True,
        )
        unmet.extend(u.on(other.name) for u in after.steps[-1].unmet)
        reader.rest_on(after.list_effects())
        others[other] = before.then(after) if before else after
    if unmet:
        return decision.refuse(_shorten_unmet(tuple(unmet))), ()
    return decision, tuple(others.values())


def is_set_aside(state: State, command: Command, due: Due) -> bool:
    """Whether the command, or what it confirms, would set that very deadline aside."""
    bound = AGGREGATES[state.stream.kind].bound_command(state, command)
    return isinstance(bound, SetDeadlineAside) and bound.is_about(due)


def _follow(order: Order, command: Command) -> Order:
    """What follows from an order: by whoever asked that, unless it is the engine's to note."""
    if command.by == (Role.SYS,):
        return replace(order, command=command, actor=SYSTEM, scope=None)
    return replace(order, command=command)


def _shorten_unmet(unmet: tuple[Unmet, ...]) -> tuple[Unmet, ...]:
    """So many of them, each rule at least once, and how many more there are: people read it, and it is kept."""
    if len(unmet) <= MOST_UNMET:
        return unmet
    listed = unmet[:MOST_UNMET]
    rules = {u.rule for u in listed}
    others = {u.rule: u for u in reversed(unmet) if u.rule not in rules}
    more = len(unmet) - len(listed) - len(others)
    rest = Unmet.of(listed[-1].rule, "另有 {more} 項未列", f"{MORE}{{more}} more that are not listed", more=more)
    return (*listed, *others.values(), rest)


async def _list_likely_reads(reader: Reader, consequences: Sequence[tuple[StreamId, Command]]) -> Reads:
    """What all of them will want to know, to be fetched in one go: a thousand bids name a thousand organisations."""
    likely: list[Reads] = []
    for number, (other, command) in enumerate(consequences, 1):
        if number % SOME == 0:
            await asyncio.sleep(0)
        likely.append(AGGREGATES[other.kind].reads(reader.states[other], command))
    return Reads(
        frozenset(stream for reads in likely for stream in reads.streams),
        frozenset(claim for reads in likely for claim in reads.claims),
        frozenset(account for reads in likely for account in reads.accounts),
    )


def _in_force(calendars: Sequence[Calendar], at: datetime) -> Calendar:
    """The newest calendar that was published by then."""
    return next((c for c in reversed(calendars) if c.since is None or c.since <= at), calendars[0])


def _next_due(
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


async def _judge(
    reader: Reader, state: State, order: Order, command_id: UUID, calendar: Calendar, seat: StreamId | None = None
) -> Step:
    """One order: who asks first, by the seat if somebody does; then the facts that they may know; then the rules."""
    aggregate = AGGREGATES[state.stream.kind]
    order, not_theirs, seat_read = await _identify(reader, state, order, seat)
    reads = aggregate.reads(state, order.command)
    governor = aggregate.governed_by(state, order.command)
    reads_others = reads.streams - {state.stream, governor} or reads.claims or reads.accounts
    bound, by = aggregate.bind(state, order)
    if not_theirs:
        not_theirs += refuse_role(bound, by)
        return _refuse_unread(reader, state, order, command_id, calendar, not_theirs, Reads(), seat_read)
    business = list_business_reads(bound, state, by)
    await reader.fetch(business)
    no_business = refuse_business(bound, state, Facts(streams={s: reader.states[s] for s in business.streams}), by)
    if no_business and (reads_others or business.streams):
        no_business += refuse_stage(bound, state)
        return _refuse_unread(reader, state, order, command_id, calendar, no_business, business, seat_read)
    reads |= business
    await reader.fetch(Reads(reads.streams - {state.stream}, reads.claims, reads.accounts))
    scheme = await reader.scheme(state, governor)
    facts = Facts(
        calendar=calendar,
        scheme=scheme,
        streams={s: reader.states[s] for s in reads.streams if s != state.stream},
        claims={key: reader.claims[key] for key in reads.claims},
        balances={account: reader.balances[account] for account in reads.accounts},
    )
    facts = await _read_on(reader, state, facts, order)
    events: tuple[Event, ...] = ()
    unmet: tuple[Unmet, ...] = ()
    try:
        events = tuple(aggregate.decide(state, facts, order))
    except CommandRejected as refusal:
        unmet = _shorten_unmet(refusal.unmet)
    read = {s: reader.states[s].version for s in sorted(facts.streams)}
    read[calendar_stream(state.stream.realm)] = calendar.version
    return Step(
        command_id=command_id,
        order=order,
        version=state.version,
        events=events,
        unmet=unmet,
        reads=read | dict(seat_read),
        claims=facts.claims,
        balances=facts.balances,
        scheme=str(scheme.ref) if scheme else None,
        edition=scheme.edition if scheme else 1,
    )


async def _read_on(reader: Reader, state: State, facts: Facts, order: Order) -> Facts:
    """With what only these facts say must be known besides: who is on whose seats."""
    aggregate = AGGREGATES[state.stream.kind]
    while streams := aggregate.reads_on(state, facts, order):
        await reader.fetch(Reads(streams))
        facts = replace(facts, streams={**facts.streams, **{s: reader.states[s] for s in streams}})
    return facts


async def _identify(
    reader: Reader, state: State, order: Order, seat: StreamId | None
) -> tuple[Order, tuple[Unmet, ...], Mapping[StreamId, int]]:
    """The order with its persons, why whoever asks is not on the seat, and the seat's version if it says anything."""
    if seat is None:
        return order, (), {}
    office = None if reader.requires_office or seat.realm != LIVE else OFFICE
    await reader.fetch(Reads(streams=frozenset({seat, *([office] if office else ())} - {state.stream})))
    register = state if seat == state.stream else reader.states[seat]
    founding = reader.states[office] if office else None
    identified, unmet = judge_seat(register, order, founding)
    if seat == state.stream or (seat.realm != LIVE and not register.version):
        return identified, unmet, {}
    read = {seat: register.version}
    if office and founding is not None and not founding.version:
        read[office] = 0
    return identified, unmet, read


def _refuse_unread(
    reader: Reader,
    state: State,
    order: Order,
    command_id: UUID,
    calendar: Calendar,
    unmet: tuple[Unmet, ...],
    business: Reads,
    seat_read: Mapping[StreamId, int],
) -> Step:
    """Whoever has no business with it has nothing of other streams read but what says so, and learns nothing of it."""
    return Step(
        command_id=command_id,
        order=order,
        version=state.version,
        events=(),
        unmet=unmet,
        reads={
            **{s: reader.states[s].version for s in sorted(business.streams)},
            calendar_stream(state.stream.realm): calendar.version,
            **seat_read,
        },
        claims={},
        balances={},
        scheme=str(state.scheme) if state.scheme else None,
        edition=1,
    )


def _evolve(state: State, step: Step) -> tuple[State, Step]:
    """The state after the step, and the step with what each of its events does to claims and accounts."""
    aggregate = AGGREGATES[state.stream.kind]
    order = step.order
    effects: list[tuple[Effect, ...]] = []
    for event in step.events:
        before = state
        occurrence = Occurrence(event, order.at, order.actor, step.command_id, order.persons, order.basis)
        state = aggregate.evolve(before, occurrence)
        effects.append(aggregate.effects(before, event, state))
    return state, replace(step, effects=tuple(effects))
