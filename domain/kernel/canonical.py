"""The one way in which a value becomes bytes: an RFC 8785 profile, so that any reader can recompute a hash."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import BaseModel

_LARGEST = 2**53 - 1


def canonical(value: object) -> bytes:
    """Canonical JSON in UTF-8: ASCII keys in order, no floats, integers within ±(2^53 - 1), no lone surrogates.

    Raises ValueError, naming the place, for a value outside the profile.
    """
    _check(value, "$")
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def plain(model: BaseModel) -> dict[str, Any]:
    """A model as plain JSON values; what is absent is left out, so a later optional field changes no old bytes."""
    return model.model_dump(mode="json", exclude_none=True)


def digest(value: object) -> str:
    """SHA-256 of the canonical bytes, in hex."""
    return sha256(canonical(value)).hexdigest()


def _check(value: object, where: str) -> None:
    match value:
        case None | bool() | str():
            return
        case int():
            if abs(value) > _LARGEST:
                message = f"{where}: {value} is beyond 2^53 - 1"
                raise ValueError(message)
        case dict():
            for key, inner in value.items():
                if not isinstance(key, str) or not key.isascii():
                    message = f"{where}: the key {key!r} is not ASCII text"
                    raise ValueError(message)
                _check(inner, f"{where}.{key}")
        case list() | tuple():
            for i, inner in enumerate(value):
                _check(inner, f"{where}[{i}]")
        case _:
            message = f"{where}: {type(value).__name__} has no canonical form"
            raise ValueError(message)
