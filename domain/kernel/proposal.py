"""要事兩人辦: an act that takes two persons is proposed by one and confirmed by another, bound by its digest.

Which acts those are, each command says (``Command.persons_needed``). Where no person is known, in a paper realm of bare
seats, one act stands as it always did: who took the papers in vouches for both.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, assert_never, cast

from pydantic import Field, JsonValue

from domain.kernel import approval
from domain.kernel.acting import Acting, require_another_person
from domain.kernel.approval import ApproverGroup, Verdict
from domain.kernel.canonical import digest, plain
from domain.kernel.identifier import Reason, Role
from domain.kernel.message import Awaited, Command, Event, Occurrence, Order, Particulars
from domain.kernel.refusal import Checks
from domain.kernel.relation import BUREAU
from domain.kernel.state import Part, State
from domain.kernel.words import call_code

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from domain.kernel.calendar import Calendar
    from domain.kernel.facts import Facts
    from domain.kernel.identifier import StreamId

LAPSES_AFTER: Final = timedelta(days=30)
"""How long a proposal may be confirmed; afterwards it is to be proposed anew."""
MOST_OPEN: Final = 20
"""Proposals that wait on one stream."""
ROLES: Final = (Role.ADMIN, Role.CAB_DEC, Role.CAB_REG, Role.CAB_FIN, Role.FISCAL)
"""Who confirms privileged acts; each act says which of them."""


class ActNumber(Particulars):
    """Which proposal of the stream; the engine numbers them from 1."""

    proposal: Annotated[int, Field(ge=1, le=999_999, title="提案 / proposal")]


class ActProposed(ActNumber, Event):
    """Somebody means to do what takes two persons; nothing has changed yet."""

    zh = "要事提出"
    asks = True
    command: Annotated[str, Field(max_length=80, title="命令 / command")]
    """Its type, e.g. ``GrantSeat``."""
    body: Annotated[dict[str, JsonValue], Field(title="內容 / particulars")]
    """Its particulars, as plain JSON."""
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", title="校驗值 / digest")]
    """SHA-256 over stream, number, type and particulars: what a confirmation binds itself to."""
    confirmers: Annotated[tuple[Role, ...], Field(min_length=1, max_length=5, title="可確認者 / who may confirm")]


class ConfirmedAct(ActNumber):
    """What is confirmed, by number and by digest."""

    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{8,64}$", title="校驗值 / digest")]
    """As the proposal shows it, or its first eight digits and more."""


class ActConfirmed(ConfirmedAct, Event):
    """Another person has confirmed it; what it asked for follows in the same append."""

    zh = "要事確認"


class ConfirmAct(ConfirmedAct, Command):
    """Confirm what another person has proposed."""

    records = ActConfirmed
    by = ROLES
    acts_for = (BUREAU,)
    during = ()
    rule = "TP01"
    subject_field: ClassVar[str] = "proposal"


class Dropping(ActNumber):
    """Why it is not to be."""

    reason: Reason


class ActDropped(Dropping, Event):
    """The proposal is off; nothing has changed."""

    zh = "要事撤回"


class DropAct(Dropping, Command):
    """Take a proposal back, or turn it down."""

    records = ActDropped
    by = ROLES
    acts_for = (BUREAU,)
    during = ()
    rule = "TP01"
    subject_field: ClassVar[str] = "proposal"


Commands = ConfirmAct | DropAct
Events = ActProposed | ActConfirmed | ActDropped


class ProposalStatus(StrEnum):
    """How a proposal stands."""

    OPEN = "OPEN"
    CONFIRMED = "CONFIRMED"
    DROPPED = "DROPPED"


@dataclass(frozen=True)
class Proposal:
    """One act as it was proposed."""

    command: str
    body: Mapping[str, JsonValue]
    digest: str
    by: Acting
    confirmers: tuple[Role, ...]
    lapses_at: datetime
    """UTC."""
    status: ProposalStatus = ProposalStatus.OPEN

    def is_open(self, at: datetime) -> bool:
        """Whether it may be confirmed at that instant."""
        return self.status is ProposalStatus.OPEN and at < self.lapses_at


@dataclass(frozen=True)
class Proposals(Part):
    """Every act that was ever proposed on the stream, by number."""

    of: Mapping[int, Proposal] = field(default_factory=dict)


def bind(stream: StreamId, number: int, command: Command) -> str:
    """What a confirmation is bound by: SHA-256 over stream, number, type and particulars, in hex."""
    return digest({"stream": stream, "proposal": number, "command": command.command_type, "body": plain(command)})


def propose(state: State, order: Order) -> ActProposed:
    """The proposal of what was asked. Raises CommandRejected if too many wait already."""
    proposals, command = state.part(Proposals).of, order.command
    check = Checks()
    open_ones = [number for number, proposal in proposals.items() if proposal.is_open(order.at)]
    check(
        len(open_ones) < MOST_OPEN,
        "TP01",
        "已有 {open_ones_count} 項提案待確認，請先確認或撤回",
        "{open_ones_count} proposals wait already: confirm or drop some first",
        open_ones_count=len(open_ones),
    )
    number = len(proposals) + 1
    event = ActProposed(
        proposal=number,
        command=command.command_type,
        body=plain(command),
        digest=bind(state.stream, number, command),
        confirmers=command.confirmed_by or command.by,
    )
    (granted,) = check.grant(event)
    return cast("ActProposed", granted)


def find_open(state: State, confirmation: ConfirmAct) -> Proposal | None:
    """What a confirmation is about, as long as it is neither confirmed nor dropped."""
    proposal = state.part(Proposals).of.get(confirmation.proposal)
    return proposal if proposal is not None and proposal.status is ProposalStatus.OPEN else None


def check_confirmable(check: Checks, proposal: Proposal, order: Order, confirmation: ConfirmAct) -> None:
    """TP01–TP03: in time, of this content, by another person."""
    number = confirmation.proposal
    check(
        order.at < proposal.lapses_at,
        "TP02",
        "提案 {number} 已逾 {days} 日，請重新提出",
        "proposal {number} is more than {days} days old: propose it anew",
        number=number,
        days=LAPSES_AFTER.days,
    )
    check(
        proposal.digest.startswith(confirmation.digest),
        "TP02",
        "提案 {number} 的校驗值為 {digest}…，所確認為 {digest2}…：請重新核對內容",
        "the digest of proposal {number} is {digest}…, not {digest2}…: look at it again",
        number=number,
        digest=proposal.digest[:8],
        digest2=confirmation.digest[:8],
    )
    require_another_person(
        check,
        order.acting,
        "TP03",
        (proposal.by,),
        "提案 {number} 由同一人提出，須由另一人確認",
        "the same person proposed {number}; another person must confirm it",
        number=number,
    )


def decide(state: State, _facts: Facts, order: Order, command: Commands) -> list[Event]:
    """What an order about a proposal makes happen. Raises CommandRejected. A confirmation of nothing gets here too."""
    check, number = Checks(), command.proposal
    proposal = state.part(Proposals).of.get(number)
    is_open = proposal is not None and proposal.status is ProposalStatus.OPEN
    check(
        is_open, "TP01", "沒有待確認的提案 {number}", "no proposal {number} is waiting for confirmation", number=number
    )
    match command:
        case ConfirmAct():
            return check.grant(ActConfirmed.of(command))
        case DropAct():
            check(
                proposal is None or order.actor.role in proposal.confirmers or order.actor == proposal.by.seat,
                "TP01",
                "{actor} 與提案 {number} 無關",
                "{actor} has nothing to do with proposal {number}",
                actor=order.actor,
                number=number,
            )
            return check.grant(ActDropped.of(command))
        case _:
            assert_never(command)


def evolve(state: State, of: Occurrence, event: Events) -> State:
    """Keep the act by its number, and its end once it is confirmed or dropped."""
    proposals = state.part(Proposals).of
    match event:
        case ActProposed():
            lapses_at = of.at + LAPSES_AFTER
            proposal = Proposal(event.command, event.body, event.digest, of.acting, event.confirmers, lapses_at)
            return approval.ask_approval(
                state.with_parts(Proposals({**proposals, event.proposal: proposal})),
                of,
                gate=ConfirmAct.command_type,
                role=event.confirmers[0],
                key=str(event.proposal),
                content=event.digest,
                until=lapses_at,
                bound={"command": event.command, **event.body},
                groups=(ApproverGroup(roles=event.confirmers),),
            )
        case ActConfirmed():
            return _end(state, of, event.proposal, ProposalStatus.CONFIRMED, Verdict.GRANTED)
        case ActDropped():
            return _end(state, of, event.proposal, ProposalStatus.DROPPED, Verdict.REFUSED)
        case _:
            assert_never(event)


def _end(state: State, of: Occurrence, number: int, status: ProposalStatus, verdict: Verdict) -> State:
    proposals = state.part(Proposals).of
    ended = approval.end_approval(state, of, gate=ConfirmAct.command_type, key=str(number), verdict=verdict)
    if number not in proposals:
        return ended
    return ended.with_parts(Proposals({**proposals, number: replace(proposals[number], status=status)}))


def awaiting(state: State, _calendar: Calendar) -> Iterable[Awaited]:
    """The proposals that wait for a second person."""
    for number, proposal in state.part(Proposals).of.items():
        if proposal.status is ProposalStatus.OPEN:
            zh, en = call_code(proposal.command)
            yield Awaited(
                proposal.confirmers,
                ConfirmAct.command_type,
                str(number),
                f"第二人確認提案 {number}（{zh}，校驗值 {proposal.digest[:8]}）",
                f"a second person's confirmation of proposal {number} ({en}, {proposal.digest[:8]})",
                proposal.lapses_at,
            )
