"""A round: its setup, its windows, its call."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from domain.kernel.effects import Claim
from domain.kernel.identifier import StreamId
from domain.kernel.refusal import Checks
from domain.kernel.scheme import RoundLevel, Route
from domain.kernel.state import SchemeRef
from domain.need import AdoptNeed, SubmitNeed
from domain.registers.scheme import PublishPolicyPack
from domain.round.aggregate import ROUND
from domain.round.call import AmendCall, CancelCall, CloseCall, PublishCall, require_open
from domain.round.plan import (
    GRACE,
    ApproveRoundBudget,
    CloseNeedSolicitation,
    OpenNeedSolicitation,
    PublishNeedCatalogue,
    Round,
)
from domain.round.results import PublishResult
from tests.domain.pure_realm import EVIDENCE, PureRealm, new_realm, scheme

FZ = SchemeRef(name="fuzhou", version=1)
REG = {"by": "CAB-REG#1"}
YEAR = {"scheme": FZ, "year": 2023}
FIVE = "2023-04-21T17:00:00+08:00"


def called(deadline: str | None = FIVE) -> PureRealm:
    realm = new_realm()
    realm.order("round", "R-1", PublishCall(**YEAR, deadline=deadline), at="2023-04-03", **REG)
    return realm


def stage(realm: PureRealm, name: str = "R-1") -> str:
    return str(realm.state("round", name).stage)


# ---------------------------------------------------------------- setup


@pytest.mark.parametrize("command", [ApproveRoundBudget(amount=100), OpenNeedSolicitation(), PublishCall()])
def test_the_first_event_of_a_round_names_its_rules(
    command: ApproveRoundBudget | OpenNeedSolicitation | PublishCall,
) -> None:
    by = "FISCAL#1" if isinstance(command, ApproveRoundBudget) else "CAB-REG#1"
    realm = new_realm()
    assert realm.refused("round", "R-1", command, at="2023-03-01", by=by) == {"S1"}
    realm.order("round", "R-1", command.model_copy(update=YEAR), at="2023-03-01", by=by)
    state = realm.state("round", "R-1")
    assert state.scheme == FZ
    assert state.part(Round).year == 2023
    assert state.part(Round).route is Route.GRANT
    assert state.part(Round).level is RoundLevel.MUNICIPAL


def test_rules_must_be_published_and_in_effect() -> None:
    unpublished = PublishCall(scheme=SchemeRef(name="fuzhou", version=2), year=2023)
    assert new_realm().refused("round", "R-1", unpublished, at="2023-04-03", **REG) == {"S1"}
    realm = new_realm(scheme(effective="2023-06-01"))
    assert realm.refused("round", "R-1", PublishCall(**YEAR), at="2023-04-03", **REG) == {"S1"}
    realm.order("round", "R-1", PublishCall(**YEAR), at="2023-06-01", **REG)


def test_the_year_is_named() -> None:
    assert new_realm().refused("round", "R-1", PublishCall(scheme=FZ), at="2023-04-03", **REG) == {"H1"}


def test_a_city_has_one_municipal_round_a_year() -> None:
    realm = called()
    assert realm.claims["municipal-round/test/fuzhou/2023"] == {"round/test/R-1"}
    assert realm.refused("round", "R-2", PublishCall(**YEAR), at="2023-04-04", **REG) == {"H1"}
    realm.order("round", "R-2", PublishCall(**YEAR, level=RoundLevel.DISTRICT), at="2023-04-04", **REG)
    realm.order("round", "R-3", PublishCall(scheme=FZ, year=2024), at="2023-04-04", **REG)


def test_what_a_round_is_does_not_change() -> None:
    realm = new_realm()
    realm.order("round", "R-1", ApproveRoundBudget(**YEAR, amount=100), at="2023-03-01", by="FISCAL#1")
    assert realm.refused("round", "R-1", PublishCall(year=2024), at="2023-04-03", **REG) == {"H1"}
    (event,) = realm.order("round", "R-1", PublishCall(**YEAR), at="2023-04-03", **REG)
    assert not list(event.effects(StreamId("round/test/R-1"))), "its place was taken at the first event"


def test_the_first_event_takes_the_years_place() -> None:
    (event,) = new_realm().order("round", "R-1", PublishCall(**YEAR), at="2023-04-03", **REG)
    stream = StreamId("round/test/R-1")
    assert list(event.effects(stream)) == [Claim("municipal-round/test/fuzhou/2023", stream)]


# ---------------------------------------------------------------- budget and needs


def test_the_shares_of_a_budget_add_up_and_their_funds_are_registered() -> None:
    realm = new_realm(FS_LOT=100)
    whole = ApproveRoundBudget(**YEAR, amount=100, funds={"FS-LOT": 100})
    assert realm.refused("round", "R-1", whole.model_copy(update={"amount": 99}), at="2023-03-01", by="FISCAL#1") == {
        "M5"
    }
    unknown = whole.model_copy(update={"funds": {"FS-X": 100}})
    assert realm.refused("round", "R-1", unknown, at="2023-03-01", by="FISCAL#1") == {"M5"}
    realm.order("round", "R-1", whole, at="2023-03-01", by="FISCAL#1")
    assert stage(realm) == "PLANNED"
    realm.order("round", "R-1", ApproveRoundBudget(amount=90), at="2023-03-02", by="FISCAL#1")
    assert realm.state("round", "R-1").part(Round).budget == 90


def test_the_need_window_closes_by_itself_at_the_end_of_its_last_working_day() -> None:
    realm = new_realm()
    realm.order("round", "R-1", OpenNeedSolicitation(**YEAR), at="2023-03-06", **REG)
    due = ROUND.due(realm.state("round", "R-1"), realm.calendar)
    assert due is not None
    assert (due.at, due.command, due.grace) == (datetime(2023, 3, 20, 16, tzinfo=UTC), CloseNeedSolicitation(), GRACE)
    realm.pass_time(due.at)
    assert stage(realm) == "COLLECTED"
    assert ROUND.due(realm.state("round", "R-1"), realm.calendar) is None


def test_the_window_is_not_closed_by_hand_nor_early() -> None:
    realm = new_realm()
    realm.order("round", "R-1", OpenNeedSolicitation(**YEAR), at="2023-03-06", **REG)
    assert realm.refused("round", "R-1", CloseNeedSolicitation(), at="2023-03-07", by="SYS#1") == {"RD04"}
    assert realm.refused("round", "R-1", CloseNeedSolicitation(), at="2023-03-07", **REG) == {"RD04"}


def test_the_catalogue_lists_adopted_needs() -> None:
    realm = new_realm()
    realm.order("round", "R-1", OpenNeedSolicitation(**YEAR), at="2023-03-06", **REG)
    realm.order("need", "ND-1", SubmitNeed(round="R-1", group="老人"), at="2023-03-07", by="COMM#1")
    catalogue = PublishNeedCatalogue(needs=("ND-1",))
    assert realm.refused("round", "R-1", catalogue, at="2023-03-08", **REG) == {"RD05"}
    assert realm.refused("round", "R-1", catalogue, at="2023-03-21", **REG) == {"RD05"}
    realm.order("need", "ND-1", AdoptNeed(), at="2023-03-21", **REG)
    realm.order("round", "R-1", catalogue, at="2023-03-21", **REG)
    assert realm.state("round", "R-1").part(Round).catalogue == frozenset({"ND-1"})
    realm.order("round", "R-1", PublishCall(), at="2023-03-22", **REG)


def test_no_call_while_needs_are_still_taken() -> None:
    realm = new_realm()
    realm.order("round", "R-1", OpenNeedSolicitation(**YEAR), at="2023-03-06", **REG)
    assert realm.refused("round", "R-1", PublishCall(), at="2023-03-08", **REG) == {"RD06"}


# ---------------------------------------------------------------- the call


def test_a_call_closes_at_the_instant_that_it_names() -> None:
    realm = called()
    due = ROUND.due(realm.state("round", "R-1"), realm.calendar)
    assert due is not None
    assert (due.at, due.command, due.grace) == (datetime(2023, 4, 21, 9, tzinfo=UTC), CloseCall(), GRACE)
    realm.pass_time(due.at)
    assert stage(realm) == "CLOSED"
    assert realm.state("round", "R-1").since == due.at


def test_a_call_that_names_none_counts_working_days_with_make_up_weekends() -> None:
    realm = called(None)
    due = ROUND.due(realm.state("round", "R-1"), realm.calendar)
    assert due is not None
    assert due.at == datetime(2023, 4, 23, 16, tzinfo=UTC), "2023-04-05 is off, Sunday 2023-04-23 is worked"


def test_a_deadline_lies_ahead() -> None:
    past = PublishCall(**YEAR, deadline="2023-04-03T09:00:00+08:00")
    assert new_realm().refused("round", "R-1", past, at="2023-04-03", **REG) == {"D1", "RD06"}
    with pytest.raises(ValidationError):
        PublishCall(deadline="2023-04-21T17:00:00")


def test_a_call_does_not_close_early() -> None:
    assert called().refused("round", "R-1", CloseCall(), at="2023-04-20", by="SYS#1") == {"RD08"}


def test_a_call_that_ends_with_a_day_ends_at_24_00_of_it_and_what_came_later_is_told_by_the_second() -> None:
    midnight = "2023-04-22T00:00:00+08:00"
    (early,) = called(midnight).unmet("round", "R-1", CloseCall(), at="2023-04-20", by="SYS#1")
    assert early.en == "applications are accepted until 2023-04-21 24:00:00"
    realm, check = called(midnight), Checks()
    require_open(check, realm.state("round", "R-1"), realm.calendar, datetime(2023, 4, 21, 16, tzinfo=UTC), "D1")
    assert [one.en for one in check.unmet] == [
        "applications closed at 2023-04-21 24:00:00; this one arrived at 2023-04-22 00:00:00"
    ]


def test_a_call_is_amended_before_its_deadline_only() -> None:
    later = AmendCall(reason="延期", deadline="2023-04-28T17:00:00+08:00")
    realm = called()
    realm.order("round", "R-1", later, at="2023-04-21T16:59:59+08:00", **REG)
    realm.pass_time(datetime(2023, 4, 27, tzinfo=UTC))
    assert stage(realm) == "OPEN"
    assert called().refused("round", "R-1", later, at=FIVE, **REG) == {"D1", "RD07"}


def test_an_amended_deadline_lies_ahead() -> None:
    earlier = AmendCall(reason="更正", deadline="2023-04-04T09:00:00+08:00")
    assert called().refused("round", "R-1", earlier, at="2023-04-10", **REG) == {"D1", "RD07"}


def test_an_amendment_never_shortens_the_call() -> None:
    earlier = AmendCall(reason="更正", deadline="2023-04-21T16:59:59+08:00")
    assert called().refused("round", "R-1", earlier, at="2023-04-10", **REG) == {"RD07"}


def test_a_call_is_not_shorter_than_the_schemes_window_unless_the_scheme_allows_it() -> None:
    short = PublishCall(**YEAR, deadline="2023-04-20T17:00:00+08:00")
    assert new_realm().refused("round", "R-1", short, at="2023-04-03", **REG) == {"RD06"}
    new_realm(scheme(bidding={"shorter_call": True})).order("round", "R-1", short, at="2023-04-03", **REG)


def test_an_amended_call_may_name_other_published_rules() -> None:
    realm = called()
    other = AmendCall(reason="辦法修訂", scheme=SchemeRef(name="fuzhou", version=2))
    assert realm.refused("round", "R-1", other, at="2023-04-10", **REG) == {"S1"}
    second = scheme().model_copy(update={"version": 2})
    realm.order("scheme", "fuzhou", PublishPolicyPack(scheme=second), at="2023-04-10", by="CAB-DEC#1")
    assert realm.state("round", "R-1").scheme == FZ, "rules are pinned"
    realm.order("round", "R-1", other, at="2023-04-10", **REG)
    assert realm.state("round", "R-1").scheme == SchemeRef(name="fuzhou", version=2)


def test_a_round_is_given_up_by_the_decision_meeting_with_evidence() -> None:
    given_up = CancelCall(reason="預算收回", attachments=EVIDENCE)
    realm = called()
    assert realm.refused("round", "R-1", given_up, at="2023-04-10", **REG) == {"RD09"}
    realm.order("round", "R-1", given_up, at="2023-04-10", by="CAB-DEC#1")
    assert stage(realm) == "CANCELLED"
    assert ROUND.due(realm.state("round", "R-1"), realm.calendar) is None
    with pytest.raises(ValidationError):
        CancelCall(reason="預算收回", attachments=())


def test_results_are_published_once_the_call_has_closed_and_again() -> None:
    realm = called()
    assert realm.refused("round", "R-1", PublishResult(), at="2023-04-10", **REG) == {"RD11"}
    realm.order("round", "R-1", PublishResult(), at="2023-06-10", **REG)
    realm.order("round", "R-1", PublishResult(where="市民政局網站"), at="2024-06-10", **REG)
    assert stage(realm) == "PUBLISHED"
