"""結果公布: what became of the round is made public, once or every year."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, assert_never

from pydantic import Field

from domain.kernel.attachment import Attachments
from domain.kernel.decider import Decider
from domain.kernel.facts import Facts, Reads
from domain.kernel.identifier import Role, Text
from domain.kernel.message import Awaited, Command, Event, Occurrence, Order, Particulars
from domain.kernel.refusal import Checks
from domain.kernel.relation import BUREAU
from domain.kernel.state import Transition
from domain.round.budget import undecided
from domain.round.stage import RoundStage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.kernel.calendar import Calendar
    from domain.kernel.state import State


class Publication(Particulars):
    """Where the results can be read."""

    where: Annotated[Text | None, Field(title="去向說明 / where it is published")] = None
    """The place of publication, e.g. an address."""
    attachments: Attachments = ()


class ResultPublished(Publication, Event):
    """The results are public."""

    zh = "結果公布"
    moves = (
        Transition(
            "RD11",
            (RoundStage.PLANNED, RoundStage.CLOSED, RoundStage.RESOLVED, RoundStage.PUBLISHED),
            RoundStage.PUBLISHED,
            (Role.CAB_REG,),
            "every bid decided, every award confirmed or taken back",
        ),
    )


class PublishResult(Publication, Command):
    """Make the results public."""

    records = ResultPublished
    acts_for = (BUREAU,)


PUBLICATION: Final = Awaited((Role.CAB_REG,), PublishResult.command_type, "", "公布結果", "publish the results")
"""What is awaited of a round in which everything is decided."""


def reads(state: State, _command: PublishResult) -> Reads:
    """How many bids wait for a decision."""
    return Reads(accounts=frozenset({undecided(state.stream.realm, state.stream.name)}))


def decide(state: State, facts: Facts, _order: Order, command: PublishResult) -> list[Event]:
    """What an order about the results makes happen. Raises CommandRejected."""
    check = Checks()
    match command:
        case PublishResult():
            waiting = facts.balance(undecided(state.stream.realm, state.stream.name))
            check(
                not waiting,
                "RD11",
                "尚有 {waiting} 件申報未決定（初審、評審、公示或審批未完成），全部決定後才能公布結果",
                "{waiting} applications are undecided (in review, in public notice or not confirmed); "
                "decide all of them first",
                waiting=waiting,
            )
            return check.grant(ResultPublished.of(command))
        case _:
            assert_never(command)


def evolve(state: State, _of: Occurrence, event: ResultPublished) -> State:
    """Keep nothing: the stage says it."""
    match event:
        case ResultPublished():
            return state
        case _:
            assert_never(event)


def awaiting(state: State, _calendar: Calendar) -> Iterable[Awaited]:
    """The publication, once the round is resolved."""
    if state.stage == RoundStage.RESOLVED:
        yield PUBLICATION


DECIDER = Decider(
    name="results",
    zh="結果公布",
    commands=(PublishResult,),
    events=(ResultPublished,),
    decide=decide,
    evolve=evolve,
    reads=reads,
    awaiting=awaiting,
)
