"""A round's resolution for people: the ranking as it stands, what selecting these bids would mean, and the command."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from deciding.reader import Reader
from domain.kernel.canonical import plain
from domain.kernel.facts import Facts, Reads
from domain.kernel.failure import Failure, FailureKind
from domain.kernel.state import State
from domain.kernel.summary import Summary
from domain.registers.fund import envelope
from domain.registers.panel import Panel
from domain.round.budget import awarded
from domain.round.plan import Round
from domain.round.resolution import Omission, ResolveRound, Selection, digest_preview, preview_ranking

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from application.door import Door, Receipt
    from domain.kernel.attachment import Attachment
    from domain.kernel.identifier import Actor, StreamId
    from domain.round.resolution import RankedBid
    from store.port import EventStore


class NoPanels(Failure):
    """No panel of that round has been drawn."""

    kind = FailureKind.NOT_FOUND
    remedy_zh = "先抽取評審專家組並出具評審報告"
    remedy_en = "Draw its panels and have them report first"

    def __init__(self, round_: StreamId) -> None:
        super().__init__(f"{round_} 沒有評審專家組", f"{round_} has no panel", round=round_)


@dataclass(frozen=True)
class Purse:
    """Money that awards are drawn from: a fund's envelope, or the round's approved budget."""

    name: str
    left_fen: int
    drawn_fen: int
    """What the selected bids would take of it."""

    @property
    def is_enough(self) -> bool:
        """Whether what is left covers what is drawn."""
        return self.drawn_fen <= self.left_fen

    def as_json(self) -> dict[str, Any]:
        """As JSON: sums in fen, and whether the money suffices."""
        return {**asdict(self), "suffices": self.is_enough}


@dataclass(frozen=True)
class ResolutionPreview:
    """All bids of the round by rank, what is selected among them, and the digest that the command must repeat."""

    round: StreamId
    panels: tuple[str, ...]
    ranking: tuple[RankedBid, ...]
    selected: tuple[Selection, ...]
    digest: str

    @property
    def awards_fen(self) -> int:
        """What all selected bids are awarded together."""
        return sum(selection.award for selection in self.selected)

    @property
    def left_out(self) -> tuple[str, ...]:
        """The bids that are not selected, by rank: each needs a reason."""
        return tuple(ranked.application for ranked in self.ranking if not ranked.selected)

    def as_json(self) -> dict[str, Any]:
        """As JSON: sums in fen; ``preview`` is the digest that the command carries."""
        return {
            "round": self.round,
            "panels": list(self.panels),
            "ranking": [plain(ranked) for ranked in self.ranking],
            "selected": [plain(selection) for selection in self.selected],
            "awards_fen": self.awards_fen,
            "left_out": list(self.left_out),
            "preview": self.digest,
        }

    def command(self, minutes: Attachment, reasons: dict[str, str], contact: str | None = None) -> ResolveRound:
        """The command: refused by the rules if anything moves before it is carried out."""
        return ResolveRound(
            panels=self.panels,
            selected=self.selected,
            left_out=tuple(Omission(application=name, reason=reason) for name, reason in reasons.items()),
            minutes=minutes,
            contact=contact,
            preview=self.digest,
        )


async def preview_resolution(
    store: EventStore, round_: StreamId, selected: Sequence[Selection] = (), panels: Sequence[str] = ()
) -> ResolutionPreview:
    """What would be decided now: by those panels, or by all that were drawn for the round. Raises NoPanels."""
    names = tuple(sorted(panels or await _panels(store, round_)))
    if not names:
        raise NoPanels(round_)
    reader = Reader(store)
    streams = frozenset({round_, *(round_.sibling("panel", name) for name in names)})
    await reader.fetch(Reads(streams=streams))
    reports = (reader.states[round_.sibling("panel", name)].part(Panel) for name in names)
    bids = {round_.sibling("project", bid) for report in reports for bid in report.applications}
    versions = {row.stream: State(row.stream, version=row.version) for row in await store.standings_of(bids)}
    # of a bid the ranking wants no more than the version that it rests on
    facts = Facts(streams={**versions, **{stream: reader.states[stream] for stream in streams}})
    ranking = preview_ranking(reader.states[round_], facts, names, selected)
    return ResolutionPreview(round_, names, ranking, tuple(selected), digest_preview(ranking, selected))


async def list_purses(store: EventStore, draft: ResolutionPreview) -> list[Purse]:
    """What the selected bids would take of each fund and of the round's budget, beside what is left there."""
    shares: Counter[str] = Counter()
    for selection in draft.selected:
        shares.update(selection.funds)
    accounts = {fund: envelope(draft.round.realm, fund) for fund in sorted(shares)}
    taken = awarded(draft.round.realm, draft.round.name)
    reader = Reader(store)
    await reader.fetch(Reads(streams=frozenset({draft.round}), accounts=frozenset({*accounts.values(), taken})))
    purses = [Purse(fund, reader.balances.get(key, 0), shares[fund]) for fund, key in accounts.items()]
    round_ = reader.states[draft.round].part(Round)
    if round_.approvals:
        purses.append(Purse(draft.round.name, round_.budget - reader.balances.get(taken, 0), draft.awards_fen))
    return purses


async def resolve_round(
    door: Door,
    draft: ResolutionPreview,
    command: ResolveRound,
    actor: Actor,
    *,
    command_id: UUID | None = None,
    at: datetime | None = None,
) -> Receipt:
    """Resolve the round by one command, over all its bids. Raises as ``Door.send`` does."""
    return await door.send(draft.round, command, actor, command_id=command_id, at=at)


async def _panels(store: EventStore, round_: StreamId) -> list[str]:
    """The panels that were drawn for that round."""
    rows = [row async for row in store.standings(kind="panel", realm=round_.realm)]
    return [row.stream.name for row in rows if Summary.read(row.summary).particulars.get("round") == round_.name]
