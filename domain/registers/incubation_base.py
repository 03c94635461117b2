"""孵化培育基地: designated in three tiers, assessed, and home to tenants (CZ-8…CZ-10)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, assert_never, get_args

from pydantic import Field

from domain.kernel.bounds import Date, Name
from domain.kernel.calendar import Calendar, day_ends, local_day
from domain.kernel.decider import Aggregate, Decider
from domain.kernel.facts import Facts, Reads
from domain.kernel.identifier import Reason, Role, Text
from domain.kernel.message import Awaited, Command, Event, Occurrence, Order, Particulars
from domain.kernel.phrase import or_else
from domain.kernel.refusal import Checks
from domain.kernel.relation import BUREAU, Names, Relation
from domain.kernel.scope import ScopeKind
from domain.kernel.state import NONE, SAME, Part, SchemeRef, State, Transition
from domain.kernel.words import Words
from domain.registers.interest import require_impartial
from domain.registers.organisation import OrganisationStage, require_fundable
from domain.registers.scheme import require_published_rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class BaseStage(Words):
    """Whether the base is designated and assessed."""

    NONE = NONE, "尚未建立", "not started"
    DESIGNATED = "DESIGNATED", "已認定", "designated"
    ASSESSED = "ASSESSED", "已評估", "assessed"


class Tier(Words):
    """Whose base it is (CZ-8)."""

    MUNICIPAL = "MUNICIPAL", "市級", "municipal"
    DISTRICT = "DISTRICT", "區縣級", "district"
    STREET_VILLAGE = "STREET_VILLAGE", "街道社區級", "street or village"

    @property
    def above(self) -> Tier | None:
        """The tier of its parent."""
        return {"MUNICIPAL": None, "DISTRICT": Tier.MUNICIPAL, "STREET_VILLAGE": Tier.DISTRICT}[self]


# ---------------------------------------------------------------- whose business a base is


def _name_evaluator(state: State, _facts: Facts, _command: object) -> Names:
    evaluator = state.part(Base).evaluator
    return None if evaluator is None else frozenset({evaluator})


OPERATOR = Relation(
    "base.operator",
    "本基地的運營方",
    "who operates this base",
    ScopeKind.BASE,
    "AF04",
    lambda state, _facts, _command: frozenset({state.stream.name}),
)

EVALUATOR = Relation(
    "base.evaluator",
    "認定時載明的評估機構；未載明者，任何評估機構",
    "the evaluator named at its designation; where it names none, any",
    ScopeKind.PARTY,
    "AF07",
    _name_evaluator,
    roles=frozenset({Role.EVAL}),
)


# ---------------------------------------------------------------- 認定與評估


class Designation(Particulars):
    """Which base, of which tier, run by whom."""

    name: Annotated[Text, Field(title="名稱 / name")]
    tier: Annotated[Tier, Field(title="層級 / tier")]
    operator: Annotated[Name, Field(title="運營單位 / operator")]
    """The organisation that runs it, e.g. ``ORG-1``."""
    parent: Annotated[Name | None, Field(title="上級基地 / base above")] = None
    """The base that guides it, one tier above; None for the municipal one."""
    evaluator: Annotated[Name | None, Field(title="第三方評估機構 / independent evaluator")] = None
    """The body that assesses it, e.g. ``EVAL-1``; None leaves that to every evaluator."""


class BaseDesignated(Designation, Event):
    """The base belongs to the network."""

    zh = "基地認定"
    moves = (
        Transition(
            "BS01",
            (BaseStage.NONE,),
            BaseStage.DESIGNATED,
            (Role.CAB_DEC,),
            "operator verified; parent one tier above",
        ),
    )


class DesignateBase(Designation, Command):
    """Designate the base."""

    records = BaseDesignated
    acts_for = (BUREAU,)


class Assessment(Particulars):
    """The yearly assessment on which support rests (CZ-9)."""

    score: Annotated[Decimal, Field(ge=0, le=200, max_digits=5, decimal_places=2, title="得分 / score")]
    """Points; a bonus may take it above 100 [F17]."""
    grade: Annotated[Text, Field(title="等級 / grade")]


class BaseAssessed(Assessment, Event):
    """The base was assessed; the latest assessment counts."""

    zh = "基地評估"
    moves = (
        Transition(
            "BS02",
            (BaseStage.DESIGNATED, BaseStage.ASSESSED),
            BaseStage.ASSESSED,
            (Role.EVAL,),
            "designated",
        ),
    )


class AssessBase(Assessment, Command):
    """Assess the base."""

    records = BaseAssessed
    acts_for = (EVALUATOR,)


# ---------------------------------------------------------------- 入駐與孵化期滿（出殼）


class Tenancy(Particulars):
    """Which organisation moves in, until when."""

    organisation: Annotated[Name, Field(title="組織 / organisation")]
    until: Annotated[Date, Field(title="有效至 / until")]
    """Its last day, Shanghai."""


class TenantAdmitted(Tenancy, Event):
    """The organisation works in the base."""

    zh = "入駐"
    moves = (
        Transition(
            "BS03",
            (BaseStage.DESIGNATED, BaseStage.ASSESSED),
            SAME,
            (Role.BASE_OP,),
            "not barred or listed, not admitted already",
        ),
    )


class AdmitTenant(Tenancy, Command):
    """Take an organisation in."""

    records = TenantAdmitted
    acts_for = (OPERATOR,)


class Departure(Particulars):
    """Which organisation has outgrown the base."""

    organisation: Annotated[Name, Field(title="組織 / organisation")]


class TenantGraduated(Departure, Event):
    """The organisation stands on its own feet."""

    zh = "孵化期滿（出殼）"
    en = "graduated"
    moves = (Transition("BS04", (BaseStage.DESIGNATED, BaseStage.ASSESSED), SAME, (Role.BASE_OP,), "a present tenant"),)


class GraduateTenant(Departure, Command):
    """Let a tenant go."""

    records = TenantGraduated
    acts_for = (OPERATOR,)


class Exit(Departure):
    """Which organisation leaves before it has outgrown the base, and why."""

    reason: Reason


class TenantExited(Exit, Event):
    """The organisation has left."""

    zh = "退出"
    moves = (Transition("BS05", (BaseStage.DESIGNATED, BaseStage.ASSESSED), SAME, (Role.BASE_OP,), "a present tenant"),)


class ExitTenant(Exit, Command):
    """Record that a tenant has left."""

    records = TenantExited
    acts_for = (OPERATOR,)


# ---------------------------------------------------------------- 服務目錄


class Offer(Particulars):
    """What the base does for others, by the city's catalogue for its tier (CZ-10)."""

    scheme: Annotated[SchemeRef, Field(title="管理辦法 / scheme")]
    """The city and version whose catalogue it is."""
    services: Annotated[tuple[Text, ...], Field(max_length=50, title="服務項目 / services")]
    """All of them."""


