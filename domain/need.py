"""需求: what somebody says a community lacks, until it is adopted, rejected, merged or split (HZ-2, HZ-3, HZ-12).

Merging and splitting leave links both ways: the other need says so first, then this one leaves the table.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, assert_never, get_args

from pydantic import Field

from domain.kernel.acting import Acting, require_another_person
from domain.kernel.attachment import Attachments
from domain.kernel.bounds import Name
from domain.kernel.calendar import closing_time
from domain.kernel.codelist import Codelist, require_listed
from domain.kernel.decider import Aggregate, Decider
from domain.kernel.facts import Facts, Reads
from domain.kernel.field_shape import Otherwise
from domain.kernel.identifier import Reason, Role, Text
from domain.kernel.message import Awaited, Command, Event, Occurrence, Order, Particulars
from domain.kernel.refusal import Checks
from domain.kernel.relation import ANYBODY, BUREAU, PUBLIC, Names, Relation
from domain.kernel.scope import ScopeKind
from domain.kernel.state import SAME, Part, State, Transition
from domain.round.plan import Round
from domain.round.stage import NeedStage, RoundStage

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from domain.kernel.calendar import Calendar
    from domain.kernel.identifier import StreamId
    from domain.kernel.scheme import Scheme

PROPOSERS = (Role.PUBLIC, Role.COMM, Role.DCAB)
"""Who may say what a community lacks."""


# ---------------------------------------------------------------- whose business a need is


COMMUNITY = Relation(
    "need.community",
    "需求所屬社區；未載明者，任何社區均可提出",
    "the community that the need names; where it names none, any may submit it",
    ScopeKind.COMMUNITY,
    "AF03",
    lambda _state, _facts, command: _only(command.community),
)

DISTRICT = Relation(
    "need.district",
    "需求所屬區縣；未載明者，任何區縣均可提出",
    "the district that the need names; where it names none, any may submit it",
    ScopeKind.DISTRICT,
    "AF02",
    lambda _state, _facts, command: _only(command.district),
)


def _only(name: str | None) -> Names:
    return None if name is None else frozenset({name})


# ---------------------------------------------------------------- 提交與附議


class Shortfall(Particulars):
    """Who lacks what, where (stage 1)."""

    round: Annotated[Name, Field(title="屆（年度） / round")]
    """The round that asked for needs."""
    group: Annotated[Text, Field(title="服務對象 / beneficiary group")]
    """Whom it is about, e.g. 空巢老人； a group, never a person."""
    problem: Annotated[Text | None, Field(title="問題 / problem")] = None
    place: Annotated[Text | None, Field(title="地點 / place")] = None
    head_count: Annotated[Annotated[int, Field(ge=1, le=10_000_000)] | None, Field(title="人數 / head count")] = None
    """Persons, not person-times."""
    fields: Annotated[tuple[Text, ...], Field(max_length=20, title="領域 / fields")] = ()
    """Fields of welfare (HZ-6)."""
    theme: Annotated[Text | None, Field(title="主題 / theme")] = None
    """The city's priority that it falls under (HZ-12)."""
    resources: Annotated[tuple[Text, ...], Field(max_length=50, title="資源 / resources")] = ()
    """What the proposer offers towards it (HZ-3)."""
    community: Annotated[Name | None, Field(title="社區 / community")] = None
    """The community that says so or that it is about, e.g. ``COMM-1``."""
    district: Annotated[Name | None, Field(title="區縣 / district")] = None
    """The district that says so or that it lies in."""
    split_from: Annotated[Name | None, Field(title="拆分自 / split from")] = None
    """The need that this is a part of; then the window does not bind it."""
    attachments: Attachments = ()


class NeedSubmitted(Shortfall, Event):
    """Somebody has said what is lacking."""

    zh = "需求提交"
    en = "need submitted"
    moves = (Transition("ND01", (NeedStage.NONE,), NeedStage.SUBMITTED, PROPOSERS, "inside the need window"),)


class SubmitNeed(Shortfall, Command):
    """Say what is lacking."""

    records = NeedSubmitted
    acts_for = (PUBLIC, COMMUNITY, DISTRICT)


