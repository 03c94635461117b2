"""Every row of what the article names happens in a story, by the events that the table says (docs/cities.md)."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

import cli.adapter
from cli.app import build
from domain.catalogue import AGGREGATES, event_class
from domain.kernel.identifier import SYSTEM
from domain.kernel.state import State
from scenarios.format import Scenario
from scenarios.plan import plan
from schemes.document import read
from schemes.scheme_file import load_shipped
from store.port import EntryKind
from tests.audit.test_invariants import write_story, write_story_in
from tests.domain.written_realm import WrittenRealm
from tests.papers.conftest import play_shipped
from tests.store.test_following import follow
from tests.tables import every_row, mostly

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from domain.kernel.identifier import Actor, StreamId
    from domain.kernel.message import Event, Order

Awaited = dict[str, set[str]]

ROOT = Path(__file__).resolve().parents[2]
ROWS = [
    [cell.strip() for cell in line.strip().strip("|").split("|")]
    for line in (ROOT / "docs" / "cities.md").read_text("utf-8").splitlines()
    if re.match(r"\| [A-Z]+-?\d", line)
]
"""The article's, and what lies beyond it."""
TIMERS = [
    [cell.strip() for cell in line.strip().strip("|").split("|")]
    for line in (ROOT / "docs" / "cities.md").read_text("utf-8").split("## 期限", 1)[1].splitlines()
    if re.match(r"\| [^-].*-\w+ \|$", line)
]
"""What falls due: name, parameter, what is recorded, who is then awaited, what is refused before, in which story."""


@cache
def happened(story: str) -> frozenset[str]:
    """Every type of event in the log of that story, which the independent checker finds in order."""
    realm = write_story(ROOT / "scenarios" / f"{story}.yaml")
    assert realm.check().ok, story
    return frozenset(entry.type for entry in realm.entries)


@dataclass(frozen=True)
class WatchedOrder:
    """One order that was carried out: who was awaited on its stream, by command, before it and after."""

    command: str
    by: Actor
    events: tuple[str, ...]
    before: Awaited
    after: Awaited


@dataclass
class WatchedRealm(WrittenRealm):
    """A written realm that keeps who is awaited."""

    steps: list[WatchedOrder] = field(default_factory=list)

    def _carry_out(self, stream: StreamId, order: Order) -> list[Event]:
        before = self.awaited(stream)
        events = super()._carry_out(stream, order)
        kinds = tuple(event.event_type for event in events)
        self.steps.append(WatchedOrder(order.command.command_type, order.actor, kinds, before, self.awaited(stream)))
        return events

    def awaited(self, stream: StreamId) -> Awaited:
        now = AGGREGATES[stream.kind].awaiting(self.states.get(stream) or State(stream), self.calendar)
        return {one.command: {str(role) for role in one.roles} for one in now}


@cache
def steps(story: str) -> tuple[WatchedOrder, ...]:
    """Every order of that story."""
    return tuple(write_story_in(WatchedRealm, ROOT / "scenarios" / f"{story}.yaml").steps)


@cache
def refusals(story: str) -> frozenset[tuple[str, str]]:
    """What must be refused in that story, each with its rule."""
    document = read(ROOT / "scenarios" / f"{story}.yaml")
    rows = plan(document.parse(Scenario), document).orders
    return frozenset((row.command.command_type, row.must_refuse) for row in rows if row.must_refuse)


@every_row("row", TIMERS)
def test_when_a_timer_is_up_its_event_is_recorded_and_whoever_it_concerns_is_awaited(row: list[str]) -> None:
    _, _, recorded, awaited, refused, story = row
    wanted = {command: set(roles.split()) for command, roles in re.findall(r"`(\w+)` ([A-Z -]+)", awaited)}
    if recorded:
        after = [one.after for one in steps(story) if one.by == SYSTEM and recorded.strip("`") in one.events]
        assert after
        assert all(wanted.items() <= one.items() for one in after), after
    for command, roles in () if recorded else wanted.items():
        assert roles in [one.before.get(command) for one in steps(story) if one.command == command]
    assert set(re.findall(r"`(\w+)` (\w+)", refused)) <= refusals(story)
    assert recorded or wanted or refused


@every_row("row", [row for row in TIMERS if row[1]])
def test_the_parameter_of_a_timer_is_the_schemes(row: list[str]) -> None:
    name, value = re.fullmatch(r"`([\w.]+)`(?: \((\d+)\))?", row[1]).groups()  # type: ignore[union-attr]
    section, parameter = name.split(".")
    known = getattr(getattr(load_shipped("hangzhou"), section), parameter)
    assert value is None or known == int(value)


def test_no_deadline_that_the_engine_knows_is_missing() -> None:
    # an approval's are told where approvals are; the rest follow from somebody's act, not from a day
    others = {"approval", "person", "seat", "door"}
    known = {
        command.records.event_type
        for kind, aggregate in AGGREGATES.items()
        if kind not in others
        for command in aggregate.commands
        if command.by == (SYSTEM.role,)
    }
    assert {row[2].strip("`") for row in TIMERS} - {""} == known


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


@mostly(16, "row", ROWS, ids=[row[0] for row in ROWS])
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


def test_every_source_that_a_rule_or_a_number_rests_on_can_be_looked_up() -> None:
    rooms = ("schemes/*.yaml", "scenarios/*.yaml", "domain/**/*.py", "audit/**/*.py")
    texts = [path.read_text("utf-8") for room in rooms for path in ROOT.glob(room)]
    cited = {source for text in texts for source in re.findall(r"\bF[1-9][0-9]?\b", text)}
    listed = re.findall(r"^\| (F[0-9]+) \| `http", (ROOT / "docs" / "sources.md").read_text("utf-8"), re.MULTILINE)
    assert len(listed) == len(set(listed))
    assert cited == set(listed)
