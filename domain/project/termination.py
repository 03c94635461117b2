"""終止、收回資金與問責: a project ends early after a hearing; what may not be kept comes back (T20, T23, T24; M10)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, assert_never, get_args

from pydantic import Field

from domain.kernel import approval
from domain.kernel.approval import Verdict
from domain.kernel.attachment import Attachment, Evidence
from domain.kernel.bounds import Date
from domain.kernel.calendar import Calendar, day_begins, day_ends, local_day
from domain.kernel.decider import Decider
from domain.kernel.facts import Facts, require_scheme
from domain.kernel.field_shape import Otherwise
from domain.kernel.identifier import Role, Text
from domain.kernel.message import Awaited, Command, Due, Event, Occurrence, Order, Particulars
from domain.kernel.money import Fen, PositiveFen, yuan
from domain.kernel.phrase import call_tranche
from domain.kernel.refusal import Checks
from domain.kernel.relation import BUREAU, ENGINE
from domain.kernel.state import ORIGIN, Part, State, Transition
from domain.project.bidding import PlacesFreed, give_places_back, list_answers
from domain.project.disbursement import Adverse
from domain.project.money import Money, MoneyReturned, Proof, apportion, require_proof
from domain.project.remedy import resume
from domain.project.stage import Stage
from domain.project.tranches import Tranches

if TYPE_CHECKING:
    from collections.abc import Iterable

CLAWBACK_RUNS = (Stage.SETTLEMENT, Stage.TERMINATING, Stage.TERMINATED, Stage.CLOSED, Stage.ARCHIVED)
"""The stages in which money that was ordered back may still come."""

REFERABLE = (
    Stage.ACTIVE,
    Stage.RECTIFYING,
    Stage.SUSPENDED,
    Stage.FINAL_REVIEW,
    Stage.SETTLEMENT,
    *CLAWBACK_RUNS[1:],
)
"""The stages in which somebody may be called to account."""


# ---------------------------------------------------------------- 擬終止告知、陳述申辯


class HearingNotice(Particulars):
    """On what ground it is to be ended, and until when the organisation may be heard; the notice is attached (V1)."""

    ground: Annotated[Text, Field(title="事由 / ground")]
    hearing_until: Annotated[
        Date | None,
        Otherwise("辦法所定期限", "the period of the scheme", "remedy.hearing_wd"),
        Field(title="陳述申辯截止 / representations until"),
    ] = None
    """The last day, as the notice states it; None for the scheme's period."""
    attachments: Evidence


class TerminationInitiated(HearingNotice, Event):
    """The project is to be ended; the organisation may be heard first."""

    zh = "擬終止告知"
    en = "notice of intended termination"
    asks = True
    hearing_wd: Annotated[int, Field(title="陳述申辯期限（工作日） / period for representations (working days)")]
    """Working days of the hearing period."""
    moves = (
        Transition(
            "T20",
            (Stage.CONTRACTED, Stage.ACTIVE, Stage.RECTIFYING, Stage.SUSPENDED, Stage.FINAL_REVIEW),
            Stage.TERMINATING,
            (Role.CAB_REG,),
            "ground cited; hearing notice served",
            push=True,
        ),
    )


class InitiateTermination(HearingNotice, Command):
    """Begin to end the project."""

    records = TerminationInitiated
    en_words = "give notice of intended termination"
    acts_for = (BUREAU,)


class Hearing(Particulars):
    """What the hearing showed."""

    finding: Annotated[Text, Field(title="查明情況 / finding")]
    record: Annotated[Attachment, Field(title="記錄 / record")]
    """The record of the hearing."""


class TerminationAppealUpheld(Hearing, Event):
    """The organisation was right; the project goes on where it was, and nothing is ordered back any more."""

    zh = "申辯成立"
    en = "representations upheld"
    moves = (Transition("T23", (Stage.TERMINATING,), ORIGIN, (Role.CAB_DEC,), "hearing record"),)


class UpholdTerminationAppeal(Hearing, Command):
    """Find that the project is not to be ended."""

    records = TerminationAppealUpheld
    acts_for = (BUREAU,)


class ProjectTerminated(Adverse, PlacesFreed, Event):
    """The project has ended early; where no money stayed with it, its need may be answered again."""

    zh = "項目終止"
    moves = (
        Transition(
            "T24",
            (Stage.TERMINATING,),
            Stage.TERMINATED,
            (Role.CAB_DEC,),
            "audit issued; unpaid tranches cancelled; clawback ordered or nil",
        ),
    )


