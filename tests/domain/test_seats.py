"""Who is on which seat, by whose decision, and what that lets them do; and the office that is founded first."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from domain.approval.request import Approvers, GrantApproval, OpenApproval
from domain.kernel.acting import PersonId
from domain.kernel.approval import Verdict
from domain.kernel.identifier import LIVE, Actor, StreamId
from domain.kernel.message import Order
from domain.kernel.proposal import ConfirmAct, DropAct, bind
from domain.kernel.scope import Scope, ScopeKind
from domain.registers.calendar import PublishCalendar
from domain.registers.fund import RegisterFundSource
from domain.registers.office import OFFICE, FoundOffice, OfficeStage
from domain.registers.person import BindLogin, Person, PersonStage, RegisterPerson, RetirePerson, person_stream
from domain.registers.seat import (
    BreakGlass,
    EstablishSeat,
    GrantSeat,
    LendSeat,
    Seat,
    WithdrawSeat,
    read_seat,
    resolve_persons,
    seat_stream,
)
from store.memory import MemoryStore
from tests.office import Office, person_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from application.door import Receipt
    from domain.kernel.message import Command
    from domain.kernel.state import State

CALENDAR = StreamId("calendar/live/cn")
YEAR = PublishCalendar(year=2026, off=(date(2026, 1, 1),))
CORRECTION = PublishCalendar(year=2026, version=2, off=(date(2026, 1, 1), date(2026, 1, 2)))
REG1 = seat_stream(LIVE, Actor("CAB-REG#1"))
FUND = RegisterFundSource(name="福彩公益金", envelope=1_000)
P1, P7, P8 = PersonId("P-1"), PersonId("P-7"), PersonId("P-8")


def on(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T10:00+08:00").astimezone(UTC)


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as one:
        yield one


class SynchronousOffice:
    """An office of March 2026 with two administrators and P-7 and P-8 on the register, told in plain calls."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self.office = Office(MemoryStore(), at=on("2026-03-02"))
        self._run = runner.run
        self._run(self.office.found())
        for person in (P7, P8):
            self.ask(person_stream(LIVE, person), RegisterPerson(), "ADMIN#1")

    def ask(
        self, stream: StreamId, command: Command, seat: str, person: str | None = None, at: str | None = None
    ) -> Receipt:
        return self._run(self.office.ask(stream, command, seat, person, at=on(at) if at else None))

    def refused(
        self, stream: StreamId, command: Command, seat: str, person: str | None = None, at: str | None = None
    ) -> set[str]:
        return self._run(self.office.refused(stream, command, seat, person, at=on(at) if at else None))

    def state(self, stream: StreamId) -> State:
        return self._run(self.office.state(stream))

    def seat(self, seat: str, person: str | None = None) -> StreamId:
        return self._run(self.office.seat(seat, person))

    def privileged(self, stream: StreamId, command: Command, at: str | None = None) -> Receipt:
        return self._run(self.office.privileged(stream, command, at=on(at) if at else None))

    def confirmation(self, stream: StreamId, command: Command) -> ConfirmAct:
        return self._run(self.office.confirmation(stream, command))


@pytest.fixture
def office(runner: asyncio.Runner) -> SynchronousOffice:
    return SynchronousOffice(runner)


# ---------------------------------------------------------------- founding


def test_the_founding_makes_two_administrators_in_one_append(office: SynchronousOffice) -> None:
    assert office.state(OFFICE).stage == OfficeStage.FOUNDED
    for number in (1, 2):
        seat = office.state(seat_stream(LIVE, Actor(f"ADMIN#{number}"))).part(Seat)
        assert [t.person for t in seat.tenures] == [f"P-{number}"]
        person = office.state(person_stream(LIVE, PersonId(f"P-{number}")))
        assert person.stage == PersonStage.REGISTERED
        assert [duty.seat for duty in person.part(Person).duties] == [f"ADMIN#{number}"]


def test_an_office_is_founded_once_ever_and_by_two(office: SynchronousOffice) -> None:
    assert office.refused(OFFICE, FoundOffice(administrators=(P7, P8)), "ADMIN#1", "") == {"OF01"}
    elsewhere = StreamId("office/live/annex")
    assert office.refused(elsewhere, FoundOffice(administrators=(P7, P8)), "ADMIN#1", "") == {"OF01"}


def test_one_person_founds_no_office(runner: asyncio.Runner) -> None:
    office = Office(MemoryStore())
    assert runner.run(office.refused(OFFICE, FoundOffice(administrators=(P7, P7)), "ADMIN#1", "")) == {"OF01"}


# ---------------------------------------------------------------- granted, never by oneself


