"""認定: brand, honour, batch, series, knowledge product and method template are one thing: a dated designation.

Of projects, organisations, bases or a programme; granted and withdrawn by events, by two persons; each may continue
one of before: a name that lasts is a line of them (HZ-16, HZ-17, HZ-21, CZ-4, CZ-6, CZ-7, FZ-7, FZ-9).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Annotated, Final, assert_never, get_args

from pydantic import BaseModel, ConfigDict, Field

from domain.kernel.attachment import Attachments, Evidence
from domain.kernel.bounds import Date, Name
from domain.kernel.calendar import local_day
from domain.kernel.decider import PROPOSALS, Aggregate, Decider
from domain.kernel.facts import Facts, Reads
from domain.kernel.field_shape import Otherwise
from domain.kernel.identifier import Reason, Role, StreamId, Text, name_key
from domain.kernel.message import Command, Event, Occurrence, Order, Particulars
from domain.kernel.refusal import Checks
from domain.kernel.relation import BUREAU
from domain.kernel.state import NONE, SAME, Part, State, Transition
from domain.kernel.words import Words

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_HOLDERS = 500
"""How many one batch may name."""

_PROJECT_NUMBER = re.compile(r"PJ-[A-Za-z0-9-]{1,32}")
_KINDS: Final[Mapping[str, str]] = {"AP": "project", "PJ": "project", "ORG": "organisation", "BASE": "base"}

Keyed = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,31}$")]
"""The short name of a step, which becomes that of a milestone."""


class DesignationStage(Words):
    """Whether it is granted."""

    NONE = NONE, "未建檔", "not started"
    GRANTED = "GRANTED", "有效", "granted"
    WITHDRAWN = "WITHDRAWN", "已撤銷", "withdrawn"


class DesignationKind(Words):
    """What is granted."""

    BRAND = "BRAND", "品牌", "brand"
    HONOUR = "HONOUR", "榮譽", "honour"
    BATCH = "BATCH", "批次認定", "batch"
    """E.g. the first batch of hub organisations (CZ-6)."""
    SERIES = "SERIES", "系列品牌", "series"
    """One name over many years (CZ-7)."""
    KNOWLEDGE_PRODUCT = "KNOWLEDGE_PRODUCT", "衍生成果", "knowledge product"
    METHOD = "METHOD", "方法模板", "method template"
    """A way of working as steps, which a contract turns into milestones (FZ-9)."""

    @property
    def holders(self) -> frozenset[str]:
        """Which kinds of streams may hold it."""
        everybody = frozenset({"project", "organisation", "base", "scheme"})
        return {"HONOUR": frozenset({"project", "organisation"}), "SERIES": frozenset({"scheme", "project"})}.get(
            self.value, everybody
        )


class MethodStep(BaseModel):
    """One step of a method."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    title: Annotated[Text, Field(title="名稱 / title")]
    days: Annotated[int, Field(ge=1, le=1830, title="天數 / days")]
    """After the contract is signed."""


# ---------------------------------------------------------------- 授予


class Grant(Particulars):
    """What is granted to whom, by whom, from when until when."""

    kind: Annotated[DesignationKind, Field(title="類別 / kind")]
    title: Annotated[Text, Field(title="名稱 / title")]
    """E.g. 救在身邊."""
    holders: Annotated[tuple[Name, ...], Field(min_length=1, max_length=MOST_HOLDERS, title="所授對象 / holders")]
    """Projects, organisations, bases or a programme: ``PJ-3``, ``ORG-1``, ``BASE-1``, ``changzhou``."""
    body: Annotated[Text, Field(title="授予單位 / granted by")]
    since: Annotated[Date | None, Otherwise("當日", "today"), Field(title="授予日 / since")] = None
    """Its first day; None for today."""
    until: Annotated[Date | None, Field(title="有效至 / until")] = None
    """Its last day; None for good."""
    batch: Annotated[Annotated[int, Field(ge=1, le=999)] | None, Field(title="批次 / batch")] = None
    continues: Annotated[Name | None, Field(title="承接認定 / continues")] = None
    """The designation of before that this one goes on with, e.g. of the year before: the line of a name."""
    round: Annotated[Name | None, Field(title="屆（年度） / round")] = None
    """The round that it came out of."""
    steps: Annotated[dict[Keyed, MethodStep] | None, Field(max_length=50, title="步驟 / steps")] = None
    """Of a method, and of nothing else."""
    attachments: Attachments = ()


