"""Which event may follow in which stage, of everything but a project: an own literal table.

``state_machine`` is the same for projects. An event that is not listed may be said at any stage of its stream.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from audit.invariants.wording import call_event, call_stage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from audit.invariants.realm import Realm
    from audit.invariants.recorded_events import Conditions, RecordedEvent


class Row(NamedTuple):
    """Which event leads a stream of that kind from which stages to which; ``SAME`` leaves it where it is."""

    kind: str
    id: str
    event: str
    start: str
    to: str = "SAME"


_BEFORE_RESULTS: Final = "PLANNED SOLICITING COLLECTED CATALOGUED OPEN CLOSED"

TABLE: Final = (
    Row("scheme", "SC01", "ProgrammeEstablished", "NONE", "ESTABLISHED"),
    Row("scheme", "SC02", "PolicyPackPublished", "NONE ESTABLISHED", "PUBLISHED"),
    Row("scheme", "SC03", "PolicyPackPublished", "PUBLISHED"),
    Row("scheme", "SC04", "AnnualRoundScheduled", "PUBLISHED"),
    Row("scheme", "SC05", "AnnualRoundUnscheduled", "PUBLISHED"),
    Row("fund", "FS01", "FundSourceRegistered", "NONE", "REGISTERED"),
    Row("fund", "FS02", "FundAdjustmentProposed", "REGISTERED"),
    Row("fund", "FS02", "FundAdjusted", "REGISTERED"),
    Row("organisation", "OG01", "OrganisationVerified", "NONE VERIFIED", "VERIFIED"),
    *(
        Row("organisation", "OG01", event, "VERIFIED")
        for event in (
            "RatingRecorded",
            "RatingBonusApplied",
            "CreditListingRecorded",
            "CreditListingLifted",
            "ApplicantBanned",
            "OrganisationClassified",
        )
    ),
    Row("organisation", "D6", "CreditListingAged", "VERIFIED"),
    Row("round", "RD01", "RoundBudgetApproved", "NONE", "PLANNED"),
    Row("round", "RD02", "RoundBudgetApproved", _BEFORE_RESULTS),
    Row("round", "RD03", "NeedSolicitationOpened", "NONE PLANNED", "SOLICITING"),
    Row("round", "RD04", "NeedSolicitationClosed", "SOLICITING", "COLLECTED"),
    Row("round", "RD05", "NeedCataloguePublished", "COLLECTED CATALOGUED", "CATALOGUED"),
    Row("round", "RD06", "CallPublished", "NONE PLANNED COLLECTED CATALOGUED CANCELLED", "OPEN"),
    Row("round", "RD07", "CallAmended", "OPEN"),
    Row("round", "RD08", "CallClosed", "OPEN", "CLOSED"),
    Row("round", "RD09", "CallCancelled", _BEFORE_RESULTS, "CANCELLED"),
    Row("round", "RD10", "RoundResolved", "CLOSED", "RESOLVED"),
    # of a round that calls for nothing, such as bases' support, straight from its plan
    Row("round", "RD11", "ResultPublished", "PLANNED CLOSED RESOLVED PUBLISHED", "PUBLISHED"),
    Row("round", "QA01", "ClarificationAsked", "OPEN"),
    Row("round", "QA02", "ClarificationAnswered", "OPEN CLOSED"),
    Row("round", "SB02", "CustodiansAppointed", "OPEN"),
    Row("round", "SB03", "SealReleased", "CLOSED"),
    Row("need", "ND01", "NeedSubmitted", "NONE", "SUBMITTED"),
    Row("need", "ND02", "NeedEndorsed", "SUBMITTED"),
    Row("need", "ND03", "NeedAdopted", "SUBMITTED", "ADOPTED"),
    Row("need", "ND04", "NeedRejected", "SUBMITTED", "REJECTED"),
    Row("need", "ND05", "NeedAbsorbed", "SUBMITTED ADOPTED"),
    Row("need", "ND06", "NeedMerged", "SUBMITTED", "MERGED"),
    Row("need", "ND07", "NeedSplit", "SUBMITTED", "SPLIT"),
    Row("panel", "DW01", "DrawCommitted", "NONE", "COMMITTED"),
    Row("panel", "DW02", "DrawAbandoned", "COMMITTED", "ABANDONED"),
    Row("panel", "DW03", "PanelDrawn", "COMMITTED", "DRAWN"),
    Row("panel", "RP01", "PanelDrawn", "NONE", "DRAWN"),
    Row("panel", "RP02", "ConflictDeclared", "DRAWN SCORING"),
    Row("panel", "RP03", "ReviewerRecused", "DRAWN SCORING"),
    Row("panel", "RP04", "ScoreSubmitted", "DRAWN SCORING", "SCORING"),
    Row("panel", "RP05", "ReviewReportIssued", "DRAWN SCORING", "REPORTED"),
    Row("panel", "RP06", "ImpartialityDeclared", "DRAWN SCORING"),
    Row("panel", "RP07", "DefenceListed", "SCORING"),
    Row("roster", "ER01", "ExpertsEntered", "NONE KEPT", "KEPT"),
    Row("roster", "ER02", "ExpertSuspended", "KEPT"),
    Row("roster", "ER03", "ExpertReinstated", "KEPT"),
    Row("roster", "ER04", "ExpertRemoved", "KEPT"),
    Row("roster", "ER05", "ExpertTieRecorded", "KEPT"),
    Row("base", "BS01", "BaseDesignated", "NONE", "DESIGNATED"),
    Row("base", "BS02", "BaseAssessed", "DESIGNATED ASSESSED", "ASSESSED"),
    Row("base", "BS03", "TenantAdmitted", "DESIGNATED ASSESSED"),
    Row("base", "BS04", "TenantGraduated", "DESIGNATED ASSESSED"),
    Row("base", "BS05", "TenantExited", "DESIGNATED ASSESSED"),
    Row("base", "BS06", "ServicesOffered", "DESIGNATED ASSESSED"),
    Row("designation", "DG01", "DesignationGranted", "NONE", "GRANTED"),
    Row("designation", "DG02", "DesignationWithdrawn", "GRANTED", "WITHDRAWN"),
    Row("designation", "DG03", "DesignationWithdrawn", "GRANTED"),
    Row("occasion", "EV01", "OccasionHeld", "NONE", "HELD"),
    Row("occasion", "EV02", "OccasionStruck", "HELD", "STRUCK"),
    Row("node", "NW01", "NodeEstablished", "NONE", "ESTABLISHED"),
    Row("node", "NW02", "NodeClosed", "ESTABLISHED", "CLOSED"),
    Row("network", "NW03", "NetworkStated", "NONE STATED", "STATED"),
    Row("case", "AC01", "CaseOpened", "NONE", "OPEN"),
    Row("case", "AC02", "CaseFindingRecorded", "OPEN"),
    Row("case", "AC03", "CaseDecided", "OPEN", "DECIDED"),
    Row("calendar", "CL01", "CalendarPublished", "NONE", "PUBLISHED"),
    Row("calendar", "CL02", "CalendarPublished", "PUBLISHED"),
    Row("realm", "CK01", "ClockSet", "NONE", "MANUAL"),
    Row("realm", "CK02", "ClockSet", "NONE MANUAL", "WALL"),
    Row("office", "OF01", "OfficeFounded", "NONE", "FOUNDED"),
    Row("person", "PN01", "PersonRegistered", "NONE", "REGISTERED"),
    Row("person", "PN02", "LoginBound", "REGISTERED"),
    Row("person", "PN03", "PersonRetired", "REGISTERED", "RETIRED"),
    Row("person", "PN04", "PersonSeated", "REGISTERED"),
    Row("person", "PN05", "PersonUnseated", "REGISTERED"),
    Row("seat", "SE01", "SeatEstablished", "NONE", "ESTABLISHED"),
    Row("seat", "SE02", "SeatGranted", "ESTABLISHED"),
    Row("seat", "SE03", "SeatWithdrawn", "ESTABLISHED"),
    Row("seat", "SE04", "SeatLent", "ESTABLISHED"),
    Row("seat", "SE05", "GlassBroken", "ESTABLISHED"),
    Row("door", "DK01", "DoorKeyPublished", "NONE", "PUBLISHED"),
    Row("door", "DK02", "DoorKeyRotated", "PUBLISHED", "ROTATED"),
    Row("door", "DK03", "DoorKeyWithdrawn", "PUBLISHED ROTATED", "WITHDRAWN"),
    Row("maintenance", "MT01", "MaintenanceBegun", "NONE KEPT", "KEPT"),
    Row("maintenance", "MT02", "MaintenanceEnded", "KEPT"),
    Row("approval", "AV01", "ApprovalOpened", "NONE", "OPEN"),
    Row("approval", "AV02", "ApprovalAmended", "OPEN RETURNED", "OPEN"),
    Row("approval", "AV03", "ApprovalGiven", "OPEN", "GRANTED"),
    Row("approval", "AV04", "ApprovalGiven", "OPEN"),
    Row("approval", "AV05", "ApprovalDeclined", "OPEN", "DECLINED"),
    Row("approval", "AV06", "ApprovalDeclined", "OPEN"),
    Row("approval", "AV07", "ApprovalReturned", "OPEN", "RETURNED"),
    Row("approval", "AV08", "ApprovalWithdrawn", "OPEN RETURNED", "WITHDRAWN"),
    Row("approval", "AV09", "ApprovalExpired", "OPEN", "EXPIRED"),
    Row("approval", "AV10", "ApprovalReminded", "OPEN"),
    Row("approval", "AV11", "ApprovalEscalated", "OPEN"),
)


def _decides(event: RecordedEvent) -> bool:
    return event.data.get("decides") is True


def _is_whole(event: RecordedEvent) -> bool:
    return event.data.get("holders") is None


_WHEN: Final[Mapping[str, Callable[[RecordedEvent], bool]]] = {
    "DG02": _is_whole,
    "DG03": lambda event: not _is_whole(event),
    "CK01": lambda event: event.text("clock") == "MANUAL",
    "CK02": lambda event: event.text("clock") == "WALL",
    "AV03": _decides,
    "AV04": lambda event: not _decides(event),
    "AV05": _decides,
    "AV06": lambda event: not _decides(event),
}
"""What tells two rows of one event apart, besides the stage."""

_ROWS: Final[Mapping[tuple[str, str], tuple[Row, ...]]] = {
    key: tuple(row for row in TABLE if (row.kind, row.event) == key) for key in {(row.kind, row.event) for row in TABLE}
}


def check_stage(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """Check that the event may follow in the stage of its stream, and make the change of stage."""
    rows = _ROWS.get((event.kind, event.type), ())
    if not rows:
        return
    fitting = [row for row in rows if row.id not in _WHEN or _WHEN[row.id](event)]
    stream = (event.kind, event.name)
    stage = realm.stages.get(stream, "NONE")
    row = next((row for row in fitting if stage in row.start.split()), None)
    require(
        row is not None,
        (row or (fitting or rows)[0]).id,
        "「{type}」不得發生於「{stage}」，只可在「{starts}」",
        "{type}: the stage was “{stage}”, and must be “{starts}”",
        type=call_event(event.type),
        stage=call_stage(event.kind, stage),
        starts=[call_stage(event.kind, start) for one in fitting for start in one.start.split()],
    )
    if row is not None and row.to != "SAME":
        realm.stages[stream] = row.to
