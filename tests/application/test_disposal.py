"""What is destroyed with a file, and what stays: the originals that another file names, and the log, always."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from application.disposal import DisposalLine, DisposalRefused, NamedDocuments, destroy, list_disposal, plan_disposal
from application.documents import Documents
from audit.verification import verify
from cli.scenario import list_shipped, plan_scenario
from domain.kernel.identifier import StreamId
from domain.project.disposal import FileDisposed
from scenarios.play import play
from store.document_folder import DocumentFolder
from store.memory import MemoryStore
from tests.paper import open_paper_door

if TYPE_CHECKING:
    from pathlib import Path

SHARED = "b16c00eb162c09b8163e8955b230c0b3c521ab13c10b7a7037d689120809e9ac"
"""The index that both files of S21 name."""


async def _played() -> tuple[MemoryStore, StreamId, StreamId]:
    """S21, and its two files."""
    store = MemoryStore()
    (path,) = [path for path in list_shipped() if path.stem == "s21-disposed"]
    (plan,) = plan_scenario([path])
    assert (await play(plan, open_paper_door(store), store)).ok
    store.documents.documents.clear()  # of the papers of the door's key, whose bytes are nowhere
    return store, StreamId.of("project", plan.realm, "AP-211"), StreamId.of("project", plan.realm, "AP-212")


async def _line(store: MemoryStore, file: StreamId) -> DisposalLine:
    """How the index of that file stands on the list of its disposal."""
    return next(line for line in await list_disposal(store, file) if line.attachment.sha256 == SHARED)


async def _keep(store: MemoryStore, folder: Path, digest: str) -> Documents:
    """Its bytes, as they lie here."""
    (folder / "original").write_bytes(b"%PDF-1.7 index")
    documents = Documents(store, DocumentFolder(folder / "documents"), folder / "incoming")
    await documents.content.keep(digest, folder / "original")
    await store.documents.keep(digest, 14, "application/pdf", "person:P-1", "cli")
    return documents


async def _destroy(documents: Documents, file: StreamId) -> list[DisposalLine]:
    """What may be destroyed of that file is; as the command does it."""
    return await destroy(documents, await plan_disposal(documents.store, file), "person:P-1")


async def test_what_another_file_names_stays_until_that_is_disposed_of_too() -> None:
    store, first, second = await _played()
    named, seen = NamedDocuments(), []
    for entry in await store.feed(0, 1000):
        named.take(entry)
        if entry.type == FileDisposed.event_type:
            seen.append((entry.stream, named.is_disposed(SHARED), named.keepers(SHARED)))
    assert seen == [(first, False, [second]), (second, True, [])]


async def test_the_originals_are_gone_the_list_stays_and_verification_tells_them_from_what_is_missing(
    tmp_path: Path,
) -> None:
    store, first, _ = await _played()
    documents = await _keep(store, tmp_path, SHARED)
    before = await _line(store, first)
    assert (before.is_here, before.destroyed_at, before.keepers) == (True, None, [])
    position = await store.last_position()
    lines = await _destroy(documents, first)
    after = await _line(store, first)
    assert (after.is_here, after.destroyed_at is not None) == (False, True)
    assert not list((tmp_path / "documents").rglob(SHARED))
    assert await store.last_position() == position, "the log is as it was"
    verification = await verify(store, documents=documents)
    assert (verification.findings, verification.documents, verification.deferred) == ((), 0, 0)
    assert verification.disposed > 0
    assert await _destroy(documents, first) == lines, "twice does no harm"


async def test_what_was_destroyed_and_is_brought_again_is_kept_again(tmp_path: Path) -> None:
    store, first, _ = await _played()
    documents = await _keep(store, tmp_path, SHARED)
    await _destroy(documents, first)
    await _keep(store, tmp_path, SHARED)
    assert (await _line(store, first)).is_here


async def test_bytes_that_are_gone_without_a_disposal_are_missing(tmp_path: Path) -> None:
    store, _, _ = await _played()
    other = sha256(b"%PDF-1.7 other").hexdigest()
    documents = await _keep(store, tmp_path, other)
    await documents.content.destroy(other)
    (finding,) = (await verify(store, documents=documents)).findings
    assert finding.expected == other


async def test_of_a_file_that_two_persons_have_not_disposed_of_nothing_is_destroyed(tmp_path: Path) -> None:
    store, first, _ = await _played()
    documents = await _keep(store, tmp_path, SHARED)
    stranger = first.sibling("organisation", "ORG-T211")
    with pytest.raises(DisposalRefused):
        await _destroy(documents, stranger)
    assert (await store.documents.list_kept([SHARED])).keys() == {SHARED}
