"""Approvals that services ask for: nobody decides their own, nobody twice, and of this content."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit.invariants.realm import ApprovalRequest
from audit.invariants.wording import call_seat

if TYPE_CHECKING:
    from audit.invariants.realm import Realm
    from audit.invariants.recorded_events import Conditions, RecordedEvent


def check_asked(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """Another content, which only whoever asked brings, begins anew."""
    approval = realm.requests.get(event.name)
    request = ApprovalRequest(approval.opener if approval else event.hand, event.text("digest"), event.text("payee"))
    if approval is not None:
        require(
            event.hand.is_same(approval.opener) or event.actor == approval.opener.actor,
            "AV22",
            "非提請者",
            "not who asked",
        )
    realm.requests[event.name] = request


def check_vote(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """One person, one vote; not who asked; of this content."""
    request = realm.requests.get(event.name)
    if request is None:
        return
    require(
        not event.hand.is_same(request.opener),
        "AV23",
        "{actor} 自批",
        "{actor} decided their own",
        actor=call_seat(event.actor),
    )
    require(
        not any(event.hand.is_same(one) for one in request.voters),
        "AV24",
        "{actor} 之人表決兩次",
        "whoever acts as {actor} voted twice",
        actor=call_seat(event.actor),
    )
    require(
        request.digest.startswith(event.text("digest") or "?"),
        "AV25",
        "所表決者並非所提請的內容",
        "the vote is bound to another content",
    )
    request.voters.append(event.hand)


CHECKS = {
    "ApprovalOpened": check_asked,
    "ApprovalAmended": check_asked,
    "ApprovalGiven": check_vote,
    "ApprovalDeclined": check_vote,
    "ApprovalReturned": check_vote,
}
