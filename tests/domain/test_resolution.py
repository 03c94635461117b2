"""A round is ranked and resolved once, for all its bids together."""

from __future__ import annotations

from decimal import Decimal

import pytest

from domain.kernel.facts import Facts
from domain.kernel.state import SchemeRef
from domain.project.award import ProposeAward
from domain.project.bidding import LeaveApplicationOut, PassPreliminaryReview, SubmitApplication, WithdrawApplication
from domain.project.publicity import OpenAwardPublicity
from domain.project.selection import list_consequences
from domain.registers.organisation import ApplyRatingBonus, RecordRating
from domain.registers.panel import DrawPanel, IssueReviewReport, Panel
from domain.round.call import PublishCall
from domain.round.plan import ApproveRoundBudget
from domain.round.resolution import (
    Omission,
    RankedBid,
    ResolveRound,
    RoundResolved,
    Selection,
    digest_preview,
    preview_ranking,
    rank,
)
from tests.domain.pure_realm import MINUTES, PureRealm, new_realm, scheme, verification

REG = {"at": "2023-05-12", "by": "CAB-REG#1"}
FIRST = Selection(application="AP-1", project="PJ-1", award=4000000, funds={"FS-1": 4000000}, panel="RP-1")
SECOND = Selection(application="AP-2", project="PJ-2", award=5000000, funds={"FS-1": 5000000}, panel="RP-1")
OUT = Omission(application="AP-3", reason="名次在後")


def reported(envelope: int = 10000000, budget: int = 10000000) -> PureRealm:
    """Three bids with 85, 88 and 88 marks; the first bidder's rating adds three."""
    realm = new_realm(scheme("fuzhou", bidding={"rating_bonus": {"5A": 3}}), FS_1=envelope)
    year = ApproveRoundBudget(amount=budget, scheme=SchemeRef(name="fuzhou", version=1), year=2023)
    realm.order("round", "R-1", year, at="2023-03-01", by="FISCAL#1")
    call = PublishCall.model_validate({"deadline": "2023-04-21T17:00:00+08:00"})
    realm.order("round", "R-1", call, at="2023-04-03", by="CAB-REG#1")
    for n in (1, 2, 3):
        realm.order("organisation", f"ORG-{n}", verification(f"SO-LEGAL#{n}"), at="2023-04-03", by="HOST#1")
        bid = SubmitApplication(
            round="R-1", organisation=f"ORG-{n}", title=f"項目{n}", statement="空巢老人", requested=5000000
        )
        realm.order("project", f"AP-{n}", bid, at="2023-04-19", by=f"SO-LEGAL#{n}")
    rating = RecordRating.model_validate({"level": "5A", "until": "2027-01-01"})
    realm.order("organisation", "ORG-1", rating, at="2023-04-20", by="CAB-REG#1")
    realm.order("organisation", "ORG-1", ApplyRatingBonus(round="R-1"), at="2023-04-20", by="CAB-REG#1")
    for n in (1, 2, 3):
        realm.order("project", f"AP-{n}", PassPreliminaryReview(), at="2023-04-25", by="HOST#1")
    draw = DrawPanel(round="R-1", applications=("AP-1", "AP-2", "AP-3"), seats=("E1", "E2", "E3", "E4", "E5"))
    realm.order("panel", "RP-1", draw, at="2023-05-08", by="CAB-REG#1")
    results = {"AP-1": Decimal(85), "AP-2": Decimal(88), "AP-3": Decimal(88)}
    realm.order("panel", "RP-1", IssueReviewReport(results=results), at="2023-05-10", by="HOST#1")
    return realm


def looked_at(realm: PureRealm, *selected: Selection) -> tuple[RankedBid, ...]:
    state = realm.state("round", "R-1")
    streams = {stream: known for stream, known in realm.states.items() if stream.kind in ("panel", "project")}
    return preview_ranking(state, Facts(streams=streams), ("RP-1",), selected)


def resolving(realm: PureRealm, *selected: Selection, left_out: tuple[Omission, ...] = (OUT,)) -> ResolveRound:
    return ResolveRound(
        panels=("RP-1",),
        selected=selected,
        left_out=left_out,
        minutes=MINUTES,
        contact="市民政局",
        preview=digest_preview(looked_at(realm, *selected), selected),
    )


def test_bids_are_ranked_by_mark_and_bonus_then_by_mark_then_by_number() -> None:
    ranked = looked_at(reported(), SECOND)
    assert [(r.rank, r.application, r.total, r.bonus, r.selected) for r in ranked] == [
        (1, "AP-2", Decimal("88.00"), 0, True),
        (1, "AP-3", Decimal("88.00"), 0, False),
        (1, "AP-1", Decimal("88.00"), 3, False),
    ]


