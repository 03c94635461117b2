"""What a seat may do on a file now, and what it may not yet, with every condition that is missing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from application.policy_explanation import identify_asker, leave_open
from deciding.authority import find_register
from deciding.reader import Reader
from domain.catalogue import AGGREGATES
from domain.kernel.facts import Facts
from domain.kernel.message import Order
from domain.kernel.parked_deadline import SetDeadlineAside
from domain.kernel.policy import list_business_reads
from domain.kernel.proposal import ConfirmAct, DropAct, Proposals
from domain.policy import list_conditions, list_grounds
from followers.agenda import LATE

if TYPE_CHECKING:
    from domain.kernel.acting import PersonId
    from domain.kernel.identifier import Actor
    from domain.kernel.message import Command
    from domain.kernel.scope import Scope
    from domain.kernel.state import State
    from domain.policy import Condition
    from store.port import EventStore


@dataclass(frozen=True)
class PossibleCommand:
    """One command that the seat's role may give, judged by the policy and by what it rests on in the file.

    Its particulars are not judged yet.
    """

    command: type[Command]
    conditions: tuple[Condition, ...]

    @property
    def unmet(self) -> tuple[Condition, ...]:
        """What keeps it from being done now."""
        return tuple(condition for condition in self.conditions if not condition.met)

    @property
    def is_open(self) -> bool:
        """Whether it is allowed now, for some particulars."""
        return not self.unmet


async def list_possible_commands(
    store: EventStore,
    state: State,
    seat: Actor,
    person: PersonId | None,
    at: datetime | None = None,
    *,
    scope: Scope | None = None,
    only: type[Command] | None = None,
) -> list[PossibleCommand]:
    """Every command that this role gives to files of that kind, in the order of the deciders. Records nothing.

    ``scope`` is for whom the asker's seat acts where no register says so; ``only`` asks about that one alone. ``at``
    is its business time, UTC; without one it is now, or where a manual realm's clock stands.
    """
    realm, reader = await store.realm(state.stream.realm), Reader(store)
    now = at or realm.now or datetime.now(UTC)
    identified: dict[str, tuple[tuple[Condition, ...], Order]] = {}
    commands = []
    for command_type in AGGREGATES[state.stream.kind].commands:
        if only not in (None, command_type):
            continue
        if seat.role not in command_type.by or _has_nothing(command_type, state, now):
            continue
        if command_type is SetDeadlineAside and not await _is_standing_still(reader, state, now):
            continue
        command = leave_open(command_type, {})
        register = find_register(state.stream.realm, realm.clock, command)
        if register not in identified:
            plain = Order(command, seat, now, person=person)
            on_seat, order, _ = await identify_asker(reader, state.stream.realm, realm.clock, plain)
            identified[register] = on_seat, order
        on_seat, of = identified[register]
        order = Order(command, seat, now, of.persons, of.basis, of.is_live, of.scope or scope, of.person)
        reads = list_business_reads(order, state)
        await reader.fetch(reads)
        facts = Facts(streams={stream: reader.states[stream] for stream in reads.streams})
        commands.append(
            PossibleCommand(
                command_type, (*on_seat, *list_conditions(order, state, facts), *list_grounds(command, state))
            )
        )
    return commands


def _has_nothing(command_type: type[Command], state: State, now: datetime) -> bool:
    """Whether it answers a proposal, and none waits."""
    answers = command_type in (ConfirmAct, DropAct)
    return answers and not any(one.is_open(now) for one in state.part(Proposals).of.values())


async def _is_standing_still(reader: Reader, state: State, now: datetime) -> bool:
    """Whether a deadline has passed and was not seen to: nothing is set aside anywhere else."""
    due = AGGREGATES[state.stream.kind].due(state, await reader.calendar(state.stream.realm))
    return due is not None and due.at + due.grace + LATE <= now
