"""Fields that not everybody sees who sees the rest of a file: marked on the models, judged by ``domain.visibility``.

What is withheld is taken out of the event itself, so that a door that forgets to ask finds nothing there; every door
then says that it is withheld, and never shows a blank.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from domain.kernel.words import Words

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from domain.kernel.message import Event


class Restriction(Words):
    """Of what kind a field is that is not for everybody."""

    ACCOUNT = "ACCOUNT", "收款賬戶", "payee account"
    CLIENT = "CLIENT", "敏感受益對象", "sensitive beneficiary"
    """FZ-10, V4: not even the pseudonym."""
    SHEET = "SHEET", "評分表", "score sheet"
    """SD7: another reviewer's."""
    INTEREST = "INTEREST", "利害關係的緣由", "reason of an interest"
    """SD5: what ties a reviewer to whom."""
    PANELIST = "PANELIST", "評審席位", "who sits on the panel"
    """SD7: seats by their numbers in the roster, and who declared or scored on which."""


@dataclass(frozen=True)
class Restricted:
    """Stands in the annotation of a field: ``Annotated[str, Field(…), Restricted(Restriction.CLIENT)]``."""

    by: Restriction


@cache
def list_restricted(event: type[Event]) -> Mapping[str, Restriction]:
    """The fields of that event that are not for everybody, and of what kind each is."""
    marks = ((name, mark) for name, field in event.model_fields.items() for mark in field.metadata)
    return MappingProxyType({name: mark.by for name, mark in marks if isinstance(mark, Restricted)})


def withhold(event: Event, names: Collection[str]) -> Event:
    """The event without those fields: to read one of them raises AttributeError, and no output has it."""
    if not names:
        return event
    kept = {name: value for name, value in event.__dict__.items() if name not in names}
    bare = type(event).model_construct(None, **kept)
    for name in names:
        bare.__dict__.pop(name, None)  # what has a default would else be told as that
    return bare


def name_as_written(event: Event, names: Collection[str]) -> frozenset[str]:
    """Those fields by the names under which they stand in outputs, e.g. ``in`` for ``in_``."""
    return frozenset(type(event).model_fields[name].serialization_alias or name for name in names)


WITHHELD: tuple[str, str] = ("不予顯示", "withheld")
"""What every door says in the place of a field that is withheld."""
