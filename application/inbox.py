"""What waits for a role, over all streams, page by page: with until when, what is soon and what is overdue.

What is late and changes nothing is only said here; what is late and changes something is an event of the clock.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from application.pages import Page, PageRequest, SortOrder, read_page
from application.realms import require_realm
from deciding.working_days import read_calendar
from domain.kernel.calendar import local_day
from domain.kernel.clock import Clock
from domain.kernel.identifier import ANY_SEAT, Actor, Role, StreamId
from domain.kernel.words import Words
from store.views import AnyOf, AtMost, Equal, Holds, Meets, ViewQuery

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.kernel.calendar import Calendar
    from store.port import EventStore
    from store.views import Condition, Row

WITHIN_WD = 5
"""Working days before its day on which a thing is said to be soon, unless told otherwise."""
_RESOLUTION = "ResolveRound"
"""Its model is loaded, as all rules, only where there is a round to tell of: an inbox is asked for often."""
_A_MOMENT = timedelta(microseconds=1)
"""What ends at 24:00 belongs to the day that ends then."""


class Urgency(Words):
    """How pressing it is."""

    OVERDUE = "overdue", "逾期", "overdue"
    """Its time is past."""
    SOON = "soon", "將到期", "soon due"
    """Its day is near: a reminder."""
    OPEN = "open", "待辦", "open"
    """There is time, or no time was set."""


@dataclass(frozen=True)
class Waiting:
    """One thing that waits for somebody."""

    stream: StreamId
    roles: tuple[str, ...]
    command: str
    command_zh: str
    """What the office calls it; empty in rows of before it was kept there."""
    subject: str
    zh: str
    en: str
    until: datetime | None
    urgency: Urgency
    title: str = ""
    """Of the project, where it is one."""
    provisional: bool = False
    """Whether a notice of working days may still move ``until``."""
    seats: tuple[Actor, ...] = ()
    """Of these roles only these very seats; empty for any."""

    def is_for(self, seat: Actor) -> bool:
        """Whether it waits for that seat."""
        return seat in self.seats if self.seats else str(seat.role) in self.roles

    def as_json(self) -> dict[str, Any]:
        """As JSON: ``until`` in UTC by ISO 8601, null without a deadline; at most one of ``overdue`` and ``soon``."""
        return {
            "stream": self.stream,
            "realm": self.stream.realm,
            "subject": f"{self.stream.name}/{self.subject}" if self.subject else self.stream.name,
            "command": self.command,
            "roles": list(self.roles),
            "seats": list(self.seats),
            "title": self.title,
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


class WaitingFilter(BaseModel):
    """What of all that waits is listed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    """For whom it waits: a role, or a seat of it, e.g. ``CAB-REG`` or ``CAB-REG#1``."""
    seats: Annotated[tuple[Actor, ...], Field(max_length=200)] = ()
    """For whom it waits, where that is several seats."""
    readers: tuple[str, ...] | None = None
    """Only what one of these words may see (``domain.visibility.readers_of``); None for all."""
    realm: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    organisation: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    """In the business of this organisation, e.g. ``ORG-1``."""
    command: Annotated[str | None, Field(min_length=1, max_length=80)] = None
    """Only where this command is awaited."""
    stream: StreamId | None = None
    """Only in this file."""
    overdue: bool = False
    """Only what is past its time."""
    within_wd: Annotated[int, Field(ge=0, le=250)] = WITHIN_WD
    """Within how many working days a thing is said to be soon."""


_ORDER = SortOrder((("until_at", datetime), ("stream", str), ("ordinal", int)))


async def list_waiting(
    store: EventStore,
    filters: WaitingFilter | None = None,
    request: PageRequest | None = None,
    *,
    now: datetime | None = None,
) -> Page[Waiting]:
    """What waits: what has a time first, the earliest on top.

    In a manual realm it is as late as its clock stands; elsewhere ``now``, or the present moment.
    Raises NoSuchRealm, CursorInvalid.
    """
    filters, request = filters or WaitingFilter(), request or PageRequest()
    await require_realm(store, filters.realm)
    moment = now or datetime.now(UTC)
    where = await _find_conditions(store, filters, moment)
    page = await read_page(store, "waiting", _ORDER, where, request, lambda row: row)
    today = {realm: await _read_today(store, realm, moment) for realm in {row["realm"] for row in page.rows}}
    once = {(row["stream"], row["ordinal"]): row for row in page.rows}  # for two seats, it is one
    decided_rounds = await _find_decided(store, once.values())
    built = (_build(row, today[row["realm"]], filters) for row in once.values())
    rows = (_publish(one) if one.stream in decided_rounds else one for one in built)
    kept = tuple(row for row in rows if row.urgency is Urgency.OVERDUE or not filters.overdue)
    return Page(kept, page.next, page.freshness)


