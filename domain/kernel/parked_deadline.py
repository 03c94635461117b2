"""期限擱置: a deadline that cannot be applied keeps its stream from everything; two persons may set it aside.

It parks a stream because a rule refuses it or its id is taken (``deciding.parked``). Whoever can, gives the command
that the rule lacks: the deadline then takes effect by itself. What nobody can mend is set aside: it never takes effect,
what it would have led to is done by hand, and everything else goes on. A deadline that can be applied comes first as
always, so none is dodged in this way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from domain.kernel.bounds import Moment
from domain.kernel.identifier import Reason, Role
from domain.kernel.message import Command, Due, Event, Occurrence, Particulars
from domain.kernel.relation import BUREAU
from domain.kernel.state import Part, State

if TYPE_CHECKING:
    from datetime import datetime


class ParkedDeadline(Particulars):
    """Which deadline, and why it cannot be applied."""

    deadline: Annotated[str, Field(max_length=80, title="期限命令 / deadline")]
    """The type of its command, e.g. ``LapseContractSigning``."""
    key: Annotated[str, Field(max_length=200, title="期限所屬 / part")] = ""
    """Which of several of one kind, e.g. the tranche."""
    falls_at: Annotated[Moment, Field(title="期限屆滿時間 / falls at")]
    reason: Reason


class DeadlineSetAside(ParkedDeadline, Event):
    """The deadline never takes effect; a person does what it would have led to."""

    zh = "期限擱置"
    en = "deadline set aside"


class SetDeadlineAside(ParkedDeadline, Command):
    """Let a deadline that cannot be applied keep its file from going on no longer."""

    records = DeadlineSetAside
    by = (Role.CAB_REG,)
    acts_for = (BUREAU,)
    during = ()
    rule = "PK01"
    persons_needed = 2
    confirmed_by = (Role.CAB_DEC,)
    en_words = "set a deadline aside"

    def is_about(self, due: Due) -> bool:
        """Whether that deadline is meant."""
        return (self.deadline, self.key, self.falls_at) == (due.command.command_type, due.key, due.at)


@dataclass(frozen=True)
class DeadlinesSetAside(Part):
    """The deadlines of a stream that were set aside: type of command, key, instant."""

    deadlines: frozenset[tuple[str, str, datetime]] = frozenset()

    def has_deadline(self, due: Due) -> bool:
        """Whether that deadline is one of them."""
        return (due.command.command_type, due.key, due.at) in self.deadlines


def evolve(state: State, _of: Occurrence, event: DeadlineSetAside) -> State:
    """Keep the deadline among those that are due no more."""
    deadlines = state.part(DeadlinesSetAside).deadlines
    return state.with_parts(DeadlinesSetAside(deadlines | {(event.deadline, event.key, event.falls_at)}))
