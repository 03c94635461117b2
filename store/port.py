"""What the rest of the house may ask of an event store; ``postgres`` and ``memory`` answer alike (tests/store).

The log is one dense sequence of *entries*. An entry is an event, or a command with its outcome (the journal): both are
leaves of the same hash chain. ``position`` counts all entries from 1 in commit order; ``version`` counts a stream's
events from 1, and on a command's entry it is the version that the decision was made at.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

from domain.kernel.clock import Clock
from domain.kernel.failure import Defect, Failure, FailureKind
from store.bounds import AppendInvalid, check_append

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from domain.kernel.acting import PersonId
    from domain.kernel.effects import Effect
    from domain.kernel.identifier import Actor, StreamId
    from store.documents import DocumentRegister
    from store.views import ViewStore


AHEAD_TOLERANCE: Final = timedelta(seconds=5)
"""How far business time may lie ahead of the store's own clock; Postgres has it in ``venture.ahead_tolerance``."""


class EntryKind(StrEnum):
    """What a leaf of the log is."""

    COMMAND = "command"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class Entry:
    """One leaf of the log, as it is kept."""

    position: int
    stream: StreamId
    version: int
    kind: EntryKind
    type: str
    """The event type, or the command type."""
    schema_version: int
    command_id: UUID
    occurred_at: datetime
    """Business time, UTC."""
    recorded_at: datetime
    """The database's time, UTC; never decreases with position."""
    meta: bytes
    """Canonical JSON: of an event who acted; of a command who asked, digest, outcome, readings, scheme and edition."""
    data: bytes
    """Canonical JSON: the particulars."""
    chain: bytes
    """32 bytes: SHA-256 over 0x02, the stream's previous chain hash and this leaf (store/bytes.py)."""


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event to be appended."""

    type: str
    schema_version: int
    meta: bytes
    data: bytes
    effects: tuple[Effect, ...] = ()


@dataclass(frozen=True, slots=True)
class Write:
    """One journalled command on one stream, with the events it leads to: none if it was refused."""

    stream: StreamId
    expected: int
    """The version that the decision was made at; the stream must still stand there."""
    command_id: UUID
    command_type: str
    occurred_at: datetime
    """Business time of the command and of its events, UTC."""
    meta: bytes
    data: bytes
    events: tuple[NewEvent, ...] = ()
    schema_version: int = 1
    """Of the command's form; it is journalled for years and decided again."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A stream's row in the agenda: how it stands after an append. Kept in the same transaction."""

    stream: StreamId
    version: int
    stage: str
    due_at: datetime | None
    """The nearest deadline, UTC."""
    clock: Clock
    summary: bytes
    """Canonical JSON for lists: title, who is awaited, sums. No personal data."""
    notified: bool = True
    """Whether its own workflow learns of this version from the caller; otherwise a follower tells it."""


@dataclass(frozen=True, slots=True)
class Append:
    """Writes that stand or fall together, in order; several may follow one another on one stream.

    Raises AppendInvalid for one that could never be recorded, so that no store has to tell a defect from a conflict.
    """

    writes: tuple[Write, ...]
    standings: tuple[Standing, ...]
    """One for each stream written that then has events, at its version; a stream that still has none needs no row."""
    reads: Mapping[StreamId, int] = field(default_factory=dict)
    """Other streams with the version at which they were read (0: no events); each must still stand there."""

    def __post_init__(self) -> None:
        """Raises AppendInvalid for what cannot be appended as it is."""
        if len({write.command_id for write in self.writes}) != len(self.writes) or not self.writes:
            raise AppendInvalid("an append is one or more commands, each with an id of its own")
        versions: dict[StreamId, int] = {}
        for write in self.writes:
            if versions.get(write.stream, write.expected) != write.expected:
                why = f"{write.stream}: version {write.expected} does not follow on {versions[write.stream]}"
                raise AppendInvalid(why)
            versions[write.stream] = write.expected + len(write.events)
        standings = {standing.stream: standing.version for standing in self.standings}
        with_events = {stream for stream, version in versions.items() if version}
        if len(standings) < len(self.standings) or not with_events <= standings.keys() <= versions.keys():
            raise AppendInvalid(f"one standing for each stream written: {', '.join(sorted(versions))}")
        if any(versions[stream] != version for stream, version in standings.items()):
            raise AppendInvalid(f"a standing for each stream written, as it then is: {versions}")
        if not versions.keys().isdisjoint(self.reads):
            raise AppendInvalid(f"read and written: {', '.join(sorted(versions.keys() & self.reads.keys()))}")
        check_append(self)


class AppendStatus(StrEnum):
    """How an append ended. Everything but APPENDED left no trace."""

    APPENDED = "appended"
    DUPLICATE = "duplicate"
    """A command of this id is journalled already: read its outcome."""
    CONFLICT = "conflict"
    """A stream written or read no longer stands at its version: read again, decide again."""
    GUARDED = "guarded"
    """A claim is taken or an account would go below zero: read again, decide again, and the refusal will say all."""
    AHEAD = "ahead"
    """The business time of a write lies ahead of the store's own clock: a clock is wrong, and nothing is recorded."""
    BEHIND = "behind"
    """The realm's manual clock stands later than the business time of a write."""


