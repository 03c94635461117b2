"""Reads what somebody gave into fields, each by its own type: what was written is what is taken, or it is refused.

``Notation.TYPED`` is a command line, a cell, a form: every value is text. ``Notation.DATA`` is JSON,
``Notation.YAML`` a file of ours.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ValidationError

from domain.kernel.calendar import SHANGHAI
from domain.kernel.explanation import InputFault, InputInvalid, Place, ValueMisread, explain_error, show
from domain.kernel.field_shape import FieldShape, Kind, Notation, Shape, field_shapes
from domain.kernel.money import parse_yuan
from domain.kernel.script import simplify_word
from domain.kernel.words import NAMED, present_word

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.kernel.attachment import Attachment

M = TypeVar("M", bound=BaseModel)
D = TypeVar("D", bound=date)

FIRST_YEAR, LAST_YEAR = 1990, 2200
_DEEPEST = 16
"""Lists and objects within each other, beyond which JSON is nobody's particulars."""

AttachFile = Callable[[str], "Attachment"]
"""From a path to the document there. Raises OSError."""


def read_fields(
    model: type[M], fields: Mapping[str, object], notation: Notation, *, attach: AttachFile | None = None
) -> M:
    """The model with those values. Raises InputInvalid with everything that is wrong with them.

    ``attach`` reads the file that ``@path`` names; without it no file is read.
    """
    reader = _Reader(notation, attach)
    values = reader.read_group(model, fields, ())
    faults = reader.faults
    try:
        particulars = model.model_validate(values)
    except ValidationError as invalid:
        places = {fault.place for fault in faults}
        for error in invalid.errors(include_url=False):
            place = reader.place_given(_outward(model, tuple(error["loc"])))
            if not any(place[: len(known)] == known[: len(place)] for known in places):
                faults.append(InputFault(place, *explain_error(error, shape_at(model, place), notation)))
    else:
        if not faults:
            return particulars
    order = list(field_shapes(model))
    faults.sort(key=lambda fault: order.index(str(fault.place[0])) if fault.place and fault.place[0] in order else -1)
    raise InputInvalid(faults)


def shape_at(model: type[BaseModel], place: Place) -> Shape | None:
    """What the value at that place must look like; None if there is no such field."""
    shape: Shape | None = Shape(Kind.GROUP, model=model)
    for step in place:
        if shape is None:
            return None
        if shape.kind in (Kind.GROUP, Kind.DOCUMENT) and shape.model is not None:
            field_shape = field_shapes(shape.model).get(str(step))
            shape = field_shape.shape if field_shape else None
        elif step == "[key]":
            return shape.key
        else:
            shape = shape.item
    return shape


def _outward(model: type[BaseModel], place: Place) -> Place:
    """A pydantic place by the names under which fields are given."""
    if not place:
        return place
    names = {shape.attribute: name for name, shape in field_shapes(model).items()}
    return (names.get(str(place[0]), place[0]), *place[1:])


def parse_json(text: str) -> object:
    """JSON with decimals kept exact. Raises ValueError, in both languages, for doubled keys, NaN, or great depth."""
    return _parse_json(text, parse_int=_whole_number, parse_float=_decimal_number)


def _parse_json(text: str, **readers: Any) -> object:  # noqa: ANN401 - json's own
    if _depth(text) > _DEEPEST:
        raise _TOO_DEEP
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_number, **readers)
    except json.JSONDecodeError as invalid:
        zh, en = f"第 {invalid.colno} 個字元處不是 JSON", f"not JSON at character {invalid.colno}"
        raise ValueMisread(zh, en) from invalid


def _whole_number(text: str) -> int:
    return int(_require_short(text))


def _decimal_number(text: str) -> Decimal:
    return Decimal(_require_short(text))


def _require_short(number: str) -> str:
    """The number as it is written, unless no field could hold it: from some length on Python itself reads none."""
    power = _POWER.search(number)
    if len(number) > _LONGEST_NUMBER or (power is not None and len(power[1]) > _LONGEST_POWER):
        raise ValueMisread(f"數字過長：{show(number)}", f"the number is too long: {show(number)}")
    return number


_POWER = re.compile("[eE][+-]?0*([0-9]+)")
_LONGEST_NUMBER, _LONGEST_POWER = 1000, 3
"""Characters of a number in JSON, and digits of its power of ten."""

_TOO_DEEP = ValueMisread("JSON 層次過深", "JSON that is nested too deeply")


def _depth(text: str) -> int:
    """How deep the brackets go, those within texts left out; a text that is not closed reaches to the end."""
    deepest = depth = 0
    for char in _IN_QUOTES.sub("", text):
        if char in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif char in "]}":
            depth -= 1
    return deepest


