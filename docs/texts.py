"""Every text for readers that the code says as a whole: what the catalogue of simplified Chinese is made from."""

from __future__ import annotations

import ast
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from domain.kernel.words import BETWEEN
from languages.catalogue import write_catalogue
from languages.script import simplify

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
_PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
ROOMS: tuple[str, ...] = tuple(_PROJECT["tool"]["importlinter"]["root_packages"])
HAN = re.compile(r"[\u3400-\u9fff]")
_MAY_HAVE_HAN = re.compile(rf"{HAN.pattern}|\\[uUN]")
"""Of a source: as it is written, or by an escape."""


@cache
def list_texts() -> frozenset[str]:
    """Each constant of the rooms that has Chinese, and the Chinese half of one that says both languages."""
    texts: set[str] = set()
    for source in (path.read_text("utf-8") for path in _list_files()):
        if not _MAY_HAVE_HAN.search(source):
            continue  # a third of the files
        for text in _list_constants(ast.parse(source)):
            zh, between, _ = text.rpartition(BETWEEN)
            texts.add(zh if between else text)
    return frozenset(text for text in texts if HAN.search(text))


@cache
def simplified_catalogue() -> str:
    """The catalogue as it ought to be."""
    return write_catalogue({text: simplify(text) for text in list_texts()})


def _list_files() -> Iterator[Path]:
    for room in ROOMS:
        yield from (path for path in sorted((ROOT / room).rglob("*.py")) if path.name != "script.py")
    yield from sorted(ROOT.glob("*.py"))


def _list_constants(tree: ast.Module) -> Iterator[str]:
    """Its texts, but for docstrings, patterns, and the pieces of f-strings, whose values are not known here."""
    skipped: set[int] = set()
    for node in ast.walk(tree):
        match node:
            case ast.JoinedStr():
                skipped |= {id(part) for part in node.values}
            case ast.Expr(value=ast.Constant() as text):
                skipped.add(id(text))
            case ast.Call(func=ast.Attribute(value=ast.Name(id="re"))):
                skipped |= {id(argument) for argument in node.args}
            case ast.Constant(value=str(text)) if id(node) not in skipped:
                yield text
            case _:
                pass
