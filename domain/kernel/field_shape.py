"""What a field takes: money, a date, one of a closed list…; said once, for whoever reads it in and whoever lists it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from domain.kernel.attachment import Attachment
from domain.kernel.money import Unit
from domain.kernel.words import Named

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Notation(StrEnum):
    """How the values that come in are written."""

    TYPED = "typed"
    """As people type them: everything is text, money is in yuan."""
    DATA = "data"
    """As JSON has them: numbers are numbers, money is a whole number of fen."""
    YAML = "yaml"
    """As data, but that a word without quotes, ``365``, is text where the field is text."""


class Kind(StrEnum):
    """What a value is."""

    TEXT = "text"
    MONEY = "money"
    INTEGER = "integer"
    DECIMAL = "decimal"
    YES_NO = "yes_no"
    DATE = "date"
    INSTANT = "instant"
    CHOICE = "choice"
    DOCUMENT = "document"
    LIST = "list"
    MAPPING = "mapping"
    GROUP = "group"
    """Several fields of its own."""
    ANY = "any"
    """Whatever its model makes of it."""


@dataclass(frozen=True)
class FieldChoice:
    """One value of a closed list, and what the office calls it."""

    value: str
    zh: str
    en: str

    @property
    def zh_with_value(self) -> str:
        """As a list of what may be given shows it."""
        return f"{self.value}（{self.zh}）" if self.zh else self.value


@dataclass(frozen=True)
class Shape:
    """What a value must look like."""

    kind: Kind
    choices: tuple[FieldChoice, ...] = ()
    item: Shape | None = None
    """Of a list or a mapping, its values."""
    key: Shape | None = None
    model: type[BaseModel] | None = None
    named: bool = False
    """Whether a text may be given by the office's word for it (``NAMED``)."""
    least: int | None = None
    most: int | None = None

    def texts(self, notation: Notation = Notation.TYPED) -> tuple[str, str]:
        """What may be given, in Chinese and English."""
        match self.kind:
            case Kind.CHOICE:
                zh = "、".join(choice.zh_with_value for choice in self.choices)
                return f"下列之一：{zh}", f"one of {', '.join(choice.value for choice in self.choices)}"
            case Kind.MONEY if notation is not Notation.TYPED:
                return (
                    "金額，以分為單位的整數，不加引號：5000000 即 ¥50,000.00",
                    "an amount in whole fen, without quotes: 5000000 is ¥50,000.00",
                )
            case Kind.INTEGER if self.least is not None and self.most is not None:
                return f"整數，{self.least} 至 {self.most}", f"a whole number from {self.least} to {self.most}"
            case Kind.LIST if self.item is not None:
                zh, en = self.item.texts(notation)
                return f"清單，以逗號分隔；每項為{zh}", f"a list, separated by commas; each {en}"
            case Kind.MAPPING if self.item is not None:
                zh, en = self.item.texts(notation)
                return (
                    f"對照，寫作 名稱：值，以逗號分隔；值為{zh}",
                    f"pairs, written name:value and separated by commas; each value {en}",
                )
            case Kind.GROUP if self.model is not None:
                names = "、".join(field_shapes(self.model))
                return f"JSON 物件，含 {names}", f"a JSON object of {names.replace('、', ', ')}"
            case _:
                return _TEXTS[self.kind]


_TEXTS = {
    Kind.TEXT: ("文字", "text"),
    Kind.MONEY: (
        "金額，以元為單位，如 50000、50,000.00、5萬；以分為單位須寫明，如 5000000fen",
        "an amount in yuan such as 50000, 50,000.00 or 5萬; in fen only if it says so, 5000000fen",
    ),
    Kind.INTEGER: ("整數，如 12", "a whole number such as 12"),
    Kind.DECIMAL: ("數字，如 88 或 88.5", "a number such as 88 or 88.5"),
    Kind.YES_NO: ("是或否", "yes or no"),
    Kind.DATE: ("日期，如 2024-03-04（1990 至 2200 年）", "a date such as 2024-03-04 (1990 to 2200)"),
    Kind.INSTANT: (
        "時間，如 2024-04-24T17:00，不寫時區即北京時間（1990 至 2200 年）",
        "a time such as 2024-04-24T17:00, in Shanghai unless it has an offset (1990 to 2200)",
    ),
    Kind.DOCUMENT: (
        "文件，寫作 @路徑；或含 sha256、media_type、name 的 JSON",
        "a document, written @path; or JSON with sha256, media_type and name",
    ),
    Kind.CHOICE: ("", ""),
    Kind.LIST: ("清單", "a list"),
    Kind.MAPPING: ("對照", "pairs"),
    Kind.GROUP: ("JSON 物件", "a JSON object"),
    Kind.ANY: ("鍵與值的對照或清單", "keys with their values, or a list"),
}


