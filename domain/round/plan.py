"""籌備: the year's budget, the solicitation of needs, and the catalogue of those that were adopted.

Here lies also what a round remembers, for the need, the bid and the award that read it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, assert_never, get_args

from pydantic import BaseModel, ConfigDict, Field

from domain.kernel.bounds import Name
from domain.kernel.calendar import Calendar, day_ends, local_day
from domain.kernel.codelist import Codelist, require_listed
from domain.kernel.decider import Decider
from domain.kernel.effects import Claim, Effect
from domain.kernel.facts import Facts, Reads
from domain.kernel.field_shape import Otherwise
from domain.kernel.identifier import Role, StreamId, Text
from domain.kernel.message import Awaited, Command, Due, Event, Occurrence, Order, Particulars
from domain.kernel.money import Fen, PositiveFen, yuan
from domain.kernel.refusal import Checks
from domain.kernel.relation import BUREAU, ENGINE, Names
from domain.kernel.scheme import RoundLevel, Route, Scheme
from domain.kernel.state import SAME, Part, SchemeRef, State, Transition
from domain.kernel.words import Words
from domain.registers.fund import FundStage
from domain.registers.scheme import require_published_rules
from domain.round.budget import aside_key, awarded, count_asides, mark_aside
from domain.round.stage import NeedStage, RoundStage

if TYPE_CHECKING:
    from collections.abc import Iterable

GRACE = timedelta(seconds=60)
"""How long after a window's end the wall clock closes it: what the door took in time comes first (decision 007)."""


# ---------------------------------------------------------------- the first event of a round


class RoundSetup(Particulars):
    """What the first event of a round says of it; later ones may leave it out, and may not change it."""

    scheme: Annotated[SchemeRef | None, Field(title="管理辦法 / scheme")] = None
    """The published rules that it runs under; pinned by the call, and changed before the deadline only."""
    year: Annotated[Annotated[int, Field(ge=2000, le=2200)] | None, Field(title="年度 / year")] = None
    level: Annotated[
        RoundLevel | None,
        Otherwise("首次為市級，其後為已定的級別", "municipal at first, then as it was"),
        Field(title="級別 / level"),
    ] = None
    ordinal: Annotated[Annotated[int, Field(ge=1, le=999)] | None, Field(title="屆次 / ordinal")] = None
    """Which round of its programme it is, e.g. the 13th."""


class RecordedRoundSetup(RoundSetup):
    """The same in an event: given where it is new, left out where it was known."""

    route: Annotated[Route | None, Field(title="方式 / route")] = None
    """The legal route, as the rules say."""

    def effects(self, stream: StreamId) -> Iterable[Effect]:
        """Take the city's one place for a municipal round of that year (H1)."""
        if self.scheme is not None and self.year is not None and self.level is RoundLevel.MUNICIPAL:
            yield Claim(municipal_key(stream, self.scheme, self.year), stream)


def municipal_key(stream: StreamId, scheme: SchemeRef, year: int) -> str:
    """The place of the one municipal round of a city and year (H1)."""
    return f"municipal-round/{stream.realm}/{scheme.name}/{year}"


# ---------------------------------------------------------------- 年度預算批復


class SetAsideBy(Words):
    """By what a part of the budget is set aside (HZ-12, HZ-18)."""

    FIELD = "FIELD", "領域", "field"
    THEME = "THEME", "優先主題", "priority theme"
    """Of the need that a bid answers."""
    ORGANISATION_KIND = "ORGANISATION_KIND", "組織類型", "kind of organisation"
    """Of the bidder, or of one that bids jointly."""

    @property
    def codelist(self) -> Codelist:
        """The city's list that its value stands in."""
        return {
            "FIELD": Codelist.FIELDS,
            "THEME": Codelist.THEMES,
            "ORGANISATION_KIND": Codelist.ORGANISATION_KINDS,
        }[self.value]


