"""可復算的專家抽取: a seed committed to before, opened after a public moment; anybody can draw the panel again.

Who commits knows the seed and not the public value; who knows both can choose nothing any more. The bytes are told in
docs/draw.md, with a script that shares no code with this.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, assert_never, get_args

from pydantic import Field

from domain.application import Application
from domain.kernel.attachment import Evidence
from domain.kernel.bounds import Moment, Name
from domain.kernel.calendar import local_day
from domain.kernel.decider import PROPOSALS, Aggregate, Decider
from domain.kernel.effects import Claim, Effect, Release
from domain.kernel.facts import Facts, Reads, require_scheme
from domain.kernel.identifier import Actor, Reason, Role, StreamId, Text
from domain.kernel.message import Awaited, Command, Event, Occurrence, Order, Particulars
from domain.kernel.refusal import Checks
from domain.kernel.relation import BUREAU
from domain.kernel.state import Part, State, Transition
from domain.registers import panel
from domain.registers.interest import require_impartial
from domain.registers.panel import (
    SHORTLISTED,
    DrawPanel,
    Opening,
    Panel,
    PanelDrawn,
    PanelStage,
    ReviewerPool,
    choose_reviewers,
    draw_key,
    list_bids,
    list_registers,
    require_bidders,
    require_odd,
)
from domain.registers.reviewer import Seat, seat_of_place
from domain.registers.roster import MOST_EXPERTS, Roster

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from domain.kernel.acting import PersonId
    from domain.kernel.calendar import Calendar

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def commitment_to(seed: str) -> str:
    """What is published of a seed before the draw: SHA-256 of its 64 hex digits, in hex."""
    return sha256(seed.encode()).hexdigest()


def pool_digest(pool: Iterable[str]) -> str:
    """SHA-256 of who could be drawn: their places by number, each on a line, joined by one line feed."""
    return sha256("\n".join(sorted(pool, key=_number)).encode()).hexdigest()


def rank(seed: str, public_value: str, pool: Iterable[str]) -> tuple[str, ...]:
    """Everybody who could be drawn, in the order drawn: by SHA-256 of seed, public value, digest of all, and place."""
    places = tuple(pool)
    key = f"{seed}\n{public_value}\n{pool_digest(places)}\n"
    return tuple(sorted(places, key=lambda place: sha256(f"{key}{place}".encode()).digest()))


def _number(place: str) -> int:
    return int(place.removeprefix("E"))


# ---------------------------------------------------------------- 承諾


class Commitment(Particulars):
    """What the draw is for, from which roster, and what fixes its outcome before anybody can know it."""

    round: Annotated[Name, Field(title="屆（年度） / round")]
    applications: Annotated[
        tuple[Name, ...], Field(max_length=2000, min_length=1, title="參評申報 / applications to be scored")
    ]
    roster: Annotated[Name, Field(title="名冊 / roster")]
    places: Annotated[int, Field(ge=1, le=99, title="席位數 / seats to fill")]
    commitment: Annotated[Sha256, Field(title="種子的 SHA-256 / SHA-256 of the seed")]
    public_source: Annotated[Text, Field(title="公開數值來源 / source of the public value")]
    """What will publish a value that nobody here can choose, e.g. the draw of a lottery of that day."""
    public_at: Annotated[Moment, Field(title="公開時刻 / public moment")]
    witness: Annotated[Actor | None, Field(title="監督人 / witness")] = None


class DrawCommitted(Commitment, Event):
    """The outcome is fixed, and nobody knows it: the seed by its hash, who can be drawn by name."""

    zh = "抽取承諾"
    en = "draw committed to"
    moves = (
        Transition(
            "DW01",
            (PanelStage.NONE,),
            PanelStage.COMMITTED,
            (Role.CAB_REG,),
            "seats odd and enough; as many on the roster without an interest; the public moment lies ahead",
        ),
    )
    bidders: Annotated[dict[str, tuple[str, ...]], Field(title="申報單位 / applicants")]
    pool: Annotated[tuple[Seat, ...], Field(max_length=MOST_EXPERTS, title="可抽專家 / who can be drawn")]
    """On the roster, not suspended, with no registered interest in any applicant; by number."""
    pool_digest: Annotated[Sha256, Field(title="可抽專家的 SHA-256 / SHA-256 of who can be drawn")]
    left_out: dict[Seat, Annotated[str, Field(max_length=8)]] = Field(
        max_length=MOST_EXPERTS, default_factory=dict, title="未列入者 / left out"
    )
    """Who is on the roster and cannot be drawn, and the rule that says so."""

    def effects(self, stream: StreamId) -> Iterable[Effect]:
        """No other draw is committed to for these applications meanwhile: there is nothing to choose from."""
        for name in self.applications:
            yield Claim(draw_key(stream, name), stream)


class CommitDraw(Commitment, Command):
    """Commit to a draw."""

    records = DrawCommitted
    en_words = "commit to a draw"
    acts_for = (BUREAU,)


class Reveal(Particulars):
    """The seed, and what was published at the public moment."""

    seed: Annotated[Sha256, Field(title="種子 / seed")]
    public_value: Annotated[
        str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z +,:./-]{0,199}$", title="公開數值 / public value")
    ]


class OpenDraw(Reveal, Command):
    """Open the draw: from then on anybody can draw the same panel."""

    records = PanelDrawn
    by = (Role.CAB_REG,)
    during = (PanelStage.COMMITTED,)
    rule = "DW03"
    en_words = "open a draw"
    acts_for = (BUREAU,)


class Abandonment(Particulars):
    """Why nobody is drawn, with evidence."""

    reason: Reason
    attachments: Evidence


class DrawAbandoned(Abandonment, Event):
    """Nobody is drawn; that it was committed to stays on record."""

    zh = "抽取作廢"
    moves = (
        Transition(
            "DW02",
            (PanelStage.COMMITTED,),
            PanelStage.ABANDONED,
            (Role.CAB_REG,),
            "evidence; two persons, one of the leadership",
        ),
    )
    applications: Annotated[tuple[Name, ...], Field(max_length=2000, title="參評申報 / applications to be scored")]

    def effects(self, stream: StreamId) -> Iterable[Effect]:
        """The applications may be drawn for again."""
        for name in self.applications:
            yield Release(draw_key(stream, name), stream)


class AbandonDraw(Abandonment, Command):
    """Give up a draw that was committed to."""

    records = DrawAbandoned
    acts_for = (BUREAU,)
    persons_needed = 2
    confirmed_by = (Role.CAB_DEC,)


Commands = CommitDraw | OpenDraw | AbandonDraw
Events = DrawCommitted | DrawAbandoned


@dataclass(frozen=True)
class DrawCommitment(Part):
    """The draw as it was committed to; None before."""

    event: DrawCommitted | None = None


def governed_by(state: State, command: Command) -> StreamId | None:
    """The round whose rules govern the panel."""
    round_ = command.round if isinstance(command, DrawPanel | CommitDraw) else state.part(Panel).round
    return state.stream.sibling("round", round_) if round_ else None


def reads(state: State, command: Commands) -> Reads:
    """The roster, the bids, who else draws for them; on opening, who sits on the seats of all who could be drawn."""
    committed = state.part(DrawCommitment).event
    match command:
        case CommitDraw(applications=applications):
            keys = frozenset(draw_key(state.stream, name) for name in applications)
            return list_bids(state, applications) | _read_roster(state, command.roster) | Reads(claims=keys)
        case OpenDraw() if committed is not None:
            seats = list_registers(state, committed.pool)
            return list_bids(state, committed.applications) | _read_roster(state, committed.roster) | seats
        case OpenDraw() | AbandonDraw():
            return Reads()
        case _:
            assert_never(command)


def _read_roster(state: State, roster: str) -> Reads:
    return Reads(streams=frozenset({state.stream.sibling("roster", roster)}))


def decide(state: State, facts: Facts, order: Order, command: Commands) -> list[Event]:
    """What an order about a draw makes happen. Raises CommandRejected."""
    check, committed = Checks(), state.part(DrawCommitment).event
    match command:
        case CommitDraw():
            return _commit(check, state, facts, order, command)
        case OpenDraw():
            if committed is None:
                raise check.refuse()  # no such stage: the policy has said so
            return _open(check, state, facts, order, (command, committed))
        case AbandonDraw():
            applications = committed.applications if committed is not None else ()
            return check.grant(DrawAbandoned.of(command, applications=applications))
        case _:
            assert_never(command)


def _commit(check: Checks, state: State, facts: Facts, order: Order, command: CommitDraw) -> list[Event]:
    """DW01, P4: as a panel that is entered, and what makes its outcome nobody's choice."""
    bidders = require_bidders(check, state, facts, command.round, command.applications)
    scheme = require_scheme(check, facts)
    require_odd(check, command.places)
    check(
        command.places >= scheme.review.panel,
        "P4",
        "專家 {seats_count} 人，至少須 {panel} 人",
        "{seats_count} reviewers were drawn; at least {panel} are needed",
        seats_count=command.places,
        panel=scheme.review.panel,
    )
    elsewhere = sorted(
        name for name in command.applications if facts.holders(draw_key(state.stream, name)) - {str(state.stream)}
    )
    check(
        not elsewhere,
        "DW01",
        "{names} 已有一次抽取承諾，開啟或作廢之前不得另行承諾",
        "a draw for {names} is committed to already; open or abandon it first",
        names=elsewhere,
    )
    check(
        command.public_at > order.at,
        "DW01",
        "公開時刻須在承諾之後",
        "the public moment must lie ahead",
    )
    pool, left_out = _divide(state, facts, order, command, bidders, scheme.review.recusal_months)
    check(
        len(pool) >= command.places,
        "DW01",
        "名冊 {roster} 可抽專家 {count} 人，席位 {places}",
        "{count} experts on {roster} can be drawn for {places} seats",
        roster=command.roster,
        count=len(pool),
        places=command.places,
    )
    return check.grant(
        DrawCommitted.of(command, bidders=bidders, pool=pool, pool_digest=pool_digest(pool), left_out=left_out)
    )


