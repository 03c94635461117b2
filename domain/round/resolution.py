"""審定評審結果: the round is ranked and decided once, for all its bids together (decision 016).

The round's own event is decided here. What it asks of every project is ``domain.project.selection``, and whoever
carries it out appends the round and all the projects as one group, each at the version that the preview showed.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, assert_never

from pydantic import BaseModel, ConfigDict, Field

from domain.kernel.attachment import Attachment
from domain.kernel.bounds import Name
from domain.kernel.canonical import digest, plain
from domain.kernel.decider import Decider
from domain.kernel.facts import Facts, Reads
from domain.kernel.identifier import Reason, Role, Text
from domain.kernel.message import Awaited, Command, Event, Occurrence, Order, Particulars
from domain.kernel.money import Fen, PositiveFen, yuan
from domain.kernel.phrase import word
from domain.kernel.refusal import Checks
from domain.kernel.relation import BUREAU
from domain.kernel.state import State, Transition
from domain.registers.fund import envelope
from domain.registers.panel import SHORTLISTED, Panel
from domain.round.budget import awarded, require_budget
from domain.round.plan import Round
from domain.round.stage import RoundStage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.kernel.calendar import Calendar


class _BidLine(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    application: Annotated[Name, Field(title="申報 / application")]


class Selection(_BidLine):
    """One bid that is to be awarded."""

    project: Annotated[str, Field(pattern=r"^PJ-[A-Za-z0-9-]{1,32}$", title="項目 / project")]
    """Its number as a project."""
    award: Annotated[PositiveFen, Field(title="資助金額 / award")]
    """Fen."""
    funds: Annotated[dict[Name, Fen], Field(max_length=50, title="資金來源 / funds")]
    """Fund and its share, in fen."""
    panel: Annotated[Name, Field(title="評審專家組 / review panel")]
    """The panel that scored it."""


class Omission(_BidLine):
    """One bid that is not chosen, and why."""

    reason: Reason


class RankedBid(_BidLine):
    """Where a bid stands among all of its round."""

    rank: Annotated[int, Field(title="名次 / rank")]
    """From 1; equal totals share a rank."""
    score: Annotated[Decimal, Field(title="得分 / score")]
    """The panel's mark."""
    bonus: Annotated[int, Field(title="加分 / bonus")]
    """Points for a valid rating."""
    total: Annotated[Decimal, Field(title="總分 / total")]
    version: Annotated[int, Field(title="版本 / version")]
    """The version of its stream that this rests on."""
    selected: Annotated[bool, Field(title="入選 / selected")]


class Resolution(Particulars):
    """Which bids are awarded and which are not: every bid that the panels scored is one or the other."""

    panels: Annotated[tuple[Name, ...], Field(max_length=200, min_length=1, title="評審專家組 / review panels")]
    """The panels whose reports it rests on."""
    selected: Annotated[tuple[Selection, ...], Field(max_length=2000, title="入選 / selected")]
    left_out: Annotated[tuple[Omission, ...], Field(max_length=5000, title="未列入 / left out")] = ()
    minutes: Annotated[Attachment, Field(title="會議紀要 / minutes of the meeting")]
    """The minutes of the meeting that resolves it."""
    contact: Annotated[Text | None, Field(title="聯繫方式 / contact")] = None
    """Where an objection is to be lodged: given, all awards are posted at once; an office, never a person."""
    preview: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", title="預覽校驗值 / digest of the preview")]
    """The digest of the ranking that was looked at: if anything has moved since, it is refused."""


class RoundResolved(Resolution, Event):
    """The round is decided."""

    zh = "審定評審結果"
    en = "round decided"
    moves = (
        Transition(
            "RD10",
            (RoundStage.CLOSED,),
            RoundStage.RESOLVED,
            (Role.CAB_REG,),
            "panels reported; every scored bid decided; budget and envelopes suffice; preview still true",
        ),
    )
    ranking: Annotated[tuple[RankedBid, ...], Field(title="排名 / ranking")]


class ResolveRound(Resolution, Command):
    """Decide the round."""

    records = RoundResolved
    en_words = "decide the round"
    acts_for = (BUREAU,)


# ---------------------------------------------------------------- ranking and preview


def rank(panels: Iterable[Panel], versions: dict[str, int], selected: frozenset[str]) -> tuple[RankedBid, ...]:
    """All bids of those panels, best first: by mark and bonus, then by mark, then by number."""
    lines = [
        (mark + panel.bonuses.get(name, 0), mark, panel.bonuses.get(name, 0), name)
        for panel in panels
        for name, mark in panel.results.items()
    ]
    first: dict[Decimal, int] = {}
    for place, total in enumerate(sorted((total for total, *_ in lines), reverse=True), 1):
        first.setdefault(total, place)
    return tuple(
        RankedBid(
            rank=first[total],
            application=name,
            score=mark,
            bonus=bonus,
            total=total,
            version=versions.get(name, 0),
            selected=name in selected,
        )
        for total, mark, bonus, name in sorted(lines, key=lambda line: (-line[0], -line[1], line[3]))
    )


def preview_ranking(
    state: State, facts: Facts, panels: Iterable[str], selected: Iterable[Selection]
) -> tuple[RankedBid, ...]:
    """The ranking as it stands now, with what would be selected: what is shown before anybody resolves."""
    reports = [facts.of(state.stream.sibling("panel", name)).part(Panel) for name in panels]
    names = {name for report in reports for name in report.applications}
    versions = {name: facts.of(state.stream.sibling("project", name)).version for name in names}
    return rank(reports, versions, frozenset(s.application for s in selected))


