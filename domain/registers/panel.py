"""評審專家組: drawn, freed of everybody with an interest, scoring, reporting (P1, P4). One panel scores many bids."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Annotated, assert_never, get_args

from pydantic import AfterValidator, ConfigDict, Field

from domain.application import Application
from domain.kernel.acting import Acting
from domain.kernel.bounds import Date, Keyword, Name
from domain.kernel.calendar import local_day, months_after
from domain.kernel.decider import Aggregate, Decider
from domain.kernel.facts import Facts, Reads, require_scheme
from domain.kernel.identity import LIVE, Actor, Attachments, Reason, Role, StreamId, Text
from domain.kernel.message import Awaited, Command, Event, Occurrence, Order, Particulars
from domain.kernel.policy import Sides
from domain.kernel.refusal import Checks
from domain.kernel.relation import BUREAU, Names, Relation
from domain.kernel.restriction import Restricted, Restriction
from domain.kernel.scope import ScopeKind
from domain.kernel.state import NONE, SAME, Part, State, Transition
from domain.kernel.words import Words
from domain.registers.interest import list_whoever_acts, require_impartial
from domain.registers.organisation import Organisation
from domain.registers.seat import Seat as RegisteredSeat
from domain.registers.seat import seat_stream
from domain.round.plan import list_hosts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from domain.kernel.acting import PersonId
    from domain.kernel.calendar import Calendar
    from domain.kernel.scheme import Scheme

SHORTLISTED = "SHORTLISTED"
"""The stage of an application that a panel may score; the stages of a project lie above this room."""

_FEWEST_TO_DROP = 5
"""Highest and lowest are left out only of five sheets or more (§2.3 aggregation)."""
_HUNDREDTH = Decimal("0.01")


class PanelStage(Words):
    """Where a panel stands."""

    NONE = NONE, "尚未建立", "not started"
    DRAWN = "DRAWN", "已抽取", "drawn"
    SCORING = "SCORING", "評分中", "scoring"
    REPORTED = "REPORTED", "已出報告", "reported"


def _seat(text: str) -> str:
    if re.fullmatch(r"E[1-9][0-9]{0,8}", text) is None:
        message = f"{text[:10]!r}: 席位寫作 E1、E2… / write a seat as E1; the person is EXPERT#1"
        raise ValueError(message)
    return text


Seat = Annotated[str, AfterValidator(_seat), Field(max_length=10)]
"""A seat by the number of its expert: in ``E3`` sits ``EXPERT#3``."""


def person(seat: str) -> Actor:
    """Who sits there."""
    return Actor(f"EXPERT#{seat[1:]}")


def seat_of(actor: Actor) -> str:
    """Where that expert would sit."""
    return f"E{actor.number}"


Mark = Annotated[Decimal, Field(ge=0, le=100, max_digits=5, decimal_places=2)]
"""Points out of 100, at most two decimals."""


# ---------------------------------------------------------------- whose business a panel is


def _name_host(state: State, facts: Facts, _command: object) -> Names:
    return list_hosts(facts.of(state.stream.sibling("round", state.part(Panel).round or "NONE")))


def _read_round(state: State, _command: object) -> Reads:
    round_ = state.part(Panel).round
    return Reads(streams=frozenset({state.stream.sibling("round", round_)})) if round_ else Reads()


REVIEWER = Relation(
    "panel.reviewer",
    "抽取在席（含已回避）的專家，以其名冊編號為準",
    "a reviewer who was drawn, by the number in the roster, those recused included",
    ScopeKind.ROSTER,
    "",
    lambda state, _facts, _command: frozenset(state.part(Panel).seated) | state.part(Panel).barred,
)

HOST = Relation(
    "panel.host",
    "屆次的承辦單位；屆次未載明者，任何承辦單位",
    "the host of the round; where the round names none, any managing agency",
    ScopeKind.PARTY,
    "AF05",
    _name_host,
    _read_round,
    frozenset({Role.HOST}),
)


# ---------------------------------------------------------------- 抽取


