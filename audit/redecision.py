"""Every journalled command of a stream decided again, on today's code, by the readings that were journalled with it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from audit.consequences import is_consequence, list_consequences, list_unrecorded
from audit.finding import NOTHING
from audit.historical_facts import FactMissing, HistoricalFacts
from audit.signatures import find_fault
from audit.time_slice import TimeSlice
from deciding.authority import find_journalled_seat, judge_seat
from deciding.decision import MORE, is_set_aside
from deciding.fold import fold, parse_command
from deciding.journal import Journal
from deciding.warrant import Warrant
from domain.catalogue import AGGREGATES
from domain.kernel.canonical import canonical, plain
from domain.kernel.facts import Facts, Reads
from domain.kernel.identifier import deadline_command_id
from domain.kernel.message import Order
from domain.kernel.policy import list_business_reads, refuse_business, refuse_role, refuse_stage
from domain.kernel.refusal import CommandRejected
from domain.kernel.state import State
from domain.registers.office import OFFICE
from store.port import EntryKind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from uuid import UUID

    from domain.kernel.identifier import StreamId
    from domain.kernel.message import Command, Due, Event
    from domain.kernel.refusal import Unmet
    from store.port import Entry, EventStore


@dataclass(frozen=True)
class DecisionDifference:
    """Where today's code comes to something else than what is recorded."""

    position: int
    version: int
    """Of the event; of a command the version that it was decided at."""
    command_id: UUID
    command: str
    what: str
    """The event type; or what of the command: ``refusal``, ``events``, ``consequences``, ``readings``, ``deadline``,
    ``origin``, ``signature``, ``persons``, ``form`` or ``journal``."""
    recorded: str
    decided: str

    @property
    def zh(self) -> str:
        """The difference as a sentence in Chinese."""
        where = f"序號 {self.position} v{self.version} {self.command} {self.what}"
        return f"{where}：記錄為 {self.recorded}，重判為 {self.decided}"

    @property
    def en(self) -> str:
        """The difference as a sentence in English."""
        return (
            f"position {self.position} v{self.version} {self.command} {self.what}: "
            f"recorded {self.recorded}, decided {self.decided}"
        )

    def as_json(self) -> dict[str, Any]:
        """As JSON: what was recorded beside what is decided today, in both languages."""
        return {
            "position": self.position,
            "version": self.version,
            "command_id": str(self.command_id),
            "command": self.command,
            "what": self.what,
            "recorded": self.recorded,
            "decided": self.decided,
            "zh": self.zh,
            "en": self.en,
        }


@dataclass(frozen=True)
class Redecision:
    """What deciding again came to."""

    commands: int = 0
    accepted: int = 0
    refused: int = 0
    first: DecisionDifference | None = None
    """The earliest difference."""
    others: int = 0
    """Further commands that differ."""
    undecided: int = 0
    """Refusals that came from other streams, whose readings are not journalled with this command."""

    @property
    def ok(self) -> bool:
        """Whether every command came to its recorded outcome."""
        return self.first is None

    def as_json(self) -> dict[str, Any]:
        """As JSON: the first difference whole, of the others their number; ``first`` is null if there is none."""
        return {
            "ok": self.ok,
            "commands": self.commands,
            "accepted": self.accepted,
            "refused": self.refused,
            "first": self.first.as_json() if self.first else None,
            "others": self.others,
            "undecided": self.undecided,
        }


@dataclass
class RecordedCommand:
    """A command of the journal with the events behind it."""

    command: Entry
    events: list[Entry] = field(default_factory=list)


async def read_recorded_commands(store: EventStore, stream: StreamId) -> AsyncIterator[RecordedCommand]:
    """The stream's journal in order. An event without its command is the verification's affair, and is left out."""
    group: RecordedCommand | None = None
    async for entry in store.read(stream, commands=True):
        if entry.kind is EntryKind.COMMAND:
            if group is not None:
                yield group
            group = RecordedCommand(entry)
        elif group is not None:
            group.events.append(entry)
    if group is not None:
        yield group


async def redecide(store: EventStore, stream: StreamId) -> Redecision:
    """Decide every command again. Each starts from the recorded events, so that one difference is one difference."""
    past, state = HistoricalFacts(store), State(stream)
    commands = accepted = undecided = 0
    time_slice = TimeSlice()
    differences: list[DecisionDifference] = []
    async for group in read_recorded_commands(store, stream):
        await time_slice.give_way()
        again = _CommandRedecision(past, state, group)
        difference = await again.difference()
        commands += 1
        accepted += bool(group.events)
        undecided += again.undecided
        if difference is not None:
            differences.append(difference)
        state = fold(stream, group.events, state)
    first = differences[0] if differences else None
    return Redecision(commands, accepted, commands - accepted, first, max(len(differences) - 1, 0), undecided)