def digest_preview(ranked: Iterable[RankedBid], selected: Iterable[Selection]) -> str:
    """SHA-256, in hex, over the ranking and what is selected for how much."""
    chosen = sorted((plain(s) for s in selected), key=lambda s: str(s["application"]))
    return digest({"ranking": [plain(r) for r in ranked], "selected": chosen})


# ---------------------------------------------------------------- decide


def reads(state: State, command: ResolveRound) -> Reads:
    """The panels, every bid, and what the envelopes hold."""
    names = {line.application for line in (*command.selected, *command.left_out)}
    panels = {state.stream.sibling("panel", name) for name in command.panels}
    funds = {fund for s in command.selected for fund in s.funds}
    return Reads(
        streams=frozenset(panels | {state.stream.sibling("project", name) for name in names}),
        accounts=frozenset(
            {envelope(state.stream.realm, fund) for fund in funds} | {awarded(state.stream.realm, state.stream.name)}
        ),
    )


def decide(state: State, facts: Facts, _order: Order, command: ResolveRound) -> list[Event]:
    """What an order about the resolution makes happen. Raises CommandRejected."""
    check = Checks()
    match command:
        case ResolveRound():
            _require_every_bid(check, state, facts, command)
            _require_money(check, state, facts, command)
            ranked = preview_ranking(state, facts, command.panels, command.selected)
            check(
                digest_preview(ranked, command.selected) == command.preview,
                "RD10",
                "預覽後數據有變化，請重新預覽並核對",
                "data has changed since the preview; preview again",
            )
            return check.grant(RoundResolved.of(command, ranking=ranked))
        case _:
            assert_never(command)


def _require_every_bid(check: Checks, state: State, facts: Facts, command: ResolveRound) -> None:
    """Every bid before the panels is selected or left out, once; and each still waits for its decision."""
    scored_by: dict[str, str] = {}
    for name in command.panels:
        panel = facts.of(state.stream.sibling("panel", name)).part(Panel)
        check(
            panel.reported and panel.round == state.stream.name,
            "RD10",
            "{name} 尚未就 {round} 出具評審報告",
            "{name} has not issued its report for {round}",
            name=name,
            round=state.stream.name,
        )
        scored_by |= dict.fromkeys(panel.applications, name)
    for line in command.selected:
        check(
            scored_by.get(line.application, line.panel) == line.panel,
            "RD10",
            "{application} 所列評審專家組 {panel} 不符，應為 {scored_by}",
            "{application} names {panel}; it was scored by {scored_by}",
            application=line.application,
            panel=line.panel,
            scored_by=scored_by.get(line.application),
        )
    listings = Counter(line.application for line in (*command.selected, *command.left_out))
    twice, missing, unknown = (
        sorted(n for n, times in listings.items() if times > 1),
        sorted(scored_by.keys() - listings.keys()),
        sorted(listings.keys() - scored_by.keys()),
    )
    check(not twice, "RD10", "{twice} 重複列出", "{twice} are listed twice", twice=twice)
    check(not missing, "RD10", "{missing} 尚未作出決定", "{missing} have not been decided", missing=missing)
    check(not unknown, "RD10", "{unknown} 未經評審", "{unknown} were not scored", unknown=unknown)
    for name in sorted(listings):
        stage = facts.of(state.stream.sibling("project", name)).stage
        check(
            stage == SHORTLISTED,
            "RD10",
            "{name} 目前為「{stage}」，須為「{shortlisted}」",
            "{name} is {stage}; it must have {shortlisted}",
            name=name,
            stage=stage,
            shortlisted=word("初審通過", "passed preliminary review"),
        )


def _require_money(check: Checks, state: State, facts: Facts, command: ResolveRound) -> None:
    """M5 over all awards together: the round's budget, and every envelope."""
    round_, total = state.part(Round), sum(s.award for s in command.selected)
    if round_.approvals:
        granted = facts.balance(awarded(state.stream.realm, state.stream.name))
        require_budget(check, state.stream.name, round_.budget, granted, total, "M5")
    shares: Counter[str] = Counter()
    for line in command.selected:
        shares.update(line.funds)
        check(
            sum(line.funds.values()) == line.award,
            "M1",
            "{application} 各資金份額合計須等於資助金額 {award}",
            "the shares of {application} must add up to its award of {award}",
            application=line.application,
            award=yuan(line.award),
        )
    for fund, share in sorted(shares.items()):
        left = facts.balance(envelope(state.stream.realm, fund))
        check(
            share <= left,
            "M5",
            "{fund} 額度餘 {left}，不足 {share}",
            "{fund} has {left} left, which does not cover {share}",
            fund=fund,
            left=yuan(left),
            share=yuan(share),
        )


def evolve(state: State, _of: Occurrence, event: RoundResolved) -> State:
    """Keep nothing: the stage says it, the projects say the rest."""
    match event:
        case RoundResolved():
            return state
        case _:
            assert_never(event)


def awaiting(state: State, _calendar: Calendar) -> Iterable[Awaited]:
    """The resolution, once the call has closed."""
    if state.stage == RoundStage.CLOSED:
        yield Awaited((Role.CAB_REG,), "ResolveRound", "", "評審後作出決議", "resolve the round after the review")


DECIDER = Decider(
    name="resolution",
    zh="審定評審結果",
    commands=(ResolveRound,),
    events=(RoundResolved,),
    decide=decide,
    evolve=evolve,
    reads=reads,
    awaiting=awaiting,
)
