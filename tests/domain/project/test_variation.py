"""變更: asked for and decided before the end, agreed on by both, and what it may not touch (D4, M1, M6, M8, SD3)."""

from __future__ import annotations

from datetime import date

import pytest

from domain.kernel.approval import Verdict
from domain.kernel.effects import Post
from domain.project.contract import Contract
from domain.project.disbursement import DisbursementPaid, RequestDisbursement
from domain.project.money import Money
from domain.project.tranches import Installment, MilestoneTerm, Tranches, TrancheStatus
from domain.project.variation import (
    AmendContract,
    ApproveVariation,
    ContractAmended,
    RejectVariation,
    RequestVariation,
    VariationApproved,
    VariationRequested,
    Variations,
    VariationStatus,
)
from tests.domain.project.life import (
    BOTH,
    BUDGET,
    MILESTONES,
    RULES,
    SIGNED,
    TRANCHES,
    active,
    around,
    awarded,
    organisation,
)
from tests.domain.sentences import StreamStory

MOVE = {"venue": -1200000, "activity": 1200000}
LONGER = RequestVariation(move=MOVE, end=date(2024, 12, 20), reason="場地減免")
MINOR = RequestVariation(move=MOVE, reason="場地減免")
AMEND = AmendContract(version=2, award=15000000, signatures=BOTH)
LESS = RequestVariation(
    move={"activity": -845000, "personnel": -390000, "admin": -65000}, award=13700000, reason="減少場次"
)
LESS_TRANCHES = {**TRANCHES, "T3": Installment(planned=1700000, gate="FinalEvaluationConcluded")}


def ask_variation(request: RequestVariation = LONGER, story: StreamStory | None = None) -> StreamStory:
    return (story or active()).ordered(request, at="2024-07-22", by="SO-LEGAL#1")


def approved(request: RequestVariation = LONGER, story: StreamStory | None = None) -> StreamStory:
    return ask_variation(request, story).ordered(ApproveVariation(), at="2024-07-29", by="CAB-DEC#1")


def test_a_variation_of_what_was_never_signed_is_refused_by_its_stage() -> None:
    longer = RequestVariation(reason="順延", end=date(2024, 12, 20))
    awarded().when(longer, at="2024-06-03", by="SO-LEGAL#1").refused("D4")


def test_a_variation_changes_nothing_until_it_is_agreed_on() -> None:
    expected = VariationRequested.of(LONGER, version=1, share="8.00%", minor=False)
    story = active().when(LONGER, at="2024-07-22", by="SO-LEGAL#1").then(expected)
    assert story.state.part(Contract).budget == BUDGET
    assert "ApproveVariation" in story.awaited()
    assert [(a.gate, a.role, a.verdict) for a in story.state.approvals if a.gate == "ApproveVariation"] == [
        ("ApproveVariation", "CAB-DEC", Verdict.OPEN)
    ]


def test_an_agreed_variation_is_the_contract_from_then_on() -> None:
    story = (
        approved()
        .when(AMEND, at="2024-08-01", by="CAB-REG#1")
        .then(
            ContractAmended.of(
                AMEND,
                tranches=TRANCHES,
                budget={**BUDGET, "venue": 1800000, "activity": 7200000},
                end=date(2024, 12, 20),
                milestones=MILESTONES,
                split={},
            )
        )
    )
    contract = story.state.part(Contract)
    assert (contract.version, contract.end, contract.budget["activity"]) == (2, date(2024, 12, 20), 7200000)
    assert story.state.part(Variations).of["1"].status is VariationStatus.EFFECTIVE


def test_a_minor_variation_is_for_the_case_officer_and_a_major_one_is_not() -> None:
    ask_variation(MINOR).when(ApproveVariation(), at="2024-07-29", by="CAB-REG#1").then(
        VariationApproved(variation="1", share="8.00%")
    )
    ask_variation().when(ApproveVariation(), at="2024-07-29", by="CAB-REG#1").refused("S0")
    large = RequestVariation(move={"venue": -1500001, "activity": 1500001}, reason="場地減免")
    ask_variation(large).when(ApproveVariation(), at="2024-07-29", by="CAB-REG#1").refused("S0")


def test_the_share_is_what_was_computed() -> None:
    ask_variation().when(ApproveVariation(share="7.00%"), at="2024-07-29", by="CAB-DEC#1").refused("M6")


def test_the_representative_asks() -> None:
    story = active().knowing(around(RULES, organisation("SO-LEGAL#7")))
    story.when(LONGER, at="2024-07-22", by="SO-LEGAL#1").refused("SD10")


