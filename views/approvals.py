"""審批: every approval that was ever asked for, open or ended, with what is bound and who may decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.approval.summary import summarise
from domain.kernel.approval import Verdict
from domain.titles import title_of
from domain.visibility import list_readers
from views.view import View, list_organisations

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.kernel.approval import Approval, Vote
    from domain.kernel.message import Awaited
    from views.view import ViewSource

SOME_SEATS = "#"
"""Stands behind a role of which only some seats may decide."""
OPEN = "open:"
"""Stands before a word of those that wait."""


def _rows(source: ViewSource) -> Iterable[dict[str, Any]]:
    title = title_of(source.state)
    organisations = list_organisations(source.state)
    readers = sorted(list_readers(source.state, source.facts))
    waits = {(one.command, one.subject): one for one in source.awaiting} if _has_open(source.state.approvals) else {}
    for ordinal, approval in enumerate(source.state.approvals):
        is_open = approval.verdict is Verdict.OPEN
        awaited = waits.get((approval.gate, approval.key)) if is_open else None
        yield {
            **source.base,
            "id": approval.id,
            "ordinal": ordinal,
            "gate": approval.gate,
            "key": approval.key,
            "role": str(approval.role),
            "asked_at": approval.asked_at,
            "until": approval.until,
            "content": approval.content,
            "verdict": str(approval.verdict),
            "decided_by": str(approval.decided_by) if approval.decided_by else None,
            "decided_at": approval.decided_at,
            "title": title,
            "organisations": organisations,
            "approvers": _list_approvers(approval, awaited),
            "readers": readers,
            "particulars": {
                **describe(approval),
                "summary": [detail.as_json() for detail in summarise(source.state, approval, source.names)],
                "wanted_by": _moment(awaited.until) if awaited is not None else None,
            },
        }


def _has_open(approvals: Iterable[Approval]) -> bool:
    return any(one.verdict is Verdict.OPEN for one in approvals)


def _list_approvers(approval: Approval, awaited: Awaited | None) -> list[str]:
    """Whose it is to decide, as a list is narrowed by; of one that waits, also with ``open:`` before it."""
    roles = {str(role) for group in approval.approvers for role in group.roles}
    roles |= {str(role) for role in awaited.roles} if awaited is not None and not approval.groups else set()
    seats = {str(seat) for group in approval.approvers for seat in group.seats}
    seats |= {str(seat) for seat in approval.above} if approval.is_escalated else set()
    words = roles | seats | {f"{seat.partition('#')[0]}{SOME_SEATS}" for seat in seats}
    waiting = {f"{OPEN}{word}" for word in words} if approval.verdict is Verdict.OPEN else set()
    return sorted(words | waiting)


def describe(approval: Approval) -> dict[str, Any]:
    """All of it that no list is narrowed by."""
    return {
        "groups": [
            {
                "title": group.title,
                "roles": [str(role) for role in group.roles],
                "seats": [str(seat) for seat in group.seats],
                "acts_for": list(group.names),
                "needed": group.needed,
            }
            for group in approval.approvers
        ],
        "votes": [_vote(vote) for vote in approval.votes],
        "reason": approval.reason,
        "ended_by": approval.ended_by,
        "asked_by": approval.asked_by,
        "asked_version": approval.asked_version,
        "remind_at": _moment(approval.remind_at),
        "escalate_at": _moment(approval.escalate_at),
        "escalate_to": [str(seat) for seat in approval.above],
        "is_escalated": approval.is_escalated,
    }


def _vote(vote: Vote) -> dict[str, Any]:
    return {
        "seat": str(vote.acting.seat),
        "persons": sorted(vote.acting.persons),
        "ballot": str(vote.ballot),
        "at": _moment(vote.at),
        "reason": vote.reason,
        "basis": str(vote.basis) if vote.basis else None,
        "group": vote.group,
    }


def _moment(instant: Any) -> str | None:  # noqa: ANN401 - an instant or none
    return instant.isoformat() if instant is not None else None


APPROVALS = View("approvals", 3, "審批", "approvals", _rows)