class Endorsement(Particulars):
    """What stands behind an endorsement."""

    resources: Annotated[tuple[Text, ...], Field(max_length=50, title="資源 / resources")] = ()
    """What the endorser offers (HZ-3)."""


class NeedEndorsed(Endorsement, Event):
    """Somebody else says the same."""

    zh = "需求附議"
    moves = (Transition("ND02", (NeedStage.SUBMITTED,), SAME, PROPOSERS, "once a person, not the proposer"),)


class EndorseNeed(Endorsement, Command):
    """Endorse the need."""

    records = NeedEndorsed
    acts_for = (ANYBODY,)


# ---------------------------------------------------------------- 決定


class Adoption(Particulars):
    """Under which heading it goes into the catalogue."""

    theme: Annotated[Text | None, Otherwise("提交時所載", "as submitted"), Field(title="主題 / theme")] = None
    fields: Annotated[
        tuple[Text, ...] | None, Otherwise("提交時所載", "as submitted"), Field(max_length=20, title="領域 / fields")
    ] = None
    """Fields of the city's list (HZ-6), where the proposer's own words are others."""


class NeedAdopted(Adoption, Event):
    """Organisations may answer the need."""

    zh = "需求入庫"
    moves = (Transition("ND03", (NeedStage.SUBMITTED,), NeedStage.ADOPTED, (Role.CAB_REG,), "none"),)


class AdoptNeed(Adoption, Command):
    """Adopt the need."""

    records = NeedAdopted
    acts_for = (BUREAU,)


class NeedRejection(Particulars):
    """Why it is not adopted."""

    reason: Reason


class NeedRejected(NeedRejection, Event):
    """The need is not adopted."""

    zh = "需求不採納"
    moves = (Transition("ND04", (NeedStage.SUBMITTED,), NeedStage.REJECTED, (Role.CAB_REG,), "reason given"),)


class RejectNeed(NeedRejection, Command):
    """Do not adopt the need."""

    records = NeedRejected
    acts_for = (BUREAU,)


# ---------------------------------------------------------------- 合併與拆分


class Absorption(Particulars):
    """Which need this one speaks for as well."""

    other: Annotated[Name, Field(title="被併需求 / the other need")]


class NeedAbsorbed(Absorption, Event):
    """The need speaks for the other one too; the other is merged next."""

    zh = "需求併入"
    moves = (
        Transition(
            "ND05",
            (NeedStage.SUBMITTED, NeedStage.ADOPTED),
            SAME,
            (Role.CAB_REG,),
            "the other undecided, in the same round",
        ),
    )


class AbsorbNeed(Absorption, Command):
    """Let this need speak for another one."""

    records = NeedAbsorbed
    acts_for = (BUREAU,)


class Merger(Particulars):
    """Into which need it goes."""

    into: Annotated[Name, Field(title="併入需求 / into")]


class NeedMerged(Merger, Event):
    """The need lives on in another one."""

    zh = "需求合併"
    moves = (Transition("ND06", (NeedStage.SUBMITTED,), NeedStage.MERGED, (Role.CAB_REG,), "the other absorbed it"),)


class MergeNeed(Merger, Command):
    """Merge the need into another one that has absorbed it."""

    records = NeedMerged
    acts_for = (BUREAU,)


class Division(Particulars):
    """Into which needs it falls."""

    into: Annotated[tuple[Name, ...], Field(max_length=50, min_length=2, title="拆入需求 / into")]


class NeedSplit(Division, Event):
    """The need lives on in its parts."""

    zh = "需求拆分"
    moves = (
        Transition(
            "ND07", (NeedStage.SUBMITTED,), NeedStage.SPLIT, (Role.CAB_REG,), "every part names it as its whole"
        ),
    )


class SplitNeed(Division, Command):
    """Split the need into parts that were submitted as such."""

    records = NeedSplit
    acts_for = (BUREAU,)


Commands = SubmitNeed | EndorseNeed | AdoptNeed | RejectNeed | AbsorbNeed | MergeNeed | SplitNeed
Events = NeedSubmitted | NeedEndorsed | NeedAdopted | NeedRejected | NeedAbsorbed | NeedMerged | NeedSplit


