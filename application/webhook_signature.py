"""How a webhook is signed, and one that comes in is verified, as Standard Webhooks 1.0 says.

``v1`` by a shared secret, ``v1a`` by a key pair.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_HALF: Final = 32
"""Bytes of the shared secret, and of the private key after it."""


@dataclass(frozen=True)
class WebhookSecret:
    """Both halves: what sender and receiver share, and what the sender alone has."""

    content: bytes = field(repr=False)

    @classmethod
    def make(cls) -> WebhookSecret:
        """A fresh secret, from the system's randomness."""
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


_SHARED: Final = range(24, 65)
"""Bytes of a shared secret, by the standard."""
_PREFIXES: Final = {"whsec_": "v1", "whpk_": "v1a"}
MOST_SIGNATURES: Final = 8
"""That are looked at: of two secrets in rotation, each in both ways, and as many again."""


def read_secret(text: str) -> tuple[str, bytes]:
    """By which kind of signature that secret or public key verifies, and its bytes. Raises ValueError."""
    prefix = next((one for one in _PREFIXES if text.startswith(one)), None)
    if prefix is None:
        raise ValueError("it begins neither with whsec_ nor with whpk_")
    key = base64.b64decode(text.removeprefix(prefix), validate=True)
    if len(key) not in (_SHARED if prefix == "whsec_" else (_HALF,)):
        raise ValueError("it has too few or too many bytes")
    return _PREFIXES[prefix], key


def is_signed_by(secret: str, content: bytes, signatures: str) -> bool:
    """Whether one of those signatures, as the header has them, is over that content by that secret or key."""
    version, key = read_secret(secret)
    for signature in signatures.split()[:MOST_SIGNATURES]:
        kind, _, text = signature.partition(",")
        try:
            code = base64.b64decode(text.encode("ascii"), validate=True)
        except ValueError:  # not ASCII, or no base64
            continue
        if kind != version:
            continue
        if kind == "v1" and hmac.compare_digest(code, hmac.digest(key, content, "sha256")):
            return True
        if kind == "v1a" and _is_by(key, code, content):
            return True
    return False


def _is_by(key: bytes, signature: bytes, content: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, content)
    except InvalidSignature:
        return False
    return True
