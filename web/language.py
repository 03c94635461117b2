"""In which of the languages that the texts exist in a reader is answered."""

from __future__ import annotations

import re
from typing import Final

from languages import Language, read_language

__all__ = ["COOKIE", "Language", "negotiate", "prefer"]

COOKIE: Final = "lang"
"""The cookie in which a page keeps what its reader chose: a language's tag."""
LONGEST: Final = 1_000
"""Characters of a header beyond which nobody's wishes are read."""
_RANGE: Final = re.compile(r"\s*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*|\*)\s*(?:;\s*[qQ]=([01](?:\.[0-9]{0,3})?)\s*)?")


def negotiate(header: str | None, otherwise: Language) -> Language:
    """The language that ``Accept-Language`` likes best of ours; whatever it cannot have it gets the other's.

    ``zh-TW``, ``zh-HK``, ``zh-MO`` and ``zh-Hant`` like the traditional characters, any other ``zh`` the simplified.
    """
    best, weight = otherwise, 0.0
    for part in (header or "")[:LONGEST].split(","):
        match = _RANGE.fullmatch(part)
        if match is None:
            continue
        wish = float(match[2] or 1)
        language = otherwise if match[1] == "*" else read_language(match[1])
        if language is not None and wish > weight:
            best, weight = language, wish
    return best


def prefer(chosen: str | None, header: str | None, otherwise: Language) -> Language:
    """What the reader chose on a page, by its cookie; else what the browser likes best."""
    return (chosen and read_language(chosen[:LONGEST])) or negotiate(header, otherwise)
