"""Stakes from seats that were held: nobody decides about those on whose seats they are (SD5, SD15).

Told from the registers' own events and the streams' own bidders, by none of the rules' code.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from typing import TYPE_CHECKING, Final

from audit.invariants.offices import LIVE
from audit.invariants.recorded_events import day_of, whole
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
"""How long a seat counts after it was left, where no rules say otherwise (domain.md §2.3)."""


def check_interest(require: Conditions, realm: Realm, live: Realm, offices: Offices, event: RecordedEvent) -> None:
    """Nobody decides on whom they act for; of a draw and a replacement, nobody who comes in either."""
    about, months = _find_parties(realm, event), _find_months(realm, event)
    if not about:
        return
    if event.role in _DECIDERS and event.persons and event.type != "ConflictDeclared":
        _require_none(require, realm, live, offices, event, event.actor, event.persons, about, months)
    for seat in _list_comers(event):
        expert = f"EXPERT#{seat[1:]}"
        there = {s.person for s in offices.stays[event.realm, expert] if not s.basis and s.is_at(event.at)}
        if there:
            _require_none(require, realm, live, offices, event, expert, frozenset(there), about, months)


def _require_none(
    require: Conditions,
    realm: Realm,
    live: Realm,
    offices: Offices,
    event: RecordedEvent,
    actor: str,
    persons: frozenset[str],
    about: frozenset[str],
    months: int,
) -> None:
    present = {stay.person for stay in offices.stays[event.realm, actor] if stay.is_at(event.at)}
    register = event.realm if persons <= present else LIVE  # numbers of persons are of one register
    scopes = (live if register == LIVE else realm).seats
    served = {
        name
        for (where, seat), stays in offices.stays.items()
        if where == register and seat.startswith(_OWN)
        if any(stay.person in persons and _counts(stay, event, months) for stay in stays)
        for name in scopes.get(seat, ("", frozenset[str]()))[1]
    }
    stakes = sorted(served & about)
    require(
        not stakes,
        "SD5" if event.kind == "panel" else "SD15",
        "{actor} 的經辦人任 {stakes} 的崗位，於 {file} 有利害關係",
        "whoever acts as {actor} is or was on a seat of {stakes}, which {file} is about",
        actor=call_seat(actor),
        stakes=stakes,
        file=event.name,
    )


def _counts(stay: Stay, event: RecordedEvent, months: int) -> bool:
    if stay.begins > event.at or (stay.ends is not None and stay.ends <= stay.begins):
        return False
    return stay.ends is None or event.day <= _months_on(day_of(stay.ends), months)


def _months_on(day: date, months: int) -> date:
    year, month = day.year + (day.month - 1 + months) // 12, (day.month - 1 + months) % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


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


def _find_months(realm: Realm, event: RecordedEvent) -> int:
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


def _list_comers(event: RecordedEvent) -> list[str]:
    match event.type:
        case "PanelDrawn":
            return event.texts("seats")
        case "ReviewerRecused":
            return [event.text("in")] if event.text("in") else []
        case _:
            return []
