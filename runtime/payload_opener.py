"""What Temporal holds, opened for people who look at its pages: payloads in, payloads out, each where it belongs.

People see it there and nowhere else: what workers and doors take is bound to where they found it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from google.protobuf import json_format
from temporalio.api.common.v1 import Payload, Payloads

from payload_codec import BOUND_TO, PayloadPlace, PayloadRefused

if TYPE_CHECKING:
    from payload_codec import SealingCodec


class NoPayloads(ValueError):
    """What came is not what Temporal's pages send."""


@dataclass(frozen=True)
class PayloadOpener:
    """By whose keys, and of which namespace."""

    codec: SealingCodec
    namespace: str

    def open_all(self, body: bytes) -> tuple[bytes, frozenset[str]]:
        """The payloads of a request, each opened where it says that it belongs, or as it is if it cannot be.

        With them, of which workflows something was opened. Raises NoPayloads.
        """
        payloads = Payloads()
        try:
            json_format.Parse(body, payloads)
        except (json_format.ParseError, UnicodeDecodeError) as wrong:
            raise NoPayloads from wrong
        opened = [(payload, self._open(payload)) for payload in payloads.payloads]
        workflows = frozenset(_read_place(sealed) for sealed, plain in opened if plain is not sealed)
        return json_format.MessageToJson(Payloads(payloads=[plain for _, plain in opened])).encode(), workflows

    def _open(self, payload: Payload) -> Payload:
        try:
            return self.codec.at(PayloadPlace(self.namespace, _read_place(payload))).open(payload)
        except PayloadRefused:
            return payload


def _read_place(payload: Payload) -> str:
    return payload.metadata.get(BOUND_TO, b"").decode("utf-8", "replace")
