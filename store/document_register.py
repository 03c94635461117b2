"""The register of documents in Postgres, and the one in memory that stands in for it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from store.documents import Document, DocumentRead
from store.sql import DOCUMENTS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    import asyncpg


@dataclass(frozen=True)
class PostgresDocuments:
    """The tables over the store's own pool."""

    pool: asyncpg.Pool[Any]
    errors: Callable[[], AbstractAsyncContextManager[None]]
    """Says StoreUnavailable wherever the server did not answer."""

    async def keep(self, sha256: str, size: int, media_type: str, uploader: str, session: str) -> None:
        """Say that its bytes are durable. See the port."""
        async with self.errors():
            await self.pool.execute(DOCUMENTS["keep"], sha256, size, media_type, uploader, session)

    async def list_kept(self, digests: Collection[str]) -> Mapping[str, Document]:
        """Of those digests, the ones whose bytes are here."""
        async with self.errors():
            rows = await self.pool.fetch(DOCUMENTS["kept"], list(digests))
        return {row["sha256"]: Document(*row.values()) for row in rows}

    async def page(self, after: str, limit: int) -> Sequence[Document]:
        """Documents in order of digest."""
        async with self.errors():
            return [Document(*row.values()) for row in await self.pool.fetch(DOCUMENTS["page"], after, limit)]

    async def has_brought(self, sha256: str, uploader: str) -> bool:
        """Whether that one brought it."""
        async with self.errors():
            return bool(await self.pool.fetchval(DOCUMENTS["has_brought"], sha256, uploader))

    async def note_read(self, sha256: str, reader: str, session: str, stream: str) -> None:
        """Record that somebody looks."""
        async with self.errors():
            await self.pool.execute(DOCUMENTS["note_read"], sha256, reader, session, stream)

    async def reads(self, after: int, limit: int, sha256: str | None = None) -> Sequence[DocumentRead]:
        """Who looked, oldest first."""
        async with self.errors():
            rows = await self.pool.fetch(DOCUMENTS["reads"], after, sha256, limit)
        return [DocumentRead(*row.values()) for row in rows]

    @asynccontextmanager
    async def note_disposal(self, sha256: str, stream: str, who: str) -> AsyncIterator[None]:
        """Say that the bytes are no longer here. See the port."""
        async with self.errors(), self.pool.acquire() as connection, connection.transaction():
            await connection.execute(DOCUMENTS["dispose"], sha256, stream, who)
            yield

    async def list_destroyed(self, stream: str) -> Mapping[str, datetime]:
        """What was destroyed by the disposal of that file, and when."""
        async with self.errors():
            rows = await self.pool.fetch(DOCUMENTS["disposed"], stream)
        return {row["sha256"]: row["at"] for row in rows}

    async def since(self) -> int:
        """After which position the wall clock takes no attachment without its bytes."""
        async with self.errors():
            return int(await self.pool.fetchval(DOCUMENTS["since"]))


@dataclass
class MemoryDocuments:
    """The register of documents, in memory."""

    documents: dict[str, Document] = field(default_factory=dict)
    uploads: set[tuple[str, str]] = field(default_factory=set)
    looks: list[DocumentRead] = field(default_factory=list)
    disposals: dict[tuple[str, str], datetime] = field(default_factory=dict)
    """By file and digest."""

    async def keep(self, sha256: str, size: int, media_type: str, uploader: str, session: str) -> None:  # noqa: ARG002 - the port's
        """Say that its bytes are durable. See the port."""
        self.documents.setdefault(sha256, Document(sha256, size, media_type, datetime.now(UTC)))
        self.uploads.add((sha256, uploader))

    async def list_kept(self, digests: Collection[str]) -> Mapping[str, Document]:
        """Of those digests, the ones whose bytes are here."""
        return {digest: self.documents[digest] for digest in sorted(digests) if digest in self.documents}

    async def page(self, after: str, limit: int) -> Sequence[Document]:
        """Documents in order of digest."""
        return [self.documents[digest] for digest in sorted(self.documents) if digest > after][:limit]

    async def has_brought(self, sha256: str, uploader: str) -> bool:
        """Whether that one brought it."""
        return (sha256, uploader) in self.uploads

    async def note_read(self, sha256: str, reader: str, session: str, stream: str) -> None:
        """Record that somebody looks."""
        self.looks.append(DocumentRead(len(self.looks) + 1, sha256, reader, session, stream, datetime.now(UTC)))

    async def reads(self, after: int, limit: int, sha256: str | None = None) -> Sequence[DocumentRead]:
        """Who looked, oldest first."""
        return [look for look in self.looks if look.id > after and sha256 in (None, look.sha256)][:limit]

    @asynccontextmanager
    async def note_disposal(self, sha256: str, stream: str, who: str) -> AsyncIterator[None]:  # noqa: ARG002 - the port's
        """Say that the bytes are no longer here. See the port."""
        yield
        if self.documents.pop(sha256, None) is not None:
            self.disposals[stream, sha256] = datetime.now(UTC)

    async def list_destroyed(self, stream: str) -> Mapping[str, datetime]:
        """What was destroyed by the disposal of that file, and when."""
        return {digest: at for (of, digest), at in self.disposals.items() if of == stream}

    async def since(self) -> int:
        """0: documents are registered from the first entry on."""
        return 0
