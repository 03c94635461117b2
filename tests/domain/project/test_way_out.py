"""From every state that a project can be in, the office can bring it to an end: no money and no file stays stuck.

States come from lives of random orders, before an award and after one; from each the same plain hand leads out. It asks
for what the rules want at that stage and lets time pass, and never needs more than the rules give.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.kernel.identifier import Role
from domain.project.award import RevocationGround, RevokeAward
from domain.project.bidding import WithdrawApplication
from domain.project.closeout import ArchiveProject, CloseProject, ReturnSurplus
from domain.project.delivery import ActivityRecord, Delivery
from domain.project.disbursement import CancelTranche
from domain.project.evaluation import IssueAuditOpinion, Opinion
from domain.project.money import Money
from domain.project.stage import Stage
from domain.project.termination import (
    InitiateTermination,
    OrderClawback,
    ReceiveClawback,
    TerminateProject,
    outstanding,
    unjustified,
)
from domain.project.tranches import Tranches
from tests.domain.project.life import AGAINST, INDEX, awarded
from tests.domain.project.test_any_order import LedgerWalk, walked
from tests.domain.project.test_award import PROPOSAL, objected, posted, shortlisted
from tests.domain.pure_realm import EVIDENCE
from tests.domain.sentences import StreamStory, on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.kernel.message import Command
    from domain.kernel.state import State

MOST_ORDERS = 40
"""More than this is no way out but wandering."""


def way_out(state: State) -> Iterator[Command]:
    """What leads one step nearer to the end from here: the first that is accepted is taken."""
    match state.stage:
        case Stage.DRAFTED | Stage.APPLIED | Stage.RETURNED | Stage.SHORTLISTED:
            yield WithdrawApplication()
        case Stage.PROPOSED | Stage.IN_PUBLICITY | Stage.OBJECTION_HOLD | Stage.AWARDED:
            yield RevokeAward(ground=RevocationGround.BUDGET_WITHDRAWN, reason="預算撤回", attachments=EVIDENCE)
        case Stage.CONTRACTED | Stage.ACTIVE | Stage.RECTIFYING | Stage.SUSPENDED | Stage.FINAL_REVIEW:
            yield InitiateTermination(ground="終止", attachments=EVIDENCE)
        case Stage.TERMINATING:
            yield from settle(state)
            yield TerminateProject(**AGAINST)
        case Stage.SETTLEMENT:
            yield from settle(state)
            yield CloseProject()
        case Stage.CLOSED | Stage.TERMINATED | Stage.REVOKED | Stage.WITHDRAWN:
            if outstanding(state):
                yield ReceiveClawback(amount=outstanding(state))
            yield ArchiveProject(index=INDEX)
        case _:
            raise AssertionError(state.stage)


def settle(state: State) -> Iterator[Command]:
    """Audit, cancel what is unpaid, and take back what may not be kept."""
    money = state.part(Money)
    if money.audited is None:
        yield IssueAuditOpinion(opinion=Opinion.UNQUALIFIED, eligible=0, auditor="ORG-A9")
    for name, tranche in state.part(Tranches).of.items():
        if not tranche.is_settled:
            yield CancelTranche(tranche=name, amount=max(tranche.remainder, 1), **AGAINST)
    if outstanding(state):
        yield ReceiveClawback(amount=outstanding(state))
    if unjustified(state):
        yield OrderClawback(amount=unjustified(state), **AGAINST)
        yield ReturnSurplus(amount=unjustified(state))


def step_out(story: StreamStory, at: str) -> StreamStory | None:
    """The story after the first order of the way out that is accepted now; None if none is."""
    for command in way_out(story.state):
        by = "SO-LEGAL#1" if Role.SO_LEGAL in command.by else f"{command.by[0]}#1"
        judgement = story.when(command, at=at, by=by)
        if judgement.refusal is None:
            return judgement.accepted()
    return None


def lead_out(story: StreamStory) -> str:
    """Where it ends, by the way out alone; while a hearing runs, ten days pass."""
    at = (story.state.since or on("2024-05-13")) + timedelta(days=1)
    for _ in range(MOST_ORDERS):
        while (due := story.due()) is not None and due.at <= at:
            story = story.lapsed()
        if story.state.stage == Stage.ARCHIVED:
            return str(story.state.stage)
        after = step_out(story, at.isoformat())
        if after is None:
            assert story.state.stage == Stage.TERMINATING, f"no way out of {story.state.stage}"
            at += timedelta(days=10)
        story = after or story
        at += timedelta(minutes=1)
    raise AssertionError(story.state.stage)


def stands(walk: LedgerWalk) -> StreamStory:
    """The life as it stands, its year after included."""
    return StreamStory(walk.aggregate, walk.state, walk.facts)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10_000), orders=st.integers(0, 120))
def test_every_signed_project_can_be_brought_to_an_end(seed: int, orders: int) -> None:
    assert lead_out(stands(walked(seed, orders=orders))) == "ARCHIVED"


@pytest.mark.release
@settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10_000_000), orders=st.integers(0, 120))
def test_every_signed_project_can_be_brought_to_an_end_from_wherever_it_stands(seed: int, orders: int) -> None:
    assert lead_out(stands(walked(seed, orders=orders))) == "ARCHIVED"


PROPOSED = shortlisted().ordered(PROPOSAL, at="2024-05-13", by="CAB-REG#1")


@pytest.mark.parametrize(
    "story", [shortlisted(), PROPOSED, posted(), objected(), awarded()], ids=lambda s: s.state.stage
)
def test_every_bid_and_award_can_be_brought_to_an_end(story: StreamStory) -> None:
    assert lead_out(story) == "ARCHIVED"


def test_a_team_that_was_struck_out_by_mistake_can_be_put_back() -> None:
    """After the final evaluation nothing new is recorded, so a struck activity must be able to count again (Z1)."""
    records = Delivery(teams={"銀齡隊": 9}, activities={7: ActivityRecord(date(2024, 8, 1), 30, "銀齡隊")})
    struck = records.correct(7, strike=True, person_times=None, amount=None)
    assert struck.standing_months == 0
    again = struck.correct(7, strike=False, person_times=30, amount=None)
    assert (again.standing_months, again.person_times) == (1, 30)
