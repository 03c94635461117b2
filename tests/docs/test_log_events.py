"""Log events are few, dotted and stable: each that the code says is told in docs/operations.md, and no other."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "operations.md"
ELSEWHERE = {"tests", "bench", "docs", ".venv", ".cache", ".venture"}
LEVELS = {"debug": "debug", "info": "info", "warning": "warning", "error": "error", "exception": "error"}
DOTTED = re.compile(r"[a-z]+(?:\.[a-z_]+)+")


@cache
def _read_code() -> dict[str, str]:
    """Every event of the code with its level. A name that is put together at run time is nobody's to search for."""
    levels: dict[str, str] = {}
    for path in sorted(ROOT.rglob("*.py")):
        if path.relative_to(ROOT).parts[0] in ELSEWHERE:
            continue
        text = path.read_text("utf-8")
        if not re.search(r"\blog\.|get_logger", text):
            continue
        for call in (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)):
            if not (isinstance(call.func, ast.Attribute) and call.func.attr in LEVELS and _is_log(call.func.value)):
                continue
            name = getattr(call.args[0], "value", None)
            where = f"{path.relative_to(ROOT)}:{call.lineno}"
            assert isinstance(name, str), f"{where}: a log event is a literal"
            assert DOTTED.fullmatch(name), f"{where}: {name} is not dotted"
            levels[name] = LEVELS[call.func.attr]
    return levels


def _is_log(called: ast.expr) -> bool:
    match called:
        case ast.Name(id="log"):
            return True
        case ast.Call(func=ast.Attribute(attr="get_logger")):
            return True
        case _:
            return False


def _read_page() -> dict[str, str]:
    rows = re.findall(r"^\| `([a-z_.]+)` \| (debug|info|warning|error) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    assert len(rows) == len(dict(rows)), "told twice"
    return dict(rows)


def test_every_log_event_is_told_with_its_level_and_nothing_else_is() -> None:
    assert _read_page() == _read_code()


def test_what_is_said_is_found_at_all() -> None:
    assert {"worker.ready", "stream.parked", "cli.defect"} <= _read_code().keys()
