"""The log against Temporal, both ways. The log is right: what is missing is started from it, what is stale looks again.

Losing Temporal's data, or restoring an older backup of Postgres, shows here as differences and nowhere as damage.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError

from domain.catalogue import AGGREGATES
from domain.kernel.clock import Clock
from domain.kernel.envelope import Progress
from domain.kernel.identity import StreamId
from followers.schedules import PREFIX, RoundSchedules, iterate_programmes, load_alarms
from workflows.kinds import workflow_type

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from temporalio.client import Client

    from application.door import Door
    from store.port import EventStore, Standing

_PAGE = 500
_AT_ONCE = 8
_ANSWER = timedelta(seconds=5)
"""How long a workflow is asked what it knows: one that no worker serves would keep all others waiting."""


class Discrepancy(StrEnum):
    """How a stream and its workflow may disagree, or an annual round and its alarm."""

    MISSING = "MISSING"
    """The log waits for something, and no workflow runs or no alarm is set: it is made from the log."""
    STALE = "STALE"
    """The workflow knows an earlier version than the log's: it is to look again."""
    AHEAD = "AHEAD"
    """The workflow knows a later version than the log has: an older backup was restored. The log wins."""
    ALTERED = "ALTERED"
    """An alarm is set otherwise than the log has it, or was cancelled there: it is to be set right."""
    STRAY = "STRAY"
    """A workflow runs, or an alarm is set, of which the log knows nothing: it is to be looked at by a person."""

    @property
    def zh(self) -> str:
        """What the office says."""
        return _ZH[self]

    @property
    def mend(self) -> tuple[str, str]:
        """What to do, in Chinese and English."""
        return _MENDS[self]

    @property
    def mended(self) -> tuple[str, str]:
        """What was done."""
        return _MENDED[self]


_ZH = {
    Discrepancy.MISSING: "缺失",
    Discrepancy.STALE: "落後",
    Discrepancy.AHEAD: "超前",
    Discrepancy.ALTERED: "被改",
    Discrepancy.STRAY: "無記錄",
}
_MENDED = {
    Discrepancy.MISSING: ("✓ 已由日誌重建", "✓ started from the log"),
    Discrepancy.STALE: ("✓ 已令其重讀日誌", "✓ told to read the log again"),
    Discrepancy.AHEAD: ("✓ 已令其以日誌為準", "✓ told to follow the log"),
    Discrepancy.ALTERED: ("✓ 已按日誌重設", "✓ set as the log has it"),
    Discrepancy.STRAY: ("✓ 已令其結束", "✓ ended"),
}
_MENDS = {
    Discrepancy.MISSING: ("venture resurrect 會由日誌重建", "venture resurrect starts it from the log"),
    Discrepancy.STALE: ("venture resurrect 會令其重讀日誌", "venture resurrect has it read the log again"),
    Discrepancy.AHEAD: (
        "Postgres 可能恢復自較舊備份：先核對備份，再以 venture resurrect 令其以日誌為準",
        "Postgres may come from an older backup: check it, then venture resurrect has the workflow follow the log",
    ),
    Discrepancy.ALTERED: (
        "與日誌不同（或已取消、或遭暫停）：venture resurrect 會按日誌重設",
        "set otherwise than the log has it, cancelled there, or paused: venture resurrect sets it right",
    ),
    Discrepancy.STRAY: (
        "日誌中無此記錄：請人工核對，再以 venture resurrect --strays 令其結束",
        "the log knows nothing of it: check, then venture resurrect --strays ends it",
    ),
}


@dataclass(frozen=True)
class ReconcileFinding:
    """One difference."""

    stream: str
    """Of an alarm its own id: ``annual/live/FZ``."""
    difference: Discrepancy
    log_version: int
    workflow_version: int | None
    mended: bool = False

    @property
    def told(self) -> tuple[str, str]:
        """What to do, or what was done, in Chinese and English."""
        return self.difference.mended if self.mended else self.difference.mend

    def as_json(self) -> dict[str, Any]:
        """For a machine."""
        zh, en = self.told
        return {
            "stream": self.stream,
            "difference": self.difference,
            "log_version": self.log_version,
            "workflow_version": self.workflow_version,
            "mended": self.mended,
            "mend_zh": zh,
            "mend_en": en,
        }


@dataclass
class Reconciliation:
    """What was compared, and what differs."""

    streams: int = 0
    workflows: int = 0
    alarms: int = 0
    found: list[ReconcileFinding] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """For a machine."""
        counted = {"streams": self.streams, "workflows": self.workflows, "alarms": self.alarms}
        return {**counted, "found": [f.as_json() for f in self.found]}


