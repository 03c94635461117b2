"""Every rule that can refuse a command, as the code names it: for the scenarios, which cite rules by their ids."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

from domain.catalogue import AGGREGATES

_ROOT = Path(__file__).resolve().parent.parent
_ROOMS = ("domain", "deciding")
_NO_RULES = {"example.py"}
"""Files whose texts only look like rules: ``E2`` is a seat there."""
_ID = re.compile(r"[A-Z]{1,2}\d{1,2}|CLOCK")


@cache
def named_rules(rooms: tuple[str, ...] = _ROOMS) -> frozenset[str]:
    """Every id that the rooms' code names where it can refuse: all but those of its transition tables alone."""
    ids = {command.rule for aggregate in AGGREGATES.values() for command in aggregate.commands}
    for path in (path for room in rooms for path in (_ROOT / room).rglob("*.py")):
        if path.name in _NO_RULES:
            continue
        every = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        rows = [n for n in every if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "Transition"]
        in_rows = {id(n) for row in rows for n in ast.walk(row)}
        texts = [n for n in every if isinstance(n, ast.Constant) and isinstance(n.value, str)]
        ids |= {str(n.value) for n in texts if _ID.fullmatch(str(n.value)) and id(n) not in in_rows}
    return frozenset(ids)