class DesignationGranted(Grant, Event):
    """It is granted."""

    zh = "認定授予"
    moves = (
        Transition(
            "DG01",
            (DesignationStage.NONE,),
            DesignationStage.GRANTED,
            (Role.CAB_REG,),
            "holders on record; line of one kind; steps for a method alone; two persons",
        ),
    )


class GrantDesignation(Grant, Command):
    """Grant it."""

    records = DesignationGranted
    acts_for = (BUREAU,)
    persons_needed = 2
    confirmed_by = (Role.CAB_DEC, Role.CAB_REG)


# ---------------------------------------------------------------- 撤銷


class Revocation(Particulars):
    """From whom it is taken, and why, with evidence (V1)."""

    holders: Annotated[
        tuple[Name, ...] | None,
        Otherwise("全部", "all of them"),
        Field(min_length=1, max_length=MOST_HOLDERS, title="撤銷對象 / holders"),
    ] = None
    """Some of its holders; None for all of them."""
    reason: Reason
    attachments: Evidence


def _is_for_all_holders(event: object) -> bool:
    """Whether it is taken from all that hold it."""
    return getattr(event, "holders", None) is None


class DesignationWithdrawn(Revocation, Event):
    """Nobody holds it any more."""

    zh = "認定撤銷"
    moves = (
        Transition(
            "DG02",
            (DesignationStage.GRANTED,),
            DesignationStage.WITHDRAWN,
            (Role.CAB_DEC,),
            "all that still hold it",
            when=_is_for_all_holders,
        ),
        Transition(
            "DG03",
            (DesignationStage.GRANTED,),
            SAME,
            (Role.CAB_DEC,),
            "some of those that hold it",
            when=lambda event: not _is_for_all_holders(event),
        ),
    )


class WithdrawDesignation(Revocation, Command):
    """Withdraw it."""

    records = DesignationWithdrawn
    acts_for = (BUREAU,)
    persons_needed = 2
    confirmed_by = (Role.CAB_DEC, Role.CAB_REG)


Commands = GrantDesignation | WithdrawDesignation
Events = DesignationGranted | DesignationWithdrawn


# ---------------------------------------------------------------- what is remembered of it


@dataclass(frozen=True)
class Designation(Part):
    """What was granted, and who holds it."""

    kind: DesignationKind | None = None
    title: str = ""
    holders: frozenset[str] = frozenset()
    body: str = ""
    since: date | None = None
    until: date | None = None
    withdrawn_on: date | None = None
    continues: str | None = None
    steps: Mapping[str, MethodStep] = field(default_factory=dict)

    def is_valid_on(self, day: date) -> bool:
        """Whether it counts on that day."""
        return self.since is not None and self.since <= day and (self.until is None or day <= self.until)


def holder_stream(stream: StreamId, holder: str) -> StreamId:
    """The stream that a holder's name means; a name without a known beginning is a programme's."""
    kind = _KINDS.get(holder.partition("-")[0]) if "-" in holder else None
    return stream.sibling(kind or "scheme", holder)


def _number_key(stream: StreamId, holder: str) -> str | None:
    """The key that a project holds for its number, where the holder is named by that."""
    return name_key(stream.realm, holder) if _PROJECT_NUMBER.fullmatch(holder) else None


# ---------------------------------------------------------------- decide


def reads(state: State, command: Commands) -> Reads:
    """Whoever is to hold it, and the designation that it continues."""
    if not isinstance(command, GrantDesignation):
        return Reads()
    streams = {holder_stream(state.stream, holder) for holder in command.holders}
    if command.continues is not None:
        streams.add(state.stream.sibling("designation", command.continues))
    keys = {key for holder in command.holders if (key := _number_key(state.stream, holder))}
    return Reads(frozenset(streams - {state.stream}), frozenset(keys))