_IN_QUOTES = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?$)', re.DOTALL)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A JSON object, every key once."""
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        doubled = next(name for name in names if names.count(name) > 1)
        raise ValueMisread(f"鍵 {show(doubled)} 重複", f"the key {show(doubled)} stands twice")
    return members


def _no_number(name: str) -> object:
    raise ValueMisread(f"{name} 不是數字", f"{name} is no number")


_SEPARATOR = re.compile(r"\s*[,，、]\s*")
_PAIR_SEPARATOR = re.compile(r"\s*[,，、]\s*(?=[^,，、:：]+[:：])")
_PAIR = re.compile(r"([^:：]+?)\s*[:：]\s*(.*)", re.DOTALL)
_INTEGER = re.compile(r"[+-]?(?:[0-9]{1,18}|[0-9]{1,3}(?:,[0-9]{3}){1,5})")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{1,18})?")
_DATE = re.compile(
    r"(?P<y>[0-9]{4})(?:(?P<sep>[-/.])|年)(?P<m>[0-9]{1,2})(?(sep)(?P=sep)|月)(?P<d>[0-9]{1,2})(?(sep)|日)"
)
_YES = frozenset({"是", "yes", "true"})
_NO = frozenset({"否", "no", "false"})
_SCIENTIFIC = re.compile(r"[+-]?[0-9.]+[eE][+-]?[0-9]+")
_HOUR = re.compile(
    r"(?P<h>[0-9]{1,2}):(?P<rest>[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?)(?P<offset>Z|[+-][0-9]{2}:?[0-9]{2})?"
)


class _Misfit(ValueError):
    """A value that is not of the shape of its field: the fault says what the shape is."""


@dataclass
class _Reader:
    notation: Notation
    attach: AttachFile | None
    faults: list[InputFault] = field(default_factory=list)
    given: dict[Place, Place] = field(default_factory=dict)
    """Where the members of mappings stand that were given by a word of the office, by where they stand as read."""

    def place_given(self, place: Place) -> Place:
        """The place as it was given: a line is told of under the word that somebody wrote."""
        for end in range(1, len(place) + 1):
            place = (*self.given.get(place[:end], place[:end]), *place[end:])
        return place

    def read_group(self, model: type[BaseModel], fields: Mapping[str, object], place: Place) -> dict[str, object]:
        """The values of a model's fields, by the names that pydantic knows them under."""
        shapes = field_shapes(model)
        values: dict[str, object] = {}
        for key, value in fields.items():
            shape = _field_named(shapes, key)
            if shape is None:
                known = "、".join(shapes) or "—"
                zh = f"沒有此項；可用：{known}"
                self._fault((*place, key), zh, f"there is no such field; there are: {known.replace('、', ', ')}")
            elif shape.name in values:
                self._fault_doubled((*place, key), shape.name)
            else:
                values[shape.name] = self.read(shape.shape, value, (*place, shape.name))
        return values

    def read(self, shape: Shape, value: object, place: Place) -> object:
        """The value as its type has it; a fault is noted, and the value left as it came."""
        if value is None:
            return None
        try:
            return self._read(shape, value, place)
        except ValueMisread as misread:
            self._fault(place, misread.zh, misread.en)
        except ValueError:
            zh, en = shape.texts(self.notation)
            self._fault(place, f"須為{zh}；不可為 {show(value)}", f"must be {en}; not {show(value)}")
        return value

    def _fault(self, place: Place, zh: str, en: str) -> None:
        self.faults.append(InputFault(place, zh, en))

    def _fault_doubled(self, place: Place, name: object) -> None:
        self._fault(place, f"與 {name} 重複", f"this is {name}, which is given already")

    def _read(self, shape: Shape, value: object, place: Place) -> object:
        if isinstance(value, str):
            _require_text(value)
        match shape.kind:
            case Kind.LIST if shape.item is not None:
                return self._list(shape.item, value, place)
            case Kind.MAPPING if shape.item is not None and shape.key is not None:
                return self._mapping(shape.key, shape.item, value, place)
            case Kind.GROUP | Kind.DOCUMENT if shape.model is not None:
                return self._group(shape, shape.model, value, place)
            case Kind.TEXT:
                text = self._text(value)
                return _named(text) if shape.named else text
            case Kind.MONEY:
                return self._money(value)
            case Kind.ANY:
                return value
            case _:
                return _SCALARS[shape.kind](shape, value)

    def _text(self, value: object) -> str:
        if self.notation is Notation.YAML and isinstance(value, bool | int | Decimal):
            return (
                str(value).lower()
                if isinstance(value, bool)
                else format(value, "f" if isinstance(value, Decimal) else "d")
            )
        if isinstance(value, str):
            return value
        raise ValueMisread(f"須為文字，請加引號；不可為 {show(value)}", f"must be text, in quotes; not {show(value)}")

    def _list(self, item: Shape, value: object, place: Place) -> object:
        if isinstance(value, str):
            members = self._members(value, "[")
            if members is None and item.model is not None:  # its commas are its own
                only = self._members(value, "{")
                members = only if only is None else [only]
            value = _SEPARATOR.split(value.strip()) if members is None else members
        if not isinstance(value, list | tuple):
            raise _Misfit
        return [self.read(item, one, (*place, i)) for i, one in enumerate(value)]

    def _mapping(self, key: Shape, item: Shape, value: object, place: Place) -> object:
        if isinstance(value, str):
            members = self._members(value, "{")
            value = dict(self._pairs(value)) if members is None else members
        if not isinstance(value, dict):
            raise _Misfit
        taken: dict[object, object] = {}
        for one, inner in value.items():
            name = self.read(key, one, (*place, str(one), "[key]"))
            if name in taken:  # by its word and by its name, or in either script
                self._fault_doubled((*place, str(one)), name)
            self.given[*place, str(name)] = (*place, str(one))
            taken[name] = self.read(item, inner, (*place, str(one)))
        return taken

    def _pairs(self, text: str) -> Iterable[tuple[str, str]]:
        seen: set[str] = set()
        for one in _PAIR_SEPARATOR.split(text.strip()):
            pair = _PAIR.fullmatch(one)
            if pair is None:
                raise _Misfit
            if pair[1] in seen:
                raise ValueMisread(f"{show(pair[1])} 重複", f"{show(pair[1])} stands twice")
            seen.add(pair[1])
            yield pair[1], pair[2]

    def _members(self, text: str, opening: str) -> Any:  # noqa: ANN401 - whatever JSON says
        """What JSON in a text says, its numbers as they were written; None if it is no JSON."""
        if not text.lstrip().startswith(opening):
            return None
        if self.notation is not Notation.TYPED:
            raise _Misfit
        return _parse_json(text, parse_int=str, parse_float=str)

    def _group(self, shape: Shape, model: type[BaseModel], value: object, place: Place) -> object:
        if isinstance(value, str):
            if shape.kind is Kind.DOCUMENT and value.startswith("@"):
                return self._document(value[1:])
            name, at, version = value.partition("@")
            if list(field_shapes(model)) == ["name", "version"] and name and at:
                value = {"name": name, "version": version if self.notation is Notation.TYPED else int(version)}
            else:
                value = self._members(value, "{")
        if not isinstance(value, dict):
            raise _Misfit
        return self.read_group(model, value, place)

    def _document(self, path: str) -> object:
        if self.attach is None:
            zh, en = (
                "此處不能讀取文件，請給出校驗值、類型與名稱",
                "no file can be read here: give digest, type and name",
            )
            raise ValueMisread(zh, en)
        try:
            return self.attach(path)
        except OSError as failure:
            reason = failure.strerror or "?"
            zh, en = f"無法讀取文件 {show(path)}（{reason}）", f"the file {show(path)} cannot be read ({reason})"
            raise ValueMisread(zh, en) from failure

    def _money(self, value: object) -> int:
        if self.notation is not Notation.TYPED:
            if isinstance(value, bool) or not isinstance(value, int):
                raise _Misfit
            return value
        if not isinstance(value, str):
            raise _Misfit
        return parse_amount(value)


