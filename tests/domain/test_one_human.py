"""One human on several seats, in every rule that asks for another person; stand-ins count as whom they stand in for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.kernel.acting import Acting, PersonId
from domain.kernel.effects import Claim
from domain.kernel.facts import Facts
from domain.kernel.identifier import LIVE, Actor, StreamId
from domain.kernel.message import Order
from domain.kernel.policy import Sides
from domain.kernel.refusal import CommandRejected
from domain.kernel.scope import Scope, ScopeKind
from domain.kernel.state import State
from domain.need import NEED, EndorseNeed, NeedSubmitted
from domain.project.aggregate import PROJECT
from domain.project.closeout import ConfirmCorrection
from domain.project.disbursement import ApproveDisbursement, CheckDisbursement, PayDisbursement, RequestDisbursement
from domain.project.objection import AcceptObjection, LodgeObjection
from domain.project.publicity import ConfirmAward
from domain.project.remedy import AcceptRectification, SubmitRectification
from domain.project.tranches import Tranches, TrancheStatus
from domain.registers.draw import PANEL
from domain.registers.fund import FUND, ConfirmFundAdjustment, FundSourceRegistered, ProposeFundAdjustment
from domain.registers.panel import Panel, RecuseReviewer, SubmitScore
from domain.registers.seat import Seat, seat_stream
from domain.registers.tenure import Tenure
from tests.domain import test_panel
from tests.domain.project import test_award, test_closeout, test_remedy
from tests.domain.project.life import contracted
from tests.domain.sentences import StreamStory, a
from tests.domain.test_panel import DRAW, drawn

if TYPE_CHECKING:
    from collections.abc import Callable

    from domain.kernel.message import Command

REQUEST = RequestDisbursement(tranche="T1", amount=7500000)
CHECK, APPROVE = CheckDisbursement(tranche="T1"), ApproveDisbursement(tranche="T1")
PAY = PayDisbursement(tranche="T1", amount=7500000)
DAY = "2024-06-06"
CUT = ProposeFundAdjustment(change=-10, reason="核減")


@dataclass(frozen=True)
class Pair:
    """Two acts of which one person may do only one."""

    rule: str
    before: Callable[[], StreamStory]
    first: Command
    first_by: str
    second: Command
    second_by: str
    at: str
    between: tuple[tuple[Command, str], ...] = field(default=())

    def after_first(self, *persons: str) -> StreamStory:
        story = self.before().when_acting(self.first, at=self.at, by=self.first_by, persons=persons).accepted()
        for command, by in self.between:
            story = story.when_acting(command, at=self.at, by=by, persons=("P-77",)).accepted()
        return story


def fund() -> StreamStory:
    known = Facts(balances={"envelope/test/FS-LOT": 1_000})
    return a(FUND, "FS-LOT", known).happened(FundSourceRegistered(name="福彩公益金", envelope=5_000), at="2024-01-02")


def need() -> StreamStory:
    return a(NEED, "ND-1", Facts()).happened(NeedSubmitted(round="R-1", group="空巢老人"), at=DAY, by="PUBLIC#9")


def recorded() -> StreamStory:
    return test_closeout.recorded()[0]


PAIRS = [
    Pair(
        "FS02",
        fund,
        ProposeFundAdjustment(change=-10, reason="核減"),
        "CAB-FIN#1",
        ConfirmFundAdjustment(),
        "FISCAL#1",
        DAY,
    ),
    Pair("ND02", need, EndorseNeed(), "COMM#1", EndorseNeed(), "PUBLIC#1", DAY),
    Pair("P2", contracted, REQUEST, "CAB-REG#1", CHECK, "CAB-FIN#1", DAY),
    Pair("P2", contracted, REQUEST, "CAB-REG#1", APPROVE, "CAB-DEC#1", DAY, ((CHECK, "CAB-FIN#1"),)),
    Pair("SD1", contracted, REQUEST, "CAB-REG#1", PAY, "FISCAL#1", DAY, ((CHECK, "CAB-FIN#1"), (APPROVE, "CAB-DEC#2"))),
    Pair(
        "SD12",
        recorded,
        test_closeout.correction(test_closeout.recorded()[1], person_times=46),
        "CAB-REG#1",
        ConfirmCorrection(correction="C1"),
        "CAB-FIN#1",
        "2024-07-03",
    ),
]
pairs = pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair.rule} {pair.second.command_type}")


@pairs
def test_one_human_on_two_seats_is_one_person(pair: Pair) -> None:
    if len(pair.between) > 1:
        story = replace(pair, between=pair.between[:1]).after_first("P-1")
        story = story.when_acting(APPROVE, at=pair.at, by="CAB-DEC#2", persons=("P-88",)).accepted()
    else:
        story = pair.after_first("P-1")
    assert pair.rule in _rules(story, pair, ("P-1",))
    story.when_acting(pair.second, at=pair.at, by=pair.second_by, persons=("P-2",)).accepted()


@pairs
def test_a_stand_in_counts_as_whom_they_stand_in_for_on_both_sides(pair: Pair) -> None:
    if len(pair.between) > 1:
        return
    by_stand_in = pair.after_first("P-3", "P-1")
    for one in ("P-1", "P-3"):
        assert pair.rule in _rules(by_stand_in, pair, (one,)), "neither the holder nor the stand-in"
    by_holder = pair.after_first("P-1")
    assert pair.rule in _rules(by_holder, pair, ("P-3", "P-1")), "nor a stand-in for whoever acted before"


@pairs
def test_unknown_is_refused_on_the_wall_clock(pair: Pair) -> None:
    """What came from paper has no persons: on the wall clock the step before must be done again by somebody known."""
    if len(pair.between) > 1:
        return
    story = replace(pair, between=()).before()
    story = story.when_acting(pair.first, at=pair.at, by=pair.first_by).accepted()
    for command, by in pair.between:
        story = story.when_acting(command, at=pair.at, by=by).accepted()
    live = story.when_acting(pair.second, at=pair.at, by=pair.second_by, persons=("P-2",), is_live=True)
    assert live.refusal is not None
    assert pair.rule in {u.rule for u in live.refusal.unmet}
    story.when_acting(pair.second, at=pair.at, by=pair.second_by, persons=("P-2",)).accepted()


def _rules(story: StreamStory, pair: Pair, persons: tuple[str, ...]) -> set[str]:
    refusal = story.when_acting(pair.second, at=pair.at, by=pair.second_by, persons=persons).refusal
    return {u.rule for u in refusal.unmet} if refusal else set()


def test_whoever_ordered_a_rectification_looks_not_again_from_another_seat() -> None:
    ordered = test_remedy.at_work().when_acting(test_remedy.ORDER, at="2024-09-20", by="CAB-REG#1", persons=("P-1",))
    story = ordered.accepted().ordered(SubmitRectification(), at="2024-10-09", by="SO-LEGAL#1")
    story.when_acting(AcceptRectification(), at="2024-10-11", by="CAB-REG#2", persons=("P-1",)).refused("T14")
    story.when_acting(AcceptRectification(), at="2024-10-11", by="CAB-REG#2", persons=("P-2",)).accepted()


def _with_panel(story: StreamStory, *took_part: Acting) -> StreamStory:
    panel = story.facts.of(StreamId("panel/test/RP-1"))
    known = panel.with_parts(replace(panel.part(Panel), took_part=frozenset(took_part)))
    return story.knowing(replace(story.facts, streams={**story.facts.streams, panel.stream: known}))


REVIEWER = Acting(Actor("EXPERT#1"), frozenset({PersonId("P-1")}))


def test_whoever_reviewed_decides_neither_an_objection_nor_the_award_from_another_seat() -> None:
    posted = _with_panel(test_award.posted(), REVIEWER)
    objected = posted.ordered(LodgeObjection(ground="重複資助"), at="2024-05-16", by="PUBLIC#1")
    accept = AcceptObjection(objection="1")
    objected.when_acting(accept, at="2024-05-17", by="CAB-REG#3", persons=("P-1",)).refused("P5")
    objected.when_acting(accept, at="2024-05-17", by="CAB-REG#3", persons=("P-2",)).accepted()
    posted.when_acting(ConfirmAward(), at="2024-05-30", by="CAB-DEC#1", persons=("P-1",)).refused("SD6")
    posted.when_acting(ConfirmAward(), at="2024-05-30", by="CAB-DEC#1", persons=("P-2",)).accepted()


def test_whoever_managed_the_round_reviews_no_bid_of_it() -> None:
    managed = State(StreamId("round/test/R-1"), version=1).with_parts(
        Sides({"bureau": frozenset({PersonId("P-1")}), "HOST": frozenset({PersonId("P-4")})})
    )
    story = drawn()
    story = story.knowing(replace(story.facts, streams={**story.facts.streams, managed.stream: managed}))
    sheet = SubmitScore(application="AP-1", mark=Decimal(80))
    for officer in ("P-1", "P-4"):
        story.when_acting(sheet, at="2023-05-10", by="EXPERT#1", persons=(officer,)).refused("SD6")
    story.when_acting(sheet, at="2023-05-10", by="EXPERT#1", persons=("P-2",)).accepted()


def _know(story: StreamStory, *states: State) -> StreamStory:
    """The story with those streams as they stand there."""
    return story.knowing(replace(story.facts, streams={**story.facts.streams, **{s.stream: s for s in states}}))


def _bid(side: str, person: str) -> State:
    """The bid before the panel, in which that person has acted for that side."""
    bid = test_panel.file("AP-1", "ORG-1")
    return bid.with_parts(Sides({side: frozenset({PersonId(person)})}))


def _seated(number: int, person: str | None, realm: str = "test") -> State:
    """A reviewer's seat in the register, from long ago, with that person on it."""
    tenures = () if person is None else (Tenure(PersonId(person), datetime(2020, 1, 1, tzinfo=UTC)),)
    state = State(seat_stream(realm, Actor(f"EXPERT#{number}")), version=1)
    return state.with_parts(Seat(Scope(kind=ScopeKind.ROSTER), tenures))


