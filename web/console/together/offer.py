"""Which commands are offered for several tasks at once: what is typed is the same for each of them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from activities.names import GROUP_DECISIONS
from domain.kernel.field_shape import Kind, field_shapes
from web.console.command.form import ACCOUNT

if TYPE_CHECKING:
    from domain.kernel.message import Command

_OF_ONE: Final = frozenset({Kind.MONEY, Kind.DECIMAL, Kind.INTEGER, Kind.MAPPING, Kind.GROUP, Kind.DOCUMENT, Kind.ANY})
"""An amount, a mark, a count, a table of them, or the one document of a file is nobody else's; nor is an account."""


@cache
def may_be_together(command: type[Command]) -> bool:
    """Whether nothing of it but its subject is of one file alone: a reason may be shared, a mark or an amount not."""
    return command.command_type not in GROUP_DECISIONS and not any(
        one.shape.kind in _OF_ONE or name == ACCOUNT
        for name, one in field_shapes(command).items()
        if name != command.subject_field
    )
