"""One case explained: every condition of the policy, met or not, and what the rules of the stage find missing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from deciding.authority import find_register, find_seat, judge_seat
from deciding.decision import decide_consequences, decide_on
from deciding.reader import Reader
from domain.kernel.clock import Clock
from domain.kernel.facts import Facts, Reads
from domain.kernel.identifier import derive_id
from domain.kernel.message import Order
from domain.kernel.policy import authorize, list_business_reads
from domain.policy import Condition, list_conditions
from domain.registers.office import OFFICE
from domain.registers.person import Person, person_stream

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.kernel.acting import PersonId
    from domain.kernel.identifier import Actor, StreamId
    from domain.kernel.message import Command
    from domain.kernel.refusal import Unmet
    from store.port import EventStore


@dataclass(frozen=True)
class Explanation:
    """Why a seat may or may not ask that of that stream now."""

    stream: StreamId
    command: type[Command]
    seat: Actor
    conditions: tuple[Condition, ...]
    """Whether whoever asks is on the seat; then role, stage, relation, side."""
    others: tuple[Unmet, ...]
    """What else is missing; nothing where the particulars were not given."""
    judged: bool
    """Whether the particulars were given, so that the rules of the stage could be asked."""

    @property
    def is_allowed(self) -> bool:
        """Whether nothing that was judged refuses it."""
        return all(condition.met for condition in self.conditions) and not self.others

    def as_json(self) -> dict[str, object]:
        """As JSON: every condition of the table, met or not, and what the rules would refuse besides."""
        return {
            "stream": self.stream,
            "command": self.command.command_type,
            "seat": self.seat,
            "allowed": self.is_allowed,
            "judged": self.judged,
            "conditions": [condition.as_row() for condition in self.conditions],
            "others": [unmet.as_json() for unmet in self.others],
        }


async def explain(
    store: EventStore,
    stream: StreamId,
    command: Command,
    seat: Actor,
    at: datetime | None = None,
    person: PersonId | None = None,
    *,
    requires_office: bool = False,
) -> Explanation:
    """What the policy says to it and, if its particulars were given, the rules of its stage. Records nothing.

    ``at`` is its business time, UTC; without one it is now, or where a manual realm's clock stands. Where it
    ``requires_office``, as in production, nobody acts on the wall clock before that is founded.
    """
    realm, reader = await store.realm(stream.realm), Reader(store, requires_office=requires_office)
    now = at or realm.now or datetime.now(UTC)
    plain = Order(command, seat, now, person=person)
    on_seat, order, not_theirs = await identify_asker(reader, stream.realm, realm.clock, plain)
    await reader.fetch(Reads(streams=frozenset({stream})))
    state = reader.states[stream]
    business = list_business_reads(order, state)
    await reader.fetch(business)
    facts = Facts(streams={other: reader.states[other] for other in business.streams})
    policy = {*not_theirs, *authorize(order, state, facts)}
    fields = type(command).model_fields.items()
    whole = not any(field.is_required() and getattr(command, name) is None for name, field in fields)
    others: tuple[Unmet, ...] = ()
    if whole:
        command_id = derive_id("why", stream, command.command_type)
        reader = Reader(store, requires_office=requires_office)
        decision = await decide_on(store, state, realm.clock, at=now, order=plain, command_id=command_id, reader=reader)
        decision, _ = await decide_consequences(store, decision, reader)
        others = tuple(unmet for unmet in decision.steps[-1].unmet if unmet not in policy)
    return Explanation(stream, type(command), seat, (*on_seat, *list_conditions(order, state, facts)), others, whole)


async def identify_asker(
    reader: Reader, realm: str, clock: Clock, order: Order
) -> tuple[tuple[Condition, ...], Order, tuple[Unmet, ...]]:
    """Whether whoever asks is on the seat, and the order with what the seat's register says; nothing of a bare one."""
    register = find_seat(realm, clock, order)
    if register is None:
        return (), order, ()
    await reader.fetch(Reads(streams=frozenset({register, OFFICE})))
    office = None if reader.requires_office else reader.states[OFFICE]
    identified, unmet = judge_seat(reader.states[register], order, office)
    conditions = tuple(Condition(u.rule, u.zh, u.en, met=False) for u in unmet)
    if not conditions and identified.persons:
        persons = "、".join(sorted(identified.persons))
        zh, en = f"{persons} 在崗位 {order.actor}", f"{persons} on the seat {order.actor}"
        conditions = (Condition("SE12", zh, en, met=True),)
    return conditions, identified, unmet


async def list_seats(store: EventStore, person: PersonId, realm: str, command: Command) -> tuple[Actor, ...]:
    """The seats that the person is on now, by the register that judges such commands in that realm."""
    known, reader = await store.realm(realm), Reader(store)
    now = known.now or datetime.now(UTC)
    register = person_stream(find_register(realm, known.clock, command), person)
    await reader.fetch(Reads(streams=frozenset({register})))
    duties = reader.states[register].part(Person).duties
    return tuple(dict.fromkeys(duty.seat for duty in duties if duty.tenure.is_at(now)))


def leave_open(command_type: type[Command], particulars: Mapping[str, object]) -> Command:
    """The command with nothing said but this: enough to ask the policy, which looks at whom a command names."""
    unsaid = {name: None for name, field in command_type.model_fields.items() if field.is_required()}
    return command_type.model_construct(None, **{**unsaid, **particulars})
