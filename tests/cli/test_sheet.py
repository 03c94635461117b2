"""Lists as spreadsheets, and spreadsheets to fill in, on the command line."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from python_calamine import CalamineWorkbook

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.installation import Installation


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def read(file: Path) -> list[list[Any]]:
    return CalamineWorkbook.from_filelike(io.BytesIO(file.read_bytes())).get_sheet_by_index(0).to_python()


@pytest.mark.parametrize(
    ("words", "least"),
    [
        (("project", "list"), 2),
        (("inbox",), 1),
        (("approval", "list", "--all"), 2),
        (("project", "show", "PJ-3"), 10),
        (("organisation", "list"), 2),
        (("money", "list", "--by", "fund"), 2),
    ],
)
def test_a_list_is_written_whole_to_a_spreadsheet(
    venture: Installation, tmp_path: Path, words: tuple[str, ...], least: int
) -> None:
    answer = venture.ask(*words, "--xlsx", "out.xlsx")
    assert (answer.exit_code, answer.stdout.strip()) == (0, "out.xlsx"), answer.output
    assert len(read(tmp_path / "out.xlsx")) >= least


def test_a_spreadsheet_goes_where_it_was_asked_for_or_nowhere(venture: Installation, tmp_path: Path) -> None:
    assert venture.ask("project", "list", "--xlsx", "out.csv").exit_code == 2
    assert venture.ask("project", "list", "--xlsx", "nowhere/out.xlsx").exit_code == 5
    assert list(tmp_path.iterdir()) == []


def test_a_table_to_fill_in_is_made_from_a_command(venture: Installation, tmp_path: Path) -> None:
    assert venture.ask("bulk-template", "record-expenditure").exit_code == 0
    head = read(tmp_path / "RecordExpenditure.xlsx")[0]
    assert {str(cell).partition("\n")[0] for cell in head} >= {"command", "subject", "actor", "voucher", "amount"}
    assert venture.ask("bulk", "RecordExpenditure.xlsx", "--preview").exit_code == 2  # nothing is filled in
    assert venture.ask("bulk-template", "nonsense").exit_code == 2


def test_organisations_and_sums_are_those_of_the_projects(venture: Installation) -> None:
    listed = json.loads(venture.ask("project", "list", "--search", "PJ-3", "-o", "json").stdout)
    project = next(one for one in listed if one["paid"])  # other tests play its story in part
    here = ("--realm", project["realm"])
    conditions = ("--by", "organisation", "--key", project["organisation"])
    (sums,) = json.loads(venture.ask("money", "list", *conditions, *here, "-o", "json").stdout)
    assert sums["paid"] == project["paid"]
    answer = venture.ask("organisation", "show", project["organisation"], *here, "-o", "json")
    assert json.loads(answer.stdout)["stream"].endswith(project["organisation"])
    counted = json.loads(venture.ask("portfolio", *here, "--round", project["round"], "-o", "json").stdout)
    assert counted["money"]["paid"] == project["paid"]
    assert "PJ-3" in venture.ask("portfolio", *here, "--list", "paid").stdout
    assert venture.ask("portfolio", "--as-of", "yesterday").exit_code == 2