def test_a_seat_is_granted_once_another_has_confirmed_it(office: SynchronousOffice) -> None:
    office.ask(REG1, EstablishSeat(scope=Scope(kind=ScopeKind.BUREAU)), "ADMIN#1")
    grant = GrantSeat(person=P7)
    proposed = office.ask(REG1, grant, "ADMIN#1")
    assert proposed.events == ("ActProposed",)
    assert not office.state(REG1).part(Seat).tenures
    confirmation = office.confirmation(REG1, grant)
    assert office.refused(REG1, confirmation, "ADMIN#1") == {"TP03"}
    assert office.ask(REG1, confirmation, "ADMIN#2").events == ("ActConfirmed", "SeatGranted")
    assert office.state(REG1).part(Seat).holder_at(on("2026-03-03")) == P7
    assert office.refused(REG1, confirmation, "ADMIN#2") == {"TP01"}


def test_what_is_confirmed_is_what_was_shown(office: SynchronousOffice) -> None:
    seat = office.seat("CAB-REG#1")
    office.ask(seat, WithdrawSeat(person=person_on(Actor("CAB-REG#1")), reason="調離"), "ADMIN#1")
    other = bind(seat, 2, WithdrawSeat(person=P8, reason="調離"))
    assert office.refused(seat, ConfirmAct(proposal=2, digest=other[:8]), "ADMIN#2") == {"TP02"}
    assert office.refused(seat, ConfirmAct(proposal=9, digest=other), "ADMIN#2") == {"TP01"}


def test_nobody_grants_themselves_a_seat_nor_confirms_it(office: SynchronousOffice) -> None:
    office.ask(person_stream(LIVE, PersonId("P-9")), RegisterPerson(), "ADMIN#1")
    third = seat_stream(LIVE, Actor("ADMIN#3"))
    office.ask(third, EstablishSeat(scope=Scope(kind=ScopeKind.BUREAU)), "ADMIN#1")
    assert office.refused(third, GrantSeat(person=P1), "ADMIN#1") == {"SD8"}
    office.ask(third, GrantSeat(person=P1), "ADMIN#2")
    assert "SD8" in office.refused(third, office.confirmation(third, GrantSeat(person=P1)), "ADMIN#1")


def test_nobody_takes_their_own_seat_away(office: SynchronousOffice) -> None:
    first = seat_stream(LIVE, Actor("ADMIN#1"))
    assert office.refused(first, WithdrawSeat(person=P1, reason="離任"), "ADMIN#1") == {"SD8"}


def test_the_leadership_may_confirm_and_a_case_officer_may_not(office: SynchronousOffice) -> None:
    office.seat("CAB-DEC#1")
    office.seat("CAB-REG#2")
    stream = seat_stream(LIVE, Actor("CAB-FIN#1"))
    office.ask(stream, EstablishSeat(scope=Scope(kind=ScopeKind.BUREAU)), "ADMIN#1")
    grant = GrantSeat(person=P7)
    office.ask(stream, grant, "ADMIN#1")
    confirmation = office.confirmation(stream, grant)
    assert office.refused(stream, confirmation, "CAB-REG#2") == {"SE02"}
    assert "SeatGranted" in office.ask(stream, confirmation, "CAB-DEC#1").events


def test_administrators_hold_no_seat_of_business_nor_the_other_way(office: SynchronousOffice) -> None:
    office.seat("CAB-REG#1", "P-7")
    fin, admin = seat_stream(LIVE, Actor("CAB-FIN#1")), seat_stream(LIVE, Actor("ADMIN#3"))
    for stream in (fin, admin):
        office.ask(stream, EstablishSeat(scope=Scope(kind=ScopeKind.BUREAU)), "ADMIN#1")
    assert office.refused(fin, GrantSeat(person=P1), "ADMIN#2") == {"SD8"}
    assert office.refused(admin, GrantSeat(person=P7), "ADMIN#1") == {"SD8"}
    assert office.refused(fin, BreakGlass(person=P1, hours=2, reason="急"), "ADMIN#2") == {"SD8"}


def test_two_grants_that_race_cannot_put_one_person_on_both_sides(office: SynchronousOffice) -> None:
    """Both were proposed while P-7 was on no seat: the one that is confirmed second sees the first."""
    fin, admin = seat_stream(LIVE, Actor("CAB-FIN#1")), seat_stream(LIVE, Actor("ADMIN#3"))
    grant = GrantSeat(person=P7)
    for stream in (fin, admin):
        office.ask(stream, EstablishSeat(scope=Scope(kind=ScopeKind.BUREAU)), "ADMIN#1")
        office.ask(stream, grant, "ADMIN#1")
    office.ask(fin, office.confirmation(fin, grant), "ADMIN#2")
    assert office.refused(admin, office.confirmation(admin, grant), "ADMIN#2") == {"SD8"}


