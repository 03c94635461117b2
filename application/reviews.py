"""評審: the panels that a reviewer sits on, whom they are to judge, and how far their own sheets are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from application.queries import load_states
from deciding.reader import Reader
from domain.application import Application
from domain.kernel.facts import Reads
from domain.registers.organisation import Organisation
from domain.registers.panel import Panel, PanelStage
from domain.registers.reviewer import place_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from domain.kernel.identifier import Actor, StreamId
    from domain.kernel.scheme import Scheme
    from domain.kernel.state import State
    from store.port import EventStore


@dataclass(frozen=True)
class PanelReview:
    """One panel as one of its reviewers has it before them."""

    stream: StreamId
    stage: str
    panel: Panel
    place: str
    """Where they sit, e.g. ``E3``."""

    @property
    def is_cleared(self) -> bool:
        """Whether they have said that they have no interest: nothing that was handed in is shown before."""
        return self.place in self.panel.cleared

    @property
    def own(self) -> Mapping[str, Decimal]:
        """Application and the mark that they gave it."""
        return {bid: of[self.place] for bid, of in self.panel.sheets.items() if self.place in of}

    @property
    def missing(self) -> tuple[str, ...]:
        """Applications for which their sheet is still to come, in the order of the draw."""
        return self.panel.list_missing(self.place)


@dataclass(frozen=True)
class ReviewedBid:
    """What a reviewer is told of an application in a list."""

    stream: StreamId
    of: Application
    bidders: tuple[str, ...]
    """The names of the organisations behind it, its leader first; the number where no name is recorded."""


async def list_reviews(store: EventStore, seat: Actor) -> list[PanelReview]:
    """The panels at work on which that reviewer sits and from which they were not recused, by their numbers."""
    at_work = [
        standing.stream
        for stage in (PanelStage.DRAWN, PanelStage.SCORING)
        async for standing in store.standings(kind="panel", stage=stage)
    ]
    states = await load_states(store, at_work)
    reviews = (find_review(states[stream], seat) for stream in sorted(states))
    return [one for one in reviews if one is not None]


def find_review(state: State, seat: Actor) -> PanelReview | None:
    """The panel as that reviewer has it before them; None where they do not sit on it, or no more."""
    panel, place = state.part(Panel), place_of(seat)
    if place not in panel.seated or place in panel.barred:
        return None
    return PanelReview(state.stream, state.stage, panel, place)


async def list_bids(store: EventStore, review: PanelReview, only: str | None = None) -> list[ReviewedBid]:
    """What the panel is to score, all of it or ``only`` that application, with who stands behind each."""
    own = review.stream.sibling
    bidders_by_bid = {name: bidders for name, bidders in review.panel.bidders.items() if only in (None, name)}
    names = {name for bidders in bidders_by_bid.values() for name in bidders}
    states = await load_states(
        store, [*(own("project", bid) for bid in bidders_by_bid), *(own("organisation", name) for name in names)]
    )

    def call(name: str) -> str:
        organisation = states.get(own("organisation", name))
        return (organisation.part(Organisation).name if organisation is not None else "") or name

    bids = ((own("project", bid), bidders) for bid, bidders in bidders_by_bid.items())
    return [
        ReviewedBid(stream, states[stream].part(Application), tuple(map(call, bidders)))
        for stream, bidders in bids
        if stream in states
    ]


async def read_scheme(store: EventStore, state: State) -> Scheme | None:
    """The rules by which that panel scores; None where no round says which."""
    round_ = state.stream.sibling("round", state.part(Panel).round or "NONE")
    reader = Reader(store)
    await reader.fetch(Reads(streams=frozenset({round_})))
    return await reader.scheme(state, round_)


def weigh(scheme: Scheme) -> dict[str, int]:
    """The criteria and the points that each is worth, the heaviest first: the log keeps them by name alone."""
    return dict(sorted(scheme.review.rubric.items(), key=lambda one: (-one[1], one[0])))


def list_marks(review: PanelReview, bid: str) -> Sequence[tuple[str, Decimal]]:
    """Everybody's marks for it, the reviewer's own first; nobody else's before all of their own are in (SD7).

    By seat once the panel has reported; until then the seats of others are empty, and the marks go by their size.
    """
    sheets = review.panel.sheets.get(bid, {})
    own = [(review.place, sheets[review.place])] if review.place in sheets else []
    others = [(place, mark) for place, mark in sorted(sheets.items()) if place != review.place]
    if review.missing:
        return own
    return own + (others if review.panel.reported else [("", mark) for mark in sorted(mark for _, mark in others)])
