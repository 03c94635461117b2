"""The event store on Postgres. Appends of one process that meet on the way travel in one statement.

Every outcome that is not known is StoreUnavailable: asking again with the same command ids is always safe.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import asyncpg

from domain.kernel.clock import Clock
from domain.kernel.effects import Claim, Post, Release
from domain.kernel.identifier import StreamId
from store.batcher import Batcher
from store.bounds import AppendInvalid, check_standing, is_storable
from store.consultation import Consultation, ConsultationAnswers, list_places, list_storable, read_clock, read_realm
from store.document_register import PostgresDocuments
from store.entry_row import read_entry
from store.port import (
    Append,
    AppendResult,
    AppendStatus,
    ArgumentUnfit,
    CommandBasis,
    Entry,
    EntryKind,
    Head,
    Outcomes,
    Posting,
    Readings,
    RealmStanding,
    RowUnfit,
    SchemaUnfit,
    Standing,
    StoreUnavailable,
)
from store.postgres_views import PostgresViews
from store.replication import read_archive, read_replication
from store.sql import QUERIES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping, Sequence
    from datetime import timedelta
    from uuid import UUID

    from asyncpg.pool import PoolConnectionProxy

    from domain.kernel.effects import Effect
    from store.port import CommandQuery, Write
    from store.replication import Archive, Replication

CHANNEL: Final = "venture"
"""Where the log's growth is made known: NOTIFY venture, '<last position>'."""
MOST_BYTES: Final = 4 * 2**20
"""Bytes of JSON in one statement, beyond which no further append is taken along."""
TRIES: Final = 4
"""How often a statement that the server certainly undid is sent."""
POKE_EVERY_S: Final = 0.1
"""Seconds between two pokes: the first comes at once, and under load each append would otherwise pay for its own."""
CLOSING_S: Final = 5.0
"""Seconds that readers have to give their connections back when the store is closed."""
AFTER_SLASH: Final = "0"
"""The character after the slash: what begins with ``kind/`` lies between the two."""
LAST_NAME: Final = "~"
"""Beyond every stream's id."""
MOST_SHARED: Final = 100
"""Readings of one question, beyond which it travels alone: others are not to wait for a thousand bids of somebody's."""
PAGE: Final = 500
"""Rows of a page when a stream, the agenda or the ledger is read."""

_UNDONE = (asyncpg.TransactionRollbackError, asyncpg.LockNotAvailableError)
"""The server undid the statement and says so: sending it again is safe."""
_UNKNOWN = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)
"""What a dying, full, stopping or absent server looks like."""
_REFUSED = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError)
"""How a server answers who has the wrong password, or asks for a database that is not there."""
_UNMIGRATED = (
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
    asyncpg.UndefinedFunctionError,
    asyncpg.InvalidSchemaNameError,
    asyncpg.InsufficientPrivilegeError,
)
"""What a database looks like that `venture migrate` has not brought to this release's form, or not for this role."""
_UNFIT = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.FeatureNotSupportedError,
    asyncpg.ProgramLimitExceededError,
    ValueError,
    OverflowError,
    ArgumentUnfit,
)
"""What an append that cannot be kept looks like: nothing else is wrong, and no retry would mend it."""


class _Connection(asyncpg.Connection):
    """A connection that has nothing to reset when it goes back: no statement here leaves a trace in its session."""

    def get_reset_query(self) -> str:
        """Nothing to send, which saves a round trip."""
        return ""


async def open_pool(
    app_url: str, *, largest: int = 8, timeout_s: float = 10.0, lazily: bool = False
) -> asyncpg.Pool[Any]:
    """A pool fit for PostgresStore. ``timeout_s`` bounds connecting and each statement.

    Raises StoreUnavailable if there is no server, or it does not let us in; ``lazily`` it connects when first used.
    """
    try:
        return await asyncpg.create_pool(
            app_url,
            min_size=0 if lazily else 1,
            max_size=largest,
            timeout=timeout_s,
            command_timeout=timeout_s,
            connection_class=_Connection,
            init=_keep_json_as_it_is,
            server_settings={"application_name": "venture", "timezone": "UTC"},
        )
    except (*_UNKNOWN, *_REFUSED) as error:
        raise StoreUnavailable(str(error)) from error


async def _keep_json_as_it_is(connection: asyncpg.Connection[Any]) -> None:
    """JSON is bytes in and the same bytes out."""
    await connection.set_type_codec("json", schema="pg_catalog", encoder=bytes, decoder=bytes, format="binary")


