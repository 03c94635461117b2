"""開標監督: where bids are handed in sealed, m of n custodians open them, after the call has closed (SB02, SB03).

What is sealed and what opening means is ``domain.project.seal``; docs/sealed.md tells it to whoever bids.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Annotated, assert_never, get_args

from pydantic import Field

from domain.kernel.acting import Acting, require_another_person
from domain.kernel.calendar import Calendar, local_day
from domain.kernel.decider import Decider
from domain.kernel.facts import Facts, require_scheme
from domain.kernel.identifier import Actor, Role
from domain.kernel.message import Awaited, Command, Event, Occurrence, Order, Particulars
from domain.kernel.refusal import Checks
from domain.kernel.relation import BUREAU
from domain.kernel.scheme import Sealing
from domain.kernel.state import Part, State
from domain.round.stage import RoundStage

if TYPE_CHECKING:
    from collections.abc import Iterable

CUSTODIANS = (Role.CAB_REG, Role.CAB_FIN, Role.CAB_DEC, Role.FISCAL)
"""Whose seats may open what was sealed."""


class Appointment(Particulars):
    """Who opens the bids of this call."""

    custodians: Annotated[tuple[Actor, ...], Field(min_length=1, max_length=9, title="開標監督人 / custodians")]


class CustodiansAppointed(Appointment, Event):
    """Bids may be sealed from now on; so many of these open them."""

    zh = "開標監督人指定"
    en = "custodians of sealed applications appointed"
    quorum: Annotated[int, Field(ge=1, le=9, title="開啟所需人數 / needed to open")]
    open_wd: Annotated[int, Field(title="提交期限（工作日） / handed in within (working days)")]
    """Working days after the opening within which bidders hand in what they sealed."""


class AppointCustodians(Appointment, Command):
    """Appoint the custodians of a call, or others in their place while it is open."""

    records = CustodiansAppointed
    en_words = "appoint the custodians of sealed applications"
    by = (Role.CAB_DEC,)
    acts_for = (BUREAU,)
    during = (RoundStage.OPEN,)
    rule = "SB02"


class SealReleased(Event):
    """One custodian agrees that the bids are opened."""

    zh = "開標同意"
    en = "seal released"


class ReleaseSeal(Command):
    """Agree, as custodian, that the bids are opened."""

    records = SealReleased
    en_words = "release the seal"
    by = CUSTODIANS
    acts_for = (BUREAU,)
    during = (RoundStage.CLOSED,)
    rule = "SB03"


Commands = AppointCustodians | ReleaseSeal
Events = CustodiansAppointed | SealReleased


@dataclass(frozen=True)
class Custody(Part):
    """Who opens the bids of a call, and who has agreed to it."""

    custodians: tuple[Actor, ...] = ()
    """Empty where nobody was appointed."""
    quorum: int = 0
    open_wd: int = 0
    released: tuple[Acting, ...] = ()
    opened_on: date | None = None
    """The Shanghai day on which the last of the quorum agreed; None before."""

    def find_last_day(self, calendar: Calendar) -> date | None:
        """The last day for bidders to hand in what they sealed; None before the opening."""
        return calendar.after(self.opened_on, self.open_wd) if self.opened_on else None


# ---------------------------------------------------------------- decide


def decide(state: State, facts: Facts, order: Order, command: Commands) -> list[Event]:
    """What an order about the custody makes happen. Raises CommandRejected."""
    check, custody = Checks(), state.part(Custody)
    match command:
        case AppointCustodians(custodians=custodians):
            sealing = require_scheme(check, facts).bidding.sealed
            check(sealing, "SB02", "本辦法不密封申報", "these rules seal no applications")
            rules = sealing or Sealing()
            strangers = sorted(seat for seat in custodians if seat.role not in CUSTODIANS)
            check(
                len(custodians) == len(set(custodians)) == rules.custodians,
                "SB02",
                "開標監督人須為不同的 {needed} 個崗位，現填 {given} 個",
                "name {needed} different seats as custodians, not {given}",
                needed=rules.custodians,
                given=len(set(custodians)),
            )
            check(
                not strangers,
                "SB02",
                "{strangers} 不得為開標監督人，可用：{roles}",
                "{strangers} cannot be custodians; these can: {roles}",
                strangers=strangers,
                roles=CUSTODIANS,
            )
            return check.grant(CustodiansAppointed.of(command, quorum=rules.quorum, open_wd=rules.open_wd))
        case ReleaseSeal():
            check(
                order.actor in custody.custodians,
                "SB03",
                "{actor} 不是本屆的開標監督人",
                "{actor} is no custodian of this call",
                actor=order.actor,
            )
            check(custody.opened_on is None, "SB03", "已開啟", "the applications are open already")
            require_another_person(
                check,
                order.acting,
                "SB03",
                custody.released,
                "{acting} 已同意開啟，須由另一人同意",
                "{acting} has agreed already; another person must",
                acting=order.acting,
            )
            return check.grant(SealReleased())
        case _:
            assert_never(command)


# ---------------------------------------------------------------- evolve, who is awaited


def evolve(state: State, of: Occurrence, event: Events) -> State:
    """Keep who opens the bids and who has agreed; with the last of the quorum, the day."""
    match event:
        case CustodiansAppointed():
            return state.with_parts(Custody(event.custodians, event.quorum, event.open_wd))
        case SealReleased():
            custody = state.part(Custody)
            released = (*custody.released, of.acting)
            opened_on = local_day(of.at) if len(released) >= custody.quorum else None
            return state.with_parts(replace(custody, released=released, opened_on=opened_on))
        case _:
            assert_never(event)


def awaiting(state: State, _calendar: Calendar) -> Iterable[Awaited]:
    """The custodians who have not agreed, once the call has closed."""
    custody = state.part(Custody)
    left = custody.quorum - len(custody.released)
    if state.stage == RoundStage.CLOSED and left > 0:
        zh, en = f"同意開啟密封申報（尚缺 {left} 人）", f"release the seal ({left} more needed)"
        agreed = {one.seat for one in custody.released}
        seats = tuple(seat for seat in custody.custodians if seat not in agreed)
        roles = tuple(role for role in CUSTODIANS if any(seat.role is role for seat in seats))
        yield Awaited(roles, "ReleaseSeal", "", zh, en, seats=seats)


DECIDER = Decider(
    name="custody",
    zh="開標監督",
    commands=get_args(Commands),
    events=get_args(Events),
    decide=decide,
    evolve=evolve,
    awaiting=awaiting,
)