@dataclass(frozen=True, slots=True)
class AppendResult:
    """The answer to one append."""

    status: AppendStatus
    first_position: int = 0
    last_position: int = 0
    recorded_at: datetime | None = None
    what: str = ""
    """The stream, key or account that said no; of a duplicate the stream on which its command is journalled."""


@dataclass(frozen=True, slots=True)
class RealmStanding:
    """How a realm stands. Of one on the wall clock only the clock is told: the rest is for dated commands."""

    clock: Clock = Clock.WALL
    """A realm that nobody has set runs on the wall clock."""
    now: datetime | None = None
    """Where a manual clock stands, UTC; None before its first append."""
    version: int = 0
    """Of the realm's own stream: what is dated holds only while that stands."""
    calendar: int = 0
    """The version of its working days."""
    earliest: datetime | None = None
    """The nearest deadline of its streams, UTC: nothing later comes before it."""


@dataclass(frozen=True, slots=True)
class CommandBasis:
    """All that ``carry_out`` needs first, in one round trip."""

    journalled: Entry | None
    """The command of that id, wherever it was journalled."""
    events: Sequence[Entry]
    """The stream's events after the version asked for, oldest first."""
    realm: RealmStanding
    """How its realm stands; ``earliest`` leaves the stream itself out."""
    read_at: datetime
    """The store's own clock as this was read, UTC."""
    genesis: bytes | None = None
    """Which log it is: the chain hash of its first entry, which no two share; None of an empty one."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What is journalled of some commands, and in which log."""

    genesis: bytes | None
    """Which log it is: the chain hash of its first entry, which no two share; None of an empty one."""
    commands: Mapping[UUID, Entry]
    """By their id; one that is not journalled is missing."""


@dataclass(frozen=True, slots=True)
class CommandQuery:
    """Which commands of a seat are wanted, the newest first."""

    seat: Actor
    person: PersonId | None
    """Only theirs, and those of which no person is recorded; None: whoever sat there."""
    realm: str | None = None
    is_accepted: bool | None = True
    """Only those that were, or only those that were refused; None for both."""
    events: tuple[str, ...] = ()
    """Only those that came to an event of one of these types; empty for any."""
    before: int | None = None
    """Only those recorded before that position."""
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Readings:
    """Other streams, claims and accounts at one moment, in one round trip."""

    streams: Mapping[StreamId, Sequence[Entry]]
    claims: Mapping[str, frozenset[str]]
    balances: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Head:
    """Where a stream ends, as kept beside the log."""

    stream: StreamId
    version: int
    chain: bytes
    """Of its last entry, command or event."""


