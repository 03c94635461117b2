"""What whoever asks for, checks, approves or pays a tranche has before them: how much, to whom, into which account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from application.queries import read_organisation_name
from domain.project.bidding import Application
from domain.project.contract import Contract
from domain.project.tranches import IN_FLIGHT, Tranches, TrancheStatus

if TYPE_CHECKING:
    from domain.kernel.money import Fen
    from domain.kernel.state import State
    from store.port import EventStore


@dataclass(frozen=True)
class TranchePayment:
    """One tranche as it stands."""

    tranche: str
    what: str
    """By the name of its text, what the amount is: asked for, paid, or not paid yet."""
    fen: Fen
    payee: str
    account: str
    """By the name of its text, how the payee account stands."""


def find_amount(state: State, tranche: object) -> tuple[str, Fen] | None:
    """Of the tranche of that name, by the name of its text what is told of it, and how much; None if there is none."""
    if not isinstance(tranche, str) or (known := state.part(Tranches).of.get(tranche)) is None:
        return None
    if known.status in IN_FLIGHT:
        return "tranche_requested", known.requested
    if known.status is TrancheStatus.PAID:
        return "tranche_paid", known.paid
    return "tranche_left", known.remainder


async def find_payment(store: EventStore, state: State, tranche: object) -> TranchePayment | None:
    """The tranche of that name; None if the file has none of it."""
    amount = find_amount(state, tranche)
    if amount is None or not isinstance(tranche, str):
        return None
    what, fen = amount
    contract, payee = state.part(Contract), state.part(Application).organisation
    name = await read_organisation_name(store, state.stream, payee)
    if not contract.account:
        account = "payee_unregistered"
    else:
        account = "payee_registered" if contract.account_confirmed else "payee_unconfirmed"
    return TranchePayment(tranche, what, fen, f"{name} {payee}".strip(), account)
