"""The independent checker: it passes over every story that comes with the product, and knows nothing of the rules."""

from __future__ import annotations

import ast
import asyncio
import json
import re
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from typer.testing import CliRunner

import audit.invariants
import cli.adapter
from audit.invariants import INVARIANTS, Invariants, check
from audit.invariants.recorded_events import Conditions, RecordedEvent
from audit.invariants.rules import Rules, check_citations
from audit.invariants.state_machine import TABLE
from audit.invariants.wording import call, call_amount, call_seat, call_tranche
from cli.audit import app
from domain.catalogue import list_transitions
from domain.kernel.calendar import local_day
from domain.kernel.failure import FailureKind
from domain.kernel.phrase import list_places
from domain.kernel.words import Words
from domain.project.objection import DismissObjection, LodgeObjection
from domain.registers.calendar import PublishCalendar
from domain.registers.scheme import PublishPolicyPack
from languages.language import Language
from scenarios.format import Scenario
from scenarios.plan import plan
from schemes.calendars import load_published
from schemes.document import read
from store.memory import MemoryStore
from store.port import EntryKind
from tests.corpus.record import BY_HAND
from tests.domain.written_realm import WrittenRealm, project, realm_until
from tests.office import Office
from tests.office_story import tell_office
from tests.paper import CUT, story, told_story

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from typer.testing import Result

Realm = TypeVar("Realm", bound=WrittenRealm)
STORIES = sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml"))
ROOMS = sorted(Path(audit.invariants.__file__).parent.glob("*.py"))
NOON = datetime(2024, 3, 4, 4, tzinfo=UTC)


def write_story(path: Path) -> WrittenRealm:
    """The story, written down as it is played by the rules."""
    return write_story_in(WrittenRealm, path)


def write_story_in(kind: type[Realm], path: Path) -> Realm:
    """The story, written down in a realm of that kind."""
    document = read(path)
    story = plan(document.parse(Scenario), document)
    realm, first = kind(realm=story.realm), story.begins.isoformat()
    for year in load_published(local_day(story.begins).year, local_day(story.ends).year + 1):
        notice = PublishCalendar(
            year=year.year, version=year.version, off=tuple(sorted(year.off)), on=tuple(sorted(year.on))
        )
        realm.order("calendar", "cn", notice, at=first, by="CAB-REG#1")
    realm.order("scheme", story.scheme.name, PublishPolicyPack(scheme=story.scheme), at=first, by="CAB-DEC#1")
    for row in story.orders:
        if row.must_refuse is None:
            realm.order(row.stream.kind, row.stream.name, row.command, at=row.at.isoformat(), by=row.actor)
    realm.pass_time(story.ends + timedelta(seconds=1))
    return realm


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_every_invariant_holds_in_the_story(path: Path) -> None:
    report = write_story(path).check()
    assert report.ok, report.breaches
    assert report.events > 10


def test_an_objection_may_be_dismissed_at_once_while_the_publicity_runs_on() -> None:
    realm = realm_until("posted")
    project(LodgeObjection(ground="評分"), "2024-03-13", "PUBLIC#1").ordered(realm)
    project(DismissObjection(objection="1", finding="不屬異議範圍"), "2024-03-13T15:00+08:00", "CAB-DEC#1").ordered(
        realm
    )
    assert realm.check().ok, realm.check().breaches


async def test_over_all_stories_and_an_offices_days_every_invariant_is_judged() -> None:
    invariants, store = Invariants(), MemoryStore()
    for path in STORIES:
        for entry in write_story(path).entries:
            invariants.take(entry)
    await tell_office(Office(store, at=BY_HAND), off=BY_HAND.date(), until=BY_HAND.date() + timedelta(days=9))
    for entry in await store.feed(0):
        invariants.take(entry)
    report = invariants.report()
    assert report.ok
    # the stories' seats are bare: tests/audit/test_business.py
    of_seats = {"SD5", "SD14", "SD15", *(f"AF0{n}" for n in range(2, 9))}
    assert {rule for rule in INVARIANTS if not report.judged[rule]} <= of_seats


async def test_a_log_in_a_store_is_walked_whole_or_realm_by_realm() -> None:
    store, realm = await told_story(), story(CUT).realm
    whole, one, other = await check(store), await check(store, realm), await check(store, "elsewhere")
    assert whole.ok
    assert (whole.events, whole.realms) == (one.events + 1, one.realms + 1), "the door's key is the live realm's"
    assert (other.events, other.ok) == (0, True)


