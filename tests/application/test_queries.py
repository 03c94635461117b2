"""What people call things: a short name, a whole id, a part of either; a name that nobody bears begins a stream."""

from __future__ import annotations

from uuid import uuid4

import pytest

from application.queries import NameAmbiguous, NameUnknown, find_meaning, resolve_or_begin
from domain.kernel.identity import LIVE, StreamId
from store.memory import MemoryStore
from tests.keys import KEY
from tests.workflows.bureau import Bureau, verification


@pytest.fixture
async def town() -> Bureau:
    """Two realms, each with an organisation of the same name; one has another besides."""
    store = MemoryStore()
    bureaus = [Bureau(f"b-{uuid4().hex[:8]}", store, KEY) for _ in range(2)]
    for bureau in bureaus:
        await bureau.straight(bureau.id("organisation", "ORG-1"), verification(), "HOST#1")
    await bureaus[0].straight(bureaus[0].id("organisation", "ORG-2"), verification(), "HOST#1")
    return bureaus[0]


@pytest.mark.parametrize("name", ["ORG-2", "ORG-2/T1"])
async def test_a_name_that_one_stream_bears_means_it(town: Bureau, name: str) -> None:
    assert await resolve_or_begin(town.store, name) == town.id("organisation", "ORG-2")


async def test_a_name_that_several_bear_asks_which(town: Bureau) -> None:
    with pytest.raises(NameAmbiguous):
        await resolve_or_begin(town.store, "ORG-1")
    assert await resolve_or_begin(town.store, "ORG-1", town.realm) == town.id("organisation", "ORG-1")
    assert await resolve_or_begin(town.store, town.id("organisation", "ORG-1")) == town.id("organisation", "ORG-1")


async def test_of_those_that_bear_a_name_the_live_one_is_meant(town: Bureau) -> None:
    await Bureau(LIVE, town.store, KEY).straight(StreamId("organisation/live/ORG-1"), verification(), "HOST#1")
    meaning = await find_meaning(town.store, "ORG-1")
    assert meaning.stream == "organisation/live/ORG-1"
    assert town.id("organisation", "ORG-1") in meaning.namesakes
    assert len(meaning.namesakes) == 2


async def test_a_name_that_nobody_bears_begins_a_stream_if_it_tells_the_kind(town: Bureau) -> None:
    assert await resolve_or_begin(town.store, "ND-1") == "need/live/ND-1"
    assert await resolve_or_begin(town.store, "ND-1", town.realm) == town.id("need", "ND-1")
    for unknown in ("XX-1", "project/live/甲"):
        with pytest.raises(NameUnknown):
            await resolve_or_begin(town.store, unknown)