class ServicesOffered(Offer, Event):
    """The base offers these from now on, in place of what was said before."""

    zh = "基地服務目錄登記"
    moves = (
        Transition(
            "BS06",
            (BaseStage.DESIGNATED, BaseStage.ASSESSED),
            SAME,
            (Role.BASE_OP, Role.CAB_REG),
            "each in the catalogue of its tier",
        ),
    )


class OfferServices(Offer, Command):
    """Say what the base offers."""

    records = ServicesOffered
    acts_for = (OPERATOR, BUREAU)


Commands = DesignateBase | AssessBase | AdmitTenant | GraduateTenant | ExitTenant | OfferServices
Events = BaseDesignated | BaseAssessed | TenantAdmitted | TenantGraduated | TenantExited | ServicesOffered


# ---------------------------------------------------------------- what is remembered of it


@dataclass(frozen=True)
class Base(Part):
    """The base as designated and last assessed, with its tenants."""

    name: str = ""
    tier: Tier | None = None
    operator: str = ""
    parent: str | None = None
    evaluator: str | None = None
    score: Decimal | None = None
    grade: str | None = None
    """None if it was never assessed."""
    tenants: Mapping[str, date] = field(default_factory=dict)
    """Present tenants and the last day of each."""
    services: tuple[str, ...] = ()
    """What it offers, of the city's catalogue."""


# ---------------------------------------------------------------- decide


def reads(state: State, command: Commands) -> Reads:
    """The operator and the parent, or the tenant."""
    match command:
        case DesignateBase(operator=operator, parent=parent):
            streams = {state.stream.sibling("organisation", operator)}
            if parent is not None:
                streams.add(state.stream.sibling("base", parent))
            return Reads(streams=frozenset(streams))
        case AdmitTenant(organisation=organisation):
            return Reads(streams=frozenset({state.stream.sibling("organisation", organisation)}))
        case OfferServices(scheme=ref):
            return Reads(streams=frozenset({state.stream.sibling("scheme", ref.name)}))
        case AssessBase() | GraduateTenant() | ExitTenant():
            return Reads()
        case _:
            assert_never(command)


