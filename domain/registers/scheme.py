"""計劃與管理辦法: a programme, every version of its rules whole, and the days on which it opens rounds (HZ-1, HZ-8).

A published version never changes: rounds pin it by name and number. What fires on the day is no matter of this module:
Temporal's schedule is set from what stands here (followers/schedules.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Annotated, assert_never, get_args

from pydantic import Field

from domain.kernel.decider import PROPOSALS, Aggregate, Decider
from domain.kernel.effects import Claim, Effect
from domain.kernel.facts import Facts, Reads
from domain.kernel.identifier import Role, StreamId, Text
from domain.kernel.message import Command, Event, Occurrence, Order, Particulars
from domain.kernel.refusal import Checks
from domain.kernel.relation import BUREAU
from domain.kernel.scheme import RoundLevel, Scheme
from domain.kernel.state import NONE, SAME, Part, SchemeRef, State, Transition
from domain.kernel.words import Words
from domain.registers.annual_round import Annual, Code, Day, Hour, Month, RoundSchedule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class SchemeStage(Words):
    """Whether there are rules to pin."""

    NONE = NONE, "尚未建立", "not started"
    ESTABLISHED = "ESTABLISHED", "已設立", "established"
    PUBLISHED = "PUBLISHED", "已發布", "published"


class Programme(Particulars):
    """A series of rounds under one name (HZ-1, CZ-7)."""

    city: Annotated[Text, Field(title="城市 / city")]
    brand: Annotated[Text, Field(title="品牌 / brand")]
    """The name that the public knows it by, e.g. 幸福社區."""


class ProgrammeEstablished(Programme, Event):
    """The programme exists."""

    zh = "計劃設立"
    moves = (
        Transition("SC01", (SchemeStage.NONE,), SchemeStage.ESTABLISHED, (Role.CAB_DEC,), "not established before"),
    )


class EstablishProgramme(Programme, Command):
    """Establish the programme."""

    records = ProgrammeEstablished
    acts_for = (BUREAU,)


class Pack(Particulars):
    """The rules of one version, whole."""

    scheme: Annotated[Scheme, Field(title="管理辦法 / scheme")]
    """Validated; its name is the name of this stream."""


class PolicyPackPublished(Pack, Event):
    """A version of the rules is published and may be pinned from its effective day."""

    zh = "管理辦法發布"
    en = "policy published"
    moves = (
        Transition(
            "SC02",
            (SchemeStage.NONE, SchemeStage.ESTABLISHED),
            SchemeStage.PUBLISHED,
            (Role.CAB_DEC,),
            "document valid; first version",
        ),
        Transition(
            "SC03",
            (SchemeStage.PUBLISHED,),
            SAME,
            (Role.CAB_DEC,),
            "document valid; a version not published before",
        ),
    )


class PublishPolicyPack(Pack, Command):
    """Publish a version of the rules."""

    records = PolicyPackPublished
    en_words = "publish the policy"
    acts_for = (BUREAU,)
    persons_needed = 2
    confirmed_by = (Role.CAB_DEC, Role.CAB_REG)


# ---------------------------------------------------------------- 年度徵集


class Series(Particulars):
    """Rounds that bear one code, a year each."""

    programme: Annotated[Code, Field(title="計劃代號 / programme code")]
    """E.g. ``FZ``; its round of 2027 is ``R-FZ-2027``."""


class Yearly(Series):
    """On which day of every year the next is opened, in the name of who asks for it."""

    level: Annotated[RoundLevel, Field(title="級別 / level")] = RoundLevel.MUNICIPAL
    month: Annotated[Month, Field(title="月 / month")]
    day: Annotated[Day, Field(title="日 / day")]
    hour: Annotated[Hour, Field(title="時 / hour")] = 9
    """In Shanghai."""


class AnnualRoundScheduled(Yearly, Event):
    """Every year on that day its round is opened."""

    zh = "年度徵集排定"
    moves = (
        Transition(
            "SC04",
            (SchemeStage.PUBLISHED,),
            SAME,
            (Role.CAB_REG,),
            "a day that every year has; not scheduled already; the code is no other programme's",
        ),
    )

    def effects(self, stream: StreamId) -> Iterable[Effect]:
        """Take the code, for good: the rounds that bear it stay this programme's."""
        yield Claim(programme_key(stream, self.programme), stream)


