"""What the rest of the house may ask of the read side: rows that a follower folds out of the log, asked for by pages.

A view is a table of rows. It is kept in *generations*: the live one is read, another may be built beside it. A row is a
mapping of column to value, as its view declares it (``views/``); the columns of the tables are in ``migrations/``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from domain.kernel.identifier import StreamId
    from store.port import Entry

Row = dict[str, Any]
"""Column and value: text, whole numbers, booleans, instants, days, uuids, lists of text, and JSON as plain values."""

LEASE = "views"
"""The follower whose lease whoever writes rows must hold."""


@dataclass(frozen=True, slots=True)
class Equal:
    """The column has that value."""

    column: str
    value: Any


@dataclass(frozen=True, slots=True)
class AnyOf:
    """The column has one of these values."""

    column: str
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Holds:
    """The column is a list that holds all of these."""

    column: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Meets:
    """The column is a list that holds at least one of these."""

    column: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Contains:
    """The column is a text in which this occurs."""

    column: str
    text: str


@dataclass(frozen=True, slots=True)
class AtMost:
    """The column is not above that value; where it has none, the row is left out."""

    column: str
    value: Any


@dataclass(frozen=True, slots=True)
class Above:
    """The column is above that value; where it has none, the row is left out."""

    column: str
    value: Any


@dataclass(frozen=True, slots=True)
class Unless:
    """A condition that holds where not all of these do."""

    conditions: tuple[Condition, ...]


Condition = Equal | AnyOf | Holds | Meets | Contains | AtMost | Above | Unless


@dataclass(frozen=True, slots=True)
class ViewQuery:
    """A page of a view's rows: those that meet all conditions, in order, after the last row of the page before."""

    view: str
    order: tuple[str, ...]
    """Columns by which the rows are told apart and sorted; none of them may lack a value."""
    where: tuple[Condition, ...] = ()
    after: tuple[Any, ...] | None = None
    """The values of those columns in the last row of the page before."""
    limit: int = 100
    descending: bool = False
    organisation: str | None = None
    """Whoever reads sees only rows of this organisation: said to the database, which holds to it by itself."""


@dataclass(frozen=True, slots=True)
class ViewHead:
    """One generation of a view, and how far it has come."""

    name: str
    generation: int
    version: int
    """Of the code that folds it."""
    live: bool
    position: int
    """Everything in the log up to there is in it, if it is not being built."""
    reached_at: datetime | None
    """When the entry at that position was recorded, UTC; None if that is not known."""
    walked: str | None
    """While it is built stream by stream, the last stream that is done; None afterwards."""
    done: int = 0
    """How many streams were done while it was built."""
    total: int = 0
    """How many streams there were when it was begun."""


@dataclass(frozen=True, slots=True)
class ViewPage:
    """Rows, with how far the view had come and where the log ended at that moment."""

    rows: Sequence[Row]
    position: int
    """0 while there is no such view yet, or the only one is still being built."""
    last_position: int
    reached_at: datetime | None


@dataclass(frozen=True, slots=True)
class ViewRows:
    """What a view's rows of some streams are to be."""

    head: ViewHead
    """The generation that they are for."""
    rows: Sequence[Row]
    replaces: bool = True
    """Whether all that it has of those streams goes; otherwise rows are added, and one that is there stays."""


@dataclass(frozen=True, slots=True)
class ViewWrite:
    """Rows of some streams for generations that all stand at one position, and how far these then are."""

    views: tuple[ViewRows, ...]
    streams: tuple[StreamId, ...]
    old: int
    new: int
    reached_at: datetime | None = None
    walked: str | None = None
    passed: int = 0
    """How many streams this step of building has seen to."""


class LeaseLost(Exception):
    """Somebody else writes the views by now; nothing was written."""


class ViewStore(Protocol):
    """The tables of the read side. Raises StoreUnavailable where the server does not answer."""

    async def heads(self) -> Sequence[ViewHead]:
        """Every generation of every view, by name and generation."""

    async def begin(self, name: str, version: int, position: int) -> int | None:
        """Begin a generation that is to be built stream by stream and then follows on from that position.

        It is live at once if the view has none. None if one is being built already.
        """

    async def write(self, lease: int, write: ViewWrite) -> bool:
        """All of it or nothing. False if that lease is lost, or a view no longer stands at ``old``."""

    async def switch(self, name: str, generation: int) -> bool:
        """Read that generation from now on, and let go of the one before; False if it is not built yet."""

    async def abandon(self, name: str, generation: int) -> bool:
        """Give up a generation that is not live; whether there was one."""

    async def sweep(self, name: str, most: int = 10_000) -> int:
        """Delete rows of generations that are no more, at most so many; how many there were."""

    async def streams(self, after: str, limit: int) -> Sequence[StreamId]:
        """Streams of which anything is recorded, refusals included, in order of id."""

    async def histories(self, streams: Sequence[StreamId]) -> Mapping[StreamId, Sequence[Entry]]:
        """All that is recorded of these streams, commands and events, each in order of position."""

    async def page(self, query: ViewQuery) -> ViewPage:
        """A page of the live generation."""

    async def count(self, query: ViewQuery) -> int:
        """How many rows of the live generation that page would have."""

    async def page_of(self, generation: int, query: ViewQuery) -> Sequence[Row]:
        """A page of that generation, for whoever builds or checks it."""
