"""The attachments that the log names beside the bytes that are kept: which are missing, which altered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from application.disposal import NamedDocuments
from audit.finding import NOTHING, Finding, FindingKind
from domain.kernel.clock import Clock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from application.documents import Documents
    from audit.realms import Realms
    from domain.kernel.identifier import StreamId
    from store.port import Entry, EventStore


@dataclass
class AttachmentCheck:
    """Every attachment of the log: by digest and realm the newest event that names it."""

    deferred: int = 0
    """How many documents that papers name have no bytes here, as papers may."""
    kept: int = 0
    """How many documents have theirs."""
    disposed: int = 0
    """How many documents were destroyed as their files were disposed of by two persons."""
    _documents: NamedDocuments = field(default_factory=NamedDocuments)
    _named: dict[tuple[bytes, str], tuple[int, StreamId]] = field(default_factory=dict)

    def take(self, entry: Entry) -> None:
        """Note what that entry names."""
        for one in self._documents.take(entry):
            self._named[bytes.fromhex(one.sha256), entry.stream.realm] = (entry.position, entry.stream)

    async def compare(self, store: EventStore, documents: Documents, realms: Realms) -> AsyncIterator[Finding]:
        """What is missing of what the wall clock has taken in, and what is altered of all that is kept.

        Raises DocumentsUnavailable where the bytes cannot be read.
        """
        since = await store.documents.since()
        places = {digest.hex(): place for (digest, _), place in self._named.items()}
        kept: set[bytes] = set()
        async for document, fault in documents.check_all():
            kept.add(bytes.fromhex(document.sha256))
            if fault and not self._documents.is_disposed(document.sha256):
                position, stream = places.get(document.sha256, (None, None))
                yield Finding(FindingKind.DOCUMENT, document.sha256, fault, position, stream, "bytes")
        self.kept = len(kept)
        absent = {key: place for key, place in self._named.items() if key[0] not in kept}
        self.deferred = self.disposed = 0
        for (digest, realm), (position, stream) in absent.items():
            is_live = realms.clock(realm) is Clock.WALL and position > realms.trace(realm).turned
            if self._documents.is_disposed(digest.hex()):
                self.disposed += 1
            elif is_live and position > since:
                yield Finding(FindingKind.DOCUMENT, digest.hex(), NOTHING, position, stream, "register")
            else:
                self.deferred += 1
