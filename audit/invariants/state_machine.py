"""The state machine of a project as an own literal table, with the bid's life before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from audit.invariants.wording import call, call_event, call_seat, call_stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from audit.invariants.realm import Project
    from audit.invariants.recorded_events import Conditions, RecordedEvent


class Row(NamedTuple):
    """Which event leads from which stages to which, and by whom."""

    id: str
    event: str
    start: tuple[str, ...]
    to: str
    by: tuple[str, ...]
    push: bool = False
    when: Callable[[RecordedEvent], bool] | None = None


_HELD = ("PROPOSED", "IN_PUBLICITY", "OBJECTION_HOLD", "AWARDED")
_OPENABLE = (
    *("AWARDED", "CONTRACTED", "ACTIVE", "RECTIFYING", "SUSPENDED", "FINAL_REVIEW", "SETTLEMENT", "CLOSED"),
    *("TERMINATING", "TERMINATED"),
)
_REVIEW = ("HOST", "DCAB", "CAB-REG")


def _opens(stage: str) -> Callable[[RecordedEvent], bool]:
    return lambda event: event.text("stage") == stage


TABLE: tuple[Row, ...] = (
    Row("AP01", "ApplicationDrafted", ("NONE", "DRAFTED"), "DRAFTED", ("SO-LEGAL", "SO-PM")),
    Row("AP02", "ApplicationSubmitted", ("NONE", "DRAFTED", "RETURNED"), "APPLIED", ("SO-LEGAL",)),
    Row(
        "AP03",
        "ApplicationWithdrawn",
        ("DRAFTED", "APPLIED", "RETURNED", "SHORTLISTED"),
        "WITHDRAWN",
        ("SO-LEGAL",),
    ),
    Row("AP04", "LateSubmissionRefused", ("NONE", "DRAFTED"), "SAME", ("SYS", "HOST")),
    Row("AP05", "ApplicationReturned", ("APPLIED",), "RETURNED", ("HOST", "DCAB")),
    Row("AP06", "PreliminaryReviewPassed", ("APPLIED",), "SHORTLISTED", _REVIEW),
    Row("AP07", "PreliminaryReviewFailed", ("APPLIED",), "PRELIM_FAILED", _REVIEW),
    Row("AP08", "PreliminaryReviewFailed", ("RETURNED",), "PRELIM_FAILED", ("SYS",)),
    Row("AP09", "ApplicationNotSelected", ("APPLIED", "RETURNED", "SHORTLISTED"), "NOT_SELECTED", ("CAB-REG",)),
    Row("T01", "AwardProposed", ("NONE", "SHORTLISTED"), "PROPOSED", ("CAB-REG",)),
    Row("T02", "AwardPublicityOpened", ("PROPOSED",), "IN_PUBLICITY", ("CAB-REG",)),
    Row("T03", "ObjectionAccepted", ("IN_PUBLICITY", "OBJECTION_HOLD"), "OBJECTION_HOLD", ("CAB-REG",)),
    Row(
        "T04",
        "ObjectionDismissed",
        ("IN_PUBLICITY", "OBJECTION_HOLD"),  # at once as inadmissible: the clock was never stopped
        "IN_PUBLICITY",
        ("CAB-DEC",),
        when=lambda e: e.data.get("still_open") == 0,
    ),
    Row(
        "T04",
        "ObjectionDismissed",
        ("OBJECTION_HOLD",),
        "SAME",
        ("CAB-DEC",),
        when=lambda e: e.data.get("still_open") != 0,
    ),
    Row(
        "T05",
        "ObjectionUpheld",
        ("OBJECTION_HOLD",),
        "REVOKED",
        ("CAB-DEC",),
        when=lambda e: e.data.get("remedy") == "DISQUALIFY",
    ),
    Row(
        "T06",
        "ObjectionUpheld",
        ("OBJECTION_HOLD",),
        "PROPOSED",
        ("CAB-DEC",),
        when=lambda e: e.data.get("remedy") == "RESCORE",
    ),
    Row("T07", "AwardConfirmed", ("IN_PUBLICITY",), "AWARDED", ("CAB-DEC",)),
    Row("T08", "AwardDeclined", ("PROPOSED", "IN_PUBLICITY", "AWARDED"), "REVOKED", ("SO-LEGAL",)),
    Row("T09", "AwardRevoked", _HELD, "REVOKED", ("CAB-DEC",)),
    Row("T10", "ContractSigned", ("AWARDED",), "CONTRACTED", ("CAB-REG",)),
    Row("T11", "ContractSigningLapsed", ("AWARDED",), "REVOKED", ("SYS",)),
    Row("T12", "ProjectStarted", ("CONTRACTED",), "ACTIVE", ("SO-PM",)),
    # the missing final report is ordered by the calendar, everything else by the case officer
    Row("T13", "RectificationOrdered", ("ACTIVE", "FINAL_REVIEW"), "RECTIFYING", ("CAB-REG", "SYS"), push=True),
    Row("T14", "RectificationAccepted", ("RECTIFYING",), "ORIGIN", ("CAB-REG",)),
    Row("T15", "RectificationFailed", ("RECTIFYING",), "SAME", ("CAB-REG", "SYS")),
    Row("T16", "FinalReportSubmitted", ("ACTIVE",), "FINAL_REVIEW", ("SO-LEGAL",)),
    Row("T17", "ProjectSuspended", ("ACTIVE", "RECTIFYING"), "SUSPENDED", ("CAB-DEC",), push=True),
    Row("T18", "ProjectResumed", ("SUSPENDED",), "ORIGIN", ("CAB-DEC",)),
    Row("T19", "AuditOpinionIssued", ("FINAL_REVIEW", "TERMINATING"), "SAME", ("AUDIT",)),
    Row(
        "T20",
        "TerminationInitiated",
        ("CONTRACTED", "ACTIVE", "RECTIFYING", "SUSPENDED", "FINAL_REVIEW"),
        "TERMINATING",
        ("CAB-REG",),
        push=True,
    ),
    Row(
        "T21",
        "FinalEvaluationConcluded",
        ("FINAL_REVIEW",),
        "SETTLEMENT",
        ("EVAL",),
        when=lambda e: e.data.get("passed") is True,
    ),
    Row(
        "T21",
        "FinalEvaluationConcluded",
        ("FINAL_REVIEW",),
        "SAME",
        ("EVAL",),
        when=lambda e: e.data.get("passed") is not True,
    ),
    Row("T22", "ProjectClosed", ("SETTLEMENT",), "CLOSED", ("CAB-REG",)),
    Row("T23", "TerminationAppealUpheld", ("TERMINATING",), "ORIGIN", ("CAB-DEC",)),
    Row("T24", "ProjectTerminated", ("TERMINATING",), "TERMINATED", ("CAB-DEC",)),
    Row(
        "T25",
        "ProjectArchived",
        ("CLOSED", "TERMINATED", "REVOKED", "NOT_SELECTED", "PRELIM_FAILED", "WITHDRAWN"),
        "ARCHIVED",
        ("HOST",),
    ),
    Row("T26", "ProjectReopened", ("CLOSED", "ARCHIVED"), "SETTLEMENT", ("CAB-DEC",)),
    *(
        Row(f"OE{number}", "ProjectOpened", ("NONE",), stage, ("CAB-REG", "CAB-FIN", "CAB-DEC"), when=_opens(stage))
        for number, stage in enumerate(_OPENABLE, 11)
    ),
)
"""Any pair of event and stage that is not listed is illegal; events that are not listed change no stage."""

_ROWS: dict[str, tuple[Row, ...]] = {
    name: tuple(row for row in TABLE if row.event == name) for name in {row.event for row in TABLE}
}


def check_move(require: Conditions, project: Project, event: RecordedEvent) -> None:
    """Check the change of stage that the event makes, and make it."""
    rows = _ROWS.get(event.type, ())
    if not rows:
        return
    fitting = [r for r in rows if r.when is None or r.when(event)] or list(rows)
    row = next((r for r in fitting if project.stage in r.start), None)
    starts = sorted({stage for r in fitting for stage in r.start})
    rule = (row or fitting[0]).id
    require(
        row is not None,
        rule,
        "「{type}」不得發生於「{stage}」，只可在「{starts}」",
        "{type}: the stage was “{stage}”, and must be “{starts}”",
        type=call_event(event.type),
        stage=call_stage("project", project.stage),
        starts=[call_stage("project", one) for one in starts],
    )
    if row is None:
        return
    require(
        event.role in row.by,
        rule,
        "「{type}」由 {actor} 作出，只可由 {roles}",
        "{type} is by {actor}; it is for {roles}",
        type=call_event(event.type),
        actor=call_seat(event.actor),
        roles=[call("role", one) for one in row.by],
    )
    _move(require, project, row, event)


def _move(require: Conditions, project: Project, row: Row, event: RecordedEvent) -> None:
    if row.push:
        project.stack.append(project.stage)
    match row.to:
        case "SAME":
            return
        case "ORIGIN":
            require(project.stack, row.id, "無可返回的階段", "there is no stage to go back to")
            project.stage = project.stack.pop() if project.stack else project.stage
        case stage:
            project.stage = stage
    project.since = event.day