def test_a_variation_is_asked_for_before_the_end() -> None:
    active().when(LONGER, at="2024-12-01", by="SO-LEGAL#1").refused("D4")
    past = RequestVariation(end=date(2024, 7, 22), reason="提前")
    active().when(past, at="2024-07-22", by="SO-LEGAL#1").refused("D4")


def test_a_variation_is_decided_before_the_end_and_before_it_takes_effect() -> None:
    ask_variation().when(ApproveVariation(), at="2024-12-01", by="CAB-DEC#1").refused("D4")
    soon = RequestVariation(move=MOVE, effective=date(2024, 7, 28), reason="場地減免")
    ask_variation(soon).when(ApproveVariation(), at="2024-07-29", by="CAB-DEC#1").refused("D4")
    ask_variation(soon).ordered(ApproveVariation(), at="2024-07-28", by="CAB-DEC#1")


def test_a_variation_says_what_changes_and_has_its_own_number() -> None:
    active().when(RequestVariation(reason="無"), at="2024-07-22", by="SO-LEGAL#1").refused("D4")
    ask_variation().when(LONGER, at="2024-07-23", by="SO-LEGAL#1").refused("D4")


@pytest.mark.parametrize(
    "move",
    [
        {"venue": -1200000, "activity": 1200001},
        {"venue": -1, "personnel": 1},
        {"venue": -3000001, "activity": 3000001},
        {"venue": -1, "vehicles": 1},
    ],
    ids=["sum", "cap", "negative", "forbidden"],
)
def test_a_variation_keeps_the_budget_sound(move: dict[str, int]) -> None:
    request = RequestVariation(move=move, reason="調劑")
    active().when(request, at="2024-07-22", by="SO-LEGAL#1").refused("M6")


def test_a_variation_does_not_raise_the_award() -> None:
    more = RequestVariation(award=15000001, move={"activity": 1}, reason="增加")
    active().when(more, at="2024-07-22", by="SO-LEGAL#1").refused("M1")


def test_a_lower_award_frees_money() -> None:
    amend = AmendContract(version=2, award=13700000, signatures=BOTH, tranches=LESS_TRANCHES)
    story = approved(LESS).ordered(amend, at="2024-08-01", by="CAB-REG#1")
    assert story.state.part(Contract).award == 13700000
    assert sum(story.state.part(Money).committed.values()) == 13700000
    assert story.state.part(Money).cancelled == 0
    (event,) = approved(LESS).when(amend, at="2024-08-01", by="CAB-REG#1").events
    assert list(event.effects(story.state.stream)) == [
        Post("committed/test/AP-2/FS-CSF", "envelope/test/FS-CSF", 693333),
        Post("committed/test/AP-2/FS-LOT", "envelope/test/FS-LOT", 606667),
    ]


def test_a_tranche_that_falls_to_nothing_is_cancelled() -> None:
    move = {"activity": -1950000, "personnel": -900000, "admin": -150000}
    request = RequestVariation(move=move, award=12000000, reason="減少場次")
    tranches = {**TRANCHES, "T3": Installment(planned=0, gate="FinalEvaluationConcluded")}
    amend = AmendContract(version=2, award=12000000, signatures=BOTH, tranches=tranches)
    story = approved(request).ordered(amend, at="2024-08-01", by="CAB-REG#1")
    assert story.state.part(Tranches).of["T3"].status is TrancheStatus.CANCELLED


def test_the_tranches_of_every_version_add_up() -> None:
    amend = AMEND.model_copy(update={"tranches": LESS_TRANCHES})
    approved().when(amend, at="2024-08-01", by="CAB-REG#1").refused("M1")


def test_the_agreement_is_over_what_was_approved() -> None:
    tranches = {**TRANCHES, "T3": Installment(planned=2999999, gate="FinalEvaluationConcluded")}
    amend = AmendContract(version=2, award=14999999, signatures=BOTH, tranches=tranches)
    approved().when(amend, at="2024-08-01", by="CAB-REG#1").refused("M1")


def test_a_paid_tranche_stays_as_it_is() -> None:
    split = {"FS-LOT": 3500000, "FS-CSF": 4000000}
    story = active().happened(DisbursementPaid(tranche="T1", amount=7500000, split=split), at="2024-06-20")
    shifted = {
        **TRANCHES,
        "T1": Installment(planned=7000000, gate="ContractSigned"),
        "T2": Installment(planned=5000000, gate="MidtermEvaluationConcluded"),
    }
    amend = AMEND.model_copy(update={"tranches": shifted})
    approved(LONGER, story).when(amend, at="2024-08-01", by="CAB-REG#1").refused("M8")
    gone = {name: t for name, t in TRANCHES.items() if name != "T1"}
    amend = AMEND.model_copy(update={"tranches": gone})
    approved(LONGER, story).when(amend, at="2024-08-01", by="CAB-REG#1").refused("M1", "M8")


