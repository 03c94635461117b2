"""What can go wrong with embedded servers, said so that a person can mend it."""

from __future__ import annotations


class LocalServerFailure(Exception):
    """The embedded servers cannot be had. The message says why and what to do."""

    def __init__(self, zh: str, en: str) -> None:
        """Say it in both languages."""
        super().__init__(f"{zh} / {en}")
        self.zh = zh
        self.en = en