class PostgresStore:
    """The log in Postgres, over a pool from ``open_pool``; close it with ``aclose``."""

    def __init__(self, pool: asyncpg.Pool[Any]) -> None:
        """Use that pool. The store is one event loop's."""
        self._pool = pool
        self.views = PostgresViews(pool, translate_errors)
        self.documents = PostgresDocuments(pool, translate_errors)
        self._appends = Batcher(self._append_all, measure=_size, largest=MOST_BYTES)
        self._connection: PoolConnectionProxy[Any] | None = None
        self._outcomes = Batcher(self._read_outcomes)
        self._realms = Batcher(self._read_realms)
        self._consultations = Batcher(self._consult_all)
        self._poker: asyncio.Task[None] | None = None
        self._listeners: set[asyncio.Queue[int | None]] = set()
        self._reached = 0
        self._closed = asyncio.Event()

    # ------------------------------------------------------------------------------------------------- append

    async def append(self, append: Append) -> AppendResult:
        """All or nothing. See the port."""
        if self._closed.is_set():
            message = "the store is closed"
            raise StoreUnavailable(message)
        try:
            return await self._appends.ask(append)
        except _UNFIT as error:
            raise _name_unfit(error) from None
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            message = "what sends appends was ended"  # whoever asked was not: it is not known what came of it
            raise StoreUnavailable(message) from None

    async def go_live(self, append: Append) -> AppendResult:
        """Append, and with it change the realm to the wall clock. See the port."""
        try:
            rows = await self._rows("go_live", append.writes[0].stream.realm, *_columns([append]))
        except _UNFIT as error:
            raise _name_unfit(error) from None
        answer = _append_result(rows[0])
        self._poke(answer.last_position)
        return answer

    async def _append_all(self, appends: Sequence[Append]) -> list[AppendResult]:
        answers = await self._append_batch(appends)
        self._poke(max(answer.last_position for answer in answers))
        return answers

    async def _append_batch(self, appends: Sequence[Append]) -> list[AppendResult]:
        columns = _columns(appends)
        for attempt in range(TRIES):
            if attempt:
                await asyncio.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311 - spreads rivals, no secret
            try:
                rows = await self._execute(columns)
            except _UNDONE as error:
                undone = error
            else:
                return [_append_result(row) for row in rows]
        raise StoreUnavailable(f"undone {TRIES} times: {type(undone).__name__}") from undone

    async def _execute(self, columns: Sequence[object]) -> list[asyncpg.Record]:
        """Send the append on the appends' own connection, which is kept until it fails."""
        try:
            connection = self._connection
            if connection is None or _is_gone(connection):
                await self._let_go()
                connection = self._connection = await self._pool.acquire()
            return await connection.fetch(QUERIES["append"], *columns)
        except _UNFIT:  # some are an InterfaceError too
            raise
        except (*_UNKNOWN, *_REFUSED) as error:
            await self._let_go(broken=True)
            raise StoreUnavailable(_describe(error)) from error
        except _UNMIGRATED as error:
            raise SchemaUnfit(str(error)) from error

    async def _let_go(self, *, broken: bool = False) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        with suppress(*_UNKNOWN):  # a connection that cannot even be given back is gone, which is what is wanted
            if broken:
                connection.terminate()
            await self._pool.release(connection)

    # --------------------------------------------------------------------------------------------------- pokes

    def _poke(self, reached: int) -> None:
        """Let listeners know soon, never inside the append's transaction: NOTIFY makes commits wait for each other."""
        if reached <= self._reached:
            return
        self._reached = reached
        if self._poker is None:
            self._poker = asyncio.create_task(self._poke_until_current())

    async def _poke_until_current(self) -> None:
        announced = -1
        try:
            while announced < self._reached and not self._closed.is_set():
                announced = self._reached
                with suppress(StoreUnavailable):  # listeners look for themselves when it stays quiet
                    await self._value("poke", str(announced))
                await self._pause(POKE_EVERY_S)
        finally:
            self._poker = None

    async def _pause(self, seconds: float) -> None:
        """Wait so long, and no longer once the store is closed."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._closed.wait()

    async def pokes(self, idle_s: float = 1.0) -> AsyncIterator[int]:
        """Positions that the log has reached. See the port. Holds a connection of the pool while it is iterated."""
        while not self._closed.is_set():
            with suppress(StoreUnavailable):  # ask again until it is back
                async with self._listen() as positions:
                    yield await self.last_position()
                    while (reached := await self._next_position(positions, idle_s)) is not None:
                        yield reached
            if not self._closed.is_set():
                await self._pause(min(idle_s, 1.0))

    @asynccontextmanager
    async def _listen(self) -> AsyncIterator[asyncio.Queue[int | None]]:
        """A queue of what is said on the channel; None says that its connection is gone, or the store is closed."""
        positions: asyncio.Queue[int | None] = asyncio.Queue()
        async with translate_errors():
            connection = await self._pool.acquire()
        self._listeners.add(positions)
        try:
            connection.add_termination_listener(lambda _: positions.put_nowait(None))
            async with translate_errors():
                await connection.add_listener(CHANNEL, lambda *notice: positions.put_nowait(int(notice[3])))
            yield positions
        finally:
            self._listeners.discard(positions)
            with suppress(asyncpg.InterfaceError):  # gone by itself
                connection.terminate()  # it listens, so it is not given back for others' use

    async def _next_position(self, positions: asyncio.Queue[int | None], idle_s: float) -> int | None:
        try:
            async with asyncio.timeout(idle_s):
                reached = await positions.get()
        except TimeoutError:
            return await self.last_position()
        while not positions.empty():
            reached = positions.get_nowait()
        return reached

    # --------------------------------------------------------------------------------------------------- reads

    async def outcomes(self, command_ids: Collection[UUID]) -> Outcomes:
        """What is journalled of those commands, and in which log."""
        return await self._outcomes.ask(command_ids)

    async def _read_outcomes(self, questions: Sequence[Collection[UUID]]) -> list[Outcomes]:
        rows = await self._rows("outcomes", list({command_id for ids in questions for command_id in ids}))
        entries = {row["command_id"]: read_entry(row) for row in rows if row["position"] is not None}
        return [Outcomes(rows[0]["genesis"], {id_: entries[id_] for id_ in ids if id_ in entries}) for ids in questions]

    async def genesis(self) -> bytes | None:
        """Which log it is: the chain hash of its first entry; None of an empty one."""
        genesis: bytes | None = await self._value("genesis")
        return genesis

    async def journalled(self, command_id: UUID) -> Entry | None:
        """The command of that id."""
        rows = await self._rows("journalled", command_id)
        return read_entry(rows[0]) if rows else None

    async def commands_of(self, query: CommandQuery) -> Sequence[Entry]:
        """The journal's entries of what was asked on a seat, the newest first."""
        return [read_entry(row) for row in await self._rows("commands_of", *_list_criteria(query))]

    async def count_commands(self, query: CommandQuery) -> int:
        """How many ``commands_of`` would bring."""
        return int(await self._value("count_commands", *_list_criteria(query)))

    async def realm(self, name: str) -> RealmStanding:
        """How that realm stands."""
        return await self._realms.ask(name)

    async def manual_realms(self) -> Sequence[str]:
        """The realms on a manual clock, by name; also those in which nothing is recorded yet."""
        return [row["realm"] for row in await self._rows("manual_realms")]

    async def _read_realms(self, names: Sequence[str]) -> list[RealmStanding]:
        rows = await self._rows("realms", list_storable(names))
        realms = {row["stream"]: read_realm(row) for row in rows}
        return [realms.get(name) or RealmStanding() for name in names]

    async def read_many(
        self, streams: Collection[StreamId], claims: Collection[str] = (), accounts: Collection[str] = ()
    ) -> Readings:
        """Those streams whole, the holders of those keys, and those balances (fen)."""
        events: dict[StreamId, list[Entry]] = {stream: [] for stream in streams}
        holders: dict[str, set[str]] = {key: set() for key in claims}
        balances = dict.fromkeys(accounts, 0)
        for row in await self._rows("read_many", list(streams), list_storable(claims), list_storable(accounts)):
            match row["part"]:
                case "event":
                    entry = read_entry(row)
                    events[entry.stream].append(entry)
                case "claim":
                    holders[row["stream"]].add(row["type"])
                case _:
                    balances[row["stream"]] = row["position"]
        return Readings(events, {key: frozenset(taken) for key, taken in holders.items()}, balances)

    async def consult(
        self,
        stream: StreamId,
        command_id: UUID | None,
        known: Mapping[StreamId, int],
        claims: Collection[str] = (),
        accounts: Collection[str] = (),
    ) -> tuple[CommandBasis, Readings]:
        """``journalled``, ``realm`` and ``read_many`` in one round trip. See the port."""
        question = Consultation(stream, command_id, {stream: 0, **known}, claims, accounts)
        if question.size > MOST_SHARED:
            (answer,) = await self._consult_all([question])
            return answer
        return await self._consultations.ask(question)

    async def _consult_all(self, questions: Sequence[Consultation]) -> list[tuple[CommandBasis, Readings]]:
        findings = ConsultationAnswers.of(await self._rows("consult", *list_places(questions)))
        return [findings.answer(question) for question in questions]

    async def read(self, stream: StreamId, after: int = 0, *, commands: bool = False) -> AsyncIterator[Entry]:
        """A stream's events after that version, with its journal entries if asked, by pages."""
        version, position = after, 0
        if commands and after:
            position = await self._value("position_of", stream, after) or 2**62
        while True:
            rows = (
                await self._rows("read_all", stream, version, position, PAGE)
                if commands
                else await self._rows("read_events", stream, version, PAGE)
            )
            for row in rows:
                entry = read_entry(row)
                position = entry.position
                if entry.kind is EntryKind.EVENT:
                    version = entry.version
                yield entry
            if len(rows) < PAGE:
                return

    async def feed(self, after: int, limit: int = 1000) -> Sequence[Entry]:
        """Entries of the whole log after that position."""
        return [read_entry(row) for row in await self._rows("feed", after, limit)]

    async def applied_migrations(self) -> frozenset[str]:
        """The files that have brought the database to its form. Raises SchemaUnfit where there are none."""
        return frozenset(row["name"] for row in await self._rows("migrations"))

    async def replication(self) -> Replication:
        """Who else has what is committed here."""
        (row,) = await self._rows("replication")
        return read_replication(row)

    async def archive(self) -> Archive:
        """How far the write-ahead log is archived."""
        (row,) = await self._rows("archive")
        return read_archive(row)

    async def last_position(self) -> int:
        """The position of the newest entry; 0 if there is none."""
        return int(await self._value("last_position"))

    async def streams_named(self, name: str, realm: str | None = None) -> Sequence[StreamId]:
        """The streams that bear that name, or hold its claim, in order."""
        if not is_storable(name):
            return []
        return [StreamId(row["stream"]) for row in await self._rows("streams_named", name, realm)]

    # -------------------------------------------------------------------------------------------------- agenda

    async def standing(self, stream: StreamId) -> Standing | None:
        """How that stream stands."""
        return next(iter(await self._standings_of("standing", stream)), None)

    async def standings(
        self, *, kind: str | None = None, realm: str | None = None, stage: str | None = None
    ) -> AsyncIterator[Standing]:
        """How streams stand, ordered by stream id, by pages."""
        for after, before in await self._ranges(kind, realm):
            async for standing in self._walk_agenda("standings", after, before, stage):
                yield standing

    async def standings_of(self, streams: Collection[StreamId]) -> Sequence[Standing]:
        """How these streams stand."""
        return await self._standings_of("standings_of", list(streams))

    async def iterate_outdated(self, realm: str, calendar: int) -> AsyncIterator[Standing]:
        """The realm's streams that wait for something and were reckoned by an earlier calendar."""
        for after, before in await self._ranges(None, realm):
            async for standing in self._walk_agenda("outdated", after, before, calendar):
                yield standing

    async def list_moved(self, after: int, until: int, kinds: Collection[str]) -> Sequence[StreamId]:
        """Streams of those kinds that events were appended to after one position and up to another."""
        return [StreamId(row["stream"]) for row in await self._rows("moved", after, until, list(kinds))]

    async def _walk_agenda(self, name: str, after: str, before: str, *args: object) -> AsyncIterator[Standing]:
        while rows := await self._rows(name, after, before, *args, PAGE):
            for row in rows:
                yield _standing(row)
            if len(rows) < PAGE:
                return
            after = rows[-1]["stream"]

    async def _ranges(self, kind: str | None, realm: str | None) -> Sequence[tuple[str, str]]:
        """Between which ids the streams of that kind and realm lie, in order."""
        if realm is None:
            return [("", LAST_NAME)] if kind is None else [(f"{kind}/", f"{kind}{AFTER_SLASH}")]
        if not is_storable(realm):
            return []
        kinds = [kind] if kind is not None else [row["kind"] for row in await self._rows("kinds")]
        return [(f"{each}/{realm}/", f"{each}/{realm}{AFTER_SLASH}") for each in kinds]

    async def find_next_due(self, realm: str, until: datetime) -> Standing | None:
        """The stream of that realm whose deadline comes first, at or before ``until``."""
        return next(iter(await self._standings_of("falling_due", realm, until)), None)

    async def list_overdue(self, clock: Clock, before: datetime, limit: int = 100) -> Sequence[Standing]:
        """Streams on that clock whose deadline lies before that instant, earliest first."""
        return await self._standings_of("overdue", _CLOCKS[clock], before, limit)

    async def list_unnotified(self, limit: int = 100) -> Sequence[Standing]:
        """Streams that were appended to from outside their own workflow."""
        return await self._standings_of("unnotified", limit)

    async def refresh_standing(self, standing: Standing) -> bool:
        """Write the agenda row anew if the stream still stands at that version."""
        check_standing(standing)
        s = standing
        return bool(
            await self._value(
                "refresh_standing", s.stream, s.version, s.stage, s.due_at, _CLOCKS[s.clock], s.summary, s.notified
            )
        )

    async def set_clock(self, realm: str, clock: Clock) -> Clock:
        """Create a realm with that clock if it is new; the clock that it has."""
        return read_clock(await self._value("set_clock", realm, _CLOCKS[clock]))

    # ----------------------------------------------------------------------------------------------- followers

    async def lease(self, name: str, owner: UUID, lasting: timedelta) -> int | None:
        """Take or renew the follower's lease."""
        generation: int | None = await self._value("lease", name, owner, lasting)
        return generation

    async def cursor(self, name: str) -> int:
        """The position up to which that follower has worked."""
        return int(await self._value("cursor", name))

    async def cursors(self) -> Mapping[str, int]:
        """Every follower's cursor, by name."""
        return {row["name"]: row["position"] for row in await self._rows("cursors")}

    async def advance(self, name: str, generation: int, old: int, new: int) -> bool:
        """Move the follower's cursor by compare-and-set under its generation."""
        return bool(await self._value("advance", name, generation, old, new))

    # -------------------------------------------------------------------------------------------------- guards

    async def claims(self) -> Sequence[tuple[str, str]]:
        """Every claim as (key, holder), in order."""
        return [(row["key"], row["holder"]) for row in await self._rows("claims")]

    async def balances(self) -> Mapping[str, int]:
        """Every account's balance in fen."""
        return {row["account"]: row["balance"] for row in await self._rows("balances")}

    async def heads(self) -> AsyncIterator[Head]:
        """Where each stream ends, ordered by stream id, by pages."""
        after = ""
        while rows := await self._rows("heads", after, PAGE):
            for row in rows:
                yield Head(StreamId(row["stream"]), row["version"], row["chain"])
            after = rows[-1]["stream"]

    async def postings(self) -> AsyncIterator[Posting]:
        """The ledger, in order of position."""
        position, ordinal = 0, 0
        while rows := await self._rows("postings", position, ordinal, PAGE):
            for row in rows:
                position, ordinal = row["position"], row["ordinal"]
                yield Posting(position, row["source"], row["target"], row["fen"])

    async def aclose(self) -> None:
        """Let appends that are under way end, then let go of the connections."""
        self._closed.set()
        for positions in self._listeners:
            positions.put_nowait(None)
        for batcher in (self._appends, self._outcomes, self._realms, self._consultations):
            await batcher.end()
        if self._poker is not None:
            await asyncio.wait([self._poker])
        await self._let_go()
        try:
            async with asyncio.timeout(CLOSING_S):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    async def _standings_of(self, name: str, *args: object) -> list[Standing]:
        return [_standing(row) for row in await self._rows(name, *args)]

    async def _rows(self, name: str, *args: object) -> list[asyncpg.Record]:
        async with translate_errors():
            return await self._pool.fetch(QUERIES[name], *args)

    async def _value(self, name: str, *args: object) -> Any:  # noqa: ANN401 - of the statement's own type
        async with translate_errors():
            return await self._pool.fetchval(QUERIES[name], *args)


