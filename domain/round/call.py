"""申報公告: the call pins the rules, opens the window for bids, and closes it at its instant (D1)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, assert_never, get_args

from pydantic import Field

from domain.kernel.attachment import Attachments, Evidence
from domain.kernel.bounds import Moment, Name
from domain.kernel.calendar import Calendar, closing_time, local_day, local_time
from domain.kernel.decider import Decider
from domain.kernel.facts import Facts, Reads
from domain.kernel.field_shape import Otherwise
from domain.kernel.identifier import Reason, Role
from domain.kernel.message import Awaited, Command, Due, Event, Occurrence, Order, Particulars
from domain.kernel.money import yuan
from domain.kernel.refusal import Checks
from domain.kernel.relation import BUREAU, ENGINE
from domain.kernel.state import SAME, SchemeRef, State, Transition
from domain.round.budget import awarded
from domain.round.plan import (
    GRACE,
    RecordedRoundSetup,
    Round,
    RoundSetup,
    list_setup_reads,
    remember_setup,
    require_rules,
    set_up_round,
)
from domain.round.stage import RoundStage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.kernel.scheme import Scheme

# ---------------------------------------------------------------- 公告發布


class Announcement(Particulars):
    """The call for applications."""

    deadline: Annotated[
        Moment | None,
        Otherwise("辦法所定期限", "the period of the scheme", "bidding.window_wd"),
        Field(title="截止時間 / deadline"),
    ] = None
    """Where the notice names the very instant; otherwise the window counts in working days. At it is late (D1)."""
    host: Annotated[Name | None, Field(title="承辦單位 / managing agency")] = None
    """Who takes bids in and hosts their review, e.g. ``HOST-1``; None leaves that to every managing agency."""
    attachments: Attachments = ()
    """The notice and its forms."""


class CallPublished(Announcement, RecordedRoundSetup, Event):
    """Organisations are asked to apply; the rules are pinned."""

    zh = "申報公告發布"
    en = "call for applications published"
    moves = (
        Transition(
            "RD06",
            (RoundStage.NONE, RoundStage.PLANNED, RoundStage.COLLECTED, RoundStage.CATALOGUED, RoundStage.CANCELLED),
            RoundStage.OPEN,
            (Role.CAB_REG,),
            "scheme published and in effect; deadline ahead",
        ),
    )
    window_wd: Annotated[int, Field(title="申報期（工作日） / window (working days)")]
    """Working days after this one on which bids are taken, where no deadline is named."""


class PublishCall(Announcement, RoundSetup, Command):
    """Ask organisations to apply."""

    records = CallPublished
    acts_for = (BUREAU,)


# ---------------------------------------------------------------- 公告更正


class CallCorrection(Particulars):
    """What the call now says."""

    reason: Reason
    deadline: Annotated[Moment | None, Field(title="截止時間 / deadline")] = None
    """The new deadline, if it moves."""
    scheme: Annotated[SchemeRef | None, Field(title="管理辦法 / scheme")] = None
    """Another version of the rules for all its bids, if they change."""
    host: Annotated[Name | None, Field(title="承辦單位 / managing agency")] = None
    """Another managing agency, if it changes."""
    attachments: Attachments = ()


class CallAmended(CallCorrection, Event):
    """The call was corrected before its deadline."""

    zh = "公告更正"
    moves = (Transition("RD07", (RoundStage.OPEN,), SAME, (Role.CAB_REG,), "before the deadline"),)


class AmendCall(CallCorrection, Command):
    """Correct the call."""

    records = CallAmended
    acts_for = (BUREAU,)


# ---------------------------------------------------------------- 截止、終止


class CallClosed(Event):
    """The window for bids has ended; it occurs at the deadline."""

    zh = "申報截止"
    moves = (Transition("RD08", (RoundStage.OPEN,), RoundStage.CLOSED, (Role.SYS,), "deadline passed"),)


class CloseCall(Command):
    """End the window for bids."""

    records = CallClosed
    acts_for = (ENGINE,)


class Abandonment(Particulars):
    """Why the round is given up, with its evidence (V1)."""

    reason: Reason
    attachments: Evidence


class CallCancelled(Abandonment, Event):
    """The round is given up."""

    zh = "本屆徵集取消"
    moves = (
        Transition(
            "RD09",
            (
                RoundStage.PLANNED,
                RoundStage.SOLICITING,
                RoundStage.COLLECTED,
                RoundStage.CATALOGUED,
                RoundStage.OPEN,
                RoundStage.CLOSED,
            ),
            RoundStage.CANCELLED,
            (Role.CAB_DEC,),
            "not resolved yet; no award stands",
        ),
    )


class CancelCall(Abandonment, Command):
    """Give the round up."""

    records = CallCancelled
    acts_for = (BUREAU,)


Commands = PublishCall | AmendCall | CloseCall | CancelCall
Events = CallPublished | CallAmended | CallClosed | CallCancelled


# ---------------------------------------------------------------- decide


def reads(state: State, command: Commands) -> Reads:
    """The register of the rules."""
    match command:
        case PublishCall():
            return list_setup_reads(state, command)
        case AmendCall(scheme=scheme):
            return list_setup_reads(state, RoundSetup(scheme=scheme))
        case CancelCall():
            return Reads(accounts=frozenset({awarded(state.stream.realm, state.stream.name)}))
        case CloseCall():
            return Reads()
        case _:
            assert_never(command)


def decide(state: State, facts: Facts, order: Order, command: Commands) -> list[Event]:
    """What an order about the call makes happen. Raises CommandRejected."""
    check, today = Checks(), local_day(order.at)
    match command:
        case PublishCall(deadline=deadline):
            _require_ahead(check, deadline, order.at)
            particulars = set_up_round(check, state, facts, command, today)
            scheme = require_rules(check, state, facts, command.scheme, today)
            _require_window(check, scheme, facts.calendar, deadline, today)
            return check.grant(
                CallPublished(
                    deadline=deadline,
                    host=command.host,
                    attachments=command.attachments,
                    window_wd=scheme.bidding.window_wd,
                    **particulars,
                )
            )
        case AmendCall(deadline=deadline, scheme=scheme):
            require_open(check, state, facts.calendar, order.at, "D1")
            _require_ahead(check, deadline, order.at)
            end = state.part(Round).closes_at(facts.calendar)
            check(
                deadline is None or end is None or deadline >= end,
                "RD07",
                "更正不得縮短申報期：原截止 {end}，所填 {deadline}",
                "an amendment cannot shorten the call: it closes at {end}, not {deadline}",
                end=_show_deadline(end),
                deadline=_show_deadline(deadline),
            )
            if scheme is not None:
                require_rules(check, state, facts, scheme, today)
            return check.grant(CallAmended.of(command))
        case CloseCall():
            end = state.part(Round).closes_at(facts.calendar)
            check(
                end is not None and order.at >= end,
                "RD08",
                "申報截止時間為 {end}",
                "applications are accepted until {end}",
                end=_show_deadline(end),
            )
            return check.grant(CallClosed())
        case CancelCall():
            live = facts.balance(awarded(state.stream.realm, state.stream.name))
            check(
                not live,
                "RD09",
                "尚有立項資助 {live}，請先逐項撤銷立項或終止項目，再取消本屆徵集",
                "awards of {live} stand; revoke them or terminate their projects before cancelling the round",
                live=yuan(live),
            )
            return check.grant(CallCancelled.of(command))
        case _:
            assert_never(command)


def require_open(check: Checks, round_: State, calendar: Calendar, at: datetime, rule: str) -> None:
    """Note that the window for bids does not stand open at that instant, if so (D1)."""
    end = round_.part(Round).closes_at(calendar)
    if not check(
        round_.stage == RoundStage.OPEN or (end is not None and at >= end),
        rule,
        "{name} 未在申報期內，目前為「{stage}」",
        "{name} is not open for applications (now: {stage})",
        name=round_.stream.name,
        stage=RoundStage(round_.stage),
    ):
        return
    check(
        end is None or at < end,
        rule,
        "申報已於 {end} 結束，{at} 已逾期",
        "applications closed at {end}; this one arrived at {at}",
        end=_show_deadline(end),
        at=local_time(at, to_the_second=True),
    )


def _require_window(check: Checks, scheme: Scheme, calendar: Calendar, deadline: datetime | None, today: date) -> None:
    """RD06: bids are taken for the scheme's working days, from the day of the notice to that of the deadline."""
    wd = scheme.bidding.window_wd
    last = calendar.after(today, wd - calendar.is_working(today))
    check(
        deadline is None or scheme.bidding.shorter_call or local_day(deadline) >= last,
        "RD06",
        "申報期不得少於 {wd} 個工作日：截止日期不得早於 {last}，現填 {deadline}",
        "the call must be open for at least {wd} working days: until {last}, not {deadline}",
        wd=wd,
        last=last,
        deadline=_show_deadline(deadline),
    )


