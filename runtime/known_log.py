"""Which log is behind this machine's doors: kept in the state folder, so that no process takes another for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bootstrap
from domain.kernel.failure import Failure, FailureKind
from store.port import StoreUnavailable

if TYPE_CHECKING:
    from pathlib import Path

    from bootstrap import Settings
    from store.port import EventStore

FILE = "log.genesis"
"""Holds the chain hash of the log's first entry, in hex."""


class AnotherLog(Failure):
    """The database holds another log than the one that this installation's doors have asked before."""

    kind = FailureKind.CONFLICT

    def __init__(self, path: Path, genesis: str) -> None:
        theirs = f"{genesis[:16]}…" if genesis else "∅"
        super().__init__(
            f"庫中的日誌（{theirs}）不是本入口所知的那一個（{path}），什麼也沒有送出",
            f"the database's log ({theirs}) is not the one that this door has known ({path}); nothing was sent",
            genesis=genesis,
        )
        self.remedy_zh = f"恢復原來的資料庫；確要改用這一個，刪去 {path}"
        self.remedy_en = f"Restore the database that it was; if this one is meant from now on, remove {path}"


async def know_log(settings: Settings, store: EventStore) -> str:
    """Which log the embedded database holds, in hex; empty before its first entry. The first time it is kept.

    Raises AnotherLog. A store that does not answer is taken for the one that was known: it says so when it is asked.
    """
    path = settings.home / FILE
    known = path.read_text(encoding="utf-8", errors="replace").strip() if path.exists() else ""
    try:
        genesis = (await store.genesis() or b"").hex()
    except StoreUnavailable:
        return known
    if genesis and not known:
        known = bootstrap.load_secret(path, genesis, shortest=len(genesis)).strip()
    if known != genesis:
        raise AnotherLog(path, genesis)
    return genesis
