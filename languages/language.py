"""Which language a reader reads, and a text in it."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from domain.kernel.phrase import Phrase, Word, fill
from languages.catalogue import find_simplified
from languages.script import simplify, simplify_around

if TYPE_CHECKING:
    from collections.abc import Iterable


class Language(StrEnum):
    """A language of the texts, by its tag."""

    HANS = "zh-Hans"
    HANT = "zh-Hant"
    EN = "en"

    def say(self, zh: str, en: str) -> str:
        """A text in it, of the Chinese and the English that the code says side by side.

        A text that is the same in both is a value and stays as it is.
        """
        match self:
            case Language.EN:
                return en
            case Language.HANT:
                return zh
            case Language.HANS:
                return zh if zh == en else _in_simplified(zh, en)

    @property
    def name_of_itself(self) -> str:
        """What its readers call it."""
        return {Language.HANS: "简体中文", Language.HANT: "繁體中文", Language.EN: "English"}[self]


DEFAULT: Final = Language.HANS
"""Where nothing tells: state organs write standard characters."""


def _in_simplified(zh: str, en: str) -> str:
    if isinstance(zh, Phrase) and zh.params:
        return fill(_simplified(zh.template), zh.params, "、", _simplified_word)
    return find_simplified(zh) or simplify_around(zh, en)


def _simplified(ours: str) -> str:
    return find_simplified(ours) or simplify(ours)


def _simplified_word(one: Word) -> str:
    return _simplified(one.zh)


_TAG: Final = re.compile(r"([A-Za-z]{2,8})((?:[-_][A-Za-z0-9]{1,8})*)(?:\.[A-Za-z0-9-]+)?(?:@[A-Za-z0-9]+)?")
_TRADITIONAL: Final = frozenset({"hant", "tw", "hk", "mo"})


def read_language(tag: str) -> Language | None:
    """The language of a tag (``zh-Hant``, ``en-GB``) or of a locale (``zh_TW.UTF-8``); None if it is none of ours."""
    match = _TAG.fullmatch(tag.strip())
    if match is None:
        return None
    parts = frozenset(match[2].lower().replace("_", "-").split("-"))
    match match[1].lower():
        case "zh":
            return Language.HANT if parts & _TRADITIONAL and "hans" not in parts else Language.HANS
        case "en":
            return Language.EN
        case _:
            return None


def choose_language(wishes: Iterable[str | None], otherwise: Language = DEFAULT) -> Language:
    """The first wish that is one of ours, the strongest first."""
    return next((known for wish in wishes if wish and (known := read_language(wish)) is not None), otherwise)