def _require_ahead(check: Checks, deadline: datetime | None, now: datetime) -> None:
    check(
        deadline is None or deadline > now,
        "D1",
        "截止時間 {deadline} 須在公告之後",
        "the deadline {deadline} must be later than the notice",
        deadline=_show_deadline(deadline),
    )


def _show_deadline(instant: datetime | None) -> str:
    return closing_time(instant, to_the_second=True) if instant else "—"


# ---------------------------------------------------------------- evolve


def evolve(state: State, of: Occurrence, event: Events) -> State:
    """Keep the call as amended last: its deadline (UTC), its host, its rules."""
    round_ = state.part(Round)
    match event:
        case CallPublished():
            called = replace(
                round_,
                called_on=local_day(of.at),
                window_wd=event.window_wd,
                deadline=event.deadline,
                host=event.host,
            )
            return remember_setup(state.with_parts(called), event)
        case CallAmended():
            deadline, host = event.deadline or round_.deadline, event.host or round_.host
            amended = state.with_parts(replace(round_, deadline=deadline, host=host))
            return replace(amended, scheme=event.scheme or state.scheme)
        case CallClosed() | CallCancelled():
            return state
        case _:
            assert_never(event)


# ---------------------------------------------------------------- deadlines and who is awaited


def due(state: State, calendar: Calendar) -> Iterable[Due]:
    """The deadline for bids; on the wall clock it is seen to a minute later and occurs at its instant."""
    end = state.part(Round).closes_at(calendar)
    if state.stage == RoundStage.OPEN and end is not None:
        yield Due(end, CloseCall(), grace=GRACE)


def awaiting(state: State, _calendar: Calendar) -> Iterable[Awaited]:
    """The call, once the needs are public."""
    if state.stage == RoundStage.CATALOGUED:
        yield Awaited((Role.CAB_REG,), "PublishCall", "", "發布申報公告", "publish the call for applications")


DECIDER = Decider(
    name="call",
    zh="申報公告",
    commands=get_args(Commands),
    events=get_args(Events),
    decide=decide,
    evolve=evolve,
    reads=reads,
    due=due,
    awaiting=awaiting,
)