@asynccontextmanager
async def translate_errors() -> AsyncIterator[None]:
    """Say StoreUnavailable wherever the server did not answer, and what it is where a value was at fault."""
    try:
        yield
    except asyncpg.DataError as error:
        raise ArgumentUnfit(type(error).__name__) from error
    except ValueError as error:
        raise RowUnfit(type(error).__name__) from error
    except (*_UNKNOWN, *_UNDONE, *_REFUSED) as error:
        raise StoreUnavailable(_describe(error)) from error
    except _UNMIGRATED as error:
        raise SchemaUnfit(str(error)) from error


def _describe(error: Exception) -> str:
    """What is wrong with the server. Its details may quote what was to be kept."""
    match error:
        case asyncpg.PostgresError():
            return f"{type(error).__name__}: {error.args[0] if error.args else ''}"
        case _:
            return f"{type(error).__name__}: {error}"


def _name_unfit(error: Exception) -> Exception:
    """What the caller of an append is to hear. The server's own words may quote what was to be kept, and stay here."""
    if isinstance(error, _UNFIT) and not isinstance(error, AppendInvalid):
        return AppendInvalid(f"{type(error).__name__} {getattr(error, 'sqlstate', None) or ''}".rstrip())
    return error


def _list_criteria(query: CommandQuery) -> tuple[object, ...]:
    """In the order of the statement's places."""
    before = query.before if query.before is not None else 2**63 - 1
    events = list(query.events) or None
    return query.seat, query.person, query.realm, query.is_accepted, events, before, query.limit


