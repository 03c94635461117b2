"""銷毀清冊: which originals go with a file that two persons have disposed of, which stay, and their destruction.

What may be destroyed follows from the log alone: a document that every file naming it has disposed of since.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from deciding.fold import load_state
from domain.kernel.attachment import find_attachments
from domain.kernel.failure import Failure, FailureKind
from domain.kernel.summary import Summary
from domain.project.disposal import FileDisposed, Keeping
from domain.registers.accountability import CaseStage
from store.port import EntryKind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from application.documents import Documents
    from domain.kernel.attachment import Attachment
    from domain.kernel.identifier import StreamId
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
        """As JSON: ``destroyed_at`` in UTC by ISO 8601, null where the bytes were not destroyed."""
        return {
            "sha256": self.attachment.sha256,
            "name": self.attachment.name,
            "media_type": self.attachment.media_type,
            "kept_for": list(self.keepers),
            "destroyed_at": self.destroyed_at.isoformat() if self.destroyed_at else None,
            "here": self.is_here,
        }


@dataclass(frozen=True)
class DisposalPlan:
    """The documents of a file that was disposed of, by name, each with the files for which it is to be kept."""

    stream: StreamId
    documents: Sequence[tuple[Attachment, Sequence[StreamId]]]


async def plan_disposal(store: EventStore, stream: StreamId) -> DisposalPlan:
    """What the disposal of that file is about. Raises DisposalRefused, StoreUnavailable.

    It walks the whole log, for any file may name the same document.
    """
    entries = [entry async for entry in store.read(stream)]
    last = max((entry.version for entry in entries if entry.type == _DISPOSED), default=0)
    if not last:
        raise DisposalRefused(
            f"{stream} 未經兩人決定銷毀（DisposeFile）", f"{stream} was not disposed of by two persons (DisposeFile)"
        )
    named, own, reached = NamedDocuments(), NamedDocuments(), 0
    while page := await store.feed(reached, PAGE):
        for entry in page:
            named.take(entry)
        reached = page[-1].position
    attachments = {one.sha256: one for entry in entries if entry.version < last for one in own.take(entry)}
    by_name = sorted(attachments.values(), key=lambda one: one.name)
    return DisposalPlan(stream, [(one, named.keepers(one.sha256)) for one in by_name])


async def list_disposal_lines(store: EventStore, plan: DisposalPlan) -> list[DisposalLine]:
    """How each document stands. Raises StoreUnavailable."""
    digests = {one.sha256 for one, _ in plan.documents}
    destroyed, kept = await store.documents.list_destroyed(plan.stream), await store.documents.list_kept(digests)
    return [
        DisposalLine(one, keepers, destroyed.get(one.sha256), one.sha256 in kept) for one, keepers in plan.documents
    ]


async def list_disposal(store: EventStore, stream: StreamId) -> list[DisposalLine]:
    """The list of a disposal, document by document. Raises as ``plan_disposal``."""
    return await list_disposal_lines(store, await plan_disposal(store, stream))


async def require_unheld(store: EventStore, stream: StreamId) -> None:
    """Raise DisposalRefused where the file is held, or an accountability case about it is open."""
    keeping = (await load_state(store, stream)).part(Keeping)
    if keeping.held is not None:
        raise DisposalRefused(f"{stream} 因{keeping.held.zh}留存", f"{stream} is held ({keeping.held.en})")
    cases = store.standings(kind="case", realm=stream.realm, stage=CaseStage.OPEN)
    projects = {case.stream: Summary.read(case.summary).particulars.get("project") async for case in cases}
    about = [case for case, project in projects.items() if project == stream.name]
    if about:
        names = ", ".join(about)
        raise DisposalRefused(f"{stream} 涉及未決的問責案件 {names}", f"open cases are about {stream}: {names}")


async def destroy(documents: Documents, plan: DisposalPlan, who: str) -> list[DisposalLine]:
    """Destroy what may be; how each document stands then. Broken off, it can be done again. Raises DisposalRefused."""
    await require_unheld(documents.store, plan.stream)
    for one, keepers in plan.documents:
        if not keepers:
            async with documents.store.documents.note_disposal(one.sha256, plan.stream, who):
                await documents.content.destroy(one.sha256)
    return await list_disposal_lines(documents.store, plan)
