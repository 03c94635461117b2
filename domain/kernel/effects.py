"""What an event does to things that many streams share: a pure function of the event, written in its transaction.

The append alone applies effects, under the log lock; rebuilding applies them again and asks nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

WORLD = "world/"
"""Accounts beginning so stand for everything outside (treasury, the public purse): they alone may be negative."""


@dataclass(frozen=True)
class Claim:
    """``holder`` takes one of the ``limit`` places of ``key``. A taken-up key says no."""

    key: str
    holder: str
    limit: int = 1


@dataclass(frozen=True)
class Release:
    """``holder`` gives its place of ``key`` back."""

    key: str
    holder: str


@dataclass(frozen=True)
class Post:
    """``fen`` moves from one account to another: double entry. An account outside ``world/`` never goes below zero."""

    source: str
    target: str
    fen: int


Effect = Claim | Release | Post
