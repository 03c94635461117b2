"""Documents through any door: taken in when whole and harmless, given out to who may see a file that names them."""

from __future__ import annotations

import asyncio
import json
import tempfile
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from application.access import find_access
from application.document_content import MOST_BYTES, DocumentRefused, check_content, name_type, too_large
from deciding.fold import fold
from domain.catalogue import AGGREGATES
from domain.kernel.attachment import find_attachments
from domain.kernel.failure import Failure, FailureKind
from domain.kernel.identifier import StreamId
from store.documents import CHUNK, BytesMissing, DocumentsUnavailable
from store.port import EntryKind

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping, Sequence
    from typing import IO

    from domain.kernel.attachment import Attachment
    from store.documents import Document, DocumentBytes
    from store.identity import Seats
    from store.port import Entry, EventStore

PAGE: Final = 500


class NoSuchDocument(Failure):
    """There is none under that digest, or the reader may see no file that names it: answered alike."""

    kind = FailureKind.NOT_FOUND

    def __init__(self, digest: str) -> None:
        super().__init__(
            f"未找到文件 {digest[:12]}…；請以 stream 指明在何卷宗見到它",
            f"no document {digest[:12]}…; say by «stream» in which file you saw it",
        )


class BytesAltered(Failure):
    """The bytes under that digest are gone, or others."""

    kind = FailureKind.INTEGRITY

    def __init__(self, digest: str, actual: str) -> None:
        super().__init__(f"文件 {digest} 的原件不符：{actual}", f"the bytes of {digest} do not agree: {actual}")


class Bearer(Protocol):
    """Who brings or reads a document."""

    @property
    def name(self) -> str:
        """``person:P-n`` or ``service:name``."""

    @property
    def session(self) -> str:
        """The session or the key by which they came in."""


@dataclass(frozen=True)
class Console:
    """Whoever sits at the command line of this machine."""

    name: str
    session: str = "cli"