class _CommandRedecision:
    """One command, decided again."""

    def __init__(self, past: HistoricalFacts, state: State, group: RecordedCommand) -> None:
        self._past = past
        self._state = state
        self._group = group
        self._aggregate = AGGREGATES[state.stream.kind]
        self.undecided = False
        """Whether the journal does not hold what its refusal rested on."""

    async def difference(self) -> DecisionDifference | None:
        """The first difference, or None."""
        entry = self._group.command
        try:
            journal = Journal.read(entry)
        except ValidationError as error:
            return self._difference("journal", "actor, outcome", str(error.errors(include_url=False)[0]["msg"]))
        try:
            command = parse_command(entry.type, _read_body(entry))
        except (KeyError, ValidationError) as error:
            return self._difference("form", entry.type, f"{type(error).__name__}: {error}")
        if (unsigned := await self._compare_signature(journal)) is not None:
            return unsigned
        try:
            order, not_theirs = await self._identify(command, journal)
            business, refusals = await self._judge_business(order, not_theirs, journal)
            unread = list(journal.outcome.rules) in refusals  # before anything more was read
            facts = None
            if not (unread or not_theirs):
                facts = await self._past.facts(self._state, order, journal, entry.position, business)
            late = await self._compare_origin(order, journal)
        except (FactMissing, KeyError) as missing:
            return self._difference("readings", _format_readings(journal), str(missing))
        if not_theirs and not unread:
            return self._compare_refusal(journal, refusals[-1])
        if (order.persons, order.basis) != (journal.persons, journal.basis):
            return self._difference("persons", _format_persons(journal), _format_persons(order))
        if late is not None or facts is None:
            return late
        try:
            events = self._aggregate.decide(self._state, facts, order)
        except CommandRejected as refusal:
            return self._compare_refusal(journal, sorted({u.rule for u in refusal.unmet}))
        except Exception as error:  # noqa: BLE001 - a defect of today's rules is a difference, and others follow
            return self._difference("events", _format_outcome(journal), f"{type(error).__name__}: {error}")
        consequences = list_consequences(entry.stream, events, entry.command_id) if journal.digest else []
        if journal.outcome.refused is not None and consequences:
            return self._compare_refusal_elsewhere(journal.outcome.refused, consequences)
        return self._compare_events(journal, events) or await self._compare_consequences(consequences)

    async def _compare_signature(self, journal: Journal) -> DecisionDifference | None:
        """Whether a door let it in that might, by the keys of that day."""
        entry = self._group.command
        warrant = Warrant.of_entry(entry, journal, await self._past.genesis())
        signed = await self._past.has_key_before(entry.position)
        state = await self._past.state_before(warrant.stream, entry.position) if warrant.stream else None
        fault = find_fault(entry, journal, warrant, state, must_be_signed=signed)
        return self._difference("signature", journal.key or NOTHING, f"{fault.rule}: {fault.en}") if fault else None

    async def _identify(self, command: Command, journal: Journal) -> tuple[Order, tuple[Unmet, ...]]:
        """The order with the persons whom the seat's register names, read as it was then. Raises FactMissing.

        What followed from another command has its persons from there; before persons were known there are none.
        """
        entry = self._group.command
        order = Order(command, journal.actor, entry.occurred_at, person=journal.person)
        seat = find_journalled_seat(order, self._state.stream, journal.reads) if journal.digest else None
        if seat is None and journal.digest and journal.persons:
            raise FactMissing(order.actor)
        if seat is None:
            return replace(order, persons=journal.persons, basis=journal.basis), ()
        is_own = seat == self._state.stream
        register = self._state if is_own else await self._past.state_at(seat, journal.reads[seat])
        founding = await self._past.state_at(OFFICE, journal.reads[OFFICE]) if OFFICE in journal.reads else None
        return judge_seat(register, order, founding)

    async def _judge_business(
        self, order: Order, not_theirs: tuple[Unmet, ...], journal: Journal
    ) -> tuple[Reads, list[list[str]]]:
        """What says whose business it is, and the rules by which whoever has none is refused before more is read.

        For its role alone, as releases without relations did, or for all that the policy says. Raises FactMissing.
        """
        bound, by = self._aggregate.bind(self._state, order)
        refusals = [refuse_role(bound, by)]
        business = Reads()
        if not_theirs:
            refusals = [(*not_theirs, *refusals[0])]
        else:
            business = list_business_reads(bound, self._state, by)
            streams = await self._past.streams(self._state, business, journal, self._group.command.position)
            no_business = refuse_business(bound, self._state, Facts(streams=streams), by)
            refusals.append((*no_business, *refuse_stage(bound, self._state)) if no_business else ())
        return business, [sorted({u.rule for u in unmet}) for unmet in refusals if unmet]

    def _compare_refusal(self, journal: Journal, rules: Sequence[str]) -> DecisionDifference | None:
        if journal.outcome.accepted is None and list(journal.outcome.rules) == list(rules):
            return None
        return self._difference("refusal", _format_outcome(journal), f"refused by {', '.join(rules)}")

    def _compare_refusal_elsewhere(
        self, unmet: Sequence[Unmet], consequences: Sequence[tuple[StreamId, Command, UUID]]
    ) -> DecisionDifference | None:
        """A refusal for what other streams say: their readings were not kept, but each must say whose it is."""
        names = (*(f"{other.name}: " for other, _, _ in consequences), MORE)
        if all(u.en.startswith(names) for u in unmet):
            self.undecided = True
            return None
        return self._difference("refusal", ", ".join(u.rule for u in unmet), NOTHING)

    def _compare_events(self, journal: Journal, events: Sequence[Event]) -> DecisionDifference | None:
        pairs = [(event.event_type, canonical(plain(event))) for event in events]
        types = ", ".join(kind for kind, _ in pairs) or NOTHING
        if journal.outcome.accepted is None:
            return self._difference("refusal", _format_outcome(journal), types)
        for entry, (kind, data) in zip(self._group.events, pairs, strict=False):
            if (entry.type, entry.data) != (kind, data):
                recorded, decision = f"{entry.type} {entry.data.decode()}", f"{kind} {data.decode()}"
                return self._difference(entry.type, recorded, decision, entry)
        if len(self._group.events) != len(pairs):
            return self._difference("events", ", ".join(e.type for e in self._group.events) or NOTHING, types)
        return None

    async def _compare_consequences(
        self, consequences: Sequence[tuple[StreamId, Command, UUID]]
    ) -> DecisionDifference | None:
        missing = await list_unrecorded(self._past.store, consequences)
        return self._difference("consequences", NOTHING, ", ".join(missing)) if missing else None

    async def _compare_origin(self, order: Order, journal: Journal) -> DecisionDifference | None:
        """Whether somebody asked for it, and all that was due by then came first, but for what it sets aside."""
        due = self._aggregate.due(self._state, await self._past.calendar(self._state.stream, journal))
        entry = self._group.command
        if journal.digest is None:
            if due is not None and self._is_deadline(due):
                return None
            if not await is_consequence(self._past.store, entry):
                return self._difference("origin", f"{entry.type} {entry.occurred_at.isoformat()}", _format_due(due))
        if due is not None and due.at + due.grace <= order.at and not is_set_aside(self._state, order.command, due):
            return self._difference("deadline", NOTHING, _format_due(due))
        return None

    def _is_deadline(self, due: Due) -> bool:
        command_id = deadline_command_id(self._state.stream, due.command.command_type, due.key, due.at)
        return command_id == self._group.command.command_id

    def _difference(self, what: str, recorded: str, decision: str, entry: Entry | None = None) -> DecisionDifference:
        command = self._group.command
        differing = entry or command
        return DecisionDifference(
            differing.position, differing.version, command.command_id, command.type, what, recorded, decision
        )


def _read_body(entry: Entry) -> dict[str, Any]:
    """The command's particulars. Raises KeyError if they are no object."""
    value = json.loads(entry.data)
    if not isinstance(value, dict):
        raise KeyError(entry.type)
    return value


def _format_due(due: Due | None) -> str:
    return NOTHING if due is None else f"{due.command.command_type} {due.key} {due.at.isoformat()}"


def _format_persons(who: Order | Journal) -> str:
    return ", ".join((*sorted(who.persons), *([who.basis] if who.basis else ()))) or NOTHING


def _format_outcome(journal: Journal) -> str:
    if journal.outcome.accepted is None:
        return f"refused by {', '.join(journal.outcome.rules)}"
    return ", ".join(journal.outcome.accepted) or NOTHING


def _format_readings(journal: Journal) -> str:
    names = [*(f"{s}@{v}" for s, v in journal.reads.items()), *journal.claims, *journal.balances]
    return ", ".join([*names, *([journal.scheme] if journal.scheme else [])]) or NOTHING