class Draw(Particulars):
    """Who was drawn, for which applications, before whom."""

    round: Annotated[Name, Field(title="屆次 / round")]
    applications: Annotated[
        tuple[Name, ...], Field(max_length=2000, min_length=1, title="參評申報 / applications to be scored")
    ]
    """The applications to be scored, e.g. ``AP-1``."""
    seats: Annotated[tuple[Seat, ...], Field(max_length=99, title="專家席位 / seats")]
    witness: Annotated[Actor | None, Field(title="監督人 / witness")] = None
    """Who watched the draw."""


class PanelDrawn(Draw, Event):
    """The panel stands; from now on its experts say whose interest touches theirs."""

    zh = "抽取評審專家"
    moves = (
        Transition(
            "RP01",
            (PanelStage.NONE,),
            PanelStage.DRAWN,
            (Role.CAB_REG,),
            "seats odd and enough; every application passed preliminary review",
        ),
    )
    bidders: Annotated[dict[str, tuple[str, ...]], Field(title="申報單位 / applicants")]
    """Application and the organisations behind it."""


class DrawPanel(Draw, Command):
    """Draw the panel."""

    records = PanelDrawn
    acts_for = (BUREAU,)


# ---------------------------------------------------------------- 回避


class ConflictKind(Words):
    """What ties a reviewer to an organisation (§2.3 recusal)."""

    EMPLOYMENT_24M = "EMPLOYMENT_24M", "近24個月內任職", "employed there within 24 months"
    BOARD_24M = "BOARD_24M", "近24個月內任理事或監事", "on the board within 24 months"
    PAYMENT_24M = "PAYMENT_24M", "近24個月內領取報酬", "paid work within 24 months"
    KIN = "KIN", "親屬", "kin"
    OTHER = "OTHER", "其他", "other"

    @property
    def lapses(self) -> bool:
        """Whether time heals it: what has ended long enough ago does not bar."""
        return self in (ConflictKind.EMPLOYMENT_24M, ConflictKind.BOARD_24M, ConflictKind.PAYMENT_24M)


class Conflict(Particulars):
    """What ties the expert to whom."""

    organisation: Annotated[Name, Field(title="組織 / organisation"), Restricted(Restriction.INTEREST)]
    kind: Annotated[ConflictKind, Field(title="類別 / kind"), Restricted(Restriction.INTEREST)]
    ended_on: Annotated[Date | None, Field(title="結束於 / ended on"), Restricted(Restriction.INTEREST)] = None
    """The last day of the tie; None if it still holds."""


class ConflictDeclared(Conflict, Event):
    """An expert has declared an interest."""

    zh = "利害關係申報"
    en = "interest declared"
    moves = (Transition("RP02", (PanelStage.DRAWN, PanelStage.SCORING), SAME, (Role.EXPERT,), "seated on this panel"),)
    bars: Annotated[bool, Field(title="須回避 / bars from scoring")]
    """Whether the expert may not score: the organisation bids here, and the tie holds or is too recent."""
    recusal_months: Annotated[int, Field(title="回避期（月） / recusal (months)")]
    """How many months a tie counts after it has ended."""


class DeclareConflict(Conflict, Command):
    """Declare an interest."""

    records = ConflictDeclared
    en_words = "declare an interest"
    acts_for = (REVIEWER,)


class Recusal(Particulars):
    """Who leaves and who takes the seat."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    out: Annotated[Seat, Field(title="回避專家 / recused")]
    in_: Annotated[Seat | None, Field(alias="in", title="遞補專家 / replacement")] = None
    """The substitute; without one the panel must still be odd (P4)."""
    reason: Annotated[Reason | None, Restricted(Restriction.INTEREST)] = None


class ReviewerRecused(Recusal, Event):
    """The expert has left the panel for good."""

    zh = "回避及遞補"
    en = "recused and replaced"
    moves = (
        Transition(
            "RP03",
            (PanelStage.DRAWN, PanelStage.SCORING),
            SAME,
            (Role.CAB_REG,),
            "before any score; panel odd afterwards",
        ),
    )


class RecuseReviewer(Recusal, Command):
    """Let an expert leave the panel."""

    records = ReviewerRecused
    acts_for = (BUREAU,)


# ---------------------------------------------------------------- 評分與報告


class Sheet(Particulars):
    """One expert's judgement of one application: a mark, or a mark for each criterion of the rubric."""

    application: Annotated[Name, Field(title="申報 / application")]
    mark: Annotated[Mark | None, Field(title="分數 / mark"), Restricted(Restriction.SHEET)] = None
    criteria: Annotated[dict[Keyword, Mark], Restricted(Restriction.SHEET)] = Field(
        max_length=50, default_factory=dict, title="分項得分 / points by criterion"
    )
    """Criterion and its points, up to its weight; they add up to the mark."""
    comment: Annotated[Text | None, Field(title="意見 / comment"), Restricted(Restriction.SHEET)] = None


