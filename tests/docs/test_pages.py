"""The documentation is true: what it says to type works, what it names is there, what it copies is current."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from cli.scenario import list_shipped
from docs.generate import writers
from docs.picture import PLACES, pairs
from domain.project.stage import Stage
from languages.script import simplify
from scenarios.schema import scenario_schema
from schemes.document import read
from tests.docs.pages import PAGES, ROOT, anchors, blocks, commands, links, named, names, prose
from tests.packaging.recipes import RECIPES
from tests.packaging.test_package import tracked
from tests.tables import every_row, mostly

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.installation import Installation

SCHEMA = ROOT / "scenarios" / "scenario.schema.json"
SCENARIOS = ROOT / "docs" / "scenarios.md"


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


# ------------------------------------------------------------------------------------------------------ what is said


TYPED = [page for page in PAGES if list(commands(page))]
"""Pages with something to type, first of them the README."""


@mostly(1, "page", TYPED, ids=_name)
def test_every_command_of_a_page_ends_as_the_page_says(
    page: Path, venture: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    for number, command in enumerate(commands(page)):
        program, *words = shlex.split(command.words)
        assert program in {"./run", "venture"}, command.words
        if number == 0:  # as a user does; the others are spared the second that an interpreter needs to start
            ran = venture.run(*words)
            code, text = ran.returncode, ran.stdout + ran.stderr
        else:
            answer = venture.ask(*words)
            code, text = answer.exit_code, answer.output
        assert code == command.exit_code, f"{command.words}\n{text}"
        assert "Traceback" not in text


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python run")], ids=_name)
def test_every_program_of_a_page_runs(page: Path, venture: Installation) -> None:
    for block in blocks(page, "python run"):
        environment = venture.environment(PYTHONPATH=str(ROOT))
        ran = subprocess.run(  # noqa: S603 - our own words, no shell
            [sys.executable, "-c", block], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stderr


def test_every_story_that_is_shipped_is_in_the_list_of_what_they_show() -> None:
    listed = re.findall(r"^\| \[S\d+\]\(\.\./scenarios/([\w-]+)\.yaml\)", SCENARIOS.read_text("utf-8"), re.MULTILINE)
    assert sorted(listed) == [path.stem for path in list_shipped()]


def test_the_example_of_a_scenario_comes_out_as_told(venture: Installation, tmp_path: Path) -> None:
    for number, block in enumerate(blocks(SCENARIOS, "yaml play")):
        path = tmp_path / f"example-{number}.yaml"
        path.write_text(block, "utf-8")
        answer = venture.ask("scenario", "play", str(path))
        assert answer.exit_code == 0, answer.output


def test_the_faulty_example_has_the_faults_that_are_shown(venture: Installation, tmp_path: Path) -> None:
    (block,), (listing,) = blocks(SCENARIOS, "yaml check"), blocks(SCENARIOS, "text errors")
    path = tmp_path / "faulty.yaml"
    path.write_text(block, "utf-8")
    answer = venture.ask("scenario", "check", str(path), "--lang", "en")
    assert answer.exit_code == 2
    faults = re.findall(r"faulty\.yaml:(\d+) (\S+?): ", answer.stderr)
    assert sorted(faults) == sorted(tuple(line.split()) for line in listing.splitlines())


# ------------------------------------------------------------------------------------------------------ what is named


@every_row("page", PAGES)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


MADE_BY_RECIPES = {path for recipe in RECIPES for path in recipe.files if not (ROOT / path).exists()}


@every_row("page", PAGES)
def test_every_file_that_is_named_is_there(page: Path) -> None:
    for name in named(page):
        path, _, inside = name.partition("::")
        files = [place / path for place in (ROOT, page.parent) if (place / path).exists()]
        assert files or path in MADE_BY_RECIPES, name
        assert not inside or re.search(rf"\b(?:def|class) {inside}\b", files[0].read_text("utf-8")), name


ELSEWHERE = {
    *("approved_until", "pg_wal", "preexec_fn", "wal_compression"),
    "temporal_workflow_task_schedule_to_start_latency",
}
"""Names of AuthZEN, Postgres, Python and Temporal."""
FORMER = {"deciding_again"}
"""What a decision says that something was called before."""


def test_every_name_that_a_page_gives_in_code_is_in_the_code() -> None:
    written = [path for path in tracked() if path.suffix not in {".md", ".webp", ".gz"}]
    words = {word for path in written for word in re.findall(r"\w+", path.read_text("utf-8", "replace"))}
    words |= {part for path in written for part in re.findall(r"\w+", path.as_posix())}
    missing = {_name(page): sorted(names(page) - words - ELSEWHERE - FORMER) for page in PAGES}
    assert {page: absent for page, absent in missing.items() if absent} == {}


def test_every_promise_names_a_test() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| (PR\d+) \|.*\| (.+) \|$", text, re.MULTILINE))
    assert list(rows) == [f"PR{n}" for n in range(1, 11)]
    assert [name for name, held_by in rows.items() if "::test_" not in held_by] == []


def test_every_hazard_names_a_test() -> None:
    text = (ROOT / "docs" / "hazards.md").read_text("utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ") and "|---" not in line]
    unheld = [row for row in rows if "::test_" not in row and "| 測試 test |" not in row]
    assert len(rows) > 50
    assert unheld == []


@every_row("page", PAGES)
def test_chinese_prose_has_chinese_punctuation(page: Path) -> None:
    wrong = re.findall(r".{0,12}[\u4e00-\u9fff」』][,;:!?(].{0,6}", prose(page))
    assert wrong == []


FOR_OFFICES = (ROOT / "README.md", ROOT / "docs" / "glossary.md")
"""The first is in simplified characters, the second names every term in both."""


@every_row("page", [page for page in PAGES if page not in FOR_OFFICES])
def test_the_chinese_of_engineers_is_in_the_characters_of_the_code(page: Path) -> None:
    assert sorted(set(_SIMPLIFIED) & set(page.read_text("utf-8"))) == []


def test_the_readme_is_in_the_standard_characters() -> None:
    """But for what is typed at a terminal, and the headings of other pages that it points to."""
    text = re.sub(r"```(?:sh|python).*?```|\]\([^)]*\)", "", (ROOT / "README.md").read_text("utf-8"), flags=re.DOTALL)
    assert [line for line in text.splitlines() if simplify(line) != line] == []


_SIMPLIFIED = "项组织评审发资办条务这为时间现应执关闭总结签约拨设规则证计账启动变输轮诉门档确认险统"
"""Characters of the simplified script that are everyday words here."""


# ------------------------------------------------------------------------------------------------------ what is copied


@pytest.mark.parametrize("path", list(writers()), ids=_name)
def test_what_the_code_writes_is_current(path: Path) -> None:
    assert path.read_text("utf-8") == writers()[path](), "not what the code says today: ./run generate"


def test_every_stage_has_its_place_in_the_picture() -> None:
    assert set(PLACES) == set(Stage) - {Stage.NONE}
    assert len(set(PLACES.values())) == len(PLACES)
    assert {stage for pair in pairs() for stage in pair} == set(PLACES)


def test_the_schema_is_what_the_command_prints(venture: Installation) -> None:
    printed = venture.ask("scenario", "schema").stdout
    assert json.loads(printed) == json.loads(SCHEMA.read_text("utf-8")) == scenario_schema()


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    """By our schema, which is one."""
    Draft202012Validator.check_schema(scenario_schema())
    return Draft202012Validator(scenario_schema())


@mostly(1, "path", list_shipped(), ids=lambda path: path.stem)
def test_every_shipped_scenario_is_valid_by_the_schema(path: Path, validator: Draft202012Validator) -> None:
    data = json.loads(json.dumps(read(path).data, default=float))
    assert [error.message for error in validator.iter_errors(data)] == []


def test_the_schema_refuses_what_the_reader_refuses(validator: Draft202012Validator) -> None:
    row = ["2023-03-06", "CallPublished", "R-1", "CAB-REG#1"]
    sound = {"id": "S", "scheme": "fuzhou", "events": [row]}
    assert validator.is_valid(sound)
    assert validator.is_valid({**sound, "events": [[*row, {"deadline": "2023-04-06T17:00", "level": "市級"}]]})
    rows: list[object] = [[], [row[:3]], [[*row, {}, "", ""]]]
    others: list[dict[str, object]] = [{"id": "S 1"}, {"evnets": []}, {"events": rows[0]}, {"events": rows[1]}]
    unknown_field: list[object] = [*row, {"dedline": "2023-04-06T17:00"}]
    wrong_type: list[object] = [*row, {"year": "2023"}]
    others += [{"events": rows[2]}, {"events": [unknown_field]}, {"events": [wrong_type]}]
    for wrong in others:
        assert not validator.is_valid({**sound, **wrong}), wrong


def test_each_room_is_named_once_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    table = text[text.index("| 目录 room |") : text.index("## 承诺")]
    heads = "".join(line.split("|")[1] for line in table.splitlines() if line.startswith("| ["))
    rooms = sorted(path.parent.name for path in ROOT.glob("*/__init__.py"))
    assert sorted(re.findall(r"\[(\w+)/\]", heads)) == sorted({*rooms, "bench", "client", "deploy", "tests"})


RUN_AS_WRITTEN = {
    *("sh run", "sh founding", "sh nemesis", "sh week"),
    *("sh debian-programs", "sh debian-log", "sh debian-venture"),
}
"""Blocks that a test types: here, in ``test_installation_by_url.py`` and ``test_bare_debian.py``, and below."""


@pytest.mark.parametrize("page", ["operations.md", "drills.md"])
def test_no_block_of_the_guides_for_administrators_is_never_typed(page: str) -> None:
    infos = re.findall(r"^```([^\n`]+)$", (ROOT / "docs" / page).read_text("utf-8"), re.MULTILINE)
    assert infos
    assert set(infos) <= RUN_AS_WRITTEN


@pytest.mark.release
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("info", ["sh nemesis", "sh week"])
def test_what_takes_longer_goes_by_as_it_is_typed(info: str) -> None:
    (block,) = blocks(ROOT / "docs" / "drills.md", info)
    program, *words = shlex.split(block)
    assert program.endswith("/python")
    went = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    assert went.returncode == 0, went.stdout + went.stderr