def _divide(
    state: State, facts: Facts, order: Order, command: CommitDraw, bidders: dict[str, tuple[str, ...]], months: int
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Who can be drawn, and who is left out by which rule."""
    roster = facts.of(state.stream.sibling("roster", command.roster)).part(Roster)
    organisations = {name for names in bidders.values() for name in names}
    bars = {
        expert: roster.find_bar(expert, organisations, months, local_day(order.at))
        for expert in sorted(roster.experts, key=_number)
    }
    return tuple(expert for expert, bar in bars.items() if not bar), {e: bar for e, bar in bars.items() if bar}


def _open(check: Checks, state: State, facts: Facts, order: Order, both: tuple[OpenDraw, DrawCommitted]) -> list[Event]:
    """DW03: after the public moment, with the seed committed to; the rest follows."""
    command, committed = both
    check(
        order.at >= committed.public_at,
        "DW03",
        "公開時刻 {public_at} 未到",
        "the public moment, {public_at}, has not come",
        public_at=committed.public_at,
    )
    check(
        commitment_to(command.seed) == committed.commitment,
        "P7",
        "種子的 SHA-256 與所承諾者不符",
        "the SHA-256 of the seed is not the one committed to",
    )
    remaining = {name: names for name, names in committed.bidders.items() if _is_up(state, facts, name)}
    check(remaining, "DW03", "所列申報均已退出評審", "none of the applications is up for review any more")
    scheme = require_scheme(check, facts)
    months = scheme.review.recusal_months
    ranking = rank(command.seed, command.public_value, committed.pool)
    body = Panel(round=committed.round, bidders=remaining)
    chosen, passed_over = choose_reviewers(
        state, facts, order, body, ReviewerPool(committed.roster, months, ranking, (), committed.places)
    )
    check(
        len(chosen) == committed.places,
        "DW03",
        "可到席專家 {count} 人，席位 {places}",
        "{count} experts may sit; there are {places} seats",
        count=len(chosen),
        places=committed.places,
    )
    opening = Opening.model_construct(
        roster=committed.roster,
        seed=command.seed,
        public_value=command.public_value,
        ranking=ranking,
        passed_over=passed_over,
    )
    return check.grant(
        PanelDrawn.of(
            committed,
            applications=tuple(remaining),
            seats=chosen,
            bidders=remaining,
            opening=opening,
            **panel.read_stages(scheme),
        )
    )


def _is_up(state: State, facts: Facts, application: str) -> bool:
    file = facts.of(state.stream.sibling("project", application))
    return file.stage == SHORTLISTED or file.part(Application).rescoring


def evolve(state: State, _of: Occurrence, event: Events) -> State:
    """Keep what was committed to, and the panel that is to be drawn; to abandon it changes the stage alone."""
    match event:
        case DrawCommitted():
            return state.with_parts(DrawCommitment(event), Panel(round=event.round, bidders=event.bidders))
        case DrawAbandoned():
            return state
        case _:
            assert_never(event)


def awaiting(state: State, _calendar: Calendar) -> Iterable[Awaited]:
    """That it is opened, once the public moment has come."""
    committed = state.part(DrawCommitment).event
    if state.stage == PanelStage.COMMITTED and committed is not None:
        zh, en = "公開時刻之後開啟抽取", "open the draw after the public moment"
        yield Awaited((Role.CAB_REG,), "OpenDraw", "", zh, en, committed.public_at)


def _name_bidders(order: Order, state: State, facts: Facts) -> frozenset[str]:
    """P1: every organisation behind any bid before the panel, not behind one of them only."""
    if isinstance(order.command, DrawPanel | CommitDraw):
        files = (facts.of(state.stream.sibling("project", name)) for name in order.command.applications)
        return frozenset(name for file in files for name in file.part(Application).bidders)
    return frozenset(name for names in state.part(Panel).bidders.values() for name in names)


def _list_candidates(order: Order, state: State, facts: Facts) -> Mapping[Actor, frozenset[PersonId]]:
    """Whoever acts, and whoever may come in by the order drawn: of them it must be known in whom they have a stake."""
    committed, opening = state.part(DrawCommitment).event, state.part(Panel).opening
    candidates: tuple[str, ...] = ()
    match order.command:
        case OpenDraw() if committed is not None:
            candidates = committed.pool
        case panel.RecuseReviewer() if opening is not None:
            candidates = opening.ranking
        case _:
            pass
    holders = panel.find_holders(state, facts, order, candidates)
    return {**{seat_of_place(seat): some for seat, some in holders.items()}, **panel.list_judges(order, state, facts)}


DECIDER = Decider(
    name="draw",
    zh="專家抽取",
    commands=get_args(Commands),
    events=get_args(Events),
    decide=decide,
    evolve=evolve,
    reads=reads,
    awaiting=awaiting,
)

PANEL = Aggregate(
    kind="panel",
    zh="評審專家組",
    en="review panel",
    en_many="review panels",
    deciders=(panel.DECIDER, DECIDER, PROPOSALS),
    final=frozenset({PanelStage.NONE, PanelStage.REPORTED, PanelStage.ABANDONED}),
    governed_by=governed_by,
    impartiality=replace(
        require_impartial("SD5", _name_bidders, _list_candidates),
        refuse=require_impartial("SD5", _name_bidders, panel.list_judges).refuse,
    ),
    summary=lambda state: {"round": state.part(Panel).round, "applications": list(state.part(Panel).applications)},
)
