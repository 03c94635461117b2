"""Every story that comes with the product is played through real servers and comes out as told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cli.scenario import list_shipped, plan_scenario
from scenarios.play import play

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Desk


@pytest.mark.parametrize("path", list_shipped(), ids=lambda path: path.stem)
async def test_the_story_comes_out_as_told(path: Path, desk: Desk) -> None:
    (plan,) = plan_scenario([path])
    played = await play(plan, desk.door, desk.store)
    assert played.ok, played.as_json()


@pytest.mark.parametrize("path", list_shipped()[:1], ids=lambda path: path.stem)
async def test_a_story_played_again_changes_nothing(path: Path, desk: Desk) -> None:
    (plan,) = plan_scenario([path])
    first = await play(plan, desk.door, desk.store)
    before = await desk.store.last_position()
    again = await play(plan, desk.door, desk.store)
    assert first.as_json() == again.as_json()
    assert await desk.store.last_position() == before
