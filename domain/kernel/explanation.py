"""What is wrong with a value, in Chinese and English, and what would do: never in the words of a library."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from domain.kernel.failure import Failure, FailureKind
from domain.kernel.field_shape import Kind, Notation, Shape
from domain.kernel.money import yuan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic_core import ErrorDetails

Place = tuple[str | int, ...]
"""The way to a value: keys and indexes from the top."""

_LONGEST_SHOWN = 60


class ValueMisread(ValueError):
    """A value that cannot be what it should be, in both languages."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh} / {en}")
        self.zh = zh
        self.en = en


@dataclass(frozen=True)
class InputFault:
    """One value that cannot be taken: where, why, and what would do."""

    place: Place
    zh: str
    en: str


class InputInvalid(Failure):
    """What was given cannot be read. Every fault is named."""

    kind = FailureKind.USAGE

    def __init__(
        self, faults: Sequence[InputFault], zh: str = "填寫內容有誤，請修改", en: str = "Some details are not valid"
    ) -> None:
        named = [(place_text(f.place), f) for f in faults]
        super().__init__(
            "\n".join((f"{zh}：", *(f"  ✗ {where}：{f.zh}" if where else f"  ✗ {f.zh}" for where, f in named))),
            "\n".join((f"{en}:", *(f"  ✗ {where}: {f.en}" if where else f"  ✗ {f.en}" for where, f in named))),
            faults=[{"where": where, "zh": f.zh, "en": f.en} for where, f in named],
        )
        self.faults = tuple(faults)


def place_text(place: Place) -> str:
    """A place as people read it: ``events[3].data.amount``, counted from 1."""
    return "".join(f"[{p + 1}]" if isinstance(p, int) else f".{p}" for p in place).lstrip(".")


def show(value: object) -> str:
    """A value as it came, short enough to be shown back, and never a control sequence."""
    text = value if isinstance(value, str) else _as_json(value)
    short = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
    short = "".join(f"U+{ord(c):04X}" if unicodedata.category(c) in ("Cc", "Cs", "Cf") else c for c in short)
    return f"「{short}」" if isinstance(value, str) else short


