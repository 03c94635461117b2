"""YAML with its line numbers kept, so that every fault can be shown where it is, with what would mend it."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from domain.kernel.failure import Failure, FailureKind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pydantic_core import ErrorDetails

M = TypeVar("M", bound=BaseModel)

Place = tuple[str | int, ...]
"""The way to a value: keys and indexes from the top."""


@dataclass(frozen=True)
class DocumentFault:
    """One thing that is wrong with a file: where, what, and what would mend it."""

    file: str
    line: int
    where: str
    zh: str
    en: str

    def __str__(self) -> str:
        """As a person reads it."""
        return f"{self.file}:{self.line}: {self.where}: {self.zh} / {self.en}"


class DocumentInvalid(Failure):
    """The file cannot be used as it is."""

    kind = FailureKind.USAGE
    remedy_zh = "逐處改正後再試"
    remedy_en = "Mend every fault that is listed, then try again"

    def __init__(self, faults: Sequence[DocumentFault]) -> None:
        """Keep all faults."""
        super().__init__(
            "\n".join(f"✗ {f.file}:{f.line} {f.where}：{f.zh}" for f in faults),
            "\n".join(f"✗ {f.file}:{f.line} {f.where}: {f.en}" for f in faults),
            faults=[asdict(f) for f in faults],
        )
        self.faults = tuple(faults)

    def __str__(self) -> str:
        return "\n".join(map(str, self.faults))


@dataclass(frozen=True)
class Document:
    """A file's content, and the line of every value in it."""

    file: str
    data: Any
    lines: dict[Place, int] = field(default_factory=dict)

    def line(self, place: Place) -> int:
        """The line of that value, or of the nearest thing around it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def fault(self, place: Place, zh: str, en: str) -> DocumentFault:
        """A fault at that place."""
        return DocumentFault(self.file, self.line(place), _place_text(place), zh, en)

    def parse(self, model: type[M], value: object = None, at: Place = ()) -> M:
        """The document, or that value of it, as the model. Raises DocumentInvalid with every fault."""
        try:
            return model.model_validate(self.data if value is None and not at else value)
        except ValidationError as wrong:
            raise DocumentInvalid([self._explained(e, at) for e in wrong.errors(include_url=False)]) from wrong

    def _explained(self, error: ErrorDetails, at: Place) -> DocumentFault:
        place = at + tuple(error["loc"])
        zh, en = explain_error(error)
        return self.fault(place, zh, en)


def _decimal(_loader: yaml.SafeLoader, node: ScalarNode) -> Decimal:
    return Decimal(node.value)


class _Reader(yaml.SafeLoader):
    """As YAML 1.2: ``on`` and ``no`` are words, a date is text until a model reads it, a decimal keeps its digits."""


_NOT_OURS = {"tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp"}


_Reader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag not in _NOT_OURS]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Reader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))
_Reader.add_constructor("tag:yaml.org,2002:float", _decimal)


def read(path: Path) -> Document:
    """The file with its lines. Raises DocumentInvalid if it is not YAML, has a key twice, or cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as wrong:
        fault = DocumentFault(str(path), 1, "", f"無法讀取文件：{wrong}", f"the file cannot be read: {wrong}")
        raise DocumentInvalid([fault]) from wrong
    return read_text(text, path.name)


def read_text(text: str, file: str) -> Document:
    """That text with its lines. Raises DocumentInvalid if it is not YAML or has a key twice."""
    try:
        loader = _Reader(text)
    except yaml.YAMLError as wrong:
        raise DocumentInvalid(
            [DocumentFault(file, 1, "", f"不是文字文件：{wrong}", f"not a text file: {wrong}")]
        ) from wrong
    try:
        node = loader.get_single_node()
        if node is None:
            raise DocumentInvalid([DocumentFault(file, 1, "", "文件為空", "the file is empty")])
        lines: dict[Place, int] = {}
        _walk(node, (), _Walk(file, loader, lines))
        return Document(file, loader.construct_document(node), lines)
    except yaml.MarkedYAMLError as wrong:
        mark = wrong.problem_mark or wrong.context_mark
        line = mark.line + 1 if mark else 1
        what = f"{wrong.context or ''} {wrong.problem or ''}".strip()
        raise DocumentInvalid(
            [DocumentFault(file, line, "", f"YAML 語法錯誤：{what}", f"not valid YAML: {what}")]
        ) from wrong
    except (yaml.YAMLError, ValueError, ArithmeticError) as wrong:
        raise DocumentInvalid(
            [DocumentFault(file, 1, "", f"YAML 無法解析：{wrong}", f"not valid YAML: {wrong}")]
        ) from wrong
    finally:
        loader.dispose()


