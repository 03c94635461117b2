"""質疑與投訴: how a supplier challenges an award by procurement (Government Procurement Law art. 52 to 57, F20).

A question within seven working days of the notice, an answer within seven; a complaint within fifteen after that, to
the treasury, not to whoever buys. While one is open the award stands still. The periods are the law's, not a city's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Final, assert_never, get_args

from pydantic import Field

from domain.kernel.attachment import Attachments, Evidence
from domain.kernel.calendar import Calendar, day_ends, local_day
from domain.kernel.decider import Decider
from domain.kernel.facts import Facts
from domain.kernel.identifier import Role, Text
from domain.kernel.message import Awaited, Command, Event, Occurrence, Order, Particulars
from domain.kernel.refusal import Checks
from domain.kernel.relation import ANYBODY, BUREAU
from domain.kernel.scheme import Route
from domain.kernel.state import State
from domain.kernel.words import Words
from domain.project.publicity import Publicity
from domain.project.stage import Stage
from domain.project.stay import Challenge, Challenges, ChallengeStatus

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

QUESTION_WD: Final = 7
"""Working days after the notice within which a question is raised (art. 52)."""
REPLY_WD: Final = 7
"""Working days after a question within which it is answered (art. 53)."""
COMPLAINT_WD: Final = 15
"""Working days after the reply period within which a complaint is filed (art. 55)."""
DECISION_WD: Final = 30
"""Working days after a complaint within which it is decided (art. 56)."""

CHALLENGEABLE = (Stage.IN_PUBLICITY, Stage.OBJECTION_HOLD, Stage.AWARDED)


class ChallengeOutcome(Words):
    """What a complaint comes to."""

    DISMISSED = "DISMISSED", "駁回", "dismissed"
    UPHELD = "UPHELD", "成立", "upheld"


class ChallengeNumber(Particulars):
    """Which challenge; numbered by who raises it."""

    challenge: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,32}$", title="質疑編號 / challenge")] = "1"


class Question(ChallengeNumber):
    """What is questioned."""

    ground: Annotated[Text, Field(title="事由 / ground")]
    attachments: Attachments = ()


class QuestionRaised(Question, Event):
    """A supplier questions the award: it stands still until the question is answered."""

    zh = "質疑提出"
    reply_wd: Annotated[int, Field(title="答復期限（工作日） / reply period (working days)")]
    complaint_wd: Annotated[int, Field(title="投訴期限（工作日） / complaint period (working days)")]


class RaiseQuestion(Question, Command):
    """Question the award."""

    records = QuestionRaised
    by = (Role.SO_LEGAL,)
    acts_for = (ANYBODY,)
    during = CHALLENGEABLE
    rule = "PC01"


class Answer(ChallengeNumber):
    """What is answered; it is public as the award is."""

    answer: Annotated[Text, Field(title="答復 / answer")]
    attachments: Attachments = ()


class QuestionAnswered(Answer, Event):
    """The question is answered."""

    zh = "質疑答復"


class AnswerQuestion(Answer, Command):
    """Answer a question."""

    records = QuestionAnswered
    by = (Role.CAB_REG,)
    acts_for = (BUREAU,)
    during = CHALLENGEABLE
    rule = "PC02"


class Complaint(ChallengeNumber):
    """Why the answer, or that there was none, is not accepted, with evidence."""

    ground: Annotated[Text, Field(title="事由 / ground")]
    attachments: Evidence


class ComplaintFiled(Complaint, Event):
    """The supplier complains to the treasury: the award stands still until it decides."""

    zh = "投訴提出"


class FileComplaint(Complaint, Command):
    """Complain about an answer, or that there was none."""

    records = ComplaintFiled
    by = (Role.SO_LEGAL,)
    acts_for = (ANYBODY,)
    during = CHALLENGEABLE
    rule = "PC03"


class ComplaintDecision(ChallengeNumber):
    """What the treasury decides, with evidence (V1)."""

    outcome: Annotated[ChallengeOutcome, Field(title="處理 / decision")]
    finding: Annotated[Text, Field(title="查明情況 / finding")]
    attachments: Evidence


class ComplaintDecided(ComplaintDecision, Event):
    """Dismissed, and the award goes on; or upheld, and it can only be revoked."""

    zh = "投訴處理決定"


class DecideComplaint(ComplaintDecision, Command):
    """Decide a complaint."""

    records = ComplaintDecided
    by = (Role.FISCAL,)
    acts_for = (BUREAU,)
    during = CHALLENGEABLE
    rule = "PC04"


Commands = RaiseQuestion | AnswerQuestion | FileComplaint | DecideComplaint
Events = QuestionRaised | QuestionAnswered | ComplaintFiled | ComplaintDecided


def decide(state: State, facts: Facts, order: Order, command: Commands) -> list[Event]:
    """What an order about a challenge makes happen. Raises CommandRejected."""
    check, challenges, today = Checks(), state.part(Challenges), local_day(order.at)
    match command:
        case RaiseQuestion(challenge=number):
            check(
                facts.scheme is not None and facts.scheme.route is Route.PROCUREMENT,
                "PC01",
                "質疑與投訴只適用於政府購買服務，其餘請提出異議",
                "questions and complaints are for government procurement; otherwise lodge an objection",
            )
            check(
                number not in challenges.of,
                "PC01",
                "質疑 {number} 已提出過，請另編號",
                "challenge {number} already exists; give this one another number",
                number=number,
            )
            posted = state.part(Publicity).posted_on
            last = facts.calendar.after(posted, QUESTION_WD) if posted else None
            check(
                last is not None and today <= last,
                "PC01",
                "質疑須在公示後 {wd} 個工作日內提出，至 {last}",
                "a question is raised within {wd} working days of the notice, by {last}",
                wd=QUESTION_WD,
                last=last,
            )
            return check.grant(QuestionRaised.of(command, reply_wd=REPLY_WD, complaint_wd=COMPLAINT_WD))
        case AnswerQuestion(challenge=number):
            _require(check, challenges, number, "PC02", ChallengeStatus.RAISED)
            return check.grant(QuestionAnswered.of(command))
        case FileComplaint(challenge=number):
            _require(check, challenges, number, "PC03", ChallengeStatus.RAISED, ChallengeStatus.ANSWERED)
            _require_complainable(check, challenges.of.get(number), facts.calendar, order)
            return check.grant(ComplaintFiled.of(command))
        case DecideComplaint(challenge=number):
            _require(check, challenges, number, "PC04", ChallengeStatus.FILED)
            return check.grant(ComplaintDecided.of(command))
        case _:
            assert_never(command)


def _require(check: Checks, challenges: Challenges, number: str, rule: str, *statuses: ChallengeStatus) -> None:
    challenge = challenges.of.get(number)
    check(
        challenge is not None and challenge.status in statuses,
        rule,
        "沒有編號為 {number} 而處於「{statuses}」的質疑",
        "there is no challenge {number} that is: {statuses}",
        number=number,
        statuses=statuses,
    )


def _require_complainable(check: Checks, challenge: Challenge | None, calendar: Calendar, order: Order) -> None:
    """PC03: by whoever raised it, once answered or left without answer, within the period of the law."""
    if challenge is None:
        return
    replies = calendar.after(challenge.raised_on, challenge.reply_wd)
    last, today = calendar.after(replies, challenge.complaint_wd), local_day(order.at)
    check(
        challenge.status is ChallengeStatus.ANSWERED or today > replies,
        "PC03",
        "答復期至 {replies}，未答復的自次日起方可投訴",
        "it may be answered until {replies}; a complaint about no answer comes after that",
        replies=replies,
    )
    check(
        today <= last,
        "PC03",
        "投訴須在答復期滿後 {wd} 個工作日內提出，至 {last}",
        "a complaint is filed within {wd} working days after the reply period, by {last}",
        wd=challenge.complaint_wd,
        last=last,
    )
    check(
        order.actor == challenge.by.seat,
        "PC03",
        "投訴由提出質疑者（{seat}）提出",
        "whoever raised the question ({seat}) complains",
        seat=challenge.by.seat,
    )


def evolve(state: State, of: Occurrence, event: Events) -> State:
    """Keep every challenge to the award by number, and how each was settled."""
    today = local_day(of.at)
    match event:
        case QuestionRaised(challenge=number):
            raised = Challenge(of.acting, today, event.reply_wd, event.complaint_wd)
            challenges = state.part(Challenges)
            return state.with_parts(replace(challenges, of={**challenges.of, number: raised}))
        case QuestionAnswered(challenge=number):
            return _settle(state, number, ChallengeStatus.ANSWERED, today)
        case ComplaintFiled(challenge=number):
            challenges = state.part(Challenges)
            before = challenges.of.get(number)
            if before is None:
                return state
            filed = replace(before, status=ChallengeStatus.FILED, filed_on=today)
            return state.with_parts(replace(challenges, of={**challenges.of, number: filed}))
        case ComplaintDecided(challenge=number, outcome=outcome):
            return _settle(state, number, ChallengeStatus(outcome.value), today)
        case _:
            assert_never(event)


def _settle(state: State, number: str, status: ChallengeStatus, today: date) -> State:
    challenges = state.part(Challenges)
    before = challenges.of.get(number)
    if before is None:
        return state
    return state.with_parts(Challenges({**challenges.of, number: replace(before, status=status)}, today))


def awaiting(state: State, calendar: Calendar) -> Iterable[Awaited]:
    """Answers, decisions, and what an upheld complaint leaves to do."""
    if state.stage not in CHALLENGEABLE:
        return
    for number, one in state.part(Challenges).of.items():
        if one.status is ChallengeStatus.RAISED:
            until = day_ends(calendar.after(one.raised_on, one.reply_wd))
            yield Awaited((Role.CAB_REG,), "AnswerQuestion", number, "答復質疑", "answer the question", until)
        elif one.status is ChallengeStatus.FILED and one.filed_on is not None:
            until = day_ends(calendar.after(one.filed_on, DECISION_WD))
            yield Awaited((Role.FISCAL,), "DecideComplaint", number, "處理投訴", "decide the complaint", until)
        elif one.status is ChallengeStatus.UPHELD:
            yield Awaited((Role.CAB_DEC,), "RevokeAward", "", "投訴成立，撤銷立項", "revoke the award: upheld")


DECIDER = Decider(
    name="challenge",
    zh="質疑與投訴",
    commands=get_args(Commands),
    events=get_args(Events),
    decide=decide,
    evolve=evolve,
    awaiting=awaiting,
)