async def test_bases_reconcile_with_the_numbers_that_the_city_states() -> None:
    (path,) = (p for p in STORIES if p.stem == "s3-changzhou")
    realm = write_story(path)
    for stated, breaches in (({"MUNICIPAL": 1, "DISTRICT": 1, "STREET_VILLAGE": 1}, 0), ({"MUNICIPAL": 1}, 2)):
        invariants = Invariants()
        for entry in realm.entries:
            invariants.take(entry)
        invariants.reconcile(realm.realm, stated)
        assert [b.rule for b in invariants.report().breaches] == ["C1"] * breaches


def _list_imports(path: Path) -> Iterator[tuple[str, str]]:
    """Each module that the file imports, and the name that it takes from it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                yield from ((one.name, "") for one in names)
            case ast.ImportFrom(module=module, names=names):
                yield from ((module or "", one.name) for one in names)
            case _:
                pass


def test_the_checker_shares_no_code_with_the_rules() -> None:
    """All it may import: itself, the standard library, what an entry of the log is, and by one module the words."""
    allowed = {"__future__", "calendar", "collections", "collections.abc", "dataclasses", "datetime", "decimal"}
    allowed |= {"hashlib", "itertools", "json", "re", "typing", "unicodedata", "store.port", "audit.time_slice"}
    for path in ROOMS:
        imports = [(module, name) for module, name in _list_imports(path) if module not in allowed]
        strangers = [row for row in imports if not row[0].startswith("audit.invariants")]
        if path.name != "wording.py":
            assert strangers == [], path.name
            continue
        printing = {"event_class", "label", "local_time", "stage_words", "value_words", "yuan", "Words", "TypeAdapter"}
        for module, name in strangers:
            thing = getattr(import_module(module), name)
            words = isinstance(thing, type) and issubclass(thing, Words)
            assert words or name in printing or module == "domain.kernel.phrase", (module, name)


def test_what_the_checker_says_has_its_particulars_apart_from_its_words() -> None:
    """As a refusal: a template with its particulars has every language, and no code of a value stands in it."""
    calls = [
        call
        for path in ROOMS
        for call in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(call, ast.Call)
        and getattr(call.func, "id", getattr(call.func, "attr", "")) in ("require", "_require")
        and len(call.args) > 3
    ]
    assert len(calls) > 200
    assert [ast.unparse(c) for c in calls for text in c.args[2:] if isinstance(text, ast.JoinedStr)] == []
    for condition in calls:
        texts = [str(text.value) for text in condition.args[2:4] if isinstance(text, ast.Constant)]
        if len(texts) == 2:
            places = {key.arg for key in condition.keywords}
            assert [list_places(text) for text in texts] == [places, places], texts
            assert re.search(r"\} 分(?![記攤])|\} fen\b", " ".join(texts)) is None or "points" in texts[1], texts


def test_words_are_found_only_where_a_condition_is_broken() -> None:
    require = Conditions()
    require(True, "M4", "{what}", "{what}", what=[call("no such list", "X")])
    with pytest.raises(KeyError):
        require(False, "M4", "{what}", "{what}", what=[call("no such list", "X")])
    require(False, "M4", "{what}", "{what}", what=map(call_tranche, ["T1", "X"]))
    assert require.breaches[0].en == "tranche 1, X"


def test_a_breach_reads_in_three_languages_with_its_amounts_in_yuan() -> None:
    require = Conditions()
    require(
        False,
        "M4",
        "{name} 由 {actor} 撥付 {paid}，分攤 {split}",
        "{name} was paid by {actor}: {paid}, split {split}",
        name=call_tranche("T1"),
        actor=call_seat("CAB-FIN#1"),
        paid=call_amount(400_000),
        split={"FS-1": 240_000, "FS-2": 160_000},
    )
    (breach,) = require.breaches
    assert [language.say(breach.zh, breach.en) for language in Language] == [
        "第1期 由 局财务人员（CAB-FIN#1） 拨付 ¥4,000.00，分摊 FS-1 ¥2,400.00、FS-2 ¥1,600.00",
        "第1期 由 局財務人員（CAB-FIN#1） 撥付 ¥4,000.00，分攤 FS-1 ¥2,400.00、FS-2 ¥1,600.00",
        "tranche 1 was paid by bureau finance officer (CAB-FIN#1): ¥4,000.00, split FS-1 ¥2,400.00, FS-2 ¥1,600.00",
    ]
    assert breach.as_json()["rule"] == "M4"
    assert breach.as_json()["params"] == {
        "name": {"zh": "第1期", "en": "tranche 1"},
        "actor": {"zh": "局財務人員（CAB-FIN#1）", "en": "bureau finance officer (CAB-FIN#1)"},
        "paid": "¥4,000.00",
        "split": ["FS-1 ¥2,400.00", "FS-2 ¥1,600.00"],
    }


@pytest.mark.parametrize("value", [None, "", (), [], set(), map(str, ())])
def test_where_nothing_is_the_checker_says_so(value: object) -> None:
    require = Conditions()
    require(False, "V2", "{value}", "{value}", value=value)
    assert [(b.zh, b.en) for b in require.breaches] == [("無", "none")]


@pytest.mark.parametrize("forged", [{"a": "b"}, {"a": None}, [{"a": 1}], [None], True, "{given}", "9" * 40])
def test_what_a_forged_entry_holds_for_a_number_breaks_its_own_rule(forged: object) -> None:
    require, rules = Conditions(), Rules({"payment": {"payment_wd": 15}})
    check_citations(
        require, rules, RecordedEvent(1, "project/x/AP-1", 1, "DisbursementRequested", "", NOON, {"payment_wd": forged})
    )
    (breach,) = require.breaches
    assert (breach.rule, breach.en.endswith("; the rules say 15")) == ("S1", True)
    assert json.loads(json.dumps(breach.as_json()))["params"]["given"] == "15"


def test_its_own_state_machine_and_the_rules_say_the_same() -> None:
    """Two tables, written apart, row by row; the checker's also has the rows that change no stage."""
    theirs = {
        (row.id, row.event, stage, row.to, row.pushes)
        for row in list_transitions()
        if row.kind == "project"
        for stage in row.start
    }
    ours = {(row.id, row.event, stage, row.to, row.push) for row in TABLE for stage in row.start}
    assert theirs <= ours
    silent = {("T04", "ObjectionDismissed"), ("T21", "FinalEvaluationConcluded")}
    assert {row[:2] for row in ours - theirs} == silent


