"""A namespace of Temporal belongs to one log: whose it is stands in the namespace's own data, for everybody to see.

A worker that serves another log would answer commands from the wrong database; it is told so before it serves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from temporalio.api.namespace.v1 import UpdateNamespaceInfo
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeNamespaceResponse,
    UpdateNamespaceRequest,
)
from temporalio.service import RPCError, RPCStatusCode

from domain.kernel.failure import Failure, FailureKind

if TYPE_CHECKING:
    from temporalio.client import Client

    from store.port import EventStore

log = structlog.get_logger()

LOG_KEY = "venture_log"
"""Under which the namespace's data say whose it is: the chain hash of the log's first entry, in hex."""


class NamespaceMissing(Failure):
    """Temporal answers, and has no namespace of that name."""

    kind = FailureKind.UNAVAILABLE

    def __init__(self, namespace: str) -> None:
        """Say how it is made."""
        super().__init__(
            f"Temporal 沒有命名空間 {namespace}", f"Temporal has no namespace {namespace}", namespace=namespace
        )
        self.remedy_zh = self.remedy_en = f"temporal operator namespace create -n {namespace} --retention 8760h"


class NamespaceOfAnotherLog(Failure):
    """The namespace belongs to another log than the database holds."""

    kind = FailureKind.CONFLICT

    def __init__(self, namespace: str, theirs: str, ours: str) -> None:
        """Say which two do not belong together, and what to do about it."""
        shown = ours[:16] or "-"
        super().__init__(
            f"命名空間 {namespace} 屬於日誌 {theirs[:16]}，而數據庫中是 {shown}",
            f"the namespace {namespace} belongs to the log {theirs[:16]}, and the database holds {shown}",
            namespace=namespace,
            belongs_to=theirs,
            database_holds=ours,
        )
        self.remedy_zh = (
            "核對 VENTURE_POSTGRES_URL 與 VENTURE_TEMPORAL_NAMESPACE；另一套安裝須有自己的命名空間。"
            f"日誌確已更換時：temporal operator namespace update -n {namespace} --data {LOG_KEY}={ours}"
        )
        self.remedy_en = (
            "Compare VENTURE_POSTGRES_URL and VENTURE_TEMPORAL_NAMESPACE; another installation needs a namespace of "
            "its own. If the log was replaced: "
            f"temporal operator namespace update -n {namespace} --data {LOG_KEY}={ours}"
        )


async def describe_namespace(client: Client) -> DescribeNamespaceResponse:
    """The client's namespace. Raises NamespaceMissing; RPCError where Temporal does not answer or does not say."""
    try:
        return await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace))
    except RPCError as refused:
        if refused.status is RPCStatusCode.NOT_FOUND:
            raise NamespaceMissing(client.namespace) from refused
        raise


async def read_owner(client: Client) -> str:
    """The log that the namespace belongs to; empty where nobody has said so yet. Raises NamespaceMissing, RPCError."""
    return (await describe_namespace(client)).namespace_info.data.get(LOG_KEY, "")


async def require_own_namespace(client: Client, store: EventStore) -> str:
    """See that the namespace belongs to this log; the log, empty before its first entry.

    A namespace that belongs to nobody becomes this log's, if this account may say so; ``doctor`` shows one that still
    belongs to nobody. Raises NamespaceMissing, NamespaceOfAnotherLog, StoreUnavailable, RPCError.
    """
    theirs, ours = await read_owner(client), (await store.genesis() or b"").hex()
    if not theirs and ours:
        await _claim(client, ours)
        theirs = await read_owner(client)  # of two that claim it at once, one finds the other's
    if theirs not in ("", ours):
        raise NamespaceOfAnotherLog(client.namespace, theirs, ours)
    return ours


async def _claim(client: Client, ours: str) -> None:
    request = UpdateNamespaceRequest(namespace=client.namespace, update_info=UpdateNamespaceInfo(data={LOG_KEY: ours}))
    try:
        await client.workflow_service.update_namespace(request)
    except RPCError as refused:  # an operator's right; the command that is to be run once stands in doctor
        log.warning("namespace.unclaimed", namespace=client.namespace, reason=refused.status.name)
    else:
        log.info("namespace.claimed", namespace=client.namespace, log=ours)