class ScheduleAnnualRound(Yearly, Command):
    """Have a round opened every year."""

    records = AnnualRoundScheduled
    acts_for = (BUREAU,)
    subject_field = "programme"


class AnnualRoundUnscheduled(Series, Event):
    """No more rounds are opened by themselves; those that were opened stay."""

    zh = "年度徵集取消"
    moves = (Transition("SC05", (SchemeStage.PUBLISHED,), SAME, (Role.CAB_REG, Role.CAB_DEC), "scheduled before"),)


class UnscheduleAnnualRound(Series, Command):
    """Have no more rounds opened by themselves."""

    records = AnnualRoundUnscheduled
    acts_for = (BUREAU,)
    subject_field = "programme"


def programme_key(stream: StreamId, programme: str) -> str:
    """The place of the one programme whose rounds bear that code."""
    return f"annual/{stream.realm}/{programme}"


Commands = EstablishProgramme | PublishPolicyPack | ScheduleAnnualRound | UnscheduleAnnualRound
Events = ProgrammeEstablished | PolicyPackPublished | AnnualRoundScheduled | AnnualRoundUnscheduled


@dataclass(frozen=True)
class Register(Part):
    """The programme's name, its rules by version, and its annual rounds by code."""

    city: str = ""
    brand: str = ""
    packs: Mapping[int, Scheme] = field(default_factory=dict)
    annual: Mapping[str, RoundSchedule | None] = field(default_factory=dict)
    """None where it was cancelled."""

    @property
    def newest(self) -> int:
        """The highest version; 0 if none is published."""
        return max(self.packs, default=0)


def scheme_stream(realm: str, name: str) -> StreamId:
    """The file of a city's rules: ``scheme/live/fuzhou``."""
    return StreamId.of("scheme", realm, name)


def scheme_of(register: State, ref: SchemeRef) -> Scheme | None:
    """That version of the rules, as published; None if it was not."""
    return register.part(Register).packs.get(ref.version) if register.stream.name == ref.name else None


def require_published_rules(check: Checks, state: State, facts: Facts, ref: SchemeRef) -> Scheme | None:
    """S1: that version of the rules has been published; None where it was not, which is noted."""
    scheme = scheme_of(facts.of(state.stream.sibling("scheme", ref.name)), ref)
    check(scheme, "S1", "管理辦法 {ref} 尚未發布", "the rules {ref} have not been published", ref=ref)
    return scheme


def reads(state: State, command: Commands) -> Reads:
    """Which programme has claimed the code before."""
    match command:
        case ScheduleAnnualRound(programme=programme):
            return Reads(claims=frozenset({programme_key(state.stream, programme)}))
        case EstablishProgramme() | PublishPolicyPack() | UnscheduleAnnualRound():
            return Reads()
        case _:
            assert_never(command)


def decide(state: State, facts: Facts, order: Order, command: Commands) -> list[Event]:
    """What an order about the programme makes happen. Raises CommandRejected."""
    check, register = Checks(), state.part(Register)
    match command:
        case EstablishProgramme():
            return check.grant(ProgrammeEstablished.of(command))
        case PublishPolicyPack(scheme=scheme):
            check(
                scheme.name == state.stream.name,
                "SC02",
                "管理辦法名為 {name}，須登記於同名卷宗，此卷宗為 {file}",
                "the rules are named {name}; publish them on the file of that name, not {file}",
                name=scheme.name,
                file=state.stream.name,
            )
            check(
                scheme.version == register.newest + 1,
                "SC03",
                "下一版本號須為 {newest}，所交為 {version}；已發布的版本不得更改",
                "the next version is {newest}, not {version}; a published version never changes",
                newest=register.newest + 1,
                version=scheme.version,
            )
            return check.grant(PolicyPackPublished.of(command))
        case ScheduleAnnualRound():
            _require_schedulable(check, state, facts, command)
            check(
                order.basis is None,
                "SC04",
                "年度安排年年以其人名義開啟，須由崗位所屬者本人排定",
                "year after year it is opened in that person's name: whose seat it is schedules it, and no stand-in",
            )
            return check.grant(AnnualRoundScheduled.of(command))
        case UnscheduleAnnualRound(programme=programme):
            check(
                register.annual.get(programme),
                "SC05",
                "{programme} 沒有年度安排",
                "{programme} has no annual schedule",
                programme=programme,
            )
            return check.grant(AnnualRoundUnscheduled.of(command))
        case _:
            assert_never(command)


