"""The checker's own judgement of who may review, who was passed over, and from whose seat an event may come."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from deciding.fold import fold
from domain.registers import interest
from domain.registers import panel as panels
from domain.registers.draw import rank
from domain.registers.panel import RecuseReviewer
from tests.audit.test_business import seat_on_register
from tests.domain.test_draw import LATER, OPEN, SEED, TWELVE, VALUE, committed, panel
from tests.domain.test_mutants import mute
from tests.domain.written_realm import realm_until

if TYPE_CHECKING:
    from tests.domain.written_realm import WrittenRealm

RANKING = rank(SEED, VALUE, tuple(one for one in TWELVE if one != "E3"))
FIRST, SECOND = RANKING[:2]


def with_registers(realm: WrittenRealm, *more: tuple[str, str, str], without: str = "") -> WrittenRealm:
    """A person of their own on every reviewer's seat but one, and these on these others."""
    for place in TWELVE:
        if place != without:
            seat_on_register(realm, f"EXPERT#{place[1:]}", f"P-{100 + int(place[1:])}")
    for seat, person, name in more:
        seat_on_register(realm, seat, person, name)
    return learn(realm)


def learn(realm: WrittenRealm) -> WrittenRealm:
    for stream in {entry.stream for entry in realm.entries if entry.stream.kind in ("person", "seat")}:
        realm.states[stream] = fold(stream, [entry for entry in realm.entries if entry.stream == stream])
    return realm


def number(place: str) -> str:
    return f"P-{100 + int(place[1:])}"


def broken(realm: WrittenRealm) -> set[str]:
    return {breach.rule for breach in realm.check().breaches}


def note(realm: WrittenRealm, after: str, where: tuple[str, str, str], seat: str, data: object = None) -> None:
    """Put down an event of that stream and type, by P-1 on that seat, right after the first of another type."""
    kind, name, event = where
    at = next(i for i, entry in enumerate(realm.entries) if entry.type == after)
    meta = json.dumps({"actor": seat, "persons": ["P-1"]}).encode()
    content = json.dumps(data or {}).encode()
    entry = replace(realm.entries[at], stream=realm.id(kind, name), type=event, meta=meta, data=content)
    realm.entries.insert(at + 1, entry)


def test_whoever_has_a_seat_of_a_bidder_is_passed_over_and_a_draw_that_seats_them_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    realm = with_registers(committed(), ("SO-LEGAL#9", number(FIRST), "ORG-1"))
    realm.order("panel", "RP-1", OPEN, **LATER)
    opening = panel(realm).opening
    assert opening is not None
    assert opening.passed_over == {FIRST: "SD5"}
    assert realm.check().ok, realm.check().breaches
    other = with_registers(committed(), ("SO-LEGAL#9", number(FIRST), "ORG-1"))
    monkeypatch.setattr(interest, "_is_counted", lambda *_: False)
    other.order("panel", "RP-1", OPEN, **LATER)
    assert FIRST in panel(other).seated
    assert broken(other) == {"SD5"}


def test_an_empty_seat_and_a_second_seat_of_one_person_are_passed_over_or_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def realm() -> WrittenRealm:
        story = committed()
        seat_on_register(story, f"EXPERT#{FIRST[1:]}", number(SECOND))
        return with_registers(story, without=FIRST)

    story = realm()
    story.order("panel", "RP-1", OPEN, **LATER)
    opening = panel(story).opening
    assert opening is not None
    assert opening.passed_over == {SECOND: "P4"}
    assert story.check().ok, story.check().breaches
    monkeypatch.setattr(panels, "_require_reviewers", lambda *_: None)
    story = realm()
    story.order("panel", "RP-1", OPEN, **LATER)
    assert broken(story) == {"P4"}


PARTS = [
    ("project", "AP-1", "SO-PM#9", "SD5"),
    ("project", "AP-2", "DCAB#9", "SD6"),
    ("round", "R-1", "CAB-REG#9", "SD6"),
]


