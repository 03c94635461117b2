"""Who acts: a seat, and the persons who count as acting on it (design.md §12). Separation of duties compares persons.

A paper realm's seats are *bare*: who took the papers in vouches for them, and no person is known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from domain.kernel.identifier import Actor, CheckedText
from domain.kernel.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.kernel.refusal import Checks

_PERSON = re.compile(r"P-[1-9][0-9]{0,8}")


class PersonId(CheckedText):
    """One human, by an opaque number: ``P-7``. Who that is, no log says.

    Raises ValueError if it is written otherwise.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Raises ValueError for any other form."""
        if _PERSON.fullmatch(text) is None:
            message = f"{text[:40]!r}: 人員編號寫作 P-1 / a person is written P-1"
            raise ValueError(message)
        return super().__new__(cls, text)


class Basis(Words):
    """By what a person acts on a seat that is not theirs. Whoever acts on their own has none."""

    STAND_IN = "STAND_IN", "代行", "stand-in"
    BREAK_GLASS = "BREAK_GLASS", "應急啟用", "break-glass"


@dataclass(frozen=True, slots=True)
class Acting:
    """A seat with the persons who count as acting on it: whoever did, and if that is a stand-in, the holder too."""

    seat: Actor
    persons: frozenset[PersonId] = frozenset()
    """Empty for a bare seat."""
    is_live: bool = False
    """Whether the live registers judged the act: then nobody's counterpart may be unknown."""

    def is_same_person(self, other: Acting) -> bool:
        """Whether one human may be behind both: the sets meet; where a person is unknown, the seats are equal."""
        if self.persons and other.persons:
            return not self.persons.isdisjoint(other.persons)
        return self.seat == other.seat

    def is_unknown_beside(self, other: Acting) -> bool:
        """Whether this is an act on the wall clock whose counterpart nobody knows: unknown is refused there."""
        return self.is_live and not other.persons

    def __str__(self) -> str:
        """As a refusal names it: the seat alone."""
        return str(self.seat)


def require_another_person(
    check: Checks,
    acting: Acting,
    rule: str,
    others: Iterable[Acting | None],
    zh: str,
    en: str,
    /,
    **params: object,
) -> None:
    """Note that one human would do what takes two, or that nobody can tell; ``zh`` and ``en`` say what is wrong."""
    known = [other for other in others if other is not None]
    check(not any(acting.is_same_person(other) for other in known), rule, zh, en, **params)
    unknown = [str(other) for other in known if acting.is_unknown_beside(other) and not acting.is_same_person(other)]
    check(
        not unknown,
        rule,
        "{seats} 的前一步出自紙面卷宗，不知何人所辦：請由已登記人員重新辦理該步",
        "who took the step before as {seats} is not known, since it came from paper: have a registered person redo it",
        seats=list(dict.fromkeys(unknown)),
    )
