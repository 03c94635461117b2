"""The checker's own judgement of who acted for whom: the rules no longer ask, and what they then let pass is found."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from deciding.fold import fold
from domain.kernel import decider
from domain.kernel.acting import PersonId
from domain.kernel.identifier import Actor, StreamId
from domain.kernel.message import Order
from domain.kernel.refusal import Checks, CommandRejected
from domain.need import SubmitNeed
from domain.project.bidding import ReturnApplication
from domain.project.delivery import AssignSupervisor, RecordActivity, RecordSupervisionVisit
from domain.project.evaluation import ConcludeMidtermEvaluation, IssueAuditOpinion, Opinion, Result
from domain.registers import interest
from domain.registers.incubation_base import AdmitTenant, DesignateBase, Tier
from domain.registers.organisation import RecordRating
from domain.registers.panel import SubmitScore
from domain.round.plan import OpenNeedSolicitation
from store.port import Entry, EntryKind
from tests.domain.pure_realm import scheme
from tests.domain.sentences import on
from tests.domain.test_mutants import SCHEME
from tests.domain.written_realm import WrittenRealm, project, realm_until
from tests.policy.standings import scope_of

if TYPE_CHECKING:
    from domain.kernel.message import Command

AT = "2024-06-25"
RULES = scheme("hangzhou")


def seat_on_register(realm: WrittenRealm, seat: str, person: str, *names: str) -> None:
    """The seat and whoever is on it, as the realm's own registers keep them."""
    scope = scope_of(Actor(seat).role, *names)
    if StreamId.of("person", realm.realm, person) not in {entry.stream for entry in realm.entries}:
        _write(realm, "person", person, "PersonRegistered", {})
    name = seat.replace("#", ".")
    _write(realm, "seat", name, "SeatEstablished", {"scope": {"kind": scope.kind, "names": list(scope.names)}})
    _write(realm, "seat", name, "SeatGranted", {"person": person})
    _write(realm, "person", person, "PersonSeated", {"seat": seat}, "SYS#1")


def _write(
    realm: WrittenRealm,
    kind: str,
    name: str,
    event_type: str,
    data: dict[str, object],
    by: str = "ADMIN#1",
    *persons: str,
) -> None:
    realm.entries.append(
        Entry(
            position=next(realm.positions),
            stream=StreamId.of(kind, realm.realm, name),
            version=1,
            kind=EntryKind.EVENT,
            type=event_type,
            schema_version=1,
            command_id=UUID(int=0),
            occurred_at=on("2024-01-02"),
            recorded_at=on("2024-01-02"),
            meta=json.dumps({"actor": by, "persons": persons}).encode(),
            data=json.dumps(data).encode(),
            chain=b"",
        )
    )


@dataclass(frozen=True)
class Act:
    """A command from a seat of the register, which acts for these."""

    rule: str
    what: str
    until: str
    kind: str
    name: str
    command: Command
    seat: str
    acts_for: str
    rightful: str
    """For whom a seat must act, that the same is right."""
    at: str = AT

    def __str__(self) -> str:
        return f"{self.rule} {self.what}"


RETURNED = ReturnApplication(reason="缺件")
ACTIVITY = RecordActivity(person_times=9, team="銀齡隊", field="助老")
MIDTERM = ConcludeMidtermEvaluation(score=Decimal(80), result=Result.PASS)
RATING = RecordRating(level="4A", until=date(2026, 1, 1))
SHEET = SubmitScore(application="AP-1", mark=Decimal(90))
NEED = SubmitNeed(round="R-2", group="空巢老人", community="COMM-1")
ACTS = (
    Act("SD10", "a manager of another organisation", "spent", "project", "AP-1", ACTIVITY, "SO-PM#1", "ORG-2", "ORG-1"),
    Act("AF07", "another evaluator", "spent", "project", "AP-1", MIDTERM, "EVAL#1", "ORG-X", "ORG-E"),
    Act("AF06", "another supervisor", "spent", "project", "AP-1", RecordSupervisionVisit(), "SUPV#1", "ORG-X", "ORG-S"),
    Act(
        "AF08",
        "another auditor",
        "final report",
        "project",
        "AP-1",
        IssueAuditOpinion(opinion=Opinion.UNQUALIFIED, eligible=1_000_001),
        "AUDIT#1",
        "ORG-X",
        "ORG-A",
        "2024-12-05",
    ),
    Act(
        "AF05",
        "another host",
        "bid 2",
        "project",
        "AP-1",
        ReturnApplication(reason="缺件"),
        "HOST#1",
        "HOST-9",
        "HOST-1",
        "2024-03-04",
    ),
    Act(
        "AF02",
        "another district",
        "bid 2",
        "project",
        "AP-1",
        ReturnApplication(reason="缺件"),
        "DCAB#1",
        "D-9",
        "D-1",
        "2024-03-04",
    ),
    Act("AF03", "another community", "call", "need", "ND-1", NEED, "COMM#1", "COMM-9", "COMM-1", "2024-02-20"),
    Act(
        "AF04",
        "the operator of another base",
        "call",
        "base",
        "BASE-1",
        AdmitTenant(organisation="ORG-2", until=date(2025, 1, 1)),
        "BASE-OP#1",
        "BASE-9",
        "BASE-1",
        "2024-02-20",
    ),
)


