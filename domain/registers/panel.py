"""評審專家組: drawn, freed of everybody with an interest, scoring, reporting (P1, P4). One panel scores many bids."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Annotated, assert_never, get_args

from pydantic import ConfigDict, Field

from domain.application import Application
from domain.kernel.acting import Acting
from domain.kernel.attachment import Attachments
from domain.kernel.bounds import Keyword, Name
from domain.kernel.calendar import local_day
from domain.kernel.decider import Decider
from domain.kernel.effects import Effect, Release
from domain.kernel.facts import Facts, Reads, require_scheme
from domain.kernel.identifier import LIVE, Actor, Reason, Role, StreamId, Text
from domain.kernel.message import Awaited, Command, Event, Occurrence, Order, Particulars
from domain.kernel.phrase import word
from domain.kernel.policy import Sides
from domain.kernel.refusal import Checks, Unmet
from domain.kernel.relation import BUREAU, Names, Relation
from domain.kernel.restriction import Restricted, Restriction
from domain.kernel.scope import ScopeKind
from domain.kernel.state import NONE, SAME, Part, State, Transition
from domain.kernel.words import Words
from domain.registers.interest import list_whoever_acts, require_impartial
from domain.registers.organisation import Organisation
from domain.registers.reviewer import Conflict, Seat, is_counted, place_of, seat_of_place
from domain.registers.roster import Roster
from domain.registers.seat import Seat as RegisteredSeat
from domain.registers.seat import seat_stream
from domain.round.plan import list_hosts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from domain.kernel.acting import PersonId
    from domain.kernel.calendar import Calendar
    from domain.kernel.scheme import Scheme

SHORTLISTED = "SHORTLISTED"
"""The stage of an application that a panel may score; the stages of a project lie above this module."""

_FEWEST_TO_DROP = 5
"""Highest and lowest are left out only of five sheets or more."""
_HUNDREDTH = Decimal("0.01")


class PanelStage(Words):
    """Where a panel stands."""

    NONE = NONE, "尚未建立", "not started"
    COMMITTED = "COMMITTED", "待開啟", "committed"
    """The seed of the draw is fixed and its hash published; nobody knows yet whom it draws."""
    ABANDONED = "ABANDONED", "抽取作廢", "abandoned"
    DRAWN = "DRAWN", "已抽取", "drawn"
    SCORING = "SCORING", "評分中", "scoring"
    REPORTED = "REPORTED", "已出報告", "reported"


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

    round: Annotated[Name, Field(title="屆（年度） / round")]
    applications: Annotated[
        tuple[Name, ...], Field(max_length=2000, min_length=1, title="參評申報 / applications to be scored")
    ]
    """The applications to be scored, e.g. ``AP-1``."""
    seats: Annotated[tuple[Seat, ...], Field(max_length=99, title="專家席位 / seats"), Restricted(Restriction.PANELIST)]
    witness: Annotated[Actor | None, Field(title="監督人 / witness")] = None
    """Who watched the draw."""


class Opening(Particulars):
    """By what anybody can draw the same panel again (docs/draw.md)."""

    roster: Annotated[Name, Field(title="名冊 / roster")]
    seed: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", title="種子 / seed")]
    """64 hex digits; their SHA-256 was published before."""
    public_value: Annotated[
        str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z +,:./-]{0,199}$", title="公開數值 / public value")
    ]
    """What the named source published at the named moment, as it is written there."""
    ranking: Annotated[tuple[Seat, ...], Field(max_length=500, title="抽取次序 / order drawn")]
    """Everybody who could be drawn, in the order drawn: substitutes come in by it."""
    passed_over: dict[Seat, Annotated[str, Field(max_length=8)]] = Field(
        max_length=500, default_factory=dict, title="略過 / passed over"
    )
    """Who came before the last one seated and could not sit, and the rule that says so."""


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
        Transition(
            "DW03",
            (PanelStage.COMMITTED,),
            PanelStage.DRAWN,
            (Role.CAB_REG,),
            "the public moment has come; the seed is the one committed to",
        ),
    )
    bidders: Annotated[dict[str, tuple[str, ...]], Field(title="申報單位 / applicants")]
    """Application and the organisations behind it."""
    opening: Annotated[
        Opening | None, Field(title="抽取憑據 / evidence of the draw"), Restricted(Restriction.PANELIST)
    ] = None
    """None for seats that were drawn elsewhere and entered."""
    declaration: Annotated[bool | None, Field(title="先聲明後評分 / no interest declared before scores")] = None
    """Whether the rules of the day ask each expert to declare before a score; None if they do not."""
    defence: Annotated[bool | None, Field(title="設答辯 / defence")] = None
    """Whether they ask for a defence; None if they do not."""

    def effects(self, stream: StreamId) -> Iterable[Effect]:
        """The applications of a draw that was committed to may be drawn for again, if they are scored anew."""
        if self.opening is not None:
            for name in self.applications:
                yield Release(draw_key(stream, name), stream)


def draw_key(stream: StreamId, application: str) -> str:
    """Held by the draw that is committed to for that application: there are no two to choose from."""
    return f"draw/{stream.realm}/{application}"


class DrawPanel(Draw, Command):
    """Enter who was drawn elsewhere."""

    records = PanelDrawn
    during = (PanelStage.NONE,)
    acts_for = (BUREAU,)


# ---------------------------------------------------------------- 回避


class ConflictDeclared(Conflict, Event):
    """An expert has declared an interest."""

    actor_restriction = Restriction.PANELIST
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


class ImpartialityDeclared(Event):
    """An expert has read who bids and has said to have no interest in any of them; the bids are open to them now."""

    actor_restriction = Restriction.PANELIST
    zh = "無利害關係聲明"
    en = "no interest declared"
    moves = (
        Transition(
            "RP06",
            (PanelStage.DRAWN, PanelStage.SCORING),
            SAME,
            (Role.EXPERT,),
            "seated on this panel, without interest; before the bids are read",
        ),
    )


class DeclareImpartiality(Command):
    """Say that there is no interest to declare, so that the bids may be read."""

    records = ImpartialityDeclared
    en_words = "declare no interest"
    acts_for = (REVIEWER,)


class Recusal(Particulars):
    """Who leaves and who takes the seat."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    out: Annotated[Seat, Field(title="回避專家 / recused"), Restricted(Restriction.PANELIST)]
    in_: Annotated[Seat | None, Field(alias="in", title="遞補專家 / replacement"), Restricted(Restriction.PANELIST)] = (
        None
    )
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


