"""The log entry by entry: order, hashes, each command with the events behind it, and what each stream adds up to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic import ValidationError

from audit.finding import NOTHING, Finding, FindingKind
from audit.realms import Realms
from audit.signatures import KINDS, find_fault, is_first_key
from audit.standings import compare_standing
from audit.time_slice import TimeSlice
from deciding.event_meta import EventMeta
from deciding.fold import read_occurrence
from deciding.journal import Journal
from deciding.warrant import Warrant
from domain.catalogue import AGGREGATES
from domain.kernel.calendar import Calendar
from domain.kernel.state import State
from domain.registers.calendar import CALENDAR_NAME, calendar_of, calendar_stream
from store.bytes import GENESIS, chain_hash, leaf
from store.port import EntryKind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from datetime import datetime

    from domain.kernel.effects import Effect
    from domain.kernel.identifier import StreamId
    from store.port import Entry, EventStore, Standing


@dataclass
class Thread:
    """One stream as far as it was read."""

    state: State
    chain: bytes = GENESIS
    """As stored at its last entry, so that one changed entry is one finding."""
    version: int = 0
    position: int = 0
    """Of its last entry."""
    calendar: int = 0
    """The version of the calendar that its last command was decided on."""
    is_outside: bool = False
    """Whether its last command was not asked of it by a door: then its workflow may still have to be notified."""
    folds: bool = True
    """Whether every event so far was understood."""


@dataclass
class _Group:
    """A command and the events seen behind it."""

    command: Entry
    journal: Journal | None
    """None if it cannot be read; then any events may follow."""
    event_types: list[str] = field(default_factory=list)


class Leaves:
    """Takes the log's entries one after another, in order of position."""

    def __init__(self, report: Callable[[Finding], None]) -> None:
        self._report = report
        self._position = 0
        self._recorded_at: datetime | None = None
        self._group: _Group | None = None
        self.realms = Realms()
        self._calendars: dict[str, list[Calendar]] = {}
        self._genesis = b""
        """The chain hash of the log's first entry, as stored: doors name the log by it."""
        self._has_key = False
        """Whether a door's key stands in the log so far: from then on whatever is asked is signed."""
        self.threads: dict[StreamId, Thread] = {}
        self.missing_events: dict[StreamId, int] = {}
        """How many events a stream's row tells of that the log does not have, as last compared."""

    def take(self, entry: Entry) -> Sequence[Effect] | None:
        """Look at the next entry; what it does to claims and accounts, or None if it is not understood."""
        thread = self.threads.setdefault(entry.stream, Thread(State(entry.stream)))
        self._genesis = self._genesis or entry.chain
        self._check_order(entry)
        self._check_chain(entry, thread)
        self._check_version(entry, thread)
        if entry.kind is EntryKind.COMMAND:
            self._begin_group(entry, thread)
            return ()
        self._check_group(entry)
        self._has_key = self._has_key or is_first_key(entry)
        return self._fold(entry, thread)

    def end(self) -> None:
        """Nothing follows: the last command's outcome must be complete."""
        group, self._group = self._group, None
        if group is None or group.journal is None or list(group.journal.outcome.events) == group.event_types:
            return
        expected = ", ".join(group.journal.outcome.events) or NOTHING
        self._add(FindingKind.OUTCOME, group.command, expected, ", ".join(group.event_types) or NOTHING)

    def _add(self, kind: FindingKind, entry: Entry, expected: object, actual: object, subject: str = "") -> None:
        self._report(Finding(kind, str(expected), str(actual), entry.position, entry.stream, subject))

    # ------------------------------------------------------------------------------------------ order and hashes

    def _check_order(self, entry: Entry) -> None:
        if entry.position != self._position + 1:
            self._add(FindingKind.POSITION, entry, self._position + 1, entry.position)
        self._position = entry.position
        if self._recorded_at is not None and entry.recorded_at < self._recorded_at:
            self._add(FindingKind.RECORDED_AT, entry, f"≥ {_format(self._recorded_at)}", _format(entry.recorded_at))
        else:
            self._recorded_at = entry.recorded_at

    def _check_chain(self, entry: Entry, thread: Thread) -> None:
        chain = chain_hash(thread.chain, leaf(entry))
        if chain != entry.chain:
            self._add(FindingKind.CHAIN, entry, chain.hex(), entry.chain.hex())
        thread.chain, thread.position = entry.chain, entry.position

    def _check_version(self, entry: Entry, thread: Thread) -> None:
        expected = thread.version + (entry.kind is EntryKind.EVENT)
        if entry.version != expected:
            self._add(FindingKind.VERSION, entry, expected, entry.version)
        thread.version = entry.version

    # ------------------------------------------------------------------------------------- commands and their events

    def _begin_group(self, entry: Entry, thread: Thread) -> None:
        self.end()
        try:
            journal = Journal.read(entry)
        except ValidationError as error:
            journal = None
            self._add(FindingKind.JOURNAL, entry, "actor, outcome", _first_line(error))
        if journal is not None:
            thread.calendar = journal.reads.get(calendar_stream(entry.stream.realm), 0)
            self._check_signature(entry, journal)
        self.realms.trace(entry.stream.realm).take_command(entry, journal)
        thread.is_outside = journal is None or journal.digest is None
        self._group = _Group(entry, journal)

    def _check_group(self, entry: Entry) -> None:
        group = self._group
        if group is None or (group.command.command_id, group.command.stream) != (entry.command_id, entry.stream):
            self.end()
            self._add(FindingKind.ORPHAN, entry, entry.command_id, group.command.command_id if group else NOTHING)
            return
        group.event_types.append(entry.type)
        for subject, expected, actual in (
            ("occurred_at", group.command.occurred_at, entry.occurred_at),
            ("recorded_at", group.command.recorded_at, entry.recorded_at),
        ):
            if expected != actual:
                self._add(FindingKind.GROUP, entry, _format(expected), _format(actual), subject)
        if group.journal is None:
            return
        actor, persons = _read_who(entry)
        if actor != group.journal.actor:
            self._add(FindingKind.GROUP, entry, group.journal.actor, actor, "actor")
        journalled = (*sorted(group.journal.persons), *([group.journal.basis] if group.journal.basis else ()))
        if persons != journalled:
            self._add(
                FindingKind.GROUP, entry, "、".join(journalled) or NOTHING, "、".join(persons) or NOTHING, "persons"
            )

    def _check_signature(self, entry: Entry, journal: Journal) -> None:
        warrant = Warrant.of_entry(entry, journal, self._genesis)
        state = self.threads[warrant.stream].state if warrant.stream in self.threads else None
        fault = find_fault(entry, journal, warrant, state, must_be_signed=self._has_key)
        if fault is not None:
            self._add(KINDS[fault.rule], entry, f"{journal.actor} {entry.type}", f"{fault.rule}: {fault.en}")

    # ------------------------------------------------------------------------------------------------------- folding

    def _fold(self, entry: Entry, thread: Thread) -> Sequence[Effect] | None:
        try:
            occurrence = read_occurrence(entry)
        except Exception as error:  # noqa: BLE001 - whatever bytes may hold; it is reported, located
            thread.folds = False
            self._add(FindingKind.DECODE, entry, f"{entry.type} v{entry.schema_version}", _first_line(error))
            return None
        try:
            aggregate, before = AGGREGATES[entry.stream.kind], thread.state
            thread.state = aggregate.evolve(before, occurrence)
            effects = aggregate.effects(before, occurrence.event, thread.state)
        except Exception as error:  # noqa: BLE001 - likewise
            thread.folds = False
            self._add(FindingKind.FOLD, entry, thread.state.stage, _first_line(error))
            return None
        self.realms.trace(entry.stream.realm).take_event(entry, occurrence.event)
        if (entry.stream.kind, entry.stream.name) == ("calendar", CALENDAR_NAME):
            self._calendars.setdefault(entry.stream.realm, [Calendar()]).append(calendar_of(thread.state))
        return effects

    # ------------------------------------------------------------------------------------------- rows beside the log

    async def compare_standings(self, store: EventStore) -> AsyncIterator[Finding]:
        """Agenda rows that are not how their stream stands, and streams that have none."""
        missing, time_slice = {stream for stream, thread in self.threads.items() if thread.version}, TimeSlice()
        async for standing in store.standings():
            await time_slice.give_way()
            missing.discard(standing.stream)
            for finding in self._compare_standing(standing):
                yield finding
        for stream in sorted(missing):
            yield Finding(
                FindingKind.AGENDA, self.threads[stream].state.stage, NOTHING, self.threads[stream].position, stream
            )

    def _compare_standing(self, standing: Standing) -> list[Finding]:
        thread = self.threads.get(standing.stream)
        if thread is None:
            return [Finding(FindingKind.AGENDA, NOTHING, standing.stage, None, standing.stream)]
        clock = self.realms.clock(standing.stream.realm)
        if thread.folds:
            differences = compare_standing(thread.state, self._calendars_since(thread), clock, standing)
        elif thread.version != standing.version:
            differences = [("version", str(thread.version), str(standing.version))]
        else:
            differences = []
        if not standing.notified and not self._may_be_unnotified(thread):
            differences.append(("notified", "true", "false"))
        return [
            Finding(FindingKind.AGENDA, expected, actual, thread.position, standing.stream, subject)
            for subject, expected, actual in differences
        ]

    def _calendars_since(self, thread: Thread) -> Sequence[Calendar]:
        """The calendar that its last command was decided by, and those published since."""
        published = self._calendars.get(thread.state.stream.realm, [Calendar()])
        return published[min(thread.calendar, len(published) - 1) :]

    def _may_be_unnotified(self, thread: Thread) -> bool:
        """Written from outside, or by the realm's going live, after its own last command."""
        return thread.is_outside or self.realms.trace(thread.state.stream.realm).turned > thread.position

    async def compare_heads(self, store: EventStore) -> AsyncIterator[Finding]:
        """Streams that do not end where their row says."""
        missing, time_slice = set(self.threads), TimeSlice()
        self.missing_events.clear()
        async for head in store.heads():
            await time_slice.give_way()
            missing.discard(head.stream)
            thread = self.threads.get(head.stream)
            ends = (thread.version, thread.chain) if thread else (0, GENESIS)
            if ends != (head.version, head.chain):
                position = thread.position if thread else None
                if head.version > ends[0] and head.chain != ends[1]:
                    self.missing_events[head.stream] = head.version - ends[0]
                yield Finding(
                    FindingKind.HEAD, _format_head(head.version, head.chain), _format_head(*ends), position, head.stream
                )
        for stream in sorted(missing):
            thread = self.threads[stream]
            yield Finding(
                FindingKind.HEAD, NOTHING, _format_head(thread.version, thread.chain), thread.position, stream
            )


def _read_who(entry: Entry) -> tuple[str, tuple[str, ...]]:
    """The seat that an event names, and the persons; with them by what they acted, if it was another's seat."""
    try:
        meta = EventMeta.read(entry)
    except ValueError:
        return NOTHING, ()
    return meta.actor, (*sorted(meta.persons), *([meta.basis] if meta.basis else ()))


def _format_head(version: int, chain: bytes) -> str:
    return f"v{version} {chain.hex()}"


def _format(value: object) -> str:
    match value:
        case None:
            return NOTHING
        case _ if hasattr(value, "isoformat"):
            return str(value.isoformat())
        case _:
            return str(value)


def _first_line(error: Exception) -> str:
    """The first line of what went wrong."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
