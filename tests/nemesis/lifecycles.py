"""What callers do while the house is being broken: short lives of an organisation, a need and a project, side by side.

Each caller asks under one id until there is an answer, sometimes by two doors at once, and keeps what it was told.
Afterwards the log is held against what callers were told and against what the story must have come to.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID, uuid4

from api.door import NotKnown, Receipt
from domain.kernel.identity import Actor
from domain.kernel.refusal import CommandRejected
from domain.need import AdoptNeed, EndorseNeed
from domain.project.award import (
    AcceptObjection,
    DeclineAward,
    DismissObjection,
    LodgeObjection,
    OpenAwardPublicity,
)
from store.port import EntryKind
from tests.workflows.bureau import FUND_FEN, Bureau, lacking, verified

if TYPE_CHECKING:
    import random
    from collections.abc import Coroutine

    from api.door import Door
    from domain.kernel.identity import StreamId
    from domain.kernel.message import Command
    from store.port import Entry, EventStore

T = TypeVar("T")

TWICE = 0.3
"""How often a caller asks by two doors at once."""
PAUSE_S = 0.1


@dataclass(frozen=True)
class Told:
    """What a caller was told of one command."""

    stream: StreamId
    command: Command
    receipt: Receipt | None
    """None if it was refused."""


@dataclass
class Callers:
    """All callers of one run, with what each was told."""

    bureau: Bureau
    doors: tuple[Door, Door]
    dice: random.Random
    told: dict[UUID, Told] = field(default_factory=dict)
    lives: int = 0

    async def live(self) -> None:
        """One more life, in three streams at once."""
        self.lives += 1
        number = self.lives
        await together(self._organisation(number), self._need(number), self._project(number))

    async def _organisation(self, number: int) -> None:
        stream = self.bureau.id("organisation", f"ORG-L{number}")
        for name in ("甲", "乙", "丙", "丁"):
            await self._ask(stream, verified(name), "HOST#1")

    async def _need(self, number: int) -> None:
        stream = self.bureau.id("need", f"ND-L{number}")
        await self._ask(stream, lacking(), "COMM#1")
        for person in (2, 3):
            await self._ask(stream, EndorseNeed(), f"COMM#{person}")
        await self._ask(stream, EndorseNeed(), "COMM#1")
        await self._ask(stream, AdoptNeed(), "CAB-REG#1")

    async def _project(self, number: int) -> None:
        stream = self.bureau.id("project", f"AP-L{number}")
        await self._ask(stream, self.bureau.award(number), "CAB-REG#1")
        await self._ask(stream, OpenAwardPublicity(contact="市民政局"), "CAB-REG#1")
        await self._ask(stream, LodgeObjection(ground="評分"), "PUBLIC#1")
        await self._ask(stream, AcceptObjection(), "CAB-REG#1")
        await self._ask(stream, DismissObjection(finding="不成立"), "CAB-DEC#1")
        await self._ask(stream, DeclineAward(reason="人手不足"), "SO-LEGAL#1")

    async def _ask(self, stream: StreamId, command: Command, by: str) -> None:
        command_id = uuid4()
        doors = self.doors if self.dice.random() < TWICE else self.doors[:1]
        told = await together(*(self._until_known(door, stream, command, by, command_id) for door in doors))
        if not all(_same(told[0], other) for other in told):
            message = f"{command.command_type}: two answers to one id: {told}"
            raise Broken(message)
        self.told[command_id] = told[0]

    async def _until_known(self, door: Door, stream: StreamId, command: Command, by: str, command_id: UUID) -> Told:
        while True:
            try:
                return Told(stream, command, await door.send(stream, command, Actor(by), command_id=command_id))
            except CommandRejected:
                return Told(stream, command, None)
            except NotKnown:
                await asyncio.sleep(PAUSE_S)


async def together(*work: Coroutine[Any, Any, T]) -> list[T]:
    """All of it at once; the first failure ends the rest, and is raised as itself."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _same(one: Told, other: Told) -> bool:
    if one.receipt is None or other.receipt is None:
        return one.receipt is other.receipt
    return (one.receipt.version, one.receipt.position) == (other.receipt.version, other.receipt.position)


STORY = {
    "organisation": ["OrganisationVerified"] * 4,
    "need": ["NeedSubmitted", "NeedEndorsed", "NeedEndorsed", "NeedAdopted"],
    "project": [
        "AwardProposed",
        "AwardPublicityOpened",
        "ObjectionLodged",
        "ObjectionAccepted",
        "ObjectionDismissed",
        "AwardDeclined",
    ],
}
"""What each stream of a life must have come to, whatever happened meanwhile."""
PREFIXES = {"organisation": "ORG-L", "need": "ND-L", "project": "AP-L"}


class Broken(AssertionError):
    """Something was lost, doubled, or told otherwise than it is."""


async def hold_against_the_log(callers: Callers, store: EventStore) -> None:
    """Every promise to every caller, against the log. Raises Broken."""
    for number in range(1, callers.lives + 1):
        for kind, story in STORY.items():
            stream = callers.bureau.id(kind, f"{PREFIXES[kind]}{number}")
            entries = [entry async for entry in store.read(stream, commands=True)]
            _comes_to(stream, entries, story)
            _says_what_was_told(stream, entries, callers.told)
    balances = await store.balances()
    left = balances.get(f"envelope/{callers.bureau.realm}/FS-1")
    if left != FUND_FEN:
        message = f"the envelope holds {left} fen"
        raise Broken(message)


def _comes_to(stream: StreamId, entries: list[Entry], story: list[str]) -> None:
    events = [entry for entry in entries if entry.kind is EntryKind.EVENT]
    if [entry.type for entry in events] != story:
        message = f"{stream}: lost, doubled or in another order: {[entry.type for entry in events]}"
        raise Broken(message)
    if [entry.version for entry in events] != list(range(1, len(events) + 1)):
        message = f"{stream}: versions {[entry.version for entry in events]}"
        raise Broken(message)


def _says_what_was_told(stream: StreamId, entries: list[Entry], told: dict[UUID, Told]) -> None:
    commands = [entry for entry in entries if entry.kind is EntryKind.COMMAND]
    mine = {command_id: one for command_id, one in told.items() if one.stream == stream}
    if sorted(entry.command_id for entry in commands) != sorted(mine):
        message = f"{stream}: {len(mine)} commands were answered, {len(commands)} are journalled"
        raise Broken(message)
    for command_id, one in mine.items():
        events = [e for e in entries if e.command_id == command_id and e.kind is EntryKind.EVENT]
        if one.receipt is None:
            agrees = not events
        else:
            agrees = [e.type for e in events] == list(one.receipt.events) and (
                events[-1].version,
                events[-1].position,
            ) == (one.receipt.version, one.receipt.position)
        if not agrees:
            message = f"{stream}: {one.command.command_type} was told {one.receipt}, the log has {events}"
            raise Broken(message)
