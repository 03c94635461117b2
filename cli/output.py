"""How the command line speaks: tables for people, JSON for machines, Chinese first, and exit codes with a meaning."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.table import Table

from cli.cell import Cell
from domain.kernel.failure import Failure, FailureKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType


class Form(StrEnum):
    """How results are written."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"


class Lang(StrEnum):
    """The reader's language."""

    ZH = "zh"
    EN = "en"


message_console = Console(stderr=True, highlight=False, soft_wrap=True)
"""For people: never mixed with the data on standard output."""


@dataclass(frozen=True)
class Printer:
    """One command's manner of speaking."""

    form: Form
    lang: Lang

    @classmethod
    def of(cls, form: Form, lang: Lang | None) -> Printer:
        """As asked; else by VENTURE_LANG; else Chinese."""
        set_lang = os.environ.get("VENTURE_LANG", Lang.ZH)
        if lang is None and set_lang not in set(Lang):
            message_console.print(
                f"VENTURE_LANG={set_lang}：只可為 zh 或 en / it must be zh or en", style="bold red", markup=False
            )
            raise typer.Exit(FailureKind.USAGE)
        return cls(form, lang or Lang(set_lang))

    def say(self, zh: str, en: str) -> str:
        """The text in the reader's language."""
        return zh if self.lang is Lang.ZH else en

    def tell(self, zh: str, en: str, style: str = "") -> None:
        """A sentence for people, on standard error."""
        message_console.print(self.say(zh, en), style=style or None, markup=False)

    @property
    def for_people(self) -> bool:
        """Whether tables are wanted."""
        return self.form is Form.TABLE

    def rows(self, rows: Sequence[Mapping[str, Any]], columns: Sequence[Column], empty: tuple[str, str]) -> None:
        """A list: a table for people, an array or one object a line for machines."""
        match self.form:
            case Form.JSON:
                self.json(list(rows))
            case Form.JSONL:
                for row in rows:
                    sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")
            case Form.TABLE:
                if not rows:
                    self.tell(*empty)
                    return
                table = Table(box=None, pad_edge=False, header_style="bold")
                for column in columns:
                    table.add_column(self.say(column.zh, column.en), justify="right" if column.right else "left")
                for row in rows:
                    table.add_row(*(c.cell(row) if c.right else Cell(c.cell(row)) for c in columns))
                self.show(table)

    def line(self, text: str, style: str = "") -> None:
        """A line of a result for people, on standard output."""
        result_console().print(text, style=style or None, markup=False)

    def show(self, part: RenderableType) -> None:
        """A table or a panel for people, on standard output."""
        result_console().print(part)

    def json(self, value: object) -> None:
        """One JSON value on standard output."""
        indent = None if self.form is Form.JSONL else 2
        sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=indent, default=str) + "\n")
        sys.stdout.flush()  # a row of a long run is for whoever reads along

    def failure(self, failure: Failure) -> None:
        """What did not succeed and what to do: its first line stands out, a list follows; or as data."""
        if not self.for_people:
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
        head, *others = self.say(failure.zh, failure.en).split("\n")
        message_console.print(head, style="bold red", markup=False)
        for line in others:
            message_console.print(line, markup=False)
        if remedy := self.say(failure.remedy_zh, failure.remedy_en):
            message_console.print(f"  → {remedy}", markup=False)


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    key: str
    zh: str
    en: str
    right: bool = False

    def cell(self, row: Mapping[str, Any]) -> str:
        """What stands in it."""
        value = row.get(self.key)
        return "" if value is None else str(value)


def result_console() -> Console:
    """Standard output for people; wide when it is no terminal, so that nothing is cut."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 160)


class ArgumentInvalid(Failure):
    """An argument or an option that cannot be read. The texts say which, and how it is written."""

    kind = FailureKind.USAGE
