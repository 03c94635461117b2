"""Who may see a file through a door: whoever the policy for reading shows it whole. To others it is not there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from application.queries import NameUnknown, load_file
from deciding.fold import load_state
from deciding.reader import Reader
from domain.catalogue import AGGREGATES
from domain.kernel.calendar import beginning_of_day, day_ends, local_day
from domain.kernel.facts import Facts, Reads
from domain.kernel.identifier import SYSTEM, UNNAMED, Role
from domain.kernel.restriction import Restriction, withhold
from domain.kernel.summary import Summary
from domain.registers.panel import PanelStage
from domain.visibility import (
    REGISTERS,
    REGISTRARS,
    TOLD_WHO,
    WATCH,
    Sight,
    find_sight,
    list_unknown,
    read_round,
    readers_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from application.folded_stream import Chapter
    from application.queries import File
    from domain.kernel.identifier import Actor, StreamId
    from domain.kernel.message import Event, Occurrence
    from domain.kernel.state import State
    from store.identity import SeatGrant, Seats
    from store.port import EventStore

HOUSE_ROLES: Final = frozenset(
    {Role.CAB_REG, Role.CAB_FIN, Role.CAB_DEC, Role.FISCAL, Role.HOST, Role.DISC, Role.AUDIT}
)
"""Roles whose business is the whole house unless their seat's scope says otherwise."""
_SEES_ALL: Final = frozenset({Role.CAB_REG, Role.CAB_FIN, Role.CAB_DEC, Role.FISCAL, Role.DISC, Role.AUDIT})
"""Of a seat with a scope: the bureau's own, and those who watch; administrators see no business (SD8)."""


def may_see_all(seats: Seats) -> bool:
    """Whether all business in the house may be seen by them."""
    return any(_is_of_the_house(grant) for grant in seats)


@dataclass(frozen=True)
class Access:
    """What whoever comes in, on all their seats together, sees of a file that is open to them."""

    sights: tuple[tuple[Actor, Sight], ...]
    """Of each seat of theirs to which it is open, with what that seat sees."""

    @property
    def is_whole(self) -> bool:
        """Whether they see every event of it, be it without the fields that are marked."""
        return any(sight.is_whole for _, sight in self.sights)

    @property
    def restrictions(self) -> frozenset[Restriction]:
        """Of what kind marked fields are that none of their seats sees."""
        return frozenset.intersection(*(sight.restrictions for _, sight in self.sights))

    def may_show(self, event_type: str) -> bool:
        """Whether events of that type are shown to them at all."""
        return any(sight.only is None or event_type in sight.only for _, sight in self.sights)

    def list_withheld(self, occurrence: Occurrence) -> frozenset[str]:
        """The fields of that event that none of their seats sees."""
        event = occurrence.event
        return frozenset.intersection(
            *(
                sight.list_withheld(event, own=occurrence.actor == seat)
                for seat, sight in self.sights
                if sight.only is None or event.event_type in sight.only
            )
        )

    def is_actor_hidden(self, occurrence: Occurrence) -> bool:
        """Whether they are not told who acted there; whoever it was themselves knows."""
        return all(occurrence.actor != seat for seat, _ in self.sights) and not self.may_tell_who(
            type(occurrence.event)
        )

    def may_tell_who(self, event: type[Event]) -> bool:
        """Whether they are told who caused such an event: an anonymous one, only those whose task it is."""
        return any(
            (not event.anonymous or seat.role in TOLD_WHO) and event.actor_restriction not in sight.restrictions
            for seat, sight in self.sights
        )

    def reveal(self, occurrence: Occurrence) -> Occurrence:
        """What happened as they see it: what is withheld is not in the event."""
        if self.is_actor_hidden(occurrence):
            day = beginning_of_day(occurrence.at)
            occurrence = replace(occurrence, actor=UNNAMED, persons=frozenset(), basis=None, at=day)
        return replace(occurrence, event=withhold(occurrence.event, self.list_withheld(occurrence)))

    def show(self, chapter: Chapter) -> Chapter:
        """The chapter as they see it, with what is withheld from them."""
        withheld = self.list_withheld(chapter.occurrence)
        if self.is_actor_hidden(chapter.occurrence):
            at, recorded_at = beginning_of_day(chapter.at), beginning_of_day(chapter.recorded_at)
            chapter = replace(chapter, at=at, recorded_at=recorded_at, by_day=True)
        elif not withheld:
            return chapter
        return replace(chapter, occurrence=self.reveal(chapter.occurrence), withheld=withheld)

    def show_changes(self, file: File) -> File:
        """The file with the day alone of where it came to stand by an act of somebody who is not told."""
        own = (one for one in file.story if one.stream == file.stream)
        hidden = {one.position: one.at for one in own if self.is_actor_hidden(one.occurrence)}
        since = file.state.since
        if since is not None and since in hidden.values():
            since = beginning_of_day(since)
        changes = (replace(one, at=beginning_of_day(one.at)) if one.position in hidden else one for one in file.changes)
        return replace(file, state=replace(file.state, since=since), changes=tuple(changes))

    def cut(self, kind: str, instant: datetime | None) -> datetime | None:
        """Up to when a file of that kind is told: to the end of the day, where something in it is told by the day.

        Else whoever asks how it stood from minute to minute finds out when somebody acted.
        """
        if instant is None or all(self.may_tell_who(event) for event in AGGREGATES[kind].events):
            return instant
        return day_ends(local_day(instant))


