"""Who else has what a Postgres committed: its standbys and its archive, as the application's role is shown them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncpg

LONGEST_SEGMENT_S: Final = 300
"""Seconds that a segment may stay open: so much is lost with the machine and every standby."""
OLDEST_ARCHIVE_S: Final = 600
"""Seconds since the last segment after which the archive stands still: followers write all the time."""
_QUORUM = re.compile(r"\s*(?:(?:ANY|FIRST)\s+)?(\d+)\s*\((.*)\)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Replication:
    """The standbys of a server."""

    is_standby: bool
    """Whether it is one itself: it takes no append then."""
    names: str
    """``synchronous_standby_names`` as set; empty where a commit waits for nobody."""
    attached: tuple[str, ...]
    """The names of those that are attached, as far as they are shown."""
    confirming: int | None
    """How many stream and confirm commits; None where this role is not shown it (``pg_monitor``)."""
    connections: int
    """How many are attached, shown or not."""
    own: str = ""
    """The name of this server (``cluster_name``), which is among those that are named where any may be primary."""

    @property
    def standbys(self) -> tuple[str, ...]:
        """The standbys that are to be there, by name; ``*`` names none."""
        quorum = _QUORUM.fullmatch(self.names)
        listed = quorum[2] if quorum else self.names
        names = (name.strip().strip('"') for name in listed.split(","))
        return tuple(name for name in names if name and name != "*")

    @property
    def needed(self) -> int:
        """How many must confirm before a commit is answered."""
        quorum = _QUORUM.fullmatch(self.names)
        return int(quorum[1]) if quorum else int(bool(self.names.strip()))

    @property
    def missing(self) -> tuple[str, ...]:
        """Those that are to be there and are not; none where names are not shown."""
        return () if self.confirming is None else tuple(sorted({*self.standbys} - {*self.attached, self.own}))

    @property
    def trouble(self) -> tuple[str, str] | None:
        """Why no commit would be answered here, in Chinese and English; None where one would be."""
        if self.is_standby:
            return "這是備庫，不受理命令", "this is a standby: it takes no command"
        there = self.connections if self.confirming is None else self.confirming
        if there < self.needed:
            return (
                f"沒有足夠的同步備庫確認（{there}/{self.needed}）",
                f"too few synchronous standbys confirm ({there} of {self.needed})",
            )
        return None


@dataclass(frozen=True, slots=True)
class Archive:
    """The archive of the write-ahead log."""

    is_on: bool
    is_failing: bool
    """Whether the last try failed."""
    age_s: float | None
    """Seconds since the last segment was archived: so much is lost with the machine and every standby. None: never."""
    every_s: int
    """``archive_timeout`` in seconds; 0 where a segment stays open until it is full."""

    @property
    def is_well(self) -> bool:
        """Whether no more would be lost than ``LONGEST_SEGMENT_S`` and what is under way."""
        is_bounded = 0 < self.every_s <= LONGEST_SEGMENT_S
        return self.is_on and not self.is_failing and is_bounded and (self.age_s or 0) <= OLDEST_ARCHIVE_S


def read_replication(row: asyncpg.Record) -> Replication:
    """The row of the statement ``replication``."""
    return Replication(
        is_standby=row["in_recovery"],
        names=row["names"],
        attached=tuple(sorted(row["standbys"] or ())),
        confirming=None if row["hidden"] else row["confirming"],
        connections=row["attached"],
        own=row["own"],
    )


def read_archive(row: asyncpg.Record) -> Archive:
    """The row of the statement ``archive``."""
    return Archive(
        is_on=row["mode"] in {"on", "always"},
        is_failing=row["failing"],
        age_s=row["age_s"],
        every_s=row["every_s"],
    )
