"""The event store in memory, for fast tests: the same answers and the same chain hashes as Postgres."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count, islice
from typing import TYPE_CHECKING, Final

from domain.kernel.clock import Clock
from domain.kernel.effects import WORLD, Claim, Post, Release
from domain.kernel.identifier import StreamId
from domain.kernel.summary import Summary
from domain.registers.calendar import calendar_stream
from domain.registers.realm import clock_stream
from store.bounds import AppendInvalid, check_standing
from store.bytes import GENESIS, chain_hash, leaf
from store.document_register import MemoryDocuments
from store.memory_views import MemoryViews
from store.port import (
    AHEAD_TOLERANCE,
    Append,
    AppendResult,
    AppendStatus,
    CommandBasis,
    Entry,
    EntryKind,
    Head,
    Outcomes,
    Posting,
    Readings,
    RealmStanding,
    Standing,
    StoreUnavailable,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
    from datetime import timedelta
    from uuid import UUID

    from store.port import CommandQuery, Write

LARGEST_BALANCE: Final = 2**63
"""A bigint's."""
ORDER_OF_KINDS: Final = ("scheme", "fund", "organisation", "round", "need", "panel", "project")
"""Whose deadline comes first at one instant; other kinds come after (decision 007)."""


@dataclass
class _Guards:
    """Claims and accounts; a copy is tried first."""

    claims: dict[str, set[str]] = field(default_factory=dict)
    balances: dict[str, int] = field(default_factory=dict)

    def copy(self) -> _Guards:
        return _Guards({key: set(holders) for key, holders in self.claims.items()}, dict(self.balances))

    def apply(self, append: Append) -> str | None:
        """Apply the effects of all events, in order; the key or account that says no. Balances are asked at the end."""
        effects = [effect for write in append.writes for event in write.events for effect in event.effects]
        for effect in effects:
            match effect:
                case Claim():
                    holders = self.claims.setdefault(effect.key, set())
                    if effect.holder not in holders and len(holders) >= effect.limit:
                        return effect.key
                    holders.add(effect.holder)
                case Release():
                    self.claims.get(effect.key, set()).discard(effect.holder)
                case Post():
                    self._move(effect.source, -effect.fen)
                    self._move(effect.target, effect.fen)
        sources = (effect.source for effect in effects if isinstance(effect, Post))
        return next((s for s in sources if self.balances[s] < 0 and not s.startswith(WORLD)), None)

    def _move(self, account: str, fen: int) -> None:
        self.balances[account] = self.balances.get(account, 0) + fen
        if not -LARGEST_BALANCE <= self.balances[account] < LARGEST_BALANCE:
            raise AppendInvalid("a balance beyond what a bigint holds")


@dataclass
class _Realm:
    clock: Clock
    now: datetime | None = None


@dataclass
class _Follower:
    owner: UUID
    until: datetime
    generation: int = 1
    position: int = 0


