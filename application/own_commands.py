"""What somebody did on a seat, and what they set going that others decide: the journal's own entries, newest first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from application.approvals import list_approvals_of
from application.pages import Freshness, Page, PageRequest, SortOrder
from application.realms import require_realm
from deciding.journal import Journal
from domain.catalogue import AGGREGATES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from application.approvals import StreamApproval
    from domain.kernel.identifier import StreamId
    from domain.kernel.refusal import Unmet
    from store.port import CommandQuery, Entry, EventStore

MOST_COUNTED: Final = 1_000
"""Beyond so many it is only said that there are more."""
_JOURNAL: Final = "journal"
_ORDER: Final = SortOrder((("position", int),), descending=True)
ASKING: Final = tuple(
    sorted({one.event_type for aggregate in AGGREGATES.values() for one in aggregate.events if one.asks})
)
"""Events that ask somebody for a decision."""


@dataclass(frozen=True)
class OwnCommand:
    """A command that somebody gave."""

    command_id: UUID
    stream: StreamId
    command: str
    version: int
    """The stream's, at which it was judged."""
    position: int
    events: tuple[str, ...]
    """The types of its events; none if it was refused."""
    unmet: tuple[Unmet, ...]
    at: datetime
    """Its business time, UTC."""
    approvals: tuple[StreamApproval, ...] = ()
    """What it asked others to decide, as that stands."""

    @classmethod
    def of(cls, entry: Entry) -> OwnCommand:
        """Read from the command's entry in the log, which is its journal."""
        outcome = Journal.read(entry).outcome
        return cls(
            entry.command_id,
            entry.stream,
            entry.type,
            entry.version,
            entry.position,
            outcome.events,
            outcome.unmet,
            entry.occurred_at,
        )


async def list_own(store: EventStore, query: CommandQuery, request: PageRequest) -> Page[OwnCommand]:
    """A page of what they did, each with how the decisions that it asked for stand.

    Raises NoSuchRealm, CursorInvalid.
    """
    await require_realm(store, query.realm)
    before = _ORDER.read(_JOURNAL, request.after)[0] if request.after is not None else None
    entries = await store.commands_of(replace(query, before=before, limit=request.limit + 1))
    rows = [OwnCommand.of(entry) for entry in entries[: request.limit]]
    more = _ORDER.write(_JOURNAL, {"position": rows[-1].position}) if len(entries) > request.limit else None
    asking = [row for row in rows if not set(row.events).isdisjoint(ASKING)]
    approvals = await list_approvals_of(store, {row.stream for row in asking}) if asking else ()
    position = await store.last_position()
    return Page(tuple(_with_approvals(row, approvals) for row in rows), more, Freshness(position, 0, None))


def _with_approvals(command: OwnCommand, approvals: Sequence[StreamApproval]) -> OwnCommand:
    """The same with those that its own events asked for."""
    own = tuple(
        one
        for one in approvals
        if one.stream == command.stream
        and command.version < one.approval.asked_version <= command.version + len(command.events)
    )
    return replace(command, approvals=own)
