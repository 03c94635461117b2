"""資金來源: a purse with purposes and an envelope; all awarded money comes from one and goes back to it (M5, C2).

Two persons may top the envelope up or cut it back, never below what is set aside or paid.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, ClassVar, assert_never, get_args

from pydantic import Field

from domain.kernel import approval
from domain.kernel.acting import Acting, require_another_person
from domain.kernel.attachment import Attachments
from domain.kernel.decider import Aggregate, Decider
from domain.kernel.effects import Effect, Post
from domain.kernel.facts import Facts, Reads
from domain.kernel.identifier import Reason, Role, StreamId, Text
from domain.kernel.message import Awaited, Command, Event, Occurrence, Order, Particulars
from domain.kernel.money import Fen, PositiveFen, SignedFen, yuan
from domain.kernel.refusal import Checks
from domain.kernel.relation import BUREAU
from domain.kernel.state import NONE, Part, State, Transition
from domain.kernel.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.kernel.calendar import Calendar


def envelope(realm: str, fund: str) -> str:
    """The account of what the fund has left for awards."""
    return f"envelope/{realm}/{fund}"


def committed(stream: StreamId, fund: str) -> str:
    """The account of what the fund has set aside for that project and not paid."""
    return f"committed/{stream.realm}/{stream.name}/{fund}"


def paid(stream: StreamId, fund: str) -> str:
    """The account of what the fund has paid to that project and not got back."""
    return f"paid/{stream.realm}/{stream.name}/{fund}"


def treasury(realm: str) -> str:
    """Where envelopes are filled from: outside the house, and so without a floor."""
    return f"world/{realm}/treasury"


class FundKind(Words):
    """What kind of money it is (HZ-7)."""

    LOTTERY = "LOTTERY", "福彩公益金", "welfare lottery fund"
    FISCAL = "FISCAL", "財政資金", "fiscal funds"
    OTHER = "OTHER", "其他", "other"


class FundStage(Words):
    """Whether the fund is on the register."""

    NONE = NONE, "尚未建立", "not started"
    REGISTERED = "REGISTERED", "已登記", "registered"


class Source(Particulars):
    """A fund with what it may be spent on and how much there is."""

    name: Annotated[Text, Field(title="名稱 / name")]
    kind: Annotated[FundKind, Field(title="類別 / kind")] = FundKind.OTHER
    purposes: Annotated[tuple[Text, ...], Field(max_length=50, title="用途 / purposes")] = ()
    """Fields that it may be spent on (HZ-6); none named means any."""
    envelope: Annotated[PositiveFen, Field(title="額度 / envelope")]
    """All that may be awarded from it, in fen."""


class FundSourceRegistered(Source, Event):
    """The fund is on the register and its envelope filled."""

    zh = "資金來源登記"
    moves = (
        Transition("FS01", (FundStage.NONE,), FundStage.REGISTERED, (Role.CAB_FIN,), "envelope and purposes named"),
    )

    def effects(self, stream: StreamId) -> Iterable[Effect]:
        """Post the envelope from the treasury to the fund, in fen."""
        yield Post(treasury(stream.realm), envelope(stream.realm, stream.name), self.envelope)


class RegisterFundSource(Source, Command):
    """Put a fund on the register."""

    records = FundSourceRegistered
    acts_for = (BUREAU,)


# ---------------------------------------------------------------- 資金調整


class AdjustmentNumber(Particulars):
    """Which adjustment; numbered by who proposes it."""

    adjustment: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,32}$", title="調整 / adjustment")] = "1"


class AdjustmentProposal(AdjustmentNumber):
    """By how much the envelope is to change, and why."""

    change: Annotated[SignedFen, Field(title="增減金額 / change")]
    """Fen; negative cuts back."""
    reason: Reason
    attachments: Attachments = ()


class FundAdjustmentProposed(AdjustmentProposal, Event):
    """A first person means to top the envelope up or to cut it back; nothing has changed yet."""

    zh = "資金調整提出"
    asks = True


class ProposeFundAdjustment(AdjustmentProposal, Command):
    """Propose to top the envelope up or to cut it back."""

    records = FundAdjustmentProposed
    by = (Role.CAB_FIN,)
    acts_for = (BUREAU,)
    during = (FundStage.REGISTERED,)
    rule = "FS02"
    subject_field: ClassVar[str] = "adjustment"


class FundAdjusted(AdjustmentNumber, Event):
    """A second person agrees; the envelope has changed."""

    zh = "資金調整確認"
    change: Annotated[SignedFen, Field(title="增減金額 / change")]
    """Fen; negative cuts back."""

    def effects(self, stream: StreamId) -> Iterable[Effect]:
        """Fill the envelope, or take what it has left back to where it was filled from."""
        full, left = treasury(stream.realm), envelope(stream.realm, stream.name)
        yield Post(full, left, self.change) if self.change > 0 else Post(left, full, -self.change)


class ConfirmFundAdjustment(AdjustmentNumber, Command):
    """Confirm the adjustment."""

    records = FundAdjusted
    by = (Role.CAB_FIN, Role.FISCAL)
    acts_for = (BUREAU,)
    during = (FundStage.REGISTERED,)
    rule = "FS02"
    subject_field: ClassVar[str] = "adjustment"


Commands = RegisterFundSource | ProposeFundAdjustment | ConfirmFundAdjustment
Events = FundSourceRegistered | FundAdjustmentProposed | FundAdjusted


@dataclass(frozen=True)
class Adjustment:
    """One adjustment as proposed."""

    change: SignedFen
    proposed_by: Acting
    confirmed: bool = False


@dataclass(frozen=True)
class Fund(Part):
    """The fund as registered."""

    name: str = ""
    purposes: frozenset[str] = frozenset()
    envelope: Fen = 0
    """As registered and adjusted; what is left of it is the balance of its account."""
    adjustments: dict[str, Adjustment] = field(default_factory=dict)

    def may_pay(self, fields: frozenset[str]) -> bool:
        """Whether a project in these fields may be paid from it (M5): every field lies within its purposes."""
        return not self.purposes or (bool(fields) and fields <= self.purposes)


def reads(state: State, command: Commands) -> Reads:
    """What the envelope has left."""
    if isinstance(command, RegisterFundSource):
        return Reads()
    return Reads(accounts=frozenset({envelope(state.stream.realm, state.stream.name)}))


def decide(state: State, facts: Facts, order: Order, command: Commands) -> list[Event]:
    """What an order about the fund makes happen. Raises CommandRejected."""
    check, fund = Checks(), state.part(Fund)
    match command:
        case RegisterFundSource():
            return check.grant(FundSourceRegistered.of(command))
        case ProposeFundAdjustment(adjustment=number, change=change):
            check(change, "FS02", "增減金額不得為零", "an adjustment cannot be zero")
            check(
                number not in fund.adjustments,
                "FS02",
                "調整 {number} 已提出過，請另編號",
                "adjustment {number} was proposed before; give this one another number",
                number=number,
            )
            _require_cover(check, state, facts, change)
            return check.grant(FundAdjustmentProposed.of(command))
        case ConfirmFundAdjustment(adjustment=number):
            adjustment = fund.adjustments.get(number)
            if adjustment is None:
                check(
                    adjustment,
                    "FS02",
                    "未找到資金調整 {number}，請核對編號",
                    "adjustment {number} was not found; check its number",
                    number=number,
                )
                raise check.refuse()
            check(
                not adjustment.confirmed,
                "FS02",
                "調整 {number} 已確認",
                "adjustment {number} was confirmed before",
                number=number,
            )
            require_another_person(
                check,
                order.acting,
                "FS02",
                (adjustment.proposed_by,),
                "{actor} 提出了調整，須由另一人確認",
                "{actor} proposed the adjustment; another person must confirm it",
                actor=order.actor,
            )
            _require_cover(check, state, facts, adjustment.change)
            return check.grant(FundAdjusted(adjustment=number, change=adjustment.change))
        case _:
            assert_never(command)


def _require_cover(check: Checks, state: State, facts: Facts, change: SignedFen) -> None:
    """M5: an envelope is cut back by no more than it has left; what is set aside or paid stays."""
    left = facts.balance(envelope(state.stream.realm, state.stream.name))
    check(
        left + change >= 0,
        "M5",
        "{name} 額度餘 {left}，不足核減 {change}",
        "{name} has {left} left; it cannot be cut back by {change}",
        name=state.stream.name,
        left=yuan(left),
        change=yuan(-change),
    )


def evolve(state: State, of: Occurrence, event: Events) -> State:
    """Keep the fund's envelope and every adjustment of it, in fen."""
    fund = state.part(Fund)
    match event:
        case FundSourceRegistered():
            return state.with_parts(Fund(event.name, frozenset(event.purposes), event.envelope))
        case FundAdjustmentProposed():
            proposal = Adjustment(event.change, of.acting)
            proposed = state.with_parts(_with_adjustment(fund, event.adjustment, proposal))
            content = event.model_dump(mode="json")
            return approval.ask_approval(
                proposed, of, gate="ConfirmFundAdjustment", role=Role.CAB_FIN, key=event.adjustment, content=content
            )
        case FundAdjusted():
            proposal = fund.adjustments.get(event.adjustment) or Adjustment(event.change, of.acting)
            changed = replace(fund, envelope=fund.envelope + event.change)
            confirmed = state.with_parts(_with_adjustment(changed, event.adjustment, replace(proposal, confirmed=True)))
            return approval.end_approval(confirmed, of, gate="ConfirmFundAdjustment", key=event.adjustment)
        case _:
            assert_never(event)


def _with_adjustment(fund: Fund, number: str, adjustment: Adjustment) -> Fund:
    return replace(fund, adjustments={**fund.adjustments, number: adjustment})


def awaiting(state: State, _calendar: Calendar) -> Iterable[Awaited]:
    """Adjustments that wait for a second person."""
    for number, adjustment in state.part(Fund).adjustments.items():
        if not adjustment.confirmed:
            roles = (Role.CAB_FIN, Role.FISCAL)
            yield Awaited(roles, "ConfirmFundAdjustment", number, "確認資金調整", "confirm the adjustment")


DECIDER = Decider(
    name="fund",
    zh="資金來源",
    commands=get_args(Commands),
    events=get_args(Events),
    decide=decide,
    evolve=evolve,
    reads=reads,
    awaiting=awaiting,
)

FUND = Aggregate(
    kind="fund",
    zh="資金來源",
    en="fund source",
    en_many="fund sources",
    deciders=(DECIDER,),
    final=frozenset({FundStage.NONE, FundStage.REGISTERED}),
    summary=lambda state: {"name": state.part(Fund).name, "envelope": state.part(Fund).envelope},
)
