"""Several commands in one update: each has the answer that it would have had by itself, in the same order."""

from __future__ import annotations

from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest

from activities import carry_out
from activities.carry_out import CommandActivities
from application import door as doors
from application import workflow_carrier
from application.door import CommandRequest
from domain.kernel.envelope import Answer, BundleRequest, Ending
from domain.kernel.identifier import Actor, StreamId
from domain.need import AdoptNeed, EndorseNeed
from store.memory import MemoryStore
from store.port import EntryKind, StoreUnavailable
from tests.keys import publish
from tests.workflows.bureau import need_submission, verification

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.kernel.envelope import Envelope
    from domain.kernel.message import Command
    from store.port import Append, AppendResult
    from tests.conftest import Desk
    from tests.workflows.bureau import Bureau

NAMES = ("甲", "乙", "丙", "丁")


def ask(command: Command, by: str = "HOST#1", *, at: datetime | None = None, id_: UUID | None = None) -> CommandRequest:
    return CommandRequest(command, Actor(by), id_ or uuid4(), at)


async def answers(desk: Desk, stream: StreamId, requests: Sequence[CommandRequest]) -> list[Answer]:
    return [answer async for answer in desk.door.send_each(stream, requests)]


async def updates(desk: Desk, stream: StreamId) -> list[str]:
    """The updates that the stream's workflow took in, over all of its runs."""
    runs = [w.run_id async for w in desk.client.list_workflows(f"WorkflowId = '{stream}'")]
    histories = [await desk.client.get_workflow_handle(stream, run_id=run).fetch_history() for run in runs]
    return [
        event.workflow_execution_update_accepted_event_attributes.accepted_request.input.name
        for history in histories
        for event in history.events
        if event.HasField("workflow_execution_update_accepted_event_attributes")
    ]


async def test_commands_on_one_stream_travel_in_one_update_and_each_has_its_answer(desk: Desk, bureau: Bureau) -> None:
    await bureau.open_round()
    need = bureau.id("need", "ND-1")
    requests = [ask(need_submission(), "COMM#1"), ask(EndorseNeed(), "COMM#2"), ask(EndorseNeed(), "COMM#3")]
    received = await answers(desk, need, requests)
    assert [(a.ending, a.version, a.events) for a in received] == [
        (Ending.ACCEPTED, 1, ("NeedSubmitted",)),
        (Ending.ACCEPTED, 2, ("NeedEndorsed",)),
        (Ending.ACCEPTED, 3, ("NeedEndorsed",)),
    ]
    journal = [e async for e in desk.store.read(need, commands=True) if e.kind is EntryKind.COMMAND]
    assert [e.command_id for e in journal] == [a.command_id for a in requests]
    assert await updates(desk, need) == ["carry_out_each"]


async def test_a_bundle_asked_again_is_answered_from_the_journal_and_goes_on_where_it_stopped(
    desk: Desk, bureau: Bureau
) -> None:
    stream = bureau.id("organisation", "ORG-1")
    requests = [ask(verification(name)) for name in NAMES]
    first = await answers(desk, stream, requests[:2])
    whole = await answers(desk, stream, requests)
    assert [a.model_copy(update={"repeated": False}) for a in whole[:2]] == first
    assert [a.repeated for a in whole] == [True, True, False, False]
    assert len([e async for e in desk.store.read(stream)]) == len(NAMES)


async def test_nothing_after_a_refused_command_is_carried_out_before_its_answer_is_heard(
    desk: Desk, bureau: Bureau
) -> None:
    await bureau.open_round()
    need = bureau.id("need", "ND-1")
    requests = [ask(need_submission(), "COMM#1"), ask(AdoptNeed(), "COMM#1"), ask(EndorseNeed(), "COMM#2")]
    async with aclosing(desk.door.send_each(need, requests)) as stream_answers:
        async for answer in stream_answers:
            if answer.ending is Ending.REFUSED:
                break
    assert [e.type async for e in desk.store.read(need)] == ["NeedSubmitted"]
    assert [a.ending for a in await answers(desk, need, requests)] == [
        Ending.ACCEPTED,
        Ending.REFUSED,
        Ending.ACCEPTED,
    ], "whoever wants to goes on"


