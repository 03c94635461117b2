"""實施與督導: start, records and what is derived from them, vouchers, milestones (T12; D3, M6, M7, V3, Z1, P3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from domain.kernel.calendar import day_ends
from domain.kernel.effects import Claim
from domain.project.delivery import (
    STANDING_TEAM,
    ActivityRecorded,
    AssignSupervisor,
    Delivery,
    ExpenditureRecorded,
    FormVolunteerTeam,
    IncubateCommunityOrganisation,
    MeetMilestone,
    MilestoneMissed,
    MissMilestone,
    ProjectStarted,
    ReceiveMatchFund,
    RecordActivity,
    RecordExpenditure,
    RecordSupervisionVisit,
    ReportKind,
    StartProject,
    SubmitReport,
)
from domain.project.disbursement import RequestDisbursement
from domain.project.remedy import ProjectResumed, ProjectSuspended, SuspensionGround
from domain.project.termination import TerminationAppealUpheld, TerminationInitiated
from tests.domain.project.life import (
    PARTIES,
    SIGNED,
    active,
    agreement,
    around,
    awarded,
    contracted,
    following,
    stage,
)
from tests.domain.pure_realm import EVIDENCE, scheme
from tests.domain.sentences import StreamStory

SUPERVISED = scheme("hangzhou", delivery={"supervisor_required": True})
STANDING = scheme("hangzhou", evaluation={"standing_team_months": 3})
VOUCHER = RecordExpenditure(voucher="INV-001", amount=100000, line="activity")


def with_team(story: StreamStory, *days: str) -> StreamStory:
    story = story.ordered(FormVolunteerTeam(team="銀齡隊", members=18), at="2024-06-18", by="SO-PM#1")
    return following(story, *((day, RecordActivity(team="銀齡隊", person_times=10), "SO-PM#1") for day in days))


# ---------------------------------------------------------------- start


def test_a_project_starts_and_ends_as_contracted() -> None:
    story = contracted().when(StartProject(), at="2024-06-17", by="SO-PM#1")
    assert stage(story.then(ProjectStarted(end=date(2024, 11, 30)))) == "ACTIVE"


def test_a_project_needs_its_account_to_start() -> None:
    story = awarded().ordered(agreement(), at="2024-06-04", by="CAB-REG#1")
    story.when(StartProject(), at="2024-06-17", by="SO-PM#1").refused("T12")


def test_a_project_does_not_start_before_its_contract() -> None:
    awarded().when(StartProject(end=date(2024, 11, 30)), at="2024-06-03", by="SO-PM#1").refused("T12")


def test_a_project_needs_its_supervisor_where_the_scheme_says_so() -> None:
    story = contracted(SUPERVISED)
    story.when(StartProject(), at="2024-06-17", by="SO-PM#1").refused("T12")
    story = story.ordered(AssignSupervisor(supervisor="SUPV-1"), at="2024-06-14", by="CAB-REG#1")
    story.ordered(StartProject(), at="2024-06-17", by="SO-PM#1")


def test_a_supervisor_may_be_assigned_before_the_contract() -> None:
    awarded().ordered(AssignSupervisor(supervisor="SUPV-1"), at="2024-05-30", by="CAB-REG#1")


def test_the_supervisor_is_not_the_bidder() -> None:
    awarded().when(AssignSupervisor(supervisor="ORG-1"), at="2024-05-30", by="CAB-REG#1").refused("P3")


def test_a_project_needs_its_community_where_the_scheme_says_so() -> None:
    rules = scheme("hangzhou", delivery={"community_required": True})
    nowhere = PARTIES.model_copy(update={"community": None})
    contracted(rules, parties=nowhere).when(StartProject(), at="2024-06-17", by="SO-PM#1").refused("T12")
    contracted(rules).ordered(StartProject(), at="2024-06-17", by="SO-PM#1")


def test_a_project_needs_an_end() -> None:
    story = contracted(end=None)
    story.when(StartProject(), at="2024-06-17", by="SO-PM#1").refused("T12")
    story.when(StartProject(end=date(2024, 6, 16)), at="2024-06-17", by="SO-PM#1").refused("T12")
    story.ordered(StartProject(end=date(2024, 11, 30)), at="2024-06-17", by="SO-PM#1")


def test_a_later_end_is_a_variation() -> None:
    contracted().when(StartProject(end=date(2024, 12, 1)), at="2024-06-17", by="SO-PM#1").refused("D4")


# ---------------------------------------------------------------- activities


def test_an_activity_is_recorded() -> None:
    record = RecordActivity(person_times=46, title="義剪", field="助老扶幼")
    expected = ActivityRecorded.of(record, held_on=date(2024, 8, 15), off_field=False)
    story = active().when(record, at="2024-08-15", by="SO-PM#1").then(expected)
    assert (story.state.part(Delivery).sessions, story.state.part(Delivery).person_times) == (1, 46)


def test_an_activity_off_the_field_is_marked() -> None:
    (event,) = active().when(RecordActivity(person_times=5, field="助殘扶困"), at="2024-08-15", by="SO-PM#1").events
    assert isinstance(event, ActivityRecorded)
    assert event.off_field


def test_no_activity_before_the_start() -> None:
    early = RecordActivity(person_times=10, held_on=date(2024, 6, 16))
    active().when(early, at="2024-06-18", by="SO-PM#1").refused("D3")
    contracted().when(RecordActivity(person_times=10), at="2024-06-10", by="SO-PM#1").refused("D3")


def test_no_activity_that_has_not_been_held() -> None:
    future = RecordActivity(person_times=10, held_on=date(2024, 6, 19))
    active().when(future, at="2024-06-18", by="SO-PM#1").refused("D3")


def test_a_team_is_formed_before_it_acts() -> None:
    active().when(RecordActivity(team="銀齡隊", person_times=1), at="2024-06-20", by="SO-PM#1").refused("V3")
    with_team(active(), "2024-06-20").when(
        FormVolunteerTeam(team="銀齡隊", members=3), at="2024-06-21", by="SO-PM#1"
    ).refused("Z1")


def test_an_incubated_organisation_is_recorded_once() -> None:
    record = IncubateCommunityOrganisation(incubated="鄰里互助會")
    story = active().ordered(record, at="2024-08-01", by="SO-PM#1")
    story.when(record, at="2024-08-02", by="SO-PM#1").refused("V3")


def test_a_visit_is_the_supervisors() -> None:
    visit = RecordSupervisionVisit(advice="精簡表格")
    active().when(visit, at="2024-06-20", by="SUPV#1").refused("T12")
    story = active().ordered(AssignSupervisor(supervisor="SUPV-1"), at="2024-06-18", by="CAB-REG#1")
    assert story.ordered(visit, at="2024-06-20", by="SUPV#1").state.part(Delivery).visits == 1


def test_what_a_report_claims_is_what_the_records_say() -> None:
    story = following(active(), ("2024-07-01", RecordActivity(person_times=30), "SO-PM#1"))
    claims = [
        SubmitReport(kind=ReportKind.PROGRESS, person_times=31),
        SubmitReport(kind=ReportKind.PROGRESS, sessions=2),
    ]
    for claim in claims:
        story.when(claim, at="2024-07-02", by="SO-PM#1").refused("V3")
    story.ordered(SubmitReport(kind=ReportKind.PROGRESS, sessions=1, person_times=30), at="2024-07-02", by="SO-PM#1")


def test_match_money_is_kept_apart() -> None:
    story = active().ordered(ReceiveMatchFund(amount=2000000), at="2024-06-28", by="SO-ACC#1")
    assert story.state.part(Delivery).match_received == 2000000
    awarded().when(ReceiveMatchFund(amount=1), at="2024-05-30", by="SO-ACC#1").refused("M6")


# ---------------------------------------------------------------- vouchers


def test_a_voucher_is_claimed_for_the_project() -> None:
    story = active().when(VOUCHER, at="2024-07-01", by="SO-ACC#1")
    expected = ExpenditureRecorded.of(VOUCHER, spent_on=date(2024, 7, 1))
    after = story.then(expected)
    assert list(expected.effects(after.state.stream)) == [Claim("voucher/test/INV-001", "project/test/AP-2")]
    assert after.state.part(Delivery).spent == 100000


def test_a_voucher_is_claimed_once_across_all_projects() -> None:
    elsewhere = replace(around(), claims={"voucher/test/INV-001": frozenset({"project/test/AP-1"})})
    active().knowing(elsewhere).when(VOUCHER, at="2024-07-01", by="SO-ACC#1").refused("M7")
    story = active().ordered(VOUCHER, at="2024-07-01", by="SO-ACC#1")
    story.when(VOUCHER, at="2024-07-02", by="SO-ACC#1").refused("M7")


@pytest.mark.parametrize("spent_on", [date(2024, 6, 3), date(2024, 7, 2)], ids=["before signing", "tomorrow"])
def test_no_spending_outside_the_contract(spent_on: date) -> None:
    voucher = VOUCHER.model_copy(update={"spent_on": spent_on})
    active().when(voucher, at="2024-07-01", by="SO-ACC#1").refused("D3")


def test_no_spending_after_the_end() -> None:
    late = VOUCHER.model_copy(update={"spent_on": date(2024, 12, 1)})
    active().when(late, at="2024-12-02", by="SO-ACC#1").refused("D3")
    active().ordered(VOUCHER.model_copy(update={"spent_on": date(2024, 11, 30)}), at="2024-12-02", by="SO-ACC#1")


def test_what_was_spent_before_counts_where_the_route_reimburses() -> None:
    earlier = VOUCHER.model_copy(update={"spent_on": date(2024, 3, 1)})
    active(scheme("hangzhou", route="REIMBURSE")).ordered(earlier, at="2024-07-01", by="SO-ACC#1")


def test_spending_is_borne_by_a_line_of_the_budget() -> None:
    banquet = VOUCHER.model_copy(update={"line": "hospitality"})
    active().when(banquet, at="2024-07-01", by="SO-ACC#1").refused("M6")


# ---------------------------------------------------------------- milestones


def test_a_milestone_of_the_contract_is_met_once() -> None:
    story = active().ordered(MeetMilestone(milestone="MS-1", attachments=EVIDENCE), at="2024-07-20", by="SUPV#1")
    story.when(MeetMilestone(milestone="MS-1"), at="2024-07-21", by="SUPV#1").refused("T16")
    active().when(MeetMilestone(milestone="MS-9"), at="2024-07-21", by="SUPV#1").refused("T16")


def test_a_milestone_may_be_a_gate() -> None:
    tranches = {
        "T1": {"planned": 7500000, "gate": "ContractSigned"},
        "T2": {"planned": 7500000, "gate": "MilestoneMet/MS-1"},
    }
    story = active(tranches=tranches)
    request = RequestDisbursement(tranche="T2")
    story.when(request, at="2024-07-19", by="CAB-REG#1").refused("M2")
    story = story.ordered(MeetMilestone(milestone="MS-1"), at="2024-07-20", by="CAB-REG#2")
    story.ordered(request, at="2024-07-22", by="CAB-REG#1")


def test_a_milestones_day_passes() -> None:
    story = active()
    due = story.due()
    assert due is not None
    assert (due.at, due.key) == (day_ends(date(2024, 7, 31)), "MS-1")
    story.when(MissMilestone(milestone="MS-1"), at="2024-07-31", by="SYS#1").refused("T16")
    story = story.lapsed()
    assert story.state.part(Delivery).missed == {"MS-1": date(2024, 8, 1)}
    due = story.due()
    assert due is not None
    assert due.key == "MS-2"
    story.when(MissMilestone(milestone="MS-1"), at="2024-08-02", by="SYS#1").refused("T16")
    story.ordered(MeetMilestone(milestone="MS-1"), at="2024-08-05", by="SUPV#1")


def test_a_met_milestone_is_not_missed() -> None:
    story = active().ordered(MeetMilestone(milestone="MS-1"), at="2024-07-20", by="SUPV#1")
    due = story.due()
    assert due is not None
    assert due.key == "MS-2"
    assert MilestoneMissed(milestone="MS-2") == MilestoneMissed.of(due.command)


def test_a_day_that_passed_during_a_hearing_comes_as_many_days_later() -> None:
    hearing = TerminationInitiated(ground="違約", attachments=EVIDENCE, hearing_wd=10)
    upheld = TerminationAppealUpheld(finding="申辯成立", record=SIGNED)
    story = active().happened(hearing, at="2024-07-22", by="CAB-REG#1")
    assert story.due() is None
    story = story.happened(upheld, at="2024-08-08", by="CAB-DEC#1")
    due = story.due()
    assert due is not None
    assert due.at == datetime(2024, 8, 17, 16, tzinfo=UTC), "31 July, and the 17 days of the hearing"


def test_no_milestone_falls_while_the_project_stands_still() -> None:
    still = ProjectSuspended(ground=SuspensionGround.RISK, reason="風險", attachments=EVIDENCE)
    story = active().happened(still, at="2024-07-30", by="CAB-DEC#1")
    assert story.due() is None
    story = story.happened(ProjectResumed(cured="已排除"), at="2024-08-29", by="CAB-DEC#1")
    due = story.due()
    assert due is not None
    assert due.at == datetime(2024, 8, 30, 16, tzinfo=UTC), "31 July, and 30 days"


def test_a_standing_team_is_active_in_three_months() -> None:
    standing = MeetMilestone(milestone=STANDING_TEAM)
    story = with_team(active(STANDING), "2024-08-15", "2024-08-20", "2024-09-12")
    story.when(standing, at="2024-09-30", by="SUPV#1").refused("Z1")
    story = story.ordered(RecordActivity(team="銀齡隊", person_times=61), at="2024-10-18", by="SO-PM#1")
    wrong = MeetMilestone(milestone=STANDING_TEAM, months=4)
    story.when(wrong, at="2024-10-20", by="SUPV#1").refused("V3")
    story.ordered(MeetMilestone(milestone=STANDING_TEAM, months=3), at="2024-10-20", by="SUPV#1")


def test_the_months_of_two_teams_do_not_add_up() -> None:
    story = with_team(active(STANDING), "2024-08-15", "2024-09-12")
    story = story.ordered(FormVolunteerTeam(team="文藝隊", members=50), at="2024-10-01", by="SO-PM#1")
    story = story.ordered(RecordActivity(team="文藝隊", person_times=9), at="2024-10-18", by="SO-PM#1")
    assert story.state.part(Delivery).standing_months == 2
    story.when(MeetMilestone(milestone=STANDING_TEAM), at="2024-10-20", by="SUPV#1").refused("Z1")


def test_who_is_awaited_while_work_goes_on() -> None:
    assert "StartProject" in contracted().awaited()
    assert "MeetMilestone" in active().awaited()


def test_spending_keeps_within_its_line_and_so_within_the_award() -> None:
    story = active().ordered(VOUCHER, at="2024-07-01", by="SO-ACC#1")
    rest = {"voucher": "INV-002", "line": "activity"}
    more = RecordExpenditure.model_validate({**rest, "amount": 6000000 - 100000 + 1})
    story.when(more, at="2024-07-02", by="SO-ACC#1").refused("M6")
    story.ordered(more.model_copy(update={"amount": 6000000 - 100000}), at="2024-07-02", by="SO-ACC#1")


def test_two_issuers_may_use_one_number_and_each_claims_it_once() -> None:
    issued = {name: VOUCHER.model_copy(update={"issuer": name}) for name in ("甲公司", "乙公司")}
    story = active().ordered(issued["甲公司"], at="2024-07-01", by="SO-ACC#1")
    story.when(issued["甲公司"], at="2024-07-02", by="SO-ACC#1").refused("M7")
    story = story.ordered(issued["乙公司"], at="2024-07-02", by="SO-ACC#1")
    assert story.state.part(Delivery).spent == 200000


def test_a_number_without_an_issuer_stands_for_any() -> None:
    named = VOUCHER.model_copy(update={"issuer": "甲公司"})
    elsewhere = replace(around(), claims={"voucher/test/INV-001": frozenset({"project/test/AP-9"})})
    active().knowing(elsewhere).when(named, at="2024-07-01", by="SO-ACC#1").refused("M7")
    numbered = replace(around(), claims={"numbered/test/INV-001": frozenset({"乙公司"})})
    active().knowing(numbered).when(VOUCHER, at="2024-07-01", by="SO-ACC#1").refused("M7")
    active().knowing(numbered).ordered(named, at="2024-07-01", by="SO-ACC#1")
