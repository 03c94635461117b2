"""A file with the line of every value in it, so that every fault can be shown where it is, with what would mend it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Self, TypeVar

from pydantic import BaseModel

from domain.kernel.explanation import InputFault, InputInvalid, place_text
from domain.kernel.failure import Failure, FailureKind
from domain.kernel.field_shape import Notation
from domain.kernel.input import read_fields
from schemes.plain_yaml import YamlInvalid, parse_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from domain.kernel.explanation import Place
    from domain.kernel.input import AttachFile

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class DocumentFault:
    """One thing that is wrong with a file: where, what, and what would mend it."""

    file: str
    line: int
    where: str
    zh: str
    en: str

    def __str__(self) -> str:
        """The fault as a person reads it, with file and line."""
        return f"{self.file}:{self.line}: {f'{self.where}: ' if self.where else ''}{self.zh} / {self.en}"


class DocumentInvalid(Failure):
    """The file cannot be used as it is."""

    kind = FailureKind.USAGE
    remedy_zh = "逐處改正後再試"
    remedy_en = "Mend every fault that is listed, then try again"

    def __init__(self, faults: Iterable[DocumentFault]) -> None:
        """The faults are told file by file, in the order of their lines."""
        faults = list(faults)
        files = list(dict.fromkeys(f.file for f in faults))
        self.faults = tuple(sorted(dict.fromkeys(faults), key=lambda f: (files.index(f.file), f.line)))
        super().__init__(
            "\n".join(f"✗ {f.file}:{f.line}{f.where and f' {f.where}'}：{f.zh}" for f in self.faults),
            "\n".join(f"✗ {f.file}:{f.line}{f.where and f' {f.where}'}: {f.en}" for f in self.faults),
            faults=[asdict(f) for f in self.faults],
        )

    @classmethod
    def of(cls, file: str, zh: str, en: str, *, line: int = 1) -> Self:
        """What is wrong with the file is one thing, on that line or with all of it."""
        return cls([DocumentFault(file, line, "", zh, en)])

    def __str__(self) -> str:
        return "\n".join(map(str, self.faults))


@dataclass(frozen=True)
class YamlDocument:
    """A file's content, and the line of every value in it."""

    file: str
    data: Any
    lines: dict[Place, int] = field(default_factory=dict)
    faults: tuple[DocumentFault, ...] = ()
    """What may not stand in it, whatever it is to be read as."""

    def line(self, place: Place) -> int:
        """The line of that value, or of the nearest thing around it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def fault(self, place: Place, zh: str, en: str) -> DocumentFault:
        """A fault at that place, with the line where it stands."""
        return DocumentFault(self.file, self.line(place), place_text(place), zh, en)

    def locate(self, faults: Sequence[InputFault], at: Place = ()) -> list[DocumentFault]:
        """Faults of the value at that place, where they stand in the file."""
        return [self.fault((*at, *f.place), f.zh, f.en) for f in faults]

    def parse(self, model: type[M], *, attach: AttachFile | None = None) -> M:
        """The document as the model. Raises DocumentInvalid with every fault."""
        if not isinstance(self.data, dict):
            raise DocumentInvalid([*self.faults, self.fault((), "須為鍵與值的對照", "must be keys with their values")])
        try:
            parsed = read_fields(model, self.data, Notation.YAML, attach=attach)
        except InputInvalid as invalid:
            raise DocumentInvalid([*self.faults, *self.locate(invalid.faults)]) from invalid
        if self.faults:
            raise DocumentInvalid(self.faults)
        return parsed


def read(path: Path) -> YamlDocument:
    """The file with its lines. Raises DocumentInvalid if it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as invalid:
        zh, en = "不是 UTF-8 文字", "not text in UTF-8"
        raise DocumentInvalid([DocumentFault(str(path), 1, "", zh, en)]) from invalid
    except OSError as failure:
        reason = failure.strerror or "?"
        zh, en = f"無法讀取文件：{reason}", f"the file cannot be read: {reason}"
        raise DocumentInvalid([DocumentFault(str(path), 1, "", zh, en)]) from failure
    return read_text(text, path.name)


def read_text(text: str, file: str) -> YamlDocument:
    """That text with its lines. Raises DocumentInvalid if it is not YAML."""
    try:
        content = parse_yaml(text)
    except YamlInvalid as invalid:
        raise DocumentInvalid([DocumentFault(file, invalid.line, "", invalid.zh, invalid.en)]) from invalid
    faults = (DocumentFault(file, f.line, place_text(f.place), f.zh, f.en) for f in content.faults)
    return YamlDocument(file, content.data, content.lines, tuple(faults))