def find_seat(occurrence: Occurrence) -> Actor | None:
    """The seat that acted there, as a reader sees it; None where they are not told."""
    return None if occurrence.actor == UNNAMED else occurrence.actor


def access_of(seat: Actor | None, state: State | None = None) -> Access:
    """What is seen where the reader has all files anyway and only says on which seat they read, or does not say.

    ``state`` is the file's; without it, what is withheld for a time counts as withheld.
    """
    return Access(((seat or SYSTEM, Sight(restrictions=list_unknown(seat, state))),))


def show_to(file: File, seat: Actor | None) -> File:
    """The file without the marked fields that no such seat sees, where all files are there to be read anyway."""
    access = access_of(seat, file.state)
    return replace(
        access.show_changes(file),
        story=tuple(map(access.show, file.story)),
        restrictions=access.restrictions,
    )


async def find_access(store: EventStore, seats: Seats, state: State) -> Access | None:
    """What they see of that file; None if it is not open to them. Raises StoreUnavailable."""
    facts = await _read_facts(store, seats, state)
    sights = ((grant.seat, _look(grant, state, facts)) for grant in seats)
    seen = tuple((seat, sight) for seat, sight in sights if sight.is_open)
    return Access(seen) if seen else None


def access_of_house(seats: Seats) -> Access | None:
    """What their seats of the bureau's own house see of any business; None if they have none."""
    seen = tuple((grant.seat, _see_house(grant)) for grant in seats if _is_of_the_house(grant))
    return Access(seen) if seen else None


async def _find_access_now(
    store: EventStore, seats: Seats, stream: StreamId, today: State | None = None
) -> Access | None:
    """The same by how the file stands now. Of the house's own seats it does not depend on that: nothing is read."""
    if stream.kind not in REGISTERS and all(_is_of_the_house(grant) for grant in seats):
        return access_of_house(seats)
    return await find_access(store, seats, today or await load_state(store, stream))


def _see_house(grant: SeatGrant) -> Sight:
    return Sight(restrictions=list_unknown(grant.seat, None))


def _look(grant: SeatGrant, state: State, facts: Facts) -> Sight:
    """What that seat sees; a managing agency that names no scope is taken for the bureau's own."""
    sight = find_sight(grant.seat, grant.scope, state, facts)
    if not sight.is_open and _is_of_the_house(grant) and state.stream.kind not in REGISTERS:
        return _see_house(grant)
    return sight


def may_watch(seats: Seats) -> bool:
    """Whether one of them sees everything and decides nothing (P6, SD11)."""
    return any(grant.seat.role in WATCH for grant in seats)


async def may_see(store: EventStore, seats: Seats, state: State) -> bool:
    """Whether that file may be seen by them whole, be it without marked fields. Raises StoreUnavailable."""
    if may_see_all(seats) and state.stream.kind not in REGISTERS:
        return True
    access = await find_access(store, seats, state)
    return access is not None and access.is_whole


def list_hidden_kinds(seats: Seats) -> tuple[str, ...]:
    """Kinds of files that no list shows to them, though they see all business (SD8)."""
    return () if any(grant.seat.role in REGISTRARS for grant in seats) else tuple(sorted(REGISTERS))


def list_words(seats: Seats) -> tuple[str, ...]:
    """Under which words views have what these seats see, one by one (``domain.visibility.list_readers``)."""
    return tuple(sorted({word for grant in seats for word in readers_of(grant.seat, grant.scope)}))


