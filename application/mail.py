"""Whom an event is written to: what waits for them, is soon, is overdue; and what was decided of what they asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from application.seats import list_seats
from deciding.fold import fold, load_state, read_occurrence
from deciding.working_days import read_calendar
from domain.approval.request import ApprovalReminded, ApprovalRequest
from domain.catalogue import AGGREGATES, command_class
from domain.kernel.approval import Verdict
from domain.kernel.calendar import local_day
from domain.kernel.clock import Clock
from domain.kernel.identifier import LIVE, Role, StreamId, derive_id
from domain.kernel.scope import Scope
from followers.mail_content import MailContent
from store.identity import SeatGrant
from store.outbox import Mail
from store.port import EntryKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from domain.kernel.approval import Approval
    from domain.kernel.message import Awaited
    from domain.kernel.state import State
    from followers.outbox import Sees
    from store.identity import Seats
    from store.outbox import Endpoint, OutboxStore
    from store.port import Entry, EventStore

SOON: Final = timedelta(days=3)
"""How long before its time a thing is said to be soon."""
FRESH: Final = timedelta(seconds=30)
"""How long who sits where is taken to be as it was read."""


@dataclass
class SeatRegister:
    """Who sits where, as the live register has it, read anew after a while."""

    store: EventStore
    _read_at: datetime | None = None
    _seats: dict[str, Seats] = field(default_factory=dict)

    async def __call__(self) -> Mapping[str, Seats]:
        """The seats of every person today. Raises StoreUnavailable."""
        now = datetime.now(UTC)
        if self._read_at is None or now - self._read_at > FRESH:
            seats: dict[str, Seats] = {}
            for listed in await list_seats(self.store, LIVE, local_day(now)):
                grant = SeatGrant(seat=listed.seat, scope=Scope(kind=listed.scope, names=listed.names))
                for tenure in listed.tenures:
                    seats[tenure.person] = (*seats.get(tenure.person, ()), grant)
            self._seats, self._read_at = seats, now
        return self._seats


@dataclass(frozen=True)
class MailWriter:
    """Makes of a page of the log what persons with an address are to be written."""

    store: EventStore
    outbox: OutboxStore
    holders: Callable[[], Awaitable[Mapping[str, Seats]]]
    sees: Sees

    async def list_mails(self, entries: Sequence[Entry], now: datetime) -> list[Mail]:
        """Every mail that these entries ask for. The same entries always come to the same ids."""
        persons = {one.person for one in await self.outbox.addresses()}
        if not persons:
            return []
        holders = {person: seats for person, seats in (await self.holders()).items() if person in persons}
        newest: dict[StreamId, Entry] = {e.stream: e for e in entries if e.kind is EntryKind.EVENT}
        reminders = {e.stream for e in entries if e.type == ApprovalReminded.event_type}
        mails: list[Mail] = []
        for stream, entry in newest.items():
            if (await self.store.realm(stream.realm)).clock is not Clock.WALL:
                continue
            history = [one async for one in self.store.read(stream)]
            state = fold(stream, history)
            reminds = stream in reminders and state.part(ApprovalRequest).is_reminded  # not asked anew since
            for awaited in await list_awaited(self.store, state):
                for person in await self._find_awaited(awaited, state, holders):
                    mails += _write_waiting(person, awaited, state, entry.position, now, reminds=reminds)
            page = {one.occurred_at for one in entries if one.stream == stream}
            for approval in state.approvals:
                if approval.verdict is not Verdict.OPEN and approval.decided_at in page:
                    mails += _write_decided(_find_askers(approval, history) & persons, approval, state, entry, now)
        return mails

    async def _find_awaited(self, awaited: Awaited, state: State, holders: Mapping[str, Seats]) -> list[str]:
        """The persons for whom it waits."""
        persons: list[str] = []
        for person, seats in holders.items():
            fitting = tuple(
                g for g in seats if (g.seat in awaited.seats if awaited.seats else g.seat.role in awaited.roles)
            )
            if fitting and await self.sees(self.store, fitting, state):
                persons.append(person)
        return persons

    async def notify_disabled(self, endpoint: Endpoint, why: str, at: datetime) -> None:
        """Have every administrator with an address written that this endpoint is told nothing more."""
        content = MailContent(
            command="webhook",
            subject="",
            act_zh="通知接收端",
            zh=f"{endpoint.url} 連續三日未能送達，或答以 410；詳見 venture webhook list",
            en=f"{endpoint.url}, {why}; see venture webhook list",
        )
        stream = StreamId.of("webhook", LIVE, str(endpoint.id))
        position, written = await self.store.last_position(), {one.person for one in await self.outbox.addresses()}
        administrators = [
            person
            for person, seats in (await self.holders()).items()
            if person in written and any(grant.seat.role is Role.ADMIN for grant in seats)
        ]
        await self.outbox.add_mails(
            [
                Mail(
                    derive_id("mail", person, "disabled", str(endpoint.id), at.isoformat()),
                    person,
                    "disabled",
                    stream,
                    position,
                    content.write(),
                    at,
                )
                for person in sorted(administrators)
            ]
        )

    async def is_awaited(self, mail: Mail) -> bool:
        """Whether what a mail about a time is about still waits, for the same time."""
        content, state = MailContent.read(mail), await load_state(self.store, StreamId(mail.stream))
        about = (content.command, content.subject, content.until)
        return about in [(one.command, one.subject, one.until) for one in await list_awaited(self.store, state)]


async def list_awaited(store: EventStore, state: State) -> Sequence[Awaited]:
    """Everything that somebody is awaited for in the file now."""
    calendar = await read_calendar(store, state.stream.realm)
    return AGGREGATES[state.stream.kind].awaiting(state, calendar)


def _write_waiting(
    person: str, awaited: Awaited, state: State, position: int, now: datetime, *, reminds: bool
) -> Iterable[Mail]:
    """That it waits now, or still waits; and for later, if it does then, that its time is near and that it is past."""
    content = MailContent(
        command=awaited.command,
        subject=awaited.subject,
        act_zh=command_class(awaited.command).zh(),
        zh=awaited.zh,
        en=awaited.en,
        until=awaited.until,
    )
    opened = next(
        (
            str(one.id)
            for one in state.approvals
            if (one.gate, one.key, one.verdict) == (awaited.command, awaited.subject, Verdict.OPEN)
        ),
        f"{state.stage} {state.since}",
    )
    until = awaited.until.isoformat() if awaited.until else "None"  # as the ids of mails that were sent have it
    effects = [("waits", now), *([("reminded", now)] if reminds else [])]
    if awaited.until is not None:
        effects += [(name, at) for name, at in (("soon", awaited.until - SOON), ("overdue", awaited.until)) if at > now]
    for effect, at in effects:
        parts = (person, effect, state.stream, awaited.command, awaited.subject, until, opened)
        mail_id = derive_id("mail", *parts)
        yield Mail(mail_id, person, effect, state.stream, position, content.write(), at)


def _find_askers(approval: Approval, history: Sequence[Entry]) -> set[str]:
    """The persons who asked for it."""
    asking = next((one for one in history if one.version == approval.asked_version), None)
    return {str(person) for person in read_occurrence(asking).persons} if asking is not None else set()


def _write_decided(
    persons: Iterable[str], approval: Approval, state: State, entry: Entry, now: datetime
) -> Iterable[Mail]:
    """A mail to each of them that says how the approval was decided."""
    content = MailContent(
        command=approval.gate,
        subject=approval.key,
        act_zh=command_class(approval.gate).zh(),
        zh=approval.verdict.zh,
        en=approval.verdict.en,
    )
    for person in sorted(persons):
        mail_id: UUID = derive_id("mail", person, "decided", str(approval.id))
        yield Mail(mail_id, person, "decided", state.stream, entry.position, content.write(), now)
