"""Stakes from seats that were held: nobody decides about those on whose seats they are (SD5, SD15).

Told from the registers' own events and the streams' own bidders, by none of the rules' code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from audit.invariants.offices import LIVE
from audit.invariants.recorded_events import day_of, months_on, whole
from audit.invariants.wording import call_seat

if TYPE_CHECKING:
    from audit.invariants.offices import Offices, Stay
    from audit.invariants.realm import Realm
    from audit.invariants.recorded_events import Conditions, RecordedEvent

_DECIDERS: Final = frozenset(
    {"CAB-REG", "CAB-FIN", "CAB-DEC", "FISCAL", "HOST", "DCAB", "EXPERT", "EVAL", "AUDIT", "SUPV"}
)
_OWN: Final = ("SO-LEGAL#", "SO-PM#", "SO-ACC#")
"""How seats of organisations begin."""
_USUAL_MONTHS: Final = 24
"""How long a seat counts after it was left, where no rules say otherwise."""


def check_interest(require: Conditions, realm: Realm, live: Realm, offices: Offices, event: RecordedEvent) -> None:
    """Nobody decides on whom they act for, or acted for of late."""
    about, months = _find_parties(realm, event), find_months(realm, event)
    if not about or event.role not in _DECIDERS or not event.persons or event.type == "ConflictDeclared":
        return
    register = find_register(offices, event)
    stakes = sorted(list_stakes((realm, live, offices), register, event.persons, event, months) & about)
    require(
        not stakes,
        "SD5" if event.kind == "panel" else "SD15",
        "{actor} 的經辦人任 {stakes} 的崗位，於 {file} 有利害關係",
        "whoever acts as {actor} is or was on a seat of {stakes}, which {file} is about",
        actor=call_seat(event.actor),
        stakes=stakes,
        file=event.name,
    )


def find_register(offices: Offices, event: RecordedEvent) -> str:
    """The realm whose registers number whoever acted in the event."""
    present = {stay.person for stay in offices.stays[event.realm, event.actor] if stay.is_at(event.at)}
    return event.realm if event.persons <= present else LIVE


def list_stakes(
    registers: tuple[Realm, Realm, Offices], register: str, persons: frozenset[str], event: RecordedEvent, months: int
) -> frozenset[str]:
    """The organisations on whose seats they are, or were within so many months before the event."""
    realm, live, offices = registers
    scopes = (live if register == LIVE else realm).seats
    return frozenset(
        name
        for (where, seat), stays in offices.stays.items()
        if where == register and seat.startswith(_OWN)
        if any(stay.person in persons and _counts(stay, event, months) for stay in stays)
        for name in scopes.get(seat, ("", frozenset[str]()))[1]
    )


def _counts(stay: Stay, event: RecordedEvent, months: int) -> bool:
    if stay.begins > event.at or (stay.ends is not None and stay.ends <= stay.begins):
        return False
    return stay.ends is None or event.day <= months_on(day_of(stay.ends), months)


def _find_parties(realm: Realm, event: RecordedEvent) -> frozenset[str]:
    match event.kind:
        case "project":
            return realm.project(event.name).bidders
        case "organisation":
            return frozenset({event.name})
        case "base":
            return frozenset({realm.base_operators.get(event.name, "")}) - {""}
        case "approval" if event.name in realm.requests and event.type != "ApprovalWithdrawn":
            return frozenset({realm.requests[event.name].payee}) - {""}
        case "panel" if event.type == "PanelDrawn":
            return frozenset().union(*(realm.project(name).bidders for name in event.texts("applications")))
        case "panel":
            return frozenset().union(*realm.panels[event.name].bidders.values())
        case _:
            return frozenset()


def find_months(realm: Realm, event: RecordedEvent) -> int:
    """How long a seat counts after it was left, by the rules that hold there."""
    match event.kind:
        case "project":
            rules = realm.rules(realm.project(event.name))
        case "panel":
            rules = realm.rules_of_round(realm.panels[event.name].round or event.text("round"))
        case _ if event.type == "RatingBonusApplied":
            rules = realm.rules_of_round(event.text("round"))
        case _:
            return _USUAL_MONTHS
    stated = rules["review.recusal_months"]
    return _USUAL_MONTHS if stated is None else whole(stated)
