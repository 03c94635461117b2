"""Tranches and milestones as a contract fixes them, and where each tranche stands (M1, M2, M4, M8)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from domain.kernel import approval
from domain.kernel.acting import Acting
from domain.kernel.approval import Verdict
from domain.kernel.bounds import Date
from domain.kernel.identifier import Role, Text
from domain.kernel.money import Fen, yuan
from domain.kernel.phrase import call_tranche, named
from domain.kernel.state import Part, State
from domain.kernel.words import Words
from domain.project.stage import MILESTONE

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from domain.kernel.message import Occurrence
    from domain.kernel.refusal import Checks


Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,31}$")]
"""A tranche's or milestone's short name, e.g. ``T1`` or ``MS-2``."""


class Clause(BaseModel):
    """A part of a contract. Unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Installment(Clause):
    """One tranche as agreed."""

    planned: Annotated[Fen, Field(title="計劃金額 / planned")]
    gate: Annotated[Text, Field(title="撥付條件 / payment condition")]
    """The event that must stand positive before it may be asked for (M2)."""


class MilestoneTerm(Clause):
    """One milestone as agreed."""

    title: Annotated[Text, Field(title="名稱 / title")]
    due: Annotated[Date | None, Field(title="期限 / due")] = None
    """Its last day; missed at 24:00. None if only its being met matters."""
    site: Annotated[Key | None, Field(title="點位 / site")] = None
    """The site of the contract whose own milestone it is (HZ-14); None for the project's."""


class TrancheStatus(Words):
    """Where a tranche stands."""

    PLANNED = "PLANNED", "待申請", "planned"
    REQUESTED = "REQUESTED", "已申請", "requested"
    CHECKED = "CHECKED", "已複核", "checked"
    APPROVED = "APPROVED", "已審批", "approved"
    PAID = "PAID", "已撥付", "paid"
    FAILED = "FAILED", "退匯", "returned by bank"
    WITHHELD = "WITHHELD", "暫緩撥付", "withheld"
    CANCELLED = "CANCELLED", "已取消", "cancelled"


IN_FLIGHT = (TrancheStatus.REQUESTED, TrancheStatus.CHECKED, TrancheStatus.APPROVED)
"""Asked for and not yet paid: what a change of content voids (SD3)."""


@dataclass(frozen=True)
class Tranche:
    """One tranche: what was planned, what became of it, and which three people had it in hand (P2)."""

    planned: Fen
    gate: str
    status: TrancheStatus = TrancheStatus.PLANNED
    paid: Fen = 0
    split: dict[str, Fen] = field(default_factory=dict)
    """Fund and fen of the payment."""
    cancelled: Fen = 0
    requested: Fen = 0
    requests: int = 0
    """How often it was asked for."""
    requested_on: date | None = None
    payment_wd: int = 0
    """Working days from the request to the payment."""
    late_to: Role | None = None
    """Who is told if it is not paid in time; None if nobody is, or was."""
    alerted: Role | None = None
    """Who was told that it is late."""
    bound: str = ""
    """Digest of what was asked for: the approvals are for this and nothing else (SD3)."""
    maker: Acting | None = None
    checker: Acting | None = None
    approver: Acting | None = None
    voided: str = ""
    """Why the last request became void; empty if it did not."""

    @property
    def remainder(self) -> Fen:
        """What is neither paid nor cancelled, in fen."""
        return self.planned - self.paid - self.cancelled

    @property
    def is_settled(self) -> bool:
        """Whether nothing more will be paid of it (M4)."""
        return self.status in (TrancheStatus.PAID, TrancheStatus.CANCELLED)


@dataclass(frozen=True)
class Tranches(Part):
    """The tranches of the contract, by name."""

    of: dict[str, Tranche] = field(default_factory=dict)

    def with_tranche(self, name: str, tranche: Tranche) -> Tranches:
        """The tranches with that one changed."""
        return Tranches({**self.of, name: tranche})

    def list_unsettled(self) -> tuple[str, ...]:
        """Those that are neither paid nor cancelled."""
        return tuple(name for name, tranche in self.of.items() if not tranche.is_settled)


def void_requests(state: State, of: Occurrence, why: str) -> State:
    """The state with every request in flight void: its content is no longer what was approved (SD3)."""
    tranches = state.part(Tranches)
    for name, tranche in tranches.of.items():
        if tranche.status in IN_FLIGHT:
            tranches = tranches.with_tranche(name, replace(tranche, status=TrancheStatus.PLANNED, voided=why))
            state = void_approvals(state, of, name)
    return state.with_parts(tranches)


def void_approvals(state: State, of: Occurrence, tranche: str) -> State:
    """The state with the open approvals of that tranche void."""
    for decision in ("CheckDisbursement", "ApproveDisbursement"):
        state = approval.end_approval(state, of, gate=decision, key=tranche, verdict=Verdict.VOID)
    return state


def require_sound_tranches(
    check: Checks,
    tranches: Mapping[str, Installment],
    award: Fen,
    milestones: Mapping[str, MilestoneTerm],
    allowed: Sequence[str],
) -> None:
    """M1 and M2: the planned amounts add up to the award, and each waits for a gate that the scheme allows."""
    planned = sum(t.planned for t in tranches.values())
    check(
        planned == award,
        "M1",
        "各期撥款合計 {planned}，須等於資助金額 {award}",
        "the tranches add up to {planned}; they must equal the award {award}",
        planned=yuan(planned),
        award=yuan(award),
    )
    gates = set(allowed) - {MILESTONE}
    if MILESTONE in allowed:
        gates |= {f"{MILESTONE}/{name}" for name in milestones}
    for name, tranche in tranches.items():
        check(
            tranche.gate in gates,
            "M2",
            "{name}的撥付條件「{gate}」不存在，可用：{gates}",
            "{name} has an unknown payment condition ({gate}); use one of: {gates}",
            name=call_tranche(name),
            gate=named(tranche.gate),
            gates=[named(gate) for gate in sorted(gates)],
        )


def require_settled(check: Checks, tranches: Tranches) -> None:
    """T22: nothing is left to be paid when the file is closed."""
    unsettled = tranches.list_unsettled()
    check(
        not unsettled,
        "T22",
        "{unsettled}尚未撥付或取消",
        "{unsettled} are neither paid nor cancelled",
        unsettled=[call_tranche(one) for one in unsettled],
    )


def require_no_empty_tranche(check: Checks, tranches: Mapping[str, Installment], known: Collection[str] = ()) -> None:
    """M1: no tranche is agreed on that plans nothing; only one that was known may fall to nothing later."""
    empty = sorted(name for name, tranche in tranches.items() if not tranche.planned and name not in known)
    check(
        not empty,
        "M1",
        "{empty}為零元，各期撥款須大於零",
        "{empty} is zero; each tranche must be more than zero",
        empty=[call_tranche(one) for one in empty],
    )
