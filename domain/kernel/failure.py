"""What can go wrong, as one tree: a failure's kind, what it is in both languages, and what to do about it."""

from __future__ import annotations

from enum import IntEnum


class FailureKind(IntEnum):
    """What sort of failure it is. The value is the code that a process exits with; HTTP's answers follow from it."""

    REFUSED = 1
    """The rules do not allow it as things stand."""
    USAGE = 2
    """What was asked cannot be understood."""
    NOT_FOUND = 3
    CONFLICT = 4
    """It stands against something that is there already."""
    UNAVAILABLE = 5
    """A server does not answer, or the outcome is not known."""
    INTEGRITY = 6
    """The records do not agree with each other."""
    DEFECT = 70
    """A fault of this product itself."""
    INTERRUPTED = 130
    """Whoever asked broke off; the code is the shell's own for that."""


class Failure(Exception):
    """Something that did not succeed, told to whoever asked for it. Every failure that may reach a person is one."""

    kind = FailureKind.DEFECT
    remedy_zh = ""
    remedy_en = ""
    """What to do about it; empty where the text says so itself."""

    def __init__(self, zh: str, en: str, **details: object) -> None:
        super().__init__(f"{zh} / {en}")
        self.zh = zh
        self.en = en
        self.details = details


class Defect(Failure):
    """A fault of this product."""

    remedy_zh = "設 VENTURE_LOG_LEVEL=debug 可見詳情；請連同日誌報告"
    remedy_en = "VENTURE_LOG_LEVEL=debug shows where; report it with the log"

    def __init__(self, why: str) -> None:
        super().__init__(f"系統錯誤：{why}", f"internal error: {why}", why=why)
        self.why = why