@pytest.mark.parametrize(
    ("side", "rule"),
    [("organisation", "SD5"), ("COMM", "SD5"), ("SUPV", "SD5"), ("bureau", "SD6"), ("DCAB", "SD6"), ("HOST", "SD6")],
)
def test_whoever_has_acted_in_a_bid_scores_it_from_no_seat(side: str, rule: str) -> None:
    story = _know(drawn(), _bid(side, "P-1"))
    sheet = SubmitScore(application="AP-1", mark=Decimal(80))
    story.when_acting(sheet, at="2023-05-10", by="EXPERT#1", persons=("P-1",)).refused(rule)
    story.when_acting(sheet, at="2023-05-10", by="EXPERT#1", persons=("P-2",)).accepted()


REG_DRAWS: dict[str, Any] = {"at": "2023-05-08", "by": "CAB-REG#1", "persons": ("P-30",)}


def test_a_panel_is_drawn_of_persons_one_a_seat_without_a_part_in_its_bids() -> None:
    """As far as the register says who sits there; seats of paper that it does not know are bare."""
    story = a(PANEL, "RP-1", test_panel.facts())
    five = [_seated(number, f"P-{10 + number}") for number in range(1, 6)]
    _know(story, *five).when_acting(DRAW, **REG_DRAWS).accepted()
    _know(story, *five[:2]).when_acting(DRAW, **REG_DRAWS).accepted()
    _know(story, *five[1:], _seated(1, None)).when_acting(DRAW, **REG_DRAWS).refused("RP01")
    _know(story, *five[1:], _seated(1, "P-12")).when_acting(DRAW, **REG_DRAWS).refused("P4")
    _know(story, *five, _bid("organisation", "P-13")).when_acting(DRAW, **REG_DRAWS).refused("SD5")
    _know(story, *five, _bid("DCAB", "P-13")).when_acting(DRAW, **REG_DRAWS).refused("SD6")


