"""What somebody has typed into a form and not sent yet: kept for themselves alone, so many, so large and so long.

It may hold personal data that no rule has looked at: nobody else reads it, nothing of it is in the log, and it is gone
once the command is given, when its owner deletes it, or when its time is over.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from domain.kernel.failure import Failure, FailureKind
from store.identity import Draft

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from domain.kernel.acting import PersonId
    from domain.kernel.identifier import Actor, StreamId
    from store.identity import IdentityStore

KEPT: Final = timedelta(days=30)
"""How long a draft is kept that somebody saved."""
HELD: Final = timedelta(days=1)
"""How long what was typed is held for whoever has to sign in again."""
MOST: Final = 20
"""Drafts that one person may save."""
MOST_HELD: Final = 5
"""Forms that are held for one person; the oldest give way."""
LARGEST: Final = 128 * 1024
"""Bytes of one."""


class DraftsFull(Failure):
    """So many drafts are kept for one person, and no more."""

    kind = FailureKind.CONFLICT
    remedy_zh = "刪去不再需要的草稿，再保存"
    remedy_en = "Delete drafts that are no longer needed, then save again"

    def __init__(self) -> None:
        super().__init__(f"每人至多保存 {MOST} 份草稿", f"at most {MOST} drafts are kept for one person", most=MOST)


class DraftTooLarge(Failure):
    """What was typed is more than a draft may hold."""

    kind = FailureKind.USAGE

    def __init__(self) -> None:
        most = LARGEST // 1024
        super().__init__(f"草稿不可超過 {most} kB", f"a draft may have at most {most} kB", most=most)


async def keep_draft(
    store: IdentityStore,
    draft_id: UUID,
    person: PersonId,
    command: str,
    stream: StreamId,
    seat: Actor,
    form: dict[str, Any],
    now: datetime,
    *,
    is_held: bool = False,
) -> Draft:
    """Keep what was typed, in the place of what was kept of that form. Raises DraftsFull, or DraftTooLarge."""
    await store.sweep_drafts(now)
    body = json.dumps(form, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    if len(body) > LARGEST:
        raise DraftTooLarge
    if not is_held:
        others = [one for one in await store.drafts(person, now, MOST + MOST_HELD) if one.id != draft_id]
        if sum(not one.is_held for one in others) >= MOST:
            raise DraftsFull
    lasting = HELD if is_held else KEPT
    draft = Draft(draft_id, person, command, stream, seat, body, is_held, now, now + lasting)
    if not await store.put_draft(draft):
        raise DraftsFull  # the id is that of another form: none of ours made it
    if is_held:
        await store.sweep_held(person, MOST_HELD)
    return draft


async def list_drafts(store: IdentityStore, person: PersonId, now: datetime) -> Sequence[Draft]:
    """That person's, the newest first."""
    return await store.drafts(person, now, MOST + MOST_HELD)


def read_form(draft: Draft) -> dict[str, Any]:
    """What was typed, by field."""
    form: dict[str, Any] = json.loads(draft.form)
    return form
