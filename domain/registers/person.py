"""人員: one human by an opaque number, never a name; the login by a keyed commitment; the seats they are on (SD8)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, assert_never, get_args

from pydantic import Field

from domain.kernel.acting import Basis, PersonId
from domain.kernel.decider import PROPOSALS, Aggregate, Decider
from domain.kernel.effects import Claim, Effect, Release
from domain.kernel.facts import Facts, Reads
from domain.kernel.identifier import Actor, Reason, Role, StreamId
from domain.kernel.message import Command, Event, Occurrence, Order, Particulars
from domain.kernel.refusal import Checks
from domain.kernel.relation import BUREAU, ENGINE
from domain.kernel.state import NONE, SAME, Part, State, Transition
from domain.kernel.words import Words
from domain.registers.tenure import Period, Tenure

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


_NAME = re.compile(r"P-[1-9][0-9]{0,8}")


def person_stream(realm: str, person: PersonId) -> StreamId:
    """The stream of that person in the register of that realm."""
    return StreamId.of("person", realm, person)


def login_key(realm: str, login: str) -> str:
    """The place of the one person who logs in so."""
    return f"login/{realm}/{login}"


class PersonStage(Words):
    """Whether the person may be on a seat."""

    NONE = NONE, "尚未建立", "not started"
    REGISTERED = "REGISTERED", "在冊", "registered"
    RETIRED = "RETIRED", "已離任", "retired"


class Login(Particulars):
    """By what the person is known at the login."""

    login: Annotated[str | None, Field(pattern=r"^[0-9a-f]{64}$", title="登錄承諾值 / login commitment")] = None
    """HMAC of issuer and subject under a key outside the log, in hex: it names nobody."""


class PersonRegistered(Login, Event):
    """The person is on the register."""

    zh = "人員登記"
    moves = (
        Transition("PN01", (PersonStage.NONE,), PersonStage.REGISTERED, (Role.ADMIN,), "an opaque number, no name"),
    )

    def effects(self, stream: StreamId) -> Iterable[Effect]:
        """Claim the login, so that it is nobody else's."""
        if self.login is not None:
            yield Claim(login_key(stream.realm, self.login), stream.name)


class RegisterPerson(Login, Command):
    """Put a person on the register: by itself that lets them do nothing."""

    records = PersonRegistered
    acts_for = (BUREAU,)


class RegisterFounder(Command):
    """Put an administrator of the office that is being founded on the register and on a seat; nobody asks for it."""

    records = PersonRegistered
    by = (Role.SYS,)
    acts_for = (ENGINE,)
    during = (PersonStage.NONE,)
    seat: Annotated[Actor, Field(max_length=24, title="崗位 / seat")]


class Binding(Particulars):
    """Another login."""

    login: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", title="登錄承諾值 / login commitment")]


class LoginBound(Binding, Event):
    """The person logs in so from now on."""

    zh = "登錄綁定"
    moves = (Transition("PN02", (PersonStage.REGISTERED,), SAME, (Role.ADMIN,), "two persons, neither this one"),)
    replaces: Annotated[str | None, Field(pattern=r"^[0-9a-f]{64}$", title="原登錄承諾值 / former commitment")] = None

    def effects(self, stream: StreamId) -> Iterable[Effect]:
        """Give the former login back and take this one."""
        if self.replaces is not None:
            yield Release(login_key(stream.realm, self.replaces), stream.name)
        yield Claim(login_key(stream.realm, self.login), stream.name)


class BindLogin(Binding, Command):
    """Bind the person to another login: whoever holds it acts as them."""

    records = LoginBound
    acts_for = (BUREAU,)
    persons_needed = 2
    confirmed_by = (Role.ADMIN, Role.CAB_DEC)


class Leaving(Particulars):
    """Why the person is no longer here."""

    reason: Reason


class PersonRetired(Leaving, Event):
    """The person takes no seat any more; what they did stays theirs."""

    zh = "人員離任"
    moves = (
        Transition("PN03", (PersonStage.REGISTERED,), PersonStage.RETIRED, (Role.ADMIN,), "on no seat; two persons"),
    )


class RetirePerson(Leaving, Command):
    """Take the person off the register's active part."""

    records = PersonRetired
    acts_for = (BUREAU,)
    persons_needed = 2
    confirmed_by = (Role.ADMIN, Role.CAB_DEC)


class Seating(Period):
    """Which seat, for how long and by which right."""

    seat: Annotated[Actor, Field(max_length=24, title="崗位 / seat")]
    basis: Annotated[Basis | None, Field(title="依據 / basis")] = None


class PersonSeated(Seating, Event):
    """A seat's register has put the person on it."""

    zh = "到崗"
    moves = (Transition("PN04", (PersonStage.REGISTERED,), SAME, (Role.SYS,), "follows from the seat's own event"),)


class SeatPerson(Seating, Command):
    """Note the seat; it follows from the seat's own event, and nobody asks for it."""

    records = PersonSeated
    acts_for = (ENGINE,)


class Unseating(Particulars):
    """Which seat."""

    seat: Annotated[Actor, Field(max_length=24, title="崗位 / seat")]


