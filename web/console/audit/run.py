"""Long runs of an audit: begun by a page, carried out beside it, and looked at as often as wanted. One at a time.

They are kept by this process alone and change nothing: after a restart the run is begun again.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid4

import structlog

from domain.kernel.failure import Defect, Failure, FailureKind
from domain.kernel.privacy import describe_trace
from domain.kernel.words import Words

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from audit.invariants import Report
    from audit.replay import Replay
    from audit.verification import Verification

log = structlog.get_logger()

MOST_KEPT: Final = 20


class RunKind(Words):
    """What an audit run does."""

    VERIFY = "verify", "核驗全部日誌", "Verify the whole log"
    INVARIANTS = "invariants", "重算不變量", "Recompute the invariants"
    REPLAY = "replay", "復算核對一個卷宗", "Replay one file"


class RunsBusy(Failure):
    """Another audit run has not ended yet."""

    kind = FailureKind.CONFLICT
    remedy_zh = "待其結束後再開始"
    remedy_en = "Wait until it is done, then begin"

    def __init__(self, running: AuditRun) -> None:
        super().__init__(f"正在進行：{running.kind.zh}", f"under way: {running.kind.en}")


class NoSuchRun(Failure):
    """No run of that id is kept here."""

    kind = FailureKind.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("沒有此次核對；服務重啟後須重新開始", "no such run: after a restart it is begun again")


@dataclass
class AuditRun:
    """One run, and how far it has come. It watches the pass."""

    kind: RunKind
    asker: str
    subject: str = ""
    id: UUID = field(default_factory=uuid4)
    begun_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    ended_at: datetime | None = None
    entries: int = 0
    """How many there are to go through; 0 while that is not known."""
    reached: int = 0
    result: Verification | Report | Replay | None = None
    failure: Failure | None = None

    def begin(self, entries: int) -> None:
        """A pass over that many entries begins."""
        self.entries, self.reached = entries, 0

    def advance(self, position: int) -> None:
        """Everything up to that position is looked at."""
        self.reached = position
        self.entries = max(self.entries, position)


class Runs:
    """The audit runs of this process, one at a time; the newest are kept."""

    def __init__(self) -> None:
        self._runs: OrderedDict[UUID, AuditRun] = OrderedDict()
        self._task: asyncio.Task[None] | None = None

    def begin(self, run: AuditRun, work: Callable[[AuditRun], Awaitable[Verification | Report | Replay]]) -> AuditRun:
        """Have it carried out. Raises RunsBusy while another runs."""
        running = next((one for one in self._runs.values() if one.ended_at is None), None)
        if running is not None:
            raise RunsBusy(running)
        self._runs[run.id] = run
        while len(self._runs) > MOST_KEPT:
            self._runs.popitem(last=False)
        self._task = asyncio.create_task(self._carry_out(run, work))
        return run

    def find(self, run_id: UUID) -> AuditRun:
        """The run of that id. Raises NoSuchRun."""
        run = self._runs.get(run_id)
        if run is None:
            raise NoSuchRun
        return run

    def list(self) -> Sequence[AuditRun]:
        """Those that are kept, the newest first."""
        return list(reversed(self._runs.values()))

    async def aclose(self) -> None:
        """Cancel the run that is under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _carry_out(
        self, run: AuditRun, work: Callable[[AuditRun], Awaitable[Verification | Report | Replay]]
    ) -> None:
        try:
            run.result = await work(run)
        except Failure as failure:
            run.failure = failure
        except Exception as fault:  # noqa: BLE001 - told to the log without its words, and to the reader as a page
            log.error("web.defect", request_id=str(run.id), trace=describe_trace(fault))  # noqa: TRY400
            run.failure = Defect(type(fault).__name__)
        finally:
            run.ended_at = datetime.now(UTC)