class ScoreSubmitted(Sheet, Event):
    """One sheet is in; it can no longer be changed."""

    zh = "專家評分"
    moves = (
        Transition(
            "RP04",
            (PanelStage.DRAWN, PanelStage.SCORING),
            PanelStage.SCORING,
            (Role.EXPERT,),
            "seated, without interest; one sheet an application",
        ),
    )
    mark: Annotated[Mark, Field(title="分數 / mark"), Restricted(Restriction.SHEET)]


class SubmitScore(Sheet, Command):
    """Hand a sheet in."""

    records = ScoreSubmitted
    acts_for = (REVIEWER,)
    subject_field = "application"


class PaperResults(Particulars):
    """The report; results are computed from the sheets unless they were entered on paper only."""

    results: dict[Name, Mark] = Field(max_length=2000, default_factory=dict, title="得分 / results")
    """Application and mark, only where no sheet was entered here."""
    attachments: Attachments = ()


class ReviewReportIssued(PaperResults, Event):
    """The marks are final."""

    zh = "評審報告"
    moves = (
        Transition(
            "RP05",
            (PanelStage.DRAWN, PanelStage.SCORING),
            PanelStage.REPORTED,
            (Role.HOST,),
            "panel quorate; nobody barred is seated",
        ),
    )
    on_paper: Annotated[bool, Field(title="紙質成績 / results from paper")] = False
    """Whether the results were taken from paper: no sheet can be shown for them here."""
    dropped: Annotated[dict[str, tuple[str, ...]], Restricted(Restriction.SHEET)] = Field(
        default_factory=dict, title="剔除分數 / marks left out"
    )
    """Application and the two seats whose marks were left out as highest and lowest."""
    bonuses: dict[str, int] = Field(default_factory=dict, title="評級加分 / rating bonuses")
    """Application and the points that its bidder's rating adds in the ranking (CZ-5)."""


class IssueReviewReport(PaperResults, Command):
    """Issue the report."""

    records = ReviewReportIssued
    acts_for = (HOST,)


Commands = DrawPanel | DeclareConflict | RecuseReviewer | SubmitScore | IssueReviewReport
Events = PanelDrawn | ConflictDeclared | ReviewerRecused | ScoreSubmitted | ReviewReportIssued


# ---------------------------------------------------------------- what is remembered of it


