"""Verbs as their files declare them: known by name and headline from the source, loaded when one of them is called.

To load every verb takes seconds, for it loads all rules and Temporal's client; a page that lists them needs neither.
"""

from __future__ import annotations

import ast
import gc
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer.main

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True)
class Declaration:
    """A verb as its file declares it."""

    name: str
    module: str
    headline: str
    """The first line of its help."""

    def load(self) -> Any:  # noqa: ANN401 - the library's own types are private
        """The command. What is loaded stays: to look through it for garbage meanwhile costs a quarter of the time."""
        gc.disable()
        try:
            infos = import_module(self.module).app.registered_commands
        finally:
            gc.freeze()
            gc.enable()
        info = next(info for info in infos if info.name == self.name)
        return typer.main.get_command_from_info(info, pretty_exceptions_short=False, rich_markup_mode=None)


class Verbs(Mapping[str, Any]):
    """The verbs that those modules declare, after the nouns."""

    def __init__(self, modules: Sequence[str], nouns: Mapping[str, Any] | None = None) -> None:
        self._modules = modules
        self._nouns = nouns or {}

    @cached_property
    def _declarations(self) -> Mapping[str, Declaration]:
        return {one.name: one for module in self._modules for one in _read_declarations(module)}

    def headline(self, name: str) -> str:
        """The first line of the verb's help, for lists."""
        noun = self._nouns.get(name)
        return self._declarations[name].headline if noun is None else noun.help

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - the library's own types are private
        noun = self._nouns.get(name)
        return self._declarations[name].load() if noun is None else noun

    def __iter__(self) -> Iterator[str]:
        yield from self._nouns
        yield from self._declarations

    def __len__(self) -> int:
        return len(self._nouns) + len(self._declarations)


@cache
def _read_declarations(module: str) -> Sequence[Declaration]:
    """The functions under ``@app.command(name)``, read from the source without running it."""
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(module)
    declarations = []
    for node in ast.parse(Path(spec.origin).read_bytes()).body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for decorator in node.decorator_list:
            match decorator:
                case ast.Call(func=ast.Attribute(attr="command"), args=[ast.Constant(value=str(name))]):
                    declarations.append(Declaration(name, module, (ast.get_docstring(node) or "").partition("\n")[0]))
                case _:
                    pass
    return declarations
