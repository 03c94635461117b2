"""Reading by pages: where a page begins, how many rows it has, and how old what it shows is.

A view is written a moment after the log. Whoever has written something passes the position of the receipt, and is
answered once the view has come that far, or after a while with how far it is behind. No worker is needed: where nobody
keeps the views, whoever waits for them folds what is missing.
"""

from __future__ import annotations

import asyncio
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from domain.kernel.failure import Failure, FailureKind
from store.port import StoreUnavailable
from store.views import LeaseLost, ViewQuery

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from followers.views import ViewFollower
    from store.port import EventStore
    from store.views import Condition, Row

MOST = 1_000
"""Rows of one page."""
LOOK_EVERY_S = 0.02
"""Seconds between two looks at how far a view has come."""
HELP_AFTER_S = 0.3
"""Seconds after which whoever waits keeps the views, if nobody else does."""

T = TypeVar("T")


class CursorInvalid(Failure):
    """The cursor is not one that this list gave out."""

    kind = FailureKind.USAGE
    remedy_zh = "從第一頁重新開始"
    remedy_en = "Begin again with the first page"

    def __init__(self) -> None:
        super().__init__("游標無效", "the cursor is not one of this list")


class PageRequest(BaseModel):
    """Which page is asked for, and of what age it may be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    limit: Annotated[int, Field(ge=1, le=MOST, title="每頁行數 / rows of a page")] = 100
    after: Annotated[str | None, Field(max_length=2_000, title="游標 / cursor")] = None
    """``next`` of the page before; None for the first page."""
    at_least: Annotated[int | None, Field(ge=0, title="至少到此序號 / at least as far as")] = None
    """The position that must be in it, of the receipt of whoever has just written; None for what is there."""
    patience_s: Annotated[float, Field(ge=0, le=30, title="最多等候秒數 / seconds to wait at most")] = 2.0
    """How long the view may take to come that far; then the page is given as it is."""
    organisation: Annotated[str | None, Field(max_length=64, title="組織 / organisation")] = None
    """Whoever reads belongs to this organisation and sees its rows only; the database holds to it by itself."""


@dataclass(frozen=True)
class Freshness:
    """How far the list lags behind the log."""

    position: int
    """Everything in the log up to there is in it."""
    behind: int
    """Entries of the log that are not in it yet; 0 if it is current."""
    reached_at: datetime | None
    """When the last entry that is in it was recorded, UTC; None if that is not known."""

    @property
    def is_current(self) -> bool:
        """Whether the log had nothing newer at that moment."""
        return self.behind == 0

    def as_json(self) -> dict[str, Any]:
        """As JSON: ``behind`` in entries of the log; ``reached_at`` in UTC by ISO 8601, null where it is not known."""
        reached_at = self.reached_at.isoformat() if self.reached_at else None
        return {"position": self.position, "behind": self.behind, "reached_at": reached_at}


@dataclass(frozen=True)
class Page(Generic[T]):
    """Rows of a list, in order."""

    rows: tuple[T, ...]
    next: str | None
    """What the next page begins after; None at the end."""
    freshness: Freshness


async def iterate_rows(
    read: Callable[[PageRequest], Awaitable[Page[T]]], request: PageRequest, *, most: int | None = None
) -> AsyncIterator[T]:
    """The rows of that page and of all after it; of a list that is longer, the pages that hold the first ``most``.

    What the first page must hold, ``at_least``, the later ones do.
    """
    count = 0
    while True:
        page = await read(request)
        for row in page.rows:
            yield row
        count += len(page.rows)
        if page.next is None or (most is not None and count >= most):
            return
        request = request.model_copy(update={"after": page.next, "at_least": None})


@dataclass(frozen=True)
class SortOrder:
    """By which columns a list is sorted, and what their values are."""

    columns: tuple[tuple[str, type], ...]
    descending: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in their order."""
        return tuple(name for name, _ in self.columns)

    def write(self, view: str, row: Row) -> str:
        """The cursor that stands for that row: opaque to whoever gets it."""
        values = [_plain(row[name]) for name in self.names]
        return urlsafe_b64encode(json.dumps([view, *self.names, *values]).encode()).decode().rstrip("=")

    def read(self, view: str, cursor: str) -> tuple[Any, ...]:
        """The values of the row that the cursor is of. Raises CursorInvalid for one of another list, or of none."""
        try:
            parts = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
            names, values = parts[: len(self.columns) + 1], parts[len(self.columns) + 1 :]
            if names != [view, *self.names] or len(values) != len(self.columns):
                raise CursorInvalid
            return tuple(_value(value, kind) for value, (_, kind) in zip(values, self.columns, strict=True))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise CursorInvalid from error


