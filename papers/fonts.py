"""The fonts of this machine, and which characters they have: what cannot be shown is told."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from typst import Fonts

from domain.kernel.failure import Failure, FailureKind
from papers.script import Script

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import BinaryIO

LACKING: Final = "〓"
"""What printers set for a character that they have no type of."""
_BODY: Final[Mapping[Script, tuple[str, ...]]] = {
    Script.HANS: ("FangSong_GB2312", "仿宋_GB2312", "FangSong", "STFangsong", "Noto Serif CJK SC", "Noto Serif SC"),
    Script.HANT: ("Noto Serif CJK TC", "Noto Serif TC", "Noto Serif CJK SC"),
}
_HEADING: Final[Mapping[Script, tuple[str, ...]]] = {
    Script.HANS: ("SimHei", "黑体", "Noto Sans CJK SC", "Noto Sans SC"),
    Script.HANT: ("Noto Sans CJK TC", "Noto Sans TC", "Noto Sans CJK SC"),
}
_SPARE: Final = ("Noto Serif CJK SC", "Noto Serif CJK TC", "Noto Sans CJK SC", "Noto Sans CJK TC")
"""For characters that the first has not."""
_PROBE: Final = "民政局公益创投项目"


class FontsMissing(Failure):
    """No font of this machine has Chinese characters."""

    kind = FailureKind.UNAVAILABLE
    remedy_zh = "安裝中文字體（Debian：apt install fonts-noto-cjk），或改取 DOCX"
    remedy_en = "Install a Chinese font (Debian: apt install fonts-noto-cjk), or take the DOCX"

    def __init__(self) -> None:
        super().__init__("本機沒有可用的中文字體，不能製作 PDF", "this machine has no Chinese font to make a PDF with")


@dataclass(frozen=True)
class Typefaces:
    """The fonts of a paper, each with what stands in for it."""

    body: tuple[str, ...]
    heading: tuple[str, ...]
    characters: frozenset[int]
    """What can be shown with them."""

    def list_missing(self, text: str) -> tuple[str, ...]:
        """The characters of a text that none of them has, each once."""
        return tuple(dict.fromkeys(c for c in text if ord(c) not in self.characters and c not in "\n "))


@cache
def find_typefaces(script: Script) -> Typefaces:
    """What papers in that script are set in here. Raises FontsMissing."""
    return choose_typefaces(script, _list_files())


def choose_typefaces(script: Script, files: Mapping[str, tuple[Path, int]]) -> Typefaces:
    """The same among these fonts: family, file and place in it. Raises FontsMissing."""
    body = [name for name in (*_BODY[script], *_SPARE) if name in files]
    heading = [name for name in (*_HEADING[script], *_SPARE) if name in files]
    characters = frozenset().union(*(_read_characters(*files[name]) for name in dict.fromkeys(body)))
    if not all(ord(character) in characters for character in _PROBE):
        raise FontsMissing
    return Typefaces(tuple(dict.fromkeys(body)), tuple(dict.fromkeys(heading)), characters)


@cache
def _list_files() -> Mapping[str, tuple[Path, int]]:
    fonts = Fonts(include_system_fonts=True, include_embedded_fonts=False)
    return {font.family: (Path(font.path), font.index) for font in reversed(fonts.fonts()) if font.path}


def _read_characters(path: Path, index: int) -> frozenset[int]:
    """The characters of a font, by its cmap (OpenType, formats 4 and 12)."""
    with path.open("rb") as file:
        start = 0
        if file.read(4) == b"ttcf":
            file.seek(12 + 4 * index)
            (start,) = struct.unpack(">I", file.read(4))
        file.seek(start + 4)
        (tables,) = struct.unpack(">H6x", file.read(8))
        records = struct.iter_unpack(">4sIII", file.read(16 * tables))
        offset = next((record[2] for record in records if record[0] == b"cmap"), None)
        if offset is None:
            return frozenset()
        file.seek(offset + 2)
        (count,) = struct.unpack(">H", file.read(2))
        places = {record[2] for record in struct.iter_unpack(">HHI", file.read(8 * count))}
        return frozenset(character for place in places for character in _read_subtable(file, offset + place))


def _read_subtable(file: BinaryIO, at: int) -> Iterable[int]:
    file.seek(at)
    (form,) = struct.unpack(">H", file.read(2))
    if form == 12:  # noqa: PLR2004 - the number of the form
        (groups,) = struct.unpack(">10xI", file.read(14))
        for first, last, _ in struct.iter_unpack(">III", file.read(12 * groups)):
            yield from range(first, last + 1)
    elif form == 4:  # noqa: PLR2004 - likewise
        (twice,) = struct.unpack(">4xH6x", file.read(12))
        ends = struct.unpack(f">{twice // 2}H", file.read(twice))
        starts = struct.unpack(f">2x{twice // 2}H", file.read(twice + 2))
        for first, last in zip(starts, ends, strict=True):
            yield from range(first, min(last, 0xFFFE) + 1)
