r"""The bytes that a door signs, for good: what an auditor needs to check a signature with no more than Ed25519.

*A command* is twelve lines of UTF-8, joined by one line feed (0x0A), with none at the end::

    venture command 1             the format
    DK-5b1c0a47f2e39d68           the door's key
    3f9a…                         the log, by the chain hash of its first entry, hex; empty if it had no entry
    0e3f…-…                       command id, lower-case hex with hyphens
    project/live/AP-5             stream
    StartProject                  command
    9f86…                         SHA-256 of the particulars in canonical JSON, hex: of line 11 of the command's entry
    SO-PM#1                       seat
    P-7                           person; empty for a bare seat
    s-81f0                        the login; empty where there is none
    1685926800000000              received at: microseconds since 1970-01-01T00:00:00Z, decimal
    asked                         or derived: whether the engine derived the id

*A turn of a manual clock* is four lines: ``venture clock 1``, the door's key, the stream, and the instant as above.

No line holds a line feed, so no two commands have the same bytes, and the first line keeps the two kinds apart. The
signature is Ed25519 (RFC 8032) over these bytes, in 128 lower-case hex digits. A key's id is ``DK-`` and the first 16
hex digits of SHA-256 over its 32 raw bytes.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Protocol, Self

from domain.kernel.identifier import CheckedText

if TYPE_CHECKING:
    from uuid import UUID

COMMAND = "venture command 1"
CLOCK = "venture clock 1"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_KEY_ID = re.compile(r"DK-[0-9a-f]{16}")


class KeyId(CheckedText):
    """A door's key by a short hash of its public half: ``DK-5b1c0a47f2e39d68``.

    Raises ValueError if it is written otherwise.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Raises ValueError for any other form."""
        if _KEY_ID.fullmatch(text) is None:
            message = f"{text[:40]!r}: 密鑰編號寫作 DK- 加 16 位十六進制 / a key's id is DK- and 16 hex digits"
            raise ValueError(message)
        return super().__new__(cls, text)

    @classmethod
    def of(cls, public: bytes) -> KeyId:
        """The id of that public key, of 32 raw bytes."""
        return cls(f"DK-{sha256(public).hexdigest()[:16]}")


class Signer(Protocol):
    """A door's private key."""

    @property
    def id(self) -> KeyId:
        """Which key it is."""

    def sign(self, content: bytes) -> bytes:
        """The 64 bytes of its signature over these."""


def command_bytes(
    *,
    key: str,
    log: str,
    command_id: UUID,
    subject: str,
    command: str,
    particulars: bytes,
    seat: str,
    person: str | None,
    session: str | None,
    received_at: datetime,
    derived: bool,
) -> bytes:
    """What is signed of a command. Raises ValueError if a line would hold a line feed."""
    return _join(
        COMMAND,
        key,
        log,
        str(command_id),
        subject,
        command,
        sha256(particulars).hexdigest(),
        seat,
        person or "",
        session or "",
        _microseconds(received_at),
        "derived" if derived else "asked",
    )


def clock_bytes(*, key: str, stream: str, now: datetime) -> bytes:
    """What is signed of a turn of a manual clock. Raises ValueError if a line would hold a line feed."""
    return _join(CLOCK, key, stream, _microseconds(now))


def _microseconds(instant: datetime) -> str:
    return str((instant - _EPOCH) // _MICROSECOND)


def _join(*lines: str) -> bytes:
    if any("\n" in line for line in lines):
        message = "a line holds a line feed"
        raise ValueError(message)
    return "\n".join(lines).encode()