def test_whoever_fills_in_for_a_recused_reviewer_is_judged_like_the_others() -> None:
    five = [_seated(number, f"P-{10 + number}") for number in range(1, 6)]
    story = _know(drawn(), *five)
    recuse = RecuseReviewer(out="E1", in_="E6")
    _know(story, _seated(6, "P-16")).when_acting(recuse, **REG_DRAWS).accepted()
    _know(story, _seated(6, None)).when_acting(recuse, **REG_DRAWS).refused("RP01")
    _know(story, _seated(6, "P-12")).when_acting(recuse, **REG_DRAWS).refused("P4")
    _know(story, _seated(6, "P-11")).when_acting(recuse, **REG_DRAWS).accepted()
    _know(story, _seated(6, "P-16"), _bid("organisation", "P-16")).when_acting(recuse, **REG_DRAWS).refused("SD5")


def test_on_the_wall_clock_only_seats_of_the_register_are_drawn() -> None:
    around = test_panel.facts()
    live = {
        StreamId.of(s.kind, LIVE, s.name): replace(state, stream=StreamId.of(s.kind, LIVE, s.name))
        for s, state in around.streams.items()
    }
    state = State(StreamId.of("panel", LIVE, "RP-1"))
    bare = replace(around, streams=live)
    seats = [_seated(number, f"P-{10 + number}", LIVE) for number in range(1, 6)]
    known = replace(bare, streams={**live, **{one.stream: one for one in seats}})
    order = Order(
        DRAW,
        Actor("CAB-REG#1"),
        datetime(2023, 5, 8, 2, tzinfo=UTC),
        frozenset({PersonId("P-30")}),
        is_live=True,
        scope=Scope(kind=ScopeKind.BUREAU),
    )
    assert PANEL.decide(state, known, order)
    with pytest.raises(CommandRejected) as refused:
        PANEL.decide(state, bare, order)
    assert [u.rule for u in refused.value.unmet] == ["RP01"]


