"""The log against Temporal, both ways. The log is right: what is missing is started from it, what is stale looks again.

Losing Temporal's data, or restoring an older backup of Postgres, shows here as differences and nowhere as damage.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from temporalio.client import WorkflowExecutionStatus, WorkflowQueryFailedError
from temporalio.service import RPCError

from application.builds import STREAM_WORKFLOWS, find_stranded, iterate_open
from domain.catalogue import AGGREGATES
from domain.kernel.clock import Clock
from domain.kernel.envelope import Progress
from domain.kernel.identifier import StreamId
from domain.kernel.words import Words
from followers.schedules import PREFIX, RoundSchedules, iterate_programmes, load_schedules
from payload_codec import PayloadRefused
from workflows.kinds import workflow_type

if TYPE_CHECKING:
    from temporalio.client import Client

    from application.door import Door
    from store.port import EventStore, Standing

_BATCH = 500
"""Streams compared before the next are begun, so that a large log does not make a task for each."""
_AT_ONCE = 8
_FOREIGN = f"ExecutionStatus = 'Running' AND WorkflowType NOT IN ({', '.join(map(repr, STREAM_WORKFLOWS))})"
"""Open workflows that stand for no stream: an annual round's, a probe's, a stranger's."""
_FOLLOWS_S = 15.0
"""How long a workflow that was told to follow the log may take to say that it does."""
_AGAIN_S = 0.1
_PATIENCE = timedelta(seconds=5)
"""How long a workflow may take to say what it knows: one that no worker serves would keep all others waiting."""


class Discrepancy(Words):
    """How a stream and its workflow may disagree, or an annual round and its schedule."""

    MISSING = "MISSING", "缺失", "missing"
    """The log waits for something, and no workflow runs or no schedule is set: it is made from the log."""
    STALE = "STALE", "落後", "behind"
    """The workflow knows an earlier version than the log's: it is to look again."""
    AHEAD = "AHEAD", "超前", "ahead"
    """The workflow knows a later version than the log has: an older backup was restored. The log wins."""
    STUCK = "STUCK", "受阻", "stuck"
    """The workflow can do nothing: its task fails, or it is another's under our id. It is to end and begin anew."""
    ALTERED = "ALTERED", "被改", "altered"
    """A schedule is set otherwise than the log has it, or was cancelled there: it is to be set right."""
    STRANDED = "STRANDED", "擱置", "stranded"
    """The workflow is pinned to a build for which nobody works any more: it is begun anew on the current one."""
    SILENT = "SILENT", "無應答", "silent"
    """The workflow does not say what it knows: no worker has taken its question in time."""
    STRAY = "STRAY", "無記錄", "unknown to the log"
    """A workflow runs, or a schedule is set, of which the log knows nothing: a person is to look at it."""

    @property
    def remedy(self) -> tuple[str, str]:
        """What to do, in Chinese and English."""
        return _REMEDIES[self]

    @property
    def done(self) -> tuple[str, str]:
        """What was done, in Chinese and English."""
        return _DONE[self]


_DONE = {
    Discrepancy.MISSING: ("✓ 已由日誌重建", "✓ started from the log"),
    Discrepancy.STALE: ("✓ 已令其重讀日誌", "✓ told to read the log again"),
    Discrepancy.AHEAD: ("✓ 已令其以日誌為準", "✓ told to follow the log"),
    Discrepancy.STUCK: ("✓ 已終止，並由日誌重建", "✓ ended, and started from the log"),
    Discrepancy.ALTERED: ("✓ 已按日誌重設", "✓ set as the log has it"),
    Discrepancy.STRANDED: ("✓ 已在現行版本上由日誌重建", "✓ begun anew from the log, on the current build"),
    Discrepancy.SILENT: ("✓ 已令其重讀日誌", "✓ told to read the log again"),
    Discrepancy.STRAY: ("✓ 已令其結束", "✓ ended"),
}
_REMEDIES = {
    Discrepancy.MISSING: ("venture resurrect 會由日誌重建", "venture resurrect starts it from the log"),
    Discrepancy.STALE: ("venture resurrect 會令其重讀日誌", "venture resurrect has it read the log again"),
    Discrepancy.AHEAD: (
        "Postgres 可能恢復自較舊備份：先核對備份，再以 venture resurrect 令其以日誌為準",
        "Postgres may come from an older backup: check it, then venture resurrect has the workflow follow the log",
    ),
    Discrepancy.STUCK: (
        "其任務失敗（密鑰、版本），或係他人所開：venture resurrect 會終止它並由日誌重建",
        "its task fails (keys, build), or it is a stranger's: venture resurrect ends it and starts it from the log",
    ),
    Discrepancy.ALTERED: (
        "與日誌不同（或已取消、或遭暫停）：venture resurrect 會按日誌重設",
        "set otherwise than the log has it, cancelled there, or paused: venture resurrect sets it right",
    ),
    Discrepancy.STRANDED: (
        "所屬版本已無 worker：venture builds move（或 resurrect）由日誌在現行版本上重建",
        "nobody works for its build: venture builds move (or resurrect) begins it anew on the current one",
    ),
    Discrepancy.SILENT: (
        "worker 沒有應答：先看 venture doctor，再以 venture resurrect 令其重讀日誌",
        "no worker answered: look at venture doctor, then venture resurrect has it read the log again",
    ),
    Discrepancy.STRAY: (
        "日誌中無此記錄：請人工核對，再以 venture resurrect --strays 令其結束",
        "the log knows nothing of it: check, then venture resurrect --strays ends it",
    ),
}


