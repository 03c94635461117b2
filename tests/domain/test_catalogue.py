"""The catalogue against the field: every event, term, role and transition of domain.md §3.2 and §3.3 is there."""

from __future__ import annotations

from collections import Counter

import pytest

from domain.catalogue import (
    AGGREGATES,
    command_class,
    decode,
    event_class,
    find_command,
    kind_of_subject,
    list_commands,
    list_transitions,
    split_subject,
    stage_zh,
)
from domain.kernel.canonical import canonical, plain
from domain.kernel.identifier import Role
from domain.kernel.message import Command, Event, Particulars
from domain.kernel.proposal import ActProposed
from domain.kernel.state import ORIGIN, SAME
from domain.project.bidding import FailPreliminaryReview, LapseCompletion
from domain.project.delivery import StartProject
from domain.registers.fund import FundSourceRegistered
from tests.tables import every_row


def list_written(base: type[Particulars]) -> set[type[Particulars]]:
    """The classes of the domain that are written below that one."""
    direct: list[type[Particulars]] = base.__subclasses__()
    below = {one for child in direct for one in (child, *list_written(child))}
    return {one for one in below if one.__module__.startswith("domain.")}


FIELD_EVENTS = """
ProgrammeEstablished|計劃設立|CAB-DEC
PolicyPackPublished|管理辦法發布|CAB-DEC
FundSourceRegistered|資金來源登記|CAB-FIN
RoundBudgetApproved|年度預算批復|FISCAL
NeedSolicitationOpened|需求徵集發布|CAB-REG
NeedSubmitted|需求提交|PUBLIC/COMM/DCAB
NeedRejected|需求不採納|CAB-REG
NeedAdopted|需求入庫|CAB-REG
NeedCataloguePublished|需求清單發布|CAB-REG
CallPublished|申報公告發布|CAB-REG
CallAmended|公告更正|CAB-REG
CallClosed|申報截止|SYS
CallCancelled|本屆徵集取消|CAB-DEC
OrganisationVerified|申報資格核驗|HOST/DCAB/CAB-REG
RatingRecorded|評估等級登記|CAB-REG
CreditListingRecorded|列入活動異常名錄或嚴重違法失信名單|CAB-REG
CreditListingLifted|移出名單|CAB-REG
ApplicantBanned|取消申報資格|CAB-DEC
ApplicationSubmitted|提交申報書|SO-LEGAL
ApplicationWithdrawn|撤回申報|SO-LEGAL
LateSubmissionRefused|逾期不予受理|SYS
ApplicationReturned|退回補正|HOST/DCAB
PreliminaryReviewPassed|初審通過|HOST/DCAB/CAB-REG
PreliminaryReviewFailed|初審不通過|HOST/DCAB/CAB-REG
PanelDrawn|抽取評審專家|CAB-REG
ConflictDeclared|利害關係申報|EXPERT
ReviewerRecused|回避及遞補|CAB-REG
ScoreSubmitted|專家評分|EXPERT
ReviewReportIssued|評審報告|HOST
AwardProposed|擬立項|CAB-REG
ApplicationNotSelected|未立項|CAB-REG
AwardPublicityOpened|立項公示|CAB-REG
ObjectionLodged|異議提出|PUBLIC/SO-LEGAL
ObjectionAccepted|異議受理|CAB-REG
ObjectionDismissed|異議不成立|CAB-DEC
ObjectionUpheld|異議成立|CAB-DEC
AwardConfirmed|立項審批|CAB-DEC
AwardDeclined|放棄立項|SO-LEGAL
AwardRevoked|撤銷立項|CAB-DEC
ContractSigned|簽訂資助協議|CAB-REG
ContractSigningLapsed|逾期未簽約|SYS
LedgerAccountRegistered|收款賬戶備案|SO-ACC
SupervisorAssigned|督導指派|CAB-REG
MatchFundReceived|配套到位|SO-ACC
ProjectStarted|項目啟動|SO-PM
ActivityRecorded|活動記錄|SO-PM
ExpenditureRecorded|支出登記|SO-ACC
VolunteerTeamFormed|志願隊組建|SO-PM
CommunityOrganisationIncubated|社區社會組織孵化|SO-PM
SupervisionVisitRecorded|督導記錄|SUPV
ReportSubmitted|進度報告（自評報告）|SO-PM
MilestoneMet|里程碑達成|SUPV/EVAL/CAB-REG
MilestoneMissed|里程碑逾期|SYS
VariationRequested|變更申請|SO-LEGAL
VariationApproved|變更批准|CAB-REG/CAB-DEC
VariationRejected|變更不予批准|CAB-REG/CAB-DEC
ContractAmended|補充協議|CAB-REG
MidtermEvaluationConcluded|中期評估結論|EVAL
RectificationOrdered|責令整改|CAB-REG
RectificationSubmitted|整改報告|SO-LEGAL
RectificationAccepted|整改通過|CAB-REG
RectificationFailed|整改未通過|CAB-REG
ProjectSuspended|項目中止|CAB-DEC
ProjectResumed|恢復實施|CAB-DEC
DisbursementRequested|撥款申請|CAB-REG
DisbursementChecked|撥款複核|CAB-FIN
DisbursementApproved|撥款審批|CAB-DEC
DisbursementPaid|資金撥付|FISCAL
DisbursementFailed|退匯|FISCAL
DisbursementWithheld|暫緩撥付|CAB-REG
TrancheCancelled|核減或取消撥付|CAB-DEC
FinalReportSubmitted|結項申請|SO-LEGAL
AuditOpinionIssued|審計意見|AUDIT
FinalEvaluationConcluded|末期評估結論|EVAL
SurplusReturned|結餘繳回|SO-ACC
ProjectClosed|結項|CAB-REG
ResultPublished|結果公布|CAB-REG
ProjectArchived|歸檔|HOST
ProjectReopened|重新核查|CAB-DEC
TerminationInitiated|擬終止告知|CAB-REG
TerminationAppealUpheld|申辯成立|CAB-DEC
ProjectTerminated|項目終止|CAB-DEC
ClawbackOrdered|收回資金決定|CAB-DEC
ClawbackReceived|收回資金到賬|CAB-FIN
ClawbackEscalated|逾期移送追繳|CAB-REG
AccountabilityReferred|問題線索移送|CAB-REG
BaseDesignated|基地認定|CAB-DEC
BaseAssessed|基地評估|EVAL
TenantAdmitted|入駐|BASE-OP
TenantGraduated|孵化期滿（出殼）|BASE-OP
"""
"""domain.md §3.2: event, term, who."""

