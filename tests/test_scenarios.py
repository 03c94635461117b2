"""Every story that comes with the product is played through real servers and comes out as told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cli.scenario import list_shipped, plan_scenario
from scenarios.play import play
from store.memory import MemoryStore
from tests.keys import bare_meta
from tests.paper import open_paper_door

if TYPE_CHECKING:
    from pathlib import Path

    from store.port import EventStore
    from tests.conftest import Desk


async def written(store: EventStore, realm: str) -> list[tuple[object, ...]]:
    """What the log holds of a realm, in its order: all but what tells one log, and one door's key, from another."""
    held: list[tuple[object, ...]] = []
    firsts = [await anext(store.read(row.stream, commands=True)) async for row in store.standings(realm=realm)]
    position = min(entry.position for entry in firsts) - 1
    while entries := await store.feed(position, 1000):
        position = entries[-1].position
        held += [
            (e.stream, e.kind, e.version, e.type, e.schema_version, e.command_id, e.occurred_at, bare_meta(e), e.data)
            for e in entries
            if e.stream.realm == realm
        ]
    return held


ALWAYS = {"s2-fuzhou"}
"""Told in every run, the others in full ones."""
STORIES = [
    pytest.param(path, id=path.stem, marks=[] if path.stem in ALWAYS else pytest.mark.full) for path in list_shipped()
]


@pytest.mark.parametrize("path", STORIES)
async def test_the_story_comes_out_as_told_and_leaves_the_same_bytes_without_workflows(path: Path, desk: Desk) -> None:
    (plan,) = plan_scenario([path])
    played = await play(plan, desk.door, desk.store)
    assert played.ok, played.as_json()
    paper = MemoryStore()
    assert (await play(plan, open_paper_door(paper), paper)).as_json() == played.as_json()
    through, within = await written(desk.store, plan.realm), await written(paper, plan.realm)
    assert within == through, next(
        (pair for pair in zip(within, through, strict=False) if pair[0] != pair[1]), "length"
    )


@pytest.mark.parametrize("path", [path for path in list_shipped() if path.stem in ALWAYS][:1])
async def test_a_story_played_again_changes_nothing(path: Path, desk: Desk) -> None:
    (plan,) = plan_scenario([path])
    first = await play(plan, desk.door, desk.store)
    before = await desk.store.last_position()
    again = await play(plan, desk.door, desk.store)
    assert first.as_json() == again.as_json()
    assert await desk.store.last_position() == before