class MemoryStore:
    """The log in lists. One event loop's; an append never waits, so it is alone by nature."""

    def __init__(
        self, clock: Callable[[], datetime] = lambda: datetime.now(UTC), tolerance: timedelta = AHEAD_TOLERANCE
    ) -> None:
        """``clock`` tells when entries are recorded and leases end; nothing may be dated further ahead of it."""
        self._clock = clock
        self._tolerance = tolerance
        self._entries: list[Entry] = []
        self._streams: dict[StreamId, list[Entry]] = {}
        self._events: dict[StreamId, list[Entry]] = {}
        self._journal: dict[UUID, Entry] = {}
        self._guards = _Guards()
        self._postings: list[Posting] = []
        self._agenda: dict[StreamId, Standing] = {}
        self._realms: dict[str, _Realm] = {}
        self._followers: dict[str, _Follower] = {}
        self._grown = asyncio.Event()
        self._closed = False
        self.views = MemoryViews(self._entries, self._generation)
        self.documents = MemoryDocuments()

    async def append(self, append: Append) -> AppendResult:
        """All or nothing. See the port."""
        if self._closed:
            message = "the store is closed"
            raise StoreUnavailable(message)
        _require_json(append)
        now = self._clock()
        return self._find_objection(append, now) or self._record(append, now)

    async def go_live(self, append: Append) -> AppendResult:
        """Append, and with it change the realm to the wall clock. See the port."""
        first = append.writes[0]
        late = await self.find_next_due(first.stream.realm, first.occurred_at)
        if late is not None:
            return AppendResult(AppendStatus.CONFLICT, what=late.stream)
        answer = await self.append(append)
        if answer.status is AppendStatus.APPENDED:
            self._realms[first.stream.realm] = _Realm(Clock.WALL)
            for stream, standing in self._agenda.items():
                if stream.realm == first.stream.realm:
                    notified = standing.notified and standing.due_at is None
                    self._agenda[stream] = replace(standing, clock=Clock.WALL, notified=notified)
        return answer

    def _find_objection(self, append: Append, now: datetime) -> AppendResult | None:
        for write in append.writes:
            if write.command_id in self._journal:
                return AppendResult(AppendStatus.DUPLICATE, what=self._journal[write.command_id].stream)
        conflict = self._find_conflict(append)
        if conflict is not None:
            return AppendResult(AppendStatus.CONFLICT, what=conflict)
        for write in append.writes:
            if write.occurred_at > now + self._tolerance:
                return AppendResult(AppendStatus.AHEAD, what=write.stream)
        for write in append.writes:
            realm = self._realms.get(write.stream.realm)
            if realm is not None and realm.now is not None and write.occurred_at < realm.now:
                return AppendResult(AppendStatus.BEHIND, what=write.stream)
        trial = self._guards.copy()
        objection = trial.apply(append)
        if objection is not None:
            return AppendResult(AppendStatus.GUARDED, what=objection)
        self._guards = trial
        return None

    def _find_conflict(self, append: Append) -> StreamId | None:
        """The first stream that no longer stands where it was written or read from."""
        versions: dict[StreamId, int] = {}
        for write in append.writes:
            if versions.get(write.stream, self._version(write.stream)) != write.expected:
                return write.stream
            versions[write.stream] = write.expected + len(write.events)
        return next((s for s, version in append.reads.items() if self._version(s) != version), None)

    def _record(self, append: Append, now: datetime) -> AppendResult:
        last = self._entries[-1] if self._entries else None
        recorded_at = max(now, last.recorded_at) if last else now
        first = len(self._entries) + 1
        for write in append.writes:
            for entry in _entries(write, recorded_at):
                self._add(entry)
            realm = self._realms.get(write.stream.realm)
            if realm is not None and realm.clock is Clock.MANUAL:
                realm.now = max(realm.now, write.occurred_at) if realm.now else write.occurred_at
        self._post(append, first)
        self._agenda.update({standing.stream: standing for standing in append.standings})
        self._grown.set()
        self._grown = asyncio.Event()
        return AppendResult(AppendStatus.APPENDED, first, len(self._entries), recorded_at)

    def _add(self, entry: Entry) -> None:
        """Put the entry at the end of the log, and its hash at the end of its stream's chain."""
        stream = self._streams.setdefault(entry.stream, [])
        chain = chain_hash(stream[-1].chain if stream else GENESIS, leaf(entry))
        stored = replace(entry, position=len(self._entries) + 1, chain=chain)
        self._entries.append(stored)
        stream.append(stored)
        if stored.kind is EntryKind.EVENT:
            self._events.setdefault(stored.stream, []).append(stored)
        else:
            self._journal[stored.command_id] = stored

    def _post(self, append: Append, first: int) -> None:
        positions = count(first)
        for write in append.writes:
            next(positions)
            for event in write.events:
                position = next(positions)
                self._postings.extend(
                    Posting(position, e.source, e.target, e.fen) for e in event.effects if isinstance(e, Post)
                )

    def _version(self, stream: StreamId) -> int:
        return len(self._events.get(stream, ()))

    # --------------------------------------------------------------------------------------------------- reads

    async def outcomes(self, command_ids: Collection[UUID]) -> Outcomes:
        """What is journalled of those commands, and in which log."""
        return Outcomes(await self.genesis(), {key: self._journal[key] for key in command_ids if key in self._journal})

    async def genesis(self) -> bytes | None:
        """Which log it is: the chain hash of its first entry; None of an empty one."""
        return self._entries[0].chain if self._entries else None

    async def journalled(self, command_id: UUID) -> Entry | None:
        """The command of that id."""
        return self._journal.get(command_id)

    async def commands_of(self, query: CommandQuery) -> Sequence[Entry]:
        """The journal's entries of what was asked on a seat, the newest first."""
        entries = (entry for entry in reversed(self._entries) if entry.kind is EntryKind.COMMAND)
        return list(islice((entry for entry in entries if _answers(entry, query)), query.limit))

    async def count_commands(self, query: CommandQuery) -> int:
        """How many ``commands_of`` would bring."""
        return len(await self.commands_of(query))

    async def realm(self, name: str) -> RealmStanding:
        """How that realm stands."""
        return self._realm(name)

    async def manual_realms(self) -> Sequence[str]:
        """The realms on a manual clock, by name; also those in which nothing is recorded yet."""
        return sorted(name for name, realm in self._realms.items() if realm.clock is Clock.MANUAL)

    def _realm(self, name: str, apart_from: StreamId | None = None) -> RealmStanding:
        realm = self._realms.get(name)
        if realm is None or realm.clock is Clock.WALL:
            return RealmStanding()
        deadlines = (at for at, s in self._due() if s.stream.realm == name and s.stream != apart_from)
        return RealmStanding(
            realm.clock,
            realm.now,
            version=self._version(clock_stream(name)),
            calendar=self._version(calendar_stream(name)),
            earliest=min(deadlines, default=None),
        )

    async def read_many(
        self, streams: Collection[StreamId], claims: Collection[str] = (), accounts: Collection[str] = ()
    ) -> Readings:
        """Those streams whole, the holders of those keys, and those balances (fen)."""
        return Readings(
            {stream: list(self._events.get(stream, ())) for stream in streams},
            {key: frozenset(self._guards.claims.get(key, ())) for key in claims},
            {account: self._guards.balances.get(account, 0) for account in accounts},
        )

    async def consult(
        self,
        stream: StreamId,
        command_id: UUID | None,
        known: Mapping[StreamId, int],
        claims: Collection[str] = (),
        accounts: Collection[str] = (),
    ) -> tuple[CommandBasis, Readings]:
        """``journalled``, ``realm`` and ``read_many`` of streams known up to a version. See the port."""
        whole = await self.read_many({stream, *known}, claims, accounts)
        streams = {each: events[max(known.get(each, 0) - 1, 0) :] for each, events in whole.streams.items()}
        basis = CommandBasis(
            self._journal.get(command_id) if command_id else None,
            streams.pop(stream),
            self._realm(stream.realm, apart_from=stream),
            self._clock(),
            await self.genesis(),
        )
        return basis, replace(whole, streams=streams)

    async def read(self, stream: StreamId, after: int = 0, *, commands: bool = False) -> AsyncIterator[Entry]:
        """A stream's events after that version, with its journal entries if asked."""
        events = self._events.get(stream, [])
        if not commands:
            for event in events[after:]:
                yield event
        elif after <= len(events):
            behind = events[after - 1].position if after else 0
            for entry in list(self._streams.get(stream, ())):
                if entry.position > behind:
                    yield entry

    async def feed(self, after: int, limit: int = 1000) -> Sequence[Entry]:
        """Entries of the whole log after that position."""
        return self._entries[after : after + limit]

    async def last_position(self) -> int:
        """The position of the newest entry; 0 if there is none."""
        return len(self._entries)

    async def pokes(self, idle_s: float = 1.0) -> AsyncIterator[int]:
        """Positions that the log has reached. See the port."""
        while not self._closed:
            reached, grown = len(self._entries), self._grown
            yield reached
            if len(self._entries) == reached and not self._closed:
                await asyncio.wait([asyncio.ensure_future(grown.wait())], timeout=idle_s)

    async def streams_named(self, name: str, realm: str | None = None) -> Sequence[StreamId]:
        """The streams that bear that name, or hold its claim, in order."""
        bearing = {stream for stream in self._events if stream.name == name and realm in {None, stream.realm}}
        for key, holders in self._guards.claims.items():
            match key.split("/"):
                case ["name", claimed, str(alias), *_] if alias == name and realm in {None, claimed}:
                    bearing |= {StreamId(holder) for holder in holders}
        return sorted(bearing)

    # -------------------------------------------------------------------------------------------------- agenda

    async def standing(self, stream: StreamId) -> Standing | None:
        """How that stream stands."""
        return self._agenda.get(stream)

    async def standings(
        self, *, kind: str | None = None, realm: str | None = None, stage: str | None = None
    ) -> AsyncIterator[Standing]:
        """How streams stand, ordered by stream id."""
        for stream in sorted(self._agenda):
            standing = self._agenda[stream]
            if kind in {None, stream.kind} and realm in {None, stream.realm} and stage in {None, standing.stage}:
                yield standing

    async def standings_of(self, streams: Collection[StreamId]) -> Sequence[Standing]:
        """How these streams stand."""
        return [self._agenda[stream] for stream in sorted(set(streams)) if stream in self._agenda]

    async def iterate_outdated(self, realm: str, calendar: int) -> AsyncIterator[Standing]:
        """The realm's streams that wait for something and were reckoned by an earlier calendar."""
        async for standing in self.standings(realm=realm):
            summary = Summary.read(standing.summary)
            waits = standing.due_at is not None or summary.awaiting
            if waits and summary.calendar < calendar:
                yield standing

    async def list_moved(self, after: int, until: int, kinds: Collection[str]) -> Sequence[StreamId]:
        """Streams of those kinds that events were appended to after one position and up to another."""
        new = self._entries[after:until]
        return sorted({e.stream for e in new if e.kind is EntryKind.EVENT and e.stream.kind in kinds})

    async def find_next_due(self, realm: str, until: datetime) -> Standing | None:
        """The stream of that realm whose deadline comes first, at or before ``until``."""
        due = ((at, _rank(s.stream), s.stream, s) for at, s in self._due() if s.stream.realm == realm and at <= until)
        return min(due, default=(None,))[-1]

    async def list_overdue(self, clock: Clock, before: datetime, limit: int = 100) -> Sequence[Standing]:
        """Streams on that clock whose deadline lies before that instant, earliest first."""
        due = sorted((at, s.stream) for at, s in self._due() if s.clock is clock and at < before)
        return [self._agenda[stream] for _, stream in due[:limit]]

    async def list_unnotified(self, limit: int = 100) -> Sequence[Standing]:
        """Streams that were appended to from outside their own workflow."""
        return [self._agenda[stream] for stream in sorted(self._agenda) if not self._agenda[stream].notified][:limit]

    async def refresh_standing(self, standing: Standing) -> bool:
        """Write the agenda row anew if the stream still stands at that version on that clock."""
        check_standing(standing)
        now = self._agenda.get(standing.stream)
        if now is None or (now.version, now.clock) != (standing.version, standing.clock):
            return False
        self._agenda[standing.stream] = standing
        return True

    async def set_clock(self, realm: str, clock: Clock) -> Clock:
        """Create a realm with that clock if it is new; the clock that it has."""
        return self._realms.setdefault(realm, _Realm(clock)).clock

    def _due(self) -> Iterator[tuple[datetime, Standing]]:
        return ((s.due_at, s) for s in self._agenda.values() if s.due_at is not None)

    # ----------------------------------------------------------------------------------------------- followers

    async def lease(self, name: str, owner: UUID, lasting: timedelta) -> int | None:
        """Take or renew the follower's lease."""
        now = self._clock()
        follower = self._followers.setdefault(name, _Follower(owner, now))
        if follower.owner != owner:
            if follower.until > now:
                return None
            follower.owner = owner
            follower.generation += 1
        follower.until = now + lasting
        return follower.generation

    def _generation(self, name: str) -> int | None:
        return self._followers[name].generation if name in self._followers else None

    async def cursor(self, name: str) -> int:
        """The position up to which that follower has worked."""
        return self._followers[name].position if name in self._followers else 0

    async def cursors(self) -> Mapping[str, int]:
        """Every follower's cursor, by name."""
        return {name: follower.position for name, follower in sorted(self._followers.items())}

    async def advance(self, name: str, generation: int, old: int, new: int) -> bool:
        """Move the follower's cursor by compare-and-set under its generation."""
        follower = self._followers.get(name)
        if follower is None or (follower.generation, follower.position) != (generation, old):
            return False
        follower.position = new
        return True

    # -------------------------------------------------------------------------------------------------- guards

    async def claims(self) -> Sequence[tuple[str, str]]:
        """Every claim as (key, holder), in order."""
        return sorted((key, holder) for key, holders in self._guards.claims.items() for holder in holders)

    async def balances(self) -> Mapping[str, int]:
        """Every account's balance in fen."""
        return dict(sorted(self._guards.balances.items()))

    async def heads(self) -> AsyncIterator[Head]:
        """Where each stream ends."""
        for stream in sorted(self._streams):
            yield Head(stream, self._version(stream), self._streams[stream][-1].chain)

    async def postings(self) -> AsyncIterator[Posting]:
        """The ledger, in order of position."""
        for posting in list(self._postings):
            yield posting

    async def aclose(self) -> None:
        """Later appends raise StoreUnavailable."""
        self._closed = True
        self._grown.set()