@dataclass(frozen=True, slots=True)
class Posting:
    """One double entry of the ledger, with the position of the event that made it."""

    position: int
    source: str
    target: str
    fen: int


class EventStore(Protocol):
    """An append-only log with guards and an agenda. Raises StoreUnavailable where the outcome is not known."""

    @property
    def views(self) -> ViewStore:
        """The read side: rows folded out of the log."""

    @property
    def documents(self) -> DocumentRegister:
        """Which documents' bytes are here."""

    async def append(self, append: Append) -> AppendResult:
        """All or nothing. Concurrent calls of one process are coalesced; one that says no leaves its neighbours be.

        Raises AppendInvalid for one that the store cannot keep, whatever it travelled with: no retry would mend it.
        """

    async def go_live(self, append: Append) -> AppendResult:
        """Append, and with it change the realm of the first write from its manual clock to the wall clock, for good.

        CONFLICT with the stream while a deadline of the realm lies at or before that write. Afterwards whoever has a
        deadline there is unnotified, and what was loaded before on the manual clock no longer stands.
        """

    async def outcomes(self, command_ids: Collection[UUID]) -> Outcomes:
        """What is journalled of those commands, on whichever streams, and in which log it was read."""

    async def genesis(self) -> bytes | None:
        """Which log it is: the chain hash of its first entry, which no two share; None of an empty one."""

    async def journalled(self, command_id: UUID) -> Entry | None:
        """The command of that id, on whichever stream it was journalled."""

    async def commands_of(self, query: CommandQuery) -> Sequence[Entry]:
        """The journal's entries of what was asked on a seat, the newest first, by an index."""

    async def count_commands(self, query: CommandQuery) -> int:
        """How many ``commands_of`` would bring."""

    async def realm(self, name: str) -> RealmStanding:
        """How that realm stands."""

    async def manual_realms(self) -> Sequence[str]:
        """The realms on a manual clock, by name; also those in which nothing is recorded yet."""

    async def read_many(
        self, streams: Collection[StreamId], claims: Collection[str] = (), accounts: Collection[str] = ()
    ) -> Readings:
        """Those streams whole, the holders of those keys, and those balances (fen); what is not there is empty or 0."""

    async def consult(
        self,
        stream: StreamId,
        command_id: UUID | None,
        known: Mapping[StreamId, int],
        claims: Collection[str] = (),
        accounts: Collection[str] = (),
    ) -> tuple[CommandBasis, Readings]:
        """``journalled``, ``realm`` and ``read_many`` in one round trip, of streams known up to a version.

        Of each stream in ``known`` come the events from that version on, that version included, so that its chain hash
        can be compared; its data may be left out. 0 is a stream of which nothing is known.
        """

    def read(self, stream: StreamId, after: int = 0, *, commands: bool = False) -> AsyncIterator[Entry]:
        """A stream's events after that version, oldest first, by pages; with its journal entries if asked."""

    async def feed(self, after: int, limit: int = 1000) -> Sequence[Entry]:
        """Entries of the whole log after that position, dense and in commit order."""

    async def last_position(self) -> int:
        """The position of the newest entry; 0 if there is none."""

    async def streams_named(self, name: str, realm: str | None = None) -> Sequence[StreamId]:
        """The streams that bear that name, or hold the claim ``name/{realm}/{name}``; all realms if none is given."""

    async def standing(self, stream: StreamId) -> Standing | None:
        """How that stream stands; None if it was never written."""

    def standings(
        self, *, kind: str | None = None, realm: str | None = None, stage: str | None = None
    ) -> AsyncIterator[Standing]:
        """How streams stand, ordered by stream id, by pages."""

    async def standings_of(self, streams: Collection[StreamId]) -> Sequence[Standing]:
        """How these streams stand, those that were never written left out."""

    def iterate_outdated(self, realm: str, calendar: int) -> AsyncIterator[Standing]:
        """The realm's streams that wait for something and were reckoned by an earlier calendar than that version."""

    async def list_moved(self, after: int, until: int, kinds: Collection[str]) -> Sequence[StreamId]:
        """Streams of those kinds that events were appended to after one position and up to another, in order."""

    async def find_next_due(self, realm: str, until: datetime) -> Standing | None:
        """The stream of that realm whose deadline comes first, at or before ``until``.

        Order: instant; then scheme, fund, organisation, round, need, panel, project and the rest; then stream id.
        """

    async def list_overdue(self, clock: Clock, before: datetime, limit: int = 100) -> Sequence[Standing]:
        """Streams on that clock whose deadline lies before that instant, earliest first."""

    async def list_unnotified(self, limit: int = 100) -> Sequence[Standing]:
        """Streams that were appended to from outside their own workflow."""

    async def refresh_standing(self, standing: Standing) -> bool:
        """Write the agenda row anew if the stream still stands at that version on that clock: a deadline was moved.

        A stream that was never written has no row, and gets none. Raises AppendInvalid for one that cannot be kept.
        """

    async def set_clock(self, realm: str, clock: Clock) -> Clock:
        """Create a realm with that clock if it is new; the clock that it has."""

    async def lease(self, name: str, owner: UUID, lasting: timedelta) -> int | None:
        """Take or renew the follower's lease: its generation, or None while another holds it.

        The generation grows whenever the owner changes, so that a former owner can move nothing.
        """

    async def cursor(self, name: str) -> int:
        """The position up to which that follower has worked."""

    async def cursors(self) -> Mapping[str, int]:
        """Every follower's cursor, by name."""

    async def advance(self, name: str, generation: int, old: int, new: int) -> bool:
        """Move the follower's cursor by compare-and-set under its generation; whether it moved."""

    async def claims(self) -> Sequence[tuple[str, str]]:
        """Every claim as (key, holder), in order."""

    async def balances(self) -> Mapping[str, int]:
        """Every account's balance in fen."""

    def heads(self) -> AsyncIterator[Head]:
        """Where each stream ends, ordered by stream id, by pages."""

    def postings(self) -> AsyncIterator[Posting]:
        """The ledger, in order of position, and of one event in the order of its effects."""

    def pokes(self, idle_s: float = 1.0) -> AsyncIterator[int]:
        """Positions that the log has reached, for those who follow it: at once, soon after appends, and when idle.

        A poke may be lost or late, so one also comes after ``idle_s`` seconds of silence; it never raises
        StoreUnavailable, but waits until the store is back.
        """

    async def aclose(self) -> None:
        """Let appends that are under way end, then let go of the connections. Later appends raise StoreUnavailable."""


