"""Anybody on any seat asks anything: whatever is accepted was that seat's business, and its person's to do.

Seats are given, lent, opened in an emergency and taken back, and time passes; what the office accepts is judged again
by a few lines that know nothing of the rules: who was on the seat at that instant, for whom it acts, who acted before.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from audit.invariants import check
from domain.kernel.acting import PersonId
from domain.kernel.calendar import SHANGHAI
from domain.kernel.envelope import Ending
from domain.kernel.identifier import LIVE, Actor, Role, StreamId
from domain.project.bidding import DraftApplication
from domain.registers.incubation_base import AdmitTenant, DesignateBase, Tier
from domain.registers.organisation import RecordRating
from domain.registers.person import RegisterPerson, person_stream
from domain.registers.seat import BreakGlass, EstablishSeat, GrantSeat, LendSeat, WithdrawSeat, seat_stream
from store.memory import MemoryStore
from tests.domain.pure_realm import verification
from tests.office import ADMINISTRATORS, Office
from tests.policy.standings import scope_of
from tests.policy.test_layers import let_anybody_sit

if TYPE_CHECKING:
    from domain.kernel.message import Command

ACTS_FOR: Final = {
    "SO-PM#1": "ORG-1",
    "SO-PM#2": "ORG-2",
    "DCAB#1": "DIST-1",
    "DCAB#2": "DIST-2",
    "CAB-REG#1": "",
    "CAB-REG#2": "",
    "CAB-DEC#1": "",
    "BASE-OP#1": "BASE-1",
    "BASE-OP#2": "BASE-2",
}
"""Every seat of business, and for whom it acts; the bureau's for the whole house."""
PERSONS: Final = tuple(PersonId(f"P-{n}") for n in range(11, 17))
SIDES: Final = {"SO-PM": "organisation", "CAB-REG": "bureau", "CAB-DEC": "bureau"}
BEGINS: Final = datetime(2024, 1, 2, 1, tzinfo=UTC)
DICE: Final = st.integers(0, 2**32 - 1).map(random.Random)


@dataclass
class Stay:
    """Somebody's time on a seat, as it was decided."""

    person: PersonId
    begins: datetime
    ends: datetime
    is_own: bool = True

    def is_at(self, instant: datetime) -> bool:
        return self.begins <= instant < self.ends