@pytest.mark.parametrize(("kind", "name", "seat", "rule"), PARTS)
def test_whoever_had_a_part_in_a_bid_or_its_round_and_is_drawn_is_found(
    kind: str, name: str, seat: str, rule: str
) -> None:
    """What they did is in the log, and the draw took no notice of it."""
    realm = committed()
    seat_on_register(realm, f"EXPERT#{FIRST[1:]}", "P-1")
    with_registers(realm, without=FIRST)
    realm.order("panel", "RP-1", OPEN, **LATER)
    assert realm.check().ok, realm.check().breaches
    before = len(realm.entries)
    seat_on_register(realm, seat, "P-1", "ORG-1")
    realm.entries = [*realm.entries[before:], *realm.entries[:before]]
    note(realm, "DrawCommitted", (kind, name, "Noted"), seat)
    assert rule in broken(realm)


@pytest.mark.parametrize(("kind", "name", "seat", "rule"), PARTS)
def test_whoever_had_a_part_in_a_bid_or_its_round_and_scores_it_is_found(
    kind: str, name: str, seat: str, rule: str
) -> None:
    realm = realm_until("panel")
    sheet = {"application": name if kind == "project" else "AP-1", "mark": "90"}
    note(realm, "PanelDrawn", ("panel", "RP-1", "ScoreSubmitted"), "EXPERT#1", sheet)
    assert rule not in broken(realm)
    note(realm, "PreliminaryReviewPassed", (kind, name, "Noted"), seat)
    assert rule in broken(realm)


def test_a_reason_for_passing_over_that_the_log_does_not_give_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    realm = with_registers(committed())
    find_holders = panels.find_holders
    monkeypatch.setattr(
        panels, "find_holders", lambda *a: {**find_holders(*a), **{s: frozenset() for s in a[3] if s == FIRST}}
    )
    realm.order("panel", "RP-1", OPEN, **LATER)
    assert FIRST not in panel(realm).seated
    assert broken(realm) == {"P7"}


def test_a_substitute_before_whom_another_was_drawn_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    realm = with_registers(committed())
    realm.order("panel", "RP-1", OPEN, **LATER)
    sixth, seventh = RANKING[5:7]
    mute(monkeypatch, "DW03")
    realm.order("panel", "RP-1", RecuseReviewer.model_validate({"out": FIRST, "in": seventh}), **LATER)
    assert sixth not in panel(realm).seated
    assert broken(realm) == {"P7"}


def test_a_reviewer_who_confirms_the_award_is_found() -> None:
    realm = realm_until("confirmed")
    note(realm, "PanelDrawn", ("panel", "RP-1", "ScoreSubmitted"), "EXPERT#1", {"application": "AP-1", "mark": "90"})
    assert "SD6" not in broken(realm)
    at = next(i for i, entry in enumerate(realm.entries) if entry.type == "AwardConfirmed")
    realm.entries[at] = replace(realm.entries[at], meta=b'{"actor":"CAB-DEC#1","persons":["P-1"]}')
    assert "SD6" in broken(realm)


@pytest.mark.parametrize(
    ("kind", "name", "event", "seat", "rule"),
    [
        ("organisation", "ORG-1", "RatingRecorded", "CAB-FIN#1", "OG01"),
        ("project", "AP-1", "LedgerAccountRegistered", "SO-PM#1", "T12"),
        ("need", "ND-1", "NeedAdopted", "SYS#1", "ND03"),
        ("fund", "FS-1", "FundAdjusted", "ADMIN#1", "FS02"),
        ("panel", "RP-1", "ScoreSubmitted", "HOST#1", "RP04"),
        ("approval", "AV-1", "ApprovalGiven", "AUDIT#1", "AV03"),
        ("seat", "CAB-REG.1", "SeatGranted", "CAB-REG#2", "SE02"),
    ],
)
def test_an_event_from_a_seat_that_may_not_say_it_is_found(
    kind: str, name: str, event: str, seat: str, rule: str
) -> None:
    realm = realm_until("signed")
    assert realm.check().ok
    note(realm, "ContractSigned", (kind, name, event), seat)
    assert rule in {breach.rule for breach in realm.check().breaches if "只可由" in breach.zh}


def test_a_person_who_endorses_their_own_need_from_another_seat_is_found() -> None:
    realm = realm_until("call")
    note(realm, "CallPublished", ("need", "ND-1", "NeedSubmitted"), "PUBLIC#1", {"split_from": "ND-0"})
    assert "ND02" not in broken(realm)
    note(realm, "NeedSubmitted", ("need", "ND-1", "NeedEndorsed"), "PUBLIC#2")
    assert "ND02" in broken(realm)
