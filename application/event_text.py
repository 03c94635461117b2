"""What an event says, in words that people read: the same on a terminal and on a page."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from domain.catalogue import command_class, value_words
from domain.kernel.attachment import Attachment
from domain.kernel.calendar import local_time
from domain.kernel.money import yuan
from domain.kernel.proposal import ActProposed
from domain.kernel.restriction import WITHHELD
from domain.kernel.scheme import Scheme
from domain.kernel.state import SchemeRef
from domain.kernel.words import GLUE, Words, label

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.kernel.message import Event

Say = Callable[[str, str], str]
"""Of a Chinese and an English text, the one that the reader reads."""


def describe_event(event: Event, say: Say) -> str:
    """What an event says, in a line: no bookkeeping of our own, and nothing that only says no."""
    return describe_glued(event, say).replace(GLUE, " ")


def describe_glued(event: Event, say: Say) -> str:
    """The same with each label glued to its value, for whoever breaks lines."""
    fields = event.__dict__
    if isinstance(event, ActProposed) and "body" in fields:
        fields = {**fields, "body": _read_proposed(event)}
    parts = [
        _label_value(fields[one.name], one, say) if one.name in fields else f"{say(*one.words)}{GLUE}{say(*WITHHELD)}"
        for one in _list_fields(type(event))
        if one.name not in _OURS and not (one.name in fields and _is_silent(one, fields[one.name]))
    ]
    return say("；", "; ").join(parts)


def _read_proposed(event: ActProposed) -> object:
    """The command that is proposed, whose fields have words; of one that is read no longer, what stands there."""
    try:
        return command_class(event.command).model_validate(event.body)
    except (KeyError, ValidationError):
        return event.body


_OURS = frozenset({"places", "freed_places", "bound", "preview", "need_version", "bars", "charge", "undecided"})
"""Particulars that rules and guards need and no reader does."""
_EITHER_WAY = frozenset({"passed", "annual_report_filed", "own_accounts"})
"""Particulars of which a no is news as well."""


@dataclass(frozen=True)
class _Field:
    """What of a model's field is asked whenever it is told."""

    name: str
    words: tuple[str, str]
    default: object
    is_money: bool


@cache
def _list_fields(model: type[BaseModel]) -> tuple[_Field, ...]:
    return tuple(
        _Field(name, label(field), field.default, _is_money(field.annotation, field.metadata))
        for name, field in model.model_fields.items()
    )


def _is_silent(field: _Field, value: object) -> bool:
    if isinstance(value, bool):
        return value == field.default or not (value or field.name in _EITHER_WAY)
    return value is None or value in (0, "", (), [], {}) or value == field.default


def _label_value(value: object, field: _Field, say: Say) -> str:
    return f"{say(*field.words)}{GLUE}{_value(value, say, money=field.is_money)}"


def _is_money(annotation: Any, metadata: Iterable[Any]) -> bool:  # noqa: ANN401 - any annotation
    """Whether a field holds fen: its validator is the money's, on itself or on the values of its mapping."""
    if any(getattr(getattr(m, "func", None), "__module__", "") == "domain.kernel.money" for m in metadata):
        return True
    if get_origin(annotation) is dict:
        value = get_args(annotation)[1]
        return _is_money(value, getattr(value, "__metadata__", ()))
    return any(
        _is_money(inner, getattr(inner, "__metadata__", ()))
        for inner in get_args(annotation)
        if inner is not type(None)
    )


def _value(value: Any, say: Say, *, money: bool, inner: bool = False) -> str:  # noqa: ANN401 - any particular
    match value:
        case bool():
            return say("是" if value else "否", "yes" if value else "no")
        case int() if money:
            return yuan(value)
        case Words():
            return say(value.zh, value.en)
        case str():
            return _word(value, say)
        case int() | Decimal():
            return str(value)
        case datetime():
            return local_time(value)
        case date():
            return value.isoformat()
        case dict():
            pairs = (
                f"{_value(k, say, money=False)} {_value(v, say, money=money, inner=True)}" for k, v in value.items()
            )
            return _join(list(pairs), say, inner=inner)
        case tuple() | list() | frozenset() | set():
            several = sorted(value) if isinstance(value, frozenset | set) else value
            return _join([_value(v, say, money=money, inner=True) for v in several], say, inner=inner)
        case Attachment():
            return say(f"《{value.name}》", value.name)
        case Scheme():
            return f"{value.title}（{value.ref}）"
        case SchemeRef():
            return str(value)
        case BaseModel():
            return " ".join(
                _label_value(part, field, say)
                for field in _list_fields(type(value))
                if not isinstance(part := getattr(value, field.name), BaseModel) and not _is_silent(field, part)
            )
        case _:
            return str(value)


_DIGEST = re.compile(r"[0-9a-f]{64}")
_MOST = 8
"""A line holds no more entries than this."""


def _word(text: str, say: Say) -> str:
    """A text, a budget line or a gate in the reader's language; of a digest its beginning."""
    if _DIGEST.fullmatch(text):
        return f"{text[:8]}…"
    return say(*value_words(text))


def _join(parts: list[str], say: Say, *, inner: bool) -> str:
    if len(parts) > _MOST:
        return say(f"{len(parts)} 項", f"{len(parts)} items")
    return ("/" if inner else say("、", ", ")).join(parts)
