"""Whatever any release recorded, today's code reads: it hashes, folds and decides to what is recorded (PR8)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from audit.invariants import check
from audit.redecision import redecide
from deciding.fold import fold
from domain.catalogue import AGGREGATES, decode
from domain.kernel.canonical import canonical, plain
from domain.kernel.identifier import StreamId
from store.port import Entry, EntryKind
from tests.corpus.reading import CORPUS, read_entries, read_log
from tests.corpus.record import describe_changes

if TYPE_CHECKING:
    pass

RELEASES = sorted(CORPUS.glob("*.jsonl.xz"))
release = pytest.mark.parametrize("path", RELEASES, ids=lambda path: path.name.removesuffix(".jsonl.xz"))


def streams(path: Path) -> list[StreamId]:
    return sorted({entry.stream for entry in read_entries(path)})


def recorded(kind: EntryKind) -> set[tuple[str, int]]:
    return {(e.type, e.schema_version) for path in RELEASES for e in read_entries(path) if e.kind is kind}


def accepted(entry: Entry) -> bool:
    return "accepted" in json.loads(entry.meta)["outcome"]


# ---------------------------------------------------------------- what is in it


NOT_RECORDED = "no story has these: put a row for each into tests/corpus/turns.yaml, then ./run record corpus"


def test_every_event_is_in_the_corpus_of_some_release() -> None:
    known = {(e.event_type, e.schema_version) for a in AGGREGATES.values() for e in a.events}
    assert sorted(known - recorded(EntryKind.EVENT)) == [], NOT_RECORDED


def test_every_command_is_in_the_corpus_of_some_release_carried_out() -> None:
    types = {e.type for path in RELEASES for e in read_entries(path) if e.kind is EntryKind.COMMAND and accepted(e)}
    assert sorted({c.command_type for a in AGGREGATES.values() for c in a.commands} - types) == [], NOT_RECORDED


@release
def test_it_holds_refusals_too(path: Path) -> None:
    assert [e for e in read_entries(path) if e.kind is EntryKind.COMMAND and not accepted(e)]


@release
def test_it_names_no_machine(path: Path) -> None:
    """Nor anybody: roles and numbers only, and V4 below finds what looks like a person's."""
    telling = re.compile(r"/(?:home|root|tmp|usr|var|work)/|\w@\w+\.|localhost|(?:\d+\.){3}\d+")
    texts = [f"{e.stream} {e.meta.decode()} {e.data.decode()}" for e in read_entries(path)]
    assert [text for text in texts if telling.search(text)] == []


def test_a_recorder_says_which_stories_are_told_otherwise_than_before() -> None:
    def line(realm: str, data: str, **more: str) -> str:
        said = {"stream": f"need/{realm}/N-1", "version": 1, "type": "NeedSubmitted", "occurred_at": "", "data": data}
        return json.dumps({**said, **more})

    before = [line("same", "{}", chain="1"), line("changed", "{}"), line("gone", "{}")]
    after = [line("same", "{}", chain="2"), line("changed", "[]"), line("new", "{}"), line("new", "[]")]
    assert describe_changes(before, after) == [
        "changed: 1 entries before, 1 now",
        "gone: 1 entries before, 0 now",
        "new: 0 entries before, 2 now",
    ]


# ---------------------------------------------------------------- what today's code makes of it


@release
def test_every_leaf_and_chain_is_recomputed_from_the_bytes(path: Path) -> None:
    assert [e.chain for e in read_log(path)._entries] == [e.chain for e in read_entries(path)]


@release
def test_every_event_comes_back_from_its_bytes_and_folds(path: Path) -> None:
    for entry in read_entries(path):
        if entry.kind is EntryKind.EVENT:
            again = canonical(plain(decode(entry.type, entry.schema_version, entry.data)))
            assert again == entry.data, f"{entry.position} {entry.type}"
    for stream, events in read_log(path)._events.items():
        assert fold(stream, events).version == len(events)


@release
async def test_every_command_is_decided_to_what_is_recorded(path: Path) -> None:
    store, commands = read_log(path), 0
    for stream in streams(path):
        again = await redecide(store, stream)
        assert again.ok, again.as_json()
        commands += again.commands
    assert commands == sum(e.kind is EntryKind.COMMAND for e in read_entries(path))


BEFORE_THE_RULE = {"0.1.0": [("M6", 255)]}
"""Release and the entries that a rule of later forbids: since 0.2.0 spending is held to its line (story S10)."""


@release
async def test_no_invariant_is_broken_in_it(path: Path) -> None:
    """Judged by the checker that shares no code with the rules; what a later rule forbids is named, not hidden."""
    report = await check(read_log(path))
    assert [(b.rule, b.position) for b in report.breaches] == BEFORE_THE_RULE.get(path.name.split(".jsonl")[0], [])