class TerminateProject(Adverse, Command):
    """End the project."""

    records = ProjectTerminated
    acts_for = (BUREAU,)


# ---------------------------------------------------------------- 收回


class ClawbackDecision(Adverse):
    """How much is to come back, until when."""

    amount: Annotated[PositiveFen, Field(title="金額 / amount")]
    due: Annotated[
        Date | None,
        Otherwise("辦法所定期限", "the period of the scheme", "remedy.clawback_days"),
        Field(title="期限 / due"),
    ] = None
    """The last day, as the decision states it; None for the scheme's period."""


class ClawbackOrdered(ClawbackDecision, Event):
    """Money that may not be kept is to come back."""

    zh = "收回資金決定"
    en = "recovery ordered"
    clawback_days: Annotated[int, Field(title="退回期限（日） / repayment period (days)")]
    """Calendar days within which it is to come back."""


class OrderClawback(ClawbackDecision, Command):
    """Order money back."""

    records = ClawbackOrdered
    en_words = "order recovery"
    by = (Role.CAB_DEC,)
    acts_for = (BUREAU,)
    during = (Stage.TERMINATING, Stage.SETTLEMENT)
    rule = "M10"


class Receipt(Particulars):
    """What came in."""

    amount: Annotated[PositiveFen, Field(title="金額 / amount")]
    reference: Annotated[Text | None, Field(title="憑證號 / reference")] = None
    """The treasury's own number of the receipt."""
    attachments: Proof = None


class ClawbackReceived(Receipt, MoneyReturned, Event):
    """Money that was ordered back is there."""

    zh = "收回資金到賬"
    en = "recovery received"


class ReceiveClawback(Receipt, Command):
    """Record money that was ordered back."""

    records = ClawbackReceived
    en_words = "record recovered money"
    by = (Role.CAB_FIN,)
    acts_for = (BUREAU,)
    persons_needed = 2
    confirmed_by = (Role.CAB_FIN, Role.FISCAL)
    during = CLAWBACK_RUNS
    rule = "M10"


class ClawbackEscalated(Event):
    """What has not come back in time is handed on to be enforced."""

    zh = "逾期移送追繳"
    en = "referred for enforcement"
    outstanding: Annotated[Fen, Field(title="未收回 / outstanding")]
    """What is still to come, in fen."""


class EscalateClawback(Command):
    """Hand the outstanding money on: the calendar does it on the first working day after the last."""

    records = ClawbackEscalated
    by = (Role.SYS,)
    acts_for = (ENGINE,)
    during = CLAWBACK_RUNS
    rule = "M10"


# ---------------------------------------------------------------- 問題線索移送


class Referral(Adverse):
    """Whom the matter goes to."""

    to: Annotated[Text, Field(title="移送 / referred to")] = Role.DISC


class AccountabilityReferred(Referral, Event):
    """Somebody is to be called to account; who, stays with those it was referred to."""

    zh = "問題線索移送"
    en = "referred to discipline inspection"


class ReferAccountability(Referral, Command):
    """Refer the matter."""

    records = AccountabilityReferred
    by = (Role.CAB_REG,)
    acts_for = (BUREAU,)
    during = REFERABLE
    rule = "V1"


Commands = (
    InitiateTermination
    | UpholdTerminationAppeal
    | TerminateProject
    | OrderClawback
    | ReceiveClawback
    | EscalateClawback
    | ReferAccountability
)
Events = (
    TerminationInitiated
    | TerminationAppealUpheld
    | ProjectTerminated
    | ClawbackOrdered
    | ClawbackReceived
    | ClawbackEscalated
    | AccountabilityReferred
)


# ---------------------------------------------------------------- what the decider remembers


@dataclass(frozen=True)
class Termination(Part):
    """The latest termination procedure."""

    ground: str = ""
    initiated_on: date | None = None
    hearing_until: date | None = None
    """The last day, where the notice states it."""
    hearing_wd: int = 0

    def last_day(self, calendar: Calendar) -> date | None:
        """The last day on which the organisation may be heard; None if no termination is under way."""
        if self.initiated_on is None:
            return None
        return self.hearing_until or calendar.after(self.initiated_on, self.hearing_wd)


@dataclass(frozen=True)
class Clawback(Part):
    """What is to come back, and what did. Received: ``Money.clawed_back``."""

    ordered: Fen = 0
    """All that was ordered back in the life of the project."""
    last_day: date | None = None
    """Of the latest order."""
    escalated: bool = False
    """Whether what is outstanding was handed on."""
    referred_to: tuple[str, ...] = ()
    """Whom the matter was referred to."""