class SetAside(BaseModel):
    """A part of the budget that only some may be awarded."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    by: Annotated[SetAsideBy, Field(title="依據 / by")]
    value: Annotated[Text, Field(title="代碼 / code")]
    """As the city's list has it, e.g. 助老扶幼."""
    least: Annotated[PositiveFen, Field(title="預留金額 / set aside")]
    """Fen; whoever it is for may be awarded more, others never what is left of it."""

    @property
    def mark(self) -> str:
        """How holders of the round's key are marked that count towards it."""
        return mark_aside(self.by.value, self.value)


class Appropriation(Particulars):
    """The year's money for the round."""

    amount: Annotated[PositiveFen, Field(title="金額 / amount")]
    """Fen."""
    funds: dict[Name, Fen] = Field(max_length=50, default_factory=dict, title="資金來源 / funds")
    """Fund and its share, where the approval names them; the shares add up to the amount."""
    set_asides: Annotated[
        tuple[SetAside, ...] | None,
        Otherwise("首次為無，其後照舊", "none at first, then as before"),
        Field(max_length=20, title="預留份額 / set-asides"),
    ] = None
    """Parts of it for some only; None keeps those of the approval before, an empty list ends them."""


class RoundBudgetApproved(Appropriation, RecordedRoundSetup, Event):
    """The treasury has approved the year's money."""

    zh = "年度預算批復"
    moves = (
        Transition("RD01", (RoundStage.NONE,), RoundStage.PLANNED, (Role.FISCAL,), "scheme, year and level named"),
        Transition(
            "RD02",
            (
                RoundStage.PLANNED,
                RoundStage.SOLICITING,
                RoundStage.COLLECTED,
                RoundStage.CATALOGUED,
                RoundStage.OPEN,
                RoundStage.CLOSED,
            ),
            SAME,
            (Role.FISCAL,),
            "replaces the amount approved before",
        ),
    )


class ApproveRoundBudget(Appropriation, RoundSetup, Command):
    """Approve the year's money."""

    records = RoundBudgetApproved
    acts_for = (BUREAU,)


# ---------------------------------------------------------------- 需求徵集


class Solicitation(Particulars):
    """The notice that asks the public for needs (HZ-2, HZ-3)."""

    theme: Annotated[Text | None, Field(title="主題 / theme")] = None
    """What the city puts first this year (HZ-12)."""


class NeedSolicitationOpened(Solicitation, RecordedRoundSetup, Event):
    """The public is asked for needs."""

    zh = "需求徵集發布"
    moves = (
        Transition(
            "RD03",
            (RoundStage.NONE, RoundStage.PLANNED),
            RoundStage.SOLICITING,
            (Role.CAB_REG,),
            "scheme, year and level named",
        ),
    )
    window_wd: Annotated[int, Field(title="徵集期（工作日） / window (working days)")]
    """Working days after this one on which needs may be submitted."""


class OpenNeedSolicitation(Solicitation, RoundSetup, Command):
    """Ask the public for needs."""

    records = NeedSolicitationOpened
    acts_for = (BUREAU,)


class NeedSolicitationClosed(Event):
    """The window for needs has ended."""

    zh = "需求徵集截止"
    moves = (Transition("RD04", (RoundStage.SOLICITING,), RoundStage.COLLECTED, (Role.SYS,), "need window elapsed"),)


class CloseNeedSolicitation(Command):
    """End the window for needs."""

    records = NeedSolicitationClosed
    acts_for = (ENGINE,)


class Catalogue(Particulars):
    """Which needs the city asks organisations to answer."""

    needs: Annotated[tuple[Name, ...], Field(max_length=2000, min_length=1, title="需求 / needs")]
    """Adopted needs, e.g. ``ND-1``."""


class NeedCataloguePublished(Catalogue, Event):
    """The adopted needs are public."""

    zh = "需求清單發布"
    moves = (
        Transition(
            "RD05",
            (RoundStage.COLLECTED, RoundStage.CATALOGUED),
            RoundStage.CATALOGUED,
            (Role.CAB_REG,),
            "every need adopted",
        ),
    )


class PublishNeedCatalogue(Catalogue, Command):
    """Publish the adopted needs."""

    records = NeedCataloguePublished
    acts_for = (BUREAU,)