def test_a_seat_is_one_persons_at_a_time(office: SynchronousOffice) -> None:
    seat = office.seat("CAB-REG#1", "P-7")
    assert office.refused(seat, GrantSeat(person=P8), "ADMIN#1") == {"SE02"}
    assert office.refused(seat, GrantSeat(person=P7), "ADMIN#1") == {"SE02"}


def test_grants_may_follow_on_one_another_and_not_overlap(office: SynchronousOffice) -> None:
    office.ask(REG1, EstablishSeat(scope=Scope(kind=ScopeKind.BUREAU)), "ADMIN#1")
    office.privileged(REG1, GrantSeat(person=P7, until=date(2026, 6, 30)))
    assert office.refused(REG1, GrantSeat(person=P8, since=date(2026, 6, 30)), "ADMIN#1") == {"SE02"}
    office.privileged(REG1, GrantSeat(person=P8, since=date(2026, 7, 1)))
    seat = office.state(REG1).part(Seat)
    assert [seat.holder_at(on(day)) for day in ("2026-06-30", "2026-07-01")] == [P7, P8]
    assert [t.person for t in seat.on(date(2026, 6, 30))] == [P7]


def test_a_retired_person_is_put_on_no_seat(office: SynchronousOffice) -> None:
    office.privileged(person_stream(LIVE, P7), RetirePerson(reason="退休"))
    office.ask(REG1, EstablishSeat(scope=Scope(kind=ScopeKind.BUREAU)), "ADMIN#1")
    assert office.refused(REG1, GrantSeat(person=P7), "ADMIN#1") == {"PN01"}
    assert office.refused(REG1, GrantSeat(person=PersonId("P-99")), "ADMIN#1") == {"PN01"}


def test_nobody_retires_from_a_seat_that_they_are_on(office: SynchronousOffice) -> None:
    seat = office.seat("CAB-REG#1", "P-7")
    retire = RetirePerson(reason="退休")
    assert office.refused(person_stream(LIVE, P7), retire, "ADMIN#1") == {"PN03"}
    office.privileged(seat, WithdrawSeat(person=P7, reason="退休"))
    office.privileged(person_stream(LIVE, P7), retire)
    assert office.state(person_stream(LIVE, P7)).stage == PersonStage.RETIRED


def test_a_login_is_one_persons_and_is_bound_anew_by_two(office: SynchronousOffice) -> None:
    office.ask(person_stream(LIVE, PersonId("P-9")), RegisterPerson(login="a" * 64), "ADMIN#1")
    assert office.refused(person_stream(LIVE, P7), BindLogin(login="a" * 64), "ADMIN#1") == {"PN02"}
    proposal = office.ask(person_stream(LIVE, P7), BindLogin(login="b" * 64), "ADMIN#1")
    assert proposal.events == ("ActProposed",)
    office.ask(
        person_stream(LIVE, P7), office.confirmation(person_stream(LIVE, P7), BindLogin(login="b" * 64)), "ADMIN#2"
    )
    assert office.state(person_stream(LIVE, P7)).part(Person).login == "b" * 64


@pytest.mark.parametrize(
    ("name", "scope"),
    [
        ("SO-PM.1", Scope(kind=ScopeKind.BUREAU)),
        ("SO-PM.1", Scope(kind=ScopeKind.ORGANISATION)),
        ("CAB-REG.1", Scope(kind=ScopeKind.BUREAU, names=("ORG-1",))),
        ("SYS.1", Scope(kind=ScopeKind.BUREAU)),
        ("CLERK.1", Scope(kind=ScopeKind.BUREAU)),
        ("CAB-REG.01", Scope(kind=ScopeKind.BUREAU)),
    ],
)
def test_a_seat_has_a_name_and_a_scope_of_its_role(office: SynchronousOffice, name: str, scope: Scope) -> None:
    stream = StreamId(f"seat/live/{name}")
    assert "SE01" in office.refused(stream, EstablishSeat(scope=scope), "ADMIN#1")


def test_a_seats_name_is_read_back() -> None:
    assert [read_seat(name) for name in ("CAB-REG.12", "CAB-REG#12", "CAB-REG.012", "cn")] == [
        "CAB-REG#12",
        None,
        None,
        None,
    ]


# ---------------------------------------------------------------- acting


