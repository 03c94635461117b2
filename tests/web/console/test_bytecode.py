"""What templates compile to is kept for the next start, and is never more than a saving."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import jinja2
import pytest
from jinja2.bccache import bc_magic

from web.console.bytecode import TemplateBytecode

if TYPE_CHECKING:
    from pathlib import Path
    from types import CodeType

PAGE = "所申請 {{ fen }} 分"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The source of a module that says how pages are compiled; its bytecode is kept in a folder of this test."""
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path / "bytecode"))
    source = tmp_path / "rendering.py"
    source.write_text("trim_blocks = True", "utf-8")
    return source


def start(module: Path, *, page: str = PAGE) -> tuple[str, int]:
    """What a process that starts renders, and how many templates it had to compile."""
    compiled = []

    class CountingEnvironment(jinja2.Environment):
        def _compile(self, source: str, filename: str) -> CodeType:
            compiled.append(filename)
            return super()._compile(source, filename)

    loader = jinja2.DictLoader({"page.html": page})
    environment = CountingEnvironment(loader=loader, autoescape=True, bytecode_cache=TemplateBytecode(str(module)))
    return environment.get_template("page.html").render(fen=5), len(compiled)


def kept(module: Path) -> list[Path]:
    return [path for path in (module.parent / "bytecode").rglob("*") if path.is_file()]


def test_the_next_start_compiles_nothing(module: Path) -> None:
    assert start(module) == ("所申請 5 分", 1)
    assert start(module) == ("所申請 5 分", 0)


def test_what_a_page_is_made_from_has_changed_and_it_is_compiled_anew(module: Path) -> None:
    start(module)
    assert start(module, page="{{ fen }} fen") == ("5 fen", 1)
    module.write_text("trim_blocks = False", "utf-8")
    assert start(module, page="{{ fen }} fen") == ("5 fen", 1)


@pytest.mark.parametrize("bytes_left", [0, 2, len(bc_magic) + 5, -9], ids=["empty", "mark", "digest", "code"])
def test_what_was_cut_short_is_compiled_anew(module: Path, bytes_left: int) -> None:
    start(module)
    (file,) = kept(module)
    whole = file.read_bytes()
    for spoilt in (whole[:bytes_left], b"rubbish" * 99):
        file.write_bytes(spoilt)
        assert start(module) == ("所申請 5 分", 1)
        assert start(module)[1] == 0


def test_where_nothing_can_be_kept_pages_are_shown_all_the_same(module: Path, tmp_path: Path) -> None:
    (tmp_path / "bytecode").write_text("a file in its place", "utf-8")
    assert start(module) == start(module) == ("所申請 5 分", 1)


def test_who_has_python_keep_nothing_finds_nothing_kept(module: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert start(module) == ("所申請 5 分", 1)
    assert kept(module) == []
