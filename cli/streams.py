"""The standard streams as the outside gives them: any encoding, closed, full, or with nobody reading any more."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from typing import Any, TextIO

from domain.kernel.failure import Failure, FailureKind

READER_GONE = 141
"""What a shell says of a program that wrote to nobody; not ``refused``, for what was asked may be recorded."""


class ResultLost(Failure):
    """A result could not be written to standard output."""

    kind = FailureKind.UNAVAILABLE
    remedy_zh = "已辦的已經記錄，並未撤回；請改用別的輸出再查看"
    remedy_en = "What was carried out is recorded all the same; look at it through another output"

    def __init__(self, error: OSError) -> None:
        super().__init__(f"結果無法寫出：{error.strerror}", f"the result cannot be written: {error.strerror}")
        self.is_unread = error.errno == errno.EPIPE
        """Whether the reader has closed it, as ``| head -1`` does."""


class _Results(io.TextIOWrapper):
    """Standard output, whose failures are told apart from those of servers."""

    def write(self, text: str, /) -> int:
        try:
            return super().write(text)
        except OSError as error:
            raise ResultLost(error) from error

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            raise ResultLost(error) from error


class _Messages(io.TextIOWrapper):
    """Standard error: a message that cannot be written is no failure of what it is about."""

    def write(self, text: str, /) -> int:
        try:
            return super().write(text)
        except OSError:
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError:
            discard(self)


def prepare() -> None:
    """Make the streams such that no text, no encoding and no closed end of theirs is a defect of a command."""
    codecs.register_error("replace-marks", _replace)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:  # closed: left so, the next file or socket would become that stream
            _fill(number)
            setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w", encoding="utf-8"))
    sys.stdout = _wrap(sys.stdout, _Results)
    sys.stderr = _wrap(sys.stderr, _Messages)


def _fill(number: int) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)  # what is written to it fails, as it does to a closed one
    if nothing != number:
        os.dup2(nothing, number)
        os.close(nothing)


def _wrap(stream: TextIO, kind: type[io.TextIOWrapper]) -> TextIO:
    encoding, buffered = stream.encoding, bool(getattr(stream, "line_buffering", False))
    return kind(stream.detach(), encoding=encoding, errors="replace-marks", line_buffering=buffered)  # type: ignore[attr-defined] # standard streams have a buffer


def discard(stream: TextIO) -> None:
    """Let what is still buffered go nowhere: it would fail again when the interpreter ends."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, stream.fileno())
    os.close(nothing)


_MARKS = {"✓": "√", "✗": "×", "¥": "￥", "–": "-", "…": "..", "·": "-", "←": "<-", "→": "->"}
"""What stands for a mark of ours where the encoding lacks it."""


def _replace(error: UnicodeError) -> tuple[str, int]:
    """A mark by its like, any other letter by its code."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    return "".join(
        _MARKS.get(one, "") if _has(error.encoding, _MARKS.get(one)) else _code(one) for one in letters
    ), error.end


def _has(encoding: str, text: str | None) -> bool:
    try:
        return bool(text and text.encode(encoding))
    except UnicodeEncodeError:
        return False


def _code(letter: str) -> str:
    return letter.encode("ascii", "backslashreplace").decode("ascii")


def can_write(text: str, stream: Any) -> bool:  # noqa: ANN401 - a stream, or what a test puts in its place
    """Whether the stream's encoding has those letters."""
    return _has(getattr(stream, "encoding", None) or "utf-8", text)
