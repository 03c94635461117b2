"""Until a tranche is paid, as one thing: through request, check, approval and payment, however often it begins anew."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from application.queries import NameUnknown, resolve_name
from deciding.fold import load_state
from deciding.reader import Reader
from domain.catalogue import AGGREGATES, split_subject
from domain.kernel.words import Words
from domain.project.stage import Stage
from domain.project.tranches import Tranches, TrancheStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from application.door import Door
    from domain.kernel.identifier import StreamId
    from domain.kernel.message import Awaited
    from domain.kernel.state import State
    from store.port import EventStore

_OVER = frozenset({Stage.TERMINATED, Stage.REVOKED, Stage.ARCHIVED})
"""Stages in which nothing more is paid."""


class Course(Words):
    """How far a payment has come."""

    WAITING = "WAITING", "未撥付", "not paid yet"
    PAID = "PAID", "已撥付", "paid"
    NEVER = "NEVER", "不再撥付", "will not be paid"


@dataclass(frozen=True)
class Payment:
    """A tranche as it stands."""

    stream: StreamId
    tranche: str
    course: Course
    status: TrancheStatus | None
    """Of the tranche itself; None while no contract names it."""
    planned: int
    """Fen."""
    paid: int
    """Fen."""
    version: int
    """The version of the project at which it stood so."""

    def as_json(self) -> dict[str, Any]:
        """As JSON: sums in fen; ``status`` is null where there is no such tranche yet."""
        return {
            "stream": str(self.stream),
            "tranche": self.tranche,
            "course": str(self.course),
            "status": str(self.status) if self.status else None,
            "planned": self.planned,
            "paid": self.paid,
            "version": self.version,
        }


@dataclass(frozen=True)
class PaymentEnds:
    """Whether that tranche is paid, or will never be."""

    tranche: str

    def answer(self, state: State) -> Payment | None:
        """The tranche, once it is decided one way or the other."""
        payment = read_payment(state, self.tranche)
        return payment if payment is not None and payment.course is not Course.WAITING else None


def read_payment(state: State, tranche: str) -> Payment | None:
    """The tranche as the project stands; None if its contract has others, and not that one."""
    tranches = state.part(Tranches).of
    one = tranches.get(tranche)
    if one is None and tranches:
        return None
    course = Course.WAITING
    if one is not None and one.status is TrancheStatus.PAID:
        course = Course.PAID
    elif state.stage in _OVER or (one is not None and one.status is TrancheStatus.CANCELLED):
        course = Course.NEVER
    status, planned, paid = (one.status, one.planned, one.paid) if one is not None else (None, 0, 0)
    return Payment(state.stream, tranche, course, status, planned, paid, state.version)


async def find_payment(
    store: EventStore, subject: str, realm: str | None = None
) -> tuple[Payment, State, Sequence[Awaited]]:
    """The tranche of ``PJ-3/T1``, its project, and who is awaited for it. Raises NameUnknown, NameAmbiguous."""
    name, tranche = split_subject(subject)
    stream = await resolve_name(store, name, realm)
    state = await load_state(store, stream)
    payment = read_payment(state, tranche) if stream.kind == "project" and tranche else None
    if payment is None:
        raise NameUnknown(subject)
    awaiting = AGGREGATES[stream.kind].awaiting(state, await Reader(store).calendar(stream.realm))
    return payment, state, [one for one in awaiting if one.subject == tranche]


async def wait_for_payment(
    store: EventStore, door: Door, subject: str, realm: str | None = None, timeout_s: float | None = None
) -> Payment:
    """Wait until that tranche is paid, or will never be; as long as it takes, through restarts of anything.

    Raises TimeoutError after ``timeout_s`` seconds, NameUnknown, NameAmbiguous.
    """
    payment, _, _ = await find_payment(store, subject, realm)
    if payment.course is not Course.WAITING:
        return payment
    async with asyncio.timeout(timeout_s):
        return await door.watch.ask(payment.stream, PaymentEnds(payment.tranche))
