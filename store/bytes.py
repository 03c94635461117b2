r"""The bytes that are hashed, for good: what an auditor needs to recompute the log with no more than SHA-256.

*Leaf.* Each entry of the log is eleven lines of UTF-8, joined by one line feed (0x0A), with none at the end::

    venture entry 1               the format
    project/live/AP-5             stream
    event                         kind: command or event
    3                             version, decimal: an event's number in the stream; the one a command was decided at
    ContractSigned                type
    1                             schema version, decimal
    0e3f…-…                       command id, lower-case hex with hyphens
    1767225600000000              occurred at: microseconds since 1970-01-01T00:00:00Z, decimal
    1767225600123456              recorded at: likewise
    {"actor":"CAB-REG#1"}         meta: the JSON text as it is kept
    {"amount":5000000}            data: the JSON text as it is kept

Only the last line may hold further line feeds, so no two entries have the same bytes (a check constraint and
``Append`` see to it). ``leaf = SHA-256(those bytes)``. The position is left out: its place in the tree says it.

*Chain.* Per stream, commands and events alike, in order of position: ``chain = SHA-256(0x02 ‖ previous chain ‖ leaf)``,
32 raw bytes; before a stream's first entry the previous chain is 32 zero bytes.

*Tree.* RFC 6962 over the chain hashes of the whole log in order of position: a tree leaf is
``SHA-256(0x00 ‖ chain)``, a node ``SHA-256(0x01 ‖ left ‖ right)``, the empty tree ``SHA-256()``.

The three first bytes 0x00, 0x01, 0x02 and ``v`` keep the four kinds of input apart. By hand::

    printf 'venture entry 1\nproject/live/AP-5\nevent\n…' | sha256sum
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from store.port import Entry

GENESIS = bytes(32)
"""The chain hash before a stream's first entry."""
FORMAT = "venture entry 1"
"""The first line of every leaf."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def leaf(entry: Entry) -> bytes:
    """The 32 bytes of an entry's own content, recomputed from what is kept."""
    return leaf_of(
        stream=entry.stream,
        kind=entry.kind,
        version=entry.version,
        type=entry.type,
        schema_version=entry.schema_version,
        command_id=entry.command_id,
        occurred_at=entry.occurred_at,
        recorded_at=entry.recorded_at,
        meta=entry.meta,
        data=entry.data,
    )


def leaf_of(
    *,
    stream: str,
    kind: str,
    version: int,
    type: str,  # noqa: A002 - the field's name in the log
    schema_version: int,
    command_id: UUID,
    occurred_at: datetime,
    recorded_at: datetime,
    meta: bytes,
    data: bytes,
) -> bytes:
    """The 32 bytes of an entry that has these lines."""
    lines = (
        FORMAT,
        stream,
        kind,
        str(version),
        type,
        str(schema_version),
        str(command_id),
        str(microseconds(occurred_at)),
        str(microseconds(recorded_at)),
        "",
    )
    return sha256(b"%b%b\n%b" % ("\n".join(lines).encode(), meta, data)).digest()


def microseconds(instant: datetime) -> int:
    """Microseconds since 1970-01-01T00:00:00Z, exactly."""
    return (instant - _EPOCH) // _MICROSECOND


def chain_hash(previous: bytes, leaf: bytes) -> bytes:
    """The stream's next chain hash."""
    return sha256(b"\x02" + previous + leaf).digest()


class Frontier:
    """An RFC 6962 tree that is only appended to: the roots of its perfect subtrees, largest first. O(log n) memory."""

    __slots__ = ("_subtrees", "size")

    def __init__(self) -> None:
        self.size = 0
        """How many leaves the tree has."""
        self._subtrees: list[bytes] = []

    def add(self, chain: bytes) -> None:
        """Append the next entry's chain hash."""
        node = sha256(b"\x00" + chain).digest()
        size = self.size
        while size & 1:
            node = _node(self._subtrees.pop(), node)
            size >>= 1
        self._subtrees.append(node)
        self.size += 1

    def root(self) -> bytes:
        """The tree's 32-byte root at its present size."""
        if not self._subtrees:
            return sha256().digest()
        *left, node = self._subtrees
        for subtree in reversed(left):
            node = _node(subtree, node)
        return node


def root(hashes: Iterable[bytes]) -> bytes:
    """The RFC 6962 root over these chain hashes, taken one at a time."""
    frontier = Frontier()
    for chain in hashes:
        frontier.add(chain)
    return frontier.root()


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()
