"""The office's words for the particulars of events."""

from __future__ import annotations

TERMS: dict[str, str] = {}


def label(name: str, lang: str) -> str:
    """What a particular is called; in English its own name with spaces."""
    if lang == "zh":
        return TERMS.get(name, name)
    return name.replace("_", " ")
