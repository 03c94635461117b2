"""The keys by which everything that Temporal is given to hold is encrypted: which there are, and which one encrypts.

Apart from the codec, so that settings can be read without Temporal's client.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field

KEY_BYTES = 32
"""Of AES-256: no more and no less."""
MOST_KEYS = 16
"""More are a list of something else."""
_ONE = re.compile(rf"(?P<id>[A-Za-z0-9._-]{{1,32}}):(?P<key>[0-9A-Fa-f]{{{2 * KEY_BYTES}}})")
_FORM = "id:hex"


class PayloadKeysInvalid(ValueError):
    """What was given is no list of keys. Its words say which entry, and nothing of what is in it."""


@dataclass(frozen=True)
class PayloadKeys:
    """Keys by their ids, the newest first: it alone encrypts, all of them decrypt."""

    by_id: dict[str, bytes] = field(repr=False)
    """At least one, each of ``KEY_BYTES`` and unlike the others."""

    @property
    def newest(self) -> str:
        """The id of the key that encrypts."""
        return next(iter(self.by_id))

    @property
    def ids(self) -> tuple[str, ...]:
        """All ids, the newest first."""
        return tuple(self.by_id)

    @classmethod
    def parse(cls, text: str) -> PayloadKeys:
        """Read ``id:hex`` entries, newest first, parted by commas, spaces or lines. Raises PayloadKeysInvalid."""
        entries = [entry for entry in re.split(r"[\s,]+", text) if entry]
        if not entries:
            raise PayloadKeysInvalid(f"一把密鑰也沒有 / no key at all: {_FORM}")
        if len(entries) > MOST_KEYS:
            raise PayloadKeysInvalid(f"密鑰多於 {MOST_KEYS} 把 / more than {MOST_KEYS} keys")
        by_id: dict[str, bytes] = {}
        for number, entry in enumerate(entries, 1):
            match = _ONE.fullmatch(entry)
            if match is None:
                raise PayloadKeysInvalid(
                    f"第 {number} 把須為 {_FORM}，hex 為 {2 * KEY_BYTES} 個十六進制字符，如 k1:$(openssl rand -hex 32)"
                    f" / entry {number} is to be {_FORM} with {2 * KEY_BYTES} hexadecimal digits"
                )
            if match["id"] in by_id:
                raise PayloadKeysInvalid(f"編號 {match['id']} 有兩把 / two keys have the id {match['id']}")
            key = bytes.fromhex(match["key"])
            if key in by_id.values():
                raise PayloadKeysInvalid(
                    f"{match['id']} 與另一把相同 / {match['id']} is the same key as another: make a fresh one"
                )
            by_id[match["id"]] = key
        return cls(by_id)


def make_payload_key() -> str:
    """A fresh key under a fresh id, as ``PayloadKeys.parse`` reads it."""
    return f"k{secrets.token_hex(4)}:{secrets.token_hex(KEY_BYTES)}"