# ---------------------------------------------------------------- what the decider remembers


@dataclass(frozen=True)
class Need(Part):
    """The need as submitted, and what became of it."""

    round: str = ""
    group: str = ""
    problem: str | None = None
    fields: frozenset[str] = frozenset()
    theme: str | None = None
    proposer: Acting | None = None
    endorsers: frozenset[Acting] = frozenset()
    resources: tuple[str, ...] = ()
    community: str | None = None
    district: str | None = None
    absorbed: tuple[str, ...] = ()
    """Needs that were merged into it."""
    into: tuple[str, ...] = ()
    """The needs in which it lives on."""
    split_from: str | None = None


# ---------------------------------------------------------------- decide


def reads(state: State, command: Commands) -> Reads:
    """The round, or the other needs."""
    match command:
        case SubmitNeed(round=round_, split_from=whole):
            streams = {state.stream.sibling("round", round_)}
            if whole is not None:
                streams.add(state.stream.sibling("need", whole))
        case AbsorbNeed(other=other):
            streams = {state.stream.sibling("need", other)}
        case MergeNeed(into=target):
            streams = {state.stream.sibling("need", target)}
        case SplitNeed(into=parts):
            streams = {state.stream.sibling("need", part) for part in parts}
        case EndorseNeed() | AdoptNeed() | RejectNeed():
            streams = set()
        case _:
            assert_never(command)
    return Reads(streams=frozenset(streams))


def decide(state: State, facts: Facts, order: Order, command: Commands) -> list[Event]:
    """What an order about the need makes happen. Raises CommandRejected."""
    check, need = Checks(), state.part(Need)
    match command:
        case SubmitNeed(split_from=None):
            _require_solicited(check, facts.of(state.stream.sibling("round", command.round)), facts.calendar, order.at)
            return check.grant(NeedSubmitted.of(command))
        case SubmitNeed():
            _require_undecided(
                check, facts.of(state.stream.sibling("need", command.split_from or "")), command.round, "ND01"
            )
            return check.grant(NeedSubmitted.of(command))
        case EndorseNeed():
            require_another_person(
                check,
                order.acting,
                "ND02",
                (need.proposer, *sorted(need.endorsers, key=str)),
                "{actor} 已提出或附議過此需求",
                "{actor} has proposed or endorsed it already",
                actor=order.actor,
            )
            return check.grant(NeedEndorsed.of(command))
        case AdoptNeed():
            _require_codes(check, facts.scheme, need, command)
            return check.grant(NeedAdopted.of(command))
        case RejectNeed():
            return check.grant(NeedRejected.of(command))
        case AbsorbNeed(other=other):
            check(other != state.stream.name, "ND05", "需求不能併入自身", "a need cannot absorb itself")
            _require_undecided(check, facts.of(state.stream.sibling("need", other)), need.round, "ND05")
            return check.grant(NeedAbsorbed.of(command))
        case MergeNeed(into=target):
            check(
                state.stream.name in facts.of(state.stream.sibling("need", target)).part(Need).absorbed,
                "ND06",
                "請先在 {target} 辦理「需求併入」，併入 {name}",
                "{target} must absorb {name} first",
                target=target,
                name=state.stream.name,
            )
            return check.grant(NeedMerged.of(command))
        case SplitNeed(into=parts):
            strangers = [
                part
                for part in parts
                if facts.of(state.stream.sibling("need", part)).part(Need).split_from != state.stream.name
            ]
            check(
                not strangers,
                "ND07",
                "{strangers} 不是由 {name} 拆出，請先提交並註明拆自何需求",
                "{strangers} were not split from {name}; submit them first, naming the need they were split from",
                strangers=strangers,
                name=state.stream.name,
            )
            return check.grant(NeedSplit.of(command))
        case _:
            assert_never(command)


