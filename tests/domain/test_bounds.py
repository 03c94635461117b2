"""Every field of every command has a greatest size, so that no one can fill the house."""

from __future__ import annotations

import typing
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union

import annotated_types as limits
import pytest
from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from domain.catalogue import AGGREGATES
from domain.kernel.acting import PersonId
from domain.kernel.bounds import Date, Name
from domain.kernel.identifier import Actor
from tests.tables import every_row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from domain.kernel.message import Command

COMMANDS = [command for aggregate in AGGREGATES.values() for command in aggregate.commands]


def unbounded(of: Any, notes: Sequence[Any], place: str) -> Iterator[str]:
    """Where a value of that annotation may grow without end."""
    if typing.get_origin(of) is Annotated:
        inner, *more = typing.get_args(of)
        yield from unbounded(inner, [*notes, *_flat(more)], place)
        return
    notes = _flat(notes)
    longest = any(isinstance(n, limits.MaxLen) or getattr(n, "max_length", None) is not None for n in notes)
    origin, args = typing.get_origin(of), typing.get_args(of)
    if of in (NoneType, bool) or origin is Literal:
        return
    if origin in (Union, UnionType):
        for inner in args:
            yield from unbounded(inner, notes, place)
    elif isinstance(of, type) and issubclass(of, BaseModel):
        for name, field in of.model_fields.items():
            yield from unbounded(field.annotation, field.metadata, f"{place}.{name}")
    elif isinstance(of, type) and issubclass(of, Enum | Actor | PersonId):
        return
    elif of in (int, Decimal, date, datetime):
        if not ({limits.Ge, limits.Gt} & kinds(notes) and {limits.Le, limits.Lt} & kinds(notes)):
            yield f"{place}: {of.__name__} from … to …"
    elif of is str:
        if not longest and not any(getattr(n, "pattern", None) for n in notes):
            yield f"{place}: a text of any length"
    elif origin is dict:
        if (
            not longest
            and not (isinstance(args[0], type) and issubclass(args[0], Enum))
            and typing.get_origin(args[0]) is not Literal
        ):
            yield f"{place}: a mapping of any size"
        yield from unbounded(args[0], (), f"{place} (key)")
        yield from unbounded(args[1], (), f"{place} (value)")
    elif origin in (tuple, frozenset, list):
        if not longest:
            yield f"{place}: a list of any length"
        yield from unbounded(args[0], (), f"{place} (item)")
    else:
        yield f"{place}: {of} is not known to this test"


def kinds(notes: Sequence[Any]) -> set[type]:
    return {type(note) for note in notes}


def _flat(notes: Sequence[Any]) -> list[Any]:
    """The notes, with those of a field inside them."""
    return [n for note in notes for n in ([note, *note.metadata] if isinstance(note, FieldInfo) else [note])]


@every_row("command", COMMANDS)
def test_every_field_has_a_greatest_size(command: type[Command]) -> None:
    places = [place for name, f in command.model_fields.items() for place in unbounded(f.annotation, f.metadata, name)]
    assert not places, f"{places}: declare them with a type of domain/kernel/bounds.py, or a max_length, ge and le"


class Wide(BaseModel):
    """What the walk must find."""

    text: str
    day: date
    several: Annotated[tuple[Annotated[str, "a note"], ...], Field(max_length=3)]
    by_name: dict[Name, int]


def test_what_may_grow_without_end_is_found() -> None:
    places = [place for name, f in Wide.model_fields.items() for place in unbounded(f.annotation, f.metadata, name)]
    assert places == [
        "text: a text of any length",
        "day: date from … to …",
        "several (item): a text of any length",
        "by_name: a mapping of any size",
        "by_name (value): int from … to …",
    ]


@pytest.mark.parametrize("day", ["1989-12-31", "9999-12-31", "0001-01-01"])
def test_a_day_beyond_every_project_is_no_day(day: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Date).validate_json(f'"{day}"')


@pytest.mark.parametrize("name", ["", "-1", "AP 5", "AP/5", "獨居", "A" * 65, "AP-5\n", "AP-5\x00"])
def test_a_name_that_no_stream_may_have_is_refused_where_it_is_given(name: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Name).validate_python(name)
