"""答疑: whoever may bid asks about the call in time, and the answer is everybody's; who asked is not told (QA01–QA03).

An answer explains the call and changes nothing of it: an amendment does that (RD07). While a question waits, no bid
passes its preliminary review, so that nobody is judged by what others were not told.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, assert_never, get_args

from pydantic import Field

from domain.kernel.attachment import Attachments
from domain.kernel.calendar import Calendar, day_ends, local_day
from domain.kernel.decider import Decider
from domain.kernel.facts import Facts, require_scheme
from domain.kernel.identifier import Actor, Role, Text
from domain.kernel.message import Awaited, Command, Event, Occurrence, Order, Particulars
from domain.kernel.refusal import Checks
from domain.kernel.relation import ANYBODY, BUREAU
from domain.kernel.scheme import Clarifying
from domain.kernel.state import Part, State
from domain.round.call import require_open
from domain.round.plan import Round
from domain.round.stage import RoundStage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MOST_OF_A_SEAT: Final = 50
"""How many questions one seat asks about one call."""

ANSWERABLE = (RoundStage.OPEN, RoundStage.CLOSED)
"""Stages of a round in which a question may be answered: those that hold the preliminary review too."""


class ClarificationNumber(Particulars):
    """Which question; numbered by who asks it."""

    clarification: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,32}$", title="提問編號 / question number")]


class ClarificationRequest(ClarificationNumber):
    """What is unclear. It is published with its answer: nothing in it may tell who asks."""

    question: Annotated[Text, Field(title="問題 / question")]


class ClarificationAsked(ClarificationRequest, Event):
    """Somebody who may bid asks about the call; readers are not told who."""

    zh = "答疑提問"
    en = "call questioned"
    anonymous = True
    reply_wd: Annotated[int, Field(title="答疑期限（工作日） / answered within (working days)")]


class AskClarification(ClarificationRequest, Command):
    """Ask about the call."""

    records = ClarificationAsked
    en_words = "ask about the call"
    by = (Role.SO_LEGAL, Role.SO_PM)
    acts_for = (ANYBODY,)
    during = (RoundStage.OPEN,)
    rule = "QA01"


class ClarificationAnswer(ClarificationNumber):
    """What the call means. It changes nothing of it."""

    answer: Annotated[Text, Field(title="答復 / answer")]
    attachments: Attachments = ()


class ClarificationAnswered(ClarificationAnswer, Event):
    """Everybody reads question and answer."""

    zh = "答疑答復"
    en = "question about the call answered"


class AnswerClarification(ClarificationAnswer, Command):
    """Answer a question about the call, to everybody."""

    records = ClarificationAnswered
    en_words = "answer a question about the call"
    by = (Role.CAB_REG,)
    acts_for = (BUREAU,)
    during = ANSWERABLE
    rule = "QA02"
    subject_field: ClassVar[str] = "clarification"


Commands = AskClarification | AnswerClarification
Events = ClarificationAsked | ClarificationAnswered


@dataclass(frozen=True)
class Clarification:
    """A question, and its answer once there is one."""

    by: Actor
    asked_on: date
    reply_wd: int
    question: str
    answer: str | None = None


@dataclass(frozen=True)
class Clarifications(Part):
    """All questions about a call, by number."""

    of: Mapping[str, Clarification] = field(default_factory=dict)

    @property
    def waiting(self) -> tuple[str, ...]:
        """The numbers of the questions that nobody has answered."""
        return tuple(number for number, one in self.of.items() if one.answer is None)


def require_answered(check: Checks, round_: State) -> None:
    """QA03: that no question about the call waits for its answer."""
    waiting = round_.part(Clarifications).waiting
    check(
        not waiting,
        "QA03",
        "申報公告尚有提問 {waiting} 未答復，答復後才能通過初審",
        "the questions {waiting} about the call wait for an answer; applications pass preliminary review after that",
        waiting=waiting,
    )


def find_last_day(round_: State, calendar: Calendar, before_wd: int) -> date | None:
    """The last day for questions: so many working days before the call's last day; None before there is a call."""
    closes = round_.part(Round).closes_at(calendar)
    return calendar.before(local_day(closes - timedelta(microseconds=1)), before_wd) if closes else None


# ---------------------------------------------------------------- decide


def decide(state: State, facts: Facts, order: Order, command: Commands) -> list[Event]:
    """What an order about a question makes happen. Raises CommandRejected."""
    check, clarifications = Checks(), state.part(Clarifications)
    match command:
        case AskClarification(clarification=number):
            rules = require_scheme(check, facts).bidding.clarification
            check(
                rules is not None,
                "QA01",
                "本辦法未設答疑，請按公告所載方式聯繫",
                "these rules take no questions here; ask as the notice says",
            )
            require_open(check, state, facts.calendar, order.at, "QA01")
            rules = rules or Clarifying()
            last = find_last_day(state, facts.calendar, rules.until_wd)
            check(
                last is None or local_day(order.at) <= last,
                "QA01",
                "提問至 {last} 止",
                "questions are taken until {last}",
                last=last,
            )
            check(
                number not in clarifications.of,
                "QA01",
                "提問 {number} 已有，請另編號",
                "question {number} exists; give this one another number",
                number=number,
            )
            check(
                sum(one.by == order.actor for one in clarifications.of.values()) < MOST_OF_A_SEAT,
                "QA01",
                "每個崗位就一份公告最多提問 {most} 次",
                "a seat asks at most {most} questions about a call",
                most=MOST_OF_A_SEAT,
            )
            return check.grant(ClarificationAsked.of(command, reply_wd=rules.reply_wd))
        case AnswerClarification(clarification=number):
            check(
                number in clarifications.waiting,
                "QA02",
                "沒有編號為 {number} 而待答復的提問",
                "no question {number} waits for an answer",
                number=number,
            )
            return check.grant(ClarificationAnswered.of(command))
        case _:
            assert_never(command)


# ---------------------------------------------------------------- evolve, who is awaited


def evolve(state: State, of: Occurrence, event: Events) -> State:
    """Keep every question about the call by number, and its answer."""
    clarifications = state.part(Clarifications)
    match event:
        case ClarificationAsked(clarification=number):
            one = Clarification(of.actor, local_day(of.at), event.reply_wd, event.question)
        case ClarificationAnswered(clarification=number):
            one = replace(clarifications.of[number], answer=event.answer)
        case _:
            assert_never(event)
    return state.with_parts(Clarifications({**clarifications.of, number: one}))


def awaiting(state: State, calendar: Calendar) -> Iterable[Awaited]:
    """The bureau, to answer every question that is open."""
    clarifications = state.part(Clarifications)
    if state.stage not in ANSWERABLE:
        return
    for number in clarifications.waiting:
        one = clarifications.of[number]
        until = day_ends(calendar.after(one.asked_on, one.reply_wd))
        yield Awaited((Role.CAB_REG,), "AnswerClarification", number, "答復提問", "answer a question", until)


DECIDER = Decider(
    name="clarification",
    zh="答疑",
    commands=get_args(Commands),
    events=get_args(Events),
    decide=decide,
    evolve=evolve,
    awaiting=awaiting,
)
