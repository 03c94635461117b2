"""Realms by name: a mistyped one makes no world, and whoever wants a new one says so."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from application.inbox import WaitingFilter, list_waiting
from application.listing import StreamFilter, list_streams
from application.queries import find_to_act, resolve_name
from application.realms import NoSuchRealm, RealmExists, open_realm
from domain.kernel.clock import Clock
from store.memory import MemoryStore
from tests.keys import KEY
from tests.paper import open_paper_door
from tests.workflows.bureau import Bureau, verification

if TYPE_CHECKING:
    from application.door import Door


def _door(store: MemoryStore) -> Door:
    return open_paper_door(store)


async def test_a_mistyped_realm_is_said_to_be_none_and_how_to_make_it() -> None:
    store = MemoryStore()
    for wrong in (
        resolve_name(store, "ND-1", "paper-2062"),
        find_to_act(store, "ND-1", "paper-2062"),
        find_to_act(store, "need/paper-2062/ND-1"),
        list_streams(store, StreamFilter(kind="round", realm="paper-2062")),
        list_waiting(store, WaitingFilter(realm="paper-2062")),
    ):
        with pytest.raises(NoSuchRealm) as unknown:
            await wrong
        assert "venture realm open paper-2062" in unknown.value.remedy_zh
        assert "venture realm open paper-2062" in unknown.value.remedy_en
    assert await store.last_position() == 0


async def test_a_realm_that_was_opened_takes_commands_and_is_opened_once() -> None:
    store = MemoryStore()
    assert await open_realm(store, _door(store), "paper-2026")
    assert not await open_realm(store, _door(store), "paper-2026")
    assert (await store.realm("paper-2026")).clock is Clock.MANUAL
    assert (await find_to_act(store, "ND-1", "paper-2026")).stream == "need/paper-2026/ND-1"
    assert (await list_streams(store, StreamFilter(kind="round", realm="paper-2026"))).rows == ()


async def test_the_live_realm_needs_no_opening_and_cannot_be_put_on_another_clock() -> None:
    store = MemoryStore()
    assert (await find_to_act(store, "ND-1")).stream == "need/live/ND-1"
    for realm in ("live", "b-1"):
        bureau = Bureau(realm, store, KEY)
        await bureau.straight(bureau.id("organisation", f"ORG-{uuid4().hex[:4]}"), verification(), "HOST#1")
        with pytest.raises(RealmExists):
            await open_realm(store, _door(store), realm)
