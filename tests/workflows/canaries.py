"""Words that nobody else says, put into every text of a life, and a search that finds them however they are written."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

Model = TypeVar("Model", bound=BaseModel)

CANARIES = ("QxKanarievogel7", "籠中金絲雀啼")
"""One that is the same in all encodings of Latin letters, one that has no Latin letter."""
_ALIGNMENTS = (0, 1, 2)


def sing(model: Model, kept: frozenset[str] = frozenset()) -> Model:
    """The same with the canaries in every text that may have them, left out or not; ``kept`` are left alone."""
    content = model.model_dump(mode="json")
    for path in list(_texts(content)):
        if kept.isdisjoint(map(str, path)):
            _try_at(model, content, path)
    return type(model).model_validate(content)


def _texts(content: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    match content:
        case str() | None:
            yield path
        case dict():
            for name, part in content.items():
                yield from _texts(part, (*path, name))
        case list():
            for number, part in enumerate(content):
                yield from _texts(part, (*path, number))
        case _:
            return


def _try_at(model: BaseModel, content: Any, path: tuple[str | int, ...]) -> None:
    """Put them there; take them back where the type says no: an id, a date, a name of a closed list."""
    *way, last = path
    holder = content
    for part in way:
        holder = holder[part]
    before = holder[last]
    holder[last] = (before or "") + "".join(CANARIES)
    try:
        type(model).model_validate(content)
    except ValidationError:
        holder[last] = before


def forms(word: str) -> Mapping[str, bytes]:
    """How a word may stand somewhere, by a name for it."""
    texts = {"utf-8": word.encode(), "utf-16-le": word.encode("utf-16-le"), "utf-16-be": word.encode("utf-16-be")}
    escaped = {"json": json.dumps(word)[1:-1].encode(), "url": quote(word).encode()}
    encoded = {
        f"base64 of {name} at {shift}": _base64_within(text, shift)
        for name, text in texts.items()
        for shift in _ALIGNMENTS
    }
    return {**texts, **escaped, **encoded, "hex": word.encode().hex().encode()}


def _base64_within(text: bytes, shift: int) -> bytes:
    """What surely stands in the base64 of anything that has the text ``shift`` bytes behind a multiple of three."""
    encoded = b64encode(bytes(shift) + text)
    first = (shift * 8 + 5) // 6
    return encoded[first : (shift + len(text)) * 8 // 6]


def find(content: bytes) -> list[str]:
    """The forms in which a canary stands in it."""
    return [f"{word} in {name}" for word in CANARIES for name, form in forms(word).items() if form in content]


def find_in_files(folder: Path, *, without: Path) -> list[str]:
    """The files in which a canary stands, and in which form."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_relative_to(without)]
    return [f"{path.relative_to(folder)}: {form}" for path in files for form in find(path.read_bytes())]
