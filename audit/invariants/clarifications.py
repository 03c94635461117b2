"""Questions about a call: in time, answered once, and nobody passes preliminary review before all are (D8)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from audit.invariants import registers
from audit.invariants.recorded_events import day_of, whole
from audit.invariants.wording import call_seat

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audit.invariants.realm import Realm
    from audit.invariants.recorded_events import Conditions, RecordedEvent


def check_clarification_asked(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """D8: by an organisation, where the rules take questions, so many working days before the call closes."""
    rules, closes = realm.rules_of_round(event.name), registers.closes_at(realm, event.name)
    before = (rules["bidding.clarification"] or {}).get("until_wd")
    last = None
    if closes is not None and before is not None:
        last = realm.days.last_before(day_of(closes - timedelta(microseconds=1)), whole(before))
    require(
        last is not None and event.day <= last and event.role in ("SO-LEGAL", "SO-PM"),
        "D8",
        "{actor} 提問，截止 {last}",
        "asked by {actor}; questions were taken until {last}",
        actor=call_seat(event.actor),
        last=last,
    )
    waiting = realm.clarifications[event.name]
    number = event.text("clarification")
    require(number not in waiting, "D8", "提問 {number} 重複", "question {number} was asked twice", number=number)
    waiting[number] = False


def check_clarification_answered(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """D8: a question that waited, by the bureau."""
    number, clarifications = event.text("clarification"), realm.clarifications[event.name]
    require(
        clarifications.get(number) is False and event.role == "CAB-REG",
        "D8",
        "提問 {number} 未提出或已答復",
        "question {number} was not asked, or was answered before",
        number=number,
    )
    clarifications[number] = True


def check_all_answered(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """D8: no bid passes while a question about its call waits."""
    clarifications = realm.clarifications[realm.project(event.name).round]
    waiting = sorted(number for number, answered in clarifications.items() if not answered)
    require(
        not waiting,
        "D8",
        "提問 {waiting} 未答復即通過初審",
        "it passed while the questions {waiting} waited",
        waiting=waiting,
    )


CHECKS: Final[Mapping[str, Any]] = {
    "ClarificationAsked": check_clarification_asked,
    "ClarificationAnswered": check_clarification_answered,
}
AFTER: Final[Mapping[str, Any]] = {"PreliminaryReviewPassed": check_all_answered}