async def may_see_now(store: EventStore, seats: Seats, stream: StreamId) -> bool:
    """Whether that file may be seen by them as it stands now: whoever looks at its past looks today."""
    return await may_see(store, seats, await load_state(store, stream))


async def list_open(store: EventStore, seats: Seats, streams: Iterable[StreamId]) -> frozenset[StreamId]:
    """Which of these files are there and open to them as things stand now: a page links to no other.

    Raises StoreUnavailable.
    """
    seen = set()
    for stream in streams:
        if await store.standing(stream) is not None and await _find_access_now(store, seats, stream) is not None:
            seen.add(stream)
    return frozenset(seen)


async def may_know(store: EventStore, seats: Seats, state: State) -> bool:
    """Whether they may know of that file at all: of a posted project, anybody. Raises StoreUnavailable."""
    if may_see_all(seats) and state.stream.kind not in REGISTERS:
        return True
    facts = await _read_facts(store, seats, state)
    return any(find_sight(grant.seat, grant.scope, state, facts).denied is None for grant in seats)


async def load_seen_file(
    store: EventStore,
    seats: Seats,
    stream: StreamId,
    *,
    until: datetime | None = None,
    known_at: datetime | None = None,
) -> File:
    """The file as they may see it, up to ``until`` and ``known_at`` as in ``load_file``; judged by how it stands today.

    Raises NameUnknown for what is not there and for what they may not see, and StoreUnavailable.
    """
    file = await load_file(store, stream, until=until, known_at=known_at)
    is_today = until is None and known_at is None
    today = file.state if is_today else await load_state(store, stream)
    access = await find_access(store, seats, today)
    if access is None:
        raise NameUnknown(stream.name)
    cut = access.cut(stream.kind, until), access.cut(stream.kind, known_at)
    if not access.is_whole or cut != (until, known_at):
        file = await load_file(store, stream, until=cut[0], known_at=cut[1], may_show=access.may_show)
    return await leave_out_others(store, seats, file, today)


async def leave_out_others(store: EventStore, seats: Seats, file: File, today: State | None = None) -> File:
    """The file without what its story and documents take from streams that they may not see, nor marked fields.

    A bidder reads the whole of its own bid and nobody's sheets of the panel that scores it (SD7). ``today`` is how the
    file stands now, where that is known. Raises StoreUnavailable.
    """
    streams = {chapter.stream for chapter in file.story} | {document.stream for document in file.documents}
    access = {one: await _find_access_now(store, seats, one) for one in streams - {file.stream}}
    access[file.stream] = await _find_access_now(store, seats, file.stream, today)
    own, chapters = access[file.stream], [(chapter, access[chapter.stream]) for chapter in file.story]
    file = own.show_changes(file) if own is not None else file
    return replace(
        file,
        story=tuple(
            sight.show(chapter)
            for chapter, sight in chapters
            if sight is not None and sight.may_show(chapter.occurrence.event.event_type)
        ),
        documents=tuple(document for document in file.documents if access[document.stream] is not None),
        changes=tuple(one for one in file.changes if own is not None and own.may_show(one.event_type)),
        is_whole=own is not None and own.is_whole,
        restrictions=own.restrictions if own is not None else frozenset(Restriction),
    )


async def _read_facts(store: EventStore, seats: Seats, state: State) -> Facts:
    """The round where a host reads whose business it may make the file, the panels where a reviewer does."""
    roles, reads = {grant.seat.role for grant in seats}, Reads()
    if Role.HOST in roles:
        reads |= read_round(state)
    if Role.EXPERT in roles and state.stream.kind == "project":
        reads |= Reads(streams=await _list_panels(store, state.stream))
    reader = Reader(store)
    await reader.fetch(reads)
    return Facts(streams={stream: reader.states[stream] for stream in reads.streams})


async def _list_panels(store: EventStore, project: StreamId) -> frozenset[StreamId]:
    """The panels that are at work on that project: it does not know of them before they have reported."""
    at_work = [
        row
        for stage in (PanelStage.DRAWN, PanelStage.SCORING)
        async for row in store.standings(kind="panel", realm=project.realm, stage=stage)
    ]
    named = {row.stream: Summary.read(row.summary).particulars["applications"] for row in at_work}
    return frozenset(panel for panel, applications in named.items() if project.name in applications)


def _is_of_the_house(grant: SeatGrant) -> bool:
    return grant.seat.role in (HOUSE_ROLES if grant.scope is None else _SEES_ALL)
