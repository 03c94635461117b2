"""The catalogue of simplified texts, as it was generated and reviewed: ``zh_Hans.po``, read once."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CATALOGUE: Final = Path(__file__).with_name("zh_Hans.po")
_FIELDS: Final = ("Language: zh_Hans", "Content-Type: text/plain; charset=UTF-8", "Content-Transfer-Encoding: 8bit")
_HEAD: Final = f"""\
# Simplified Chinese, made from the Traditional Chinese of the code by ./run generate: do not edit.
# What OpenCC gets wrong is an exception in languages/script.py.
msgid ""
msgstr {json.dumps("".join(f"{field}{chr(10)}" for field in _FIELDS))}
"""


def find_simplified(ours: str) -> str | None:
    """The text in simplified characters; None if it is not in the catalogue."""
    return _catalogue().get(ours)


@cache
def _catalogue() -> Mapping[str, str]:
    return dict(read_catalogue(CATALOGUE.read_text("utf-8")))


def read_catalogue(text: str) -> Iterable[tuple[str, str]]:
    """The pairs of a catalogue in gettext's form, one line each."""
    msgid = ""
    for line in text.splitlines():
        if line.startswith("msgid "):
            msgid = json.loads(line.removeprefix("msgid "))
        elif line.startswith("msgstr ") and msgid:
            yield msgid, json.loads(line.removeprefix("msgstr "))


def write_catalogue(pairs: Mapping[str, str]) -> str:
    """A catalogue in gettext's form, in order of its texts."""
    entries = (f"\nmsgid {_quote(ours)}\nmsgstr {_quote(pairs[ours])}\n" for ours in sorted(pairs))
    return _HEAD + "".join(entries)


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
