"""Attachments wherever they lie in a command's or an event's data: documents by their digests."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from types import NoneType
from typing import TYPE_CHECKING

from pydantic import BaseModel, ValidationError

from domain.kernel.identifier import Attachment

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIELDS = frozenset(Attachment.model_fields)
_PLAIN = frozenset({str, int, bool, NoneType, date, datetime, Decimal})
"""Values that hold no others: most there are."""


def find_attachments(data: object) -> Iterator[Attachment]:
    """Every attachment in a model or in plain values, at any depth, in order; one that occurs twice comes twice."""
    match data:
        case Attachment():
            yield data
        case BaseModel():
            for value in data.__dict__.values():
                if value.__class__ not in _PLAIN:
                    yield from find_attachments(value)
        case dict() if data.keys() == _FIELDS:
            try:
                yield Attachment.model_validate(data)
            except ValidationError:  # something else that happens to have such fields
                return
        case dict():
            for value in data.values():
                yield from find_attachments(value)
        case list() | tuple():
            for value in data:
                yield from find_attachments(value)
        case _:
            return