class Invitation(Particulars):
    """When and where applicants are heard, as the notice to them says."""

    attachments: Attachments = ()


class DefenceListed(Invitation, Event):
    """The written review is over; these applications are heard, and scored a second time."""

    zh = "答辯入圍"
    en = "applications listed for defence"
    moves = (
        Transition("RP07", (PanelStage.SCORING,), SAME, (Role.HOST,), "every written sheet is in; rules ask for it"),
    )
    heard: Annotated[tuple[Name, ...], Field(max_length=2000, title="入圍申報 / applications heard")]
    """Those whose written mark reaches the line; maybe none."""
    weight: Annotated[int, Field(ge=1, le=99, title="答辯占比（%） / share of the defence (%)")]


class ListForDefence(Invitation, Command):
    """End the written review and list whom the panel hears."""

    records = DefenceListed
    en_words = "list applications for defence"
    acts_for = (HOST,)


class ScoreSubmitted(Sheet, Event):
    """One sheet is in; it can no longer be changed."""

    actor_restriction = Restriction.PANELIST
    zh = "專家評分"
    moves = (
        Transition(
            "RP04",
            (PanelStage.DRAWN, PanelStage.SCORING),
            PanelStage.SCORING,
            (Role.EXPERT,),
            "seated, without interest and, where rules ask, after saying so; one sheet an application",
        ),
    )
    mark: Annotated[Mark, Field(title="分數 / mark"), Restricted(Restriction.SHEET)]
    defence: Annotated[bool | None, Field(title="答辯評分 / of the defence")] = None
    """Whether it judges the defence; None for the written review."""


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
    defence_dropped: Annotated[
        dict[str, tuple[str, ...]] | None,
        Field(title="答辯剔除分數 / marks left out of the defence"),
        Restricted(Restriction.SHEET),
    ] = None
    """The same of the second sheets; None where nobody was heard."""
    bonuses: dict[str, int] = Field(default_factory=dict, title="評級加分 / rating bonuses")
    """Application and the points that its bidder's rating adds in the ranking (CZ-5)."""


