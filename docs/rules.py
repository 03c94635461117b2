"""Every rule that can refuse a command, as the code names it, and what it says when it does.

For ``docs/rules.md``, where whoever was refused looks an id up, and for the scenarios, which cite rules by their ids.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from domain.catalogue import AGGREGATES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_ROOT = Path(__file__).resolve().parent.parent
_ROOMS = ("domain", "deciding")
_NO_RULES = {"example.py"}
"""Files whose texts only look like rules: ``E2`` is a seat there."""
_ID = re.compile(r"[A-Z]{1,2}\d{1,2}|CLOCK")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_DEEPEST = 3
"""Guards that hand a rule on to another guard: no more of them than this stand one behind the other."""


@cache
def named_rules(rooms: tuple[str, ...] = _ROOMS) -> frozenset[str]:
    """Every id that the rooms' code names where it can refuse: all but those of its transition tables alone."""
    ids = {command.rule for aggregate in AGGREGATES.values() for command in aggregate.commands}
    for tree in _read_modules(rooms).values():
        every = list(ast.walk(tree))
        rows = [n for n in every if isinstance(n, ast.Call) and _name(n) == "Transition"]
        in_rows = {id(n) for row in rows for n in ast.walk(row)}
        ids |= {text for n in every if id(n) not in in_rows for text in _constants(n) if _ID.fullmatch(text)}
    return frozenset(ids)


@dataclass(frozen=True, order=True)
class Sentence:
    """What a rule says of a condition that does not hold, with ``{places}`` for what it names, and where it says it."""

    module: str
    """A path from the top of the tree."""
    line: int
    zh: str
    en: str


def list_sentences() -> Mapping[str, Sequence[Sentence]]:
    """What each rule says, by its id, in the order of the files; nothing of the stages and seats of commands."""
    spoken: defaultdict[str, set[Sentence]] = defaultdict(set)
    modules = _read_modules(_ROOMS)
    guards: defaultdict[str, list[ast.FunctionDef]] = defaultdict(list)
    for function in (n for tree in modules.values() for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)):
        guards[function.name].append(function)
    for module, tree in modules.items():
        named = _read_constants(tree)
        for node in ast.walk(tree):
            for parts in _rows(node):
                for rule in (text for part in parts for text in _resolve(part, named) if _ID.fullmatch(text)):
                    pairs = _read_texts(parts) or _follow(node, rule, guards)
                    spoken[rule] |= {Sentence(module, parts[0].lineno, zh, en) for zh, en in pairs}
    return {rule: sorted(sentences) for rule, sentences in spoken.items()}


@cache
def _read_modules(rooms: tuple[str, ...]) -> Mapping[str, ast.Module]:
    paths = sorted(path for room in rooms for path in (_ROOT / room).rglob("*.py") if path.name not in _NO_RULES)
    return {path.relative_to(_ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def _read_constants(tree: ast.Module) -> Mapping[str, str]:
    """The rules to which a module gives names of its own."""
    assigned = [n for n in tree.body if isinstance(n, ast.Assign | ast.AnnAssign) and n.value is not None]
    return {
        target.id: text
        for one in assigned
        for target in (one.targets if isinstance(one, ast.Assign) else [one.target])
        for text in _constants(one.value)
        if isinstance(target, ast.Name) and _ID.fullmatch(text)
    }


def _name(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _rows(node: ast.AST) -> list[list[ast.expr]]:
    """What stands side by side there, in order: arguments of a call, a tuple, defaults of a function, entries."""
    match node:
        case ast.Call() if _name(node) != "Transition":
            return [[*node.args, *(keyword.value for keyword in node.keywords)]]
        case ast.Tuple(elts=parts):
            return [parts]
        case ast.FunctionDef(args=arguments):
            return [arguments.defaults]
        case ast.Dict(keys=keys, values=values):
            return [[key, *row] for key, value in zip(keys, values, strict=True) if key for row in _rows(value)]
        case _:
            return []


def _constants(node: ast.AST | None) -> tuple[str, ...]:
    """The texts that this can be: one, or those of either case."""
    match node:
        case ast.Constant(value=str(text)):
            return (text,)
        case ast.IfExp(body=one, orelse=other):
            return (*_constants(one), *_constants(other))
        case _:
            return ()


def _resolve(node: ast.expr, named: Mapping[str, str]) -> tuple[str, ...]:
    return (named[node.id],) if isinstance(node, ast.Name) and node.id in named else _constants(node)


def _read_texts(parts: Sequence[ast.expr]) -> list[tuple[str, str]]:
    """The Chinese and the English that stand side by side among these."""
    for one, other in pairwise(_constants(part) for part in parts):
        if one and other and _CHINESE.search(one[0]) and not _CHINESE.search(other[0]):
            return [(zh, other[min(n, len(other) - 1)]) for n, zh in enumerate(one)]
    return []


def _follow(node: ast.AST, rule: str, guards: Mapping[str, Sequence[ast.FunctionDef]]) -> Iterator[tuple[str, str]]:
    """What the guard says to which this call hands that rule."""
    if isinstance(node, ast.Call):
        for guard in guards.get(_name(node), ()):
            for parameter, value in _bind(node, guard):
                if rule in _constants(value):
                    yield from _read_guard(guard, parameter, guards, 1)


def _read_guard(
    guard: ast.FunctionDef, rule: str, guards: Mapping[str, Sequence[ast.FunctionDef]], depth: int
) -> Iterator[tuple[str, str]]:
    """What a guard says by the rule that it is handed as its parameter ``rule``."""
    for node in ast.walk(guard):
        rows = [parts for parts in _rows(node) if any(isinstance(part, ast.Name) and part.id == rule for part in parts)]
        texts = [text for parts in rows for text in _read_texts(parts)]
        yield from texts
        if rows and not texts and isinstance(node, ast.Call) and depth < _DEEPEST:
            for other in guards.get(_name(node), ()):
                for parameter, value in _bind(node, other):
                    if isinstance(value, ast.Name) and value.id == rule:
                        yield from _read_guard(other, parameter, guards, depth + 1)


def _bind(call: ast.Call, function: ast.FunctionDef) -> Iterator[tuple[str, ast.expr]]:
    """Which parameter of the function each argument is for."""
    names = [one.arg for one in (*function.args.posonlyargs, *function.args.args) if one.arg not in ("self", "cls")]
    yield from zip(names, call.args, strict=False)
    yield from ((keyword.arg, keyword.value) for keyword in call.keywords if keyword.arg)
