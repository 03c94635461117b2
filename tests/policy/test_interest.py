"""Seats that somebody holds, or held of late, in an organisation on which they would decide (SD5, SD15)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from domain.approval.request import APPROVAL, Approvers, DeclineApproval, GrantApproval, OpenApproval
from domain.kernel.acting import Basis, PersonId
from domain.kernel.facts import Facts
from domain.kernel.identifier import LIVE, Actor, Role, StreamId
from domain.kernel.refusal import CommandRejected
from domain.kernel.state import State
from domain.project.award import DeclineAward
from domain.project.delivery import AssignSupervisor, RecordActivity, RecordSupervisionVisit
from domain.project.disbursement import ApproveDisbursement, CheckDisbursement, RequestDisbursement
from domain.project.evaluation import ConcludeMidtermEvaluation, Result
from domain.registers.draw import PANEL, CommitDraw, OpenDraw, commitment_to
from domain.registers.interest import require_impartial
from domain.registers.organisation import ORGANISATION, OrganisationStage, RecordRating
from domain.registers.panel import DeclareConflict, Panel, RecuseReviewer, SubmitScore
from domain.registers.person import Duty, Person, person_stream
from domain.registers.reviewer import ConflictKind
from domain.registers.roster import Roster
from domain.registers.seat import Seat, seat_stream
from domain.registers.tenure import Tenure
from tests.domain.project.life import active, contracted
from tests.domain.pure_realm import scheme
from tests.domain.sentences import a, on
from tests.domain.test_panel import DRAW, drawn, facts
from tests.policy.standings import scope_of

if TYPE_CHECKING:
    from domain.kernel.message import Command
    from tests.domain.sentences import StreamStory

ME, LONG_AGO = PersonId("P-9"), datetime(2019, 1, 1, tzinfo=UTC)
JUNE = "2024-06-20"


def known(
    seat: str,
    *names: str,
    begins: datetime = LONG_AGO,
    ends: datetime | None = None,
    person: PersonId = ME,
    realm: str = "test",
    basis: Basis | None = None,
) -> dict[StreamId, State]:
    """The registers of a realm in which that person is on that seat, which acts for these."""
    tenure = Tenure(person, begins, ends, basis)
    register, place = person_stream(realm, person), seat_stream(realm, Actor(seat))
    scope = scope_of(Actor(seat).role, *names)
    return {
        register: State(register, version=2).with_parts(Person(duties=(Duty(Actor(seat), tenure),))),
        place: State(place, version=2).with_parts(Seat(scope=scope, tenures=(tenure,))),
    }


def beside(story: StreamStory, streams: dict[StreamId, State]) -> StreamStory:
    return story.knowing(replace(story.facts, streams={**story.facts.streams, **streams}))


MIDTERM = ConcludeMidtermEvaluation(score=Decimal(80), result=Result.PASS)
ASSIGN = AssignSupervisor(supervisor="SUPV-2")


@pytest.mark.parametrize("seat", ["SO-LEGAL#9", "SO-PM#9", "SO-ACC#9"])
@pytest.mark.parametrize(
    ("command", "by"),
    [
        (MIDTERM, "EVAL#1"),
        (RecordSupervisionVisit(), "SUPV#1"),
        (ASSIGN, "CAB-REG#1"),
    ],
    ids=["evaluates", "supervises", "assigns"],
)
def test_nobody_decides_on_the_organisation_of_which_they_hold_a_seat(command: Command, by: str, seat: str) -> None:
    """They have done nothing on it: to hold it is enough."""
    story = beside(active(), known(seat, "ORG-1"))
    judgement = story.when_acting(command, at=JUNE, by=by, persons=[ME])
    assert judgement.refusal is not None
    assert "SD15" in {u.rule for u in judgement.refusal.unmet}
    another = beside(active(), known(seat, "ORG-77")).when_acting(command, at=JUNE, by=by, persons=[ME])
    assert another.refusal is None or "SD15" not in {u.rule for u in another.refusal.unmet}


def test_neither_maker_nor_checker_nor_approver_of_a_payment_holds_a_seat_of_who_is_paid() -> None:
    steps: tuple[tuple[Command, str], ...] = (
        (RequestDisbursement(tranche="T1", amount=7500000), "CAB-REG#1"),
        (CheckDisbursement(tranche="T1"), "CAB-FIN#1"),
        (ApproveDisbursement(tranche="T1"), "CAB-DEC#1"),
    )
    story, day = beside(contracted(), known("SO-ACC#9", "ORG-1")), "2024-06-06"
    for number, (command, by) in enumerate(steps, 1):
        story.when_acting(command, at=day, by=by, persons=[ME]).refused("SD15")
        story = story.when_acting(command, at=day, by=by, persons=[f"P-{number}"]).accepted()


def test_a_seat_of_a_partner_counts_like_the_applicants() -> None:
    story = drawn()
    expert = beside(story, known("SO-PM#9", "ORG-2"))
    expert.when_acting(sheet(), at="2023-05-10", by="EXPERT#1", persons=[ME]).refused("SD5")


def sheet() -> SubmitScore:
    return SubmitScore(application="AP-1", mark=Decimal(80))


@pytest.mark.parametrize(
    ("left", "months", "bars"),
    [
        (None, 24, True),
        ("2022-06-20", 24, True),
        ("2022-06-19", 24, False),
        ("2024-03-21", 3, True),
        ("2024-03-19", 3, False),
        ("2018-12-01", 120, False),
    ],
    ids=["held", "left 24 months ago", "a day more", "by the rules of the city", "longer ago than they say", "never"],
)
def test_a_seat_counts_until_the_recusal_period_of_the_rules_is_over(
    left: str | None, months: int, *, bars: bool
) -> None:
    """The last is a tenure that was withdrawn before it began: nobody ever sat there."""
    ends = None if left is None else on(left)
    story = beside(active(), known("SO-PM#9", "ORG-1", ends=ends))
    story = story.knowing(replace(story.facts, scheme=scheme(review={"recusal_months": months})))
    judgement = story.when_acting(ASSIGN, at=JUNE, by="CAB-REG#1", persons=[ME])
    assert (judgement.refusal is not None) is bars


def test_a_seat_that_is_yet_to_come_bars_from_nothing() -> None:
    story = beside(active(), known("SO-PM#9", "ORG-1", begins=on("2024-06-21")))
    story.when_acting(ASSIGN, at=JUNE, by="CAB-REG#1", persons=[ME]).accepted()


def test_whoever_stood_in_on_a_seat_held_it_and_whom_one_stands_in_for_is_judged_too() -> None:
    lent = beside(active(), known("SO-PM#9", "ORG-1", basis=Basis.STAND_IN))
    lent.when_acting(ASSIGN, at=JUNE, by="CAB-REG#1", persons=[ME]).refused("SD15")
    lent.when_acting(ASSIGN, at=JUNE, by="CAB-REG#1", persons=["P-3", ME]).refused("SD15")


def test_of_a_seat_on_the_wall_clock_the_live_registers_tell() -> None:
    elsewhere = beside(active(), known("SO-PM#9", "ORG-1", realm=LIVE))
    elsewhere.when_acting(ASSIGN, at=JUNE, by="CAB-REG#1", persons=[ME]).accepted()
    elsewhere.when_acting(ASSIGN, at=JUNE, by="CAB-REG#1", persons=[ME], is_live=True).refused("SD15")


def test_whoever_acts_for_the_organisation_itself_is_not_barred_by_its_seats() -> None:
    story, scope = beside(active(), known("SO-PM#1", "ORG-1")), scope_of(Role.SO_PM, "ORG-1")
    story.when_acting(RecordActivity(person_times=12), at=JUNE, by="SO-PM#1", scope=scope, persons=[ME]).accepted()
    declined = DeclineAward(reason="人手不足")
    judgement = story.when_acting(declined, at=JUNE, by="SO-LEGAL#1", scope=scope, persons=[ME])
    assert judgement.refusal is None or "SD15" not in {u.rule for u in judgement.refusal.unmet}


def test_nobody_rates_or_bans_the_organisation_of_which_they_hold_a_seat() -> None:
    story = a(ORGANISATION, "ORG-1")
    story = replace(story, state=replace(story.state, stage=OrganisationStage.VERIFIED))
    story = beside(story, known("SO-LEGAL#9", "ORG-1"))
    rating = RecordRating(level="4A", until=on("2026-01-01").date())
    story.when_acting(rating, at=JUNE, by="CAB-REG#1", persons=[ME]).refused("SD15")
    story.when_acting(rating, at=JUNE, by="CAB-REG#1", persons=["P-1"]).accepted()


# ---------------------------------------------------------------- panels


def seated(place: str, person: PersonId = ME) -> dict[StreamId, State]:
    return {k: v for k, v in known(f"EXPERT#{place}", person=person).items() if k.kind == "seat"}


def test_nobody_is_drawn_who_holds_a_seat_of_a_bidder() -> None:
    around = facts()
    story = beside(a(PANEL, "RP-1", around), {**seated("3"), **known("SO-LEGAL#9", "ORG-2")})
    story.when(DRAW, by="CAB-REG#1", at="2023-05-08").refused("SD5")
    other = beside(a(PANEL, "RP-1", around), {**seated("3"), **known("SO-LEGAL#9", "ORG-77")})
    other.when(DRAW, by="CAB-REG#1", at="2023-05-08").accepted()


def test_nobody_comes_in_as_a_substitute_who_holds_a_seat_of_a_bidder() -> None:
    story = beside(drawn(), {**seated("6"), **known("SO-LEGAL#9", "ORG-2")})
    recusal = RecuseReviewer.model_validate({"out": "E1", "in": "E6"})
    story.when(recusal, by="CAB-REG#1", at="2023-05-09").refused("SD5")
    story.when(recusal.model_copy(update={"in_": "E7"}), by="CAB-REG#1", at="2023-05-09").accepted()


def test_whoever_draws_the_panel_holds_no_seat_of_a_bidder_either() -> None:
    story = beside(a(PANEL, "RP-1", facts()), known("SO-LEGAL#9", "ORG-1"))
    story.when_acting(DRAW, by="CAB-REG#1", at="2023-05-08", persons=[ME]).refused("SD5")


def test_a_reviewer_with_a_stake_may_say_so() -> None:
    story = beside(drawn(), known("SO-PM#9", "ORG-1"))
    stake = DeclareConflict(organisation="ORG-1", kind=ConflictKind.EMPLOYMENT_24M)
    story.when_acting(stake, at="2023-05-09", by="EXPERT#1", persons=[ME]).accepted()


# ---------------------------------------------------------------- approvals that services ask for


def test_nobody_approves_a_payment_to_the_organisation_of_which_they_hold_a_seat() -> None:
    command = OpenApproval(
        title="撥付", payee="ORG-1", groups=(Approvers(roles=(Role.CAB_DEC,), needed=1, title="領導"),)
    )
    story = a(APPROVAL, "AV-1").when_acting(command, at=JUNE, by="CAB-FIN#1", persons=["P-1"]).accepted()
    story = beside(story, known("SO-ACC#9", "ORG-1"))
    bound = story.state.approvals[0].content
    votes = (GrantApproval(digest=bound), DeclineApproval(digest=bound, reason="不符"))
    for vote in votes:
        judgement = story.when_acting(vote, at=JUNE, by="CAB-DEC#1", persons=[ME])
        assert "SD15" in {u.rule for u in judgement.refusal.unmet} if judgement.refusal else False
        free = story.when_acting(vote, at=JUNE, by="CAB-DEC#1", persons=["P-2"])
        assert free.refusal is None, free.refusal


# ---------------------------------------------------------------- what is read for it


def test_it_is_read_step_by_step_and_of_strangers_to_it_nothing() -> None:
    """First the person, then only those of their seats that may be a stake; nothing where no person is known."""
    story = active()
    registers = known("SO-PM#9", "ORG-1")
    order = story.when_acting(ASSIGN, at=JUNE, by="CAB-REG#1", persons=[ME]).order
    seen = story.facts
    rounds = []
    while more := story.aggregate.reads_on(story.state, seen, order):
        rounds.append(sorted(more))
        seen = replace(seen, streams={**seen.streams, **{s: registers.get(s, State(s)) for s in more}})
    assert rounds == [["person/test/P-9"], ["seat/test/SO-PM.9"]]
    bare = replace(order, persons=frozenset())
    assert not story.aggregate.reads_on(story.state, story.facts, bare)
    impartial = require_impartial("SD15", lambda _order, _state, _facts: frozenset())
    assert not impartial.reads(order, story.state, Facts()).streams


def test_the_refusal_names_the_organisation_to_whoever_serves_it_and_no_person() -> None:
    story = beside(active(), known("SO-PM#9", "ORG-1"))
    refusal = story.when_acting(ASSIGN, at=JUNE, by="CAB-REG#1", persons=[ME]).refusal
    assert isinstance(refusal, CommandRejected)
    (unmet,) = refusal.unmet
    assert "ORG-1" in unmet.zh
    assert "24" in unmet.en
    assert ME not in unmet.zh + unmet.en


@pytest.mark.parametrize("realm", ["test", LIVE])
def test_a_draw_on_the_wall_clock_asks_the_live_registers_in_whatever_realm(realm: str) -> None:
    """In a realm gone live too: nobody sits on E1; E2 holds a seat of a bidder; E3 to E7 are persons of their own."""
    around = facts()
    files = {state.stream.name: state for state in around.streams.values()}
    moved = [replace(f, stream=StreamId.of(f.stream.kind, realm, name)) for name, f in files.items()]
    streams = {file.stream: file for file in moved}
    pool = tuple(f"E{n}" for n in range(1, 8))
    roster = StreamId.of("roster", realm, "ER-1")
    streams[roster] = replace(State(roster), version=1).with_parts(Roster(experts=frozenset(pool)))
    for number in range(2, 8):
        seat = known(f"EXPERT#{number}", person=ME if number == 2 else PersonId(f"P-{100 + number}"), realm=LIVE)
        streams |= {k: v for k, v in seat.items() if k.kind == "seat"}
    streams |= known("SO-LEGAL#9", "ORG-2", realm=LIVE)
    story = a(PANEL, "RP-1", replace(around, streams=streams), realm)
    seed = "5eed" * 16
    commit = CommitDraw(
        round="R-1",
        applications=("AP-1",),
        roster="ER-1",
        places=5,
        commitment=commitment_to(seed),
        public_source="開獎號碼",
        public_at=on("2023-05-09"),
    )
    for command, day in ((commit, "2023-05-08"), (OpenDraw(seed=seed, public_value="07"), "2023-05-10")):
        story = story.when_acting(command, at=day, by="CAB-REG#1", persons=["P-1"], is_live=True).accepted()
    opening = story.state.part(Panel).opening
    assert opening is not None
    assert set(story.state.part(Panel).seated) == {"E3", "E4", "E5", "E6", "E7"}
    last = max(opening.ranking.index(one) for one in story.state.part(Panel).seated)
    barred = {one: rule for one, rule in (("E1", "RP01"), ("E2", "SD5")) if opening.ranking.index(one) < last}
    assert opening.passed_over == barred
