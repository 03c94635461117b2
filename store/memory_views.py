"""The read side in memory, for fast tests: the same answers as Postgres."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, assert_never

from store.views import (
    LEASE,
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
    ViewWrite,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from domain.kernel.identifier import StreamId
    from store.port import Entry

KEYS = {
    "projects": ("stream",),
    "waiting": ("stream", "ordinal", "role"),
    "approvals": ("id",),
    "organisations": ("stream",),
    "streams": ("stream",),
    "registers": ("stream", "version"),
    "courses": ("stream", "version"),
    "attempts": ("position",),
    "shares": ("stream", "dimension", "key", "measure"),
}
"""By view, the columns that tell its rows apart."""
_TALLY = ("realm", "dimension", "key", "measure")


@dataclass
class MemoryViews:
    """The views, as rows in dictionaries."""

    entries: Sequence[Entry]
    """The log."""
    generation_of: Callable[[str], int | None]
    """The generation of a follower's lease."""
    _heads: dict[tuple[str, int], ViewHead] = field(default_factory=dict)
    _rows: dict[tuple[str, int], dict[tuple[Any, ...], Row]] = field(default_factory=dict)

    async def heads(self) -> Sequence[ViewHead]:
        """Every generation of every view."""
        return [head for _, head in sorted(self._heads.items())]

    async def begin(self, name: str, version: int, position: int) -> int | None:
        """Begin a generation. See the port."""
        others = [head for head in self._heads.values() if head.name == name]
        if any(not head.live for head in others):
            return None
        generation = max((head.generation for head in others), default=0) + 1
        total = len({entry.stream for entry in self.entries})
        self._heads[name, generation] = ViewHead(name, generation, version, not others, position, None, "", 0, total)
        self._rows[name, generation] = {}
        return generation

    async def write(self, lease: int, write: ViewWrite) -> bool:
        """All of it or nothing. See the port."""
        heads = [self._heads.get((view.head.name, view.head.generation)) for view in write.views]
        if self.generation_of(LEASE) != lease or any(head is None or head.position != write.old for head in heads):
            return False
        for view in write.views:
            key = view.head.name, view.head.generation
            table, columns = self._rows[key], KEYS[view.head.name]
            if view.replaces:
                gone = set(write.streams)
                table = {k: row for k, row in table.items() if row["stream"] not in gone}
            for row in view.rows:
                table.setdefault(tuple(row[column] for column in columns), row)
            self._rows[key] = table
            head = self._heads[key]
            reached_at = write.reached_at or head.reached_at
            self._heads[key] = replace(
                head,
                position=write.new,
                reached_at=reached_at,
                walked=write.walked,
                done=head.done + write.passed,
            )
        return True

    async def switch(self, name: str, generation: int) -> bool:
        """Read that generation from now on. See the port."""
        head = self._heads.get((name, generation))
        if head is None or head.walked is not None:
            return False
        for key in [k for k in self._heads if k[0] == name and k[1] < generation]:
            del self._heads[key], self._rows[key]
        self._heads[name, generation] = replace(head, live=True)
        return True

    async def abandon(self, name: str, generation: int) -> bool:
        """Give up a generation that is not live."""
        head = self._heads.get((name, generation))
        if head is None or head.live:
            return False
        del self._heads[name, generation], self._rows[name, generation]
        return True

    async def sweep(self, name: str, most: int = 10_000) -> int:  # noqa: ARG002 - rows go with their generation here
        """0: rows go with their generation, so none are left to remove."""
        return 0

    async def streams(self, after: str, limit: int) -> Sequence[StreamId]:
        """Streams of which anything is recorded, in order of id."""
        return sorted({entry.stream for entry in self.entries if entry.stream > after})[:limit]

    async def histories(self, streams: Sequence[StreamId]) -> Mapping[StreamId, Sequence[Entry]]:
        """All that is recorded of these streams."""
        histories: dict[StreamId, list[Entry]] = {stream: [] for stream in streams}
        for entry in self.entries:
            if entry.stream in histories:
                histories[entry.stream].append(entry)
        return histories

    async def page(self, query: ViewQuery) -> ViewPage:
        """A page of the live generation."""
        name = "shares" if query.view == "tallies" else query.view
        head = next((head for head in self._heads.values() if head.name == name and head.live), None)
        if head is None:
            return ViewPage((), 0, len(self.entries), None)
        rows = await self.page_of(head.generation, query)
        return ViewPage(rows, head.position if head.walked is None else 0, len(self.entries), head.reached_at)

    async def count(self, query: ViewQuery) -> int:
        """How many rows of the live generation that page would have."""
        return len((await self.page(query)).rows)

    async def page_of(self, generation: int, query: ViewQuery) -> Sequence[Row]:
        """A page of that generation."""
        rows = [
            row
            for row in self._table(query.view, generation)
            if all(_meets(row, condition) for condition in query.where)
            and (query.organisation is None or query.organisation in row["organisations"])
        ]

        def key(row: Row) -> tuple[Any, ...]:
            return tuple(row[column] for column in query.order)

        rows.sort(key=key, reverse=query.descending)
        if query.after is not None:
            after = query.after
            rows = [row for row in rows if (key(row) < after if query.descending else key(row) > after)]
        return rows[: query.limit]

    def _table(self, view: str, generation: int) -> Iterable[Row]:
        if view != "tallies":
            return list(self._rows.get((view, generation), {}).values())
        sums: dict[tuple[Any, ...], int] = {}
        for row in self._rows.get(("shares", generation), {}).values():
            key = tuple(row[column] for column in _TALLY)
            sums[key] = sums.get(key, 0) + row["value"]
        return [{**dict(zip(_TALLY, key, strict=True)), "value": value} for key, value in sums.items()]


def _meets(row: Row, condition: Condition) -> bool:
    match condition:
        case Equal(column, value):
            return bool(row[column] == value)
        case AnyOf(column, values):
            return row[column] in values
        case Holds(column, values):
            return set(values) <= set(row[column])
        case Meets(column, values):
            return not set(values).isdisjoint(row[column])
        case Contains(column, text):
            return text in row[column]
        case AtMost(column, value):
            return row[column] is not None and bool(row[column] <= value)
        case Above(column, value):
            return row[column] is not None and bool(row[column] > value)
        case Unless(conditions):
            return not all(_meets(row, one) for one in conditions)
        case _:
            assert_never(condition)
