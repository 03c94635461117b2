"""簽約與收款賬戶: what a contract must say, an award that nobody signs, and the payee account (T10, T11, SD9)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.kernel.calendar import day_ends
from domain.kernel.effects import Post
from domain.project.contract import (
    ConfirmLedgerAccount,
    ContractSigned,
    ContractSigningLapsed,
    LedgerAccountConfirmed,
    LedgerAccountRegistered,
    RegisterLedgerAccount,
)
from domain.project.disbursement import RequestDisbursement
from domain.project.money import Money, apportion
from domain.project.stage import Gates
from domain.project.tranches import Installment, MilestoneTerm, Tranches
from domain.registers.organisation import Organisation
from tests.domain.project.life import (
    ACCOUNT,
    BUDGET,
    FUNDS,
    OTHER_ACCOUNT,
    PARTIES,
    RULES,
    SIGNED,
    TRANCHES,
    agreement,
    around,
    awarded,
    contracted,
    organisation,
    stage,
)
from tests.domain.pure_realm import scheme


def signed(**other: object) -> ContractSigned:
    return ContractSigned.of(
        agreement(**other), match_pledged=2000000, scheme=RULES.ref, midterm_report_wd=5, final_report_months=1
    )


def test_a_contract_binds_and_fixes_the_rules() -> None:
    story = awarded().when(agreement(), at="2024-06-04", by="CAB-REG#1").then(signed())
    assert stage(story) == "CONTRACTED"
    assert story.state.scheme == RULES.ref
    assert story.state.part(Money).committed == FUNDS
    assert "ContractSigned" in story.state.part(Gates).passed
    assert [t.planned for t in story.state.part(Tranches).of.values()] == [7500000, 4500000, 3000000]


def test_nothing_is_signed_before_rules_are_chosen() -> None:
    story = awarded().knowing(replace(around(), scheme=None))
    story.when(agreement(), at="2024-06-04", by="CAB-REG#1").refused("S1")


def test_a_contract_is_signed_by_both() -> None:
    half = agreement(signatures={"BUREAU": SIGNED})
    awarded().when(half, at="2024-06-04", by="CAB-REG#1").refused("T10")


def test_the_community_signs_where_it_is_a_party() -> None:
    rules = scheme("hangzhou", delivery={"community_required": True})
    awarded(rules).when(agreement(), at="2024-06-04", by="CAB-REG#1").refused("T10")
    three = agreement(signatures={"BUREAU": SIGNED, "ORGANISATION": SIGNED, "COMMUNITY": SIGNED})
    awarded(rules).ordered(three, at="2024-06-04", by="CAB-REG#1")


def test_the_tranches_add_up_to_the_award() -> None:
    short = {**TRANCHES, "T3": Installment(planned=2999999, gate="FinalEvaluationConcluded")}
    awarded().when(agreement(tranches=short), at="2024-06-04", by="CAB-REG#1").refused("M1")


def test_a_contract_is_over_the_award() -> None:
    more = {**TRANCHES, "T3": Installment(planned=3000001, gate="FinalEvaluationConcluded")}
    budget = {**BUDGET, "activity": 6000001}
    over = agreement(award=15000001, tranches=more, budget=budget)
    awarded().when(over, at="2024-06-04", by="CAB-REG#1").refused("M1")


def test_a_tranche_waits_for_a_gate_that_exists() -> None:
    vague = {**TRANCHES, "T3": Installment(planned=3000000, gate="WhenItIsDone")}
    awarded().when(agreement(tranches=vague), at="2024-06-04", by="CAB-REG#1").refused("M2")
    milestone = {**TRANCHES, "T3": Installment(planned=3000000, gate="MilestoneMet/MS-2")}
    awarded().ordered(agreement(tranches=milestone), at="2024-06-04", by="CAB-REG#1")


@pytest.mark.parametrize(
    "budget",
    [
        {**BUDGET, "activity": 5999999},
        {**BUDGET, "personnel": 4500001, "activity": 5999999},
        {**BUDGET, "admin": 750001, "activity": 5999999},
        {**BUDGET, "hospitality": 1, "activity": 5999999},
    ],
    ids=["sum", "personnel", "administration", "forbidden"],
)
def test_the_budget_keeps_its_sum_and_its_caps(budget: dict[str, int]) -> None:
    awarded().when(agreement(budget=budget), at="2024-06-04", by="CAB-REG#1").refused("M6")


def test_the_match_reaches_its_share() -> None:
    rules = scheme("hangzhou", budget={"match_min": 20})
    awarded(rules).when(agreement(), at="2024-06-04", by="CAB-REG#1").refused("M6")
    awarded(rules).ordered(agreement(match_pledged=3750000), at="2024-06-04", by="CAB-REG#1")


@pytest.mark.parametrize("party", ["host", "supervisor", "evaluator", "auditor"])
def test_the_bidder_is_no_other_party(party: str) -> None:
    parties = PARTIES.model_copy(update={party: "ORG-1"})
    awarded().when(agreement(parties=parties), at="2024-06-04", by="CAB-REG#1").refused("P3")


def test_the_auditor_is_not_the_evaluator() -> None:
    parties = PARTIES.model_copy(update={"auditor": "ORG-E1"})
    awarded().when(agreement(parties=parties), at="2024-06-04", by="CAB-REG#1").refused("P3")


def test_eligibility_is_checked_again_at_signing() -> None:
    org = organisation()
    barred = org.with_parts(replace(org.part(Organisation), banned_until=date(2025, 1, 1)))
    story = awarded().knowing(around(RULES, barred))
    story.when(agreement(), at="2024-06-04", by="CAB-REG#1").refused("T10")


def test_the_first_contract_is_version_one_and_ends_later() -> None:
    awarded().when(agreement(version=2), at="2024-06-04", by="CAB-REG#1").refused("T10")
    awarded().when(agreement(end=date(2024, 6, 4)), at="2024-06-04", by="CAB-REG#1").refused("T10")


def test_a_contract_is_signed_once_and_by_the_case_officer() -> None:
    contracted().when(agreement(), at="2024-06-07", by="CAB-REG#1").refused("T10")
    awarded().when(agreement(), at="2024-06-04", by="SO-LEGAL#1").refused("T10")


def test_an_award_that_nobody_signs_lapses_and_frees_the_money() -> None:
    story = awarded()
    due = story.due()
    assert due is not None
    assert due.at == day_ends(date(2024, 6, 20))  # 15 working days after 29 May; 10 June is a holiday
    story = story.lapsed()
    assert stage(story) == "REVOKED"
    assert story.due() is None
    assert set(ContractSigningLapsed(freed=FUNDS).effects(story.state.stream)) == {
        Post("committed/test/AP-2/FS-LOT", "envelope/test/FS-LOT", 7000000),
        Post("committed/test/AP-2/FS-CSF", "envelope/test/FS-CSF", 8000000),
    }


def test_a_signed_contract_does_not_lapse() -> None:
    assert contracted(milestones={}).due() is None


def test_no_one_but_the_clock_lets_an_award_lapse() -> None:
    due = awarded().due()
    assert due is not None
    awarded().when(due.command, at="2024-06-20", by="SYS#1").refused("T11")
    awarded().when(due.command, at="2024-06-21", by="CAB-REG#1").refused("T11")
    awarded().ordered(due.command, at="2024-06-21", by="SYS#1")


def test_an_account_is_registered() -> None:
    story = awarded().ordered(agreement(), at="2024-06-04", by="CAB-REG#1")
    assert "RegisterLedgerAccount" in story.awaited()
    story = story.when(RegisterLedgerAccount(account=ACCOUNT), at="2024-06-05", by="SO-ACC#1").then(
        LedgerAccountRegistered(account=ACCOUNT, changed=False)
    )
    assert "RegisterLedgerAccount" not in story.awaited()
    story.when(RegisterLedgerAccount(account=ACCOUNT), at="2024-06-06", by="SO-ACC#1").refused("T12")


def test_a_changed_account_is_confirmed_by_another_and_rests_a_day() -> None:
    story = contracted().ordered(RegisterLedgerAccount(account=OTHER_ACCOUNT), at="2024-06-10", by="SO-ACC#1")
    request = RequestDisbursement(tranche="T1")
    story.when(request, at="2024-06-12", by="CAB-REG#1").refused("SD9")
    confirm = ConfirmLedgerAccount(account=OTHER_ACCOUNT)
    story = story.when(confirm, at="2024-06-10", by="CAB-FIN#1").then(LedgerAccountConfirmed(account=OTHER_ACCOUNT))
    story.when(request, at="2024-06-11T08:59:59+08:00", by="CAB-REG#1").refused("SD9")
    story.ordered(request, at="2024-06-11T09:00:00+08:00", by="CAB-REG#1")


def test_only_a_changed_account_is_confirmed() -> None:
    contracted().when(ConfirmLedgerAccount(account=ACCOUNT), at="2024-06-10", by="CAB-FIN#1").refused("SD9")


def test_an_amount_is_split_in_proportion_and_the_last_absorbs_the_rounding() -> None:
    assert apportion(4500000, {"FS-LOT": 3500000, "FS-CSF": 4000000}) == {"FS-LOT": 2100000, "FS-CSF": 2400000}
    assert apportion(100, {"A": 1, "B": 1, "C": 298}) == {"C": 100}
    assert apportion(2, {"A": 1, "B": 1, "C": 1}) == {"B": 1, "C": 1}
    assert apportion(0, {"A": 1}) == {}
    assert apportion(5, {}) == {}


@given(
    funds=st.dictionaries(st.sampled_from("ABCDEF"), st.integers(0, 10**9), min_size=1),
    cuts=st.lists(st.integers(1, 10**9), max_size=6),
)
def test_whatever_is_split_no_fund_gives_more_than_it_has_and_nothing_is_lost(
    funds: dict[str, int], cuts: list[int]
) -> None:
    left = dict(funds)
    for cut in [*cuts, sum(funds.values())]:
        amount = min(cut, sum(left.values()))
        split = apportion(amount, left)
        assert sum(split.values()) == amount
        assert all(0 < share <= left[name] for name, share in split.items())
        left = {name: fen - split.get(name, 0) for name, fen in left.items()}
    assert sum(left.values()) == 0


@pytest.mark.parametrize(
    "other",
    [
        {"end": date(2199, 12, 31)},
        {"end": date(2029, 6, 5)},
        {"self_assessment_due": date(2024, 6, 4)},
        {"milestones": {"MS-1": MilestoneTerm(title="調查", due=date(2200, 1, 1))}},
    ],
    ids=["never", "beyond five years", "already past", "a milestone beyond"],
)
def test_no_contract_fixes_a_day_that_never_comes(other: dict[str, object]) -> None:
    awarded().when(agreement(**other), at="2024-06-04", by="CAB-REG#1").refused("T10")


def test_no_tranche_plans_nothing() -> None:
    tranches = {**TRANCHES, "T4": Installment(planned=0, gate="FinalEvaluationConcluded")}
    awarded().when(agreement(tranches=tranches), at="2024-06-04", by="CAB-REG#1").refused("M1")


@pytest.mark.parametrize("role", ["auditor", "evaluator"])
def test_the_host_neither_audits_nor_evaluates(role: str) -> None:
    parties = PARTIES.model_copy(update={role: PARTIES.host})
    awarded().when(agreement(parties=parties), at="2024-06-04", by="CAB-REG#1").refused("P3")
