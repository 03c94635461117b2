"""What the auditor's commands say, and the exit codes that scripts go by."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

import cli.adapter
from cli.audit import app
from domain.kernel.failure import FailureKind
from domain.kernel.identifier import StreamId
from runtime.store import OutOfService
from store.bytes import root
from store.memory import MemoryStore
from store.port import Append
from tests.paper import copied
from tests.store.appends import appended, write

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from typer.testing import Result

pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, told_by_the_hour: MemoryStore) -> MemoryStore:
    """The story in memory, where the office would open its servers."""
    memory = copied(told_by_the_hour)
    memory.documents.documents.clear()  # the door's tests say of a paper that it is here, but its bytes are nowhere

    @asynccontextmanager
    async def opened(
        *_: object, working: bool = False, with_temporal: bool = False, **_by_name: object
    ) -> AsyncIterator[Any]:
        assert not working, "an audit carries nothing out"
        if with_temporal:
            raise OutOfService("Temporal 無法連接", "no connection to Temporal")
        yield SimpleNamespace(store=memory, client=None)

    monkeypatch.setattr(cli.adapter, "open_store", opened)
    monkeypatch.setattr("runtime.runtime.open_runtime", opened)
    return memory


def say(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def tampered(store: MemoryStore) -> int:
    i = next(i for i, e in enumerate(store._entries) if e.type == "AwardPublicityOpened")
    entry = store._entries[i]
    edited = replace(entry, data=entry.data.replace("科".encode(), "處".encode()))
    store._entries[i] = edited
    for kept in (store._streams[entry.stream], store._events[entry.stream]):
        kept[kept.index(entry)] = edited
    return entry.position


def test_a_clean_log_is_said_so_with_its_root(store: MemoryStore) -> None:
    answer = say("verify")
    assert answer.exit_code == 0, answer.output
    assert "✓ 全部相符" in answer.output
    root = json.loads(say("verify", "-o", "json").output)["root"]
    assert root in answer.output
    assert say("verify", "--root", f"{len(store._entries)}:{root}", "--lang", "en").exit_code == 0


def test_every_finding_is_a_line_and_the_exit_code_is_6(store: MemoryStore) -> None:
    position = tampered(store)
    answer = say("verify", "--lang", "zh-Hant")
    assert answer.exit_code == FailureKind.INTEGRITY
    assert str(position) in answer.output
    assert "哈希鏈不符" in answer.output
    lines = [json.loads(line) for line in say("verify", "-o", "jsonl").output.splitlines()]
    assert [line["finding"]["position"] for line in lines[:-1]] == [position]
    assert lines[-1]["ok"] is False
    assert say("verify", "--root", f"5:{'0' * 64}").exit_code == FailureKind.INTEGRITY


def test_a_root_in_another_form_is_refused() -> None:
    assert say("verify", "--root", "5").exit_code == FailureKind.USAGE


def test_an_honest_stream_replays_in_three_sections() -> None:
    answer = say("replay", "PJ-3")
    assert answer.exit_code == 0, answer.output
    assert [line[0] for line in answer.stdout.splitlines()[1:]] == ["✓", "✓", "–"]
    assert "Temporal 沒有回答" in answer.stdout
    assert json.loads(say("replay", "PJ-3", "-o", "json").output)["ok"] is True


def test_a_difference_is_named_and_the_exit_code_is_6(store: MemoryStore) -> None:
    position = tampered(store)
    answer = say("replay", "PJ-3", "--lang", "en")
    assert answer.exit_code == FailureKind.INTEGRITY
    assert f"first at position {position} v4 · OpenAwardPublicity · AwardPublicityOpened" in answer.output
    assert json.loads(say("replay", "PJ-3", "-o", "json").output)["decided"]["first"]["position"] == position


def test_a_stream_that_is_not_there_is_not_found() -> None:
    assert say("replay", "PJ-77").exit_code == FailureKind.NOT_FOUND
    assert say("as-of", "2023-05-20", "PJ-77").exit_code == FailureKind.NOT_FOUND


def test_a_project_is_shown_as_it_was() -> None:
    answer = say("as-of", "2023-05-20", "PJ-3")
    assert answer.exit_code == 0, answer.output
    assert "截至 2023-05-20" in answer.output
    assert "公示中" in answer.output
    assert "立項審批" not in answer.output.rpartition("時間")[2]
    body = json.loads(say("as-of", "2023-05-20T09:00+08:00", "PJ-3", "-o", "json").stdout)
    assert (body["stage"], body["version"]) == ("IN_PUBLICITY", 4)


def test_what_was_not_there_or_not_known_yet_is_not_found() -> None:
    assert say("as-of", "2023-04-18", "AP-5").exit_code == FailureKind.NOT_FOUND
    assert say("as-of", "2023-05-20", "AP-5", "--known", "2020-01-01").exit_code == FailureKind.NOT_FOUND
    assert say("as-of", "2023-05-20", "AP-5", "--known", "2099-01-01").exit_code == 0


def test_the_story_too_is_told_as_it_was_known(store: MemoryStore) -> None:
    known = next(e for e in store._entries if e.type == "AwardProposed")
    body = json.loads(say("as-of", "2030-01-01", "AP-5", "--known", known.recorded_at.isoformat(), "-o", "json").stdout)
    assert body["stage"] == "PROPOSED"
    assert body["story"][-1]["position"] == known.position


@pytest.mark.parametrize("day", ["2023-5", "2023-02-30", "yesterday"])
def test_a_day_in_another_form_is_refused(day: str) -> None:
    assert say("as-of", day, "AP-5").exit_code == FailureKind.USAGE


@pytest.mark.parametrize("verb", ["verify", "replay", "as-of", "attempts"])
def test_every_verb_shows_examples(verb: str) -> None:
    text = say(verb, "--help").output
    assert f"\n  venture audit {verb}" in text


def test_every_refused_attempt_is_listed_with_who_when_and_by_which_rules(store: MemoryStore) -> None:
    answer = say("attempts")
    assert answer.exit_code == 0, answer.output
    assert "StartProject" in answer.output
    (row,) = json.loads(say("attempts", "PJ-3", "-o", "json").output)
    entry = store._entries[row["position"] - 1]
    assert (row["actor"], {u["rule"] for u in row["unmet"]}) == ("SO-PM#1", {"T12"})
    assert row["recorded_at"] == entry.recorded_at.isoformat() != row["occurred_at"]
    assert json.loads(say("attempts", "--realm", "live", "-o", "json").output) == []


def test_attempts_on_a_name_that_never_came_to_be_are_listed_too(store: MemoryStore) -> None:
    stream = StreamId.of("need", "live", "ND-404")
    meta = b'{"actor":"COMM#9","outcome":{"refused":[{"rule":"AU","zh":"x","en":"y"}]}}'
    rejected = replace(write(stream), meta=meta, occurred_at=datetime(2026, 1, 1, tzinfo=UTC))
    asyncio.run(appended(store, Append((rejected,), ())))
    (row,) = json.loads(say("attempts", stream, "-o", "json").output)
    assert (row["stream"], row["version"], row["actor"]) == (stream, 0, "COMM#9")
    assert json.loads(say("attempts", "--realm", "live", "-o", "json").output) == [row]
    findings = json.loads(say("verify", "-o", "json").output)["findings"]
    assert [f["what"] for f in findings] == ["unsigned"], "it came by no door; and nothing is missing in the agenda"


def test_the_log_is_not_asked_once_for_each_attempt(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    meta = b'{"actor":"COMM#9","outcome":{"refused":[{"rule":"AU","zh":"x","en":"y"}]}}'
    for number in range(60):
        stream = StreamId.of("need", "live", f"ND-{9000 + number}")
        refused = replace(write(stream), meta=meta, occurred_at=datetime(2026, 1, 1, tzinfo=UTC))
        asyncio.run(appended(store, Append((refused,), ())))
    questions: list[str] = []
    for name in ("feed", "outcomes", "journalled"):
        monkeypatch.setattr(store, name, _counted(getattr(store, name), questions))
    rows = json.loads(say("attempts", "--realm", "live", "-o", "json").output)
    assert [row["position"] for row in rows] == sorted(row["position"] for row in rows)
    assert len(rows) == 60
    assert len(questions) < 12


def _counted(question: Callable[..., Any], questions: list[str]) -> Callable[..., Any]:
    def ask(*args: object, **by_name: object) -> Any:
        questions.append(question.__name__)
        return question(*args, **by_name)

    return ask


def test_several_kept_roots_say_between_which_two_history_was_changed(store: MemoryStore, tmp_path: Path) -> None:
    entries, cut = store._entries, len(store._entries) - 3
    early, late = (f"{n}:{root(e.chain for e in entries[:n]).hex()}" for n in (10, cut))
    kept = tmp_path / "roots.txt"
    kept.write_text(f"{early}\n\n{late}\n")
    assert f"至第 {cut} 條未改" in say("verify", "--root", str(kept)).output
    entries[20] = replace(entries[20], chain=bytes(32))
    answer = say("verify", "--root", str(kept), "--lang", "en")
    assert answer.exit_code == FailureKind.INTEGRITY
    assert f"unchanged up to position 10, changed or cut after it and by {cut}" in answer.output


def test_nothing_is_said_to_hold_that_nobody_gave_numbers_for() -> None:
    answer = say("invariants", "--lang", "en")
    assert answer.exit_code == 0, answer.output
    assert "no numbers given (--bases), none reconciled" in answer.output
    assert "all that could be judged hold; nothing to judge: " in answer.output
    report = json.loads(say("invariants", "-o", "json").output)
    assert (report["ok"], report["bases_reconciled"]) == (True, False)
    assert "C2" in report["unjudged"]
