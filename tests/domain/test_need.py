"""A need from its submission to its adoption, rejection, merger or split."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from domain.kernel.state import SchemeRef
from domain.need import (
    AbsorbNeed,
    AdoptNeed,
    EndorseNeed,
    MergeNeed,
    Need,
    RejectNeed,
    SplitNeed,
    SubmitNeed,
)
from domain.round.plan import OpenNeedSolicitation
from tests.domain.pure_realm import PureRealm, new_realm

LACK = SubmitNeed(round="R-1", group="空巢老人")
OFFICE = {"at": "2023-03-20", "by": "CAB-REG#1"}
OPENING = OpenNeedSolicitation(scheme=SchemeRef(name="fuzhou", version=1), year=2023)


def soliciting() -> PureRealm:
    """A realm that asks for needs until the end of 2023-03-20."""
    realm = new_realm()
    realm.order("round", "R-1", OPENING, at="2023-03-06", by="CAB-REG#1")
    return realm


def submitted(*names: str) -> PureRealm:
    realm = soliciting()
    for name in names or ("ND-1",):
        realm.order("need", name, LACK, at="2023-03-15", by="COMM#1")
    return realm


def need(realm: PureRealm, name: str = "ND-1") -> Need:
    return realm.state("need", name).part(Need)


def test_anybody_of_the_public_says_what_is_lacking() -> None:
    for by in ("PUBLIC#1", "COMM#1", "DCAB#1"):
        realm = soliciting()
        realm.order("need", "ND-1", LACK, at="2023-03-15", by=by)
        assert realm.state("need", "ND-1").stage == "SUBMITTED"
        assert str(need(realm).proposer) == by


def test_an_organisation_does_not() -> None:
    assert soliciting().refused("need", "ND-1", LACK, at="2023-03-15", by="SO-LEGAL#1") == {"ND01"}


def test_a_need_is_taken_until_the_end_of_the_last_working_day() -> None:
    soliciting().order("need", "ND-1", LACK, at="2023-03-20T23:59:59+08:00", by="COMM#1")
    late = soliciting()
    (unmet,) = late.unmet("need", "ND-1", LACK, at="2023-03-21T00:00:00+08:00", by="COMM#1")
    assert (unmet.rule, unmet.en) == ("D1", "needs were collected until 2023-03-20 24:00")


def test_no_need_is_taken_by_a_round_that_asks_for_none() -> None:
    assert new_realm().refused("need", "ND-1", LACK, at="2023-03-15", by="COMM#1") == {"ND01"}


def test_a_need_is_submitted_once() -> None:
    assert submitted().refused("need", "ND-1", LACK, at="2023-03-16", by="COMM#2") == {"ND01"}


def test_a_person_endorses_it_once_and_not_ones_own() -> None:
    realm = submitted()
    endorsement = EndorseNeed(resources=("場地",))
    assert realm.refused("need", "ND-1", endorsement, at="2023-03-16", by="COMM#1") == {"ND02"}
    realm.order("need", "ND-1", endorsement, at="2023-03-16", by="PUBLIC#1")
    assert realm.refused("need", "ND-1", endorsement, at="2023-03-17", by="PUBLIC#1") == {"ND02"}
    realm.order("need", "ND-1", endorsement, at="2023-03-17", by="PUBLIC#2")
    assert set(map(str, need(realm).endorsers)) == {"PUBLIC#1", "PUBLIC#2"}
    assert need(realm).resources == ("場地", "場地")


def test_an_adopted_need_stays_adopted() -> None:
    realm = submitted()
    realm.order("need", "ND-1", AdoptNeed(theme="老有所養"), **OFFICE)
    assert realm.state("need", "ND-1").stage == "ADOPTED"
    assert need(realm).theme == "老有所養"
    assert realm.refused("need", "ND-1", RejectNeed(reason="重複"), **OFFICE) == {"ND04"}


def test_a_rejection_says_why() -> None:
    realm = submitted()
    realm.order("need", "ND-1", RejectNeed(reason="不屬民政"), **OFFICE)
    assert realm.state("need", "ND-1").stage == "REJECTED"
    with pytest.raises(ValidationError):
        RejectNeed(reason=" ")


def test_only_the_case_officer_decides() -> None:
    assert submitted().refused("need", "ND-1", AdoptNeed(), at="2023-03-20", by="COMM#1") == {"ND03"}


def test_merging_links_both_ways() -> None:
    realm = submitted("ND-1", "ND-2")
    assert realm.refused("need", "ND-1", MergeNeed(into="ND-2"), **OFFICE) == {"ND06"}
    realm.order("need", "ND-2", AbsorbNeed(other="ND-1"), **OFFICE)
    realm.order("need", "ND-1", MergeNeed(into="ND-2"), **OFFICE)
    assert realm.state("need", "ND-1").stage == "MERGED"
    assert need(realm).into == ("ND-2",)
    assert need(realm, "ND-2").absorbed == ("ND-1",)
    realm.order("need", "ND-2", AdoptNeed(), **OFFICE)


def test_only_an_undecided_need_of_the_round_is_absorbed() -> None:
    realm = submitted("ND-1", "ND-2")
    assert realm.refused("need", "ND-1", AbsorbNeed(other="ND-1"), **OFFICE) == {"ND05"}
    assert realm.refused("need", "ND-1", AbsorbNeed(other="ND-9"), **OFFICE) == {"ND05"}
    realm.order("need", "ND-2", RejectNeed(reason="重複"), **OFFICE)
    assert realm.refused("need", "ND-1", AbsorbNeed(other="ND-2"), **OFFICE) == {"ND05"}


def test_a_need_of_another_round_is_not_absorbed() -> None:
    realm = submitted()
    another = OPENING.model_copy(update={"level": "DISTRICT"})
    realm.order("round", "R-2", another, at="2023-03-15", by="CAB-REG#1")
    realm.order("need", "ND-3", LACK.model_copy(update={"round": "R-2"}), at="2023-03-16", by="COMM#1")
    assert realm.refused("need", "ND-1", AbsorbNeed(other="ND-3"), at="2023-03-17", by="CAB-REG#1") == {"ND05"}


def test_splitting_links_both_ways_and_the_window_does_not_bind_the_parts() -> None:
    realm = submitted()
    assert realm.refused("need", "ND-1", SplitNeed(into=("ND-2", "ND-3")), **OFFICE) == {"ND07"}
    part = LACK.model_copy(update={"split_from": "ND-1"})
    for name in ("ND-2", "ND-3"):
        realm.order("need", name, part, at="2023-04-10", by="DCAB#1")
    realm.order("need", "ND-1", SplitNeed(into=("ND-2", "ND-3")), at="2023-04-11", by="CAB-REG#1")
    assert realm.state("need", "ND-1").stage == "SPLIT"
    assert need(realm).into == ("ND-2", "ND-3")
    assert need(realm, "ND-2").split_from == "ND-1"


def test_a_decided_need_has_no_parts() -> None:
    realm = submitted()
    realm.order("need", "ND-1", AdoptNeed(), **OFFICE)
    part = LACK.model_copy(update={"split_from": "ND-1"})
    assert realm.refused("need", "ND-2", part, at="2023-04-10", by="DCAB#1") == {"ND01"}
