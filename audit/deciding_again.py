"""Every journalled command of a stream decided again, on today's code, by the readings that were journalled with it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from activities.deciding import fold, parsed
from audit.finding import NOTHING
from audit.journal import Journal
from audit.past import Missing, Past
from domain.catalogue import AGGREGATES
from domain.kernel.canonical import canonical, plain
from domain.kernel.identity import SYSTEM, deadline_command_id
from domain.kernel.message import Order
from domain.kernel.refusal import CommandRejected
from domain.kernel.state import State
from store.port import EntryKind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from uuid import UUID

    from domain.kernel.identity import StreamId
    from domain.kernel.message import Due
    from store.port import Entry, EventStore


@dataclass(frozen=True)
class Difference:
    """Where today's code comes to something else than what is recorded."""

    position: int
    version: int
    """Of the event; of a command the version that it was decided at."""
    command_id: UUID
    command: str
    what: str
    """The event type, ``refusal``, ``events``, ``readings``, ``deadline``, ``command`` or ``journal``."""
    recorded: str
    decided: str

    @property
    def zh(self) -> str:
        """In a sentence."""
        where = f"序號 {self.position} v{self.version} {self.command} {self.what}"
        return f"{where}:記錄為 {self.recorded},重判為 {self.decided}"

    @property
    def en(self) -> str:
        """In a sentence."""
        return (
            f"position {self.position} v{self.version} {self.command} {self.what}: "
            f"recorded {self.recorded}, decided {self.decided}"
        )

    def as_json(self) -> dict[str, Any]:
        """For a machine."""
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
class DecidedAgain:
    """What deciding again came to."""

    commands: int = 0
    accepted: int = 0
    refused: int = 0
    first: Difference | None = None
    """The earliest difference."""
    others: int = 0
    """Further commands that differ."""

    @property
    def ok(self) -> bool:
        """Whether every command came to its recorded outcome."""
        return self.first is None

    def as_json(self) -> dict[str, Any]:
        """For a machine."""
        return {
            "ok": self.ok,
            "commands": self.commands,
            "accepted": self.accepted,
            "refused": self.refused,
            "first": self.first.as_json() if self.first else None,
            "others": self.others,
        }


@dataclass
class Recorded:
    """A command of the journal with the events behind it."""

    command: Entry
    events: list[Entry] = field(default_factory=list)


async def recorded(store: EventStore, stream: StreamId) -> AsyncIterator[Recorded]:
    """The stream's journal in order. An event without its command is the verification's affair, and is left out."""
    group: Recorded | None = None
    async for entry in store.read(stream, commands=True):
        if entry.kind is EntryKind.COMMAND:
            if group is not None:
                yield group
            group = Recorded(entry)
        elif group is not None:
            group.events.append(entry)
    if group is not None:
        yield group


async def decide_again(store: EventStore, stream: StreamId) -> DecidedAgain:
    """Decide every command again. Each starts from the recorded events, so that one difference is one difference."""
    past, state = Past(store), State(stream)
    commands = accepted = 0
    differences: list[Difference] = []
    async for group in recorded(store, stream):
        commands += 1
        accepted += bool(group.events)
        difference = await _Again(past, state, group).difference()
        if difference is not None:
            differences.append(difference)
        state = fold(stream, group.events, state)
    first = differences[0] if differences else None
    return DecidedAgain(commands, accepted, commands - accepted, first, max(len(differences) - 1, 0))