@dataclass(frozen=True)
class Panel(Part):
    """The panel, who sits on it, and what it found."""

    round: str = ""
    bidders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Application and the organisations behind it."""
    seated: tuple[str, ...] = ()
    barred: frozenset[str] = frozenset()
    """Seats whose experts may not score: by their own declaration, or recused."""
    hands: Mapping[str, frozenset[PersonId]] = field(default_factory=dict)
    """Seat and the persons who declared or scored on it, as far as persons are known."""
    sheets: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)
    """Application, seat and mark."""
    took_part: frozenset[Acting] = frozenset()
    """Everybody who drew, recused, scored or reported: none of them may investigate an objection (P5)."""
    results: Mapping[str, Decimal] = field(default_factory=dict)
    """Application and its mark, once reported."""
    bonuses: Mapping[str, int] = field(default_factory=dict)
    reported: bool = False

    @property
    def applications(self) -> tuple[str, ...]:
        """What is to be scored."""
        return tuple(self.bidders)

    @property
    def scored(self) -> bool:
        """Whether any sheet is in."""
        return any(self.sheets.values())

    @property
    def reviewers(self) -> tuple[Acting, ...]:
        """Everybody who scored, in order."""
        return tuple(sorted((one for one in self.took_part if one.seat.role is Role.EXPERT), key=str))


def outcome(sheets: Mapping[str, Decimal], *, drop_extremes: bool) -> tuple[Decimal, tuple[str, ...]]:
    """The mark that the sheets (seat and mark) add up to, half up to two decimals, and the seats left out of it."""
    ordered = sorted(sheets, key=lambda seat: (sheets[seat], seat))
    dropped = (ordered[0], ordered[-1]) if drop_extremes and len(ordered) >= _FEWEST_TO_DROP else ()
    counted = [sheets[seat] for seat in ordered if seat not in dropped]
    mean = sum(counted, Decimal(0)) / len(counted)
    return mean.quantize(_HUNDREDTH, ROUND_HALF_UP), dropped


# ---------------------------------------------------------------- decide


def governed_by(state: State, command: Command) -> StreamId | None:
    """The panel's round."""
    round_ = command.round if isinstance(command, DrawPanel) else state.part(Panel).round
    return state.stream.sibling("round", round_) if round_ else None


def reads(state: State, command: Commands) -> Reads:
    """The applications to be scored; the bidders whose rating may count."""
    match command:
        case DrawPanel(applications=applications, seats=seats):
            return _list_bids(state, applications) | _list_registers(state, seats)
        case IssueReviewReport():
            bidders = {names[0] for names in state.part(Panel).bidders.values() if names}
            return Reads(streams=frozenset(state.stream.sibling("organisation", name) for name in bidders))
        case RecuseReviewer(in_=str() as substitute):
            panel = state.part(Panel)
            return _list_bids(state, panel.applications) | _list_registers(state, (*panel.seated, substitute))
        case SubmitScore(application=application):
            return _list_bids(state, (application,))
        case DeclareConflict() | RecuseReviewer():
            return Reads()
        case _:
            assert_never(command)


def _list_bids(state: State, applications: Iterable[str]) -> Reads:
    return Reads(streams=frozenset(state.stream.sibling("project", name) for name in applications))


def _list_registers(state: State, seats: Iterable[str]) -> Reads:
    """The realm's own register says who sits on the seats of its reviewers."""
    return Reads(streams=frozenset(seat_stream(state.stream.realm, person(seat)) for seat in seats))


def decide(state: State, facts: Facts, order: Order, command: Commands) -> list[Event]:
    """What an order about the panel makes happen. Raises CommandRejected."""
    check, panel, today = Checks(), state.part(Panel), local_day(order.at)
    match command:
        case DrawPanel():
            _require_reviewers(check, state, facts, order, command.seats)
            files = [facts.of(state.stream.sibling("project", name)) for name in command.applications]
            _require_no_part(
                check, state, command.round, facts, files, _find_holders(state, facts, order, command.seats)
            )
            return _draw(check, state, facts, command)
        case DeclareConflict(organisation=organisation):
            scheme = require_scheme(check, facts)
            check(
                seat_of(order.actor) in panel.seated or seat_of(order.actor) not in panel.barred,
                "RP02",
                "{actor} 已回避，不再在席",
                "{actor} was recused and sits on this panel no more",
                actor=order.actor,
            )
            bids = any(organisation in names for names in panel.bidders.values())
            months = scheme.review.recusal_months
            bars = bids and _still_counts(command, months, today)
            return check.grant(ConflictDeclared.of(command, bars=bars, recusal_months=months))
        case RecuseReviewer():
            _require_recusable(check, panel, command)
            if command.in_ is not None:
                _require_reviewers(check, state, facts, order, _seats_after(panel, command))
                files = [facts.of(state.stream.sibling("project", name)) for name in panel.applications]
                substitute = _find_holders(state, facts, order, (command.in_,))
                _require_no_part(check, state, panel.round, facts, files, substitute)
            return check.grant(ReviewerRecused.of(command))
        case SubmitScore():
            _require_scorer(check, panel, order, command)
            files = [facts.of(state.stream.sibling("project", command.application))]
            _require_no_part(check, state, panel.round, facts, files, {seat_of(order.actor): order.persons})
            mark = _total(check, require_scheme(check, facts), command)
            return check.grant(ScoreSubmitted.of(command, mark=mark))
        case IssueReviewReport():
            return _report(check, state, facts, command, today)
        case _:
            assert_never(command)