def parse_amount(text: str) -> int:
    """The fen of an amount as people write it, in digits of either width. Raises ValueError if it is none."""
    digits = _plain_digits(text)
    if _SCIENTIFIC.fullmatch(digits):
        raise ValueMisread(
            f"{show(text)} 是科學記數，原數已失；請在電子表格中把該欄設為「文字」再填",
            f"{show(text)} is in scientific notation and has lost its digits: make the column text, type it again",
        )
    return parse_yuan(digits)


def _field_named(shapes: Mapping[str, FieldShape], key: str) -> FieldShape | None:
    """The field of that name, or of the office's word for it."""
    if key in shapes or not isinstance(key, str):
        return shapes.get(key)
    word = simplify_word(present_word(key.strip()))
    return next((shape for shape in shapes.values() if simplify_word(shape.zh) == word), None)


def _require_text(text: str) -> None:
    control = _NO_TEXT.search(text)
    if control is not None:
        code = f"U+{ord(control[0]):04X}"
        raise ValueMisread(f"含有非文字的字元 {code}", f"it holds a character that is no text, {code}")


_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters, but for tabs and line breaks, and halves of characters."""


def _plain_digits(text: str) -> str:
    """Full-width digits and signs as plain ones, without space around; 50000① and 50000², a note's mark, stay so."""
    plain = (one if one.isnumeric() and not one.isdecimal() else unicodedata.normalize("NFKC", one) for one in text)
    return "".join(plain).replace("\N{MINUS SIGN}", "-").strip()


