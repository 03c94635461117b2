"""Secrets that must be kept to be used: sealed with AES-256-GCM, bound to what they belong to."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.kernel.failure import Failure, FailureKind

if TYPE_CHECKING:
    from collections.abc import Mapping

_NONCE_BYTES: Final = 12


class SealUnknown(Failure):
    """A secret was sealed by a key that is not here, or is not what was sealed."""

    kind = FailureKind.INTEGRITY

    def __init__(self, name: str) -> None:
        super().__init__(
            f"密鑰 {name} 不在 VENTURE_PAYLOAD_KEYS 中，或所封者已被改動",
            f"the key {name} is not among VENTURE_PAYLOAD_KEYS, or what it sealed was changed",
        )


@dataclass(frozen=True)
class SecretBox:
    """Keys by their ids, the newest first: it alone seals, all of them open."""

    keys: Mapping[str, bytes] = field(repr=False)

    def seal(self, secret: bytes, owner: bytes) -> bytes:
        """The secret, for that owner alone."""
        name, key = next(iter(self.keys.items()))
        nonce = os.urandom(_NONCE_BYTES)
        return name.encode() + b":" + nonce + AESGCM(key).encrypt(nonce, secret, owner)

    def open(self, sealed: bytes, owner: bytes) -> bytes:
        """What was sealed for that owner. Raises SealUnknown."""
        name, _, rest = sealed.partition(b":")
        key = self.keys.get(name.decode("ascii", "replace"))
        if key is None:
            raise SealUnknown(name.decode("ascii", "replace"))
        try:
            return AESGCM(key).decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], owner)
        except InvalidTag:
            raise SealUnknown(name.decode()) from None