def test_only_an_approved_variation_is_agreed_on_by_both_in_the_next_version() -> None:
    ask_variation().when(AMEND, at="2024-08-01", by="CAB-REG#1").refused("D4")
    active().when(AMEND, at="2024-08-01", by="CAB-REG#1").refused("D4")
    third = AMEND.model_copy(update={"version": 3})
    approved().when(third, at="2024-08-01", by="CAB-REG#1").refused("T10")
    half = AmendContract(version=2, award=15000000, signatures={"BUREAU": SIGNED})
    approved().when(half, at="2024-08-01", by="CAB-REG#1").refused("T10")


def test_a_rejected_variation_is_over() -> None:
    story = ask_variation().ordered(RejectVariation(reason="理由不足"), at="2024-07-29", by="CAB-DEC#1")
    assert story.state.part(Variations).of["1"].status is VariationStatus.REJECTED
    story.when(ApproveVariation(), at="2024-07-30", by="CAB-DEC#1").refused("D4")
    story.when(AMEND, at="2024-08-01", by="CAB-REG#1").refused("D4")
    ask_variation().when(ApproveVariation(variation="2"), at="2024-07-30", by="CAB-DEC#1").refused("D4")


def test_a_new_version_voids_what_was_asked_under_the_old_one() -> None:
    second = RequestVariation(variation="2", move={"venue": -1, "activity": 1}, reason="微調")
    story = approved().ordered(second, at="2024-07-30", by="SO-LEGAL#1")
    story = story.ordered(RequestDisbursement(tranche="T1"), at="2024-07-31", by="CAB-REG#1")
    story = story.ordered(AMEND, at="2024-08-01", by="CAB-REG#1")
    assert story.state.part(Variations).of["2"].status is VariationStatus.VOID
    assert {a.gate for a in story.state.approvals if a.verdict is Verdict.VOID} == {
        "ApproveVariation",
        "CheckDisbursement",
    }
    story.when(ApproveVariation(variation="2"), at="2024-08-02", by="CAB-DEC#1").refused("D4")


def test_a_milestones_day_is_moved_by_a_variation() -> None:
    later = RequestVariation(milestones={"MS-1": date(2024, 8, 31)}, reason="雨季")
    story = approved(later).ordered(AMEND, at="2024-07-30", by="CAB-REG#1")
    assert story.state.part(Contract).milestones["MS-1"] == MilestoneTerm(title="社區調查", due=date(2024, 8, 31))
    due = story.due()
    assert due is not None
    assert due.key == "MS-1"
    unknown = RequestVariation(milestones={"MS-9": date(2024, 8, 31)}, reason="雨季")
    active().when(unknown, at="2024-07-22", by="SO-LEGAL#1").refused("T16")


def test_minor_variations_of_one_contract_are_minor_together_or_not_at_all() -> None:
    """Four of 8 % each moved a third of the award without the meeting."""
    story = ask_variation(MINOR)
    second = MINOR.model_copy(update={"variation": "2", "move": {"venue": -300000, "activity": 300000}})
    third = second.model_copy(update={"variation": "3"})
    story = story.ordered(second, at="2024-07-23", by="SO-LEGAL#1").ordered(third, at="2024-07-24", by="SO-LEGAL#1")
    assert [v.minor for v in story.state.part(Variations).of.values()] == [True, True, False]
    story.when(ApproveVariation(variation="3"), at="2024-07-25", by="CAB-REG#2").refused("S0")


def test_a_variation_that_was_rejected_counts_for_nothing() -> None:
    rejected = ask_variation(MINOR).ordered(RejectVariation(reason="不同意"), at="2024-07-23", by="CAB-REG#2")
    story = rejected.ordered(MINOR.model_copy(update={"variation": "2"}), at="2024-07-24", by="SO-LEGAL#1")
    assert story.state.part(Variations).of["2"].minor


def test_an_amendment_is_judged_on_the_day_it_takes_effect() -> None:
    soon = RequestVariation(end=date(2024, 8, 15), reason="提前結束")
    approved(soon).ordered(AMEND, at="2024-08-14", by="CAB-REG#1")
    approved(soon).when(AMEND, at="2024-08-15", by="CAB-REG#1").refused("D4")
    approved().when(AMEND, at="2024-12-01", by="CAB-REG#1").refused("D4")
