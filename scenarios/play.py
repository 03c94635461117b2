"""Plays a plan through the real workflows on its own manual clock, and says whether the story came out as told.

A play that is cut off anywhere goes on where it stopped when it is started again: every row has its own command id.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from application.door import CommandRequest, Door, NotKnown, receipt
from deciding.fold import fold, read_occurrence
from domain.catalogue import AGGREGATES, split_subject
from domain.kernel.calendar import local_day
from domain.kernel.canonical import plain
from domain.kernel.identifier import Actor, StreamId, derive_id
from domain.kernel.refusal import CommandRejected, Unmet
from domain.registers.calendar import calendar_stream
from domain.registers.scheme import PublishPolicyPack, scheme_stream
from scenarios.plan import PlannedCommand
from schemes.calendars import load_published

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence

    from domain.kernel.envelope import Answer
    from domain.kernel.message import Command
    from scenarios.format import ExpectedEnd
    from scenarios.plan import Expectation, Plan
    from store.port import Entry, EventStore

ASK_AGAIN_S = 1.0
MOST_ASKING_S = 300.0
"""How long, in seconds, a row is asked again where its outcome is not known."""


class PlayProgress(Protocol):
    """Told how far a play has come."""

    def on_begin(self, plan: Plan, rows: int) -> None:
        """A play of that many rows begins."""

    def on_row(self, row: PlannedCommand) -> None:
        """The row was carried out."""

    def on_wait(self, _row: PlannedCommand, why: str) -> None:
        """No answer yet: the row will be asked again under the same id."""


class SilentPlay:
    """Shows nothing of how far a play has come."""

    def on_begin(self, plan: Plan, rows: int) -> None:
        """Show nothing of the beginning."""

    def on_row(self, row: PlannedCommand) -> None:
        """Show nothing of a row."""

    def on_wait(self, row: PlannedCommand, why: str) -> None:
        """Show nothing of the wait."""


@dataclass(frozen=True)
class RefusalResult:
    """How a command that must be refused was answered."""

    row: int
    line: int
    at: str
    command: str
    subject: str
    expected: str
    got: tuple[Unmet, ...]
    ok: bool

    def as_json(self) -> dict[str, Any]:
        """As JSON: ``got`` has the rules that refused, ``unmet`` what they say."""
        return {
            "row": self.row,
            "line": self.line,
            "at": self.at,
            "command": self.command,
            "subject": self.subject,
            "expected": self.expected,
            "got": [u.rule for u in self.got],
            "unmet": [u.as_json() for u in self.got],
            "ok": self.ok,
        }


@dataclass(frozen=True)
class Deviation:
    """Where the story went otherwise than told."""

    row: int
    line: int
    zh: str
    en: str
    unmet: tuple[Unmet, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As JSON: row and line of the scenario, counted from 1, and what was otherwise in both languages."""
        return {
            "row": self.row,
            "line": self.line,
            "zh": self.zh,
            "en": self.en,
            "unmet": [u.as_json() for u in self.unmet],
        }


@dataclass(frozen=True)
class ProjectEnd:
    """How one project ended."""

    state: str
    paid_fen: int
    returned_fen: int
    """Surplus returned and money clawed back, in fen."""
    net_fen: int
    events: int
    stream: StreamId
    expected: ExpectedEnd | None
    """How the file says that it must end; None if it does not say."""

    @property
    def ok(self) -> bool:
        """Whether it ended as the scenario expects."""
        return self.expected is None or (
            self.expected.state == self.state and self.expected.net in (None, self.net_fen)
        )

    def as_json(self) -> dict[str, Any]:
        """As JSON: sums in fen; ``expected`` is null where the scenario expects nothing."""
        return {
            "state": self.state,
            "paid_fen": self.paid_fen,
            "returned_fen": self.returned_fen,
            "net_fen": self.net_fen,
            "events": self.events,
            "stream": self.stream,
            "expected": self.expected.model_dump(exclude_none=True) if self.expected else None,
            "ok": self.ok,
        }


