"""The sandbox gives its answer outside only while our data converter is the same in every context."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Self

from temporalio.converter import PayloadCodec, WithSerializationContext

import temporal_client
from runtime.sandbox import ContextFreeSandbox, sandbox

if TYPE_CHECKING:
    from collections.abc import Sequence

    from temporalio.api.common.v1 import Payload
    from temporalio.converter import SerializationContext


class Sealing(PayloadCodec, WithSerializationContext):
    """A codec that seals each workflow's payloads by a key of its own."""

    def with_context(self, context: SerializationContext) -> Self:  # noqa: ARG002 - each has a key of its own
        return type(self)()

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)


def test_with_our_converter_no_workflow_is_asked_for_a_context() -> None:
    assert isinstance(sandbox(temporal_client.DATA_CONVERTER), ContextFreeSandbox)


def test_with_a_converter_that_minds_where_a_payload_belongs_every_workflow_is_asked() -> None:
    sealing = replace(temporal_client.DATA_CONVERTER, payload_codec=Sealing())
    assert not isinstance(sandbox(sealing), ContextFreeSandbox)


def test_a_module_of_the_callers_own_passes_too() -> None:
    passed = sandbox(temporal_client.DATA_CONVERTER, "bench.script").restrictions.passthrough_modules
    assert {"domain", "asyncpg", "bench.script"} <= passed