def _size(append: Append) -> int:
    return sum(
        len(write.meta) + len(write.data) + sum(len(event.meta) + len(event.data) for event in write.events)
        for write in append.writes
    )


def _append_result(row: asyncpg.Record) -> AppendResult:
    status, first, last, recorded_at, what = row
    return AppendResult(AppendStatus(status), first or 0, last or 0, recorded_at, what or "")


_CLOCKS: Final = {Clock.MANUAL: "manual", Clock.WALL: "wall"}
"""As the columns have them."""


def _standing(row: asyncpg.Record) -> Standing:
    return Standing(
        stream=StreamId(row["stream"]),
        version=row["version"],
        stage=row["stage"],
        due_at=row["due_at"],
        clock=read_clock(row["clock"]),
        summary=row["summary"],
        notified=row["told"],
    )


def _is_gone(connection: PoolConnectionProxy[Any]) -> bool:
    """Whether it was closed: the pool takes back by itself one whose server went away, which then cannot be asked."""
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:
        return True


def _columns(appends: Sequence[Append]) -> list[list[Any]]:
    """The groups as the arrays that ``venture.append`` takes (store/migrations/0002_append.sql)."""
    writes = [write for append in appends for write in append.writes]
    standings = [(g, standing) for g, append in enumerate(appends, 1) for standing in append.standings]
    reads = [read for append in appends for read in append.reads.items()]
    streams = sorted({write.stream for write in writes}.union(stream for stream, _ in reads))
    place = {stream: t for t, stream in enumerate(streams, 1)}
    return [
        [len(append.writes) for append in appends],
        [len(append.reads) for append in appends],
        streams,
        [place[write.stream] for write in writes],
        [write.expected for write in writes],
        [write.command_id for write in writes],
        [write.occurred_at for write in writes],
        [1 + len(write.events) for write in writes],
        *_leaves(writes),
        *_effects(writes),
        [g for g, _ in standings],
        [place[standing.stream] for _, standing in standings],
        [standing.stage for _, standing in standings],
        [standing.due_at for _, standing in standings],
        [_CLOCKS[standing.clock] for _, standing in standings],
        [standing.summary for _, standing in standings],
        [standing.notified for _, standing in standings],
        [place[stream] for stream, _ in reads],
        [version for _, version in reads],
    ]


