"""Approvals as data: asked for when a decision falls to somebody, ended when it is taken or its content changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from domain.kernel.canonical import digest
from domain.kernel.identifier import Role, derive_id
from domain.kernel.words import Words

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from pydantic import JsonValue

    from domain.kernel.acting import Acting, Basis
    from domain.kernel.identifier import Actor
    from domain.kernel.message import Occurrence
    from domain.kernel.state import State


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


_BALLOTS = {Verdict.GRANTED: Ballot.CONSENT, Verdict.REFUSED: Ballot.DISSENT, Verdict.RETURNED: Ballot.RETURN}


def ask_approval(
    state: State,
    of: Occurrence,
    *,
    gate: str,
    role: Role,
    content: object,
    key: str = "",
    until: datetime | None = None,
    bound: Mapping[str, JsonValue] | None = None,
    groups: tuple[ApproverGroup, ...] = (),
) -> State:
    """The state with that approval open, by the event that is being folded; an open one of its gate and key is void.

    Each request is an approval of its own, whatever it is about: one id has one outcome, for ever. ``bound`` says what
    is approved where the content itself does not; ``groups`` who may decide where it is not any one of ``role``.
    """
    fingerprint = digest(content)
    particulars = bound if bound is not None else content if isinstance(content, Mapping) else {}
    approval = Approval(
        id=derive_id("approval", state.stream, gate, key, fingerprint, str(state.version + 1)),
        gate=gate,
        key=key,
        role=role,
        asked_at=of.at,
        until=until,
        content=fingerprint,
        bound=particulars,
        asked_by=of.event.event_type,
        asked_version=state.version + 1,
        groups=() if groups == (ApproverGroup(roles=(role,)),) else groups,
    )
    ended = end_approval(state, of, gate=gate, key=key, verdict=Verdict.VOID)
    return replace(ended, approvals=(*ended.approvals, approval))


def end_approval(
    state: State, of: Occurrence, *, gate: str, key: str = "", verdict: Verdict = Verdict.GRANTED, group: int = 0
) -> State:
    """The state with the open approval of that gate and key decided; the same state if none is open.

    Whoever decided has voted, and the event's own reason is why; what makes it void is nobody's vote.
    """
    return replace(
        state,
        approvals=tuple(
            _end(a, of, verdict, group) if (a.gate, a.key, a.verdict) == (gate, key, Verdict.OPEN) else a
            for a in state.approvals
        ),
    )


def cast_vote(state: State, of: Occurrence, *, gate: str, ballot: Ballot, group: int) -> State:
    """The state with one more vote on the open approval of that gate, which decides nothing by itself."""
    reason = str(getattr(of.event, "reason", None) or "")
    vote = Vote(of.acting, ballot, of.at, reason, of.basis, group)
    votes = next((a.votes for a in state.approvals if (a.gate, a.verdict) == (gate, Verdict.OPEN)), ())
    return change_open(state, gate=gate, votes=(*votes, vote))


def change_open(state: State, *, gate: str, **changed: Any) -> State:  # noqa: ANN401 - any field of an approval
    """The state with the open approval of that gate so changed; the same state if none is open."""
    return replace(
        state,
        approvals=tuple(
            replace(a, **changed) if (a.gate, a.verdict) == (gate, Verdict.OPEN) else a for a in state.approvals
        ),
    )


def _end(approval: Approval, of: Occurrence, verdict: Verdict, group: int) -> Approval:
    reason = str(getattr(of.event, "reason", None) or "")
    ballot = _BALLOTS.get(verdict)
    votes = approval.votes
    if ballot is not None and of.actor.role is not Role.SYS:
        votes = (*votes, Vote(of.acting, ballot, of.at, reason, of.basis, group))
    return replace(
        approval,
        verdict=verdict,
        decided_by=of.actor,
        decided_at=of.at,
        votes=votes,
        reason=reason,
        ended_by=of.event.event_type,
    )