@dataclass
class PlayResult:
    """What came of a play."""

    plan: Plan
    projects: dict[str, ProjectEnd] = field(default_factory=dict)
    refusals: list[RefusalResult] = field(default_factory=list)
    deviations: list[Deviation] = field(default_factory=list)
    rows: int = 0

    @property
    def ok(self) -> bool:
        """Whether the story came out as told, to the last row."""
        return (
            not self.deviations
            and all(r.ok for r in self.refusals)
            and len(self.refusals) == len(self.plan.scenario.must_refuse)
            and all(p.ok for p in self.projects.values())
        )

    def as_json(self) -> dict[str, Any]:
        """As JSON: ``ok`` only where everything came as the scenario says."""
        return {
            "id": self.plan.scenario.id,
            "file": self.plan.document.file,
            "realm": self.plan.realm,
            "rows": self.rows,
            "projects": {name: ended.as_json() for name, ended in self.projects.items()},
            "refusals": [r.as_json() for r in self.refusals],
            "deviations": [d.as_json() for d in self.deviations],
            "ok": self.ok,
        }


async def play(plan: Plan, door: Door, store: EventStore, progress: PlayProgress | None = None) -> PlayResult:
    """Play every row in order, then look whether the clock and the projects did what the file says."""
    return await _Play(plan, door, store, progress or SilentPlay()).play()


def bundles(rows: Iterable[PlannedCommand]) -> Iterator[Sequence[PlannedCommand]]:
    """Rows of one stream that follow on one another; what must be refused ends its bundle, lest the play go on."""
    bundle: list[PlannedCommand] = []
    for row in rows:
        if bundle and (row.stream != bundle[0].stream or bundle[-1].must_refuse is not None):
            yield bundle
            bundle = []
        bundle.append(row)
    if bundle:
        yield bundle


