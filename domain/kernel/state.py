"""What the events of one stream add up to: a stage, a stack of stages to return to, and what each decider remembers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field

from domain.kernel.words import Words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from uuid import UUID

    from pydantic import JsonValue

    from domain.kernel.acting import Acting, Basis
    from domain.kernel.identifier import Actor, Role, StreamId

NONE = "NONE"
"""The stage of a stream that has no events."""
ORIGIN = "ORIGIN"
"""As a transition's target: back to the stage on top of the stack."""
SAME = "SAME"
"""As a transition's target: no change of stage."""


@dataclass(frozen=True)
class Transition:
    """One row of the state machine: which event leads from which stages to which, and by whom."""

    id: str
    start: tuple[str, ...]
    to: str
    by: tuple[Role, ...]
    guard: str
    when: Callable[[BaseModel], bool] = lambda _event: True
    """Tells two transitions of one event apart, e.g. by the remedy."""
    push: bool = False
    """Whether the stage that is left goes on the stack."""


class Part:
    """What one decider remembers of a stream: a frozen dataclass that can be made without arguments."""


P = TypeVar("P", bound=Part)


class SchemeRef(BaseModel):
    """Which version of which city's rules holds, e.g. ``fuzhou`` version 1; it never changes by itself."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,31}$", title="名稱 / name")]
    version: Annotated[int, Field(ge=1, le=9999, title="版本 / version")]

    def __str__(self) -> str:
        """The scheme and its version, as people cite them."""
        return f"{self.name}@{self.version}"


class Verdict(Words):
    """How an approval stands."""

    OPEN = "OPEN", "待審批", "pending"
    GRANTED = "GRANTED", "已批准", "approved"
    REFUSED = "REFUSED", "未批准", "not approved"
    VOID = "VOID", "作廢", "void"
    """What was to be approved has moved, or is asked for no more."""
    RETURNED = "RETURNED", "退回修改", "returned for change"
    EXPIRED = "EXPIRED", "逾期失效", "expired"


class Ballot(Words):
    """How one who may decide has decided."""

    CONSENT = "CONSENT", "同意", "consent"
    DISSENT = "DISSENT", "不同意", "dissent"
    RETURN = "RETURN", "退回", "return for change"


@dataclass(frozen=True)
class Vote:
    """What one person has decided about an approval."""

    acting: Acting
    ballot: Ballot
    at: datetime
    """UTC."""
    reason: str = ""
    basis: Basis | None = None
    """By what the person sat on a seat that is not theirs, as a stand-in."""
    group: int = 0
    """In which of the groups it counts, from 0."""


@dataclass(frozen=True)
class ApproverGroup:
    """Seats of which so many must consent: all of them (會簽), any one (或簽), or n of m."""

    roles: tuple[Role, ...] = ()
    """Any seat of these roles."""
    seats: tuple[Actor, ...] = ()
    """These very seats."""
    names: tuple[str, ...] = ()
    """Of seats of those roles only such as act for one of these, e.g. ``ORG-12``; empty for any."""
    needed: int = 1
    """How many persons must consent."""
    title: str = ""


@dataclass(frozen=True)
class Approval:
    """A decision asked of somebody about bound content. Other content is another approval, and voids this one."""

    id: UUID
    """uuid5 of stream, gate, key, the digest of the content and the version of the event that asked."""
    gate: str
    """The command that would grant it, e.g. ``ApproveDisbursement``."""
    key: str
    role: Role
    asked_at: datetime
    until: datetime | None
    content: str
    """SHA-256 of what is to be approved, in hex."""
    verdict: Verdict = Verdict.OPEN
    decided_by: Actor | None = None
    decided_at: datetime | None = None
    bound: Mapping[str, JsonValue] = field(default_factory=lambda: MappingProxyType({}), compare=False)
    """What is to be approved, as plain values: what the digest is of, or what says it in short."""
    asked_by: str = ""
    """The type of the event that asked."""
    asked_version: int = 0
    """The version of that event."""
    groups: tuple[ApproverGroup, ...] = ()
    """Who may decide, where it is not any one of ``role``; every group must consent."""
    votes: tuple[Vote, ...] = ()
    reason: str = ""
    """Why it ended as it did, in the words of whoever decided."""
    ended_by: str = ""
    """The type of the event that ended it."""
    remind_at: datetime | None = None
    """When those who have not decided are reminded."""
    escalate_at: datetime | None = None
    """When it goes to those above, if it is not decided by then."""
    above: tuple[Actor, ...] = ()
    """The seats to which it goes then: any one of them decides alone."""
    is_escalated: bool = False

    @property
    def approvers(self) -> tuple[ApproverGroup, ...]:
        """Who may decide: where nothing else is said, any one of the role."""
        return self.groups or (ApproverGroup(roles=(self.role,)),)


_BLANK: dict[type[Part], Part] = {}
"""What a decider that has seen nothing remembers: one for all streams, since parts never change."""


@dataclass(frozen=True)
class State:
    """What the events of one stream add up to."""

    stream: StreamId
    version: int = 0
    stage: str = NONE
    stack: tuple[str, ...] = ()
    scheme: SchemeRef | None = None
    since: datetime | None = None
    """When the present stage began."""
    approvals: tuple[Approval, ...] = ()
    parts: Mapping[type[Part], Part] = field(default_factory=lambda: MappingProxyType({}))

    def part(self, of: type[P]) -> P:
        """What that decider remembers; its blank form if it has seen nothing."""
        part = self.parts.get(of)
        if part is None:
            part = _BLANK.get(of) or _BLANK.setdefault(of, of())
        return cast("P", part)

    def with_parts(self, *parts: Part) -> State:
        """The same state with these parts in place of what the deciders remembered."""
        return replace(self, parts=MappingProxyType({**self.parts, **{type(p): p for p in parts}}))
