"""What Temporal is given to hold, encrypted: arguments, answers, memos, captions and the words of failures.

AES-256-GCM. A ciphertext is bound to its key's id, its namespace and its workflow: elsewhere it cannot be opened. What
cannot be opened is not taken: neither a worker nor a door reads anything that was not sealed by a key of ours (025).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import lru_cache
from os import urandom
from typing import TYPE_CHECKING, Any, Self

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.protobuf.message import DecodeError
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import (
    ActivitySerializationContext,
    DataConverter,
    DefaultFailureConverter,
    DefaultFailureConverterWithEncodedAttributes,
    PayloadCodec,
    WithSerializationContext,
    WorkflowSerializationContext,
)
from temporalio.exceptions import ApplicationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from temporalio.api.failure.v1 import Failure
    from temporalio.converter import FailureConverter, PayloadConverter, SerializationContext

    from payload_keys import PayloadKeys

log = structlog.get_logger()

ENCODING = b"binary/encrypted"
KEY_ID = "encryption-key-id"
BOUND_TO = "bound-to"
"""In the clear, for people's pages only: the workflow that it was sealed for. Opening never takes its word for it."""
NONCE_BYTES = 12
_FIRED = re.compile(r"-\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z\Z")
"""What Temporal appends to a schedule's workflow id when it fires; its argument was sealed before."""
_MOST_CONTEXTS = 4_096
UNSEALED = "Unsealed"
"""The type of a failure whose words nobody sealed: of the server itself, or a stranger's."""


class PayloadRefused(ApplicationError):
    """A payload was not opened, and nothing of it taken: it is in the clear, cut short, altered, or sealed elsewhere.

    A run that is given such a thing ends, once, and is not tried again: the log has all that it knew, and the next
    command or ``look`` begins another. To try again would let whoever sent it hold the stream up for good.
    """

    def __init__(self, why: str) -> None:
        """Say what is wrong with it, and nothing of what is in it."""
        super().__init__(f"payload not taken: {why}", type="PayloadRefused", non_retryable=True)
        self.why = why


@dataclass(frozen=True)
class PayloadPlace:
    """Where a payload belongs, and nowhere else."""

    namespace: str
    workflow_id: str

    @classmethod
    def of(cls, context: SerializationContext) -> PayloadPlace | None:
        """The place in that context; None for what is no workflow's. All firings of a schedule are one place."""
        if not isinstance(context, WorkflowSerializationContext | ActivitySerializationContext):
            return None
        return cls(context.namespace, _FIRED.sub("", context.workflow_id)) if context.workflow_id else None

    def binding(self, key_id: str) -> bytes:
        """What the ciphertext is bound to: each part with its length, so that no two places share it."""
        parts = (b"venture payload 1", key_id.encode(), self.namespace.encode(), self.workflow_id.encode())
        return b"".join(b"%d:%b" % (len(part), part) for part in parts)


