"""Fetches what a decision rests on: other streams, claims and balances, each once and in few round trips."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

from pydantic import ValidationError

from deciding.authority import find_seat, judge_seat
from deciding.fold import fold, parse_command
from deciding.fold_cache import CachedFold, FoldCache, StaleFold
from domain.catalogue import AGGREGATES
from domain.kernel.clock import Clock
from domain.kernel.effects import Claim, Post, Release
from domain.kernel.facts import Facts, Reads
from domain.kernel.identifier import LIVE, StreamId
from domain.kernel.message import Order
from domain.kernel.policy import refuse_role
from domain.registers.calendar import calendar_of, calendar_stream, calendars_of
from domain.registers.office import OFFICE
from domain.registers.scheme import scheme_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

    from domain.kernel.calendar import Calendar
    from domain.kernel.decider import Aggregate
    from domain.kernel.effects import Effect
    from domain.kernel.envelope import CarryOut, Envelope
    from domain.kernel.message import Command
    from domain.kernel.scheme import Scheme
    from domain.kernel.state import State
    from store.port import CommandBasis, Entry, EventStore, Readings


SOME = 50
"""Streams that are folded before others of the worker have their turn."""


@dataclass
class Reader:
    """Fetches other streams once each, in as few round trips as the rules allow."""

    store: EventStore
    states: dict[StreamId, State] = field(default_factory=dict)
    claims: dict[str, frozenset[str]] = field(default_factory=dict)
    balances: dict[str, int] = field(default_factory=dict)
    requires_office: bool = False
    """Whether it is known that the office was founded, or nobody may act before it is."""
    deferred: dict[tuple[str, str], list[Effect]] = field(default_factory=dict)
    """What is rested on of claims and accounts that nobody has wanted to read yet: most of them nobody ever will."""

    async def fetch(self, reads: Reads) -> None:
        """Make sure that these readings are at hand."""
        streams, claims, accounts = self._missing(reads)
        if not (streams or claims or accounts):
            return
        readings = await self.store.read_many(streams, claims, accounts)
        for stream in streams:
            self.states[stream] = fold(stream, readings.streams.get(stream, ()))
        self.keep(readings)

    def _missing(self, reads: Reads) -> tuple[frozenset[StreamId], frozenset[str], frozenset[str]]:
        """What is not at hand yet. Set differences with thousands of keys would cost more than asking for each."""
        return (
            frozenset(stream for stream in reads.streams if stream not in self.states),
            frozenset(claim for claim in reads.claims if claim not in self.claims),
            frozenset(account for account in reads.accounts if account not in self.balances),
        )

    def keep(self, readings: Readings) -> None:
        """Keep the claims and balances among these readings, as what they rest on leaves them."""
        self.claims.update(readings.claims)
        self.balances.update(readings.balances)
        for key in readings.claims:
            for effect in self.deferred.pop(("claim", key), ()):
                self._claim(key, effect)
        for account in readings.balances:
            for effect in self.deferred.pop(("account", account), ()):
                self._post(account, effect)

    def branch(self) -> Self:
        """A reader with the same readings at hand, whose claims and balances go their own way."""
        deferred = {key: list(effects) for key, effects in self.deferred.items()}
        return replace(self, claims=dict(self.claims), balances=dict(self.balances), deferred=deferred)

    def rest_on(self, effects: Iterable[Effect]) -> None:
        """Read from now on as if these were recorded: claims and balances as they leave them, read already or not."""
        for effect in effects:
            match effect:
                case Claim() | Release():
                    self._claim(effect.key, effect)
                case Post():
                    self._post(effect.source, effect)
                    self._post(effect.target, effect)

    def _claim(self, key: str, effect: Effect) -> None:
        if key not in self.claims:
            self.deferred.setdefault(("claim", key), []).append(effect)
        elif isinstance(effect, Claim):
            self.claims[key] |= {effect.holder}
        elif isinstance(effect, Release):
            self.claims[key] -= {effect.holder}

    def _post(self, account: str, effect: Effect) -> None:
        if account not in self.balances:
            self.deferred.setdefault(("account", account), []).append(effect)
        elif isinstance(effect, Post):
            self.balances[account] += effect.fen * ((account == effect.target) - (account == effect.source))

    async def calendar(self, realm: str) -> Calendar:
        """The newest published working days of that realm."""
        return (await self.calendars(realm))[-1]

    async def calendars(self, realm: str) -> tuple[Calendar, ...]:
        """Every published state of that realm's working days, the oldest first."""
        stream = calendar_stream(realm)
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


