"""What people call things: a short name, a whole id, a part of either; a name that nobody bears begins a stream."""

from __future__ import annotations

from uuid import uuid4

import pytest

from application.command_input import is_first_command
from application.queries import (
    NameAmbiguous,
    NameUnknown,
    RealmUnsaid,
    find_meaning,
    find_or_begin,
    find_to_act,
    require_realm_said,
    resolve_name,
)
from domain.kernel.identifier import LIVE, StreamId
from store.memory import MemoryStore
from tests.keys import KEY
from tests.workflows.bureau import Bureau, verification


@pytest.fixture
async def world() -> Bureau:
    """Two realms, each with an organisation of the same name; one has another besides."""
    store = MemoryStore()
    bureaus = [Bureau(f"b-{uuid4().hex[:8]}", store, KEY) for _ in range(2)]
    for bureau in bureaus:
        await bureau.straight(bureau.id("organisation", "ORG-1"), verification(), "HOST#1")
    await bureaus[0].straight(bureaus[0].id("organisation", "ORG-2"), verification(), "HOST#1")
    return bureaus[0]


@pytest.mark.parametrize("name", ["ORG-2", "ORG-2/T1"])
async def test_a_name_that_one_stream_bears_means_it(world: Bureau, name: str) -> None:
    assert await resolve_name(world.store, name) == world.id("organisation", "ORG-2")


async def test_a_name_that_several_bear_asks_which(world: Bureau) -> None:
    with pytest.raises(NameAmbiguous):
        await resolve_name(world.store, "ORG-1")
    assert await resolve_name(world.store, "ORG-1", world.realm) == world.id("organisation", "ORG-1")
    assert await resolve_name(world.store, world.id("organisation", "ORG-1")) == world.id("organisation", "ORG-1")


async def test_of_those_that_bear_a_name_the_live_one_is_meant(world: Bureau) -> None:
    await Bureau(LIVE, world.store, KEY).straight(StreamId("organisation/live/ORG-1"), verification(), "HOST#1")
    meaning = await find_meaning(world.store, "ORG-1")
    assert meaning.stream == "organisation/live/ORG-1"
    assert world.id("organisation", "ORG-1") in meaning.namesakes
    assert len(meaning.namesakes) == 2


async def test_a_name_that_nobody_bears_begins_a_stream_if_it_tells_the_kind(world: Bureau) -> None:
    assert (await find_to_act(world.store, "ND-1")).stream == "need/live/ND-1"
    assert (await find_to_act(world.store, "ND-1", world.realm)).stream == world.id("need", "ND-1")
    for unknown in ("XX-1", "project/live/甲"):
        with pytest.raises(NameUnknown):
            await find_to_act(world.store, unknown)


async def test_who_acts_on_a_name_that_only_a_trial_has_must_say_so(world: Bureau) -> None:
    theirs = world.id("organisation", "ORG-2")
    with pytest.raises(RealmUnsaid) as unsaid:
        await find_to_act(world.store, "ORG-2/T1")
    assert f"--realm {world.realm}" in unsaid.value.zh
    assert f"--realm {world.realm}" in unsaid.value.en
    for name, realm in (("ORG-2", world.realm), (theirs, None)):
        assert (await find_to_act(world.store, name, realm)).stream == theirs
    for name, realm in (("ORG-2", world.realm), (theirs, None)):
        require_realm_said(await find_meaning(world.store, name, realm), name, realm)
    with pytest.raises(RealmUnsaid):  # of a verb that changes what is there, as document destroy
        require_realm_said(await find_meaning(world.store, "ORG-2"), "ORG-2", None)
    assert (await find_or_begin(world.store, "ORG-2")).stream == theirs, "who asks is told, and who acts is refused"
    assert (await find_to_act(world.store, "ORG-2", LIVE)).stream == "organisation/live/ORG-2"


async def test_a_command_that_only_begins_files_begins_a_live_one_whatever_trials_have(world: Bureau) -> None:
    for name in ("ORG-1", "ORG-2"):
        assert (await find_to_act(world.store, name, begins=True)).stream == f"organisation/live/{name}"
    assert is_first_command("submit-need", "ND-1")
    for command, subject in (("立項審批", "PJ-3"), ("propose-award", "AP-5"), ("x", "??")):
        assert not is_first_command(command, subject), command