class SealingCodec(PayloadCodec, WithSerializationContext):
    """Seals and opens. Without a place it refuses everything: ``with_context`` gives it one."""

    def __init__(self, keys: PayloadKeys, *, takes_plain: bool = False, place: PayloadPlace | None = None) -> None:
        """Seal by the newest of these keys. ``takes_plain`` is for replaying what was recorded in the clear."""
        self.keys = keys
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.by_id.items()}
        self._takes_plain = takes_plain
        self._place = place
        self._bindings = {key_id: place.binding(key_id) for key_id in keys.ids} if place else {}

    def with_context(self, context: SerializationContext) -> Self:
        """A codec with the same keys, for payloads of that place."""
        place = PayloadPlace.of(context)
        return self if place == self._place else self.at(place)

    def at(self, place: PayloadPlace | None) -> Self:
        """The same, for that place, or for none."""
        return type(self)(self.keys, takes_plain=self._takes_plain, place=place)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """The payloads, each sealed by itself."""
        return [self.seal(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Each of them opened. Raises PayloadRefused, and then none of them is."""
        return [self.open(payload) for payload in payloads]

    def seal(self, payload: Payload) -> Payload:
        """The payload under the newest key. Raises PayloadRefused where it would belong nowhere."""
        if self._place is None:
            raise PayloadRefused("it belongs to no workflow")
        key_id, nonce = self.keys.newest, urandom(NONCE_BYTES)
        sealed = self._ciphers[key_id].encrypt(nonce, payload.SerializeToString(), self._bindings[key_id])
        bound_to = self._place.workflow_id.encode()
        metadata = {"encoding": ENCODING, KEY_ID: key_id.encode(), BOUND_TO: bound_to}
        return Payload(metadata=metadata, data=nonce + sealed)

    def open(self, payload: Payload) -> Payload:
        """What was sealed here. Raises PayloadRefused, and says so in the log."""
        try:
            return self.try_open(payload)
        except PayloadRefused as refused:
            where = self._place and self._place.workflow_id
            log.error("payload.refused", workflow_id=where, why=refused.why)  # noqa: TRY400 - said, not traced
            raise

    def try_open(self, payload: Payload) -> Payload:
        """What was sealed here. Raises PayloadRefused, and leaves it to the caller to tell anybody."""
        if payload.metadata.get("encoding") != ENCODING:
            if self._takes_plain:
                return payload
            raise PayloadRefused("it is in the clear")
        key_id = payload.metadata.get(KEY_ID, b"").decode("ascii", "replace")
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise PayloadRefused(f"no key {key_id[:32]!r} here")
        try:
            data = cipher.decrypt(payload.data[:NONCE_BYTES], payload.data[NONCE_BYTES:], self._bindings.get(key_id))
            return Payload.FromString(data)
        except (InvalidTag, ValueError, DecodeError):  # ValueError: too short to hold a nonce
            raise PayloadRefused("it was altered, cut short, or sealed for another workflow") from None


class SealedFailures(DefaultFailureConverterWithEncodedAttributes):
    """Failures whose words, trace and type travel sealed.

    The type stays outside, too, where the server's retry policies look for it; what is believed is the sealed one.
    """

    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
        """Put into the part that the codec seals what says anything."""
        super().to_failure(exception, payload_converter, failure)
        if failure.HasField("application_failure_info"):
            words = json.loads(failure.encoded_attributes.data)
            words["type"] = failure.application_failure_info.type
            failure.encoded_attributes.CopyFrom(payload_converter.to_payloads([words])[0])

    def from_failure(self, failure: Failure, payload_converter: PayloadConverter) -> BaseException:
        """As it was sealed; what nobody sealed is of the type ``Unsealed``, whatever it says of itself."""
        error = super().from_failure(failure, payload_converter)
        if not isinstance(error, ApplicationError):
            return error
        believed = UNSEALED
        if failure.HasField("encoded_attributes"):
            words = payload_converter.from_payloads([failure.encoded_attributes], [dict[str, Any]])[0]
            believed = str(words.get("type", UNSEALED))
        if believed == (error.type or ""):
            return error
        doubted = ApplicationError(error.message, *error.details, type=believed, non_retryable=error.non_retryable)
        doubted.__cause__ = error.__cause__
        return doubted


@dataclass(frozen=True)
class SealingConverter(DataConverter):
    """The one data converter, sealing: of workers, doors and replays alike. One converter a place, made once."""

    payload_converter_class: type[PayloadConverter] = PydanticPayloadConverter
    failure_converter_class: type[FailureConverter] = SealedFailures
    _at: Any = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Remember the converters of the places last used: their making costs more than the ciphers do."""
        super().__post_init__()
        object.__setattr__(self, "_at", lru_cache(_MOST_CONTEXTS)(super().with_context))

    def with_context(self, context: SerializationContext) -> Self:
        """The same, for what belongs there: an activity's is its workflow's."""
        place = PayloadPlace.of(context)
        bound: Self = self._at(WorkflowSerializationContext(place.namespace, place.workflow_id) if place else context)
        return bound


def sealing_converter(keys: PayloadKeys) -> DataConverter:
    """The data converter of whoever takes part: it neither gives nor takes anything in the clear."""
    return SealingConverter(payload_codec=SealingCodec(keys))


def replaying_converter(keys: PayloadKeys) -> DataConverter:
    """The data converter of whoever only replays: it also reads histories that were recorded in the clear."""
    return SealingConverter(
        payload_codec=SealingCodec(keys, takes_plain=True), failure_converter_class=DefaultFailureConverter
    )
