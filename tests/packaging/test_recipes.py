"""Each recipe of ``CONTRIBUTING.md`` is carried out in a scratch copy: it works and touches the files it names."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.packaging.recipes import CITY, EVENT, PARAMETER, QUERY, RECIPES, Recipe
from tests.packaging.test_package import ROOT, tracked

if TYPE_CHECKING:
    from pathlib import Path

PAGE = ROOT / "CONTRIBUTING.md"
DECISION = ROOT / "docs" / "decisions" / "013-the-fields-language.md"
MOST_FILES = {"一個事件 an event": 3, "一條規則 a rule": 2, "一個參數 a parameter of a scheme": 3, "一個城市 a city": 1}
WITHOUT_SERVERS = "not page_ends and not program and not example and not command_prints"
HELD_TO = ("tests/domain/test_catalogue.py", "tests/domain/test_words.py", "tests/docs/test_pages.py")


def named_by(recipe: Recipe) -> set[str]:
    """The files that the page's section of that name tells one to touch by hand."""
    text = PAGE.read_text("utf-8")
    _, heading, rest = text.partition(f"### {recipe.name}\n")
    assert heading, f"CONTRIBUTING.md has no recipe {recipe.name}"
    return set(re.findall(r"^\d+\. `([^`]+)`", rest.partition("\n### ")[0].partition("\n## ")[0], re.MULTILINE))


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_a_recipe_names_the_files_that_are_touched_by_hand(recipe: Recipe) -> None:
    assert named_by(recipe) == recipe.files
    assert len(recipe.files) <= MOST_FILES.get(recipe.name, 3)


@pytest.mark.parametrize("recipe", [EVENT, PARAMETER, CITY, QUERY], ids=lambda recipe: recipe.name)
def test_the_decision_says_how_many_files_a_change_touches(recipe: Recipe) -> None:
    rows = re.findall(rf"^\| {recipe.name} \| .* \| (\d+) \|$", DECISION.read_text("utf-8"), re.MULTILINE)
    assert rows == [str(len(recipe.files))]


def test_every_name_that_the_decision_gives_is_in_the_code() -> None:
    table = DECISION.read_text("utf-8").partition("\n## 引用")[0]
    rows = re.findall(r"^\| [^|]+ \| ([^|]*`[^|]*) \| [^|]+ \|$", table, re.MULTILINE)
    names = {part for cell in rows for name in re.findall(r"`([^`]+)`", cell) for part in re.findall(r"\w+", name)}
    sources = [path for path in tracked() if path.suffix == ".py"]
    words = {word for path in sources for word in re.findall(r"\w+", f"{path.stem} {path.read_text('utf-8')}")}
    assert len(rows) == 12
    assert names - {"py"} <= words | {path.parent.name for path in sources}


def scratch_copy(to: Path) -> Path:
    """What git has of this tree, in that folder."""
    for path in tracked():
        copy = to / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    return to


def run(root: Path, *words: str) -> None:
    """A module of Python's in that copy, which must end well."""
    ran = subprocess.run(  # noqa: S603 - our own words, no shell
        [sys.executable, "-m", *words], cwd=root, env=dict(os.environ), capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.full
@pytest.mark.timeout(1800)  # commands over the whole tree, which a busy machine draws out
def test_every_recipe_works_as_it_is_told(tmp_path: Path) -> None:
    root = scratch_copy(tmp_path)
    for edit in (edit for recipe in RECIPES for edit in recipe.edits):
        edit.make(root)
    run(root, "ruff", "check", "--quiet", "--fix", ".")
    run(root, "ruff", "format", "--quiet", ".")
    run(root, "docs.generate")
    tests = sorted({*HELD_TO, *(path for recipe in RECIPES for path in recipe.tests)})
    run(root, "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", "-k", WITHOUT_SERVERS, *tests)


@pytest.mark.full
@pytest.mark.timeout(1800)
def test_a_new_event_is_recorded_read_and_typed(tmp_path: Path) -> None:
    root = scratch_copy(tmp_path)
    for edit in EVENT.edits:
        edit.make(root)
    run(root, "ruff", "check", "--quiet", "--fix", ".")
    run(root, "mypy", ".")
    run(root, "tests.corpus.record")
    run(root, "pytest", "-q", "-x", "-p", "no:cacheprovider", "tests/audit/test_corpus.py")