class StoreUnavailable(Failure):
    """The store did not answer. Whether an append took place is not known."""

    kind = FailureKind.UNAVAILABLE
    remedy_zh = "檢查 Postgres，再以同一編號重試"
    remedy_en = "Look at Postgres, then ask again with the same id"

    def __init__(self, why: str) -> None:
        super().__init__(f"數據庫沒有回答：{why}", f"the database did not answer: {why}", why=why)
        self.why = why


class SchemaUnfit(StoreUnavailable):
    """The database is not in the form that this release asks for, or its role may not use it."""

    remedy_zh = "運行 venture migrate；venture doctor 說明缺什麼"
    remedy_en = "Run venture migrate; venture doctor says what is lacking"


class ArgumentUnfit(Defect):
    """What was to be looked for fits no column. Nothing was asked, so asking again mends nothing."""


class RowUnfit(Failure):
    """What is kept does not fit what this release reads of it. The server did answer; the value is not told."""

    kind = FailureKind.INTEGRITY
    remedy_zh = "運行 venture audit verify；若只見於此行，請以備份核對"
    remedy_en = "Run venture audit verify; compare the row with a backup"

    def __init__(self, why: str) -> None:
        super().__init__(f"數據庫所存與本版所讀不符：{why}", f"what the database keeps cannot be read: {why}", why=why)
