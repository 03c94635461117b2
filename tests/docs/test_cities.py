"""Every row of what the article names happens in a story, by the events that the table says (docs/cities.md)."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from typer.main import get_command

from cli.app import build
from domain.catalogue import event_class
from tests.audit.test_invariants import told

ROOT = Path(__file__).resolve().parents[2]
ROWS = [
    [cell.strip() for cell in line.strip().strip("|").split("|")]
    for line in (ROOT / "docs" / "cities.md").read_text("utf-8").splitlines()
    if re.match(r"\| [HFC]Z-", line)
]


@cache
def happened(story: str) -> frozenset[str]:
    """Every type of event in the log of that story, which the independent checker finds in order."""
    town = told(ROOT / "scenarios" / f"{story}.yaml")
    assert town.check().ok, story
    return frozenset(entry.type for entry in town.entries)


def test_there_are_the_rows_that_the_article_names() -> None:
    named = [*(f"HZ-{n}" for n in range(1, 22)), *(f"FZ-{n}" for n in range(1, 13)), *(f"CZ-{n}" for n in range(1, 12))]
    assert [row[0] for row in ROWS] == named
    assert len(named) == 44


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_what_a_row_names_happens_in_its_story(row: list[str]) -> None:
    events, stories = re.findall(r"`(\w+)`", row[2]), row[4].split()
    for event in events:
        event_class(event)
    assert events
    assert not set(events) - frozenset().union(*(happened(story) for story in stories))


@pytest.mark.parametrize("words", sorted({row[3].strip("`") for row in ROWS}))
def test_what_shows_a_row_can_be_asked(words: str) -> None:
    command: object = get_command(build())
    for word in words.split():
        command = getattr(command, "commands", {}).get(word)
    assert command is not None, words
