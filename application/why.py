"""One case explained: every condition of the policy, met or not, and what the rules of the stage find missing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from application.dry_run import DryRun
from application.identity import SeatHolders
from deciding.authority import find_seat, judge_seat
from deciding.reader import Reader
from domain.kernel.facts import Facts, Reads
from domain.kernel.message import Order
from domain.kernel.policy import authorize, list_business_reads
from domain.policy import list_conditions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.kernel.identity import Actor, StreamId
    from domain.kernel.message import Command
    from domain.kernel.refusal import Unmet
    from domain.policy import Condition
    from store.port import EventStore


@dataclass(frozen=True)
class Explanation:
    """Why a seat may or may not ask that of that stream now."""

    stream: StreamId
    command: type[Command]
    seat: Actor
    conditions: tuple[Condition, ...]
    """Role, stage, relation, side."""
    others: tuple[Unmet, ...]
    """What else is missing; nothing where the particulars were not given."""
    judged: bool
    """Whether the particulars were given, so that the rules of the stage could be asked."""

    @property
    def allowed(self) -> bool:
        """Whether nothing that was judged refuses it."""
        return all(condition.met for condition in self.conditions) and not self.others

    def as_json(self) -> dict[str, object]:
        """For a machine."""
        return {
            "stream": self.stream,
            "command": self.command.command_type,
            "seat": self.seat,
            "allowed": self.allowed,
            "judged": self.judged,
            "conditions": [condition.as_row() for condition in self.conditions],
            "others": [unmet.model_dump() for unmet in self.others],
        }


async def explain(
    store: EventStore, stream: StreamId, command: Command, seat: Actor, at: datetime | None = None
) -> Explanation:
    """What the policy says to it and, if its particulars were given, the rules of its stage. Records nothing."""
    realm, reader, holders = await store.realm(stream.realm), Reader(store), SeatHolders(store)
    at = at or realm.now or datetime.now(UTC)
    order = Order(command, seat, at, person=await holders.find_person(stream, command, seat, at))
    register = find_seat(stream.realm, realm.clock, order)
    if register is not None:
        await reader.fetch(Reads(streams=frozenset({register})))
        order, _ = judge_seat(reader.states[register], order)
    await reader.fetch(Reads(streams=frozenset({stream})))
    state = reader.states[stream]
    business = list_business_reads(order, state)
    await reader.fetch(business)
    facts = Facts(streams={other: reader.states[other] for other in business.streams})
    policy = set(authorize(order, state, facts))
    fields = type(command).model_fields.items()
    whole = not any(field.is_required() and getattr(command, name) is None for name, field in fields)
    step = await DryRun(store, holders).step(stream, command, seat, at) if whole else None
    others = tuple(unmet for unmet in step.unmet if unmet not in policy) if step else ()
    return Explanation(stream, type(command), seat, list_conditions(order, state, facts), others, whole)


def leave_open(command_type: type[Command], given: Mapping[str, object]) -> Command:
    """The command with nothing said but this: enough to ask the policy, which looks at whom a command names."""
    unsaid = {name: None for name, field in command_type.model_fields.items() if field.is_required()}
    return command_type.model_construct(None, **{**unsaid, **given})