def decide(state: State, facts: Facts, order: Order, command: Commands) -> list[Event]:
    """What an order about a designation makes happen. Raises CommandRejected."""
    check, designation, today = Checks(), state.part(Designation), local_day(order.at)
    match command:
        case GrantDesignation():
            _require_grantable(check, state, facts, command, today)
            holders = tuple(sorted(set(command.holders)))
            return check.grant(DesignationGranted.of(command, holders=holders, since=command.since or today))
        case WithdrawDesignation(holders=holders):
            strangers = sorted(set(holders or ()) - designation.holders)
            check(
                not strangers,
                "DG03",
                "{strangers} 不在所授對象之列",
                "{strangers} do not hold it",
                strangers=strangers,
            )
            check(
                not command.holders or set(command.holders) < designation.holders,
                "DG03",
                "撤銷全部對象時不填 holders",
                "to take it from all of them, name none",
            )
            return check.grant(DesignationWithdrawn.of(command))
        case _:
            assert_never(command)


def _require_grantable(check: Checks, state: State, facts: Facts, grant: GrantDesignation, today: date) -> None:
    """DG01: of what is on record, for days that make sense, in a line of its own kind."""
    since = grant.since or today
    check(
        since <= today,
        "DG01",
        "授予日 {since} 尚未到來",
        "{since} has not come yet",
        since=since,
    )
    check(
        grant.until is None or grant.until >= since,
        "DG01",
        "有效至 {until} 早於授予日 {since}",
        "it ends on {until}, before it begins on {since}",
        until=grant.until,
        since=since,
    )
    for holder in sorted(set(grant.holders)):
        stream, key = holder_stream(state.stream, holder), _number_key(state.stream, holder)
        there = facts.of(stream).version > 0 or bool(facts.holders(key or ""))
        check(
            there,
            "DG01",
            "{holder} 尚未建檔",
            "there is no {holder} on record",
            holder=holder,
        )
        check(
            stream.kind in grant.kind.holders,
            "DG01",
            "{kind}不授予 {holder}",
            "a {kind} is not granted to {holder}",
            kind=grant.kind,
            holder=holder,
        )
    before = facts.of(state.stream.sibling("designation", grant.continues)) if grant.continues else None
    check(
        before is None or before.part(Designation).kind is grant.kind,
        "DG01",
        "所承接的 {continues} 不是{kind}",
        "{continues} is no {kind}",
        continues=grant.continues,
        kind=grant.kind,
    )
    check(
        bool(grant.steps) == (grant.kind is DesignationKind.METHOD),
        "DG01",
        "方法模板須有步驟，其他認定不得有",
        "a method has steps, and nothing else has",
    )


# ---------------------------------------------------------------- evolve


def evolve(state: State, of: Occurrence, event: Events) -> State:
    """Keep what was granted, to whom and until when."""
    designation = state.part(Designation)
    match event:
        case DesignationGranted():
            granted = Designation(
                kind=event.kind,
                title=event.title,
                holders=frozenset(event.holders),
                body=event.body,
                since=event.since,
                until=event.until,
                continues=event.continues,
                steps=event.steps or {},
            )
            return state.with_parts(granted)
        case DesignationWithdrawn(holders=None):
            return state.with_parts(replace(designation, holders=frozenset(), withdrawn_on=local_day(of.at)))
        case DesignationWithdrawn():
            return state.with_parts(replace(designation, holders=designation.holders - frozenset(event.holders or ())))
        case _:
            assert_never(event)


def _summary(state: State) -> Mapping[str, object]:
    designation = state.part(Designation)
    return {
        "kind": designation.kind or "",
        "title": designation.title,
        "holders": sorted(designation.holders),
        "body": designation.body,
        "since": designation.since.isoformat() if designation.since else None,
        "until": designation.until.isoformat() if designation.until else None,
        "continues": designation.continues,
    }


DECIDER = Decider(
    name="designation",
    zh="認定",
    commands=get_args(Commands),
    events=get_args(Events),
    decide=decide,
    evolve=evolve,
    reads=reads,
)

DESIGNATION = Aggregate(
    kind="designation",
    zh="認定",
    en="designation",
    en_many="designations",
    deciders=(DECIDER, PROPOSALS),
    final=frozenset(DesignationStage),
    summary=_summary,
)