@dataclass(frozen=True)
class ReconcileFinding:
    """One difference between the log and Temporal."""

    stream: str
    """Of an annual round's schedule its own id: ``annual/live/FZ``."""
    difference: Discrepancy
    log_version: int
    workflow_version: int | None
    mended: bool = False
    tried: bool = False
    """Whether it was told to follow the log and has not answered since."""

    @property
    def advice(self) -> tuple[str, str]:
        """What to do, or what was done, in Chinese and English."""
        if self.tried and not self.mended:
            return (
                "已令其以日誌為準，但它至今沒有應答：看 venture doctor 的「worker 應答」與「版本」",
                "it was told to follow the log and has not answered: see worker answers and builds in venture doctor",
            )
        return self.difference.done if self.mended else self.difference.remedy

    def as_json(self) -> dict[str, Any]:
        """As JSON, with what mends it in both languages; ``workflow_version`` is null where it has no workflow."""
        zh, en = self.advice
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
    schedules: int = 0
    findings: list[ReconcileFinding] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """As JSON: how many of each were compared, and every difference."""
        counted = {"streams": self.streams, "workflows": self.workflows, "alarms": self.schedules}
        return {**counted, "found": [finding.as_json() for finding in self.findings]}


async def reconcile(store: EventStore, client: Client, task_queue: str) -> Reconciliation:
    """Compare every stream on the wall clock with Temporal's open workflows and schedules. Changes nothing."""
    open_ids = dict([opened async for opened in iterate_open(client)])
    stranded = await find_stranded(client, task_queue, open_ids)
    foreign = {workflow.id async for workflow in client.list_workflows(_FOREIGN)}
    result = Reconciliation(workflows=len(open_ids))
    places = asyncio.Semaphore(_AT_ONCE)

    async def compare(standing: Standing) -> ReconcileFinding | None:
        if standing.stream in stranded:
            return ReconcileFinding(standing.stream, Discrepancy.STRANDED, standing.version, None)
        if standing.stream in foreign:
            return ReconcileFinding(standing.stream, Discrepancy.STUCK, standing.version, None)
        async with places:
            return await _compare(client, standing, is_open=standing.stream in open_ids)

    standings = [standing async for standing in store.standings()]
    waiting = [s for s in standings if s.clock is Clock.WALL or s.stream in open_ids]
    result.streams = len(waiting)
    for first in range(0, len(waiting), _BATCH):
        batch = waiting[first : first + _BATCH]
        result.findings.extend(f for f in await asyncio.gather(*map(compare, batch)) if f is not None)
    strays = sorted(open_ids.keys() - {s.stream for s in standings})
    result.findings.extend(ReconcileFinding(workflow, Discrepancy.STRAY, 0, None) for workflow in strays)
    await _compare_schedules(store, RoundSchedules(client, task_queue), result)
    return result


async def resurrect(
    store: EventStore, client: Client, task_queue: str, door: Door, *, strays: bool = False
) -> Reconciliation:
    """Start every missing workflow from the log, have stale ones look again, set the schedules. Twice does no harm.

    ``strays`` has those look too of whose stream the log knows nothing: they read nothing and end. Schedules that the
    log does not know it takes away.
    """
    result = await reconcile(store, client, task_queue)
    schedules, places = RoundSchedules(client, task_queue), asyncio.Semaphore(_AT_ONCE)

    async def mend(finding: ReconcileFinding) -> ReconcileFinding:
        if finding.difference is Discrepancy.STRAY and not strays:
            return finding
        async with places:
            if not finding.stream.startswith(PREFIX):
                return await _mend_workflow(client, door, finding)
            if finding.difference is Discrepancy.STRAY:
                await schedules.delete(finding.stream)
            return replace(finding, mended=True)

    async for programme in iterate_programmes(store):
        await schedules.keep(store, programme.stream)
    result.findings = list(await asyncio.gather(*map(mend, result.findings)))
    return result


