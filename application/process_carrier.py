"""To ``carry_out`` within this process: for realms on a manual clock, which need no alarm and so no workflow.

The same function decides and appends, so the log holds the same bytes as by way of the workflows. Other processes may
command the same realm meanwhile, in either way: whoever comes second decides again.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NoReturn, Protocol
from weakref import WeakValueDictionary

from temporalio.exceptions import ApplicationError

from application.door import CommandDefect, CommandInvalid, NotKnown
from domain.kernel.clock import Clock
from domain.kernel.envelope import BundleRequest, BundleResult, CarryOut, CarryOutResult
from domain.kernel.identifier import derive_id
from store.port import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from application.carrier import Carrier
    from domain.kernel.envelope import Answer, Envelope, Progress
    from domain.kernel.identifier import StreamId
    from store.port import EventStore


MOMENT_S = 1.0
"""How long, in seconds, a realm is taken to have the clock that it had."""


class CarriesOut(Protocol):
    """What decides and appends, as the worker's activities do."""

    async def carry_out(self, request: CarryOut) -> CarryOutResult:
        """Carry the command out, or without one apply what is due."""

    async def carry_out_each(self, request: BundleRequest) -> BundleResult:
        """Carry the commands out in turn, until one is not accepted."""


class ProcessCarrier:
    """Carries out here what belongs to a manual clock; everything else goes the other way."""

    def __init__(self, commands: CarriesOut, store: EventStore, otherwise: Carrier | None) -> None:
        """Decide and append by these activities; ``otherwise`` is the way through the workflows.

        Without one everything is carried out here: for registers only, in which nothing ever falls due.
        """
        self._commands = commands
        self._store = store
        self._otherwise = otherwise
        self._turns: WeakValueDictionary[StreamId, asyncio.Lock] = WeakValueDictionary()
        """One command at a time on one stream, as a workflow has it: rivals would only decide twice."""
        self._manual_until: dict[str, float] = {}
        """By realm, until when it is taken to be on a manual clock: the event loop's time."""

    async def carry_out(self, envelope: Envelope) -> Answer:
        """The answer of this process."""
        if (elsewhere := await self._find_elsewhere(envelope.subject)) is not None:
            return await elsewhere.carry_out(envelope)
        request = CarryOut(stream=envelope.subject, now=envelope.received_at, envelope=envelope)
        answer = (await self._run(request, envelope.command_id)).answer
        if answer is None:
            message = f"{envelope.command} was carried out without an answer"
            raise CommandDefect(message)
        return answer

    async def carry_out_each(self, envelopes: Sequence[Envelope]) -> list[Answer]:
        """The answers of this process, as far as it came."""
        first = envelopes[0]
        if (elsewhere := await self._find_elsewhere(first.subject)) is not None:
            return await elsewhere.carry_out_each(envelopes)
        request = BundleRequest(stream=first.subject, now=first.received_at, envelopes=tuple(envelopes))
        async with self._turn(first.subject):
            try:
                result = await self._commands.carry_out_each(request)
            except (StoreUnavailable, ApplicationError) as failed:
                _raise_as_told(failed, first.command_id)
        return list(result.answers)

    async def fall_due(self, deadline: CarryOut) -> Progress:
        """Apply what is due, here."""
        if (elsewhere := await self._find_elsewhere(deadline.stream)) is not None:
            return await elsewhere.fall_due(deadline)
        return (await self._run(deadline, derive_id("fall_due", deadline.stream))).progress

    async def look(self, stream: StreamId) -> None:
        """Nobody waits for a manual clock; a workflow that takes a live stream up is told."""
        if (elsewhere := await self._find_elsewhere(stream)) is not None:
            await elsewhere.look(stream)

    async def _find_elsewhere(self, stream: StreamId) -> Carrier | None:
        """The way through the workflows, unless the realm was on a manual clock a moment ago. Raises StoreUnavailable.

        Were it to go live within that moment, the command would be judged by the wall clock all the same, since the
        log says which; its alarm would be set by the agenda's follower.
        """
        if self._otherwise is None:
            return None
        realm, now = stream.realm, asyncio.get_running_loop().time()
        if now >= self._manual_until.get(realm, 0.0):
            if (await self._store.realm(realm)).clock is not Clock.MANUAL:
                return self._otherwise
            self._manual_until[realm] = now + MOMENT_S
        return None

    async def _run(self, request: CarryOut, command_id: UUID) -> CarryOutResult:
        async with self._turn(request.stream):
            try:
                return await self._commands.carry_out(request)
            except (StoreUnavailable, ApplicationError) as failed:
                _raise_as_told(failed, command_id)

    def _turn(self, stream: StreamId) -> asyncio.Lock:
        turn = self._turns.get(stream)
        if turn is None:
            turn = self._turns[stream] = asyncio.Lock()
        return turn


def _raise_as_told(failed: StoreUnavailable | ApplicationError, command_id: UUID) -> NoReturn:
    """As a workflow's caller would be told of it."""
    if isinstance(failed, StoreUnavailable):
        raise NotKnown(command_id, failed.why) from failed
    match failed.type:
        case "Invalid":
            raise CommandInvalid(failed.message) from failed
        case "Malformed" | "Defect":
            raise CommandDefect(failed.message) from failed
        case _:
            raise NotKnown(command_id, failed.message) from failed