class IssueReviewReport(PaperResults, Command):
    """Issue the report."""

    records = ReviewReportIssued
    acts_for = (HOST,)


Commands = (
    DrawPanel
    | DeclareConflict
    | DeclareImpartiality
    | RecuseReviewer
    | SubmitScore
    | ListForDefence
    | IssueReviewReport
)
Events = (
    PanelDrawn
    | ConflictDeclared
    | ImpartialityDeclared
    | ReviewerRecused
    | ScoreSubmitted
    | DefenceListed
    | ReviewReportIssued
)


# ---------------------------------------------------------------- what is remembered of it


@dataclass(frozen=True)
class Panel(Part):
    """The panel, who sits on it, and what it found."""

    round: str = ""
    opening: Opening | None = None
    """By what it was drawn, if verifiably."""
    bidders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Application and the organisations behind it."""
    seated: tuple[str, ...] = ()
    barred: frozenset[str] = frozenset()
    """Seats whose experts may not score: by their own declaration, or recused."""
    cleared: frozenset[str] = frozenset()
    """Seats whose experts have said that they have no interest, or have scored: they may read the bids."""
    declaration: bool = False
    """Whether nobody scores before saying to have no interest."""
    defence: bool = False
    """Whether applicants are heard after the written review."""
    hands: Mapping[str, frozenset[PersonId]] = field(default_factory=dict)
    """Seat and the persons who declared or scored on it, as far as persons are known."""
    sheets: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)
    """Application, seat and mark."""
    heard: tuple[str, ...] | None = None
    """Applications that are heard; None before the list, or where nobody is heard."""
    weight: int = 0
    """Share of the defence in the mark, in percent."""
    defences: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)
    """Application, seat and mark of the defence."""
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

    def list_missing(self, place: str) -> tuple[str, ...]:
        """The applications for which the sheet of that seat is still to come, in the order of the draw."""
        return tuple(name for name in self.at_hand if place not in self.list_sheets(name))

    @property
    def at_hand(self) -> tuple[str, ...]:
        """What is being scored now: all of it, or in the defence those that are heard."""
        return self.applications if self.heard is None else self.heard

    def list_sheets(self, application: str) -> Mapping[str, Decimal]:
        """Seat and mark of the sheets that are in at this stage."""
        return (self.sheets if self.heard is None else self.defences).get(application, {})

    @property
    def is_scored(self) -> bool:
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


def reads(state: State, command: Commands) -> Reads:
    """The applications to be scored; the bidders whose rating may count."""
    match command:
        case DrawPanel(applications=applications, seats=seats):
            return list_bids(state, applications) | list_registers(state, seats)
        case IssueReviewReport():
            bidders = {names[0] for names in state.part(Panel).bidders.values() if names}
            return Reads(streams=frozenset(state.stream.sibling("organisation", name) for name in bidders))
        case RecuseReviewer(in_=str() as substitute):
            panel = state.part(Panel)
            seats = (*panel.seated, substitute, *(panel.opening.ranking if panel.opening else ()))
            roster = {state.stream.sibling("roster", panel.opening.roster)} if panel.opening else frozenset()
            return list_bids(state, panel.applications) | list_registers(state, seats) | Reads(frozenset(roster))
        case SubmitScore(application=application):
            return list_bids(state, (application,))
        case DeclareConflict() | DeclareImpartiality() | RecuseReviewer() | ListForDefence():
            return Reads()
        case _:
            assert_never(command)


def list_bids(state: State, applications: Iterable[str]) -> Reads:
    """The applications to be scored."""
    return Reads(streams=frozenset(state.stream.sibling("project", name) for name in applications))


def list_registers(state: State, seats: Iterable[str]) -> Reads:
    """Who sits on the seats of reviewers: the realm's own register says so on paper, the live one on the wall clock."""
    realms = {state.stream.realm, LIVE}
    return Reads(streams=frozenset(seat_stream(realm, seat_of_place(seat)) for seat in seats for realm in realms))


