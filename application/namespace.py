"""A namespace of Temporal belongs to one log: whose it is stands in the namespace's own data, for everybody to see.

A worker that serves another log would answer commands from the wrong database; it is told so before it serves. Beside
that stands a word that the workers sealed: whoever cannot open it has other payload keys than they.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import TYPE_CHECKING

import structlog
from google.protobuf.message import DecodeError
from temporalio.api.common.v1 import Payload
from temporalio.api.namespace.v1 import UpdateNamespaceInfo
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeNamespaceResponse,
    UpdateNamespaceRequest,
)
from temporalio.service import RPCError, RPCStatusCode

from domain.kernel.failure import Failure, FailureKind
from payload_codec import KEY_ID, PayloadPlace, PayloadRefused, SealingCodec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from temporalio.client import Client

    from store.port import EventStore

log = structlog.get_logger()

LOG_KEY = "venture_log"
"""Under which the namespace's data say whose it is: the chain hash of the log's first entry, in hex."""
SEAL_KEY = "venture_seal"
"""Under which they hold a word sealed by the workers' newest payload key, in base64."""


class NamespaceMissing(Failure):
    """Temporal answers, and has no namespace of that name."""

    kind = FailureKind.UNAVAILABLE

    def __init__(self, namespace: str) -> None:
        super().__init__(
            f"Temporal 沒有命名空間 {namespace}", f"Temporal has no namespace {namespace}", namespace=namespace
        )
        self.remedy_zh = self.remedy_en = f"temporal operator namespace create -n {namespace} --retention 8760h"


class NamespaceOfAnotherLog(Failure):
    """The namespace belongs to another log than the database holds."""

    kind = FailureKind.CONFLICT

    def __init__(self, namespace: str, theirs: str, ours: str) -> None:
        short = ours[:16] or "-"
        super().__init__(
            f"命名空間 {namespace} 屬於日誌 {theirs[:16]}，而數據庫中是 {short}",
            f"the namespace {namespace} belongs to the log {theirs[:16]}, and the database holds {short}",
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


class PayloadKeysDiffer(Failure):
    """What the namespace's workers seal cannot be opened here: the payload keys are others than theirs."""

    kind = FailureKind.CONFLICT
    remedy_zh = (
        "各入口與 worker 的 VENTURE_PAYLOAD_KEYS 須為同一清單，由新到舊；舊的已失則全換新的，再 venture resurrect"
    )
    remedy_en = (
        "Give every door and worker the same VENTURE_PAYLOAD_KEYS, the newest first; where the old keys are lost, give "
        "all of them new ones, then venture resurrect"
    )

    def __init__(self, ours: str, theirs: str) -> None:
        super().__init__(
            f"載荷密鑰不符：此處為 {ours}，開不了以 {theirs} 所封者",
            f"payload keys: {ours} here do not open what {theirs} sealed",
            ours=ours,
            theirs=theirs,
        )


async def describe_namespace(client: Client) -> DescribeNamespaceResponse:
    """The client's namespace. Raises NamespaceMissing; RPCError where Temporal does not answer or does not say."""
    try:
        return await client.workflow_service.describe_namespace(
            DescribeNamespaceRequest(namespace=client.namespace), retry=True
        )
    except RPCError as refused:
        if refused.status is RPCStatusCode.NOT_FOUND:
            raise NamespaceMissing(client.namespace) from refused
        raise


async def read_owner(client: Client) -> str:
    """The log that the namespace belongs to; empty where nobody has said so yet. Raises NamespaceMissing, RPCError."""
    return (await _read_data(client)).get(LOG_KEY, "")


async def read_owner_with_our_keys(client: Client) -> str:
    """The same, of a namespace whose workers' seal this process opens. Raises PayloadKeysDiffer beside."""
    data = await _read_data(client)
    _find_sealing_key(client, data.get(SEAL_KEY, ""))
    return data.get(LOG_KEY, "")


async def seal_namespace(client: Client, *, anew: bool = False) -> None:
    """Have the namespace hold a word that the newest key here sealed; for workers, as they start.

    A word that no key here opens stays, for whoever has other keys than the rest is not to say which are right; unless
    it is to be written ``anew``, by whoever begins all workflows anew. Raises NamespaceMissing, RPCError.
    """
    codec = client.data_converter.payload_codec
    if not isinstance(codec, SealingCodec):
        return
    try:
        sealed_by = _find_sealing_key(client, (await _read_data(client)).get(SEAL_KEY, ""))
    except PayloadKeysDiffer:
        sealed_by = "" if anew else codec.keys.newest
    if sealed_by != codec.keys.newest:
        word = codec.at(_seal_place(client)).seal(Payload(data=b"venture"))
        await _write_data(client, {SEAL_KEY: b64encode(word.SerializeToString()).decode()})


def _find_sealing_key(client: Client, seal: str) -> str:
    """The id of the key here that opens it; empty where nothing was sealed. Raises PayloadKeysDiffer."""
    codec = client.data_converter.payload_codec
    if not seal or not isinstance(codec, SealingCodec):
        return ""
    theirs = "?"
    try:
        word = Payload.FromString(b64decode(seal, validate=True))
        theirs = word.metadata.get(KEY_ID, b"?").decode("ascii", "replace")[:32]
        codec.at(_seal_place(client)).try_open(word)
    except (ValueError, DecodeError, PayloadRefused):
        raise PayloadKeysDiffer(", ".join(codec.keys.ids), theirs) from None
    return theirs


def _seal_place(client: Client) -> PayloadPlace:
    """Where that word belongs: no workflow has such an id."""
    return PayloadPlace(client.namespace, SEAL_KEY)


async def _read_data(client: Client) -> Mapping[str, str]:
    return (await describe_namespace(client)).namespace_info.data


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
    if await _write_data(client, {LOG_KEY: ours}):
        log.info("namespace.claimed", namespace=client.namespace, log=ours)


async def _write_data(client: Client, data: Mapping[str, str]) -> bool:
    """Add to its data; whether this account may: it is an operator's right, and doctor shows the command."""
    request = UpdateNamespaceRequest(namespace=client.namespace, update_info=UpdateNamespaceInfo(data=data))
    try:
        await client.workflow_service.update_namespace(request, retry=True)
    except RPCError as refused:
        log.warning("namespace.unclaimed", namespace=client.namespace, reason=refused.status.name)
        return False
    return True
