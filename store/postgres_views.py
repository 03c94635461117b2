"""The read side on Postgres: pages out of the view tables, and the functions by which a follower writes them."""

from __future__ import annotations

import json
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, assert_never
from uuid import UUID

import asyncpg

from domain.kernel.identifier import StreamId
from store.bounds import is_storable
from store.entry_row import read_entry
from store.sql import QUERIES
from store.views import (
    Above,
    AnyOf,
    AtMost,
    Condition,
    Contains,
    Equal,
    Holds,
    Meets,
    Row,
    Unless,
    ViewHead,
    ViewPage,
    ViewQuery,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from asyncpg.pool import PoolConnectionProxy

    from store.port import Entry
    from store.views import ViewWrite

READER: Final = "venture_reader"
"""The role that reads for one organisation, under the policies of the view tables."""
_BEGIN: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL plan_cache_mode = force_custom_plan"
_position = attrgetter("position")
_NAME = re.compile(r"[a-z_]{1,40}")
_BUILDING_S: Final = 60.0
"""Seconds that a statement may take which moves as many rows as a view has."""


@dataclass(frozen=True)
class PostgresViews:
    """The tables over the store's own pool."""

    pool: asyncpg.Pool[Any]
    errors: Callable[[], AbstractAsyncContextManager[None]]
    """Says StoreUnavailable wherever the server did not answer."""

    async def heads(self) -> Sequence[ViewHead]:
        """Every generation of every view."""
        async with self.errors():
            return [_head(row) for row in await self.pool.fetch(QUERIES["view_heads"])]

    async def begin(self, name: str, version: int, position: int) -> int | None:
        """Begin a generation. See the port."""
        generation: int | None = await self._value("view_begin", name, version, position)
        return generation

    async def write(self, lease: int, write: ViewWrite) -> bool:
        """All of it or nothing. See the port."""
        try:
            return bool(
                await self._value(
                    "view_write",
                    lease,
                    [view.head.name for view in write.views],
                    [view.head.generation for view in write.views],
                    [view.replaces for view in write.views],
                    [_encode(view.head.generation, view.rows) for view in write.views],
                    list(write.streams),
                    write.old,
                    write.new,
                    write.reached_at,
                    write.walked,
                    write.passed,
                )
            )
        except asyncpg.ObjectNotInPrerequisiteStateError:
            return False

    async def switch(self, name: str, generation: int) -> bool:
        """Read that generation from now on. See the port."""
        return bool(await self._value("view_switch", name, generation))

    async def abandon(self, name: str, generation: int) -> bool:
        """Give up a generation that is not live."""
        return bool(await self._value("view_abandon", name, generation))

    async def sweep(self, name: str, most: int = 10_000) -> int:
        """Delete rows of generations that are no more."""
        return int(await self._value("view_sweep", name, most))

    async def streams(self, after: str, limit: int) -> Sequence[StreamId]:
        """Streams of which anything is recorded, in order of id."""
        async with self.errors():
            rows = await self.pool.fetch(QUERIES["view_streams"], after, limit)
        return [StreamId(row["stream"]) for row in rows]

    async def histories(self, streams: Sequence[StreamId]) -> Mapping[StreamId, Sequence[Entry]]:
        """All that is recorded of these streams."""
        histories: dict[StreamId, list[Entry]] = {stream: [] for stream in streams}
        async with self.errors():
            rows = await self.pool.fetch(QUERIES["view_histories"], list(streams), timeout=_BUILDING_S)
        for row in rows:
            histories[row["stream"]].append(read_entry(row))
        for entries in histories.values():
            entries.sort(key=_position)
        return histories

    async def page(self, query: ViewQuery) -> ViewPage:
        """A page of the live generation."""
        async with self._reading() as connection:
            name = "shares" if query.view == "tallies" else query.view
            state = await connection.fetchrow(QUERIES["view_live"], name)
            if state is None or state["generation"] is None:
                return ViewPage((), 0, state["last_position"] if state else 0, None)
            rows = await _fetch(connection, state["generation"], query)
        return ViewPage(rows, state["position"], state["last_position"], state["reached_at"])

    async def count(self, query: ViewQuery) -> int:
        """How many rows of the live generation that page would have."""
        async with self._reading() as connection:
            state = await connection.fetchrow(QUERIES["view_live"], query.view)
            if state is None or state["generation"] is None or not await _prepare(connection, query):
                return 0
            text, args = compose(state["generation"], query)
            counted: int = await connection.fetchval(f"SELECT count(*) FROM ({text}) AS t", *args)  # noqa: S608 - as composed
            return counted

    async def page_of(self, generation: int, query: ViewQuery) -> Sequence[Row]:
        """A page of that generation."""
        async with self._reading() as connection:
            return await _fetch(connection, generation, query)

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[PoolConnectionProxy[Any]]:
        """One moment of the database.

        Each page is planned by its own values: how rare a tag is decides by which index it is found.
        """
        async with self.errors(), self.pool.acquire() as connection:
            await connection.execute(_BEGIN)
            try:
                yield connection
            finally:
                await connection.execute("ROLLBACK")

    async def _value(self, name: str, *args: object) -> Any:  # noqa: ANN401 - of the statement's own type
        async with self.errors():
            return await self.pool.fetchval(QUERIES[name], *args, timeout=_BUILDING_S)


async def _fetch(connection: PoolConnectionProxy[Any], generation: int, query: ViewQuery) -> list[Row]:
    """The rows of the query, of that generation of the view."""
    if not await _prepare(connection, query):
        return []
    text, args = compose(generation, query)
    return [_decode(row) for row in await connection.fetch(text, *args)]


async def _prepare(connection: PoolConnectionProxy[Any], query: ViewQuery) -> bool:
    """Whether any row can meet it; for an organisation, be the role that sees nothing of any other until it is over."""
    if not all(map(is_storable, _texts(query))):
        return False  # what no column can hold is in no row
    if query.organisation is not None:
        await connection.fetchval(QUERIES["view_organisation"], query.organisation)
        await connection.execute(f"SET LOCAL ROLE {READER}")
    return True


def _texts(query: ViewQuery) -> Iterator[str]:
    """Every text that is looked for."""
    values: list[object] = [query.organisation, *(query.after or ())]
    for condition in query.where:
        match condition:
            case Equal(value=value):
                values.append(value)
            case Contains(text=text):
                values.append(text)
            case AnyOf(values=several) | Holds(values=several) | Meets(values=several):
                values += several
            case _:
                continue
    return (value for value in values if isinstance(value, str))


def compose(generation: int, query: ViewQuery) -> tuple[str, list[object]]:
    """The statement for a page, and its values. No value stands in the text; columns are words of our own."""
    args: list[object] = [generation]
    where = ["generation = $1", *(_compare(condition, args) for condition in query.where)]
    order = ", ".join(map(_name, query.order))
    if query.after is not None:
        places = ", ".join(_place(value, args) for value in query.after)
        where.append(f"({order}) {'<' if query.descending else '>'} ({places})")
    direction = " DESC" if query.descending else ""
    sort = ", ".join(f"{_name(column)}{direction}" for column in query.order)
    rows = f"SELECT * FROM venture.view_{_name(query.view)} WHERE {' AND '.join(where)}"  # noqa: S608 - names are checked
    return f"{rows} ORDER BY {sort} LIMIT {int(query.limit)}", args


def _compare(condition: Condition, args: list[object]) -> str:
    match condition:
        case Equal(column, value):
            return f"{_name(column)} = {_place(value, args)}"
        case AnyOf(column, values):
            return f"{_name(column)} = ANY ({_place(list(values), args)})"
        case Holds(column, values):
            return f"{_name(column)} @> {_place(list(values), args)}"
        case Meets(column, values):
            return f"{_name(column)} && {_place(list(values), args)}"
        case Contains(column, text):
            return f"strpos({_name(column)}, {_place(text, args)}) > 0"
        case AtMost(column, value):
            return f"{_name(column)} <= {_place(value, args)}"
        case Above(column, value):
            return f"{_name(column)} > {_place(value, args)}"
        case Unless(conditions):
            return f"NOT ({' AND '.join(_compare(one, args) for one in conditions)})"
        case _:
            assert_never(condition)


def _place(value: object, args: list[object]) -> str:
    args.append(value)
    return f"${len(args)}"


def _name(word: str) -> str:
    if _NAME.fullmatch(word) is None:
        message = f"no column: {word!r}"
        raise ValueError(message)
    return word


def _head(row: asyncpg.Record) -> ViewHead:
    return ViewHead(
        row["name"],
        row["generation"],
        row["version"],
        row["live"],
        row["position"],
        row["reached_at"],
        row["walked"],
        row["done"],
        row["total"],
    )


def _encode(generation: int, rows: Sequence[Row]) -> bytes:
    return json.dumps([{"generation": generation, **row} for row in rows], default=_plain, ensure_ascii=False).encode()


def _plain(value: object) -> object:
    match value:
        case datetime() | date():
            return value.isoformat()
        case UUID():
            return str(value)
        case frozenset() | set():
            return sorted(value)
        case _:
            message = f"no value of a row: {type(value).__name__}"
            raise TypeError(message)


def _decode(row: asyncpg.Record) -> Row:
    decoded = {name: json.loads(value) if isinstance(value, bytes) else value for name, value in row.items()}
    del decoded["generation"]
    return decoded
