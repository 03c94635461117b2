"""Lines of text for a terminal: Chinese letters are two cells wide, and a line may break between any two of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.measure import Measurement
from rich.text import Text

from domain.kernel.words import GLUE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, ConsoleOptions

_WIDE = "\u2014\u2026\u3000-\u9fff\uff00-\uffef"
_PIECE = re.compile(f"[{_WIDE}](?:{GLUE}(?:[{_WIDE}]|[^ {_WIDE}]+))?|[^ \n{_WIDE}]+|[ \n]+")
_NEVER_FIRST = "，。：；、）」！？》…,;:)"
_LEAST = 12


def wrap(text: str, width: int) -> list[str]:
    """The text in lines of at most so many cells: broken between Chinese letters and between words."""
    lines = [""]
    for piece in _PIECE.findall(text):
        hangs = piece in _NEVER_FIRST and cell_len(lines[-1]) <= width  # one stop, not a whole row of them
        if cell_len(lines[-1] + piece.rstrip(" \n")) <= width or hangs:
            lines[-1] += " " if piece.isspace() else piece
        elif piece.strip():
            lines.append(piece)
    return [line.replace(GLUE, " ").rstrip() for line in lines if line.strip()]


_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
"""What a terminal obeys instead of showing: control sequences, turns of the writing's direction, halves of letters."""


def make_visible(text: str) -> str:
    """The text with such letters written as their codes: what somebody typed is shown, and never obeyed."""
    return _UNSEEN.sub(lambda match: ascii(match[0])[1:-1], text)


class TextCell:
    """A text in a table that is broken as Chinese is; the library would break it at spaces only."""

    def __init__(self, text: str) -> None:
        self.text = make_visible(text)

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> Iterator[Text]:
        """The lines of the text, as wide as there is room."""
        yield from (Text(line, overflow="fold") for line in wrap(self.text, options.max_width))

    def __rich_measure__(self, _console: Console, _options: ConsoleOptions) -> Measurement:
        """The least and the greatest width that the text can use."""
        most = cell_len(self.text)
        longest = max((cell_len(piece) for piece in _PIECE.findall(self.text)), default=0)
        return Measurement(min(max(_LEAST, longest), most), most)
