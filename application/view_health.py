"""How the read side stands: each view with its version and how far it is behind the log, and building one anew."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from application.pages import LOOK_EVERY_S, help_keep
from domain.kernel.failure import Failure, FailureKind
from followers.views import ViewFollower
from views.catalogue import VIEWS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from store.port import EventStore
    from store.views import ViewHead


class NoSuchView(Failure):
    """No view bears that name."""

    kind = FailureKind.NOT_FOUND

    def __init__(self, name: str) -> None:
        known = " ".join(VIEWS)
        super().__init__(f"沒有視圖 {name}；有：{known}", f"there is no view {name}; there are: {known}", name=name)


@dataclass(frozen=True)
class ViewStanding:
    """One generation of a view."""

    head: ViewHead
    behind: int
    """Entries of the log that are not in it yet."""

    @property
    def is_built(self) -> bool:
        """Whether every stream has been seen to; otherwise it is being built."""
        return self.head.walked is None

    @property
    def reached_at(self) -> datetime | None:
        """When the last entry that is in it was recorded, UTC."""
        return self.head.reached_at

    def as_json(self) -> dict[str, Any]:
        """As JSON: ``behind`` in entries of the log; ``code_version`` is null for a view unknown to this code."""
        head = self.head
        return {
            "view": head.name,
            "generation": head.generation,
            "version": head.version,
            "code_version": VIEWS[head.name].version if head.name in VIEWS else None,
            "live": head.live,
            "built": self.is_built,
            "done": head.done,
            "total": head.total,
            "position": head.position,
            "behind": self.behind,
            "reached_at": head.reached_at.isoformat() if head.reached_at else None,
        }


async def list_views(store: EventStore) -> list[ViewStanding]:
    """Every view, the one that is read and one that is built beside it."""
    heads, last = await store.views.heads(), await store.last_position()
    return [ViewStanding(head, max(last - head.position, 0)) for head in heads]


def require_view(name: str) -> None:
    """Raise NoSuchView if there is no such view."""
    if name not in VIEWS:
        raise NoSuchView(name)


async def begin_rebuild(store: EventStore, name: str | None = None) -> Sequence[str]:
    """Have that view built anew beside the one that is read, or all of them; which are being built then.

    Whoever keeps the views builds it and switches; one that is being built already goes on. Raises NoSuchView.
    """
    if name is not None:
        require_view(name)
    names = [name] if name is not None else list(VIEWS)
    live = {head.name: head for head in await store.views.heads() if head.live}
    for one in names:
        position = live[one].position if one in live else await store.last_position()
        await store.views.begin(one, VIEWS[one].version, position)
    return names


async def watch_rebuild(store: EventStore, names: Sequence[str]) -> AsyncIterator[list[ViewStanding]]:
    """What of these is being built, again and again until nothing is; where nobody keeps the views, this does."""
    follower = ViewFollower(store)
    try:
        while building := [v for v in await list_views(store) if not v.head.live and v.head.name in names]:
            yield building
            if not await help_keep(follower):
                await asyncio.sleep(LOOK_EVERY_S)
    finally:
        await follower.release()
