"""銷毀清冊: which originals go with a file that two persons have disposed of, which stay, and their destruction.

What may be destroyed follows from the log alone: a document that every file naming it has disposed of since.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from deciding.fold import fold
from domain.kernel.attachment import find_attachments
from domain.kernel.failure import Failure, FailureKind
from domain.project.disposal import FileDisposed, Keeping
from domain.registers.accountability import CaseStage
from store.port import EntryKind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    from application.documents import Documents
    from domain.kernel.identity import Attachment, StreamId
    from store.port import Entry, EventStore

PAGE: Final = 1000
_DISPOSED: Final = FileDisposed.event_type


class DisposalRefused(Failure):
    """Nothing of the file may be destroyed now."""

    kind = FailureKind.REFUSED


@dataclass
class NamedDocuments:
    """Every document that the log names: by which files, and whether they have disposed of it since."""

    _named: dict[bytes, dict[StreamId, int]] = field(default_factory=dict)
    """By digest the version at which each file named it last."""
    _disposed: dict[StreamId, int] = field(default_factory=dict)
    """The version at which each file was disposed of last."""

    def take(self, entry: Entry) -> Sequence[Attachment]:
        """Note what that entry names, or disposes of; what it names."""
        if entry.kind is not EntryKind.EVENT:
            return ()
        if entry.type == _DISPOSED:
            self._disposed[entry.stream] = entry.version
        if b'"sha256"' not in entry.data:
            return ()
        try:
            named = tuple(find_attachments(json.loads(entry.data)))
        except ValueError:  # verification tells of it
            return ()
        for one in named:
            self._named.setdefault(bytes.fromhex(one.sha256), {})[entry.stream] = entry.version
        return named

    def is_disposed(self, sha256: str) -> bool:
        """Whether files named it, and each was disposed of afterwards."""
        return bytes.fromhex(sha256) in self._named and not self.keepers(sha256)

    def keepers(self, sha256: str) -> Sequence[StreamId]:
        """The files for which it is to be kept."""
        named = self._named.get(bytes.fromhex(sha256), {})
        return sorted(stream for stream, version in named.items() if version > self._disposed.get(stream, 0))


@dataclass(frozen=True)
class DisposalLine:
    """One document of a file that was disposed of."""

    attachment: Attachment
    keepers: Sequence[StreamId]
    """Files that need it yet: while there is one, it stays."""
    destroyed_at: datetime | None
    is_here: bool

    def as_json(self) -> dict[str, Any]:
        """For a machine."""
        return {
            "sha256": self.attachment.sha256,
            "name": self.attachment.name,
            "media_type": self.attachment.media_type,
            "kept_for": list(self.keepers),
            "destroyed_at": self.destroyed_at.isoformat() if self.destroyed_at else None,
            "here": self.is_here,
        }


async def list_disposal(store: EventStore, stream: StreamId) -> list[DisposalLine]:
    """What the disposal of that file is about, document by document. Raises DisposalRefused, StoreUnavailable.

    It walks the whole log, for any file may name the same document.
    """
    entries = [entry async for entry in store.read(stream)]
    last = max((entry.version for entry in entries if entry.type == _DISPOSED), default=0)
    if not last:
        raise DisposalRefused(
            f"{stream} 未經兩人決定銷毀（DisposeFile）", f"{stream} was not disposed of by two persons (DisposeFile)"
        )
    named = NamedDocuments()
    async for entry in _walk(store):
        named.take(entry)
    own = NamedDocuments()
    attachments = {one.sha256: one for entry in entries if entry.version < last for one in own.take(entry)}
    destroyed, kept = await store.documents.disposed(stream), await store.documents.kept(attachments)
    return [
        DisposalLine(one, named.keepers(digest), destroyed.get(digest), digest in kept)
        for digest, one in sorted(attachments.items(), key=lambda pair: pair[1].name)
    ]


async def require_unheld(store: EventStore, stream: StreamId) -> None:
    """Raise DisposalRefused where the file is held, or an accountability case about it is open."""
    keeping = fold(stream, [entry async for entry in store.read(stream)]).part(Keeping)
    if keeping.held is not None:
        raise DisposalRefused(f"{stream} 因{keeping.held.zh}留存", f"{stream} is held ({keeping.held.en})")
    cases = store.standings(kind="case", realm=stream.realm, stage=CaseStage.OPEN)
    about = [case.stream async for case in cases if json.loads(case.summary).get("project") == stream.name]
    if about:
        names = ", ".join(about)
        raise DisposalRefused(f"{stream} 涉及未決的問責案件 {names}", f"open cases are about {stream}: {names}")


async def destroy(documents: Documents, stream: StreamId, who: str) -> list[DisposalLine]:
    """Destroy what may be; how each document stands then. Broken off, it can be done again. Raises DisposalRefused."""
    await require_unheld(documents.store, stream)
    for line in await list_disposal(documents.store, stream):
        if not line.keepers:
            async with documents.store.documents.disposing(line.attachment.sha256, stream, who):
                await documents.content.destroy(line.attachment.sha256)
    return await list_disposal(documents.store, stream)


async def _walk(store: EventStore) -> AsyncIterator[Entry]:
    reached = 0
    while page := await store.feed(reached, PAGE):
        for entry in page:
            yield entry
        reached = page[-1].position