@dataclass(frozen=True)
class Documents:
    """The bytes and the register together."""

    store: EventStore
    content: DocumentBytes
    spool: Path
    """Where what comes in is written until it is known to be whole: on a disk of this machine."""

    async def take(
        self, parts: AsyncIterable[bytes], declared: str, bearer: Bearer, *, expected: str | None = None
    ) -> Document:
        """Take a document in. Raises DocumentRefused, DocumentsUnavailable, or StoreUnavailable.

        ``expected`` is the digest that its sender has made: another one means that it changed on the way. Asked again
        it comes to the same, whoever brought it first.
        """
        with _open_spool(self.spool) as file:
            digest = await _write(parts, file)
            if expected is not None and expected != digest:
                raise DocumentRefused(
                    f"收到的內容摘要是 {digest}，不是所稱的 {expected[:64]}：請重傳",
                    f"what came has the digest {digest}, not {expected[:64]}: send it again",
                )
            return await self._keep(Path(file.name), digest, declared, bearer)

    async def take_file(self, path: Path, bearer: Bearer, *, expected: str | None = None) -> Document:
        """Take a file of this machine in, of the type that its name says. Raises as ``take``, or OSError."""

        async def parts() -> AsyncIterator[bytes]:
            with path.open("rb") as file:
                while part := await asyncio.to_thread(file.read, CHUNK):
                    yield part

        return await self.take(parts(), name_type(path.name), bearer, expected=expected)

    async def take_files(self, files: Mapping[str, Path], bearer: Bearer) -> None:
        """Take in those files of this machine, by their digests, of which the bytes are not here yet. Raises alike."""
        kept = await self.store.documents.list_kept(files)
        for digest, path in files.items():
            if digest not in kept:
                await self.take_file(path, bearer, expected=digest)

    async def look(self, digest: str, bearer: Bearer, stream: str = "") -> Document:
        """The document, for whoever may see everything; that they look is recorded. Raises NoSuchDocument."""
        document = (await self.store.documents.list_kept([digest])).get(digest)
        if document is None:
            raise NoSuchDocument(digest)
        await self.store.documents.note_read(digest, bearer.name, bearer.session, stream)
        return document

    async def _keep(self, path: Path, digest: str, declared: str, bearer: Bearer) -> Document:
        media_type, size = await asyncio.to_thread(check_content, path, declared)
        await self.content.keep(digest, path)
        await self.store.documents.keep(digest, size, media_type, bearer.name, bearer.session)
        await self.content.keep(digest, path)  # had they been destroyed between: what is registered is here
        return (await self.store.documents.list_kept([digest]))[digest]

    async def find(self, digest: str, bearer: Bearer, grants: Seats, stream: str | None) -> Document:
        """The document, its reading recorded. Raises NoSuchDocument: alike if there is none, and if none is seen."""
        document = (await self.store.documents.list_kept([digest])).get(digest)
        if document is None:
            raise NoSuchDocument(digest)
        by = ""
        if stream is not None:
            by = await self._require_named(digest, grants, stream)
        elif not await self.store.documents.has_brought(digest, bearer.name):
            raise NoSuchDocument(digest)
        await self.store.documents.note_read(digest, bearer.name, bearer.session, by)
        return document

    async def _require_named(self, digest: str, grants: Seats, text: str) -> StreamId:
        """The stream of that id, if it names the document and may be seen."""
        try:
            stream = StreamId(text)
        except ValueError:
            raise NoSuchDocument(digest) from None
        entries = [entry async for entry in self.store.read(stream)] if stream.kind in AGGREGATES else []
        access = await find_access(self.store, grants, fold(stream, entries)) if entries else None
        if access is None:
            raise NoSuchDocument(digest)
        seen = [entry for entry in entries if access.may_show(entry.type)]
        if digest not in {one.sha256 for one in list_attachments(seen)}:
            raise NoSuchDocument(digest)
        return stream

    @asynccontextmanager
    async def read(self, document: Document) -> AsyncIterator[AsyncIterator[bytes]]:
        """Its bytes, checked as they go: what is not whole breaks off before its end. Raises BytesAltered."""
        try:
            async with self.content.read(document.sha256) as parts:
                yield _check_parts(document, parts)
        except BytesMissing:
            raise BytesAltered(document.sha256, "∅") from None

    async def check(self, document: Document) -> str:
        """What is wrong with its bytes; empty if nothing is. Raises DocumentsUnavailable."""
        digest, size = sha256(), 0
        try:
            async with self.content.read(document.sha256) as parts:
                async for part in parts:
                    digest.update(part)
                    size += len(part)
        except BytesMissing:
            return "∅"
        return "" if digest.hexdigest() == document.sha256 else f"{digest.hexdigest()} ({size} B)"

    async def check_all(self) -> AsyncIterator[tuple[Document, str]]:
        """Every document that the register has, with what is wrong with its bytes."""
        after = ""
        while page := await self.store.documents.page(after, PAGE):
            for document in page:
                yield document, await self.check(document)
            after = page[-1].sha256


def list_attachments(entries: Iterable[Entry]) -> Sequence[Attachment]:
    """The attachments of those events, each once, in order."""
    events = (json.loads(entry.data) for entry in entries if entry.kind is EntryKind.EVENT)
    return tuple(dict.fromkeys(one for data in events for one in find_attachments(data)))


async def _check_parts(document: Document, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The parts, the last held back until the digest is known to agree."""
    digest, held = sha256(), b""
    async for part in parts:
        digest.update(part)
        if held:
            yield held
        held = part
    if digest.hexdigest() != document.sha256:
        raise BytesAltered(document.sha256, digest.hexdigest())
    yield held


@contextmanager
def _open_spool(folder: Path) -> Iterator[IO[bytes]]:
    """A file that is gone afterwards. Raises DocumentsUnavailable where there is no room for it."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix="incoming-") as file:
            yield file
    except OSError as wrong:
        raise DocumentsUnavailable(f"{folder}: {wrong.strerror}") from wrong


async def _write(parts: AsyncIterable[bytes], file: IO[bytes]) -> str:
    """Write what comes, at most MOST_BYTES; its digest. Raises DocumentRefused."""
    digest, size = sha256(), 0
    async for part in parts:
        size += len(part)
        if size > MOST_BYTES:
            raise too_large()
        digest.update(part)
        await asyncio.to_thread(file.write, part)
    await asyncio.to_thread(file.flush)
    return digest.hexdigest()
