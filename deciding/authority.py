"""Who asks, before anything else is judged: which register says so, the seat as it stood, the persons who count.

On the wall clock the registers of the realm ``live`` judge, in whatever realm; on a manual clock the realm's own, where
a seat that is not established is bare. The seat is read at a version, journalled, and checked again in the append; so
is that no office was founded yet, in a log that is older than persons.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.kernel.clock import Clock
from domain.kernel.identifier import LIVE, SYSTEM, StreamId
from domain.registers.office import FoundOffice
from domain.registers.seat import resolve_persons, seat_stream

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.kernel.message import Command, Order
    from domain.kernel.refusal import Unmet
    from domain.kernel.state import State


def find_register(realm: str, clock: Clock, command: Command) -> str:
    """The realm whose registers say who may ask this."""
    return LIVE if clock is Clock.WALL or command.is_judged_live() else realm


def find_seat(realm: str, clock: Clock, order: Order) -> StreamId | None:
    """The seat that must be read for an order that somebody asks; None where nobody does.

    The founding is the one act before which there are no seats.
    """
    if order.actor == SYSTEM or isinstance(order.command, FoundOffice):
        return None
    return seat_stream(find_register(realm, clock, order.command), order.actor)


def find_journalled_seat(order: Order, stream: StreamId, reads: Mapping[StreamId, int]) -> StreamId | None:
    """The seat by which a recorded order was judged; None if it was before persons were known, or bare."""
    candidates = (seat_stream(realm, order.actor) for realm in (LIVE, stream.realm))
    return next((seat for seat in candidates if seat in reads or seat == stream), None)


def judge_seat(seat: State, order: Order, office: State | None = None) -> tuple[Order, tuple[Unmet, ...]]:
    """The order with the persons who count as acting, or why whoever asks is not on that seat.

    ``office`` is how the founding stands, where it was read: before it, a log has no persons, and its seats are bare.
    Nobody need read it who knows that it took place, for it does once and for all.
    """
    is_founded = office is None or office.version > 0
    return resolve_persons(seat, order, is_live=seat.stream.realm == LIVE, is_founded=is_founded)