async def test_another_streams_deadline_falls_due_in_the_midst_of_a_bundle(desk: Desk, bureau: Bureau) -> None:
    await desk.door.open_realm(bureau.realm)
    opened = datetime(2024, 3, 4, 1, tzinfo=UTC)
    round_ = await bureau.open_round(at=opened)
    (row,) = [row async for row in desk.store.standings(kind="round", realm=bureau.realm)]
    assert row.due_at is not None
    stream = bureau.id("organisation", "ORG-1")
    days = (opened + timedelta(days=1), row.due_at, row.due_at + timedelta(days=1))
    received = await answers(desk, stream, [ask(verification(n), at=at) for n, at in zip(NAMES, days, strict=False)])
    assert [a.ending for a in received] == [Ending.ACCEPTED] * 3
    entries = [e for e in await desk.store.feed(0, 100_000) if e.stream in (stream, round_)]
    events = [(e.type, e.occurred_at) for e in entries if e.kind is EntryKind.EVENT]
    assert events[1:] == [
        ("OrganisationVerified", days[0]),
        ("NeedSolicitationClosed", row.due_at),
        ("OrganisationVerified", days[1]),
        ("OrganisationVerified", days[2]),
    ]


async def test_a_single_command_without_a_time_waits_for_the_deadlines_of_its_manual_realm(
    desk: Desk, bureau: Bureau
) -> None:
    await desk.door.open_realm(bureau.realm)
    opened = datetime(2024, 3, 4, 1, tzinfo=UTC)
    round_ = await bureau.open_round(at=opened)
    await desk.door.send(bureau.id("organisation", "ORG-1"), verification(), Actor("HOST#1"))
    assert [e.type async for e in desk.store.read(round_)][-1] == "NeedSolicitationClosed"


async def test_more_commands_than_one_update_takes_go_in_several(
    desk: Desk, bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = bureau.id("organisation", "ORG-1")
    await desk.door.send(stream, verification("戊"), Actor("HOST#1"))
    monkeypatch.setattr(doors, "MOST_COMMANDS", 2)
    received = await answers(desk, stream, [ask(verification(name)) for name in NAMES])
    assert [a.version for a in received] == [2, 3, 4, 5]
    monkeypatch.setattr(workflow_carrier, "MOST_BYTES", 0)
    again = await answers(desk, stream, [ask(verification(name)) for name in NAMES[:2]])
    assert [a.version for a in again] == [6, 7]


class GoneAfter(MemoryStore):
    """A store that takes so many appends, once it is counted, and is away then."""

    left: int | None = None

    async def append(self, append: Append) -> AppendResult:
        if self.left is None:
            return await super().append(append)
        if not self.left:
            message = "away"
            raise StoreUnavailable(message)
        self.left -= 1
        return await super().append(append)


def _bundle(bureau: Bureau) -> BundleRequest:
    stream = bureau.id("organisation", "ORG-1")
    envelopes: tuple[Envelope, ...] = tuple(bureau.envelope(stream, verification(name), "HOST#1") for name in NAMES)
    return BundleRequest(stream=stream, now=datetime.now(UTC), envelopes=envelopes)


async def _gone_after(most: int, bureau: Bureau) -> GoneAfter:
    """It has the door's key, and takes so many appends after that."""
    store = GoneAfter()
    await publish(store, bureau.key)
    store.left = most
    return store


async def test_what_was_carried_out_before_the_store_went_away_is_told(bureau: Bureau) -> None:
    result = await CommandActivities(await _gone_after(2, bureau)).carry_out_each(_bundle(bureau))
    assert ([a.version for a in result.answers], result.progress.version) == ([1, 2], 2)
    away = CommandActivities(await _gone_after(0, bureau))
    with pytest.raises(StoreUnavailable):
        await away.carry_out_each(_bundle(bureau))


async def test_a_bundle_that_takes_long_stops_after_some_commands_and_at_least_one(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carry_out, "SOME_S", -1.0)
    store = MemoryStore()
    await publish(store, bureau.key)
    result = await CommandActivities(store).carry_out_each(_bundle(bureau))
    assert [a.version for a in result.answers] == [1]
