"""Asks a venture server over HTTP: commands once, waiting as long as it takes, events in order and none left out."""

from .client import Approval, Event, Payment, Receipt, Trial, Venture
from .cursor import Cursor, FileCursor
from .problem import Forbidden, Invalid, Mismatch, NotFound, NotKnown, Problem, Refused, Unmet
from .webhook import WebhookForged, verify_webhook

__all__ = [
    "Approval",
    "Cursor",
    "Event",
    "FileCursor",
    "Forbidden",
    "Invalid",
    "Mismatch",
    "NotFound",
    "NotKnown",
    "Payment",
    "Problem",
    "Receipt",
    "Refused",
    "Trial",
    "Unmet",
    "Venture",
    "WebhookForged",
    "verify_webhook",
]