def test_equal_totals_share_a_rank() -> None:
    panel = Panel(results={"A": Decimal(90), "B": Decimal(90), "C": Decimal(80)})
    assert [r.rank for r in rank([panel], {}, frozenset())] == [1, 1, 3]


def test_a_round_is_resolved_as_it_was_looked_at() -> None:
    realm = reported()
    (event,) = realm.order("round", "R-1", resolving(realm, FIRST, SECOND), **REG)
    assert isinstance(event, RoundResolved)
    assert {r.application: r.version for r in event.ranking} == {"AP-1": 2, "AP-2": 2, "AP-3": 2}
    assert realm.state("round", "R-1").stage == "RESOLVED"


def test_what_it_asks_of_the_projects_can_be_carried_out_on_each() -> None:
    realm = reported()
    command = resolving(realm, FIRST, SECOND)
    realm.order("round", "R-1", command, **REG)
    consequences = list_consequences(command)
    assert {name: [type(c) for c in commands] for name, commands in consequences.items()} == {
        "AP-1": [ProposeAward, OpenAwardPublicity],
        "AP-2": [ProposeAward, OpenAwardPublicity],
        "AP-3": [LeaveApplicationOut],
    }
    for name, commands in consequences.items():
        for each in commands:
            realm.order("project", name, each, **REG)
    stages = [realm.state("project", name).stage for name in ("AP-1", "AP-2", "AP-3")]
    assert stages == ["IN_PUBLICITY", "IN_PUBLICITY", "NOT_SELECTED"]
    assert realm.balances["envelope/test/FS-1"] == 1000000


def test_without_a_contact_nothing_is_posted_yet() -> None:
    realm = reported()
    silent = resolving(realm, FIRST, SECOND).model_copy(update={"contact": None})
    assert [type(c) for c in list_consequences(silent)["AP-1"]] == [ProposeAward]


def test_a_preview_that_is_no_longer_true_is_refused() -> None:
    realm = reported()
    command = resolving(realm, FIRST, SECOND)
    dearer = command.model_copy(update={"selected": (FIRST, SECOND.model_copy(update={"award": 4999999}))})
    assert "RD10" in realm.refused("round", "R-1", dearer, **REG)
    other = command.model_copy(update={"preview": "0" * 64})
    assert realm.refused("round", "R-1", other, **REG) == {"RD10"}


@pytest.mark.parametrize(
    ("selected", "left_out", "text"),
    [
        ((FIRST,), (OUT,), "AP-2 have not been decided"),
        ((FIRST, SECOND), (OUT, Omission(application="AP-2", reason="名次在後")), "AP-2 are listed twice"),
        ((FIRST, SECOND), (OUT, Omission(application="AP-9", reason="名次在後")), "AP-9 were not scored"),
        ((FIRST, SECOND.model_copy(update={"panel": "RP-2"})), (OUT,), "AP-2 names RP-2"),
    ],
    ids=["one undecided", "one decided twice", "one that was not scored", "by a panel that was not heard"],
)
def test_every_bid_is_decided_once_by_its_panel(
    selected: tuple[Selection, ...], left_out: tuple[Omission, ...], text: str
) -> None:
    realm = reported()
    unmet = realm.unmet("round", "R-1", resolving(realm, *selected, left_out=left_out), **REG)
    assert {u.rule for u in unmet} == {"RD10"}
    assert any(u.en.startswith(text) for u in unmet)


def test_a_bid_that_was_withdrawn_since_is_not_decided() -> None:
    realm = reported()
    realm.order("project", "AP-3", WithdrawApplication(), at="2023-05-11", by="SO-LEGAL#3")
    (unmet,) = realm.unmet("round", "R-1", resolving(realm, FIRST, SECOND), **REG)
    assert unmet.en.startswith("AP-3 is withdrawn")


def test_the_awards_together_keep_to_budget_and_envelope() -> None:
    for realm in (reported(envelope=8999999), reported(budget=8999999)):
        assert realm.refused("round", "R-1", resolving(realm, FIRST, SECOND), **REG) == {"M5"}
    exact = reported(envelope=9000000, budget=9000000)
    exact.order("round", "R-1", resolving(exact, FIRST, SECOND), **REG)


def test_the_shares_of_an_award_add_up() -> None:
    realm = reported()
    short = FIRST.model_copy(update={"funds": {"FS-1": 3999999}})
    assert realm.refused("round", "R-1", resolving(realm, short, SECOND), **REG) == {"M1"}


def test_a_panel_that_has_not_reported_decides_nothing() -> None:
    realm = reported()
    command = resolving(realm, FIRST, SECOND).model_copy(update={"panels": ("RP-1", "RP-2")})
    assert realm.refused("round", "R-1", command, **REG) == {"RD10"}