def _require_codes(check: Checks, scheme: Scheme | None, need: Need, adoption: AdoptNeed) -> None:
    """K1: whoever says what is lacking uses any words; adopted, it stands under fields and a theme of the city."""
    theme = adoption.theme or need.theme
    require_listed(check, scheme, Codelist.FIELDS, need.fields if adoption.fields is None else adoption.fields)
    require_listed(check, scheme, Codelist.THEMES, [theme] if theme else [])


def governed_by(state: State, command: Command) -> StreamId | None:
    """The round that asked for it, once it is to be adopted: the lists of its rules hold."""
    round_ = state.part(Need).round if isinstance(command, AdoptNeed) else ""
    return state.stream.sibling("round", round_) if round_ else None


def _require_solicited(check: Checks, round_: State, calendar: Calendar, at: datetime) -> None:
    """D1: the need window of the round stands open at that instant."""
    end = round_.part(Round).needs_close_at(calendar)
    text = closing_time(end) if end else "—"
    if not check(
        round_.stage == RoundStage.SOLICITING or end is not None,
        "ND01",
        "{name} 未徵集需求",
        "{name} is not collecting needs",
        name=round_.stream.name,
    ):
        return
    check(
        round_.stage == RoundStage.SOLICITING and end is not None and at < end,
        "D1",
        "需求徵集已於 {shown} 結束",
        "needs were collected until {shown}",
        shown=text,
    )


def _require_undecided(check: Checks, other: State, round_: str, rule: str) -> None:
    check(
        other.stage == NeedStage.SUBMITTED,
        rule,
        "{name} 目前為「{stage}」，只有尚未決定的需求可以辦理",
        "{name} is {stage}; only a need that has not been decided can be handled",
        name=other.stream.name,
        stage=NeedStage(other.stage),
    )
    theirs = other.part(Need).round
    check(
        not theirs or theirs == round_,
        rule,
        "{name} 屬 {theirs}，不屬 {round}",
        "{name} belongs to {theirs}, not to {round}",
        name=other.stream.name,
        theirs=theirs,
        round=round_,
    )


# ---------------------------------------------------------------- evolve


def evolve(state: State, of: Occurrence, event: Events) -> State:
    """Keep the need as submitted, who endorsed it, and what it was merged or split into."""
    need = state.part(Need)
    match event:
        case NeedSubmitted():
            submitted = replace(
                need,
                round=event.round,
                group=event.group,
                problem=event.problem,
                fields=frozenset(event.fields),
                theme=event.theme,
                proposer=of.acting,
                resources=event.resources,
                community=event.community,
                district=event.district,
                split_from=event.split_from,
            )
            return state.with_parts(submitted)
        case NeedEndorsed():
            endorsers = need.endorsers | {of.acting}
            return state.with_parts(replace(need, endorsers=endorsers, resources=(*need.resources, *event.resources)))
        case NeedAdopted():
            fields = need.fields if event.fields is None else frozenset(event.fields)
            return state.with_parts(replace(need, theme=event.theme or need.theme, fields=fields))
        case NeedRejected():
            return state
        case NeedAbsorbed():
            return state.with_parts(replace(need, absorbed=(*need.absorbed, event.other)))
        case NeedMerged():
            return state.with_parts(replace(need, into=(event.into,)))
        case NeedSplit():
            return state.with_parts(replace(need, into=event.into))
        case _:
            assert_never(event)


def awaiting(state: State, _calendar: Calendar) -> Iterable[Awaited]:
    """The bureau, to adopt or reject the need."""
    if state.stage == NeedStage.SUBMITTED:
        yield Awaited((Role.CAB_REG,), "AdoptNeed", "", "需求入庫或不採納", "adopt or reject the need")


DECIDER = Decider(
    name="need",
    zh="需求",
    commands=get_args(Commands),
    events=get_args(Events),
    decide=decide,
    evolve=evolve,
    reads=reads,
    awaiting=awaiting,
)

NEED = Aggregate(
    kind="need",
    zh="需求",
    en="need",
    en_many="needs",
    deciders=(DECIDER,),
    final=frozenset(set(NeedStage) - {NeedStage.SUBMITTED}),
    governed_by=governed_by,
    summary=lambda state: {"group": state.part(Need).group, "round": state.part(Need).round},
)
