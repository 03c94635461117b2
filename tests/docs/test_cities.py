"""Every row of what the article names happens in a story, by the events that the table says (docs/cities.md)."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

import cli.adapter
from cli.app import build
from domain.catalogue import event_class
from store.port import EntryKind
from tests.audit.test_invariants import write_story
from tests.papers.conftest import play_shipped
from tests.store.test_following import follow
from tests.tables import every_row

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ROOT = Path(__file__).resolve().parents[2]
ROWS = [
    [cell.strip() for cell in line.strip().strip("|").split("|")]
    for line in (ROOT / "docs" / "cities.md").read_text("utf-8").splitlines()
    if re.match(r"\| [A-Z]+-?\d", line)
]
"""The article's, and what lies beyond it."""


@cache
def happened(story: str) -> frozenset[str]:
    """Every type of event in the log of that story, which the independent checker finds in order."""
    town = write_story(ROOT / "scenarios" / f"{story}.yaml")
    assert town.check().ok, story
    return frozenset(entry.type for entry in town.entries)


def test_there_are_the_rows_that_the_article_names() -> None:
    named = [*(f"HZ-{n}" for n in range(1, 22)), *(f"FZ-{n}" for n in range(1, 13)), *(f"CZ-{n}" for n in range(1, 12))]
    assert [row[0] for row in ROWS if re.match("[HFC]Z-", row[0])] == named
    assert len(named) == 44


@every_row("row", ROWS)
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


# ---------------------------------------------------------------- what shows it, asked of the played story

ARGUMENTS: dict[str, tuple[str, ...]] = {
    "audit as-of": ("{day}", "{organisation}"),
    "audit invariants": ("--realm", "{realm}"),
    "audit replay": ("{project}",),
    "portfolio": (),
    "project outputs": ("{project}",),
    "project show": ("{project}",),
    "register list": ("{register}",),
    "round list": (),
    "round show": ("{round}",),
    "scheme diff": ("fuzhou", "hangzhou"),
    "why-not": ("start-project", "{project}", "--as", "SO-PM#1"),
}
"""What is asked of each command, with names that the story has."""
REGISTERS = {"DesignationGranted": "designation", "NodeEstablished": "node", "OccasionHeld": "occasion"}
"""Which register shows what a row names."""


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
async def test_what_shows_a_row_answers_over_its_story(row: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    words, story = row[3].strip("`"), row[4].split()[0]
    store = (await play_shipped(story.split("-")[0])).store
    await follow(store)
    entries = [e for e in await store.feed(0, 100_000) if e.kind == EntryKind.EVENT]
    names = {e.stream.kind: e.stream.name for e in reversed(entries)}
    kept = next((REGISTERS[e] for e in re.findall(r"`(\w+)`", row[2]) if e in REGISTERS), "")
    day = max(e.occurred_at for e in entries).date().isoformat()
    known = {**names, "register": kept, "day": day, "realm": entries[-1].stream.realm}

    @asynccontextmanager
    async def opened(*_: object, **_by_name: object) -> AsyncIterator[Any]:
        yield SimpleNamespace(store=store, client=None)

    monkeypatch.setattr(cli.adapter, "open_store", opened)
    monkeypatch.setattr("runtime.runtime.open_runtime", opened)
    arguments = [*words.split(), *(part.format(**known) for part in ARGUMENTS[words])]
    answer = await asyncio.to_thread(CliRunner().invoke, build(), arguments)
    assert answer.exit_code == (1 if words == "why-not" else 0), f"{arguments}\n{answer.output}\n{answer.exception!r}"
    assert answer.output.strip()
