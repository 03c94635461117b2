"""Lists of streams, as the agenda has them: no stream is folded and no rule is loaded for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from application.realms import require_realm
from deciding.agenda_row import Summary

if TYPE_CHECKING:
    from domain.kernel.identity import StreamId
    from store.port import EventStore, Standing


@dataclass(frozen=True)
class StreamRow:
    """One line of a list."""

    stream: StreamId
    stage: str
    version: int
    due: datetime | None
    summary: Summary

    @classmethod
    def of(cls, standing: Standing) -> StreamRow:
        """As the agenda has it."""
        return cls(standing.stream, standing.stage, standing.version, standing.due_at, Summary.of(standing))


async def list_streams(
    store: EventStore, kind: str, *, realm: str | None = None, stage: str | None = None, limit: int = 100
) -> list[StreamRow]:
    """How streams of that kind stand, by id. Raises NoSuchRealm."""
    await require_realm(store, realm)
    rows: list[StreamRow] = []
    async for standing in store.standings(kind=kind, realm=realm, stage=stage):
        if len(rows) == limit:
            break
        rows.append(StreamRow.of(standing))
    return rows
