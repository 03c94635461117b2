"""An honest stream passes; a rule that comes to something else is named at the first event it changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from audit import consequences, historical_facts, redecision
from audit.redecision import Redecision, redecide
from audit.replay import replay
from audit.verification import verify
from cli.scenario import list_shipped
from domain.catalogue import AGGREGATES
from domain.kernel.clock import Clock
from domain.kernel.facts import Reads
from domain.kernel.identifier import Actor, StreamId
from domain.kernel.refusal import CommandRejected, Unmet
from domain.project.delivery import StartProject
from domain.project.publicity import AwardPublicityOpened, ConfirmAward, OpenAwardPublicity
from domain.registers.organisation import Listing, RecordCreditListing
from followers.views import ViewFollower
from scenarios.format import Scenario
from scenarios.plan import plan
from scenarios.play import play
from schemes.document import read
from store.memory import MemoryStore
from store.port import EntryKind
from tests.paper import REPORTED, open_paper_door, prepare_resolution, told_story
from tests.tables import mostly

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from domain.kernel.decider import Decider
    from domain.kernel.facts import Facts
    from domain.kernel.message import Command, Event, Order
    from domain.kernel.state import State
    from store.port import Entry


@pytest.fixture
async def store() -> MemoryStore:
    return await told_story()


def entry(store: MemoryStore, entry_type: str) -> Entry:
    return next(e for e in store._entries if e.type == entry_type)


@pytest.fixture
def ruled(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Change the rules of one kind of stream, in the audit's eyes only: the rooms are replaced by changed ones."""

    def change(kind: str, changed: Callable[[Decider[Any, Any]], Decider[Any, Any]]) -> None:
        rooms = tuple(changed(room) for room in AGGREGATES[kind].deciders)
        aggregates = {**AGGREGATES, kind: replace(AGGREGATES[kind], deciders=rooms)}
        for module in (redecision, historical_facts, consequences):
            monkeypatch.setattr(module, "AGGREGATES", aggregates)

    return change


def deciding(command: type[Command], by: Callable[[list[Event]], list[Event]]) -> Any:
    """A changed room, in which what that command leads to is made into something else."""

    def changed(room: Decider[Any, Any]) -> Decider[Any, Any]:
        def decide(state: State, facts: Facts, order: Order, other: Command) -> list[Event]:
            if not isinstance(other, command):
                return room.decide(state, facts, order, other)
            try:
                return by(room.decide(state, facts, order, other))
            except CommandRejected:
                return by([])

        return replace(room, decide=decide)

    return changed


def refusing(_events: list[Event]) -> list[Event]:
    raise CommandRejected((Unmet(rule="X9", zh="新規則", en="a new rule"),))


async def again(store: MemoryStore, name: str = "AP-5") -> Redecision:
    (stream,) = await store.streams_named(name)
    return await redecide(store, stream)


async def test_every_stream_of_an_honest_story_passes(store: MemoryStore) -> None:
    async for standing in store.standings():
        replayed = await replay(store, None, standing.stream)
        assert replayed.ok, replayed
        assert (replayed.histories.temporal_answered, replayed.redecision.undecided) == (False, 0)
    project = await again(store)
    assert project.commands == project.accepted + project.refused
    assert project.refused == 1


@mostly(4, "path", list_shipped(), ids=lambda path: path.stem)
async def test_every_shipped_story_verifies_and_decides_again_to_its_outcomes(path: Path) -> None:
    store = MemoryStore()
    document = read(path)
    whole = plan(document.parse(Scenario), document)
    await play(whole, open_paper_door(store), store)
    await keep_views(store)
    verification = await verify(store)
    assert verification.ok, verification.findings
    async for standing in store.standings():
        replayed = await replay(store, None, standing.stream)
        assert replayed.ok, replayed


async def keep_views(store: MemoryStore) -> None:
    follower = ViewFollower(store)
    while await follower.once(datetime.now(UTC)):
        pass
    assert {head.position for head in await store.views.heads()} == {await store.last_position()}


async def test_a_changed_rule_is_named_at_the_first_event_that_it_changes(
    store: MemoryStore, ruled: Callable[..., None]
) -> None:
    def elsewhere(_events: list[Event]) -> list[Event]:
        return [AwardPublicityOpened.model_validate({**_events[0].model_dump(), "contact": "別處"})]

    ruled("project", deciding(OpenAwardPublicity, elsewhere))
    report = await again(store)
    opened = entry(store, "AwardPublicityOpened")
    assert report.first is not None
    assert (report.first.position, report.first.version, report.others) == (opened.position, opened.version, 0)
    assert (report.first.command, report.first.what) == ("OpenAwardPublicity", "AwardPublicityOpened")
    assert opened.data.decode() in report.first.recorded
    assert "別處" in report.first.decided
    assert not (await replay(store, None, opened.stream)).ok


