"""Answers for people and machines: a table whose columns stand straight in Chinese too, or the JSON as it came."""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LANGUAGES = ("zh-Hans", "zh-Hant", "en")


@dataclass(frozen=True)
class Words:
    """A word of ours in the three languages."""

    hans: str
    hant: str
    en: str

    def in_(self, language: str) -> str:
        """The word in that language."""
        return {"zh-Hans": self.hans, "zh-Hant": self.hant}.get(language, self.en)


def choose_language(language: str | None) -> str:
    """The one asked for, that of VENTURE_LANG, or the locale's."""
    wish = (language or os.environ.get("VENTURE_LANG") or os.environ.get("LANG") or "").replace("_", "-").lower()
    if wish.startswith("zh"):
        return "zh-Hant" if any(mark in wish for mark in ("hant", "tw", "hk", "mo")) else "zh-Hans"
    return "en" if wish.startswith("en") and (language or os.environ.get("VENTURE_LANG")) else "zh-Hans"


@dataclass(frozen=True)
class Output:
    """In which form and language one call writes its result."""

    form: str
    language: str

    def say(self, words: Words) -> str:
        """The word in the reader's language."""
        return words.in_(self.language)

    def tell(self, text: str) -> None:
        """A sentence for people, beside the result."""
        sys.stderr.write(f"{visible(text)}\n")

    def json(self, value: object) -> None:
        """Write the answer as JSON; on one line for ``jsonl``."""
        sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=None if self.form == "jsonl" else 1) + "\n")

    def rows(self, rows: Sequence[Mapping[str, Any]], columns: Sequence[tuple[str, Words]], empty: Words) -> None:
        """A list: a table, an array, or one object a line."""
        if self.form == "json":
            self.json(list(rows))
        elif self.form == "jsonl":
            for row in rows:
                self.json(row)
        elif not rows:
            self.tell(self.say(empty))
        else:
            cells = [[text(row.get(name)) for name, _ in columns] for row in rows]
            sys.stdout.write(layout([self.say(words) for _, words in columns], cells))


def text(value: object) -> str:
    """A value as the text of a cell, with control characters made visible."""
    match value:
        case None:
            return ""
        case list() | tuple():
            return "、".join(map(str, value))
        case _:
            return visible(str(value))


def yuan(fen: int | None) -> str:
    """``5000000`` fen as ``¥50,000.00``."""
    return "" if not fen else f"¥{fen // 100:,}.{fen % 100:02d}"


def visible(line: str) -> str:
    """The text without what would steer a terminal."""
    return "".join(c if c == "\n" or unicodedata.category(c)[0] != "C" else "�" for c in line)


def width(line: str) -> int:
    """Cells that it takes: a Chinese character two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


def layout(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table, each column as wide as its widest cell."""
    lines = [heading, *rows]
    widths = [max(width(line[i]) for line in lines) for i in range(len(heading))]
    padded = ("  ".join(cell + " " * (w - width(cell)) for cell, w in zip(line, widths, strict=True)) for line in lines)
    return "".join(f"{line.rstrip()}\n" for line in padded)
