"""Mutants: each line is spoiled in one small way at a time, and some test must notice.

Run ``python -m tests.mutations store/bytes.py --tests tests/store/test_bytes.py``, of any files and tests. Each mutant
is a process of its own, which takes the spoiled source for that module and runs the tests until one fails; what no test
notices is a *survivor*, printed as ``file:line  before → after``. What takes long to import and is not spoiled, the
domain and the libraries, is loaded once for all of them. docs/mutations.md has what the last run left, and the answers.
"""

from __future__ import annotations

import argparse
import ast
import importlib.abc
import importlib.util
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

ROOT = Path(__file__).parent.parent
COMPARED = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
COMPUTED = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr}


_QUIET = ("-W", "ignore::pytest.PytestAssertRewriteWarning")
"""What is loaded once is loaded before pytest asks."""


@dataclass(frozen=True)
class FileMutant:
    """One way of spoiling a file."""

    path: Path
    line: int
    before: str
    after: str
    source: str
    """The whole file, spoiled."""

    def __str__(self) -> str:
        """Where, and what became of it."""
        return f"{self.path}:{self.line}  {self.before} → {self.after}"


def spoil(node: ast.AST) -> Iterator[ast.AST]:
    """Every node that may stand in this one's place."""
    match node:
        case ast.Compare(ops=[op, *_]) if type(op) in COMPARED:
            yield ast.Compare(node.left, [COMPARED[type(op)](), *node.ops[1:]], node.comparators)
        case ast.BoolOp(op=op):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), node.values)
        case ast.BinOp(op=op) if type(op) in COMPUTED:
            yield ast.BinOp(node.left, COMPUTED[type(op)](), node.right)
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.Constant(value=bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(value=int() as value):
            yield ast.Constant(value + 1)
        case ast.IfExp():
            yield node.body
            yield node.orelse
        case ast.Return(value=value) if value is not None and not isinstance(value, ast.Constant):
            yield ast.Return(ast.Constant(None))
        case ast.Continue():
            yield ast.Break()
        case ast.Raise() | ast.AugAssign() | ast.Expr(value=ast.Call() | ast.Await()):
            yield ast.Pass()
        case ast.If():
            yield ast.If(ast.Constant(value=False), node.body, node.orelse)
            yield ast.If(ast.Constant(value=True), node.body, node.orelse)
        case _:
            return


def iterate_mutants(path: Path) -> Iterator[FileMutant]:
    """Every mutant of that file; what stands only for the type checker is left alone."""
    source = (ROOT / path).read_text(encoding="utf-8")
    tree = ast.parse(source)
    skipped = {id(inner) for part in _iterate_types(tree) for inner in ast.walk(part)}
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            children = value if isinstance(value, list) else [value]
            for index, child in enumerate(children):
                if not isinstance(child, ast.AST) or id(child) in skipped:
                    continue
                for replacement in spoil(child):
                    _put(parent, name, index, replacement)
                    mutated = ast.unparse(ast.fix_missing_locations(tree))
                    _put(parent, name, index, child)
                    before, after = (ast.unparse(node).partition("\n")[0] for node in (child, replacement))
                    yield FileMutant(path, getattr(child, "lineno", 0), before, after, mutated)


def _iterate_types(tree: ast.AST) -> Iterator[ast.AST]:
    """What stands only for the type checker."""
    for node in ast.walk(tree):
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                yield node
            case ast.AnnAssign(annotation=annotation) | ast.arg(annotation=ast.expr() as annotation):
                yield annotation
            case ast.FunctionDef(returns=ast.expr() as returns) | ast.AsyncFunctionDef(returns=ast.expr() as returns):
                yield returns
            case _:
                pass


def _put(parent: ast.AST, name: str, index: int, child: ast.AST) -> None:
    value = getattr(parent, name)
    if isinstance(value, list):
        value[index] = child
    else:
        setattr(parent, name, child)


class Spoiled(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Gives the spoiled source to whoever imports that module."""

    def __init__(self, mutant: FileMutant) -> None:
        self.mutant = mutant
        self.module = ".".join(mutant.path.with_suffix("").parts)

    def find_spec(self, fullname: str, _path: object, _target: ModuleType | None = None) -> ModuleSpec | None:
        """This module and no other."""
        if fullname != self.module:
            return None
        return importlib.util.spec_from_loader(fullname, self, origin=str(ROOT / self.mutant.path))

    def get_source(self, _fullname: str) -> str:
        """As it was spoiled."""
        return self.mutant.source


def survives(mutant: FileMutant, arguments: Sequence[str], timeout_s: float) -> bool:
    """Whether no test notices. One that hangs has been noticed."""
    child = os.fork()
    if child == 0:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        sys.meta_path.insert(0, Spoiled(mutant))
        code = pytest.main(["-q", "-x", "-p", "no:cacheprovider", *_QUIET, *arguments])
        os._exit(code)
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def main() -> None:
    """Try every mutant and print the survivors."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--tests", nargs="+", required=True, help="as pytest takes them, with -k and -m")
    parser.add_argument("--only", default="not full and not postgres", help="what pytest selects by -k")
    parser.add_argument("--timeout", type=float, default=60.0, help="seconds for the tests of one mutant")
    parser.add_argument("--every", type=int, default=1, help="try every n-th mutant only")
    options = parser.parse_args()
    for heavy in ("domain.catalogue", "temporalio.worker", "temporalio.testing", "asyncpg", "structlog"):
        importlib.import_module(heavy)
    files = [f for path in options.paths for f in (sorted(path.glob("*.py")) if path.is_dir() else [path])]
    arguments = [*options.tests, "-k", options.only]
    mutants = [mutant for path in files for mutant in list(iterate_mutants(path))[:: options.every]]
    honest = FileMutant(files[0], 0, "", "", (ROOT / files[0]).read_text(encoding="utf-8"))
    if not survives(honest, arguments, 2 * options.timeout):
        sys.exit("the tests fail, or do not run, on what is not spoiled: no mutant would tell anything")
    began, survived = time.monotonic(), 0
    for mutant in mutants:
        if survives(mutant, arguments, options.timeout):
            survived += 1
            print(mutant, flush=True)  # noqa: T201 - a tool's output
    print(f"{len(mutants)} mutants, {survived} survivors, {time.monotonic() - began:.0f} s")  # noqa: T201 - likewise


if __name__ == "__main__":
    main()
