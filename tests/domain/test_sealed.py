"""Sealed bids: committed to before the close, opened by m of n custodians, shown as sealed (SB01–SB05, D9)."""

from __future__ import annotations

import re
import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from domain.kernel.canonical import plain
from domain.project.bidding import Bid, DraftApplication, PassPreliminaryReview, SubmitApplication
from domain.project.seal import commit
from domain.project.sealing import SealApplication
from domain.round.custody import AppointCustodians, ReleaseSeal
from tests.domain.pure_realm import scheme
from tests.domain.sentences import on
from tests.domain.written_realm import Step, WrittenRealm, bid, check, project, realm_until

SEALED = scheme("hangzhou", bidding={"sealed": {"custodians": 3, "quorum": 2, "open_wd": 1}})
"""The call of 1 February 2024 closes with 26 February."""
NONCE = "5f" * 16
SEATS = ("CAB-REG#1", "CAB-FIN#1", "CAB-DEC#1")
BIDDER = "SO-LEGAL#1"


def application(**other: object) -> SubmitApplication:
    return bid("ORG-1", nonce=NONCE, **other)


def commitment(**other: object) -> str:
    known = {name: value for name, value in plain(application(**other)).items() if name in Bid.model_fields}
    return commit(known, NONCE)


def appointing(*seats: str) -> Step:
    return Step("round", "R-1", AppointCustodians.model_validate({"custodians": seats}), "2024-02-02", "CAB-DEC#1")


def sealing(day: str = "2024-02-20", digest: str = "", name: str = "AP-1") -> Step:
    seal = SealApplication(round="R-1", organisation="ORG-1", digest=digest or commitment())
    return project(seal, day, BIDDER, name)


def releasing(seat: str, day: str = "2024-02-27") -> Step:
    return Step("round", "R-1", ReleaseSeal(), day, seat)


def handing_in(day: str = "2024-02-28", **other: object) -> Step:
    return project(application(**other), day, BIDDER)


def called() -> WrittenRealm:
    realm = realm_until("call", SEALED)
    appointing(*SEATS).ordered(realm)
    return realm


def closed() -> WrittenRealm:
    """One bid sealed, and the call over."""
    realm = called()
    sealing().ordered(realm)
    realm.pass_time(on("2024-02-27"))
    return realm


def opened() -> WrittenRealm:
    realm = closed()
    for seat in SEATS[:2]:
        releasing(seat).ordered(realm)
    return realm


def test_what_is_sealed_is_opened_by_a_quorum_and_handed_in_as_it_was_sealed() -> None:
    realm = opened()
    assert releasing(SEATS[2]).refused(realm) == {"SB03"}, "it is open already"
    assert handing_in(title="另一個名稱").refused(realm) == {"SB04"}
    assert project(bid("ORG-1"), "2024-02-28", BIDDER).refused(realm) == {"SB04"}, "without what shows that it is that"
    handing_in().ordered(realm)
    reviewing = PassPreliminaryReview()
    assert project(reviewing, "2024-02-28T10:00+08:00", "HOST#1").refused(realm) == {"SB05"}
    project(reviewing, "2024-02-29", "HOST#1").ordered(realm)
    assert realm.check().ok


def test_nothing_of_it_is_on_record_before_the_opening() -> None:
    record = b"".join(entry.data for entry in closed().entries).decode()
    assert application().title not in record
    assert NONCE not in record
    assert project(DraftApplication.model_validate(plain(bid("ORG-1"))), "2024-02-05", BIDDER).refused(called()) == {
        "SB01"
    }


def test_nobody_shows_a_bid_before_so_many_custodians_have_opened_it() -> None:
    realm = called()
    sealing().ordered(realm)
    assert handing_in("2024-02-21").refused(realm) == {"SB04"}
    realm.pass_time(on("2024-02-27"))
    assert releasing("CAB-REG#2").refused(realm) == {"SB03"}
    releasing(SEATS[0]).ordered(realm)
    assert releasing(SEATS[0]).refused(realm) == {"SB03"}
    assert handing_in("2024-02-27").refused(realm) == {"SB04"}


def test_nobody_opens_before_the_close_and_a_late_bid_stays_unopened() -> None:
    realm = called()
    assert releasing(SEATS[0], "2024-02-21").refused(realm) == {"SB03"}
    assert sealing("2024-02-27").refused(realm) == {"D1"}
    assert project(application(), "2024-02-28", BIDDER, "AP-7").refused(opened()) >= {"SB04"}
    late = opened()
    assert handing_in("2024-02-29").refused(late) == {"SB04"}, "a working day after the opening"


def test_a_bid_may_be_sealed_anew_but_there_is_no_second_to_choose_from() -> None:
    realm = called()
    sealing(digest="a" * 64).ordered(realm)
    sealing("2024-02-21").ordered(realm)
    assert sealing("2024-02-22", name="AP-2").refused(realm) == {"AP02"}
    assert realm.check().ok


def test_custodians_are_so_many_different_seats_of_the_office_and_come_before_the_first_bid() -> None:
    realm = realm_until("call", SEALED)
    assert sealing().refused(realm) == {"SB01"}
    for seats in (SEATS[:2], (*SEATS[:2], SEATS[0]), (*SEATS[:2], "HOST#1")):
        assert appointing(*seats).refused(realm) == {"SB02"}
    assert appointing(*SEATS).refused(realm_until("call")) == {"SB02"}
    assert sealing().refused(realm_until("call")) == {"SB01"}


@pytest.mark.parametrize("missing", ["CustodiansAppointed", "SealReleased", "ApplicationSealed"])
def test_an_opening_that_was_not_as_the_rules_ask_is_found(missing: str) -> None:
    realm = opened()
    handing_in().ordered(realm)
    without = [entry for entry in realm.entries if entry.type != missing]
    assert "D9" in {breach.rule for breach in check(without).breaches}


def test_another_bid_than_the_one_sealed_is_found() -> None:
    realm = opened()
    handing_in().ordered(realm)
    forged = [
        replace(one, data=one.data.replace("ORG-1 助老".encode(), "ORG-1 助学".encode()))
        if one.type == "ApplicationSubmitted"
        else one
        for one in realm.entries
    ]
    assert {breach.rule for breach in check(forged).breaches} == {"D9"}


def test_the_script_of_the_guide_comes_to_the_same_commitment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    guide = (Path(__file__).resolve().parents[2] / "docs" / "sealed.md").read_text("utf-8")
    script = re.search(r"```python run\n(.*?)```", guide, re.DOTALL)
    assert script is not None
    (tmp_path / "seal.py").write_text(script[1], "utf-8")
    runpy.run_path(str(tmp_path / "seal.py"))
    terms = bid("ORG-1", title="長者助餐", requested=9000000, statement="獨居長者用餐不便", fields=("助老扶幼",))
    known = {name: value for name, value in plain(terms).items() if name in Bid.model_fields}
    assert capsys.readouterr().out.split() == [commit({**known, "round": "R-HZ-2027"}, "00" * 16)]