def _draw(check: Checks, state: State, facts: Facts, command: DrawPanel) -> list[Event]:
    """RP01, P4: odd and enough seats, each once; only applications that passed preliminary review, or wait anew."""
    bidders: dict[str, tuple[str, ...]] = {}
    for name in command.applications:
        file = facts.of(state.stream.sibling("project", name))
        application = file.part(Application)
        check(
            (file.stage == SHORTLISTED or application.rescoring) and application.round == command.round,
            "RP01",
            "{name} 目前為「{stage}」（{round}），須為 {due} 初審通過或待複評的申報",
            "{name} is {stage} in {round}; it must have passed preliminary review in {due}, or be "
            "waiting for re-scoring",
            name=name,
            stage=file.stage,
            round=application.round,
            due=command.round,
        )
        bidders[name] = (application.organisation, *application.partners)
    _require_odd(check, command.seats)
    check(
        len(set(command.seats)) == len(command.seats),
        "P4",
        "同一專家不得佔兩個席位",
        "one reviewer cannot take two seats",
    )
    scheme = require_scheme(check, facts)
    check(
        len(set(command.seats)) >= scheme.review.panel,
        "P4",
        "專家 {seats_count} 人，至少須 {panel} 人",
        "{seats_count} reviewers were drawn; at least {panel} are needed",
        seats_count=len(set(command.seats)),
        panel=scheme.review.panel,
    )
    return check.grant(PanelDrawn.of(command, bidders=bidders))


def _require_odd(check: Checks, seats: Sequence[str]) -> None:
    check(
        len(seats) % 2 == 1,
        "P4",
        "評審專家組 {seats_count} 人，須為奇數",
        "the panel has {seats_count} seats; their number must be odd",
        seats_count=len(seats),
    )


def _still_counts(conflict: Conflict, months: int, today: date) -> bool:
    """Whether the tie holds, or ended less than that many months ago."""
    if conflict.ended_on is None or not conflict.kind.lapses:
        return True
    return today <= months_after(conflict.ended_on, months)


def _require_recusable(check: Checks, panel: Panel, command: RecuseReviewer) -> None:
    """P1: recusal precedes scores. P4: odd afterwards, and nobody in two seats."""
    check(
        not panel.scored,
        "P1",
        "已有評分，不得再行回避；請另抽評審專家組",
        "scores have been given and reviewers can no longer be recused; draw another panel",
    )
    check(
        command.out in panel.seated,
        "RP03",
        "{out} 不在席",
        "{out} is not seated",
        out=command.out,
    )
    check(
        command.in_ is None or command.in_ not in panel.barred,
        "P1",
        "{in_} 已回避，不得遞補",
        "{in_} was recused and cannot be a replacement",
        in_=command.in_,
    )
    check(
        command.in_ not in panel.seated,
        "P4",
        "{in_} 已在席，不得重複",
        "{in_} sits there already",
        in_=command.in_,
    )
    _require_odd(check, _seats_after(panel, command))


def _seats_after(panel: Panel, recusal: Recusal) -> tuple[str, ...]:
    substitute = (recusal.in_,) if recusal.in_ is not None else ()
    return (*(seat for seat in panel.seated if seat != recusal.out), *substitute)


def _list_other_seats(panel: Panel, order: Order) -> list[str]:
    """The seats of the panel on which whoever acts has acted before, besides the one they act on."""
    own = seat_of(order.actor)
    return sorted(seat for seat, persons in panel.hands.items() if seat != own and persons & order.persons)


