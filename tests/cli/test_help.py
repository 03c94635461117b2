"""What every command says of itself."""

from __future__ import annotations

import re
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
import typer
from rich.cells import cell_len

import http_server
import worker
from cli.app import build
from tests.cli.installation import in_process
from tests.tables import every_row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def _all(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from _all(inner, (*path, name))


@cache
def _help(path: tuple[str, ...]) -> str:
    result = in_process((*path, "--help"), {"COLUMNS": "80"})
    assert result.exit_code == 0, result.output
    return result.output


COMMANDS = list(_all(typer.main.get_command(build())))
DIGEST = re.compile("[0-9a-f]{64}")
"""An example that shows a digest cannot be shorter."""
LEAVES = [path for path, command in COMMANDS if not hasattr(command, "commands")]


@every_row("path", [path for path, _ in COMMANDS])
def test_help_fits_a_terminal_and_is_in_chinese_first(path: tuple[str, ...]) -> None:
    text = _help(path)
    too_wide = [line for line in text.splitlines() if cell_len(line) > 80 and not DIGEST.search(line)]
    assert too_wide == []
    assert any("\u4e00" <= letter <= "\u9fff" for letter in text)


@every_row("path", LEAVES)
def test_help_has_an_example(path: tuple[str, ...]) -> None:
    text = _help(path)
    assert "例" in text
    assert f"venture {' '.join(path)}" in text or f"./run {' '.join(path)}" in text


def test_every_verb_speaks_both_languages_and_writes_for_machines() -> None:
    for path, command in COMMANDS:
        names = {name for p in command.params for name in p.opts}
        if path in LEAVES and path != ("scenario", "schema"):
            assert {"--lang", "--output"} <= names, path


@pytest.mark.parametrize(
    ("words", "zh"),
    [
        ("project shwo", "沒有命令 shwo"),
        ("project show", "缺少 name"),
        ("project list --limit many", "--limit 不合：須為整數"),
        ("project list --limit 0", "須不小於 1"),
        ("project list -o xml", "只可為 'table', 'json', 'jsonl'"),
        ("project list --stag", "沒有選項 --stag"),
        ("inbox CAB-REG", "多出：CAB-REG"),
        ("project list --limit", "--limit 之後須有值"),
        ("do close-project PJ-3", "缺少 --as"),
    ],
)
def test_words_that_cannot_be_read_are_answered_in_the_readers_language(words: str, zh: str) -> None:
    for lang in ("zh-Hant", "en"):
        result = in_process(tuple(words.split()), {"VENTURE_LANG": lang})
        assert result.exit_code == 2
        assert (zh in result.stderr) == (lang == "zh-Hant"), result.stderr
        assert re.search("Error|Usage|[a-z]{30}", result.stderr) is None


@every_row("serve", [worker.main, http_server.main])
@every_row("words, code", [(["--help"], 0), (["up"], 2), (["-x"], 2)])
def test_a_service_that_is_only_asked_says_what_it_is_and_starts_nothing(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    serve: Callable[[], None],
    words: list[str],
    code: int,
) -> None:
    monkeypatch.setattr(sys, "argv", ["service", *words])
    with pytest.raises(SystemExit) as ended:
        serve()
    told = capsys.readouterr()
    assert ended.value.code == code
    assert ("VENTURE_POSTGRES_URL_FILE=" in told.out) is (code == 0)
    assert (words[0] in told.err) is (code == 2)
