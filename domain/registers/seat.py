"""崗位: what acts, for whom, and who is on it from when to when (decision 022). One stream a seat.

Whoever is put on a seat, taken off it or let in by break-glass is so by two persons, neither of them that one (SD8).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final, assert_never, get_args

from pydantic import Field

from domain.kernel.acting import Basis, PersonId
from domain.kernel.bounds import Date, Moment
from domain.kernel.calendar import closing_time, local_day, local_time
from domain.kernel.decider import PROPOSALS, Aggregate, Decider
from domain.kernel.facts import Facts, Reads
from domain.kernel.identifier import Actor, Reason, Role, StreamId
from domain.kernel.message import Command, Event, Occurrence, Order, Particulars
from domain.kernel.refusal import Checks, Unmet
from domain.kernel.relation import BUREAU, ENGINE, scope_kind
from domain.kernel.scope import Scope, ScopeKind, is_whole
from domain.kernel.state import NONE, SAME, Part, State, Transition
from domain.kernel.words import Words
from domain.registers.person import Person, PersonStage, SeatPerson, UnseatPerson, person_stream
from domain.registers.tenure import Period, PersonField, Tenure

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

MOST_HOURS: Final = 24
"""Of break-glass at a time."""

_CONFIRMERS: Final = (Role.ADMIN, Role.CAB_DEC)
"""Who confirms what an administrator proposes: another administrator, or the leadership."""


def seat_stream(realm: str, seat: Actor) -> StreamId:
    """The stream of that seat in the register of that realm: ``seat/live/CAB-REG.1``."""
    return StreamId.of("seat", realm, seat.replace("#", "."))


def read_seat(name: str) -> Actor | None:
    """The seat whose stream has that name; None if no seat's is called so."""
    role, _, number = name.rpartition(".")
    try:
        return Actor(f"{role}#{number}")
    except ValueError:
        return None


class SeatStage(Words):
    """Whether anybody may be put on the seat."""

    NONE = NONE, "尚未建立", "not started"
    ESTABLISHED = "ESTABLISHED", "已設", "established"


class Establishment(Particulars):
    """For whom the seat acts."""

    scope: Annotated[Scope, Field(title="範圍 / scope")]


class SeatEstablished(Establishment, Event):
    """The seat is there; nobody is on it."""

    zh = "崗位設立"
    moves = (
        Transition("SE01", (SeatStage.NONE,), SeatStage.ESTABLISHED, (Role.ADMIN,), "a scope of the role's own kind"),
    )


class EstablishSeat(Establishment, Command):
    """Set a seat up: by itself that lets nobody do anything."""

    records = SeatEstablished
    acts_for = (BUREAU,)


class Grant(Period):
    """Who is put on the seat."""

    person: PersonField


class SeatGranted(Grant, Event):
    """The seat is the person's."""

    zh = "崗位授予"
    moves = (
        Transition(
            "SE02", (SeatStage.ESTABLISHED,), SAME, (Role.ADMIN,), "a person on the register; nobody else's meanwhile"
        ),
    )


class GrantSeat(Grant, Command):
    """Put a person on the seat."""

    records = SeatGranted
    acts_for = (BUREAU,)
    persons_needed = 2
    confirmed_by = _CONFIRMERS


class AppointFounder(Grant, Command):
    """Put an administrator on a seat of the office that is being founded; nobody asks for it (registers/office.py)."""

    records = SeatGranted
    by = (Role.SYS,)
    acts_for = (ENGINE,)
    during = (SeatStage.NONE,)


class Withdrawal(Particulars):
    """Who is taken off the seat, and why."""

    person: PersonField
    reason: Reason


class SeatWithdrawn(Withdrawal, Event):
    """The person is on the seat no more, by whatever right."""

    zh = "崗位收回"
    moves = (Transition("SE03", (SeatStage.ESTABLISHED,), SAME, (Role.ADMIN,), "on the seat now or later"),)


class WithdrawSeat(Withdrawal, Command):
    """Take a person off the seat: as its holder, a stand-in, or let in by break-glass."""

    records = SeatWithdrawn
    acts_for = (BUREAU,)
    persons_needed = 2
    confirmed_by = _CONFIRMERS


class Loan(Particulars):
    """Who stands in, on which days, and why."""

    person: PersonField
    since: Annotated[Date | None, Field(title="起始日 / first day")] = None
    """Begins at 00:00, but never before it is granted; None for at once."""
    until: Annotated[Date, Field(title="截止日 / last day")]
    reason: Reason

    @property
    def period(self) -> Period:
        """The days for which the seat is lent."""
        return Period(since=self.since, until=self.until)