def _named(text: str) -> str:
    """The name of a budget line or a criterion, where the office's word for it was given."""
    word = simplify_word(present_word(text.strip()))
    names = [name for name, (zh, _) in NAMED.items() if simplify_word(zh) == word]
    return names[0] if len(names) == 1 else text


def _integer(_shape: Shape, value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, str) or not _INTEGER.fullmatch(digits := _plain_digits(value)):
        raise _Misfit
    return int(digits.replace(",", ""))


def _decimal(_shape: Shape, value: object) -> Decimal:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Decimal(value)
    if not isinstance(value, str) or not _DECIMAL.fullmatch(digits := _plain_digits(value)):
        raise _Misfit
    return Decimal(digits)


def _yes_no(_shape: Shape, value: object) -> bool:
    if isinstance(value, bool):
        return value
    word = value.strip().lower() if isinstance(value, str) else ""
    if word not in _YES | _NO:
        raise _Misfit
    return word in _YES


def _date(_shape: Shape, value: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return _bounded(value)
    if not isinstance(value, str):
        raise _Misfit
    return parse_day(value)


def parse_day(text: str) -> date:
    """A date as people write it: ``2024-03-04``, ``2024/3/4``, ``2024年3月4日``. Raises ValueError if it is none."""
    match = _DATE.fullmatch(_plain_digits(text))
    if match is None:
        raise _Misfit
    return _bounded(date(*(int(match[part]) for part in "ymd")))


def _instant(_shape: Shape, value: object) -> datetime:
    if isinstance(value, datetime):
        return _bounded(value)
    if not isinstance(value, str):
        raise _Misfit
    return parse_instant(value)


def parse_instant(text: str) -> datetime:
    """A time as people write it, in Shanghai unless it has an offset. Raises ValueError if it is none."""
    day, _, hour = _plain_digits(text).replace("T", " ", 1).partition(" ")
    match = _HOUR.fullmatch(hour)
    if match is None:
        raise _Misfit
    hours, minutes, offset = match["h"], match["rest"], match["offset"] or ""
    moment = datetime.fromisoformat(f"{parse_day(day)}T{hours:0>2}:{minutes}{offset}")
    return moment if offset else moment.replace(tzinfo=SHANGHAI)


def parse_moment(text: str) -> date | datetime:
    """A day stays a day; a text with a time is that moment. Raises ValueError if it is neither."""
    return parse_day(text) if len(text.strip()) <= len("2024年12月31日") else parse_instant(text)


def read_day_or_time(value: object) -> date | datetime:
    """A day, or a time in Shanghai unless it has an offset. Raises ValueMisread if it is neither."""
    if isinstance(value, date):
        return value
    try:
        if isinstance(value, str):
            return parse_moment(value)
    except ValueError:
        pass  # said below, of whatever it is
    zh, en = "須為日期如 2024-03-04，或時間如 2024-03-04T09:00", "must be a date or a time such as 2024-03-04T09:00"
    raise ValueMisread(f"{zh}；不可為 {show(value)}", f"{en}; not {show(value)}")


DayOrTime = Annotated[date | datetime, BeforeValidator(read_day_or_time)]
"""A day, or a time: in Shanghai unless it has an offset."""


OPENING_HOUR = time(9)
"""Of what is dated by a day alone, in Shanghai: a row, a command."""


def at_hour(moment: date | datetime, hour: time) -> datetime:
    """The instant of a moment; a day's is at that hour in Shanghai."""
    return moment if isinstance(moment, datetime) else datetime.combine(moment, hour, SHANGHAI)


def _read_instant(value: object) -> object:
    return at_hour(read_day_or_time(value), OPENING_HOUR)


BusinessTime = Annotated[datetime, BeforeValidator(_read_instant)]
"""When something is ordered: a time, in Shanghai unless it has an offset; of a day alone, its opening hour."""


def _bounded(day: D) -> D:
    """The day, if its year is one of this office's."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        zh = f"年份須在 {FIRST_YEAR} 至 {LAST_YEAR} 之間，現為 {day.year}"
        raise ValueMisread(zh, f"the year must lie between {FIRST_YEAR} and {LAST_YEAR}; it is {day.year}")
    return day


def _choice(shape: Shape, value: object) -> str:
    if isinstance(value, str):
        if any(choice.value == value for choice in shape.choices):
            return value
        word = simplify_word(present_word(value.strip()))
        matches = {
            choice.value
            for choice in shape.choices
            if word in (simplify_word(choice.zh), choice.en) or word.upper().replace("-", "_") == choice.value.upper()
        }
        if word and len(matches) == 1:
            return matches.pop()
    raise _Misfit


_SCALARS: Mapping[Kind, Callable[[Shape, object], object]] = {
    Kind.INTEGER: _integer,
    Kind.DECIMAL: _decimal,
    Kind.YES_NO: _yes_no,
    Kind.DATE: _date,
    Kind.INSTANT: _instant,
    Kind.CHOICE: _choice,
}
