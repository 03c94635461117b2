"""A city's rules as the checker reads them from the log, and what of events and rules it has no need to check.

``tests/audit/test_coverage.py`` holds that every event and every parameter is either checked or listed here.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from audit.invariants.recorded_events import to_number, whole
from audit.invariants.wording import call_field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audit.invariants.recorded_events import Conditions, RecordedEvent

USUAL_GATES: Final = (
    "ContractSigned",
    "ProjectStarted",
    "MidtermEvaluationConcluded",
    "AuditOpinionIssued",
    "FinalEvaluationConcluded",
    "MilestoneMet",
)
"""What a tranche may wait for where the rules name nothing else."""


class Rules:
    """One version of a scheme. A parameter is asked for as ``rules["review.line"]``; None if it is not there."""

    def __init__(self, scheme: Mapping[str, Any] | None = None) -> None:
        """``None`` stands for a stream that has pinned no scheme: it has no parameters."""
        self._scheme = scheme or {}

    def __bool__(self) -> bool:
        """Whether any rules are pinned."""
        return bool(self._scheme)

    def __getitem__(self, parameter: str) -> Any:  # noqa: ANN401 - a parameter may be anything that JSON holds
        """The parameter, by section and name."""
        section, _, name = parameter.rpartition(".")
        within = self._scheme.get(section, {}) if section else self._scheme
        return within.get(name) if isinstance(within, dict) else None

    def number(self, parameter: str) -> int:
        """A whole number; 0 if it is none."""
        return whole(self[parameter])


CITED: Final[Mapping[str, Mapping[str, str]]] = {
    "ApplicationReturned": {"completion_wd": "bidding.completion_wd"},
    "AwardPublicityOpened": {
        "working_days": "publicity.working_days",
        "decision_wd": "publicity.objection_decision_wd",
    },
    "AwardConfirmed": {"signing_wd": "contract.signing_wd"},
    "ContractSigned": {
        "midterm_report_wd": "evaluation.midterm_report_wd",
        "final_report_months": "evaluation.final_report_months",
    },
    "ProjectOpened": {
        "signing_wd": "contract.signing_wd",
        "midterm_report_wd": "evaluation.midterm_report_wd",
        "final_report_months": "evaluation.final_report_months",
        "rectify_wd": "remedy.rectify_wd",
    },
    "DisbursementRequested": {"payment_wd": "payment.payment_wd"},
    "RectificationOrdered": {"rectify_wd": "remedy.rectify_wd"},
    "TerminationInitiated": {"hearing_wd": "remedy.hearing_wd"},
    "ClawbackOrdered": {"clawback_days": "remedy.clawback_days"},
    "ProjectArchived": {"retention_years": "closing.retention_years"},
}
"""Events of a project, their fields that repeat a number of the rules, and the parameter that each repeats."""


def check_citations(require: Conditions, rules: Rules, event: RecordedEvent) -> None:
    """S1: a number that an event takes from the rules is the one that the rules give."""
    for name, parameter in CITED.get(event.type, {}).items():
        cited, value = event.data.get(name), rules[parameter]
        require(
            not rules or cited == value,
            "S1",
            "{name} 記為 {cited}，管理辦法為 {given}",
            "{name} is recorded as {cited}; the rules say {given}",
            name=call_field(event.type, name),
            cited=cited,
            given=value,
        )


def require_criteria(
    require: Conditions, rule: str, event: RecordedEvent, mark: Decimal, rubric: Mapping[str, Any]
) -> None:
    """Points by criterion keep to the weights of the rubric and add up to the mark, which is 100 at most here."""
    criteria = {str(name): to_number(points) for name, points in event.part("criteria").items()}
    above = sorted(name for name, points in criteria.items() if name in rubric and points > whole(rubric[name]))
    unknown = sorted(criteria.keys() - rubric.keys() - {"bonus"})
    total = sum(criteria.values(), Decimal(0))
    require(
        not criteria or (not above and not unknown and mark in (total, min(total, Decimal(100)))),
        rule,
        "分項合計 {total}，總分 {mark}；超出滿分或不在評分表：{strays}",
        "the criteria add up to {total}, the mark is {mark}; not in it: {strays}",
        total=total,
        mark=mark,
        strays=above + unknown,
    )


UNCHECKED_EVENTS: Final[Mapping[str, str]] = {
    "AnnualRoundScheduled": "it opens nothing; each round that it leads to is checked as any other",
    "AnnualRoundUnscheduled": "it opens nothing and ends nothing",
    "ApprovalEscalated": "no vote; who may decide then are persons as before, and its stage is checked as any event's",
    "ApprovalExpired": "it grants nothing, and ``stages`` lets nothing follow it",
    "ApprovalReminded": "no vote; its stage is checked as any event's",
    "ApprovalWithdrawn": "as ApprovalExpired",
    "DoorKeyPublished": "audit verify holds every signature to it; it moves no money",
    "DoorKeyRotated": "as DoorKeyPublished",
    "DoorKeyWithdrawn": "as DoorKeyPublished",
    "LoginBound": "that it took two is TP03; whose login it is, no log can say",
    "MatchFundReceived": "an amount, which M9 checks; nothing is paid by it",
    "NeedAbsorbed": "needs bind no money; a bid names the need that it answers, and AP02 counts it",
    "NeedAdopted": "as NeedAbsorbed",
    "NeedCataloguePublished": "a list for the public; a bid's own need is checked by AP02",
    "NeedMerged": "as NeedAbsorbed",
    "NeedRejected": "as NeedAbsorbed",
    "NeedSplit": "as NeedAbsorbed",
    "PersonSeated": "the seat's own event, seen from the person; SD8 and SE12 rest on that",
    "PersonUnseated": "as PersonSeated",
    "ProgrammeEstablished": "a name",
    "ResourceReceived": "a gift in kind: no money, and counted as none",
    "SeatEstablished": "a seat lets nobody do anything; who is put on it is SD8",
    "TenantExited": "a tenancy binds no money",
    "TenantGraduated": "a tenancy binds no money",
}
"""Events that no invariant rests on beyond what holds for every event (its seat and its stage, too), and why.

It is for whoever audits these checks; ``tests/audit/test_coverage.py`` holds that no other event goes unchecked."""

UNCHECKED_PARAMETERS: Final[Mapping[str, str]] = {
    "city": "a name",
    "title": "a name",
    "edition": "which code decides; audit replay decides again by it",
    "effective": "a round pins rules by name and version; audit replay decides again whether it might",
}
"""Parameters of a scheme that no invariant rests on, and why; whole as ``UNCHECKED_EVENTS`` is."""