def decide(state: State, facts: Facts, order: Order, command: Commands) -> list[Event]:
    """What an order about the base makes happen. Raises CommandRejected."""
    check, base, today = Checks(), state.part(Base), local_day(order.at)
    match command:
        case DesignateBase():
            _require_designable(check, state, facts, command)
            return check.grant(BaseDesignated.of(command))
        case AssessBase():
            return check.grant(BaseAssessed.of(command))
        case AdmitTenant(organisation=organisation, until=until):
            check(
                organisation not in base.tenants,
                "BS03",
                "{organisation} 已入駐至 {until}",
                "{organisation} is a tenant already, until {until}",
                organisation=organisation,
                until=base.tenants.get(organisation),
            )
            check(
                until > today,
                "BS03",
                "入駐期須至今日之後，所填為 {until}",
                "the tenancy must end after today (it says {until})",
                until=until,
            )
            tenant = facts.of(state.stream.sibling("organisation", organisation))
            if tenant.stage == OrganisationStage.VERIFIED:  # a start-up need not be registered yet (CZ-10)
                require_fundable(check, tenant, today, None, "D5")
            return check.grant(TenantAdmitted.of(command))
        case GraduateTenant(organisation=organisation):
            check(
                organisation in base.tenants,
                "BS04",
                "{organisation} 並未入駐",
                "{organisation} is not a tenant",
                organisation=organisation,
            )
            return check.grant(TenantGraduated.of(command))
        case ExitTenant(organisation=organisation):
            check(
                organisation in base.tenants,
                "BS05",
                "{organisation} 並未入駐",
                "{organisation} is not a tenant",
                organisation=organisation,
            )
            return check.grant(TenantExited.of(command))
        case OfferServices():
            _require_in_catalogue(check, state, facts, command)
            return check.grant(ServicesOffered.of(command))
        case _:
            assert_never(command)


def _require_in_catalogue(check: Checks, state: State, facts: Facts, command: OfferServices) -> None:
    """BS06: what a base offers is in the city's catalogue for its tier (CZ-10)."""
    ref, tier = command.scheme, state.part(Base).tier or Tier.MUNICIPAL
    scheme = require_published_rules(check, state, facts, ref)
    catalogue = scheme.bases.list_services(tier) if scheme is not None and scheme.bases is not None else None
    if catalogue is None:
        return
    strays = sorted(set(command.services) - set(catalogue))
    check(
        not strays,
        "BS06",
        "{strays} 不在{tier}基地的服務目錄：{catalogue}",
        "{strays} are not in the catalogue of a {tier} base: {catalogue}",
        strays=strays,
        tier=tier,
        catalogue=catalogue,
    )


def _require_designable(check: Checks, state: State, facts: Facts, command: DesignateBase) -> None:
    operator = facts.of(state.stream.sibling("organisation", command.operator))
    check(
        operator.stage == OrganisationStage.VERIFIED,
        "BS01",
        "運營單位 {operator} 未經申報資格核驗",
        "the operator {operator} has not been verified",
        operator=command.operator,
    )
    above = command.tier.above
    parent = facts.of(state.stream.sibling("base", command.parent)).part(Base).tier if command.parent else None
    check(
        parent is above,
        "C1",
        "{tier} 基地的上級須為 {above}，所填上級為 {parent}",
        "a base of tier {tier} has a parent of tier {above}, not {parent}",
        tier=command.tier,
        above=or_else(above, "無", "none"),
        parent=or_else(parent, "無", "none"),
    )


# ---------------------------------------------------------------- evolve


def evolve(state: State, _of: Occurrence, event: Events) -> State:
    """Keep the base as last assessed, and its tenants."""
    base = state.part(Base)
    match event:
        case BaseDesignated():
            designated = replace(
                base,
                name=event.name,
                tier=event.tier,
                operator=event.operator,
                parent=event.parent,
                evaluator=event.evaluator,
            )
            return state.with_parts(designated)
        case BaseAssessed():
            return state.with_parts(replace(base, score=event.score, grade=event.grade))
        case TenantAdmitted():
            return state.with_parts(replace(base, tenants={**base.tenants, event.organisation: event.until}))
        case ServicesOffered():
            return state.with_parts(replace(base, services=event.services))
        case TenantGraduated() | TenantExited():
            staying = {name: until for name, until in base.tenants.items() if name != event.organisation}
            return state.with_parts(replace(base, tenants=staying))
        case _:
            assert_never(event)


def awaiting(state: State, _calendar: Calendar) -> Iterable[Awaited]:
    """The assessment of a new base, and the leaving of every tenant."""
    if state.stage == BaseStage.DESIGNATED:
        yield Awaited((Role.EVAL,), "AssessBase", "", "評估基地", "assess the base")
    for organisation, until in state.part(Base).tenants.items():
        yield Awaited(
            (Role.BASE_OP,),
            "GraduateTenant",
            organisation,
            f"{organisation} 孵化期滿（出殼）",
            f"let {organisation} go at the end of its tenancy",
            day_ends(until),
        )


DECIDER = Decider(
    name="base",
    zh="孵化培育基地",
    commands=get_args(Commands),
    events=get_args(Events),
    decide=decide,
    evolve=evolve,
    reads=reads,
    awaiting=awaiting,
)

BASE = Aggregate(
    kind="base",
    zh="孵化培育基地",
    en="incubation base",
    en_many="incubation bases",
    deciders=(DECIDER,),
    final=frozenset(BaseStage),
    impartiality=require_impartial("SD15", lambda _order, state, _facts: frozenset({state.part(Base).operator}) - {""}),
    summary=lambda state: {"name": state.part(Base).name, "tier": state.part(Base).tier},
)
