"""Questions and complaints of suppliers: within the law's periods, and the award stands still meanwhile (D7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from audit.invariants.wording import call, call_seat, or_else

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audit.invariants.realm import Realm
    from audit.invariants.recorded_events import Conditions, RecordedEvent

_QUESTION_WD: Final = 7
_REPLY_WD: Final = 7
_COMPLAINT_WD: Final = 15
"""Working days by the Government Procurement Law, art. 52, 53 and 55."""


def check_question_raised(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """D7: of a procurement, within seven working days of the notice."""
    project = realm.project(event.name)
    posted = project.posted_on
    last = realm.days.nth_after(posted, _QUESTION_WD) if posted else None
    require(
        realm.rules(project)["route"] == "PROCUREMENT" and last is not None and event.day <= last,
        "D7",
        "質疑至 {last}",
        "questions could be raised until {last}",
        last=last,
    )
    realm.challenges[event.name, event.text("challenge")] = ("RAISED", event.day, event.actor)


def note_question_answered(_require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """The question was answered."""
    key = event.name, event.text("challenge")
    _, day, by = realm.challenges.get(key, ("", event.day, ""))
    realm.challenges[key] = ("ANSWERED", day, by)


def check_complaint_filed(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """D7: by whoever raised it, answered or left without answer, within fifteen working days after the reply period."""
    key = event.name, event.text("challenge")
    status, day, by = realm.challenges.get(key, ("", event.day, ""))
    replies = realm.days.nth_after(day, _REPLY_WD)
    last = realm.days.nth_after(replies, _COMPLAINT_WD)
    require(
        by == event.actor
        and (status == "ANSWERED" or (status == "RAISED" and event.day > replies))
        and event.day <= last,
        "D7",
        "{status}，答復至 {replies}，投訴至 {last}",
        "{status}; to be answered until {replies}, complained of until {last}",
        status=or_else(call("challenge", status), "無此質疑", "no such question"),
        replies=replies,
        last=last,
    )
    realm.challenges[key] = ("FILED", day, by)


def check_complaint_decided(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """D7: what was filed, by the treasury."""
    key = event.name, event.text("challenge")
    status, day, by = realm.challenges.get(key, ("", event.day, ""))
    require(
        status == "FILED" and event.role == "FISCAL",
        "D7",
        "{status}，由 {actor} 處理",
        "{status}, decided by {actor}",
        status=or_else(call("challenge", status), "無此投訴", "no such complaint"),
        actor=call_seat(event.actor),
    )
    realm.challenges[key] = (event.text("outcome"), day, by)


def check_no_stay(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """D7: nothing is confirmed, signed or lapses while a challenge is open."""
    staying = sorted(
        number
        for (name, number), (status, _, _) in realm.challenges.items()
        if name == event.name and status in ("RAISED", "FILED", "UPHELD")
    )
    require(not staying, "D7", "質疑 {staying} 未了結", "challenges {staying} were open", staying=staying)


CHECKS: Final[Mapping[str, Any]] = {
    "QuestionRaised": check_question_raised,
    "QuestionAnswered": note_question_answered,
    "ComplaintFiled": check_complaint_filed,
    "ComplaintDecided": check_complaint_decided,
}
AFTER: Final[Mapping[str, Any]] = {
    "AwardConfirmed": check_no_stay,
    "ContractSigned": check_no_stay,
    "ContractSigningLapsed": check_no_stay,
}
"""What is asked of an event once the module that it is of has seen it."""