def test_whoever_is_not_on_the_seat_does_not_act_on_it(office: SynchronousOffice) -> None:
    office.seat("CAB-FIN#1", "P-7")
    fund = StreamId("fund/live/FS-1")
    assert office.refused(fund, FUND, "CAB-FIN#1", "P-8") == {"SE12"}
    assert office.refused(fund, FUND, "CAB-FIN#1", "") == {"SE11"}
    assert office.refused(fund, FUND, "CAB-FIN#1", "P-99") == {"SE12"}
    assert office.ask(fund, FUND, "CAB-FIN#1", "P-7").events == ("FundSourceRegistered",)


def test_an_administrator_does_no_business(office: SynchronousOffice) -> None:
    assert office.refused(StreamId("fund/live/FS-1"), FUND, "ADMIN#1") == {"SD8"}


def test_a_mandate_ends_with_its_last_day(office: SynchronousOffice) -> None:
    stream = seat_stream(LIVE, Actor("CAB-FIN#1"))
    office.ask(stream, EstablishSeat(scope=Scope(kind=ScopeKind.BUREAU)), "ADMIN#1")
    office.privileged(stream, GrantSeat(person=P7, since=date(2026, 3, 10), until=date(2026, 3, 20)))
    fund = StreamId("fund/live/FS-1")
    assert office.refused(fund, FUND, "CAB-FIN#1", "P-7", at="2026-03-09") == {"SE12"}
    assert office.refused(fund, FUND, "CAB-FIN#1", "P-7", at="2026-03-21") == {"SE12"}
    late = Order(FUND, Actor("CAB-FIN#1"), on("2026-03-21"), person=P7)
    _, (unmet,) = resolve_persons(office.state(stream), late, is_live=True)
    assert "2026-03-10 00:00–2026-03-20 24:00" in unmet.en
    office.ask(fund, FUND, "CAB-FIN#1", "P-7", at="2026-03-20")


def test_a_seat_that_was_withdrawn_acts_no_more(office: SynchronousOffice) -> None:
    seat = office.seat("CAB-FIN#1", "P-7")
    office.privileged(seat, WithdrawSeat(person=P7, reason="調離"), at="2026-03-05")
    assert office.refused(StreamId("fund/live/FS-1"), FUND, "CAB-FIN#1", "P-7", at="2026-03-06") == {"SE12"}


def test_an_act_waits_no_longer_than_thirty_days_and_may_be_dropped(office: SynchronousOffice) -> None:
    office.seat("CAB-REG#1")
    office.seat("CAB-REG#2")
    office.ask(CALENDAR, YEAR, "CAB-REG#1")
    confirmation = office.confirmation(CALENDAR, YEAR)
    assert office.refused(CALENDAR, confirmation, "CAB-REG#2", at="2026-04-02") == {"TP02"}
    office.ask(CALENDAR, DropAct(proposal=1, reason="有誤"), "CAB-REG#2", at="2026-04-02")
    assert office.refused(CALENDAR, confirmation, "CAB-REG#2", at="2026-04-03") == {"TP01"}
    assert office.state(CALENDAR).stage == "NONE"


def test_a_proposal_is_judged_again_when_it_is_confirmed(office: SynchronousOffice) -> None:
    """Two proposals of one version: the second is no longer the next when its turn comes."""
    for seat in ("CAB-REG#1", "CAB-REG#2"):
        office.seat(seat)
    for _ in range(2):
        office.ask(CALENDAR, YEAR, "CAB-REG#1")
    digests = [bind(CALENDAR, number, YEAR) for number in (1, 2)]
    office.ask(CALENDAR, ConfirmAct(proposal=1, digest=digests[0]), "CAB-REG#2")
    assert office.refused(CALENDAR, ConfirmAct(proposal=2, digest=digests[1]), "CAB-REG#2") == {"CL02"}


def test_one_person_on_two_seats_confirms_nothing_of_their_own(office: SynchronousOffice) -> None:
    office.seat("CAB-REG#1", "P-7")
    office.seat("CAB-DEC#1", "P-7")
    office.ask(CALENDAR, YEAR, "CAB-REG#1", "P-7")
    assert office.refused(CALENDAR, office.confirmation(CALENDAR, YEAR), "CAB-DEC#1", "P-7") == {"TP03"}


# ---------------------------------------------------------------- stand-ins and break-glass


def test_a_stand_in_acts_on_the_days_they_stand_in_and_is_shown_as_such(office: SynchronousOffice) -> None:
    seat = office.seat("CAB-FIN#1", "P-7")
    loan = LendSeat(person=P8, since=date(2026, 3, 10), until=date(2026, 3, 12), reason="出差")
    office.privileged(seat, loan)
    fund = StreamId("fund/live/FS-1")
    for day in ("2026-03-09", "2026-03-13"):
        assert office.refused(fund, FUND, "CAB-FIN#1", "P-8", at=day) == {"SE12"}
    office.ask(fund, FUND, "CAB-FIN#1", "P-8", at="2026-03-11")