def _as_json(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (TypeError, ValueError):
        return "…"


def explain_error(
    error: ErrorDetails, shape: Shape | None = None, notation: Notation = Notation.DATA
) -> tuple[str, str]:
    """A pydantic error in Chinese and English, saying what would mend it; ``shape`` is what belongs there."""
    context = error.get("ctx", {})
    value = error.get("input")
    if error["type"] == "missing" and shape is not None:
        zh, en = shape.texts(notation)
        return f"為必填項：{zh}", f"is required: {en}"
    explain = _EXPLANATIONS.get(error["type"])
    if explain is not None:
        return explain(context, _format_in_unit(value, shape), shape)
    if shape is not None:
        zh, en = shape.texts(notation)
        return f"須為{zh}；不可為 {show(value)}", f"must be {en}; not {show(value)}"
    zh, en = _FORMS.get(error["type"].partition("_")[0], ("", ""))
    if zh:
        return f"須為{zh}，不可為 {show(value)}", f"must be {en}, not {show(value)}"
    return f"{show(value)} 不合要求", f"{show(value)} will not do"


def _format_in_unit(value: object, shape: Shape | None) -> str:
    """A value in the unit that people count it in."""
    if shape is not None and shape.kind is Kind.MONEY and isinstance(value, int):
        return yuan(value)
    return show(value)


_FORMS = {
    "int": ("整數", "a whole number"),
    "float": ("數字", "a number"),
    "decimal": ("數字", "a number"),
    "finite": ("數字", "a number"),
    "bool": ("true 或 false", "true or false"),
    "string": ("文字", "text"),
    "date": ("日期，如 2024-03-04", "a date such as 2024-03-04"),
    "datetime": (
        "帶時區的時間，如 2024-04-24T17:00:00+08:00",
        "a time with its offset such as 2024-04-24T17:00:00+08:00",
    ),
    "timezone": (
        "帶時區的時間，如 2024-04-24T17:00:00+08:00",
        "a time with its offset such as 2024-04-24T17:00:00+08:00",
    ),
    "dict": ("鍵與值的對照", "keys with their values"),
    "mapping": ("鍵與值的對照", "keys with their values"),
    "model": ("鍵與值的對照", "keys with their values"),
    "list": ("清單", "a list"),
    "tuple": ("清單", "a list"),
    "set": ("清單", "a list"),
    "frozen": ("清單", "a list"),
    "iterable": ("清單", "a list"),
}

_Explanation = Callable[[Mapping[str, Any], str, Shape | None], tuple[str, str]]


def _bound(key: str, zh: str, en: str) -> _Explanation:
    def explain(context: Mapping[str, Any], value: str, shape: Shape | None) -> tuple[str, str]:
        bound = _format_in_unit(context.get(key), shape)
        return f"須{zh} {bound}，現為 {value}", f"must be {en} {bound}; it is {value}"

    return explain


def _count(key: str, zh: str, en: str) -> _Explanation:
    """How many there may be; what came is long, and is not shown."""

    def explain(context: Mapping[str, Any], _value: str, _shape: Shape | None) -> tuple[str, str]:
        count = context.get(key)
        return zh.format(count), en.format(count)

    return explain


def _digits(key: str, zh: str, en: str) -> _Explanation:
    """How many digits there may be, and the number that came."""

    def explain(context: Mapping[str, Any], value: str, _shape: Shape | None) -> tuple[str, str]:
        count = context.get(key)
        return f"{zh.format(count)}，現為 {value}", f"{en.format(count)}; it is {value}"

    return explain


def _own(context: Mapping[str, Any], value: str, _shape: Shape | None) -> tuple[str, str]:
    """Our own validators write 中文 / English."""
    error = context.get("error")
    if isinstance(error, ValueMisread):
        return error.zh, error.en
    zh, slash, en = str(error).rpartition(" / ")
    return (zh, en) if slash else (f"{value} 不合要求", f"{value} will not do")


def _alternatives(context: Mapping[str, Any], value: str, shape: Shape | None) -> tuple[str, str]:
    if shape is not None:
        zh, en = shape.texts()
        return f"須為{zh}；不可為 {value}", f"must be {en}; not {value}"
    names = str(context.get("expected", "")).replace("'", "").replace(" or ", ", ")
    return f"只可為 {names}；不可為 {value}", f"must be one of {names}; not {value}"


def _tags(context: Mapping[str, Any], _value: str, _shape: Shape | None) -> tuple[str, str]:
    """Which kinds there are, where a field says of which kind the whole is."""
    names, value = str(context.get("expected_tags", "")).replace("'", ""), show(context.get("tag"))
    return f"只可為 {names}；不可為 {value}", f"must be one of {names}; not {value}"


def _pattern(context: Mapping[str, Any], value: str, _shape: Shape | None) -> tuple[str, str]:
    pattern = str(context.get("pattern", ""))
    words = re.fullmatch(r"\^\(([a-z|]+)\)\$", pattern)
    if words is not None:
        names = words[1].split("|")
        return f"只可為 {'、'.join(names)}；不可為 {value}", f"must be one of {', '.join(names)}; not {value}"
    zh, en = _PATTERNS.get(pattern, (f"形式 {pattern}", f"of the form {pattern}"))
    return f"須為{zh}；不可為 {value}", f"must be {en}; not {value}"


_PATTERNS = {
    r"^[A-Z][A-Z0-9]{0,7}$": ("規則代號，如 T12", "the id of a rule such as T12"),
    r"^[a-z][a-z0-9-]{1,31}$": ("小寫字母、數字與連字號，2 至 32 字", "2 to 32 lower-case letters, digits and hyphens"),
    r"^[a-z][a-z0-9_]{0,31}$": (
        "小寫字母、數字與底線，至多 32 字",
        "up to 32 lower-case letters, digits and underscores",
    ),
    r"^[A-Za-z0-9][A-Za-z0-9-]{0,31}$": ("字母、數字與連字號，至多 32 字", "up to 32 letters, digits and hyphens"),
    r"^[A-Za-z0-9-]{1,32}$": ("字母、數字與連字號，至多 32 字", "up to 32 letters, digits and hyphens"),
    r"^[A-Za-z0-9][A-Za-z0-9._-]{0,40}$": (
        "字母、數字、點、底線與連字號，至多 41 字",
        "up to 41 letters, digits, dots, underscores and hyphens",
    ),
    r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$": (
        "字母、數字、點、底線與連字號，至多 64 字",
        "up to 64 letters, digits, dots, underscores and hyphens",
    ),
    r"^PJ-[A-Za-z0-9-]{1,32}$": ("項目編號，如 PJ-3", "a project's number such as PJ-3"),
    r"^[0-9a-f]{64}$": ("SHA-256 校驗值，64 位小寫十六進制", "a SHA-256 digest, 64 lower-case hex digits"),
}

_EXPLANATIONS: Mapping[str, _Explanation] = {
    "missing": lambda _context, _value, _shape: ("為必填項", "is required"),
    "extra_forbidden": lambda _context, _value, _shape: (
        "沒有此項，請刪去或改正拼寫",
        "there is no such field; remove it or mend its spelling",
    ),
    "greater_than_equal": _bound("ge", "不小於", "at least"),
    "greater_than": _bound("gt", "大於", "more than"),
    "less_than_equal": _bound("le", "不大於", "at most"),
    "less_than": _bound("lt", "小於", "less than"),
    "too_short": _count("min_length", "至少須有 {} 項", "at least {} are needed"),
    "too_long": _count("max_length", "至多 {} 項", "at most {} will do"),
    "string_too_short": _count("min_length", "至少須有 {} 字", "must have at least {} characters"),
    "string_too_long": _count("max_length", "至多 {} 字", "must have at most {} characters"),
    "string_unicode": lambda _context, _value, _shape: ("含有非文字的字元", "it holds characters that are no text"),
    "decimal_max_digits": _digits("max_digits", "至多 {} 位數字", "must have at most {} digits"),
    "decimal_max_places": _digits("decimal_places", "至多 {} 位小數", "must have at most {} decimals"),
    "decimal_whole_digits": _digits(
        "whole_digits", "整數部分至多 {} 位", "must have at most {} digits before the point"
    ),
    "string_pattern_mismatch": _pattern,
    "enum": _alternatives,
    "literal_error": _alternatives,
    "union_tag_invalid": _tags,
    "union_tag_not_found": lambda _context, _value, _shape: ("為必填項", "is required"),
    "value_error": _own,
    "assertion_error": _own,
}