class PersonUnseated(Unseating, Event):
    """A seat's register has taken the person off it."""

    zh = "離崗"
    moves = (Transition("PN05", (PersonStage.REGISTERED,), SAME, (Role.SYS,), "follows from the seat's own event"),)


class UnseatPerson(Unseating, Command):
    """Note that the seat is left; it follows from the seat's own event, and nobody asks for it."""

    records = PersonUnseated
    acts_for = (ENGINE,)


Commands = RegisterPerson | RegisterFounder | BindLogin | RetirePerson | SeatPerson | UnseatPerson
Events = PersonRegistered | LoginBound | PersonRetired | PersonSeated | PersonUnseated


@dataclass(frozen=True, slots=True)
class Duty:
    """A seat that the person is on, was, or will be."""

    seat: Actor
    tenure: Tenure


@dataclass(frozen=True)
class Person(Part):
    """One person."""

    login: str | None = None
    duties: tuple[Duty, ...] = ()
    """In the order in which they were given."""

    def duties_in(self, begins: datetime, ends: datetime | None) -> tuple[Duty, ...]:
        """The seats that they are on at any instant of that time."""
        return tuple(duty for duty in self.duties if duty.tenure.overlaps(begins, ends))


def reads(state: State, command: Commands) -> Reads:
    """Who has claimed the login before."""
    login = command.login if isinstance(command, (RegisterPerson, BindLogin)) else None
    return Reads(claims=frozenset({login_key(state.stream.realm, login)})) if login else Reads()


def decide(state: State, facts: Facts, order: Order, command: Commands) -> list[Event]:
    """What an order about the person makes happen. Raises CommandRejected."""
    check, known = Checks(), state.part(Person)
    match command:
        case RegisterFounder(seat=seat):
            return check.grant(PersonRegistered(), PersonSeated(seat=seat))
        case RegisterPerson(login=login):
            check(
                _NAME.fullmatch(state.stream.name),
                "PN01",
                "人員卷宗以編號為名，如 P-7，而非 {name}",
                "a person's file is named by a number, such as P-7, not {name}",
                name=state.stream.name,
            )
            _require_free(check, state, facts, login)
            return check.grant(PersonRegistered.of(command))
        case BindLogin(login=login):
            _require_free(check, state, facts, login)
            _require_not_self(check, state, order)
            return check.grant(LoginBound.of(command, replaces=known.login))
        case RetirePerson():
            seats = "、".join(dict.fromkeys(duty.seat for duty in known.duties_in(order.at, None)))
            check(
                not seats,
                "PN03",
                "{name} 尚在 {seats}，請先收回崗位",
                "{name} is still on {seats}: withdraw that first",
                name=state.stream.name,
                seats=seats,
            )
            _require_not_self(check, state, order)
            return check.grant(PersonRetired.of(command))
        case SeatPerson():
            return check.grant(PersonSeated.of(command))
        case UnseatPerson():
            return check.grant(PersonUnseated.of(command))
        case _:
            assert_never(command)


def _require_free(check: Checks, state: State, facts: Facts, login: str | None) -> None:
    holders = facts.holders(login_key(state.stream.realm, login)) if login else frozenset()
    check(
        not holders,
        "PN02",
        "此登錄已屬 {holders}，一個登錄只屬一人",
        "the login is already that of {holders}: a login is one person's",
        holders=sorted(holders),
    )


def _require_not_self(check: Checks, state: State, order: Order) -> None:
    check(
        state.stream.name not in order.persons,
        "SD8",
        "{name} 不得經辦自己的登記",
        "{name} may not decide about their own entry",
        name=state.stream.name,
    )


def evolve(state: State, of: Occurrence, event: Events) -> State:
    """Keep the person's login, and every seat that they were, are or will be on."""
    known = state.part(Person)
    match event:
        case PersonRegistered() | LoginBound():
            return state.with_parts(replace(known, login=event.login))
        case PersonRetired():
            return state.with_parts(known)
        case PersonSeated():
            tenure = Tenure(PersonId(state.stream.name), event.begins(of.at), event.ends(), event.basis)
            return state.with_parts(replace(known, duties=(*known.duties, Duty(event.seat, tenure))))
        case PersonUnseated():
            duties = (_end(duty, of.at) if duty.seat == event.seat else duty for duty in known.duties)
            return state.with_parts(replace(known, duties=tuple(duties)))
        case _:
            assert_never(event)


def _end(duty: Duty, at: datetime) -> Duty:
    ends = at if duty.tenure.ends is None else min(at, duty.tenure.ends)
    return replace(duty, tenure=replace(duty.tenure, ends=ends))


DECIDER = Decider(
    name="person",
    zh="人員",
    commands=get_args(Commands),
    events=get_args(Events),
    decide=decide,
    evolve=evolve,
    reads=reads,
)

PERSON = Aggregate(
    kind="person",
    zh="人員",
    en="person",
    en_many="persons",
    deciders=(DECIDER, PROPOSALS),
    final=frozenset(PersonStage),
    summary=lambda state: {"seats": [duty.seat for duty in state.part(Person).duties]},
)
