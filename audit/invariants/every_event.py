"""What holds for every event of whatever stream (M9, P6, V1, V4)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

from audit.invariants.wording import call_event, call_seat, or_else

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from audit.invariants.recorded_events import Conditions, RecordedEvent

_AMOUNTS = frozenset(
    {
        *("amount", "award", "planned", "requested", "match_pledged", "eligible", "outstanding", "envelope", "cap_fen"),
        *("audited", "cancelled", "match_received", "paid", "returned"),
    }
)
"""Fields that are fen wherever they stand."""
_SHARED = frozenset({"funds", "split", "freed", "budget", "cut", "came_back"})
"""Fields whose values are fen, by fund or line; ``budget`` of a scheme is none."""

ADVERSE: Mapping[str, str] = {
    "PreliminaryReviewFailed": "reason",
    "CreditListingRecorded": "reason",
    "ApplicantBanned": "reason",
    "CallCancelled": "reason",
    "ObjectionUpheld": "finding",
    "AwardRevoked": "reason",
    "DisbursementWithheld": "reason",
    "TrancheCancelled": "reason",
    "RectificationOrdered": "findings",
    "RectificationFailed": "finding",
    "ProjectSuspended": "reason",
    "TerminationInitiated": "ground",
    "ProjectTerminated": "reason",
    "ClawbackOrdered": "reason",
    "AccountabilityReferred": "reason",
    "ProjectReopened": "finding",
    "DesignationWithdrawn": "reason",
    "DrawAbandoned": "reason",
    "ExpertSuspended": "reason",
    "OccasionStruck": "reason",
    "CaseOpened": "reason",
    "CaseFindingRecorded": "finding",
    "CaseDecided": "finding",
}
"""Decisions against somebody, and the field that says why (V1)."""

PEOPLE: Mapping[str, frozenset[str]] = {
    "NeedSubmitted": frozenset(
        {
            "round",
            "group",
            "problem",
            "place",
            "head_count",
            "fields",
            "theme",
            "resources",
            "community",
            "district",
            "split_from",
            "attachments",
        }
    ),
    "ActivityRecorded": frozenset(
        {
            "person_times",
            "title",
            "team",
            "site",
            "field",
            "form",
            "newcomers",
            "service_hours",
            "group",
            "outcomes",
            "attachments",
            "held_on",
            "off_field",
        }
    ),
    "VolunteerTeamFormed": frozenset({"team", "members", "purpose", "attachments"}),
    "TeamHeadCounted": frozenset({"team", "members"}),
    "ClientServed": frozenset({"client", "group", "module", "sealed", "served_on"}),
    "DeliberationHeld": frozenset({"deliberation", "topic", "persons", "sides", "held_on", "attachments"}),
    "ParticipantsRecruited": frozenset({"standing", "persons"}),
    "CommunityOrganisationIncubated": frozenset({"incubated", "site", "attachments"}),
    "SupervisionVisitRecorded": frozenset({"advice", "attachments"}),
    "ReportSubmitted": frozenset({"kind", "sessions", "person_times", "attachments"}),
    "FinalReportSubmitted": frozenset({"sessions", "person_times", "attachments"}),
}
"""Events about beneficiaries, with all that may be said of them: counts and groups, never a person (V4)."""
_IDENTITY_CARD = re.compile(r"(?<![0-9A-Za-z])[1-9][0-9]{16}[0-9Xx](?![0-9A-Za-z])")
_BORN = re.compile(r"(?<![0-9A-Za-z])[1-9][0-9]{5}(?:19|20)[0-9]{2}[01][0-9][0-3][0-9]{4}[0-9Xx](?![0-9A-Za-z])")
_BETWEEN_DIGITS = re.compile(r"(?<=[0-9])[\s\u200b-\u200d\u2060\ufeff\u2010-\u2015\u2212-]+(?=[0-9Xx])")
_MOBILE = re.compile(r"(?<![0-9A-Za-z])(?:(?:00)?86)?1[3-9][0-9]{9}(?![0-9A-Za-z])")


def check_every_event(require: Conditions, event: RecordedEvent) -> None:
    """What must hold of the event by itself, whatever it is."""
    require(
        event.role != "DISC",
        "P6",
        "{actor} 只可查閱，卻作出決定",
        "{actor} may read only, and wrote a decision",
        actor=call_seat(event.actor),
    )
    if event.kind != "scheme":
        bad = list(_not_fen(event.data))
        require(not bad, "M9", "金額並非整數分：{bad}", "not whole fen: {bad}", bad=bad)
    _require_reason(require, event)
    _require_nobody_named(require, event)


def _not_fen(data: Mapping[str, Any]) -> Iterator[str]:
    """The places of amounts that are no whole numbers, or negative."""
    for key, value in data.items():
        if key in _SHARED and isinstance(value, dict):
            yield from (f"{key}.{name}" for name, fen in value.items() if not _is_fen(fen))
        elif key in _AMOUNTS and value is not None and not _is_fen(value):
            yield key
        elif isinstance(value, dict):
            yield from _not_fen(value)


def _is_fen(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _require_reason(require: Conditions, event: RecordedEvent) -> None:
    """V1: an adverse event says why and shows it; the clock's own needs no document."""
    why = ADVERSE.get(event.type) or ("finding" if _is_failure(event) else None)
    if why is not None:
        require(
            event.data.get(why) and (event.data.get("attachments") or event.role == "SYS"),
            "V1",
            "{type} 缺理由或附件",
            "{type} lacks a reason or an attachment",
            type=call_event(event.type),
        )


def _is_failure(event: RecordedEvent) -> bool:
    match event.type:
        case "MidtermEvaluationConcluded":
            return event.text("result") == "FAIL"
        case "AuditOpinionIssued":
            return event.text("opinion") != "UNQUALIFIED"
        case "FinalEvaluationConcluded":
            return event.data.get("passed") is not True
        case _:
            return False


def _require_nobody_named(require: Conditions, event: RecordedEvent) -> None:
    """V4: events about beneficiaries hold counts and groups; no number by which a person could be found."""
    people = PEOPLE.get(event.type)
    if people is None:
        return
    strangers = sorted(set(event.data) - people)
    numbers = [text for text in _texts(event.data) if _names_somebody(text)]
    require(
        not strangers and not numbers,
        "V4",
        "記有個人資料：{strangers}",
        "personal data: {strangers}",
        strangers=or_else(strangers, "證件或電話號碼", "the number of an identity card or telephone"),
    )


def _names_somebody(text: str) -> bool:
    """In whatever digits it is written, and with blanks or dashes between groups of them."""
    plain = normalize("NFKC", text)
    joined = _BETWEEN_DIGITS.sub("", plain)
    return any(p.search(plain) for p in (_IDENTITY_CARD, _MOBILE)) or any(p.search(joined) for p in (_BORN, _MOBILE))


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for key, inner in value.items():
                if key != "sha256":
                    yield from _texts(inner)
        case list():
            for inner in value:
                yield from _texts(inner)
        case _:
            return
