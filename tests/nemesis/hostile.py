"""Callers who wish the house ill, while honest people work in it: what they try comes to nothing, and hinders nobody.

They know Temporal's address and every stream's name, and each has an honest door of their own; what they have not is
the door's key. What they tried is kept, so that the log can be held against it afterwards.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from temporalio.client import WorkflowUpdateFailedError

from application.door import CommandDefect, Mismatch, Unsigned, receipt
from deciding.fold import fold
from domain.catalogue import AGGREGATES
from domain.kernel.calendar import Calendar
from domain.kernel.envelope import Bundle, CarryOut, Envelope
from domain.kernel.identifier import Actor, deadline_command_id
from domain.kernel.refusal import CommandRejected
from domain.need import EndorseNeed
from domain.project.award import DeclineAward
from domain.round.call import CancelCall
from tests.keys import MINUTES, OTHER
from tests.nemesis.stories import SOLICITING
from tests.workflows.bureau import verification

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable, Sequence

    from temporalio.client import Client

    from application.door import Door
    from domain.kernel.identifier import StreamId
    from domain.kernel.message import Command
    from store.port import EventStore
    from tests.nemesis.stories import SOLICITING
from tests.workflows.bureau import Bureau

EVERY_S = 0.15
WAITERS = 40
HUGE = "甲" * 400_000
"""More than any body may have, and less than what Temporal's own limit keeps out."""
YEARS = timedelta(days=800)
PATIENCE_S = 5.0
"""No attacker waits longer than that for an answer."""


