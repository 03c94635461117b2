"""How streams stand, kind by kind: rounds, needs, panels, registers. None is folded and no rule is loaded for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from application.pages import MOST, Page, PageRequest, SortOrder, iterate_rows, read_page
from application.realms import require_realm
from domain.kernel.identifier import StreamId
from domain.kernel.summary import AwaitedRow, title_in
from store.views import Equal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from store.port import EventStore
    from store.views import Row

_ORDER = SortOrder((("stream", str),))


class StreamFilter(BaseModel):
    """Which streams are listed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Annotated[str, Field(min_length=1, max_length=32)]
    """E.g. ``round``."""
    realm: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    stage: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    """As in the log, e.g. ``OPEN``."""
    round: Annotated[str | None, Field(min_length=1, max_length=200)] = None
    """Only what says that it is of this round: needs, panels."""


@dataclass(frozen=True)
class StreamLine:
    """One line of a list."""

    stream: StreamId
    stage: str
    version: int
    due: datetime | None
    provisional: bool
    """Whether a notice of working days may still move ``due``."""
    moved_at: datetime
    calendar: int
    """The version of the working days that its dates were reckoned by."""
    awaiting: tuple[AwaitedRow, ...]
    particulars: dict[str, Any]
    """What its kind shows of itself in a list: year, level, budget…"""

    @property
    def name(self) -> str:
        """What it is called, as far as its kind says."""
        return title_in(self.particulars)

    @classmethod
    def of(cls, row: Row) -> StreamLine:
        """Read from a row of the view."""
        particulars = dict(row["summary"])
        return cls(
            stream=StreamId(row["stream"]),
            stage=row["stage"],
            version=row["version"],
            due=row["due_at"],
            provisional=particulars.pop("provisional"),
            moved_at=row["moved_at"],
            calendar=row["calendar"],
            awaiting=tuple(map(AwaitedRow.model_validate, particulars.pop("awaiting"))),
            particulars=particulars,
        )

    def as_json(self) -> dict[str, Any]:
        """As JSON: instants in UTC by ISO 8601, ``due`` null without a deadline; particulars among the rest."""
        return {
            "stream": self.stream,
            "realm": self.stream.realm,
            "stage": self.stage,
            "version": self.version,
            "due": self.due.isoformat() if self.due else None,
            "provisional": self.provisional,
            "moved_at": self.moved_at.isoformat(),
            "awaiting": [one.as_json() for one in self.awaiting],
            **self.particulars,
        }


async def list_streams(
    store: EventStore, filters: StreamFilter, request: PageRequest | None = None
) -> Page[StreamLine]:
    """How streams of that kind stand, by id. Raises NoSuchRealm, CursorInvalid."""
    await require_realm(store, filters.realm)
    columns = {"kind": filters.kind, "realm": filters.realm, "stage": filters.stage, "round": filters.round}
    where = tuple(Equal(name, value) for name, value in columns.items() if value is not None)
    return await read_page(store, "streams", _ORDER, where, request or PageRequest(), StreamLine.of)


def each_stream(store: EventStore, filters: StreamFilter) -> AsyncIterator[StreamLine]:
    """All of them, however many pages they take. Raises NoSuchRealm."""
    return iterate_rows(lambda request: list_streams(store, filters, request), PageRequest(limit=MOST))