class Seats(RuleBasedStateMachine):
    """An office, whoever asks of it, and what is remembered beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.now = BEGINS
        self.office = Office(MemoryStore(lambda: self.now))
        self.stays: defaultdict[str, list[Stay]] = defaultdict(list)
        self.acted: defaultdict[StreamId, dict[PersonId, str]] = defaultdict(dict)
        self.names: dict[StreamId, str] = {}
        """For whom each stream was opened: a bid's organisation, an organisation's district, a base itself."""
        self.endings: Counter[tuple[str, Ending]] = Counter()

    def ask(self, stream: StreamId, command: Command, seat: str, person: PersonId) -> bool:
        self.now += timedelta(minutes=1)
        answer = self.runner.run(self.office.answer(stream, command, seat, person, at=self.now))
        self.endings[type(command).__name__, answer.ending] += 1
        return answer.ending is Ending.ACCEPTED

    @initialize()
    def open_the_office(self) -> None:
        self.office.at = self.now
        self.runner.run(self.office.found())
        for person in PERSONS:
            assert self.ask(person_stream(LIVE, person), RegisterPerson(), "ADMIN#1", ADMINISTRATORS[0])
        for seat, name in ACTS_FOR.items():
            scope = scope_of(Actor(seat).role, *([name] if name else ()))
            assert self.ask(seat_stream(LIVE, Actor(seat)), EstablishSeat(scope=scope), "ADMIN#1", ADMINISTRATORS[0])
        for person, seat in zip(PERSONS, ("SO-PM#1", "DCAB#1", "CAB-REG#1", "BASE-OP#1", "CAB-DEC#1"), strict=False):
            self._by_two(seat, GrantSeat(person=person), *ADMINISTRATORS)
        for number in (1, 2):
            organisation, base = f"organisation/live/ORG-{number}", f"base/live/BASE-{number}"
            verified = verification(f"SO-LEGAL#{number}").model_copy(update={"district": f"DIST-{number}"})
            assert self._act(StreamId(organisation), verified, "CAB-REG#1", PERSONS[2], f"DIST-{number}")
            designation = DesignateBase(name="市級", tier=Tier.MUNICIPAL, operator=f"ORG-{number}")
            assert self._act(StreamId(base), designation, "CAB-DEC#1", PERSONS[4], f"BASE-{number}")

    # ------------------------------------------------------------------------------------------- who is where

    @rule(dice=DICE)
    def a_seat_is_given_lent_opened_or_taken_back(self, dice: random.Random) -> None:
        seat, person = dice.choice(list(ACTS_FOR)), dice.choice((*PERSONS, *ADMINISTRATORS))
        until = (self.now + timedelta(days=dice.randint(0, 20))).astimezone(SHANGHAI).date()
        command = dice.choice(
            (
                GrantSeat(person=person),
                LendSeat(person=person, until=until, reason="出差"),
                BreakGlass(person=person, hours=dice.randint(1, 24), reason="救災"),
                WithdrawSeat(person=person, reason="調崗"),
            )
        )
        self._by_two(seat, command, *dice.choices((*ADMINISTRATORS, *PERSONS[:1]), weights=(6, 6, 1), k=2))

    def _by_two(
        self, seat: str, command: GrantSeat | LendSeat | BreakGlass | WithdrawSeat, first: PersonId, second: PersonId
    ) -> None:
        stream, number = seat_stream(LIVE, Actor(seat)), {ADMINISTRATORS[0]: 1, ADMINISTRATORS[1]: 2}
        if not self.ask(stream, command, f"ADMIN#{number.get(first, 1)}", first):
            return
        confirmation = self.runner.run(self.office.confirmation(stream, command))
        if not self.ask(stream, confirmation, f"ADMIN#{number.get(second, 2)}", second):
            return
        assert {first, second} == set(ADMINISTRATORS), "two administrators, and nobody else"
        assert command.person not in ADMINISTRATORS, "who holds no seat of business"
        match command:
            case GrantSeat():
                stay = Stay(command.person, self.now, datetime.max.replace(tzinfo=UTC))
                assert not [s for s in self.stays[seat] if s.is_own and s.ends > self.now], "one holder at a time"
            case LendSeat(until=until):
                stay = Stay(command.person, self.now, _midnight(until), is_own=False)
            case BreakGlass(hours=hours):
                stay = Stay(command.person, self.now, self.now + timedelta(hours=hours), is_own=False)
            case WithdrawSeat():
                for stay in self.stays[seat]:
                    if stay.person == command.person:
                        stay.ends = min(stay.ends, self.now)
                return
        self.stays[seat].append(stay)

    @rule(days=st.integers(0, 200), hours=st.integers(0, 23))
    def time_passes(self, days: int, hours: int) -> None:
        self.now += timedelta(days=days, hours=hours)

    # --------------------------------------------------------------------------------------------- who asks what

    @rule(dice=DICE)
    def somebody_asks_something(self, dice: random.Random) -> None:
        """Mostly whoever is on some seat, mostly what such a seat does; for anybody."""
        there = [(seat, stay.person) for seat in ACTS_FOR for stay in self.stays[seat] if stay.is_at(self.now)]
        seat, person = dice.choice(list(ACTS_FOR)), dice.choice(PERSONS)
        if there and dice.random() < 0.8:
            seat, person = dice.choice(there)
        number, other = dice.randint(1, 2), dice.randint(1, 2)
        organisation, base = StreamId(f"organisation/live/ORG-{number}"), StreamId(f"base/live/BASE-{number}")
        acts: tuple[tuple[StreamId, Command, str], ...] = (
            (
                StreamId(f"project/live/AP-{number}"),
                DraftApplication(round="R-1", organisation=f"ORG-{other}", title="助老", requested=100),
                f"ORG-{other}",
            ),
            (
                organisation,
                verification(f"SO-LEGAL#{number}").model_copy(update={"district": f"DIST-{other}"}),
                f"DIST-{other}",
            ),
            (organisation, RecordRating(level="4A", until=date(2100, 1, 1)), ""),
            (base, AdmitTenant(organisation=f"ORG-{other}", until=date(2100, 1, 1)), f"BASE-{number}"),
        )
        usual = [act for act in acts if Actor(seat).role in type(act[1]).by]
        stream, command, named = dice.choice(usual if usual and dice.random() < 0.8 else acts)
        self._act(stream, command, seat, person, named)

    def _act(self, stream: StreamId, command: Command, seat: str, person: PersonId, named: str) -> bool:
        """Ask; what is accepted must have been for whom the stream was opened."""
        is_accepted = self.ask(stream, command, seat, person)
        if is_accepted:
            self._judge(stream, command, seat, person, self.names.setdefault(stream, named))
        return is_accepted

    def _judge(self, stream: StreamId, command: Command, seat: str, person: PersonId, named: str) -> None:
        present = [stay for stay in self.stays[seat] if stay.is_at(self.now)]
        mine = [stay for stay in present if stay.person == person]
        assert mine, f"{person} was not on {seat}"
        holders = {stay.person for stay in present if stay.is_own}
        persons = {person} if any(stay.is_own for stay in mine) else {person, *holders}
        role = Actor(seat).role
        assert role in type(command).by
        assert ACTS_FOR[seat] in {"", named}, f"{seat} acted for {ACTS_FOR[seat]}, not for {named}"
        side = SIDES.get(role, str(role))
        for one in persons:
            assert self.acted[stream].setdefault(one, side) == side, f"{one} stood on two sides of {stream}"
        if role in {Role.CAB_REG, Role.DCAB} and stream.kind == "organisation":
            served = [s for own, name in ACTS_FOR.items() if name == stream.name for s in self.stays[own]]
            late = [s for s in served if s.person in persons and s.begins < s.ends and self.now <= s.ends]
            assert not late, f"{seat} decided about whom its person serves"

    def teardown(self) -> None:
        """At the end of a drawn trace the independent checker looks, too."""
        try:
            report = self.runner.run(check(self.office.store))
            assert report.ok, report.breaches
        finally:
            self.runner.close()


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI) + timedelta(days=1)


def walk(steps: int) -> Seats:
    """The same walk on every machine: all chance comes from one seed."""
    dice, seats = random.Random(10), Seats()  # noqa: S311 - chooses what to ask, no secret
    try:
        seats.open_the_office()
        for _ in range(steps):
            seats.somebody_asks_something(dice)
            if dice.random() < 0.3:
                seats.a_seat_is_given_lent_opened_or_taken_back(dice)
            if dice.random() < 0.1:
                seats.time_passes(dice.randint(0, 20), dice.randint(0, 23))
    finally:
        seats.runner.close()
    return seats


def test_in_a_walk_nothing_is_accepted_outside_of_a_seats_scope() -> None:
    seats = walk(100)
    for name in ("DraftApplication", "VerifyOrganisation", "RecordRating", "AdmitTenant", "ConfirmAct"):
        assert seats.endings[name, Ending.ACCEPTED], f"{name} was never accepted"
        assert seats.endings[name, Ending.REFUSED], f"{name} was never refused"


@pytest.mark.parametrize(
    ("guard", "finding"),
    [
        ("deciding.decision.judge_seat", "was not on"),
        ("domain.kernel.policy.refuse_relation", "acted for"),
        ("domain.kernel.policy.refuse_side", "two sides"),
    ],
)
def test_a_walk_finds_the_guard_that_is_gone(guard: str, finding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, let_anybody_sit if guard.endswith("seat") else lambda *_: ())
    with pytest.raises(AssertionError, match=finding):
        walk(100)


@pytest.mark.full
def test_nothing_is_accepted_outside_of_a_seats_scope_in_any_trace() -> None:
    run_state_machine_as_test(
        Seats,
        settings=settings(
            max_examples=12,
            stateful_step_count=60,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
