"""The round's approved budget binds every award of it, and a base is supported once a year (M5, C2, C3)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from domain.kernel.effects import Post
from domain.kernel.scheme import RoundLevel
from domain.project.award import AwardProposed, DeclineAward, ProposeAward, RevocationGround, RevokeAward
from domain.project.bidding import BaseSupport
from domain.registers.incubation_base import AssessBase, DesignateBase, Tier
from domain.round.plan import ApproveRoundBudget, OpenNeedSolicitation
from tests.domain.pure_realm import EVIDENCE, MINUTES, PureRealm, new_realm, scheme

DAY = "2024-02-23"
RULES = scheme("changzhou")


def world(budget: int | None = 3_000, fund: int = 9_000) -> PureRealm:
    """Bases M1 and D1 of ORG-1, both assessed; R-1 of 2024, with that budget approved."""
    realm = new_realm(RULES, FS_1=fund)
    for name, tier, parent in (("BASE-M1", Tier.MUNICIPAL, None), ("BASE-D1", Tier.DISTRICT, "BASE-M1")):
        base = DesignateBase(name=name, tier=tier, operator="ORG-1", parent=parent)
        realm.order("base", name, base, at="2024-01-10", by="CAB-DEC#1")
        realm.order("base", name, AssessBase(score=Decimal(90), grade="A"), at="2024-01-22", by="EVAL#1")
    if budget is not None:
        approve(realm, budget)
    return realm


def approve(realm: PureRealm, amount: int, round_: str = "R-1", **other: object) -> None:
    realm.order("round", round_, approval(amount, **other), at="2024-02-05", by="FISCAL#1")


def approval(amount: int, **other: object) -> ApproveRoundBudget:
    named = {"scheme": RULES.ref, "year": 2024, "level": RoundLevel.DISTRICT}
    return ApproveRoundBudget.model_validate({"amount": amount, **named, **other})


def support(number: int, award: int, base: str = "BASE-M1", round_: str = "R-1") -> ProposeAward:
    return ProposeAward(
        project=f"PJ-{number}",
        award=award,
        funds={"FS-1": award},
        minutes=MINUTES,
        support=BaseSupport(round=round_, organisation="ORG-1", base=base, title="運營扶持"),
    )


def propose(realm: PureRealm, number: int, award: int, base: str = "BASE-M1", round_: str = "R-1") -> AwardProposed:
    (event,) = realm.order("project", f"PJ-{number}", support(number, award, base, round_), at=DAY, by="CAB-REG#1")
    assert isinstance(event, AwardProposed)
    return event


def refused(realm: PureRealm, number: int, award: int, base: str = "BASE-M1", round_: str = "R-1") -> set[str]:
    return realm.refused("project", f"PJ-{number}", support(number, award, base, round_), at=DAY, by="CAB-REG#1")


def test_support_beyond_the_rounds_budget_is_refused_though_the_fund_holds_more() -> None:
    realm = world()
    propose(realm, 1, 2_000)
    assert refused(realm, 2, 1_001, "BASE-D1") == {"C2"}
    propose(realm, 2, 1_000, "BASE-D1")
    assert realm.balances["budget/test/R-1"] == 0
    assert realm.balances["awarded/test/R-1"] == 3_000


def test_nothing_is_supported_in_a_round_that_was_never_set_up() -> None:
    """Neither a budget nor a year would bind it: a name mistyped would be money without end."""
    assert refused(world(), 1, 100, round_="R-O") == {"T01"}


def test_the_refusal_names_the_amounts() -> None:
    realm = world()
    propose(realm, 1, 2_000)
    (unmet,) = realm.unmet("project", "PJ-2", support(2, 1_001, "BASE-D1"), at=DAY, by="CAB-REG#1")
    assert unmet.en == "the budget of R-1 is ¥30.00, of which ¥20.00 is awarded; the ¥10.00 left does not cover ¥10.01"


def test_a_base_is_supported_once_a_year_in_whatever_round() -> None:
    realm = world()
    approve(realm, 5_000, "R-2")
    approve(realm, 5_000, "R-3", year=2025)
    propose(realm, 1, 100)
    assert refused(realm, 2, 100) == {"C3"}
    assert refused(realm, 2, 100, round_="R-2") == {"C3"}
    propose(realm, 2, 100, round_="R-3")
    assert refused(realm, 3, 100, round_="R-3") == {"C3"}


def test_what_is_taken_back_may_be_awarded_again() -> None:
    realm = world()
    propose(realm, 1, 3_000)
    revoke = RevokeAward(ground=RevocationGround.FALSE_STATEMENT, reason="不實", attachments=EVIDENCE)
    realm.order("project", "PJ-1", revoke, at="2024-02-26", by="CAB-DEC#1")
    assert realm.balances["awarded/test/R-1"] == 0
    assert propose(realm, 2, 3_000).charge is not None


def test_a_declined_support_leaves_the_bases_place_in_its_year() -> None:
    realm = world()
    propose(realm, 1, 100)
    realm.order("project", "PJ-1", DeclineAward(reason="人手不足"), at="2024-02-26", by="SO-LEGAL#1")
    propose(realm, 2, 100)


def test_a_later_approval_binds_what_was_awarded_before_it() -> None:
    realm = world(budget=2_000)
    propose(realm, 1, 1_500)
    approve(realm, 2_500, scheme=None, year=None, level=None)
    assert refused(realm, 2, 1_001, "BASE-D1") == {"C2"}
    assert propose(realm, 2, 1_000, "BASE-D1").charge is not None
    assert realm.balances["world/test/treasury"] == -9_000 - 2_500


def test_an_approval_after_awards_without_one_counts_them() -> None:
    realm = world(budget=None)
    notice = approval(1)
    realm.order("round", "R-1", notice.model_copy(update={"amount": 1}), at="2024-02-05", by="FISCAL#1")
    assert refused(realm, 1, 2) == {"C2"}


def test_a_budget_is_not_cut_below_what_is_awarded() -> None:
    realm = world()
    propose(realm, 1, 2_000)
    less = approval(1_999, scheme=None, year=None, level=None)
    assert realm.refused("round", "R-1", less, at=DAY, by="FISCAL#1") == {"M5"}
    approve(realm, 2_000, scheme=None, year=None, level=None)
    assert refused(realm, 2, 1, "BASE-D1") == {"C2"}


def test_two_proposals_at_one_moment_cannot_both_have_the_last_yuan() -> None:
    """Both were judged on the same readings; the append refuses the second, by the account or by the opening."""
    realm = world()
    propose(realm, 1, 1_000)
    before = dict(realm.balances), {key: set(held) for key, held in realm.claims.items()}
    second = propose(realm, 2, 2_000, "BASE-D1")
    realm.balances, realm.claims = before
    realm.balances["budget/test/R-1"] -= 1_500
    with pytest.raises(AssertionError, match="budget/test/R-1 is overdrawn"):
        realm._apply(second.effects(realm.id("project", "PJ-2")))


def test_two_first_proposals_open_the_budget_once() -> None:
    first = propose(world(), 1, 2_000)
    realm = world()
    propose(realm, 2, 2_000, "BASE-D1")
    with pytest.raises(AssertionError, match="appropriation/test/R-1/1 is taken"):
        realm._apply(first.effects(realm.id("project", "PJ-1")))


def test_a_round_without_an_approved_budget_is_bound_by_its_funds_alone() -> None:
    realm = new_realm(RULES, FS_1=500)
    base = DesignateBase(name="市級", tier=Tier.MUNICIPAL, operator="ORG-1")
    realm.order("base", "BASE-M1", base, at="2024-01-10", by="CAB-DEC#1")
    realm.order("base", "BASE-M1", AssessBase(score=Decimal(90), grade="A"), at="2024-01-22", by="EVAL#1")
    command = OpenNeedSolicitation(scheme=RULES.ref, year=2024, level=RoundLevel.DISTRICT)
    realm.order("round", "R-9", command, at="2024-02-05", by="CAB-REG#1")
    assert refused(realm, 1, 501, round_="R-9") == {"C2"}
    event = propose(realm, 1, 500, round_="R-9")
    assert Post("world/test/unbudgeted", "awarded/test/R-9", 500) in list(event.effects(realm.id("project", "PJ-1")))
