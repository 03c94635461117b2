"""資金來源: a purse with purposes and an envelope; all awarded money comes from one and goes back to it (M5, C2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, assert_never

from pydantic import Field

from domain.kernel.decider import Aggregate, Decider
from domain.kernel.effects import Effect, Post
from domain.kernel.facts import Facts
from domain.kernel.identity import Role, StreamId, Text
from domain.kernel.message import Command, Event, Occurrence, Order, Particulars
from domain.kernel.money import Fen
from domain.kernel.refusal import Checks
from domain.kernel.state import NONE, Part, State, Transition
from domain.kernel.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterable


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

    NONE = NONE, "未建檔", "not started"
    REGISTERED = "REGISTERED", "已登記", "registered"


class Source(Particulars):
    """A fund with what it may be spent on and how much there is."""

    name: Annotated[Text, Field(title="名稱 / name")]
    kind: Annotated[FundKind, Field(title="類別 / kind")] = FundKind.OTHER
    purposes: Annotated[tuple[Text, ...], Field(max_length=50, title="用途 / purposes")] = ()
    """Fields that it may be spent on (HZ-6); none named means any."""
    envelope: Annotated[Fen, Field(gt=0, title="額度 / envelope")]
    """All that may be awarded from it, in fen."""


class FundSourceRegistered(Source, Event):
    """The fund is on the register and its envelope filled."""

    zh = "資金來源登記"
    moves = (
        Transition("FS01", (FundStage.NONE,), FundStage.REGISTERED, (Role.CAB_FIN,), "envelope and purposes named"),
    )

    def effects(self, stream: StreamId) -> Iterable[Effect]:
        """Fill the envelope."""
        yield Post(treasury(stream.realm), envelope(stream.realm, stream.name), self.envelope)


class RegisterFundSource(Source, Command):
    """Put a fund on the register."""

    records = FundSourceRegistered


@dataclass(frozen=True)
class Fund(Part):
    """The fund as registered."""

    name: str = ""
    purposes: frozenset[str] = frozenset()
    envelope: Fen = 0
    """As registered; what is left of it is the balance of its account."""

    def allows(self, fields: frozenset[str]) -> bool:
        """Whether a project in these fields may be paid from it (M5): every field lies within its purposes."""
        return not self.purposes or (bool(fields) and fields <= self.purposes)


def decide(_state: State, _facts: Facts, _order: Order, command: RegisterFundSource) -> list[Event]:
    """What an order about the fund makes happen. Raises CommandRejected."""
    match command:
        case RegisterFundSource():
            return Checks().grant(FundSourceRegistered.of(command))
        case _:
            assert_never(command)


def evolve(state: State, _of: Occurrence, event: FundSourceRegistered) -> State:
    """What is remembered of it after the event."""
    match event:
        case FundSourceRegistered():
            return state.having(Fund(event.name, frozenset(event.purposes), event.envelope))
        case _:
            assert_never(event)


DECIDER = Decider(
    name="fund",
    zh="資金來源",
    commands=(RegisterFundSource,),
    events=(FundSourceRegistered,),
    decide=decide,
    evolve=evolve,
)

FUND = Aggregate(
    kind="fund",
    zh="資金來源",
    deciders=(DECIDER,),
    final=frozenset({FundStage.NONE, FundStage.REGISTERED}),
    summary=lambda state: {"name": state.part(Fund).name, "envelope": state.part(Fund).envelope},
)
