"""Files of before 0.2.0 count in today's budgets, years and counts, though their events say nothing of them."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from domain.project.award import AwardProposed, DeclineAward, RevocationGround, RevokeAward
from domain.project.bidding import LeaveApplicationOut, ReturnApplication, WithdrawApplication
from domain.project.disbursement import CancelTranche
from domain.round.budget import LATER
from domain.round.results import PublishResult
from tests.domain.pure_realm import EVIDENCE, PureRealm, scheme
from tests.domain.test_budget import propose, refused, world
from tests.domain.written_realm import AWARD, bid, project, realm_until, steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.kernel.facts import Facts
    from domain.kernel.identifier import StreamId
    from domain.kernel.message import Command
    from tests.domain.written_realm import WrittenRealm


@contextmanager
def before() -> Iterator[None]:
    """Decide as it was decided before 0.2.0: nothing is asked of keys and accounts that nobody knew yet."""
    asked_today = PureRealm.facts

    def ask(realm: PureRealm, stream: StreamId, command: Command) -> Facts:
        facts = asked_today(realm, stream, command)
        return replace(facts, unasked=frozenset(k for k in (*facts.claims, *facts.balances) if k.startswith(LATER)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PureRealm, "facts", ask)
        yield


def realm_of_before(fen: int = 2_000) -> PureRealm:
    """A round with a budget of 3,000, of which so much went to BASE-M1 before anybody charged the budget for it."""
    realm = world()
    with before():
        assert propose(realm, 1, fen).charge is None
    return realm


def round_of_before(last: str) -> WrittenRealm:
    """The common story up to that step, as it was decided before."""
    with before():
        realm = realm_until(last)
    assert all(e.charge is None for _, e in realm.log if isinstance(e, AwardProposed))
    return realm


def decline(realm: PureRealm) -> None:
    realm.order("project", "PJ-1", DeclineAward(reason="人手不足"), at="2024-02-26", by="SO-LEGAL#1")


# ---------------------------------------------------------------- the budget of a round


def test_an_award_of_before_takes_its_part_of_the_budget() -> None:
    realm = realm_of_before()
    assert refused(realm, 2, 1_001, "BASE-D1") == {"C2"}
    propose(realm, 2, 1_000, "BASE-D1")
    assert (realm.balances["awarded/test/R-1"], realm.balances["budget/test/R-1"]) == (3_000, 0)


def test_an_award_of_before_that_is_given_up_leaves_its_part_to_others() -> None:
    realm = realm_of_before()
    propose(realm, 2, 1_000, "BASE-D1")
    decline(realm)
    assert (realm.balances["awarded/test/R-1"], realm.balances["budget/test/R-1"]) == (1_000, 2_000)
    assert refused(realm, 3, 2_001) == {"C2"}
    propose(realm, 3, 2_000)


def test_one_that_was_given_up_before_takes_nothing() -> None:
    realm = realm_of_before()
    with before():
        decline(realm)
    propose(realm, 3, 3_000)


def test_one_that_is_taken_back_leaves_its_part_too() -> None:
    realm = realm_of_before(3_000)
    revoke = RevokeAward(ground=RevocationGround.FALSE_STATEMENT, reason="不實", attachments=EVIDENCE)
    realm.order("project", "PJ-1", revoke, at="2024-02-26", by="CAB-DEC#1")
    propose(realm, 2, 3_000)


def test_a_tranche_that_is_cancelled_is_the_budgets_again() -> None:
    realm = round_of_before("account")
    cancel = CancelTranche(tranche="T3", amount=250_000, reason="見附件", attachments=EVIDENCE)
    project(cancel, "2024-04-02", "CAB-DEC#1").ordered(realm)
    assert realm.balances["awarded/test/R-1"] == AWARD - 250_000


# ---------------------------------------------------------------- the year of a base


def test_a_base_that_was_supported_before_has_had_its_support_of_the_year() -> None:
    realm = realm_of_before()
    assert refused(realm, 2, 100) == {"C3"}
    decline(realm)
    propose(realm, 2, 100)


# ---------------------------------------------------------------- the bids that wait


def test_results_wait_for_the_bids_of_before() -> None:
    realm = round_of_before("report")
    assert realm.balances["undecided/test/R-1"] == 2
    assert "RD11" in realm.refused("round", "R-1", PublishResult(), at="2024-03-09", by="CAB-REG#1")
    for name in ("AP-1", "AP-2"):
        project(LeaveApplicationOut(reason="見評審報告"), "2024-03-11", "CAB-REG#1", name).ordered(realm)
    realm.order("round", "R-1", PublishResult(), at="2024-03-12", by="CAB-REG#1")


def test_a_bid_of_before_is_decided_when_its_award_is_confirmed_or_it_is_withdrawn() -> None:
    realm = round_of_before("posted")
    rest = dict(steps(scheme("hangzhou")))
    rest["confirmed"].ordered(realm)
    assert realm.balances["undecided/test/R-1"] == 1
    project(WithdrawApplication(reason="人手不足"), "2024-03-20", "SO-LEGAL#2", "AP-2").ordered(realm)
    assert realm.balances["undecided/test/R-1"] == 0


def test_a_bid_of_before_that_is_completed_today_counts_once() -> None:
    realm = round_of_before("bid 1")
    project(ReturnApplication(reason="缺章程"), "2024-02-21", "HOST#1").ordered(realm)
    assert realm.balances["undecided/test/R-1"] == 1
    project(bid("ORG-1"), "2024-02-22", "SO-LEGAL#1").ordered(realm)
    assert realm.balances["undecided/test/R-1"] == 1
    project(WithdrawApplication(reason="人手不足"), "2024-02-23", "SO-LEGAL#1").ordered(realm)
    assert realm.balances["undecided/test/R-1"] == 0