async def test_a_rule_that_now_refuses_is_named_with_what_it_refuses(
    store: MemoryStore, ruled: Callable[..., None]
) -> None:
    ruled("project", deciding(ConfirmAward, refusing))
    report = await again(store)
    assert report.first is not None
    assert (report.first.position, report.first.what) == (entry(store, "ConfirmAward").position, "refusal")
    assert (report.first.recorded, report.first.decided) == ("AwardConfirmed", "refused by X9")


async def test_a_refusal_by_other_rules_is_named(store: MemoryStore, ruled: Callable[..., None]) -> None:
    ruled("project", deciding(StartProject, refusing))
    report = await again(store)
    assert report.first is not None
    assert (report.first.recorded, report.first.decided) == ("refused by T12", "refused by T12, X9")


async def test_a_recorded_refusal_that_would_be_accepted_is_named(store: MemoryStore) -> None:
    refusal = entry(store, "ConfirmAward")
    refused = b'"outcome":{"refused":[{"en":"no","rule":"T99","zh":"\xe5\x90\xa6"}]}'
    kept = store._streams[refusal.stream]
    accepted = b'"outcome":{"accepted":["AwardConfirmed"]}'
    kept[kept.index(refusal)] = replace(refusal, meta=refusal.meta.replace(accepted, refused))
    report = await again(store)
    assert report.first is not None
    assert (report.first.recorded, report.first.decided) == ("refused by T99", "AwardConfirmed")


async def test_commands_that_differ_after_the_first_are_counted(store: MemoryStore, ruled: Callable[..., None]) -> None:
    def refuse_all(room: Decider[Any, Any]) -> Decider[Any, Any]:
        return replace(room, decide=lambda *_: refusing([]))

    ruled("project", refuse_all)
    report = await again(store)
    assert report.others == report.commands - 1


async def test_a_rule_that_breaks_is_a_difference_not_a_crash(store: MemoryStore, ruled: Callable[..., None]) -> None:
    def broken(_events: list[Event]) -> list[Event]:
        return [_events[7]]

    ruled("project", deciding(ConfirmAward, broken))
    report = await again(store)
    assert report.first is not None
    assert "IndexError" in report.first.decided


async def test_a_rule_that_wants_what_was_not_journalled_says_so(
    store: MemoryStore, ruled: Callable[..., None]
) -> None:
    def asking(room: Decider[Any, Any]) -> Decider[Any, Any]:
        reads = Reads(claims=frozenset({"another/key"}))
        return replace(room, reads=lambda state, command: room.reads(state, command) | reads)

    ruled("fund", asking)
    report = await again(store, "FS-FZ")
    assert report.first is not None
    assert (report.first.what, report.first.decided) == ("readings", "another/key")


async def test_a_deadline_that_would_lie_elsewhere_is_named(store: MemoryStore, ruled: Callable[..., None]) -> None:
    def later(room: Decider[Any, Any]) -> Decider[Any, Any]:
        return replace(
            room, due=lambda state, calendar: [replace(d, at=d.at + timedelta(1)) for d in room.due(state, calendar)]
        )

    ruled("round", later)
    report = await again(store, "R-FZ-2023")
    assert report.first is not None
    assert report.first.what == "origin"


async def test_a_deadline_that_should_have_come_first_is_named(store: MemoryStore, ruled: Callable[..., None]) -> None:
    def earlier(room: Decider[Any, Any]) -> Decider[Any, Any]:
        return replace(
            room, due=lambda state, calendar: [replace(d, at=d.at - timedelta(60)) for d in room.due(state, calendar)]
        )

    ruled("project", earlier)
    report = await again(store)
    assert report.first is not None
    assert report.first.what == "deadline"


async def test_an_edited_event_is_named(store: MemoryStore) -> None:
    opened = entry(store, "AwardPublicityOpened")
    edited = replace(opened, data=opened.data.replace("科".encode(), "處".encode()))
    for kept in (store._streams[opened.stream], store._events[opened.stream]):
        kept[kept.index(opened)] = edited
    report = await again(store)
    assert report.first is not None
    assert (report.first.position, report.first.what) == (opened.position, opened.type)


async def test_a_command_that_nobody_asked_for_is_named(store: MemoryStore) -> None:
    command = next(e for e in store._streams[entry(store, "AwardConfirmed").stream] if e.type == "ConfirmAward")
    digest = command.meta[command.meta.index(b',"digest"') : command.meta.index(b',"edition"')]
    kept = store._streams[command.stream]
    kept[kept.index(command)] = replace(command, meta=command.meta.replace(digest, b""))
    report = await again(store)
    assert report.first is not None
    assert (report.first.position, report.first.what) == (command.position, "origin")


async def test_a_stream_cut_behind_what_was_read_of_it_is_named(store: MemoryStore) -> None:
    (need,) = await store.streams_named("ND-2")
    store._events[need].pop()
    report = await again(store)
    assert report.first is not None
    assert (report.first.what, report.first.decided) == ("readings", f"{need} v2")


