"""A sentence with its particulars kept apart from its words, so that it can be put into any language when it is shown.

``Phrase`` is the sentence as text, in Traditional Chinese or in English, that still knows its template and particulars:
what people typed is never taken for words of ours (docs/decisions/037).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sized
from typing import Self

from pydantic import BaseModel, ConfigDict

from domain.kernel.words import Words, code_words

_PLACE = re.compile(r"\{([a-z][a-z0-9_]*)\}")


class Word(BaseModel):
    """A particular that has words of its own: a role, a stage, "none"."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    zh: str
    en: str


Param = str | Word | tuple[str | Word, ...]
"""What stands at a place of a template: text that is shown as it is, words of ours, or several of them."""


def word(zh: str, en: str) -> Word:
    """Words of ours for a place of a template."""
    return Word(zh=zh, en=en)


def or_else(value: object, zh: str, en: str) -> object:
    """What stands at a place: the value, or words of ours where there is none."""
    return word(zh, en) if value is None or (isinstance(value, Sized) and not len(value)) else value


def named(code: str) -> str | Word:
    """What stands at a place for a budget line, a criterion or a payment condition: its words, or itself."""
    words = code_words(code)
    return Word(zh=words[0], en=words[1]) if words else code


def call_tranche(name: str) -> str | Word:
    """What stands at a place for a tranche: ``T1`` is called the first, any other by its own name."""
    number = name.removeprefix("T")
    return Word(zh=f"第{number}期", en=f"tranche {number}") if number != name and number.isdecimal() else name


def read_params(values: Mapping[str, object]) -> dict[str, Param]:
    """The particulars of a sentence as they are kept: each a text, a word of ours, or a list of these."""
    return {name: _param(value) for name, value in values.items()}


def _param(value: object) -> Param:
    if isinstance(value, Iterable) and not isinstance(value, (str, BaseModel)):
        several = sorted(value) if isinstance(value, (set, frozenset)) else value
        return tuple(_one(inner) for inner in several)
    return _one(value)


def _one(value: object) -> str | Word:
    if isinstance(value, Word):
        return value
    if isinstance(value, Words):
        return Word(zh=value.zh, en=value.en)
    return str(value)


def fill(template: str, params: Mapping[str, Param], between: str, show: Callable[[Word], str]) -> str:
    """The template with its particulars in their places; ``between`` stands between several."""

    def put(match: re.Match[str]) -> str:
        value = params.get(match[1])
        if value is None:
            return match[0]
        several = value if isinstance(value, tuple) else (value,)
        return between.join(show(one) if isinstance(one, Word) else one for one in several)

    return _PLACE.sub(put, template) if params else template


def list_places(template: str) -> frozenset[str]:
    """The names of a template's places."""
    return frozenset(_PLACE.findall(template))


class Phrase(str):
    """A sentence as text, with the template and the particulars that it is made of."""

    __slots__ = ("params", "template")

    template: str
    params: Mapping[str, Param]

    @classmethod
    def in_chinese(cls, template: str, params: Mapping[str, Param]) -> Self:
        """The sentence in Traditional Chinese, as the code is written."""
        return cls._of(template, params, fill(template, params, "、", lambda one: one.zh))

    @classmethod
    def in_english(cls, template: str, params: Mapping[str, Param]) -> Self:
        """The sentence in English."""
        return cls._of(template, params, fill(template, params, ", ", lambda one: one.en))

    @classmethod
    def _of(cls, template: str, params: Mapping[str, Param], text: str) -> Self:
        phrase = cls(text)
        phrase.template, phrase.params = template, params
        return phrase
