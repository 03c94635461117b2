"""Who may see a file through a door: whoever the policy for reading shows it whole. To others it is not there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from application.queries import NameUnknown, load_file
from deciding.fold import fold
from deciding.reader import Reader
from domain.kernel.facts import Facts
from domain.kernel.identity import Role
from domain.reading import REGISTERS, may_read, read_round, readers_of

if TYPE_CHECKING:
    from datetime import datetime

    from application.queries import File
    from domain.kernel.identity import StreamId
    from domain.kernel.state import State
    from store.identity import SeatGrant, Seats
    from store.port import EventStore

HOUSE_ROLES: Final = frozenset(
    {Role.CAB_REG, Role.CAB_FIN, Role.CAB_DEC, Role.FISCAL, Role.HOST, Role.DISC, Role.AUDIT}
)
"""Roles whose business is the whole house unless their seat's scope says otherwise."""
_SEES_ALL: Final = frozenset({Role.CAB_REG, Role.CAB_FIN, Role.CAB_DEC, Role.FISCAL, Role.DISC, Role.AUDIT})
"""Of a seat with a scope: the bureau's own, and those who watch; administrators see no business (SD8)."""


def sees_all(seats: Seats) -> bool:
    """Whether all business in the house may be seen by them."""
    return any(_is_of_the_house(grant) for grant in seats)


async def may_see(store: EventStore, seats: Seats, state: State) -> bool:
    """Whether that file may be seen by them whole. Raises StoreUnavailable."""
    if sees_all(seats) and state.stream.kind not in REGISTERS:
        return True
    facts = await _read_facts(store, seats, state)
    return any(may_read(grant.seat, grant.scope, state, facts).is_whole for grant in seats)


def list_words(seats: Seats) -> tuple[str, ...]:
    """Under which words views have what these seats see, one by one (``domain.reading.list_readers``)."""
    return tuple(sorted({word for grant in seats for word in readers_of(grant.seat, grant.scope)}))


async def may_see_now(store: EventStore, seats: Seats, stream: StreamId) -> bool:
    """Whether that file may be seen by them as it stands now: whoever looks at its past looks today."""
    return await may_see(store, seats, fold(stream, [entry async for entry in store.read(stream)]))


async def may_know(store: EventStore, seats: Seats, state: State) -> bool:
    """Whether they may know of that file at all: of a posted project, anybody. Raises StoreUnavailable."""
    if sees_all(seats) and state.stream.kind not in REGISTERS:
        return True
    facts = await _read_facts(store, seats, state)
    return any(may_read(grant.seat, grant.scope, state, facts).denied is None for grant in seats)


async def load_seen_file(
    store: EventStore, seats: Seats, stream: StreamId, *, until: datetime | None = None, known: datetime | None = None
) -> File:
    """The file as they may see it, up to ``until`` and ``known`` as in ``load_file``; judged by how it stands today.

    Raises NameUnknown for what is not there and for what they may not see, and StoreUnavailable.
    """
    file = await load_file(store, stream, until=until, known=known)
    is_today = until is None and known is None
    if not await (may_see(store, seats, file.state) if is_today else may_see_now(store, seats, stream)):
        raise NameUnknown(stream.name)
    return await leave_out_others(store, seats, file)


async def leave_out_others(store: EventStore, seats: Seats, file: File) -> File:
    """The file without what its story and documents take from streams that they may not see.

    A bidder reads the whole of its own bid and nobody's sheets of the panel that scores it (SD7). Raises
    StoreUnavailable.
    """
    cited = {chapter.stream for chapter in file.story} | {document.stream for document in file.documents}
    cited.discard(file.stream)
    hidden = set() if sees_all(seats) else {one for one in cited if not await may_see_now(store, seats, one)}
    return replace(
        file,
        story=tuple(chapter for chapter in file.story if chapter.stream not in hidden),
        documents=tuple(document for document in file.documents if document.stream not in hidden),
    )


async def _read_facts(store: EventStore, seats: Seats, state: State) -> Facts:
    """The round, where a host reads whose business it may make the file; nothing for anybody else."""
    wanted = read_round(state)
    if not wanted.streams or not any(grant.seat.role is Role.HOST for grant in seats):
        return Facts()
    reader = Reader(store)
    await reader.fetch(wanted)
    return Facts(streams={stream: reader.states[stream] for stream in wanted.streams})


def _is_of_the_house(grant: SeatGrant) -> bool:
    return grant.seat.role in (HOUSE_ROLES if grant.scope is None else _SEES_ALL)