def decide(state: State, facts: Facts, order: Order, command: Commands) -> list[Event]:
    """What an order about the panel makes happen. Raises CommandRejected."""
    check, panel, today = Checks(), state.part(Panel), local_day(order.at)
    match command:
        case DrawPanel():
            check(
                not require_scheme(check, facts).review.verifiable_draw,
                "DW01",
                "本辦法的評審專家須以可復算方式抽取，請先承諾抽取",
                "under these rules experts are drawn verifiably: commit to the draw first",
            )
            _require_reviewers(check, state, facts, order, command.seats)
            files = [facts.of(state.stream.sibling("project", name)) for name in command.applications]
            _require_no_part(
                check, state, command.round, facts, files, find_holders(state, facts, order, command.seats)
            )
            return _draw(check, state, facts, command)
        case DeclareConflict(organisation=organisation):
            scheme = require_scheme(check, facts)
            check(
                place_of(order.actor) in panel.seated or place_of(order.actor) not in panel.barred,
                "RP02",
                "{actor} 已回避，不再在席",
                "{actor} was recused and sits on this panel no more",
                actor=order.actor,
            )
            bids = any(organisation in names for names in panel.bidders.values())
            months = scheme.review.recusal_months
            bars = bids and is_counted(command, months, today)
            return check.grant(ConflictDeclared.of(command, bars=bars, recusal_months=months))
        case DeclareImpartiality():
            _require_undeclared(check, panel, order)
            return check.grant(ImpartialityDeclared())
        case RecuseReviewer():
            _require_recusable(check, panel, command)
            if command.in_ is not None:
                if panel.opening is not None:
                    _require_next(check, state, facts, order, panel.opening, command)
                _require_reviewers(check, state, facts, order, _seats_after(panel, command))
                files = [facts.of(state.stream.sibling("project", name)) for name in panel.applications]
                substitute = find_holders(state, facts, order, (command.in_,))
                _require_no_part(check, state, panel.round, facts, files, substitute)
            return check.grant(ReviewerRecused.of(command))
        case SubmitScore():
            _require_scorer(check, panel, order, command)
            files = [facts.of(state.stream.sibling("project", command.application))]
            _require_no_part(check, state, panel.round, facts, files, {place_of(order.actor): order.persons})
            mark = _total(check, require_scheme(check, facts), command)
            return check.grant(ScoreSubmitted.of(command, mark=mark, defence=panel.heard is not None or None))
        case ListForDefence():
            return check.grant(_list_heard(check, panel, require_scheme(check, facts), command))
        case IssueReviewReport():
            return _report(check, state, facts, command, today)
        case _:
            assert_never(command)


def _draw(check: Checks, state: State, facts: Facts, command: DrawPanel) -> list[Event]:
    """RP01, P4: odd and enough seats, each once; only applications that passed preliminary review, or wait anew."""
    bidders = require_bidders(check, state, facts, command.round, command.applications)
    require_odd(check, len(command.seats))
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
    return check.grant(PanelDrawn.of(command, bidders=bidders, **read_stages(scheme)))


def read_stages(scheme: Scheme) -> dict[str, bool | None]:
    """What the rules ask of the panel between the draw and its report, as the draw says it."""
    review = scheme.review
    return {"declaration": review.declaration or None, "defence": review.defence is not None or None}