def _require_schedulable(check: Checks, state: State, facts: Facts, series: ScheduleAnnualRound) -> None:
    annual = state.part(Register).annual
    scheduled, day = annual.get(series.programme), f"{series.month:02}-{series.day:02}"
    check(
        _is_in_every_year(series),
        "SC04",
        "並非每年都有 {day}，請另選一日",
        "not every year has a {day}: choose another day",
        day=day,
    )
    check(
        scheduled is None,
        "SC04",
        "{programme} 已有年度安排，請先取消",
        "{programme} is scheduled already: unschedule it first",
        programme=series.programme,
    )
    others = facts.holders(programme_key(state.stream, series.programme)) - {state.stream}
    check(
        not others,
        "SC04",
        "代號 {programme} 屬於 {others}",
        "the code {programme} belongs to {others}",
        programme=series.programme,
        others=sorted(others),
    )
    municipal = sorted(
        code
        for code, schedule in annual.items()
        if schedule is not None and schedule.annual.level is RoundLevel.MUNICIPAL and code != series.programme
    )
    check(
        series.level is not RoundLevel.MUNICIPAL or not municipal,
        "H1",
        "每年的市級屆次已由 {municipal} 開啟",
        "the municipal round of every year is opened by {municipal}",
        municipal=municipal,
    )


def _is_in_every_year(series: Yearly) -> bool:
    try:
        date(2001, series.month, series.day)
    except ValueError:
        return False
    return True


def evolve(state: State, of: Occurrence, event: Events) -> State:
    """Keep every version of the rules; the newest is the one that the stream itself cites."""
    register = state.part(Register)
    match event:
        case ProgrammeEstablished():
            return state.with_parts(replace(register, city=event.city, brand=event.brand))
        case PolicyPackPublished(scheme=scheme):
            packs = {**register.packs, scheme.version: scheme}
            return replace(state, scheme=scheme.ref).with_parts(
                replace(register, city=register.city or scheme.city, packs=packs)
            )
        case AnnualRoundScheduled(programme=code, month=month, day=day, hour=hour):
            name, realm = state.stream.name, state.stream.realm
            person = next(iter(of.persons), None)  # one: it is no stand-in's to schedule
            annual = Annual(programme=code, scheme=name, level=event.level, actor=of.actor, realm=realm, person=person)
            schedule = RoundSchedule(annual=annual, month=month, day=day, hour=hour, since=of.at)
            return state.with_parts(replace(register, annual={**register.annual, code: schedule}))
        case AnnualRoundUnscheduled(programme=code):
            return state.with_parts(replace(register, annual={**register.annual, code: None}))
        case _:
            assert_never(event)


DECIDER = Decider(
    name="scheme",
    zh="計劃與管理辦法",
    commands=get_args(Commands),
    events=get_args(Events),
    decide=decide,
    evolve=evolve,
    reads=reads,
)

SCHEME = Aggregate(
    kind="scheme",
    zh="計劃與管理辦法",
    en="scheme",
    en_many="schemes",
    deciders=(DECIDER, PROPOSALS),
    final=frozenset(SchemeStage),
    summary=lambda state: {"city": state.part(Register).city, "newest": state.part(Register).newest},
)