class SeatLent(Loan, Event):
    """Another person may act on the seat on those days; whatever they do counts as the holder's as well."""

    zh = "崗位代行"
    moves = (Transition("SE04", (SeatStage.ESTABLISHED,), SAME, (Role.ADMIN,), "within the holder's own time"),)


class LendSeat(Loan, Command):
    """Lend the seat to a stand-in for dates."""

    records = SeatLent
    acts_for = (BUREAU,)
    persons_needed = 2
    confirmed_by = _CONFIRMERS


class Emergency(Particulars):
    """Who is let in, for how long, and why."""

    person: PersonField
    hours: Annotated[int, Field(ge=1, le=MOST_HOURS, title="時數 / hours")]
    reason: Reason


class GlassBroken(Emergency, Event):
    """The person may act on the seat for hours; all that they do is marked."""

    zh = "應急啟用"
    moves = (Transition("SE05", (SeatStage.ESTABLISHED,), SAME, (Role.ADMIN,), "time-boxed, reasoned, two persons"),)
    until: Annotated[Moment, Field(title="至 / until")]


class BreakGlass(Emergency, Command):
    """Let a person act on the seat for hours, in an emergency."""

    records = GlassBroken
    acts_for = (BUREAU,)
    persons_needed = 2
    confirmed_by = _CONFIRMERS


Commands = EstablishSeat | GrantSeat | AppointFounder | WithdrawSeat | LendSeat | BreakGlass
Events = SeatEstablished | SeatGranted | SeatWithdrawn | SeatLent | GlassBroken


@dataclass(frozen=True)
class Seat(Part):
    """The seat with everybody who was, is or will be on it."""

    scope: Scope | None = None
    tenures: tuple[Tenure, ...] = ()
    """In the order in which they were given."""

    def holder_at(self, instant: datetime) -> PersonId | None:
        """Who holds the seat at that instant, stand-ins aside; None for nobody."""
        return next((t.person for t in self.tenures if t.basis is None and t.is_at(instant)), None)

    def tenure_of(self, person: PersonId, instant: datetime) -> Tenure | None:
        """By which right that person is on it then: their own before another's."""
        present = [t for t in self.tenures if t.person == person and t.is_at(instant)]
        return min(present, key=lambda t: (t.basis is not None, t.basis is Basis.BREAK_GLASS), default=None)

    def on(self, day: date) -> tuple[Tenure, ...]:
        """Everybody who is on it at any instant of that day in Shanghai."""
        return tuple(t for t in self.tenures if t.is_on(day))


# ---------------------------------------------------------------- who acts


def resolve_persons(
    seat: State, order: Order, *, is_live: bool, is_founded: bool = True
) -> tuple[Order, tuple[Unmet, ...]]:
    """The order with the persons who count as acting, or why whoever asks is not on that seat.

    On the wall clock, judged by the live registers, what is unknown is refused, once the office is founded; in a paper
    realm a seat that its own register does not have is bare.
    """
    record, actor, person = seat.part(Seat), order.actor, order.person
    if record.scope is None:
        return (order, (_unknown(actor),)) if is_live and is_founded else (order, ())
    order = replace(order, is_live=is_live, scope=record.scope)
    if person is None:
        return order, (_unnamed(actor),)
    tenure = record.tenure_of(person, order.at)
    if tenure is None:
        return order, (_not_on_it(record, actor, person, order.at),)
    holder = record.holder_at(order.at) if tenure.basis is not None else None
    persons = frozenset({person} if holder is None else {person, holder})
    return replace(order, persons=persons, basis=tenure.basis), ()


def _unknown(actor: Actor) -> Unmet:
    return Unmet.of(
        "SE10",
        "沒有崗位 {actor}：實時鐘上只有已設的崗位可以經辦（venture seat list）",
        "there is no seat {actor}: on the wall clock only seats that are established act (venture seat list)",
        actor=actor,
    )


def _unnamed(actor: Actor) -> Unmet:
    return Unmet.of(
        "SE11",
        "未說明 {actor} 由何人經辦：須登錄，或以 --person、VENTURE_PERSON 指明",
        "nobody says who acts as {actor}: log in, or name the person by --person or VENTURE_PERSON",
        actor=actor,
    )


def _not_on_it(seat: Seat, actor: Actor, person: PersonId, at: datetime) -> Unmet:
    """With when they were on it last, if ever."""
    last = max((t for t in seat.tenures if t.person == person), key=lambda t: t.begins, default=None)
    if last is None:
        return Unmet.of(
            "SE12", "{person} 不在崗位 {actor}", "{person} is not on the seat {actor}", person=person, actor=actor
        )
    when, now = _show_period(last.begins, last.ends), local_time(at)
    return Unmet.of(
        "SE12",
        "{person} 在崗位 {actor} 的時間為 {when}，{now} 不在其內",
        "{person} is on the seat {actor} from {when}, and not at {now}",
        person=person,
        actor=actor,
        when=when,
        now=now,
    )