async def reconcile(store: EventStore, client: Client, task_queue: str) -> Reconciliation:
    """Compare every stream on the wall clock with the open workflows and alarms of Temporal. Changes nothing."""
    open_ids = {w async for w in _open_workflows(client)}
    result = Reconciliation(workflows=len(open_ids))
    places = asyncio.Semaphore(_AT_ONCE)

    async def compared(standing: Standing) -> ReconcileFinding | None:
        async with places:
            return await _compared(client, standing, is_open=standing.stream in open_ids)

    standings = [standing async for standing in store.standings()]
    waiting = [s for s in standings if s.clock is Clock.WALL or s.stream in open_ids]
    result.streams = len(waiting)
    for first in range(0, len(waiting), _AT_ONCE):
        batch = waiting[first : first + _AT_ONCE]
        result.found.extend(f for f in await asyncio.gather(*map(compared, batch)) if f is not None)
    strays = sorted(open_ids - {s.stream for s in standings})
    result.found.extend(ReconcileFinding(workflow, Discrepancy.STRAY, 0, None) for workflow in strays)
    await _compare_alarms(store, RoundSchedules(client, task_queue), result)
    return result


async def resurrect(
    store: EventStore,
    client: Client,
    door: Door,
    *,
    strays: bool = False,
) -> Reconciliation:
    """Start every missing workflow from the log, have stale ones look again, set the alarms. Twice does no harm.

    ``strays`` has those look too of whose stream the log knows nothing: they find nothing and end. Alarms that nobody
    scheduled it takes away.
    """
    result = await reconcile(store, client, door.task_queue)
    alarms, places = RoundSchedules(client, door.task_queue), asyncio.Semaphore(_AT_ONCE)

    async def mended(found: ReconcileFinding) -> ReconcileFinding:
        if found.difference is Discrepancy.STRAY and not strays:
            return found
        async with places:
            if not found.stream.startswith(PREFIX):
                await door.look(StreamId(found.stream))
            elif found.difference is Discrepancy.STRAY:
                await alarms.take_away(found.stream)
            return replace(found, mended=True)

    async for programme in iterate_programmes(store):
        await alarms.keep(store, programme.stream)
    result.found = list(await asyncio.gather(*map(mended, result.found)))
    return result


def is_awaited(standing: Standing) -> bool:
    """Whether a workflow must be running for this stream: a deadline runs, or its life is not over."""
    own_workflow = workflow_type(standing.stream.kind) != "Register"
    return standing.due_at is not None or (
        own_workflow and standing.stage not in AGGREGATES[standing.stream.kind].final
    )


async def _compared(client: Client, standing: Standing, *, is_open: bool) -> ReconcileFinding | None:
    if not is_open:
        awaited = standing.clock is Clock.WALL and is_awaited(standing)
        return ReconcileFinding(standing.stream, Discrepancy.MISSING, standing.version, None) if awaited else None
    knows = await _version_known(client, standing.stream)
    if knows is None or knows < standing.version:
        return ReconcileFinding(standing.stream, Discrepancy.STALE, standing.version, knows)
    if knows > standing.version:
        return ReconcileFinding(standing.stream, Discrepancy.AHEAD, standing.version, knows)
    return None


async def _version_known(client: Client, stream: StreamId) -> int | None:
    """The version that the workflow believes in; None if it has not looked yet, or has just ended."""
    try:
        progress = await client.get_workflow_handle(stream).query(
            "progress",
            result_type=Progress | None,  # type: ignore[arg-type] # a union is a type to the converter
            rpc_timeout=_ANSWER,
        )
    except RPCError:
        return None
    return progress.version if progress is not None else None


async def _compare_alarms(store: EventStore, alarms: RoundSchedules, result: Reconciliation) -> None:
    """Those that the log wants or has cancelled, one by one; then those that are set and that it never knew."""
    known: set[str] = set()
    async for programme in iterate_programmes(store):
        for alarm_id, alarm in (await load_alarms(store, programme.stream)).items():
            known.add(alarm_id)
            result.alarms += alarm is not None
            if not await alarms.is_right(alarm_id, alarm):
                there = await alarms.described(alarm_id)
                difference = Discrepancy.ALTERED if there else Discrepancy.MISSING
                result.found.append(ReconcileFinding(alarm_id, difference, programme.version, None))
    strays = [alarm_id for alarm_id in await alarms.listed() if alarm_id not in known]
    result.found.extend(ReconcileFinding(alarm_id, Discrepancy.STRAY, 0, None) for alarm_id in strays)


async def _open_workflows(client: Client) -> AsyncIterator[str]:
    query = f"ExecutionStatus = '{WorkflowExecutionStatus.RUNNING.name.title()}'"
    async for workflow in client.list_workflows(query):
        if workflow.workflow_type in {"Need", "Round", "Project", "Register"}:
            yield workflow.id
