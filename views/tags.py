"""What a list is narrowed by: a tag is one of these words and a value, e.g. ``stage:ACTIVE``."""

from __future__ import annotations


def tag(by: str, value: str) -> str:
    """As it stands among a row's tags."""
    return f"{by}:{value}"