@pytest.mark.parametrize(("was", "now"), [(b"fuzhou@1", b"fuzhou@2"), (b'"edition":1', b'"edition":2')])
async def test_rules_that_were_not_those_of_the_stream_are_named(store: MemoryStore, was: bytes, now: bytes) -> None:
    command = entry(store, "OpenAwardPublicity")
    kept = store._streams[command.stream]
    kept[kept.index(command)] = replace(command, meta=command.meta.replace(was, now))
    report = await again(store)
    assert report.first is not None
    assert (report.first.position, report.first.what) == (command.position, "readings")


async def test_a_rule_that_now_makes_one_event_more_is_named(store: MemoryStore, ruled: Callable[..., None]) -> None:
    ruled("project", deciding(ConfirmAward, lambda events: events + events))
    report = await again(store)
    assert report.first is not None
    assert (report.first.what, report.first.decided) == ("events", "AwardConfirmed, AwardConfirmed")


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("due_at", {"due_at": datetime(2031, 1, 1, tzinfo=UTC)}),
        ("clock", {"clock": Clock.WALL}),
        ("summary", {"summary": b'{"awaiting":[],"title":"x"}'}),
    ],
)
async def test_each_field_of_the_agenda_is_compared(store: MemoryStore, field: str, changed: dict[str, Any]) -> None:
    stream = entry(store, "AwardConfirmed").stream
    store._agenda[stream] = replace(store._agenda[stream], **changed)
    assert [name for name, *_ in (await replay(store, None, stream)).refold.differences] == [field]


async def test_an_agenda_that_shows_something_else_is_named_field_by_field(store: MemoryStore) -> None:
    stream = entry(store, "AwardConfirmed").stream
    store._agenda[stream] = replace(store._agenda[stream], stage="CLOSED", version=3)
    replayed = await replay(store, None, stream)
    assert [field for field, *_ in replayed.refold.differences] == ["version", "stage"]
    assert not replayed.ok
    del store._agenda[stream]
    assert [field for field, *_ in (await replay(store, None, stream)).refold.differences] == ["agenda"]


# ----------------------------------------------------------------------------------------- commands asked by an event


async def resolve() -> tuple[MemoryStore, StreamId]:
    store = await told_story(REPORTED)
    (round_,) = await store.streams_named("R-FZ-2023")
    at = store._entries[-1].occurred_at + timedelta(days=1)
    command = await prepare_resolution(store, round_.realm)
    await open_paper_door(store).send(round_, command, Actor("CAB-REG#1"), at=at)
    return store, round_


async def test_a_resolution_and_what_it_asks_of_its_projects_pass() -> None:
    store, _ = await resolve()
    assert [e.type for e in store._entries if e.kind is EntryKind.COMMAND][-3:] == [
        "ResolveRound",
        "ProposeAward",
        "OpenAwardPublicity",
    ]
    assert (await verify(store)).ok
    async for standing in store.standings():
        assert (await replay(store, None, standing.stream)).ok


async def test_a_consequence_that_is_not_journalled_is_named() -> None:
    store, round_ = await resolve()
    proposed = entry(store, "ProposeAward")
    del store._journal[proposed.command_id]
    report = await redecide(store, round_)
    assert report.first is not None
    assert report.first.what == "consequences"
    assert "ProposeAward" in report.first.decided


async def test_a_consequence_recorded_at_another_time_was_asked_by_nobody() -> None:
    store, _ = await resolve()
    proposed = entry(store, "ProposeAward")
    kept = store._streams[proposed.stream]
    kept[kept.index(proposed)] = replace(proposed, recorded_at=proposed.recorded_at + timedelta(seconds=1))
    report = await redecide(store, proposed.stream)
    assert report.first is not None
    assert (report.first.position, report.first.what) == (proposed.position, "origin")


async def test_a_refusal_that_came_from_another_stream_is_said_not_to_be_decidable() -> None:
    store = await told_story(REPORTED)
    (round_,) = await store.streams_named("R-FZ-2023")
    at = store._entries[-1].occurred_at + timedelta(days=1)
    command = await prepare_resolution(store, round_.realm)
    listing = RecordCreditListing(listing=Listing.SERIOUS, reason="失信", attachments=(command.minutes,))
    door = open_paper_door(store)
    await door.send(round_.sibling("organisation", "ORG-3"), listing, Actor("CAB-REG#1"), at=at)
    with pytest.raises(CommandRejected):
        await door.send(round_, command, Actor("CAB-REG#1"), at=at)
    report = await redecide(store, round_)
    assert (report.ok, report.undecided) == (True, 1)
    kept = store._streams[round_]
    kept[-1] = replace(kept[-1], meta=kept[-1].meta.replace(b'"file":"AP-5"', b'"file":"AP-6"'))
    strange = await redecide(store, round_)
    assert (strange.ok, strange.undecided) == (False, 0), "it must say of which stream it speaks"