async def move(
    store: EventStore, client: Client, door: Door, task_queue: str, *, away_from: str | None = None
) -> list[ReconcileFinding]:
    """Begin every workflow anew, on the current build, whose own build nobody works for; what was done to each.

    ``away_from`` names a build that is gone though its workers have polled in the last minute. Nothing is lost by it: a
    workflow holds nothing that cannot be read back from the log.
    """
    opened = dict([each async for each in iterate_open(client)])
    findings: list[ReconcileFinding] = []
    left = {workflow for workflow, build_id in opened.items() if build_id and build_id == away_from}
    for workflow in sorted(left | await find_stranded(client, task_queue, opened)):
        standing = await store.standing(StreamId(workflow))
        version = standing.version if standing is not None else 0
        finding = ReconcileFinding(workflow, Discrepancy.STRANDED, version, None)
        findings.append(await _mend_workflow(client, door, finding))
    return findings


async def _mend_workflow(client: Client, door: Door, finding: ReconcileFinding) -> ReconcileFinding:
    """Have the workflow follow the log, begun anew where its build is gone or it is stuck; and see that it does."""
    stream = StreamId(finding.stream)
    if finding.difference in {Discrepancy.STRANDED, Discrepancy.STUCK}:
        with suppress(RPCError):  # it has just ended by itself
            await client.get_workflow_handle(stream).terminate("it could do nothing; it goes on from the log")
    await door.look(stream)
    until = asyncio.get_running_loop().time() + _FOLLOWS_S
    while asyncio.get_running_loop().time() < until:
        if not await _is_open(client, stream):  # nothing is waited for: it has read so in the log, and ended
            return replace(finding, mended=True, tried=True)
        if (await _query_version(client, stream) or 0) == finding.log_version:
            return replace(finding, mended=True, tried=True)
        await asyncio.sleep(_AGAIN_S)
    return replace(finding, tried=True)


async def _is_open(client: Client, stream: StreamId) -> bool:
    description = await client.get_workflow_handle(stream).describe()
    return description.status is WorkflowExecutionStatus.RUNNING


def is_awaited(standing: Standing) -> bool:
    """Whether a workflow must be running for this stream: a deadline runs, or its life is not over."""
    has_own_workflow = workflow_type(standing.stream.kind) != "Register"
    return standing.due_at is not None or (
        has_own_workflow and standing.stage not in AGGREGATES[standing.stream.kind].final
    )


async def _compare(client: Client, standing: Standing, *, is_open: bool) -> ReconcileFinding | None:
    if not is_open:
        awaited = standing.clock is Clock.WALL and is_awaited(standing)
        return ReconcileFinding(standing.stream, Discrepancy.MISSING, standing.version, None) if awaited else None
    version = await _query_version(client, standing.stream)
    if version is None:
        silence = Discrepancy.STUCK if await _is_stuck(client, standing.stream) else Discrepancy.SILENT
        return ReconcileFinding(standing.stream, silence, standing.version, None)
    if version < standing.version:
        return ReconcileFinding(standing.stream, Discrepancy.STALE, standing.version, version)
    if version > standing.version:
        return ReconcileFinding(standing.stream, Discrepancy.AHEAD, standing.version, version)
    return None


async def _query_version(client: Client, stream: StreamId) -> int | None:
    """The version that the workflow believes in, 0 if it has not looked yet; None if it does not answer."""
    try:
        progress = await client.get_workflow_handle(stream).query(
            "progress",
            result_type=Progress | None,  # type: ignore[arg-type] # a union is a type to the converter
            rpc_timeout=_PATIENCE,
        )
    except (RPCError, WorkflowQueryFailedError, PayloadRefused):
        return None
    return progress.version if progress is not None else 0


async def _is_stuck(client: Client, stream: StreamId) -> bool:
    """Whether whoever serves the workflow cannot replay it (without its keys, or of another build), tried just now."""
    handle = client.get_workflow_handle(stream)
    try:
        await handle.query("progress", rpc_timeout=_PATIENCE)
    except WorkflowQueryFailedError:
        return True
    except (RPCError, PayloadRefused):
        try:
            return (await handle.describe()).raw_description.pending_workflow_task.attempt > 1
        except RPCError:
            return False
    return False


async def _compare_schedules(store: EventStore, schedules: RoundSchedules, result: Reconciliation) -> None:
    """Those that the log wants or has cancelled, one by one; then those that are set and that it never knew."""
    known: set[str] = set()
    async for programme in iterate_programmes(store):
        for key, schedule in (await load_schedules(store, programme.stream)).items():
            known.add(key)
            result.schedules += schedule is not None
            if not await schedules.is_right(key, schedule):
                difference = Discrepancy.ALTERED if await schedules.describe(key) else Discrepancy.MISSING
                result.findings.append(ReconcileFinding(key, difference, programme.version, None))
    strays = [key for key in await schedules.list_ids() if key not in known]
    result.findings.extend(ReconcileFinding(key, Discrepancy.STRAY, 0, None) for key in strays)
