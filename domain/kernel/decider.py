"""A decider is one stage's commands, events, rules and deadlines; an aggregate joins those of one kind of stream.

``decide`` is the only refuser, ``evolve`` is total, ``due`` and ``awaiting`` are read off the state: all pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, get_args

from pydantic import ValidationError

from domain.kernel import parked_deadline, proposal
from domain.kernel.facts import Facts, Reads
from domain.kernel.impartiality import Impartiality
from domain.kernel.message import Awaited, Command, Due, Event, Occurrence, Order
from domain.kernel.parked_deadline import DeadlineSetAside, DeadlinesSetAside, SetDeadlineAside
from domain.kernel.policy import authorize, remember_side
from domain.kernel.privacy import refuse_personal_data
from domain.kernel.proposal import ActConfirmed, ConfirmAct, Proposal, check_confirmable, find_open, propose
from domain.kernel.refusal import Checks, CommandRejected
from domain.kernel.state import ORIGIN, SAME, State, Transition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from domain.kernel.calendar import Calendar
    from domain.kernel.effects import Effect
    from domain.kernel.identifier import Role, StreamId

C = TypeVar("C", bound=Command)
E = TypeVar("E", bound=Event)


def _no_reads(_state: State, _command: Any) -> Reads:  # noqa: ANN401 - any command of the stage
    return Reads()


def _none(_state: State, _calendar: Calendar) -> tuple[()]:
    return ()


@dataclass(frozen=True)
class Decider(Generic[C, E]):
    """One stage, as the functions and classes of its file."""

    name: str
    zh: str
    commands: tuple[type[C], ...]
    events: tuple[type[E], ...]
    decide: Callable[[State, Facts, Order, C], list[Event]]
    """What this command makes happen. Raises CommandRejected with every unmet condition."""
    evolve: Callable[[State, Occurrence, E], State]
    """What the stage remembers after this event. Total: never raises for a recorded event."""
    reads: Callable[[State, C], Reads] = _no_reads
    """What ``decide`` will want to know of other streams."""
    due: Callable[[State, Calendar], Iterable[Due]] = _none
    """The deadlines that run now."""
    awaiting: Callable[[State, Calendar], Iterable[Awaited]] = _none
    """Who is awaited now."""


@dataclass(frozen=True)
class Aggregate:
    """All deciders of one kind of stream, acting as one."""

    kind: str
    """The first part of its stream ids."""
    zh: str
    en: str
    """What one of them is called, e.g. ``review panel``."""
    en_many: str
    """What a list of them is called."""
    deciders: tuple[Decider[Any, Any], ...]
    final: frozenset[str] = frozenset()
    """Stages from which nothing moves by itself: the workflow may end."""
    governed_by: Callable[[State, Command], StreamId | None] = lambda _state, _command: None
    """The stream whose scheme holds while the stream has none of its own, e.g. a project's round."""
    consequences: Callable[[StreamId, Event], Iterable[tuple[StreamId, Command]]] = lambda _stream, _event: ()
    """What an event asks of other streams, in order: one append with it, all or nothing (decision 006)."""
    uncounted: Callable[[State, Event, State], Iterable[Effect]] = lambda _before, _event, _after: ()
    """What an event of an earlier release does to keys and accounts that its bytes say nothing of."""
    hands: Callable[[State, Event, State], Iterable[Effect]] = lambda _before, _event, _after: ()
    """What the persons who caused an event take up, so that one cannot be two: the second line behind the rules."""
    impartiality: Impartiality = field(default_factory=Impartiality)
    """Whose stake in whom bars them from deciding."""
    summary: Callable[[State], Mapping[str, object]] = lambda _state: {}
    """What a list shows of it: plain JSON values, no personal data."""

    @cached_property
    def commands(self) -> Mapping[type[Command], Decider[Any, Any]]:
        """Which decider knows which command."""
        return {command: decider for decider in self.deciders for command in decider.commands}

    @cached_property
    def events(self) -> Mapping[type[Event], Decider[Any, Any]]:
        """Which decider knows which event."""
        return {event: decider for decider in self.deciders for event in decider.events}

    def reads(self, state: State, command: Command) -> Reads:
        """What ``decide`` will want to know of other streams for this command."""
        command = self.bound_command(state, command)
        reads: Reads = self.commands[type(command)].reads(state, command)
        governor = self.governed_by(state, command)
        return reads if governor is None else reads | Reads(streams=frozenset({governor}))

    def reads_on(self, state: State, facts: Facts, order: Order) -> frozenset[StreamId]:
        """What more ``decide`` wants to know, given these facts: to be asked until it wants nothing."""
        bound, _ = self.bind(state, order)
        return self.impartiality.reads(bound, state, facts).streams - facts.streams.keys() - {state.stream}

    def bound_command(self, state: State, command: Command) -> Command:
        """The act that a confirmation is bound to; any other command, and a confirmation of nothing, is itself."""
        proposal = find_open(state, command) if isinstance(command, ConfirmAct) else None
        return command if proposal is None else self._parse(proposal)

    def _parse(self, proposal: Proposal) -> Command:
        classes = {command.command_type: command for command in self.commands}
        return classes[proposal.command].model_validate(proposal.body)

    def bind(self, state: State, order: Order) -> tuple[Order, tuple[Role, ...]]:
        """The order as it is judged: of a confirmation what it is bound to, with the roles that may confirm that."""
        command = self.bound_command(state, order.command)
        if command is order.command:
            return order, ()
        return replace(order, command=command), type(command).confirmed_by or type(command).by

    def decide(self, state: State, facts: Facts, order: Order) -> list[Event]:
        """What this order makes happen. Raises CommandRejected: role, stage, personal data, every rule of the stage.

        Where persons are known, a privileged act is proposed, and happens once another person confirms it.
        """
        command = order.command
        if isinstance(command, ConfirmAct) and (proposal := find_open(state, command)) is not None:
            return self._confirm(state, facts, order, command, proposal)
        events = self._decide(state, facts, order, ())
        return [propose(state, order)] if order.persons and command.is_for_two() else events

    def _confirm(
        self, state: State, facts: Facts, order: Order, confirmation: ConfirmAct, proposal: Proposal
    ) -> list[Event]:
        """What was proposed, judged as things stand now, as an act of whoever confirms it."""
        check, events = Checks(), list[Event]()
        check_confirmable(check, proposal, order, confirmation)
        bound, by = self.bind(state, order)
        try:
            events = self._decide(state, facts, bound, by)
        except CommandRejected as refusal:
            raise CommandRejected((*check.unmet, *refusal.unmet)) from refusal
        return check.grant(ActConfirmed.of(confirmation), *events)

    def _decide(self, state: State, facts: Facts, order: Order, by: tuple[Role, ...]) -> list[Event]:
        """``by`` stands for the roles that confirm what takes two; empty for those that may ask."""
        command = order.command
        misplaced = (
            *authorize(order, state, facts, by),
            *self.impartiality.refuse(order, state, facts),
            *refuse_personal_data(command),
        )
        try:
            events: list[Event] = self.commands[type(command)].decide(state, facts, order, command)
        except CommandRejected as refusal:
            raise CommandRejected(misplaced + refusal.unmet) from refusal
        except ValidationError:  # what would follow at another stage need not be sound; at its own it is a defect
            if not misplaced:
                raise
        if misplaced:
            raise CommandRejected(misplaced)
        return events

    def evolve(self, state: State, occurrence: Occurrence) -> State:
        """The state after that event: what its decider remembers first, then the stage."""
        event = occurrence.event
        after: State = self.events[type(event)].evolve(state, occurrence, event)
        move = next((t for t in type(event).moves if state.stage in t.start and t.when(event)), None)
        if move is not None:
            after = _move(after, move, occurrence)
        after = remember_side(after, occurrence)
        return replace(after, version=state.version + 1)

    def effects(self, before: State, event: Event, after: State) -> tuple[Effect, ...]:
        """What the event does to claims and accounts, between these two states of its stream."""
        of_event = event.effects(before.stream)
        return (*of_event, *self.uncounted(before, event, after), *self.hands(before, event, after))

    def due(self, state: State, calendar: Calendar) -> Due | None:
        """The nearest deadline; the earlier decider first where two fall together."""
        due = min(self._deadlines(state, calendar), key=lambda due: due.at, default=None)
        if due is None or not calendar.may_be_guessed(due.at):
            return due
        guesses = (
            {(type(other.command), other.key): other.at for other in self._deadlines(state, guess)}
            for guess in calendar.guesses()
        )
        moves = any(guess.get((type(due.command), due.key)) != due.at for guess in guesses)
        return replace(due, provisional=moves)

    def awaiting(self, state: State, calendar: Calendar) -> list[Awaited]:
        """Everybody who is awaited now."""
        awaited = self._awaited(state, calendar)
        if not any(one.until is not None and calendar.may_be_guessed(one.until) for one in awaited):
            return awaited
        guesses = [[one.until for one in self._awaited(state, guess)] for guess in calendar.guesses()]
        return [
            replace(one, provisional=any(guess[i : i + 1] != [one.until] for guess in guesses))
            for i, one in enumerate(awaited)
        ]

    def _deadlines(self, state: State, calendar: Calendar) -> Iterable[Due]:
        aside = state.part(DeadlinesSetAside)
        return (due for decider in self.deciders for due in decider.due(state, calendar) if not aside.has_deadline(due))

    def _awaited(self, state: State, calendar: Calendar) -> list[Awaited]:
        return [one for decider in self.deciders for one in decider.awaiting(state, calendar)]