def _show_period(begins: datetime, ends: datetime | None) -> str:
    return f"{local_time(begins)}–{_show_end(ends)}"


def _show_end(ends: datetime | None) -> str:
    return closing_time(ends) if ends else ""


# ---------------------------------------------------------------- decide


def reads(state: State, command: Commands) -> Reads:
    """The person who is put on the seat."""
    match command:
        case GrantSeat(person=person) | LendSeat(person=person) | BreakGlass(person=person):
            return Reads(streams=frozenset({person_stream(state.stream.realm, person)}))
        case EstablishSeat() | AppointFounder() | WithdrawSeat():
            return Reads()
        case _:
            assert_never(command)


def decide(state: State, facts: Facts, order: Order, command: Commands) -> list[Event]:
    """What an order about the seat makes happen. Raises CommandRejected."""
    check, seat, at = Checks(), state.part(Seat), order.at
    match command:
        case EstablishSeat():
            _require_scope(check, state, command.scope)
            return check.grant(SeatEstablished.of(command))
        case AppointFounder():
            return check.grant(SeatEstablished(scope=Scope(kind=ScopeKind.BUREAU)), SeatGranted.of(command))
        case GrantSeat(person=person):
            begins, ends = command.begins(at), command.ends()
            _require_time(check, "SE02", begins, ends)
            others = [t for t in seat.tenures if t.basis is None and t.overlaps(begins, ends)]
            taken = "、".join(f"{t.person}（{_show_period(t.begins, t.ends)}）" for t in others)
            check(
                not others,
                "SE02",
                "該段時間崗位屬 {taken}，請先收回，或另定起止日",
                "the seat is taken in that time: {taken}; withdraw it first, or choose other days",
                taken=taken,
            )
            _require_fit(check, state, facts, order, person, begins, ends)
            return check.grant(SeatGranted.of(command))
        case WithdrawSeat(person=person):
            check(
                any(t.person == person and t.overlaps(at, None) for t in seat.tenures),
                "SE03",
                "{person} 不在此崗位，以後亦不在",
                "{person} is not on the seat, and will not be",
                person=person,
            )
            _require_others(check, order, person)
            return check.grant(SeatWithdrawn.of(command))
        case LendSeat(person=person):
            begins, ends = command.period.begins(at), command.period.ends()
            _require_time(check, "SE04", begins, ends)
            own = next((t for t in seat.tenures if t.basis is None and t.is_at(begins)), None)
            check(
                own is not None and (own.ends is None or (ends is not None and ends <= own.ends)),
                "SE04",
                "代行期間須在崗位所屬者的任期之內",
                "a stand-in's days must lie within the time of whoever the seat belongs to",
            )
            check(
                not any(t.basis is Basis.STAND_IN and t.overlaps(begins, ends) for t in seat.tenures),
                "SE04",
                "該段時間已有代行者",
                "somebody stands in at that time already",
            )
            if own is not None:
                check(
                    own.person != person, "SE04", "{person} 即崗位所屬者", "{person} is whose seat it is", person=person
                )
                _require_others(check, order, own.person)
            _require_fit(check, state, facts, order, person, begins, ends)
            return check.grant(SeatLent.of(command))
        case BreakGlass(person=person, hours=hours):
            until = at + timedelta(hours=hours)
            _require_fit(check, state, facts, order, person, at, until)
            return check.grant(GlassBroken.of(command, until=until))
        case _:
            assert_never(command)


def _require_scope(check: Checks, state: State, scope: Scope) -> None:
    seat = read_seat(state.stream.name)
    check(
        seat is not None and seat.role is not Role.SYS,
        "SE01",
        "崗位卷宗以角色與編號為名，如 CAB-REG.1，而非 {name}",
        "a seat's file is named by role and number, such as CAB-REG.1, not {name}",
        name=state.stream.name,
    )
    if seat is None:
        return
    kind = scope_kind(seat.role)
    check(
        scope.kind is kind,
        "SE01",
        "{role}的範圍類別為{kind}，所填為{given}",
        "a seat of {role} acts for a {kind}, not for a {given}",
        role=seat.role,
        kind=kind,
        given=scope.kind,
    )
    check(
        bool(scope.names) is not is_whole(kind),
        "SE01",
        "{kind}的崗位不列名稱" if is_whole(kind) else "{kind}的崗位須列所代表者",
        "a seat for a {kind} names nobody" if is_whole(kind) else "a seat for a {kind} names for whom it acts",
        kind=kind,
    )


def _require_time(check: Checks, rule: str, begins: datetime, ends: datetime | None) -> None:
    check(
        ends is None or begins < ends,
        rule,
        "截止日須不早於起始日及今日：{begins}–{ends}",
        "the last day lies neither before the first nor before today: {begins}–{ends}",
        begins=local_time(begins),
        ends=_show_end(ends),
    )


