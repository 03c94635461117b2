"""The sandbox gives its answer outside only while our data converter treats all that is a workflow's own alike."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Self

from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import PayloadCodec, WithSerializationContext

from payload_codec import replaying_converter, sealing_converter
from payload_keys import PayloadKeys, make_payload_key
from runtime.workflow_sandbox import OneContextSandbox, sandbox

if TYPE_CHECKING:
    from collections.abc import Sequence

    from temporalio.api.common.v1 import Payload
    from temporalio.converter import SerializationContext

KEYS = PayloadKeys.parse(make_payload_key())


class SealingEachActivity(PayloadCodec, WithSerializationContext):
    """A codec that seals each activity's payloads by a key of its own."""

    def with_context(self, context: SerializationContext) -> Self:  # noqa: ARG002 - each has a key of its own
        return type(self)()

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)


def test_with_our_converters_no_workflow_is_asked_for_a_context() -> None:
    assert isinstance(sandbox(sealing_converter(KEYS)), OneContextSandbox)
    assert isinstance(sandbox(replaying_converter(KEYS)), OneContextSandbox)


def test_with_a_converter_that_parts_activities_from_their_workflow_every_workflow_is_asked() -> None:
    parting = replace(pydantic_data_converter, payload_codec=SealingEachActivity())
    assert not isinstance(sandbox(parting), OneContextSandbox)


def test_a_module_of_the_callers_own_passes_too() -> None:
    passed = sandbox(sealing_converter(KEYS), "bench.script").restrictions.passthrough_modules
    assert {"domain", "asyncpg", "bench.script"} <= passed
