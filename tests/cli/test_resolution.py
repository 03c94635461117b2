"""A meeting's decision at the command line: what it has before it, its table, and the act."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from application.decision_sheet import read_sheet
from schemes.document import DocumentInvalid
from tests.cli.installation import S2

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.installation import Installation

HEAD = "application,project,award,funds,panel,reason"
CHOSEN = "AP-52,PJ-32,50000,FS-FZ:50000,RP-2,"


@pytest.fixture(scope="module")
def realm(venture: Installation, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A round whose one bid is scored and not decided."""
    path = tmp_path_factory.mktemp("scored") / "scored.yaml"
    story = (
        S2.read_text("utf-8")
        .replace("R-FZ-2023", "R-SCORED")
        .replace("PJ-3", "PJ-32")
        .replace("AP-5", "AP-52")
        .replace("id: S2", "id: SCORED")
    )
    text = story.partition("- [2023-05-12,")[0]
    unasked = text[text.index("    award:") : text.index("\nevents:")]  # nobody has come to ask for these yet
    path.write_text(text.replace(unasked, "") + "expect: {}\n", "utf-8")
    played = venture.ask("scenario", "play", str(path), "-o", "json")
    assert played.exit_code == 0, played.output
    named: str = json.loads(played.stdout)["scenarios"][0]["realm"]
    return named


def _sheet(tmp_path: Path, *rows: str) -> str:
    path = tmp_path / "decisions.csv"
    path.write_text("\n".join((HEAD, *rows)), "utf-8")
    return str(path)


def test_a_preview_shows_the_ranking_the_line_and_the_money(venture: Installation, realm: str, tmp_path: Path) -> None:
    preview = venture.ask("round", "preview", "R-SCORED", "--realm", realm)
    assert preview.exit_code == 0, preview.output
    assert "85.33" in preview.stdout
    preview = venture.ask("round", "preview", "R-SCORED", "--realm", realm, "--decisions", _sheet(tmp_path, CHOSEN))
    assert "入選線：第 1 名" in preview.stdout
    assert "¥50,000.00" in preview.stdout
    assert "FS-FZ" in preview.stdout


def test_money_that_is_not_there_is_seen_before_the_act(venture: Installation, realm: str, tmp_path: Path) -> None:
    dear = CHOSEN.replace("50000", "999999999")
    words = ("round", "preview", "R-SCORED", "--realm", realm, "--decisions", _sheet(tmp_path, dear), "-o", "json")
    (purse, *_) = json.loads(venture.ask(*words).stdout)["purses"]
    assert (purse["name"], purse["suffices"]) == ("FS-FZ", False)


@pytest.mark.full
def test_a_round_is_resolved_as_it_was_previewed_and_not_otherwise(
    venture: Installation, realm: str, tmp_path: Path
) -> None:
    minutes = tmp_path / "紀要.pdf"
    minutes.write_bytes(b"%PDF-1.7\n")
    table = ("R-SCORED", "--realm", realm, "--decisions", _sheet(tmp_path, CHOSEN))
    digest = json.loads(venture.ask("round", "preview", *table, "-o", "json").stdout)["preview"]
    act = ("round", "resolve", *table, "--minutes", str(minutes), "--as", "CAB-REG#1", "-o", "json", "--preview")
    moved = venture.ask(*act, "0" * 64)
    assert moved.exit_code == 1, moved.output
    assert {u["rule"] for u in json.loads(moved.stdout)["refused"]} == {"RD10"}
    answer = venture.ask(*act, digest)
    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.stdout)["events"] == ["RoundResolved"]
    projects = json.loads(venture.ask("project", "list", "--realm", realm, "-o", "json").stdout)
    assert [(p["project"], p["stage"]) for p in projects] == [("PJ-32", "PROPOSED")]


def test_every_fault_of_every_row_is_named_with_its_line() -> None:
    content = f"{HEAD}\nAP-1,PJ-1,5萬,FS-1:5萬,RP-1,\n\nAP-2,PJ 2,many,FS-1:1,RP-1,\nAP-3,,,,,太貴\n".encode()
    with pytest.raises(DocumentInvalid) as invalid:
        read_sheet("decisions.csv", content)
    assert {(fault.line, fault.where) for fault in invalid.value.faults} == {(4, "project"), (4, "award")}
    sheet = read_sheet("決議表.csv", "申報,項目,資助金額,資金來源,評審專家組\nAP-1,PJ-1,5萬,FS-1:5萬,RP-1\n".encode())
    assert sheet.selected[0].award == 5_000_000
