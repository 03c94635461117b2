"""An entry of the log as a row of Postgres has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.kernel.identifier import StreamId
from store.port import Entry, EntryKind

if TYPE_CHECKING:
    import asyncpg


def read_entry(row: asyncpg.Record) -> Entry:
    """The entry of the columns that ``{entry}`` stands for (store/sql.py)."""
    return Entry(
        position=row["position"],
        stream=StreamId(row["stream"]),
        version=row["version"],
        kind=EntryKind(row["kind"]),
        type=row["type"],
        schema_version=row["schema_version"],
        command_id=row["command_id"],
        occurred_at=row["occurred_at"],
        recorded_at=row["recorded_at"],
        meta=row["meta"],
        data=row["data"],
        chain=row["chain"],
    )
