"""Those who work while the house is being broken: each asks under one id until there is an answer, and keeps it.

They come by several ways, some by two at once; a wave's commands come in any order, and a refused one comes again
under a fresh id once something has happened. Their notes are what the log is held against afterwards.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from uuid import UUID, uuid4

from temporalio.client import WorkflowExecutionStatus
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from activities.carry_out import CommandActivities
from application import approvals
from application.door import CommandDefect, Mismatch, NotKnown, Receipt, receipt
from domain.kernel.approval import Verdict
from domain.kernel.envelope import CarryOut, WorkflowInput
from domain.kernel.identifier import Actor
from domain.kernel.refusal import CommandRejected, Unmet
from domain.project.award import DeclineAward
from store.port import StoreUnavailable
from tests.workflows.waiting import list_asked
from workflows.kinds import workflow_type

if TYPE_CHECKING:
    import random
    from collections.abc import Coroutine, Sequence

    from temporalio.client import Client

    from application.door import Door
    from domain.kernel.identifier import StreamId
    from domain.kernel.message import Command
    from store.port import EventStore
    from tests.nemesis.stories import LifeStory, WaveStep
    from tests.workflows.bureau import Bureau

T = TypeVar("T")

TWICE = 0.3
"""How often a caller asks by two doors at once."""
ANOTHER = 0.2
"""How often an id is used again for another request."""
PAUSE_S = 0.1
APART_S = 0.3
"""Within which the commands of a wave are given."""
SHORT = 25
"""Events of a run where workflows are to make way for their next run often: a few commands."""


class Broken(AssertionError):
    """Something was lost, doubled, or told otherwise than it is."""


class Entrance(Protocol):
    """A way by which a command gets in; a door is one."""

    async def send(self, subject: StreamId, command: Command, actor: Actor, *, command_id: UUID) -> Receipt:
        """Have it carried out. Raises CommandRejected, Mismatch or NotKnown."""
        ...


@dataclass(frozen=True)
class Beside:
    """A second writer: records beside the stream's workflow and tells it afterwards, as whoever imports does."""

    bureau: Bureau
    registrar: CommandActivities
    door: Door

    async def send(self, subject: StreamId, command: Command, actor: Actor, *, command_id: UUID) -> Receipt:
        """The same, at the same signature."""
        envelope = self.bureau.envelope(subject, command, actor, command_id=command_id)
        try:
            result = await self.registrar.carry_out(
                CarryOut(stream=subject, now=envelope.received_at, envelope=envelope)
            )
            await self.door.look(subject)
        except (StoreUnavailable, RPCError) as gone:
            raise NotKnown(command_id, str(gone)) from gone
        except ApplicationError as defect:
            raise CommandDefect(str(defect)) from defect
        assert result.answer is not None
        return receipt(command_id, result.answer)


@dataclass(frozen=True)
class Told:
    """What a caller was told of one command."""

    stream: StreamId
    command: Command
    by: Actor
    receipt: Receipt | None = None
    unmet: tuple[Unmet, ...] = ()

    def says(self, other: Told) -> bool:
        """Whether both say the same, however often it was asked."""
        return (_essence(self.receipt), self.unmet) == (_essence(other.receipt), other.unmet)


def _essence(of: Receipt | None) -> tuple[object, ...] | None:
    return (of.stream, of.version, of.position, of.events) if of is not None else None