def _require_json(append: Append) -> None:
    """Refuse what Postgres would not take for JSON."""
    documents = [standing.summary for standing in append.standings]
    for write in append.writes:
        documents += [write.meta, write.data, *(part for event in write.events for part in (event.meta, event.data))]
    for document in documents:
        try:
            json.loads(document.decode(), parse_int=len, parse_float=len, parse_constant=_refuse_constant)
        except ValueError as error:
            why = f"a document that is no JSON: {type(error).__name__}"
            raise AppendInvalid(why) from None


def _refuse_constant(name: str) -> None:
    """NaN and the infinities are Python's own."""
    raise ValueError(name)


def _entries(write: Write, recorded_at: datetime) -> Iterator[Entry]:
    """The write's leaves, the command first; position and chain are filled in where they are added."""
    command = Entry(
        position=0,
        stream=write.stream,
        version=write.expected,
        kind=EntryKind.COMMAND,
        type=write.command_type,
        schema_version=write.schema_version,
        command_id=write.command_id,
        occurred_at=write.occurred_at,
        recorded_at=recorded_at,
        meta=write.meta,
        data=write.data,
        chain=GENESIS,
    )
    yield command
    for version, event in enumerate(write.events, write.expected + 1):
        yield replace(
            command,
            kind=EntryKind.EVENT,
            version=version,
            type=event.type,
            schema_version=event.schema_version,
            meta=event.meta,
            data=event.data,
        )


def _answers(entry: Entry, query: CommandQuery) -> bool:
    meta = json.loads(entry.meta)
    accepted = meta.get("outcome", {}).get("accepted")
    return (
        meta.get("actor") == query.seat
        and (query.person is None or meta.get("person") in (None, query.person))
        and query.realm in (None, entry.stream.realm)
        and query.is_accepted in (None, accepted is not None)
        and (not query.events or not set(query.events).isdisjoint(accepted or ()))
        and (query.before is None or entry.position < query.before)
    )


def _rank(stream: StreamId) -> int:
    return ORDER_OF_KINDS.index(stream.kind) if stream.kind in ORDER_OF_KINDS else len(ORDER_OF_KINDS)