# ---------------------------------------------------------------- what the command says


def invoke(monkeypatch: pytest.MonkeyPatch, store: MemoryStore, *words: str) -> Result:
    @asynccontextmanager
    async def opened(*_: object, working: bool = False, **_by_name: object) -> AsyncIterator[Any]:
        assert not working, "an audit carries nothing out"
        yield SimpleNamespace(store=store, client=None)

    monkeypatch.setattr(cli.adapter, "open_store", opened)
    monkeypatch.setattr("runtime.runtime.open_runtime", opened)
    return CliRunner().invoke(app, ["invariants", *words])


def test_the_command_names_every_invariant_and_says_that_all_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    store = asyncio.run(told_story())
    answer = invoke(monkeypatch, store)
    assert answer.exit_code == 0, answer.output
    assert all(f" {rule} " in answer.output for rule in INVARIANTS)
    assert "所判各條成立" in answer.output


def test_a_breach_is_told_with_its_place_and_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    store, realm = asyncio.run(told_story()), story(CUT).realm
    i = next(i for i, e in enumerate(store._entries) if e.type == "AwardConfirmed" and e.kind is EntryKind.EVENT)
    entry = store._entries[i]
    store._entries[i] = replace(entry, occurred_at=entry.occurred_at - timedelta(days=3))
    answer = invoke(monkeypatch, store, "-o", "json")
    assert answer.exit_code == FailureKind.INTEGRITY
    (breach,) = json.loads(answer.output)["breaches"]
    assert (breach["rule"], breach["position"], breach["stream"]) == ("D2", entry.position, entry.stream)
    lines = [json.loads(line) for line in invoke(monkeypatch, store, "-o", "jsonl").output.splitlines()]
    assert [line["breach"]["rule"] for line in lines[:-1]] == ["D2"]
    assert lines[-1]["ok"] is False
    assert "✗ D2" in invoke(monkeypatch, store, "--lang", "en").output
    assert invoke(monkeypatch, store, "--realm", realm, "--bases", "1+7").exit_code == FailureKind.USAGE
    assert "C1" in invoke(monkeypatch, store, "--realm", realm, "--bases", "1+7+55").output