@dataclass
class CachedReader(Reader):
    """Reads what is new since the worker last looked; ``begin`` asks in one go for all that is likely to be wanted."""

    folds: FoldCache = field(default_factory=FoldCache)
    warrant_state: State | None = None
    """The stream that what came in rests on (``deciding.warrant``)."""
    _at_hand: dict[StreamId, State] = field(default_factory=dict)

    async def begin(
        self, request: CarryOut, *, warrant_stream: StreamId | None = None, alone: bool = False
    ) -> tuple[CommandBasis, State]:
        """The stream that the request is for, its realm's clock, and the journal entry of the command's id.

        With it come its warrant's stream, and, unless the stream is wanted ``alone``, what is
        likely to be wanted for deciding.
        """
        stream, command_id = request.stream, request.envelope.command_id if request.envelope else None
        self.requires_office |= self.folds.is_founded
        reads = Reads() if alone else self._likely_reads(request)
        if warrant_stream is not None and warrant_stream != stream:
            reads |= Reads(streams=frozenset({warrant_stream}))
        basis, state = await self._consult(stream, command_id, reads)
        if warrant_stream is not None:
            self.warrant_state = state if warrant_stream == stream else self._at_hand[warrant_stream]
        return basis, state

    async def fetch(self, reads: Reads) -> None:
        """Make sure that these readings are at hand."""
        streams, claims, accounts = self._missing(reads)
        self.states.update({s: self._at_hand[s] for s in streams if s in self._at_hand})
        lacking = sorted(s for s in streams if s not in self._at_hand)
        if lacking:
            _, self.states[lacking[0]] = await self._consult(
                lacking[0], None, Reads(frozenset(lacking), claims, accounts)
            )
            self.states.update({s: self._at_hand[s] for s in lacking[1:]})
        elif claims or accounts:
            self.keep(await self.store.read_many((), claims, accounts))

    async def _consult(self, stream: StreamId, command_id: UUID | None, reads: Reads) -> tuple[CommandBasis, State]:
        """Ask for everything at once and fold it; where a fold was stale, once more from the beginning."""
        try:
            return await self._consult_once(stream, command_id, reads)
        except StaleFold:
            return await self._consult_once(stream, command_id, reads)

    async def _consult_once(
        self, stream: StreamId, command_id: UUID | None, reads: Reads
    ) -> tuple[CommandBasis, State]:
        """Raises StaleFold, after which no stale fold is remembered."""
        cached = {s: self.folds.recall(s) for s in {stream, *reads.streams}}
        versions = {s: fold.state.version for s, fold in cached.items()}
        basis, readings = await self.store.consult(stream, command_id, versions, reads.claims, reads.accounts)
        is_manual = basis.realm.clock is Clock.MANUAL
        (self.folds.on_manual_clock.add if is_manual else self.folds.on_manual_clock.discard)(stream.realm)
        states = await self._extend_all(cached, {**readings.streams, stream: basis.events})
        self._at_hand.update({s: state for s, state in states.items() if s != stream})
        self.keep(readings)
        office = states.get(OFFICE)
        if office is not None and office.version:
            self.folds.is_founded = self.requires_office = True
        return basis, states[stream]

    async def _extend_all(
        self, cached: Mapping[StreamId, CachedFold], entries: Mapping[StreamId, Sequence[Entry]]
    ) -> dict[StreamId, State]:
        """The states after these entries; a thousand of them keep no other command of the worker waiting."""
        states: dict[StreamId, State] = {}
        stale: list[StaleFold] = []
        for number, (stream, fold_of) in enumerate(cached.items(), 1):
            if number % SOME == 0:
                await asyncio.sleep(0)
            try:
                states[stream] = self.folds.extend(fold_of, entries.get(stream, ()))
            except StaleFold as one:
                stale.append(one)
        if stale:
            raise stale[0]
        return states

    def _likely_reads(self, request: CarryOut) -> Reads:
        """What deciding will want, as far as what is remembered tells; the rest is fetched when it is known."""
        stream = request.stream
        state = self.folds.recall(stream).state
        calendar = calendar_stream(stream.realm)
        likely = Reads(streams=frozenset({calendar}))
        aggregate = AGGREGATES[stream.kind]
        order: Order | None = None
        try:
            command = self._likely_command(request, state, calendar)
            if command is None:
                return likely
            if request.envelope is not None:
                seat, is_theirs, order = self._likely_seat(request.envelope, state, command)
                founding = {OFFICE} if seat is not None and seat.realm == LIVE and not self.requires_office else set()
                likely |= Reads(frozenset(({seat} if seat else set()) | founding) - {stream})
                if not is_theirs:
                    return likely
            likely |= aggregate.reads(state, command)
            if order is not None:
                likely |= self._likely_further(aggregate, state, order, likely)
            governor = aggregate.governed_by(state, command)
        except (
            KeyError,
            ValidationError,
        ):  # a defect or a wrong form: reported when it is decided
            return likely
        ref = state.scheme or (self.folds.recall(governor).state.scheme if governor else None)
        rules = frozenset({stream.sibling("scheme", ref.name)}) if ref else frozenset()
        return Reads((likely.streams | rules) - {stream}, likely.claims, likely.accounts)

    def _likely_further(self, aggregate: Aggregate, state: State, order: Order, likely: Reads) -> Reads:
        """What these readings will turn out to ask for besides, as far as they are remembered."""
        further: frozenset[StreamId] = frozenset()
        while True:
            streams = {stream: self.folds.recall(stream).state for stream in likely.streams | further}
            if not (more := aggregate.reads_on(state, Facts(streams=streams), order)):
                return Reads(further)
            further |= more

    def _likely_seat(self, envelope: Envelope, state: State, command: Command) -> tuple[StreamId | None, bool, Order]:
        """The seat by which whoever asks is judged, whether it is theirs to ask, and with whom, as is remembered."""
        order = Order(command, envelope.actor, envelope.received_at, person=envelope.person)
        clock = Clock.MANUAL if state.stream.realm in self.folds.on_manual_clock else Clock.WALL
        seat = find_seat(state.stream.realm, clock, order)
        office = None if self.requires_office else self.folds.recall(OFFICE).state
        order, not_theirs = judge_seat(self.folds.recall(seat).state, order, office) if seat else (order, ())
        is_theirs = not (not_theirs or refuse_role(*AGGREGATES[state.stream.kind].bind(state, order)))
        return seat, is_theirs, order

    def _likely_command(self, request: CarryOut, state: State, calendar: StreamId) -> Command | None:
        """The command in the envelope, or that of the nearest deadline."""
        if request.envelope is not None:
            return parse_command(request.envelope.command, request.envelope.body)
        due = AGGREGATES[request.stream.kind].due(state, calendar_of(self.folds.recall(calendar).state))
        return due.command if due else None