def _find_holders(state: State, facts: Facts, order: Order, seats: Iterable[str]) -> dict[str, frozenset[PersonId]]:
    """Whose the reviewers' seats are, as far as the realm's register knows them: bare seats of paper are left out."""
    found: dict[str, frozenset[PersonId]] = {}
    for seat in seats:
        known = facts.of(seat_stream(state.stream.realm, person(seat))).part(RegisteredSeat)
        holder = known.holder_at(order.at)
        if known.scope is not None or _is_strict(state, order):
            found[seat] = frozenset() if holder is None else frozenset({holder})
    return found


def _list_judges(order: Order, state: State, facts: Facts) -> Mapping[Actor, frozenset[PersonId]]:
    """Whoever acts, and whom the register knows on the seats that are drawn or come in; anybody may declare a stake."""
    coming: tuple[str, ...] = ()
    match order.command:
        case DeclareConflict():
            return {}
        case DrawPanel(seats=seats):
            coming = seats
        case RecuseReviewer(in_=str() as substitute):
            coming = (substitute,)
        case _:
            pass
    reviewers = _find_holders(state, facts, order, coming)
    return {**{person(seat): some for seat, some in reviewers.items()}, **list_whoever_acts(order, state, facts)}


def _name_bidders(order: Order, state: State, facts: Facts) -> frozenset[str]:
    """P1: every organisation behind any bid before the panel, not behind one of them only."""
    if isinstance(order.command, DrawPanel):
        files = (facts.of(state.stream.sibling("project", name)) for name in order.command.applications)
        return frozenset(name for file in files for name in file.part(Application).bidders)
    return frozenset(name for names in state.part(Panel).bidders.values() for name in names)


def _is_strict(state: State, order: Order) -> bool:
    """Whether a seat that the register does not know is nobody's: there are no bare ones where it is the live one."""
    return order.is_live and state.stream.realm == LIVE


def _require_reviewers(check: Checks, state: State, facts: Facts, order: Order, seats: Sequence[str]) -> None:
    """RP01, P4: somebody sits on each seat of the register, and nobody on two."""
    holders = _find_holders(state, facts, order, dict.fromkeys(seats))
    empty = sorted(seat for seat, persons in holders.items() if not persons)
    check(
        not empty,
        "RP01",
        f"{'、'.join(empty)} 的崗位尚未設立或其上無人，不得抽取",
        f"{', '.join(empty)} cannot be drawn: there is no such seat, or nobody on it",
    )
    persons = [one for some in holders.values() for one in some]
    twice = sorted(seat for seat, some in holders.items() if any(persons.count(one) > 1 for one in some))
    check(
        not twice,
        "P4",
        f"{'、'.join(twice)} 為同一人的崗位，一人一席",
        f"{', '.join(twice)} are one person's; one expert has one seat",
    )


_OFFICERS = frozenset({"bureau", Role.HOST.value, Role.DCAB.value})
"""On whose side an officer of the round stands; everybody else has an interest of their own."""


def _require_no_part(
    check: Checks,
    state: State,
    round_: str,
    facts: Facts,
    bids: Iterable[State],
    reviewers: Mapping[str, frozenset[PersonId]],
) -> None:
    """SD5, SD6: nobody reviews a bid of a round that they have managed, nor one in which they acted for anybody.

    On whatever seat that was, as far as persons are known.
    """
    sides = facts.of(state.stream.sibling("round", round_ or "NONE")).part(Sides).of
    managed = {one for persons in sides.values() for one in persons}
    acted: dict[str, set[PersonId]] = {}
    for bid in bids:
        for side, persons in bid.part(Sides).of.items():
            (managed if side in _OFFICERS else acted.setdefault(bid.stream.name, set())).update(persons)
    officers = sorted(seat for seat, persons in reviewers.items() if persons & managed)
    check(
        not officers,
        "SD6",
        f"{'、'.join(officers)} 的經辦人經手過本屆次或其申報，不得評審",
        f"whoever acts as {', '.join(officers)} has managed this round or a bid of it, and may review none",
    )
    for name, parties in sorted(acted.items()):
        partial = sorted(seat for seat, some in reviewers.items() if some & parties)
        check(
            not partial,
            "SD5",
            f"{'、'.join(partial)} 的經辦人以他方身份辦過 {name}，有利害關係，不得評審",
            f"whoever acts as {', '.join(partial)} has acted for another side in {name}: an interest bars from scoring",
        )