def outstanding(state: State) -> Fen:
    """What was ordered back and has not come, in fen."""
    return max(state.part(Clawback).ordered - state.part(Money).clawed_back, 0)


def unjustified(state: State) -> Fen:
    """What was paid, has not come back, and the audit did not find eligible, in fen; all of it before an audit."""
    money = state.part(Money)
    return max(money.net - (money.audited or 0), 0)


# ---------------------------------------------------------------- decide


def decide(state: State, facts: Facts, order: Order, command: Commands) -> list[Event]:
    """What an order about termination or clawback makes happen. Raises CommandRejected."""
    check, money, today = Checks(), state.part(Money), local_day(order.at)
    match command:
        case InitiateTermination(hearing_until=until):
            wd = require_scheme(check, facts).remedy.hearing_wd
            least = facts.calendar.after(today, wd)
            check(
                until is None or until >= least,
                "T20",
                "陳述申辯期限 {until} 不得早於 {least}（{wd} 個工作日）",
                "the organisation must have until at least {least} ({wd} working days) to respond, not "
                "only until {until}",
                until=until,
                least=least,
                wd=wd,
            )
            return check.grant(TerminationInitiated.of(command, hearing_wd=wd))
        case UpholdTerminationAppeal():
            return check.grant(TerminationAppealUpheld.of(command))
        case TerminateProject():
            _require_terminable(check, state, facts.calendar, today)
            free = () if money.net else list_answers(state)
            return check.grant(ProjectTerminated.of(command, freed_places=free))
        case OrderClawback():
            days = _require_orderable(check, state, facts, command, today)
            return check.grant(ClawbackOrdered.of(command, clawback_days=days))
        case ReceiveClawback(amount=amount):
            left = outstanding(state)
            check(
                amount <= left,
                "M10",
                "尚待收回 {left}，到賬 {amount} 超出",
                "{left} is outstanding; {amount} is more than that",
                left=yuan(left),
                amount=yuan(amount),
            )
            check(
                amount <= money.net,
                "M3",
                "到賬 {amount} 超出已撥未退的 {net}",
                "{amount} is more than the {net} that was paid and not returned",
                amount=yuan(amount),
                net=yuan(money.net),
            )
            require_proof(check, order, command.attachments)
            return check.grant(ClawbackReceived.of(command, split=apportion(amount, money.out)))
        case EscalateClawback():
            at = _escalates(state, facts.calendar)
            check(
                at is not None and order.at >= at,
                "M10",
                "退回期限後首個工作日（{at}）才移送",
                "it is referred for enforcement on {at}, the first working day after the due date",
                at=at,
            )
            return check.grant(ClawbackEscalated(outstanding=outstanding(state)))
        case ReferAccountability():
            return check.grant(AccountabilityReferred.of(command))
        case _:
            assert_never(command)


def _require_terminable(check: Checks, state: State, calendar: Calendar, today: date) -> None:
    """T24: heard, and all that ``require_nothing_kept`` asks."""
    last = state.part(Termination).last_day(calendar)
    check(
        last is not None and today > last,
        "T24",
        "陳述申辯期至 {last}，期滿後才能終止",
        "the period for representations ends on {last}; the project can be terminated after that",
        last=last,
    )
    require_nothing_kept(check, state)


def require_nothing_kept(check: Checks, state: State) -> None:
    """T24: audited, nothing left to be paid, and what may not be kept ordered back."""
    check(state.part(Money).audited is not None, "T24", "審計意見尚未出具", "the audit opinion has not been issued")
    unsettled = state.part(Tranches).list_unsettled()
    check(
        not unsettled,
        "T24",
        "{unsettled}尚未撥付，請先核減或取消",
        "{unsettled} are unpaid; cancel them first",
        unsettled=[call_tranche(one) for one in unsettled],
    )
    missing = unjustified(state) - outstanding(state)
    check(
        missing <= 0,
        "T24",
        "尚有 {missing} 應收回而未作收回資金決定",
        "{missing} is unjustified and no recovery has been ordered",
        missing=yuan(max(missing, 0)),
    )