def require_bidders(
    check: Checks, state: State, facts: Facts, round_: str, applications: Iterable[str]
) -> dict[str, tuple[str, ...]]:
    """RP01: each passed preliminary review in the round, or waits anew; and the organisations behind each."""
    bidders: dict[str, tuple[str, ...]] = {}
    for name in applications:
        file = facts.of(state.stream.sibling("project", name))
        application = file.part(Application)
        check(
            (file.stage == SHORTLISTED or application.rescoring) and application.round == round_,
            "RP01",
            "{name} 目前為「{stage}」（{round}），須為 {due} 初審通過或待複評的申報",
            "{name} is {stage} in {round}; it must have passed preliminary review in {due}, or be "
            "waiting for re-scoring",
            name=name,
            stage=file.stage,
            round=application.round,
            due=round_,
        )
        bidders[name] = (application.organisation, *application.partners)
    return bidders


def require_odd(check: Checks, seats: int) -> None:
    """P4: nobody's mark is the middle between two halves."""
    check(
        seats % 2 == 1,
        "P4",
        "評審專家組 {seats_count} 人，須為奇數",
        "the panel has {seats_count} seats; their number must be odd",
        seats_count=seats,
    )


def _require_undeclared(check: Checks, panel: Panel, order: Order) -> None:
    """P1, RP06: nobody with an interest says to have none, and once is enough."""
    seat, others = place_of(order.actor), _list_other_seats(panel, order)
    check(
        panel.barred.isdisjoint({seat, *others}),
        "P1",
        "{actor} 已申報利害關係或已回避，不能聲明無利害關係",
        "{actor} has declared an interest or was recused, and cannot declare that there is none",
        actor=order.actor,
    )
    check(
        seat not in panel.cleared,
        "RP06",
        "{actor} 已聲明無利害關係或已評分，無須再聲明",
        "{actor} has declared that there is no interest, or has scored: once is enough",
        actor=order.actor,
    )


