"""In which of the languages that the texts exist in a reader is answered."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final


class Language(StrEnum):
    """A language of the texts, by its tag."""

    ZH = "zh-Hant"
    EN = "en"

    def say(self, zh: str, en: str) -> str:
        """The one of the two texts that is in it."""
        return zh if self is Language.ZH else en


LONGEST: Final = 1_000
"""Characters of a header beyond which nobody's wishes are read."""
_RANGE: Final = re.compile(r"\s*([A-Za-z]{1,8}|\*)(?:-[A-Za-z0-9]{1,8})*\s*(?:;\s*[qQ]=([01](?:\.[0-9]{0,3})?)\s*)?")


def negotiate(header: str | None, otherwise: Language) -> Language:
    """The language that ``Accept-Language`` likes best of ours; whatever it cannot have it gets the other's."""
    best, weight = otherwise, 0.0
    for part in (header or "")[:LONGEST].split(","):
        match = _RANGE.fullmatch(part)
        if match is None:
            continue
        primary, wish = match[1].lower(), float(match[2] or 1)
        language = {"zh": Language.ZH, "en": Language.EN, "*": otherwise}.get(primary)
        if language is not None and wish > weight:
            best, weight = language, wish
    return best