# ---------------------------------------------------------------- no trace to a payment without three persons

SEATS: dict[str, Command] = {"CAB-REG": REQUEST, "CAB-FIN": CHECK, "CAB-DEC": APPROVE, "FISCAL": PAY}


@settings(deadline=None, max_examples=120)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted(SEATS)),
            st.integers(1, 2),
            st.frozensets(st.sampled_from(["P-1", "P-2", "P-3", "P-4"]), min_size=1, max_size=2),
        ),
        min_size=4,
        max_size=14,
    )
)
def test_no_trace_reaches_a_payment_without_three_persons(trace: list[tuple[str, int, frozenset[str]]]) -> None:
    """Anybody on any seat, stand-ins among them, in any order: what is paid went through three who share nobody."""
    story, claims = contracted(), dict[str, str]()
    hands: dict[str, frozenset[str]] = {}
    for role, number, persons in trace:
        judged = story.when_acting(SEATS[role], at=DAY, by=f"{role}#{number}", persons=persons)
        if judged.refusal is not None:
            continue
        for event in judged.events:
            before = story.state
            after = judged.accepted().state
            for effect in PROJECT.effects(before, event, after):
                if isinstance(effect, Claim) and effect.key.startswith("hand/"):
                    assert claims.setdefault(effect.key, effect.holder) == effect.holder, "the second line agrees"
        hands[role] = persons
        story = judged.accepted()
        if story.state.part(Tranches).of["T1"].status is TrancheStatus.PAID:
            three = [hands[name] for name in ("CAB-REG", "CAB-FIN", "CAB-DEC")]
            assert len(frozenset().union(*three)) == sum(map(len, three)), hands
            assert hands["FISCAL"].isdisjoint(hands["CAB-REG"])
            return


def test_without_the_rule_a_person_still_has_one_hand_in_one_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard behind: the maker who also checks claims a place that is their own already, under another step."""
    monkeypatch.setattr("domain.project.disbursement.require_another_person", lambda *_, **__: None)
    requested = contracted().when_acting(REQUEST, at=DAY, by="CAB-REG#1", persons=("P-1",))
    checked = requested.accepted().when_acting(CHECK, at=DAY, by="CAB-FIN#1", persons=("P-1",))
    keys = []
    for judged in (requested, checked):
        (event,) = judged.events
        keys.append(
            [e for e in PROJECT.effects(judged.story.state, event, judged.accepted().state) if isinstance(e, Claim)]
        )
    ((first,), (second,)) = keys
    assert first.key == second.key == "hand/test/AP-2/T1/1/P-1"
    assert first.holder != second.holder
    assert first.limit == second.limit == 1
