"""項目總覽: how many projects stand where, how much money they carry, and what is overdue; every number is a list.

Added up from the rows of the projects view, page by page: what a number counts is what ``list_projects`` gives under
the same filter.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from application.listing import StreamFilter, list_streams
from application.pages import PageRequest
from application.projects import ProjectFilter, list_projects

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from application.projects import ProjectLine
    from store.port import EventStore

MONEY = ("requested", "award", "paid", "cancelled", "returned", "clawed_back", "net", "outstanding")
"""What is added up, in fen."""
PAGE = 500


@dataclass(frozen=True)
class Portfolio:
    """What the projects under one filter come to."""

    projects: int
    standing: Mapping[str, int]
    """By stage, how many stand there."""
    overdue: int
    """How many wait for somebody who is late."""
    money: Mapping[str, int]
    """Fen; ``requested`` is of all bids, the rest of those that were awarded."""
    as_of: datetime
    """The instant at which what is overdue was judged, UTC."""

    def as_json(self) -> dict[str, Any]:
        """For a machine."""
        return {
            "as_of": self.as_of.isoformat(),
            "projects": self.projects,
            "standing": dict(self.standing),
            "overdue": self.overdue,
            "money": dict(self.money),
        }


async def read_portfolio(store: EventStore, filters: ProjectFilter, year: int | None = None) -> Portfolio:
    """The figures of these projects; of a year, those of the rounds of that year. Raises NoSuchRealm."""
    now, standing, money = datetime.now(UTC), Counter[str](), Counter[str](dict.fromkeys(MONEY, 0))
    rounds = None if year is None else await _list_rounds(store, filters.realm, year)
    async for line in _walk(store, filters):
        if rounds is not None and (line.stream.realm, line.round) not in rounds:
            continue
        standing[line.stage] += 1
        money.update({name: getattr(line, name) for name in MONEY})
    late = 0
    async for line in _walk(store, filters.model_copy(update={"overdue": True})):
        late += rounds is None or (line.stream.realm, line.round) in rounds
    return Portfolio(sum(standing.values()), dict(sorted(standing.items())), late, dict(money), now)


async def _walk(store: EventStore, filters: ProjectFilter) -> AsyncIterator[ProjectLine]:
    request = PageRequest(limit=PAGE, at_least=await store.last_position())
    while True:
        page = await list_projects(store, filters, request)
        for line in page.rows:
            yield line
        if page.next is None:
            return
        request = request.model_copy(update={"after": page.next})


async def _list_rounds(store: EventStore, realm: str | None, year: int) -> frozenset[tuple[str, str]]:
    """Realm and name of every round of that year."""
    found: set[tuple[str, str]] = set()
    request = PageRequest(limit=PAGE, at_least=await store.last_position())
    while True:
        page = await list_streams(store, StreamFilter(kind="round", realm=realm), request)
        found |= {(one.stream.realm, one.stream.name) for one in page.rows if one.particulars.get("year") == year}
        if page.next is None:
            return frozenset(found)
        request = request.model_copy(update={"after": page.next})
