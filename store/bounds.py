"""What can be recorded at all, by whichever store: bounds that hold before anything is sent, alike for all of them.

Postgres would say no to most of this by itself, but to all appends of one statement together; and an infinite instant,
or a document too deep to be read again, it would take.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from domain.kernel.effects import Claim, Post, Release
from domain.kernel.failure import Failure, FailureKind

if TYPE_CHECKING:
    from domain.kernel.effects import Effect
    from store.port import Append, Standing, Write

LONGEST_KEY: Final = 1_000
"""Bytes of a claim's key or holder, or of an account: an index holds the two together."""
LONGEST_NAME: Final = 200
"""Bytes of a type, a stage or a stream's id."""
LONGEST_DOCUMENT: Final = 16 * 2**20
"""Bytes of one JSON document."""
DEEPEST: Final = 64
"""Arrays and objects within each other in one JSON document."""
MOST_BYTES: Final = 64 * 2**20
"""Bytes of all JSON documents of one append."""
MOST_ROWS: Final = 2**15 - 1
"""Writes and events, effects, or readings of one append."""
LARGEST: Final = 2**53 - 1
"""Of any number, as in canonical JSON."""
LARGEST_SCHEMA: Final = 2**31 - 1
EARLIEST: Final = datetime(1, 1, 2, tzinfo=UTC)
LATEST: Final = datetime(9999, 12, 30, tzinfo=UTC)
"""Instants so near to the ends of Python's time that another time zone, or Postgres' infinity, lies beyond them."""

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_NO_BRACKET = re.compile(rb"[^\[\]{}]+")
_INNERMOST = re.compile(rb"\[\]|\{\}")


class AppendInvalid(Failure, ValueError):
    """It can never be recorded as it is, however often it is tried. Says which part, and nothing of what it holds."""

    kind = FailureKind.USAGE

    def __init__(self, why: str) -> None:
        """Keep which part it is."""
        super().__init__(f"無法記錄：{why}", f"it cannot be recorded: {why}", why=why)
        self.why = why


def is_storable(text: str) -> bool:
    """Whether Postgres can hold that text: no NUL, no lone surrogate."""
    if text.isascii():
        return "\0" not in text
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def check_append(append: Append) -> None:
    """Raise AppendInvalid for what lies beyond the bounds."""
    for write in append.writes:
        _check_write(write)
    for standing in append.standings:
        check_standing(standing)
    for stream, version in append.reads.items():
        _check_name("a stream", stream)
        _check_number(f"{stream}: the version read", version, LARGEST, 0)
    leaves = sum(1 + len(write.events) for write in append.writes)
    effects = sum(len(event.effects) for write in append.writes for event in write.events)
    for what, count in (("leaves", leaves), ("effects", effects), ("readings", len(append.reads))):
        if count > MOST_ROWS:
            raise AppendInvalid(f"{count} {what}, more than {MOST_ROWS}")
    size = sum(
        len(write.meta) + len(write.data) + sum(len(event.meta) + len(event.data) for event in write.events)
        for write in append.writes
    )
    if size > MOST_BYTES:
        raise AppendInvalid(f"{size} bytes, more than {MOST_BYTES}")


def check_standing(standing: Standing) -> None:
    """Raise AppendInvalid for what lies beyond the bounds."""
    where = f"{standing.stream}: the standing"
    _check_name("a stream", standing.stream)
    _check_name(f"{where}'s stage", standing.stage)
    _check_number(f"{where}'s version", standing.version, LARGEST, 0)
    _check_document(f"{where}'s summary", standing.summary)
    if standing.due_at is not None:
        _check_instant(f"{where}'s deadline", standing.due_at)


def _check_write(write: Write) -> None:
    stream = write.stream
    _check_name("a stream", stream)
    _check_number(f"{stream}: the expected version", write.expected, LARGEST, 0)
    _check_instant(f"{stream}: the business time", write.occurred_at)
    _check_leaf(f"{stream}: the command", write.command_type, write.schema_version, write.meta, write.data)
    for event in write.events:
        _check_leaf(f"{stream}: an event", event.type, event.schema_version, event.meta, event.data)
        for effect in event.effects:
            _check_effect(f"{stream}: {event.type}", effect)


def _check_leaf(where: str, name: str, schema_version: int, meta: bytes, data: bytes) -> None:
    """A leaf is a join of lines: only its last part may hold a line end (store/bytes.py)."""
    _check_name(f"{where}'s type", name)
    _check_number(f"{where}'s schema version", schema_version, LARGEST_SCHEMA, 1)
    _check_document(f"{where}'s meta", meta)
    _check_document(f"{where}'s data", data)
    if "\n" in name or b"\n" in meta:
        raise AppendInvalid(f"{where}: a line end in its type or in its meta")


def _check_effect(where: str, effect: Effect) -> None:
    match effect:
        case Claim():
            texts = (effect.key, effect.holder)
            _check_number(f"{where}: a claim's limit", effect.limit, LARGEST, 0)
        case Release():
            texts = (effect.key, effect.holder)
        case Post():
            texts = (effect.source, effect.target)
            if effect.fen < 0:
                raise AppendInvalid(f"{where} posts less than nothing; post the other way round")
            _check_number(f"{where}: a posting", effect.fen, LARGEST, 0)
    for text in texts:
        _check_text(f"{where}: a key, holder or account", text, LONGEST_KEY)


def _check_name(where: str, text: str) -> None:
    _check_text(where, text, LONGEST_NAME)


def _check_text(where: str, text: str, longest: int) -> None:
    if not is_storable(text):
        raise AppendInvalid(f"{where}: a NUL or half a character")
    if len(text) > longest or (not text.isascii() and len(text.encode()) > longest):
        raise AppendInvalid(f"{where}: longer than {longest} bytes")


def _check_number(where: str, number: int, largest: int, least: int) -> None:
    if not least <= number <= largest:
        raise AppendInvalid(f"{where}: not within {least} and {largest}")


def _check_instant(where: str, instant: datetime) -> None:
    if instant.tzinfo is None:
        raise AppendInvalid(f"{where} has no time zone")
    if not EARLIEST <= instant < LATEST:
        raise AppendInvalid(f"{where} lies outside the years 1 to 9999")


def _check_document(where: str, document: bytes) -> None:
    if len(document) > LONGEST_DOCUMENT:
        raise AppendInvalid(f"{where}: {len(document)} bytes, more than {LONGEST_DOCUMENT}")
    if document.count(b"[") + document.count(b"{") > DEEPEST and _is_too_deep(document):
        raise AppendInvalid(f"{where}: nested deeper than {DEEPEST}")


def _is_too_deep(document: bytes) -> bool:
    """Peels off the innermost brackets, level by level."""
    brackets = _NO_BRACKET.sub(b"", _STRING.sub(b"", document))
    for _ in range(DEEPEST):
        if not brackets:
            return False
        brackets = _INNERMOST.sub(b"", brackets)
    return bool(brackets)
