"""Realms by name: which there are, and a new one only when somebody asks for it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from domain.kernel.clock import Clock
from domain.kernel.explanation import show
from domain.kernel.failure import Failure, FailureKind
from domain.kernel.identifier import LIVE

if TYPE_CHECKING:
    from application.door import Door
    from store.port import EventStore


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


class RealmMisnamed(Failure):
    """No realm can bear that name."""

    kind = FailureKind.USAGE

    def __init__(self, realm: str) -> None:
        super().__init__(
            f"環境 {show(realm)}：只用字母、數字與 . _ -", f"the environment {show(realm)}: letters, figures and . _ -"
        )


class NoSuchRealm(Failure):
    """Nothing was ever recorded in that realm, and nobody has opened it."""

    kind = FailureKind.NOT_FOUND

    def __init__(self, realm: str) -> None:
        super().__init__(f"沒有環境 {realm}", f"there is no environment {realm}", realm=realm)
        self.remedy_zh = f"核對名稱；確要新開，用 venture realm open {realm}"
        self.remedy_en = f"Look at its name again; to make it, venture realm open {realm}"


class RealmExists(Failure):
    """A realm of that name lives on the wall clock: it cannot be opened as a new one."""

    kind = FailureKind.CONFLICT

    def __init__(self, realm: str) -> None:
        super().__init__(
            f"環境 {realm} 已有，用實時鐘", f"the environment {realm} is there, on the wall clock", realm=realm
        )


async def is_realm(store: EventStore, realm: str) -> bool:
    """Whether it was opened, or something is recorded in it; the live one is always there."""
    if realm == LIVE or (await store.realm(realm)).clock is Clock.MANUAL:
        return True
    return await anext(store.standings(realm=realm), None) is not None


async def require_realm(store: EventStore, realm: str | None) -> None:
    """Raise NoSuchRealm if one is named that is not there: a mistyped name makes no world."""
    if realm is not None and not await is_realm(store, realm):
        raise NoSuchRealm(realm)


async def open_realm(store: EventStore, door: Door, realm: str) -> bool:
    """Open a realm on a manual clock of its own, for papers of years past or for trying things; whether it is new.

    Raises RealmMisnamed, and RealmExists if it lives on the wall clock.
    """
    if not _NAME.fullmatch(realm):
        raise RealmMisnamed(realm)
    if await is_realm(store, realm):
        if (await store.realm(realm)).clock is Clock.WALL:
            raise RealmExists(realm)
        return False
    return await door.open_realm(realm) is Clock.MANUAL
