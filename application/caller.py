"""Who asks: a person or a service that has shown who it is, and the seats that it may act for.

Every door that knows its callers speaks of them in these words; how somebody shows who they are is the door's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from domain.kernel.failure import Failure, FailureKind
from domain.kernel.identifier import Role

if TYPE_CHECKING:
    from datetime import datetime

    from domain.kernel.acting import PersonId
    from domain.kernel.identifier import Actor
    from domain.kernel.message import Command
    from domain.kernel.scope import Scope
    from store.identity import Seats

PROOF_LASTS: Final = timedelta(minutes=5)
"""How long after somebody has shown who they are a payment may be approved by them."""

NEEDS_PROOF: Final = frozenset({"ApproveDisbursement"})
"""Commands that a person gives only right after showing who they are, and a machine never (SD2)."""


class ScopeName(StrEnum):
    """What a key may be used for."""

    READ = "read"
    """Files, lists, approvals and the event feed."""
    COMMANDS = "commands"
    """Commands, and trying what they would come to."""


class SeatNotHeld(Failure):
    """The caller does not hold the seat that it would act for."""

    kind = FailureKind.REFUSED
    rule = "ID03"

    def __init__(self, seat: str, held: tuple[Actor, ...]) -> None:
        mine = "、".join(held) or "無"
        super().__init__(
            f"您不在崗位 {seat}；您的崗位：{mine}",
            f"you do not hold the seat {seat}; yours: {', '.join(held) or 'none'}",
            seat=seat,
            held=list(held),
        )


class SeatUnclear(Failure):
    """No seat was named, and not exactly one of the caller's may give the command."""

    kind = FailureKind.USAGE

    def __init__(self, by: tuple[Role, ...], held: tuple[Actor, ...]) -> None:
        may, mine = "、".join(by), "、".join(held) or "無"
        super().__init__(
            f"請以 as 寫明崗位：此命令由 {may} 辦理，您的崗位：{mine}",
            f"name the seat by «as»: the command is for {', '.join(by)}, your seats are {', '.join(held) or 'none'}",
            by=list(by),
            held=list(held),
        )


class MachineMayNot(Failure):
    """A decision over money is a person's: no service makes it (SD2)."""

    kind = FailureKind.REFUSED
    rule = "SD2"

    def __init__(self, command: type[Command]) -> None:
        super().__init__(
            f"「{command.zh()}」只可由人親自辦理，服務不可代辦",
            f"{command.command_type} is a person's decision: no service may give it",
        )


class ProofStale(Failure):
    """It is too long ago that the person showed who they are."""

    kind = FailureKind.REFUSED
    rule = "ID04"

    def __init__(self, command: type[Command]) -> None:
        minutes = PROOF_LASTS.total_seconds() / 60
        super().__init__(
            f"辦理「{command.zh()}」須在 {minutes:.0f} 分鐘內重新登錄確認身份",
            f"for {command.command_type}, show again who you are: it must be at most {minutes:.0f} minutes ago",
        )


@dataclass(frozen=True)
class Caller:
    """Somebody who has shown who they are."""

    person: PersonId | None
    """The human; of a service, who answers for it, if anybody does."""
    service: str
    """The name of a service; empty for a human."""
    grants: Seats
    scopes: frozenset[ScopeName]
    session: str
    """By what they came in: the session's id, the key's, or the token's. What a journal may name."""
    proved_at: datetime | None = None
    """When the person last showed who they are, UTC; None of a service."""

    @property
    def name(self) -> str:
        """Under which whatever they leave at the door is theirs."""
        return f"service:{self.service}" if self.service else f"person:{self.person}"

    @property
    def seats(self) -> tuple[Actor, ...]:
        """The seats that they may act for."""
        return tuple(grant.seat for grant in self.grants)

    def scope_of(self, seat: Actor) -> Scope | None:
        """For whom that seat of theirs acts; None where only the streams say."""
        return next((grant.scope for grant in self.grants if grant.seat == seat), None)

    def act(self, command: type[Command], seat: Actor | None, now: datetime) -> Actor:
        """The seat that gives the command: the one named, or else the only one of theirs that may.

        Raises SeatNotHeld, SeatUnclear, MachineMayNot, or ProofStale.
        """
        if seat is None:
            fitting = [one for one in self.seats if one.role in command.by]
            if len(fitting) != 1:
                raise SeatUnclear(command.by, self.seats)
            (seat,) = fitting
        if seat not in self.seats or seat.role is Role.SYS:
            raise SeatNotHeld(seat, self.seats)
        if command.command_type in NEEDS_PROOF:
            if self.service:
                raise MachineMayNot(command)
            if self.proved_at is None or now - self.proved_at > PROOF_LASTS:
                raise ProofStale(command)
        return seat
