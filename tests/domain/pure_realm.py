"""A realm of deciders only: streams, claims and accounts in dictionaries; no store, no server, no clock of its own."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, cast
from uuid import UUID

from domain.catalogue import AGGREGATES
from domain.kernel.attachment import Attachment
from domain.kernel.calendar import Calendar
from domain.kernel.canonical import canonical, plain
from domain.kernel.effects import WORLD, Claim, Post, Release
from domain.kernel.facts import Facts
from domain.kernel.identifier import SYSTEM, Actor, StreamId
from domain.kernel.message import Command, Event, Occurrence, Order
from domain.kernel.refusal import CommandRejected, Unmet
from domain.kernel.scheme import Scheme
from domain.kernel.state import State
from domain.registers.calendar import PublishCalendar, calendar_of
from domain.registers.fund import RegisterFundSource
from domain.registers.organisation import OrganisationKind, VerifyOrganisation
from domain.registers.scheme import PublishPolicyPack, scheme_of
from tests.domain.sentences import on, who

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from domain.kernel.effects import Effect

MINUTES = Attachment(sha256="0" * 64, media_type="application/pdf", name="會議紀要.pdf")
EVIDENCE = (Attachment(sha256="1" * 64, media_type="application/pdf", name="證據.pdf"),)

HOLIDAYS = {
    2023: (("04-05", "05-01", "05-02", "05-03"), ("04-23", "05-06")),
    2024: (
        ("02-12", "02-13", "02-14", "02-15", "02-16", "04-04", "04-05", "05-01", "05-02", "05-03", "06-10"),
        ("02-04", "02-18", "04-07", "04-28", "05-11"),
    ),
}


@dataclass
class PureRealm:
    """Streams of one realm; orders are judged on what stands there, and what is due comes first."""

    states: dict[StreamId, State] = field(default_factory=dict)
    claims: dict[str, set[str]] = field(default_factory=dict)
    balances: dict[str, int] = field(default_factory=dict)
    log: list[tuple[StreamId, Event]] = field(default_factory=list)
    realm: str = "test"

    def id(self, kind: str, name: str) -> StreamId:
        return StreamId.of(kind, self.realm, name)

    def state(self, kind: str, name: str) -> State:
        stream = self.id(kind, name)
        return self.states.get(stream) or State(stream)

    @property
    def calendar(self) -> Calendar:
        return calendar_of(self.state("calendar", "cn"))

    def order(self, kind: str, name: str, command: Command, *, at: str, by: str) -> list[Event]:
        """Everything that was due comes first; then the command, which must be accepted."""
        self.pass_time(on(at))
        return self._carry_out(self.id(kind, name), Order(command, who(by), on(at)))

    def refused(self, kind: str, name: str, command: Command, *, at: str, by: str) -> set[str]:
        """The rules that refuse the command."""
        return {u.rule for u in self.unmet(kind, name, command, at=at, by=by)}

    def unmet(self, kind: str, name: str, command: Command, *, at: str, by: str) -> tuple[Unmet, ...]:
        """Every condition that the command does not meet."""
        self.pass_time(on(at))
        stream = self.id(kind, name)
        order = Order(command, who(by), on(at))
        try:
            AGGREGATES[kind].decide(self.state(kind, name), self.facts_for(stream, order), order)
        except CommandRejected as refusal:
            return refusal.unmet
        message = f"{command.command_type} was accepted"
        raise AssertionError(message)

    def pass_time(self, until: datetime) -> None:
        while True:
            dues = [
                (due.at, stream, due.command)
                for stream, state in self.states.items()
                if (due := AGGREGATES[stream.kind].due(state, self.calendar)) and due.at <= until
            ]
            if not dues:
                return
            at, stream, command = min(dues, key=lambda d: d[:2])
            self._carry_out(stream, Order(command, SYSTEM, at))

    def facts(self, stream: StreamId, command: Command) -> Facts:
        aggregate, state = AGGREGATES[stream.kind], self.state(stream.kind, stream.name)
        reads = aggregate.reads(state, command)
        governor = aggregate.governed_by(state, command)
        ref = state.scheme or (self.states[governor].scheme if governor in self.states else None)
        return Facts(
            calendar=self.calendar,
            scheme=scheme_of(self.state("scheme", ref.name), ref) if ref else None,
            streams={s: self.states[s] for s in reads.streams if s in self.states},
            claims={key: frozenset(self.claims.get(key, ())) for key in reads.claims},
            balances={account: self.balances.get(account, 0) for account in reads.accounts},
        )

    def facts_for(self, stream: StreamId, order: Order) -> Facts:
        """What that order is judged by, with what only these facts say must be known besides."""
        aggregate, state = AGGREGATES[stream.kind], self.state(stream.kind, stream.name)
        facts = self.facts(stream, order.command)
        while more := aggregate.reads_on(state, facts, order):
            facts = replace(facts, streams={**facts.streams, **{s: self.states.get(s) or State(s) for s in more}})
        return facts

    def _carry_out(self, stream: StreamId, order: Order) -> list[Event]:
        aggregate = AGGREGATES[stream.kind]
        state = self.state(stream.kind, stream.name)
        events = aggregate.decide(state, self.facts_for(stream, order), order)
        for event in events:
            recorded = type(event).model_validate_json(canonical(plain(event)))
            assert recorded == event, "an event must come back from its bytes as it was"
            before = state
            command_id = UUID(int=before.version)
            state = aggregate.evolve(before, Occurrence(recorded, order.at, order.actor, command_id, order.persons))
            self._apply(aggregate.effects(before, event, state))
            self.log.append((stream, event))
        self.states[stream] = state
        return events

    def _apply(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case Claim(key, holder, limit):
                    holders = self.claims.setdefault(key, set())
                    holders.add(holder)
                    assert len(holders) <= limit, f"{key} is taken"
                case Release(key, holder):
                    self.claims.get(key, set()).discard(holder)
                case Post(source, target, fen):
                    self.balances[source] = self.balances.get(source, 0) - fen
                    self.balances[target] = self.balances.get(target, 0) + fen
                    assert source.startswith(WORLD) or self.balances[source] >= 0, f"{source} is overdrawn"


def scheme(name: str = "fuzhou", **sections: object) -> Scheme:
    """The rules of a realm, with these sections changed; bids are taken for 14 working days, as in S2."""
    bidding = {"window_wd": 14, **cast("dict[str, object]", sections.pop("bidding", {}))}
    named = {"name": name, "version": 1, "city": "撫州", "title": "辦法", "effective": "2018-01-01"}
    return Scheme.model_validate({**named, "bidding": bidding, **sections})


def verification(*representatives: str, name: str = "測試組織") -> VerifyOrganisation:
    """The verification of an organisation for which these may act."""
    return VerifyOrganisation(
        name=name,
        kind=OrganisationKind.SERVICE_AGENCY,
        representatives=tuple(Actor(r) for r in representatives or ("SO-LEGAL#1",)),
    )


def new_realm(rules: Scheme | None = None, **funds: int) -> PureRealm:
    """A realm with its calendar, its rules, an organisation ORG-1 and these funds (FS_LOT=…, fen)."""
    return furnish(PureRealm(), rules, **funds)


def furnish(realm: PureRealm, rules: Scheme | None = None, **funds: int) -> PureRealm:
    """The same in that realm."""
    first = "2018-01-02"
    for year, (off, on_) in HOLIDAYS.items():
        notice = PublishCalendar(
            year=year,
            off=tuple(date.fromisoformat(f"{year}-{day}") for day in off),
            on=tuple(date.fromisoformat(f"{year}-{day}") for day in on_),
        )
        realm.order("calendar", "cn", notice, at=first, by="CAB-REG#1")
    rules = rules or scheme()
    realm.order("scheme", rules.name, PublishPolicyPack(scheme=rules), at=first, by="CAB-DEC#1")
    realm.order("organisation", "ORG-1", verification(), at=first, by="HOST#1")
    for fund, fen in funds.items():
        source = RegisterFundSource(name="資金", envelope=fen)
        realm.order("fund", fund.replace("_", "-"), source, at=first, by="CAB-FIN#1")
    return realm
