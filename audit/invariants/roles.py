"""Who may say what: the roles from whose seats each event may come that changes no stage of a project.

An own literal table, as ``state_machine`` is for the rest. Of what takes two persons, it is the second who is recorded:
roles that may confirm stand beside those that may ask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from audit.invariants.wording import call, call_event, call_seat

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audit.invariants.recorded_events import Conditions, RecordedEvent

_ASKERS: Final = "CAB-REG CAB-FIN CAB-DEC FISCAL HOST DCAB"
_APPROVERS: Final = f"{_ASKERS} EXPERT EVAL SUPV SO-LEGAL SO-PM SO-ACC COMM BASE-OP"

_TABLE: Final = (
    ("SC01", "ProgrammeEstablished", "CAB-DEC"),
    ("SC02", "PolicyPackPublished", "CAB-DEC CAB-REG"),
    ("SC04", "AnnualRoundScheduled", "CAB-REG"),
    ("SC05", "AnnualRoundUnscheduled", "CAB-REG CAB-DEC"),
    ("TP01", "ActProposed ActConfirmed ActDropped", "ADMIN CAB-DEC CAB-REG CAB-FIN FISCAL SO-ACC HOST"),
    ("FS01", "FundSourceRegistered", "CAB-FIN"),
    ("FS02", "FundAdjustmentProposed", "CAB-FIN"),
    ("FS02", "FundAdjusted", "CAB-FIN FISCAL"),
    ("OG01", "OrganisationVerified", "HOST DCAB CAB-REG"),
    ("OG01", "RatingRecorded CreditListingRecorded CreditListingLifted OrganisationClassified", "CAB-REG"),
    ("OG01", "RatingBonusApplied", "CAB-REG HOST"),
    ("OG01", "ApplicantBanned", "CAB-DEC"),
    ("D6", "CreditListingAged ObjectionEscalated DisbursementOverdue", "SYS"),
    ("RD01", "RoundBudgetApproved", "FISCAL"),
    ("RD03", "NeedSolicitationOpened", "CAB-REG"),
    ("RD04", "NeedSolicitationClosed", "SYS"),
    ("RD05", "NeedCataloguePublished", "CAB-REG"),
    ("RD06", "CallPublished", "CAB-REG"),
    ("RD07", "CallAmended", "CAB-REG"),
    ("QA01", "ClarificationAsked", "SO-LEGAL SO-PM"),
    ("QA02", "ClarificationAnswered", "CAB-REG"),
    ("SB01", "ApplicationSealed", "SO-LEGAL"),
    ("SB02", "CustodiansAppointed", "CAB-DEC"),
    ("SB03", "SealReleased", "CAB-REG CAB-FIN CAB-DEC FISCAL"),
    ("RD08", "CallClosed", "SYS"),
    ("RD09", "CallCancelled", "CAB-DEC"),
    ("RD10", "RoundResolved", "CAB-REG"),
    ("RD11", "ResultPublished", "CAB-REG"),
    ("PK01", "DeadlineSetAside", "CAB-REG CAB-DEC"),
    ("ND01", "NeedSubmitted", "PUBLIC COMM DCAB"),
    ("ND02", "NeedEndorsed", "PUBLIC COMM DCAB"),
    ("ND03", "NeedAdopted", "CAB-REG"),
    ("ND04", "NeedRejected", "CAB-REG"),
    ("ND05", "NeedAbsorbed", "CAB-REG"),
    ("ND06", "NeedMerged", "CAB-REG"),
    ("ND07", "NeedSplit", "CAB-REG"),
    ("RP01", "PanelDrawn", "CAB-REG"),
    ("RP02", "ConflictDeclared", "EXPERT"),
    ("RP03", "ReviewerRecused", "CAB-REG"),
    ("RP04", "ScoreSubmitted", "EXPERT"),
    ("RP05", "ReviewReportIssued", "HOST"),
    ("RP06", "ImpartialityDeclared", "EXPERT"),
    ("RP07", "DefenceListed", "HOST"),
    ("DW01", "DrawCommitted", "CAB-REG"),
    ("DW02", "DrawAbandoned", "CAB-REG CAB-DEC"),
    ("ER01", "ExpertsEntered", "CAB-REG CAB-DEC"),
    ("ER02", "ExpertSuspended", "CAB-REG CAB-DEC"),
    ("ER03", "ExpertReinstated", "CAB-REG CAB-DEC"),
    ("ER04", "ExpertRemoved", "CAB-REG CAB-DEC"),
    ("ER05", "ExpertTieRecorded", "CAB-REG"),
    ("T03", "ObjectionLodged", "PUBLIC SO-LEGAL"),
    ("T06", "AwardRescored", "CAB-REG"),
    ("PC01", "QuestionRaised", "SO-LEGAL"),
    ("PC02", "QuestionAnswered", "CAB-REG"),
    ("PC03", "ComplaintFiled", "SO-LEGAL"),
    ("PC04", "ComplaintDecided", "FISCAL"),
    ("T12", "LedgerAccountRegistered", "SO-ACC"),
    ("SD9", "LedgerAccountConfirmed", "CAB-FIN"),
    ("M2", "DisbursementRequested", "CAB-REG"),
    ("M2", "DisbursementChecked", "CAB-FIN"),
    ("M2", "DisbursementApproved", "CAB-DEC"),
    ("M2", "DisbursementPaid", "FISCAL"),
    ("M2", "DisbursementFailed", "FISCAL CAB-FIN"),
    ("M8", "DisbursementWithheld", "CAB-REG"),
    ("M12", "ExpendituresChecked", "CAB-FIN"),
    ("M8", "TrancheCancelled", "CAB-DEC"),
    ("T12", "SupervisorAssigned", "CAB-REG"),
    ("T12", "SupervisionVisitRecorded", "SUPV"),
    ("M6", "MatchFundReceived", "SO-ACC"),
    ("D3", "ActivityRecorded ClientServed DeliberationHeld", "SO-PM"),
    ("D3", "ExpenditureRecorded", "SO-ACC"),
    ("Z1", "VolunteerTeamFormed TeamHeadCounted", "SO-PM"),
    ("V3", "CommunityOrganisationIncubated ReportSubmitted AssetHandedOver AssetMoved", "SO-PM"),
    ("V3", "DeliberationConcluded ResourceReceived ParticipantsRecruited", "SO-PM"),
    ("T16", "MilestoneMet", "SUPV EVAL CAB-REG"),
    ("T16", "MilestoneMissed", "SYS"),
    ("D4", "VariationRequested", "SO-LEGAL"),
    ("D4", "VariationApproved VariationRejected", "CAB-REG CAB-DEC"),
    ("D4", "ContractAmended", "CAB-REG"),
    ("M2", "MidtermEvaluationConcluded", "EVAL SYS"),
    ("T14", "RectificationSubmitted", "SO-LEGAL"),
    ("M10", "ClawbackOrdered", "CAB-DEC"),
    ("M10", "ClawbackReceived", "CAB-FIN FISCAL"),
    ("M10", "ClawbackEscalated", "SYS"),
    ("V1", "AccountabilityReferred", "CAB-REG"),
    ("M3", "SurplusReturned", "SO-ACC CAB-FIN"),
    ("SD12", "CorrectionProposed", "SO-PM SO-ACC CAB-REG HOST"),
    ("SD12", "CorrectionConfirmed", "CAB-REG CAB-FIN"),
    ("OE01", "OpeningProposed", "CAB-REG"),
    ("BS01", "BaseDesignated", "CAB-DEC"),
    ("BS02", "BaseAssessed", "EVAL"),
    ("BS03", "TenantAdmitted", "BASE-OP"),
    ("BS04", "TenantGraduated", "BASE-OP"),
    ("BS05", "TenantExited", "BASE-OP"),
    ("BS06", "ServicesOffered", "BASE-OP CAB-REG"),
    ("DG01", "DesignationGranted", "CAB-REG CAB-DEC"),
    ("DG02", "DesignationWithdrawn", "CAB-DEC CAB-REG"),
    ("EV01", "OccasionHeld", "CAB-REG BASE-OP"),
    ("EV02", "OccasionStruck", "CAB-REG"),
    ("NW01", "NodeEstablished", "CAB-DEC"),
    ("NW02", "NodeClosed", "CAB-DEC"),
    ("NW03", "NetworkStated", "CAB-REG"),
    ("AC01", "CaseOpened", "CAB-REG"),
    ("AC02", "CaseFindingRecorded", "CAB-REG CAB-FIN"),
    ("AC03", "CaseDecided", "CAB-DEC"),
    ("CL01", "CalendarPublished", "CAB-REG CAB-DEC"),
    ("CK01", "ClockSet", "CAB-REG CAB-DEC HOST SYS"),
    ("OF01", "OfficeFounded", "ADMIN"),
    ("PN01", "PersonRegistered", "ADMIN SYS"),
    ("PN02", "LoginBound", "ADMIN CAB-DEC"),
    ("PN03", "PersonRetired", "ADMIN CAB-DEC"),
    ("PN04", "PersonSeated", "SYS"),
    ("PN05", "PersonUnseated", "SYS"),
    ("SE01", "SeatEstablished", "ADMIN SYS"),
    ("SE02", "SeatGranted", "ADMIN CAB-DEC SYS"),
    ("SE03", "SeatWithdrawn", "ADMIN CAB-DEC"),
    ("SE04", "SeatLent", "ADMIN CAB-DEC"),
    ("SE05", "GlassBroken", "ADMIN CAB-DEC"),
    ("DK01", "DoorKeyPublished", "SYS ADMIN CAB-DEC"),
    ("DK02", "DoorKeyRotated", "ADMIN CAB-DEC"),
    ("DK03", "DoorKeyWithdrawn", "ADMIN CAB-DEC"),
    ("MT01", "MaintenanceBegun", "ADMIN"),
    ("MT02", "MaintenanceEnded", "ADMIN"),
    ("AV01", "ApprovalOpened", _ASKERS),
    ("AV02", "ApprovalAmended", _ASKERS),
    ("AV03", "ApprovalGiven", _APPROVERS),
    ("AV05", "ApprovalDeclined", _APPROVERS),
    ("AV07", "ApprovalReturned", _APPROVERS),
    ("AV08", "ApprovalWithdrawn", _ASKERS),
    ("AV09", "ApprovalExpired", "SYS"),
    ("AV10", "ApprovalReminded", "SYS"),
    ("AV11", "ApprovalEscalated", "SYS"),
    ("DS01", "FileHeld FileReleased", "CAB-REG CAB-DEC"),
    ("DS02", "FileDisposed", "HOST CAB-REG"),
)
"""The rule, events, and the roles of the seats that they may come from."""

BY: Final[Mapping[str, tuple[str, frozenset[str]]]] = {
    event: (rule, frozenset(roles.split())) for rule, events, roles in _TABLE for event in events.split()
}


def check_role(require: Conditions, event: RecordedEvent) -> None:
    """That the event came from a seat of a role that may say it; the engine's own from the engine alone."""
    rule, roles = BY.get(event.type, ("", frozenset[str]()))
    if rule:
        require(
            event.role in roles,
            rule,
            "「{type}」由 {actor} 作出，只可由 {roles}",
            "{type} is by {actor}; it is for {roles}",
            type=call_event(event.type),
            actor=call_seat(event.actor),
            roles=[call("role", one) for one in sorted(roles)],
        )
