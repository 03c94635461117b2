"""The attachments that the log names beside the bytes that are kept: which are missing, which altered."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from audit.finding import NOTHING, Finding, FindingKind
from domain.kernel.attachment import find_attachments
from domain.kernel.clock import Clock
from store.port import EntryKind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from application.documents import Documents
    from audit.realms import Realms
    from domain.kernel.identity import StreamId
    from store.port import Entry, EventStore


@dataclass
class AttachmentCheck:
    """Every attachment of the log: by digest and realm the newest event that names it."""

    deferred: int = 0
    """How many documents that papers name have no bytes here, as papers may."""
    kept: int = 0
    """How many documents have theirs."""
    _named: dict[tuple[bytes, str], tuple[int, StreamId]] = field(default_factory=dict)

    def take(self, entry: Entry) -> None:
        """Note what that entry names."""
        if entry.kind is not EntryKind.EVENT or b'"sha256"' not in entry.data:
            return
        try:
            data = json.loads(entry.data)
        except ValueError:  # a finding of its own
            return
        for one in find_attachments(data):
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
            if fault:
                position, stream = places.get(document.sha256, (None, None))
                yield Finding(FindingKind.DOCUMENT, document.sha256, fault, position, stream, "bytes")
        self.kept = len(kept)
        absent = {key: place for key, place in self._named.items() if key[0] not in kept}
        self.deferred = 0
        for (digest, realm), (position, stream) in absent.items():
            is_live = realms.clock(realm) is Clock.WALL and position > realms.trace(realm).turned
            if is_live and position > since:
                yield Finding(FindingKind.DOCUMENT, digest.hex(), NOTHING, position, stream, "register")
            else:
                self.deferred += 1
