"""In which script a paper's own words are written: that of its city. What people typed is never converted."""

from __future__ import annotations

from enum import StrEnum

from languages.script import simplify


class Script(StrEnum):
    """Chinese script."""

    HANS = "hans"
    HANT = "hant"

    def write(self, text: str) -> str:
        """Words of ours, which are kept in traditional characters, in this script and with its quotation marks."""
        return simplify(text) if self is Script.HANS else text
