"""Approvals as data: asked for when a decision falls to somebody, ended when it is taken or its content changes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from domain.kernel.canonical import digest
from domain.kernel.identity import derive_id
from domain.kernel.state import Approval, State, Verdict

if TYPE_CHECKING:
    from datetime import datetime

    from domain.kernel.identity import Role
    from domain.kernel.message import Occurrence


def ask_approval(
    state: State,
    of: Occurrence,
    *,
    gate: str,
    role: Role,
    content: object,
    key: str = "",
    until: datetime | None = None,
) -> State:
    """The state with that approval open, by the event that is being folded; an open one of its gate and key is void.

    Each request is an approval of its own, whatever it is about: one id has one outcome, for ever.
    """
    fingerprint = digest(content)
    approval = Approval(
        id=derive_id("approval", state.stream, gate, key, fingerprint, str(state.version + 1)),
        gate=gate,
        key=key,
        role=role,
        asked_at=of.at,
        until=until,
        content=fingerprint,
    )
    ended = end_approval(state, of, gate=gate, key=key, verdict=Verdict.VOID)
    return replace(ended, approvals=(*ended.approvals, approval))


def end_approval(
    state: State, of: Occurrence, *, gate: str, key: str = "", verdict: Verdict = Verdict.GRANTED
) -> State:
    """The state with the open approval of that gate and key decided; the same state if none is open."""
    return replace(
        state,
        approvals=tuple(
            replace(a, verdict=verdict, decided_by=of.actor, decided_at=of.at)
            if (a.gate, a.key, a.verdict) == (gate, key, Verdict.OPEN)
            else a
            for a in state.approvals
        ),
    )