@dataclass
class Callers:
    """All callers of one run."""

    bureau: Bureau
    client: Client
    task_queue: str
    store: EventStore
    doors: tuple[Door, Door]
    dice: random.Random
    begun: list[LifeStory] = field(default_factory=list)
    told: dict[UUID, Told] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    """How often they asked, and how often they heard no answer."""

    def __post_init__(self) -> None:
        self._beside = Beside(self.bureau, CommandActivities(self.store), self.doors[0])

    async def begin(self, stories: Sequence[LifeStory], rolling: float) -> None:
        """Record the past of these stories, and have workflows know; some of them make way for new runs often."""
        self.begun += stories
        for story in stories:
            for past in story.past:
                receipt = await self.bureau.straight(story.stream, past.command, past.by, at=past.at)
                self.told[receipt.command_id] = Told(story.stream, past.command, Actor(past.by), receipt)
        rolled = [story for story in stories if self.dice.random() < rolling]
        runs = [await self._begun_by_hand(story.stream) for story in rolled]
        async for row in self.bureau.store.standings(realm=self.bureau.realm):
            await self.doors[0].look(row.stream)
        await together(*(self._made_way(s.stream, run) for s, run in zip(rolled, runs, strict=True) if s.alarm))

    async def _begun_by_hand(self, stream: StreamId) -> str:
        """Begin its workflow as one that often makes way for its next run: the run that was begun."""
        started = await self.client.start_workflow(
            workflow_type(stream.kind),
            WorkflowInput(stream=stream, long_history=SHORT),
            id=stream,
            task_queue=self.task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )
        assert started.first_execution_run_id is not None
        return started.first_execution_run_id

    async def _made_way(self, stream: StreamId, run: str) -> None:
        """Have that run look until it has made way, for no command comes; none of it may reach the next run, whose
        alarm is all that is to wake it.
        """
        first = self.client.get_workflow_handle(stream, run_id=run)
        while (await first.describe()).status is WorkflowExecutionStatus.RUNNING:
            with suppress(RPCError):  # it has made way just now
                await first.signal("look")
            await asyncio.sleep(PAUSE_S)

    async def live(self, story: LifeStory) -> None:
        """One wave after the other; who waits for an approval that the last one decides must hear of it."""
        for wave in story.waves[:-1]:
            await self._give(story, wave)
        for wave in story.waves[-1:]:
            waiting = [self._heard_of(approval) for approval in await self._open(story.stream)]
            await together(self._give(story, wave), *waiting)

    async def _give(self, story: LifeStory, wave: tuple[WaveStep, ...]) -> None:
        heard = AcceptedCount()
        steps = self.dice.sample(wave, len(wave))
        await together(*(self._until_done(story, step, heard) for step in steps))

    async def _open(self, stream: StreamId) -> list[UUID]:
        """The approvals that are asked for in that stream just now."""
        while True:
            with suppress(StoreUnavailable):
                of = [one.approval for one in await list_asked(self.store, stream)]
                return [approval.id for approval in of if approval.verdict is Verdict.OPEN]
            await asyncio.sleep(PAUSE_S)

    async def _heard_of(self, approval: UUID) -> None:
        """A service waits until that approval is decided."""
        while True:
            with suppress(StoreUnavailable):
                await approvals.wait_for_decision(self.store, self.doors[1], approval)
                self.asked["approval heard of"] += 1
                return
            await asyncio.sleep(PAUSE_S)

    async def _until_done(self, story: LifeStory, step: WaveStep, heard: AcceptedCount) -> None:
        await asyncio.sleep(self.dice.uniform(0, APART_S))
        while True:
            before = heard.accepted
            accepted = await self._ask(story, step)
            if accepted:
                heard.another()
            if accepted is not step.refused:
                return
            if step.refused:
                message = f"I2 {story.stream}: {step.command.command_type} was accepted"
                raise Broken(message)
            await heard.more_than(before)

    async def _ask(self, story: LifeStory, step: WaveStep) -> bool:
        """Ask once, under one id, until it is known; whether it was accepted."""
        command_id = uuid4()
        ways: Sequence[Entrance] = self.doors if self.dice.random() < TWICE else self.doors[:1]
        if story.beside and self.dice.random() < 1 / 2:
            ways = (self._beside, *ways[1:])
        answers = await together(
            *(self._known(way, story.stream, step.command, Actor(step.by), command_id) for way in ways)
        )
        if not all(answers[0].says(other) for other in answers):
            message = f"I4 {story.stream}: {step.command.command_type}: two answers to one id: {answers}"
            raise Broken(message)
        self.told[command_id] = answers[0]
        if self.dice.random() < ANOTHER:
            await self._uses_it_again(story.stream, Actor(step.by), command_id)
        return answers[0].receipt is not None

    async def _known(self, way: Entrance, stream: StreamId, command: Command, by: Actor, command_id: UUID) -> Told:
        while True:
            self.asked["asked"] += 1
            try:
                return Told(stream, command, by, await way.send(stream, command, by, command_id=command_id))
            except CommandRejected as refused:
                return Told(stream, command, by, unmet=refused.unmet)
            except NotKnown:
                self.asked["not known"] += 1
                await asyncio.sleep(PAUSE_S)

    async def _uses_it_again(self, stream: StreamId, by: Actor, command_id: UUID) -> None:
        """The same id for another request, which is no request at all."""
        with_another = DeclineAward(reason="同一編號，另一請求")
        try:
            answer = await self._known(self.doors[1], stream, with_another, by, command_id)
        except Mismatch:
            self.asked["mismatch"] += 1
            return
        message = f"I4 {stream}: {command_id} has another answer to another request: {answer}"
        raise Broken(message)

    async def told_again(self, command_id: UUID) -> Told:
        """What the stream's workflow says when that command is asked once more, past the door's look into the log."""
        was = self.told[command_id]
        while True:
            self.asked["asked"] += 1
            envelope = self.bureau.envelope(was.stream, was.command, was.by, command_id=command_id)
            try:
                again = receipt(command_id, await self.doors[1].ask(envelope))
            except CommandRejected as refused:
                return Told(was.stream, was.command, was.by, unmet=refused.unmet)
            except NotKnown:
                self.asked["not known"] += 1
            else:
                return Told(was.stream, was.command, was.by, again)


class AcceptedCount:
    """What those who share a wave know of each other: how many commands of it were accepted."""

    def __init__(self) -> None:
        self.accepted = 0
        self._news = asyncio.Event()

    def another(self) -> None:
        """One more was accepted."""
        self.accepted += 1
        self._news.set()
        self._news = asyncio.Event()

    async def more_than(self, before: int) -> None:
        """Wait until more were accepted than that."""
        while self.accepted <= before:
            await self._news.wait()


async def together(*work: Coroutine[Any, Any, T]) -> list[T]:
    """All of it at once; the first failure ends the rest, and is raised as itself."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
