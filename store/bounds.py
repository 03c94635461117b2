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
    from domain.kernel.identifier import StreamId
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
_UNREADABLE = re.compile(rb"(?<!\\)(?:\\\\)*\\u(?:0000|[Dd][89A-Fa-f])")
"""Escapes of what is no text to Postgres: NUL, half a character. It keeps them, but reads no key of such a document."""


class AppendInvalid(Failure, ValueError):
    """It can never be recorded as it is, however often it is tried. Says which part, and nothing of what it holds."""

    kind = FailureKind.USAGE

    def __init__(self, why: str) -> None:
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
    """Raise AppendInvalid for what lies beyond the bounds. What it says is put together only then: appends are many."""
    leaves = effects = size = 0
    for write in append.writes:
        _check_write(write)
        leaves += 1 + len(write.events)
        size += len(write.meta) + len(write.data)
        for event in write.events:
            effects += len(event.effects)
            size += len(event.meta) + len(event.data)
    for standing in append.standings:
        check_standing(standing)
    for stream, version in append.reads.items():
        _check_text("a stream read", "its name", stream, LONGEST_NAME)
        _check_number(stream, "the version read", version)
    for what, count in (("leaves", leaves), ("effects", effects), ("readings", len(append.reads))):
        if count > MOST_ROWS:
            raise AppendInvalid(f"{count} {what}, more than {MOST_ROWS}")
    if size > MOST_BYTES:
        raise AppendInvalid(f"{size} bytes, more than {MOST_BYTES}")


def check_standing(standing: Standing) -> None:
    """Raise AppendInvalid for what lies beyond the bounds."""
    stream = standing.stream
    _check_text("a stream", "its name", stream, LONGEST_NAME)
    _check_text(stream, "the stage", standing.stage, LONGEST_NAME)
    _check_number(stream, "the version", standing.version)
    _check_document(stream, "the summary", standing.summary)
    if standing.due_at is not None:
        _check_instant(stream, "the deadline", standing.due_at)


def _check_write(write: Write) -> None:
    stream = write.stream
    _check_text("a stream", "its name", stream, LONGEST_NAME)
    _check_number(stream, "the expected version", write.expected)
    _check_instant(stream, "the business time", write.occurred_at)
    _check_leaf(stream, write.command_type, write.schema_version, write.meta, write.data)
    for event in write.events:
        _check_leaf(stream, event.type, event.schema_version, event.meta, event.data)
        for effect in event.effects:
            _check_effect(stream, effect)


def _check_leaf(stream: StreamId, name: str, schema_version: int, meta: bytes, data: bytes) -> None:
    """A leaf is a join of lines: only its last part may hold a line end (store/bytes.py)."""
    _check_text(stream, "a type", name, LONGEST_NAME)
    if not 1 <= schema_version <= LARGEST_SCHEMA:
        raise AppendInvalid(f"{stream}: the schema version is not within 1 and {LARGEST_SCHEMA}")
    _check_document(stream, "meta", meta)
    _check_document(stream, "data", data)
    if "\n" in name or b"\n" in meta:
        raise AppendInvalid(f"{stream}: a line end in a type or in meta")
    if b"\\u" in meta and _UNREADABLE.search(meta):  # an index reads the actor in it (migration 0032)
        raise AppendInvalid(f"{stream}: meta has a NUL or half a character")


def _check_effect(stream: StreamId, effect: Effect) -> None:
    match effect:
        case Claim():
            one, other = effect.key, effect.holder
            _check_number(stream, "a claim's limit", effect.limit)
        case Release():
            one, other = effect.key, effect.holder
        case Post():
            one, other = effect.source, effect.target
            if effect.fen < 0:
                raise AppendInvalid(f"{stream}: posts less than nothing; post the other way round")
            _check_number(stream, "a posting", effect.fen)
    _check_text(stream, "a key or account", one, LONGEST_KEY)
    _check_text(stream, "a holder or account", other, LONGEST_KEY)


def _check_text(stream: str, part: str, text: str, longest: int) -> None:
    if not is_storable(text):
        raise AppendInvalid(f"{stream}: {part} has a NUL or half a character")
    if len(text) > longest or (not text.isascii() and len(text.encode()) > longest):
        raise AppendInvalid(f"{stream}: {part} is longer than {longest} bytes")


def _check_number(stream: StreamId, part: str, number: int) -> None:
    if not 0 <= number <= LARGEST:
        raise AppendInvalid(f"{stream}: {part} is not within 0 and {LARGEST}")


def _check_instant(stream: StreamId, part: str, instant: datetime) -> None:
    if instant.tzinfo is None:
        raise AppendInvalid(f"{stream}: {part} has no time zone")
    if not EARLIEST <= instant < LATEST:
        raise AppendInvalid(f"{stream}: {part} lies outside the years 1 to 9999")


def _check_document(stream: StreamId, part: str, document: bytes) -> None:
    if len(document) > LONGEST_DOCUMENT:
        raise AppendInvalid(f"{stream}: {part} has {len(document)} bytes, more than {LONGEST_DOCUMENT}")
    if document.count(b"[") + document.count(b"{") > DEEPEST and _is_too_deep(document):
        raise AppendInvalid(f"{stream}: {part} is nested deeper than {DEEPEST}")


def _is_too_deep(document: bytes) -> bool:
    """Peels off the innermost brackets, level by level."""
    brackets = _NO_BRACKET.sub(b"", _STRING.sub(b"", document))
    for _ in range(DEEPEST):
        if not brackets:
            return False
        brackets = _INNERMOST.sub(b"", brackets)
    return bool(brackets)
