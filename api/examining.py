"""Whether an installation is what ``docs/operations.md`` asks for: what is so, and what would mend it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import WithStartWorkflowOperation, WorkflowUpdateStage
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError

from store.port import StoreUnavailable

if TYPE_CHECKING:
    from temporalio.client import Client

    from store.port import EventStore

UPDATES_WANTED = 20
"""Updates that must fit in flight on one workflow; the server's own default is 10 (``history.maxInFlightUpdates``)."""
RETENTION_WANTED = timedelta(days=30)
_PROBE_S = 10.0


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    part_zh: str
    part_en: str
    state: str
    ok: bool
    mend_zh: str = ""
    mend_en: str = ""

    def as_json(self) -> dict[str, Any]:
        """For a machine."""
        return {
            "part": self.part_en,
            "part_zh": self.part_zh,
            "state": self.state,
            "ok": self.ok,
            "mend": "" if self.ok else self.mend_en,
            "mend_zh": "" if self.ok else self.mend_zh,
        }


async def servers(store: EventStore, client: Client) -> list[Finding]:
    """Whether both servers answer, and how far the log has come."""
    try:
        log, ok = f"{await store.last_position()} entries", True
    except StoreUnavailable as gone:
        log, ok = str(gone), False
    found = [
        Finding(
            "日誌（Postgres）", "log (Postgres)", log, ok, "檢查 Postgres 與 VENTURE_POSTGRES_URL", "look at Postgres"
        )
    ]
    try:
        await client.service_client.check_health()
        temporal, ok = "serving", True
    except RPCError as gone:
        temporal, ok = str(gone), False
    found.append(
        Finding("Temporal", "Temporal", temporal, ok, "檢查 Temporal 與其地址", "look at Temporal and its address")
    )
    return found


async def updates_in_flight(client: Client, task_queue: str) -> Finding:
    """Whether one workflow may hold more updates at once than the server's default, which is too few (design.md §4)."""
    probe = f"probe/{uuid4()}"
    start: WithStartWorkflowOperation[Any, None] = WithStartWorkflowOperation(
        "Probe", id=probe, task_queue=task_queue, id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING
    )
    held = 0
    with suppress(TimeoutError, RPCError):  # what was held until then is the finding
        async with asyncio.timeout(_PROBE_S):
            await client.start_update_with_start_workflow(
                "hold", wait_for_stage=WorkflowUpdateStage.ACCEPTED, start_workflow_operation=start, id="0"
            )
            held = 1
            handle = client.get_workflow_handle(probe)
            for number in range(1, UPDATES_WANTED):
                await handle.start_update("hold", wait_for_stage=WorkflowUpdateStage.ACCEPTED, id=str(number))
                held += 1
    await _let_go(client, probe)
    return Finding(
        "同時更新數",
        "updates in flight",
        f">= {held}" if held >= UPDATES_WANTED else str(held),
        held >= UPDATES_WANTED,
        "在 Temporal 動態配置中設 history.maxInFlightUpdates=500",
        "set history.maxInFlightUpdates=500 in Temporal's dynamic configuration",
    )


async def _let_go(client: Client, probe: str) -> None:
    with suppress(RPCError):  # it may never have begun
        await client.get_workflow_handle(probe).signal("let_go")


async def retention(client: Client) -> Finding:
    """Whether closed workflows are remembered long enough to replay them."""
    described = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace))
    kept = described.config.workflow_execution_retention_ttl.ToTimedelta()
    return Finding(
        "歷史保存期",
        "retention",
        f"{kept.days} days",
        kept >= RETENTION_WANTED,
        f"temporal operator namespace update --retention {RETENTION_WANTED.days * 24}h",
        f"temporal operator namespace update --retention {RETENTION_WANTED.days * 24}h",
    )


async def temporal_is_encrypted(client: Client) -> Finding:
    """Whether the way to Temporal is encrypted."""
    tls = client.service_client.config.tls
    return Finding(
        "Temporal 加密",
        "TLS to Temporal",
        "on" if tls else "off",
        bool(tls),
        "設 VENTURE_TEMPORAL_TLS_CA、_CERT、_KEY",
        "set VENTURE_TEMPORAL_TLS_CA, _CERT and _KEY",
    )