class _Again:
    """One command, decided again."""

    def __init__(self, past: Past, state: State, group: Recorded) -> None:
        self._past = past
        self._state = state
        self._group = group
        self._aggregate = AGGREGATES[state.stream.kind]

    async def difference(self) -> Difference | None:
        """The first difference, or None."""
        entry = self._group.command
        try:
            journal = Journal.of(entry)
        except ValidationError as error:
            return self._differs("journal", "actor, outcome", str(error.errors(include_url=False)[0]["msg"]))
        try:
            order = Order(parsed(entry.type, _plain(entry)), journal.actor, entry.occurred_at)
        except (KeyError, ValidationError) as error:
            return self._differs("command", entry.type, f"{type(error).__name__}: {error}")
        try:
            late = await self._deadline_differs(order, journal)
            facts = await self._past.facts(self._state, order.command, journal, entry.position)
        except (Missing, KeyError) as missing:
            return self._differs("readings", _readings(journal), str(missing))
        if late is not None:
            return late
        try:
            decided = [(e.event_type, canonical(plain(e))) for e in self._aggregate.decide(self._state, facts, order)]
        except CommandRejected as refusal:
            return self._refusal_differs(journal, sorted({u.rule for u in refusal.unmet}))
        except Exception as error:  # noqa: BLE001 - a defect of today's rules is a difference, and others follow
            return self._differs("events", _outcome(journal), f"{type(error).__name__}: {error}")
        return self._events_differ(journal, decided)

    def _refusal_differs(self, journal: Journal, rules: Sequence[str]) -> Difference | None:
        if journal.outcome.accepted is None and list(journal.outcome.rules) == list(rules):
            return None
        return self._differs("refusal", _outcome(journal), f"refused by {', '.join(rules)}")

    def _events_differ(self, journal: Journal, decided: Sequence[tuple[str, bytes]]) -> Difference | None:
        if journal.outcome.accepted is None:
            return self._differs("refusal", _outcome(journal), ", ".join(kind for kind, _ in decided) or NOTHING)
        for entry, (kind, data) in zip(self._group.events, decided, strict=False):
            if (entry.type, entry.data) != (kind, data):
                was, now = f"{entry.type} {entry.data.decode()}", f"{kind} {data.decode()}"
                return self._differs(entry.type, was, now, entry)
        if len(self._group.events) != len(decided):
            return self._differs(
                "events",
                ", ".join(e.type for e in self._group.events) or NOTHING,
                ", ".join(kind for kind, _ in decided) or NOTHING,
            )
        return None

    async def _deadline_differs(self, order: Order, journal: Journal) -> Difference | None:
        """Whether today's rules know another deadline than the one that fell due here, or one that should have."""
        calendar = await self._past.calendar(self._state.stream, journal)
        due = self._aggregate.due(self._state, calendar)
        if journal.digest is None and order.actor == SYSTEM:
            return None if due is not None and self._is(due) else self._differs("deadline", self._fell(), _due(due))
        if due is not None and due.at + due.grace <= order.at:
            return self._differs("deadline", NOTHING, _due(due))
        return None

    def _is(self, due: Due) -> bool:
        command_id = deadline_command_id(self._state.stream, due.command.command_type, due.key, due.at)
        return command_id == self._group.command.command_id

    def _fell(self) -> str:
        entry = self._group.command
        return f"{entry.type} {entry.occurred_at.isoformat()}"

    def _differs(self, what: str, was: str, now: str, entry: Entry | None = None) -> Difference:
        command = self._group.command
        of = entry or command
        return Difference(of.position, of.version, command.command_id, command.type, what, was, now)


def _plain(entry: Entry) -> dict[str, Any]:
    """The command's particulars. Raises KeyError if they are no object."""
    value = json.loads(entry.data)
    if not isinstance(value, dict):
        raise KeyError(entry.type)
    return value


def _due(due: Due | None) -> str:
    return NOTHING if due is None else f"{due.command.command_type} {due.key} {due.at.isoformat()}"


def _outcome(journal: Journal) -> str:
    if journal.outcome.accepted is None:
        return f"refused by {', '.join(journal.outcome.rules)}"
    return ", ".join(journal.outcome.accepted) or NOTHING


def _readings(journal: Journal) -> str:
    names = [*(f"{s}@{v}" for s, v in journal.reads.items()), *journal.claims, *journal.balances]
    return ", ".join([*names, *([journal.scheme] if journal.scheme else [])]) or NOTHING
