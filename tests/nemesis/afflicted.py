"""A worker whose store has an affliction; run as a program, it is the worker of ``worker.py`` but for that.

One affliction is a fault that the house must bear: *forgetful* commits and then says that it does not know. The others
are mutants, faults of the house itself, which the nemesis must notice.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import bootstrap
from running.office import opened
from running.serving import serving
from store.port import Append, Appended, Status, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from domain.kernel.identity import StreamId
    from store.port import EventStore, Loaded, Readings

OFTEN = 0.2
"""How often a forgetful store does not know what it did."""


class Sound:
    """The store as it is, for those below to spoil."""

    def __init__(self, store: EventStore, dice: random.Random) -> None:
        self.store = store
        self.dice = dice

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    async def append(self, append: Append) -> Appended:
        return await self.store.append(append)


class Forgetful(Sound):
    """Commits, and is told that it failed."""

    async def append(self, append: Append) -> Appended:
        appended = await self.store.append(append)
        if self.dice.random() < OFTEN:
            message = "committed, but told it failed"
            raise StoreUnavailable(message)
        return appended


class KeyPerAttempt(Forgetful):
    """A mutant: every attempt has a key of its own, so that none is known again."""

    async def append(self, append: Append) -> Appended:
        writes = tuple(replace(write, command_id=uuid4()) for write in append.writes)
        return await super().append(replace(append, writes=writes))


class AckBeforeCommit(Sound):
    """A mutant: says that it is done before it is, and then may not get to it."""

    def __init__(self, store: EventStore, dice: random.Random) -> None:
        super().__init__(store, dice)
        self._later: set[asyncio.Task[Appended]] = set()

    async def append(self, append: Append) -> Appended:
        async def at_leisure() -> Appended:
            await asyncio.sleep(self.dice.uniform(0, 0.3))
            return await self.store.append(append)

        task = asyncio.create_task(at_leisure())
        self._later.add(task)
        task.add_done_callback(self._later.discard)
        position = await self.store.last_position()
        return Appended(Status.APPENDED, position + 1, position + 1)


class JournalLost(Forgetful):
    """A mutant: the journal is kept, but an answer that is asked again is decided again under a new id."""

    async def load(self, stream: StreamId, command_id: UUID | None, after: int = 0) -> Loaded:
        return replace(await self.store.load(stream, command_id, after), journalled=None)

    async def consult(self, *asked: Any) -> tuple[Loaded, Readings]:
        loaded, readings = await self.store.consult(*asked)
        return replace(loaded, journalled=None), readings

    async def append(self, append: Append) -> Appended:
        appended = await super().append(append)
        if appended.status is Status.DUPLICATE:
            again = tuple(replace(write, command_id=uuid4()) for write in append.writes)
            return await super().append(replace(append, writes=again))
        return appended


AFFLICTIONS: dict[str, Callable[[EventStore, random.Random], Sound]] = {
    "none": Sound,
    "forgetful": Forgetful,
    "key-per-attempt": KeyPerAttempt,
    "ack-before-commit": AckBeforeCommit,
    "journal-lost": JournalLost,
}
MUTANTS = ("key-per-attempt", "ack-before-commit")


async def _serve() -> None:
    settings = bootstrap.settings()
    bootstrap.configure_logging(settings)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    dice = random.Random(os.environ["SEED"])  # noqa: S311 - which faults happen, no secret
    async with opened(settings, lambda _zh, _en: None, working=False) as office:
        store = AFFLICTIONS[os.environ["AFFLICTION"]](office.store, dice)
        async with serving(settings, office.client, store):
            await stop.wait()


if __name__ == "__main__":
    asyncio.run(_serve())
