"""A realm's manual clock, moved by many callers of one door at once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from store.memory import MemoryStore
from tests.paper import REPORTED, open_paper_door, play_story

if TYPE_CHECKING:
    from domain.kernel.envelope import CarryOut, Progress


async def test_of_many_who_move_a_realms_clock_one_lets_each_deadline_fall_due() -> None:
    store = MemoryStore()
    await play_story(store, REPORTED - timedelta(days=30))
    running = [row async for row in store.standings() if row.due_at is not None]
    realm = running[0].stream.realm
    until = min(row.due_at for row in running if row.due_at is not None)
    door, calls = open_paper_door(store), []
    fall_due = door._carrier.fall_due

    async def count(deadline: CarryOut) -> Progress:
        calls.append((deadline.stream, deadline.now))
        await asyncio.sleep(0)  # on a server everybody else has their turn here
        return await fall_due(deadline)

    door._carrier.fall_due = count  # type: ignore[method-assign] # only looked at
    await asyncio.gather(*(door.move_clock(realm, until) for _ in range(5)))
    assert calls
    assert len(calls) == len(set(calls))
    assert await store.find_next_due(realm, until) is None