def _require_scorer(check: Checks, panel: Panel, order: Order, command: SubmitScore) -> None:
    """P1, RP04: without an interest, of what is before the panel, once. Who was drawn, the policy asks."""
    actor, seat = order.actor, seat_of(order.actor)
    others = _list_other_seats(panel, order)
    check(
        panel.barred.isdisjoint({seat, *others}),
        "P1",
        "{actor} 與申報單位有利害關係或已回避，不能評分",
        "{actor} has an interest in an applicant or has been recused and cannot score",
        actor=actor,
    )
    scored = [other for other in others if other in panel.sheets.get(command.application, {})]
    check(
        not scored,
        "P4",
        "{actor} 的經辦人已以 {scored} 評過 {application}，一人一席",
        "whoever acts as {actor} has scored {application} as {scored}; one reviewer has one seat",
        actor=actor,
        scored=scored,
        application=command.application,
    )
    check(
        command.application in panel.bidders,
        "RP04",
        "{application} 不在本組評審範圍",
        "{application} is not for this panel to score",
        application=command.application,
    )
    check(
        seat not in panel.sheets.get(command.application, {}),
        "RP04",
        "{actor} 已評過 {application}，評分不得更改",
        "{actor} has scored {application}; a sheet cannot be changed",
        actor=actor,
        application=command.application,
    )


def _total(check: Checks, scheme: Scheme, sheet: SubmitScore) -> Decimal:
    """The mark as given, or as its criteria add up."""
    check(
        (sheet.mark is None) != (not sheet.criteria),
        "RP04",
        "請填總分或各項得分，二者擇一",
        "give either a mark or the points of each criterion",
    )
    if not sheet.criteria:
        return sheet.mark or Decimal(0)
    rubric = scheme.review.rubric
    check(
        sheet.criteria.keys() == rubric.keys(),
        "RP04",
        "評分項須為 {rubric}",
        "the criteria are {rubric}",
        rubric=rubric,
    )
    above = [name for name, points in sheet.criteria.items() if points > rubric.get(name, 100)]
    check(
        not above,
        "RP04",
        "{above} 超過該項滿分",
        "{above} exceed the weight of their criterion",
        above=above,
    )
    return min(sum(sheet.criteria.values(), Decimal(0)), Decimal(100))


def _report(check: Checks, state: State, facts: Facts, command: IssueReviewReport, today: date) -> list[Event]:
    """RP05: nobody barred is seated, as many sheets as the rules ask for; or, with no sheet at all, from paper."""
    panel, scheme = state.part(Panel), require_scheme(check, facts)
    barred = [seat for seat in panel.seated if seat in panel.barred]
    check(
        not barred,
        "P1",
        "{barred} 有利害關係且仍在席，請先辦理回避",
        "{barred} have an interest and are still seated; recuse them first",
        barred=barred,
    )
    bonuses = _bonuses(panel, state, facts, scheme, today)
    if command.results:
        _require_paper_results(check, panel, command)
        results = {name: mark.quantize(_HUNDREDTH) for name, mark in sorted(command.results.items())}
        return check.grant(ReviewReportIssued.of(command, results=results, on_paper=True, bonuses=bonuses))
    for name in panel.applications:
        count = len(panel.sheets.get(name, {}))
        check(
            count >= scheme.review.panel,
            "RP05",
            "{name} 已有 {count} 份評分，須 {panel} 份",
            "{name} has {count} sheets; {panel} are needed",
            name=name,
            count=count,
            panel=scheme.review.panel,
        )
    if check.unmet:
        raise check.refuse()
    outcomes = {
        name: outcome(panel.sheets[name], drop_extremes=scheme.review.drop_extremes) for name in panel.applications
    }
    return [
        ReviewReportIssued.of(
            command,
            results={name: mark for name, (mark, _) in outcomes.items()},
            dropped={name: seats for name, (_, seats) in outcomes.items() if seats},
            bonuses=bonuses,
        )
    ]