Commands = ApproveRoundBudget | OpenNeedSolicitation | CloseNeedSolicitation | PublishNeedCatalogue
Events = RoundBudgetApproved | NeedSolicitationOpened | NeedSolicitationClosed | NeedCataloguePublished


# ---------------------------------------------------------------- what a round remembers


@dataclass(frozen=True)
class Round(Part):
    """A round as planned and called. Its rules are ``State.scheme``."""

    year: int | None = None
    level: RoundLevel | None = None
    ordinal: int | None = None
    route: Route | None = None
    budget: Fen = 0
    """Approved, in fen."""
    approvals: int = 0
    """How often a budget was approved; the latest holds."""
    set_asides: tuple[SetAside, ...] = ()
    """Parts of the budget for some only."""
    theme: str | None = None
    """What the city puts first this year."""
    solicited_on: date | None = None
    needs_wd: int = 0
    """Working days of the need window."""
    catalogue: frozenset[str] | None = None
    """Needs that may be answered; None if no catalogue was published."""
    called_on: date | None = None
    window_wd: int = 0
    """Working days of the bid window, where the call names no deadline."""
    deadline: datetime | None = None
    """The deadline that the call names, UTC."""
    host: str | None = None
    """The managing agency that the call names; None where it names none."""

    def needs_close_at(self, calendar: Calendar) -> datetime | None:
        """Where the need window ends, UTC."""
        return day_ends(calendar.after(self.solicited_on, self.needs_wd)) if self.solicited_on else None

    def closes_at(self, calendar: Calendar) -> datetime | None:
        """The deadline for bids, UTC: as the call names it, or by working days; None before the call (D1)."""
        if self.deadline is not None or self.called_on is None:
            return self.deadline
        return day_ends(calendar.after(self.called_on, self.window_wd))


def list_hosts(round_: State) -> Names:
    """Whose business the intake and the review of a round's bids are: its host's, or any managing agency's."""
    host = round_.part(Round).host
    return None if host is None else frozenset({host})


# ---------------------------------------------------------------- decide


def list_setup_reads(state: State, command: RoundSetup) -> Reads:
    """The register of the rules that are named or hold, and who holds the year's municipal place."""
    ref = command.scheme or state.scheme
    if ref is None:
        return Reads()
    keys = {municipal_key(state.stream, ref, command.year)} if command.year is not None else set()
    return Reads(streams=frozenset({state.stream.sibling("scheme", ref.name)}), claims=frozenset(keys))


def reads(state: State, command: Commands) -> Reads:
    """The rules, the funds of the budget, the needs of the catalogue."""
    match command:
        case ApproveRoundBudget(funds=funds):
            streams = frozenset(state.stream.sibling("fund", fund) for fund in funds)
            accounts = frozenset({awarded(state.stream.realm, state.stream.name)})
            keys = frozenset({aside_key(state.stream.realm, state.stream.name)})
            return list_setup_reads(state, command) | Reads(streams=streams, claims=keys, accounts=accounts)
        case OpenNeedSolicitation():
            return list_setup_reads(state, command)
        case PublishNeedCatalogue(needs=needs):
            return Reads(streams=frozenset(state.stream.sibling("need", need) for need in needs))
        case CloseNeedSolicitation():
            return Reads()
        case _:
            assert_never(command)