def _require_recusable(check: Checks, panel: Panel, command: RecuseReviewer) -> None:
    """P1: recusal precedes scores. P4: odd afterwards, and nobody in two seats."""
    check(
        not panel.is_scored,
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
    require_odd(check, len(_seats_after(panel, command)))


def _seats_after(panel: Panel, recusal: Recusal) -> tuple[str, ...]:
    substitute = (recusal.in_,) if recusal.in_ is not None else ()
    return (*(seat for seat in panel.seated if seat != recusal.out), *substitute)


def _require_next(
    check: Checks, state: State, facts: Facts, order: Order, opening: Opening, command: RecuseReviewer
) -> None:
    """DW03: a substitute is the next who was drawn and may sit."""
    panel = state.part(Panel)
    left = [one for one in opening.ranking if one not in panel.seated and one not in panel.barred]
    staying = tuple(seat for seat in panel.seated if seat != command.out)
    roster, months = opening.roster, require_scheme(check, facts).review.recusal_months
    chosen, _ = choose_reviewers(state, facts, order, panel, ReviewerPool(roster, months, left, staying, 1))
    check(
        chosen == (command.in_,),
        "DW03",
        "遞補依抽取次序，應為 {chosen}",
        "substitutes come in by the order drawn: it is {chosen}",
        chosen=[*chosen] or word("無人可補", "nobody is left"),
    )


@dataclass(frozen=True)
class ReviewerPool:
    """Whom to choose from."""

    roster: str
    months: int
    """How long a tie counts after it has ended."""
    candidates: Sequence[str]
    """In the order drawn."""
    seated: Sequence[str]
    """Who sits there already."""
    places: int


def choose_reviewers(
    state: State, facts: Facts, order: Order, panel: Panel, choice: ReviewerPool
) -> tuple[tuple[str, ...], dict[str, str]]:
    """The first of the candidates who may sit, and who was passed over by which rule, as things stand now."""
    roster = facts.of(state.stream.sibling("roster", choice.roster)).part(Roster)
    files = [facts.of(state.stream.sibling("project", name)) for name in panel.applications]
    organisations = {name for names in panel.bidders.values() for name in names}
    chosen, passed_over = list[str](), dict[str, str]()
    for seat in choice.candidates:
        if len(chosen) == choice.places:
            break
        rule = roster.find_bar(seat, organisations, choice.months, local_day(order.at))
        if not rule:
            holders = find_holders(state, facts, order, (seat,))
            fit = Checks()
            _require_reviewers(fit, state, facts, order, (*choice.seated, *chosen, seat))
            _require_no_part(fit, state, panel.round, facts, files, holders)
            fit.unmet.extend(
                _refuse_stakes(order, state, facts, organisations, {seat_of_place(seat): holders.get(seat)})
            )
            rule = fit.unmet[0].rule if fit.unmet else ""
        if rule:
            passed_over[seat] = rule
        else:
            chosen.append(seat)
    return tuple(chosen), passed_over


def _refuse_stakes(
    order: Order,
    state: State,
    facts: Facts,
    organisations: set[str],
    holders: Mapping[Actor, frozenset[PersonId] | None],
) -> tuple[Unmet, ...]:
    """SD5: that whoever sits there is, or was of late, on a seat of one of those."""
    known = {seat: persons for seat, persons in holders.items() if persons}
    stakes = require_impartial("SD5", lambda *_: frozenset(organisations), lambda *_: known)
    return stakes.refuse(order, state, facts)


def _list_other_seats(panel: Panel, order: Order) -> list[str]:
    """The seats of the panel on which whoever acts has acted before, besides the one they act on."""
    own = place_of(order.actor)
    return sorted(seat for seat, persons in panel.hands.items() if seat != own and persons & order.persons)


def find_holders(state: State, facts: Facts, order: Order, seats: Iterable[str]) -> dict[str, frozenset[PersonId]]:
    """Whose the reviewers' seats are, as far as the realm's register knows them: bare seats of paper are left out."""
    holders: dict[str, frozenset[PersonId]] = {}
    realm = LIVE if order.is_live else state.stream.realm
    for seat in seats:
        record = facts.of(seat_stream(realm, seat_of_place(seat))).part(RegisteredSeat)
        holder = record.holder_at(order.at)
        if record.scope is not None or order.is_live:  # where the live register judges there are no bare seats
            holders[seat] = frozenset() if holder is None else frozenset({holder})
    return holders


def list_judges(order: Order, state: State, facts: Facts) -> Mapping[Actor, frozenset[PersonId]]:
    """Whoever acts, and whom the register knows on the seats that come in; anybody may declare a stake."""
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
    reviewers = find_holders(state, facts, order, coming)
    return {**{seat_of_place(seat): some for seat, some in reviewers.items()}, **list_whoever_acts(order, state, facts)}


def _require_reviewers(check: Checks, state: State, facts: Facts, order: Order, seats: Sequence[str]) -> None:
    """RP01, P4: somebody sits on each seat of the register, and nobody on two."""
    holders = find_holders(state, facts, order, dict.fromkeys(seats))
    empty = sorted(seat for seat, persons in holders.items() if not persons)
    check(
        not empty,
        "RP01",
        "{empty} 的崗位尚未設立或其上無人，不得抽取",
        "{empty} cannot be drawn: there is no such seat, or nobody on it",
        empty=empty,
    )
    persons = [one for some in holders.values() for one in some]
    twice = sorted(seat for seat, some in holders.items() if any(persons.count(one) > 1 for one in some))
    check(
        not twice,
        "P4",
        "{twice} 為同一人的崗位，一人一席",
        "{twice} are one person's; one expert has one seat",
        twice=twice,
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
        "{officers} 的經辦人經手過本屆次或其申報，不得評審",
        "whoever acts as {officers} has managed this round or an application in it, and may review none",
        officers=officers,
    )
    for name, parties in sorted(acted.items()):
        partial = sorted(seat for seat, some in reviewers.items() if some & parties)
        check(
            not partial,
            "SD5",
            "{partial} 的經辦人以他方身份辦過 {name}，有利害關係，不得評審",
            "whoever acts as {partial} has acted for another side in {name}: an interest bars from scoring",
            partial=partial,
            name=name,
        )


def _require_scorer(check: Checks, panel: Panel, order: Order, command: SubmitScore) -> None:
    """P1, RP04, RP06: without an interest, of what is before the panel, once. Who was drawn, the policy asks."""
    actor, seat = order.actor, place_of(order.actor)
    others = _list_other_seats(panel, order)
    is_barred = not panel.barred.isdisjoint({seat, *others})
    check(
        not is_barred,
        "P1",
        "{actor} 與申報單位有利害關係或已回避，不能評分",
        "{actor} has an interest in an applicant or has been recused and cannot score",
        actor=actor,
    )
    check(
        is_barred or not panel.declaration or seat in panel.cleared,
        "RP06",
        "{actor} 須先聲明與各申報單位均無利害關係，方可評分",
        "{actor} must first declare to have no interest in any applicant, and can then score",
        actor=actor,
    )
    sheets = panel.list_sheets(command.application)
    scored = [other for other in others if other in sheets]
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
        command.application in panel.at_hand or command.application not in panel.bidders,
        "RP07",
        "{application} 未入圍答辯",
        "{application} is not listed for the defence",
        application=command.application,
    )
    check(
        seat not in sheets,
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
    check(
        scheme.review.defence is None or panel.heard is not None,
        "RP07",
        "本辦法設答辯：書面評分後請先列出入圍答辯的申報",
        "these rules ask for a defence: list whom the panel hears first",
    )
    _require_sheets(check, panel, scheme, "RP05")
    if check.unmet:
        raise check.refuse()
    written = _add_up(panel.sheets, scheme)
    spoken = _add_up({name: panel.defences[name] for name in panel.heard or ()}, scheme)
    return [
        ReviewReportIssued.of(
            command,
            results={
                name: weigh(mark, spoken.get(name, (Decimal(0),))[0], panel) for name, (mark, _) in written.items()
            },
            dropped={name: seats for name, (_, seats) in written.items() if seats},
            defence_dropped={name: seats for name, (_, seats) in spoken.items() if seats} or None,
            bonuses=bonuses,
        )
    ]


def _require_sheets(check: Checks, panel: Panel, scheme: Scheme, rule: str) -> None:
    """As many sheets of everything that is scored now as the rules ask for."""
    for name in panel.at_hand:
        count = len(panel.list_sheets(name))
        check(
            count >= scheme.review.panel,
            rule,
            "{name} 已有 {count} 份評分，須 {panel} 份",
            "{name} has {count} sheets; {panel} are needed",
            name=name,
            count=count,
            panel=scheme.review.panel,
        )


def _add_up(sheets: Mapping[str, Mapping[str, Decimal]], scheme: Scheme) -> dict[str, tuple[Decimal, tuple[str, ...]]]:
    return {name: outcome(marks, drop_extremes=scheme.review.drop_extremes) for name, marks in sorted(sheets.items())}


def weigh(written: Decimal, spoken: Decimal, panel: Panel) -> Decimal:
    """The mark: written review and defence by their shares, half up to two decimals; the first alone without one."""
    if panel.heard is None:
        return written
    share = (written * (100 - panel.weight) + spoken * panel.weight) / 100
    return share.quantize(_HUNDREDTH, ROUND_HALF_UP)


def _list_heard(check: Checks, panel: Panel, scheme: Scheme, command: ListForDefence) -> DefenceListed:
    """RP07: once, where the rules ask for it, after every written sheet: those that reach the line."""
    rules = scheme.review.defence
    check(rules, "RP07", "本辦法不設答辯", "these rules ask for no defence")
    check(panel.heard is None, "RP07", "已列出入圍答辯的申報", "the list for the defence has been made")
    _require_sheets(check, panel, scheme, "RP07")
    if check.unmet or rules is None:
        raise check.refuse()
    heard = tuple(name for name, (mark, _) in _add_up(panel.sheets, scheme).items() if mark >= rules.line)
    return DefenceListed.of(command, heard=heard, weight=rules.weight)


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
        not panel.is_scored,
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
    """Keep who sits on the panel, what each of them found, and what it reported."""
    panel = state.part(Panel)
    match event:
        case PanelDrawn():
            after = replace(
                panel,
                round=event.round,
                bidders=event.bidders,
                seated=event.seats,
                opening=event.opening,
                declaration=bool(event.declaration),
                defence=bool(event.defence),
            )
            return state.with_parts(_join(after, of.acting))
        case ConflictDeclared():
            barred = {place_of(of.actor)} if event.bars else set()
            return state.with_parts(replace(_seat_hands(panel, of), barred=panel.barred | barred))
        case ImpartialityDeclared():
            return state.with_parts(replace(_seat_hands(panel, of), cleared=panel.cleared | {place_of(of.actor)}))
        case ReviewerRecused():
            after = replace(panel, seated=_seats_after(panel, event), barred=panel.barred | {event.out})
            return state.with_parts(_join(after, of.acting))
        case ScoreSubmitted():
            before, seat = panel.defences if event.defence else panel.sheets, place_of(of.actor)
            sheets = {**before, event.application: {**before.get(event.application, {}), seat: event.mark}}
            after = replace(_seat_hands(panel, of), cleared=panel.cleared | {seat})
            after = replace(after, defences=sheets) if event.defence else replace(after, sheets=sheets)
            return state.with_parts(_join(after, of.acting))
        case DefenceListed():
            return state.with_parts(_join(replace(panel, heard=event.heard, weight=event.weight), of.acting))
        case ReviewReportIssued():
            after = replace(panel, results=event.results, bonuses=event.bonuses, reported=True)
            experts = (Acting(seat_of_place(seat)) for seat in panel.seated) if event.on_paper else ()
            return state.with_parts(_join(after, of.acting, *experts))
        case _:
            assert_never(event)


def _seat_hands(panel: Panel, of: Occurrence) -> Panel:
    if not of.persons:
        return panel
    seat = place_of(of.actor)
    return replace(panel, hands={**panel.hands, seat: panel.hands.get(seat, frozenset()) | of.persons})


def _join(panel: Panel, *people: Acting) -> Panel:
    return replace(panel, took_part=panel.took_part | set(people))


def awaiting(state: State, _calendar: Calendar) -> Iterable[Awaited]:
    """The declarations, the recusal of who is barred, the sheets that are missing, then the defence or the report."""
    panel = state.part(Panel)
    if state.stage not in (PanelStage.DRAWN, PanelStage.SCORING):
        return
    silent = [seat for seat in panel.seated if seat not in panel.cleared | panel.barred]
    if panel.declaration and silent:
        zh, en = "申報有無利害關係，之後方可閱看申報書", "declare interests; the applications can be read afterwards"
        yield Awaited((Role.EXPERT,), "DeclareImpartiality", "", zh, en, seats=tuple(map(seat_of_place, silent)))
    for seat in panel.seated:
        if seat in panel.barred:
            yield Awaited((Role.CAB_REG,), "RecuseReviewer", seat, f"{seat} 回避及遞補", f"recuse {seat}")
    for name in panel.at_hand:
        missing = [seat for seat in panel.seated if seat not in panel.list_sheets(name)]
        if missing:
            yield Awaited(
                (Role.EXPERT,),
                "SubmitScore",
                name,
                f"{name} 尚缺 {len(missing)} 份評分",
                f"{len(missing)} sheets for {name} are missing",
                seats=tuple(map(seat_of_place, missing)),
            )
    if panel.defence and panel.heard is None:
        yield Awaited((Role.HOST,), "ListForDefence", "", "列出入圍答辯的申報", "list the applications for defence")
    else:
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
