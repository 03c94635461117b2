"""Approvals as data: asked for when a decision falls to somebody, ended when it is taken or its content changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from domain.kernel.canonical import digest
from domain.kernel.identifier import Role, derive_id
from domain.kernel.state import Approval, ApproverGroup, Ballot, State, Verdict, Vote

if TYPE_CHECKING:
    from datetime import datetime

    from pydantic import JsonValue

    from domain.kernel.message import Occurrence

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
