"""Attachments: documents by their digests, and where they lie in a command's or an event's data."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from types import NoneType
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain.kernel.identifier import Sha256, Text

if TYPE_CHECKING:
    from collections.abc import Iterator


class Attachment(BaseModel):
    """A document by its digest; the bytes are kept once, elsewhere (decision 033)."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    sha256: Annotated[Sha256, Field(title="校驗值 / digest")]
    media_type: Annotated[Text, Field(title="文件類型 / media type")]
    name: Annotated[Text, Field(title="名稱 / name")]


Attachments = Annotated[tuple[Attachment, ...], Field(max_length=50, title="附件 / attachments")]
"""Documents, where there are any."""
Evidence = Annotated[tuple[Attachment, ...], Field(min_length=1, max_length=50, title="附件 / attachments")]
"""Documents that must be there (V1)."""

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
