"""Sealed bids: committed to before the close, opened by m of n after it, shown as they were committed to (D9)."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from audit.invariants import registers
from audit.invariants.realm import Custody
from audit.invariants.recorded_events import whole
from audit.invariants.wording import call_seat

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from audit.invariants.realm import Realm
    from audit.invariants.recorded_events import Conditions, RecordedEvent

_CUSTODIANS: Final = ("CAB-REG", "CAB-FIN", "CAB-DEC", "FISCAL")
_COMPUTED: Final = ("need_version", "places")
"""Of a bid on record what the office added to it."""


def check_custodians_appointed(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """D9: as many different seats as the rules ask for, before the close."""
    rules = realm.rules_of_round(event.name)["bidding.sealed"] or {}
    seats = [str(seat) for seat in event.data.get("custodians") or ()]
    quorum, open_wd = whole(event.data.get("quorum")), whole(event.data.get("open_wd"))
    closes = registers.closes_at(realm, event.name)
    require(
        len(seats) == len(set(seats)) == rules.get("custodians")
        and {seat.partition("#")[0] for seat in seats} <= set(_CUSTODIANS)
        and (quorum, open_wd) == (rules.get("quorum"), rules.get("open_wd"))
        and closes is not None
        and event.at < closes,
        "D9",
        "開標監督人 {seats}，須 {quorum} 人開啟",
        "custodians {seats}, {quorum} of whom open",
        seats=[call_seat(seat) for seat in seats],
        quorum=quorum,
    )
    realm.custody[event.name] = Custody(frozenset(seats), quorum, open_wd)


def check_application_sealed(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """D9, D1: before the close, with custodians to open it."""
    round_ = event.text("round")
    closes, custody = registers.closes_at(realm, round_), realm.custody.get(round_)
    require(
        closes is not None and event.at < closes and custody is not None and not custody.released,
        "D9",
        "密封於截止 {closes} 之後或無開標監督人",
        "it was sealed after the close ({closes}), or with nobody to open it",
        closes=closes,
    )
    project = realm.project(event.name)
    project.sealed, project.round, project.organisation = event.text("digest"), round_, event.text("organisation")


def check_seal_released(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """D9: after the close, by custodians, each another human."""
    closes, custody = registers.closes_at(realm, event.name), realm.custody.get(event.name) or Custody()
    require(
        closes is not None
        and event.at >= closes
        and event.actor in custody.seats
        and not any(event.hand.is_same(other) for other in custody.released),
        "D9",
        "{actor} 於截止 {closes} 前，或非監督人，或已同意，而同意開啟",
        "{actor} released the seal before the close ({closes}), twice, or as no custodian",
        actor=call_seat(event.actor),
        closes=closes,
    )
    custody.released.append(event.hand)
    if len(custody.released) == custody.quorum:
        custody.opened_on = event.day
    realm.custody[event.name] = custody


def check_unsealed(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """D9: what is shown after the opening, in its time, is what was committed to."""
    last = find_last_day(realm, event.text("round"))
    body = {name: value for name, value in event.data.items() if name not in _COMPUTED}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    require(
        last is not None
        and event.day <= last
        and realm.project(event.name).sealed == sha256(text.encode()).hexdigest(),
        "D9",
        "提交至 {last}，或與密封時的校驗值不符",
        "to be handed in until {last}; or it is not what was sealed",
        last=last,
    )


def find_last_day(realm: Realm, round_: str) -> date | None:
    """The last day to hand in what was sealed; None before the opening."""
    custody = realm.custody.get(round_)
    return realm.days.nth_after(custody.opened_on, custody.open_wd) if custody and custody.opened_on else None


def check_opening_over(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """D9: nobody is judged before everybody's time has passed."""
    project = realm.project(event.name)
    last = find_last_day(realm, project.round)
    require(
        not realm.rules(project)["bidding.sealed"] or (last is not None and event.day > last),
        "D9",
        "密封申報提交至 {last}，其前已初審",
        "it was reviewed while sealed applications could be handed in, until {last}",
        last=last,
    )


CHECKS: Final[Mapping[str, Any]] = {
    "CustodiansAppointed": check_custodians_appointed,
    "ApplicationSealed": check_application_sealed,
    "SealReleased": check_seal_released,
}
AFTER: Final[Mapping[str, Any]] = {"PreliminaryReviewPassed": check_opening_over}
