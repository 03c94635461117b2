"""What releases recorded, read back."""

from __future__ import annotations

import json
import lzma
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from domain.kernel.identifier import StreamId
from store.memory import MemoryStore
from store.port import Entry, EntryKind

if TYPE_CHECKING:
    from collections.abc import Sequence

CORPUS = Path(__file__).parent


def _entry(position: int, row: dict[str, Any]) -> Entry:
    return Entry(
        position=position,
        stream=StreamId(row["stream"]),
        version=row["version"],
        kind=EntryKind(row["kind"]),
        type=row["type"],
        schema_version=row["schema_version"],
        command_id=UUID(row["command_id"]),
        occurred_at=datetime.fromisoformat(row["occurred_at"]),
        recorded_at=datetime.fromisoformat(row["recorded_at"]),
        meta=row["meta"].encode(),
        data=row["data"].encode(),
        chain=bytes.fromhex(row["chain"]),
    )


@cache
def read_entries(path: Path) -> Sequence[Entry]:
    """The entries of that file, numbered from 1."""
    lines = lzma.decompress(path.read_bytes()).decode().splitlines()
    return [_entry(position, json.loads(line)) for position, line in enumerate(lines, 1)]


def read_log(path: Path) -> MemoryStore:
    """A store with that log, its positions and chains made anew."""
    store = MemoryStore()
    for entry in read_entries(path):
        store._add(entry)
    return store
