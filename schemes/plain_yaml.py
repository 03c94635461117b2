"""The part of YAML that an office's files need: mappings, lists, text, decimal numbers, true and false, null.

A number is a number only as people write one: ``0500000``, ``12:30``, ``1_8``, ``0x10`` and ``1.8E+07`` stay text, and
``on``, ``no`` and dates do too. There are no anchors, aliases, merge keys or tags, and every key stands once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import yaml

from domain.kernel.explanation import ValueMisread, show

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.kernel.explanation import Place

MOST_CHARACTERS = 2**22
MOST_VALUES = 200_000
"""More values than this in one file are not an office's file."""
DEEPEST = 32

_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,17}")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}


class YamlInvalid(ValueMisread):
    """The text cannot be read on from that line, counted from 1."""

    def __init__(self, line: int, zh: str, en: str) -> None:
        super().__init__(zh, en)
        self.line = line


@dataclass(frozen=True)
class YamlFault:
    """Something that may not stand in such a file, though the rest can be read."""

    line: int
    place: Place
    zh: str
    en: str


@dataclass
class YamlText:
    """What a text says: its value, the line of every value in it, and what may not stand there."""

    data: Any = None
    lines: dict[Place, int] = field(default_factory=dict)
    faults: list[YamlFault] = field(default_factory=list)


def parse_yaml(text: str) -> YamlText:
    """What the text says. Raises YamlInvalid where it cannot be read on."""
    if len(text) > MOST_CHARACTERS:
        raise YamlInvalid(1, f"文件超過 {MOST_CHARACTERS} 字", f"the file has more than {MOST_CHARACTERS} characters")
    try:
        events = (e for e in yaml.parse(text, Loader=_LOADER) if not isinstance(e, _FRAMES))
        return _Builder(events).build()
    except yaml.MarkedYAMLError as invalid:
        zh, en = _syntax_error(invalid)
        raise YamlInvalid(_faulty_line(invalid), zh, en) from invalid
    except yaml.reader.ReaderError as invalid:
        line = text.count("\n", 0, invalid.position) + 1 if isinstance(invalid.position, int) else 1
        raise YamlInvalid(line, "含有非文字的字元", "it holds a character that is no text") from invalid


_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The parser in C where there is one: it reads alike and ten times as fast."""
_FRAMES = (yaml.StreamStartEvent, yaml.StreamEndEvent, yaml.DocumentEndEvent)


def _faulty_line(error: yaml.MarkedYAMLError) -> int:
    """Where it went wrong: of what is not closed, where it was opened."""
    marks = (error.problem_mark, error.context_mark)
    mark = next((mark for mark in (marks[::-1] if "end of stream" in (error.problem or "") else marks) if mark), None)
    return mark.line + 1 if mark else 1


def _syntax_error(error: yaml.MarkedYAMLError) -> tuple[str, str]:
    problem = error.problem or error.context or ""
    for sign, zh, en in _SYNTAX:
        if sign in problem:
            return f"YAML 語法錯誤：{zh}", f"not valid YAML: {en}"
    return "YAML 語法錯誤：此處不合語法", f"not valid YAML: {problem}"


_SYNTAX = (
    ("tab character", "不可用 Tab 縮進，請用空格", "indent by spaces, not by tabs"),
    (
        "mapping values are not allowed",
        "此處不可有冒號；文字含冒號請加引號",
        "no colon may stand here; quote text that has one",
    ),
    ("expected ':'", "此行缺少冒號，或縮進不齊", "a colon is missing, or the line is not indented as it should be"),
    (
        "cannot start any token",
        "此字元不可開頭；請加引號，並勿用 Tab 縮進",
        "this cannot begin a value: quote it; no tabs",
    ),
    ("unexpected end of stream", "引號或括號未閉合", "a quotation mark or bracket is not closed"),
    ("expected node content", "此處缺少值，或括號未閉合", "a value is missing, or a bracket is not closed"),
    ("expected ',' or", "括號未閉合，或各項之間缺少逗號", "a bracket is not closed, or a comma is missing"),
    ("block end", "縮進不齊", "the line is not indented as it should be"),
    ("undefined alias", "不可用 * 引用；文字以 * 開頭請加引號", "no aliases: quote text that begins with *"),
    ("special characters are not allowed", "含有非文字的字元", "it holds a character that is no text"),
    ("control characters are not allowed", "含有非文字的字元", "it holds a character that is no text"),
)


class _Builder:
    """Puts the values together from the parser's events."""

    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self._events = events
        self._text = YamlText()

    def build(self) -> YamlText:
        if next(self._events, None) is None:
            raise YamlInvalid(1, "文件為空", "the file is empty")
        self._text.data = self._value(next(self._events), (), 0)
        more = next(self._events, None)
        if more is not None:
            raise YamlInvalid(_line(more), "一個文件中只可有一份內容，不可用 ---", "one file is one document: no ---")
        return self._text

    def _fault(self, event: yaml.Event, place: Place, zh: str, en: str) -> None:
        self._text.faults.append(YamlFault(_line(event), place, zh, en))

    def _value(self, event: yaml.Event, place: Place, depth: int) -> object:
        self._text.lines.setdefault(place, _line(event))
        if len(self._text.lines) > MOST_VALUES:
            raise YamlInvalid(_line(event), "文件內容過多", "the file holds too many values")
        if depth > DEEPEST:
            raise YamlInvalid(_line(event), "層次過深", "it is nested too deeply")
        self._note_reference(event, place)
        match event:
            case yaml.MappingStartEvent():
                return self._mapping(place, depth)
            case yaml.SequenceStartEvent():
                return self._sequence(place, depth)
            case yaml.ScalarEvent():
                return _scalar(event.value) if event.implicit[0] and not event.style else event.value
            case _:
                return None

    def _note_reference(self, event: yaml.Event, place: Place) -> None:
        """What makes a value out of another one, or of a type that is none of ours."""
        if isinstance(event, yaml.AliasEvent):
            self._fault(
                event, place, "不可用 * 引用；文字以 * 開頭請加引號", "no aliases: quote text that begins with *"
            )
            return
        if getattr(event, "anchor", None):
            self._fault(
                event, place, "不可用 & 引用；文字以 & 開頭請加引號", "no anchors: quote text that begins with &"
            )
        if (tag := getattr(event, "tag", None)) is not None:
            self._fault(event, place, f"不可用標記 {show(tag)}", f"no tags: {show(tag)}")

    def _mapping(self, place: Place, depth: int) -> dict[str, object]:
        members: dict[str, object] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise YamlInvalid(_line(event), "鍵須為文字", "a key must be text")
            key, inner = event.value, (*place, event.value)
            is_merge = key == "<<" and not event.style
            if key in members:
                self._fault(event, inner, "鍵重複", "this key stands twice")
            if is_merge:
                self._fault(event, inner, "不可用 << 合併", "no merge keys")
            value = self._value(next(self._events), inner, depth + 1)
            if not is_merge:
                members.setdefault(key, value)
        return members

    def _sequence(self, place: Place, depth: int) -> list[object]:
        items: list[object] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._value(event, (*place, len(items)), depth + 1))
        return items


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _scalar(text: str) -> object:
    """What a word without quotes stands for."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return Decimal(text) if _DECIMAL.fullmatch(text) else text