def _require_orderable(check: Checks, state: State, facts: Facts, command: OrderClawback, today: date) -> int:
    """M10: no more than was paid and has neither come back nor been ordered back; within the scheme's period."""
    money, days = state.part(Money), require_scheme(check, facts).remedy.clawback_days
    most = money.net - outstanding(state)
    check(
        command.amount <= most,
        "M10",
        "收回 {amount} 超出已撥未退的 {most}",
        "{amount} exceeds the {most} paid and neither returned nor ordered to be recovered",
        amount=yuan(command.amount),
        most=yuan(most),
    )
    check(
        money.audited is not None,
        "M10",
        "審計意見出具後才能確定收回金額",
        "the amount to recover is known once the audit opinion has been issued",
    )
    longest = today + timedelta(days=days)
    check(
        command.due is None or today < command.due <= longest,
        "M10",
        "退回期限 {due} 須在今日之後且不晚於 {longest}（{days} 日）",
        "the due date {due} must be later than today and no later than {longest} ({days} days)",
        due=command.due,
        longest=longest,
        days=days,
    )
    return days


# ---------------------------------------------------------------- evolve


def evolve(state: State, of: Occurrence, event: Events) -> State:
    """Keep the newest procedure, and what is to come back (fen); what has come is ``Money.clawed_back``."""
    clawback, today = state.part(Clawback), local_day(of.at)
    match event:
        case TerminationInitiated():
            begun = Termination(event.ground, today, event.hearing_until, event.hearing_wd)
            return ask_termination(state.with_parts(begun), of)
        case TerminationAppealUpheld():
            heard = approval.end_approval(state, of, gate="TerminateProject", verdict=Verdict.REFUSED)
            nothing_owed = replace(clawback, ordered=state.part(Money).clawed_back, last_day=None)
            return resume(heard.with_parts(Termination(), nothing_owed), today)
        case ProjectTerminated():
            return approval.end_approval(give_places_back(state, event.freed_places), of, gate="TerminateProject")
        case ClawbackOrdered():
            last = event.due or today + timedelta(days=event.clawback_days)
            more = replace(clawback, ordered=clawback.ordered + event.amount, last_day=last, escalated=False)
            return state.with_parts(more)
        case ClawbackReceived():
            return state.with_parts(state.part(Money).after_clawback(event.split))
        case ClawbackEscalated():
            return state.with_parts(replace(clawback, escalated=True))
        case AccountabilityReferred():
            return state.with_parts(replace(clawback, referred_to=(*clawback.referred_to, event.to)))
        case _:
            assert_never(event)


def ask_termination(state: State, of: Occurrence) -> State:
    """The state with the decision open on the termination that is under way."""
    begun = state.part(Termination)
    content = {"ground": begun.ground, "initiated_on": begun.initiated_on.isoformat() if begun.initiated_on else ""}
    return approval.ask_approval(state, of, gate="TerminateProject", role=Role.CAB_DEC, content=content)


# ---------------------------------------------------------------- deadlines and who is awaited


def _escalates(state: State, calendar: Calendar) -> datetime | None:
    """When what is outstanding is handed on; None if nothing is, or it was."""
    clawback = state.part(Clawback)
    if clawback.last_day is None or clawback.escalated or not outstanding(state):
        return None
    return day_begins(calendar.next_working(clawback.last_day))


def due(state: State, calendar: Calendar) -> Iterable[Due]:
    """The day on which a clawback that has not come back is escalated."""
    at = _escalates(state, calendar)
    if at is not None:
        yield Due(at, EscalateClawback())


def awaiting(state: State, calendar: Calendar) -> Iterable[Awaited]:
    """The decision after the hearing, and money that is to come back."""
    if state.stage == Stage.TERMINATING:
        last = state.part(Termination).last_day(calendar)
        zh, en = f"聽取申辯至 {last}，其後決定是否終止", f"hear the organisation until {last}, then decide"
        yield Awaited((Role.CAB_DEC,), "TerminateProject", "", zh, en)
    left, clawback = outstanding(state), state.part(Clawback)
    if left and state.stage in CLAWBACK_RUNS:
        roles = (Role.CAB_FIN, *([Role.CAB_REG] if clawback.escalated else []))  # who hands it on to be enforced
        zh, en = f"收回資金到賬 {yuan(left)}", f"receive {yuan(left)} that was ordered back"
        until = day_ends(clawback.last_day) if clawback.last_day else None
        yield Awaited(roles, "ReceiveClawback", "", zh, en, until)


DECIDER = Decider(
    name="termination",
    zh="終止與收回資金",
    commands=get_args(Commands),
    events=get_args(Events),
    decide=decide,
    evolve=evolve,
    due=due,
    awaiting=awaiting,
)