def realm_for(act: Act) -> WrittenRealm:
    """The realm up to there: a round with its host, a bid with its district, a base, a round that asks for needs."""
    realm = realm_until(act.until, RULES)
    if act.rule in ("AF05", "AF02"):  # as if the call and the bid had named them from the start
        _say(realm, "CallPublished", host="HOST-1")
        _say(realm, "ApplicationSubmitted", district="D-1")
    if act.rule == "AF06":
        project(AssignSupervisor(supervisor="ORG-S"), "2024-06-24", "CAB-REG#1").ordered(realm)
    if act.kind == "need":
        realm.order("round", "R-2", OpenNeedSolicitation(**{**SCHEME, "year": 2025}), at="2024-02-19", by="CAB-REG#1")
    if act.kind == "base":
        base = DesignateBase(name="市級", tier=Tier.MUNICIPAL, operator="ORG-1")
        realm.order("base", "BASE-1", base, at="2024-02-19", by="CAB-DEC#1")
    return realm


def _say(realm: WrittenRealm, event_type: str, **more: str) -> None:
    for at, entry in enumerate(realm.entries):
        if entry.type == event_type:
            realm.entries[at] = replace(entry, data=json.dumps(json.loads(entry.data) | more).encode())


def carry_out(realm: WrittenRealm, act: Act, acts_for: str, person: str = "P-1") -> None:
    seat_on_register(realm, act.seat, person, acts_for)
    scope = scope_of(Actor(act.seat).role, acts_for)
    order = Order(act.command, Actor(act.seat), on(act.at), frozenset({PersonId(person)}), scope=scope)
    realm.pass_time(order.at)
    realm._carry_out(realm.id(act.kind, act.name), order)


