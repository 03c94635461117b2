"""一屆的全程: what belongs to a round, stage by stage: its needs, bids, panels, and the ranking as it stands.

Whoever may see every bid is shown all of it; anybody else what a call is public about: the round itself and its needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from application.listing import StreamFilter, list_streams
from application.pages import PageRequest, iterate_rows
from application.projects import ProjectFilter, list_projects
from application.queries import load_states
from application.round_resolution import NoPanels, preview_resolution
from deciding.reader import Reader
from domain.registers.panel import Panel
from domain.round.plan import Round

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from typing import TypeVar

    from application.listing import StreamLine
    from application.pages import Page
    from application.projects import ProjectLine
    from application.queries import File
    from domain.kernel.identifier import StreamId
    from domain.kernel.scheme import Scheme
    from domain.round.resolution import RankedBid
    from store.port import EventStore

    T = TypeVar("T")

PAGE: Final = 500
MOST: Final = 2_000
"""Bids or needs of a round that are shown; what there is beyond stands in their lists."""


@dataclass(frozen=True)
class SheetCount:
    """A panel: who sits on it, and how many sheets are in; no mark of anybody."""

    stream: StreamId
    seated: tuple[str, ...]
    barred: tuple[str, ...]
    """Who may not score: by their own declaration, or recused."""
    bids: tuple[tuple[str, tuple[str, ...]], ...]
    """Each bid with the seats whose sheet is in."""
    is_reported: bool

    @property
    def sheets_due(self) -> int:
        """Sheets that there are to be."""
        return len(self.bids) * len(set(self.seated) - set(self.barred))

    @property
    def sheets_in(self) -> int:
        """How many score sheets were handed in."""
        return sum(len(seats) for _, seats in self.bids)


@dataclass(frozen=True)
class RankingRow:
    """A bid where it stands, and what the money would come to if all down to it were given what they ask for."""

    of: RankedBid
    bid: ProjectLine | None
    cumulative: int
    """Fen asked for by this bid and all above it that reach the line."""
    reaches_line: bool
    fits: bool
    """Whether the budget bears it so far."""


@dataclass(frozen=True)
class RoundOverview:
    """A round with all that belongs to it."""

    file: File
    round_: Round
    scheme: Scheme | None
    needs: tuple[StreamLine, ...]
    bids: tuple[ProjectLine, ...]
    panels: tuple[SheetCount, ...]
    ranking: tuple[RankingRow, ...]
    """Empty until a panel has reported."""


async def read_overview(store: EventStore, file: File, *, may_see_bids: bool) -> RoundOverview:
    """All that belongs to that round, as it stands."""
    stream, round_ = file.stream, file.state.part(Round)
    scheme = await Reader(store).scheme(file.state, stream)
    of_needs = StreamFilter(kind="need", realm=stream.realm, round=stream.name)
    needs = [one async for one in _walk(lambda request: list_streams(store, of_needs, request))]
    if not may_see_bids:
        return RoundOverview(file, round_, scheme, tuple(needs), (), (), ())
    of_bids = ProjectFilter(realm=stream.realm, round=stream.name)
    bids = [one async for one in _walk(lambda request: list_projects(store, of_bids, request))]
    of_panels = StreamFilter(kind="panel", realm=stream.realm, round=stream.name)
    panels = [one.stream async for one in _walk(lambda request: list_streams(store, of_panels, request))]
    states = await load_states(store, panels)
    counted = tuple(_count_sheets(one, states[one].part(Panel)) for one in panels if one in states)
    reported = [one.stream.name for one in counted if one.is_reported]
    ranking = await _rank(store, stream, reported, {one.stream.name: one for one in bids}, round_, scheme)
    return RoundOverview(file, round_, scheme, tuple(needs), tuple(bids), counted, ranking)


def _walk(read: Callable[[PageRequest], Awaitable[Page[T]]]) -> AsyncIterator[T]:
    """All rows, at most so many."""
    return iterate_rows(read, PageRequest(limit=PAGE), most=MOST)


def _count_sheets(stream: StreamId, panel: Panel) -> SheetCount:
    bids = tuple((bid, tuple(sorted(panel.sheets.get(bid, {})))) for bid in panel.applications)
    return SheetCount(stream, panel.seated, tuple(sorted(panel.barred)), bids, panel.reported)


async def _rank(
    store: EventStore,
    round_: StreamId,
    panels: list[str],
    bids: dict[str, ProjectLine],
    plan: Round,
    scheme: Scheme | None,
) -> tuple[RankingRow, ...]:
    """The bids of the panels that have reported, with the line and the budget drawn through them."""
    if not panels:
        return ()
    try:
        ranking = (await preview_resolution(store, round_, panels=panels)).ranking
    except NoPanels:
        return ()
    rows, cumulative = list[RankingRow](), 0
    for one in ranking:
        bid = bids.get(one.application)
        reaches = scheme is None or one.score >= scheme.review.line
        cumulative += bid.requested if bid is not None and reaches else 0
        rows.append(
            RankingRow(one, bid, cumulative, reaches, reaches and (not plan.budget or cumulative <= plan.budget))
        )
    return tuple(rows)
