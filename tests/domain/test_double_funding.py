"""One organisation answers one need once, as long as money may flow for it; then it may answer it again (AP02)."""

from __future__ import annotations

import pytest

from domain.kernel.scheme import RoundLevel
from domain.project.award import DeclineAward, RevocationGround, RevokeAward
from domain.project.bidding import LeaveApplicationOut
from domain.project.disbursement import CancelTranche
from domain.project.evaluation import IssueAuditOpinion, Opinion
from domain.project.objection import ObjectionRemedy, UpholdObjection
from domain.project.termination import InitiateTermination, TerminateProject
from domain.round.call import PublishCall
from tests.domain.pure_realm import EVIDENCE
from tests.domain.test_mutants import AGAINST, RULES, mute, objection
from tests.domain.written_realm import Step, WrittenRealm, bid, project, realm_until

UPHELD = UpholdObjection(remedy=ObjectionRemedy.DISQUALIFY, finding="屬實", attachments=EVIDENCE)
REVOKED = RevokeAward(ground=RevocationGround.FALSE_STATEMENT, **AGAINST)
ENDED_UNPAID = (
    project(InitiateTermination(ground="無法開展", attachments=EVIDENCE), "2024-03-26", "CAB-REG#1"),
    project(IssueAuditOpinion(opinion=Opinion.UNQUALIFIED, eligible=0), "2024-04-01", "AUDIT#1"),
    *(
        project(CancelTranche(tranche=name, amount=fen, **AGAINST), "2024-04-02", "CAB-DEC#1")
        for name, fen in (("T1", 400_000), ("T2", 350_001), ("T3", 250_000))
    ),
    project(TerminateProject(**AGAINST), "2024-04-16", "CAB-DEC#1"),
)
RELEASED = {
    "declined": ("confirmed", (project(DeclineAward(reason="人手不足"), "2024-03-20", "SO-LEGAL#1"),)),
    "revoked": ("confirmed", (project(REVOKED, "2024-03-20", "CAB-DEC#1"),)),
    "disqualified": ("posted", (*objection("2024-03-13", "2024-03-14"), project(UPHELD, "2024-03-18", "CAB-DEC#1"))),
    "lapsed unsigned": ("confirmed", ()),
    "not selected": ("report", (project(LeaveApplicationOut(reason="名次"), "2024-03-11", "CAB-REG#1"),)),
    "ended before any payment": ("account", ENDED_UNPAID),
}
STILL_FUNDED = {
    "awarded": ("confirmed", ()),
    "at work": ("started", ()),
    "ended with money that it may keep": (
        "paid T1",
        (
            project(InitiateTermination(ground="無法開展", attachments=EVIDENCE), "2024-03-26", "CAB-REG#1"),
            project(IssueAuditOpinion(opinion=Opinion.UNQUALIFIED, eligible=400_000), "2024-04-01", "AUDIT#1"),
            *ENDED_UNPAID[3:],
        ),
    ),
}
"""The last of them is asked before its signing period has passed."""


def bid_again(realm: WrittenRealm, at: str) -> Step:
    """The same organisation with the same answer, in a district's round of the same year."""
    call = PublishCall(scheme=RULES.ref, year=2024, level=RoundLevel.DISTRICT)
    Step("round", "R-2", call, at, "CAB-REG#1").ordered(realm)
    return project(bid("ORG-1", round="R-2"), at, "SO-LEGAL#1", "AP-9")


def after(until: str, orders: tuple[Step, ...]) -> WrittenRealm:
    realm = realm_until(until)
    for step in orders:
        step.ordered(realm)
    return realm


@pytest.mark.parametrize("what", RELEASED)
def test_what_is_funded_no_more_may_be_answered_again(what: str) -> None:
    realm = after(*RELEASED[what])
    bid_again(realm, "2024-05-06").ordered(realm)
    assert realm.check().ok


@pytest.mark.parametrize("what", STILL_FUNDED)
def test_what_is_funded_may_not_be_answered_again(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    realm = after(*STILL_FUNDED[what])
    again = bid_again(realm, "2024-05-06" if what.startswith("ended") else "2024-04-02")
    assert again.refused(realm) == {"AP02"}
    realm.guarded = False
    mute(monkeypatch, "AP02")
    again.ordered(realm)
    assert {b.rule for b in realm.check().breaches} == {"AP02"}