def parse_value(text: str) -> Any:  # noqa: ANN401 - any value that YAML can write
    """What somebody means by a value: YAML, so that numbers, lists and mappings may be given; else the text itself."""
    try:
        return read_text(text, "").data if text else ""
    except DocumentInvalid:
        return text


MOST_VALUES = 200_000
"""More values than this in one file is an alias bomb, not an office's file."""


@dataclass
class _Walk:
    file: str
    loader: _Reader
    lines: dict[Place, int]
    above: list[Node] = field(default_factory=list)

    def refuse(self, node: Node, place: Place, zh: str, en: str) -> DocumentInvalid:
        return DocumentInvalid([DocumentFault(self.file, node.start_mark.line + 1, _place_text(place), zh, en)])


def _walk(node: Node, place: Place, walk: _Walk) -> None:
    walk.lines[place] = node.start_mark.line + 1
    if any(node is a for a in walk.above):
        raise walk.refuse(node, place, "引用了自身", "it refers to itself")
    if len(walk.lines) > MOST_VALUES:
        raise walk.refuse(node, place, "文件內容過多", "the file holds too many values")
    walk.above.append(node)
    match node:
        case MappingNode():
            walk.loader.flatten_mapping(node)
            seen: set[str] = set()
            for key, value in node.value:
                name = str(key.value)
                if name in seen:
                    raise walk.refuse(key, (*place, name), "鍵重複", "this key stands twice")
                seen.add(name)
                _walk(value, (*place, name), walk)
        case SequenceNode():
            for i, value in enumerate(node.value):
                _walk(value, (*place, i), walk)
        case _:
            pass
    walk.above.pop()


def _place_text(place: Place) -> str:
    return "".join(f"[{p + 1}]" if isinstance(p, int) else f".{p}" for p in place).lstrip(".")


def explain_error(error: ErrorDetails) -> tuple[str, str]:
    """A pydantic error in Chinese and English, saying what would mend it."""
    context = error.get("ctx", {})
    given = error.get("input")
    match error["type"]:
        case "missing":
            return "缺少此項，請補上", "this is missing; add it"
        case "extra_forbidden":
            return "沒有此項，請刪去或改正拼寫", "there is no such field; remove it or mend its spelling"
        case "enum" | "literal_error":
            return (
                f"只可為 {context.get('expected')}，不可為 {given!r}",
                f"must be {context.get('expected')}, not {given!r}",
            )
        case "int_type" | "int_parsing" | "int_from_float":
            return f"須為整數，不可為 {given!r}", f"must be a whole number, not {given!r}"
        case "greater_than_equal":
            return f"須不小於 {context.get('ge')}，現為 {given}", f"must be at least {context.get('ge')}; it is {given}"
        case "less_than_equal":
            return f"須不大於 {context.get('le')}，現為 {given}", f"must be at most {context.get('le')}; it is {given}"
        case "string_pattern_mismatch":
            return f"{given!r} 形式不符 {context.get('pattern')}", f"{given!r} does not match {context.get('pattern')}"
        case "date_type" | "date_parsing" | "date_from_datetime_parsing" | "date_from_datetime_inexact":
            return f"須為日期，如 2024-03-04，不可為 {given!r}", f"must be a date such as 2024-03-04, not {given!r}"
        case "datetime_type" | "datetime_parsing" | "datetime_from_date_parsing" | "timezone_aware":
            return (
                f"須為帶時區的時間，如 2024-04-24T17:00:00+08:00，不可為 {given!r}",
                f"must be a time with its offset such as 2024-04-24T17:00:00+08:00, not {given!r}",
            )
        case "too_short":
            return f"至少須有 {context.get('min_length')} 項", f"at least {context.get('min_length')} are needed"
        case "string_type":
            return f"須為文字，不可為 {given!r}", f"must be text, not {given!r}"
        case "value_error":
            return _split_languages(str(context.get("error", error["msg"])))
        case _:
            return f"{given!r} 不合要求：{error['msg']}", f"{given!r} will not do: {error['msg']}"


def _split_languages(message: str) -> tuple[str, str]:
    """Our own validators write 中文 / English."""
    zh, slash, en = message.rpartition(" / ")
    return (zh, en) if slash else (message, message)