def _move(state: State, move: Transition, occurrence: Occurrence) -> State:
    if move.to == SAME:
        return state
    stage, stack = move.to, state.stack
    if move.to == ORIGIN:
        *rest, stage = state.stack
        stack = tuple(rest)
    elif move.push:
        stack = (*stack, state.stage)
    return replace(state, stage=stage, stack=stack, since=occurrence.event.stands_since(occurrence.at))


PROPOSALS: Final = Decider(
    name="proposal",
    zh="要事兩人辦",
    commands=get_args(proposal.Commands),
    events=get_args(proposal.Events),
    decide=proposal.decide,
    evolve=proposal.evolve,
    awaiting=proposal.awaiting,
)
"""For every kind of stream that has privileged acts."""


def unpark(deciders: tuple[Decider[Any, Any], ...]) -> Decider[SetDeadlineAside, DeadlineSetAside]:
    """For every kind of stream that has deadlines, theirs: what lets one of them be set aside that cannot be applied.

    One that can be has been by the time that the order is judged, so whichever stands and has passed cannot.
    """

    def decide(state: State, facts: Facts, order: Order, command: SetDeadlineAside) -> list[Event]:
        check, aside = Checks(), state.part(DeadlinesSetAside)
        deadlines = (due for decider in deciders for due in decider.due(state, facts.calendar))
        check(
            any(
                command.is_about(due) and due.at + due.grace <= order.at and not aside.has_deadline(due)
                for due in deadlines
            ),
            "PK01",
            "此卷宗沒有已過而不能辦理的期限 {deadline}（{falls_at}）",
            "no deadline {deadline} ({falls_at}) of this file has passed and cannot be applied",
            deadline=command.deadline,
            falls_at=command.falls_at.isoformat(),
        )
        return check.grant(DeadlineSetAside.of(command))

    return Decider(
        name="parked",
        zh="期限擱置",
        commands=(SetDeadlineAside,),
        events=(DeadlineSetAside,),
        decide=decide,
        evolve=parked_deadline.evolve,
    )
