"""Documents: their bytes, kept once under their digest, and the register of which are here and who looked.

The bytes lie in a folder or a bucket, the register in Postgres. What is registered, its bytes are durable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from domain.kernel.failure import Failure, FailureKind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime
    from pathlib import Path

CHUNK = 256 * 1024
"""Bytes that are read or sent at once."""


class DocumentsUnavailable(Failure):
    """The place that keeps the bytes does not answer, or has no room."""

    kind = FailureKind.UNAVAILABLE
    remedy_zh = "檢查 VENTURE_DOCUMENTS 所指之處（venture doctor），再試一次：不會存兩份"
    remedy_en = "Look at the place that VENTURE_DOCUMENTS names (venture doctor) and try again: nothing is kept twice"

    def __init__(self, why: str) -> None:
        super().__init__(f"文件庫不可用：{why}", f"the documents' store is not available: {why}", why=why)


class BytesMissing(Exception):
    """There are no bytes under that digest."""


class DocumentBytes(Protocol):
    """Where the bytes lie, each document once under its SHA-256 in hex. Raises DocumentsUnavailable."""

    async def keep(self, sha256: str, path: Path) -> None:
        """Keep the bytes of that file; durable when it returns. Those that are there already stay."""

    def read(self, sha256: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The bytes, part by part. Raises BytesMissing on entering where there are none."""

    async def destroy(self, sha256: str) -> None:
        """Destroy them, durably; where there are none that is as well."""


@dataclass(frozen=True, slots=True)
class Document:
    """One whose bytes are here."""

    sha256: str
    size: int
    media_type: str
    kept_at: datetime


@dataclass(frozen=True, slots=True)
class DocumentRead:
    """One reading of a document: who read which bytes, and when."""

    id: int
    sha256: str
    reader: str
    """``person:P-n`` or ``service:name``."""
    session: str
    stream: str
    """The file by which they might; empty if they had brought it themselves."""
    at: datetime


class DocumentRegister(Protocol):
    """Which documents are here. Raises StoreUnavailable."""

    async def keep(self, sha256: str, size: int, media_type: str, uploader: str, session: str) -> None:
        """Say that its bytes are durable, and who brought them; what was said before stays."""

    async def list_kept(self, digests: Collection[str]) -> Mapping[str, Document]:
        """Of those digests, the ones whose bytes are here."""

    async def page(self, after: str, limit: int) -> Sequence[Document]:
        """Documents in order of digest."""

    async def has_brought(self, sha256: str, uploader: str) -> bool:
        """Whether that one brought it."""

    async def note_read(self, sha256: str, reader: str, session: str, stream: str) -> None:
        """Record that somebody looks."""

    async def reads(self, after: int, limit: int, sha256: str | None = None) -> Sequence[DocumentRead]:
        """Who looked, oldest first; at that document, or at any."""

    def note_disposal(self, sha256: str, stream: str, who: str) -> AbstractAsyncContextManager[None]:
        """Say that the bytes are no longer here, by the disposal of that file: the block destroys them.

        Until it has ended whoever brings the same document waits; a block that fails has said nothing.
        """

    async def list_destroyed(self, stream: str) -> Mapping[str, datetime]:
        """The documents whose bytes were destroyed by the disposal of that file, and when."""

    async def since(self) -> int:
        """After which position of the log the wall clock takes no attachment without its bytes."""