def _leaves(writes: Sequence[Write]) -> tuple[list[Any], ...]:
    kinds: list[str] = []
    schemas: list[int] = []
    metas: list[bytes] = []
    datas: list[bytes] = []
    for write in writes:
        kinds.append(write.command_type)
        schemas.append(write.schema_version)
        metas.append(write.meta)
        datas.append(write.data)
        for event in write.events:
            kinds.append(event.type)
            schemas.append(event.schema_version)
            metas.append(event.meta)
            datas.append(event.data)
    return kinds, schemas, metas, datas


def _effects(writes: Sequence[Write]) -> tuple[list[Any], ...]:
    leaves: list[int] = []
    rows: list[tuple[str, str, str, int]] = []
    leaf = 0
    for write in writes:
        leaf += 1
        for event in write.events:
            leaf += 1
            for effect in event.effects:
                leaves.append(leaf)
                rows.append(_effect(effect))
    verbs, keys, others, numbers = zip(*rows, strict=True) if rows else ((), (), (), ())
    return leaves, list(verbs), list(keys), list(others), list(numbers)


def _effect(effect: Effect) -> tuple[str, str, str, int]:
    match effect:
        case Claim():
            return "claim", effect.key, effect.holder, effect.limit
        case Release():
            return "release", effect.key, effect.holder, 0
        case Post():
            return "post", effect.source, effect.target, effect.fen
