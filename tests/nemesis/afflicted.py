"""A worker with an affliction; run as a program, it is the worker of ``worker.py`` but for that.

Some afflictions are faults that the house must bear: *forgetful* commits and then says that it does not know,
*hesitant* lets others go first. Others are mutants, faults of the house itself, which the nemesis must notice; those
that lie in the database are in ``faults``.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from unittest import mock
from uuid import uuid4

import structlog
from temporalio import activity

import bootstrap
from activities import carry_out as carrying_out
from activities.carry_out import CommandActivities
from deciding.warrant import Warrant
from domain.kernel.envelope import CarryOut
from followers import agenda
from followers.agenda import AgendaFollower
from runtime import worker as house
from runtime.runtime import open_runtime
from store.port import Append, AppendResult, AppendStatus, StoreUnavailable, Write
from tests.nemesis.unarmed import Unarmed
from tests.workflows.waiting import until
from workflows.round import RoundWorkflow

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from domain.kernel.identifier import StreamId
    from store.port import CommandBasis, EventStore, Readings

PATIENT_S = 1.0
"""How long a hesitant store waits for another writer: some waits are in vain."""
OFTEN = 0.2
"""How often a forgetful store does not know what it did."""

log = structlog.get_logger()


class Sound:
    """The store as it is, for those below to spoil."""

    def __init__(self, store: EventStore, dice: random.Random) -> None:
        self.store = store
        self.dice = dice

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    async def append(self, append: Append) -> AppendResult:
        log.info(TRIED, stream=append.writes[-1].stream)
        return await self.store.append(append)


TRIED = "nemesis.append_tried"


class Forgetful(Sound):
    """Commits, and is told that it failed."""

    async def append(self, append: Append) -> AppendResult:
        appended = await super().append(append)
        if self.dice.random() < OFTEN:
            message = "committed, but told it failed"
            raise StoreUnavailable(message)
        return appended


class Hesitant(Sound):
    """Thinks between deciding and appending, so that another writer comes first: at a need, to which many come at
    once, until one has, though not for ever.
    """

    async def append(self, append: Append) -> AppendResult:
        await asyncio.sleep(self.dice.uniform(0, 0.1))
        if (first := append.writes[0]).stream.kind == "need":
            with suppress(TimeoutError):
                await until(lambda: self._has_gone_on(first), within_s=PATIENT_S)
        return await super().append(append)

    async def _has_gone_on(self, write: Write) -> bool:
        standing = await self.store.standing(write.stream)
        return standing is not None and standing.version > write.expected


class StopsInMidAppend(Sound):
    """Stands still once, for as long as somebody else pleases: before its append is sent, or before it hears of it."""

    async def append(self, append: Append) -> AppendResult:
        command = append.writes[-1].command_type
        self._stop_at(f"before {command}")
        appended = await super().append(append)
        self._stop_at(f"after {command}")
        return appended

    def _stop_at(self, moment: str) -> None:
        if moment == os.environ.get("STOPS"):
            del os.environ["STOPS"]
            os.kill(os.getpid(), signal.SIGSTOP)


# ---------------------------------------------------------------- mutants


class KeyPerAttempt(Forgetful):
    """No idempotency: every attempt has a key of its own, so that none is known again."""

    async def append(self, append: Append) -> AppendResult:
        return await super().append(_under_fresh_ids(append))


class AckBeforeCommit(Sound):
    """Acknowledgement before commit: says that it is done before it is, and then may not get to it."""

    def __init__(self, store: EventStore, dice: random.Random) -> None:
        super().__init__(store, dice)
        self._later: set[asyncio.Task[AppendResult]] = set()

    async def append(self, append: Append) -> AppendResult:
        async def at_leisure() -> AppendResult:
            await asyncio.sleep(self.dice.uniform(0, 0.3))
            return await self.store.append(append)

        task = asyncio.create_task(at_leisure())
        self._later.add(task)
        task.add_done_callback(self._later.discard)
        position = await self.store.last_position()
        return AppendResult(AppendStatus.APPENDED, position + 1, position + 1)


class SeenOfThisRunOnly(Sound):
    """``seen`` lost on continue-as-new: a run knows the ids that came in while it ran, and none of an earlier run.

    Here the journal is the memory and no workflow keeps one, so the fault is a journal that is not asked about ids from
    before the roll: such a command is decided again, as if it had never been seen.
    """

    def __init__(self, store: EventStore, dice: random.Random) -> None:
        super().__init__(store, dice)
        self._runs: dict[StreamId, tuple[str | None, int]] = {}
        """Of each stream the run that is known, and the position at which it began."""

    async def consult(self, stream: StreamId, *more: Any) -> tuple[CommandBasis, Readings]:
        basis, readings = await self.store.consult(stream, *more)
        run, began = self._runs.get(stream, (activity.info().workflow_run_id, 0))
        if run != activity.info().workflow_run_id:
            run, began = activity.info().workflow_run_id, await self.store.last_position()
        self._runs[stream] = run, began
        if basis.journalled is not None and basis.journalled.position <= began:
            basis = replace(basis, journalled=None)
        return basis, readings

    async def append(self, append: Append) -> AppendResult:
        appended = await super().append(append)
        return await super().append(_under_fresh_ids(append)) if appended.status is AppendStatus.DUPLICATE else appended


def _under_fresh_ids(append: Append) -> Append:
    return replace(append, writes=tuple(replace(write, command_id=uuid4()) for write in append.writes))


AFFLICTIONS: dict[str, Callable[[EventStore, random.Random], Sound]] = {
    "none": Sound,
    "forgetful": Forgetful,
    "hesitant": Hesitant,
    "stops-in-mid-append": StopsInMidAppend,
    "key-per-attempt": KeyPerAttempt,
    "ack-before-commit": AckBeforeCommit,
    "seen-of-this-run-only": SeenOfThisRunOnly,
    "unarmed": Sound,
    "unarmed-and-unwatched": Sound,
    **dict.fromkeys(("takes-any-signature", "takes-any-id", "takes-the-doors-time", "falls-due-on-demand"), Sound),
}


def _take_any_signature() -> None:
    """Whoever asks is let in."""
    mock.patch.object(Warrant, "is_hopeless", return_value=False).start()
    mock.patch.object(Warrant, "find_fault", return_value=None).start()


def _take_any_id() -> None:
    """A caller may ask under an id that the engine derives, and in any size."""
    mock.patch.object(carrying_out, "find_inadmissible", return_value=()).start()


def _take_the_doors_time() -> None:
    """What a door says of the time is so."""

    def believed(request: CarryOut, _basis: CommandBasis) -> datetime:
        return request.envelope.received_at if request.envelope else request.now

    mock.patch.object(carrying_out, "business_time", believed).start()


def _fall_due_on_demand() -> None:
    """A deadline falls as soon as anybody says that it does."""
    mock.patch.object(CommandActivities, "_may_move_time", return_value=True).start()


_CREDULOUS = {
    "takes-any-signature": _take_any_signature,
    "takes-any-id": _take_any_id,
    "takes-the-doors-time": _take_the_doors_time,
    "falls-due-on-demand": _fall_due_on_demand,
}


async def _nobody_looks(self: AgendaFollower, now: datetime) -> int:  # noqa: ARG001 - as the follower's own
    return 0


def _afflict(affliction: str) -> Callable[[EventStore, random.Random], Sound]:
    """Spoil what is to be spoilt in this process; the store is spoilt by what is given back."""
    if affliction in _CREDULOUS:
        _CREDULOUS[affliction]()
    if affliction.startswith("unarmed"):
        house.WORKFLOWS[house.WORKFLOWS.index(RoundWorkflow)] = Unarmed
        agenda.LATE = timedelta(seconds=1)  # a minute's patience is not what is tried here
        if affliction == "unarmed-and-unwatched":
            AgendaFollower.follow = _nobody_looks  # type: ignore[method-assign] # the mutant
    return AFFLICTIONS[affliction]


async def _serve() -> None:
    settings = bootstrap.settings()
    bootstrap.configure_logging(settings)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    dice = random.Random(os.environ["SEED"])  # noqa: S311 - which faults happen, no secret
    afflicted = _afflict(os.environ["AFFLICTION"])
    async with (
        open_runtime(settings, lambda _zh, _en: None, working=False, with_temporal=True) as office,
        house.run_worker(settings, office.client, afflicted(office.store, dice)),
    ):
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(_serve())
