"""What a command rests on whatever it says: conditions on its file alone, which no filling of its form could satisfy.

Its rules judge them with all the rest; who asks what may be done now is told of them before anything is filled in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from domain.kernel.message import Command
    from domain.kernel.refusal import Checks
    from domain.kernel.state import State


@dataclass(frozen=True)
class Ground:
    """One such condition, its rule and what would satisfy it."""

    rule: str
    zh: str
    en: str
    holds: Callable[[State], object]
    """Read off the file as it stands: pure, and total."""


def require_grounds(check: Checks, state: State, command: Command) -> None:
    """All that the command rests on."""
    for ground in type(command).grounds:
        check(ground.holds(state), ground.rule, ground.zh, ground.en)