FIELD_TRANSITIONS = """
T01|AwardProposed|NONE|PROPOSED|CAB-REG|panel quorate; score >= line; envelope free; minutes attached
T02|AwardPublicityOpened|PROPOSED|IN_PUBLICITY|CAB-REG|notice has list amounts reviewers contact
T03|ObjectionAccepted|IN_PUBLICITY/OBJECTION_HOLD|OBJECTION_HOLD|CAB-REG|lodged inside window
T04|ObjectionDismissed|OBJECTION_HOLD|IN_PUBLICITY|CAB-DEC|last open objection; clock resumes
T05|ObjectionUpheld|OBJECTION_HOLD|REVOKED|CAB-DEC|remedy = DISQUALIFY
T06|ObjectionUpheld|OBJECTION_HOLD|PROPOSED|CAB-DEC|remedy = RESCORE; new publicity required
T07|AwardConfirmed|IN_PUBLICITY|AWARDED|CAB-DEC|window elapsed; no objection LODGED or ACCEPTED
T08|AwardDeclined|PROPOSED/IN_PUBLICITY/AWARDED|REVOKED|SO-LEGAL|none
T09|AwardRevoked|PROPOSED/IN_PUBLICITY/OBJECTION_HOLD/AWARDED|REVOKED|CAB-DEC|\
false statement; credit listing; budget withdrawn
T10|ContractSigned|AWARDED|CONTRACTED|CAB-REG|both signatures; tranche sum = award; eligibility re-checked
T11|ContractSigningLapsed|AWARDED|REVOKED|SYS|deadline passed
T12|ProjectStarted|CONTRACTED|ACTIVE|SO-PM|ledger account; supervisor if policy requires
T13|RectificationOrdered|ACTIVE/FINAL_REVIEW|RECTIFYING|CAB-REG|finding recorded; due date set
T14|RectificationAccepted|RECTIFYING|ORIGIN|CAB-REG|re-check passed by other person
T15|RectificationFailed|RECTIFYING|SAME|CAB-REG|extend once else T17 or T20
T16|FinalReportSubmitted|ACTIVE|FINAL_REVIEW|SO-LEGAL|end date reached or all milestones met
T17|ProjectSuspended|ACTIVE/RECTIFYING|SUSPENDED|CAB-DEC|risk or investigation or force majeure
T18|ProjectResumed|SUSPENDED|ORIGIN|CAB-DEC|cause cured
T19|AuditOpinionIssued|FINAL_REVIEW/TERMINATING|SAME|AUDIT|auditor independent
T20|TerminationInitiated|CONTRACTED/ACTIVE/RECTIFYING/SUSPENDED/FINAL_REVIEW|TERMINATING|CAB-REG|\
ground cited; hearing notice served
T21|FinalEvaluationConcluded|FINAL_REVIEW|SETTLEMENT|EVAL|grade >= pass; audit issued; standing team if policy requires
T22|ProjectClosed|SETTLEMENT|CLOSED|CAB-REG|every tranche PAID or CANCELLED; surplus returned
T23|TerminationAppealUpheld|TERMINATING|ORIGIN|CAB-DEC|hearing record
T24|ProjectTerminated|TERMINATING|TERMINATED|CAB-DEC|audit issued; unpaid tranches cancelled; clawback ordered or nil
T25|ProjectArchived|CLOSED/TERMINATED/REVOKED|ARCHIVED|HOST|file complete; clawback settled or escalated
T26|ProjectReopened|CLOSED/ARCHIVED|SETTLEMENT|CAB-DEC|post-audit or discipline finding
"""
"""domain.md §3.3: id, event, from, to, by, guard."""

