"""How a webhook is signed, as Standard Webhooks 1.0 says: ``v1`` by a shared secret, ``v1a`` by a key pair."""

from __future__ import annotations

import base64
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_HALF: Final = 32
"""Bytes of the shared secret, and of the private key after it."""


@dataclass(frozen=True)
class WebhookSecret:
    """Both halves: what sender and receiver share, and what the sender alone has."""

    content: bytes = field(repr=False)

    @classmethod
    def make(cls) -> WebhookSecret:
        """A fresh one."""
        return cls(secrets.token_bytes(2 * _HALF))

    @property
    def shared(self) -> str:
        """What the receiver is told, once."""
        return "whsec_" + base64.b64encode(self.content[:_HALF]).decode()

    @property
    def public(self) -> str:
        """What anybody may be told."""
        return "whpk_" + base64.b64encode(self._private.public_key().public_bytes_raw()).decode()

    @property
    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.content[_HALF:])

    def sign(self, content: bytes) -> tuple[str, str]:
        """Both signatures over those bytes, as the header has them."""
        symmetric = hmac.digest(self.content[:_HALF], content, "sha256")
        return (
            f"v1,{base64.b64encode(symmetric).decode()}",
            f"v1a,{base64.b64encode(self._private.sign(content)).decode()}",
        )
