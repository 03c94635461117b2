"""Conflicts of interest from the seats that somebody holds, or held not long ago, whether they acted on them or not.

The registers say who is on which seat of which organisation. A reviewer with a seat of a bidder is SD5; whoever else
decides, checks, evaluates, audits or supervises with a seat of the organisation that it is about is SD15, which makes
of P3 and of SD5's derived conflict one rule for everybody. How long a seat counts after it was left is the recusal
period of the rules (24 months).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from domain.kernel.calendar import local_day, months_after
from domain.kernel.facts import Reads
from domain.kernel.identifier import LIVE, Role
from domain.kernel.impartiality import Impartiality
from domain.kernel.refusal import Unmet
from domain.kernel.scheme import Review
from domain.registers.person import Person, person_stream
from domain.registers.seat import Seat, seat_stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import TypeAlias

    from domain.kernel.acting import PersonId
    from domain.kernel.facts import Facts
    from domain.kernel.identifier import Actor
    from domain.kernel.message import Order
    from domain.kernel.state import State
    from domain.registers.tenure import Tenure

    Parties: TypeAlias = Callable[[Order, State, Facts], frozenset[str]]
    """The organisations that a matter is about."""
    Judges: TypeAlias = Callable[[Order, State, Facts], Mapping[Actor, frozenset[PersonId]]]
    """Who must have no stake in them, by the seat on which they judge."""

_JUDGING: Final = frozenset(
    {
        *(Role.CAB_REG, Role.CAB_FIN, Role.CAB_DEC, Role.FISCAL, Role.HOST, Role.DCAB),
        *(Role.EXPERT, Role.EVAL, Role.AUDIT, Role.SUPV),
    }
)
"""Roles that decide about others. Organisations, communities, operators and the public speak for themselves."""
_OF_ORGANISATIONS: Final = frozenset({Role.SO_LEGAL, Role.SO_PM, Role.SO_ACC})


def list_whoever_acts(order: Order, _state: State, _facts: Facts) -> Mapping[Actor, frozenset[PersonId]]:
    """Whoever asks, and whom they stand in for, on a seat that judges."""
    return {order.actor: order.persons} if order.actor.role in _JUDGING and order.persons else {}


def require_impartial(rule: str, parties: Parties, judges: Judges = list_whoever_acts) -> Impartiality:
    """That nobody judges who is, or within the recusal period was, on a seat of one of those whom it is about."""

    def reads(order: Order, state: State, facts: Facts) -> Reads:
        register = _find_register(order, state)
        persons = {one for some in judges(order, state, facts).values() for one in some}
        if not persons or not parties(order, state, facts):
            return Reads()
        seats = {seat for one in persons for seat in _list_seats(register, one, order, facts)}
        return Reads(
            frozenset(
                {
                    *(person_stream(register, one) for one in persons),
                    *(seat_stream(register, seat) for seat in seats),
                }
            )
        )

    def refuse(order: Order, state: State, facts: Facts) -> tuple[Unmet, ...]:
        about, register = parties(order, state, facts), _find_register(order, state)
        unmet: list[Unmet] = []
        for actor, persons in sorted(judges(order, state, facts).items()):
            seats = {seat for one in persons for seat in _list_seats(register, one, order, facts)}
            scopes = (facts.of(seat_stream(register, seat)).part(Seat).scope for seat in seats)
            stakes = sorted(about.intersection(name for scope in scopes if scope is not None for name in scope.names))
            if stakes:
                unmet.append(_partial(rule, actor, stakes, _count_months(facts)))
        return tuple(unmet)

    return Impartiality(reads, refuse)


def _find_register(order: Order, state: State) -> str:
    """The realm whose registers know the persons: as for who asks (deciding/authority.py)."""
    return LIVE if order.is_live else state.stream.realm


def _list_seats(register: str, person: PersonId, order: Order, facts: Facts) -> Iterable[Actor]:
    """The seats of organisations on which that person is, or has been lately enough to count."""
    for duty in facts.of(person_stream(register, person)).part(Person).duties:
        if duty.seat.role in _OF_ORGANISATIONS and _is_counted(duty.tenure, order, _count_months(facts)):
            yield duty.seat


def _is_counted(tenure: Tenure, order: Order, months: int) -> bool:
    if tenure.begins > order.at or (tenure.ends is not None and tenure.ends <= tenure.begins):
        return False
    return tenure.ends is None or local_day(order.at) <= months_after(local_day(tenure.ends), months)


def _count_months(facts: Facts) -> int:
    """The recusal period of the rules that hold; where none are pinned, the usual one."""
    review = Review() if facts.scheme is None else facts.scheme.review
    return review.recusal_months


def _partial(rule: str, actor: Actor, stakes: list[str], months: int) -> Unmet:
    return Unmet.of(
        rule,
        "{actor} 的經辦人現任或近 {months} 個月內曾任 {organisations} 的崗位，與本案有利害關係，請由他人辦理",
        "whoever acts as {actor} is, or within {months} months was, on a seat of {organisations}, which this is about: "
        "let somebody else do it",
        actor=actor,
        months=months,
        organisations=stakes,
    )