WIDER = {
    "T01": {"SHORTLISTED"},
    "T25": {"WITHDRAWN", "PRELIM_FAILED", "NOT_SELECTED"},
}
"""Stages that design.md §2 adds to those of §3.3: a bid that the experts scored, and bids that ended without award."""

INSTEAD_BY = {
    "LateSubmissionRefused": {"SYS", "HOST"},
    "ClawbackEscalated": {"SYS"},
}
"""Roles that differ from §3.2: the desk that took paper in may call it late; a clawback escalates by itself."""


def rows(table: str) -> list[list[str]]:
    return [line.split("|") for line in table.strip().splitlines()]


def recorded_by(event_type: str) -> set[str]:
    return {role for row in list_commands() if row.event == event_type for role in row.roles}


@every_row("event_type, zh, by", rows(FIELD_EVENTS))
def test_every_event_of_the_field_is_there_under_its_term_and_by_its_roles(event_type: str, zh: str, by: str) -> None:
    assert event_class(event_type).zh == zh
    expected = INSTEAD_BY.get(event_type, set(by.split("/")))
    assert expected <= recorded_by(event_type) <= expected | {Role.SYS}


@every_row("cells", rows(FIELD_TRANSITIONS))
def test_every_transition_of_the_field_is_there(cells: list[str]) -> None:
    number, event_type, start, to, by, guard = cells
    (row,) = (r for r in list_transitions() if (r.kind, r.id) == ("project", number))
    assert (row.event, row.to, row.guard) == (event_type, to, guard)
    assert set(row.start) == set(start.split("/")) | WIDER.get(number, set())
    assert set(row.roles) >= set(by.split("/"))


def test_every_command_records_one_event_of_its_own_stream() -> None:
    for aggregate in AGGREGATES.values():
        for command in aggregate.commands:
            assert command.records in aggregate.events, command.command_type
            assert command.by, command.command_type
            assert command.rule, command.command_type


def test_every_event_is_recorded_by_a_command() -> None:
    recorded = {row.event for row in list_commands()} | {ActProposed.event_type}  # of whatever takes two persons
    for aggregate in AGGREGATES.values():
        assert {e.event_type for e in aggregate.events} <= recorded


