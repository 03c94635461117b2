"""The documents of an installation: where the settings say that they are kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from application.documents import Documents
from store.document_folder import DocumentFolder

if TYPE_CHECKING:
    from bootstrap import Settings
    from store.documents import DocumentBytes
    from store.port import EventStore


def open_documents(settings: Settings, store: EventStore) -> Documents:
    """Those documents. Nothing is asked of the place before the first of them."""
    return Documents(store, _find_place(settings), settings.home / "incoming")


def _find_place(settings: Settings) -> DocumentBytes:
    place = settings.documents or str(settings.home / "documents")
    if place.startswith("/"):
        return DocumentFolder(Path(place))
    from store.document_bucket import BucketKey, DocumentBucket

    pair = settings.documents_key.get_secret_value() if settings.documents_key else ""
    name, _, secret = pair.partition(":")
    return DocumentBucket(place, BucketKey(name, secret, settings.documents_region))