def decide(state: State, facts: Facts, order: Order, command: Commands) -> list[Event]:
    """What an order about the preparation makes happen. Raises CommandRejected."""
    check, round_, today = Checks(), state.part(Round), local_day(order.at)
    match command:
        case ApproveRoundBudget(amount=amount, funds=funds):
            _require_sound_budget(check, state, facts, amount, funds)
            setup = set_up_round(check, state, facts, command, today)
            scheme = require_rules(check, state, facts, command.scheme, today) if command.set_asides else None
            _require_sound_asides(check, state, facts, command, scheme)
            return check.grant(RoundBudgetApproved.of(command, **_complete_setup(setup)))
        case OpenNeedSolicitation():
            setup = set_up_round(check, state, facts, command, today)
            scheme = require_rules(check, state, facts, command.scheme, today)
            window_wd = scheme.needs.window_wd
            require_listed(check, scheme, Codelist.THEMES, [command.theme] if command.theme else [])
            return check.grant(NeedSolicitationOpened(theme=command.theme, window_wd=window_wd, **setup))
        case CloseNeedSolicitation():
            end = round_.needs_close_at(facts.calendar)
            check(
                end is not None and order.at >= end,
                "RD04",
                "需求徵集至 {end} 止",
                "needs are collected until {end}",
                end=end,
            )
            return check.grant(NeedSolicitationClosed())
        case PublishNeedCatalogue(needs=needs):
            for need in needs:
                stage = facts.of(state.stream.sibling("need", need)).stage
                check(
                    stage == NeedStage.ADOPTED,
                    "RD05",
                    "{need} 目前為「{stage}」，入庫後才能列入清單",
                    "{need} is {stage}; only an adopted need can be put on the list",
                    need=need,
                    stage=NeedStage(stage),
                )
            return check.grant(NeedCataloguePublished(needs=tuple(sorted(set(needs)))))
        case _:
            assert_never(command)


def _require_sound_budget(check: Checks, state: State, facts: Facts, amount: Fen, funds: dict[str, Fen]) -> None:
    """M5: the shares add up to it, every fund is registered, and what is awarded already stays covered."""
    granted = facts.balance(awarded(state.stream.realm, state.stream.name))
    check(
        granted <= amount,
        "M5",
        "已立項 {granted}，預算不得核減至 {amount}",
        "{granted} is awarded already; the budget cannot be cut to {amount}",
        granted=yuan(granted),
        amount=yuan(amount),
    )
    shares = sum(funds.values())
    check(
        not funds or shares == amount,
        "M5",
        "各資金份額合計 {shares}，須等於預算 {amount}",
        "the shares add up to {shares}; they must equal the budget {amount}",
        shares=yuan(shares),
        amount=yuan(amount),
    )
    for fund in sorted(funds):
        stage = facts.of(state.stream.sibling("fund", fund)).stage
        check(
            stage == FundStage.REGISTERED,
            "M5",
            "{fund} 未登記為資金來源",
            "{fund} is not registered as a fund source",
            fund=fund,
        )


def _complete_setup(setup: dict[str, object]) -> dict[str, object]:
    """What the event says of the round: what was known already it leaves out."""
    return {**dict.fromkeys(RecordedRoundSetup.model_fields), **setup}


def _require_sound_asides(
    check: Checks, state: State, facts: Facts, command: ApproveRoundBudget, scheme: Scheme | None
) -> None:
    """M11: set-asides are of the city's lists, once each, and lie within the budget beside what is awarded already."""
    round_, realm = state.part(Round), state.stream.realm
    asides = round_.set_asides if command.set_asides is None else command.set_asides
    for aside in command.set_asides or ():
        require_listed(check, scheme, aside.by.codelist, [aside.value])
    check(
        len({aside.mark for aside in asides}) == len(asides),
        "M11",
        "預留份額重複列出",
        "a set-aside is listed twice",
    )
    key = aside_key(realm, state.stream.name)
    counted = count_asides(facts.holders(key))
    reserved = sum(max(aside.least - counted[aside.mark], 0) for aside in asides)
    granted = facts.balance(awarded(realm, state.stream.name))
    check(
        not asides or granted + reserved <= command.amount,
        "M11",
        "預留未用 {reserved}，連同已立項 {granted}，超過預算 {amount}",
        "{reserved} still set aside and {granted} awarded exceed the budget of {amount}",
        reserved=yuan(reserved),
        granted=yuan(granted),
        amount=yuan(command.amount),
    )


def require_rules(check: Checks, state: State, facts: Facts, named: SchemeRef | None, today: date) -> Scheme:
    """The rules that the command names, or those that hold. Raises CommandRejected if there are none to judge by."""
    ref = named or state.scheme
    if ref is None:
        check(
            ref,
            "S1",
            "請指明管理辦法及版本",
            "name the rules and their version",
        )
        raise check.refuse()
    scheme = require_published_rules(check, state, facts, ref)
    if scheme is None:
        raise check.refuse()
    check(
        scheme.effective <= today,
        "S1",
        "管理辦法 {ref} 自 {effective} 起施行",
        "the rules {ref} take effect on {effective}",
        ref=ref,
        effective=scheme.effective,
    )
    return scheme