@pytest.mark.parametrize("act", ACTS, ids=str)
def test_an_act_for_somebody_else_is_found_where_the_policy_no_longer_asks(
    act: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    rightful, realm = realm_for(act), realm_for(act)
    monkeypatch.setattr(decider, "authorize", lambda *_: ())
    carry_out(rightful, act, act.rightful)
    assert rightful.check().ok, rightful.check().breaches
    assert rightful.check().judged[act.rule]
    carry_out(realm, act, act.acts_for)
    assert {b.rule for b in realm.check().breaches} == {act.rule}


def test_one_human_on_two_sides_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    realm = realm_until("spent")
    monkeypatch.setattr(decider, "authorize", lambda *_: ())
    carry_out(realm, ACTS[0], "ORG-1", "P-7")
    officer = Act("SD14", "", "", "project", "AP-1", AssignSupervisor(supervisor="ORG-S"), "CAB-REG#1", "", "")
    carry_out(realm, officer, "", "P-8")
    assert realm.check().ok
    carry_out(realm, replace(officer, seat="CAB-REG#2"), "", "P-7")
    assert {b.rule for b in realm.check().breaches} == {"SD14", "SD15"}, "who acted there holds a seat there, too"


@dataclass(frozen=True)
class Stake:
    """A command by whoever is on a seat that judges, and, for an organisation, on another."""

    rule: str
    what: str
    until: str
    kind: str
    name: str
    command: Command
    seat: str
    at: str

    def __str__(self) -> str:
        return f"{self.rule} {self.what}"


STAKES = (
    Stake("SD15", "an evaluator", "spent", "project", "AP-1", MIDTERM, "EVAL#1", AT),
    Stake("SD15", "an officer", "spent", "project", "AP-1", AssignSupervisor(supervisor="ORG-S"), "CAB-REG#1", AT),
    Stake("SD15", "a rating officer", "spent", "organisation", "ORG-1", RATING, "CAB-REG#1", AT),
    Stake("SD5", "a reviewer", "panel", "panel", "RP-1", SHEET, "EXPERT#1", "2024-03-07"),
)


@pytest.mark.parametrize("stake", STAKES, ids=str)
def test_whoever_decides_on_those_of_whom_they_hold_a_seat_is_found(
    stake: Stake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First the rules as they are refuse it by that very rule; the colleague who holds no such seat is not."""
    realm = realm_until(stake.until, RULES)
    seat_on_register(realm, "SO-LEGAL#9", "P-9", "ORG-1")
    seat_on_register(realm, stake.seat, "P-9", "ORG-E")
    seat_on_register(realm, "SO-LEGAL#8", "P-8", "ORG-77")
    for stream in {entry.stream for entry in realm.entries if entry.stream.kind in ("person", "seat")}:
        realm.states[stream] = fold(stream, [entry for entry in realm.entries if entry.stream == stream])
    act = Order(stake.command, Actor(stake.seat), on(stake.at), frozenset({PersonId("P-9")}))
    stream = realm.id(stake.kind, stake.name)
    realm.pass_time(act.at)
    with pytest.raises(CommandRejected, match=f"{stake.rule}: whoever acts as {stake.seat}"):
        realm._carry_out(stream, act)
    assert realm.check().ok
    monkeypatch.setattr(interest, "_is_counted", lambda *_: False)
    realm._carry_out(stream, act)
    assert {b.rule for b in realm.check().breaches} == {stake.rule}


def test_an_expert_who_scores_from_two_seats_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    realm = realm_until("panel")
    note = Checks.__call__
    monkeypatch.setattr(
        Checks,
        "__call__",
        lambda self, held, rule, zh, en, **params: rule == "P4" or note(self, held, rule, zh, en, **params),
    )
    for seat, person in (("EXPERT#1", "P-1"), ("EXPERT#2", "P-2"), ("EXPERT#3", "P-1")):
        sheet = SubmitScore(application="AP-1", mark=Decimal(90))
        carry_out(realm, Act("P4", "", "", "panel", "RP-1", sheet, seat, "", "", "2024-03-07"), "", person)
        assert {b.rule for b in realm.check().breaches} == ({"P4"} if seat == "EXPERT#3" else set())


def test_bare_seats_are_vouched_for_by_whoever_took_their_papers_in() -> None:
    report = realm_until("archived").check()
    assert report.ok
    assert not report.judged["AF07"]


# ---------------------------------------------------------------- the registers themselves


def test_a_person_on_no_register_who_is_given_a_seat_is_found() -> None:
    realm = WrittenRealm()
    _write(realm, "seat", "CAB-REG.1", "SeatEstablished", {"scope": {"kind": "BUREAU", "names": []}})
    _write(realm, "seat", "CAB-REG.1", "SeatGranted", {"person": "P-1"})
    assert {b.rule for b in realm.check().breaches} == {"SD8"}


def test_an_administrator_on_a_seat_of_business_is_found() -> None:
    realm = WrittenRealm()
    seat_on_register(realm, "ADMIN#1", "P-1")
    assert realm.check().ok
    seat_on_register(realm, "CAB-REG#1", "P-1")
    assert {b.rule for b in realm.check().breaches} == {"SD8"}


def test_an_act_of_somebody_who_is_not_on_the_seat_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    realm = realm_until("spent")
    monkeypatch.setattr(decider, "authorize", lambda *_: ())
    seat_on_register(realm, "SO-PM#1", "P-1", "ORG-1")
    order = Order(ACTIVITY, Actor("SO-PM#1"), on(AT), frozenset({PersonId("P-2")}))
    realm.pass_time(order.at)
    realm._carry_out(realm.id("project", "AP-1"), order)
    assert {b.rule for b in realm.check().breaches} == {"SE12"}


def test_an_act_of_nobody_known_on_the_wall_clock_is_found_once_the_office_is_founded() -> None:
    realm = WrittenRealm(realm="live")
    _write(realm, "calendar", "cn", "CalendarPublished", {"year": 2024, "version": 1}, "CAB-REG#1")
    assert realm.check().ok
    _write(realm, "office", "live", "OfficeFounded", {"administrators": ["P-1", "P-2"]})
    _write(realm, "calendar", "cn", "CalendarPublished", {"year": 2024, "version": 2}, "CAB-REG#1")
    assert {b.rule for b in realm.check().breaches} == {"SE10"}


def test_what_takes_two_and_was_confirmed_by_nobody_is_found() -> None:
    realm = WrittenRealm()
    seat_on_register(realm, "CAB-REG#1", "P-1")
    _write(realm, "calendar", "cn", "CalendarPublished", {"year": 2024, "version": 1}, "CAB-REG#1", "P-1")
    assert {b.rule for b in realm.check().breaches} == {"TP03"}