@dataclass(frozen=True)
class Otherwise:
    """Marks an optional field: what the rules put where it is left out. It says so and does nothing."""

    zh: str
    en: str
    parameter: str = ""
    """Of the scheme, whose value differs from city to city: ``remedy.hearing_wd``."""


@dataclass(frozen=True)
class FieldShape:
    """One field: what it is called, what it takes, and whether it must be there."""

    name: str
    """By which it is given."""
    attribute: str
    zh: str
    en: str
    required: bool
    default: object
    """None if there is none."""
    shape: Shape
    otherwise: Otherwise | None = None
    """What holds where it is left out, and no value of the model says."""


@cache
def field_shapes(model: type[BaseModel]) -> Mapping[str, FieldShape]:
    """The fields of a model by the names they are given under, in their order."""
    shapes = (_field_shape(attribute, field) for attribute, field in model.model_fields.items())
    return {shape.name: shape for shape in shapes}


def _field_shape(attribute: str, field: FieldInfo) -> FieldShape:
    zh, _, en = (field.title or "").partition(" / ")
    required = field.is_required()
    default = None if required or field.default_factory else field.default
    name = field.alias or attribute
    return FieldShape(
        name,
        attribute,
        zh or name,
        en or name,
        required,
        default,
        _shape(field.annotation, field.metadata),
        next((one for one in field.metadata if isinstance(one, Otherwise)), None),
    )


def _shape(annotation: Any, metadata: Iterable[Any] = ()) -> Shape:  # noqa: ANN401 - whatever a field is declared as
    """What a value of that type looks like."""
    details = list(metadata)
    while get_origin(annotation) is Annotated:
        annotation, *more = get_args(annotation)
        for one in more:
            details.extend(one.metadata if isinstance(one, FieldInfo) else [one])
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        some = [a for a in arguments if a is not NoneType]
        return _shape(some[0], details) if len(some) == 1 else Shape(Kind.ANY)
    if origin is Literal:
        return Shape(Kind.CHOICE, tuple(FieldChoice(str(value), "", "") for value in arguments))
    if origin in (tuple, list, frozenset):
        return Shape(Kind.LIST, item=_shape(arguments[0]))
    if origin is dict:
        return Shape(Kind.MAPPING, key=_shape(arguments[0]), item=_shape(arguments[1]))
    return _plain_shape(annotation, details)


def _plain_shape(annotation: type[Any], details: list[Any]) -> Shape:
    if any(isinstance(one, Unit) for one in details):
        return Shape(Kind.MONEY)
    if not isinstance(annotation, type):
        return Shape(Kind.ANY)
    if annotation is int:
        return Shape(Kind.INTEGER, least=_bound(details, "ge"), most=_bound(details, "le"))
    if issubclass(annotation, StrEnum):
        words = (FieldChoice(str(m), getattr(m, "zh", ""), getattr(m, "en", "")) for m in annotation)
        return Shape(Kind.CHOICE, tuple(words))
    if issubclass(annotation, Attachment):
        return Shape(Kind.DOCUMENT, model=annotation)
    if issubclass(annotation, BaseModel):
        takes_other_forms = any(v.info.mode == "before" for v in _model_validators(annotation))
        return Shape(Kind.ANY if takes_other_forms else Kind.GROUP, model=annotation)
    if issubclass(annotation, str) and any(isinstance(one, Named) for one in details):
        return Shape(Kind.TEXT, named=True)
    return Shape(next((kind for base, kind in _PLAIN if issubclass(annotation, base)), Kind.ANY))


def _model_validators(model: type[BaseModel]) -> Iterable[Any]:
    return model.__pydantic_decorators__.model_validators.values()


def _bound(details: list[Any], name: str) -> int | None:
    return next((bound for one in details if isinstance(bound := getattr(one, name, None), int)), None)


_PLAIN: tuple[tuple[type, Kind], ...] = (
    (bool, Kind.YES_NO),
    (Decimal, Kind.DECIMAL),
    (datetime, Kind.INSTANT),
    (date, Kind.DATE),
    (str, Kind.TEXT),
)