def _bonuses(panel: Panel, state: State, facts: Facts, scheme: Scheme, today: date) -> dict[str, int]:
    """D5: a rating adds the points that were applied while it is valid on the day of the report, and no longer."""
    bonuses: dict[str, int] = {}
    for name, names in panel.bidders.items():
        bidder = (
            facts.of(state.stream.sibling("organisation", names[0])).part(Organisation) if names else Organisation()
        )
        rating = bidder.rating(today)
        if rating is not None:
            points = scheme.bidding.rating_bonus.get(rating.level, 0)
            bonuses[name] = min(bidder.bonuses.get(panel.round, 0), points)
    return {name: points for name, points in bonuses.items() if points}


def _require_paper_results(check: Checks, panel: Panel, command: IssueReviewReport) -> None:
    check(
        not panel.scored,
        "RP05",
        "已有電子評分，結果須由評分計算，不得另填",
        "sheets are in; results are computed from them and cannot be entered",
    )
    check(
        command.results.keys() == panel.bidders.keys(),
        "RP05",
        "結果須正好涵蓋 {applications}",
        "the results must cover exactly {applications}",
        applications=[*panel.applications],
    )


# ---------------------------------------------------------------- evolve


def evolve(state: State, of: Occurrence, event: Events) -> State:
    """What is remembered of it after the event."""
    panel = state.part(Panel)
    match event:
        case PanelDrawn():
            after = replace(panel, round=event.round, bidders=event.bidders, seated=event.seats)
            return state.having(_join(after, of.acting))
        case ConflictDeclared():
            barred = {seat_of(of.actor)} if event.bars else set()
            return state.having(replace(_seat_hands(panel, of), barred=panel.barred | barred))
        case ReviewerRecused():
            after = replace(panel, seated=_seats_after(panel, event), barred=panel.barred | {event.out})
            return state.having(_join(after, of.acting))
        case ScoreSubmitted():
            sheets = {**panel.sheets.get(event.application, {}), seat_of(of.actor): event.mark}
            after = replace(_seat_hands(panel, of), sheets={**panel.sheets, event.application: sheets})
            return state.having(_join(after, of.acting))
        case ReviewReportIssued():
            after = replace(panel, results=event.results, bonuses=event.bonuses, reported=True)
            experts = (Acting(person(seat)) for seat in panel.seated) if event.on_paper else ()
            return state.having(_join(after, of.acting, *experts))
        case _:
            assert_never(event)


def _seat_hands(panel: Panel, of: Occurrence) -> Panel:
    if not of.persons:
        return panel
    seat = seat_of(of.actor)
    return replace(panel, hands={**panel.hands, seat: panel.hands.get(seat, frozenset()) | of.persons})


def _join(panel: Panel, *people: Acting) -> Panel:
    return replace(panel, took_part=panel.took_part | set(people))


def awaiting(state: State, _calendar: Calendar) -> Iterable[Awaited]:
    """The recusal of who is barred, the sheets that are missing, then the report."""
    panel = state.part(Panel)
    if state.stage not in (PanelStage.DRAWN, PanelStage.SCORING):
        return
    for seat in panel.seated:
        if seat in panel.barred:
            yield Awaited((Role.CAB_REG,), "RecuseReviewer", seat, f"{seat} 回避及遞補", f"recuse {seat}")
    for name in panel.applications:
        missing = [seat for seat in panel.seated if seat not in panel.sheets.get(name, {})]
        if missing:
            yield Awaited(
                (Role.EXPERT,),
                "SubmitScore",
                name,
                f"{name} 尚缺 {len(missing)} 份評分",
                f"{len(missing)} sheets for {name} are missing",
            )
    yield Awaited((Role.HOST,), "IssueReviewReport", "", "出具評審報告", "issue the report")


DECIDER = Decider(
    name="panel",
    zh="專家評審",
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
    deciders=(DECIDER,),
    final=frozenset({PanelStage.NONE, PanelStage.REPORTED}),
    governed_by=governed_by,
    impartiality=require_impartial("SD5", _name_bidders, _list_judges),
    summary=lambda state: {"round": state.part(Panel).round, "applications": list(state.part(Panel).applications)},
)