@dataclass
class Attackers:
    """All of them, and the ids under which they tried what nobody may."""

    bureau: Bureau
    client: Client
    store: EventStore
    door: Door
    streams: Sequence[StreamId]
    dice: random.Random
    ids: dict[UUID, str] = field(default_factory=dict)
    """Of each command that may not be recorded, or not as accepted: what it was."""
    tried: Counter[str] = field(default_factory=Counter)
    hasty: set[StreamId] = field(default_factory=set)
    """Streams that were asked for by a door whose clock is ahead."""
    let_in: list[str] = field(default_factory=list)
    """What was answered as if it were nothing."""

    async def attack(self) -> None:
        """One thing after the other, until this is cancelled; some of it is never heard of again."""
        attempts, here = self._attempts(), asyncio.current_task()
        assert here is not None
        while True:
            for attempt in self.dice.sample(attempts, len(attempts)):
                stream = self.dice.choice(self.streams)
                with suppress(Exception):  # whatever a house that is being broken says to it: the log is looked at
                    async with asyncio.timeout(PATIENCE_S):
                        await attempt(stream)
                if here.cancelling():  # Temporal's client hides that behind an error of its own
                    return
                self.tried[attempt.__name__.removeprefix("_")] += 1
                await asyncio.sleep(EVERY_S)

    def _attempts(self) -> list[Callable[[StreamId], Awaitable[None]]]:
        return [
            self._take_next_deadlines_id,
            self._forge,
            self._alter,
            self._overload,
            self._hurry,
            self._move_the_clock,
            self._talk_rubbish,
            self._crowd,
        ]

    async def has_tried_all(self) -> bool:
        """Whether each thing was tried."""
        return len(self.tried) == len(self._attempts())

    async def _ask(self, envelope: Envelope, what: str) -> None:
        self.ids[envelope.command_id] = what
        with suppress(CommandRejected, Mismatch, CommandDefect, Unsigned):
            receipt(envelope.command_id, await self.door.ask(envelope))
            self.let_in.append(f"{what}: {envelope.subject}")

    async def _take_next_deadlines_id(self, stream: StreamId) -> None:
        """The id under which the stream's next deadline will be carried out, or any other of the engine's kind."""
        entries = [entry async for entry in self.store.read(stream)]
        due = AGGREGATES[stream.kind].due(fold(stream, entries), Calendar())
        name, key, at = (due.command.command_type, due.key, due.at) if due else ("CloseCall", "", datetime.now(UTC))
        taken = deadline_command_id(stream, name, key, at)
        await self._ask(self.bureau.envelope(stream, *_spoiling(stream), command_id=taken), "id taken")

    async def _forge(self, stream: StreamId) -> None:
        """A rightful command under a signature that somebody made up."""
        envelope = self.bureau.envelope(stream, *_spoiling(stream))
        await self._ask(envelope.sign(OTHER), "forged")

    async def _alter(self, stream: StreamId) -> None:
        """What the door signed for one, in the name of another."""
        command, by = _spoiling(stream)
        envelope = self.bureau.envelope(stream, command, "PUBLIC#1")
        await self._ask(envelope.model_copy(update={"actor": Actor(by)}), "altered")

    async def _overload(self, stream: StreamId) -> None:
        """A body of more than a megabyte, past the models' bounds and with the door's own signature."""
        command, by = _spoiling(stream)
        envelope = self.bureau.envelope(stream, command, by)
        body = {**envelope.body, "reason": HUGE}
        await self._ask(envelope.model_copy(update={"body": body}).sign(self.bureau.key), "oversized")

    async def _hurry(self, _stream: StreamId) -> None:
        """A door whose clock is years ahead: what it takes in has happened now, or not at all."""
        stream = self.bureau.id("organisation", f"ORG-HASTY-{self.dice.randrange(3)}")
        envelope = self.bureau.envelope(stream, verification(), "HOST#1", at=datetime.now(UTC) + YEARS)
        self.hasty.add(stream)
        with suppress(CommandRejected, CommandDefect):
            receipt(envelope.command_id, await self.door.ask(envelope))

    async def _move_the_clock(self, _stream: StreamId) -> None:
        """Tell a workflow whose deadline is weeks away that a manual clock has come to a day years ahead."""
        round_ = self.bureau.id("round", SOLICITING)
        later = CarryOut(stream=round_, now=datetime.now(UTC) + YEARS)
        await self._update(round_, "fall_due", self.dice.choice([later, later.sign(OTHER)]))

    async def _talk_rubbish(self, stream: StreamId) -> None:
        """What is no command, and commands of another stream."""
        other = self.bureau.envelope(self.bureau.id("need", "ND-X"), EndorseNeed(), "COMM#1")
        name, argument = self.dice.choice(
            [
                ("carry_out", {"command": "x"}),
                ("carry_out", [1, "\ud800".encode("utf-8", "replace").decode()]),
                ("carry_out", other.model_dump(mode="json")),
                ("carry_out_each", {"envelopes": []}),
                ("carry_out_each", Bundle(envelopes=(other, other)).model_dump(mode="json")),
                ("fall_due", {"stream": stream, "now": "yesterday"}),
                ("no_such_update", None),
            ]
        )
        await self._update(stream, name, argument)

    async def _crowd(self, stream: StreamId) -> None:
        """Many who wait for an approval inside the workflow, and go away without a word."""
        handle = self.client.get_workflow_handle(stream)
        waiters = [asyncio.create_task(handle.execute_update("settled", str(uuid4()))) for _ in range(WAITERS)]
        await asyncio.wait(waiters, timeout=0.2)
        for waiter in waiters:
            waiter.cancel()
        await asyncio.gather(*waiters, return_exceptions=True)

    async def _update(self, stream: StreamId, name: str, argument: Any) -> None:
        """Past the door, straight to Temporal. On the wall clock, ``fall_due`` only says how the stream stands."""
        with suppress(WorkflowUpdateFailedError):
            await self.client.get_workflow_handle(stream).execute_update(name, argument)
            if name != "fall_due":
                self.let_in.append(f"{name} past the door: {stream}")


def _spoiling(stream: StreamId) -> tuple[Command, str]:
    """What would spoil that stream's story if it were let in, from somebody who may ask it."""
    match stream.kind:
        case "project":
            return DeclineAward(reason="不辦了"), "SO-LEGAL#1"
        case "round":
            return CancelCall(reason="不辦了", attachments=(MINUTES,)), "CAB-DEC#1"
        case "need":
            return EndorseNeed(), "COMM#99"
        case _:
            return verification(), "HOST#1"
