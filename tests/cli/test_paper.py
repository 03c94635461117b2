"""Papers on the command line: which there are, and one of them as a file."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest
from docx import Document

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.installation import Installation


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_paper_is_listed_and_written_where_it_is_asked_for(venture: Installation, tmp_path: Path) -> None:
    listed = json.loads(venture.ask("paper", "list", "PJ-3", "-o", "json").stdout)
    assert {"award", "payment.T1"} <= {one["name"] for one in listed if one["date"]}
    assert venture.ask("paper", "make", "PJ-3", "award").stdout.strip() == "PJ-3-award.docx"
    document = Document(io.BytesIO((tmp_path / "PJ-3-award.docx").read_bytes()))
    assert any("立项的通知" in one.text for one in document.paragraphs)
    assert [one.name for one in tmp_path.iterdir()] == ["PJ-3-award.docx"]


@pytest.mark.full  # it needs a Chinese font, which deploy/debian-for-tests installs
def test_the_name_of_the_file_says_that_it_is_to_be_a_pdf(venture: Installation, tmp_path: Path) -> None:
    assert venture.ask("paper", "make", "PJ-3", "payment.T1", "-o", "T1.pdf").exit_code == 0
    assert (tmp_path / "T1.pdf").read_bytes().startswith(b"%PDF-")


def test_a_paper_as_data_says_what_it_was_made_from(venture: Installation) -> None:
    made = venture.ask("paper", "make", "PJ-3", "award", "-o", "json", "--as-of", "2023-05-31")
    paper = json.loads(made.stdout)
    assert (paper["date"], paper["source"]["as_of"]) == ("2023年5月22日", "2023-05-31")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("PJ-3", "award", "-o", "award.txt"), 2),
        (("PJ-3", "award", "-o", "nowhere/award.docx"), 5),
        (("PJ-3", "award", "--as-of", "yesterday"), 2),
        (("PJ-3", "award", "--as-of", "2023-05-10"), 1),
        (("PJ-3", "poem"), 3),
    ],
)
def test_what_cannot_be_made_is_told_and_leaves_no_file(
    venture: Installation, tmp_path: Path, words: tuple[str, ...], code: int
) -> None:
    assert venture.ask("paper", "make", *words).exit_code == code
    assert list(tmp_path.iterdir()) == []
