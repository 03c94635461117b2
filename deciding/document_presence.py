"""Whether the documents that a command attaches are here: on the wall clock nobody decides by a paper that is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.kernel.attachment import find_attachments
from domain.kernel.explanation import show
from domain.kernel.refusal import Unmet

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from store.port import EventStore

RULE = "DC01"


async def find_absent(store: EventStore, body: Mapping[str, Any], at_hand: Collection[str] = ()) -> tuple[Unmet, ...]:
    """Every attachment of which the bytes are neither here nor ``at_hand`` to be brought.

    Nothing of it is journalled: bring them, and ask again.
    """
    named = {one.sha256: one.name for one in find_attachments(body)}
    if not named:
        return ()
    kept = await store.documents.list_kept(named)
    there = {*kept, *at_hand}
    return tuple(_absent(sha256, name) for sha256, name in named.items() if sha256 not in there)


def _absent(sha256: str, name: str) -> Unmet:
    return Unmet.of(
        RULE,
        "附件 {name}（{sha256}…）的原件不在此處：先上傳，再以同一編號再問",
        "the bytes of the attachment {name} ({sha256}…) are not here: bring it, and ask again",
        name=show(name),
        sha256=sha256[:12],
    )
