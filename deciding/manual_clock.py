"""What a realm's manual clock has to say about a command: it never goes back, and passes over no deadline.

Its answers are not journalled: no stream's version tells how the clock and the agenda stand, so what is asked again is
judged again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from deciding import document_presence
from deciding.parked import find_taken_consequence
from domain.kernel.calendar import closing_time, local_time
from domain.kernel.clock import Clock
from domain.kernel.envelope import Answer, Ending
from domain.kernel.identifier import StreamId
from domain.kernel.refusal import Unmet
from domain.registers.realm import ClockSet, SetClock, clock_stream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection
    from datetime import datetime

    from deciding.decision import Decision
    from domain.kernel.envelope import Envelope
    from domain.kernel.state import State
    from store.port import CommandBasis, EventStore, Standing


UNRECORDED_RULES: Final = frozenset({"CLOCK", "CK01", "CK02", "ID01", "ID02", "ID03", "SZ01", "SZ02", "V4"})
"""What a refusal that no journal holds may be for: a clock, or what is not even taken in (``deciding.admission``).

CK01, CK02 and V4 are journalled where the stream itself says no.
"""


def may_be_unrecorded(answer: Answer) -> bool:
    """Whether it is a refusal that no journal need hold: how the clock stood then cannot be read again."""
    refused = answer.ending is Ending.REFUSED and answer.position == 0
    return refused and {unmet.rule for unmet in answer.unmet} <= UNRECORDED_RULES


def refuse_past(state: State, at: datetime, basis: CommandBasis) -> Answer | None:
    """The refusal of a command that is dated before the clock, which never goes back; None if it is not."""
    if basis.realm.now is None or at >= basis.realm.now:
        return None
    return Answer.refuse(state.stream, state.version, (_before_the_clock(at, basis.realm.now),))


async def find_clock_refusal(
    store: EventStore, decision: Decision, basis: CommandBasis, state: State, *, for_command: bool
) -> Answer | None:
    """What forbids to record the decision; None if nothing does.

    A change of the clock rests on which clock the realm has and on what lies in its past; any other command waits until
    the deadlines of other streams at or before it have fallen due (EARLY).
    """
    at = decision.steps[-1].order.at
    clock = _read_new_clock(decision) or _read_proposed_clock(decision)
    if clock is None:
        is_early = for_command and basis.realm.earliest is not None and basis.realm.earliest <= at
        return Answer(ending=Ending.EARLY, stream=state.stream, version=state.version) if is_early else None
    unmet: tuple[Unmet, ...] = ()
    if clock is Clock.MANUAL and basis.realm.clock is not Clock.MANUAL:
        unmet = (_WALL_FROM_THE_BEGINNING,)
    elif clock is Clock.WALL and basis.realm.clock is Clock.MANUAL:
        unmet = tuple([_in_the_past(row) async for row in _iterate_late(store, state.stream.realm, at)])
    return Answer.refuse(state.stream, state.version, unmet) if unmet else None


async def explain_unrecorded(store: EventStore, envelope: Envelope, rules: Collection[str]) -> tuple[Unmet, ...]:
    """A refusal that is in no journal, as clock, agenda and ids bear it out; empty if one of the rules is not.

    The words are our own: whoever answered may be a stranger.
    """
    name, at = envelope.subject.realm, envelope.received_at
    realm = await store.realm(name)
    confirmed: list[Unmet] = []
    for rule in dict.fromkeys(rules):
        match rule:
            case "CLOCK" if realm.now is not None and at < realm.now:
                confirmed.append(_before_the_clock(at, realm.now))
            case "CK01" if realm.clock is Clock.WALL:
                confirmed.append(_WALL_FROM_THE_BEGINNING)
            case "CK02" if late := [
                _in_the_past(row) async for row in _iterate_late(store, envelope.subject.realm, at)
            ]:
                confirmed.extend(late)
            case document_presence.RULE if realm.clock is Clock.WALL and (
                absent := await document_presence.find_absent(store, envelope.body)
            ):
                confirmed.extend(absent)
            case "ID03" if (taken := await find_taken_consequence(store, envelope.command_id)) is not None:
                confirmed.append(taken)
            case _:
                return ()
    return tuple(confirmed)


def is_going_live(decision: Decision, basis: CommandBasis) -> bool:
    """Whether the decision turns the realm from its manual clock to the wall clock."""
    return basis.realm.clock is Clock.MANUAL and _read_new_clock(decision) is Clock.WALL


def hold_realm(realm: str, basis: CommandBasis) -> dict[StreamId, int]:
    """What is dated by a manual clock stands only while the realm has it: the realm's own stream must not move."""
    if basis.realm.clock is not Clock.MANUAL:
        return {}
    return {clock_stream(realm): basis.realm.version}


def _read_new_clock(decision: Decision) -> Clock | None:
    """The clock that the last step sets, if that is what it does."""
    return next((e.clock for e in decision.steps[-1].events if isinstance(e, ClockSet)), None)


def _read_proposed_clock(decision: Decision) -> Clock | None:
    """The clock that the last step proposes to set: that, too, moves no deadline and passes over none."""
    step = decision.steps[-1]
    command = step.order.command
    return command.clock if isinstance(command, SetClock) and not step.unmet else None


async def _iterate_late(store: EventStore, realm: str, at: datetime) -> AsyncIterator[Standing]:
    """The streams of that realm with a deadline at or before that instant."""
    async for row in store.standings(realm=realm):
        if row.due_at is not None and row.due_at <= at:
            yield row


def _before_the_clock(at: datetime, now: datetime) -> Unmet:
    then, reached = local_time(at), local_time(now)
    return Unmet.of(
        "CLOCK",
        "此環境已到 {reached}，不能再辦理 {then} 的事項",
        "this environment has reached {reached}; nothing more can be dated {then}",
        reached=reached,
        then=then,
    )


_WALL_FROM_THE_BEGINNING = Unmet(
    rule="CK01",
    zh="此環境已用實時時鐘，不能改為手動",
    en="the environment lives on the wall clock; it cannot be put on a manual one",
)


def _in_the_past(row: Standing) -> Unmet:
    until = closing_time(row.due_at) if row.due_at else ""
    name = f"{row.stream.kind}/{row.stream.name}"
    return Unmet.of(
        "CK02",
        "{name} 的期限 {until} 已過：先以註明日期的命令辦結",
        "{name} has a deadline in the past, {until}: settle it first by a dated command",
        name=name,
        until=until,
    )
