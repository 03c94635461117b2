"""Who is awaited, as a row keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from views.view import FAR

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from domain.kernel.message import Awaited


def write_awaited(awaited: Awaited) -> dict[str, Any]:
    """One thing that somebody is awaited for, as plain JSON."""
    return {
        "roles": [str(role) for role in awaited.roles],
        "command": awaited.command,
        "subject": awaited.subject,
        "zh": awaited.zh,
        "en": awaited.en,
        "until": awaited.until.isoformat() if awaited.until else None,
        "provisional": awaited.provisional,
    }


def nearest_until(awaiting: Iterable[Awaited]) -> datetime:
    """The earliest time by which somebody is awaited; far away if none has one."""
    return min((a.until for a in awaiting if a.until is not None), default=FAR)