def _plain(value: object) -> object:
    match value:
        case datetime():
            return value.isoformat()
        case UUID():
            return str(value)
        case _:
            return value


def _value(value: object, kind: type) -> object:
    """The value of that type. Raises ValueError or TypeError for another."""
    if kind is datetime and isinstance(value, str):
        instant = datetime.fromisoformat(value)
        if instant.tzinfo is None:
            message = "no offset"
            raise ValueError(message)
        return instant
    if kind is UUID and isinstance(value, str):
        return UUID(value)
    if type(value) is not kind or (isinstance(value, str) and ("\0" in value or not value.isprintable())):
        message = "another type"
        raise TypeError(message)
    if isinstance(value, int) and abs(value) >= 2**63:
        message = "beyond a column"
        raise ValueError(message)
    return value


async def read_page(
    store: EventStore,
    view: str,
    order: SortOrder,
    where: tuple[Condition, ...],
    request: PageRequest,
    build: Callable[[Row], T],
) -> Page[T]:
    """A page of that view. Raises CursorInvalid."""
    query = ViewQuery(
        view,
        order.names,
        where,
        after=order.read(view, request.after) if request.after is not None else None,
        limit=request.limit + 1,
        descending=order.descending,
        organisation=request.organisation,
    )
    if request.at_least is not None:
        await wait_for_view(store, view, request.at_least, request.patience_s)
    page = await store.views.page(query)
    rows = page.rows[: request.limit]
    more = order.write(view, rows[-1]) if len(page.rows) > request.limit else None
    freshness = Freshness(page.position, max(page.last_position - page.position, 0), page.reached_at)
    return Page(tuple(map(build, rows)), more, freshness)


async def wait_for_view(store: EventStore, view: str, position: int, patience_s: float) -> bool:
    """Wait until that view has come as far as that position; whether it has, within so many seconds.

    Where nobody keeps the views, this does, for as long as it waits.
    """
    name = "shares" if view == "tallies" else view
    loop = asyncio.get_running_loop()
    begun = loop.time()
    async with AsyncExitStack() as stack:
        follower: ViewFollower | None = None
        while not await _has_reached(store, name, position):
            waited = loop.time() - begun
            if waited >= patience_s:
                return False
            if follower is None and waited >= min(HELP_AFTER_S, patience_s / 4):
                follower = _make_follower(store)
                stack.push_async_callback(follower.release)
            if follower is None or not await help_keep(follower):
                await asyncio.sleep(LOOK_EVERY_S)
        return True


def _make_follower(store: EventStore) -> ViewFollower:
    """What keeps the views: it needs all rules, and a reader seldom needs it."""
    from followers.views import ViewFollower

    return ViewFollower(store)


async def help_keep(follower: ViewFollower) -> bool:
    """Keep the views for a step, unless somebody else does, or may not; whether there was anything to do."""
    try:
        return await follower.once(datetime.now(UTC)) > 0
    except (LeaseLost, StoreUnavailable):  # that of an auditor lets nobody write: reading goes on
        return False


async def _has_reached(store: EventStore, view: str, position: int) -> bool:
    heads = await store.views.heads()
    return any(h.name == view and h.live and h.walked is None and h.position >= position for h in heads)
