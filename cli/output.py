"""How the command line speaks: tables for people, JSON for machines, Chinese first, and exit codes with a meaning."""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from cli.cell import TextCell, make_visible
from cli.streams import can_write
from domain.kernel.failure import Failure, FailureKind
from languages import Language, choose_language, read_language

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType


class Form(StrEnum):
    """How results are written."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"


message_console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False, emoji=False)
"""For people: never mixed with the data on standard output."""


@dataclass(frozen=True)
class Printer:
    """One command's manner of speaking."""

    form: Form
    lang: Language

    @classmethod
    def of(cls, form: Form, lang: str | None) -> Printer:
        """As asked; else by VENTURE_LANG; else by the locale, where the terminal has its letters.

        Raises ArgumentInvalid.
        """
        for name, tag in (("--lang", lang), ("VENTURE_LANG", os.environ.get("VENTURE_LANG"))):
            if tag:
                if (language := read_language(tag)) is None:
                    known = "、".join(Language), ", ".join(Language)
                    raise ArgumentInvalid(f"{name} {tag}：只可為 {known[0]}", f"{name} {tag}: one of {known[1]}")
                return cls(form, language)
        return cls(form, by_locale())

    @classmethod
    def of_words(cls, words: Sequence[str]) -> Printer:
        """As words ask that could not be read as a command; by the locale where they do not say."""
        options = " ".join(words).replace("=", " ").replace("--output", "-o").replace("-o ", "-o")
        form = next((form for form in (Form.JSONL, Form.JSON) if f"-o{form}" in options.split()), Form.TABLE)
        try:
            lang = re.search(r"--lang (\S+)", options)
            return cls.of(form, lang[1] if lang else None)
        except ArgumentInvalid:
            return cls(form, by_locale())

    def say(self, zh: str, en: str) -> str:
        """The text in the reader's language."""
        return self.lang.say(zh, en)

    def tell(self, zh: str, en: str, style: str = "") -> None:
        """A sentence for people, on standard error."""
        message_console.print(make_visible(self.say(zh, en)), style=style or None)

    @property
    def is_for_people(self) -> bool:
        """Whether tables are wanted."""
        return self.form is Form.TABLE

    def rows(self, rows: Sequence[Mapping[str, Any]], columns: Sequence[Column], empty: tuple[str, str]) -> None:
        """A list: a table for people, an array or one object a line for machines."""
        match self.form:
            case Form.JSON:
                self.json(list(rows))
            case Form.JSONL:
                for row in rows:
                    self.json(row)
            case Form.TABLE:
                if not rows:
                    self.tell(*empty)
                    return
                table = Table(box=None, pad_edge=False, header_style="bold")
                for column in columns:
                    table.add_column(self.say(column.zh, column.en), justify="right" if column.right else "left")
                for row in rows:
                    table.add_row(*(make_visible(c.cell(row)) if c.right else TextCell(c.cell(row)) for c in columns))
                self.show(table)

    def answer(self, data: Mapping[str, Any], zh: str, en: str, style: str = "green") -> None:
        """What came of a command: one sentence for people, the data for machines."""
        if self.is_for_people:
            self.tell(zh, en, style)
        else:
            self.json(data)

    def line(self, text: str, style: str = "") -> None:
        """A line of a result for people, on standard output."""
        result_console().print(make_visible(text), style=style or None)

    def show(self, part: RenderableType) -> None:
        """A table or a panel for people, on standard output."""
        result_console().print(part)

    def json(self, value: object) -> None:
        """One JSON value on standard output."""
        indent = None if self.form is Form.JSONL else 2
        text = json.dumps(value, ensure_ascii=not can_write("中✓", sys.stdout), indent=indent, default=str)
        sys.stdout.write(_UNSEEN_IN_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", text) + "\n")
        sys.stdout.flush()  # a row of a long run is for whoever reads along

    def failure(self, failure: Failure) -> None:
        """What did not succeed and what to do: its first line stands out, a list follows; or as data."""
        if not self.is_for_people:
            self.json(
                {
                    "error": failure.kind.name.lower(),
                    "zh": failure.zh,
                    "en": failure.en,
                    "remedy_zh": failure.remedy_zh,
                    "remedy_en": failure.remedy_en,
                    **failure.details,
                }
            )
            return
        head, *others = make_visible(self.say(failure.zh, failure.en)).split("\n")
        message_console.print(head, style="bold red")
        for line in others:
            message_console.print(line)
        if remedy := self.say(failure.remedy_zh, failure.remedy_en):
            message_console.print(f"  → {remedy}")


def by_locale() -> Language:
    """The language of the locale; simplified Chinese where it names none, English where the terminal has no Chinese."""
    if not can_write("中", sys.stderr):
        return Language.EN
    return choose_language(os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    key: str
    zh: str
    en: str
    right: bool = False

    def cell(self, row: Mapping[str, Any]) -> str:
        """The row's value as text; empty where it has none."""
        value = row.get(self.key)
        return "" if value is None else str(value)


def result_console() -> Console:
    """Standard output for people; wide when it is no terminal, so that nothing is cut."""
    return Console(highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else 160)


_UNSEEN_IN_JSON = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
"""What JSON lets stand and a terminal, or a reader of lines, takes for something else."""


class ArgumentInvalid(Failure):
    """An argument or an option that cannot be read. The texts say which, and how it is written."""

    kind = FailureKind.USAGE

    @classmethod
    def of(cls, wrong: ValueError) -> ArgumentInvalid:
        """As a type of ours says it: «'CAB-REG#01': 中文 / English»."""
        value, _, texts = str(wrong).partition(": ")
        zh, _, en = texts.partition(" / ")
        return cls(f"{value}：{zh}", f"{value}: {en}")