def test_a_stand_in_is_the_holder_too_wherever_another_person_is_wanted(office: SynchronousOffice) -> None:
    reg = office.seat("CAB-REG#1", "P-7")
    office.seat("CAB-REG#2", "P-7")
    office.seat("CAB-DEC#1", "P-8")
    office.privileged(reg, LendSeat(person=P8, until=date(2026, 3, 31), reason="出差"))
    office.ask(CALENDAR, YEAR, "CAB-REG#1", "P-8")
    confirmation = office.confirmation(CALENDAR, YEAR)
    assert office.refused(CALENDAR, confirmation, "CAB-REG#2", "P-7") == {"TP03"}, "the holder for whom they stand in"
    assert office.refused(CALENDAR, confirmation, "CAB-DEC#1", "P-8") == {"TP03"}, "the stand-in on a seat of their own"


def test_a_stand_in_decides_an_approval_and_neither_their_own_request_nor_twice(office: SynchronousOffice) -> None:
    dec = office.seat("CAB-DEC#1", "P-7")
    office.seat("CAB-REG#1")
    office.seat("CAB-FIN#1", "P-8")
    office.privileged(dec, LendSeat(person=P8, since=date(2026, 3, 10), until=date(2026, 3, 12), reason="出差"))
    both = Approvers(seats=(Actor("CAB-DEC#1"), Actor("CAB-FIN#1")))
    either = Approvers(seats=(Actor("CAB-DEC#1"), Actor("CAB-FIN#1")), needed=1)

    def ask(name: str, group: Approvers, seat: str, person: str | None = None) -> tuple[StreamId, GrantApproval]:
        stream = StreamId.of("approval", LIVE, name)
        office.ask(stream, OpenApproval(title="採購", groups=(group,)), seat, person, at="2026-03-09")
        return stream, GrantApproval(digest=office.state(stream).approvals[-1].content)

    first, consent = ask("AV-1", either, "CAB-REG#1")
    assert office.refused(first, consent, "CAB-DEC#1", "P-8", at="2026-03-09") == {"SE12"}
    office.ask(first, consent, "CAB-DEC#1", "P-8", at="2026-03-11")
    decided = office.state(first).approvals[-1]
    assert (decided.verdict, decided.decided_by) == (Verdict.GRANTED, Actor("CAB-DEC#1"))
    assert decided.votes[-1].acting.persons == {P7, P8}, "the holder counts as having acted too"
    second, consent = ask("AV-2", both, "CAB-REG#1")
    office.ask(second, consent, "CAB-DEC#1", "P-8", at="2026-03-11")
    assert office.refused(second, consent, "CAB-FIN#1", "P-8", at="2026-03-11") == {"AV24"}, "one person, one vote"
    third, consent = ask("AV-3", either, "CAB-FIN#1", "P-8")
    assert office.refused(third, consent, "CAB-DEC#1", "P-8", at="2026-03-11") == {"AV23"}, "nor what they asked for"


def test_a_seat_is_lent_within_its_holders_time_to_another_and_once(office: SynchronousOffice) -> None:
    office.ask(REG1, EstablishSeat(scope=Scope(kind=ScopeKind.BUREAU)), "ADMIN#1")
    early = LendSeat(person=P8, until=date(2026, 3, 31), reason="出差")
    assert office.refused(REG1, early, "ADMIN#1") == {"SE04"}
    office.privileged(REG1, GrantSeat(person=P7, until=date(2026, 3, 20)))
    assert office.refused(REG1, early, "ADMIN#1") == {"SE04"}
    within = LendSeat(person=P8, until=date(2026, 3, 20), reason="出差")
    office.privileged(REG1, within)
    assert office.refused(REG1, within, "ADMIN#1") == {"SE04"}
    assert "SE04" in office.refused(REG1, LendSeat(person=P7, until=date(2026, 3, 20), reason="出差"), "ADMIN#1")


def test_break_glass_is_for_hours_and_by_two_others(office: SynchronousOffice) -> None:
    seat = office.seat("CAB-FIN#1", "P-7")
    broken = BreakGlass(person=P8, hours=3, reason="系統故障")
    office.privileged(seat, broken, at="2026-03-05")
    fund = StreamId("fund/live/FS-1")
    assert office.refused(fund, FUND, "CAB-FIN#1", "P-8", at="2026-03-06") == {"SE12"}
    office.ask(fund, FUND, "CAB-FIN#1", "P-8", at="2026-03-05")