class _Play:
    def __init__(self, plan: Plan, door: Door, store: EventStore, progress: PlayProgress) -> None:
        self._plan = plan
        self._door = door
        self._store = store
        self._progress = progress
        self._result = PlayResult(plan)

    async def play(self) -> PlayResult:
        self._progress.on_begin(self._plan, len(self._plan.orders))
        await self._door.open_realm(self._plan.realm)
        await self._publish()
        await self._appoint()
        if not self._result.deviations:
            await self._play_rows()
        await self._check_projects()
        return self._result

    async def _play_rows(self) -> None:
        for bundle in bundles(self._plan.orders):
            async with aclosing(self._send(bundle)) as answers:
                async for row, answer in answers:
                    self._judge(row, answer)
                    self._progress.on_row(row)
                    if self._result.deviations:
                        return
        await self._door.move_clock(self._plan.realm, self._plan.ends)
        await self._check_expectations()

    async def _publish(self) -> None:
        """Working days and rules come before everything else."""
        begins = local_day(self._plan.begins).year
        days = [
            self._publication(
                calendar_stream(self._plan.realm),
                year.notice,
                f"calendar {year.year}",
            )
            for year in load_published(begins, local_day(self._plan.ends).year + 1)
        ]
        rules = self._publication(
            scheme_stream(self._plan.realm, self._plan.scheme.name),
            PublishPolicyPack(scheme=self._plan.scheme),
            "scheme",
        )
        for bundle in (days, [rules]):
            async for row, answer in self._send(bundle):
                receipt(row.command_id, answer)

    async def _appoint(self) -> None:
        """Then the story's own persons come onto their seats; what is refused ends the play before its first row."""
        for bundle in bundles(self._plan.appointments):
            async for row, answer in self._send(bundle):
                try:
                    receipt(row.command_id, answer)
                except CommandRejected as refused:
                    self._judge_refusal(row, refused.unmet)

    def _publication(self, stream: StreamId, command: Command, name: str) -> PlannedCommand:
        command_id = derive_id("scenario", self._plan.realm, name)
        return PlannedCommand(0, 1, self._plan.begins, stream, command, Actor(f"{command.by[0]}#1"), command_id)

    async def _send(self, bundle: Sequence[PlannedCommand]) -> AsyncGenerator[tuple[PlannedCommand, Answer], None]:
        """Each row with its answer, asked again under the same id until there is one: it is never carried out twice."""
        done, deadline = 0, asyncio.get_running_loop().time() + MOST_ASKING_S
        while done < len(bundle):
            requests = [
                CommandRequest(row.command, row.actor, row.command_id, row.at, derived=True, person=row.person)
                for row in bundle[done:]
            ]
            try:
                async with aclosing(self._door.send_each(bundle[0].stream, requests)) as answers:
                    async for answer in answers:
                        yield bundle[done], answer
                        done, deadline = done + 1, asyncio.get_running_loop().time() + MOST_ASKING_S
            except NotKnown as unknown:
                if asyncio.get_running_loop().time() > deadline:
                    raise
                self._progress.on_wait(bundle[done], unknown.why)
                await asyncio.sleep(ASK_AGAIN_S)

    def _judge(self, row: PlannedCommand, answer: Answer) -> None:
        self._result.rows += 1
        try:
            receipt(row.command_id, answer)
        except CommandRejected as refused:
            self._judge_refusal(row, refused.unmet)
            return
        if row.must_refuse is not None:
            self._note_refusal(row, ())
            self._note_acceptance(row)

    def _note_acceptance(self, row: PlannedCommand) -> None:
        """What should have been refused is recorded now: the story cannot go on as told."""
        command = row.command
        self._result.deviations.append(
            Deviation(
                row.number,
                row.line,
                f"第 {row.number} 項「{command.zh()}」應依 {row.must_refuse} 被拒，卻已受理記錄，播放到此為止",
                f"refusal {row.number}: {command.command_type} should have been refused by {row.must_refuse}; "
                "it was accepted and is recorded, so the play ends here",
            )
        )

    def _judge_refusal(self, row: PlannedCommand, unmet: tuple[Unmet, ...]) -> None:
        if row.must_refuse is not None:
            self._note_refusal(row, unmet)
            return
        command = row.command
        self._result.deviations.append(
            Deviation(
                row.number,
                row.line,
                f"第 {row.number} 行「{command.zh()}」（{row.stream.name}）被拒",
                f"row {row.number}, {command.command_type} on {row.stream.name}, was refused",
                unmet,
            )
        )

    def _note_refusal(self, row: PlannedCommand, unmet: tuple[Unmet, ...]) -> None:
        expected = row.must_refuse or ""
        self._result.refusals.append(
            RefusalResult(
                row=row.number,
                line=row.line,
                at=row.at.isoformat(),
                command=row.command.command_type,
                subject=row.stream.name,
                expected=expected,
                got=unmet,
                ok=expected in {u.rule for u in unmet},
            )
        )

    async def _check_expectations(self) -> None:
        """Every deadline that the file expects fell due on its day, each event matched once."""
        matched: set[tuple[StreamId, int]] = set()
        for expected in self._plan.expectations:
            entry = await self._matching_entry(expected, matched)
            if entry is None:
                self._result.deviations.append(
                    Deviation(
                        expected.number,
                        expected.line,
                        f"第 {expected.number} 行：時鐘在 {expected.day} 沒有產生 {expected.event_type}",
                        f"row {expected.number}: the clock brought about no {expected.event_type} on {expected.day}",
                    )
                )
            else:
                matched.add((expected.stream, entry.version))

    async def _matching_entry(self, expected: Expectation, matched: set[tuple[StreamId, int]]) -> Entry | None:
        async for entry in self._store.read(expected.stream):
            if entry.type != expected.event_type or (expected.stream, entry.version) in matched:
                continue
            particulars = plain(read_occurrence(entry).event)
            agrees = all(str(particulars.get(k)) == str(v) for k, v in expected.data.items())
            if local_day(entry.occurred_at) == expected.day and agrees:
                return entry
        return None

    async def _check_projects(self) -> None:
        for name in self._names():
            stream = self._plan.stream(name)
            entries: Sequence[Entry] = [entry async for entry in self._store.read(stream)]
            state = fold(stream, entries)
            summary = AGGREGATES["project"].summary(state)
            expected = self._plan.scenario.expect.get(name)
            paid, net = _int_or_zero(summary.get("paid")), _int_or_zero(summary.get("net"))
            self._result.projects[name] = ProjectEnd(
                state=state.stage,
                paid_fen=paid,
                returned_fen=paid - net,
                net_fen=net,
                events=len(entries),
                stream=stream,
                expected=expected,
            )

    def _names(self) -> list[str]:
        """Every project of the file, expected or not, in the file's order."""
        awarded = [split_subject(row.subject)[0] for row in self._plan.scenario.events]
        names = [*self._plan.scenario.projects, *self._plan.scenario.expect]
        return list(dict.fromkeys([*names, *(a for a in awarded if a.startswith("PJ-"))]))


def _int_or_zero(value: object) -> int:
    return value if isinstance(value, int) else 0
