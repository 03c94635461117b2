"""Approvals that services ask for: nobody decides their own, nobody twice, of this content, and closed is closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit.invariants.realm import ApprovalRequest
from audit.invariants.wording import call, call_event, call_seat, word

if TYPE_CHECKING:
    from audit.invariants.realm import Realm
    from audit.invariants.recorded_events import Conditions, RecordedEvent

_OPEN = "OPEN"


def check_asked(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """Asked once; another content, which only whoever asked brings, begins anew."""
    known = realm.requests.get(event.name)
    again = event.type == "ApprovalAmended"
    require(
        (known is not None and known.stage in (_OPEN, "RETURNED")) if again else known is None,
        "AV02" if again else "AV01",
        "「{type}」不得發生於「{stage}」",
        "{type}: the request was “{stage}”",
        type=call_event(event.type),
        stage=call("approval", known.stage) if known else word("未提請", "not asked for"),
    )
    request = ApprovalRequest(known.opener if known else event.hand, event.text("digest"), event.text("payee"))
    if again and known is not None:
        require(
            event.hand.is_same(known.opener) or event.actor == known.opener.actor, "AV22", "非提請者", "not who asked"
        )
    realm.requests[event.name] = request


def check_vote(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """One person, one vote; not who asked; of this content; while it is open."""
    request = realm.requests.get(event.name)
    require(request is not None and request.stage == _OPEN, "AV04", "表決時並非待決", "a vote on what is not open")
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
    if event.type == "ApprovalReturned":
        request.stage = "RETURNED"
    elif event.data.get("decides") is True:
        request.stage = "GRANTED" if event.type == "ApprovalGiven" else "DECLINED"


def check_ended(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """Withdrawn or expired once, and nothing after it."""
    request = realm.requests.get(event.name)
    legal = (_OPEN, "RETURNED") if event.type == "ApprovalWithdrawn" else (_OPEN,)
    require(request is not None and request.stage in legal, "AV08", "並非待決", "it is not open")
    if request is not None:
        request.stage = "ENDED"


def check_running(require: Conditions, realm: Realm, event: RecordedEvent) -> None:
    """Reminded or escalated only while it is open, by the clock."""
    request = realm.requests.get(event.name)
    is_open = request is not None and request.stage == _OPEN
    require(is_open and event.role == "SYS", "AV10", "並非待決", "it is not open")


CHECKS = {
    "ApprovalOpened": check_asked,
    "ApprovalAmended": check_asked,
    "ApprovalGiven": check_vote,
    "ApprovalDeclined": check_vote,
    "ApprovalReturned": check_vote,
    "ApprovalWithdrawn": check_ended,
    "ApprovalExpired": check_ended,
    "ApprovalReminded": check_running,
    "ApprovalEscalated": check_running,
}
