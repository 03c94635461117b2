"""What a worker remembers of a stream holds only where the log still says so."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from activities.carry_out import CommandActivities
from deciding.fold import fold
from deciding.fold_cache import CachedFold, FoldCache, StaleFold
from domain.kernel.envelope import CarryOut
from domain.kernel.identifier import Actor, StreamId
from domain.kernel.state import State
from domain.need import EndorseNeed
from store.memory import MemoryStore
from store.port import RealmStanding
from tests.keys import KEY
from tests.workflows.bureau import Bureau, need_submission

if TYPE_CHECKING:
    from uuid import UUID

    from store.port import Entry, EventStore
    from tests.conftest import Desk


async def _need(store: EventStore, endorsements: int, realm: str = "folds") -> tuple[StreamId, list[Entry]]:
    bureau = Bureau(realm, store, KEY)
    await bureau.open_round()
    need = bureau.id("need", "ND-1")
    await bureau.straight(need, need_submission(), "COMM#1")
    for n in range(endorsements):
        await bureau.straight(need, EndorseNeed(), f"COMM#{n + 2}")
    return need, [entry async for entry in store.read(need)]


async def test_a_fold_goes_on_from_its_last_event_to_the_same_state() -> None:
    need, entries = await _need(MemoryStore(), 3)
    folds = FoldCache()
    assert folds.extend(folds.recall(need), entries[:2]) == fold(need, entries[:2])
    assert folds.extend(folds.recall(need), entries[1:]) == fold(need, entries)
    assert folds.recall(need) == CachedFold(fold(need, entries), entries[-1].chain)


async def test_a_fold_whose_last_event_is_another_or_gone_is_forgotten() -> None:
    need, entries = await _need(MemoryStore(), 3)
    for otherwise in ([], [replace(entries[2], chain=bytes(32))], entries[1:]):
        folds = FoldCache()
        folds.extend(folds.recall(need), entries[:3])
        with pytest.raises(StaleFold):
            folds.extend(folds.recall(need), otherwise)
        assert folds.recall(need) == CachedFold(State(need), b"")


async def test_of_many_streams_those_seen_last_are_remembered() -> None:
    folds, needs = FoldCache(most=2), [await _need(MemoryStore(), 0, f"folds-{n}") for n in range(3)]
    for need, entries in needs:
        folds.extend(folds.recall(need), entries)
    assert len(folds) == 2
    assert [folds.recall(need).state.version for need, _ in needs] == [0, 1, 1]


async def test_both_stores_say_the_same_of_streams_known_in_part(desk: Desk) -> None:
    realm = f"folds-{uuid4().hex[:8]}"
    for store in (desk.store, MemoryStore()):
        need, entries = await _need(store, 2, realm)
        round_ = need.sibling("round", "R-1")
        command_id = entries[-1].command_id
        loaded, readings = await store.consult(need, command_id, {need: 2, round_: 0}, ["no-key"], ["no-account"])
        assert [(e.version, e.chain) for e in loaded.events] == [(e.version, e.chain) for e in entries[1:]]
        assert loaded.events[-1] == entries[-1]
        assert loaded.journalled is not None
        assert loaded.journalled.command_id == command_id
        assert [e.type for e in readings.streams[round_]] == ["NeedSolicitationOpened"]
        assert readings.claims == {"no-key": frozenset()}
        assert readings.balances == {"no-account": 0}
        unknown = need.sibling("need", "ND-404")
        loaded, readings = await store.consult(unknown, None, {unknown: 0, need: 9})
        assert (loaded.events, loaded.journalled, list(readings.streams[need])) == ([], None, [])


async def test_questions_that_travel_together_are_answered_as_each_alone(desk: Desk) -> None:
    store, realm = desk.store, f"folds-{uuid4().hex[:8]}"
    need, entries = await _need(store, 2, realm)
    round_, unknown = need.sibling("round", "R-1"), need.sibling("need", "ND-404")
    questions: list[tuple[StreamId, UUID | None, dict[StreamId, int], list[str]]] = [
        (need, entries[-1].command_id, {need: 3, round_: 0}, ["no-key"]),
        (need, None, {need: 1}, []),
        (round_, entries[0].command_id, {round_: 1, need: 2}, []),
        (unknown, uuid4(), {need: 9, unknown: 0}, ["no-key", "nul-\0"]),
        (StreamId.of("need", "folds-none", "ND-1"), None, {}, []),
    ]
    alone = [await store.consult(*question) for question in questions]
    together = await asyncio.gather(*(store.consult(*question) for question in questions))
    for (loaded, readings), (as_alone, readings_alone) in zip(together, alone, strict=True):
        assert (loaded.journalled, loaded.realm, loaded.genesis) == (
            as_alone.journalled,
            as_alone.realm,
            as_alone.genesis,
        )
        assert readings.claims == readings_alone.claims
        for one, other in (
            (loaded.events, as_alone.events),
            *((readings.streams[stream], readings_alone.streams[stream]) for stream in readings.streams),
        ):
            assert [e.chain for e in one] == [e.chain for e in other]
            assert list(one[1:]) == list(other[1:]), "of the first, which is known, the data may be left out"
    assert loaded.realm == RealmStanding()


async def test_a_worker_on_a_database_that_was_set_back_reads_from_the_beginning() -> None:
    first = MemoryStore()
    need, _ = await _need(first, 3)
    bureau = Bureau("folds", first, KEY)
    other = MemoryStore()
    await _need(other, 1)
    activities = CommandActivities(first)
    for store, version in ((first, 5), (other, 3), (other, 4)):
        activities._store = store
        envelope = bureau.envelope(need, EndorseNeed(), Actor(f"PUBLIC#{version}"))
        result = await activities.carry_out(CarryOut(stream=need, now=envelope.received_at, envelope=envelope))
        assert result.answer is not None
        assert result.answer.version == version