def set_up_round(check: Checks, state: State, facts: Facts, command: RoundSetup, today: date) -> dict[str, object]:
    """What the event says of the round: all of it if it is the first, else only a scheme that is new."""
    round_, scheme = state.part(Round), require_rules(check, state, facts, command.scheme, today)
    if state.version:
        for name in ("year", "level", "ordinal"):
            statement, held = getattr(command, name), getattr(round_, name)
            check(
                statement is None or statement == held,
                "H1",
                "{name} 已定為 {held}，不得改為 {said}",
                "{name} is {held} already and cannot become {said}",
                name=name,
                held=held,
                said=statement,
            )
        return {} if scheme.ref == state.scheme else {"scheme": scheme.ref, "route": scheme.route}
    level = command.level or RoundLevel.MUNICIPAL
    check(command.year, "H1", "請指明年度", "name the year of the round")
    holders = facts.holders(municipal_key(state.stream, scheme.ref, command.year or 0)) - {state.stream}
    check(
        level is not RoundLevel.MUNICIPAL or not holders,
        "H1",
        "{city} {year} 年的市級屆次已有 {holders}",
        "{city} has its municipal round of {year}: {holders}",
        city=scheme.city,
        year=command.year,
        holders=sorted(holders),
    )
    return {
        "scheme": scheme.ref,
        "route": scheme.route,
        "year": command.year,
        "level": level,
        "ordinal": command.ordinal,
    }


# ---------------------------------------------------------------- evolve


def remember_setup(state: State, event: RecordedRoundSetup) -> State:
    """The state with what the event says of the round itself."""
    round_ = state.part(Round)
    after = replace(
        round_,
        year=event.year or round_.year,
        level=event.level or round_.level,
        ordinal=event.ordinal or round_.ordinal,
        route=event.route or round_.route,
    )
    return replace(state, scheme=event.scheme or state.scheme).with_parts(after)


def evolve(state: State, of: Occurrence, event: Events) -> State:
    """Keep the round's budget (fen), its needs and the window for them; its rules are ``State.scheme``."""
    round_, today = state.part(Round), local_day(of.at)
    match event:
        case RoundBudgetApproved():
            return remember_setup(
                state.with_parts(
                    replace(
                        round_,
                        budget=event.amount,
                        approvals=round_.approvals + 1,
                        set_asides=round_.set_asides if event.set_asides is None else event.set_asides,
                    )
                ),
                event,
            )
        case NeedSolicitationOpened():
            solicited = replace(round_, solicited_on=today, needs_wd=event.window_wd, theme=event.theme or round_.theme)
            return remember_setup(state.with_parts(solicited), event)
        case NeedSolicitationClosed():
            return state
        case NeedCataloguePublished():
            return state.with_parts(replace(round_, catalogue=frozenset(event.needs)))
        case _:
            assert_never(event)


# ---------------------------------------------------------------- deadlines and who is awaited


def due(state: State, calendar: Calendar) -> Iterable[Due]:
    """The end of the need window."""
    end = state.part(Round).needs_close_at(calendar)
    if state.stage == RoundStage.SOLICITING and end is not None:
        yield Due(end, CloseNeedSolicitation(), grace=GRACE)


def awaiting(state: State, _calendar: Calendar) -> Iterable[Awaited]:
    """The catalogue, once the window has ended."""
    if state.stage == RoundStage.COLLECTED:
        yield Awaited((Role.CAB_REG,), "PublishNeedCatalogue", "", "發布需求清單", "publish the catalogue of needs")


DECIDER = Decider(
    name="plan",
    zh="籌備與需求徵集",
    commands=get_args(Commands),
    events=get_args(Events),
    decide=decide,
    evolve=evolve,
    reads=reads,
    due=due,
    awaiting=awaiting,
)
