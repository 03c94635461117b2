"""公示與批復: a proposed award is posted so that anyone may object, and confirmed once it has run (T02, T07; D2)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, assert_never, get_args

from pydantic import Field

from domain.application import Application
from domain.kernel import approval
from domain.kernel.calendar import Calendar, local_day
from domain.kernel.decider import Decider
from domain.kernel.effects import Effect
from domain.kernel.facts import Facts, Reads, require_scheme
from domain.kernel.ground import Ground, require_grounds
from domain.kernel.identifier import Role, StreamId, Text
from domain.kernel.message import Awaited, Command, Event, Occurrence, Order, Particulars
from domain.kernel.money import Fen
from domain.kernel.phrase import word
from domain.kernel.refusal import Checks
from domain.kernel.relation import BUREAU
from domain.kernel.state import Part, State, Transition
from domain.kernel.words import Words
from domain.project.award import Award, read_panel, require_round_standing, require_uninvolved
from domain.project.bidding import free_place, give_places_back, list_undecided
from domain.project.stage import Stage
from domain.project.stay import require_no_stay

if TYPE_CHECKING:
    from collections.abc import Iterable


# ---------------------------------------------------------------- 公示


class Notice(Particulars):
    """The posted notice; list, amounts and reviewers are taken from the file."""

    contact: Annotated[Text, Field(title="聯繫方式 / contact")]
    """Where an objection is to be lodged: an office, never a person."""


class AwardPublicityOpened(Notice, Event):
    """The proposed award is posted; its first day counts."""

    zh = "立項公示"
    en = "public notice opened"
    asks = True
    moves = (
        Transition(
            "T02",
            (Stage.PROPOSED,),
            Stage.IN_PUBLICITY,
            (Role.CAB_REG,),
            "notice has list amounts reviewers contact",
        ),
    )
    award: Annotated[Fen, Field(title="資助金額 / award")]
    reviewers: Annotated[tuple[str, ...], Field(title="評審專家 / reviewers")]
    working_days: Annotated[int, Field(title="公示期（工作日） / notice period (working days)")]
    """How many working days it stays posted (D2)."""
    decision_wd: Annotated[int, Field(title="異議處理期限（工作日） / objection decision period (working days)")]
    """Working days within which an accepted objection is to be decided."""


class OpenAwardPublicity(Notice, Command):
    """Post the proposed award."""

    records = AwardPublicityOpened
    en_words = "open the public notice"
    acts_for = (BUREAU,)
    grounds = (
        Ground(
            "T06",
            "異議成立須複評，複評後才能重新公示",
            "an upheld objection requires re-scoring; a new public notice can follow that",
            lambda state: not state.part(Application).rescoring,
        ),
    )


# ---------------------------------------------------------------- 立項審批


class AwardConfirmed(Event):
    """The award is final; the signing period begins."""

    zh = "立項審批"
    signing_wd: Annotated[int, Field(title="簽約期限（工作日） / signing period (working days)")]
    """Working days within which the contract is to be signed."""
    undecided: Annotated[str | None, Field(title="待決定申報數 / count of undecided bids")] = None
    """The count of undecided bids that it leaves; None where it was in none."""
    moves = (
        Transition(
            "T07",
            (Stage.IN_PUBLICITY,),
            Stage.AWARDED,
            (Role.CAB_DEC,),
            "window elapsed; no objection LODGED or ACCEPTED",
        ),
    )

    def effects(self, stream: StreamId) -> Iterable[Effect]:
        """Take the bid out of those that wait for a decision."""
        if self.undecided is not None:
            yield free_place(self.undecided, stream)


class ConfirmAward(Command):
    """Confirm the award."""

    records = AwardConfirmed
    acts_for = (BUREAU,)


Commands = OpenAwardPublicity | ConfirmAward
Events = AwardPublicityOpened | AwardConfirmed


# ---------------------------------------------------------------- what the decider remembers


class ObjectionStatus(Words):
    """Where an objection stands."""

    LODGED = "LODGED", "已提出", "lodged"
    ACCEPTED = "ACCEPTED", "已受理", "accepted"
    DISMISSED = "DISMISSED", "不成立", "dismissed"
    UPHELD = "UPHELD", "成立", "upheld"


@dataclass(frozen=True)
class Objection:
    """One objection and the Shanghai days on which it moved."""

    ground: str
    status: ObjectionStatus
    lodged_on: date
    accepted_on: date | None = None
    decided_on: date | None = None
    late_to: Role | None = None
    """Who is told if it is not decided in time; None if nobody is, or was."""
    escalated_to: Role | None = None
    """Who was told."""

    def is_stopping(self, day: date) -> bool:
        """Whether the publicity clock stands still on that day because of it: from acceptance through decision."""
        return (
            self.accepted_on is not None and self.accepted_on <= day and (not self.decided_on or day <= self.decided_on)
        )


@dataclass(frozen=True)
class Publicity(Part):
    """When the award was posted, for how long, and the objections that stop its clock."""

    posted_on: date | None = None
    working_days: int = 0
    decision_wd: int = 0
    objections: dict[str, Objection] = field(default_factory=dict)

    def last_day(self, calendar: Calendar) -> date | None:
        """The last day of publicity; None while the clock stands still or nothing is posted (D2)."""
        if self.posted_on is None or self.held:
            return None
        day, left = self.posted_on, self.working_days
        while True:
            left -= calendar.is_working(day) and not any(o.is_stopping(day) for o in self.objections.values())
            if left == 0:
                return day
            day += timedelta(days=1)

    @property
    def held(self) -> tuple[str, ...]:
        """Objections that are being investigated."""
        return tuple(n for n, o in self.objections.items() if o.status is ObjectionStatus.ACCEPTED)

    @property
    def undecided(self) -> tuple[str, ...]:
        """Objections that stand in the way of confirmation."""
        return tuple(
            n for n, o in self.objections.items() if o.status in (ObjectionStatus.LODGED, ObjectionStatus.ACCEPTED)
        )

    def with_objection(self, number: str, objection: Objection) -> Publicity:
        """The same publicity with that objection so."""
        return replace(self, objections={**self.objections, number: objection})


# ---------------------------------------------------------------- decide


def reads(state: State, _command: Commands) -> Reads:
    """The panel, whose reviewers the notice names, and none of whom may confirm."""
    panel = state.part(Award).panel
    if panel is None:
        return Reads()
    return Reads(streams=frozenset({state.stream.sibling("panel", panel)}))


def decide(state: State, facts: Facts, order: Order, command: Commands) -> list[Event]:
    """What an order about publicity makes happen. Raises CommandRejected."""
    check, award = Checks(), state.part(Award)
    match command:
        case OpenAwardPublicity():
            scheme = require_scheme(check, facts)
            require_grounds(check, state, command)
            return check.grant(
                AwardPublicityOpened.of(
                    command,
                    award=award.amount,
                    reviewers=read_panel(facts, state, award.panel).seated,
                    working_days=scheme.publicity.working_days,
                    decision_wd=scheme.publicity.objection_decision_wd,
                )
            )
        case ConfirmAward():
            _require_publicity_over(check, state.part(Publicity), facts.calendar, local_day(order.at))
            require_round_standing(check, state, facts, "T07")
            require_no_stay(check, state, "T07")
            require_uninvolved(check, order, read_panel(facts, state, award.panel).reviewers, "SD6")
            count = next(iter(list_undecided(state)), None)
            return check.grant(
                AwardConfirmed(signing_wd=require_scheme(check, facts).contract.signing_wd, undecided=count)
            )
        case _:
            assert_never(command)


def _require_publicity_over(check: Checks, publicity: Publicity, calendar: Calendar, today: date) -> None:
    last = publicity.last_day(calendar)
    check(
        not publicity.undecided,
        "T07",
        "異議 {undecided} 尚未作出決定",
        "objections {undecided} have not been decided",
        undecided=[*publicity.undecided],
    )
    check(
        last is not None and today > last,
        "D2",
        "公示期未滿{working_days}個工作日，{then}辦理立項審批",
        "the public notice period of {working_days} working days has not ended: {then}",
        working_days=publicity.working_days,
        then=word(f"{last} 之後才能", f"the award can be confirmed after {last}")
        if last
        else word("異議處理完畢並補足天數後才能", "it is paused while an objection is considered"),
    )


# ---------------------------------------------------------------- evolve


def evolve(state: State, of: Occurrence, event: Events) -> State:
    """Keep the day of posting and, once confirmed, that of the award; its approval runs between them."""
    award, today = state.part(Award), local_day(of.at)
    match event:
        case AwardPublicityOpened():
            posted = Publicity(today, event.working_days, event.decision_wd)
            content = {"project": award.project, "award": award.amount, "funds": award.funds}
            return approval.ask_approval(
                state.with_parts(posted), of, gate="ConfirmAward", role=Role.CAB_DEC, content=content
            )
        case AwardConfirmed():
            confirmed = replace(award, confirmed_on=today, signing_wd=event.signing_wd)
            state = give_places_back(state.with_parts(confirmed), (event.undecided,) if event.undecided else ())
            return approval.end_approval(state, of, gate="ConfirmAward")
        case _:
            assert_never(event)


# ---------------------------------------------------------------- who is awaited


def awaiting(state: State, calendar: Calendar) -> Iterable[Awaited]:
    """Posting, and confirmation once nothing stands in its way."""
    publicity = state.part(Publicity)
    if state.stage == Stage.PROPOSED and not state.part(Application).rescoring:
        yield Awaited((Role.CAB_REG,), "OpenAwardPublicity", "", "發布立項公示", "post the proposed award")
    if state.stage not in (Stage.IN_PUBLICITY, Stage.OBJECTION_HOLD) or publicity.undecided:
        return
    last = publicity.last_day(calendar)
    if last is not None:
        yield Awaited(
            (Role.CAB_DEC,),
            "ConfirmAward",
            "",
            f"公示至 {last}，其後立項審批",
            f"confirm the award once publicity has ended on {last}",
        )


DECIDER = Decider(
    name="publicity",
    zh="公示與批復",
    commands=get_args(Commands),
    events=get_args(Events),
    decide=decide,
    evolve=evolve,
    reads=reads,
    awaiting=awaiting,
)
