"""A command from what somebody gave: its name, the subject's second half and its particulars, alike at every door."""

from __future__ import annotations

import stat
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from application.document_content import name_type
from domain.catalogue import AGGREGATES, find_command, kind_of_subject, list_commands, split_subject
from domain.kernel.attachment import Attachment
from domain.kernel.explanation import InputFault, InputInvalid, show
from domain.kernel.failure import Failure, FailureKind
from domain.kernel.field_shape import Kind, Notation, Shape, field_shapes
from domain.kernel.input import AttachFile, read_fields
from domain.kernel.money import yuan
from domain.kernel.script import simplify_word
from domain.kernel.words import call_code

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import BaseModel

    from domain.kernel.message import Command


class CommandUnknown(Failure):
    """No command of that kind of stream bears the name."""

    kind = FailureKind.USAGE

    def __init__(self, name: str, kind: str) -> None:
        near = " ".join(_resembling(name, kind))
        super().__init__(
            f"{AGGREGATES[kind].zh}沒有命令 {show(name)}。{f'{near}？' if near else ''}全部見 venture commands {kind}",
            f"{kind} has no command {show(name)}. {f'{near}? ' if near else ''}All: venture commands {kind}",
        )


def resolve_command(name: str, kind: str) -> type[Command]:
    """The command that somebody means by a name, of that kind of stream. Raises CommandUnknown."""
    try:
        return find_command(name, kind)
    except KeyError:
        pass
    word = simplify_word(name)
    matches = [row.command for row in list_commands() if row.kind == kind and simplify_word(row.zh) == word]
    if not matches:
        raise CommandUnknown(name, kind)
    return find_command(matches[0], kind)


def is_first_command(name: str, subject: str) -> bool:
    """Whether the command that somebody means by that name can only begin what it is about. Raises CommandUnknown."""
    try:
        kind = kind_of_subject(split_subject(subject)[0])
    except KeyError:
        return False
    return resolve_command(name, kind).is_always_first()


def _resembling(name: str, kind: str) -> list[str]:
    """Commands that may have been meant."""
    rows = [row for row in list_commands() if row.kind == kind]
    commands = {word.lower(): row.command for row in rows for word in (row.command, row.event, row.zh)}
    words = get_close_matches(name.replace("-", "").lower(), commands, n=3, cutoff=0.5)
    return list(dict.fromkeys(commands[word] for word in words))


def read_command(
    command_type: type[Command],
    part: str,
    particulars: Mapping[str, object],
    notation: Notation,
    *,
    attach: AttachFile | None = None,
) -> Command:
    """The command with the subject's second half, T1 of ``PJ-3/T1``, in its field, and what was given for the others.

    Raises InputInvalid with every fault.
    """
    faults: list[InputFault] = []
    field = command_type.subject_field
    if part and not field:
        zh, en = (
            f"{command_type.zh()}不分項，對象不可寫作 …/{part}",
            f"it has no parts: the subject may not be …/{part}",
        )
        faults.append(InputFault((), zh, en))
    elif part and particulars.get(field, part) != part:
        zh, en = f"與對象中的 {part} 不符", f"it is not the {part} of the subject"
        faults.append(InputFault((field,), zh, en))
    try:
        command = read_fields(command_type, command_type.about(part, particulars), notation, attach=attach)
    except InputInvalid as invalid:
        faults.extend(invalid.faults)
    else:
        if not faults:
            return command
    raise InputInvalid(
        faults, f"「{command_type.zh()}」的內容有誤", f"Some details of “{command_type.en()}” are not valid"
    )


@dataclass(frozen=True)
class UnderstoodAmount:
    """An amount of money in a command, to be told back as it was understood."""

    field: str
    """``envelope``, ``funds.FS-1``…"""
    zh: str
    en: str
    fen: int

    def as_json(self) -> dict[str, object]:
        """As JSON: the sum in fen as a number, and in yuan as a text."""
        return {"field": self.field, "fen": self.fen, "yuan": yuan(self.fen)}


def list_amounts(command: BaseModel) -> Iterator[UnderstoodAmount]:
    """The money in a command."""
    for shape in field_shapes(type(command)).values():
        yield from _amounts(
            UnderstoodAmount(shape.name, shape.zh, shape.en, 0), shape.shape, getattr(command, shape.attribute)
        )


def _amounts(at: UnderstoodAmount, shape: Shape, value: object) -> Iterator[UnderstoodAmount]:
    match shape.kind, value:
        case Kind.MONEY, int(fen):
            yield replace(at, fen=fen)
        case Kind.MAPPING, dict(members) if shape.item is not None:
            for key, member in members.items():
                yield from _amounts(_within(at, str(key), *call_code(str(key))), shape.item, member)
        case Kind.LIST, tuple(members) if shape.item is not None:
            for number, member in enumerate(members, start=1):
                yield from _amounts(_within(at, *3 * (str(number),)), shape.item, member)
        case Kind.GROUP, _ if shape.model is not None and isinstance(value, shape.model):
            for inner in field_shapes(shape.model).values():
                yield from _amounts(
                    _within(at, inner.name, inner.zh, inner.en), inner.shape, getattr(value, inner.attribute)
                )
        case _:
            pass


def _within(at: UnderstoodAmount, name: str, zh: str, en: str) -> UnderstoodAmount:
    return UnderstoodAmount(f"{at.field}.{name}", f"{at.zh} {zh}", f"{at.en} {en}", 0)


@dataclass(frozen=True)
class AttachedFiles:
    """What reads the file of ``@path``, relative to that folder: digest, type and name are taken from it."""

    folder: Path
    read: dict[str, Path] = field(default_factory=dict)
    """By digest, the files that were read: their bytes are to be brought before the command is asked."""

    def __call__(self, path: str) -> Attachment:
        """The attachment of that file. Raises OSError."""
        if "\0" in path:
            raise FileNotFoundError(None, "路徑不可含 NUL a path holds no NUL")
        file = self.folder / path
        if not stat.S_ISREG(file.stat().st_mode):
            raise IsADirectoryError(None, "不是文件 not a file")
        with file.open("rb") as opened:
            digest = sha256()
            while chunk := opened.read(_CHUNK):
                digest.update(chunk)
        self.read[digest.hexdigest()] = file
        return Attachment(sha256=digest.hexdigest(), media_type=name_type(file.name), name=file.name)


_CHUNK = 2**20
