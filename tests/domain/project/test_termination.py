"""終止、追回與問責: heard before it ends, audited, settled, and what comes back (T20, T23, T24; M10)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from pydantic import ValidationError

from domain.kernel.approval import Verdict
from domain.kernel.calendar import day_begins
from domain.kernel.effects import Post
from domain.project.disbursement import CancelTranche, DisbursementPaid
from domain.project.evaluation import AuditOpinionIssued, Opinion
from domain.project.money import Money
from domain.project.remedy import OrderRectification, SuspendProject, SuspensionGround
from domain.project.termination import (
    AccountabilityReferred,
    Clawback,
    ClawbackEscalated,
    ClawbackOrdered,
    ClawbackReceived,
    EscalateClawback,
    InitiateTermination,
    OrderClawback,
    ProjectTerminated,
    ReceiveClawback,
    ReferAccountability,
    TerminateProject,
    TerminationInitiated,
    UpholdTerminationAppeal,
    outstanding,
)
from tests.domain.project.life import AGAINST, SIGNED, active, contracted, following, stage
from tests.domain.pure_realm import EVIDENCE
from tests.domain.sentences import StreamStory

HEAR = InitiateTermination(ground="double claiming", attachments=EVIDENCE)
END = TerminateProject(**AGAINST)
BACK = OrderClawback(amount=4284520, **AGAINST)
SPLIT = {"FS-LOT": 3500000, "FS-CSF": 4000000}


def paid() -> StreamStory:
    """¥75,000 of ¥150,000 are paid."""
    return active(milestones={}).happened(
        DisbursementPaid(tranche="T1", amount=7500000, split=SPLIT), at="2024-06-20", by="FISCAL#1"
    )


def terminating() -> StreamStory:
    return paid().ordered(HEAR, at="2024-09-12", by="CAB-REG#1")


def audited(eligible: int = 3215480) -> StreamStory:
    opinion = AuditOpinionIssued(auditor="ORG-A1", opinion=Opinion.QUALIFIED, eligible=eligible)
    return terminating().happened(opinion, at="2024-09-30", by="AUDIT#1")


def settled(eligible: int = 3215480) -> StreamStory:
    return following(
        audited(eligible),
        ("2024-10-09", CancelTranche(tranche="T2", amount=4500000, **AGAINST), "CAB-DEC#1"),
        ("2024-10-09", CancelTranche(tranche="T3", amount=3000000, **AGAINST), "CAB-DEC#1"),
    )


def clawed() -> StreamStory:
    return settled().ordered(BACK, at="2024-10-09", by="CAB-DEC#1")


def terminated() -> StreamStory:
    return clawed().ordered(END, at="2024-10-09", by="CAB-DEC#1")


def test_a_project_is_heard_before_it_ends() -> None:
    story = paid().when(HEAR, at="2024-09-12", by="CAB-REG#1").then(TerminationInitiated.of(HEAR, hearing_wd=10))
    assert (stage(story), story.state.stack) == ("TERMINATING", ("ACTIVE",))
    assert story.awaited() == {"TerminateProject", "IssueAuditOpinion"}
    early = settled(7500000)
    early.when(END, at="2024-09-27", by="CAB-DEC#1").refused("T24")
    early.when(END, at="2024-09-28", by="CAB-DEC#1").then(ProjectTerminated.of(END))


def test_a_notice_may_give_more_time_but_no_less() -> None:
    enough = HEAR.model_copy(update={"hearing_until": date(2024, 9, 27)})
    paid().ordered(enough, at="2024-09-12", by="CAB-REG#1")
    short = HEAR.model_copy(update={"hearing_until": date(2024, 9, 26)})
    paid().when(short, at="2024-09-12", by="CAB-REG#1").refused("T20")


def test_a_termination_has_its_notice() -> None:
    with pytest.raises(ValidationError, match="attachments"):
        InitiateTermination(ground="違約", attachments=())


def test_it_ends_from_wherever_it_stands() -> None:
    rectify = OrderRectification(findings=("缺憑證",), attachments=EVIDENCE)
    suspend = SuspendProject(ground=SuspensionGround.RISK, **AGAINST)
    for story in (
        contracted(),
        paid().ordered(rectify, at="2024-09-01", by="CAB-REG#1"),
        paid().ordered(suspend, at="2024-09-01", by="CAB-DEC#1"),
    ):
        assert stage(story.ordered(HEAR, at="2024-09-12", by="CAB-REG#1")) == "TERMINATING"


def test_an_upheld_appeal_leads_back_and_nothing_is_owed() -> None:
    uphold = UpholdTerminationAppeal(finding="申辯成立", record=SIGNED)
    rectify = OrderRectification(findings=("缺憑證",), attachments=EVIDENCE)
    story = following(
        paid(),
        ("2024-09-02", rectify, "CAB-REG#1"),
        ("2024-09-12", HEAR, "CAB-REG#1"),
        ("2024-09-20", uphold, "CAB-DEC#1"),
    )
    assert (stage(story), story.state.stack) == ("RECTIFYING", ("ACTIVE",))
    back = clawed().ordered(uphold, at="2024-10-10", by="CAB-DEC#1")
    assert (stage(back), outstanding(back.state)) == ("ACTIVE", 0)
    assert [a.verdict for a in back.state.approvals if a.gate == "TerminateProject"] == [Verdict.REFUSED]
    paid().when(uphold, at="2024-09-13", by="CAB-DEC#1").refused("T23")


def test_an_end_needs_audit_settlement_and_clawback_and_names_all_that_is_missing() -> None:
    outcome = terminating().when(END, at="2024-09-20", by="CAB-DEC#1")
    outcome.refused("T24")
    assert outcome.refusal is not None
    assert len(outcome.refusal.unmet) == 4
    settled().when(END, at="2024-10-09", by="CAB-DEC#1").refused("T24")
    settled(7500000).ordered(END, at="2024-10-09", by="CAB-DEC#1")
    audited(7500000).when(END, at="2024-10-09", by="CAB-DEC#1").refused("T24")
    assert stage(terminated()) == "TERMINATED"


def test_money_is_ordered_back_within_the_schemes_days() -> None:
    story = settled().when(BACK, at="2024-10-09", by="CAB-DEC#1").then(ClawbackOrdered.of(BACK, clawback_days=30))
    assert story.state.part(Clawback).last_day == date(2024, 11, 8)
    assert "ReceiveClawback" in story.awaited()
    for day in (date(2024, 10, 9), date(2024, 11, 9)):
        settled().when(BACK.model_copy(update={"due": day}), at="2024-10-09", by="CAB-DEC#1").refused("M10")


def test_no_more_is_ordered_back_than_was_paid() -> None:
    settled().when(BACK.model_copy(update={"amount": 7500001}), at="2024-10-09", by="CAB-DEC#1").refused("M10")
    more = BACK.model_copy(update={"amount": 7500000 - 4284520 + 1})
    clawed().when(more, at="2024-10-09", by="CAB-DEC#1").refused("M10")


def test_money_is_ordered_back_after_an_audit() -> None:
    terminating().when(BACK, at="2024-09-20", by="CAB-DEC#1").refused("M10")


def test_no_more_comes_back_than_was_ordered() -> None:
    terminated().when(ReceiveClawback(amount=4284521), at="2024-10-28", by="CAB-FIN#1").refused("M10")
    settled().when(ReceiveClawback(amount=1), at="2024-10-28", by="CAB-FIN#1").refused("M10")


def test_no_more_comes_back_than_was_paid() -> None:
    story = terminated()
    shrunk = story.state.with_parts(replace(story.state.part(Money), returned=7400000))
    replace(story, state=shrunk).when(ReceiveClawback(amount=100001), at="2024-10-28", by="CAB-FIN#1").refused("M3")


def test_what_comes_back_is_taken_off_each_fund() -> None:
    receive = ReceiveClawback(amount=4284520)
    split = {"FS-CSF": 2285077, "FS-LOT": 1999443}
    story = terminated().when(receive, at="2024-10-28", by="CAB-FIN#1").then(ClawbackReceived.of(receive, split=split))
    assert story.state.part(Money).net == 3215480
    assert outstanding(story.state) == 0
    assert story.due() is None
    assert Post("paid/test/AP-2/FS-LOT", "world/test/treasury", 1999443) in ClawbackReceived.of(
        receive, split=split
    ).effects(story.state.stream)


def test_what_does_not_come_back_is_handed_on_on_the_first_working_day_after() -> None:
    story = terminated().ordered(ReceiveClawback(amount=4000000), at="2024-10-28", by="CAB-FIN#1")
    due = story.due()
    assert due is not None
    assert due.at == day_begins(date(2024, 11, 11))
    story.when(EscalateClawback(), at="2024-11-10", by="SYS#1").refused("M10")
    story.when(EscalateClawback(), at="2024-11-11", by="SYS#1").then(ClawbackEscalated(outstanding=284520))
    story = story.lapsed()
    assert story.due() is None
    story.ordered(ReceiveClawback(amount=284520), at="2024-12-06", by="CAB-FIN#1")


def test_the_matter_is_referred_with_its_evidence() -> None:
    refer = ReferAccountability(**AGAINST)
    story = terminated().when(refer, at="2024-10-10", by="CAB-REG#1").then(AccountabilityReferred.of(refer))
    assert story.state.part(Clawback).referred_to == ("DISC",)
    contracted().when(refer, at="2024-06-10", by="CAB-REG#1").refused("V1")
    with pytest.raises(ValidationError, match="attachments"):
        ReferAccountability(reason="挪用", attachments=())


def test_a_clawback_of_nothing_is_not_a_clawback() -> None:
    with pytest.raises(ValidationError, match="greater than 0"):
        OrderClawback(amount=0, **AGAINST)
    assert timedelta(days=30) + date(2024, 10, 9) == date(2024, 11, 8)
