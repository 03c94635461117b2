"""What is late is told of, to whom it must be (D6): objections, payments, listings that have aged."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from audit.invariants.recorded_events import midnight, to_date
from audit.invariants.wording import call, or_else

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from audit.invariants.realm import Realm
    from audit.invariants.recorded_events import Conditions, RecordedEvent

_PERIODS: Final = {"objection": "publicity.objection_decision_wd", "tranche": "payment.payment_wd"}
"""What waits, by the field that names it, and the parameter that says how long it may."""
_TELLS: Final = {
    "objection": ("publicity.tells_of_late", "DISC"),
    "tranche": ("payment.tells_of_late", "CAB-FIN"),
}
"""The parameter that says whether anybody is told, and whom it then is."""
_YEARS: Final = 2
"""On the list of abnormal operations, after which an organisation counts as a serious offender [F19]."""


def _field(event: RecordedEvent) -> str:
    return "objection" if event.type.startswith("Objection") else "tranche"


def _key(event: RecordedEvent) -> tuple[str, str, str]:
    field = _field(event)
    return event.name, field, event.text(field)


def _end(realm: Realm, event: RecordedEvent) -> datetime | None:
    """When it was due, by the calendar of that moment; None where nobody is told of it."""
    waiting = realm.waiting.get(_key(event))
    if waiting is None:
        return None
    period = realm.rules(realm.project(event.name)).number(_PERIODS[_field(event)])
    return midnight(realm.days.nth_after(waiting[0], period))


def note_waiting(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """From this day it waits. D6: whom it tells when it is late is whom the city's rules name, if they name anybody."""
    rules, (parameter, role) = realm.rules(realm.project(event.name)), _TELLS[_field(event)]
    to = role if rules and rules[parameter] else ""
    require(
        not rules or event.text("late_to") == to,
        "D6",
        "逾期應報送 {receiver}，所記 {late_to}",
        "late, it is told to {receiver}, not to {late_to}",
        receiver=or_else(call("role", to), "無", "nobody"),
        late_to=or_else(call("role", event.text("late_to")), "無", "nobody"),
    )
    realm.waiting.pop(_key(event), None)
    if event.text("late_to"):
        realm.waiting[_key(event)] = event.day, event.text("late_to")


def check_told(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """D6: once, not before it is late, to whom it must be."""
    end, waiting = _end(realm, event), realm.waiting.pop(_key(event), None)
    require(
        end is not None and event.at >= end and waiting is not None and event.text("to") == waiting[1],
        "D6",
        "期限 {end}，應報送 {receiver}",
        "due {end}, to be told to {receiver}",
        end=end,
        receiver=or_else(waiting and call("role", waiting[1]), "無", "nobody"),
    )


def check_settled(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """D6: what is done late has been told of before."""
    end = _end(realm, event)
    realm.waiting.pop(_key(event), None)
    require(
        end is None or event.at < end,
        "D6",
        "期限 {end} 已過而未報送",
        "it was late since {end}, and nobody was told",
        end=end,
    )


def check_listed(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """D6: a listing says itself when it ages."""
    if event.text("listing") != "ABNORMAL":
        return
    ages_on = to_date(event.data.get("ages_on"))
    since = to_date(event.data.get("since"))
    leap = since is not None and (since.month, since.day) == (2, 29)
    due = since.replace(year=since.year + _YEARS, day=28 if leap else since.day) if since else None
    require(
        ages_on == due,
        "D6",
        "滿兩年為 {due}，所記 {ages_on}",
        "it ages on {due}, not {ages_on}",
        due=due,
        ages_on=ages_on,
    )
    realm.ages.pop(event.name, None)
    if ages_on is not None:
        realm.ages[event.name] = ages_on


def check_aged(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """D6: on the night of its day; from then on it counts as serious."""
    ages_on = realm.ages.pop(event.name, None)
    require(
        ages_on is not None and event.at >= midnight(ages_on - timedelta(days=1)),
        "D6",
        "滿兩年為 {ages_on}",
        "it ages on {ages_on}",
        ages_on=or_else(ages_on, "無", "no day"),
    )
    organisation = realm.organisations[event.name]
    organisation.listings.add("SERIOUS")
    organisation.blacklisted_on = event.day


def check_lifted(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """D6: whoever was on it for two years has been taken for serious before it is lifted."""
    if event.text("listing") != "ABNORMAL":
        return
    ages_on = realm.ages.pop(event.name, None)
    require(
        ages_on is None or event.day < ages_on,
        "D6",
        "{ages_on} 已滿兩年而未轉",
        "two years had passed on {ages_on}, and nothing followed",
        ages_on=ages_on,
    )


CHECKS: Final[Mapping[str, Any]] = {
    "ObjectionEscalated": check_told,
    "DisbursementOverdue": check_told,
    "CreditListingAged": check_aged,
}
AFTER: Final[Mapping[str, Any]] = {
    "ObjectionAccepted": note_waiting,
    "ObjectionDismissed": check_settled,
    "ObjectionUpheld": check_settled,
    "DisbursementRequested": note_waiting,
    "DisbursementPaid": check_settled,
    "CreditListingRecorded": check_listed,
    "CreditListingLifted": check_lifted,
}
"""What is asked of an event once the module that it is of has seen it."""
