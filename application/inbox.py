"""What waits for a role, over all streams: read off the agenda, with until when, what is soon and what is overdue.

What is late and changes nothing is only said here; what is late and changes something is an event of the clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from application.realms import require_realm
from deciding.agenda_row import Summary
from deciding.reader import Reader
from domain.kernel.calendar import local_day
from domain.kernel.identity import StreamId

if TYPE_CHECKING:
    from domain.kernel.calendar import Calendar
    from domain.kernel.identity import Role
    from store.port import EventStore, Standing

WITHIN_WD = 5
"""Working days before its day on which a thing is said to be soon, unless told otherwise."""
_A_MOMENT = timedelta(microseconds=1)
"""What ends at 24:00 belongs to the day that ends then."""


class Urgency(StrEnum):
    """How pressing it is."""

    OVERDUE = "overdue"
    """Its time is past."""
    SOON = "soon"
    """Its day is near: a reminder."""
    OPEN = "open"
    """There is time, or no time was set."""

    @property
    def zh(self) -> str:
        """What the office says."""
        return {"overdue": "逾期", "soon": "將到期", "open": "待辦"}[self]


@dataclass(frozen=True)
class Waiting:
    """One thing that waits for somebody."""

    stream: StreamId
    roles: tuple[str, ...]
    command: str
    subject: str
    zh: str
    en: str
    until: datetime | None
    urgency: Urgency
    provisional: bool = False
    """Whether a notice of working days may still move ``until``."""

    def as_json(self) -> dict[str, Any]:
        """For a machine."""
        return {
            "stream": self.stream,
            "realm": self.stream.realm,
            "subject": f"{self.stream.name}/{self.subject}" if self.subject else self.stream.name,
            "command": self.command,
            "roles": list(self.roles),
            "until": self.until.isoformat() if self.until else None,
            "provisional": self.provisional,
            "overdue": self.urgency is Urgency.OVERDUE,
            "soon": self.urgency is Urgency.SOON,
            "zh": self.zh,
            "en": self.en,
        }


@dataclass(frozen=True)
class _Today:
    """What time it is in a realm, and what counts as a working day there."""

    now: datetime
    calendar: Calendar

    def urgency(self, until: datetime | None, within_wd: int) -> Urgency:
        if until is None:
            return Urgency.OPEN
        if until <= self.now:
            return Urgency.OVERDUE
        last = self.calendar.after(local_day(self.now), within_wd)
        return Urgency.SOON if local_day(until - _A_MOMENT) <= last else Urgency.OPEN


async def list_waiting(
    store: EventStore,
    role: Role | None = None,
    *,
    realm: str | None = None,
    within_wd: int = WITHIN_WD,
    now: datetime | None = None,
) -> list[Waiting]:
    """Everything that waits for that role, or for anybody: what has a time first, the earliest on top.

    In a manual realm it is as late as its clock stands; elsewhere ``now``, or the present moment.
    Raises NoSuchRealm.
    """
    await require_realm(store, realm)
    today: dict[str, _Today] = {}
    rows = []
    async for standing in store.standings(realm=realm):
        if standing.stream.realm not in today:
            today[standing.stream.realm] = await _read_today(store, standing.stream.realm, now or datetime.now(UTC))
        rows.extend(_rows_of(standing, role, today[standing.stream.realm], within_wd))
    return sorted(rows, key=lambda w: (w.until is None, w.until or datetime.max.replace(tzinfo=UTC), w.stream))


def _rows_of(standing: Standing, role: Role | None, today: _Today, within_wd: int) -> list[Waiting]:
    rows = []
    for row in Summary.of(standing).awaiting:
        if role is not None and role not in row.roles:
            continue
        rows.append(
            Waiting(
                stream=standing.stream,
                roles=row.roles,
                command=row.command,
                subject=row.subject,
                zh=row.zh,
                en=row.en,
                until=row.until,
                urgency=today.urgency(row.until, within_wd),
                provisional=row.provisional is True,
            )
        )
    return rows


async def _read_today(store: EventStore, realm: str, now: datetime) -> _Today:
    now = (await store.realm(realm)).now or now
    return _Today(now, await Reader(store).calendar(realm))
