"""What was asked and refused: the journal has every attempt, with who, when, and by which rules it was refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from application.attempts import AttemptFilter, AttemptLine, list_attempts
from application.pages import PageRequest
from deciding.journal import Journal
from store.port import EntryKind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from domain.kernel.identifier import StreamId
    from domain.kernel.refusal import Unmet
    from store.port import Entry, EventStore

_PAGE = 200
"""Attempts that are read at once: each may be as large as a body may be."""


@dataclass(frozen=True)
class Attempt(AttemptLine):
    """One refused command, and why, in words."""

    unmet: tuple[Unmet, ...]

    def as_json(self) -> dict[str, Any]:
        """For a machine: each unmet condition names its rule."""
        line = super().as_json()
        del line["rules"]
        return {**line, "unmet": [u.as_json() for u in self.unmet]}


async def iterate_attempts(
    store: EventStore, stream: StreamId | None = None, realm: str | None = None
) -> AsyncIterator[Attempt]:
    """Refused commands on that stream, or in that realm, or all, oldest first. Raises NoSuchRealm, StoreUnavailable.

    An entry that says nothing is the verification's affair, and is left out.
    """
    entries = _read_refused(store, realm) if stream is None else store.read(stream, commands=True)
    async for entry in entries:
        if entry.kind is EntryKind.COMMAND and realm in {None, entry.stream.realm}:
            attempt = _read(entry)
            if attempt is not None:
                yield attempt


def _read(entry: Entry) -> Attempt | None:
    journal = Journal.read_refused(entry)
    if journal is None:
        return None
    return Attempt(
        position=entry.position,
        stream=entry.stream,
        version=entry.version,
        command_id=entry.command_id,
        command=entry.type,
        actor=journal.actor,
        person=journal.person,
        rules=tuple(sorted({u.rule for u in journal.outcome.unmet})),
        occurred_at=entry.occurred_at,
        recorded_at=entry.recorded_at,
        unmet=journal.outcome.unmet,
    )


async def _read_refused(store: EventStore, realm: str | None) -> AsyncIterator[Entry]:
    """The journal entries of what was refused, found by the view and read from the log itself."""
    request = PageRequest(limit=_PAGE, at_least=await store.last_position())
    while True:
        page = await list_attempts(store, AttemptFilter(realm=realm), request)
        refused = (await store.outcomes({line.command_id for line in page.rows})).commands
        for line in page.rows:
            if line.command_id in refused:
                yield refused[line.command_id]
        if page.next is None:
            return
        request = PageRequest(limit=_PAGE, after=page.next)
