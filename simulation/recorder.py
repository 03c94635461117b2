"""Records a year's story in the log, by the door and under every rule: what is refused is a mistake of the story.

Commands of one instant go side by side, those of one stream in turn. A run that was cut off anywhere goes on where it
stopped: every command has an id of its own, derived from the realm and its place in the story.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING

from application.door import CommandRequest, receipt
from application.round_resolution import preview_resolution
from domain.kernel.clock import Clock
from domain.kernel.failure import Failure, FailureKind
from domain.kernel.identifier import StreamId, derive_id
from domain.kernel.refusal import CommandRejected
from domain.kernel.summary import Summary
from domain.registers.calendar import calendar_stream
from domain.registers.scheme import PublishPolicyPack, scheme_stream
from domain.round.resolution import ResolveRound
from simulation.story import LEADERSHIP, OFFICER, StoryStep, paper

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from uuid import UUID

    from application.door import Door
    from simulation.story import YearStory
    from store.port import EventStore

AT_ONCE = 256
"""Streams that are commanded side by side."""


class StoryRefused(Failure):
    """The rules refused a command of the story: it and they do not agree any more."""

    kind = FailureKind.REFUSED

    def __init__(self, step: StoryStep, refused: CommandRejected) -> None:
        rules, first = ", ".join(sorted({u.rule for u in refused.unmet})), refused.unmet[0]
        super().__init__(
            f"{step.at:%Y-%m-%d} {step.stream} 的「{step.command.zh()}」不予辦理（{rules}）：{first.zh}",
            f"{step.command.command_type} on {step.stream}, {step.at:%Y-%m-%d}, was refused ({rules}): {first.en}",
            stream=step.stream,
            rules=rules,
        )


class RealmTaken(Failure):
    """The realm lives on the wall clock: nothing made up may be written into it."""

    kind = FailureKind.CONFLICT

    def __init__(self, realm: str) -> None:
        super().__init__(
            f"{realm} 環境用實時鐘，不可寫入模擬數據",
            f"the environment {realm} is on the wall clock: nothing made up goes there",
        )


@dataclass(frozen=True)
class YearTotals:
    """What the log holds of one year, read from the agenda's rows: sums in fen."""

    year: int
    realm: str
    projects: int
    """With a confirmed award."""
    awarded_fen: int
    paid_fen: int
    net_fen: int
    bids: int
    commands: int


async def record_year(
    story: YearStory,
    door: Door,
    store: EventStore,
    on_command: Callable[[int], None] = lambda _number: None,
) -> YearTotals:
    """Record the year whole. Raises StoryRefused, RealmTaken, or as the door does.

    ``on_command`` hears how many commands have been answered since it last heard.
    """
    if await door.open_realm(story.realm) is not Clock.MANUAL:
        raise RealmTaken(story.realm)
    recording = _Recording(story.realm, door, on_command)
    steps = list(story.before_resolution())
    await recording.record(_publications(story, steps[0].at))
    await recording.record(steps)
    await recording.record([await _resolution(story, store, recording.next_id())])
    await recording.record(story.after_resolution())
    return await _totals(story, store, recording.done)


class _Recording:
    """The story's commands so far."""

    def __init__(self, realm: str, door: Door, on_command: Callable[[int], None]) -> None:
        self._realm = realm
        self._door = door
        self._on_command = on_command
        self._places = asyncio.Semaphore(AT_ONCE)
        self.done = 0

    def next_id(self) -> UUID:
        """The id of the story's next command."""
        return derive_id("simulation", self._realm, str(self.done))

    async def record(self, steps: Iterable[StoryStep]) -> None:
        """All of them, which are in order of time: an instant after the other."""
        for at, wave in groupby(steps, key=lambda step: step.at):
            await self._door.move_clock(self._realm, at)  # once, rather than by each of the wave that was too early
            bundles: defaultdict[StreamId, list[tuple[StoryStep, UUID]]] = defaultdict(list)
            for step in wave:
                bundles[step.stream].append((step, self.next_id()))
                self.done += 1
            try:
                async with asyncio.TaskGroup() as group:
                    for stream, bundle in bundles.items():
                        group.create_task(self._record_bundle(stream, bundle))
            except ExceptionGroup as failed:
                raise failed.exceptions[0] from None  # the others of that instant failed beside it

    async def _record_bundle(self, stream: StreamId, bundle: Sequence[tuple[StoryStep, UUID]]) -> None:
        requests = [CommandRequest(step.command, step.actor, id_, step.at, derived=True) for step, id_ in bundle]
        async with self._places, aclosing(self._door.send_each(stream, requests)) as answers:
            answered = iter(bundle)
            async for answer in answers:
                step, command_id = next(answered)
                try:
                    receipt(command_id, answer)
                except CommandRejected as refused:
                    raise StoryRefused(step, refused) from refused
                self._on_command(1)


def _publications(story: YearStory, at: datetime) -> Iterator[StoryStep]:
    """Working days and rules come before everything else."""
    calendar = calendar_stream(story.realm)
    for year in story.years:
        yield StoryStep(at, calendar, year.notice, OFFICER)
    rules = scheme_stream(story.realm, story.scheme.name)
    yield StoryStep(at, rules, PublishPolicyPack(scheme=story.scheme), LEADERSHIP)


async def _resolution(story: YearStory, store: EventStore, command_id: UUID) -> StoryStep:
    """The round's resolution, resting on the preview as it stands; one that stands already is asked again as it was."""
    entry = await store.journalled(command_id)
    if entry is not None:
        return StoryStep(story.resolved_at, story.round, ResolveRound.model_validate_json(entry.data), OFFICER)
    preview = await preview_resolution(store, story.round, story.selections())
    command = preview.command(paper("會議紀要", story.realm), story.reasons(), contact="社會組織管理處")
    return StoryStep(story.resolved_at, story.round, command, OFFICER)


async def _totals(story: YearStory, store: EventStore, commands: int) -> YearTotals:
    standings = store.standings(kind="project", realm=story.realm)
    rows = [(row, Summary.read(row.summary).particulars) async for row in standings]
    confirmed = {
        f"AP-{story.share.year}-{bid.number}" for bid in story.bids if bid.ending in ("archived", "terminated")
    }
    awarded = [particulars for row, particulars in rows if row.stream.name in confirmed and particulars["award"]]
    return YearTotals(
        year=story.share.year,
        realm=story.realm,
        projects=len(awarded),
        awarded_fen=sum(p["award"] for p in awarded),
        paid_fen=sum(p["paid"] for _, p in rows),
        net_fen=sum(p["net"] for _, p in rows),
        bids=len(rows),
        commands=commands,
    )