async def count_waiting(
    store: EventStore, filters: WaitingFilter, request: PageRequest, *, now: datetime, most: int
) -> int | None:
    """How many rows ``list_waiting`` has in all, at most so many.

    None where rows do not tell: of what is overdue in several realms, some have a clock of their own.
    """
    if filters.overdue and filters.realm is None:
        return None
    where = await _find_conditions(store, filters, now)
    query = ViewQuery("waiting", _ORDER.names, where, limit=most, organisation=request.organisation)
    return await store.views.count(query)


async def _find_conditions(store: EventStore, filters: WaitingFilter, now: datetime) -> tuple[Condition, ...]:
    """What a row must meet; of one realm, by its own clock."""
    if filters.overdue and filters.realm is not None:
        now = (await _read_today(store, filters.realm, now)).now
    return _conditions(filters, now)


def _conditions(filters: WaitingFilter, now: datetime) -> tuple[Condition, ...]:
    seats = ([filters.role] if filters.role else []) + list(filters.seats)
    roles = tuple(dict.fromkeys(one.partition("#")[0] for one in seats))
    conditions: list[Condition] = [Equal("is_first", value=True)]
    if roles:
        conditions = [Equal("role", roles[0]) if len(roles) == 1 else AnyOf("role", roles)]
    if seats and all("#" in one for one in seats):
        conditions.append(Meets("seats", (ANY_SEAT, *seats)))
    if filters.readers is not None:
        conditions.append(Meets("readers", filters.readers))
    if filters.realm:
        conditions.append(Equal("realm", filters.realm))
    if filters.organisation:
        conditions.append(Holds("organisations", (filters.organisation,)))
    if filters.command:
        conditions.append(Equal("command", filters.command))
    if filters.stream:
        conditions.append(Equal("stream", filters.stream))
    if filters.overdue:  # a manual clock is never later than the wall clock
        conditions.append(AtMost("until_at", now))
    return tuple(conditions)


def _build(row: Row, today: _Today, filters: WaitingFilter) -> Waiting:
    return Waiting(
        stream=StreamId(row["stream"]),
        roles=tuple(row["roles"]),
        command=row["command"],
        command_zh=row["command_zh"],
        subject=row["subject"],
        zh=row["zh"],
        en=row["en"],
        until=row["until"],
        urgency=today.urgency(row["until"], filters.within_wd),
        title=row["title"],
        provisional=row["provisional"],
        seats=tuple(Actor(seat) for seat in row["seats"] if seat != ANY_SEAT and _may_name(seat, row, filters)),
    )


async def _find_decided(store: EventStore, rows: Iterable[Row]) -> frozenset[StreamId]:
    """Of the rounds that wait for a resolution, those that were decided award by award: no bid waits any longer.

    Only the accounts say so: what their projects decide moves no round.
    """
    rounds = [StreamId(row["stream"]) for row in rows if row["command"] == _RESOLUTION]
    if not rounds:
        return frozenset()
    from domain.round.budget import awarded, undecided

    accounts = {one: (undecided(one.realm, one.name), awarded(one.realm, one.name)) for one in rounds}
    readings = await store.read_many((), (), [account for both in accounts.values() for account in both])
    of = readings.balances
    return frozenset(one for one, (waits, award) in accounts.items() if of.get(award) and not of.get(waits))


def _publish(one: Waiting) -> Waiting:
    """The same round as it waits for its results to be published."""
    from domain.round.results import PUBLICATION, PublishResult

    return replace(
        one, command=PUBLICATION.command, command_zh=PublishResult.zh(), zh=PUBLICATION.zh, en=PUBLICATION.en
    )


def _may_name(seat: str, row: Row, filters: WaitingFilter) -> bool:
    """SD7: whoever sees the row as one of the reviewers it waits for is told of their own seat alone."""
    if filters.readers is None or seat in filters.readers or not seat.startswith(f"{Role.EXPERT}#"):
        return True
    return any(not word.startswith(f"{Role.EXPERT}#") for word in set(row["readers"]) & set(filters.readers))


async def _read_today(store: EventStore, realm: str, now: datetime) -> _Today:
    clock = await store.realm(realm)
    moment = clock.now if clock.clock is Clock.MANUAL and clock.now else now
    return _Today(moment, await read_calendar(store, realm))