def test_names_are_unique() -> None:
    commands = Counter(c.command_type for c in {c for a in AGGREGATES.values() for c in a.commands})
    events = Counter(e.event_type for e in {e for a in AGGREGATES.values() for e in a.events})
    terms = Counter(e.zh for e in {e for a in AGGREGATES.values() for e in a.events})
    transitions = Counter((row.kind, row.id) for row in list_transitions())
    rooms = Counter((a.kind, room.name) for a in AGGREGATES.values() for room in a.deciders)
    for counted in (commands, events, terms, transitions, rooms):
        assert not {name: n for name, n in counted.items() if n > 1}


def test_every_command_and_event_says_what_it_is() -> None:
    for aggregate in AGGREGATES.values():
        for known in (*aggregate.commands, *aggregate.events):
            assert known.__doc__, known.__name__


@pytest.mark.parametrize("name", ["StartProject", "start-project", "ProjectStarted", "project-started", "項目啟動"])
def test_a_command_answers_to_all_its_names(name: str) -> None:
    assert find_command(name) is StartProject
    assert find_command(name, "project") is StartProject


def test_a_command_of_another_kind_does_not_answer() -> None:
    with pytest.raises(KeyError):
        find_command("StartProject", "need")
    with pytest.raises(KeyError):
        command_class("Nonsense")


def test_an_event_that_the_timer_causes_too_means_the_persons_command() -> None:
    assert find_command("PreliminaryReviewFailed", "project") is FailPreliminaryReview
    assert find_command("LapseCompletion", "project") is LapseCompletion


@pytest.mark.parametrize(
    ("subject", "kind"),
    [
        ("AP-5", "project"),
        ("PJ-3", "project"),
        ("ND-2", "need"),
        ("R-FZ-2023", "round"),
        ("RP-2", "panel"),
        ("ORG-T9", "organisation"),
        ("BASE-M1", "base"),
        ("FS-LOT", "fund"),
        ("cn", "calendar"),
        ("clock", "realm"),
        ("fuzhou", "scheme"),
    ],
)
def test_a_subject_says_which_kind_it_is_of(subject: str, kind: str) -> None:
    assert kind_of_subject(subject) == kind


@pytest.mark.parametrize(
    ("subject", "name", "part"),
    [
        ("PJ-3/T1", "PJ-3", "T1"),
        ("PJ-3", "PJ-3", ""),
        ("fuzhou/FZ", "fuzhou", "FZ"),
        ("project/live/AP-5",) * 2 + ("",),
    ],
)
def test_a_subject_means_a_stream_or_a_part_of_it(subject: str, name: str, part: str) -> None:
    assert split_subject(subject) == (name, part)


def test_the_part_goes_into_the_commands_field_unless_it_is_said_otherwise() -> None:
    requested, started = find_command("request-disbursement"), find_command("start-project")
    assert requested.about("T1", {"amount": 1}) == {"tranche": "T1", "amount": 1}
    assert requested.about("T1", {"tranche": "T2"}) == {"tranche": "T2"}
    assert requested.about("", {}) == started.about("T1", {}) == {}


def test_a_subject_of_no_kind_is_refused() -> None:
    with pytest.raises(KeyError):
        kind_of_subject("XX-1")


def test_an_event_comes_back_from_its_bytes() -> None:
    event = FundSourceRegistered(name="福利彩票公益金", envelope=25000000)
    assert decode("FundSourceRegistered", 1, canonical(plain(event))) == event
    with pytest.raises(KeyError):
        decode("FundSourceRegistered", 2, canonical(plain(event)))


def test_every_stage_has_a_term() -> None:
    for row in list_transitions():
        for stage in {*row.start, row.to} - {ORIGIN, SAME}:
            assert stage_zh(row.kind, stage) != stage
    assert stage_zh("round", "UNHEARD_OF") == "UNHEARD_OF"


def test_what_is_written_as_a_command_or_an_event_stands_in_its_room() -> None:
    """No check of types notices a class that is in nobody's union: it would never be decided, or never read back."""
    events = {event for aggregate in AGGREGATES.values() for event in aggregate.events}
    assert not (left := list_written(Event) - events), f"add to `Events` of its module: {left}"
    known = {row.command for row in list_commands()}
    commands = {one for one in list_written(Command) if "records" in vars(one) and one.__name__ not in known}
    assert not commands, f"add to `Commands` of its module: {commands}"
