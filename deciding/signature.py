"""A door's private key, and whether a signature was made by the private half of a public key."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from domain.kernel.signature import KeyId

_SEED = re.compile(r"[0-9a-f]{64}")
_SIGNATURE = re.compile(r"[0-9a-f]{128}")


class KeyMalformed(ValueError):
    """What is given as a private key is none."""


@dataclass(frozen=True)
class DoorKey:
    """A door's private key. Only doors have one."""

    _private: Ed25519PrivateKey = field(repr=False, compare=False)
    id: KeyId
    public: str
    """Its public half, in hex."""

    @classmethod
    def read(cls, text: str) -> Self:
        """The key in that text: 64 hex digits, or PEM (PKCS 8) without a password. Raises KeyMalformed."""
        text = text.strip()
        if _SEED.fullmatch(text):
            return cls._of(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(text)))
        try:
            private = load_pem_private_key(text.encode(), None)
        except (ValueError, TypeError, UnsupportedAlgorithm):  # its words may hold a part of the key
            private = None
        if not isinstance(private, Ed25519PrivateKey):
            raise KeyMalformed
        return cls._of(private)

    @classmethod
    def _of(cls, private: Ed25519PrivateKey) -> Self:
        public = private.public_key().public_bytes_raw()
        return cls(private, KeyId.of(public), public.hex())

    def sign(self, content: bytes) -> bytes:
        """The 64 bytes of its signature over these."""
        return self._private.sign(content)


@lru_cache(maxsize=1024)  # a command that is decided again, and its door's own look, check the same bytes
def is_genuine(public: str, signature: str, content: bytes) -> bool:
    """Whether whoever has the private half of that public key signed just this."""
    if not _SIGNATURE.fullmatch(signature):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(bytes.fromhex(signature), content)
    except (InvalidSignature, ValueError):
        return False
    return True