def _require_others(check: Checks, order: Order, person: PersonId) -> None:
    """SD8: never by oneself, neither as who proposes nor as who confirms."""
    check(
        person not in order.persons,
        "SD8",
        "{person} 不得經辦自己的崗位",
        "{person} may not decide about a seat of their own",
        person=person,
    )


def _require_fit(
    check: Checks, state: State, facts: Facts, order: Order, person: PersonId, begins: datetime, ends: datetime | None
) -> None:
    """PN01, SD8: on the register, not by oneself, and no administrator on a seat of business nor the other way."""
    _require_others(check, order, person)
    register = facts.of(person_stream(state.stream.realm, person))
    is_retired = register.stage == PersonStage.RETIRED
    check(
        register.stage == PersonStage.REGISTERED,
        "PN01",
        "{person} 已離任" if is_retired else "{person} 未登記",
        "{person} has retired" if is_retired else "{person} is not on the register",
        person=person,
    )
    is_admin = _is_admin(state)
    clashing = sorted(
        {
            duty.seat
            for duty in register.part(Person).duties_in(begins, ends)
            if (duty.seat.role is Role.ADMIN) is not is_admin
        }
    )
    seats = "、".join(clashing)
    check(
        not clashing,
        "SD8",
        "{person} 同時在 {seats}：系統管理員不任業務崗位",
        "{person} is on {seats} at that time: administrators hold no seat of business",
        person=person,
        seats=seats,
    )


def _is_admin(state: State) -> bool:
    seat = read_seat(state.stream.name)
    return seat is not None and seat.role is Role.ADMIN


# ---------------------------------------------------------------- evolve


def evolve(state: State, of: Occurrence, event: Events) -> State:
    """Keep everybody who was, is or will be on the seat."""
    seat = state.part(Seat)
    match event:
        case SeatEstablished():
            return state.with_parts(replace(seat, scope=event.scope))
        case SeatGranted():
            tenure = Tenure(event.person, event.begins(of.at), event.ends())
            return state.with_parts(replace(seat, tenures=(*seat.tenures, tenure)))
        case SeatWithdrawn():
            tenures = (_end(t, of.at) if t.person == event.person else t for t in seat.tenures)
            return state.with_parts(replace(seat, tenures=tuple(tenures)))
        case SeatLent():
            period = event.period
            tenure = Tenure(event.person, period.begins(of.at), period.ends(), Basis.STAND_IN, event.reason)
            return state.with_parts(replace(seat, tenures=(*seat.tenures, tenure)))
        case GlassBroken():
            tenure = Tenure(event.person, of.at, event.until, Basis.BREAK_GLASS, event.reason)
            return state.with_parts(replace(seat, tenures=(*seat.tenures, tenure)))
        case _:
            assert_never(event)


def _end(tenure: Tenure, at: datetime) -> Tenure:
    return replace(tenure, ends=at if tenure.ends is None else min(at, tenure.ends))


def _list_consequences(stream: StreamId, event: Event) -> Iterable[tuple[StreamId, Command]]:
    """What the person's own file is to know of it."""
    seat = read_seat(stream.name)
    if seat is None:
        return
    match event:
        case SeatGranted(person=person, since=since, until=until):
            yield person_stream(stream.realm, person), SeatPerson(seat=seat, since=since, until=until)
        case SeatLent(person=person, since=since, until=until):
            duty = SeatPerson(seat=seat, since=since, until=until, basis=Basis.STAND_IN)
            yield person_stream(stream.realm, person), duty
        case GlassBroken(person=person, until=until):
            last = local_day(until)
            yield person_stream(stream.realm, person), SeatPerson(seat=seat, until=last, basis=Basis.BREAK_GLASS)
        case SeatWithdrawn(person=person):
            yield person_stream(stream.realm, person), UnseatPerson(seat=seat)
        case _:
            return


DECIDER = Decider(
    name="seat",
    zh="崗位",
    commands=get_args(Commands),
    events=get_args(Events),
    decide=decide,
    evolve=evolve,
    reads=reads,
)


def _summarize(state: State) -> dict[str, object]:
    """The scope and everybody who was ever given a time: by opaque numbers, and to be read as of any day."""
    seat = state.part(Seat)
    return {
        "scope": seat.scope.kind if seat.scope else "",
        "names": list(seat.scope.names) if seat.scope else [],
    }


SEAT = Aggregate(
    kind="seat",
    zh="崗位",
    en="seat",
    en_many="seats",
    deciders=(DECIDER, PROPOSALS),
    final=frozenset(SeatStage),
    consequences=_list_consequences,
    summary=_summarize,
)
